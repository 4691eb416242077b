//! Format `metrics`: what this program extracted from a report that lies elsewhere, and where that is.
//!
//! `{"schema":"git-gate/metrics/1","source":{"uri","sha256","bytes","format"},"status","metrics":[…]}`. Anybody can write such a
//! file by hand: so it is read only where the policy says that the report may lie elsewhere, it is never detected, and whoever has
//! the report can hold it against its digest ([`External::verify`]). What could not be read of the report, or stood for
//! several values, is carried along as that: it does not vanish on the way.

use std::io::Read;

use serde_json::{Map, Value as Written, json};
use sha2::{Digest as _, Sha256};

use super::content::Content;
use super::json::Json;
use super::names::{Names, Native};
use super::{Format, Interval, Metric, Reading, Report, RunStatus, Unreadable, Value, number, quote};
use crate::model::ContentDigest;

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/metrics/*/ambiguous/*",
    "/metrics/*/errors",
    "/metrics/*/higher_is_better",
    "/metrics/*/interval/*",
    "/metrics/*/limited",
    "/metrics/*/name",
    "/metrics/*/rate",
    "/metrics/*/samples",
    "/metrics/*/stderr",
    "/metrics/*/unrated",
    "/metrics/*/value/not_finite",
    "/metrics/*/where",
    "/schema",
    "/source/*",
    "/status",
];

const SCHEMA: &str = "git-gate/metrics/1";

/// A report that lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// Where, for people: nothing is ever fetched.
    pub uri: String,
    /// The SHA-256 of its bytes.
    pub sha256: ContentDigest,
    /// How many there are.
    pub bytes: u64,
    /// The format that it was read in.
    pub format: Format,
}

/// Why a file is not the report that was read.
#[derive(Debug, thiserror::Error)]
pub enum NotTheReport {
    /// It holds other bytes.
    #[error("it has {found_bytes} bytes and the digest `{found}`; the report has {bytes} and `{wanted}`")]
    Other {
        /// Its size.
        found_bytes: u64,
        /// Its digest.
        found: ContentDigest,
        /// The report's size.
        bytes: u64,
        /// The report's digest.
        wanted: ContentDigest,
    },
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

impl External {
    /// What to record of a report: its size and digest, of its bytes as they come.
    pub fn of(uri: String, format: Format, report: impl Read) -> std::io::Result<Self> {
        let (bytes, sha256) = digest(report)?;
        Ok(Self { uri, sha256, bytes, format })
    }

    /// Whether a file is that report.
    pub fn verify(&self, file: impl Read) -> Result<(), NotTheReport> {
        let (found_bytes, found) = digest(file)?;
        if (found_bytes, found) == (self.bytes, self.sha256) {
            return Ok(());
        }
        Err(NotTheReport::Other { found_bytes, found, bytes: self.bytes, wanted: self.sha256 })
    }

    /// The file in format `metrics` that stands for `report`, which was read from it.
    pub fn write(&self, report: &Report) -> String {
        let mut metrics: std::collections::BTreeMap<&str, Written> =
            report.metrics.iter().map(|(name, metric)| (name.as_str(), written(name, metric))).collect();
        for (name, others) in &report.ambiguous {
            metrics.entry(name).or_insert_with(|| json!({ "name": name, "ambiguous": others }));
        }
        for (name, read) in &report.mapped {
            let entry = match read {
                Ok(metric) => written(name, metric),
                Err(why) => json!({ "name": name, "value": { "not_finite": why } }),
            };
            metrics.insert(name, entry);
        }
        let status = match &report.status {
            RunStatus::Finished => None,
            RunStatus::Unfinished(how) => Some(how),
        };
        let whole = json!({
            "schema": SCHEMA,
            "source": {
                "uri": self.uri,
                "sha256": self.sha256.to_string(),
                "bytes": self.bytes,
                "format": self.format.as_str(),
            },
            "status": status,
            "metrics": metrics.into_values().collect::<Vec<_>>(),
        });
        format!("{whole:#}\n")
    }
}

fn digest(mut file: impl Read) -> std::io::Result<(u64, ContentDigest)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, ContentDigest(hasher.finalize().into()))),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(buffer.get(..read).unwrap_or_default());
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
    }
}

fn written(name: &str, metric: &Metric) -> Written {
    let value = match &metric.value {
        Value::Number(number) => json!(number),
        Value::Bool(bool) => json!(bool),
        Value::Text(text) => json!(text),
        Value::NonFinite(text) => json!({ "not_finite": text }),
    };
    let interval = metric.interval.map(
        |Interval { low, high, confidence }| json!({ "low": low, "high": high, "confidence": confidence }),
    );
    let mut entry = Map::new();
    for (key, value) in [
        ("name", json!(name)),
        ("value", value),
        ("samples", json!(metric.samples)),
        ("stderr", json!(metric.stderr)),
        ("interval", json!(interval)),
        ("errors", json!(metric.errors)),
        ("rate", json!(metric.rate.then_some(true))),
        ("higher_is_better", json!(metric.higher_is_better)),
        ("limited", json!(metric.limited.then_some(true))),
        ("unrated", json!(Some(metric.unrated).filter(|unrated| *unrated > 0))),
        ("where", json!(metric.at)),
    ] {
        if !value.is_null() {
            entry.insert(key.to_owned(), value);
        }
    }
    Written::Object(entry)
}

