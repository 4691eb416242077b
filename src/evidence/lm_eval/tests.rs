use super::super::{Format, Lookup, Reading, Report, Unreadable, detect, read};
use super::*;

/// A small results file with these `results` and this rest.
fn file(results: &str, rest: &str) -> String {
    format!(r#"{{"results":{results},"configs":{{}},"versions":{{}},"n-shot":{{}}{rest}}}"#)
}

#[track_caller]
fn report(results: &str, rest: &str) -> Report {
    read(file(results, rest).as_bytes(), &Reading::default()).expect("it reads")
}

#[track_caller]
fn unreadable(results: &str, rest: &str, expected: &str) {
    match read(file(results, rest).as_bytes(), &Reading::default()) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why:?} should say {expected:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_keys_with_a_comma_are_metrics() {
    let report = report(
        r#"{"t":{"alias":"t","sample_len":3,"acc,none":1,"acc_stderr,none":"N/A","em,strict":0.5,"f1,none":null,"x":9}}"#,
        "",
    );
    let names: Vec<&str> = report.metrics.keys().map(String::as_str).collect();
    assert_eq!(names, ["t/acc", "t/em@strict"]);
    assert_eq!(report.lookup("t/acc").unwrap().samples, Some(3));
    assert_eq!(report.lookup("t/acc").unwrap().stderr, None);
    assert_eq!(report.lookup("t/em"), Err(Lookup::Missing { nearest: Some("t/em@strict".into()) }));
}

#[test]
fn a_results_file_is_known_by_all_its_parts() {
    let whole = file(r#"{"t":{"acc,none":1}}"#, "");
    assert_eq!(detect(whole.as_bytes()), Ok(Format::LmEval));
    assert_eq!(detect(whole.replace("n-shot", "config").as_bytes()), Ok(Format::LmEval));
    for part in ["results", "configs", "versions", "n-shot"] {
        let other = whole.replacen(&format!("\"{part}\""), "\"other\"", 1);
        assert_eq!(detect(other.as_bytes()), Ok(Format::Json), "without {part}");
    }
    assert_eq!(detect(file("[]", "").as_bytes()), Ok(Format::Json));
}

#[test]
fn a_standard_error_may_be_nothing_and_is_never_less() {
    let found = report(r#"{"t":{"acc,none":0.5,"acc_stderr,none":0}}"#, "");
    assert_eq!(found.lookup("t/acc").unwrap().stderr, Some(0.0));
    unreadable(r#"{"t":{"acc,none":0.5,"acc_stderr,none":-0.1}}"#, "", "is negative");
}

#[test]
fn a_standard_error_alone_is_no_metric() {
    unreadable(r#"{"t":{"acc_stderr,none":0.01}}"#, "", "names no metric");
}

#[test]
fn two_keys_of_one_name_are_ambiguous() {
    let report = report(r#"{"a/b":{"c,none":1},"a":{"b/c,none":2},"t":{"m@f,none":1,"m,f":2}}"#, "");
    assert_eq!(
        report.lookup("a/b/c"),
        Err(Lookup::Ambiguous(vec!["/results/a/b~1c,none".into(), "/results/a~1b/c,none".into()]))
    );
    assert!(matches!(report.lookup("t/m@f"), Err(Lookup::Ambiguous(_))));
    assert!(matches!(report.matching(&[crate::model::Glob::new("a/*")]), Err(Lookup::Ambiguous(_))));
}

#[test]
fn what_is_no_run_is_unreadable() {
    unreadable("{}", "", "names no metric");
    unreadable(r#"{"t":{}}"#, "", "names no metric");
    unreadable(r#"{"t":0.9}"#, "", "task `t` is a number");
    unreadable(r#"{"t":{"acc,none":1,"acc_stderr,none":-0.1}}"#, "", "negative");
    unreadable(
        r#"{"g":{"acc,none":1}}"#,
        r#","groups":{"g":{"acc,none":0.5}}"#,
        "`groups` and `results` differ",
    );
    unreadable(
        r#"{"g":{"acc,none":1}}"#,
        r#","groups":{"g":{"f1,none":0.5}}"#,
        "`groups` and `results` differ",
    );
    assert_eq!(detect(br#"{"task":{"acc,none":1}}"#), Ok(Format::Json), "a `results` object saved alone");
}

#[test]
fn samples_are_those_that_were_run() {
    for (rest, values, expected) in [
        (r#","n-samples":{"t":{"original":100,"effective":20}}"#, "", Some(20)),
        ("", r#","sample_len":7"#, Some(7)),
        (r#","n-samples":{"t":{"original":100,"effective":20}}"#, r#","sample_len":7"#, Some(7)),
        ("", r#","sample_count":{"acc,none":5,"f1,none":9}"#, Some(5)),
        ("", "", None),
        (r#","n-samples":{"t":{"original":100,"effective":"20"}}"#, "", None),
        // A group: the length is over all tasks, some of which lack the metric.
        (r#","group_subtasks":{"t":["u"]}"#, r#","sample_len":60"#, None),
    ] {
        let report = report(&format!(r#"{{"t":{{"acc,none":0.5{values}}}}}"#), rest);
        assert_eq!(report.lookup("t/acc").unwrap().samples, expected, "{rest} {values}");
    }
}

#[test]
fn a_run_of_a_part_says_so() {
    for (rest, expected) in [
        (r#","n-samples":{"t":{"original":100,"effective":20}},"config":{"limit":20.0}"#, true),
        (r#","n-samples":{"t":{"original":20,"effective":20}},"config":{"limit":1000}"#, false),
        (r#","config":{"limit":0.1}"#, true),
        (r#","config":{"limit":null}"#, false),
    ] {
        let report = report(r#"{"t":{"acc,none":0.5}}"#, rest);
        assert_eq!(report.lookup("t/acc").unwrap().limited, expected, "{rest}");
    }
}

#[test]
fn the_harness_says_which_direction_is_better() {
    let report = report(
        r#"{"t":{"acc,none":0.5,"ppl,none":3,"f1,none":1}}"#,
        r#","higher_is_better":{"t":{"acc":true,"ppl":false}}"#,
    );
    for (name, expected) in [("t/acc", Some(true)), ("t/ppl", Some(false)), ("t/f1", None)] {
        assert_eq!(report.lookup(name).unwrap().higher_is_better, expected, "{name}");
    }
}

#[test]
fn what_is_not_finite_stays_visible() {
    let report =
        report(r#"{"t":{"mae,none":Infinity,"mae_stderr,none":NaN,"b,none":"n/a","c,none":true}}"#, "");
    assert_eq!(report.lookup("t/mae").unwrap().value, Value::NonFinite("Infinity".into()));
    assert_eq!(report.lookup("t/mae").unwrap().stderr, None);
    assert_eq!(report.lookup("t/b").unwrap().value, Value::Text("n/a".into()));
    assert_eq!(report.lookup("t/c").unwrap().value, Value::Bool(true));
}
