//! Format `promptfoo`: results of `promptfoo eval -o results.json`, versions 2 and 3, red team runs included.
//!
//! Rows are counted and held against the statistics beside them: a file in which they differ was cut or edited, and is
//! unreadable. A row that ended in an error is no failure and no pass; version 2 does not tell errors from
//! failures, so there they count as failures and their number is unknown. The configuration is never copied: it may
//! hold credentials.

mod named;
mod redteam;

use super::content::Content;
use super::json::{Json, JsonFile};
use super::names::{Names, Native};
use super::{Metric, Reading, Value, number};

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/config/redteam/plugins/*",
    "/evalId",
    "/results/prompts/*/metrics/namedScores/*",
    "/results/prompts/*/metrics/namedScoresCount/*",
    "/results/prompts/*/metrics/namedScoreWeights/*",
    "/results/results/*/failureReason",
    "/results/results/*/gradingResult/componentResults/*/assertion/metric",
    "/results/results/*/metadata/pluginId",
    "/results/results/*/metadata/severity",
    "/results/results/*/metadata/strategyId",
    "/results/results/*/namedScores/*",
    "/results/results/*/promptIdx",
    "/results/results/*/success",
    "/results/results/*/testCase/assert/*/type",
    "/results/results/*/testCase/metadata/pluginId",
    "/results/results/*/testCase/metadata/severity",
    "/results/results/*/testCase/metadata/strategyId",
    "/results/stats/*",
    "/results/table/body/*/outputs/*/gradingResult/componentResults/*/assertion/metric",
    "/results/table/body/*/outputs/*/namedScores/*",
    "/results/table/head/prompts/*/metrics/namedScores/*",
    "/results/table/head/prompts/*/metrics/namedScoresCount/*",
    "/results/table/head/prompts/*/metrics/namedScoreWeights/*",
    "/results/version",
];

/// Whether the file has the parts of promptfoo's JSON output, of whatever version.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().is_some_and(|document| {
        let results = document.get("results");
        let has = |key: &str| results.and_then(|results| results.get(key)).is_some();
        document.get("evalId").is_some() && has("results") && (has("version") || has("stats"))
    })
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(content: &Content<'_>) -> String {
    match &content.json {
        Err(error) => error.to_string(),
        Ok(JsonFile::Lines(_)) => {
            "it is JSON Lines, which hold rows and no statistics: rows that are missing would not \
                                   show; write `promptfoo eval -o results.json`, or map rows as `json`"
                .to_owned()
        }
        Ok(JsonFile::Document(_)) => {
            "promptfoo's JSON has `evalId`, and `results` with `version`, `results` and `stats`".to_owned()
        }
    }
}

/// Test counts, named metrics, and what a red team found.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    let document = content.document().ok_or("it is no JSON document")?;
    let results = document.get("results").ok_or("it has no `results`")?;
    match results.get("version").and_then(Json::as_count) {
        Some(2 | 3) => {}
        Some(other) => return Err(format!("`/results/version` is {other}; 2 and 3 are known here")),
        None => return Err("`/results/version` is missing; 2 and 3 are known here".to_owned()),
    }
    let rows = rows(results)?;
    let total = reconciled(&rows, results)?;
    let mut names = Names::default();
    total.add_to(&mut names, "");
    let prompts = named::prompts(results);
    // Version 2 does not say in its rows of which prompt they are.
    let placed = rows.iter().all(|row| row.prompt.is_some_and(|index| index < prompts.len()));
    if prompts.len() > 1 && placed {
        for (index, own) in by_prompt(&rows, prompts.len()).into_iter().enumerate() {
            Tally::of(own).add_to(&mut names, &format!("@{index}"));
        }
    }
    named::add(results, &prompts, &rows, &mut names)?;
    redteam::add(document, &rows, &mut names);
    Ok(Native::finished(names))
}

/// One test of one prompt with one provider.
#[derive(Debug)]
struct Row<'a> {
    json: &'a Json,
    outcome: Outcome,
    prompt: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Errored,
    /// Not passed; the file does not say whether it failed or ended in an error.
    FailedOrErrored,
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    /// Those of which no more is known than that they did not pass are among these.
    failed: u64,
    /// Nothing where some are counted as failed.
    errored: Option<u64>,
}

fn rows(results: &Json) -> Result<Vec<Row<'_>>, String> {
    let rows = results.get("results").and_then(Json::as_array).ok_or("`/results/results` is no array")?;
    if rows.is_empty() {
        return Err("`/results/results` is empty: a run without tests supports nothing".to_owned());
    }
    rows.iter()
        .enumerate()
        .map(|(index, json)| {
            let outcome = outcome(json).map_err(|why| format!("`/results/results/{index}`: {why}"))?;
            let prompt =
                json.get("promptIdx").and_then(Json::as_count).and_then(|at| usize::try_from(at).ok());
            Ok(Row { json, outcome, prompt })
        })
        .collect()
}

