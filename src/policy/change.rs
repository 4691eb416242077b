//! What a change is under a policy: its kinds, risk and tags, and which rules and freezes are about it.
//!
//! The requester's word only adds (design, sections 2.4 and 6): the risk is the higher of the request's and the
//! system's, tags and kinds are the union with what the system and the artifacts' names say.

use std::collections::BTreeSet;

use super::{Policy, Risk, Rule, System, When};
use crate::model::{ArtifactName, Glob, Name};

/// One change on its way to one environment, as rules and freezes see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Declared and inferred.
    pub kinds: BTreeSet<Name>,
    /// The effective one.
    pub risk: Risk,
    /// Where it goes.
    pub environment: Name,
    /// What is deployed.
    pub system: Name,
    /// The request's and the system's.
    pub tags: BTreeSet<Name>,
}

/// What a request says of its change.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// What is deployed.
    pub system: &'a Name,
    /// The declared kinds.
    pub kinds: &'a BTreeSet<Name>,
    /// The declared risk.
    pub risk: &'a Name,
    /// The declared tags.
    pub tags: &'a BTreeSet<Name>,
    /// The names of its artifacts.
    pub artifacts: Vec<&'a ArtifactName>,
}

impl Policy {
    /// The change as it is judged. A risk that the policy does not name counts as the highest; such a request is
    /// blocked anyway (design, section 7).
    pub fn change(&self, asked: &Asked<'_>, environment: &Name) -> Change {
        let declared = self.risk(asked.risk).unwrap_or(self.highest_risk());
        let mut kinds = asked.kinds.clone();
        kinds.extend(self.inferred_kinds(&asked.artifacts).cloned());
        let mut tags = asked.tags.clone();
        tags.extend(self.least_tags(asked.system).cloned());
        Change {
            kinds,
            risk: declared.max(self.least_risk(asked.system)),
            environment: environment.clone(),
            system: asked.system.clone(),
            tags,
        }
    }

    /// The risk of that name.
    pub fn risk(&self, name: &Name) -> Option<Risk> {
        self.risks.iter().position(|known| known == name).map(Risk)
    }

    /// The name of a risk of this policy.
    pub fn risk_name(&self, risk: Risk) -> Option<&Name> {
        self.risks.get(risk.0)
    }

    /// The last of the risks.
    pub fn highest_risk(&self) -> Risk {
        Risk(self.risks.len().saturating_sub(1))
    }

    /// The risk below which no change of that system is: the highest where the policy does not list the system.
    pub fn least_risk(&self, system: &Name) -> Risk {
        self.systems.get(system).map_or(self.highest_risk(), |system| system.risk.unwrap_or(Risk(0)))
    }

    /// The tags that every change of that system has: every tag that a rule or freeze names where the policy does not
    /// list the system.
    pub fn least_tags(&self, system: &Name) -> impl Iterator<Item = &Name> {
        let listed: Option<&System> = self.systems.get(system);
        let unlisted = listed.is_none();
        let rules = self.rules.iter().map(|rule| &rule.when);
        let whens = rules.chain(self.freezes.iter().map(|freeze| &freeze.when)).filter(move |_| unlisted);
        let named = whens.flat_map(|when| when.tag.iter().flatten());
        listed.into_iter().flat_map(|system| &system.tags).chain(named)
    }

    /// The kinds that artifacts of these names make a change, in any letter case.
    fn inferred_kinds(&self, artifacts: &[&ArtifactName]) -> impl Iterator<Item = &Name> {
        let names: Vec<String> =
            artifacts.iter().map(|artifact| artifact.last_component().to_lowercase()).collect();
        self.infer.iter().filter_map(move |(kind, globs)| {
            let matches =
                |glob: &Glob| names.iter().any(|name| Glob::new(glob.as_str().to_lowercase()).matches(name));
            globs.iter().any(matches).then_some(kind)
        })
    }

    /// The rules that are about this change, in their order.
    pub fn rules_on(&self, change: &Change) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.when.matches(change))
    }
}

impl When {
    /// Whether all lists that are given have an element of the change.
    pub fn matches(&self, change: &Change) -> bool {
        let Self { kind, risk, environment, system, tag } = self;
        let shares = |list: &Option<BTreeSet<Name>>, of: &BTreeSet<Name>| {
            list.as_ref().is_none_or(|list| list.iter().any(|name| of.contains(name)))
        };
        shares(kind, &change.kinds)
            && shares(tag, &change.tags)
            && risk.as_ref().is_none_or(|list| list.contains(&change.risk))
            && environment.as_ref().is_none_or(|list| list.contains(&change.environment))
            && system
                .as_ref()
                .is_none_or(|globs| globs.iter().any(|glob| glob.matches(change.system.as_str())))
    }
}
