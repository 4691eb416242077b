//! Artifacts: what the caller is about to deploy must be what the gate lists, by digest.

use std::collections::BTreeMap;

use super::case::Case;
use super::{Given, Requirement, RequirementId, Status};
use crate::model::{ArtifactDigest, ArtifactName};
use crate::request::{Artifact, GateRequest};

/// One line for each artifact that is given or must be, and one for a gate that lists none where they are required.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    let Some(request) = case.request else { return Vec::new() };
    let required = case.environment().is_some_and(|environment| environment.artifacts_required);
    let mut lines = Vec::new();
    if required && request.artifacts.is_empty() {
        let id = RequirementId::Artifact(None);
        lines.push(
            Requirement::new(id, Status::Failed, "artifacts, listed by digest", "the gate lists none")
                .next(Vec::new(), format!("git gate artifact {} <name> <path>", case.facts.gate)),
        );
    }
    match &case.facts.given {
        Given::NotAsked => {}
        Given::Artifacts(given) => lines.extend(compared(case, request, given, required)),
    }
    lines
}

fn compared(
    case: &Case<'_>,
    request: &GateRequest,
    given: &BTreeMap<ArtifactName, ArtifactDigest>,
    required: bool,
) -> Vec<Requirement> {
    let listed = request.artifacts.iter().filter_map(|(name, Artifact { digest, .. })| {
        let id = RequirementId::Artifact(Some(name.clone()));
        let line = |status, found: &str| Requirement::new(id, status, digest.as_str(), found);
        match given.get(name) {
            Some(found) if found == digest => Some(line(Status::Met, found.as_str())),
            Some(found) => Some(line(Status::Failed, found.as_str())),
            None if required => Some(line(Status::Missing, "not given")),
            None => None,
        }
        .map(|line| {
            let command = format!(
                "git gate check {} --env {} --artifact {name}=<path>",
                case.facts.gate, case.facts.environment
            );
            line.next(Vec::new(), command)
        })
    });
    let unlisted = given.iter().filter(|(name, _)| !request.artifacts.contains_key(name));
    let unlisted = unlisted.map(|(name, digest)| {
        let id = RequirementId::Artifact(Some(name.clone()));
        Requirement::new(id, Status::Failed, "an artifact that the gate lists", digest.as_str())
            .next(Vec::new(), format!("git gate artifact {} {name} <path>", case.facts.gate))
    });
    listed.chain(unlisted).collect()
}
