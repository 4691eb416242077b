//! A repository opened to be judged: one snapshot, its history read once, and the answers that it gives.
//!
//! The commands that print ask here, and nowhere else: so all of them have the same answer.

#![expect(dead_code, clippy::unused_self, reason = "the seam before what fills it")]

use std::collections::BTreeSet;

use crate::insight::{Judgement, Origin, Question};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::policy::Policy;
use crate::verdict::DecisionShown;

use super::{Context, Failure};

/// Which state of the repository is judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    /// The branches that are read.
    pub(crate) view: View,
    /// `--at`: another mainline commit than the tip.
    pub(crate) at: Option<ObjectId>,
    /// `--time`: another time than now.
    pub(crate) time: Option<Time>,
    /// `--log`: another log commit than the default.
    pub(crate) log: Option<ObjectId>,
    /// `--seen`: a mainline commit that must be on the chain.
    pub(crate) seen: Option<ObjectId>,
}

/// The branches that are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum View {
    /// The mainline as the remote has it, where there is one (`check`).
    #[default]
    Recorded,
    /// The local branch where it is ahead, which is said (`show`).
    Local,
    /// As if this gate's branch were merged now (`ready`).
    Merged(GateName),
}

/// An open repository, its history and the policy in force.
#[derive(Debug)]
pub(crate) struct Session {}

impl Session {
    /// Opens the repository of `context`.
    pub(crate) fn open(_context: &Context, _opening: &Opening) -> Result<Self, Failure> {
        Err(Failure::new("not-built", "reading history is not built yet"))
    }

    /// The one answer to one question.
    pub(crate) fn judge(&self, _question: &Question) -> Result<Judgement, Failure> {
        Err(Failure::new("not-built", "reading history is not built yet"))
    }

    /// The environments that the gate's request names, in their order; where it cannot be read, those of the policy.
    pub(crate) fn environments(&self, _gate: &GateName) -> Result<BTreeSet<Name>, Failure> {
        Err(Failure::new("not-built", "reading history is not built yet"))
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> Result<&Policy, Failure> {
        Err(Failure::new("not-built", "reading history is not built yet"))
    }

    /// What judgements are made from.
    pub(crate) fn origin(&self) -> Result<Origin, Failure> {
        Err(Failure::new("not-built", "reading history is not built yet"))
    }

    /// The decisions on `Gate: policy` since the policy in force came into it, counted or not.
    pub(crate) fn policy_decisions(&self) -> Result<Vec<DecisionShown>, Failure> {
        Err(Failure::new("not-built", "reading history is not built yet"))
    }
}
