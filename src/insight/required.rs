//! The gates that a request requires: each judged once, in the same environment, in the same view.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ledger::Undecided;
use crate::model::{Duration, GateName};
use crate::verdict::{self, Facts, Given, Outcome, RequiredFact, Standing};

use super::judge::{Case, Judge, is_running};

/// The longest chain of gates that require each other; a longer one fails like a cycle.
const MOST_REQUIRED: usize = 32;

impl Judge<'_> {
    pub(super) fn required(
        &self,
        case: &Case<'_>,
        standing: &Standing,
        asking: &mut Vec<GateName>,
    ) -> Result<BTreeMap<GateName, RequiredFact>, Undecided> {
        let mut required = BTreeMap::new();
        let Standing::Recorded(content) = standing else { return Ok(required) };
        let Ok(request) = &content.request else { return Ok(required) };
        asking.push(case.gate.clone());
        for gate in &request.requires {
            let fact = if asking.contains(gate) || asking.len() >= MOST_REQUIRED {
                RequiredFact::Cycle
            } else {
                let of = Case {
                    gate,
                    environment: case.environment,
                    given: Given::NotAsked,
                    view: case.view,
                    log: case.log,
                    whole: case.whole,
                };
                self.required_fact(&of, asking)?
            };
            required.insert(gate.clone(), fact);
        }
        asking.pop();
        Ok(required)
    }

    fn required_fact(&self, case: &Case<'_>, asking: &mut Vec<GateName>) -> Result<RequiredFact, Undecided> {
        let key = (case.gate.clone(), case.environment.clone(), case.view, case.log);
        if let Some(known) = self.required.borrow().get(&key) {
            return Ok(*known);
        }
        let fact = self.judge_required(case, asking)?;
        self.required.borrow_mut().insert(key, fact);
        Ok(fact)
    }

    fn judge_required(&self, case: &Case<'_>, asking: &mut Vec<GateName>) -> Result<RequiredFact, Undecided> {
        let mut facts = self.facts(case, asking)?;
        let verdict = verdict::judge(&facts);
        let runs = facts.records.iter().rev().find(|record| is_running(record));
        if let Outcome::Allowed(_) = verdict.outcome {
            return Ok(RequiredFact::Allowed);
        }
        if runs.is_some_and(|record| record.gate == *case.gate) && !has_window(&facts) {
            // What runs, and lacks nothing for a rollback but a window: would any window do?
            let mut policy = (*facts.policy.policy).clone();
            if let Some(environment) = policy.environments.get_mut(case.environment) {
                environment.rollback_window = Duration::from_seconds(0);
            }
            facts.policy.policy = Arc::new(policy);
            if let Outcome::Allowed(_) = verdict::judge(&facts).outcome {
                return Ok(RequiredFact::Running);
            }
        }
        Ok(match verdict.outcome {
            Outcome::Blocked if facts.required.values().any(|fact| *fact == RequiredFact::Cycle) => {
                RequiredFact::Cycle
            }
            Outcome::Blocked => RequiredFact::Blocked,
            Outcome::Pending | Outcome::Allowed(_) => RequiredFact::Pending,
        })
    }
}

fn has_window(facts: &Facts) -> bool {
    facts
        .policy
        .policy
        .environments
        .get(&facts.environment)
        .is_some_and(|known| known.rollback_window.is_some())
}
