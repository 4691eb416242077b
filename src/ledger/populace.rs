//! Which gates there ever were, and when the files of each changed: what is measured, with nothing left out unseen.
//!
//! A gate that was removed counts as much as one that stands. Nothing here decides.

use std::collections::BTreeSet;

use crate::git::{EntryKind, Tree};
use crate::model::{GateName, ObjectId, Time};

use super::trees::Found;
use super::{Ledger, Undecided, View};

/// A commit that changed the files of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentChange {
    /// Its place in recorded order.
    pub order: u32,
    /// The commit.
    pub commit: ObjectId,
    /// When: the earlier of its own date and the time at which it was recorded.
    pub at: Time,
    /// Whether a step recorded it.
    pub recorded: bool,
}

impl Ledger {
    /// All gates that stand on the mainline in a view, or stood at any step up to it.
    pub fn gates_ever(&self, view: View) -> Result<BTreeSet<GateName>, Undecided> {
        let mut gates: BTreeSet<GateName> = self.gates(view)?.into_iter().collect();
        // What the trust root took over, nobody after it brought in.
        gates.extend(self.gates(View { link: 0, step: 0, ..view })?);
        for (path, changing) in self.changes.below("gates") {
            // Told by system, or by each version of one: then most still stand.
            let named = std::str::from_utf8(&path).ok().and_then(|path| path.parse::<GateName>().ok());
            if named.is_some_and(|gate| gates.contains(&gate)) {
                continue;
            }
            let system = path.split(|byte| *byte == b'/').next().unwrap_or_default();
            let Ok(system) = std::str::from_utf8(system) else { continue };
            for at in changing {
                let commit = self.history.commit(at);
                if commit.link > view.step || self.history.link_of(commit.id).is_none() {
                    continue;
                }
                let Found::Directory(found) = self.trees.find(commit.tree, &["gates", system])? else {
                    continue;
                };
                let read = self.trees.tree(found)?;
                let versions = read.as_ref().iter().flat_map(Tree::entries);
                for version in versions.filter(|version| version.kind == EntryKind::Directory) {
                    let name = format!("{system}/{}", String::from_utf8_lossy(version.name));
                    gates.extend(name.parse::<GateName>().ok());
                }
            }
        }
        Ok(gates)
    }

    /// The commits that changed the gate directory up to a view, in recorded order.
    pub fn content_changes(&self, gate: &GateName, view: View) -> Result<Vec<ContentChange>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let provenance = self.provenance(&path)?;
        let change = |at| {
            let commit = self.history.commit(at);
            let recorded = self.recorded_at(commit.id, view);
            let earlier = recorded.map_or(commit.date, |recorded| recorded.min(commit.date));
            ContentChange { order: at, commit: commit.id, at: earlier, recorded: recorded.is_some() }
        };
        Ok(provenance.changed_up_to(&self.history, view.link).map(change).collect())
    }

    /// The earlier of a commit's own date and the time at which it was recorded; nothing: the mainline does not hold it.
    pub fn earliest(&self, commit: ObjectId, view: View) -> Option<Time> {
        let date = self.history.commit(self.history.find(commit)?).date;
        Some(self.recorded_at(commit, view).map_or(date, |recorded| recorded.min(date)))
    }
}
