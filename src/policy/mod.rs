//! The policy: rules, roles, systems, environments and keys, as meant.
//!
//! `policy.toml` as written is in `wire.rs`; `check.rs` turns it into a [`Policy`] and collects every problem. What a
//! rule asks of one change is not decided here but in `verdict`; whose a key is, in [`crate::signature`].
//! The format is section 6 of the design; `docs/policy.md` tells it to users.

mod change;
mod check;
pub mod codes;
pub mod diff;
pub mod edit;
mod findings;
mod holders;
mod lint;
pub mod starter;

pub use change::{Asked, Change};
pub use holders::MOST_PLACES;
pub use lint::lint;

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Format, Mapping, Scalar};
use crate::model::{Duration, Glob, Label, Name, ObjectId, Principal, Time};
use crate::problem::document::Document;
use crate::problem::{Problem, Problems};
use crate::signature::AllowedSigners;

/// The file, as problems name it.
const POLICY_FILE: &str = "policy/policy.toml";

/// A policy that parsed whole.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Made by `init`: what is signed for one repository is not for another.
    pub id: String,
    /// One more than its predecessor's.
    pub serial: u64,
    /// Principals that are no people.
    pub bots: BTreeSet<Principal>,
    /// Who may change the policy.
    pub governance: Vec<Approval>,
    /// Roles that must have signed a mainline commit for it to be a step; nothing: every commit is one.
    pub mainline_signed_by: Option<BTreeSet<Name>>,
    /// Named sets of principals.
    pub roles: BTreeMap<Name, Role>,
    /// The change types.
    pub kinds: Vec<Name>,
    /// The risks, ascending; [`Risk`] is an index into it.
    pub risks: Vec<Name>,
    /// Globs on an artifact's last path component that make the change of that kind.
    pub infer: BTreeMap<Name, Vec<Glob>>,
    /// What a requester cannot talk down.
    pub systems: BTreeMap<Name, System>,
    /// Where versions go.
    pub environments: BTreeMap<Name, Environment>,
    /// Kinds of evidence with options. A kind that only a rule names has none: [`Policy::evidence_kind`].
    pub evidence: BTreeMap<Name, EvidenceKind>,
    /// How old an approval may be; nothing: any age.
    pub approvals_max_age: Option<Duration>,
    /// Reason codes of rejections.
    pub rejection_reasons: BTreeSet<Name>,
    /// The rules, as written.
    pub rules: Vec<Rule>,
    /// Who accepts risks, and for how long.
    pub exceptions: Exceptions,
    /// Times in which nothing is deployed.
    pub freezes: Vec<Freeze>,
    /// Keys that no longer count.
    pub revoked: Vec<Revocation>,
    /// `policy/allowed_signers`.
    pub signers: AllowedSigners,
    /// Findings of the closed list that keeps a policy from coming into force (design, section 6); at the trust root
    /// they are notices.
    pub findings: Vec<Problem>,
    /// The policy as written, for the places of what is found later.
    pub places: Document,
}

impl Policy {
    /// Reads `policy/policy.toml` and `policy/allowed_signers`, and collects the problems of both.
    pub fn parse(policy_toml: &[u8], allowed_signers: &[u8]) -> Result<Self, Problems> {
        match read_signers(allowed_signers) {
            Ok(signers) => Self::parse_with(policy_toml, signers),
            Err(mut wrong) => {
                let document = Document::parse(POLICY_FILE, policy_toml);
                let more = document.and_then(|document| check::problems(&document));
                if let Err(Problems(mut problems)) = more {
                    problems.append(&mut wrong.0);
                    wrong.0 = problems;
                }
                Err(wrong)
            }
        }
    }

    /// Whether a policy of that id and serial may follow this one, or why not (design, section 9.4).
    pub fn may_be_followed_by(&self, id: &str, serial: u64) -> Result<(), String> {
        if id != self.id {
            return Err(format!("its `id` is `{id}`, not `{}`", self.id));
        }
        match self.serial.checked_add(1) {
            Some(next) if serial == next => Ok(()),
            Some(next) => Err(format!("its `serial` is {serial}; the next one is {next}")),
            None => Err(format!("its `serial` is {serial}, and none comes after {}", self.serial)),
        }
    }

    /// Reads `policy/policy.toml` beside signers that are read already.
    pub fn parse_with(policy_toml: &[u8], signers: AllowedSigners) -> Result<Self, Problems> {
        let document = Document::parse(POLICY_FILE, policy_toml)?;
        let mut policy = check::check_policy(&document, signers)?;
        policy.findings = findings::findings(&policy);
        Ok(policy)
    }
}

/// The `id` and `serial` of a policy that this program may not be able to read whole: what says that it is TOML, and
/// which policy it claims to follow (design, section 9.4).
pub fn read_identity(policy_toml: &[u8]) -> Option<(String, u64)> {
    let document = Document::parse(POLICY_FILE, policy_toml).ok()?;
    check::identity_of(&document)
}

fn read_signers(bytes: &[u8]) -> Result<AllowedSigners, Problems> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        Problems(vec![Problem {
            code: "signers-not-utf8",
            place: None,
            message: format!("`policy/allowed_signers` is not UTF-8 on line {line}"),
            help: Some("save the file as UTF-8".to_owned()),
        }])
    })?;
    AllowedSigners::parse(text)
}

/// A place in [`Policy::risks`]: higher is riskier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Risk(pub usize);

/// So many people in a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The role.
    pub role: Name,
    /// How many different people.
    pub count: u64,
}

