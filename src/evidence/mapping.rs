//! One mapping on one file → a metric, or why it reads none.
//!
//! A value is a metric's own name or, in a file that is JSON, a pointer (it begins with `/`). A companion that the
//! mapping names and the file lacks is an error: who wrote the mapping relied on it.

use super::content::Content;
use super::csv;
use super::json::{Json, Step};
use super::names::Names;
use super::rows::{Reduction, Rows, reduce};
use super::{Format, Mapping, Metric, Shape, Source, Value, number, pointer, quote, quote_all};

/// The metric that `mapping` reads from a file in `format`, whose own metrics are `names`.
pub(crate) fn evaluate(
    content: &Content<'_>,
    format: Format,
    names: &Names,
    mapping: &Mapping,
) -> Result<Metric, String> {
    if mapping.format.is_some_and(|own| own != format) {
        return Err(format!("the mapping is for another format than `{}`", format.as_str()));
    }
    let metric = match &mapping.source {
        Source::Value { value, samples, stderr, errors } => {
            let look = |name: &str| look_up(content, format, names, name);
            let mut metric = look(value)?;
            if let Some(name) = samples {
                metric.samples = Some(count(&look(name)?, "samples", name)?);
            }
            if let Some(name) = errors {
                metric.errors = Some(count(&look(name)?, "errors", name)?);
            }
            if let Some(name) = stderr {
                metric.stderr = Some(standard_error(&look(name)?, name)?);
            }
            metric
        }
        Source::Rows { select, filter, column, reduce: how, equals, delimiter } => {
            let rows = select_rows(content, format, select.as_deref(), *delimiter)?;
            let reduction =
                Reduction { filter, column: column.as_deref(), reduce: *how, equals: equals.as_ref() };
            reduce(&rows, reduction)?
        }
    };
    if mapping.rate { as_rate(metric) } else { Ok(metric) }
}

/// What of a JSON file the mapping looks at.
pub(crate) fn keeps(mapping: &Mapping) -> Vec<Vec<Step>> {
    let path = |pointer: &str| -> Option<Vec<Step>> {
        Some(pointer::keys(pointer)?.into_iter().map(Step::Key).collect())
    };
    match &mapping.source {
        Source::Value { value, samples, stderr, errors } => {
            let names = [Some(value), samples.as_ref(), stderr.as_ref(), errors.as_ref()];
            names.into_iter().flatten().filter_map(|name| path(name)).collect()
        }
        Source::Rows { select, filter, column, .. } => {
            let row = match select {
                None => Vec::new(),
                Some(select) => {
                    let Some(mut row) = path(select) else { return Vec::new() };
                    row.push(Step::Any);
                    row
                }
            };
            let mut kept = vec![row.clone()];
            for column in filter.keys().chain(column) {
                let below = if column.starts_with('/') { path(column) } else { None };
                let below = below.unwrap_or_else(|| vec![Step::Key(column.clone())]);
                kept.push(row.iter().cloned().chain(below).collect());
            }
            kept
        }
    }
}

/// A metric that the mapping says is a share of passes.
fn as_rate(metric: Metric) -> Result<Metric, String> {
    match &metric.value {
        Value::Number(number) if (0.0..=1.0).contains(number) => Ok(Metric { rate: true, ..metric }),
        Value::NonFinite(_) => Ok(metric),
        Value::Number(number) => {
            Err(format!("`rate` is set, and the value is `{number}`; a rate lies in 0 to 1"))
        }
        Value::Bool(_) | Value::Text(_) => Err("`rate` is set, and the value is no number".to_owned()),
    }
}

fn look_up(content: &Content<'_>, format: Format, names: &Names, name: &str) -> Result<Metric, String> {
    let pointed = match format.shape() {
        Shape::Json => true,
        Shape::NamedJson => name.starts_with('/'),
        Shape::Delimited | Shape::Opaque => false,
    };
    if pointed {
        let document = content
            .document()
            .ok_or_else(|| "the file is JSON Lines: map its rows, with `column` and `reduce`".to_owned())?;
        return value_at(document, name);
    }
    if let Some(metric) = names.metrics.get(name) {
        return Ok(metric.clone());
    }
    if let Some(others) = names.ambiguous.get(name) {
        let others = quote_all(others.iter().map(String::as_str));
        return Err(format!("{} could be any of {others}", quote(name)));
    }
    match format.shape() {
        Shape::Delimited => {
            Err(format!("a `{}` file has no values of its own: map its rows, with `reduce`", format.as_str()))
        }
        Shape::Json | Shape::NamedJson | Shape::Opaque => {
            Err(format!("a `{}` report has no metric {} here", format.as_str(), quote(name)))
        }
    }
}

fn value_at(document: &Json, path: &str) -> Result<Metric, String> {
    let value = match pointer::resolve(document, path)? {
        Json::Number(number) => Value::Number(*number),
        Json::Unheld(text) => Value::NonFinite(text.clone()),
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Text(text) => Value::Text(text.to_string()),
        other @ (Json::Null | Json::Array(_) | Json::Object(_)) => {
            return Err(format!("{} at {} is no value", other.kind(), quote(path)));
        }
    };
    Ok(Metric::plain(value, path))
}

fn count(metric: &Metric, what: &str, name: &str) -> Result<u64, String> {
    let found = if let Value::Number(found) = metric.value { number::count(found) } else { None };
    found.ok_or_else(|| format!("`{what}`: what stands at {} is no count", quote(name)))
}

fn standard_error(metric: &Metric, name: &str) -> Result<f64, String> {
    match metric.value {
        Value::Number(found) if found >= 0.0 => Ok(found),
        Value::Number(_) | Value::Bool(_) | Value::Text(_) | Value::NonFinite(_) => {
            Err(format!("`stderr`: what stands at {} is no standard error", quote(name)))
        }
    }
}

fn select_rows<'a>(
    content: &'a Content<'_>,
    format: Format,
    select: Option<&str>,
    delimiter: u8,
) -> Result<Rows<'a>, String> {
    match (format.shape(), select) {
        (Shape::Delimited, None) => csv::parse(content.text, delimiter).map(Rows::Csv),
        (Shape::Delimited, Some(_)) => {
            Err(format!("`select` is for JSON; the rows of a `{}` file need none", format.as_str()))
        }
        (Shape::Json, None) => content.lines().map(Rows::Json).ok_or_else(|| {
            "the file is one JSON document: `select` its array (`select = \"\"` for one at the top)"
                .to_owned()
        }),
        (Shape::Json | Shape::NamedJson, Some(select)) => {
            let document = content
                .document()
                .ok_or_else(|| "`select` is for one JSON document; JSON Lines need none".to_owned())?;
            let found = pointer::resolve(document, select)?;
            found
                .as_array()
                .map(Rows::Json)
                .ok_or_else(|| format!("{} at {} is no array", found.kind(), quote(select)))
        }
        (Shape::NamedJson, None) => {
            Err(format!("a `{}` report has rows only where `select` says so", format.as_str()))
        }
        (Shape::Opaque, _) => Err(format!("format `{}` has no rows", format.as_str())),
    }
}

#[cfg(test)]
mod tests;
