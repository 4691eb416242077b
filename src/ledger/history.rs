//! Commits in the order in which they were recorded.
//!
//! Each commit is read once, raw; its parents come from those bytes. The first-parent chain from the trust root to the
//! tip gives the order: each link brings in what it reaches and no earlier one did, parents before children, otherwise
//! the smallest id first (design, section 9.3). Nothing here judges; no signature is verified.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::sync::Arc;

use crate::git::{Repository, raw};
use crate::model::{GateName, IdMap, ObjectId, Time};

use super::Undecided;
use super::changes::CHANGES;
use super::known::{Known, Lists};
use super::placing::Placing;
use super::reading::{Loaded, Parent, Read, load_all};

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

/// One link of the chain, with what all links up to it have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChainLink {
    /// The mainline commit.
    pub(crate) at: Index,
    /// Malformed decisions that cannot be attributed, and `Gate` lines out of place, brought in by then: how many.
    pub(crate) stray: u32,
    /// The latest date of any mainline commit by then.
    pub(crate) latest: Time,
}

/// All commits that the tip reaches, in the order in which they were recorded: those that an index knows, and behind them
/// those that were read.
#[derive(Debug, Default)]
pub(crate) struct History {
    known: Option<Arc<Known>>,
    /// How many commits and how many links of the chain are taken from what is known.
    taken: Index,
    taken_links: u32,
    read: Vec<Commit>,
    index: IdMap<Index>,
    /// The first-parent chain behind what is known: the trust root, then each mainline commit after it.
    chain: Vec<ChainLink>,
    /// Of what was read: by what it is about.
    lists: Lists,
    before_root: u64,
    stray: u32,
}

/// With what the keys of the lists of decisions on gates begin: the gate follows.
pub(crate) const DECISIONS: &[u8] = b"d";

/// Under what the places of the decisions on a gate are listed.
fn decisions_on(gate: &GateName) -> Vec<u8> {
    [DECISIONS, gate.to_string().as_bytes()].concat()
}

/// Under what the places of the decisions on the policy are listed, and those of records of the deployment logs.
const ON_THE_POLICY: &[u8] = b"p";
const LOGGED: &[u8] = b"l";

impl History {
    /// Reads all that `tip` reaches, but for what is known of it. `root` must be on its first-parent chain.
    pub(crate) fn read(
        repository: &Repository,
        root: ObjectId,
        tip: ObjectId,
        known: Option<Arc<Known>>,
    ) -> Result<Self, Undecided> {
        let mut history =
            known.and_then(|known| Self::known_until(known, repository, tip)).unwrap_or_default();
        let mut read = load_all(repository, tip, &history)?;
        let chain = read.first_parents(&history, tip, root)?;
        history.read.reserve_exact(read.commits.len());
        let mut placing = Placing::of(&read);
        for (link, number) in (history.links()..).zip(chain) {
            history.bring_in(&mut read, &mut placing, number, link);
            history.add_link(placing.place(number).unwrap_or_default());
        }
        history.index = read.numbers;
        history.index.retain(|_id, number| placing.place(*number).map(|at| *number = at).is_some());
        Ok(history)
    }

    /// What of an index lies at or before the link from which `tip` goes on; nothing where `tip` does not descend from its
    /// chain by first parents.
    pub(crate) fn known_until(known: Arc<Known>, repository: &Repository, tip: ObjectId) -> Option<Self> {
        let mut history = Self {
            taken: known.len(),
            taken_links: known.links(),
            before_root: known.before_root(),
            known: Some(known),
            ..Self::default()
        };
        let mut at = tip;
        let last = loop {
            if let Some(link) = history.link_of(at) {
                break link;
            }
            // What cannot be read is told by who reads it all.
            at = *raw::parse_links(&repository.read_commit(at).ok()?)?.parents.first()?;
        };
        let end = history.chain_link_of(last)?;
        history.taken = end.at + 1;
        history.taken_links = last + 1;
        history.stray = end.stray;
        Some(history)
    }

