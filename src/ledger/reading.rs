//! Commits as read, raw and on all cores: what each says, before it has a place in history.
//!
//! What is read does not depend on who reads it, nor on how many do.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::decision::{self, Target, Verb};
use crate::git::{GitError, Repository, raw};
use crate::model::{IdMap, ObjectId, Time};

use super::Undecided;
use super::history::{About, History, Index, place};

/// Commits as read. Each has a *number*, by when somebody came upon it first: that says nothing, and is gone when all have
/// their places.
#[derive(Default)]
pub(super) struct Read {
    pub(super) numbers: IdMap<u32>,
    /// By number.
    pub(super) commits: Vec<Option<(ObjectId, Loaded)>>,
}

/// A commit as read, before it has a place.
pub(super) struct Loaded {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<Parent>,
    pub(super) date: Time,
    pub(super) about: About,
    pub(super) stray: bool,
}

/// A parent of a commit that was read.
#[derive(Clone, Copy)]
pub(super) enum Parent {
    /// It need not be read: its place.
    Known(Index),
    /// Its number.
    Read(u32),
}

/// Reads all that `tip` reaches and that is not known, on all cores. What is read does not depend on who reads it.
pub(super) fn load_all(repository: &Repository, tip: ObjectId, known: &History) -> Result<Read, Undecided> {
    if known.find(tip).is_some() {
        return Ok(Read::default());
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
    let numbers = frontier.state.into_inner().unwrap_or_else(PoisonError::into_inner).numbers;
    let mut commits: Vec<_> = std::iter::repeat_with(|| None).take(numbers.len()).collect();
    for part in parts {
        let part =
            part.map_err(|_panicked| Undecided::new("git-library", "a reader failed", "try again"))??;
        for ((number, id), commit) in part {
            if let Some(slot) = commits.get_mut(place(number)) {
                *slot = Some((id, commit));
            }
        }
    }
    Ok(Read { numbers, commits })
}

impl Read {
    /// The parents of a commit that has no place yet.
    pub(super) fn parents(&self, number: u32) -> &[Parent] {
        let commit = self.commits.get(place(number)).and_then(Option::as_ref);
        commit.map(|(_id, commit)| commit.parents.as_slice()).unwrap_or_default()
    }

    pub(super) fn id(&self, number: u32) -> Option<ObjectId> {
        self.commits.get(place(number))?.as_ref().map(|(id, _commit)| *id)
    }

    pub(super) fn take(&mut self, number: u32) -> Option<(ObjectId, Loaded)> {
        self.commits.get_mut(place(number))?.take()
    }

    /// The first-parent chain of `tip` behind what is known, or from the trust root on; the oldest first.
    pub(super) fn first_parents(
        &self,
        known: &History,
        tip: ObjectId,
        root: ObjectId,
    ) -> Result<Vec<u32>, Undecided> {
        let mut chain = Vec::new();
        let from = known.last().unwrap_or(root);
        if tip == from && known.len() > 0 {
            return Ok(chain);
        }
        let mut next = self.numbers.get(&tip).map(|number| Parent::Read(*number));
        loop {
            match next {
                Some(Parent::Known(at)) if known.commit(at).id == from => break,
                Some(Parent::Read(number)) => {
                    chain.push(number);
                    let commit = self.commits.get(place(number)).and_then(Option::as_ref);
                    if commit.is_some_and(|(id, _commit)| *id == from) {
                        break;
                    }
                    next = self.parents(number).first().copied();
                }
                Some(Parent::Known(_)) | None => {
                    return Err(Undecided::new(
                        "root-not-on-mainline",
                        format!(
                            "the trust root {root} is not on the first-parent chain of the mainline {tip}"
                        ),
                        "check both: whoever rewrote the mainline, or pinned another root, decides what counts; \
                         `git log --first-parent` shows the chain",
                    ));
                }
            }
        }
        chain.reverse();
        Ok(chain)
    }
}

/// Readers for the threads besides this one that full-history work uses.
pub(super) fn twins(repository: &Repository) -> Result<Vec<Repository>, GitError> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    repository.expect_many();
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
    open: Vec<(u32, ObjectId)>,
    /// Of all that anybody came upon.
    numbers: IdMap<u32>,
    /// How many readers wait.
    idle: usize,
    /// All is read, or a reader failed.
    ended: bool,
}

