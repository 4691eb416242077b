//! Who last changed each file of a governed directory, on every side of history.
//!
//! One pass over the commits in recorded order, from the states of the parents to that of the child. A commit changes a
//! directory when it differs from that of every parent; a merge that takes a directory over from one parent changes
//! nothing. A file that a merge finds alike on several sides keeps the last changer of each: one side whose changers
//! count is enough, so that a later true merge mends a squash (design, section 9.6).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use crate::git::{EntryKind, GitError};
use crate::model::ObjectId;

use super::changes::Changes;
use super::history::{History, Index, place};
use super::stood::Stood;
use super::trees::Trees;

/// The history of one governed directory.
#[derive(Debug)]
pub(crate) struct Provenance {
    path: Vec<String>,
    states: States,
    /// Commits where it is not what it is at each of their parents, oldest first.
    pub(crate) differing: Vec<Index>,
    /// Commits that changed it, oldest first: where it is what it is at none of their parents.
    pub(crate) changed: Vec<Index>,
    /// Commits that brought a content to a path.
    pub(crate) introduced: BTreeMap<(String, ObjectId), Vec<Index>>,
}

/// How the directory stood at each commit.
#[derive(Debug)]
enum States {
    /// Whatever stands there has one history, wherever it stands: what the commit's tree holds tells it.
    OfObjects(Stood, HashMap<Object, Rc<State>>),
    /// Something came twice (taken back, squashed, put in on two sides): one for each commit, in recorded order.
    OfCommits(Vec<Option<Rc<State>>>),
}

/// What stands at a path: what its entry says that it is, and its id.
pub(crate) type Object = (EntryKind, ObjectId);

/// A directory at one commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Its object: a tree, or whatever stands at its path.
    pub(crate) object: Object,
    /// Its files.
    pub(crate) files: Files,
}

