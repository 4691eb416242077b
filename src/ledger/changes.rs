//! Which commits change which governed directory, found in one pass over the trees.
//!
//! A commit that takes over everything from each parent is not looked at: no tree is read where the top trees are the
//! same. Of `gates/` and `exceptions/` it is told by system. The pass runs on all cores, over stretches of history, and
//! gives the same whatever their number.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::git::{EntryKind, GitError, Repository, Tree, TreeDefect};
use crate::model::{IdMap, ObjectId};

use super::Undecided;
use super::history::{History, Index, known_lists};
use super::known::{Known, Lists};
use super::provenance::Object;
use super::reading::twins;
use super::trees::{GOVERNED, Trees};

/// For each governed name, and below `gates` and `exceptions` for each system, the commits whose object there differs from
/// that of at least one parent; in recorded order. Versions of a system are told apart from the start, or of each system
/// when it is asked about.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// What an index knows, and up to which place that is used.
    known: Option<(Arc<Known>, Index)>,
    /// Behind that, by path.
    places: Lists,
    /// What systems changed from and to, where versions are told apart when they are asked about.
    sides: Sides,
    /// Below `gates` and `exceptions`, `places` are those of each version, not of each system.
    by_version: bool,
    /// Of systems that were asked about.
    versions: Mutex<HashMap<String, Arc<Versions>>>,
}

/// With what the keys of an index's lists of changes begin: the path follows.
pub(crate) const CHANGES: &[u8] = b"c";

/// For each version of a system, the commits that change what stands there.
type Versions = BTreeMap<Vec<u8>, Vec<Index>>;

/// By the path of a system: the commits that change it, with what stands there and what stands at a parent.
type Sides = BTreeMap<Vec<u8>, Vec<(Index, Option<Object>, Option<Object>)>>;

/// What stands at the governed names of a top tree.
type Top = [Option<Object>; GOVERNED.len()];

/// A commit as this pass needs it: its place, its top tree and those of its parents.
type Trio = (Index, ObjectId, Vec<ObjectId>);

/// How many trees one reader keeps. Neighbours in history share most of theirs.
const MOST_TREES: usize = 256;

/// Fewer commits than this are not worth another thread.
const STRETCH: usize = 512;

impl Changes {
    /// Those of a history; what an index knows is taken from there. `by_version`: versions are told apart from the start, as
    /// an index does.
    pub(crate) fn read(
        repository: &Repository,
        history: &History,
        by_version: bool,
    ) -> Result<Self, Undecided> {
        let taken = history.taken();
        let known = history.known().map(|known| (Arc::clone(known), taken));
        let by_version = by_version || known.is_some();
        let new: Vec<Trio> = (taken..history.len()).filter_map(|at| trio(history, at)).collect();
        let twins = if new.len() > STRETCH { twins(repository)? } else { Vec::new() };
        let stretch = new.len().div_ceil(twins.len() + 1).max(STRETCH);
        let parts = thread::scope(|scope| {
            let mut stretches = new.chunks(stretch);
            let mine = stretches.next();
            let others: Vec<_> = stretches
                .zip(&twins)
                .map(|(commits, twin)| scope.spawn(move || read_stretch(twin, commits, by_version)))
                .collect();
            let mine = mine.map(|commits| Ok(read_stretch(repository, commits, by_version)));
            mine.into_iter().chain(others.into_iter().map(thread::ScopedJoinHandle::join)).collect::<Vec<_>>()
        });
        let (mut places, mut sides) = (Lists::new(), Sides::new());
        for part in parts {
            let (more_places, more_sides) =
                part.map_err(|_panicked| Undecided::new("git-library", "a reader failed", "try again"))??;
            for (path, more) in more_places {
                places.entry(path).or_default().extend(more);
            }
            for (path, more) in more_sides {
                sides.entry(path).or_default().extend(more);
            }
        }
        Ok(Self { known, places, sides, by_version, versions: Mutex::default() })
    }

    /// What lies at a place or behind it, by the keys of an index.
    pub(crate) fn lists(&self, first: Index) -> Lists {
        let (known, end) = match &self.known {
            Some((known, end)) => (Some(known.as_ref()), *end),
            None => (None, 0),
        };
        let mut lists = known_lists(known, first, end, |key| key.starts_with(CHANGES));
        for (path, places) in &self.places {
            lists.entry([CHANGES, path].concat()).or_default().extend(places);
        }
        lists
    }

