//! Who last changed each file of a governed directory, on every side of history.
//!
//! One pass over the commits in recorded order, from the states of the parents to that of the child. A commit changes a
//! directory when it differs from that of every parent; a merge that takes a directory over from one parent changes
//! nothing. A file that a merge finds alike on several sides keeps the last changer of each: one side whose changers
//! count is enough, so that a later true merge mends a squash (design, section 9.6).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::git::{EntryKind, GitError};
use crate::model::ObjectId;

use super::changes::Changes;
use super::history::{Commit, History, Index, place};
use super::trees::Trees;

/// The history of one governed directory.
#[derive(Debug)]
pub(crate) struct Provenance {
    /// How it stood at each commit, in recorded order; nothing where it did not.
    states: Vec<Option<Rc<State>>>,
    /// Commits that changed it, oldest first.
    pub(crate) changed: Vec<Index>,
    /// Commits that brought a content to a path.
    pub(crate) introduced: BTreeMap<(String, ObjectId), Vec<Index>>,
}

/// A directory at one commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Its object: a tree, or whatever stands at its path.
    pub(crate) object: ObjectId,
    /// Its files.
    pub(crate) files: BTreeMap<String, FileState>,
}

/// A file at one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileState {
    /// What it holds.
    pub(crate) blob: ObjectId,
    /// The commits that last changed it, one a side.
    pub(crate) sides: BTreeSet<Index>,
}

impl Provenance {
    /// Follows the directory at `path` (its components, the first a governed name) over all commits.
    pub(crate) fn follow(
        changes: &Changes,
        trees: &Trees,
        history: &History,
        path: &[&str],
    ) -> Result<Self, GitError> {
        let mut provenance = Self {
            states: Vec::with_capacity(history.commits.len()),
            changed: Vec::new(),
            introduced: BTreeMap::new(),
        };
        let changing = changes.of(path);
        // Before the first commit that may have changed it, it stood nowhere.
        let first = changing.first().map_or(history.commits.len(), |at| place(*at));
        provenance.states.resize(first, None);
        let mut changing = changing.iter().copied().peekable();
        for (at, commit) in (0..).zip(&history.commits).skip(first) {
            let state = if changing.next_if_eq(&at).is_some() {
                // A top tree that counts for nothing changes nothing: what the first parent had goes on.
                if let (Err(_not_canonical), Some(parent)) =
                    (trees.check_top(commit.tree)?, commit.parents.first())
                {
                    let before = provenance.state(*parent).cloned();
                    provenance.states.push(before);
                    continue;
                }
                let object = object_at(trees, commit.tree, path)?;
                provenance.changed_maybe(trees, at, commit, object)?
            } else {
                provenance.unchanged(commit)
            };
            provenance.states.push(state);
        }
        Ok(provenance)
    }

    /// The commits up to and with `link` that changed it, oldest first.
    pub(crate) fn changed_up_to(&self, history: &History, link: u32) -> impl Iterator<Item = Index> {
        self.changed.iter().copied().filter(move |at| history.commit(*at).link <= link)
    }

