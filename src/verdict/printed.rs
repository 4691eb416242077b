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

impl RequirementId {
    /// The requirement that is printed so; nothing where none is, or where two are.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let id = match kind {
            "environment" => Self::Environment(rest.parse().ok()?),
            "evidence" => Self::Evidence(rest.parse().ok()?),
            "criterion" => Self::Criterion(rest.parse().ok()?),
            "approval" => Self::Approval(rest.parse().ok()?),
            // What asks for any artifact is printed as one of that name is.
            "artifact" if rest == "none" => return None,
            "artifact" => Self::Artifact(Some(rest.parse().ok()?)),
            "requires" => Self::Requires(rest.parse().ok()?),
            "rejection" => Self::Rejection(rest.parse().ok()?),
            "incident" => Self::Incident(rest.parse().ok()?),
            "freeze" => Self::Freeze(rest.parse().ok()?),
            "gate" | "integrity" | "rules" => [
                Self::GateRecorded,
                Self::GateOpen,
                Self::IntegrityContent,
                Self::IntegrityAuthors,
                Self::IntegrityBreakGlass,
                Self::RulesNone,
            ]
            .into_iter()
            .find(|id| id.to_string() == text)?,
            _ => return None,
        };
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again_or_not_at_all() {
        for text in [
            "gate:recorded",
            "gate:open",
            "integrity:content",
            "integrity:authors",
            "integrity:break-glass",
            "environment:production",
            "rules:none",
            "evidence:bias",
            "criterion:toxicity-max",
            "approval:safety",
            "artifact:weights",
            "requires:ranker/v1.0.0",
            "rejection:mira@example.org",
            "incident:INC-1",
            "freeze:year-end",
        ] {
            assert_eq!(RequirementId::parse(text).map(|id| id.to_string()).as_deref(), Some(text), "{text}");
        }
        for text in
            ["artifact:none", "gate:shut", "rules:", "evidence:", "evidence", "", "requires:ranker", "x:y"]
        {
            assert_eq!(RequirementId::parse(text), None, "{text}");
        }
    }
}