/// What one reader read, with the number of each.
type Part = Vec<((u32, ObjectId), Loaded)>;

impl<'a> Frontier<'a> {
    fn starting_at(tip: ObjectId, readers: usize, known: &'a History) -> Self {
        let numbers = std::iter::once((tip, 0)).collect();
        let state = Shared { open: vec![(0, tip)], numbers, idle: 0, ended: false };
        Self { known, state: Mutex::new(state), changed: Condvar::new(), readers }
    }

    /// Reads commits until none is left, and gives those that this reader read.
    fn read(&self, repository: &Repository) -> Result<Part, Undecided> {
        let mut read = Vec::new();
        let mut mine = Vec::new();
        while let Some((number, id)) = mine.pop().or_else(|| self.take()) {
            let (mut commit, parents) = load(repository, id).inspect_err(|_undecided| self.end())?;
            commit.parents = self.found(&parents, &mut mine);
            read.push(((number, id), commit));
        }
        Ok(read)
    }

    /// The next commit that another reader handed over; nothing where all is read.
    fn take(&self) -> Option<(u32, ObjectId)> {
        let mut shared = self.lock();
        shared.idle += 1;
        loop {
            if shared.ended {
                return None;
            }
            if let Some(next) = shared.open.pop() {
                shared.idle -= 1;
                return Some(next);
            }
            if shared.idle == self.readers {
                shared.ended = true;
                self.changed.notify_all();
                return None;
            }
            shared = self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What parents are known as. Those that nobody came upon before are added to `mine`, and the older half of that is handed
    /// over where somebody waits.
    fn found(&self, parents: &[ObjectId], mine: &mut Vec<(u32, ObjectId)>) -> Vec<Parent> {
        let mut shared = self.lock();
        if shared.ended {
            mine.clear();
            return Vec::new();
        }
        let mut found = Vec::with_capacity(parents.len());
        for parent in parents {
            if let Some(at) = self.known.find(*parent) {
                found.push(Parent::Known(at));
                continue;
            }
            let next = u32::try_from(shared.numbers.len()).unwrap_or(u32::MAX);
            let number = *shared.numbers.entry(*parent).or_insert(next);
            if number == next {
                mine.push((number, *parent));
            }
            found.push(Parent::Read(number));
        }
        if shared.idle > 0 && mine.len() > 1 {
            let half = mine.len() / 2;
            shared.open.extend(mine.drain(..half));
            self.changed.notify_one();
        }
        found
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A commit without its parents, and these.
fn load(repository: &Repository, id: ObjectId) -> Result<(Loaded, Vec<ObjectId>), Undecided> {
    let bytes = repository.read_commit(id)?;
    let without = |tree, date, (about, stray)| Loaded { tree, parents: Vec::new(), date, about, stray };
    if let Ok(commit) = raw::parse(&bytes) {
        let loaded = without(commit.tree(), commit.committer_time(), about(commit.message()));
        return Ok((loaded, commit.into_parents()));
    }
    let Some(commit) = raw::salvage(&bytes) else {
        return Err(Undecided::new(
            "commit-unreadable",
            format!("git itself cannot read commit {id}"),
            "check the repository: `git fsck`",
        ));
    };
    let date = commit.links.committer_time.or_else(|| Time::from_unix(0));
    let date = date.ok_or_else(|| GitError::Corrupt { id, reason: "no date".into() })?;
    let about = about(&commit.message.replace('\r', ""));
    Ok((without(commit.links.tree, date, about), commit.links.parents))
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
