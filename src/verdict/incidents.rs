//! Incidents that are open with this version in this environment.

use super::case::Case;
use super::text::Words;
use super::{By, Requirement, RequirementId, Status};

/// One line for each open incident.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    let open = case.facts.incidents.iter().filter(|incident| incident.open);
    open.map(|incident| {
        let what = &incident.incident;
        let found = format!("open since {}, {}: {}", what.detected, what.severity, what.summary.quoted());
        Requirement::new(
            RequirementId::Incident(incident.id.clone()),
            Status::Failed,
            "no open incident",
            found,
        )
        .by(vec![By { commit: incident.opened, principal: None }])
        .next(Vec::new(), format!("set `resolved` in `incidents/{}.toml`, signed", incident.id))
    })
    .collect()
}
