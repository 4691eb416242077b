//! How statuses, outcomes and ids are printed: the same in every form of output.

use std::fmt;

use super::{Basis, Outcome, RequirementId, Status};

impl Status {
    /// The status as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Waived => "waived",
        }
    }
}

impl Basis {
    /// The basis as it is printed and logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requirements => "requirements",
            Self::Exception => "exception",
            Self::Rollback => "rollback",
        }
    }
}

impl Outcome {
    /// `allowed`, `pending` or `blocked`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed(_) => "allowed",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
        }
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GateRecorded => f.write_str("gate:recorded"),
            Self::GateOpen => f.write_str("gate:open"),
            Self::IntegrityContent => f.write_str("integrity:content"),
            Self::IntegrityAuthors => f.write_str("integrity:authors"),
            Self::IntegrityBreakGlass => f.write_str("integrity:break-glass"),
            Self::Environment(name) => write!(f, "environment:{name}"),
            Self::RulesNone => f.write_str("rules:none"),
            Self::Evidence(kind) => write!(f, "evidence:{kind}"),
            Self::Criterion(name) => write!(f, "criterion:{name}"),
            Self::Approval(role) => write!(f, "approval:{role}"),
            Self::Artifact(Some(name)) => write!(f, "artifact:{name}"),
            Self::Artifact(None) => f.write_str("artifact:none"),
            Self::Requires(gate) => write!(f, "requires:{gate}"),
            Self::Rejection(principal) => write!(f, "rejection:{principal}"),
            Self::Incident(id) => write!(f, "incident:{id}"),
            Self::Freeze(name) => write!(f, "freeze:{name}"),
        }
    }
}
