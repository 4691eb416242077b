//! Format `deepeval`: test runs of `DeepEval`, bare or wrapped in `testRunData`, and the dump of an `EvaluationResult`.
//!
//! The file holds no means: they are those of the scores of the test cases. A metric that ended in an error has no
//! score there, and is one of the errors beside the mean and among those that did not pass. What a test case calls a success
//! was judged by thresholds in its code, not by the policy's. The summary in `metricsScores` also counts spans of
//! traces; it is held against the cases, and used for what no case has.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use super::json::{Json, JsonFile};
use super::names::{Names, Native};
use super::{Metric, Reading, Value, number, quote};

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/conversationalTestCases/*/metricsData/*/error",
    "/conversationalTestCases/*/metricsData/*/name",
    "/conversationalTestCases/*/metricsData/*/score",
    "/conversationalTestCases/*/metricsData/*/success",
    "/conversationalTestCases/*/success",
    "/metricsScores/*/errors",
    "/metricsScores/*/fails",
    "/metricsScores/*/metric",
    "/metricsScores/*/passes",
    "/metricsScores/*/scores/*",
    "/testCases/*/metricsData/*/error",
    "/testCases/*/metricsData/*/name",
    "/testCases/*/metricsData/*/score",
    "/testCases/*/metricsData/*/success",
    "/testCases/*/success",
    "/testFailed",
    "/testPassed",
    "/testRunData/conversationalTestCases/*/metricsData/*/error",
    "/testRunData/conversationalTestCases/*/metricsData/*/name",
    "/testRunData/conversationalTestCases/*/metricsData/*/score",
    "/testRunData/conversationalTestCases/*/metricsData/*/success",
    "/testRunData/conversationalTestCases/*/success",
    "/testRunData/metricsScores/*/errors",
    "/testRunData/metricsScores/*/fails",
    "/testRunData/metricsScores/*/metric",
    "/testRunData/metricsScores/*/passes",
    "/testRunData/metricsScores/*/scores/*",
    "/testRunData/testCases/*/metricsData/*/error",
    "/testRunData/testCases/*/metricsData/*/name",
    "/testRunData/testCases/*/metricsData/*/score",
    "/testRunData/testCases/*/metricsData/*/success",
    "/testRunData/testCases/*/success",
    "/testRunData/testFailed",
    "/testRunData/testPassed",
    "/test_results/*/metrics_data/*/error",
    "/test_results/*/metrics_data/*/name",
    "/test_results/*/metrics_data/*/score",
    "/test_results/*/metrics_data/*/success",
    "/test_results/*/success",
];

/// The keys of test runs, and of an evaluation's result.
struct Spelling {
    cases: &'static [&'static str],
    metrics: &'static str,
}

const RUN: Spelling = Spelling { cases: &["testCases", "conversationalTestCases"], metrics: "metricsData" };
const RESULT: Spelling = Spelling { cases: &["test_results"], metrics: "metrics_data" };

/// Whether the file has the parts of a test run, or of a result.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().is_some_and(|document| spelling(unwrapped(document)).is_some())
}

fn unwrapped(document: &Json) -> &Json {
    document.get("testRunData").unwrap_or(document)
}

