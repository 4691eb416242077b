use super::super::super::{Format, Report, Unreadable, Value, read};
use super::*;

fn file(matches: &str, ignored: &str) -> String {
    format!(
        r#"{{"matches":{matches},"ignoredMatches":{ignored},"descriptor":{{"name":"grype","version":"1"}}}}"#
    )
}

fn found(id: &str, severity: &str) -> String {
    format!(
        r#"{{"vulnerability":{{"id":"{id}","severity":"{severity}"}},"artifact":{{"name":"p","purl":"pkg:deb/p@1"}}}}"#
    )
}

#[track_caller]
fn report(text: &str, in_source_ignored: bool) -> Report {
    let report =
        read(text.as_bytes(), &Reading { in_source_ignored, ..Reading::default() }).expect("it reads");
    assert_eq!(report.format, Format::Grype);
    report
}

#[track_caller]
fn is(report: &Report, name: &str, expected: f64) {
    match report.lookup(name) {
        Ok(metric) => assert_eq!(metric.value, Value::Number(expected), "{name}"),
        Err(why) => panic!("{name}: {why}"),
    }
}

#[test]
fn one_vulnerability_in_several_packages_is_several_findings_and_a_distinct_one() {
    let all = [
        found("CVE-1", "Critical"),
        found("CVE-1", "Critical"),
        found("CVE-2", "Negligible"),
        found("CVE-3", "Unknown"),
        found("CVE-4", ""),
    ];
    let report = report(&file(&format!("[{}]", all.join(",")), "null"), false);
    for (name, expected) in [
        ("findings.open.critical", 2.0),
        ("findings.open.critical.distinct", 1.0),
        ("findings.open.low", 1.0),
        ("findings.open.none", 0.0),
        ("findings.open.unrated", 2.0),
        ("findings.suppressed", 0.0),
    ] {
        is(&report, name, expected);
    }
}

#[test]
fn ignored_matches_are_suppressed_by_whom_their_rules_say() {
    let ignored = |rules: &str| {
        found("CVE-1", "Critical")
            .replace("\"artifact\"", &format!("\"appliedIgnoreRules\":{rules},\"artifact\""))
    };
    for (rules, vex, open_where_ignored) in [
        (r#"[{"vulnerability":"CVE-1"}]"#, 0.0, 1.0),
        ("[]", 0.0, 1.0),
        (r#"[{"namespace":"vex","vex-status":"not_affected"}]"#, 1.0, 0.0),
        (r#"[{"namespace":"vex"}]"#, 1.0, 0.0),
        (r#"[{"vex-status":"fixed"}]"#, 1.0, 0.0),
        (r#"[{"vex-status":""}]"#, 0.0, 1.0),
        (r#"[{"namespace":"vex"},{"vulnerability":"CVE-1"}]"#, 0.0, 1.0),
    ] {
        let text = file("[]", &format!("[{}]", ignored(rules)));
        let kept = report(&text, false);
        is(&kept, "findings.open.critical", 0.0);
        is(&kept, "findings.suppressed", 1.0);
        is(&kept, "findings.suppressed.vex", vex);
        is(&report(&text, true), "findings.open.critical", open_where_ignored);
    }
}

#[test]
fn a_scan_that_gave_no_result_is_unreadable() {
    let read = |text: &str| read(text.as_bytes(), &Reading::default());
    for (text, expected) in [
        (file("null", "null"), "`/matches` is no array"),
        (file(r#"[{"vulnerability":{},"artifact":{}},{"vulnerability":{}}]"#, "null"), "`/matches/1` lacks"),
        (
            file(r#"[{"vulnerability":{"severity":9},"artifact":{}}]"#, "null"),
            "`/matches/0/vulnerability/severity` is a number",
        ),
        (file("[]", "{}"), "`/ignoredMatches` is no array"),
    ] {
        match read(&text) {
            Err(Unreadable::Invalid(why)) => {
                assert!(why.contains(expected), "{why:?} should say {expected:?}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    let other = r#"{"matches":[],"descriptor":{"name":"other"}}"#;
    assert_eq!(read(other).unwrap().format, Format::Json);
}

#[test]
fn a_report_is_known_by_the_parts_of_its_first_match() {
    let other = |matches: &str| format!(r#"{{"matches":{matches},"descriptor":{{"name":"other"}}}}"#);
    for (text, expected) in [
        (other(&format!("[{}]", found("CVE-1", "Low"))), Format::Grype),
        (other(r#"[{"vulnerability":{}}]"#), Format::Json),
        (other(r#"[{"artifact":{}}]"#), Format::Json),
        (format!(r#"{{"matches":[{}]}}"#, found("CVE-1", "Low")), Format::Json),
    ] {
        assert_eq!(read(text.as_bytes(), &Reading::default()).unwrap().format, expected, "{text}");
    }
}
