//! Reports of scanners, and VEX documents beside one, against hostile bytes.

use git_gate::evidence::{Format, Reading, Report, Value, read};

/// A report of one open finding, which the VEX documents of the corpus close.
const TRIVY: &[u8] =
    br#"{"SchemaVersion":2,"ArtifactName":"a","Results":[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1",
    "PkgIdentifier":{"PURL":"pkg:deb/openssl@1.1"},"Severity":"CRITICAL"}]}]}"#;

/// What reads counts no more findings than the file lists, each once; what is no JSON gives none.
pub(super) fn reports(bytes: &[u8]) {
    for in_source_ignored in [false, true] {
        let Ok(report) = read(bytes, &Reading { in_source_ignored, ..Reading::default() }) else { return };
        let listed = if report.format == Format::Sarif {
            items(bytes, &["runs", "*", "results", "*"])
        } else if report.format == Format::Grype {
            items(bytes, &["matches", "*"]) + items(bytes, &["ignoredMatches", "*"])
        } else if report.format == Format::Trivy {
            let classes = [
                "Vulnerabilities",
                "Misconfigurations",
                "Secrets",
                "Licenses",
                "ExperimentalModifiedFindings",
            ];
            classes.iter().map(|class| items(bytes, &["Results", "*", class, "*"])).sum()
        } else {
            return;
        };
        let open: f64 = ["critical", "high", "medium", "low", "none", "unrated"]
            .iter()
            .map(|severity| count(&report, &format!("findings.open.{severity}")))
            .sum();
        if report.metrics.is_empty() {
            continue;
        }
        let most = f64::from(u32::try_from(listed).unwrap());
        assert!(
            open + count(&report, "findings.suppressed") <= most,
            "more than the {listed} that are listed"
        );
        if report.format == Format::Sarif {
            let levels: f64 = ["error", "warning", "note", "none"]
                .iter()
                .map(|level| count(&report, &format!("findings.open.level.{level}")))
                .sum();
            assert!((levels - open).abs() < f64::EPSILON, "each open result has one level and one severity");
        }
    }
}

/// A document never makes a finding vanish: it is open, or counted as closed by VEX.
pub(super) fn vex(bytes: &[u8]) {
    let companions = [bytes];
    let report = read(TRIVY, &Reading { companions: &companions, ..Reading::default() }).unwrap();
    let (open, closed) =
        (count(&report, "findings.open.critical"), count(&report, "findings.suppressed.vex"));
    assert!((open + closed - 1.0).abs() < f64::EPSILON);
    let closes =
        [&b"CVE-1"[..], b"openssl"].iter().all(|word| bytes.windows(word.len()).any(|at| at == *word));
    let escaped = bytes.contains(&b'\\') || bytes.contains(&b'%');
    assert!(closed < 1.0 || closes || escaped, "it closes what it does not name");
}

/// How many values stand at a path, as another reader sees them; `*` is every item. NaN, which that one does not know,
/// is taken for null.
fn items(bytes: &[u8], path: &[&str]) -> usize {
    let text = String::from_utf8_lossy(bytes)
        .replace("-Infinity", "null")
        .replace("NaN", "null")
        .replace("Infinity", "null");
    let text = text.trim_start_matches('\u{feff}');
    let document: serde_json::Value = serde_json::from_str(text).expect("what reads as a report is JSON");
    let mut found = vec![&document];
    for step in path {
        found = match *step {
            "*" => found.into_iter().filter_map(|value| value.as_array()).flatten().collect(),
            key => found.into_iter().filter_map(|value| value.get(key)).collect(),
        };
    }
    found.len()
}

fn count(report: &Report, name: &str) -> f64 {
    match report.lookup(name).map(|metric| &metric.value) {
        Ok(Value::Number(number)) => *number,
        _ => 0.0,
    }
}