/// The rows that say of which prompt they are, by prompt.
fn by_prompt<'r, 'a>(rows: &'r [Row<'a>], prompts: usize) -> Vec<Vec<&'r Row<'a>>> {
    let mut by_prompt = vec![Vec::new(); prompts];
    for row in rows {
        if let Some(own) = row.prompt.and_then(|prompt| by_prompt.get_mut(prompt)) {
            own.push(row);
        }
    }
    by_prompt
}

fn outcome(row: &Json) -> Result<Outcome, String> {
    match (row.get("success"), row.get("failureReason").map(Json::as_count)) {
        (Some(Json::Bool(true)), None | Some(Some(0))) => Ok(Outcome::Passed),
        (Some(Json::Bool(false)), None) => Ok(Outcome::FailedOrErrored),
        (Some(Json::Bool(false)), Some(Some(1))) => Ok(Outcome::Failed),
        (Some(Json::Bool(false)), Some(Some(2))) => Ok(Outcome::Errored),
        (Some(Json::Bool(_)), Some(_)) => {
            Err("`success` and `failureReason` contradict each other".to_owned())
        }
        _ => Err("`success` is no boolean".to_owned()),
    }
}

/// The counts that rows and statistics agree on.
fn reconciled(rows: &[Row<'_>], results: &Json) -> Result<Tally, String> {
    let stat = |name: &str| results.get("stats").and_then(|stats| stats.get(name));
    let required = |name: &str| {
        stat(name).and_then(Json::as_count).ok_or(format!("`/results/stats/{name}` is no count"))
    };
    let (successes, failures) = (required("successes")?, required("failures")?);
    let errors = stat("errors").map(|_| required("errors")).transpose()?;
    let mut tally = Tally::of(rows);
    let contradiction = || {
        let errors = errors.map(|errors| format!(", {errors} errors")).unwrap_or_default();
        format!(
            "`/results/stats` and the rows contradict each other: {successes} successes, {failures} failures{errors}; \
             {} rows, {} of them passed",
            rows.len(),
            tally.passed
        )
    };
    let unpassed = failures.checked_add(errors.unwrap_or(0));
    if successes != tally.passed || unpassed != Some(tally.failed + tally.errored.unwrap_or(0)) {
        return Err(contradiction());
    }
    match (errors, tally.errored) {
        (Some(stated), Some(counted)) if stated != counted => return Err(contradiction()),
        // The statistics tell errors from failures where rows do not.
        (Some(stated), None) => tally = Tally { failed: failures, errored: Some(stated), ..tally },
        (Some(_) | None, Some(_)) | (None, None) => {}
    }
    Ok(tally)
}

impl Tally {
    fn of<'a>(rows: impl IntoIterator<Item = &'a Row<'a>>) -> Self {
        let (mut passed, mut failed, mut errored, mut unknown) = (0, 0, 0, 0);
        for row in rows {
            match row.outcome {
                Outcome::Passed => passed += 1,
                Outcome::Failed => failed += 1,
                Outcome::Errored => errored += 1,
                Outcome::FailedOrErrored => unknown += 1,
            }
        }
        if unknown > 0 {
            return Self { passed, failed: failed + unknown + errored, errored: None };
        }
        Self { passed, failed, errored: Some(errored) }
    }

    fn total(self) -> u64 {
        self.passed + self.failed + self.errored.unwrap_or(0)
    }

    /// Those that were judged.
    fn judged(self) -> u64 {
        self.passed + self.failed
    }

    fn add_to(self, names: &mut Names, suffix: &str) {
        for (name, count, at) in [
            ("tests.total", Some(self.total()), "/results/results"),
            ("tests.passed", Some(self.passed), "/results/stats/successes"),
            ("tests.failed", Some(self.failed), "/results/stats/failures"),
            ("tests.errored", self.errored, "/results/stats/errors"),
        ] {
            let Some(count) = count else { continue };
            let at = if suffix.is_empty() { at } else { "/results/results" };
            names.add(format!("{name}{suffix}"), self.count(count, self.total(), at));
        }
        if let Some(rate) = self.rate(self.passed, self.total(), "/results/stats") {
            names.add(format!("tests.pass_rate{suffix}"), rate);
        }
    }

    /// A count, out of so many.
    fn count(self, count: u64, of: u64, at: &str) -> Metric {
        let value = Value::Number(number::from_count(count));
        Metric { samples: Some(of), errors: self.errored, ..Metric::plain(value, at) }
    }

    /// A share, out of so many; none of nothing.
    fn rate(self, count: u64, of: u64, at: &str) -> Option<Metric> {
        let value = Value::Number(number::from_count(count) / number::from_count(of));
        let rate = Metric { samples: Some(of), errors: self.errored, rate: true, ..Metric::plain(value, at) };
        (of > 0).then_some(rate)
    }
}

#[cfg(test)]
mod tests;
