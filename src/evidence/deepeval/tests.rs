use super::super::{Format, Report, Unreadable, read as read_report};
use super::*;

const TEXT: &str = r#"{"testCases":[
  {"success":true,"metricsData":[{"name":"Bias [GEval]","success":true,"score":0.25}]},
  {"success":false,"metricsData":[{"name":"Bias [GEval]","success":false,"score":0.75}]},
  {"success":false,"metricsData":[{"name":"Bias [GEval]","success":false,"error":"timeout"}]}
],"conversationalTestCases":[],"metricsScores":[{"metric":"Bias [GEval]","scores":[0.25,0.75],"passes":1,"fails":1,"errors":1}],
"testPassed":1,"testFailed":2}"#;

fn report(changes: &[(&str, &str)]) -> Result<Report, Unreadable> {
    let text = changes.iter().fold(TEXT.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    });
    read_report(text.as_bytes(), &Reading::default())
}

#[track_caller]
fn refused(changes: &[(&str, &str)], expected: &str) {
    match report(changes) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn holds(report: &Report, name: &str, value: f64, samples: u64, errors: u64) {
    let metric = report.lookup(name).unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_eq!(
        (&metric.value, metric.samples, metric.errors),
        (&Value::Number(value), Some(samples), Some(errors)),
        "{name}"
    );
}

#[test]
fn means_are_of_scores_and_rates_of_all() {
    for text in [TEXT.to_owned(), format!("{{\"testRunData\":{TEXT}}}")] {
        let report = read_report(text.as_bytes(), &Reading::default()).unwrap();
        assert_eq!(report.format, Format::Deepeval);
        holds(&report, "Bias [GEval]/mean", 0.5, 2, 1);
        holds(&report, "Bias [GEval]/pass_rate", 1.0 / 3.0, 3, 1);
        holds(&report, "tests.total", 3.0, 3, 1);
        holds(&report, "tests.passed", 1.0, 3, 1);
        holds(&report, "tests.failed", 1.0, 3, 1);
        holds(&report, "tests.errored", 1.0, 3, 1);
        holds(&report, "tests.pass_rate", 1.0 / 3.0, 3, 1);
        for (name, rate) in [
            ("Bias [GEval]/mean", false),
            ("Bias [GEval]/pass_rate", true),
            ("tests.total", false),
            ("tests.pass_rate", true),
        ] {
            assert_eq!(report.lookup(name).unwrap().rate, rate, "{name}");
        }
    }
}

#[test]
fn the_dump_of_a_result_reads_the_same() {
    let text = r#"{"test_results":[{"name":"a","success":true,"metrics_data":[{"name":"M","success":true,"score":1.0,"error":null}]},
        {"name":"b","success":false,"metrics_data":[{"name":"M","success":false,"score":null,"error":"x"}]}],"confident_link":null}"#;
    let report = read_report(text.as_bytes(), &Reading::default()).unwrap();
    assert_eq!(report.format, Format::Deepeval);
    holds(&report, "M/mean", 1.0, 1, 1);
    holds(&report, "tests.pass_rate", 0.5, 2, 1);
}

#[test]
fn the_summary_may_count_spans_and_never_less_than_the_cases() {
    let more = report(&[("[0.25,0.75],\"passes\":1", "[0.25,0.75,0.9,0.9],\"passes\":3")]).unwrap();
    holds(&more, "Bias [GEval]/mean", 0.5, 2, 1);
    for changes in [
        &[("[0.25,0.75],\"passes\":1", "[0.75],\"passes\":0")][..],
        &[("[0.25,0.75]", "[0.26,0.75]")],
        &[("\"errors\":1", "\"errors\":0")],
        &[("\"passes\":1,\"fails\":1", "\"passes\":2,\"fails\":0")],
    ] {
        refused(changes, "contradict each other");
    }
    refused(&[("\"passes\":1", "\"passes\":2")], "here they differ");
    refused(&[("\"metric\":", "\"metrik\":")], "`metric` is no text");
    refused(
        &[(
            "\"metricsScores\":[",
            "\"metricsScores\":[{\"metric\":\"Bias [GEval]\",\"scores\":[],\"passes\":0,\"fails\":0,\"errors\":9},",
        )],
        "is there twice",
    );
    let alone = report(&[("\"metricsData\"", "\"others\"")]).unwrap();
    holds(&alone, "Bias [GEval]/mean", 0.5, 2, 1);
    assert_eq!(alone.lookup("Bias [GEval]/mean").unwrap().at, "/metricsScores/0");
}

