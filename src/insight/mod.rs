//! Verdicts that rest on other verdicts, and what is read off many of them.
//!
//! It answers one question about one gate: it gathers facts from the ledger, judges the records and required gates
//! that they rest on, each once, and asks [`crate::verdict`] for the rest. The one evaluator of every command.

mod audit;
mod audit_codes;
mod audit_findings;
mod audit_fold;
mod audit_running;
mod audit_sample;
pub mod backtest;
mod brief;
mod comparison;
pub mod control;
mod decided;
mod dossier;
mod flips;
mod history;
mod incidents;
mod judge;
mod kept;
mod log;
pub mod measured;
pub mod metrics;
mod of_gate;
mod origins;
mod overview;
mod past;
mod receiving;
mod records;
mod refinement;
mod required;
mod squashed;
pub mod statistics;
pub mod timeline;
pub mod tune;

pub use audit::{
    Attested, Audit, DecisionSeen, Deployment, EvidenceSeen, Population, Scope, Then, Violation,
};
pub use audit_codes::{VIOLATIONS, ViolationCode};
pub use audit_fold::{AuditPart, AuditShare, Auditing, Seen};
pub use audit_running::{Observed, Reconciliation};
pub use audit_sample::{METHOD, Sample, Stratum};
pub use brief::{Assertion, Brief, ChangeAgainst, Deployed, EnvironmentBrief, Signing};
pub use comparison::{
    ArtifactChange, Comparison, FieldChange, FileChange, How, Line, Text, changed_paths, compare,
};
pub use decided::{Decided, Deployments, Moment as DecidedAt, Turn};
pub use dossier::Dossier;
pub use flips::{StatusChange, flips, status_changes};
pub use history::{Event, Moment};
pub use incidents::IncidentLine;
pub use judge::Judge;
pub use log::{LoggedRecord, Running};
pub use origins::{CriterionOrigin, Origins, origins};
pub use overview::{EnvironmentLine, GateLine, Wait};
pub use past::PolicyMoment;
pub use receiving::{
    CODES as RECEIVING_CODES, MalformedPush, Push, Received, Receiver, Refs, Refusal, Update, receive,
};
pub use refinement::Refinement;
pub use squashed::squash_mend;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::evidence::Report;
pub use crate::ledger::{
    Change, FilesChanged, GateDirectory, Happening, IndexStanding, IndexState, PendingPolicy, Place,
    PolicyOrigin, RootFrom, SignatureCheck, Unverified,
};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::verdict::{Given, Notice, Verdict};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// About which gate.
    pub gate: GateName,
    /// For which environment.
    pub environment: Name,
    /// The artifacts that the caller brought.
    pub given: Given,
    /// The reports that lie elsewhere and that the caller brought.
    pub originals: Originals,
}

/// Reports that lie elsewhere, by kind and by the file that stands for each: what each says, or why it is not that report.
pub type Originals = BTreeMap<(Name, String), Result<Arc<Report>, String>>;

/// The answer, with all that it was judged from.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What it was judged from.
    pub origin: Origin,
}

/// What a judgement was made from: the inputs that whoever replays it needs.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The mainline's full ref name.
    pub mainline_ref: String,
    /// The mainline commit that was judged.
    pub mainline: ObjectId,
    /// The last step up to it.
    pub step: ObjectId,
    /// The log commit.
    pub log: Option<ObjectId>,
    /// The trust root.
    pub root: ObjectId,
    /// Where the trust root came from.
    pub root_from: RootFrom,
    /// The time of judging.
    pub time: Time,
    /// The policy in force.
    pub policy: PolicyOrigin,
    /// What a reader should know of the history as a whole; those about the gate are in the verdict.
    pub notices: Vec<Notice>,
    /// Flags that replay or narrow, named (design, section 2.7).
    pub relaxations: Vec<String>,
}
