//! Trees of named commits: what a governed directory holds, and its content digest.
//!
//! A directory is read whole or it is invalid, with every reason (design, sections 4 and 5). Trees and digests are
//! remembered by object id, so that a thousand commits with one directory read it once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::git::{Entry, EntryKind, GitError, Repository, Tree, TreeDefect};
use crate::model::{ContentDigest, IdMap, ObjectId, content_digest, escape, is_path_component, limits};

/// The directories at the top that are governed.
pub(crate) const GOVERNED: [&str; 4] = ["policy", "gates", "exceptions", "incidents"];

/// How many parsed trees are kept at the most, and of how many bytes. History is walked in order, so neighbours share most
/// of theirs.
const MOST_TREES: usize = 4096;
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// How many entries of trees one directory is looked at for. No valid one has more; a hostile one names the same tree
/// again and again, so that it costs nothing to make and would cost years to list.
const MOST_ENTRIES: usize = limits::DIRECTORY_FILES * limits::DIRECTORY_DEPTH;

/// How many defects of one directory are told.
const MOST_DEFECTS: usize = 50;

/// Trees of one repository.
#[derive(Debug)]
pub(crate) struct Trees {
    repository: Rc<Repository>,
    parsed: RefCell<IdMap<Rc<Result<Tree, TreeDefect>>>>,
    /// Of how many bytes those are.
    bytes: Cell<usize>,
    directories: RefCell<HashMap<(ObjectId, bool), Rc<Directory>>>,
    /// Trees on the way to directories that hold no name in two letter cases: as tops, where only governed names matter, or
    /// below.
    well_named: RefCell<HashSet<(ObjectId, bool)>>,
}

/// A governed directory's files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    /// Regular files by path, with the object that holds their bytes. Of an invalid directory: those that could be seen.
    pub(crate) files: BTreeMap<String, ObjectId>,
    /// Its content digest; nothing where it is invalid.
    pub(crate) digest: Option<ContentDigest>,
    /// All that makes it invalid, path and reason.
    pub(crate) defects: Vec<String>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// A directory.
    Directory(ObjectId),
    /// A file.
    File(ObjectId),
    /// Something that cannot be told for sure, or that may not stand there: why.
    Defective(String),
}

impl Trees {
    pub(crate) fn new(repository: Rc<Repository>) -> Self {
        Self {
            repository,
            parsed: RefCell::default(),
            bytes: Cell::default(),
            directories: RefCell::default(),
            well_named: RefCell::default(),
        }
    }

    /// A tree, from memory where it was read before.
    pub(crate) fn tree(&self, id: ObjectId) -> Result<Rc<Result<Tree, TreeDefect>>, GitError> {
        if let Some(tree) = self.parsed.borrow().get(&id) {
            return Ok(Rc::clone(tree));
        }
        let tree = Rc::new(self.repository.read_tree(id)?);
        let mut trees = self.parsed.borrow_mut();
        let bytes = tree.as_ref().as_ref().map_or(0, Tree::size);
        if trees.len() >= MOST_TREES || self.bytes.get() + bytes > MOST_BYTES {
            trees.clear();
            self.bytes.set(0);
        }
        self.bytes.set(self.bytes.get() + bytes);
        trees.insert(id, Rc::clone(&tree));
        Ok(tree)
    }

    /// The bytes of a file of a governed directory.
    pub(crate) fn blob(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        self.repository.read_blob(id)
    }

