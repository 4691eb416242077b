//! Real files of scanners, read as the gate reads them.
//!
//! What each must give was worked out without this crate, as the comments say. For SARIF by a few lines of Python over
//! the file: the rule by index, else by id; the severity of the result, else of its rule; suppressed where every
//! suppression is accepted. For Trivy and Grype by `jq`.

use git_gate::evidence::{Format, Lookup, Reading, Report, Unreadable, Value, read};

use super::evidence_samples::{other, own};

const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "low", "none", "unrated"];

#[track_caller]
fn report(bytes: &[u8], format: Format) -> Report {
    let report = read(bytes, &Reading::default()).expect("it reads");
    assert_eq!(report.format, format);
    report
}

#[track_caller]
fn is(report: &Report, name: &str, expected: f64) {
    match report.lookup(name) {
        Ok(metric) => assert_eq!(metric.value, Value::Number(expected), "{name}"),
        Err(why) => panic!("{name}: {why}"),
    }
}

/// Open findings in the order of [`SEVERITIES`], and how many are suppressed.
#[track_caller]
fn found(report: &Report, open: [f64; 6], suppressed: f64) {
    for (severity, expected) in SEVERITIES.iter().zip(open) {
        is(report, &format!("findings.open.{severity}"), expected);
    }
    is(report, "findings.suppressed", suppressed);
}

// Python: 3 LOW, 2 MEDIUM, 2 HIGH of `issue_severity`; levels 3 note, 2 error, 2 with none.
#[test]
fn sarif_of_bandit_keeps_the_severity_in_the_result() {
    let report = report(&own("sarif/bandit.sarif"), Format::Sarif);
    found(&report, [0.0, 2.0, 2.0, 3.0, 0.0, 0.0], 0.0);
    is(&report, "findings.open.level.error", 2.0);
    is(&report, "findings.open.level.warning", 2.0);
    is(&report, "findings.open.level.note", 3.0);
    is(&report, "rule/B602/findings.open", 1.0);
    is(&report, "tool/Bandit/findings.open.high", 2.0);
}

// Python: no result has a level; the rules say error with 9.3, note with none, warning with the word "High".
#[test]
fn sarif_of_semgrep_has_levels_and_severities_in_its_rules() {
    let report = report(&own("sarif/semgrep_levels_from_rule.sarif"), Format::Sarif);
    found(&report, [1.0, 1.0, 0.0, 0.0, 0.0, 1.0], 0.0);
    is(&report, "findings.open.level.error", 1.0);
    // The one that nobody rated is a note.
    is(&report, "findings.open.unrated.error", 0.0);
    assert_eq!(report.lookup("findings.open.critical").unwrap().errors, Some(0));
}

// Python: 2 results of a rule with 8.8 and level error, in extensions[0]; `driver.rules` is empty; 40 rules.
#[test]
fn sarif_of_codeql_has_its_rules_in_an_extension() {
    let Some(bytes) = other("sarif/codeql_python_extensions.sarif") else { return };
    let report = report(&bytes, Format::Sarif);
    found(&report, [0.0, 2.0, 0.0, 0.0, 0.0, 0.0], 0.0);
    is(&report, "findings.open.level.error", 2.0);
    is(&report, "rule/py/sql-injection/findings.open", 2.0);
    assert_eq!(report.metrics.keys().filter(|name| name.starts_with("rule/")).count(), 40);
}

// Python: 5 of 8.0, 1 of 5.5, 2 of 2.0; `jq '.Results[].Misconfigurations[]?.Severity'` on the JSON of the same scan:
// 5 HIGH, 1 MEDIUM, 2 LOW.
#[test]
fn trivy_says_the_same_in_sarif_and_in_json() {
    let (Some(sarif), Some(json)) = (other("sarif/trivy_config_2025.sarif"), other("trivy/config_scan.json"))
    else {
        return;
    };
    let open = [0.0, 5.0, 1.0, 2.0, 0.0, 0.0];
    found(&report(&sarif, Format::Sarif), open, 0.0);
    let json = report(&json, Format::Trivy);
    found(&json, open, 0.0);
    is(&json, "misconfigurations/findings.open.high", 5.0);
    assert!(matches!(json.lookup("vulnerabilities/findings.open.high"), Err(Lookup::Missing { .. })));
}

