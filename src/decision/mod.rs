//! Decisions: the trailers of a commit message → a [`Decision`], and back.
//!
//! One strict grammar (design, section 8; `docs/rules.md`), no git configuration. Whether a decision counts is not
//! settled here: that takes its signature, the policy and the history.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::model::{ArtifactDigest, ArtifactName, ContentDigest, GateName, Malformed, Name, ObjectId};

mod malformed;
mod paragraph;
mod read;
mod render;
#[cfg(test)]
mod tests;
mod trailer;

pub use read::parse_message;
pub use render::{default_subject, render_message};

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A gate.
    Gate(GateName),
    /// The policy.
    Policy,
}

/// What was decided, whole and well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// About what.
    pub target: Target,
    /// What.
    pub action: Action,
}

/// The action with its own trailers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The signer approves, in a role, for some environments (none named: all).
    Approve {
        /// The role.
        role: Name,
        /// Limits the scope; empty: all.
        environments: BTreeSet<Name>,
        /// What was decided on, under which policy.
        seen: Seen,
    },
    /// The signer rejects, in a role, for a reason.
    Reject {
        /// The role.
        role: Name,
        /// A reason code.
        reason: Name,
        /// What was decided on, under which policy.
        seen: Seen,
    },
    /// The signer takes back decisions.
    Withdraw,
    /// The gate is closed for good.
    Close,
    /// The signer accepts the risk of an exception, or of a cover.
    AcceptRisk {
        /// The role.
        role: Name,
        /// The log commit that a cover is for.
        record: Option<ObjectId>,
        /// What was decided on, under which policy.
        seen: Seen,
    },
    /// A deployment is logged.
    Deploy(Deploy),
    /// A logged deployment did not succeed.
    DeployFailed {
        /// Where.
        environment: Name,
        /// The record that failed.
        record: ObjectId,
    },
}

/// What the signer had before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// `Gate-Content`.
    pub content: ContentDigest,
    /// `Gate-Policy`.
    pub policy: ContentDigest,
}

/// A deployment record's own trailers (design, section 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// `Gate-Content` and `Gate-Policy`.
    pub seen: Seen,
    /// Where.
    pub environment: Name,
    /// The basis it claims.
    pub basis: ClaimedBasis,
    /// What was deployed.
    pub artifacts: Arc<BTreeMap<ArtifactName, ArtifactDigest>>,
    /// Why, of a break-glass.
    pub reason: Option<String>,
    /// The trust root its writer used.
    pub root: ObjectId,
    /// The log commit from before an accepted rewind.
    pub restart: Option<ObjectId>,
}

/// `Gate-Basis`: a claim, never believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimedBasis {
    /// Every requirement met.
    Requirements,
    /// Some waived by an exception.
    Exception,
    /// It ran here before.
    Rollback,
    /// Not allowed, and deployed all the same.
    BreakGlass,
}

/// What a commit message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// No `Gate` token in the last paragraph. `stray` says that a `Gate…:` line stands elsewhere.
    None {
        /// A `Gate…:` line stands elsewhere in the message.
        stray: bool,
    },
    /// A decision. `stray` as above.
    Decision {
        /// What it says.
        decision: Decision,
        /// A `Gate…:` line stands elsewhere in the message.
        stray: bool,
    },
    /// `Gate` trailers that do not parse.
    Malformed(MalformedDecision),
}

/// A malformed decision, with what can be read of it: what restricts needs no more (design, section 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedDecision {
    /// What is wrong.
    pub reason: String,
    /// `Gate`, where it can be read.
    pub target: Option<Target>,
    /// `Gate-Action`, where it can be read.
    pub verb: Option<Verb>,
    /// `Gate-Role`, where it can be read.
    pub role: Option<Name>,
    /// Every trailer of the last paragraph that parses, as written, first value first, for listing.
    pub trailers: BTreeMap<String, Vec<String>>,
}

/// `Gate-Action` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// `approve`
    Approve,
    /// `reject`
    Reject,
    /// `withdraw`
    Withdraw,
    /// `close`
    Close,
    /// `accept-risk`
    AcceptRisk,
    /// `deploy`
    Deploy,
    /// `deploy-failed`
    DeployFailed,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 7] = [
        Self::Approve,
        Self::Reject,
        Self::Withdraw,
        Self::Close,
        Self::AcceptRisk,
        Self::Deploy,
        Self::DeployFailed,
    ];

    /// The verb as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Close => "close",
            Self::AcceptRisk => "accept-risk",
            Self::Deploy => "deploy",
            Self::DeployFailed => "deploy-failed",
        }
    }
}

impl Verb {
    /// The trailers that a decision of this kind must have, in the order in which they are written.
    pub fn required_trailers(self) -> Vec<&'static str> {
        trailer::required(self)
    }
}

impl Decision {
    /// The action without its trailers.
    pub fn verb(&self) -> Verb {
        match &self.action {
            Action::Approve { .. } => Verb::Approve,
            Action::Reject { .. } => Verb::Reject,
            Action::Withdraw => Verb::Withdraw,
            Action::Close => Verb::Close,
            Action::AcceptRisk { .. } => Verb::AcceptRisk,
            Action::Deploy(_) => Verb::Deploy,
            Action::DeployFailed { .. } => Verb::DeployFailed,
        }
    }
}

impl FromStr for Verb {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text).ok_or_else(|| {
            Malformed(
                "an action is `approve`, `reject`, `withdraw`, `close`, `accept-risk`, `deploy` or `deploy-failed`".into(),
            )
        })
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Target {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text == "policy" {
            return Ok(Self::Policy);
        }
        text.parse().map(Self::Gate)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gate(gate) => write!(f, "{gate}"),
            Self::Policy => f.write_str("policy"),
        }
    }
}

impl ClaimedBasis {
    /// Every basis.
    pub const ALL: [Self; 4] = [Self::Requirements, Self::Exception, Self::Rollback, Self::BreakGlass];

    /// The basis as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requirements => "requirements",
            Self::Exception => "exception",
            Self::Rollback => "rollback",
            Self::BreakGlass => "break-glass",
        }
    }
}

impl FromStr for ClaimedBasis {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|basis| basis.as_str() == text).ok_or_else(|| {
            Malformed("a basis is `requirements`, `exception`, `rollback` or `break-glass`".into())
        })
    }
}

impl fmt::Display for ClaimedBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