    /// What stands at `path` (its components) below the top tree `top`. Every tree on the way must be canonical, and hold
    /// no name in two letter cases; at the top that matters for governed names only.
    pub(crate) fn find(&self, top: ObjectId, path: &[&str]) -> Result<Found, GitError> {
        let mut current = Found::Directory(top);
        for (depth, component) in path.iter().enumerate() {
            let Found::Directory(id) = current else { return Ok(Found::Nothing) };
            let tree = match self.tree(id) {
                Ok(tree) => tree,
                Err(error @ GitError::OtherKind { .. }) if depth > 0 => {
                    return Ok(Found::Defective(format!("`{}`: {error}", shown_path(path, depth))));
                }
                Err(error) => return Err(error),
            };
            let tree = match tree.as_ref() {
                Ok(tree) => tree,
                Err(defect) => {
                    return Ok(Found::Defective(format!("`{}`: {defect}", shown_path(path, depth))));
                }
            };
            if let Err(defect) = self.refuse_letter_case(id, tree, depth == 0) {
                return Ok(Found::Defective(format!("`{}`: {defect}", shown_path(path, depth))));
            }
            current = match tree.get(component) {
                None => return Ok(Found::Nothing),
                Some(Entry { kind: EntryKind::Directory, id, .. }) => Found::Directory(id),
                Some(Entry { kind: EntryKind::File, id, .. }) => Found::File(id),
                Some(Entry { kind: EntryKind::Other, .. }) => {
                    let shown = path.get(..=depth).unwrap_or(path).join("/");
                    return Ok(Found::Defective(format!(
                        "`{shown}` is neither a regular file nor a directory"
                    )));
                }
            };
        }
        Ok(current)
    }

    /// Refuses names that are the same but for letter case; of a top tree, those that are governed. Found once a tree.
    fn refuse_letter_case(&self, id: ObjectId, tree: &Tree, is_top: bool) -> Result<(), TreeDefect> {
        if self.well_named.borrow().contains(&(id, is_top)) {
            return Ok(());
        }
        let only: Option<&[&str]> = if is_top { Some(&GOVERNED) } else { None };
        tree.refuse_letter_case(only)?;
        let mut well_named = self.well_named.borrow_mut();
        if well_named.len() >= MOST_TREES {
            well_named.clear();
        }
        well_named.insert((id, is_top));
        Ok(())
    }

    /// Lets go of directories: who asks about thousands keeps no more than what is in hand.
    pub(crate) fn forget(&self) {
        self.directories.borrow_mut().clear();
    }

    /// Whether the top tree of a commit reads, as far as governed directories go: else why not.
    pub(crate) fn check_top(&self, top: ObjectId) -> Result<Result<(), String>, GitError> {
        Ok(match self.tree(top)?.as_ref() {
            Ok(tree) => tree.refuse_letter_case(Some(&GOVERNED)).map_err(|defect| defect.to_string()),
            Err(defect) => Err(defect.to_string()),
        })
    }

    /// The governed directory at `path` below `top`; nothing where nothing stands there.
    pub(crate) fn directory(&self, top: ObjectId, path: &[&str]) -> Result<Option<Rc<Directory>>, GitError> {
        match self.find(top, path)? {
            Found::Nothing => Ok(None),
            Found::Directory(id) => self.read_directory(id, false).map(Some),
            Found::File(_) => Ok(Some(invalid(format!("`{}` is a file, not a directory", path.join("/"))))),
            Found::Defective(reason) => Ok(Some(invalid(reason))),
        }
    }

    /// The files of an exception directory, without those of `covers/`, which are exceptions of their own.
    pub(crate) fn directory_without_covers(
        &self,
        top: ObjectId,
        path: &[&str],
    ) -> Result<Option<Rc<Directory>>, GitError> {
        match self.find(top, path)? {
            Found::Nothing => Ok(None),
            Found::Directory(id) => self.read_directory(id, true).map(Some),
            Found::File(_) => Ok(Some(invalid(format!("`{}` is a file, not a directory", path.join("/"))))),
            Found::Defective(reason) => Ok(Some(invalid(reason))),
        }
    }

    /// Reads the directory whose tree is `id`.
    pub(crate) fn read_directory(
        &self,
        id: ObjectId,
        without_covers: bool,
    ) -> Result<Rc<Directory>, GitError> {
        if let Some(directory) = self.directories.borrow().get(&(id, without_covers)) {
            return Ok(Rc::clone(directory));
        }
        let mut directory = Directory::default();
        self.list(id, "", 1, &mut 0, &mut directory)?;
        if without_covers {
            directory.files.retain(|path, _| !path.starts_with("covers/"));
        }
        self.digest(&mut directory)?;
        let directory = Rc::new(directory);
        self.directories.borrow_mut().insert((id, without_covers), Rc::clone(&directory));
        Ok(directory)
    }