/// A named set of principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// For people to read.
    pub title: Option<String>,
    /// Who holds it.
    pub members: BTreeSet<Principal>,
    /// With what keys it may be exercised.
    pub keys: KeyRequirement,
}

/// With what keys a role may be exercised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum KeyRequirement {
    /// Any key that counts.
    #[default]
    Any,
    /// A hardware key, touched.
    Hardware,
    /// A hardware key that verified its user.
    HardwareVerified,
}

/// What the policy says of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// For people to read.
    pub title: Option<String>,
    /// Its least risk; nothing: the lowest.
    pub risk: Option<Risk>,
    /// Its tags.
    pub tags: BTreeSet<Name>,
    /// Who answers for it.
    pub owner: Option<Principal>,
}

/// Where versions go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// Roles that may log deployments.
    pub deployers: BTreeSet<Name>,
    /// Whether the artifacts must be given and match.
    pub artifacts_required: bool,
    /// For how long after it last ran a version may come back; nothing: never.
    pub rollback_window: Option<Duration>,
}

/// What the policy says of a kind of evidence.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent answers, as the policy gives them")]
pub struct EvidenceKind {
    /// For people to read.
    pub title: Option<String>,
    /// Whether it is about the change, and so stays when artifacts change.
    pub about_change: bool,
    /// How old it may be.
    pub max_age: Option<Duration>,
    /// Roles one of which must have signed the commit that last changed the file.
    pub attested_by: Option<BTreeSet<Name>>,
    /// Formats it may have; nothing: any.
    pub formats: Option<Vec<Format>>,
    /// Whether metrics of a run that did not finish well count.
    pub unfinished_allowed: bool,
    /// Whether the report itself may lie elsewhere.
    pub external_allowed: bool,
    /// Whether suppressions in source do not close a finding.
    pub in_source_ignored: bool,
    /// Least number of passed tests.
    pub min_passed: Option<u64>,
    /// Metric names that the policy maps itself, each in one or several formats.
    pub metrics: BTreeMap<String, Vec<Mapping>>,
}

/// A rule: when it applies, and what it asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: Label,
    /// When it applies.
    pub when: When,
    /// Kinds of evidence it requires.
    pub evidence: Vec<Name>,
    /// Approvals it asks for.
    pub approvals: Vec<Approval>,
    /// Bounds it sets.
    pub criteria: Vec<Criterion>,
}

/// Lists of which any element matches; all that are given must. A list that is not given always matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When {
    /// Change types.
    pub kind: Option<BTreeSet<Name>>,
    /// Risks.
    pub risk: Option<BTreeSet<Risk>>,
    /// Environments.
    pub environment: Option<BTreeSet<Name>>,
    /// Systems, by glob.
    pub system: Option<Vec<Glob>>,
    /// Tags.
    pub tag: Option<BTreeSet<Name>>,
}

/// A bound on a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// Its name; unique over the policy unless all that bear it say the same.
    pub name: Label,
    /// The kind of evidence it reads.
    pub evidence: Name,
    /// What it bounds.
    pub subject: Subject,
    /// The greatest value that passes.
    pub max: Option<f64>,
    /// The least value that passes.
    pub min: Option<f64>,
    /// The only value that passes.
    pub equals: Option<Scalar>,
    /// The least number of samples.
    pub min_samples: Option<u64>,
    /// The greatest number of errors.
    pub max_errors: Option<u64>,
    /// The confidence with which the bound must hold, strictly between 0.5 and 1.
    pub confidence: Option<f64>,
    /// Against what else the value is held.
    pub compare: Option<Compare>,
    /// Whether open findings of level error that their tool did not rate pass a bound on critical ones.
    pub unrated_allowed: bool,
    /// The incident it came from.
    pub origin: Option<String>,
}

/// What a criterion bounds.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// One metric.
    Metric(String),
    /// Greatest minus least over a set of metrics.
    Spread(Group),
    /// Least divided by greatest over a set of metrics.
    Ratio(Group),
}

/// A set of metrics, one a group of people.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Metric names; `*` crosses `/`.
    pub metrics: Vec<Glob>,
    /// Least samples that each must have.
    pub min_group: Option<u64>,
}

/// A comparison with the version that was last deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct Compare {
    /// How much lower the value may be.
    pub max_drop: Option<f64>,
    /// How much higher the value may be.
    pub max_rise: Option<f64>,
    /// Whether it passes where nothing was deployed before.
    pub first_passes: bool,
}

/// Who accepts risks, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions {
    /// Who; empty: no exception is ever in force.
    pub approvals: Vec<Approval>,
    /// The longest an exception may last; nothing: any.
    pub max_duration: Option<Duration>,
    /// After how long an uncovered break-glass blocks; nothing: at once.
    pub break_glass_review: Option<Duration>,
}

/// A time in which nothing that matches is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Its name.
    pub name: Label,
    /// What it freezes.
    pub when: When,
    /// From when, inclusive.
    pub from: Time,
    /// Until when, exclusive.
    pub until: Time,
}

/// A key that no longer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The key's fingerprint, `SHA256:…`, as `ssh-keygen -l` prints it.
    pub key: String,
    /// From when.
    pub since: Since,
    /// Why; for people.
    pub reason: String,
}

/// From when a revocation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// What was recorded after this mainline commit does not count.
    Commit(ObjectId),
    /// Nothing by this key counts.
    NeverTrusted,
}

#[cfg(test)]
mod tests;
