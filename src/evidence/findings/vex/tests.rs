use super::super::super::{Value, read};
use super::*;

const PURL: &str = "pkg:apk/alpine/openssl@1.1.1?arch=x86_64&distro=3.10";

/// A document with one statement of that state on those affected things.
fn document(state: &str, affects: &str) -> String {
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{{"component":{{"bom-ref":"product"}}}},
        "components":[{{"bom-ref":"lib","purl":"{PURL}","components":[{{"bom-ref":"inner","purl":"pkg:npm/i@2"}}]}},
        {{"bom-ref":"twice","purl":"{PURL}"}},{{"bom-ref":"twice","purl":"pkg:npm/i@2"}}],
        "vulnerabilities":[{{"id":"CVE-1","analysis":{{"state":"{state}"}},"affects":{affects}}}]}}"#
    )
}

/// Whether a critical finding in openssl stays open, with these documents beside it.
#[track_caller]
fn open_of(format: Format, documents: &[String]) -> bool {
    let trivy = format!(
        r#"{{"SchemaVersion":2,"ArtifactName":"a","Results":[{{"Vulnerabilities":[{{"VulnerabilityID":"CVE-1","PkgIdentifier":{{"PURL":"{PURL}"}},"Severity":"CRITICAL"}}]}}]}}"#
    );
    let grype = format!(
        r#"{{"matches":[{{"vulnerability":{{"id":"GHSA-1","severity":"Critical"}},"relatedVulnerabilities":[{{"id":"CVE-1"}}],"artifact":{{"purl":"{PURL}"}}}}],"descriptor":{{"name":"grype"}}}}"#
    );
    let text = if format == Format::Trivy { trivy } else { grype };
    let companions: Vec<&[u8]> = documents.iter().map(String::as_bytes).collect();
    let report = read(text.as_bytes(), &Reading { companions: &companions, ..Reading::default() }).unwrap();
    assert_eq!(report.format, format);
    let one = Value::Number(1.0);
    let open = report.lookup("findings.open.critical").unwrap().value == one;
    assert_eq!(report.lookup("findings.suppressed.vex").unwrap().value == one, !open);
    open
}

