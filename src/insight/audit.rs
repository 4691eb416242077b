//! The audit: every logged deployment judged again, and what is wrong with it.
//!
//! A value that `audit`, `report` and `metrics` read alike. It names its population: what was read, what cannot be judged
//! again, what was left out on request. What a record claims stands beside what its replay gave (design, section 10).

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::ledger::Place;
use crate::model::{Code, ContentDigest, GateName, Name, ObjectId, Principal, Time};
use crate::verdict::{ChangeShown, ExceptionShown, Outcome, RecordFact, Requirement};

use super::Origin;
use super::audit_codes::ViolationCode;
use super::audit_running::Reconciliation;
use super::audit_sample::Sample;
use super::log::LoggedRecord;

/// What is asked of an audit.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// These environments; nothing: all that the policy names, that have a log, or of which the mainline holds records.
    pub environments: Option<BTreeSet<Name>>,
    /// No records that were logged before; what is owed or lacks today is not left out.
    pub since: Option<Time>,
}

/// Every logged deployment, judged again.
#[derive(Debug, Clone)]
pub struct Audit {
    /// What it was made from; flags that narrow it are among its relaxations.
    pub origin: Origin,
    /// From when on deployments are shown.
    pub since: Option<Time>,
    /// What was read, by environment.
    pub population: BTreeMap<Name, Population>,
    /// Environments with records that were not asked for.
    pub other_environments: BTreeSet<Name>,
    /// The deployments, by environment, in the order of its log; what only the mainline holds comes last.
    pub deployments: Vec<Deployment>,
    /// All that is wrong, in the order in which it was found.
    pub violations: Vec<Violation>,
    /// How it compares with what runs, where that was told.
    pub running: Option<Reconciliation>,
    /// What was drawn for closer looks.
    pub sample: Option<Sample>,
}

impl Audit {
    /// Break-glass deployments that nobody has covered.
    pub fn debts(&self) -> impl Iterator<Item = &Deployment> {
        self.deployments.iter().filter(|deployment| deployment.debt.is_some())
    }
}

/// What was read of one environment's log: nothing is left out unseen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Population {
    /// Where the log ends; nothing: there is none.
    pub tip: Option<ObjectId>,
    /// How many records there are in all, those that only the mainline holds included.
    pub records: u64,
    /// How many of them only the mainline holds.
    pub outside_the_log: u64,
    /// How many judged a commit from before the trust root: they cannot be judged again.
    pub before_root: u64,
    /// How many were left out by `--since`.
    pub left_out: u64,
    /// How many words that a deployment failed count.
    pub failures: u64,
    /// The first record of the log, and its date.
    pub first: Option<(ObjectId, Time)>,
    /// The last.
    pub last: Option<(ObjectId, Time)>,
}

/// One logged deployment.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Where to.
    pub environment: Name,
    /// Where the record stands.
    pub place: Place,
    /// What it says, and what judging it again gave. Its `covers` are left out: `break_glass` and `debt` say what they do.
    pub record: RecordFact,
    /// When the mainline recorded it; nothing: it has not yet.
    pub recorded_at: Option<Time>,
    /// It judged a commit from before the trust root.
    pub before_root: bool,
    /// Whether its signature counts, and is a deployer's.
    pub signed: bool,
    /// `Gate-Restart`.
    pub restart: Option<ObjectId>,
    /// Whether it is a break-glass, whatever it claims.
    pub break_glass: bool,
    /// Of a break-glass: why it is not covered; nothing where it is, or where it is none.
    pub debt: Option<String>,
    /// Until when an uncovered break-glass may stay so; nothing: it is none, or is overdue at once.
    pub cover_due: Option<Time>,
    /// How the gate stood then; nothing: it cannot be judged again.
    pub then: Option<Then>,
    /// What is wrong with it.
    pub violations: BTreeSet<ViolationCode>,
}

impl Deployment {
    /// The same as `log` tells it.
    pub fn into_logged(self) -> LoggedRecord {
        LoggedRecord {
            environment: self.environment,
            record: self.record,
            debt: self.debt,
            break_glass: self.break_glass,
        }
    }
}

/// How a gate stood when a deployment was judged: the checklist, and what it rests on.
#[derive(Debug, Clone)]
pub struct Then {
    /// The verdict of then.
    pub outcome: Outcome,
    /// The content digest of the gate directory then, where it stood and was valid.
    pub content: Option<ContentDigest>,
    /// The policy in force then.
    pub policy: ContentDigest,
    /// Its serial.
    pub serial: u64,
    /// What was asked for.
    pub change: Option<ChangeShown>,
    /// The checklist.
    pub requirements: Vec<Requirement>,
    /// Every decision on the gate, counted or not.
    pub decisions: Vec<DecisionSeen>,
    /// The reports.
    pub evidence: Vec<EvidenceSeen>,
    /// Exceptions, in force or not.
    pub exceptions: Vec<ExceptionShown>,
}

impl Then {
    /// The approvals and acceptances that counted.
    pub fn approvals(&self) -> impl Iterator<Item = &DecisionSeen> {
        self.decisions.iter().filter(|decision| {
            decision.code.is_none() && matches!(decision.verb, Some(Verb::Approve | Verb::AcceptRisk))
        })
    }

    /// When the gate was decided: when the last approval that counted was recorded.
    pub fn decided_at(&self) -> Option<Time> {
        self.approvals().filter_map(|decision| decision.recorded_at).max()
    }
}

/// A decision as it stood when a deployment was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionSeen {
    /// The commit.
    pub commit: ObjectId,
    /// What it does; nothing where that cannot be read.
    pub verb: Option<Verb>,
    /// Who.
    pub principal: Option<Principal>,
    /// In which role.
    pub role: Option<Name>,
    /// Limited to these environments; empty: all.
    pub environments: BTreeSet<Name>,
    /// The key's fingerprint.
    pub key: Option<String>,
    /// The date that its commit claims.
    pub signed_at: Time,
    /// When it was recorded.
    pub recorded_at: Option<Time>,
    /// Why it does not count; nothing: it counts.
    pub code: Option<Code>,
    /// The same for people.
    pub reason: Option<String>,
}

/// A report as it stood when a deployment was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceSeen {
    /// Its kind.
    pub kind: Name,
    /// Below the gate directory.
    pub file: String,
    /// The SHA-256 of its bytes; nothing: it was not there.
    pub digest: Option<ContentDigest>,
    /// The format that it was read in; nothing: it was not read.
    pub format: Option<String>,
    /// Why it does not read.
    pub problem: Option<String>,
    /// Whose it is to sign; nothing: whoever brings it.
    pub attested: Option<Attested>,
}

/// A report of a kind that the policy of then takes from some roles alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// From these.
    pub roles: BTreeSet<Name>,
    /// The commit that brought it, and who of them signed that; nothing: nobody of them did.
    pub by: Option<(ObjectId, Principal)>,
}

/// Something that an audit finds wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where.
    pub environment: Option<Name>,
    /// What.
    pub code: ViolationCode,
    /// The log commit that it is about.
    pub record: Option<ObjectId>,
    /// The gate that it is about.
    pub gate: Option<GateName>,
    /// The same for people.
    pub message: String,
}