fn spelling(run: &Json) -> Option<Spelling> {
    if run.get("testCases").is_some() && run.get("metricsScores").is_some() {
        return Some(RUN);
    }
    let results = run.get("test_results").and_then(Json::as_array)?;
    results.first()?.get("metrics_data").map(|_| RESULT)
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(content: &Content<'_>) -> String {
    match &content.json {
        Err(error) => error.to_string(),
        Ok(JsonFile::Lines(_) | JsonFile::Document(_)) => {
            "a test run has `testCases` and `metricsScores`, perhaps inside `testRunData`; a result has `test_results` \
             with `metrics_data`"
                .to_owned()
        }
    }
}

/// How the tests ended, and the mean and pass rate of every metric.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    let document = content.document().ok_or("it is no JSON document")?;
    let run = unwrapped(document);
    let spelling = spelling(run).ok_or("it has no test cases")?;
    let mut tests = Tests::default();
    let mut metrics: BTreeMap<&str, Scores> = BTreeMap::new();
    for list in spelling.cases {
        let cases = match run.get(list) {
            None | Some(Json::Null) => continue,
            Some(cases) => cases.as_array().ok_or_else(|| format!("`/{list}` is no array"))?,
        };
        for (index, case) in cases.iter().enumerate() {
            add_case(case, spelling.metrics, &mut tests, &mut metrics)
                .map_err(|why| format!("`/{list}/{index}`: {why}"))?;
        }
    }
    tests.check(run)?;
    let mut at: BTreeMap<&str, String> = BTreeMap::new();
    for (name, index, summary) in summaries(run)? {
        if let Some(counted) = metrics.get(name) {
            counted.check(&summary).map_err(|why| format!("metric {}: {why}", quote(name)))?;
        } else {
            at.insert(name, format!("/metricsScores/{index}"));
            metrics.insert(name, summary);
        }
    }
    if tests.total() == 0 && metrics.is_empty() {
        return Err("it has no test case: a run without tests supports nothing".to_owned());
    }
    let mut names = Names::default();
    tests.add_to(&mut names);
    for (name, scores) in &metrics {
        let at = at.get(name).cloned().unwrap_or_else(|| format!("`{}` of its test cases", spelling.metrics));
        scores.add_to(name, &at, &mut names);
    }
    Ok(Native::finished(names))
}

/// How many test cases ended how.
#[derive(Default)]
struct Tests {
    passed: u64,
    failed: u64,
    errored: u64,
}

/// What a metric gave over all test cases.
#[derive(Default)]
struct Scores {
    finite: Vec<f64>,
    unheld: Option<String>,
    scored: u64,
    passes: u64,
    fails: u64,
    errors: u64,
}

fn add_case<'a>(
    case: &'a Json,
    key: &str,
    tests: &mut Tests,
    metrics: &mut BTreeMap<&'a str, Scores>,
) -> Result<(), String> {
    let rows = match case.get(key) {
        None | Some(Json::Null) => &[],
        Some(rows) => rows.as_array().ok_or_else(|| format!("`{key}` is no array"))?,
    };
    let (mut failed, mut errored) = (false, false);
    for row in rows {
        let name = row.get("name").and_then(Json::as_text).ok_or("a metric has no `name`")?;
        let success = match row.get("success") {
            Some(Json::Bool(success)) => *success,
            _ => return Err(format!("`success` of metric {} is no boolean", quote(name))),
        };
        let scores = metrics.entry(name).or_default();
        if row.get("error").is_some_and(|error| *error != Json::Null) || !scores.take(row.get("score"))? {
            scores.errors += 1;
            errored = true;
        } else if success {
            scores.passes += 1;
        } else {
            scores.fails += 1;
            failed = true;
        }
    }
    match case.get("success") {
        Some(Json::Bool(true)) => tests.passed += 1,
        Some(Json::Bool(false)) if errored && !failed => tests.errored += 1,
        Some(Json::Bool(false)) => tests.failed += 1,
        // Of a case whose spans alone were measured, nobody says how it ended.
        None | Some(Json::Null) => {}
        Some(_) => return Err("`success` is no boolean".to_owned()),
    }
    Ok(())
}

/// The summaries of `metricsScores`, each with its place.
fn summaries(run: &Json) -> Result<Vec<(&str, usize, Scores)>, String> {
    let mut summaries: Vec<(&str, usize, Scores)> = Vec::new();
    let mut seen = BTreeSet::new();
    let listed = run.get("metricsScores").and_then(Json::as_array).unwrap_or_default();
    for (index, summary) in listed.iter().enumerate() {
        let wrong = |what: &str| format!("`/metricsScores/{index}`: {what}");
        let name =
            summary.get("metric").and_then(Json::as_text).ok_or_else(|| wrong("`metric` is no text"))?;
        if !seen.insert(name) {
            return Err(wrong(&format!("metric {} is there twice", quote(name))));
        }
        let count = |key: &str| {
            summary.get(key).and_then(Json::as_count).ok_or_else(|| wrong(&format!("`{key}` is no count")))
        };
        let mut scores = Scores {
            passes: count("passes")?,
            fails: count("fails")?,
            errors: count("errors")?,
            ..Scores::default()
        };
        for score in summary.get("scores").and_then(Json::as_array).unwrap_or_default() {
            if !scores.take(Some(score)).map_err(|why| wrong(&why))? {
                return Err(wrong("a score is no number"));
            }
        }
        if scores.passes.checked_add(scores.fails) != Some(scores.scored) {
            return Err(wrong("as many passed and failed as have a score; here they differ"));
        }
        summaries.push((name, index, scores));
    }
    Ok(summaries)
}

