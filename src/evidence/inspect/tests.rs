use super::super::{Format, Lookup, Report, RunStatus, Unreadable, read as read_report};
use super::*;

/// A log, with `changes` made to its text.
fn log(changes: &[(&str, &str)]) -> String {
    let text = r#"{"version":2,"status":"success","eval":{"task":"t","model":"m","dataset":{"samples":100},
        "config":{"epochs":1}},"plan":{},"results":{"total_samples":100,"completed_samples":100,"scores":[
        {"name":"match","scorer":"match","metrics":{"accuracy":{"value":0.8},"stderr":{"value":0.04}}}]}}"#;
    changes.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

fn report(changes: &[(&str, &str)]) -> Result<Report, Unreadable> {
    read_report(log(changes).as_bytes(), &Reading::default())
}

#[track_caller]
fn refused(changes: &[(&str, &str)], expected: &str) {
    match report(changes) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_log_gives_its_scores() {
    let report = report(&[]).unwrap();
    assert_eq!((report.format, &report.status), (Format::Inspect, &RunStatus::Finished));
    let accuracy = report.lookup("match/accuracy").unwrap();
    assert_eq!(
        (&accuracy.value, accuracy.samples, accuracy.stderr),
        (&Value::Number(0.8), Some(100), Some(0.04))
    );
    assert_eq!((accuracy.errors, accuracy.limited, accuracy.rate), (Some(0), false, false));
    assert_eq!(accuracy.at, "/results/scores/0/metrics/accuracy/value");
    assert_eq!(report.lookup("match/stderr").unwrap().stderr, None);
}

#[test]
fn a_log_is_known_by_all_its_parts() {
    for part in ["\"version\"", "\"status\"", "\"plan\"", "\"task\"", "\"model\"", "\"eval\""] {
        let other = report(&[(part, "\"other\"")]).unwrap();
        assert_eq!(other.format, Format::Json, "without {part}");
    }
}

#[test]
fn a_standard_error_may_be_nothing_and_all_may_be_scored() {
    let none = report(&[("0.04", "0.0")]).unwrap();
    assert_eq!(none.lookup("match/accuracy").unwrap().stderr, Some(0.0));
    refused(&[("0.04", "-0.01")], "is negative");
    let scored = |count: &str| {
        report(&[("\"scorer\":\"match\"", &format!("\"scored_samples\":{count},\"unscored_samples\":5"))])
    };
    let accuracy = |count: &str| scored(count).unwrap().lookup("match/accuracy").cloned().unwrap();
    assert_eq!((accuracy("100").samples, accuracy("95").samples), (Some(100), Some(95)));
    assert_eq!(accuracy("95").errors, Some(5));
    assert!(scored("101").is_err());
}

#[test]
fn only_a_success_gives_metrics() {
    for (changes, how) in [
        (&[("success", "cancelled")][..], "cancelled"),
        (&[("success", "started")], "started"),
        (&[("success", "error")], "error"),
        (&[("success", "SUCCESS")], "SUCCESS"),
        (&[("\"plan\"", "\"invalidated\":true,\"plan\"")], "invalidated"),
    ] {
        let report = report(changes).unwrap();
        assert_eq!(report.status, RunStatus::Unfinished(how.into()));
        assert_eq!(report.lookup("match/accuracy"), Err(Lookup::Unfinished(how.into())));
        let reading = Reading { unfinished_allowed: true, ..Reading::default() };
        assert!(read_report(log(changes).as_bytes(), &reading).unwrap().lookup("match/accuracy").is_ok());
    }
    refused(&[("\"results\"", "\"others\"")], "`/results` is missing");
    assert!(report(&[("\"results\"", "\"others\""), ("success", "error")]).is_ok());
    refused(
        &[(
            "{\"name\":\"match\",\"scorer\":\"match\",\"metrics\":{\"accuracy\":{\"value\":0.8},\"stderr\":{\"value\":0.04}}}",
            "",
        )],
        "scored nothing",
    );
}

#[test]
fn samples_are_counted_once_and_those_that_failed_are_errors() {
    let found = |changes: &[(&str, &str)]| {
        let report = report(changes).unwrap();
        let metric = report.lookup("match/accuracy").unwrap();
        (metric.samples, metric.errors, metric.limited)
    };
    let five_epochs = [("\"epochs\":1", "\"epochs\":5"), ("samples\":100,\"c", "samples\":500,\"c")];
    assert_eq!(
        found(&[five_epochs[0], five_epochs[1], ("completed_samples\":100", "completed_samples\":500")]),
        (Some(100), Some(0), false)
    );
    assert_eq!(found(&[("completed_samples\":100", "completed_samples\":96")]), (Some(96), Some(4), false));
    assert_eq!(
        found(&[("\"scorer\":", "\"scored_samples\":90,\"unscored_samples\":10,\"scorer\":")]),
        (Some(90), Some(10), false)
    );
    assert_eq!(found(&[("{\"samples\":100}", "{\"samples\":101}")]), (Some(100), Some(0), true));
    assert_eq!(
        found(&[("{\"samples\":100}", "{}"), ("\"epochs\":1", "\"limit\":100")]),
        (Some(100), Some(0), true)
    );
    for (changes, why) in [
        (("completed_samples\":100", "completed_samples\":101"), "101 completed samples of 100"),
        (("completed_samples\":100", "completed_samples\":-1"), "no count"),
        (("completed_samples\":100", "completed_samples\":\"100\""), "no count"),
        (("\"epochs\":1", "\"epochs\":0"), "no count of epochs"),
        (("\"scorer\":", "\"scored_samples\":101,\"scorer\":"), "more scored samples"),
        (("\"scorer\":", "\"scored_samples\":0.5,\"scorer\":"), "no count"),
        (("\"value\":0.04", "\"value\":-0.04"), "negative"),
        (("\"version\":2", "\"version\":1"), "`/version` is 1"),
        (("\"version\":2", "\"version\":\"2\""), "no number"),
        (("\"name\":\"match\",", ""), "no `name`"),
    ] {
        refused(&[changes], why);
    }
}

#[test]
fn a_score_that_is_there_twice_is_asked_for_by_its_reducer() {
    let twice = |one: &str, other: &str| {
        let score = |more: &str| {
            format!("{{\"name\":\"match\",{more}\"metrics\":{{\"accuracy\":{{\"value\":0.5}}}}}}")
        };
        let text = log(&[]);
        let (head, _) = text.split_once("{\"name\"").unwrap();
        let text = format!("{head}{},{}]}}}}", score(one), score(other));
        read_report(text.as_bytes(), &Reading::default()).unwrap()
    };
    let report = twice("\"reducer\":\"mean\",", "\"reducer\":\"max\",");
    assert!(report.lookup("match/accuracy@max").is_ok() && report.lookup("match/accuracy@mean").is_ok());
    let names = vec!["match/accuracy@mean".to_owned(), "match/accuracy@max".to_owned()];
    assert_eq!(report.lookup("match/accuracy"), Err(Lookup::Ambiguous(names)));
    assert!(matches!(twice("", "").lookup("match/accuracy"), Err(Lookup::Ambiguous(_))));
    let other = log(&[("\"scorer\":", "\"reducer\":\"max\",\"scorer\":")]);
    let other = read_report(other.as_bytes(), &Reading::default()).unwrap();
    let nearest = Some("match/accuracy@max".to_owned());
    assert_eq!(other.lookup("match/accuracy"), Err(Lookup::Missing { nearest }));
}

#[test]
fn what_is_no_number_is_no_metric_and_nan_is_not_finite() {
    let value = |value: &str| report(&[("\"value\":0.8", &format!("\"value\":{value}"))]).unwrap();
    assert_eq!(value("NaN").lookup("match/accuracy").unwrap().value, Value::NonFinite("NaN".into()));
    for other in ["null", "\"0.8\"", "true", "[0.8]", "{}"] {
        assert!(value(other).lookup("match/accuracy").is_err(), "{other}");
    }
}

#[test]
fn the_counts_of_samples_say_where_they_stand_and_whether_the_run_was_cut() {
    for (changes, limited) in [(&[][..], false), (&[("{\"samples\":100}", "{\"samples\":101}")], true)] {
        let report =
            report(&[changes, &[("completed_samples\":100", "completed_samples\":96")]].concat()).unwrap();
        for (name, count, at) in [
            ("samples.n", 100.0, "/results/total_samples"),
            ("samples.completed", 96.0, "/results/completed_samples"),
        ] {
            let metric = report.lookup(name).unwrap();
            assert_eq!(
                (&metric.value, metric.at.as_str(), metric.limited),
                (&Value::Number(count), at, limited),
                "{name}"
            );
        }
    }
}
