//! What a criterion reads from one report: a metric, or a spread or ratio over a set of metrics.
//!
//! Absence is never zero: what cannot be read is told apart from what is not there, and neither is a value.

use std::collections::BTreeMap;

use super::bounds::real;
use super::interval::Limits;
use super::text::{Words, number, quoted_list};
use crate::evidence::{Interval, Lookup, Metric, Report, Value};
use crate::policy::{Criterion, Group, Subject};

/// What was read.
#[derive(Debug, Clone)]
pub(super) enum Measured {
    /// The report does not have it; with the reason, where there is one.
    Absent(Option<String>),
    /// The report has it, and no bound can hold on it: why.
    Bad(String),
    /// A value.
    Good(Measurement),
}

/// A value, with all that a bound may ask of it.
#[derive(Debug, Clone)]
pub(super) struct Measurement {
    pub(super) value: Value,
    pub(super) samples: Option<u64>,
    pub(super) errors: Option<u64>,
    pub(super) higher_is_better: Option<bool>,
    pub(super) limited: bool,
    /// In words: name, value, samples, where.
    pub(super) words: String,
    stderr: Option<f64>,
    rate: bool,
}

/// The name whose bound also covers findings that their tool did not rate (design, section 6).
const CRITICAL: &str = "findings.open.critical";
/// Open findings that their tool did not rate, or those of level error among them where the format has levels.
const UNRATED: [&str; 2] = ["findings.open.unrated.error", "findings.open.unrated"];

/// Reads what `criterion` is about from `report`.
pub(super) fn measure(criterion: &Criterion, report: &Report) -> Measured {
    match &criterion.subject {
        Subject::Metric(name) => one_metric(criterion, name, report),
        Subject::Spread(group) => {
            over_group("spread", group, report, |low, high| (high - low).is_finite().then_some(high - low))
        }
        Subject::Ratio(group) => {
            over_group("ratio", group, report, |low, high| (low >= 0.0 && high > 0.0).then(|| low / high))
        }
    }
}

impl Measurement {
    /// The limits between which the value lies with `confidence`; why there are none, else.
    pub(super) fn limits(&self, confidence: Option<f64>) -> Result<Limits, String> {
        let Value::Number(value) = self.value else {
            return Err("it is no number".into());
        };
        let Some(confidence) = confidence else { return Ok(Limits::exact(value)) };
        let wilson = self.samples.filter(|_| self.rate);
        match (wilson, self.stderr) {
            (Some(samples), _) => Limits::wilson(value, real(samples), confidence)
                .ok_or_else(|| "it is no share of its samples".to_owned()),
            (None, Some(stderr)) => Limits::normal(value, stderr, confidence)
                .ok_or_else(|| "its standard error gives no limit".to_owned()),
            (None, None) => {
                Err("it has neither a rate out of samples nor a standard error, so no confidence limit"
                    .into())
            }
        }
    }
}

fn lookup<'a>(report: &'a Report, name: &str) -> Result<&'a Metric, Measured> {
    if let Some(mapped) = report.mapped.get(name) {
        return mapped.as_ref().map_err(|reason| Measured::Absent(Some(reason.clone())));
    }
    if let Some(metric) = report.metrics.get(name) {
        return Ok(metric);
    }
    match report.ambiguous.get(name) {
        Some(names) => {
            Err(Measured::Bad(format!("{} names several values: {}", name.quoted(), quoted_list(names))))
        }
        None => Err(Measured::Absent(None)),
    }
}

fn one_metric(criterion: &Criterion, name: &str, report: &Report) -> Measured {
    let metric = match lookup(report, name) {
        Ok(metric) => metric,
        Err(measured) => return measured,
    };
    let mut value = metric.value.clone();
    let mut words = format!("{} is {}", name.quoted(), shown(&value));
    if let Value::NonFinite(_) = value {
        return Measured::Bad(words);
    }
    if !criterion.unrated_allowed {
        // What a report says of them under another name counts where it says nothing under this one.
        let named = if name == CRITICAL { unrated(report) } else { Ok(0.0) };
        match named.map(|named| named.max(real(metric.unrated))) {
            Ok(0.0) => {}
            Ok(count) => {
                words = format!("{words}, and {} that the tool did not rate", number(count));
                if let Value::Number(critical) = &mut value {
                    *critical += count;
                }
            }
            Err(reason) => return Measured::Bad(reason),
        }
    }
    if let Some(samples) = metric.samples {
        words = format!("{words}, {samples} samples");
    }
    if let Some(Interval { low, high, .. }) = metric.interval {
        words = format!("{words}, {} to {} by its tool", number(low), number(high));
    }
    Measured::Good(Measurement {
        value,
        samples: metric.samples,
        errors: metric.errors,
        higher_is_better: metric.higher_is_better,
        limited: metric.limited,
        words: format!("{words}, at {}", metric.at.quoted()),
        stderr: metric.stderr,
        rate: metric.rate,
    })
}

