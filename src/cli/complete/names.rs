//! Names of the repository, for completion: gates, and what its policy names.
//!
//! Read from refs and from the mainline's tip, unverified: a name that is offered is a suggestion and nothing else, and
//! the whole history would have to be read to offer no other.

use std::collections::BTreeSet;

use crate::evidence::Format;
use crate::git::Repository;
use crate::insight::tune;
use crate::model::GateName;
use crate::policy::Policy;

use super::super::{Context, in_force, policy_files, trust};

/// Where names come from.
pub(super) struct Names<'a> {
    place: Option<(&'a Context, Repository)>,
}

impl<'a> Names<'a> {
    /// Those of the repository of `context`, where it is in one.
    pub(super) fn new(context: &'a Context) -> Self {
        Self { place: context.repository().ok().map(|repository| (context, repository)) }
    }

    #[cfg(test)]
    pub(super) fn of_nothing() -> Self {
        Self { place: None }
    }

    /// What a value so named can be, in that command, behind these words.
    pub(super) fn of(&self, value: &str, command: &str, before: &[&str]) -> BTreeSet<String> {
        let texts = |policy: &Policy| -> BTreeSet<String> {
            match (value, command) {
                ("ENVIRONMENT", _) => policy.environments.keys().map(ToString::to_string).collect(),
                ("METRIC", _) => tune::names(policy),
                ("ROLE", _) => policy.roles.keys().map(ToString::to_string).collect(),
                ("KIND", "open") => policy.kinds.iter().map(ToString::to_string).collect(),
                ("KIND", _) => evidence_kinds(policy),
                ("RISK", _) => policy.risks.iter().map(ToString::to_string).collect(),
                ("TAG", _) => {
                    policy.systems.values().flat_map(|system| &system.tags).map(ToString::to_string).collect()
                }
                ("CODE", _) => policy.rejection_reasons.iter().map(ToString::to_string).collect(),
                ("PRINCIPAL", _) => {
                    policy.signers.principals().into_iter().map(ToString::to_string).collect()
                }
                _ => BTreeSet::new(),
            }
        };
        match value {
            "GATE" | "GATE|policy/SLUG" => self.gates(),
            "GATE|policy" => self.gates().into_iter().chain(["policy".to_owned()]).collect(),
            "VERSION" => self.versions(before.first().copied()),
            "FORMAT" => Format::ALL.iter().map(|format| format.as_str().to_owned()).collect(),
            "BRANCH" => self.policy_branches(),
            _ => self.policy().as_ref().map(texts).unwrap_or_default(),
        }
    }

    /// Gates with a branch, and those on the mainline.
    fn gates(&self) -> BTreeSet<String> {
        let Some((_context, repository)) = &self.place else { return BTreeSet::new() };
        let mut gates: BTreeSet<String> = branches(repository, "gate/");
        if let Some(tip) = mainline(repository).and_then(|name| repository.resolve(&name).ok().flatten()) {
            gates.extend(trust::gates(repository, tip).unwrap_or_default());
        }
        gates.retain(|gate| gate.parse::<GateName>().is_ok());
        gates
    }

    /// Other versions of the system that is opened.
    fn versions(&self, gate: Option<&str>) -> BTreeSet<String> {
        let system = gate.and_then(|gate| gate.split_once('/')).map(|(system, _version)| system);
        let gates = self.gates();
        let pairs = gates.iter().filter_map(|gate| gate.split_once('/'));
        pairs
            .filter(|(other, _version)| Some(*other) == system)
            .map(|(_system, version)| version.to_owned())
            .collect()
    }

    fn policy_branches(&self) -> BTreeSet<String> {
        let Some((_context, repository)) = &self.place else { return BTreeSet::new() };
        branches(repository, "policy/").into_iter().map(|slug| format!("policy/{slug}")).collect()
    }

    fn policy(&self) -> Option<Policy> {
        let (context, repository) = self.place.as_ref()?;
        let files = policy_files::read(context, Some(&mainline(repository)?)).ok()?;
        Policy::parse(&files.policy_toml, &files.allowed_signers).ok()
    }
}

fn evidence_kinds(policy: &Policy) -> BTreeSet<String> {
    let asked = policy.rules.iter().flat_map(|rule| &rule.evidence);
    policy.evidence.keys().chain(asked).map(ToString::to_string).collect()
}

/// The mainline as `origin` last showed it, else the local one.
fn mainline(repository: &Repository) -> Option<String> {
    let name = in_force::mainline_name(repository);
    let there = |full: &String| repository.resolve(full).ok().flatten().is_some();
    [format!("refs/remotes/origin/{name}"), format!("refs/heads/{name}")].into_iter().find(there)
}

/// What stands behind `prefix` in the names of branches, here and at `origin`.
fn branches(repository: &Repository, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for place in ["refs/heads/", "refs/remotes/origin/"] {
        let full = format!("{place}{prefix}");
        let refs = repository.refs_under(&full).unwrap_or_default();
        found.extend(refs.keys().filter_map(|name| name.strip_prefix(&full)).map(str::to_owned));
    }
    found
}
