//! How the policy in force lines up with what happened: over the gates that ran, what it would have stopped, and how the
//! numbers of its criteria are spread (R12).
//!
//! What `backtest` counts for one policy alone, and what `tune` measures, read together: each gate that was decided is judged
//! once, at that moment, under the policy in force now.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::Undecided;
use crate::model::{GateName, IncidentId};
use crate::policy::Policy;
use crate::verdict;

use super::backtest::{Left, Past, Score};
use super::decided::Decided;
use super::judge::Judge;
use super::tune::Tuning;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Refinement {
    /// How many gates were judged, each once for every environment, by how they were decided.
    pub judged: BTreeMap<Decided, u64>,
    /// How many are not decided yet.
    pub undecided: u64,
    /// Those that cannot be judged again, by why.
    pub left_out: BTreeMap<String, BTreeSet<String>>,
    /// How the policy in force lines up with incidents, over the gates that ran.
    pub score: Score,
    /// Its bounds, with the numbers of those gates.
    pub tuning: Tuning,
}

impl Refinement {
    /// Nothing read yet.
    pub fn of(policy: &Policy) -> Self {
        Self { tuning: Tuning::of(policy, None), ..Self::default() }
    }

    /// Reads one gate.
    pub fn add(&mut self, past: &Past, judge: &Judge<'_>, gate: &GateName) -> Result<(), Undecided> {
        let moments = past.moments(judge, gate, &mut |left| match left {
            Left::Undecided => self.undecided += 1,
            Left::OutOfTime => {}
            Left::Out(environment, why) => {
                let name = environment.map_or_else(|| gate.to_string(), |name| format!("{gate} → {name}"));
                self.left_out.entry(why.to_owned()).or_default().insert(name);
            }
        })?;
        for moment in moments {
            *self.judged.entry(moment.how).or_default() += 1;
            // What never ran led to nothing: what it would have led to nobody knows.
            if !moment.ran {
                continue;
            }
            let facts = judge.facts_then(&moment, true)?;
            let verdict = verdict::judge(&facts);
            let incidents: BTreeSet<IncidentId> = past.after(judge, &moment);
            self.score.add(&verdict, !incidents.is_empty());
            self.tuning.add_gate(&facts, &verdict, &incidents);
        }
        Ok(())
    }

    /// Adds what was read of other gates, which come after these.
    pub fn join(&mut self, other: Self) {
        for (how, count) in other.judged {
            *self.judged.entry(how).or_default() += count;
        }
        self.undecided += other.undecided;
        for (why, names) in other.left_out {
            self.left_out.entry(why).or_default().extend(names);
        }
        self.score.join(other.score);
        self.tuning.join(other.tuning);
    }

    /// How many gates were judged.
    pub fn total(&self) -> u64 {
        self.judged.values().sum()
    }
}
