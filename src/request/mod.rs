//! Request files: `gate.toml`, `exception.toml`, `incidents/<id>.toml`, as meant.
//!
//! Whether a kind, risk or environment is one the policy names is not decided here: a request is read before the policy
//! that will judge it is known (design, sections 7, 10 and 11).

mod check;
pub mod draft;
pub mod edit;
mod exception;
mod incident;
pub mod incident_draft;
pub mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Format, Mapping};
use crate::model::{ArtifactDigest, ArtifactName, GateName, Name, Principal, Time};
use crate::problem::Problems;
use crate::problem::section::{Reader, Section};

pub use exception::ExceptionKind;

/// The `schema` that this program reads.
const SCHEMA: i64 = 1;

/// The codes of request files, each with what it means.
pub const CODES: &[(&str, &str)] = &[
    ("gate-unknown-key", "a key that nothing there has"),
    ("gate-missing-key", "a key that must be there is not"),
    ("gate-wrong-type", "a value of another type than belongs there"),
    ("gate-bad-value", "a value that cannot stand there"),
    ("gate-repeated", "a list names one thing twice"),
    ("gate-schema", "a `schema` that this program does not know"),
    ("gate-path", "`system` or `version` is not that of the directory"),
    ("gate-requires-itself", "the gate is among those that it requires"),
    ("gate-artifact-twice", "two artifacts have one name"),
    ("gate-unknown-artifact", "evidence is about an artifact that is not listed"),
    ("gate-unknown-format", "a format that this program does not know"),
    ("gate-mapping", "a mapping whose keys do not go together"),
    ("gate-evidence-path", "a path that no file of a gate directory can have"),
    ("gate-evidence-twice", "one file is listed twice as one kind"),
    ("exception-unknown-key", "a key that nothing there has"),
    ("exception-missing-key", "a key that must be there is not"),
    ("exception-wrong-type", "a value of another type than belongs there"),
    ("exception-bad-value", "a value that cannot stand there"),
    ("exception-repeated", "a list names one thing twice"),
    ("exception-schema", "a `schema` that this program does not know"),
    ("exception-path", "`system` or `version` is not that of the directory"),
    ("exception-unknown-requirement", "`waives` names what is no id of a requirement"),
    ("exception-cannot-waive", "`waives` names a requirement that only a cover may name"),
    ("incident-unknown-key", "a key that nothing there has"),
    ("incident-missing-key", "a key that must be there is not"),
    ("incident-wrong-type", "a value of another type than belongs there"),
    ("incident-bad-value", "a value that cannot stand there"),
    ("incident-schema", "a `schema` that this program does not know"),
    ("incident-order", "resolved before it was detected"),
];

/// `gate.toml`: a request to deploy one version of one system.
#[derive(Debug, Clone, PartialEq)]
pub struct GateRequest {
    /// The gate it names; must be that of its path.
    pub gate: GateName,
    /// Change types; at least one.
    pub kinds: BTreeSet<Name>,
    /// The risk it claims, by name.
    pub risk: Name,
    /// Where it may go; at least one.
    pub environments: BTreeSet<Name>,
    /// Its tags.
    pub tags: BTreeSet<Name>,
    /// What changes and why, in a line.
    pub summary: String,
    /// Gates that must be allowed, or running, in the same environment.
    pub requires: BTreeSet<GateName>,
    /// For whom it was opened: they are authors too.
    pub requested_by: BTreeSet<Principal>,
    /// What is deployed, by digest.
    pub artifacts: BTreeMap<ArtifactName, Artifact>,
    /// The reports, as listed.
    pub evidence: Vec<EvidenceEntry>,
}

/// One artifact of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is compared by.
    pub digest: ArtifactDigest,
    /// Where it lies; informational.
    pub uri: Option<String>,
}

/// One report of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceEntry {
    /// Its kind.
    pub kind: Name,
    /// Its path below the gate directory.
    pub file: String,
    /// The format that the request declares.
    pub format: Option<Format>,
    /// The artifact it is about; nothing: all.
    pub artifact: Option<ArtifactName>,
    /// More metrics for reviewers; no criterion reads them.
    pub metrics: BTreeMap<String, Mapping>,
}

/// `exception.toml`: a risk to accept, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// For which gate.
    pub gate: GateName,
    /// Where.
    pub environments: BTreeSet<Name>,
    /// Ids of requirements that it waives, as written; at least one.
    pub waives: BTreeSet<String>,
    /// Why.
    pub reason: String,
    /// What may happen.
    pub risk: String,
    /// Who answers for it.
    pub owner: Principal,
    /// What limits the risk meanwhile.
    pub controls: Vec<String>,
    /// What will be done; at least one.
    pub follow_ups: Vec<FollowUp>,
    /// Until when; optional only in a cover.
    pub expires: Option<Time>,
}

/// One thing that will be done about an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// What.
    pub what: String,
    /// By whom.
    pub who: Principal,
    /// Until when.
    pub due: Time,
}

/// `incidents/<id>.toml`: something that went wrong in production.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// With which version.
    pub gate: GateName,
    /// Where.
    pub environment: Name,
    /// How bad: one of the policy's risks, by name.
    pub severity: Name,
    /// When it was noticed.
    pub detected: Time,
    /// When it was over; nothing: it is open.
    pub resolved: Option<Time>,
    /// What happened.
    pub summary: String,
    /// Why, once known.
    pub cause: Option<String>,
    /// What production showed, by metric name.
    pub metrics: BTreeMap<String, f64>,
}

impl GateRequest {
    /// Reads the `gate.toml` of `gate`; `file` is how the user knows it.
    pub fn parse(file: &str, bytes: &[u8], gate: &GateName) -> Result<Self, Problems> {
        check::check_gate(file, bytes, gate)
    }
}

impl Exception {
    /// Reads the `exception.toml` for `gate`; `file` is how the user knows it.
    pub fn parse(file: &str, bytes: &[u8], gate: &GateName, kind: ExceptionKind) -> Result<Self, Problems> {
        exception::check_exception(file, bytes, gate, kind)
    }
}

impl Incident {
    /// Reads an incident file; `file` is how the user knows it.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Problems> {
        incident::check_incident(file, bytes)
    }

    /// What can be told of an incident file that does not read whole, as long as it names a version and an environment:
    /// a slip in it must not make the incident disappear (design, section 2.8). It is open, and was noticed at `noticed`.
    pub fn salvage(bytes: &[u8], noticed: Time) -> Option<Self> {
        incident::salvage_incident(bytes, noticed)
    }
}

/// The gate that a file names in `system` and `version`, which must be that of its path.
fn names_its_path(root: &Section<'_>, gate: &GateName, code: &'static str) -> Option<GateName> {
    let system: Option<Name> = root.required("system", Reader::word);
    let version: Option<Name> = root.required("version", Reader::word);
    let (system, version) = (system?, version?);
    for (key, named, expected) in [("system", &system, &gate.system), ("version", &version, &gate.version)] {
        if named != expected {
            let message = format!("{key} `{named}` in the directory of `{gate}`");
            root.reader().problem(code, root.span_of(key), message, format!("write `{expected}`"));
        }
    }
    Some(GateName { system, version })
}

#[cfg(test)]
mod tests;
