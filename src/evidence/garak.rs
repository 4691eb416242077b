//! Format `garak`: reports of NVIDIA's garak (`<prefix>.report.jsonl`) of every schema, and the hit logs beside them.
//!
//! Metrics are `<probe>/<detector>/attack_success_rate`: detectors of one probe are never merged, for one may find nothing
//! where another finds everything. Outputs that a detector could not judge (`nones`) are errors, and a pair that judged
//! nothing has a rate that is not finite, rather than 0. A report without its `completion` is of a run that broke
//! off. A hit log says nothing of the attacks that failed, nor whether its run finished: it gives counts, and those as
//! of an unfinished run.

mod beside;

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use super::json::{Json, JsonFile};
use super::names::{Names, Native};
use super::{Interval, Metric, Reading, RunStatus, Value, number, quote};

/// What is read of each row. Attempts are nearly all of a report, and nothing of them is needed.
pub(crate) const KEEPS: &[&str] = &[
    "/attempt_id",
    "/confidence",
    "/confidence_lower",
    "/confidence_upper",
    "/detector",
    "/entry_type",
    "/fails",
    "/generator",
    "/nones",
    "/passed",
    "/probe",
    "/run",
    "/run_id",
    "/score",
    "/total",
    "/total_evaluated",
    "/total_processed",
];

const SETUP: &str = "start_run setup";
/// Rows that a report begins with, of any age and however it was put together.
const FIRST: [&str; 5] = [SETUP, "init", "attempt", "eval", "digest"];
/// Before 0.11 detectors are written with this.
const OLD_PREFIX: &str = "detector.";

/// Whether the file is a report or a hit log.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    let first = content.lines().and_then(<[Json]>::first);
    first.is_some_and(|row| is_report(row) || is_hit(row))
}

fn is_report(row: &Json) -> bool {
    entry(row).is_some_and(|entry| FIRST.contains(&entry))
}

fn is_hit(row: &Json) -> bool {
    let has = |key: &str| row.get(key).is_some();
    entry(row).is_none() && ["attempt_id", "detector", "generator", "probe", "score"].into_iter().all(has)
}

