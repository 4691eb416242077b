//! Other gates that this one requires in the same environment.

use super::case::Case;
use super::{RequiredFact, Requirement, RequirementId, Status};

/// One line for each required gate.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    let required = case.request.into_iter().flat_map(|request| &request.requires);
    required
        .map(|gate| {
            let known = if *gate == case.facts.gate {
                Some(&RequiredFact::Cycle)
            } else {
                case.facts.required.get(gate)
            };
            let (status, found) = match known {
                Some(RequiredFact::Allowed) => (Status::Met, "it is allowed there"),
                Some(RequiredFact::Running) => (Status::Met, "it runs there"),
                Some(RequiredFact::Pending) => (Status::Missing, "it is pending there"),
                Some(RequiredFact::Blocked) => (Status::Failed, "it is blocked there"),
                Some(RequiredFact::Cycle) => {
                    (Status::Failed, "it requires this gate in turn, or too many others")
                }
                None => (Status::Missing, "nothing is known of it"),
            };
            let id = RequirementId::Requires(gate.clone());
            Requirement::new(id, status, "allowed or running in the same environment", found)
                .next(Vec::new(), format!("git gate check {gate} --env {}", case.facts.environment))
        })
        .collect()
}
