//! Freezes: times in which nothing that matches is deployed, from the first second to before the last.

use super::case::Case;
use super::{Requirement, RequirementId, Status};

/// One line for each freeze that holds now.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    let Some(change) = &case.change else { return Vec::new() };
    let facts = case.facts;
    let holds = case.policy.freezes.iter().filter(|freeze| {
        case.clock.has_come(freeze.from)
            && !case.clock.has_come(freeze.until)
            && change.matches(&freeze.when, &facts.gate.system, &facts.environment)
    });
    holds
        .map(|freeze| {
            let found = format!("frozen from {} until {}", freeze.from, freeze.until);
            Requirement::new(RequirementId::Freeze(freeze.name.clone()), Status::Failed, "no freeze", found)
                .next(Vec::new(), format!("wait until {}", freeze.until))
        })
        .collect()
}