    /// How many commits there are.
    pub(crate) fn len(&self) -> Index {
        self.taken + Index::try_from(self.read.len()).unwrap_or_default()
    }

    /// How many of them an index knows.
    pub(crate) fn taken(&self) -> Index {
        self.taken
    }

    /// How many links the chain has.
    pub(crate) fn links(&self) -> u32 {
        self.taken_links + u32::try_from(self.chain.len()).unwrap_or_default()
    }

    /// What an index knows, where some of it is used.
    pub(crate) fn known(&self) -> Option<&Arc<Known>> {
        self.known.as_ref()
    }

    /// Malformed decisions that cannot be attributed, and `Gate` lines out of place: how many.
    pub(crate) fn stray(&self) -> u32 {
        self.stray
    }

    /// Decisions at or before the trust root: how many.
    pub(crate) fn before_root(&self) -> u64 {
        self.before_root
    }

    /// All places with their commits, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Index, &Commit)> {
        (0..self.len()).map(|at| (at, self.commit(at)))
    }

    /// The link of that number.
    pub(crate) fn chain_link_of(&self, link: u32) -> Option<ChainLink> {
        match link.checked_sub(self.taken_links) {
            Some(behind) => self.chain.get(place(behind)).copied(),
            None => self.known.as_ref()?.chain(link),
        }
    }

    /// The place of the mainline commit at a link.
    pub(crate) fn chain_at(&self, link: u32) -> Option<Index> {
        Some(self.chain_link_of(link)?.at)
    }

    /// The link whose commits begin at a place.
    pub(crate) fn link_that_begins_at(&self, at: Index) -> u32 {
        if at == 0 || at >= self.len() { 0 } else { self.commit(at).link }
    }

    /// The last commit of its chain.
    pub(crate) fn last(&self) -> Option<ObjectId> {
        let last = self.chain_at(self.links().checked_sub(1)?)?;
        Some(self.commit(last).id)
    }

    /// The places of the decisions on a gate since the trust root.
    pub(crate) fn decisions_on(&self, gate: &GateName) -> Vec<Index> {
        self.list(&decisions_on(gate))
    }

    /// The places of the decisions on the policy since the trust root.
    pub(crate) fn decisions_on_the_policy(&self) -> Vec<Index> {
        self.list(ON_THE_POLICY)
    }

    /// The places of records of the deployment logs since the trust root.
    pub(crate) fn logged(&self) -> Vec<Index> {
        self.list(LOGGED)
    }

    fn list(&self, key: &[u8]) -> Vec<Index> {
        let mut places = self.known.as_ref().map(|known| known.list(key)).unwrap_or_default();
        places.truncate(places.partition_point(|at| *at < self.taken));
        places.extend(self.lists.get(key).into_iter().flatten());
        places
    }

    /// All lists, with what lies at a place or behind it.
    pub(crate) fn lists(&self, first: Index) -> Lists {
        known_lists(self.known.as_deref(), first, self.taken, |key| !key.starts_with(CHANGES))
            .into_iter()
            .chain(self.lists.clone())
            .fold(Lists::new(), |mut lists, (key, places)| {
                lists.entry(key).or_default().extend(places);
                lists
            })
    }

    /// The commit at a place.
    pub(crate) fn commit(&self, at: Index) -> &Commit {
        match (at.checked_sub(self.taken), &self.known) {
            (None, Some(known)) => known.commit(at),
            #[expect(clippy::indexing_slicing, reason = "places are handed out by this history alone")]
            (behind, _) => &self.read[place(behind.unwrap_or(at))],
        }
    }

    /// The place of a commit, if the tip reaches it.
    pub(crate) fn find(&self, id: ObjectId) -> Option<Index> {
        let known = || self.known.as_ref()?.find(id).filter(|at| *at < self.taken);
        self.index.get(&id).copied().or_else(known)
    }

    /// The link of the chain that this commit is, if it is on it.
    pub(crate) fn link_of(&self, id: ObjectId) -> Option<u32> {
        self.chain_link(self.find(id)?)
    }

    /// Whether the commit is on the first-parent chain that leads to the trust root.
    pub(crate) fn is_first_parent_of_root(&self, at: Index) -> bool {
        let mut on_chain = self.chain_at(0);
        while let Some(current) = on_chain {
            if current == at {
                return true;
            }
            on_chain = self.commit(current).parents.first().copied();
        }
        false
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
        (self.chain_at(link) == Some(at)).then_some(link)
    }

    fn bring_in(&mut self, read: &mut Read, placing: &mut Placing, tip: u32, link: u32) {
        // What is new; under each new parent, who waits for it.
        let mut children: Vec<(u32, u32)> = Vec::new();
        let mut ready = BinaryHeap::new();
        let mut open = vec![tip];
        while let Some(number) = open.pop() {
            if !placing.begins_to_wait(number) {
                continue;
            }
            let mut new_parents = 0;
            for parent in read.parents(number) {
                if let Parent::Read(parent) = *parent
                    && placing.place(parent).is_none()
                {
                    new_parents += 1;
                    children.push((parent, number));
                    open.push(parent);
                }
            }
            if new_parents == 0 {
                ready.extend(read.id(number).map(|id| Reverse((id, number))));
            }
            placing.wait(number, new_parents);
        }
        children.sort_unstable();
        while let Some(Reverse((id, number))) = ready.pop() {
            let Some((_id, commit)) = read.take(number) else { continue };
            placing.put(number, self.len());
            self.append(id, commit, placing, link);
            let first = children.partition_point(|(parent, _)| *parent < number);
            let waiting = children.get(first..).unwrap_or_default();
            for (_, child) in waiting.iter().take_while(|(parent, _)| *parent == number) {
                if placing.waits_for_no_more(*child) {
                    ready.extend(read.id(*child).map(|id| Reverse((id, *child))));
                }
            }
        }
    }

    fn append(&mut self, id: ObjectId, commit: Loaded, placing: &Placing, link: u32) {
        let Loaded { tree, parents, date, about, stray } = commit;
        let place_of = |parent: &Parent| match *parent {
            Parent::Known(at) => Some(at),
            Parent::Read(number) => placing.place(number),
        };
        let parents = parents.iter().filter_map(place_of).collect();
        let at = self.len();
        self.stray += u32::from(stray);
        let list = match &about {
            About::Nothing => None,
            About::Policy => Some(ON_THE_POLICY.to_vec()),
            About::Gate(gate) => Some(decisions_on(gate)),
            About::Log(_) => Some(LOGGED.to_vec()),
        };
        match list {
            Some(_) if link == 0 => self.before_root += 1,
            Some(list) => self.lists.entry(list).or_default().push(at),
            None => {}
        }
        self.read.push(Commit { id, tree, parents, date, link, about, stray });
    }

    fn add_link(&mut self, at: Index) {
        let date = self.commit(at).date;
        let before = self.links().checked_sub(1).and_then(|last| self.chain_link_of(last));
        let latest = before.map_or(date, |before| before.latest.max(date));
        self.chain.push(ChainLink { at, stray: self.stray, latest });
    }
}

/// What an index lists, from the place `first` on and before `end`.
pub(crate) fn known_lists(
    known: Option<&Known>,
    first: Index,
    end: Index,
    wanted: impl Fn(&[u8]) -> bool,
) -> Lists {
    let mut lists = known.map(|known| known.lists(first)).unwrap_or_default();
    lists.retain(|key, places| {
        places.truncate(places.partition_point(|at| *at < end));
        !places.is_empty() && wanted(key)
    });
    lists
}

/// An index into a vector.
pub(crate) fn place(at: Index) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
