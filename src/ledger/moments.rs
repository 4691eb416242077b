//! The moments of the past at which a gate may be judged again.
//!
//! A gate can only become allowed, closed or rejected by what is recorded of it: so these are the steps that brought in
//! something of it. What a clock alone changes (a freeze that ends) is not among them.

use std::collections::BTreeSet;

use crate::model::{GateName, ObjectId, Time};

use super::history::Index;
use super::{Ledger, Undecided, View};

impl Ledger {
    /// The view at the end of each step that recorded something of the gate: its files, a decision, an exception. Each at the
    /// step's recorded time, oldest first.
    pub fn moments(&self, gate: &GateName) -> Result<Vec<View>, Undecided> {
        let last = self.now().step;
        let mut places: BTreeSet<Index> = BTreeSet::new();
        places.extend(self.by_gate.get(gate).map(Vec::as_slice).unwrap_or_default());
        for directory in ["gates", "exceptions"] {
            let path = [directory, gate.system.as_str(), gate.version.as_str()];
            places.extend(self.provenance(&path)?.changed_up_to(&self.history, last));
        }
        let links = places.into_iter().map(|at| self.history.commit(at).link);
        let steps: BTreeSet<u32> = links
            .filter_map(|link| self.chronicle.recording_step(link, last))
            .filter(|step| *step > 0)
            .collect();
        let view = |step: u32| self.at(self.chain_commit(step), self.chronicle.link(step).recorded);
        Ok(steps.into_iter().filter_map(view).collect())
    }

    /// The gates on which the mainline holds a decision since the trust root, whether it counts or not, and whether there ever
    /// was such a gate or not.
    pub fn gates_decided_on(&self) -> impl Iterator<Item = &GateName> {
        self.by_gate.keys()
    }

    /// When the files of a gate changed last before a commit, in recorded order: the earlier of that change's own date and the
    /// time at which it was recorded.
    pub fn changed_before(&self, gate: &GateName, commit: ObjectId) -> Result<Option<Time>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let (provenance, now) = (self.provenance(&path)?, self.now());
        let Some(place) = self.history.find(commit) else { return Ok(None) };
        let before = provenance.changed_up_to(&self.history, now.link).filter(|at| *at < place).last();
        Ok(before.map(|at| {
            let change = self.history.commit(at);
            self.recorded_at(change.id, now).map_or(change.date, |recorded| recorded.min(change.date))
        }))
    }

    /// `policy.toml` of the policy in force now, as it is written.
    pub fn policy_toml(&self) -> Result<Vec<u8>, Undecided> {
        let epoch = self.chronicle.epoch_at(self.now().link);
        match epoch.directory.files.get("policy.toml") {
            Some(blob) => Ok(self.trees.blob(*blob)?),
            None => Ok(Vec::new()),
        }
    }

    /// The same view, under the policy in force now (or the one proposed in its place) as if that had been in force then.
    /// What was recorded stays judged as it was; records of the log are judged again under the policies of their own time.
    pub fn under_policy_of_now(&self, view: View) -> View {
        View { under_policy_of_now: true, ..view }
    }
}