/// Files by path; those that a change leaves as they were are those of before.
pub(crate) type Files = BTreeMap<Rc<str>, Rc<FileState>>;

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
        let differing = changes.of(trees, path)?;
        let mut provenance = match Self::follow_objects(trees, history, path, &differing)? {
            Some(provenance) => provenance,
            None => Self::follow_commits(trees, history, path, &differing)?,
        };
        #[cfg(debug_assertions)]
        provenance.compare(trees, history, &Self::follow_commits(trees, history, path, &differing)?)?;
        provenance.differing = differing;
        Ok(provenance)
    }

    /// Both ways of following tell the same: every test of the whole program, which is built so, is a test of that.
    #[cfg(debug_assertions)]
    fn compare(&self, trees: &Trees, history: &History, other: &Self) -> Result<(), GitError> {
        // What is read of an index that is damaged makes no sense, and is thrown away.
        let lost = || history.known().is_some_and(|known| known.is_lost());
        assert!(lost() || (&self.changed, &self.introduced) == (&other.changed, &other.introduced));
        for (at, _) in history.all() {
            let (one, other) = (self.state(trees, history, at)?, other.state(trees, history, at)?);
            assert!(lost() || one == other, "{one:?} {other:?}");
        }
        Ok(())
    }

    fn new(path: &[&str], states: States) -> Self {
        let path = path.iter().map(|component| (*component).to_owned()).collect();
        let (differing, changed) = (Vec::new(), Vec::new());
        Self { path, states, differing, changed, introduced: BTreeMap::new() }
    }

    /// Looks at the commits that change it alone: all others take over what one of their parents has. Nothing where one
    /// object came by several ways, so that what stands at a commit does not tell by which.
    fn follow_objects(
        trees: &Trees,
        history: &History,
        path: &[&str],
        differing: &[Index],
    ) -> Result<Option<Self>, GitError> {
        let mut provenance = Self::new(path, States::OfCommits(Vec::new()));
        let mut stood = Stood::default();
        let mut known: HashMap<Object, Rc<State>> = HashMap::new();
        for at in differing.iter().copied() {
            let commit = history.commit(at);
            let object = stood.read(trees, history, path, at)?;
            let mut parents = Vec::with_capacity(commit.parents.len());
            for parent in &commit.parents {
                let stood = stood.object(trees, history, path, *parent)?;
                match stood.map(|object| known.get(&object)) {
                    None => parents.push(None),
                    Some(Some(state)) => parents.push(Some(Rc::clone(state))),
                    Some(None) => return Ok(None),
                }
            }
            let Some(state) = provenance.changed_maybe(trees, at, object, parents)? else { continue };
            match known.get(&state.object) {
                Some(earlier) if *earlier != state => return Ok(None),
                Some(_) => {}
                None => drop(known.insert(state.object, state)),
            }
        }
        provenance.states = States::OfObjects(stood, known);
        Ok(Some(provenance))
    }

    /// Looks at every commit in recorded order.
    fn follow_commits(
        trees: &Trees,
        history: &History,
        path: &[&str],
        differing: &[Index],
    ) -> Result<Self, GitError> {
        let mut provenance = Self::new(path, States::OfCommits(Vec::new()));
        // Before the first commit that may have changed it, it stood nowhere.
        let first = place(differing.first().copied().unwrap_or_else(|| history.len()));
        let mut states: Vec<Option<Rc<State>>> = vec![None; first];
        let mut differing = differing.iter().copied().peekable();
        for (at, commit) in history.all().skip(first) {
            let state_of = |parent: &Index| states.get(place(*parent)).cloned().flatten();
            let parents: Vec<_> = commit.parents.iter().map(state_of).collect();
            let state = if differing.next_if_eq(&at).is_some() {
                let object = object_at(trees, commit.tree, path)?;
                provenance.changed_maybe(trees, at, object, parents)?
            } else {
                unchanged(&parents)
            };
            states.push(state);
        }
        provenance.states = States::OfCommits(states);
        Ok(provenance)
    }

    /// Whether whatever stands there has one history, wherever it stands: then nothing but a commit that changes it gives it
    /// another.
    pub(crate) fn has_one_history(&self) -> bool {
        matches!(self.states, States::OfObjects(..))
    }

    /// The commits up to and with `link` that changed it, oldest first.
    pub(crate) fn changed_up_to(&self, history: &History, link: u32) -> impl Iterator<Item = Index> {
        self.changed.iter().copied().filter(move |at| history.commit(*at).link <= link)
    }

    /// Whether the files that `mine` selects differ, at a commit, from those of every parent.
    pub(crate) fn changed_among(
        &self,
        trees: &Trees,
        history: &History,
        at: Index,
        mine: &dyn Fn(&str) -> bool,
    ) -> Result<bool, GitError> {
        let files = |at: Index| -> Result<BTreeMap<Rc<str>, ObjectId>, GitError> {
            let state = self.state(trees, history, at)?;
            let files = state.iter().flat_map(|state| &state.files);
            Ok(files
                .filter(|(path, _)| mine(path))
                .map(|(path, file)| (Rc::clone(path), file.blob))
                .collect())
        };
        let now = files(at)?;
        let parents = &history.commit(at).parents;
        if parents.is_empty() {
            return Ok(!now.is_empty());
        }
        for parent in parents {
            if files(*parent)? == now {
                return Ok(false);
            }
        }
        Ok(true)
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
    pub(crate) fn state(
        &self,
        trees: &Trees,
        history: &History,
        at: Index,
    ) -> Result<Option<Rc<State>>, GitError> {
        match &self.states {
            States::OfCommits(states) => Ok(states.get(place(at)).cloned().flatten()),
            States::OfObjects(stood, states) => {
                let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
                let object = stood.object(trees, history, &path, at)?;
                Ok(object.and_then(|object| states.get(&object)).cloned())
            }
        }
    }

    fn changed_maybe(
        &mut self,
        trees: &Trees,
        at: Index,
        object: Option<Object>,
        parents: Vec<Option<Rc<State>>>,
    ) -> Result<Option<Rc<State>>, GitError> {
        let differs = |parent: &Option<Rc<State>>| parent.as_ref().map(|state| state.object) != object;
        if parents.is_empty() && object.is_none() {
            return Ok(None);
        }
        if parents.iter().all(differs) {
            self.changed.push(at);
        } else if !parents.iter().any(differs) {
            return Ok(unchanged(&parents));
        }
        let Some(object) = object else { return Ok(None) };
        let files = files_of(trees, object)?;
        let mut state = State { object, files: Files::new() };
        for (path, blob) in files {
            let before =
                parents.iter().flatten().filter_map(|parent| parent.files.get_key_value(path.as_str()));
            let mut before = before.filter(|(_, file)| file.blob == blob);
            let Some((known, first)) = before.next() else {
                state
                    .files
                    .insert(path.as_str().into(), Rc::new(FileState { blob, sides: BTreeSet::from([at]) }));
                self.introduced.entry((path, blob)).or_default().push(at);
                continue;
            };
            let mut file = Rc::clone(first);
            for (_, other) in before.filter(|(_, other)| other.sides != first.sides) {
                Rc::make_mut(&mut file).sides.extend(&other.sides);
            }
            state.files.insert(Rc::clone(known), file);
        }
        let same = parents.into_iter().flatten().find(|parent| **parent == state);
        Ok(Some(same.unwrap_or_else(|| Rc::new(state))))
    }
}

