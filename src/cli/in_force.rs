//! The policy under which something is written, and where the mainline is.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::decision::Verb;
use crate::git::Repository;
use crate::ledger::{Branches, Ledger, mark, snapshot};
use crate::model::{ContentDigest, GateName, ObjectId, Principal};
use crate::policy::Policy;
use crate::verdict::ExceptionFact;

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

    /// Whom the mainline knows as authors of the gate.
    pub(super) fn authors(&self, gate: &GateName) -> anyhow::Result<BTreeSet<Principal>> {
        Ok(self.ledger.gate_authors(gate, self.ledger.now())?)
    }

    /// The gate's exception, or its cover of a record, as it stands on the mainline.
    pub(super) fn exception(
        &self,
        gate: &GateName,
        record: Option<ObjectId>,
    ) -> anyhow::Result<Option<ExceptionFact>> {
        let now = self.ledger.now();
        Ok(match record {
            None => self.ledger.exception(gate, now)?,
            Some(record) => self.ledger.covers(gate, record, now)?.pop().map(|moment| moment.exception),
        })
    }

    /// The close of the gate that the mainline holds, if it does.
    pub(super) fn closed_by(&self, gate: &GateName) -> anyhow::Result<Option<ObjectId>> {
        let now = self.ledger.now();
        let authors = self.ledger.gate_authors(gate, now)?;
        let decisions = self.ledger.decisions(gate, now, &BTreeMap::new(), &authors)?;
        let close = decisions.iter().find(|fact| fact.verb == Some(Verb::Close) && fact.restricts);
        Ok(close.map(|fact| fact.commit))
    }

    /// Whether a commit is on the mainline, since the trust root.
    pub(super) fn is_on_mainline(&self, commit: ObjectId) -> bool {
        self.ledger.is_on_chain(commit, self.ledger.now())
    }

    /// Rejections and closes of the gate, on the mainline and on its branch up to `tip`.
    pub(super) fn objections(&self, gate: &GateName, tip: ObjectId) -> anyhow::Result<BTreeSet<ObjectId>> {
        let mut all = self.ledger.recorded_rejections(gate)?;
        let (found, searched) = self.ledger.unrecorded_rejections(gate, tip)?;
        all.extend(found);
        // Where there are too many commits to search, whatever is new there may be one.
        all.extend((!searched).then_some(tip));
        Ok(all)
    }
}

/// The name of the mainline, without `refs/heads/`.
pub(super) fn mainline_name(repository: &Repository) -> &str {
    repository.config("gate.mainline").unwrap_or("main")
}

/// The digest of the policy that was in force at an earlier tip of the mainline; nothing where the trust root does not lie
/// before it.
pub(super) fn policy_then(context: &Context, tip: ObjectId) -> anyhow::Result<Option<ContentDigest>> {
    let repository = Rc::new(context.repository()?);
    let root = snapshot(&repository, context.root, Branches::LocalWhereAhead)?.root;
    match Ledger::open(repository, root, tip, context.now, false) {
        Ok(ledger) => Ok(Some(ledger.policy(ledger.now()).digest)),
        Err(undecided) if undecided.code == "root-not-on-mainline" => Ok(None),
        Err(undecided) => Err(undecided.into()),
    }
}

/// The policy in force at the mainline's tip: as `origin` last showed it where there is a remote.
pub(super) fn policy_in_force(context: &Context) -> anyhow::Result<InForce> {
    let _busy = context.busy("reading the history");
    let repository = Rc::new(context.repository()?);
    let snapshot = snapshot(&repository, context.root, Branches::LocalWhereAhead)?;
    let shared = Rc::clone(&repository);
    let ledger = Ledger::open(repository, snapshot.root, snapshot.tip, context.now, false)?;
    if snapshot.mainline_ref.starts_with("refs/remotes/") {
        // Nobody signs under a past that is served as the present.
        mark::follow(&shared, &ledger, ledger.now(), &snapshot.mainline_ref)?;
    }
    let in_force = ledger.policy(ledger.now());
    Ok(InForce { digest: in_force.digest, policy: in_force.policy, mainline: snapshot.tip, ledger })
}
