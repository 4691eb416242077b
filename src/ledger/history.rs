//! Commits in the order in which they were recorded.
//!
//! Each commit is read once, raw; its parents come from those bytes. The first-parent chain from the trust root to the
//! tip gives the order: each link brings in what it reaches and no earlier one did, parents before children, otherwise
//! the smallest id first (design, section 9.3). Nothing here judges; no signature is verified.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use crate::git::{Repository, raw};
use crate::model::{GateName, ObjectId, Time};

use super::Undecided;
use super::reading::{Loaded, first_parents, load_all};

/// A commit's place in [`History::commits`].
pub(crate) type Index = u32;

/// One commit, as much of it as every question needs.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) id: ObjectId,
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<Index>,
    /// Its own committer date; the epoch's begin where it cannot be read.
    pub(crate) date: Time,
    /// The link of the chain that brought it in; 0: the trust root, or before it.
    pub(crate) link: u32,
    pub(crate) about: About,
    /// A malformed decision that cannot be attributed, or `Gate` lines out of place.
    pub(crate) stray: bool,
}

/// What a commit's message says that it decides about; the rest of it is read again when asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// No decision, or one that cannot be attributed.
    Nothing,
    /// A decision on the policy.
    Policy,
    /// A decision on a gate.
    Gate(GateName),
    /// A record of the deployment log: the message, where it parses whole.
    Log(Option<Box<str>>),
}

/// All commits that the tip reaches, in the order in which they were recorded.
#[derive(Debug, Default, Clone)]
pub(crate) struct History {
    pub(crate) commits: Vec<Commit>,
    pub(crate) index: HashMap<ObjectId, Index>,
    /// The first-parent chain: the trust root, then each mainline commit after it.
    pub(crate) chain: Vec<Index>,
    /// Malformed decisions that cannot be attributed, and `Gate` lines out of place: how many.
    pub(crate) stray: u64,
    /// Decisions at or before the trust root: how many.
    pub(crate) before_root: u64,
}

impl History {
    /// Reads all that `tip` reaches, but for what is known of it; with how many commits were. `root` must be on its
    /// first-parent chain.
    pub(crate) fn read(
        repository: &Repository,
        root: ObjectId,
        tip: ObjectId,
        known: Option<Self>,
    ) -> Result<(Self, usize), Undecided> {
        let known = known.and_then(|known| known.known_until(repository, tip));
        let mut history = known.unwrap_or_default();
        let taken = history.commits.len();
        let from = history.chain.last().map_or(root, |last| history.commit(*last).id);
        let mut loaded = load_all(repository, tip, &history.index)?;
        let mut chain = first_parents(&loaded, from, tip, root)?;
        if !history.chain.is_empty() {
            chain.remove(0);
        }
        history.commits.reserve_exact(loaded.len());
        history.index.reserve(loaded.len());
        for (link, id) in (u32::try_from(history.chain.len()).unwrap_or(u32::MAX)..).zip(chain) {
            history.bring_in(&mut loaded, id, link);
            history.chain.push(history.index.get(&id).copied().unwrap_or_default());
        }
        Ok((history, taken))
    }

    /// What of it lies at or before the link from which `tip` goes on; nothing where `tip` does not descend from its chain
    /// by first parents.
    pub(crate) fn known_until(mut self, repository: &Repository, tip: ObjectId) -> Option<Self> {
        let mut at = tip;
        let last = loop {
            if let Some(link) = self.link_of(at) {
                break link;
            }
            // What cannot be read is told by who reads it all.
            at = *raw::parse_links(&repository.read_commit(at).ok()?)?.parents.first()?;
        };
        let end = self.up_to(last).len();
        for commit in self.commits.drain(end..) {
            self.index.remove(&commit.id);
            self.stray -= u64::from(commit.stray);
        }
        self.chain.truncate(place(last) + 1);
        Some(self)
    }

    /// The last commit of its chain.
    pub(crate) fn last(&self) -> Option<ObjectId> {
        self.chain.last().map(|last| self.commit(*last).id)
    }

    /// Whether its first link is that commit.
    pub(crate) fn begins_at(&self, root: ObjectId) -> bool {
        self.link_of(root) == Some(0)
    }

    /// Adds a commit as it was read before; nothing where it cannot stand there.
    pub(crate) fn push(&mut self, commit: Commit) -> Option<()> {
        let at = Index::try_from(self.commits.len()).ok()?;
        let link = u32::try_from(self.chain.len()).ok()?;
        let in_order = commit.parents.iter().all(|parent| *parent < at);
        // The last of what a link brought in is the link itself.
        match link.checked_sub(1) {
            Some(last) if commit.link == last => *self.chain.last_mut()? = at,
            None | Some(_) if commit.link == link => self.chain.push(at),
            None | Some(_) => return None,
        }
        if !in_order || self.index.insert(commit.id, at).is_some() {
            return None;
        }
        self.count(&commit);
        self.commits.push(commit);
        Some(())
    }

    fn count(&mut self, commit: &Commit) {
        self.stray += u64::from(commit.stray);
        self.before_root += u64::from(commit.link == 0 && commit.about != About::Nothing);
    }

