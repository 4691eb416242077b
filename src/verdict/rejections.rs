//! Rejections: each blocks whenever its content stands, until its own signer ends it.
//!
//! A rejection belongs to its content (design, section 8): content that goes back to what was rejected is blocked
//! again. Nobody else ends it, and only in a commit that descends from it.

use std::collections::BTreeMap;

use super::ancestry::{Ancestry, covers};
use super::case::Case;
use super::decisions::Judged;
use super::text::Words;
use super::{By, Requirement, RequirementId, Status};
use crate::decision::Verb;
use crate::model::{Code, Name, Principal};

/// One line for each person whose rejection of what stands is not ended.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    let mut by_person: BTreeMap<&Principal, Vec<&Judged<'_>>> = BTreeMap::new();
    for decision in &case.decisions {
        if decision.fact.verb == Some(Verb::Reject)
            && decision.counts()
            && let Some(person) = &decision.fact.principal
        {
            by_person.entry(person).or_default().push(decision);
        }
    }
    by_person.into_iter().map(|(person, rejections)| line(case, person, rejections)).collect()
}

fn line(case: &Case<'_>, person: &Principal, mut rejections: Vec<&Judged<'_>>) -> Requirement {
    rejections.sort_by_key(|rejection| rejection.fact.commit);
    let words: Vec<String> = rejections
        .iter()
        .map(|rejection| {
            let reason =
                rejection.fact.reason.as_ref().map_or("no reason that reads".to_owned(), Name::quoted);
            let role = rejection.fact.role.as_ref().map_or("no role that reads".to_owned(), Name::quoted);
            let unrecorded = if rejection.fact.recorded_at.is_none() { ", beyond the last step" } else { "" };
            format!("rejected for {reason} as {role}{unrecorded}")
        })
        .collect();
    let by = rejections
        .iter()
        .map(|rejection| By { commit: rejection.fact.commit, principal: Some(person.clone()) })
        .collect();
    Requirement::new(
        RequirementId::Rejection(person.clone()),
        Status::Failed,
        "nobody rejects this content",
        words.join("; "),
    )
    .by(by)
    .next(vec![person.clone()], format!("git gate withdraw {}", case.facts.gate))
}

/// Why the rejection at `place` is ended for `environment`; nothing: it stands.
///
/// Its signer ends it in a descendant: by a withdrawal with no defect at all, or by approving that same content in that
/// same role, when that approval counts or would but for its age or an incident. Either must be recorded by a step: what
/// lies beyond the last one permits nothing.
pub(super) fn lifted(
    judged: &[Judged<'_>],
    ancestry: &Ancestry<'_>,
    place: usize,
    environment: &Name,
) -> Option<String> {
    let rejection = judged.get(place)?.fact;
    ancestry
        .others_of_signer(place)
        .filter(|(other, _)| ancestry.descends(*other, place))
        .filter_map(|(other, fact)| {
            let words = match fact.verb? {
                Verb::Withdraw if fact.defects.is_empty() && fact.recorded_at.is_some() => "withdrawn by",
                Verb::Approve
                    if fact.content == rejection.content
                        && fact.role == rejection.role
                        && covers(fact, environment)
                        && judged.get(other).is_some_and(counts_but_for_age) =>
                {
                    "followed by approval"
                }
                Verb::Approve
                | Verb::Reject
                | Verb::Withdraw
                | Verb::Close
                | Verb::AcceptRisk
                | Verb::Deploy
                | Verb::DeployFailed => return None,
            };
            Some((fact.commit, format!("{words} {}", fact.commit.short())))
        })
        .min()
        .map(|(_, words)| words)
}

fn counts_but_for_age(approval: &Judged<'_>) -> bool {
    approval.counts() || approval.would_count_but_for(&[Code::Expired, Code::BeforeIncident])
}
