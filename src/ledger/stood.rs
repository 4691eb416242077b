//! What stood at a path at each commit, read at those alone that change it.
//!
//! All others have what their parents have, so that of these no tree is read. Of the chain, where most who ask are, the last
//! link that changed it is looked up; on a branch, parents are followed.

use crate::git::GitError;

use super::history::{History, Index};
use super::provenance::{Object, object_at};
use super::trees::Trees;

/// So many parents are followed on a branch before its tree is read instead: a bound on what a long branch costs.
const MOST_FOLLOWED: usize = 32;

/// What stood at one path.
#[derive(Debug, Default)]
pub(super) struct Stood {
    /// At the commits where it is not what it is at each of their parents, in recorded order.
    at: Vec<(Index, Option<Object>)>,
    /// The same of those that are links of the chain behind the trust root.
    on_chain: Vec<(u32, Option<Object>)>,
}

impl Stood {
    /// Reads what stands at `path` at the next commit that changes it, in recorded order.
    pub(super) fn read(
        &mut self,
        trees: &Trees,
        history: &History,
        path: &[&str],
        at: Index,
    ) -> Result<Option<Object>, GitError> {
        let object = object_at(trees, history.commit(at).tree, path)?;
        self.at.push((at, object));
        if let Some(link) = history.chain_link(at).filter(|link| *link > 0) {
            self.on_chain.push((link, object));
        }
        Ok(object)
    }

    /// What stands at `path` at a commit, once all that change it up to there were read.
    pub(super) fn object(
        &self,
        trees: &Trees,
        history: &History,
        path: &[&str],
        at: Index,
    ) -> Result<Option<Object>, GitError> {
        let mut at = at;
        for _ in 0..MOST_FOLLOWED {
            if let Ok(found) = self.at.binary_search_by_key(&at, |(at, _)| *at) {
                return Ok(self.at.get(found).and_then(|(_, object)| *object));
            }
            if let Some(link) = history.chain_link(at).filter(|link| *link > 0) {
                let before = self.on_chain.partition_point(|(changed, _)| *changed <= link);
                match before.checked_sub(1).and_then(|last| self.on_chain.get(last)) {
                    Some((_, object)) => return Ok(*object),
                    None => at = history.chain_at(0).unwrap_or_default(),
                }
            } else if let Some(parent) = history.commit(at).parents.first() {
                at = *parent;
            } else {
                return Ok(None);
            }
        }
        object_at(trees, history.commit(at).tree, path)
    }
}
