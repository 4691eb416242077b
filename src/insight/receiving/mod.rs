//! Whether a push may be taken: what would break the record, or could never count, is refused.
//!
//! Three parts. [`Push`] is what git says: which refs move from where to where. `gather.rs` reads what that brings, all refs
//! as they would be, into [`Arrived`]. `rules.rs` makes refusals of it, and sees nothing else. Readers verify everything again,
//! so what is let pass decides nothing (design, section 13).

mod gather;
mod help;
mod push;
mod refs;
mod rules;

pub use gather::{Receiver, receive};
pub use push::{MalformedPush, Push, Update};

use std::collections::BTreeMap;

use crate::ledger::Undecided;
use crate::model::{Code, GateName, Name, ObjectId};
use crate::problem::Problem;

/// What comes of a push.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Why it is refused; none: it may be taken.
    pub refusals: Vec<Refusal>,
    /// What a reader should know of what could not be looked at.
    pub warnings: Vec<String>,
    /// It was read from an index that may be damaged, or could not be read: without one it may be otherwise.
    pub doubtful: bool,
}

/// Why one ref may not move as it was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The ref's full name.
    pub reference: String,
    /// The commit that it is about, where there is one.
    pub commit: Option<ObjectId>,
    /// A stable code: of [`CODES`], of a decision that does not count, or of what could not be read.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What mends it.
    pub help: String,
    /// Whether that is known, and not only that it could not be looked at.
    pub certain: bool,
    /// What is wrong in files, each with its line and a caret.
    pub problems: Vec<Problem>,
}

/// Every code of a refusal that nothing else gives, with what it means.
pub const CODES: &[(&str, &str)] = &[
    ("push-too-large", "a push moves more refs, or brings more commits, than are looked at in one"),
    ("mainline-deleted", "a push deletes the mainline"),
    ("log-deleted", "a push deletes a deployment log"),
    ("log-moved-back", "a deployment log does not follow the one before"),
    ("log-forked", "a commit of a log stands beside its chain, or on the mainline and not in its log"),
    ("log-no-record", "a commit of a log is no record of a deployment there"),
    (
        "log-out-of-chain",
        "a record judged an older mainline commit, another history, or is dated out of order",
    ),
    (
        "log-not-counted",
        "a record is not signed by a deployer, or says of another than the last that it failed",
    ),
    ("policy-unapproved", "`policy/` changes without the approvals of `[governance]`"),
    ("policy-on-gate-branch", "a branch that is no `policy/…` changes `policy/`"),
    ("gate-closed", "files of a closed gate change"),
    ("gate-deployed", "files of a gate that was deployed change"),
    ("request-invalid", "a request, exception or incident file cannot be read"),
    ("directory-invalid", "a governed directory breaks its limits"),
    ("unsigned-files", "governed files reach the mainline that no signature which counts stands behind"),
    ("incident-unseen", "a change of an incident that no signature which counts stands behind"),
    ("rejection-dropped", "a rejection or close that nobody has recorded would be gone"),
    ("replacement", "a push brings a ref that replaces objects"),
];

/// All that a push brings, read.
#[derive(Debug, Clone, Default)]
struct Arrived {
    /// The mainline's name, without `refs/heads/`.
    mainline: String,
    refs: Vec<ArrivedRef>,
    warnings: Vec<String>,
}

/// One ref, and what it brings.
#[derive(Debug, Clone)]
struct ArrivedRef {
    update: Update,
    kind: Kind,
    movement: Movement,
    /// Why what it brings could not be looked at.
    unjudged: Option<Undecided>,
    /// The commit that changes `policy/`, where it becomes another than before and than the one in force.
    policy: Option<ObjectId>,
    /// What is wrong with governed directories that it changes.
    directories: Vec<ArrivedDirectory>,
    /// Decisions that cannot count.
    decisions: Vec<ArrivedDecision>,
    /// Log commits that do not count, with code and reason; on the mainline those that their log lacks.
    records: Vec<(ObjectId, &'static str, String)>,
    /// Rejections and closes that would be gone.
    dropped: Vec<ObjectId>,
}

/// What a ref is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Mainline,
    Gate(GateName),
    Policy,
    Log(Name),
    /// `refs/replace/…`.
    Replacement,
    /// Nothing that is judged.
    Other,
}

/// How a ref moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Movement {
    Created,
    Deleted,
    /// The old commit is on the new one's chain of first parents; of a gate or policy branch, wherever it goes.
    Forward,
    /// The new one holds the old one, but not on that chain.
    Sideways,
    /// The new one does not hold the old one.
    Back,
}

/// A governed directory that changes, and what is against it.
#[derive(Debug, Clone, Default)]
struct ArrivedDirectory {
    path: String,
    /// The last commit of the push that changes it.
    commit: Option<ObjectId>,
    defects: Vec<String>,
    problems: Vec<Problem>,
    /// The close that it lies behind.
    closed: Option<ObjectId>,
    /// The environment and the record that it was deployed by.
    deployed: Option<(Name, ObjectId)>,
    /// Files that nobody stands behind: path, commit, why.
    unsigned: Vec<(String, ObjectId, Code, String)>,
    /// The commit whose change of an incident is not seen.
    unseen: Option<ObjectId>,
}

/// A decision that cannot count.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ArrivedDecision {
    commit: ObjectId,
    what: String,
    code: Code,
    reason: String,
}

impl ArrivedRef {
    fn new(update: Update, kind: Kind) -> Self {
        Self {
            update,
            kind,
            movement: Movement::Created,
            unjudged: None,
            policy: None,
            directories: Vec::new(),
            decisions: Vec::new(),
            records: Vec::new(),
            dropped: Vec::new(),
        }
    }
}

/// Refs by their full names, and where each stands.
pub type Refs = BTreeMap<String, ObjectId>;
