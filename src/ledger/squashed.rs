//! Gates that reached the mainline without their commits: squashed or rebased by a forge.
//!
//! What was signed is then on a branch, in a reflog or behind a pull request, and nowhere on the mainline. That counts for
//! nothing by itself, and nothing here lets it count: it is found so that people can be told how to mend it, by a true
//! merge (design, section 9.6).

use std::collections::HashSet;

use crate::decision::{Target, Verb};
use crate::git::GitError;
use crate::model::{GateName, ObjectId};

use super::shape::Shape;
use super::trees::Found;
use super::{Ledger, Undecided};

/// How many commits beyond the mainline are looked at, over all refs: a bound on hostile branches.
const MOST_COMMITS: usize = 10_000;

/// What a squash left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squashed {
    /// The ref or reflog that still holds the commits.
    pub held_by: String,
    /// Its commit.
    pub tip: ObjectId,
    /// Approvals of the gate among them, whoever signed them.
    pub approvals: usize,
}

/// What lies between one tip and the mainline.
#[derive(Debug, Default)]
struct Beyond {
    /// A commit made the gate what it is on the mainline.
    made_it: bool,
    approvals: usize,
}

impl Ledger {
    /// Whether `mainline` (which this ledger reaches) holds the gate's content and lacks the commits that made it, which
    /// one of `tips` holds.
    pub fn squashed(
        &self,
        gate: &GateName,
        mainline: ObjectId,
        tips: &[(String, ObjectId)],
    ) -> Result<Option<Squashed>, Undecided> {
        let (Some(link), Some(at)) = (self.history.link_of(mainline), self.history.find(mainline)) else {
            return Ok(None);
        };
        let stands = self.gate_tree(self.history.commit(at).tree, gate)?;
        if stands.is_none() {
            return Ok(None);
        }
        let mut seen = HashSet::new();
        for (held_by, tip) in tips {
            // What a reflog names may be gone, and what nobody merged may be damaged: neither is a reason not to judge.
            let Ok(beyond) = self.beyond(gate, *tip, link, stands, &mut seen) else { continue };
            if beyond.made_it {
                return Ok(Some(Squashed {
                    held_by: held_by.clone(),
                    tip: *tip,
                    approvals: beyond.approvals,
                }));
            }
        }
        Ok(None)
    }

    fn beyond(
        &self,
        gate: &GateName,
        tip: ObjectId,
        link: u32,
        stands: Option<ObjectId>,
        seen: &mut HashSet<ObjectId>,
    ) -> Result<Beyond, GitError> {
        let mut beyond = Beyond::default();
        let mut open = vec![tip];
        while let Some(id) = open.pop() {
            let recorded = self.history.find(id).is_some_and(|at| self.history.commit(at).link <= link);
            if recorded || seen.len() >= MOST_COMMITS || !seen.insert(id) {
                continue;
            }
            let commit = self.signing.signed(id)?;
            let own = self.gate_tree(commit.tree, gate)?;
            let mut changes = own == stands;
            for parent in &commit.parents {
                changes = changes && self.gate_tree(self.signing.signed(*parent)?.tree, gate)? != own;
            }
            beyond.made_it |= changes;
            let shape = Shape::of_message(&commit.message);
            let approves =
                shape.verb == Some(Verb::Approve) && shape.target == Some(Target::Gate(gate.clone()));
            beyond.approvals += usize::from(approves);
            open.extend(&commit.parents);
        }
        Ok(beyond)
    }

    /// The gate's directory in a tree.
    fn gate_tree(&self, top: ObjectId, gate: &GateName) -> Result<Option<ObjectId>, GitError> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        Ok(match self.trees.find(top, &path)? {
            Found::Directory(id) => Some(id),
            Found::Nothing | Found::File(_) | Found::Defective(_) => None,
        })
    }
}
