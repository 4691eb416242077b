//! Gate metrics: timelines → counts, rates, waits and signs, in total and by group (design, section 11).
//!
//! Pure. `docs/metrics.md` defines every figure; [`figures`] says which there are, once for all forms. An event belongs to
//! the time and the month in which it happened: a gate may be opened in one and decided in another.

mod count;
mod figures;
mod spread;
#[cfg(test)]
mod tests;

pub use figures::{FIGURES, Figure, Meaning, Unit, Value, figures};
pub use spread::{METHOD, Spread, in_words};

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Code, GateName, Name, ObjectId, Principal, Time};

use super::timeline::End;

/// What is measured, and how it is grouped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// From when on; nothing: from the trust root on.
    pub since: Option<Time>,
    /// Before when; nothing: up to now.
    pub until: Option<Time>,
    /// Only cycles to this environment.
    pub environment: Option<Name>,
    /// By what.
    pub by: Option<By>,
}

/// By what figures are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The system.
    System,
    /// Each kind of the change: one that is of two kinds is in both groups.
    Kind,
    /// The effective risk.
    Risk,
    /// The role that a decision names or that was waited for.
    Role,
    /// The month in which it happened, UTC.
    Month,
    /// The environment.
    Environment,
}

impl By {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Kind => "kind",
            Self::Risk => "risk",
            Self::Role => "role",
            Self::Month => "month",
            Self::Environment => "environment",
        }
    }
}

/// The figures of a repository.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// What was asked.
    pub asked: Asked,
    /// All of it.
    pub total: Tally,
    /// The same by group.
    pub groups: BTreeMap<String, Tally>,
    /// Gates that are not measured, by why.
    pub left_out: BTreeMap<String, BTreeSet<String>>,
    /// Gates that stand on a branch alone: nobody has recorded them yet.
    pub unrecorded: BTreeSet<GateName>,
}

/// What is counted, of all or of one group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Gates that were opened.
    pub gates: BTreeSet<GateName>,
    /// Cycles that were opened.
    pub opened: u64,
    /// Cycles by their end: decided ones in the time asked about, the others as they stand now.
    pub ends: BTreeMap<End, u64>,
    /// Approved at no known moment.
    pub undated: u64,
    /// Approved as first decided on.
    pub first_pass: u64,
    /// Approved, and rejected or closed after that.
    pub overturned: u64,
    /// Rejections that counted, by reason.
    pub rejections: BTreeMap<String, u64>,
    /// Approvals that counted.
    pub approvals: u64,
    /// Approvals that went stale, by why.
    pub stale: BTreeMap<Code, u64>,
    /// Approvals that were taken back or replaced.
    pub taken_back: u64,
    /// Decisions that never counted, by why.
    pub void: BTreeMap<Code, u64>,
    /// How long, by what.
    pub spans: BTreeMap<Span, Spread>,
    /// Who decided, in which role.
    pub reviewers: BTreeMap<(Name, Principal), Reviewer>,
    /// What exceptions waived, and for which versions of which systems.
    pub exceptions: BTreeMap<String, BTreeMap<Name, BTreeSet<GateName>>>,
    /// Records that ran.
    pub deployments: u64,
    /// Records that were said to have failed.
    pub failed: u64,
    /// Records that count for nothing.
    pub void_records: u64,
    /// Records that ran on basis `rollback`.
    pub rollbacks: u64,
    /// Break-glass records.
    pub break_glass: BTreeSet<ObjectId>,
    /// Those that are not covered.
    pub debts: BTreeSet<ObjectId>,
    /// Cycles that were deployed for the first time.
    pub changes: u64,
    /// Of these, those that an incident hit.
    pub failed_changes: u64,
    /// Incidents.
    pub incidents: u64,
    /// Those that are open.
    pub open_incidents: u64,
    /// Those that hit no deployment.
    pub unlinked_incidents: u64,
    /// From when on and until when deployments were logged.
    pub deployed: Option<(Time, Time)>,
}

/// A stretch of a cycle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// From its opening to its decision, whatever that was.
    OpenedToDecided,
    /// From its approval to its first deployment.
    DecidedToDeployed,
    /// From its opening to its first deployment.
    OpenedToDeployed,
    /// From its opening until its evidence was complete.
    Evidence,
    /// From then until a role had given its approvals.
    Role(Name),
    /// From the last of these until a step recorded it.
    Record,
    /// From an incident's beginning to its end.
    Restore,
}

/// What one person did in one role.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reviewer {
    /// Approvals that were good.
    pub approvals: u64,
    /// Rejections that were good.
    pub rejections: u64,
    /// Seconds between the last change of the files and each approval.
    pub after: Spread,
    /// Approvals that came sooner after it than anybody reads a report.
    pub quick: u64,
}

/// An approval sooner than this after the last change of the files is quick.
pub const QUICK_SECONDS: i64 = 120;
/// Fewest decisions of a person in a role, below which that they never reject means nothing.
pub const ENOUGH_DECISIONS: u64 = 20;
