//! The change as the policy sees it, and which rules and freezes match it.
//!
//! What a requester cannot talk down: the effective risk is the higher of the request's and the system's, tags are the
//! union, kinds are declared and inferred. A system that the policy does not list has the highest risk and every tag
//! that a rule or freeze names (design, section 6).

use std::collections::BTreeSet;

use crate::model::{Glob, Name};
use crate::policy::{Policy, Risk, When};
use crate::request::GateRequest;

/// What a request amounts to under a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Declared and inferred.
    pub(super) kinds: BTreeSet<Name>,
    /// The effective risk.
    pub(super) risk: Risk,
    /// The request's and the system's.
    pub(super) tags: BTreeSet<Name>,
}

impl Change {
    /// What `request` amounts to under `policy`. A risk that the policy does not name is the highest.
    pub(super) fn of(policy: &Policy, request: &GateRequest) -> Self {
        let highest = Risk(policy.risks.len().saturating_sub(1));
        let asked = policy.risks.iter().position(|risk| *risk == request.risk).map_or(highest, Risk);
        let mut tags = request.tags.clone();
        let least = if let Some(system) = policy.systems.get(&request.gate.system) {
            tags.extend(system.tags.iter().cloned());
            system.risk.unwrap_or(Risk(0))
        } else {
            tags.extend(tags_named(policy).cloned());
            highest
        };
        let mut kinds = request.kinds.clone();
        kinds.extend(inferred_kinds(policy, request));
        Self { kinds, risk: asked.max(least), tags }
    }

    /// The effective risk by name.
    pub(super) fn risk_name<'a>(&self, policy: &'a Policy) -> Option<&'a Name> {
        policy.risks.get(self.risk.0)
    }

    /// Whether `when` matches this change of `system` going to `environment`.
    pub(super) fn matches(&self, when: &When, system: &Name, environment: &Name) -> bool {
        let When { kind, risk, environment: environments, system: systems, tag } = when;
        kind.as_ref().is_none_or(|wanted| !wanted.is_disjoint(&self.kinds))
            && risk.as_ref().is_none_or(|wanted| wanted.contains(&self.risk))
            && environments.as_ref().is_none_or(|wanted| wanted.contains(environment))
            && systems.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.matches(system.as_str())))
            && tag.as_ref().is_none_or(|wanted| !wanted.is_disjoint(&self.tags))
    }
}

fn tags_named(policy: &Policy) -> impl Iterator<Item = &Name> {
    let of_rules = policy.rules.iter().map(|rule| &rule.when);
    let of_freezes = policy.freezes.iter().map(|freeze| &freeze.when);
    of_rules.chain(of_freezes).filter_map(|when| when.tag.as_ref()).flatten()
}

fn inferred_kinds(policy: &Policy, request: &GateRequest) -> BTreeSet<Name> {
    let any_case = |glob: &Glob, name: &str| Glob::new(glob.as_str().to_lowercase()).matches(name);
    let names: Vec<String> =
        request.artifacts.keys().map(|artifact| artifact.last_component().to_lowercase()).collect();
    policy
        .infer
        .iter()
        .filter(|(_, globs)| globs.iter().any(|glob| names.iter().any(|name| any_case(glob, name))))
        .map(|(kind, _)| kind.clone())
        .collect()
}
