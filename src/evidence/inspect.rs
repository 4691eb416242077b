//! Format `inspect`: logs of Inspect (UK AI Security Institute), as `.json` and as zipped `.eval`.
//!
//! Metrics are `<score>/<metric>`, with `@<reducer>` where the log says how the epochs of a sample became one score: a best of
//! five is another number than a mean. The log's status goes before its values: a run that was cancelled carries results
//! that look complete. Inspect leaves samples that failed out of its means; they are the errors of each metric. Scores
//! may be graded, so nothing here is a rate.

pub(crate) mod archive;

use super::content::Content;
use super::json::{Json, JsonFile, Members};
use super::names::{Names, Native};
use super::{Metric, Reading, RunStatus, Value, number, pointer, quote};

/// What is read of a log.
pub(crate) const KEEPS: &[&str] = &[
    "/eval/config/epochs",
    "/eval/config/limit",
    "/eval/dataset/samples",
    "/eval/model",
    "/eval/task",
    "/invalidated",
    "/plan",
    "/results/completed_samples",
    "/results/scores/*/metrics/*/group",
    "/results/scores/*/metrics/*/value",
    "/results/scores/*/name",
    "/results/scores/*/reducer",
    "/results/scores/*/scored_samples",
    "/results/scores/*/unscored_samples",
    "/results/total_samples",
    "/status",
    "/version",
];

/// The oldest version of the log whose results stand where they do now.
const OLDEST: u64 = 2;
/// The metric that is the standard error of its siblings.
const STDERR: &str = "stderr";
/// Those siblings.
const MEANS: [&str; 2] = ["accuracy", "mean"];

/// Whether it has the parts of a log.
pub(crate) fn is_log(log: &Json) -> bool {
    let has = |key: &str| log.get(key).is_some();
    let eval = |key: &str| log.get("eval").is_some_and(|eval| eval.get(key).is_some());
    has("version") && has("status") && has("plan") && eval("task") && eval("model")
}

/// Whether the file is a log, or packs one.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().is_some_and(is_log)
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(content: &Content<'_>) -> String {
    match &content.json {
        Err(error) => error.to_string(),
        Ok(JsonFile::Lines(_)) => {
            "it is JSON Lines; a log is one JSON document, or a `.eval` archive".to_owned()
        }
        Ok(JsonFile::Document(_)) => {
            "a log has `version`, `status`, `plan`, and `eval` with `task` and `model`".to_owned()
        }
    }
}

/// The metrics of every scorer.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    let log = content.document().ok_or("it is no JSON document")?;
    match log.get("version").and_then(Json::as_count) {
        Some(version) if version >= OLDEST => {}
        Some(version) => return Err(format!("`/version` is {version}; {OLDEST} and later are known here")),
        None => return Err(format!("`/version` is no number; {OLDEST} and later are known here")),
    }
    let status = status(log)?;
    let mut names = Names::default();
    let results = log.get("results").filter(|results| results.as_object().is_some());
    match (results, &status) {
        (Some(results), _) => {
            let inside = if content.packed.is_some() { "header.json" } else { "" };
            Run::of(log, results, inside)?.add_to(&mut names)?;
        }
        (None, RunStatus::Finished) => {
            return Err("`/results` is missing from a run that is a success".to_owned());
        }
        (None, RunStatus::Unfinished(_)) => {}
    }
    Ok(Native { status, ..Native::finished(names) })
}

/// Only `success` is one, and only while nobody has invalidated the log.
fn status(log: &Json) -> Result<RunStatus, String> {
    let status = log.get("status").and_then(Json::as_text).ok_or("`/status` is no text")?;
    Ok(match (status, log.get("invalidated")) {
        ("success", None | Some(Json::Null | Json::Bool(false))) => RunStatus::Finished,
        ("success", Some(_)) => RunStatus::Unfinished("invalidated".to_owned()),
        (other, _) => RunStatus::Unfinished(other.to_owned()),
    })
}

struct Run<'a> {
    scores: &'a [Json],
    total: u64,
    completed: u64,
    epochs: u64,
    limited: bool,
    /// What stands before the pointers into the log: the member of the archive that it is.
    inside: &'static str,
}

