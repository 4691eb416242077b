//! Levels that a run's invocations gave to rules: `ruleConfigurationOverrides`.
//!
//! A scanner that was told to take a rule for an error writes so here, and leaves the rule as it came. A result that says
//! which invocation it belongs to has the level of that one. One that says nothing has the gravest of what may be meant:
//! an override is no way to make a finding lighter unseen (SARIF 2.1.0, 3.27.10).

use std::collections::BTreeMap;

use super::super::json::Json;
use super::result::Level;
use super::rules::{Named, Place, Tool, with_above};

/// The overrides of a run.
#[derive(Debug, Default)]
pub(super) struct Overrides<'a> {
    /// How many invocations there are.
    invocations: usize,
    by_rule: BTreeMap<Place, Given>,
    /// Of ids that name no rule that is there: such a rule may be meant by a result all the same.
    by_id: BTreeMap<&'a str, Given>,
}

/// What the invocations gave to one rule: the gravest, of each and of all.
#[derive(Debug)]
struct Given {
    by_invocation: BTreeMap<usize, Level>,
    gravest: Level,
}

impl<'a> Overrides<'a> {
    /// Reads what the invocations of a run say.
    pub(super) fn of(invocations: &'a [Json], tool: &Tool<'a>, at: &str) -> Result<Self, String> {
        let mut found = Self { invocations: invocations.len(), ..Self::default() };
        for (index, invocation) in invocations.iter().enumerate() {
            let place = format!("{at}/invocations/{index}/ruleConfigurationOverrides");
            let overrides = match invocation.get("ruleConfigurationOverrides") {
                None | Some(Json::Null) => continue,
                Some(overrides) => overrides.as_array().ok_or_else(|| format!("`{place}` is no array"))?,
            };
            for (number, one) in overrides.iter().enumerate() {
                // One that says nothing of the level changes something else, such as parameters.
                let level = one.get("configuration").and_then(|configuration| configuration.get("level"));
                let Some(level) = level else { continue };
                found
                    .add(one.get("descriptor"), index, Level::of(level), tool)
                    .ok_or_else(|| format!("`{place}/{number}/descriptor` names no rule"))?;
            }
        }
        Ok(found)
    }

    fn add(
        &mut self,
        descriptor: Option<&'a Json>,
        invocation: usize,
        level: Level,
        tool: &Tool<'a>,
    ) -> Option<()> {
        let named = tool.referenced(descriptor, None, None);
        for rule in &named.rules {
            self.by_rule.entry(rule.place).or_insert_with(Given::nothing).add(invocation, level);
        }
        if named.rules.is_empty() {
            let id = descriptor.and_then(|descriptor| descriptor.get("id")).and_then(Json::as_text)?;
            self.by_id.entry(id).or_insert_with(Given::nothing).add(invocation, level);
        }
        Some(())
    }

    /// The level of a result that has none of its own, where its rules give it `default`.
    pub(super) fn level(
        &self,
        result: &Json,
        id: Option<&str>,
        named: &Named<'_, 'a>,
        default: Level,
    ) -> Level {
        let of_id = id.into_iter().flat_map(with_above).filter_map(|id| self.by_id.get(id));
        let all = named.rules.iter().filter_map(|rule| self.by_rule.get(&rule.place)).chain(of_id);
        match self.invocation(result) {
            Some(own) => {
                all.filter_map(|given| given.by_invocation.get(&own)).min().copied().unwrap_or(default)
            }
            None => all.map(|given| given.gravest).min().map_or(default, |gravest| gravest.min(default)),
        }
    }

    /// The invocation that a result says it belongs to, where it is there.
    fn invocation(&self, result: &Json) -> Option<usize> {
        let index = result.get("provenance")?.get("invocationIndex")?.as_count()?;
        usize::try_from(index).ok().filter(|index| *index < self.invocations)
    }
}

impl Given {
    fn nothing() -> Self {
        Self { by_invocation: BTreeMap::new(), gravest: Level::None }
    }

    fn add(&mut self, invocation: usize, level: Level) {
        let own = self.by_invocation.entry(invocation).or_insert(level);
        *own = level.min(*own);
        self.gravest = level.min(self.gravest);
    }
}