impl Tests {
    fn total(&self) -> u64 {
        self.passed + self.failed + self.errored
    }

    /// The run counts its test cases, too: where it counted others, some were taken out or put in.
    fn check(&self, run: &Json) -> Result<(), String> {
        for (key, counted) in [("testPassed", self.passed), ("testFailed", self.failed + self.errored)] {
            match run.get(key) {
                None | Some(Json::Null) => {}
                Some(stated) if stated.as_count() == Some(counted) => {}
                Some(_) => return Err(format!("`/{key}` and the test cases differ: these are {counted}")),
            }
        }
        Ok(())
    }

    fn add_to(&self, names: &mut Names) {
        let total = self.total();
        if total == 0 {
            return;
        }
        for (name, count) in [
            ("tests.total", total),
            ("tests.passed", self.passed),
            ("tests.failed", self.failed),
            ("tests.errored", self.errored),
        ] {
            let value = Value::Number(number::from_count(count));
            names.add(name.to_owned(), self.metric(value, false));
        }
        let rate = number::from_count(self.passed) / number::from_count(total);
        names.add("tests.pass_rate".to_owned(), self.metric(Value::Number(rate), true));
    }

    fn metric(&self, value: Value, rate: bool) -> Metric {
        Metric {
            samples: Some(self.total()),
            errors: Some(self.errored),
            rate,
            ..Metric::plain(value, "its test cases")
        }
    }
}

impl Scores {
    /// Takes a score in; whether it is one. A text or an object in its place is a defect.
    fn take(&mut self, score: Option<&Json>) -> Result<bool, String> {
        match score {
            None | Some(Json::Null) => return Ok(false),
            Some(Json::Number(score)) => self.finite.push(*score),
            Some(Json::Unheld(text)) => self.unheld = self.unheld.take().or_else(|| Some(text.clone())),
            Some(other @ (Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_))) => {
                return Err(format!("`score` is {}, not a number", other.kind()));
            }
        }
        self.scored += 1;
        Ok(true)
    }

    /// The summary counts the same, or spans beside: it never counts less, and each score of a case is among its own.
    fn check(&self, summary: &Self) -> Result<(), String> {
        let less = summary.passes < self.passes || summary.fails < self.fails || summary.errors < self.errors;
        let mut left = summary.finite.clone();
        left.sort_by(f64::total_cmp);
        let mut own = self.finite.clone();
        own.sort_by(f64::total_cmp);
        let mut left = left.into_iter();
        let missing = own.iter().any(|score| !left.any(|other| other.total_cmp(score).is_eq()));
        if less || missing {
            return Err("`metricsScores` and the test cases contradict each other".to_owned());
        }
        Ok(())
    }

    fn add_to(&self, name: &str, at: &str, names: &mut Names) {
        let mean = match &self.unheld {
            Some(text) => Value::NonFinite(text.clone()),
            None if self.scored == 0 => Value::NonFinite("no score".to_owned()),
            None => {
                let mean = number::sum(self.finite.iter().copied()) / number::from_count(self.scored);
                if mean.is_finite() { Value::Number(mean) } else { Value::NonFinite(mean.to_string()) }
            }
        };
        let errors = Some(self.errors);
        let mean = Metric { samples: Some(self.scored), errors, ..Metric::plain(mean, at) };
        names.add(format!("{name}/mean"), mean);
        let total = self.passes + self.fails + self.errors;
        let share = Value::Number(number::from_count(self.passes) / number::from_count(total.max(1)));
        let rate = Metric { samples: Some(total), errors, rate: true, ..Metric::plain(share, at) };
        names.add(format!("{name}/pass_rate"), rate);
    }
}

#[cfg(test)]
mod tests;