// jq '.Results[].Vulnerabilities[] | [.VulnerabilityID, .Severity]': one, CRITICAL.
#[test]
fn trivy_of_an_image() {
    let Some(bytes) = other("trivy/image_alpine_critical.json") else { return };
    let report = report(&bytes, Format::Trivy);
    found(&report, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], 0.0);
    is(&report, "findings.open.critical.distinct", 1.0);
    let vex = br#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-2021-36159","analysis":{"state":"not_affected"},
        "affects":[{"ref":"pkg:apk/alpine/apk-tools@2.10.6-r0?arch=x86_64&distro=3.10.9"}]}]}"#;
    let reading = Reading { companions: &[vex], ..Reading::default() };
    found(&read(&bytes, &reading).unwrap(), [0.0; 6], 1.0);
}

// jq '.matches | group_by(.vulnerability.severity)': 6 Low; `unique_by(.vulnerability.id)`: 1.
#[test]
fn grype_of_one_vulnerability_in_six_packages() {
    let Some(bytes) = other("grype/keycloak.json") else { return };
    let report = report(&bytes, Format::Grype);
    found(&report, [0.0, 0.0, 0.0, 6.0, 0.0, 0.0], 0.0);
    is(&report, "findings.open.low.distinct", 1.0);
}

// By hand: of nine results one has no suppression, two have one that is rejected or under review, three a mixed list.
#[test]
fn sarif_suppressions_close_only_where_all_are_accepted() {
    let Some(bytes) = other("sarif/suppressions_matrix.sarif") else { return };
    let bytes = bytes.as_slice();
    found(&report(bytes, Format::Sarif), [0.0, 0.0, 0.0, 0.0, 0.0, 6.0], 3.0);
    let reading = Reading { in_source_ignored: true, ..Reading::default() };
    found(&read(bytes, &reading).unwrap(), [0.0, 0.0, 0.0, 0.0, 0.0, 7.0], 2.0);
}

// By hand: `executionSuccessful` is false, and there are no `results`.
#[test]
fn sarif_of_a_scan_that_ran_out_of_memory_is_no_clean_scan() {
    let Some(bytes) = other("sarif/catastrophic_execution_error.sarif") else { return };
    for unfinished_allowed in [false, true] {
        let reading = Reading { unfinished_allowed, ..Reading::default() };
        let Err(Unreadable::Invalid(why)) = read(&bytes, &reading) else { panic!("it reads") };
        assert!(why.contains("the run of `CodeScanner` failed"), "{why}");
    }
}

// By hand: both name a product, and no package.
#[test]
fn vex_about_a_product_closes_nothing_in_a_scan_of_packages() {
    let (Some(not_affected), Some(affected)) =
        (other("cyclonedx/vex_not_affected.json"), other("cyclonedx/vex_affected.json"))
    else {
        return;
    };
    for document in [&not_affected, &affected] {
        assert!(report(document, Format::CycloneDxVex).metrics.is_empty());
    }
    let trivy = br#"{"SchemaVersion":2,"ArtifactName":"a","Results":[{"Vulnerabilities":[{"VulnerabilityID":
        "CVE-2021-44228","PkgIdentifier":{"PURL":"pkg:maven/org.apache.logging.log4j/log4j-core@2.14"},"Severity":"CRITICAL"}]}]}"#;
    let reading = Reading { companions: &[&not_affected], ..Reading::default() };
    found(&read(trivy, &reading).unwrap(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], 0.0);
}