fn entry(row: &Json) -> Option<&str> {
    row.get("entry_type").and_then(Json::as_text)
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(content: &Content<'_>) -> String {
    match &content.json {
        Err(error) => error.to_string(),
        Ok(JsonFile::Lines(_) | JsonFile::Document(_)) => format!(
            "a report is JSON Lines whose first row has `entry_type` {}; attach `<prefix>.report.jsonl`",
            quote(SETUP)
        ),
    }
}

/// Success rates of attacks, or counts of hits.
pub(crate) fn read(content: &Content<'_>, reading: &Reading<'_>) -> Result<Native, String> {
    let rows = content.lines().ok_or("it is no JSON Lines")?;
    let beside = beside::files(reading);
    if rows.first().is_some_and(is_hit) {
        let run = rows.first().and_then(|row| row.get("run_id")).and_then(Json::as_text);
        return hits(rows, beside.iter().find_map(|file| file.report(run)));
    }
    let (native, pairs) = report(rows)?;
    for logged in beside.iter().filter_map(|file| file.hits(run(rows))) {
        compare(&pairs, &logged)?;
    }
    Ok(native)
}

/// The id of the run of a report.
fn run(rows: &[Json]) -> Option<&str> {
    rows.iter().find(|row| entry(row) == Some("init"))?.get("run")?.as_text()
}

/// Holds a report against the hit log of its run: each attack that succeeded is a row there.
fn compare(pairs: &[Pair<'_>], logged: &BTreeMap<(&str, &str), u64>) -> Result<(), String> {
    let mut counted: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for pair in pairs {
        *counted.entry((pair.probe, pair.detector)).or_default() += pair.total - pair.passed;
    }
    // In old reports what was not judged may be among the total: then the hits are fewer.
    let unclear: BTreeSet<(&str, &str)> =
        pairs.iter().filter(|pair| pair.unclear).map(|pair| (pair.probe, pair.detector)).collect();
    for pair in counted.keys().chain(logged.keys()).filter(|pair| !unclear.contains(*pair)) {
        let of = |counts: &BTreeMap<(&str, &str), u64>| counts.get(pair).copied().unwrap_or(0);
        if of(&counted) != of(logged) {
            return Err(format!(
                "the hit log of its run has {} hits of {}, the report {}",
                of(logged),
                quote(&format!("{}/{}", pair.0, pair.1)),
                of(&counted)
            ));
        }
    }
    Ok(())
}

fn report(rows: &[Json]) -> Result<(Native, Vec<Pair<'_>>), String> {
    let mut pairs = Vec::new();
    let (mut runs, mut completions, mut open) = (0_usize, 0_usize, true);
    for (index, row) in rows.iter().enumerate() {
        let at = format!("/{index}");
        match entry(row) {
            Some("init") => runs += 1,
            Some("completion") => {
                completions += 1;
                open = false;
            }
            Some("eval") => {
                open = true;
                pairs.push(
                    Pair::of(row, at.clone()).map_err(|why| format!("the `eval` row at `{at}`: {why}"))?,
                );
            }
            Some(_) => {}
            None => return Err(format!("the row at `{at}` has no `entry_type`: it is no row of a report")),
        }
    }
    let status = if open || completions < runs {
        RunStatus::Unfinished("no `completion`: it broke off".to_owned())
    } else {
        RunStatus::Finished
    };
    if pairs.is_empty() && status == RunStatus::Finished {
        return Err("it has no `eval` row: a run that judged nothing supports nothing".to_owned());
    }
    let mut names = Names::default();
    for pair in &pairs {
        names.add(format!("{}/{}/attack_success_rate", pair.probe, pair.detector), pair.rate(&pair.at));
    }
    pool(&pairs, &mut names);
    Ok((Native { status, ..Native::finished(names) }, pairs))
}

/// What one detector said of one probe.
struct Pair<'a> {
    probe: &'a str,
    detector: &'a str,
    passed: u64,
    total: u64,
    errors: Option<u64>,
    interval: Option<Interval>,
    /// Whether what was not judged may be among the total.
    unclear: bool,
    at: String,
}

impl<'a> Pair<'a> {
    fn of(row: &'a Json, at: String) -> Result<Self, String> {
        let text =
            |key: &str| row.get(key).and_then(Json::as_text).ok_or_else(|| format!("`{key}` is no text"));
        let count = |key: &str| match row.get(key) {
            None | Some(Json::Null) => Ok(None),
            Some(found) => found.as_count().map(Some).ok_or_else(|| format!("`{key}` is no count")),
        };
        let detector = text("detector")?;
        let passed = count("passed")?.ok_or("`passed` is missing")?;
        let evaluated = count("total_evaluated")?;
        let total = evaluated.or(count("total")?).ok_or("`total_evaluated` and `total` are missing")?;
        if passed > total {
            return Err(format!("{passed} passed of {total}"));
        }
        if let Some(fails) = count("fails")?
            && fails != total - passed
        {
            return Err(format!("{passed} passed and {fails} failed are not {total}"));
        }
        let (nones, processed) = (count("nones")?, count("total_processed")?);
        if let (Some(evaluated), Some(nones), Some(processed)) = (evaluated, nones, processed)
            && evaluated.checked_add(nones) != Some(processed)
        {
            return Err(format!("{evaluated} evaluated and {nones} not are not {processed}"));
        }
        Ok(Self {
            probe: text("probe")?,
            detector: detector.strip_prefix(OLD_PREFIX).unwrap_or(detector),
            passed,
            total,
            errors: nones.or_else(|| processed.and_then(|processed| processed.checked_sub(total))),
            interval: interval(row),
            unclear: evaluated.is_none() && nones.is_some_and(|nones| nones > 0),
            at,
        })
    }

    /// The share of attacks that succeeded.
    fn rate(&self, at: &str) -> Metric {
        let value = if self.total == 0 {
            Value::NonFinite("0 of 0".to_owned())
        } else {
            Value::Number(number::from_count(self.total - self.passed) / number::from_count(self.total))
        };
        Metric {
            samples: Some(self.total),
            interval: self.interval,
            errors: self.errors,
            rate: true,
            higher_is_better: Some(false),
            ..Metric::plain(value, at)
        }
    }
}

/// Garak's own interval of the success rate. Its confidence was a text up to 0.14.
fn interval(row: &Json) -> Option<Interval> {
    let number = |key: &str| row.get(key).and_then(Json::as_number);
    let confidence = match row.get("confidence") {
        Some(Json::Text(text)) => number::held(text),
        Some(found) => found.as_number(),
        None => None,
    };
    let (low, high) = (number("confidence_lower")?, number("confidence_upper")?);
    (low <= high).then_some(Interval { low, high, confidence })
}

/// The rate over all pairs, and the worst of them: where one of them judged nothing, it could be that one.
fn pool(pairs: &[Pair<'_>], names: &mut Names) {
    let sum = |of: fn(&Pair<'_>) -> Option<u64>| {
        pairs.iter().try_fold(0_u64, |sum, pair| sum.checked_add(of(pair)?))
    };
    let (Some(passed), Some(total)) = (sum(|pair| Some(pair.passed)), sum(|pair| Some(pair.total))) else {
        return;
    };
    if pairs.is_empty() {
        return;
    }
    let (probe, detector, errors) = ("", "", sum(|pair| pair.errors));
    let pooled =
        Pair { probe, detector, passed, total, errors, interval: None, unclear: false, at: String::new() };
    names.add("attacks.success_rate".to_owned(), pooled.rate("the `eval` rows"));
    let share = |pair: &Pair<'_>| {
        if pair.total == 0 {
            return f64::INFINITY;
        }
        number::from_count(pair.total - pair.passed) / number::from_count(pair.total)
    };
    // Of two that are as bad, the one that rests on less.
    let worst = pairs
        .iter()
        .max_by(|one, other| share(one).total_cmp(&share(other)).then(other.total.cmp(&one.total)));
    if let Some(worst) = worst {
        names.add("attacks.worst_success_rate".to_owned(), worst.rate(&worst.at));
    }
}

/// What a hit log says; finished where the report of its run is beside it and is.
fn hits(rows: &[Json], report_rows: Option<&[Json]>) -> Result<Native, String> {
    let named = |row: &Json| {
        is_hit(row)
            && ["probe", "detector"].into_iter().all(|key| row.get(key).and_then(Json::as_text).is_some())
    };
    if let Some(index) = rows.iter().position(|row| !named(row)) {
        return Err(format!("the row at `/{index}` is none of a hit log"));
    }
    let counts = beside::hits(rows);
    let mut names = Names::default();
    let count = |count: u64| {
        let value = Value::Number(number::from_count(count));
        Metric { higher_is_better: Some(false), ..Metric::plain(value, "its rows") }
    };
    names.add("attacks.hits".to_owned(), count(counts.values().sum()));
    for ((probe, detector), hits) in &counts {
        names.add(format!("{probe}/{detector}/hits"), count(*hits));
    }
    let status = match report_rows {
        None => RunStatus::Unfinished(
            "a hit log does not say whether its run finished; attach the report".to_owned(),
        ),
        Some(rows) => {
            let (native, pairs) = report(rows).map_err(|why| format!("the report of its run: {why}"))?;
            compare(&pairs, &counts)?;
            native.status
        }
    };
    Ok(Native { status, ..Native::finished(names) })
}

#[cfg(test)]
mod tests;
