//! Everything that a verdict on one gate in one environment rests on.
//!
//! The ledger gathers these from history; the verdict reads nothing else. Facts say what was found, not what follows
//! from it: whether an approval is stale, an exception in force or a record a break-glass is judged in this module's
//! siblings. Times are values here: nothing below looks at a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::decision::{ClaimedBasis, Verb};
use crate::evidence::{Report, Unreadable};
use crate::model::{
    ArtifactDigest, ArtifactName, Code, ContentDigest, GateName, IncidentId, Name, ObjectId, Principal, Time,
};
use crate::policy::Policy;
use crate::request::{Exception, GateRequest, Incident};

use super::{Basis, RequirementId};

/// All that is known of one gate, for one environment, up to one mainline commit and one log commit.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The gate asked about.
    pub gate: GateName,
    /// Where it is to go.
    pub environment: Name,
    /// The time of judging.
    pub time: Time,
    /// The policy in force.
    pub policy: PolicyInForce,
    /// What the mainline holds of the gate.
    pub standing: Standing,
    /// The artifacts that the caller brought.
    pub given: Given,
    /// Every decision on the gate that history up to here holds, in the order of section 9.3. Those beyond the last step
    /// come last.
    pub decisions: Vec<DecisionFact>,
    /// The gate's exception as it stands, if there is one.
    pub exception: Option<ExceptionFact>,
    /// Incidents that name this version and environment, open or resolved.
    pub incidents: Vec<IncidentFact>,
    /// Log records of this system in this environment up to the log commit, in chain order, each with its replay. Of
    /// other systems there are none.
    pub records: Vec<Arc<RecordFact>>,
    /// The verdicts on the gates that the request requires, in this environment.
    pub required: BTreeMap<GateName, RequiredFact>,
    /// What criteria with `compare = "deployed"` are held against; nothing: nothing was deployed there before.
    pub deployed: Option<DeployedFact>,
}

/// The reports of the last logged deployment of this system here whose own replay is allowed and that did not fail
/// (design, section 6).
#[derive(Debug, Clone)]
pub struct DeployedFact {
    /// Which version that was.
    pub gate: GateName,
    /// The log commit.
    pub record: ObjectId,
    /// Its reports that read, by kind, in the order of its request; read under the policy in force now.
    pub reports: BTreeMap<Name, Vec<Arc<Report>>>,
}

/// The policy in force, and how it came to be.
#[derive(Debug, Clone)]
pub struct PolicyInForce {
    /// What it says.
    pub policy: Arc<Policy>,
    /// Its content digest.
    pub digest: ContentDigest,
    /// The mainline commit at which it came into force.
    pub commit: ObjectId,
}

/// What the mainline holds of a gate.
#[derive(Debug, Clone)]
pub enum Standing {
    /// Its directory stands at the last step.
    Recorded(Box<Content>),
    /// Nothing of it is on the mainline; the branch `gate/<name>` holds it.
    OnBranch(ObjectId),
    /// Nothing of it is known.
    Absent,
    /// It stood on the mainline; this commit removed it.
    Removed(ObjectId),
    /// Its directory stands in the trust root's tree, or stood in an ancestor's: it is not judged (section 9.3).
    BeforeRoot,
}

/// A gate directory as it stands.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its content digest. Of a directory that is invalid: what could be digested is not said.
    pub digest: Option<ContentDigest>,
    /// `gate.toml`, or all that is wrong inside the directory, path and reason in each line (`integrity:content`).
    pub request: Result<GateRequest, Vec<String>>,
    /// Files whose last change is not by a commit whose signature counts, with code and reason (`integrity:authors`).
    pub unsigned_files: Vec<UnsignedFile>,
    /// All authors: signers of changes, and whom the request names or ever named.
    pub authors: BTreeSet<Principal>,
    /// Commits that changed the directory, oldest first: the people behind the integrity lines.
    pub changed_by: Vec<ObjectId>,
    /// One entry for each `[[evidence]]` of the request, in its order.
    pub evidence: Vec<EvidenceFact>,
}

/// A file that nobody whose signature counts stands behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedFile {
    /// Below the gate directory.
    pub path: String,
    /// The commit that last changed it.
    pub commit: ObjectId,
    /// Why its signature does not count.
    pub code: Code,
    /// The same for people.
    pub reason: String,
}