#[test]
fn a_case_in_which_one_metric_failed_failed_whatever_else_errored() {
    let case = |rows: &str| {
        let text =
            format!(r#"{{"testCases":[{{"success":false,"metricsData":[{rows}]}}],"metricsScores":[]}}"#);
        read_report(text.as_bytes(), &Reading::default()).unwrap()
    };
    let failed = r#"{"name":"A","success":false,"score":0.1}"#;
    let errored = r#"{"name":"B","success":false,"error":"x"}"#;
    let passed = r#"{"name":"C","success":true,"score":0.9}"#;
    for (rows, failures, errors) in [
        (failed.to_owned(), 1.0, 0.0),
        (errored.to_owned(), 0.0, 1.0),
        (format!("{failed},{errored}"), 1.0, 0.0),
        (format!("{errored},{failed}"), 1.0, 0.0),
        (format!("{errored},{passed}"), 0.0, 1.0),
        (passed.to_owned(), 1.0, 0.0),
    ] {
        let report = case(&rows);
        assert_eq!(report.lookup("tests.failed").unwrap().value, Value::Number(failures), "{rows}");
        assert_eq!(report.lookup("tests.errored").unwrap().value, Value::Number(errors), "{rows}");
    }
}

#[test]
fn cases_that_were_taken_out_or_turned_are_noticed() {
    refused(
        &[(
            "{\"success\":false,\"metricsData\":[{\"name\":\"Bias [GEval]\",\"success\":false,\"score\":0.75}]},",
            "",
        )],
        "`/testFailed`",
    );
    refused(&[("\"testPassed\":1", "\"testPassed\":2")], "`/testPassed`");
    refused(
        &[(
            "\"success\":false,\"metricsData\":[{\"name\":\"Bias [GEval]\",\"success\":false,\"score\"",
            "\"success\":\"no\",\"metricsData\":[{\"name\":\"Bias [GEval]\",\"success\":false,\"score\"",
        )],
        "no boolean",
    );
    refused(&[("\"score\":0.25", "\"score\":\"0.25\"")], "not a number");
    refused(&[("\"name\":\"Bias [GEval]\",", "")], "has no `name`");
    let text = r#"{"testCases":[],"metricsScores":[]}"#;
    assert!(
        matches!(read_report(text.as_bytes(), &Reading::default()), Err(Unreadable::Invalid(why)) if why.contains("no test case"))
    );
}

#[test]
fn a_mean_without_scores_or_with_nan_is_not_finite() {
    let nan = report(&[("\"score\":0.25", "\"score\":NaN"), ("[0.25,", "[NaN,")]).unwrap();
    assert_eq!(nan.lookup("Bias [GEval]/mean").unwrap().value, Value::NonFinite("NaN".into()));
    let none = r#"{"testCases":[{"success":false,"metricsData":[{"name":"M","success":false,"error":"x"}]}],"metricsScores":[]}"#;
    let none = read_report(none.as_bytes(), &Reading::default()).unwrap();
    assert_eq!(none.lookup("M/mean").unwrap().value, Value::NonFinite("no score".into()));
    holds(&none, "M/pass_rate", 0.0, 1, 1);
}

#[test]
fn a_run_is_known_by_its_cases_and_its_scores() {
    for (text, expected) in [
        (r#"{"testCases":[{"success":true}],"metricsScores":[]}"#, Format::Deepeval),
        (r#"{"testCases":[{"success":true}]}"#, Format::Json),
        (r#"{"metricsScores":[]}"#, Format::Json),
        (r#"{"test_results":[{"success":true}]}"#, Format::Json),
        (r#"{"test_results":[]}"#, Format::Json),
    ] {
        assert_eq!(read_report(text.as_bytes(), &Reading::default()).unwrap().format, expected, "{text}");
    }
}

#[test]
fn cases_without_metrics_and_metrics_without_cases_that_ended_are_read() {
    let read = |text: &str| read_report(text.as_bytes(), &Reading::default()).unwrap();
    let cases = read(r#"{"testCases":[{"success":true},{"success":false}],"metricsScores":[]}"#);
    holds(&cases, "tests.pass_rate", 0.5, 2, 0);
    let spans = read(
        r#"{"testCases":[{"success":null,"metricsData":[{"name":"M","success":true,"score":1}]}],"metricsScores":[]}"#,
    );
    holds(&spans, "M/mean", 1.0, 1, 0);
    assert!(spans.lookup("tests.total").is_err());
}