    fn list(
        &self,
        id: ObjectId,
        prefix: &str,
        depth: usize,
        seen: &mut usize,
        into: &mut Directory,
    ) -> Result<(), GitError> {
        let tree = match self.tree(id) {
            Ok(tree) => tree,
            Err(error @ GitError::OtherKind { .. }) => {
                into.defects.push(format!("`{prefix}`: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let tree = match tree.as_ref() {
            Ok(tree) => tree,
            Err(defect) => {
                into.defects.push(format!("`{prefix}`: {defect}"));
                return Ok(());
            }
        };
        *seen = seen.saturating_add(tree.entries().count());
        if *seen > MOST_ENTRIES {
            into.defects.push(format!("it holds more than {MOST_ENTRIES} files and directories"));
            return Ok(());
        }
        if let Err(defect) = tree.refuse_letter_case(None) {
            into.defects.push(format!("`{prefix}`: {defect}"));
        }
        for entry in tree.entries() {
            if into.defects.len() >= MOST_DEFECTS {
                return Ok(());
            }
            let name = String::from_utf8_lossy(entry.name);
            let path = format!("{prefix}{name}");
            if !std::str::from_utf8(entry.name).is_ok_and(is_path_component) {
                into.defects.push(format!(
                    "`{}`: a name here is of `A-Z a-z 0-9 . _ + -` and begins with no dot",
                    escape(&path)
                ));
                continue;
            }
            match entry.kind {
                EntryKind::Other => {
                    into.defects.push(format!("`{path}` is a symbolic link, a submodule or no regular file"));
                }
                EntryKind::Directory if depth >= limits::DIRECTORY_DEPTH => {
                    into.defects
                        .push(format!("`{path}` lies deeper than {} levels", limits::DIRECTORY_DEPTH));
                }
                EntryKind::Directory => self.list(entry.id, &format!("{path}/"), depth + 1, seen, into)?,
                EntryKind::File if into.files.len() >= limits::DIRECTORY_FILES => {
                    let reason = format!("it holds more than {} files", limits::DIRECTORY_FILES);
                    if !into.defects.contains(&reason) {
                        into.defects.push(reason);
                    }
                    return Ok(());
                }
                EntryKind::File => {
                    into.files.insert(path, entry.id);
                }
            }
        }
        Ok(())
    }

    /// Fills in the digest, unless the directory is invalid or too large.
    fn digest(&self, directory: &mut Directory) -> Result<(), GitError> {
        let mut total = 0u64;
        let mut digests: Vec<Option<[u8; 32]>> = Vec::with_capacity(directory.files.len());
        for (path, id) in &directory.files {
            let bytes = match self.repository.blob_at_once(*id) {
                Ok((size, bytes)) => {
                    digests.push(bytes.map(|bytes| ContentDigest::of_bytes(&bytes).0));
                    size
                }
                Err(error @ GitError::OtherKind { .. }) => {
                    directory.defects.push(format!("`{path}`: {error}"));
                    continue;
                }
                Err(error) => return Err(error),
            };
            total = total.saturating_add(bytes);
            if bytes > limits::FILE_BYTES {
                directory
                    .defects
                    .push(format!("`{path}` has {bytes} bytes, more than {}", limits::FILE_BYTES));
            }
        }
        if total > limits::DIRECTORY_BYTES {
            directory
                .defects
                .push(format!("its files have {total} bytes, more than {}", limits::DIRECTORY_BYTES));
        }
        if directory.files.is_empty() && directory.defects.is_empty() {
            directory.defects.push("it holds no file".into());
        }
        if !directory.defects.is_empty() {
            return Ok(());
        }
        let mut files = Vec::with_capacity(directory.files.len());
        for ((path, id), digest) in directory.files.iter().zip(digests) {
            let digest = match digest {
                Some(digest) => digest,
                None => ContentDigest::of_bytes(&self.blob(*id)?).0,
            };
            files.push((path.as_str(), digest));
        }
        directory.digest = Some(content_digest(files));
        Ok(())
    }
}

fn invalid(reason: String) -> Rc<Directory> {
    Rc::new(Directory { defects: vec![reason], ..Directory::default() })
}

fn shown_path(path: &[&str], depth: usize) -> String {
    match path.get(..depth) {
        Some(above) if !above.is_empty() => above.join("/"),
        Some(_) | None => "the top directory".to_owned(),
    }
}