    /// The contents that commits up to and with `link` brought to paths, with those commits.
    pub(crate) fn introduced_up_to<'a>(
        &'a self,
        history: &'a History,
        link: u32,
    ) -> impl Iterator<Item = (&'a str, ObjectId, Index)> {
        self.introduced.iter().flat_map(move |((path, blob), places)| {
            let by_then = places.iter().copied().filter(move |at| history.commit(*at).link <= link);
            by_then.map(move |at| (path.as_str(), *blob, at))
        })
    }

    /// The directory as it stands at a commit.
    pub(crate) fn state(&self, at: Index) -> Option<&Rc<State>> {
        self.states.get(place(at)).and_then(Option::as_ref)
    }

    fn unchanged(&self, commit: &Commit) -> Option<Rc<State>> {
        let mut states = commit.parents.iter().map(|parent| self.state(*parent));
        let first = states.next().flatten()?;
        if states.all(|other| other.is_some_and(|other| Rc::ptr_eq(other, first))) {
            return Some(Rc::clone(first));
        }
        let mut files = first.files.clone();
        for other in commit.parents.iter().filter_map(|parent| self.state(*parent)) {
            for (path, file) in &other.files {
                files.entry(path.clone()).or_insert_with(|| file.clone()).sides.extend(&file.sides);
            }
        }
        // Most merges join sides that tell the same: one state serves them all.
        if files == first.files {
            return Some(Rc::clone(first));
        }
        Some(Rc::new(State { object: first.object, files }))
    }

    fn changed_maybe(
        &mut self,
        trees: &Trees,
        at: Index,
        commit: &Commit,
        object: Option<ObjectId>,
    ) -> Result<Option<Rc<State>>, GitError> {
        let parents: Vec<Option<Rc<State>>> =
            commit.parents.iter().map(|parent| self.state(*parent).cloned()).collect();
        let differs = |parent: &Option<Rc<State>>| parent.as_ref().map(|state| state.object) != object;
        if parents.is_empty() && object.is_none() {
            return Ok(None);
        }
        if parents.iter().all(differs) {
            self.changed.push(at);
        } else if !parents.iter().any(differs) {
            return Ok(self.unchanged(commit));
        }
        let Some(object) = object else { return Ok(None) };
        let files = files_of(trees, object)?;
        let mut state = State { object, files: BTreeMap::new() };
        for (path, blob) in files {
            let mut sides: BTreeSet<Index> = BTreeSet::new();
            for parent in parents.iter().flatten() {
                if let Some(file) = parent.files.get(&path).filter(|file| file.blob == blob) {
                    sides.extend(&file.sides);
                }
            }
            if sides.is_empty() {
                sides.insert(at);
                self.introduced.entry((path.clone(), blob)).or_default().push(at);
            }
            state.files.insert(path, FileState { blob, sides });
        }
        let same = parents.into_iter().flatten().find(|parent| **parent == state);
        Ok(Some(same.unwrap_or_else(|| Rc::new(state))))
    }
}

/// What stands at `path` below a top tree. A tree that is not canonical holds nothing: that such a directory is invalid is
/// found where its content is read.
fn object_at(trees: &Trees, top: ObjectId, path: &[&str]) -> Result<Option<ObjectId>, GitError> {
    let mut object = Some(top);
    for component in path {
        let Some(id) = object else { return Ok(None) };
        object = match trees.tree(id) {
            Ok(tree) => {
                tree.as_ref().as_ref().ok().and_then(|tree| tree.get(component)).map(|entry| entry.id)
            }
            // A file where a directory should be: nothing stands below it.
            Err(GitError::OtherKind { .. }) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(object)
}

/// The files of the directory with that tree; of what is no directory, itself under an empty path. Entries that may not
/// stand there count as files too: somebody put them there.
fn files_of(trees: &Trees, object: ObjectId) -> Result<BTreeMap<String, ObjectId>, GitError> {
    let mut files = BTreeMap::new();
    collect(trees, object, "", 0, &mut { MOST_NESTED }, &mut files)?;
    Ok(files)
}

/// Deeper than any valid directory is, and more below its own directories: bounds on the work that a hostile one can
/// make. What stands in it directly is always seen: nobody can hide an incident among thousands.
const DEEPEST: usize = 16;
const MOST_NESTED: usize = 4096;

fn collect(
    trees: &Trees,
    object: ObjectId,
    prefix: &str,
    depth: usize,
    nested_left: &mut usize,
    files: &mut BTreeMap<String, ObjectId>,
) -> Result<(), GitError> {
    let tree = match trees.tree(object) {
        Ok(tree) => tree,
        Err(GitError::OtherKind { .. }) => {
            files.insert(prefix.trim_end_matches('/').to_owned(), object);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let Ok(tree) = tree.as_ref() else {
        files.insert(prefix.to_owned(), object);
        return Ok(());
    };
    for entry in tree.entries() {
        let path = format!("{prefix}{}", String::from_utf8_lossy(entry.name));
        if depth > 0 {
            if *nested_left == 0 {
                return Ok(());
            }
            *nested_left -= 1;
        }
        if entry.kind == EntryKind::Directory && depth < DEEPEST {
            collect(trees, entry.id, &format!("{path}/"), depth + 1, nested_left, files)?;
        } else {
            files.insert(path, entry.id);
        }
    }
    Ok(())
}