fn by_ref(name: &str) -> String {
    format!(r#"[{{"ref":"{name}"}}]"#)
}

#[test]
fn a_statement_closes_what_it_names_and_nothing_else() {
    for (name, expected) in [
        (PURL, false),
        ("pkg:apk/alpine/openssl@1.1.1", false),
        ("lib", false),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Aapk/alpine/openssl%401.1.1", false),
        ("pkg:apk/alpine/openssl@1.1.1?arch=arm64", true),
        ("pkg:apk/alpine/openssl@1.1.2", true),
        ("pkg:apk/alpine/openssl", true),
        ("pkg:apk/alpine/openssl@1.1.1x", true),
        ("pkg:apk/alpine/open@ssl/x", true),
        ("product", true),
        ("twice", true),
        ("inner", true),
        ("nowhere", true),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#lib", true),
        ("urn:cdx:3e671687/1", true),
    ] {
        for format in [Format::Trivy, Format::Grype] {
            assert_eq!(open_of(format, &[document("not_affected", &by_ref(name))]), expected, "{name}");
        }
    }
}

#[test]
fn only_states_that_leave_nothing_to_mend_close() {
    for (state, expected) in [
        ("resolved", false),
        ("resolved_with_pedigree", false),
        ("false_positive", false),
        ("not_affected", false),
        ("exploitable", true),
        ("in_triage", true),
        ("Not_Affected", true),
        ("", true),
    ] {
        assert_eq!(open_of(Format::Trivy, &[document(state, &by_ref(PURL))]), expected, "{state}");
    }
}

#[test]
fn where_statements_differ_the_finding_stays_open() {
    let closing = document("not_affected", &by_ref(PURL));
    for (other, expected) in [
        (document("exploitable", &by_ref("pkg:apk/alpine/openssl@1.1.1")), true),
        // What affects the product as a whole may come through any package of it.
        (document("exploitable", &by_ref("product")), true),
        (document("exploitable", "[]"), true),
        (document("exploitable", &by_ref("pkg:npm/other@1")), false),
        (document("exploitable", &by_ref(PURL)).replace("CVE-1", "CVE-2"), false),
        (closing.clone(), false),
        ("no VEX at all".into(), false),
    ] {
        assert_eq!(open_of(Format::Trivy, &[closing.clone(), other.clone()]), expected, "{other}");
    }
}

#[test]
fn a_statement_on_some_versions_closes_nothing() {
    for (versions, expected) in
        [("[]", false), (r#"[{"version":"1.1.1","status":"unaffected"}]"#, true), ("7", true)]
    {
        let affects = format!(r#"[{{"ref":"{PURL}","versions":{versions}}}]"#);
        assert_eq!(open_of(Format::Trivy, &[document("not_affected", &affects)]), expected, "{versions}");
    }
}

#[test]
fn an_advisory_with_several_vulnerabilities_is_not_closed_by_a_statement_on_one() {
    let matched = |related: &str| {
        format!(
            r#"{{"matches":[{{"vulnerability":{{"id":"ELSA-1","severity":"High"}},"relatedVulnerabilities":{related},"artifact":{{"purl":"{PURL}"}}}}],"descriptor":{{"name":"grype"}}}}"#
        )
    };
    let document = document("not_affected", &by_ref(PURL));
    let companions = [document.as_bytes()];
    for (related, expected) in [(r#"[{"id":"CVE-1"}]"#, 0.0), (r#"[{"id":"CVE-1"},{"id":"CVE-9"}]"#, 1.0)] {
        let reading = Reading { companions: &companions, ..Reading::default() };
        let report = read(matched(related).as_bytes(), &reading).unwrap();
        assert_eq!(report.lookup("findings.open.high").unwrap().value, Value::Number(expected), "{related}");
    }
}

#[test]
fn a_policy_that_does_not_take_vex_has_none() {
    let document = document("not_affected", &by_ref(PURL));
    let companions = [document.as_bytes()];
    let trivy = format!(
        r#"{{"SchemaVersion":2,"ArtifactName":"a","Results":[{{"Vulnerabilities":[{{"VulnerabilityID":"CVE-1","PkgIdentifier":{{"PURL":"{PURL}"}},"Severity":"CRITICAL"}}]}}]}}"#
    );
    for (allowed, expected) in [(vec![Format::Trivy], 1.0), (vec![Format::Trivy, Format::CycloneDxVex], 0.0)]
    {
        let reading = Reading { companions: &companions, allowed: Some(&allowed), ..Reading::default() };
        let report = read(trivy.as_bytes(), &reading).unwrap();
        assert_eq!(report.lookup("findings.open.critical").unwrap().value, Value::Number(expected));
    }
}

#[test]
fn a_document_is_evidence_of_its_own_and_gives_no_metric() {
    let report = read(document("resolved", "[]").as_bytes(), &Reading::default()).unwrap();
    assert_eq!((report.format, report.metrics.len()), (Format::CycloneDxVex, 0));
    let bill = r#"{"bomFormat":"CycloneDX","components":[]}"#;
    assert_eq!(read(bill.as_bytes(), &Reading::default()).unwrap().format, Format::Json);
    for broken in [
        r#"{"bomFormat":"CycloneDX","vulnerabilities":{}}"#,
        r#"{"bomFormat":"CycloneDX","vulnerabilities":[{}]}"#,
    ] {
        assert!(read(broken.as_bytes(), &Reading::default()).is_err(), "{broken}");
    }
}

#[test]
fn many_statements_on_many_findings_are_read_at_once() {
    // Each finding held against each statement would take minutes.
    let many = 20_000;
    let finding =
        format!(r#"{{"VulnerabilityID":"CVE-1","PkgIdentifier":{{"PURL":"{PURL}"}},"Severity":"CRITICAL"}}"#);
    let trivy = format!(
        r#"{{"SchemaVersion":2,"ArtifactName":"a","Results":[{{"Vulnerabilities":[{}]}}]}}"#,
        vec![finding; many].join(",")
    );
    let affects = vec![format!(r#"{{"ref":"{PURL}"}}"#); many].join(",");
    let documents = ["not_affected", "resolved"].map(|state| document(state, &format!("[{affects}]")));
    let companions: Vec<&[u8]> = documents.iter().map(String::as_bytes).collect();
    let report = read(trivy.as_bytes(), &Reading { companions: &companions, ..Reading::default() }).unwrap();
    assert_eq!(report.lookup("findings.open.critical").unwrap().value, Value::Number(0.0));
    assert_eq!(report.lookup("findings.suppressed.vex").unwrap().value, Value::Number(20_000.0));
}
