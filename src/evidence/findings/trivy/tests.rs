use super::super::super::{Format, Report, Unreadable, Value, read};
use super::*;

fn file(results: &str) -> String {
    format!(
        r#"{{"SchemaVersion":2,"ArtifactName":"a","ArtifactType":"container_image","Results":{results}}}"#
    )
}

#[track_caller]
fn report_with(text: &str, reading: &Reading<'_>) -> Report {
    let report = read(text.as_bytes(), reading).expect("it reads");
    assert_eq!(report.format, Format::Trivy);
    report
}

#[track_caller]
fn report(results: &str) -> Report {
    report_with(&file(results), &Reading::default())
}

#[track_caller]
fn is(report: &Report, name: &str, expected: f64) {
    match report.lookup(name) {
        Ok(metric) => assert_eq!(metric.value, Value::Number(expected), "{name}"),
        Err(why) => panic!("{name}: {why}"),
    }
}

#[track_caller]
fn unreadable(text: &str, expected: &str) {
    match read(text.as_bytes(), &Reading::default()) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why:?} should say {expected:?}"),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn every_class_counts_in_the_words_of_trivy() {
    let all = report(
        r#"[{"Target":"t","Class":"os-pkgs","Vulnerabilities":[
            {"VulnerabilityID":"CVE-1","Severity":"CRITICAL"},{"VulnerabilityID":"CVE-1","Severity":"CRITICAL"},
            {"VulnerabilityID":"CVE-2","Severity":"UNKNOWN"},{"VulnerabilityID":"CVE-3"}],
            "Misconfigurations":[{"ID":"M1","Severity":"HIGH","Status":"FAIL"},{"ID":"M2","Severity":"CRITICAL","Status":"PASS"},
            {"ID":"M3","Severity":"MEDIUM","Status":"EXCEPTION"},{"ID":"M4","Severity":"LOW"}],
            "Secrets":[{"RuleID":"s","Severity":"CRITICAL"}],"Licenses":[{"Severity":"LOW"},{"Severity":"LOW"}]}]"#,
    );
    // Of those that nobody rated any may be critical, under whatever name the policy maps that.
    assert_eq!(all.lookup("findings.open.critical").unwrap().unrated, 2);
    assert_eq!(all.lookup("findings.open.high").unwrap().unrated, 0);
    for (name, expected) in [
        ("findings.open.critical", 3.0),
        ("findings.open.critical.distinct", 2.0),
        ("findings.open.high", 1.0),
        ("findings.open.medium", 0.0),
        ("findings.open.low", 3.0),
        ("findings.open.low.distinct", 3.0),
        ("findings.open.unrated", 2.0),
        ("findings.suppressed", 1.0),
        ("findings.suppressed.in_source", 1.0),
        ("vulnerabilities/findings.open.critical", 2.0),
        ("secrets/findings.open.critical", 1.0),
        ("licenses/findings.open.low", 2.0),
    ] {
        is(&all, name, expected);
    }
}

#[test]
fn a_scan_of_nothing_is_no_clean_scan() {
    for (text, expected) in [
        (file("null"), "Trivy found nothing to scan"),
        (file("[]"), "Trivy found nothing to scan"),
        (r#"{"SchemaVersion":2,"ArtifactName":"a"}"#.into(), "Trivy found nothing to scan"),
        (file("{}"), "`/Results` is no array"),
        (file("[7]"), "`/Results/0` is no object"),
        (file(r#"[{"Vulnerabilities":{}}]"#), "`/Results/0/Vulnerabilities` is no array"),
        (
            file(r#"[{"Vulnerabilities":[{"Severity":4}]}]"#),
            "`/Results/0/Vulnerabilities/0/Severity` is a number",
        ),
        (r#"{"SchemaVersion":1,"ArtifactName":"a","Results":[]}"#.into(), "`/SchemaVersion` is 1"),
        (r#"{"SchemaVersion":"2","ArtifactName":"a","Results":[]}"#.into(), "`/SchemaVersion` is no count"),
    ] {
        unreadable(&text, expected);
    }
    is(
        &report(r#"[{"Target":"t","Class":"os-pkgs","Vulnerabilities":null}]"#),
        "findings.open.critical",
        0.0,
    );
}

#[test]
fn failures_that_the_summary_states_and_nobody_listed_make_it_unreadable() {
    let target = |failures: u64| {
        format!(
            r#"[{{"Misconfigurations":[{{"Severity":"LOW","Status":"FAIL"}}],"MisconfSummary":{{"Successes":3,"Failures":{failures}}}}}]"#
        )
    };
    is(&report(&target(1)), "findings.open.low", 1.0);
    unreadable(&file(&target(2)), "more failures than the 1 that are listed");
    // What passed, what was excepted and what is no misconfiguration are no failures.
    let others = target(2).replace(
        r#""Misconfigurations":["#,
        r#""Vulnerabilities":[{"Severity":"LOW"}],"Misconfigurations":[{"Severity":"LOW","Status":"PASS"},{"Severity":"LOW","Status":"EXCEPTION"},"#,
    );
    unreadable(&file(&others), "more failures than the 1 that are listed");
}

#[test]
fn what_was_ignored_beside_the_source_is_open_where_the_policy_says_so() {
    let text = file(
        r#"[{"Vulnerabilities":[],"ExperimentalModifiedFindings":[
            {"Type":"vulnerability","Status":"ignored","Source":".trivyignore","Finding":{"VulnerabilityID":"CVE-1","Severity":"CRITICAL"}},
            {"Type":"vulnerability","Status":"not_affected","Source":"a.vex.json","Finding":{"VulnerabilityID":"CVE-2","Severity":"HIGH"}}]}]"#,
    );
    for (ignored, critical, suppressed) in [(false, 0.0, 2.0), (true, 1.0, 1.0)] {
        let report = report_with(&text, &Reading { in_source_ignored: ignored, ..Reading::default() });
        is(&report, "findings.open.critical", critical);
        is(&report, "findings.suppressed", suppressed);
        is(&report, "findings.suppressed.vex", 1.0);
    }
    let odd = r#"[{"ExperimentalModifiedFindings":[{"Type":"odd","Finding":{}}]}]"#;
    unreadable(&file(odd), "of a type that is not known here");
}

#[test]
fn a_report_is_known_by_its_version_and_what_was_scanned() {
    for (text, expected) in [
        (r#"{"SchemaVersion":2,"ArtifactName":"a","Results":[{}]}"#, Format::Trivy),
        (r#"{"SchemaVersion":2,"ArtifactType":"a","Results":[{}]}"#, Format::Trivy),
        (r#"{"SchemaVersion":2,"Results":[{}]}"#, Format::Json),
        (r#"{"ArtifactName":"a","ArtifactType":"b","Results":[{}]}"#, Format::Json),
    ] {
        assert_eq!(read(text.as_bytes(), &Reading::default()).unwrap().format, expected, "{text}");
    }
}
