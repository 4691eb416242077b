//! Named metrics: `named/<metric>`, or `named/<metric>@<prompt>` where there are several prompts or providers.
//!
//! promptfoo writes sums, not means. What they are divided by is written beside them (`namedScoreWeights`, before
//! those `namedScoresCount`); version 2 has neither, and its rows are counted. A metric that no row has is derived from
//! others, and stands as it is.

use std::collections::{BTreeMap, BTreeSet};

use super::super::json::Json;
use super::super::names::Names;
use super::super::{Metric, Value, number, pointer, quote};
use super::{Row, Tally, by_prompt};

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
    for (outputs, prompt) in Outputs::of_each(prompts.len(), results, rows).iter().zip(prompts) {
        let index = outputs.index;
        let Some(metrics) = prompt.get("metrics") else { continue };
        let Some(sums) = metrics.get("namedScores").and_then(Json::as_object) else { continue };
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
    /// Of each name: how many rows score it, and by how many assertions.
    scored: BTreeMap<&'a str, Scored>,
    errored: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Scored {
    rows: u64,
    assertions: u64,
}

impl<'a> Outputs<'a> {
    /// What each of so many prompts gave, in one pass over the rows.
    fn of_each(prompts: usize, results: &'a Json, rows: &'a [Row<'a>]) -> Vec<Self> {
        let own = if prompts == 1 { vec![rows.iter().collect()] } else { by_prompt(rows, prompts) };
        // Rows of version 2 do not say of which prompt they are; the table does.
        let mut cells: Vec<Vec<&Json>> = vec![Vec::new(); prompts];
        let body = results.get("table").and_then(|table| table.get("body")).and_then(Json::as_array);
        for row in body.unwrap_or_default() {
            let outputs = row.get("outputs").and_then(Json::as_array).unwrap_or_default();
            for (index, cell) in outputs.iter().enumerate() {
                if let Some(own) = cells.get_mut(index) {
                    own.push(cell);
                }
            }
        }
        let of = |(index, (own, cells)): (usize, (Vec<&'a Row<'a>>, Vec<&'a Json>))| {
            if own.is_empty() {
                return Self { index, scored: scored(cells), errored: None };
            }
            let errored = Tally::of(own.iter().copied()).errored;
            Self { index, scored: scored(own.iter().map(|row| row.json)), errored }
        };
        own.into_iter().zip(cells).enumerate().map(of).collect()
    }

    /// The metric of that name with that sum; nothing where the sum is no number.
    fn metric(&self, metrics: &Json, name: &str, sum: &Json) -> Result<Option<Metric>, String> {
        let of = |key: &str| metrics.get(key).and_then(|counts| counts.get(name));
        let scored = self.scored.get(name).copied().unwrap_or_default();
        let count = of("namedScoresCount").and_then(Json::as_count);
        let weight = of("namedScoreWeights").and_then(Json::as_number).or(count.map(number::from_count));
        let unclear = |why: &str| {
            let of = self.index;
            Err(format!("named metric {} of prompt {of}: {why}", quote(name)))
        };
        let divisor = match (weight, scored.rows == 0, metrics.get("namedScoresCount")) {
            (Some(_), true, _) => return unclear("it is counted, and no row has it"),
            (Some(weight), false, _) => Some(weight),
            (None, true, _) => None,
            (None, false, Some(_)) => return unclear("rows have it, and it is not counted"),
            (None, false, None) => Some(number::from_count(scored.assertions)),
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
        let samples = divisor.map(|_| scored.rows);
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

/// How many of these rows score each name, and by how many assertions: a row's score is their sum, and of at least one.
fn scored<'a>(rows: impl IntoIterator<Item = &'a Json>) -> BTreeMap<&'a str, Scored> {
    let mut names: BTreeMap<&'a str, Scored> = BTreeMap::new();
    for row in rows {
        let Some(scores) = row.get("namedScores").and_then(Json::as_object) else { continue };
        let parts = row.get("gradingResult").and_then(|graded| graded.get("componentResults"));
        let mut assertions: BTreeMap<&str, u64> = BTreeMap::new();
        for part in parts.and_then(Json::as_array).unwrap_or_default() {
            let metric = part.get("assertion").and_then(|assertion| assertion.get("metric"));
            if let Some(metric) = metric.and_then(Json::as_text) {
                *assertions.entry(metric).or_default() += 1;
            }
        }
        for (name, _) in scores.iter() {
            let own = names.entry(name).or_default();
            own.rows += 1;
            own.assertions += assertions.get(name).copied().unwrap_or(1);
        }
    }
    names
}

fn finite(number: f64) -> Value {
    if number.is_finite() { Value::Number(number) } else { Value::NonFinite(number.to_string()) }
}
