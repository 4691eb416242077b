//! What each threshold of a criterion would have caught, and what it would have stopped for nothing.
//!
//! Over the gates that ran: each with the number that the bound was held against at its moment, under the policy in force now
//! (R12.8). Pure; who asks brings the numbers. What lay beyond the present bound did not run, so nothing here can ever say that
//! a bound should be looser.

mod between;
mod cuts;
#[cfg(test)]
mod tests;

pub use cuts::{Cut, Suggested, Suggestion};

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{IncidentId, Label, Name};
use crate::policy::{Criterion, Policy, Subject};
use crate::verdict::{Dial, Facts, RequirementId, Verdict, readings};

/// One bound of one criterion.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The criterion.
    pub criterion: Label,
    /// The rules that have it.
    pub rules: BTreeSet<Label>,
    /// The kind of evidence that it reads.
    pub evidence: Name,
    /// The metric; `spread` or `ratio` over several.
    pub metric: String,
    /// Which bound.
    pub dial: Dial,
    /// What it is set to.
    pub present: f64,
    /// The incidents that the policy says it came from.
    pub origin: Option<String>,
    /// Gates that ran, to which it applies, and of which there is no number.
    pub unread: u64,
    values: Vec<Measured>,
}

/// A number of a gate that ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// The incidents that the gate led to.
    pub incidents: BTreeSet<IncidentId>,
}

/// How numbers are spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The least, the quartiles and the greatest, by nearest rank; nothing: there are none.
    pub five: Option<[f64; 5]>,
}

/// Every bound of a policy's criteria.
#[derive(Debug, Clone, Default)]
pub struct Tuning {
    tuned: BTreeMap<(Label, Dial), Tuned>,
    /// Gates and environments that ran.
    pub ran: u64,
    /// Of these, those that led to an incident.
    pub led: u64,
}

impl Tuning {
    /// The bounds that a policy sets: of the criterion or metric of that name, or all.
    pub fn of(policy: &Policy, wanted: Option<&str>) -> Self {
        let mut tuning = Self::default();
        for rule in &policy.rules {
            for criterion in rule.criteria.iter().filter(|one| wanted.is_none_or(|name| is_named(one, name)))
            {
                for dial in Dial::ALL {
                    let Some(present) = dial.of(criterion) else { continue };
                    let key = (criterion.name.clone(), dial);
                    let tuned =
                        tuning.tuned.entry(key).or_insert_with(|| Tuned::new(criterion, dial, present));
                    tuned.rules.insert(rule.name.clone());
                }
            }
        }
        tuning
    }

    /// Whether no bound is looked at.
    pub fn is_empty(&self) -> bool {
        self.tuned.is_empty()
    }

    /// Adds a gate that ran, as it was judged then, with the incidents that it led to.
    pub fn add_gate(&mut self, facts: &Facts, verdict: &Verdict, incidents: &BTreeSet<IncidentId>) {
        let criteria = verdict.requirements.iter().filter_map(|line| {
            if let RequirementId::Criterion(name) = &line.id { Some(name.clone()) } else { None }
        });
        self.add(&readings(facts), &criteria.collect(), incidents);
    }

    /// The same: its numbers, the criteria on its checklist, the incidents that it led to.
    pub(super) fn add(
        &mut self,
        readings: &BTreeMap<(Label, Dial), f64>,
        asked: &BTreeSet<Label>,
        incidents: &BTreeSet<IncidentId>,
    ) {
        self.ran += 1;
        self.led += u64::from(!incidents.is_empty());
        for (key, tuned) in &mut self.tuned {
            match readings.get(key).filter(|value| value.is_finite()) {
                // No negative zero.
                Some(value) => {
                    tuned.values.push(Measured { value: *value + 0.0, incidents: incidents.clone() });
                }
                None => tuned.unread += u64::from(asked.contains(&key.0)),
            }
        }
    }

    /// Adds what was measured of other gates, which come after these, against the same bounds.
    pub fn join(&mut self, other: Self) {
        self.ran += other.ran;
        self.led += other.led;
        for (key, more) in other.tuned {
            if let Some(tuned) = self.tuned.get_mut(&key) {
                tuned.unread += more.unread;
                tuned.values.extend(more.values);
            }
        }
    }

    /// The bounds, by criterion.
    pub fn bounds(&self) -> impl Iterator<Item = &Tuned> {
        self.tuned.values()
    }
}

fn is_named(criterion: &Criterion, name: &str) -> bool {
    criterion.name.as_str() == name || metric(criterion) == name
}

fn metric(criterion: &Criterion) -> &str {
    match &criterion.subject {
        Subject::Metric(name) => name,
        Subject::Spread(_) => "spread",
        Subject::Ratio(_) => "ratio",
    }
}

/// The names by which a bound of a policy can be asked for: metrics and criteria.
pub fn names(policy: &Policy) -> BTreeSet<String> {
    let criteria = policy.rules.iter().flat_map(|rule| &rule.criteria);
    criteria.flat_map(|criterion| [metric(criterion).to_owned(), criterion.name.to_string()]).collect()
}

impl Tuned {
    fn new(criterion: &Criterion, dial: Dial, present: f64) -> Self {
        Self {
            criterion: criterion.name.clone(),
            rules: BTreeSet::new(),
            evidence: criterion.evidence.clone(),
            metric: metric(criterion).to_owned(),
            dial,
            present: present + 0.0,
            origin: criterion.origin.clone(),
            unread: 0,
            values: Vec::new(),
        }
    }

    /// How the numbers of gates that led to incidents are spread, or of those that did not.
    pub fn spread(&self, led: bool) -> Spread {
        let values = self.values.iter().filter(|one| one.incidents.is_empty() != led);
        let mut sorted: Vec<f64> = values.map(|one| one.value).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quarter: usize| {
            let rank = (sorted.len() * quarter).div_ceil(4).max(1);
            sorted.get(rank - 1).copied()
        };
        let five: Option<Vec<f64>> = (0..=4).map(at).collect();
        let five = five.and_then(|five| <[f64; 5]>::try_from(five).ok());
        Spread { count: sorted.len(), five }
    }
}
