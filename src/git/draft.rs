//! A commit that is not there yet: its tree is worked out in memory, from a commit's tree and a few changed files.
//!
//! Neither the work tree nor the index is read or touched, so that what is signed is exactly what was named. Nothing
//! is stored before the commit is signed.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid};

use crate::model::{ObjectId, Time};

use super::objects::object_id;
use super::{GitError, Repository, Tree, Unwritten};

/// What becomes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange {
    /// It is there, with these bytes.
    Put(Vec<u8>),
    /// It is gone.
    Remove,
}

/// A commit to be: its parents, its tree, its message, and the objects that it needs.
#[derive(Debug)]
pub struct Draft {
    pub(super) parents: Vec<ObjectId>,
    pub(super) tree: ObjectId,
    pub(super) message: String,
    pub(super) objects: Vec<NewObject>,
    /// The date that it will have; nothing: that of its signing.
    pub(super) date: Option<Time>,
}

/// An object that is not stored yet.
#[derive(Debug)]
pub(super) struct NewObject {
    pub(super) kind: ObjectType,
    pub(super) bytes: Vec<u8>,
}

impl Draft {
    /// A commit on `parent`, with its tree: it changes no file.
    pub fn without_changes(
        repository: &Repository,
        parent: ObjectId,
        message: &str,
    ) -> Result<Self, Unwritten> {
        let tree = repository.tree_of(parent)?;
        Ok(Self { parents: vec![parent], tree, message: message.to_owned(), objects: vec![], date: None })
    }

    /// A commit on `parent` (nothing: the first one) that changes files of its tree.
    pub fn with_changes(
        repository: &Repository,
        parent: Option<ObjectId>,
        changes: &BTreeMap<String, FileChange>,
        message: &str,
    ) -> Result<Self, Unwritten> {
        let top = parent.map(|parent| repository.tree_of(parent)).transpose()?;
        let mut edit = Edit { repository, objects: Vec::new() };
        let all: Vec<(&str, &FileChange)> =
            changes.iter().map(|(path, change)| (path.as_str(), change)).collect();
        let tree = match edit.tree(top, &all)? {
            Some(tree) => tree,
            None => edit.add(ObjectType::Tree, Vec::new())?,
        };
        let parents = parent.into_iter().collect();
        Ok(Self { parents, tree, message: message.to_owned(), objects: edit.objects, date: None })
    }

    /// A merge of `branch` into `mainline`, with a tree that is stored already.
    pub fn merge(mainline: ObjectId, branch: ObjectId, tree: ObjectId, message: &str) -> Self {
        Self {
            parents: vec![mainline, branch],
            tree,
            message: message.to_owned(),
            objects: vec![],
            date: None,
        }
    }

    /// A record of the deployment log: behind `before`, about the mainline commit `judged`, whose tree it has (design,
    /// section 10). Its date is the time of that judging, so that its replay answers the same question.
    pub fn record(
        repository: &Repository,
        before: Option<ObjectId>,
        judged: ObjectId,
        date: Time,
        message: &str,
    ) -> Result<Self, Unwritten> {
        let tree = repository.tree_of(judged)?;
        let parents = before.into_iter().chain([judged]).collect();
        Ok(Self { parents, tree, message: message.to_owned(), objects: vec![], date: Some(date) })
    }

    /// The tree that the commit will have.
    pub fn tree(&self) -> ObjectId {
        self.tree
    }
}

impl Repository {
    /// The tree of a commit, from its raw bytes.
    pub fn tree_of(&self, commit: ObjectId) -> Result<ObjectId, GitError> {
        Ok(self.links(commit)?.tree)
    }
}

/// A change of trees in the making.
struct Edit<'a> {
    repository: &'a Repository,
    objects: Vec<NewObject>,
}

/// An entry as it is written: mode, name and id, the mode as it was.
pub(super) struct RawEntry {
    pub(super) mode: Vec<u8>,
    name: Vec<u8>,
    pub(super) id: ObjectId,
}

