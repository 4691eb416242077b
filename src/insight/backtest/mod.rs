//! What a proposed policy would have done: every gate that was decided, at the moment at which it was, judged under the policy
//! in force now and under the proposed one, as if either had been in force then.
//!
//! The two are compared with each other, not with the verdict of then: so what changes since then have done already is told
//! apart, and the policy in force itself flips nothing (R12.2). Pure: who asks brings the verdicts, gate by gate, and
//! only what is counted is kept.

mod cost;
mod run;
mod score;
#[cfg(test)]
mod tests;

pub use cost::{Cost, Waiting};
pub use run::{Left, Past};
pub use score::{Cells, Score};

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{GateName, IncidentId, Name, ObjectId, Time};
use crate::verdict::{Outcome, Verdict};

use super::decided::{Decided, Moment};
use super::flips::{StatusChange, flips, status_changes};

/// A gate that was decided for an environment, under both policies.
#[derive(Debug, Clone)]
pub struct Tried {
    /// When and how it was decided.
    pub moment: Moment,
    /// Under the policy in force now.
    pub in_force: Side,
    /// Under the proposed one.
    pub proposed: Side,
    /// The incidents on this version there that were opened after that moment.
    pub incidents: BTreeSet<IncidentId>,
}

/// What one policy says of it.
#[derive(Debug, Clone)]
pub struct Side {
    /// The verdict.
    pub verdict: Verdict,
    /// How many people it asks for, by role.
    pub asked: BTreeMap<Name, u64>,
}

/// What the proposed policy would have done.
#[derive(Debug, Clone, Default)]
pub struct Backtest {
    /// How many were judged, by how they were decided.
    pub judged: BTreeMap<Decided, u64>,
    /// Gates and environments that are not decided yet.
    pub undecided: u64,
    /// Those that were decided outside the time that was asked about.
    pub out_of_time: u64,
    /// Those that cannot be judged again, by why.
    pub left_out: BTreeMap<String, BTreeSet<String>>,
    /// Verdicts that are others under the policy in force now than under the policy of then.
    pub changed_since: u64,
    /// Verdicts that the proposed policy flips.
    pub flips: Vec<Flip>,
    /// How the policy in force lines up with incidents.
    pub in_force: Score,
    /// How the proposed one does.
    pub proposed: Score,
    /// What it asks of people, and how long that takes.
    pub cost: Cost,
    /// The first and the last moment.
    pub span: Option<(Time, Time)>,
}

/// A verdict that the proposed policy flips.
#[derive(Debug, Clone)]
pub struct Flip {
    /// The gate.
    pub gate: GateName,
    /// The environment.
    pub environment: Name,
    /// How it was decided.
    pub how: Decided,
    /// The mainline commit that was judged.
    pub commit: ObjectId,
    /// The time of judging.
    pub time: Time,
    /// Under the policy of then.
    pub then: Outcome,
    /// Under the policy in force now.
    pub before: Outcome,
    /// Under the proposed one.
    pub after: Outcome,
    /// The lines of the checklist that differ.
    pub changed: Vec<StatusChange>,
    /// Whether it ran there.
    pub ran: bool,
    /// The incidents that it led to.
    pub incidents: BTreeSet<IncidentId>,
}

impl Backtest {
    /// Adds all that was tried of one gate: one entry for each environment.
    pub fn add(&mut self, gate: &[Tried]) {
        for tried in gate {
            self.add_one(tried);
        }
        self.cost.add(gate);
    }

    /// Adds all that was tried of other gates, which come after these.
    pub fn join(&mut self, other: Self) {
        for (how, count) in other.judged {
            *self.judged.entry(how).or_default() += count;
        }
        self.undecided += other.undecided;
        self.out_of_time += other.out_of_time;
        for (why, names) in other.left_out {
            self.left_out.entry(why).or_default().extend(names);
        }
        self.changed_since += other.changed_since;
        self.flips.extend(other.flips);
        self.in_force.join(other.in_force);
        self.proposed.join(other.proposed);
        self.cost.join(other.cost);
        self.span = match (self.span, other.span) {
            (Some((first, last)), Some((begin, end))) => Some((first.min(begin), last.max(end))),
            (one, another) => one.or(another),
        };
    }

    /// How many were judged.
    pub fn total(&self) -> u64 {
        self.judged.values().sum()
    }

    fn add_one(&mut self, tried: &Tried) {
        let Tried { moment, in_force, proposed, incidents } = tried;
        *self.judged.entry(moment.how).or_default() += 1;
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(moment.time), last.max(moment.time)),
            None => (moment.time, moment.time),
        });
        self.changed_since += u64::from(moment.then.as_str() != in_force.verdict.outcome.as_str());
        // What never ran led to nothing: what it would have led to nobody knows.
        if moment.ran {
            self.in_force.add(&in_force.verdict, !incidents.is_empty());
            self.proposed.add(&proposed.verdict, !incidents.is_empty());
        }
        if flips(&in_force.verdict, &proposed.verdict) {
            self.flips.push(Flip {
                gate: moment.gate.clone(),
                environment: moment.environment.clone(),
                how: moment.how,
                commit: moment.commit,
                time: moment.time,
                then: moment.then,
                before: in_force.verdict.outcome,
                after: proposed.verdict.outcome,
                changed: status_changes(&in_force.verdict, &proposed.verdict),
                ran: moment.ran,
                incidents: incidents.clone(),
            });
        }
    }
}