    /// The commit at a place.
    pub(crate) fn commit(&self, at: Index) -> &Commit {
        #[expect(clippy::indexing_slicing, reason = "places are handed out by this history alone")]
        &self.commits[place(at)]
    }

    /// The place of a commit, if the tip reaches it.
    pub(crate) fn find(&self, id: ObjectId) -> Option<Index> {
        self.index.get(&id).copied()
    }

    /// The link of the chain that this commit is, if it is on it.
    pub(crate) fn link_of(&self, id: ObjectId) -> Option<u32> {
        self.chain_link(self.find(id)?)
    }

    /// Whether the commit is on the first-parent chain that leads to the trust root.
    pub(crate) fn is_first_parent_of_root(&self, at: Index) -> bool {
        let mut on_chain = self.chain.first().copied();
        while let Some(current) = on_chain {
            if current == at {
                return true;
            }
            on_chain = self.commit(current).parents.first().copied();
        }
        false
    }

    /// All commits brought in up to and with `link`, in order.
    pub(crate) fn up_to(&self, link: u32) -> &[Commit] {
        let last = self.chain.get(place(link)).copied().map_or(0, |at| place(at) + 1);
        self.commits.get(..last).unwrap_or(&self.commits)
    }

    /// The places among `wanted` that are ancestors of `of`, itself left out.
    ///
    /// A commit of the chain has for ancestors all that its link and those before brought in, so the walk ends there; and
    /// places order commits, parents first, so it ends before the first that is wanted.
    pub(crate) fn ancestors_among(&self, of: Index, wanted: &BTreeSet<Index>) -> BTreeSet<Index> {
        let Some(lowest) = wanted.first().copied() else { return BTreeSet::new() };
        let mut below = self.chain_link(of);
        let mut seen = HashSet::new();
        let mut open: Vec<Index> = if below.is_none() { vec![of] } else { Vec::new() };
        while let Some(at) = open.pop() {
            for parent in self.commit(at).parents.iter().copied().filter(|parent| *parent >= lowest) {
                match self.chain_link(parent) {
                    Some(link) => below = below.max(Some(link)),
                    None if seen.insert(parent) => open.push(parent),
                    None => {}
                }
            }
        }
        let reached = |at: &Index| {
            *at != of && (seen.contains(at) || below.is_some_and(|link| self.commit(*at).link <= link))
        };
        let found = wanted.iter().copied().filter(reached).collect();
        debug_assert_eq!(found, self.ancestors_walked(of, wanted), "the chain's shortcut leaves nobody out");
        found
    }

    /// The same without a shortcut: tests, which are built to check it, compare.
    fn ancestors_walked(&self, of: Index, wanted: &BTreeSet<Index>) -> BTreeSet<Index> {
        let mut seen = BTreeSet::new();
        let mut open = vec![of];
        while let Some(at) = open.pop() {
            open.extend(self.commit(at).parents.iter().filter(|parent| seen.insert(**parent)));
        }
        wanted.intersection(&seen).copied().collect()
    }

    /// The link of the chain that the commit at a place is, if it is on it.
    pub(crate) fn chain_link(&self, at: Index) -> Option<u32> {
        let link = self.commit(at).link;
        (self.chain.get(place(link)) == Some(&at)).then_some(link)
    }

    fn bring_in(&mut self, loaded: &mut HashMap<ObjectId, Loaded>, tip: ObjectId, link: u32) {
        // What is new, and of how many new parents each waits.
        let mut waits: HashMap<ObjectId, usize> = HashMap::new();
        let mut children: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        let mut ready = BinaryHeap::new();
        let mut open = vec![tip];
        while let Some(id) = open.pop() {
            if waits.contains_key(&id) || self.index.contains_key(&id) {
                continue;
            }
            let mut new_parents = 0;
            for parent in loaded.get(&id).map(|commit| commit.parents.as_slice()).unwrap_or_default() {
                if !self.index.contains_key(parent) {
                    new_parents += 1;
                    children.entry(*parent).or_default().push(id);
                    open.push(*parent);
                }
            }
            waits.insert(id, new_parents);
            if new_parents == 0 {
                ready.push(Reverse(id));
            }
        }
        while let Some(Reverse(id)) = ready.pop() {
            let Some(commit) = loaded.remove(&id) else { continue };
            self.append(id, commit, link);
            for child in children.remove(&id).unwrap_or_default() {
                if let Some(count) = waits.get_mut(&child) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(Reverse(child));
                    }
                }
            }
        }
    }

    fn append(&mut self, id: ObjectId, commit: Loaded, link: u32) {
        let Loaded { tree, parents, date, about, stray } = commit;
        let parents = parents.iter().filter_map(|parent| self.find(*parent)).collect();
        self.index.insert(id, Index::try_from(self.commits.len()).unwrap_or(Index::MAX));
        let commit = Commit { id, tree, parents, date, link, about, stray };
        self.count(&commit);
        self.commits.push(commit);
    }
}

/// An index into a vector.
pub(crate) fn place(at: Index) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