/// One listed report.
#[derive(Debug, Clone)]
pub struct EvidenceFact {
    /// Its kind.
    pub kind: Name,
    /// Below the gate directory.
    pub file: String,
    /// The artifact that its entry names now.
    pub artifact: Option<ArtifactName>,
    /// What it says; nothing where the file does not stand in the directory.
    pub report: Option<Result<Arc<Report>, Unreadable>>,
    /// Whether that is the report itself, which lies elsewhere, and not what was recorded of it.
    pub original_at_hand: bool,
    /// From when its age counts: the earliest that this content at this path was brought in or dated (section 9.3). The
    /// report's own `tested` comes on top.
    pub since: Option<Time>,
    /// The commits that last changed the file, one for each side of history that has it as it stands.
    pub sides: Vec<Side>,
}

/// A commit that last changed a file, on one side of history.
#[derive(Debug, Clone)]
pub struct Side {
    /// The commit.
    pub commit: ObjectId,
    /// Who signed it, where the signature counts.
    pub signer: Result<Principal, (Code, String)>,
    /// Roles that the signer held then and may exercise with that key.
    pub roles: BTreeSet<Name>,
    /// The artifacts listed in `gate.toml` in the tree of that commit.
    pub artifacts: BTreeMap<ArtifactName, ArtifactDigest>,
    /// The artifact that the file's entry named in that tree; nothing: no entry, or it named none.
    pub artifact: Option<ArtifactName>,
}

/// The artifacts that the caller brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// They are not asked for (`ready`, a required gate).
    NotAsked,
    /// These; possibly none.
    Artifacts(Arc<BTreeMap<ArtifactName, ArtifactDigest>>),
}

/// One decision on the gate, as recording judged it.
#[derive(Debug, Clone)]
pub struct DecisionFact {
    /// The commit.
    pub commit: ObjectId,
    /// What it does; nothing where not even that can be read.
    pub verb: Option<Verb>,
    /// The signer: the one principal whose key it is, whatever else is wrong.
    pub principal: Option<Principal>,
    /// The key's fingerprint, where it is signed by one that could be read.
    pub key: Option<String>,
    /// The role named.
    pub role: Option<Name>,
    /// The environments it is limited to; empty: all.
    pub environments: BTreeSet<Name>,
    /// What it was decided on: `Gate-Content` of a decision that means it; of a rejection that counts in spite of a
    /// defect, the digest of its own tree.
    pub content: Option<ContentDigest>,
    /// `Gate-Reason` of a rejection, `other` where the policy does not know it.
    pub reason: Option<Name>,
    /// The words of the message between subject and trailers, shown to people.
    pub words: String,
    /// `Gate-Record` of an acceptance: the log commit that a cover is for.
    pub record: Option<ObjectId>,
    /// For an acceptance: the content digest of the gate directory in its own tree.
    pub gate_content: Option<ContentDigest>,
    /// The commit's own committer date.
    pub signed_at: Time,
    /// When it was recorded; nothing: it lies beyond the last step.
    pub recorded_at: Option<Time>,
    /// From when its age counts (section 9.3).
    pub since: Time,
    /// Everything that recording found wrong, with the reason for people; empty: it may count. Holds no code that
    /// only a checklist can find (`self-approval` is among those that it may hold).
    pub defects: BTreeMap<Code, String>,
    /// It restricts whatever its defects: a rejection or close whose signature verifies under a key of exactly one
    /// principal who holds the role named (or, for `close`, any role, or is an author) and that was not revoked; or a
    /// withdrawal whose signature counts (section 8).
    pub restricts: bool,
    /// Places in [`Facts::decisions`] of those that are its ancestors.
    pub ancestors: BTreeSet<usize>,
    /// For one with defect `duplicate`: the place in [`Facts::decisions`] of the first with the same payload and key. What
    /// descends from either descends from both.
    pub duplicate_of: Option<usize>,
    /// Incidents (of [`Facts::incidents`]) whose opening commit it descends from.
    pub after_incidents: BTreeSet<IncidentId>,
}

