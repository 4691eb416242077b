//! Format `lm-eval`: results of EleutherAI's lm-evaluation-harness, 0.4 and later.
//!
//! Metrics are `<task>/<metric>` for filter `none` and `<task>/<metric>@<filter>` for others. The harness counts no
//! passes: nothing here is a rate, and a bound with confidence rests on its standard error. Its per-sample files and
//! a `results` object saved alone are not this format: they carry no run (format `json` maps them).

use std::collections::BTreeMap;

use super::content::Content;
use super::json::{Json, JsonFile, Members};
use super::names::{Names, Native};
use super::{Metric, Reading, Value, pointer, quote};

const STDERR: &str = "_stderr";
/// The filter that stands for no filter.
const NO_FILTER: &str = "none";

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/config/limit",
    "/configs",
    "/group_subtasks/*/*",
    "/groups/*/*",
    "/higher_is_better/*/*",
    "/n-samples/*/original",
    "/n-samples/*/effective",
    "/n-shot",
    "/results/*/*",
    "/results/*/sample_count/*",
    "/versions",
];

/// Whether the file has the parts of a results file.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().and_then(Json::as_object).is_some_and(|document| {
        let has = |key: &str| document.get(key).is_some();
        document.get("results").is_some_and(|results| results.as_object().is_some())
            && has("configs")
            && has("versions")
            && (has("n-shot") || has("config"))
    })
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(content: &Content<'_>) -> String {
    match &content.json {
        Err(error) => error.to_string(),
        Ok(JsonFile::Lines(_)) => {
            "it is JSON Lines, perhaps the per-sample log; attach `results_<date>.json`, or map rows as `json`".to_owned()
        }
        Ok(JsonFile::Document(_)) => {
            "a results file has `results`, `configs`, `versions` and `n-shot` or `config`; a `results` object saved \
             alone can be mapped as `json`"
                .to_owned()
        }
    }
}

/// The metrics of every task and group.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    let run = Run { document: content.document().ok_or("it is no JSON document")? };
    let mut names = Names::default();
    for (task, values) in run.member("results").into_iter().flat_map(Members::iter) {
        let values = values.as_object().ok_or_else(|| {
            format!("`results` of task {} is {}, not an object", quote(task), values.kind())
        })?;
        run.check_group(task, values)?;
        run.add_task(task, values, &mut names)?;
    }
    if names.metrics.is_empty() && names.ambiguous.is_empty() {
        return Err("`results` names no metric: a run without results supports nothing".to_owned());
    }
    Ok(Native::finished(names))
}

struct Run<'a> {
    document: &'a Json,
}

impl<'a> Run<'a> {
    /// The object at that key of the document.
    fn member(&self, key: &str) -> Option<&'a Members> {
        self.document.get(key).and_then(Json::as_object)
    }

    /// The object of a task at that key of the document.
    fn of_task(&self, key: &str, task: &str) -> Option<&'a Json> {
        self.member(key).and_then(|tasks| tasks.get(task))
    }

    fn add_task(&self, task: &str, values: &Members, names: &mut Names) -> Result<(), String> {
        let mut filtered: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in values.iter() {
            // Only keys with a comma are metrics: beside them stand `alias`, `name`, `sample_len`, `sample_count`.
            let Some((metric, filter)) = key.split_once(',') else { continue };
            if metric.ends_with(STDERR) {
                continue;
            }
            let Some(value) = scalar(value) else { continue };
            let bare = format!("{task}/{metric}");
            let name = if filter == NO_FILTER { bare.clone() } else { format!("{bare}@{filter}") };
            if filter != NO_FILTER {
                filtered.entry(bare).or_default().push(name.clone());
            }
            let at = format!("/results/{}/{}", pointer::token(task), pointer::token(key));
            let metric = Metric {
                samples: self.samples(task, key, values),
                stderr: standard_error(task, values, &format!("{metric}{STDERR},{filter}"))?,
                higher_is_better: match self.of_task("higher_is_better", task).and_then(|of| of.get(metric)) {
                    Some(Json::Bool(higher)) => Some(*higher),
                    _ => None,
                },
                limited: self.limited(task),
                ..Metric::plain(value, at)
            };
            names.add(name, metric);
        }
        for (bare, others) in filtered {
            names.could_mean(bare, others);
        }
        Ok(())
    }

    /// How many samples stand behind a value: what the harness says for this metric, else for this task, else for the
    /// group's tasks where all of them have the metric. The length of a group is over all its tasks, also those that
    /// do not: it says nothing of one metric.
    fn samples(&self, task: &str, key: &str, values: &Members) -> Option<u64> {
        let own = values.get("sample_count").and_then(|counts| counts.get(key)).and_then(Json::as_count);
        let members = self.members(task);
        if !members.is_empty() {
            let of_member = |member: &&str| {
                self.of_task("results", member)?.get(key)?;
                self.effective(member).map(|(_, effective)| effective)
            };
            return own.or_else(|| {
                let counts: Option<Vec<u64>> = members.iter().map(of_member).collect();
                counts?.into_iter().try_fold(0, u64::checked_add)
            });
        }
        let effective = self.effective(task).map(|(_, effective)| effective);
        let length = values.get("sample_len").and_then(Json::as_count);
        [own, effective, length].into_iter().flatten().min()
    }

    /// The task's samples in the data set, and those that were run.
    fn effective(&self, task: &str) -> Option<(u64, u64)> {
        let counts = self.of_task("n-samples", task)?;
        Some((counts.get("original")?.as_count()?, counts.get("effective")?.as_count()?))
    }

    /// The tasks of a group; none of a task.
    fn members(&self, task: &str) -> Vec<&'a str> {
        let listed = self.of_task("group_subtasks", task).and_then(Json::as_array).unwrap_or_default();
        listed.iter().filter_map(Json::as_text).collect()
    }

    /// Whether a part of the data set was run: by the task's own counts or those of its members, else by `--limit`.
    fn limited(&self, task: &str) -> bool {
        let mut tasks = self.members(task);
        if tasks.is_empty() {
            tasks.push(task);
        }
        let counts: Vec<Option<(u64, u64)>> = tasks.into_iter().map(|task| self.effective(task)).collect();
        let cut = counts.iter().flatten().any(|(original, effective)| original != effective);
        let limit = self.member("config").and_then(|config| config.get("limit"));
        cut || counts.contains(&None) && limit.is_some_and(|limit| *limit != Json::Null)
    }

    /// `groups` repeats what `results` says of a group. Where it says something else, neither is believed.
    fn check_group(&self, task: &str, values: &Members) -> Result<(), String> {
        let Some(group) = self.of_task("groups", task).and_then(Json::as_object) else { return Ok(()) };
        for (key, value) in group.iter().filter(|(key, _)| key.contains(',')) {
            if values.get(key) != Some(value) {
                return Err(format!("`groups` and `results` differ on {} of {}", quote(key), quote(task)));
            }
        }
        Ok(())
    }
}

fn scalar(value: &Json) -> Option<Value> {
    match value {
        Json::Number(number) => Some(Value::Number(*number)),
        Json::Unheld(text) => Some(Value::NonFinite(text.clone())),
        Json::Bool(bool) => Some(Value::Bool(*bool)),
        Json::Text(text) => Some(Value::Text(text.to_string())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The standard error: a number, or none where the harness could not work one out (`"N/A"`, `NaN`).
fn standard_error(task: &str, values: &Members, key: &str) -> Result<Option<f64>, String> {
    match values.get(key).and_then(Json::as_number) {
        Some(error) if error < 0.0 => Err(format!("{} of task {} is negative", quote(key), quote(task))),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests;