    /// What stood below a governed name, by system or by system and version: each with the commits that may have changed it.
    pub(crate) fn below(&self, top: &str) -> impl Iterator<Item = (Vec<u8>, Vec<Index>)> {
        let prefix = [CHANGES, top.as_bytes(), b"/"].concat();
        self.lists(0)
            .into_iter()
            .filter_map(move |(key, places)| Some((key.strip_prefix(&*prefix)?.to_vec(), places)))
    }

    /// The commits that may change the directory at `path`, its components; all others take it over unchanged.
    pub(crate) fn of(&self, trees: &Trees, path: &[&str]) -> Result<Vec<Index>, GitError> {
        Ok(match path {
            [top @ ("gates" | "exceptions"), system, version, ..] if self.by_version => {
                self.places(&format!("{top}/{system}/{version}"))
            }
            [top @ ("gates" | "exceptions"), system, version, ..] => {
                let of_system = self.of_system(trees, top, system)?;
                of_system.get(version.as_bytes()).cloned().unwrap_or_default()
            }
            [top, ..] => self.places(top),
            [] => Vec::new(),
        })
    }

    fn places(&self, path: &str) -> Vec<Index> {
        let mut places = Vec::new();
        if let Some((known, end)) = &self.known {
            places = known.list(&[CHANGES, path.as_bytes()].concat());
            places.truncate(places.partition_point(|at| at < end));
        }
        places.extend(self.places.get(path.as_bytes()).into_iter().flatten());
        places
    }

    /// The commits that change each version of a system, told apart when the first of them is asked for.
    fn of_system(&self, trees: &Trees, top: &str, system: &str) -> Result<Arc<Versions>, GitError> {
        let key = format!("{top}/{system}");
        if let Some(known) = self.versions().get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut versions = Versions::new();
        for (at, mine, other) in self.sides.get(key.as_bytes()).map(Vec::as_slice).unwrap_or_default() {
            let (mine, other) = (directory(trees, *mine)?, directory(trees, *other)?);
            for version in differing_names(tree_of(mine.as_ref()), tree_of(other.as_ref())) {
                let places: &mut Vec<Index> = versions.entry(version).or_default();
                if places.last() != Some(at) {
                    places.push(*at);
                }
            }
        }
        let versions = Arc::new(versions);
        self.versions().insert(key, Arc::clone(&versions));
        Ok(versions)
    }

    fn versions(&self) -> MutexGuard<'_, HashMap<String, Arc<Versions>>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A commit that may change something; nothing where its top tree is that of each parent.
fn trio(history: &History, at: Index) -> Option<Trio> {
    let commit = history.commit(at);
    let parents: Vec<ObjectId> = commit.parents.iter().map(|parent| history.commit(*parent).tree).collect();
    let unchanged = !parents.is_empty() && parents.iter().all(|parent| *parent == commit.tree);
    (!unchanged).then_some((at, commit.tree, parents))
}

fn read_stretch(
    repository: &Repository,
    commits: &[Trio],
    by_version: bool,
) -> Result<(Lists, Sides), GitError> {
    let mut reader = Reader {
        repository,
        by_version,
        tops: IdMap::default(),
        trees: IdMap::default(),
        sides: Sides::new(),
    };
    let mut places = Lists::new();
    for commit in commits {
        for path in reader.changed(commit)? {
            places.entry(path).or_default().push(commit.0);
        }
    }
    Ok((places, reader.sides))
}

struct Reader<'a> {
    repository: &'a Repository,
    by_version: bool,
    tops: IdMap<Top>,
    trees: IdMap<Option<Tree>>,
    sides: Sides,
}