/// An exception or a cover as it stood at one moment.
#[derive(Debug, Clone)]
pub struct ExceptionFact {
    /// The commit that last changed it.
    pub commit: ObjectId,
    /// The digest of its directory (without `covers/`).
    pub content: ContentDigest,
    /// What it says, or why it does not read.
    pub exception: Result<Exception, String>,
    /// When that content was first recorded or dated, whichever is earlier.
    pub since: Time,
    /// Who signed changes of it.
    pub authors: BTreeSet<Principal>,
    /// Why it is not to be seen: a file without a signature that counts, or it stood before the trust root.
    pub defect: Option<String>,
}

/// An incident that names this version and environment.
#[derive(Debug, Clone)]
pub struct IncidentFact {
    /// Its file's name.
    pub id: IncidentId,
    /// What it says, as the last change that is seen left it.
    pub incident: Incident,
    /// The commit that opened it.
    pub opened: ObjectId,
    /// Whether it is still open: neither resolved nor removed by a commit that is seen.
    pub open: bool,
}

/// One record of the deployment log, of this system in this environment.
#[derive(Debug, Clone)]
pub struct RecordFact {
    /// The log commit.
    pub commit: ObjectId,
    /// The gate that it says was deployed.
    pub gate: GateName,
    /// The content that it says was deployed.
    pub content: ContentDigest,
    /// The artifacts that it says were deployed.
    pub artifacts: Arc<BTreeMap<ArtifactName, ArtifactDigest>>,
    /// The basis that it claims.
    pub claimed: ClaimedBasis,
    /// The mainline commit that was judged.
    pub judged: ObjectId,
    /// Its time.
    pub time: Time,
    /// Who logged it.
    pub principal: Option<Principal>,
    /// Why it counts for nothing (not signed so that it counts, not by a deployer, out of chain); nothing: it counts.
    pub defect: Option<String>,
    /// Whether a deployer signed it, also with a key that was revoked since: then it is a break-glass where its replay
    /// is not allowed or it is out of chain, though it counts for nothing else.
    pub by_deployer: bool,
    /// Whether it is out of chain, or forks it (design, section 10): one of the reasons for `defect`.
    pub out_of_chain: bool,
    /// A later record that counts says that it failed.
    pub failed: bool,
    /// What judging it again gave.
    pub replay: Replay,
    /// Incidents on this version whose opening the judged commit does not contain.
    pub unseen_incidents: BTreeSet<IncidentId>,
    /// The moments at which a cover for it stood or was accepted, oldest first.
    pub covers: Vec<CoverMoment>,
}

/// What judging a record again gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// Allowed; with when the exception it rests on ends, if it rests on one.
    Allowed {
        /// On what basis.
        basis: Basis,
        /// When the exception that it rests on ends.
        exception_expires: Option<Time>,
        /// Whether it supports a rollback: also with today's withdrawals it is allowed.
        supports: bool,
    },
    /// Not allowed: the requirements that were neither met nor waived.
    NotAllowed(BTreeSet<RequirementId>),
    /// It cannot be judged again: why.
    NotReplayable(String),
}

/// A cover at one step, with the policy and the acceptances of that step.
#[derive(Debug, Clone)]
pub struct CoverMoment {
    /// The cover as it stood.
    pub exception: ExceptionFact,
    /// The policy in force at that step.
    pub policy: Arc<Policy>,
    /// The recorded time of that step.
    pub time: Time,
    /// The decisions recorded by then on the gate of the record, in the order of section 9.3; their `ancestors` are places
    /// in this list.
    pub decisions: Vec<DecisionFact>,
    /// Who authored the gate of the record by then.
    pub gate_authors: BTreeSet<Principal>,
    /// The content digest of the gate directory of the record at that step, where it stands.
    pub gate_content: Option<ContentDigest>,
}

/// What is known of a gate that the request requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredFact {
    /// It is allowed there (also on `rollback`).
    Allowed,
    /// It is what runs there, and lacks nothing for `rollback` but a window.
    Running,
    /// It is pending there.
    Pending,
    /// It is blocked there.
    Blocked,
    /// It requires, by way of others, itself or the gate that asks; or the chain of requirements is too long.
    Cycle,
}
