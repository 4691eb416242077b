//! Rollback: a version that ran here before may return, on the strength of its own record.
//!
//! It passes over evidence, criterion, approval, `requires`, freeze and break-glass requirements, shown as they are, and
//! over nothing else (design, section 10). `Gate-Basis` is a claim: only the replay says what a record was worth.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::case::Case;
use super::{Basis, Given, RecordFact, Replay, Requirement, RequirementId, Status};
use crate::model::{ArtifactDigest, ArtifactName, Time};

/// Whether a rollback takes the place of `requirements` that are neither met nor waived, as far as those go.
pub(super) fn passes_over(requirements: &[Requirement]) -> bool {
    requirements.iter().all(|requirement| match requirement.status {
        Status::Met | Status::Waived => true,
        Status::Missing | Status::Stale | Status::Failed => is_passed_over(&requirement.id),
    })
}

fn is_passed_over(id: &RequirementId) -> bool {
    match id {
        RequirementId::Evidence(_)
        | RequirementId::Criterion(_)
        | RequirementId::Approval(_)
        | RequirementId::Requires(_)
        | RequirementId::Freeze(_)
        | RequirementId::IntegrityBreakGlass => true,
        RequirementId::GateRecorded
        | RequirementId::GateOpen
        | RequirementId::IntegrityContent
        | RequirementId::IntegrityAuthors
        | RequirementId::Environment(_)
        | RequirementId::RulesNone
        | RequirementId::Artifact(_)
        | RequirementId::Rejection(_)
        | RequirementId::Incident(_) => false,
    }
}

/// The record that supports a return of what stands; why none does, where the version was logged here at all.
pub(super) fn support<'a>(case: &Case<'a>) -> Result<&'a RecordFact, Option<String>> {
    let own: Vec<&RecordFact> =
        case.facts.records.iter().map(Arc::as_ref).filter(|record| record.gate == case.facts.gate).collect();
    let Some(newest) = own.last() else { return Err(None) };
    let window = case.environment().and_then(|environment| environment.rollback_window);
    let Some(window) = window else {
        return Err(Some("the environment sets no `rollback_window`".into()));
    };
    match last_ran(case) {
        None => return Err(Some("no record of it here is allowed when judged again".into())),
        Some(LastRan::Until(end)) if case.clock.is_longer_ago(end, window) => {
            let ago = case.clock.ago(end);
            return Err(Some(format!("it last ran {ago} ago, at most {window} counts")));
        }
        Some(LastRan::Until(_) | LastRan::Still) => {}
    }
    // The newest that supports; where none does, the reason of the newest.
    own.iter()
        .rev()
        .find(|record| supports(case, record).is_ok())
        .copied()
        .ok_or_else(|| supports(case, newest).err())
}

fn supports(case: &Case<'_>, record: &RecordFact) -> Result<(), String> {
    let commit = record.commit.short();
    if let Some(defect) = &record.defect {
        return Err(format!("record {commit} does not count: {defect}"));
    }
    if record.failed {
        return Err(format!("record {commit} is said to have failed"));
    }
    if Some(record.content) != case.digest() {
        return Err(format!("record {commit} is of other content"));
    }
    if !same_artifacts(case, &record.artifacts) {
        return Err(format!("record {commit} is of other artifacts"));
    }
    if let Some(incident) = record.unseen_incidents.first() {
        return Err(format!("record {commit} is from before incident `{incident}`"));
    }
    match &record.replay {
        Replay::Allowed { basis: Basis::Requirements, supports: true, .. } => Ok(()),
        Replay::Allowed { basis: Basis::Exception, supports: true, exception_expires: Some(expires) }
            if !case.clock.has_come(*expires) =>
        {
            Ok(())
        }
        Replay::Allowed { basis: Basis::Exception, supports: true, .. } => {
            Err(format!("record {commit} rests on an exception that is no longer in force"))
        }
        Replay::Allowed { basis: Basis::Rollback, .. } => {
            Err(format!("record {commit} is itself of a rollback: an earlier one must support it"))
        }
        Replay::Allowed { supports: false, .. } => {
            Err(format!("record {commit} is no longer allowed with what was revoked or withdrawn since"))
        }
        Replay::NotAllowed(_) => Err(format!("record {commit} was not allowed")),
        Replay::NotReplayable(reason) => Err(format!("record {commit} cannot be judged again: {reason}")),
    }
}

/// Whether the record is of the artifacts asked about: those that are given, or else those that the gate lists.
///
/// Where the environment does not require artifacts a record may name only some, and so may the caller: what both name
/// must agree. All of them are those of the gate, or its own `artifact:` line fails, here and in the replay.
fn same_artifacts(case: &Case<'_>, logged: &BTreeMap<ArtifactName, ArtifactDigest>) -> bool {
    let required = case.environment().is_some_and(|environment| environment.artifacts_required);
    let agrees = |name: &ArtifactName, digest: &ArtifactDigest| match logged.get(name) {
        Some(found) => found == digest,
        None => !required,
    };
    match &case.facts.given {
        Given::Artifacts(given) => given.iter().all(|(name, digest)| agrees(name, digest)),
        Given::NotAsked => case.request.is_some_and(|request| {
            request.artifacts.iter().all(|(name, listed)| agrees(name, &listed.digest))
        }),
    }
}

/// When something last ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LastRan {
    /// Until then.
    Until(Time),
    /// It runs.
    Still,
}

/// When the content that stands last ran here.
///
/// A record that counts runs from its time until that of the next record that counts and is of another version or
/// content, or whose own replay is not allowed; else until now. Only runs by a record whose own replay is allowed
/// count, on whatever basis. A record said to have failed ran nothing, and yet ends the run before it: a failure makes
/// no older version fresher.
fn last_ran(case: &Case<'_>) -> Option<LastRan> {
    let counting: Vec<&RecordFact> =
        case.facts.records.iter().map(Arc::as_ref).filter(|record| record.defect.is_none()).collect();
    let is_own_run = |record: &RecordFact| {
        let allowed = match &record.replay {
            Replay::Allowed { .. } => true,
            Replay::NotAllowed(_) | Replay::NotReplayable(_) => false,
        };
        allowed && !record.failed && record.gate == case.facts.gate && Some(record.content) == case.digest()
    };
    let mut last = None;
    for (place, record) in counting.iter().enumerate() {
        if is_own_run(record) {
            let ended = counting.iter().skip(place + 1).find(|later| !is_own_run(later));
            last = last.max(Some(ended.map_or(LastRan::Still, |later| LastRan::Until(later.time))));
        }
    }
    last
}