/// The metric of the report that a criterion may mean, where it has none of the name, in words.
pub(super) fn slip(criterion: &Criterion, report: &Report) -> String {
    let Subject::Metric(name) = &criterion.subject else { return String::new() };
    match report.lookup(name) {
        Err(Lookup::Missing { nearest: Some(nearest) }) => format!("; did you mean {}?", nearest.quoted()),
        Ok(_)
        | Err(Lookup::Ambiguous(_) | Lookup::Missing { .. } | Lookup::Unmapped(_) | Lookup::Unfinished(_)) => {
            String::new()
        }
    }
}

/// How many open findings count as if critical, for want of a rating.
fn unrated(report: &Report) -> Result<f64, String> {
    for name in UNRATED {
        match lookup(report, name) {
            Ok(Metric { value: Value::Number(count), .. }) if *count >= 0.0 => return Ok(*count),
            Ok(_) | Err(Measured::Bad(_) | Measured::Absent(Some(_)) | Measured::Good(_)) => {
                return Err(format!("{} cannot be read", name.quoted()));
            }
            Err(Measured::Absent(None)) => {}
        }
    }
    Ok(0.0)
}

fn over_group(
    what: &str,
    group: &Group,
    report: &Report,
    combine: impl Fn(f64, f64) -> Option<f64>,
) -> Measured {
    let wanted = |name: &str| group.metrics.iter().any(|glob| glob.matches(name));
    if let Some((name, reason)) = report
        .mapped
        .iter()
        .find_map(|(name, metric)| Some((name, metric.as_ref().err()?)).filter(|_| wanted(name)))
    {
        return Measured::Bad(format!("{} cannot be read: {reason}", name.quoted()));
    }
    // A spread over all groups but one says nothing (design, section 2.1).
    match report.left_out(&group.metrics) {
        None => {}
        Some((name, Lookup::Ambiguous(others))) => {
            return Measured::Bad(format!(
                "{} names several values: {}",
                name.quoted(),
                quoted_list(&others)
            ));
        }
        Some((name, why @ (Lookup::Missing { .. } | Lookup::Unmapped(_) | Lookup::Unfinished(_)))) => {
            return Measured::Bad(format!("{} is left out: {why}", name.quoted()));
        }
    }
    let mut members: BTreeMap<&str, &Metric> =
        report.metrics.iter().map(|(name, metric)| (name.as_str(), metric)).collect();
    members.extend(
        report.mapped.iter().filter_map(|(name, metric)| Some((name.as_str(), metric.as_ref().ok()?))),
    );
    members.retain(|name, _| wanted(name));
    if members.is_empty() {
        return Measured::Absent(None);
    }
    let mut values = Vec::new();
    for (name, metric) in &members {
        let Value::Number(value) = metric.value else {
            return Measured::Bad(format!("{} is {}", name.quoted(), shown(&metric.value)));
        };
        if let Some(least) = group.min_group
            && metric.samples.is_none_or(|samples| samples < least)
        {
            let found = metric.samples.map_or("no count of".to_owned(), |samples| samples.to_string());
            return Measured::Bad(format!(
                "{} has {found} samples, at least {least} are asked for",
                name.quoted()
            ));
        }
        values.push((value, *name));
    }
    let least = values.iter().min_by(|one, other| one.0.total_cmp(&other.0));
    let most = values.iter().max_by(|one, other| one.0.total_cmp(&other.0));
    let (Some((low, lowest)), Some((high, highest)), 2..) = (least, most, values.len()) else {
        return Measured::Bad(format!(
            "a {what} takes at least two groups, there is {}",
            quoted_list(members.keys())
        ));
    };
    let words = format!(
        "{} groups, from {} ({}) to {} ({})",
        values.len(),
        number(*low),
        lowest.quoted(),
        number(*high),
        highest.quoted()
    );
    let Some(value) = combine(*low, *high) else {
        return Measured::Bad(format!("{words} have no {what}"));
    };
    let least_of = |of: fn(&Metric) -> Option<u64>| members.values().map(|metric| of(metric)).min().flatten();
    let errors =
        members.values().map(|metric| metric.errors).try_fold(0u64, |sum, errors| Some(sum.max(errors?)));
    Measured::Good(Measurement {
        value: Value::Number(value),
        samples: least_of(|metric| metric.samples),
        errors,
        higher_is_better: None,
        limited: members.values().any(|metric| metric.limited),
        words: format!("{what} is {} over {words}", number(value)),
        stderr: None,
        rate: false,
    })
}

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Number(value) => number(*value),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) | Value::NonFinite(text) => text.quoted(),
    }
}
