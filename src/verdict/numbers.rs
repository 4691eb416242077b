//! The numbers of the reports beside those of what is deployed: for people who decide, never for the verdict.
//!
//! Read by the same function that judges the criteria, so that what a reviewer sees is what was judged (design, section
//! 12). A difference is shown where both sides have exactly one number.

use std::collections::BTreeSet;

use super::bounds::expected;
use super::case::Case;
use super::evidence::{files, run_counts};
use super::measure::{Measured, measure, shown};
use super::text::number;
use super::{DeployedFact, Facts};
use crate::evidence::{Metric, Report, Value};
use crate::model::{Label, Name};
use crate::policy::{Criterion, Subject};

/// All numbers of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// What criteria of the matching rules ask for, in the order of the checklist.
    pub asked: Vec<AskedNumber>,
    /// What else the reports say.
    pub others: Vec<Number>,
}

/// What one criterion asks for, on each report.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedNumber {
    /// The criterion.
    pub criterion: Label,
    /// The kind of evidence that it reads.
    pub kind: Name,
    /// The metric; `spread` or `ratio` over several.
    pub metric: String,
    /// Its bounds, in words.
    pub bound: String,
    /// One for each report that reads.
    pub numbers: Vec<Number>,
}

/// One number of one report.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The report's kind.
    pub kind: Name,
    /// The report's file, below the gate directory.
    pub file: String,
    /// The metric's name.
    pub metric: String,
    /// Its value; or why there is none.
    pub value: Result<Value, String>,
    /// How many samples stand behind it.
    pub samples: Option<u64>,
    /// What the deployed version's reports of that kind say of it.
    pub deployed: Vec<Value>,
    /// Its value less that of the deployed version, where there is one number on either side.
    pub delta: Option<f64>,
}

impl Number {
    /// The value in words.
    pub fn words(&self) -> String {
        match &self.value {
            Ok(value) => shown(value),
            Err(reason) => reason.clone(),
        }
    }

    /// The value in words, a number to six decimals: where it is shown in passing.
    pub fn short_words(&self) -> String {
        match &self.value {
            Ok(Value::Number(value)) if value.abs() < 1e9 => number((value * 1e6).round() / 1e6),
            Ok(_) | Err(_) => self.words(),
        }
    }

    /// What the deployed version has, in words; empty where it has nothing.
    pub fn deployed_words(&self) -> String {
        self.deployed.iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    /// The difference in words, with its sign.
    pub fn delta_words(&self) -> Option<String> {
        let delta = self.delta?;
        Some(if delta == 0.0 {
            "no change".to_owned()
        } else {
            format!("{}{}", if delta > 0.0 { "+" } else { "" }, number(delta))
        })
    }
}

/// The numbers of `facts`, beside those of `deployed`.
pub fn numbers(facts: &Facts, deployed: Option<&DeployedFact>) -> Numbers {
    let case = Case::of(facts);
    let asked = case.asked(
        |rule| rule.criteria.iter().map(|criterion| (&criterion.name, criterion)).collect(),
        |first: &Criterion, _same| first,
    );
    let asked: Vec<AskedNumber> =
        asked.into_values().map(|(criterion, _rules)| asked_number(&case, criterion, deployed)).collect();
    let named: BTreeSet<(&Name, &str)> =
        asked.iter().map(|asked| (&asked.kind, asked.metric.as_str())).collect();
    let mut others = Vec::new();
    for file in case.content.into_iter().flat_map(|content| &content.evidence) {
        let Some(Ok(report)) = &file.report else { continue };
        for (name, metric) in metrics(report) {
            if named.contains(&(&file.kind, name)) {
                continue;
            }
            let bases = bases(deployed, &file.kind).filter_map(|base| find(base, name)).collect();
            let value = metric.map(|metric| metric.value.clone());
            let samples = metric.ok().and_then(|metric| metric.samples);
            others.push(one((&file.kind, &file.file, name), value.map_err(Clone::clone), samples, bases));
        }
    }
    Numbers { asked, others }
}

fn asked_number(case: &Case<'_>, criterion: &Criterion, deployed: Option<&DeployedFact>) -> AskedNumber {
    let options = case.policy.evidence.get(&criterion.evidence);
    let metric = match &criterion.subject {
        Subject::Metric(name) => name.clone(),
        Subject::Spread(_) => "spread".into(),
        Subject::Ratio(_) => "ratio".into(),
    };
    let read = |report: &Report| {
        if run_counts(options, report) {
            measure(criterion, report)
        } else {
            Measured::Absent(Some("the run did not finish well, so it gives no metrics".into()))
        }
    };
    let bases: Vec<Value> = bases(deployed, &criterion.evidence)
        .filter_map(|base| match read(base) {
            Measured::Good(measurement) => Some(measurement.value),
            Measured::Bad(_) | Measured::Absent(_) => None,
        })
        .collect();
    let (mut numbers, mut without) = (Vec::new(), Vec::new());
    for file in files(case, &criterion.evidence) {
        let place = (&criterion.evidence, file.file.as_str(), metric.as_str());
        let unread = |reason: String| one(place, Err(reason), None, bases.clone());
        numbers.push(match &file.report {
            None => unread("the file is not there".into()),
            Some(Err(unreadable)) => unread(unreadable.to_string()),
            Some(Ok(report)) => match read(report) {
                Measured::Good(found) => one(place, Ok(found.value), found.samples, bases.clone()),
                Measured::Bad(reason) | Measured::Absent(Some(reason)) => unread(reason),
                Measured::Absent(None) => {
                    without.push(unread("it does not have it".into()));
                    continue;
                }
            },
        });
    }
    // Several files may serve one kind: those that do not have it say nothing where others do.
    if numbers.is_empty() {
        numbers = without;
    }
    AskedNumber {
        criterion: criterion.name.clone(),
        kind: criterion.evidence.clone(),
        metric,
        bound: expected(criterion),
        numbers,
    }
}

fn one(
    (kind, file, metric): (&Name, &str, &str),
    value: Result<Value, String>,
    samples: Option<u64>,
    deployed: Vec<Value>,
) -> Number {
    let delta = match (&value, deployed.as_slice()) {
        (Ok(Value::Number(now)), [Value::Number(then)]) => Some(rounded(now - then)),
        (Ok(_) | Err(_), _) => None,
    };
    Number {
        kind: kind.clone(),
        file: file.to_owned(),
        metric: metric.to_owned(),
        value,
        samples,
        deployed,
        delta,
    }
}

/// To nine decimals: 0.9 less 0.88 is 0.02, not a hair more.
fn rounded(delta: f64) -> f64 {
    let scaled = (delta * 1e9).round() / 1e9;
    if scaled.is_finite() { scaled } else { delta }
}

fn bases<'a>(deployed: Option<&'a DeployedFact>, kind: &Name) -> impl Iterator<Item = &'a Report> {
    let reports = deployed.and_then(|deployed| deployed.reports.get(kind));
    reports.into_iter().flatten().map(|report| &**report)
}

fn find(report: &Report, name: &str) -> Option<Value> {
    let (_, metric) = metrics(report).find(|(known, _)| *known == name)?;
    metric.ok().map(|metric| metric.value.clone())
}

/// Every metric of a report by name, the policy's own reading before the format's.
fn metrics(report: &Report) -> impl Iterator<Item = (&str, Result<&Metric, &String>)> {
    let own = report.mapped.iter().map(|(name, metric)| (name.as_str(), metric.as_ref()));
    let named = report.metrics.iter().filter(|(name, _)| !report.mapped.contains_key(*name));
    own.chain(named.map(|(name, metric)| (name.as_str(), Ok(metric))))
}
