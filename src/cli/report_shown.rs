//! What a report says, for whoever attaches it: metrics that a criterion reads first, with the bounds on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::evidence::{Metric, Report, RunStatus, Value};
use crate::model::{Name, escape};
use crate::policy::{Criterion, Policy, Subject};

/// Most metrics of no criterion that are listed.
const MOST: usize = 3;

/// The report in a few lines, each with its end.
pub(super) fn report_text(kind: &Name, place: &str, report: &Report, policy: &Policy) -> String {
    let status = match &report.status {
        RunStatus::Finished => String::new(),
        RunStatus::Unfinished(how) => format!(", not finished: {}", escape(how)),
    };
    let mut text = format!("{kind}: {place}, format {}{status}\n", report.format.as_str());
    let metrics = metrics(report);
    let read: Vec<&Criterion> = policy
        .rules
        .iter()
        .flat_map(|rule| &rule.criteria)
        .filter(|criterion| criterion.evidence == *kind && read_metric(criterion).is_some())
        .collect();
    let is_read = |name: &str| read.iter().any(|criterion| read_metric(criterion) == Some(name));
    for criterion in &read {
        let Some(metric) = read_metric(criterion).and_then(|name| metrics.get(name)) else { continue };
        line(&mut text, read_metric(criterion).unwrap_or_default(), metric, &bound(criterion));
    }
    let others: Vec<_> = metrics.iter().filter(|(name, _)| !is_read(name)).collect();
    for (name, metric) in others.iter().take(MOST) {
        line(&mut text, name, metric, "");
    }
    if others.len() > MOST {
        let _ = writeln!(text, "  and {} more", others.len() - MOST);
    }
    for (name, reading) in &report.mapped {
        if let Err(reason) = reading {
            let _ = writeln!(text, "  {}: not read: {}", escape(name), escape(reason));
        }
    }
    text
}

/// The report for programs.
pub(super) fn report_json(report: &Report) -> Json {
    let metrics: serde_json::Map<String, Json> = metrics(report)
        .into_iter()
        .map(|(name, metric)| {
            let value = match &metric.value {
                Value::Number(number) => json!(number),
                Value::Bool(flag) => json!(flag),
                Value::Text(text) | Value::NonFinite(text) => json!(text),
            };
            (name.to_owned(), json!({ "value": value, "samples": metric.samples, "stderr": metric.stderr }))
        })
        .collect();
    let unfinished = match &report.status {
        RunStatus::Finished => None,
        RunStatus::Unfinished(how) => Some(how),
    };
    json!({ "format": report.format.as_str(), "metrics": metrics, "unfinished": unfinished })
}

fn metrics(report: &Report) -> BTreeMap<&str, &Metric> {
    let mut metrics: BTreeMap<&str, &Metric> =
        report.metrics.iter().map(|(name, metric)| (name.as_str(), metric)).collect();
    for (name, reading) in &report.mapped {
        match reading {
            Ok(metric) => metrics.insert(name, metric),
            Err(_shown_apart) => metrics.remove(name.as_str()),
        };
    }
    metrics
}

fn read_metric(criterion: &Criterion) -> Option<&str> {
    match &criterion.subject {
        Subject::Metric(name) => Some(name),
        Subject::Spread(_) | Subject::Ratio(_) => None,
    }
}

fn line(text: &mut String, name: &str, metric: &Metric, bound: &str) {
    let value = match &metric.value {
        Value::Number(number) => short(*number),
        Value::Bool(flag) => flag.to_string(),
        Value::Text(words) => format!("`{}`", escape(words)),
        Value::NonFinite(written) => escape(written),
    };
    let samples = metric.samples.map(|samples| format!(" (n = {samples})")).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {} = {value}{samples}", escape(name));
    if !bound.is_empty() {
        let _ = writeln!(text, "    {bound}");
    }
}

/// At most six digits behind the point: for people.
fn short(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bound(criterion: &Criterion) -> String {
    let mut bounds = Vec::new();
    if let Some(max) = criterion.max {
        bounds.push(format!("at most {max}"));
    }
    if let Some(min) = criterion.min {
        bounds.push(format!("at least {min}"));
    }
    if let Some(samples) = criterion.min_samples {
        bounds.push(format!("on {samples} samples or more"));
    }
    if bounds.is_empty() {
        return format!("`{}` reads it", criterion.name);
    }
    format!("`{}` asks for {}", criterion.name, bounds.join(", "))
}
