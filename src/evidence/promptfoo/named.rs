//! Named metrics: `named/<metric>`, or `named/<metric>@<prompt>` where there are several prompts or providers.
//!
//! promptfoo writes sums, not means. What they are divided by is written beside them (`namedScoreWeights`, before
//! those `namedScoresCount`); version 2 has neither, and its rows are counted. A metric that no row has is derived from
//! others, and stands as it is.

use std::collections::{BTreeMap, BTreeSet};

use super::super::json::Json;
use super::super::names::Names;
use super::super::{Metric, Value, number, pointer, quote};
use super::{Row, Tally};

/// The prompts, one for each provider.
pub(super) fn prompts(results: &Json) -> Vec<&Json> {
    let head =
        || results.get("table").and_then(|table| table.get("head")).and_then(|head| head.get("prompts"));
    results.get("prompts").or_else(head).and_then(Json::as_array).unwrap_or_default().iter().collect()
}

/// Adds the named metrics of every prompt.
pub(super) fn add(
    results: &Json,
    prompts: &[&Json],
    rows: &[Row<'_>],
    names: &mut Names,
) -> Result<(), String> {
    let mut alternatives: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, prompt) in prompts.iter().enumerate() {
        let Some(metrics) = prompt.get("metrics") else { continue };
        let Some(sums) = metrics.get("namedScores").and_then(Json::as_object) else { continue };
        let outputs = Outputs::of(index, prompts.len(), results, rows);
        for (name, sum) in sums.iter() {
            let Some(metric) = outputs.metric(metrics, name, sum)? else { continue };
            let bare = format!("named/{name}");
            if prompts.len() > 1 {
                let full = format!("{bare}@{index}");
                alternatives.entry(bare).or_default().push(full.clone());
                names.add(full, metric);
            } else {
                names.add(bare, metric);
            }
        }
    }
    let known: BTreeSet<String> = names.metrics.keys().cloned().collect();
    for (bare, others) in alternatives {
        if !known.contains(&bare) {
            names.could_mean(bare, others);
        }
    }
    Ok(())
}

/// What one prompt gave.
struct Outputs<'a> {
    index: usize,
    rows: Vec<&'a Json>,
    errored: Option<u64>,
}

impl<'a> Outputs<'a> {
    fn of(index: usize, prompts: usize, results: &'a Json, rows: &'a [Row<'a>]) -> Self {
        let own: Vec<&Row<'_>> =
            rows.iter().filter(|row| prompts == 1 || row.prompt == Some(index)).collect();
        let errored = Tally::of(own.iter().copied()).errored;
        if !own.is_empty() {
            return Self { index, rows: own.iter().map(|row| row.json).collect(), errored };
        }
        // Rows of version 2 do not say of which prompt they are; the table does.
        let body = results.get("table").and_then(|table| table.get("body")).and_then(Json::as_array);
        let cell =
            |row: &'a Json| row.get("outputs").and_then(Json::as_array).and_then(|cells| cells.get(index));
        Self { index, rows: body.unwrap_or_default().iter().filter_map(cell).collect(), errored: None }
    }

    /// The metric of that name with that sum; nothing where the sum is no number.
    fn metric(&self, metrics: &Json, name: &str, sum: &Json) -> Result<Option<Metric>, String> {
        let of = |key: &str| metrics.get(key).and_then(|counts| counts.get(name));
        let scored = |row: &&&Json| row.get("namedScores").is_some_and(|scores| scores.get(name).is_some());
        let scored: Vec<&&Json> = self.rows.iter().filter(scored).collect();
        let count = of("namedScoresCount").and_then(Json::as_count);
        let weight = of("namedScoreWeights").and_then(Json::as_number).or(count.map(number::from_count));
        let unclear = |why: &str| {
            let of = self.index;
            Err(format!("named metric {} of prompt {of}: {why}", quote(name)))
        };
        let divisor = match (weight, scored.is_empty(), metrics.get("namedScoresCount")) {
            (Some(_), true, _) => return unclear("it is counted, and no row has it"),
            (Some(weight), false, _) => Some(weight),
            (None, true, _) => None,
            (None, false, Some(_)) => return unclear("rows have it, and it is not counted"),
            (None, false, None) => {
                Some(scored.iter().map(|row| number::from_count(assertions(row, name))).sum())
            }
        };
        let value = match (sum, divisor) {
            (Json::Number(sum), Some(divisor)) if divisor > 0.0 => finite(sum / divisor),
            (Json::Number(_), Some(_)) => Value::NonFinite("a sum over nothing".to_owned()),
            (Json::Number(derived), None) => Value::Number(*derived),
            (Json::Unheld(text), _) => Value::NonFinite(text.clone()),
            (Json::Null | Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_), _) => {
                return Ok(None);
            }
        };
        let samples = divisor.and_then(|_| u64::try_from(scored.len()).ok());
        Ok(Some(Metric {
            samples: samples.map(|rows| count.map_or(rows, |count| count.min(rows))),
            errors: self.errored,
            ..Metric::plain(
                value,
                format!("/results/prompts/{}/metrics/namedScores/{}", self.index, pointer::token(name)),
            )
        }))
    }
}

/// How many assertions of a row score that metric: its score there is their sum.
fn assertions(row: &Json, name: &str) -> u64 {
    let parts = row.get("gradingResult").and_then(|graded| graded.get("componentResults"));
    let scores = |part: &&Json| {
        let metric = part.get("assertion").and_then(|assertion| assertion.get("metric"));
        metric.and_then(Json::as_text) == Some(name)
    };
    let count = parts.and_then(Json::as_array).unwrap_or_default().iter().filter(scores).count();
    u64::try_from(count.max(1)).unwrap_or(u64::MAX)
}

fn finite(number: f64) -> Value {
    if number.is_finite() { Value::Number(number) } else { Value::NonFinite(number.to_string()) }
}
