//! One case: the facts, with what follows from them for every requirement alike.

use std::collections::BTreeMap;

use super::change::Change;
use super::clock::Clock;
use super::decisions::{Judged, judge_decisions};
use super::{ChangeShown, Content, Facts, Notice, Standing};
use crate::model::{ContentDigest, Label};
use crate::policy::{Environment, Policy, Rule};
use crate::request::GateRequest;

/// What every rule of this folder looks at.
pub(super) struct Case<'a> {
    pub(super) facts: &'a Facts,
    /// The time of judging: rules ask it, and never the facts.
    pub(super) clock: Clock,
    pub(super) policy: &'a Policy,
    /// The gate directory, where it stands on the mainline.
    pub(super) content: Option<&'a Content>,
    /// Its request, where that can be read.
    pub(super) request: Option<&'a GateRequest>,
    /// What the request amounts to.
    pub(super) change: Option<Change>,
    /// The policy's rules that match it.
    pub(super) rules: Vec<&'a Rule>,
    /// Every decision with all that keeps it from counting, in the order of the facts.
    pub(super) decisions: Vec<Judged<'a>>,
}

impl<'a> Case<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let policy: &Policy = &facts.policy.policy;
        let content = match &facts.standing {
            Standing::Recorded(content) => Some(&**content),
            Standing::OnBranch(_) | Standing::Absent | Standing::Removed(_) | Standing::BeforeRoot => None,
        };
        let request = content.and_then(|content| content.request.as_ref().ok());
        let change = request.map(|request| Change::of(policy, request));
        let matches = |rule: &&Rule| {
            change
                .as_ref()
                .is_some_and(|change| change.matches(&rule.when, &facts.gate.system, &facts.environment))
        };
        let rules = policy.rules.iter().filter(matches).collect();
        let clock = Clock::at(facts.time);
        let decisions = judge_decisions(facts, content, &clock);
        Self { facts, clock, policy, content, request, change, rules, decisions }
    }

    /// The digest of what stands, where it is valid.
    pub(super) fn digest(&self) -> Option<ContentDigest> {
        self.content.and_then(|content| content.digest)
    }

    /// What the policy says of the environment, where it names it.
    pub(super) fn environment(&self) -> Option<&'a Environment> {
        self.policy.environments.get(&self.facts.environment)
    }

    /// The change as it is shown.
    pub(super) fn change_shown(&self) -> Option<ChangeShown> {
        let request = self.request?;
        let change = self.change.as_ref()?;
        Some(ChangeShown {
            kinds: change.kinds.clone(),
            risk: change.risk_name(self.policy).unwrap_or(&request.risk).clone(),
            tags: change.tags.clone(),
            summary: request.summary.clone(),
        })
    }

    /// What the matching rules ask for, gathered by `key`, with the names of the rules.
    pub(super) fn asked<K: Ord, V>(
        &self,
        of: impl Fn(&'a Rule) -> Vec<(K, V)>,
        join: impl Fn(V, V) -> V,
    ) -> BTreeMap<K, (V, Vec<Label>)> {
        let mut asked: BTreeMap<K, (V, Vec<Label>)> = BTreeMap::new();
        for rule in &self.rules {
            for (key, value) in of(rule) {
                let (value, mut names) = match asked.remove(&key) {
                    Some((before, names)) => (join(before, value), names),
                    None => (value, Vec::new()),
                };
                if !names.contains(&rule.name) {
                    names.push(rule.name.clone());
                }
                asked.insert(key, (value, names));
            }
        }
        asked
    }
}

/// A notice.
pub(super) fn notice(code: &'static str, message: impl Into<String>) -> Notice {
    Notice { code, message: message.into() }
}
