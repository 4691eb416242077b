//! Who was decided after what: ancestry alone orders a person's decisions (design, section 8).
//!
//! Recording a decision late moves it nowhere. A copy of a decision (same payload, same key, re-encoded) is the first
//! one seen: what descends from either descends from both, and the copy itself takes nothing back.

use std::collections::BTreeSet;

use super::DecisionFact;
use super::text::Words;
use crate::decision::Verb;
use crate::model::{Code, Name};

/// The decisions on one gate, and which descends from which.
pub(super) struct Ancestry<'a> {
    decisions: &'a [DecisionFact],
    ancestors: Vec<BTreeSet<usize>>,
}

/// How one decision lies to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Before,
    After,
    Neither,
}

impl<'a> Ancestry<'a> {
    pub(super) fn of(decisions: &'a [DecisionFact]) -> Self {
        let first_seen = |place: &usize| decisions.get(*place).and_then(|decision| decision.duplicate_of);
        let ancestors = decisions
            .iter()
            .map(|decision| {
                let firsts = decision.ancestors.iter().filter_map(first_seen);
                decision.ancestors.iter().copied().chain(firsts).collect()
            })
            .collect();
        Self { decisions, ancestors }
    }

    /// Whether the decision at `later` descends from the one at `earlier`.
    pub(super) fn descends(&self, later: usize, earlier: usize) -> bool {
        self.ancestors.get(later).is_some_and(|ancestors| ancestors.contains(&earlier))
    }

    /// The other decisions of the one who made that at `place`, copies left out, with their places.
    pub(super) fn others_of_signer(&self, place: usize) -> impl Iterator<Item = (usize, &'a DecisionFact)> {
        let decisions: &'a [DecisionFact] = self.decisions;
        let signer = decisions.get(place).and_then(|decision| decision.principal.as_ref());
        decisions.iter().enumerate().filter(move |(other, decision)| {
            *other != place
                && signer.is_some()
                && decision.principal.as_ref() == signer
                && !decision.defects.contains_key(&Code::Duplicate)
        })
    }

    /// Why the approval or acceptance at `place` was taken back or, for `environment`, replaced; nothing: it was not.
    ///
    /// What takes back needs less than what replaces: a withdrawal whose signature counts, a rejection that blocks; but
    /// only an approval without any defect, recorded by a step, replaces one (design, sections 2.8 and 8).
    pub(super) fn taken_back(&self, place: usize, environment: &Name) -> Option<String> {
        let decision = self.decisions.get(place)?;
        self.others_of_signer(place)
            .filter_map(|(other, fact)| {
                let order = self.order(place, other);
                let words = match fact.verb? {
                    Verb::Withdraw if takes_effect(fact) => undone("withdrawn", "withdrawal", order, fact)?,
                    Verb::Reject if takes_effect(fact) => undone("taken back", "rejection", order, fact)?,
                    Verb::Approve
                        if order == Order::Before
                            && decision.verb == Some(Verb::Approve)
                            && replaces(fact, decision, environment) =>
                    {
                        format!("replaced by approval {}", fact.commit.short())
                    }
                    Verb::Approve
                    | Verb::Reject
                    | Verb::Withdraw
                    | Verb::Close
                    | Verb::AcceptRisk
                    | Verb::Deploy
                    | Verb::DeployFailed => return None,
                };
                Some((fact.commit, words))
            })
            .min()
            .map(|(_, words)| words)
    }

    fn order(&self, place: usize, other: usize) -> Order {
        if self.descends(other, place) {
            Order::Before
        } else if self.descends(place, other) {
            Order::After
        } else {
            Order::Neither
        }
    }
}

/// Whether a rejection, close or withdrawal has its effect: nothing is wrong with it, or it restricts all the same. A
/// copy has none of its own.
pub(super) fn takes_effect(decision: &DecisionFact) -> bool {
    decision.principal.is_some()
        && !decision.defects.contains_key(&Code::Duplicate)
        && (decision.restricts || decision.defects.is_empty())
}

/// Whether `decision` is for all environments, or for `environment` among others.
pub(super) fn covers(decision: &DecisionFact, environment: &Name) -> bool {
    decision.environments.is_empty() || decision.environments.contains(environment)
}

fn replaces(later: &DecisionFact, earlier: &DecisionFact, environment: &Name) -> bool {
    later.defects.is_empty()
        && later.recorded_at.is_some()
        && later.role == earlier.role
        && covers(later, environment)
}

fn undone(done: &str, by: &str, order: Order, fact: &DecisionFact) -> Option<String> {
    let commit = fact.commit.short();
    let reason = fact.reason.as_ref().map(|reason| format!(" ({})", reason.quoted())).unwrap_or_default();
    match order {
        Order::Before => Some(format!("{done} by {by} {commit}{reason}")),
        Order::Neither => Some(format!(
            "the same person's {by} {commit}{reason} neither descends from it nor it from that: then it does not count"
        )),
        Order::After => None,
    }
}
