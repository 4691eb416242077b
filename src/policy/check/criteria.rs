//! Criteria: bounds on metrics, and which of their operators go together.
//!
//! A criterion that could be read in two ways, or that bounds nothing, is refused: a line on the checklist that looks
//! like a bound and is none would be a wrong "allowed".

use super::globs;
use crate::evidence::Scalar;
use crate::evidence::written::{metric_name, scalar};
use crate::policy::{Compare, Criterion, Group, Subject};
use crate::problem::document::Value;
use crate::problem::section::{Reader, Section};

const CODE: &str = "policy-criterion";

pub(super) fn criterion<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Criterion> {
    let section = reader.section(value)?;
    let name = section.required("name", Reader::word);
    let evidence = section.required("evidence", Reader::word);
    let subject = subject(&section);
    let max = section.optional("max", Reader::number);
    let min = section.optional("min", Reader::number);
    let equals = section.optional("equals", scalar);
    let min_samples = section.optional("min_samples", Reader::count);
    let max_errors = section.optional("max_errors", Reader::count);
    let confidence = section.optional("confidence", confidence);
    let compare = compare(&section);
    let unrated = section.optional("unrated", |reader, value| reader.choice(value, &[("allow", true)]));
    let origin = section.optional("origin", Reader::prose);
    bounds_go_together(&section, max, min, equals.as_ref());
    subject_fits(&section);
    section.finish();
    Some(Criterion {
        name: name?,
        evidence: evidence?,
        subject: subject?,
        max,
        min,
        equals,
        min_samples,
        max_errors,
        confidence,
        compare,
        unrated_allowed: unrated.unwrap_or(false),
        origin,
    })
}

/// Exactly one of `metric`, `spread` and `ratio`.
fn subject(section: &Section<'_>) -> Option<Subject> {
    let metric = section.optional("metric", metric_name).map(Subject::Metric);
    let spread = section.optional("spread", group).map(Subject::Spread);
    let ratio = section.optional("ratio", group).map(Subject::Ratio);
    let given = ["metric", "spread", "ratio"].iter().filter(|key| section.has(key)).count();
    if given != 1 {
        let message = "a criterion bounds exactly one of `metric`, `spread` and `ratio`";
        section.reader().problem(CODE, section.span(), message, "write one of them");
        return None;
    }
    metric.or(spread).or(ratio)
}

fn group<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Group> {
    let section = reader.section(value)?;
    let metrics = section.required("metrics", globs);
    let min_group = section.optional("min_group", Reader::count);
    if metrics.as_ref().is_some_and(Vec::is_empty) {
        let help = "name metrics, `*` for any run";
        reader.problem(CODE, section.span_of("metrics"), "a set of no metrics", help);
    }
    section.finish();
    Some(Group { metrics: metrics?, min_group })
}

fn confidence<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<f64> {
    let number = reader.number(value)?;
    if number > 0.5 && number < 1.0 {
        return Some(number);
    }
    reader.bad(&value.span, format!("`{number}` is no confidence"), "between 0.5 and 1, such as `0.95`")
}

fn compare(section: &Section<'_>) -> Option<Compare> {
    let compare = section.optional("compare", |reader, value| reader.choice(value, &[("deployed", ())]));
    let max_drop = section.optional("max_drop", distance);
    let max_rise = section.optional("max_rise", distance);
    let first = section.optional("first", |reader, value| reader.choice(value, &[("pass", true)]));
    let how_far = section.has("max_drop") || section.has("max_rise");
    if section.has("compare") && !how_far {
        let help = "add `max_drop`, `max_rise` or both";
        section.reader().problem(CODE, section.span_of("compare"), "a comparison without a bound", help);
    }
    for key in ["max_drop", "max_rise", "first"] {
        if section.has(key) && !section.has("compare") {
            let message = format!("`{key}` belongs to a comparison");
            section.reader().problem(CODE, section.span_of(key), message, "add `compare = \"deployed\"`");
        }
    }
    compare.map(|()| Compare { max_drop, max_rise, first_passes: first.unwrap_or(false) })
}

fn distance<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<f64> {
    let number = reader.number(value)?;
    if number >= 0.0 {
        return Some(number);
    }
    reader.bad(&value.span, format!("`{number}` is negative"), "how far it may go, zero or more")
}

fn bounds_go_together(section: &Section<'_>, max: Option<f64>, min: Option<f64>, equals: Option<&Scalar>) {
    let refuse = |key: &str, message: &str, help: &str| {
        section.reader().problem(CODE, section.span_of(key), message, help);
    };
    let limits = section.has("max") || section.has("min");
    if !limits && !section.has("equals") && !section.has("compare") {
        refuse("name", "a criterion that bounds nothing", "add `max`, `min`, `equals` or `compare`");
    }
    if equals.is_some() && (limits || section.has("compare")) {
        refuse("equals", "`equals` stands alone", "leave it out, or `max`, `min` and `compare`");
    }
    if let (Some(max), Some(min)) = (max, min)
        && min > max
    {
        refuse("min", "no number passes", "`min` is at most `max`");
    }
    if section.has("confidence") && !limits {
        refuse("confidence", "a confidence is that of a `max` or `min`", "add one of them, or leave it out");
    }
}

/// Which operators a set of metrics, and which only one metric, may have.
fn subject_fits(section: &Section<'_>) {
    let refuse = |key: &str, message: String, help: &str| {
        section.reader().problem(CODE, section.span_of(key), message, help);
    };
    if section.has("spread") || section.has("ratio") {
        for key in ["equals", "min_samples", "confidence", "compare", "unrated"] {
            if section.has(key) {
                let help = "a set of metrics takes `max`, `min`, `max_errors`, and `min_group` for samples";
                refuse(key, format!("`{key}` is about one metric"), help);
            }
        }
    }
    let metric = section.optional("metric", |_, value| value.kind.as_text());
    if section.has("unrated") && !metric.is_some_and(|metric| metric.starts_with("findings.")) {
        refuse("unrated", "`unrated` is about findings".to_owned(), "only on a metric `findings.…`");
    }
}
