//! A governed directory as it stands in a commit: its files and their digest, before something is signed about it.
//!
//! What breaks the limits of such a directory is named here, so that nobody signs what would count for nothing.

use std::collections::BTreeMap;

use crate::git::{EntryKind, Repository};
use crate::model::{
    ContentDigest, ObjectId, content_digest, escape, is_path_component,
    limits::{DIRECTORY_BYTES, DIRECTORY_DEPTH, DIRECTORY_FILES},
};

use super::Failure;

/// The files of a governed directory, by relative path.
#[derive(Debug, Clone, Default)]
pub(super) struct GateFiles {
    files: BTreeMap<String, Vec<u8>>,
}

impl GateFiles {
    /// Reads the directory as it stands in `commit`; nothing where it does not.
    pub(super) fn read(
        repository: &Repository,
        commit: ObjectId,
        directory: &str,
    ) -> anyhow::Result<Option<Self>> {
        Self::read_without(repository, commit, directory, None)
    }

    /// The same without what lies below one name in it: `covers` are no part of an exception. Where nothing else is
    /// there, nothing is.
    pub(super) fn read_without(
        repository: &Repository,
        commit: ObjectId,
        directory: &str,
        skipped: Option<&str>,
    ) -> anyhow::Result<Option<Self>> {
        let mut tree = repository.tree_of(commit)?;
        for name in directory.split('/') {
            let entries =
                repository.read_tree(tree)?.map_err(|defect| invalid(directory, &defect.to_string()))?;
            match entries.get(name) {
                Some(entry) if entry.kind == EntryKind::Directory => tree = entry.id,
                Some(_) | None => return Ok(None),
            }
        }
        let mut reading = Reading { repository, directory, skipped, files: BTreeMap::new(), bytes: 0 };
        reading.read(tree, "", 1)?;
        if skipped.is_some() && reading.files.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { files: reading.files }))
    }

    /// The bytes of one file.
    pub(super) fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The digest of each, by its name from the top of the repository, as people are told of it.
    pub(super) fn named(&self, directory: &str) -> BTreeMap<String, String> {
        let named = |(path, bytes): (&String, &Vec<u8>)| {
            (format!("`{directory}/{path}`"), ContentDigest::of_bytes(bytes).to_string())
        };
        self.files.iter().map(named).collect()
    }

    /// Their content digest.
    pub(super) fn digest(&self) -> ContentDigest {
        content_digest(
            self.files.iter().map(|(path, bytes)| (path.as_str(), ContentDigest::of_bytes(bytes).0)),
        )
    }
}

struct Reading<'a> {
    repository: &'a Repository,
    directory: &'a str,
    /// What is left out, at the top.
    skipped: Option<&'a str>,
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Reading<'_> {
    fn read(&mut self, tree: ObjectId, below: &str, depth: usize) -> anyhow::Result<()> {
        let refuse = |reason: &str| Err(invalid(self.directory, reason).into());
        if depth > DIRECTORY_DEPTH {
            return refuse(&format!("`{}` lies more than {DIRECTORY_DEPTH} levels deep", escape(below)));
        }
        let tree = self
            .repository
            .read_tree(tree)?
            .map_err(|defect| invalid(self.directory, &defect.to_string()))?;
        tree.refuse_letter_case(None).map_err(|defect| invalid(self.directory, &defect.to_string()))?;
        for entry in tree.entries() {
            let name = String::from_utf8_lossy(entry.name);
            if below.is_empty() && self.skipped == Some(&*name) {
                continue;
            }
            let path = if below.is_empty() { name.to_string() } else { format!("{below}/{name}") };
            if !is_path_component(&name) {
                return refuse(&format!("`{}` is no name that a gate may hold", escape(&path)));
            }
            match entry.kind {
                EntryKind::Directory => self.read(entry.id, &path, depth + 1)?,
                EntryKind::File => {
                    let bytes = self.repository.read_blob(entry.id)?;
                    self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    self.files.insert(path, bytes);
                }
                EntryKind::Other => return refuse(&format!("`{}` is no regular file", escape(&path))),
            }
            if self.files.len() > DIRECTORY_FILES || self.bytes > DIRECTORY_BYTES {
                return refuse(&format!("it holds more than {DIRECTORY_FILES} files or 32 MiB"));
            }
        }
        Ok(())
    }
}

fn invalid(directory: &str, reason: &str) -> Failure {
    Failure::new("content-invalid", format!("`{directory}` is not valid: {reason}"))
        .help("mend it with a signed commit on its branch")
}
