//! The gates that a request requires: each judged once, in the same environment, in the same view.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::ledger::{Undecided, View};
use crate::model::{Duration, GateName};
use crate::verdict::{Facts, Given, Outcome, RequiredFact, Standing};

use super::judge::{Case, Judge, is_running};

/// How many gates a required one may lead to, itself included; more fail like a cycle.
const MOST_REQUIRED: usize = 64;

/// The gates that one leads to, itself included; nothing: more than may be.
pub(super) type Reached = Option<Rc<BTreeSet<GateName>>>;

impl Judge<'_> {
    /// What is found of the gates that this one requires. Whether one leads back is read off the requests alone, so that it
    /// does not depend on who asks, or asked first.
    pub(super) fn required(
        &self,
        case: &Case<'_>,
        standing: &Standing,
    ) -> Result<BTreeMap<GateName, RequiredFact>, Undecided> {
        let mut required = BTreeMap::new();
        let Standing::Recorded(content) = standing else { return Ok(required) };
        let Ok(request) = &content.request else { return Ok(required) };
        for gate in &request.requires {
            self.rests.borrow_mut().on.insert(gate.system.clone());
            let fact = match self.reached(gate, case.view)? {
                Some(reached) if !reached.contains(case.gate) => self.required_fact(&Case {
                    gate,
                    environment: case.environment,
                    given: Given::NotAsked,
                    view: case.view,
                    log: case.log,
                    whole: case.whole,
                })?,
                Some(_) | None => RequiredFact::Cycle,
            };
            required.insert(gate.clone(), fact);
        }
        Ok(required)
    }

    fn reached(&self, from: &GateName, view: View) -> Result<Reached, Undecided> {
        let key = (from.clone(), view);
        if let Some(known) = self.reached.borrow().get(&key) {
            return Ok(known.clone());
        }
        let mut reached = BTreeSet::from([from.clone()]);
        let mut open = vec![from.clone()];
        while let Some(gate) = open.pop() {
            for next in self.ledger.requires(&gate, view)? {
                self.rests.borrow_mut().on.insert(next.system.clone());
                if reached.insert(next.clone()) {
                    open.push(next);
                }
            }
            if reached.len() > MOST_REQUIRED {
                break;
            }
        }
        let reached = (reached.len() <= MOST_REQUIRED).then(|| Rc::new(reached));
        self.reached.borrow_mut().insert(key, reached.clone());
        Ok(reached)
    }

    fn required_fact(&self, case: &Case<'_>) -> Result<RequiredFact, Undecided> {
        let key = (case.gate.clone(), case.environment.clone(), case.view, case.log);
        if let Some(known) = self.required.borrow().get(&key) {
            return Ok(*known);
        }
        let fact = self.judge_required(case)?;
        self.required.borrow_mut().insert(key, fact);
        Ok(fact)
    }

    fn judge_required(&self, case: &Case<'_>) -> Result<RequiredFact, Undecided> {
        let mut facts = self.facts(case)?;
        let verdict = self.evaluated(&facts);
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
            if let Outcome::Allowed(_) = self.evaluated(&facts).outcome {
                return Ok(RequiredFact::Running);
            }
        }
        Ok(match verdict.outcome {
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