/// How it stands after a commit that takes it over from each parent: with the last changers of all of them.
fn unchanged(parents: &[Option<Rc<State>>]) -> Option<Rc<State>> {
    let mut states = parents.iter().map(Option::as_ref);
    let first = states.next().flatten()?;
    if states.all(|other| other.is_some_and(|other| Rc::ptr_eq(other, first))) {
        return Some(Rc::clone(first));
    }
    let mut files = first.files.clone();
    for other in parents.iter().flatten() {
        for (path, file) in &other.files {
            let known = files.entry(Rc::clone(path)).or_insert_with(|| Rc::clone(file));
            if !file.sides.is_subset(&known.sides) {
                Rc::make_mut(known).sides.extend(&file.sides);
            }
        }
    }
    // Most merges join sides that tell the same: one state serves them all.
    if files == first.files {
        return Some(Rc::clone(first));
    }
    Some(Rc::new(State { object: first.object, files }))
}

/// What stands at `path` below a top tree. A tree that is not canonical holds nothing: that such a directory is invalid is
/// found where its content is read.
pub(crate) fn object_at(trees: &Trees, top: ObjectId, path: &[&str]) -> Result<Option<Object>, GitError> {
    let mut object = Some((EntryKind::Directory, top));
    for component in path {
        let Some((EntryKind::Directory, id)) = object else { return Ok(None) };
        object = match trees.tree(id) {
            Ok(tree) => tree
                .as_ref()
                .as_ref()
                .ok()
                .and_then(|tree| tree.get(component))
                .map(|entry| (entry.kind, entry.id)),
            // A file where a directory should be: nothing stands below it.
            Err(GitError::OtherKind { .. }) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(object)
}

/// The files of the directory with that tree; of what is no directory, itself under an empty path. Entries that may not
/// stand there count as files too: somebody put them there.
fn files_of(trees: &Trees, (kind, object): Object) -> Result<BTreeMap<String, ObjectId>, GitError> {
    let mut files = BTreeMap::new();
    if kind != EntryKind::Directory {
        files.insert(IRREGULAR.to_owned(), object);
        return Ok(files);
    }
    collect(trees, object, "", 0, &mut { MOST_NESTED }, &mut files)?;
    Ok(files)
}

/// Behind the path of what is no regular file, so that nobody takes its object for a file's bytes: no valid path holds a
/// blank.
const IRREGULAR: &str = " (no regular file)";

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
        match entry.kind {
            EntryKind::Directory if depth < DEEPEST => {
                collect(trees, entry.id, &format!("{path}/"), depth + 1, nested_left, files)?;
            }
            EntryKind::File => {
                files.insert(path, entry.id);
            }
            EntryKind::Directory | EntryKind::Other => {
                files.insert(format!("{path}{IRREGULAR}"), entry.id);
            }
        }
    }
    Ok(())
}