impl Edit<'_> {
    /// The tree with the changes made, whose paths are relative to it; nothing where no file is left.
    fn tree(
        &mut self,
        id: Option<ObjectId>,
        changes: &[(&str, &FileChange)],
    ) -> Result<Option<ObjectId>, Unwritten> {
        let mut entries = match id {
            Some(id) => self.entries(id)?,
            None => BTreeMap::new(),
        };
        let mut below: BTreeMap<&str, Vec<(&str, &FileChange)>> = BTreeMap::new();
        for (path, change) in changes {
            if let Some((directory, rest)) = path.split_once('/') {
                below.entry(directory).or_default().push((rest, change));
                continue;
            }
            refuse_twin(&entries, &directory_key(path), path)?;
            entries.remove(path.as_bytes());
            if let FileChange::Put(bytes) = change {
                let id = self.add(ObjectType::Blob, bytes.clone())?;
                let entry = RawEntry { mode: b"100644".to_vec(), name: path.as_bytes().to_vec(), id };
                entries.insert(path.as_bytes().to_vec(), entry);
            }
        }
        for (directory, changes) in below {
            refuse_twin(&entries, directory.as_bytes(), directory)?;
            let before = entries.remove(&directory_key(directory)).map(|entry| entry.id);
            if let Some(id) = self.tree(before, &changes)? {
                let entry = RawEntry { mode: b"40000".to_vec(), name: directory.as_bytes().to_vec(), id };
                entries.insert(directory_key(directory), entry);
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for entry in entries.values() {
            bytes.extend([entry.mode.as_slice(), b" ", &entry.name, b"\0", &entry.id.0].concat());
        }
        self.add(ObjectType::Tree, bytes).map(Some)
    }

    /// The entries of a canonical tree by the name they sort under: a directory's ends in `/`.
    fn entries(&self, id: ObjectId) -> Result<BTreeMap<Vec<u8>, RawEntry>, Unwritten> {
        let bytes = self.repository.read_tree_bytes(id)?;
        let broken = |defect: String| {
            Unwritten::new("unwritable-commit", format!("tree {id} cannot be changed: {defect}"))
                .help("check it: `git fsck`")
        };
        Tree::parse(bytes.clone()).map_err(|defect| broken(defect.to_string()))?;
        let mut entries = BTreeMap::new();
        let mut rest = bytes.as_slice();
        while let Some((entry, behind)) = split_entry(rest) {
            let mut key = entry.name.clone();
            if entry.mode == b"40000" {
                key.push(b'/');
            }
            entries.insert(key, entry);
            rest = behind;
        }
        if rest.is_empty() { Ok(entries) } else { Err(broken("it does not parse".to_owned())) }
    }

    fn add(&mut self, kind: ObjectType, bytes: Vec<u8>) -> Result<ObjectId, Unwritten> {
        let id = hash(kind, &bytes)?;
        self.objects.push(NewObject { kind, bytes });
        Ok(id)
    }
}

/// The id that an object will have.
pub(super) fn hash(kind: ObjectType, bytes: &[u8]) -> Result<ObjectId, Unwritten> {
    Oid::hash_object(kind, bytes)
        .map(object_id)
        .map_err(|error| Unwritten::from(GitError::Library(error.message().to_owned())))
}

/// The first entry of a tree, and the rest.
pub(super) fn split_entry(bytes: &[u8]) -> Option<(RawEntry, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let (mode, rest) = bytes.split_at(space);
    let nul = rest.iter().position(|byte| *byte == 0)?;
    let (name, rest) = rest.split_at(nul);
    let (id, rest) = rest.get(1..)?.split_first_chunk::<20>()?;
    Some((RawEntry { mode: mode.to_vec(), name: name.get(1..)?.to_vec(), id: ObjectId(*id) }, rest))
}

fn directory_key(name: &str) -> Vec<u8> {
    format!("{name}/").into_bytes()
}

/// A file and a directory of one name cannot both stand in a tree.
fn refuse_twin(entries: &BTreeMap<Vec<u8>, RawEntry>, key: &[u8], name: &str) -> Result<(), Unwritten> {
    if entries.contains_key(key) {
        return Err(Unwritten::new(
            "unwritable-commit",
            format!("`{name}` is there already, as a file or as a directory"),
        ));
    }
    Ok(())
}
