//! Whether the gate stands on the mainline (`gate:recorded`), is open (`gate:open`) and may go to this environment.

use super::case::Case;
use super::text::Words;
use super::{By, Requirement, RequirementId, Standing, Status};
use crate::decision::Verb;
use crate::model::ObjectId;

/// `gate:recorded`: always listed.
pub(super) fn recorded(case: &Case<'_>) -> Requirement {
    let gate = &case.facts.gate;
    let commit = |commit: &ObjectId| vec![By { commit: *commit, principal: None }];
    let line = |status, found: String| {
        Requirement::new(RequirementId::GateRecorded, status, "the gate directory on the mainline", found)
    };
    match &case.facts.standing {
        Standing::Recorded(content) => {
            let by =
                content.changed_by.iter().map(|commit| By { commit: *commit, principal: None }).collect();
            line(Status::Met, format!("{} stands there", gate.directory().quoted())).by(by)
        }
        Standing::OnBranch(tip) => {
            line(Status::Missing, format!("only branch {} holds it", gate.branch().quoted()))
                .by(commit(tip))
                .next(Vec::new(), format!("git gate merge {gate}"))
        }
        Standing::Absent => line(Status::Failed, "nothing of it is known".into())
            .next(Vec::new(), format!("git gate open {gate}")),
        Standing::Removed(by) => line(Status::Failed, format!("{} removed it from the mainline", by.short()))
            .by(commit(by))
            .next(Vec::new(), "open a new version: `git gate open <gate>`"),
        Standing::BeforeRoot => line(Status::Failed, "it was opened before the trust root".into())
            .next(Vec::new(), "open a new version: `git gate open <gate>`"),
    }
}

/// `gate:open`: listed where the gate was closed. Nothing opens it again.
pub(super) fn open(case: &Case<'_>) -> Option<Requirement> {
    let closes: Vec<By> = case
        .decisions
        .iter()
        .filter(|decision| decision.fact.verb == Some(Verb::Close) && decision.counts())
        .map(|decision| By { commit: decision.fact.commit, principal: decision.fact.principal.clone() })
        .collect();
    (!closes.is_empty()).then(|| {
        Requirement::new(
            RequirementId::GateOpen,
            Status::Failed,
            "a gate that nobody closed",
            "it is closed for good",
        )
        .by(closes)
        .next(Vec::new(), "open a new version: `git gate open <gate>`")
    })
}

/// `environment:<name>`: listed where the policy or the request does not name it.
pub(super) fn environment(case: &Case<'_>) -> Option<Requirement> {
    let name = &case.facts.environment;
    let (found, mend) = if case.environment().is_none() {
        ("the policy does not name it", "add it to the policy, by a policy change")
    } else if case.request.is_some_and(|request| !request.environments.contains(name)) {
        ("the request does not name it", "add it to `environments` of the request, under review")
    } else {
        return None;
    };
    let id = RequirementId::Environment(name.clone());
    let line = Requirement::new(id, Status::Failed, "an environment that policy and request name", found);
    Some(line.next(Vec::new(), mend))
}
