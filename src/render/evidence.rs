//! A report as the tool reads it, and what it means for a gate's criteria.
//!
//! Every metric with its name, its value, how many samples stand behind it and where in the file it was read: enough to
//! write a policy from. What was read under a name that stands for several values is listed, and nothing of it given.

use crate::evidence::{Metric, Report, RunStatus, Value};
use crate::verdict::{Status, Weight};

use super::page::{Entry, Page, Section, Tone, Word, counted, list};

/// A report and the file that it was read from.
#[derive(Debug, Clone, Copy)]
pub struct ReportShown<'a> {
    /// The file, as the user named it.
    pub file: &'a str,
    /// What it says.
    pub report: &'a Report,
    /// The names to show; empty: all.
    pub names: &'a [String],
}

/// A report about to be attached, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct AttachShown<'a> {
    /// The kind of evidence.
    pub kind: &'a str,
    /// Its place in the gate.
    pub place: &'a str,
    /// What it says.
    pub report: &'a Report,
    /// What it means for the criteria.
    pub weight: &'a Weight,
}

/// The status of a run in one word, or in the tool's own words: `success` for one that finished.
pub(super) fn status(report: &Report) -> &str {
    match &report.status {
        RunStatus::Finished => "success",
        RunStatus::Unfinished(how) => how,
    }
}

/// All metrics that are to be shown, by name; what the policy maps goes before what the format names.
pub(super) fn metrics<'a>(shown: &ReportShown<'a>) -> Vec<(&'a str, &'a Metric)> {
    let report = shown.report;
    let mut metrics: std::collections::BTreeMap<&str, &Metric> =
        report.metrics.iter().map(|(name, metric)| (name.as_str(), metric)).collect();
    for (name, reading) in &report.mapped {
        match reading {
            Ok(metric) => metrics.insert(name, metric),
            Err(_not_read) => metrics.remove(name.as_str()),
        };
    }
    let wanted = |name: &str| shown.names.is_empty() || shown.names.iter().any(|wanted| wanted == name);
    metrics.into_iter().filter(|(name, _)| wanted(name)).collect()
}

/// The whole report.
pub(super) fn report_page(shown: &ReportShown<'_>) -> Page {
    let entries = metrics(shown).into_iter().map(|(name, metric)| {
        Entry::named(name, String::new()).prose("is", words(metric)).place("at", metric.at.as_str())
    });
    let ambiguous = shown
        .report
        .ambiguous
        .iter()
        .map(|(name, others)| Entry::named(name.as_str(), String::new()).prose("could be", list(others)));
    let sections = [
        Section::entries("Metrics", entries.collect()),
        Section::entries("Names of several values", ambiguous.collect()),
    ];
    Page {
        word: word(shown.report),
        about: format!("{}, format {}", shown.file, shown.report.format.as_str()),
        lead: lead(shown.report),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// What a report means for the gate that it is attached to.
pub(super) fn attach_page(shown: &AttachShown<'_>) -> Page {
    let criteria = shown.weight.criteria.iter().map(|weighed| {
        let (word, tone) = match weighed.status {
            Status::Met => ("met", Tone::Good),
            Status::Missing | Status::Stale | Status::Waived => ("missing", Tone::Open),
            Status::Failed => ("FAILED", Tone::Bad),
        };
        Entry::named(weighed.criterion.as_str(), weighed.found.as_str())
            .word(word, tone)
            .prose("asked", weighed.expected.as_str())
    });
    let unread = shown.report.mapped.iter().filter_map(|(name, reading)| {
        let reason = reading.as_ref().err()?;
        Some(Entry::named(name.as_str(), format!("not read: {reason}")))
    });
    let mut lead = lead(shown.report);
    lead.extend(criteria);
    lead.extend(unread);
    let unasked = u64::try_from(shown.weight.unasked.len()).unwrap_or(u64::MAX);
    if unasked > 0 {
        let metrics = counted(unasked, "metric");
        lead.push(Entry::sentence(format!("{metrics} no criterion asks for: `git gate evidence inspect`")));
    }
    Page {
        word: word(shown.report),
        about: format!("{}: {}, format {}", shown.kind, shown.place, shown.report.format.as_str()),
        lead,
        sections: Vec::new(),
    }
}

fn word(report: &Report) -> Word {
    match &report.status {
        RunStatus::Finished => Word::new("success", Tone::Good),
        RunStatus::Unfinished(_) => Word::new("unfinished", Tone::Bad),
    }
}

fn lead(report: &Report) -> Vec<Entry> {
    match &report.status {
        RunStatus::Finished if report.metrics.is_empty() && report.mapped.is_empty() => {
            vec![Entry::sentence("it gives no metric of its own: the policy can map some")]
        }
        RunStatus::Finished => Vec::new(),
        RunStatus::Unfinished(how) => vec![Entry::sentence(format!(
            "the run did not finish well: {how}; it gives no metrics unless the policy says `unfinished = \"allow\"`"
        ))],
    }
}

/// All that is known of a metric but where it was read.
fn words(metric: &Metric) -> String {
    let mut words = vec![match &metric.value {
        Value::Number(number) => number.to_string(),
        Value::Bool(bool) => bool.to_string(),
        Value::Text(text) => format!("the text `{text}`"),
        Value::NonFinite(text) => format!("{text}, which no bound takes"),
    }];
    words.extend(metric.samples.map(|samples| counted(samples, "sample")));
    words.extend(metric.stderr.map(|stderr| format!("standard error {stderr}")));
    words.extend(metric.interval.map(|interval| {
        let confidence = interval.confidence.map(|confidence| format!(" with confidence {confidence}"));
        format!("between {} and {}{}", interval.low, interval.high, confidence.unwrap_or_default())
    }));
    words.extend(metric.errors.map(|errors| counted(errors, "error")));
    words.extend((metric.unrated > 0).then(|| format!("and {} that were not rated", metric.unrated)));
    words.extend(metric.rate.then(|| "a rate".to_owned()));
    words.extend(
        metric
            .higher_is_better
            .map(|higher| if higher { "higher is better".to_owned() } else { "lower is better".to_owned() }),
    );
    words.extend(metric.limited.then(|| "of a part of the data set".to_owned()));
    words.join(", ")
}
