//! Commits as read, raw and on all cores: what each says, before it has a place in history.
//!
//! What is read does not depend on who reads it, nor on how many do.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::decision::{self, Target, Verb};
use crate::git::{GitError, Repository, raw};
use crate::model::{ObjectId, Time};

use super::Undecided;
use super::history::{About, History};

/// A commit as read, before it has a place.
pub(super) struct Loaded {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    pub(super) date: Time,
    pub(super) about: About,
    pub(super) stray: bool,
}

/// Reads all that `tip` reaches and that is not known, on all cores. What is read does not depend on who reads it.
pub(super) fn load_all(
    repository: &Repository,
    tip: ObjectId,
    known: &History,
) -> Result<HashMap<ObjectId, Loaded>, Undecided> {
    let mut loaded = HashMap::new();
    if known.find(tip).is_some() {
        return Ok(loaded);
    }
    // What is new to somebody who knows the rest is seldom worth another reader.
    let twins = if known.len() == 0 { twins(repository)? } else { Vec::new() };
    let frontier = Frontier::starting_at(tip, twins.len() + 1, known);
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
struct Frontier<'a> {
    /// Commits that need not be read.
    known: &'a History,
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

impl<'a> Frontier<'a> {
    fn starting_at(tip: ObjectId, readers: usize, known: &'a History) -> Self {
        let state = Shared { open: vec![tip], seen: HashSet::from([tip]), idle: 0, ended: false };
        Self { known, state: Mutex::new(state), changed: Condvar::new(), readers }
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
        let new = |parent: &ObjectId| self.known.find(*parent).is_none() && shared.seen.insert(*parent);
        mine.extend(parents.iter().copied().filter(new));
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
            (About::Log(decision.map(|_whole| message.into())), stray)
        }
        (Some(Target::Gate(gate)), _) => (About::Gate(gate), stray),
    }
}

pub(super) fn first_parents(
    loaded: &HashMap<ObjectId, Loaded>,
    from: ObjectId,
    tip: ObjectId,
    root: ObjectId,
) -> Result<Vec<ObjectId>, Undecided> {
    let mut chain = vec![tip];
    let mut at = tip;
    while at != from {
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
