//! What one report means for the criteria of its kind, before it is part of a gate: for whoever attaches it.
//!
//! The same measures and bounds as the checklist's. What only the checklist knows — other reports of the kind, what is
//! deployed — is left to it.

use std::collections::{BTreeMap, BTreeSet};

use super::Status;
use super::bounds::{bounds_something, broken, expected};
use super::change::Change;
use super::measure::{Measured, measure};
use super::text::Words;
use crate::evidence::{Lookup, Report};
use crate::model::{Label, Name};
use crate::policy::{Criterion, Policy, Subject};
use crate::request::GateRequest;

/// How a report stands against one criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The criterion.
    pub criterion: Label,
    /// `met`, `failed`, or `missing` where this report does not say.
    pub status: Status,
    /// What it asks for.
    pub expected: String,
    /// What the report says.
    pub found: String,
}

/// A report's weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// Every criterion on the kind in a rule that matches the request in one of its environments, by name.
    pub criteria: Vec<Weighed>,
    /// The names of the report's metrics that no such criterion reads.
    pub unasked: BTreeSet<String>,
}

/// Weighs a report of `kind` for a request.
pub fn weigh(policy: &Policy, request: &GateRequest, kind: &Name, report: &Report) -> Weight {
    let change = Change::of(policy, request);
    let mut criteria: BTreeMap<&Label, &Criterion> = BTreeMap::new();
    for rule in &policy.rules {
        let matches = |environment| change.matches(&rule.when, &request.gate.system, environment);
        if request.environments.iter().any(matches) {
            let on_kind = rule.criteria.iter().filter(|criterion| criterion.evidence == *kind);
            criteria.extend(on_kind.map(|criterion| (&criterion.name, criterion)));
        }
    }
    let mut unasked: BTreeSet<String> = report.metrics.keys().chain(report.mapped.keys()).cloned().collect();
    for criterion in criteria.values() {
        unasked.retain(|name| !reads(criterion, name));
    }
    let criteria = criteria.into_values().map(|criterion| weigh_one(criterion, report)).collect();
    Weight { criteria, unasked }
}

fn weigh_one(criterion: &Criterion, report: &Report) -> Weighed {
    let subject = match &criterion.subject {
        Subject::Metric(name) => name.quoted(),
        Subject::Spread(_) => "spread".to_owned(),
        Subject::Ratio(_) => "ratio".to_owned(),
    };
    let (status, found) = match measure(criterion, report) {
        Measured::Absent(reason) => (Status::Missing, reason.unwrap_or_else(|| absent(criterion, report))),
        Measured::Bad(reason) => (Status::Failed, reason),
        Measured::Good(measurement) => {
            let mut wrong = broken(criterion, &measurement);
            if !bounds_something(criterion) {
                wrong.push("the criterion bounds nothing".to_owned());
            }
            let status = match (wrong.is_empty(), &criterion.compare) {
                (false, _) => Status::Failed,
                (true, None) => Status::Met,
                (true, Some(_)) => {
                    wrong.push("what is deployed is looked at when the gate is judged".to_owned());
                    Status::Missing
                }
            };
            let why = if wrong.is_empty() { String::new() } else { format!(": {}", wrong.join(", ")) };
            (status, format!("{}{why}", measurement.words))
        }
    };
    let expected = format!("{subject} {}", expected(criterion));
    Weighed { criterion: criterion.name.clone(), status, expected, found }
}

/// Why a report does not have what a criterion reads, with the name that is nearest.
fn absent(criterion: &Criterion, report: &Report) -> String {
    match &criterion.subject {
        Subject::Metric(name) => match report.lookup(name) {
            Ok(_) => "the report does not have it".to_owned(),
            Err(lookup) => lookup.to_string(),
        },
        Subject::Spread(group) | Subject::Ratio(group) => match report.matching(&group.metrics) {
            Err(lookup) => lookup.to_string(),
            Ok(_) => Lookup::Missing { nearest: None }.to_string(),
        },
    }
}

fn reads(criterion: &Criterion, metric: &str) -> bool {
    match &criterion.subject {
        Subject::Metric(name) => name == metric,
        Subject::Spread(group) | Subject::Ratio(group) => {
            group.metrics.iter().any(|glob| glob.matches(metric))
        }
    }
}
