//! The moments of the past at which a gate may be judged again.
//!
//! A gate can only become allowed, closed or rejected by what is recorded of it: so these are the steps that brought in
//! something of it. What a clock alone changes (a freeze that ends) is not among them.

use std::collections::BTreeSet;

use crate::model::GateName;

use super::history::Index;
use super::{Ledger, Undecided, View};

impl Ledger {
    /// The view at the end of each step that recorded something of the gate: its files, a decision, an exception. Each at the
    /// step's recorded time, oldest first.
    pub fn moments(&self, gate: &GateName) -> Result<Vec<View>, Undecided> {
        let last = self.now().step;
        let mut places: BTreeSet<Index> = BTreeSet::new();
        places.extend(self.decisions_on(gate).iter());
        for directory in ["gates", "exceptions"] {
            let path = [directory, gate.system.as_str(), gate.version.as_str()];
            places.extend(self.provenance(&path)?.changed_up_to(&self.history, last));
        }
        let links = places.into_iter().map(|at| self.history.commit(at).link);
        let steps: BTreeSet<u32> = links
            .filter_map(|link| self.chronicle.recording_step(link, last))
            .filter(|step| *step > 0)
            .collect();
        let view = |step: u32| self.at(self.chain_commit(step), self.recorded_at_link(step));
        Ok(steps.into_iter().filter_map(view).collect())
    }

    /// `policy.toml` of the policy in force now, as it is written.
    pub fn policy_toml(&self) -> Result<Vec<u8>, Undecided> {
        let epoch = self.chronicle.epoch_at(self.now().link);
        match epoch.directory().files.get("policy.toml") {
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
