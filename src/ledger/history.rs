//! Commits in the order in which they were recorded.
//!
//! Each commit is read once, raw; its parents come from those bytes. The first-parent chain from the trust root to the
//! tip gives the order: each link brings in what it reaches and no earlier one did, parents before children, otherwise
//! the smallest id first (design, section 9.3). Nothing here judges; no signature is verified.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::decision::{self, Decision, Target, Verb};
use crate::git::{GitError, Repository, raw};
use crate::model::{GateName, ObjectId, Time};

use super::Undecided;

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
    /// A record of the deployment log: what it says, where it parses whole.
    Log(Option<Box<Decision>>),
}

/// All commits that the tip reaches, in the order in which they were recorded.
#[derive(Debug)]
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

/// A commit as read, before it has a place.
struct Loaded {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    date: Time,
    about: About,
    stray: bool,
}

impl History {
    /// Reads all that `tip` reaches. `root` must be on its first-parent chain.
    pub(crate) fn read(repository: &Repository, root: ObjectId, tip: ObjectId) -> Result<Self, Undecided> {
        let mut loaded = load_all(repository, tip)?;
        let chain = first_parents(&loaded, root, tip)?;
        let mut history = Self {
            commits: Vec::with_capacity(loaded.len()),
            index: HashMap::with_capacity(loaded.len()),
            chain: Vec::with_capacity(chain.len()),
            stray: 0,
            before_root: 0,
        };
        for (link, id) in (0..).zip(chain) {
            history.bring_in(&mut loaded, id, link);
            history.chain.push(history.index.get(&id).copied().unwrap_or_default());
        }
        Ok(history)
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
        self.stray += u64::from(stray);
        if link == 0 && about != About::Nothing {
            self.before_root += 1;
        }
        self.index.insert(id, Index::try_from(self.commits.len()).unwrap_or(Index::MAX));
        self.commits.push(Commit { id, tree, parents, date, link, about });
    }
}

/// An index into a vector.
pub(crate) fn place(at: Index) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Reads all that `tip` reaches, on all cores. What is read does not depend on who reads it.
fn load_all(repository: &Repository, tip: ObjectId) -> Result<HashMap<ObjectId, Loaded>, Undecided> {
    let twins = twins(repository)?;
    let frontier = Frontier::starting_at(tip, twins.len() + 1);
    let mut loaded = HashMap::new();
    let parts = thread::scope(|scope| {
        let frontier = &frontier;
        let others: Vec<_> = twins.iter().map(|twin| scope.spawn(move || frontier.read(twin))).collect();
        let mine = frontier.read(repository);
        std::iter::once(Ok(mine))
            .chain(others.into_iter().map(thread::ScopedJoinHandle::join))
            .collect::<Vec<_>>()
    });
    for part in parts {
        loaded.extend(
            part.map_err(|_panicked| Undecided::new("git-library", "a reader failed", "try again"))??,
        );
    }
    Ok(loaded)
}

/// Readers for the threads besides this one that full-history work uses.
pub(super) fn twins(repository: &Repository) -> Result<Vec<Repository>, GitError> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    let mut twins = Vec::new();
    for number in 1..cores {
        twins.extend(repository.twin(number)?);
    }
    Ok(twins)
}

/// Commits that are known and not read yet. Each reader goes on with what it found itself, and hands half of that over
/// where another has nothing left: to pass each commit through a lock and wake somebody for it would cost more than reading it.
struct Frontier {
    state: Mutex<Shared>,
    changed: Condvar,
    readers: usize,
}

struct Shared {
    open: Vec<ObjectId>,
    seen: HashSet<ObjectId>,
    /// How many readers wait.
    idle: usize,
    /// All is read, or a reader failed.
    ended: bool,
}

