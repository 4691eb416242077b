//! Reports of evaluation tools against hostile bytes.
//!
//! What must hold of whatever reads: each metric is what another reader finds at the place that the metric names. So none is
//! there that a mutation removed.

use std::io::Cursor;

use git_gate::evidence::{Format, Metric, Reading, Report, Value, read, read_from};
use serde_json::Value as Json;

pub(super) fn reports(bytes: &[u8]) {
    let reading = Reading { unfinished_allowed: true, ..Reading::default() };
    let found = read(bytes, &reading);
    assert_eq!(found, read_from(Cursor::new(bytes), &reading), "a file reads as its bytes do");
    let Ok(report) = found else { return };
    assert!(report.metrics.keys().all(|name| !report.ambiguous.contains_key(name)));
    match report.format {
        Format::Inspect if !bytes.starts_with(b"PK") => pointed_at(&report, &document(bytes)),
        Format::LmEval => pointed_at(&report, &document(bytes)),
        Format::Garak => rates(&report, bytes),
        Format::Deepeval => means(&report, &document(bytes)),
        Format::Junit => {
            let cases = bytes.windows(9).filter(|at| at == b"<testcase").count();
            let total = report.lookup("tests.total").map(|metric| &metric.value);
            assert!(matches!(total, Ok(Value::Number(total)) if *total <= real(cases)));
        }
        Format::Text
        | Format::Json
        | Format::Csv
        | Format::CycloneDxVex
        | Format::Metrics
        | Format::Rollback
        | Format::Grype
        | Format::Inspect
        | Format::Promptfoo
        | Format::Sarif
        | Format::Trivy => {}
    }
}

/// Every metric that names a pointer is the number there.
fn pointed_at(report: &Report, document: &Json) {
    for metric in report.metrics.values() {
        let there = document.pointer(&metric.at).unwrap_or_else(|| panic!("nothing stands at {}", metric.at));
        match &metric.value {
            Value::Number(number) => assert_eq!(there.as_f64(), Some(*number), "{}", metric.at),
            Value::Bool(bool) => assert_eq!(there.as_bool(), Some(*bool)),
            Value::Text(text) => assert_eq!(there.as_str(), Some(text.as_str())),
            Value::NonFinite(_) => {}
        }
    }
}

/// Every rate is that of a row of this probe and detector.
fn rates(report: &Report, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let rows: Vec<Json> = text
        .trim_start_matches('\u{feff}')
        .split('\n')
        .filter(|line| !line.trim().is_empty())
        .map(|line| document(line.as_bytes()))
        .collect();
    for (name, metric) in &report.metrics {
        let Some(pair) = name.strip_suffix("/attack_success_rate") else { continue };
        let row = metric.at.trim_start_matches('/').parse::<usize>().ok().and_then(|at| rows.get(at));
        let row = row.unwrap_or_else(|| panic!("no row at {}", metric.at));
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        assert_eq!(pair, format!("{}/{}", text("probe"), text("detector").trim_start_matches("detector.")));
        let total = row["total_evaluated"].as_f64().or_else(|| row["total"].as_f64()).unwrap();
        holds(metric, (total - row["passed"].as_f64().unwrap()) / total);
    }
}

/// Every mean is that of the scores of its name.
fn means(report: &Report, document: &Json) {
    let run = document.get("testRunData").unwrap_or(document);
    let mut scored: Vec<(&str, f64)> = Vec::new();
    for (cases, rows) in [
        ("testCases", "metricsData"),
        ("conversationalTestCases", "metricsData"),
        ("test_results", "metrics_data"),
    ] {
        let cases = run[cases].as_array().into_iter().flatten();
        for row in cases.flat_map(|case| case[rows].as_array().into_iter().flatten()) {
            if row["error"].is_null() {
                scored.extend(row["name"].as_str().zip(row["score"].as_f64()));
            }
        }
    }
    for (name, metric) in &report.metrics {
        let Some(name) = name.strip_suffix("/mean").filter(|_| !metric.at.starts_with('/')) else { continue };
        let own: Vec<f64> =
            scored.iter().filter(|(other, _)| *other == name).map(|(_, score)| *score).collect();
        holds(metric, own.iter().sum::<f64>() / real(own.len()));
    }
}

#[track_caller]
fn holds(metric: &Metric, expected: f64) {
    match metric.value {
        Value::Number(number) => assert!((number - expected).abs() < 1e-9, "{number} should be {expected}"),
        Value::NonFinite(_) | Value::Bool(_) | Value::Text(_) => {}
    }
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// What another reader sees. NaN, which that one does not know, is taken for null.
fn document(bytes: &[u8]) -> Json {
    let text = String::from_utf8_lossy(bytes);
    let text = text.replace("-Infinity", "null").replace("NaN", "null").replace("Infinity", "null");
    serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("what reads as a report is JSON")
}
