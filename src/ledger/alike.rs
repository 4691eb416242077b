//! When two views see the same of a gate, so that what was worked out in one serves the other.
//!
//! Most of what is asked about a gate is asked at several moments between which nothing of it was recorded: when it was
//! allowed, when it was deployed, now.

use super::trees::Found;
use super::{Ledger, Undecided, View};
use crate::model::{GateName, ObjectId};

/// What the facts of a gate rest on, where every link is a step and none is dated ahead: two views that are alike have the same
/// content, authors, decisions and exception of it, read under the same policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Alike {
    /// How many decisions on it, and how many changes of its files, the mainline holds by then.
    decisions: usize,
    changes: usize,
    /// The tree that stands there.
    tree: ObjectId,
}

impl Ledger {
    /// By what views of a gate are alike; nothing: nobody says that of this one.
    ///
    /// Where what stands at its path has one history, its tree tells it; what is gone may have gone in several ways, an
    /// exception that stands is looked at anew each time.
    pub(crate) fn alike(&self, gate: &GateName, view: View) -> Result<Option<Alike>, Undecided> {
        if !self.chronicle.is_plain() || view.later_withdrawals || !self.has_one_history(gate)? {
            return Ok(None);
        }
        let top = self.commit_at_link(view.step).tree;
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        // Names beside it may make it unreadable, whatever it holds itself.
        let Found::Directory(tree) = self.trees.find(top, &path)? else { return Ok(None) };
        let Found::Nothing = self.trees.find(top, &["exceptions", path[1], path[2]])? else {
            return Ok(None);
        };
        let changes = self.provenance(&path)?.changed_up_to(&self.history, view.step).count();
        let decisions = self.decisions_on(gate);
        let decisions = decisions.iter().filter(|at| self.history.commit(**at).link <= view.link).count();
        Ok(Some(Alike { decisions, changes, tree }))
    }
}
