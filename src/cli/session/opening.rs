//! Which state of a repository is opened.

use crate::model::{GateName, Name, ObjectId, Time};
use crate::verdict::PolicyInForce;

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
    /// A policy that is judged under as if it were in force now (`policy diff`).
    pub(crate) proposed: Option<PolicyInForce>,
    /// A mainline that does not follow the one seen before is told, not refused (`audit`).
    pub(crate) tell_rewound: bool,
    /// Many gates or moments will be asked about: packs are read for that from the start.
    pub(crate) many: bool,
    /// Who asks does so again and again (`check --wait`): what was read is let go of.
    pub(crate) asked_again: bool,
}

/// The branches that are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum View {
    /// The mainline as the remote has it, where there is one (`check`).
    #[default]
    Recorded,
    /// The mainline, the local one where it is ahead, which is said (`list`, `pending`).
    Local,
    /// As if this gate's branch were merged now, the local one where it is ahead, which is said (`ready`, `show`).
    Merged(GateName),
    /// The same of the branch of a policy change, `policy/<slug>`.
    MergedPolicy(String),
    /// The same of the end of an environment's deployment log (`record`).
    MergedLog(Name),
}

impl View {
    pub(super) fn branch(&self) -> Option<String> {
        match self {
            Self::Recorded | Self::Local => None,
            Self::Merged(gate) => Some(gate.branch()),
            Self::MergedPolicy(branch) => Some(branch.clone()),
            Self::MergedLog(environment) => Some(format!("deployments/{environment}")),
        }
    }
}
