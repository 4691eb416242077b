//! Who is asked to accept a risk: of an exception or a cover that lacks acceptances, and nothing else.
//!
//! By the rules that say whether one is in force: what could not hold anyway asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::fill::{People, asked, fill, open};
use super::{ExceptionFact, Facts, break_glass, exceptions};
use crate::model::{Name, ObjectId, Principal, Time};
use crate::policy::Policy;
use crate::request::Exception;

/// An exception or a cover that awaits acceptances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptances {
    /// The record that it covers; nothing: it is the gate's exception.
    pub record: Option<ObjectId>,
    /// What it passes over.
    pub waives: BTreeSet<String>,
    /// Since when it stands as it does.
    pub since: Time,
    /// The roles that are asked still, with who could accept in each.
    pub roles: BTreeMap<Name, BTreeSet<Principal>>,
}

/// Those of one gate in one environment: its exception, then the covers of its uncovered records.
pub fn acceptances(facts: &Facts) -> Vec<Acceptances> {
    let case = Case::of(facts);
    let exception = facts.exception.as_ref().and_then(|fact| {
        let exception = exceptions::fit(&case, fact).ok()?;
        let authors = case.content.map(|content| &content.authors);
        missing(case.policy, fact, exception, authors, &exceptions::acceptors(&case), None)
    });
    let own = facts.records.iter().filter(|record| record.gate == facts.gate);
    let uncovered = own.filter(|record| break_glass(record, &facts.environment).1.is_some());
    let covers = uncovered.filter_map(|record| {
        let moment = record.covers.last()?;
        let exception = break_glass::fit(record, moment, &facts.environment).ok()?;
        let people = break_glass::acceptors(record, moment, &facts.environment);
        let authors = Some(&moment.gate_authors);
        missing(&moment.policy, &moment.exception, exception, authors, &people, Some(record.commit))
    });
    exception.into_iter().chain(covers).collect()
}

/// What is missing still, if anything is and somebody could give it.
fn missing(
    policy: &Policy,
    fact: &ExceptionFact,
    exception: &Exception,
    gate_authors: Option<&BTreeSet<Principal>>,
    accepted: &People,
    record: Option<ObjectId>,
) -> Option<Acceptances> {
    let asked = asked(&policy.exceptions.approvals);
    let filled = fill(&asked, accepted);
    let placed: BTreeSet<&Principal> = filled.values().flatten().collect();
    let may = |person: &&Principal| {
        !placed.contains(person)
            && !fact.authors.contains(person)
            && !gate_authors.is_some_and(|authors| authors.contains(person))
    };
    let roles: BTreeMap<Name, BTreeSet<Principal>> = open(&asked, &filled)
        .into_keys()
        .map(|role| {
            let who = policy.role_holders(&role).filter(may).cloned().collect();
            (role, who)
        })
        .collect();
    let waives = exception.waives.clone();
    (!roles.is_empty()).then_some(Acceptances { record, waives, since: fact.since, roles })
}
