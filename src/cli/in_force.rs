//! The policy under which something is written, and where the mainline is.

use std::rc::Rc;
use std::sync::Arc;

use crate::git::Repository;
use crate::ledger::{Branches, Ledger, snapshot};
use crate::model::{ContentDigest, GateName, ObjectId, Principal};
use crate::policy::Policy;

use super::Context;

/// The policy in force, as the one who signs sees it.
#[derive(Debug)]
pub(super) struct InForce {
    /// Its content digest.
    pub(super) digest: ContentDigest,
    /// What it says.
    pub(super) policy: Arc<Policy>,
    /// The mainline's tip.
    pub(super) mainline: ObjectId,
    ledger: Ledger,
}

impl InForce {
    /// Whether the mainline knows the principal as an author of the gate.
    pub(super) fn is_author(&self, gate: &GateName, principal: &Principal) -> anyhow::Result<bool> {
        Ok(self.ledger.gate_authors(gate, self.ledger.now())?.contains(principal))
    }
}

/// The name of the mainline, without `refs/heads/`.
pub(super) fn mainline_name(repository: &Repository) -> &str {
    repository.config("gate.mainline").unwrap_or("main")
}

/// The policy in force at the mainline's tip: as `origin` last showed it where there is a remote.
pub(super) fn policy_in_force(context: &Context) -> anyhow::Result<InForce> {
    let repository = Rc::new(context.repository()?);
    let snapshot = snapshot(&repository, context.root, Branches::LocalWhereAhead)?;
    let ledger = Ledger::open(repository, snapshot.root, snapshot.tip, context.now, false)?;
    let in_force = ledger.policy(ledger.now());
    Ok(InForce { digest: in_force.digest, policy: in_force.policy, mainline: snapshot.tip, ledger })
}