impl Reader<'_> {
    /// The paths whose objects differ from those of at least one parent.
    fn changed(&mut self, (at, top, parents): &Trio) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let mut changed = BTreeSet::new();
        let mine = self.top(*top)?;
        let theirs = match parents.as_slice() {
            [] => vec![[None; GOVERNED.len()]],
            parents => parents.iter().map(|parent| self.top(*parent)).collect::<Result<_, _>>()?,
        };
        for other in theirs {
            for ((name, mine), other) in GOVERNED.iter().zip(mine).zip(other) {
                if mine == other {
                    continue;
                }
                changed.insert(name.as_bytes().to_vec());
                if matches!(*name, "gates" | "exceptions") {
                    for system in self.differing(mine, other)? {
                        let path = [name.as_bytes(), b"/", &system].concat();
                        let [mine, other] = [mine, other].map(|above| self.below(above, &system));
                        if self.by_version {
                            for version in self.differing(mine, other)? {
                                changed.insert([path.as_slice(), b"/", &version].concat());
                            }
                        } else {
                            self.sides.entry(path.clone()).or_default().push((*at, mine, other));
                            changed.insert(path);
                        }
                    }
                }
            }
        }
        Ok(changed)
    }

    fn top(&mut self, id: ObjectId) -> Result<Top, GitError> {
        if let Some(top) = self.tops.get(&id) {
            return Ok(*top);
        }
        let tree = read_tree(self.repository, id)?;
        let top = GOVERNED
            .map(|name| tree.as_ref().and_then(|tree| tree.get(name)).map(|entry| (entry.kind, entry.id)));
        self.tops.insert(id, top);
        Ok(top)
    }

    /// What stands in a directory that was looked at last, under a name.
    fn below(&self, above: Option<Object>, name: &[u8]) -> Option<Object> {
        let (_, id) = above.filter(|(kind, _)| *kind == EntryKind::Directory)?;
        let entry = self.trees.get(&id)?.as_ref()?.get(std::str::from_utf8(name).ok()?)?;
        Some((entry.kind, entry.id))
    }

    /// The names whose entries differ between two trees; of what is no canonical tree, all are missing.
    fn differing(&mut self, mine: Option<Object>, other: Option<Object>) -> Result<Vec<Vec<u8>>, GitError> {
        // What is no directory holds nothing.
        let [mine, other] = [mine, other]
            .map(|object| object.filter(|(kind, _)| *kind == EntryKind::Directory).map(|(_, id)| id));
        for id in [mine, other].into_iter().flatten() {
            if !self.trees.contains_key(&id) {
                if self.trees.len() >= MOST_TREES {
                    let keep = [mine, other];
                    self.trees.retain(|known, _| keep.contains(&Some(*known)));
                }
                let tree = read_tree(self.repository, id)?;
                self.trees.insert(id, tree);
            }
        }
        let tree = |id: Option<ObjectId>| id.and_then(|id| self.trees.get(&id)).and_then(Option::as_ref);
        Ok(differing_names(tree(mine), tree(other)))
    }
}

/// A tree, where there is a canonical one. A file where a directory should be holds nothing.
fn read_tree(repository: &Repository, id: ObjectId) -> Result<Option<Tree>, GitError> {
    match repository.read_tree(id) {
        Ok(tree) => Ok(tree.ok()),
        Err(GitError::OtherKind { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What holds the versions of a system, where that is a directory.
fn directory(
    trees: &Trees,
    object: Option<Object>,
) -> Result<Option<Rc<Result<Tree, TreeDefect>>>, GitError> {
    let Some((EntryKind::Directory, id)) = object else { return Ok(None) };
    match trees.tree(id) {
        Ok(tree) => Ok(Some(tree)),
        // A file where a directory should be holds nothing.
        Err(GitError::OtherKind { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn tree_of(read: Option<&Rc<Result<Tree, TreeDefect>>>) -> Option<&Tree> {
    read.and_then(|read| read.as_ref().as_ref().ok())
}

fn differing_names(mine: Option<&Tree>, other: Option<&Tree>) -> Vec<Vec<u8>> {
    let (Some(mine), Some(other)) = (mine, other) else {
        return mine.or(other).into_iter().flat_map(Tree::entries).map(|entry| entry.name.to_vec()).collect();
    };
    let mut names = Vec::new();
    let (left, right) = mine.apart(other);
    let (mut left, mut right) = (left.peekable(), right.peekable());
    loop {
        let name = match (left.peek(), right.peek()) {
            (None, None) => return names,
            (Some(mine), Some(theirs)) if mine == theirs => {
                left.next();
                right.next();
                continue;
            }
            // Names that differ in kind sort apart: whichever comes first is taken, and both are named.
            (Some(mine), Some(theirs)) if mine.name < theirs.name => left.next(),
            (Some(mine), Some(theirs)) if mine.name > theirs.name => right.next(),
            (Some(_), Some(_)) => {
                right.next();
                left.next()
            }
            (Some(_), None) => left.next(),
            (None, Some(_)) => right.next(),
        };
        names.extend(name.map(|entry| entry.name.to_vec()));
    }
}