impl Frontier {
    fn starting_at(tip: ObjectId, readers: usize) -> Self {
        let state = Shared { open: vec![tip], seen: HashSet::from([tip]), idle: 0, ended: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), readers }
    }

    /// Reads commits until none is left, and gives those that this reader read.
    fn read(&self, repository: &Repository) -> Result<Vec<(ObjectId, Loaded)>, Undecided> {
        let mut read = Vec::new();
        let mut mine = Vec::new();
        while let Some(id) = mine.pop().or_else(|| self.take()) {
            let commit = load(repository, id).inspect_err(|_undecided| self.end())?;
            self.found(&commit.parents, &mut mine);
            read.push((id, commit));
        }
        Ok(read)
    }

    /// The next commit that another reader handed over; nothing where all is read.
    fn take(&self) -> Option<ObjectId> {
        let mut shared = self.lock();
        shared.idle += 1;
        loop {
            if shared.ended {
                return None;
            }
            if let Some(id) = shared.open.pop() {
                shared.idle -= 1;
                return Some(id);
            }
            if shared.idle == self.readers {
                shared.ended = true;
                self.changed.notify_all();
                return None;
            }
            shared = self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds the parents that nobody has seen to `mine`, and hands the older half over where somebody waits.
    fn found(&self, parents: &[ObjectId], mine: &mut Vec<ObjectId>) {
        let mut shared = self.lock();
        if shared.ended {
            mine.clear();
            return;
        }
        mine.extend(parents.iter().copied().filter(|parent| shared.seen.insert(*parent)));
        if shared.idle > 0 && mine.len() > 1 {
            let half = mine.len() / 2;
            shared.open.extend(mine.drain(..half));
            self.changed.notify_one();
        }
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(repository: &Repository, id: ObjectId) -> Result<Loaded, Undecided> {
    let bytes = repository.read_commit(id)?;
    if let Ok(commit) = raw::parse(&bytes) {
        let (about, stray) = about(commit.message());
        let parents = commit.parents().to_vec();
        return Ok(Loaded { tree: commit.tree(), parents, date: commit.committer_time(), about, stray });
    }
    let Some(commit) = raw::salvage(&bytes) else {
        return Err(Undecided::new(
            "commit-unreadable",
            format!("git itself cannot read commit {id}"),
            "check the repository: `git fsck`",
        ));
    };
    let (about, stray) = about(&commit.message.replace('\r', ""));
    let date = commit.links.committer_time.or_else(|| Time::from_unix(0));
    let date = date.ok_or_else(|| GitError::Corrupt { id, reason: "no date".into() })?;
    Ok(Loaded { tree: commit.links.tree, parents: commit.links.parents, date, about, stray })
}

/// What a message decides about, and whether a `Gate` line of it is a notice.
fn about(message: &str) -> (About, bool) {
    let (target, verb, decision, stray) = match decision::parse_message(message) {
        decision::Reading::None { stray } => return (About::Nothing, stray),
        decision::Reading::Decision { decision, stray } => {
            (Some(decision.target.clone()), Some(decision.verb()), Some(decision), stray)
        }
        decision::Reading::Malformed(malformed) => (malformed.target, malformed.verb, None, false),
    };
    match (target, verb) {
        (None, _) => (About::Nothing, true),
        (Some(Target::Policy), _) => (About::Policy, stray),
        (Some(Target::Gate(_)), Some(Verb::Deploy | Verb::DeployFailed)) => {
            (About::Log(decision.map(Box::new)), stray)
        }
        (Some(Target::Gate(gate)), _) => (About::Gate(gate), stray),
    }
}

fn first_parents(
    loaded: &HashMap<ObjectId, Loaded>,
    root: ObjectId,
    tip: ObjectId,
) -> Result<Vec<ObjectId>, Undecided> {
    let mut chain = vec![tip];
    let mut at = tip;
    while at != root {
        let Some(parent) = loaded.get(&at).and_then(|commit| commit.parents.first()) else {
            return Err(Undecided::new(
                "root-not-on-mainline",
                format!("the trust root {root} is not on the first-parent chain of the mainline {tip}"),
                "check both: whoever rewrote the mainline, or pinned another root, decides what counts; \
                 `git log --first-parent` shows the chain",
            ));
        };
        chain.push(*parent);
        at = *parent;
    }
    chain.reverse();
    Ok(chain)
}
