//! The timeline of a gate: when it was opened, complete, approved by each role, decided, deployed, and what went wrong then.
//!
//! One gate has one cycle for each environment that it asks for (rules, R11.7 to R11.14). Verdicts are those of the one
//! evaluator, at the steps that recorded something of the gate; everything else here is dates. What metrics, backtests and
//! reports say of a gate's past they read from here, so that they never differ.

mod fold;
mod gather;
#[cfg(test)]
mod tests;
mod written;

pub use fold::{Judged, Place, Told, fold, hit};
pub use gather::Ground;
pub(super) use gather::UNMEASURED;
pub use written::Rows;

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::model::{Code, GateName, IncidentId, Name, ObjectId, Principal, Time};
use crate::verdict::{Basis, RequirementId, Status};

/// All that is measured of one gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The gate.
    pub gate: GateName,
    /// What was asked for, as the policy saw it; nothing where no request could be read.
    pub asked: Option<AskedFor>,
    /// When its files stood for the first time.
    pub opened: Time,
    /// When its files changed, the opening included, oldest first.
    pub changes: Vec<Time>,
    /// Every decision on it, in recorded order.
    pub rulings: Vec<Ruling>,
    /// One for each environment.
    pub cycles: Vec<Cycle>,
}

/// What a gate asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedFor {
    /// Declared and inferred.
    pub kinds: BTreeSet<Name>,
    /// The effective risk.
    pub risk: Name,
}

/// A decision on a gate, as it is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The commit.
    pub commit: ObjectId,
    /// What it does; nothing where not even that can be read.
    pub verb: Option<Verb>,
    /// Its signer.
    pub principal: Option<Principal>,
    /// The role that it names.
    pub role: Option<Name>,
    /// The environments that it is limited to; empty: all.
    pub environments: BTreeSet<Name>,
    /// Of a rejection: its reason.
    pub reason: Option<Name>,
    /// When: the earlier of its own date and the time at which it was recorded.
    pub at: Time,
    /// Seconds since the last change of the gate's files that was recorded before it; nothing: there was none.
    pub after_change: Option<i64>,
    /// What became of it.
    pub effect: Effect,
}

/// What became of a decision: the best that it came to in any environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It counted.
    Counted,
    /// It was good, and no longer so when the gate was decided, or is no longer so now.
    Stale(Code),
    /// It was good, and its signer took it back or replaced it.
    TakenBack,
    /// It never counted: why.
    Void(Code),
}

impl Effect {
    /// Whether it was good once.
    pub fn was_good(self) -> bool {
        match self {
            Self::Counted | Self::Stale(_) | Self::TakenBack => true,
            Self::Void(_) => false,
        }
    }
}

/// The way of a gate to one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// Where to.
    pub environment: Name,
    /// How it ended, or that it has not.
    pub end: End,
    /// The last change of its files before anybody decided on it.
    pub first_ready: Option<Time>,
    /// The last change of the files that were decided on; of what is pending: of files that lack no evidence.
    pub complete: Option<Time>,
    /// When each role had given all approvals that were asked of it.
    pub roles: BTreeMap<Name, Time>,
    /// When it was decided; nothing: it was not, or only a clock or a policy change did.
    pub decided: Option<Time>,
    /// On what basis it was allowed.
    pub basis: Option<Basis>,
    /// What exceptions waived when it was allowed.
    pub waived: BTreeSet<RequirementId>,
    /// What is open, of one that was not approved.
    pub open: Vec<(RequirementId, Status)>,
    /// Whether it was approved, and somebody rejected or closed it after that.
    pub overturned: bool,
    /// Its records in the log, oldest first.
    pub deployments: Vec<Deployment>,
    /// Incidents on this version there.
    pub incidents: Vec<Hit>,
}

/// How a cycle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It was allowed at some step, on requirements or an exception, whatever came later.
    Approved,
    /// It was never allowed, and a rejection stands against it.
    Rejected,
    /// It was never allowed, and somebody closed it who is no author of it.
    Closed,
    /// It was never allowed, and an author closed it, or it was removed.
    Withdrawn,
    /// It is blocked by something else: a criterion, say.
    Blocked,
    /// People or reports are awaited.
    Pending,
}

impl End {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Approved, Self::Rejected, Self::Closed, Self::Withdrawn, Self::Blocked, Self::Pending];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Blocked => "blocked",
            Self::Pending => "pending",
        }
    }

    /// Whether people decided.
    pub fn is_decided(self) -> bool {
        match self {
            Self::Approved | Self::Rejected | Self::Closed | Self::Withdrawn => true,
            Self::Blocked | Self::Pending => false,
        }
    }
}

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The log commit.
    pub record: ObjectId,
    /// Its date.
    pub at: Time,
    /// Who logged it.
    pub principal: Option<Principal>,
    /// What became of it.
    pub fate: Fate,
    /// On what basis judging it again allows it; nothing: it does not.
    pub basis: Option<Basis>,
    /// Whether it is a break-glass.
    pub break_glass: bool,
    /// Whether it is one that is not covered.
    pub debt: bool,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It says what ran: it counts, and did not fail.
    Ran,
    /// It counts, and a later record says that it failed.
    Failed,
    /// It counts for nothing.
    Void,
}

/// An incident on a version in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub id: IncidentId,
    /// How bad.
    pub severity: Name,
    /// From when: as its file says, and not after the commit that opened it.
    pub began: Time,
    /// Until when, as its file says.
    pub ended: Option<Time>,
    /// Whether it is open.
    pub open: bool,
    /// The record that ran when it began; nothing: none did.
    pub record: Option<ObjectId>,
}

impl Timeline {
    /// Whether it was approved for an environment as it was first decided on: nobody whose decision counted rejected it, and
    /// its files did not change after the first decision.
    pub fn passed_first(&self, cycle: &Cycle) -> bool {
        let about = |ruling: &&Ruling| {
            ruling.environments.is_empty() || ruling.environments.contains(&cycle.environment)
        };
        let rejected = self
            .rulings
            .iter()
            .filter(about)
            .any(|ruling| ruling.verb == Some(Verb::Reject) && ruling.effect.was_good());
        cycle.end == End::Approved && !rejected && cycle.first_ready == cycle.complete
    }
}

impl Cycle {
    /// Its first record that ran.
    pub fn deployed(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.fate == Fate::Ran)
    }
}