impl<'a> Run<'a> {
    fn of(log: &'a Json, results: &'a Json, inside: &'static str) -> Result<Self, String> {
        let count = |key: &str| {
            results.get(key).and_then(Json::as_count).ok_or_else(|| format!("`/results/{key}` is no count"))
        };
        let (total, completed) = (count("total_samples")?, count("completed_samples")?);
        if completed > total {
            return Err(format!("`/results` has {completed} completed samples of {total}"));
        }
        let eval = |part: &str, key: &str| log.get("eval")?.get(part)?.get(key);
        let epochs = match eval("config", "epochs") {
            None | Some(Json::Null) => 1,
            Some(epochs) => epochs
                .as_count()
                .filter(|epochs| *epochs > 0)
                .ok_or("`/eval/config/epochs` is no count of epochs")?,
        };
        let limited = match eval("dataset", "samples").and_then(Json::as_count) {
            Some(samples) => samples.checked_mul(epochs).is_none_or(|all| total < all),
            None => eval("config", "limit").is_some_and(|limit| *limit != Json::Null),
        };
        let scores = results.get("scores").and_then(Json::as_array).ok_or("`/results/scores` is no array")?;
        if scores.is_empty() {
            return Err("`/results/scores` is empty: a run that scored nothing supports nothing".to_owned());
        }
        Ok(Self { scores, total, completed, epochs, limited, inside })
    }

    fn add_to(&self, names: &mut Names) -> Result<(), String> {
        for (name, count) in [("samples.n", self.total), ("samples.completed", self.completed)] {
            let at = if name == "samples.n" { "total_samples" } else { "completed_samples" };
            let value = Value::Number(number::from_count(count));
            let metric = Metric { limited: self.limited, ..self.plain(value, &format!("/results/{at}")) };
            names.add(name.to_owned(), metric);
        }
        let mut reduced: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
        for (index, score) in self.scores.iter().enumerate() {
            let (name, metrics) = score
                .get("name")
                .and_then(Json::as_text)
                .zip(score.get("metrics").and_then(Json::as_object))
                .ok_or_else(|| format!("`/results/scores/{index}` has no `name` or no `metrics`"))?;
            let reducer = score.get("reducer").and_then(Json::as_text);
            for (key, metric) in metrics.iter() {
                let bare = format!("{name}/{key}");
                let full = reducer.map_or_else(|| bare.clone(), |reducer| format!("{bare}@{reducer}"));
                if let Some(metric) = self.metric(index, score, metrics, key, metric)? {
                    if reducer.is_some() {
                        reduced.entry(bare).or_default().push(full.clone());
                    }
                    names.add(full, metric);
                }
            }
        }
        for (bare, others) in reduced {
            names.could_mean(bare, others);
        }
        Ok(())
    }

    /// One metric of a score; nothing where its value is none.
    fn metric(
        &self,
        index: usize,
        score: &Json,
        siblings: &Members,
        key: &str,
        metric: &Json,
    ) -> Result<Option<Metric>, String> {
        let value = match metric.get("value") {
            Some(Json::Number(number)) => Value::Number(*number),
            Some(Json::Unheld(text)) => Value::NonFinite(text.clone()),
            Some(Json::Null | Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_)) | None => {
                return Ok(None);
            }
        };
        let (samples, errors) = self.samples(index, score)?;
        let at = format!("/results/scores/{index}/metrics/{}/value", pointer::token(key));
        // A group's value stands beside the standard error of the whole.
        let is_mean = MEANS.contains(&key) && metric.get("group").is_none();
        let stderr = siblings.get(STDERR).filter(|_| is_mean);
        let stderr = stderr.and_then(|stderr| stderr.get("value")).and_then(Json::as_number);
        if stderr.is_some_and(|stderr| stderr < 0.0) {
            return Err(format!("`{STDERR}` of score {} is negative", quote(&index.to_string())));
        }
        Ok(Some(Metric {
            samples: Some(samples),
            stderr,
            errors: Some(errors),
            limited: self.limited,
            ..self.plain(value, &at)
        }))
    }

    /// How many samples stand behind a score, each counted once however many epochs it had; and how many gave none.
    fn samples(&self, index: usize, score: &Json) -> Result<(u64, u64), String> {
        let count = |key: &str| match score.get(key) {
            None | Some(Json::Null) => Ok(None),
            Some(found) => found
                .as_count()
                .map(Some)
                .ok_or_else(|| format!("`/results/scores/{index}/{key}` is no count")),
        };
        let scored = count("scored_samples")?;
        if scored.is_some_and(|scored| scored > self.completed) {
            return Err(format!("`/results/scores/{index}` has more scored samples than were completed"));
        }
        let failed = self.total - self.completed;
        let unscored = count("unscored_samples")?.unwrap_or(0);
        Ok((scored.unwrap_or(self.completed / self.epochs), failed.saturating_add(unscored)))
    }

    fn plain(&self, value: Value, at: &str) -> Metric {
        Metric::plain(value, format!("{}{at}", self.inside))
    }
}

#[cfg(test)]
mod tests;
