use std::collections::BTreeMap;

use super::super::{Lookup, Mapping, Source, read as read_report};
use super::*;

const REPORT: &str = r#"{"summary":{"n":200,"rate":0.02,"nan":NaN,"text":"fair","yes":true}}"#;

fn reading(mappings: Option<&BTreeMap<String, Vec<Mapping>>>) -> Reading<'_> {
    let declared = Some(Format::Metrics);
    Reading { declared, external_allowed: true, mappings, ..Reading::default() }
}

fn one(format: Format, value: &str, samples: Option<&str>) -> Vec<Mapping> {
    let source =
        Source::Value { value: value.into(), samples: samples.map(Into::into), stderr: None, errors: None };
    vec![Mapping { format: Some(format), source, rate: samples.is_some() }]
}

/// The file that stands for a report that the policy maps.
fn extracted() -> (External, Report, String) {
    let mappings: BTreeMap<String, Vec<Mapping>> = [
        ("rate", one(Format::Json, "/summary/rate", Some("/summary/n"))),
        ("nan", one(Format::Json, "/summary/nan", None)),
        ("text", one(Format::Json, "/summary/text", None)),
        ("yes", one(Format::Json, "/summary/yes", None)),
        ("gone", one(Format::Json, "/summary/gone", None)),
    ]
    .into_iter()
    .map(|(name, mapping)| (name.to_owned(), mapping))
    .collect();
    let report = Reading { mappings: Some(&mappings), ..Reading::default() };
    let report = read_report(REPORT.as_bytes(), &report).unwrap();
    let external = External::of("s3://bucket/report.json".into(), Format::Json, REPORT.as_bytes()).unwrap();
    let text = external.write(&report);
    (external, report, text)
}

#[test]
fn what_is_written_reads_back_with_all_that_was_known() {
    let (external, report, text) = extracted();
    let back = read_report(text.as_bytes(), &reading(None)).unwrap();
    assert_eq!((back.format, back.external.as_ref()), (Format::Metrics, Some(&external)));
    for name in ["rate", "nan", "text", "yes"] {
        assert_eq!(back.lookup(name), report.lookup(name), "{name}");
    }
    assert_eq!(back.lookup("rate").unwrap().samples, Some(200));
    // What could not be read keeps no bound, rather than be absent.
    assert!(
        matches!(&back.lookup("gone").unwrap().value, Value::NonFinite(why) if why.contains("nothing stands"))
    );
}

#[test]
fn whatever_a_bound_may_ask_of_a_metric_is_carried_along() {
    let (external, mut report, _) = extracted();
    let all = Metric {
        value: Value::Number(3.0),
        samples: Some(7),
        stderr: Some(0.5),
        interval: Some(Interval { low: 1.0, high: 1.0, confidence: Some(0.9) }),
        errors: Some(2),
        unrated: 4,
        rate: true,
        higher_is_better: Some(false),
        limited: true,
        at: "/x".into(),
    };
    let none =
        Metric { stderr: Some(0.0), higher_is_better: Some(true), ..Metric::plain(Value::Number(0.0), "/y") };
    report.metrics.insert("all".into(), all.clone());
    report.metrics.insert("none".into(), none.clone());
    let back = read_report(external.write(&report).as_bytes(), &reading(None)).unwrap();
    assert_eq!(back.lookup("all"), Ok(&all));
    assert_eq!(back.lookup("none"), Ok(&none));
}

#[test]
fn the_status_and_names_of_several_values_are_carried_along() {
    let (external, mut report, _) = extracted();
    report.status = RunStatus::Unfinished("cancelled".into());
    report.ambiguous.insert("acc".into(), vec!["a/acc".into(), "b/acc".into()]);
    let text = external.write(&report);
    let back = read_report(text.as_bytes(), &reading(None)).unwrap();
    assert_eq!(back.lookup("rate"), Err(Lookup::Unfinished("cancelled".into())));
    let all = Reading { unfinished_allowed: true, ..reading(None) };
    let back = read_report(text.as_bytes(), &all).unwrap();
    assert_eq!(back.lookup("acc"), Err(Lookup::Ambiguous(vec!["a/acc".into(), "b/acc".into()])));
}

#[test]
fn it_is_read_only_where_the_policy_lets_a_report_lie_elsewhere_and_a_request_says_so() {
    let (_, _, text) = extracted();
    let refused = Reading { external_allowed: false, ..reading(None) };
    assert!(
        matches!(read_report(text.as_bytes(), &refused), Err(Unreadable::FormatRefused(why)) if why.contains("external"))
    );
    let undeclared = Reading { declared: None, ..reading(None) };
    assert_eq!(read_report(text.as_bytes(), &undeclared).unwrap().format, Format::Json);
}

