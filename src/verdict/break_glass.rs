//! Break-glass: deployments that were not allowed, until they are covered.
//!
//! A deployer's record whose replay is not allowed, that is out of chain, or that says so itself is a break-glass,
//! whatever it claims, also when its key was revoked since or it is said to have failed. It is covered from the first
//! step at which a cover for it was in force, whatever stands there later (design, section 10).

use std::sync::Arc;

use super::ancestry::Ancestry;
use super::case::{Case, notice};
use super::exceptions::{accepted, not_expired, readable};
use super::fill::People;
use super::text::list;
use super::{By, CoverMoment, DecisionFact, Notice, RecordFact, Replay, Requirement, RequirementId, Status};
use crate::decision::{ClaimedBasis, Verb};
use crate::model::Name;
use crate::request::Exception;

/// `integrity:break-glass`: always shown; failed while a break-glass of this system here is uncovered for longer than
/// the policy's review takes.
pub(super) fn requirement(case: &Case<'_>) -> Requirement {
    let overdue: Vec<_> = uncovered(case).filter(|(record, _)| is_overdue(case, record)).collect();
    let id = RequirementId::IntegrityBreakGlass;
    let expected = "every break-glass deployment covered in time";
    if overdue.is_empty() {
        return Requirement::new(id, Status::Met, expected, "none is overdue");
    }
    let found = overdue.iter().map(|(record, why)| words(case, record, why)).collect::<Vec<_>>().join("; ");
    let by = overdue
        .iter()
        .map(|(record, _)| By { commit: record.commit, principal: record.principal.clone() })
        .collect();
    let mends: Vec<String> = overdue
        .iter()
        .map(|(record, _)| format!("git gate except {} --record {}", record.gate, record.commit))
        .collect();
    let line = Requirement::new(id, Status::Failed, expected, found).by(by);
    line.next(Vec::new(), mends.join("; "))
}

/// A notice for each that is uncovered and not overdue yet.
pub(super) fn notices(case: &Case<'_>) -> Vec<Notice> {
    uncovered(case)
        .filter(|(record, _)| !is_overdue(case, record))
        .map(|(record, why)| notice("break-glass-uncovered", words(case, record, &why)))
        .collect()
}

/// Whether a record is a break-glass, and if it is, why it is not covered (nothing: it is).
pub fn break_glass(record: &RecordFact, environment: &Name) -> (bool, Option<String>) {
    let is_one = is_break_glass(record);
    let debt = if is_one { covered(record, environment).err() } else { None };
    (is_one, debt)
}

fn words(case: &Case<'_>, record: &RecordFact, why: &str) -> String {
    let old = case.clock.ago(record.time);
    format!("{} of {}, {old} ago: {why}", record.commit.short(), record.gate)
}

fn uncovered<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a RecordFact, String)> {
    let environment = &case.facts.environment;
    case.facts
        .records
        .iter()
        .map(Arc::as_ref)
        .filter(|record| is_break_glass(record))
        .filter_map(move |record| covered(record, environment).err().map(|why| (record, why)))
}

fn is_overdue(case: &Case<'_>, record: &RecordFact) -> bool {
    case.policy
        .exceptions
        .break_glass_review
        .is_none_or(|review| case.clock.is_longer_ago(record.time, review))
}

/// Whether `record` is a deployment that was not allowed.
pub(super) fn is_break_glass(record: &RecordFact) -> bool {
    let not_allowed = match &record.replay {
        Replay::NotAllowed(_) => true,
        Replay::Allowed { .. } | Replay::NotReplayable(_) => false,
    };
    record.by_deployer && (not_allowed || record.out_of_chain || record.claimed == ClaimedBasis::BreakGlass)
}

/// Whether at some step a cover of `record` was in force; why the last one was not, else.
pub(super) fn covered(record: &RecordFact, environment: &Name) -> Result<(), String> {
    let mut why = "no cover stands".to_owned();
    for moment in &record.covers {
        match covers(record, moment, environment) {
            Ok(()) => return Ok(()),
            Err(reason) => why = format!("its cover is not in force: {reason}"),
        }
    }
    Err(why)
}

fn covers(record: &RecordFact, moment: &CoverMoment, environment: &Name) -> Result<(), String> {
    fit(record, moment, environment)?;
    accepted(&moment.policy, &acceptors(record, moment, environment)).map(|_who| ())
}

/// The cover, where it would be in force once it is accepted; else why not.
pub(super) fn fit<'m>(
    record: &RecordFact,
    moment: &'m CoverMoment,
    environment: &Name,
) -> Result<&'m Exception, String> {
    let exception = readable(&moment.exception)?;
    if exception.gate != record.gate {
        return Err(format!("it names gate `{}`", exception.gate));
    }
    if !exception.environments.contains(environment) {
        return Err(format!("it is not for `{environment}`"));
    }
    if let Replay::NotAllowed(unmet) = &record.replay {
        let unmet = unmet.iter().map(ToString::to_string);
        let unnamed: Vec<String> = unmet.filter(|id| !exception.waives.contains(id)).collect();
        if !unnamed.is_empty() {
            return Err(format!("its `waives` does not name {}", list(unnamed)));
        }
    }
    if let Some(expires) = exception.expires {
        not_expired(
            moment.exception.since,
            expires,
            moment.policy.exceptions.max_duration,
            expires <= moment.time,
        )?;
    }
    Ok(exception)
}

/// Those whose acceptance of the cover counted at that step, by role.
pub(super) fn acceptors(record: &RecordFact, moment: &CoverMoment, environment: &Name) -> People {
    let ancestry = Ancestry::of(&moment.decisions);
    let mut people = People::new();
    for (place, decision) in moment.decisions.iter().enumerate() {
        if accepts(record, moment, decision)
            && ancestry.taken_back(place, environment).is_none()
            && let (Some(role), Some(person)) = (&decision.role, &decision.principal)
        {
            people.entry(role.clone()).or_default().insert(person.clone());
        }
    }
    people
}

fn accepts(record: &RecordFact, moment: &CoverMoment, decision: &DecisionFact) -> bool {
    decision.verb == Some(Verb::AcceptRisk)
        && decision.defects.is_empty()
        && decision.recorded_at.is_some()
        && decision.record == Some(record.commit)
        && decision.content == Some(moment.exception.content)
        && decision.gate_content == moment.gate_content
        && decision.principal.as_ref().is_some_and(|person| {
            !moment.policy.bots.contains(person)
                && !moment.gate_authors.contains(person)
                && !moment.exception.authors.contains(person)
        })
}
