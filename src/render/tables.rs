//! Gate metrics for other programs: CSV, and text that Prometheus reads.
//!
//! Both are the list of figures, in its order. OpenMetrics: gauges alone, so that what reads the older text format of
//! Prometheus (the textfile collector) reads it too.

use std::fmt::Write as _;

use crate::insight::Origin;
use crate::insight::metrics::{FIGURES, Figure, Metrics, Unit, Value, figures};
use crate::model::escape;

/// Most labels that a figure has.
const MOST_LABELS: usize = 3;

/// One line for each figure; what is of no group has none.
pub(super) fn csv(metrics: &Metrics) -> String {
    let mut text = String::from("by,group,figure,label_1,label_2,label_3,value\r\n");
    let by = metrics.asked.by.map_or("", crate::insight::metrics::By::as_str);
    let groups = metrics.groups.iter().map(|(group, tally)| (by, group.as_str(), tally));
    for (by, group, tally) in std::iter::once(("", "", &metrics.total)).chain(groups) {
        for figure in figures(tally) {
            let labels = figure.labels.iter().map(String::as_str);
            let labels = labels.chain(std::iter::repeat("")).take(MOST_LABELS);
            let value = number(figure.value);
            let row = [by, group, figure.meaning.name].into_iter().chain(labels).chain([value.as_str()]);
            let row: Vec<String> = row.map(field).collect();
            text.push_str(&row.join(","));
            text.push_str("\r\n");
        }
    }
    text
}

/// A field of CSV. What a spreadsheet would take for a formula gets an apostrophe.
fn field(text: &str) -> String {
    let text = escape(text);
    let formula = text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Names of labels, each with what it says.
type Labels<'a> = Vec<(&'a str, String)>;

/// OpenMetrics text, ending in `# EOF`.
pub(super) fn openmetrics(metrics: &Metrics, origin: &Origin) -> String {
    let mut text = String::new();
    let by = metrics.asked.by.map_or("", crate::insight::metrics::By::as_str);
    let mut all: Vec<(Labels<'_>, Vec<Figure>)> = vec![(Vec::new(), figures(&metrics.total))];
    for (group, tally) in &metrics.groups {
        let labels = vec![("by", by.to_owned()), ("group", group.clone())];
        all.push((labels, figures(tally)));
    }
    for meaning in FIGURES {
        let name = format!("git_gate_{}", meaning.name);
        let mut samples = String::new();
        for (labels, figures) in &all {
            for figure in figures.iter().filter(|figure| figure.meaning == meaning) {
                let own = meaning.labels.iter().copied().zip(figure.labels.iter().cloned());
                let labels: Labels<'_> = labels.iter().cloned().chain(own).collect();
                sample(&mut samples, &name, &labels, figure.value);
            }
        }
        if !samples.is_empty() {
            let unit = match meaning.unit {
                Unit::Seconds => Some("seconds"),
                Unit::Ratio if name.ends_with("_ratio") => Some("ratio"),
                Unit::Ratio | Unit::Count => None,
            };
            family(&mut text, &name, unit, meaning.help);
            text.push_str(&samples);
        }
    }
    let left_out: usize = metrics.left_out.values().map(std::collections::BTreeSet::len).sum();
    for (name, unit, help, value) in [
        (
            "git_gate_left_out",
            None,
            "Gates that are not measured",
            i64::try_from(left_out).unwrap_or(i64::MAX),
        ),
        (
            "git_gate_unrecorded",
            None,
            "Gates that stand on a branch alone",
            i64::try_from(metrics.unrecorded.len()).unwrap_or(i64::MAX),
        ),
        ("git_gate_judged_timestamp_seconds", Some("seconds"), "The time of judging", origin.time.unix()),
    ] {
        family(&mut text, name, unit, help);
        sample(&mut text, name, &[], Value::Whole(value));
    }
    text.push_str("# EOF\n");
    text
}

fn family(text: &mut String, name: &str, unit: Option<&str>, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# TYPE {name} gauge");
    if let Some(unit) = unit {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let _ = writeln!(text, "# HELP {name} {help}");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, String)], value: Value) {
    let labels: Vec<String> =
        labels.iter().map(|(label, said)| format!("{label}=\"{}\"", quoted(said))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {}", number(value));
}

/// What may stand between the quotes of a label.
fn quoted(text: &str) -> String {
    escape(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn number(value: Value) -> String {
    match value {
        Value::Whole(whole) => whole.to_string(),
        Value::Real(real) => format!("{real:.6}"),
    }
}