#[test]
fn the_policys_own_names_go_before_those_in_the_file() {
    let (external, report, _) = extracted();
    let external = External { format: Format::Promptfoo, ..external };
    let text = external.write(&report);
    let mappings = BTreeMap::from([("yes".to_owned(), one(Format::Promptfoo, "rate", None))]);
    let back = read_report(text.as_bytes(), &reading(Some(&mappings))).unwrap();
    assert_eq!(back.lookup("yes").unwrap().value, Value::Number(0.02));
    let mappings = BTreeMap::from([("yes".to_owned(), one(Format::Promptfoo, "named/x", None))]);
    let back = read_report(text.as_bytes(), &reading(Some(&mappings))).unwrap();
    assert!(matches!(back.lookup("yes"), Err(Lookup::Unmapped(_))));
}

#[test]
fn a_report_is_itself_and_no_other() {
    let (external, _, _) = extracted();
    assert!(external.verify(REPORT.as_bytes()).is_ok());
    let other = REPORT.replace("0.02", "0.03");
    assert!(matches!(external.verify(other.as_bytes()), Err(NotTheReport::Other { .. })));
    assert!(external.verify(std::io::empty()).is_err());
}

#[test]
fn what_is_no_such_file_is_refused() {
    let (_, _, text) = extracted();
    for (old, new, expected) in [
        ("metrics/1", "metrics/2", "`schema`"),
        ("\"sha256:", "\"sha256:0", "`/source/sha256`"),
        ("\"json\"", "\"metrics\"", "no format of a report"),
        ("\"bytes\"", "\"byte\"", "`/source/bytes`"),
        ("\"samples\": 200", "\"samples\": -1", "`samples` is no count"),
        ("\"samples\": 200", "\"samples\": \"200\"", "`samples` is no number"),
        ("\"samples\": 200", "\"stderr\": -0.1", "negative"),
        ("\"samples\": 200", "\"interval\": {\"low\": 1, \"high\": 0}", "`interval`"),
        ("\"rate\": true", "\"rate\": 1", "no boolean"),
        ("\"name\": \"yes\"", "\"name\": \"rate\"", "is there twice"),
        ("\"value\": true", "\"value\": null", "no value"),
        ("\"value\": true", "\"value\": true, \"value\": false", "twice"),
    ] {
        assert!(text.contains(old), "{old} in {text}");
        match read_report(text.replacen(old, new, 1).as_bytes(), &reading(None)) {
            Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why}"),
            other => panic!("{new}: {other:?}"),
        }
    }
}

#[test]
fn of_the_mappings_for_the_report_itself_those_by_name_hold() {
    let (external, report, _) = extracted();
    let external = External { format: Format::Promptfoo, ..external };
    let text = external.write(&report);
    for (format, value, holds) in [
        (Format::Promptfoo, "rate", true),
        (Format::Promptfoo, "/metrics/0/name", false),
        (Format::Inspect, "rate", false),
        (Format::Inspect, "/metrics/0/name", false),
    ] {
        let mappings = BTreeMap::from([("mapped".to_owned(), one(format, value, None))]);
        let back = read_report(text.as_bytes(), &reading(Some(&mappings))).unwrap();
        let found = back.lookup("mapped").map(|metric| metric.value.clone());
        assert_eq!(found.is_ok(), holds, "{value} of {format:?}: {found:?}");
        assert_eq!(back.mapped.contains_key("mapped"), holds, "{value} of {format:?}");
    }
}

#[test]
fn the_policy_may_take_the_format_or_that_of_the_report() {
    let (_, _, text) = extracted();
    for (allowed, taken) in [
        (&[Format::Metrics][..], true),
        (&[Format::Json], true),
        (&[Format::Json, Format::Metrics], true),
        (&[Format::Promptfoo], false),
        (&[], false),
    ] {
        let reading = Reading { allowed: Some(allowed), ..reading(None) };
        assert_eq!(read_report(text.as_bytes(), &reading).is_ok(), taken, "{allowed:?}");
    }
}

#[test]
fn a_mapping_that_a_request_makes_reads_one_that_lies_elsewhere() {
    let (_, _, text) = extracted();
    let source = Source::Value { value: "rate".into(), samples: None, stderr: None, errors: None };
    let mapping = Mapping { format: None, source, rate: false };
    let metric = super::super::map_one(text.as_bytes(), Format::Metrics, &mapping).unwrap();
    assert_eq!(metric.value, Value::Number(0.02));
}