/// The metrics, where the policy lets a report lie elsewhere.
pub(crate) fn read(content: &Content<'_>, reading: &Reading<'_>) -> Result<Native, Unreadable> {
    if !reading.external_allowed {
        return Err(Unreadable::FormatRefused(
            "it stands for a report that lies elsewhere; the policy does not say `external = \"allow\"` for this kind"
                .to_owned(),
        ));
    }
    native(content).map_err(Unreadable::Invalid)
}

fn native(content: &Content<'_>) -> Result<Native, String> {
    let document = content.document().ok_or("it is no JSON document")?;
    if document.get("schema").and_then(Json::as_text) != Some(SCHEMA) {
        return Err(format!("its `schema` is not {}", quote(SCHEMA)));
    }
    let external = source(document.get("source").ok_or("it has no `source`")?)?;
    let status = match document.get("status") {
        None | Some(Json::Null) => RunStatus::Finished,
        Some(Json::Text(how)) => RunStatus::Unfinished(how.to_string()),
        Some(other) => return Err(format!("`/status` is {}, not a text", other.kind())),
    };
    let mut names = Names::default();
    let entries = document.get("metrics").and_then(Json::as_array).ok_or("`/metrics` is no array")?;
    for (index, entry) in entries.iter().enumerate() {
        add(entry, &mut names).map_err(|why| format!("`/metrics/{index}`: {why}"))?;
    }
    Ok(Native { status, external: Some(external), ..Native::finished(names) })
}

fn source(source: &Json) -> Result<External, String> {
    let text = |key: &str| {
        source.get(key).and_then(Json::as_text).ok_or_else(|| format!("`/source/{key}` is no text"))
    };
    let sha256 = text("sha256")?.parse().map_err(|wrong| format!("`/source/sha256`: {wrong}"))?;
    let bytes = source.get("bytes").and_then(Json::as_count).ok_or("`/source/bytes` is no count")?;
    let format = text("format")?;
    let format = Format::from_name(format)
        .filter(|format| *format != Format::Metrics)
        .ok_or_else(|| format!("`/source/format` is {}, no format of a report", quote(format)))?;
    Ok(External { uri: text("uri")?.to_owned(), sha256, bytes, format })
}

fn add(entry: &Json, names: &mut Names) -> Result<(), String> {
    let name = entry.get("name").and_then(Json::as_text).ok_or("`name` is no text")?;
    if names.metrics.contains_key(name) || names.ambiguous.contains_key(name) {
        return Err(format!("the metric {} is there twice", quote(name)));
    }
    if let Some(others) = entry.get("ambiguous") {
        let others = others.as_array().ok_or("`ambiguous` is no array")?;
        let others = others.iter().filter_map(Json::as_text).map(str::to_owned).collect();
        names.ambiguous.insert(name.to_owned(), others);
        return Ok(());
    }
    let at = entry.get("where").and_then(Json::as_text).unwrap_or("the report that lies elsewhere");
    let metric = Metric {
        samples: count(entry, "samples")?,
        stderr: real(entry, "stderr")?.map_or(Ok(None), |stderr| {
            if stderr >= 0.0 { Ok(Some(stderr)) } else { Err("`stderr` is negative".to_owned()) }
        })?,
        interval: interval(entry)?,
        errors: count(entry, "errors")?,
        rate: flag(entry, "rate")?.unwrap_or(false),
        higher_is_better: flag(entry, "higher_is_better")?,
        limited: flag(entry, "limited")?.unwrap_or(false),
        unrated: count(entry, "unrated")?.unwrap_or(0),
        ..Metric::plain(value(entry)?, at)
    };
    names.add(name.to_owned(), metric);
    Ok(())
}

fn value(entry: &Json) -> Result<Value, String> {
    match entry.get("value") {
        Some(Json::Number(number)) => Ok(Value::Number(*number)),
        Some(Json::Bool(bool)) => Ok(Value::Bool(*bool)),
        Some(Json::Text(text)) => Ok(Value::Text(text.to_string())),
        Some(Json::Unheld(text)) => Ok(Value::NonFinite(text.clone())),
        Some(object @ Json::Object(_)) => {
            let text = object.get("not_finite").and_then(Json::as_text).ok_or("`value` is no value")?;
            Ok(Value::NonFinite(text.to_owned()))
        }
        Some(Json::Null | Json::Array(_)) | None => Err("`value` is no value".to_owned()),
    }
}

fn interval(entry: &Json) -> Result<Option<Interval>, String> {
    let Some(interval) = entry.get("interval").filter(|interval| **interval != Json::Null) else {
        return Ok(None);
    };
    match (real(interval, "low")?, real(interval, "high")?) {
        (Some(low), Some(high)) if low <= high => {
            Ok(Some(Interval { low, high, confidence: real(interval, "confidence")? }))
        }
        _ => Err("`interval` has no `low` and `high` in that order".to_owned()),
    }
}

fn count(entry: &Json, key: &str) -> Result<Option<u64>, String> {
    let number = real(entry, key)?;
    number.map(|number| number::count(number).ok_or_else(|| format!("`{key}` is no count"))).transpose()
}

fn real(entry: &Json, key: &str) -> Result<Option<f64>, String> {
    match entry.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(found) => found.as_number().map(Some).ok_or_else(|| format!("`{key}` is no number")),
    }
}

fn flag(entry: &Json, key: &str) -> Result<Option<bool>, String> {
    match entry.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(format!("`{key}` is no boolean")),
    }
}

#[cfg(test)]
mod tests;
