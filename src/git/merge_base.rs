//! The commit that two branches were last one at, from raw commits.
//!
//! Git's own way: paint ancestors of both sides by date, latest first, until all that is left to look at is behind what
//! both have; then leave out what another one found descends from.

use std::collections::{BTreeSet, BinaryHeap, HashMap};

use crate::model::{ObjectId, Time};

use super::{GitError, Repository, raw};

const ONE: u8 = 1;
const OTHER: u8 = 2;
const BOTH: u8 = ONE | OTHER;
/// Behind a commit that both have.
const BEHIND: u8 = 4;

/// Its date, its id, its parents.
type Waiting = (Option<Time>, ObjectId, Vec<ObjectId>);

impl Repository {
    /// The latest of the best common ancestors; nothing where the two share no history.
    pub(super) fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>, GitError> {
        let mut paint: HashMap<ObjectId, u8> = HashMap::new();
        let mut open = BinaryHeap::new();
        for (id, colour) in [(one, ONE), (other, OTHER)] {
            *paint.entry(id).or_default() |= colour;
            open.push(self.waiting(id)?);
        }
        let behind =
            |paint: &HashMap<ObjectId, u8>, id: &ObjectId| paint.get(id).is_some_and(|all| all & BEHIND != 0);
        let mut found = Vec::new();
        while open.iter().any(|(_date, id, _parents)| !behind(&paint, id)) {
            let Some((_date, id, parents)) = open.pop() else { break };
            let mut colours = paint.get(&id).copied().unwrap_or_default();
            if colours == BOTH {
                if !found.contains(&id) {
                    found.push(id);
                }
                colours |= BEHIND;
            }
            for parent in parents {
                let known = paint.entry(parent).or_default();
                if *known & colours != colours {
                    *known |= colours;
                    open.push(self.waiting(parent)?);
                }
            }
        }
        found.retain(|id| !behind(&paint, id));
        self.first_that_is_no_ancestor(&found)
    }

    /// The first one that none of the others descends from: dates that run backwards hide it while painting.
    fn first_that_is_no_ancestor(&self, found: &[ObjectId]) -> Result<Option<ObjectId>, GitError> {
        let [_, _, ..] = found else { return Ok(found.first().copied()) };
        for candidate in found {
            let others: Vec<ObjectId> = found.iter().copied().filter(|other| other != candidate).collect();
            if !self.reaches(others, *candidate)? {
                return Ok(Some(*candidate));
            }
        }
        Ok(None)
    }

    fn reaches(&self, mut open: Vec<ObjectId>, wanted: ObjectId) -> Result<bool, GitError> {
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if id == wanted {
                return Ok(true);
            }
            if seen.insert(id) {
                open.extend(self.links(id)?.parents);
            }
        }
        Ok(false)
    }

    /// A commit to look at, latest first.
    fn waiting(&self, id: ObjectId) -> Result<Waiting, GitError> {
        let links = self.links(id)?;
        Ok((links.committer_time, id, links.parents))
    }

    /// A commit's place in history, from its raw bytes.
    pub(super) fn links(&self, commit: ObjectId) -> Result<raw::Links, GitError> {
        raw::parse_links(&self.read_commit(commit)?).ok_or_else(|| GitError::Corrupt {
            id: commit,
            reason: "git itself cannot read this commit".to_owned(),
        })
    }
}
