//! The policy in force, the one on the mainline that waits to follow it, and the decisions on it.

use std::collections::BTreeSet;

use super::chronicle::Sources;
use super::history::Index;
use super::snapshot::{PendingPolicy, PolicyOrigin};
use super::{Ledger, Undecided, View, trees};

impl Ledger {
    /// What the policy in force in a view is, and what waits to follow it.
    pub fn policy_origin(&self, view: View) -> Result<PolicyOrigin, Undecided> {
        let epoch = self.chronicle.epoch_at(view.link);
        let tip = self.commit_at_link(view.link);
        let standing = self.trees.directory(tip.tree, &["policy"])?;
        let pending = match standing {
            Some(directory) if directory.digest == Some(epoch.digest) => None,
            Some(directory) => Some(self.pending(view, &directory)?),
            None => {
                let gone = vec!["it is not there".to_owned()];
                Some(self.pending(view, &trees::Directory { defects: gone, ..trees::Directory::default() })?)
            }
        };
        Ok(PolicyOrigin {
            digest: epoch.digest,
            serial: epoch.policy().serial,
            commit: epoch.commit,
            pending,
        })
    }

    fn pending(&self, view: View, directory: &trees::Directory) -> Result<PendingPolicy, Undecided> {
        let epoch = self.chronicle.epoch_at(view.link);
        let ballots = self.policy_ballots(0, view.link);
        let tally = self.chronicle.tally(self.sources(), epoch, view.link, &ballots)?;
        let identity = match (directory.digest, directory.files.get("policy.toml")) {
            (Some(_), Some(blob)) => crate::policy::read_identity(&self.trees.blob(*blob)?),
            _ => None,
        };
        Ok(PendingPolicy {
            digest: directory.digest,
            defect: directory.digest.is_none().then(|| directory.defects.join("; ")),
            serial: identity.map(|(_, serial)| serial),
            commit: self.chain_commit(view.link),
            approvals: directory.digest.map_or(0, |digest| tally.filled(epoch.policy(), digest)),
            needed: epoch.policy().governance.iter().map(|approval| approval.count).sum(),
        })
    }

    /// What the policies along this history are worked out from.
    pub(super) fn sources(&self) -> Sources<'_> {
        Sources {
            history: &self.history,
            trees: &self.trees,
            changes: &self.changes,
            signing: &self.signing,
            time: self.time,
            preview: false,
            gathered: false,
            glances: false,
        }
    }

    /// The decisions on the policy that links after `from`, up to and with `to`, brought in.
    pub(super) fn policy_ballots(&self, from: u32, to: u32) -> BTreeSet<Index> {
        let recorded = self.history.decisions_on_the_policy().into_iter();
        recorded.filter(|at| (from + 1..=to).contains(&self.history.commit(*at).link)).collect()
    }
}
