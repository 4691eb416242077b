//! Refs, by full name: loose files first, then `packed-refs`, as git reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::model::ObjectId;

use super::locate::read_small;
use super::objects::object_id;
use super::{GitError, Repository};

const MOST_SYMBOLIC_HOPS: usize = 5;

impl Repository {
    /// The object that the ref of that full name points at; nothing where there is no such ref.
    pub fn resolve(&self, name: &str) -> Result<Option<ObjectId>, GitError> {
        let mut name = name.to_owned();
        for _hop in 0..MOST_SYMBOLIC_HOPS {
            match self.read_loose(&name)? {
                Some(Loose::Id(id)) => return Ok(Some(id)),
                Some(Loose::Symbolic(target)) => name = target,
                None => return Ok(self.packed_refs()?.get(&name).copied()),
            }
        }
        Err(GitError::Ref { name, reason: "too many symbolic refs in a row".into() })
    }

    /// The full name of the ref that moves where the ref of that full name is pushed to: itself, or what it stands for.
    pub fn target_of(&self, name: &str) -> Result<String, GitError> {
        let mut name = name.to_owned();
        for _hop in 0..MOST_SYMBOLIC_HOPS {
            match self.read_loose(&name) {
                Ok(Some(Loose::Symbolic(target))) => name = target,
                // What is no name of a ref stands for none; git itself refuses it.
                Ok(Some(Loose::Id(_)) | None) | Err(GitError::Ref { .. }) => return Ok(name),
                Err(error) => return Err(error),
            }
        }
        Err(GitError::Ref { name, reason: "too many symbolic refs in a row".into() })
    }

    /// The branch that is checked out in this work tree, as a full ref name; nothing where `HEAD` is detached.
    pub fn checked_out(&self) -> Result<Option<String>, GitError> {
        let text = read_small(&self.git_directory.join("HEAD"))?;
        Ok(text.strip_prefix("ref:").map(|target| target.trim().to_owned()))
    }

    /// The commit that is checked out; nothing where the branch has none yet.
    pub fn head(&self) -> Result<Option<ObjectId>, GitError> {
        if let Some(branch) = self.checked_out()? {
            return self.resolve(&branch);
        }
        let text = read_small(&self.git_directory.join("HEAD"))?;
        Ok(text.trim().parse().ok())
    }

    /// The file that is staged under `path`; nothing where none is, or several are, in conflict.
    pub fn staged(&self, path: &str) -> Result<Option<ObjectId>, GitError> {
        let file = self.git_directory.join("index");
        if !file.is_file() {
            return Ok(None);
        }
        let index =
            git2::Index::open(&file).map_err(|error| GitError::Library(error.message().to_owned()))?;
        Ok(index.get_path(Path::new(path), 0).map(|entry| object_id(entry.id)))
    }

    /// All refs whose full name begins with `prefix` (which ends in `/`), by name.
    pub fn refs_under(&self, prefix: &str) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let mut found: BTreeMap<String, ObjectId> =
            self.packed_refs()?.into_iter().filter(|(name, _)| name.starts_with(prefix)).collect();
        let mut names = Vec::new();
        collect_files(&self.common_directory.join(prefix.trim_end_matches('/')), prefix, &mut names)?;
        for name in names {
            if let Some(id) = self.resolve(&name)? {
                found.insert(name, id);
            }
        }
        Ok(found)
    }

    /// Where the ref of that full name (or `HEAD`) has stood, as its reflog tells, oldest first; nothing where none is kept.
    pub fn reflog(&self, name: &str) -> Result<Vec<ObjectId>, GitError> {
        let directory = if name == "HEAD" { &self.git_directory } else { &self.common_directory };
        let path = directory.join("logs").join(name);
        if !path.is_file() {
            return Ok(Vec::new());
        }
        // A line that does not read names nothing; it may be the one that git is writing.
        let text = read_small(&path)?;
        Ok(text.lines().filter_map(|line| line.split(' ').nth(1)?.parse().ok()).collect())
    }

    /// Whether there are replacement refs; they are ignored, and mentioned.
    pub fn has_replacements(&self) -> Result<bool, GitError> {
        Ok(!self.refs_under("refs/replace/")?.is_empty())
    }

    fn read_loose(&self, name: &str) -> Result<Option<Loose>, GitError> {
        let wrong = |reason: &str| GitError::Ref { name: name.to_owned(), reason: reason.to_owned() };
        if !name.starts_with("refs/") || name.split('/').any(|part| part.is_empty() || part.starts_with('.'))
        {
            return Err(wrong("not a full ref name"));
        }
        let path = self.common_directory.join(name);
        // Below a directory are the refs whose names go on.
        if !is_there(&path)? || path.is_dir() {
            return Ok(None);
        }
        let text = read_small(&path)?;
        if let Some(target) = text.strip_prefix("ref:") {
            return Ok(Some(Loose::Symbolic(target.trim().to_owned())));
        }
        let id =
            text.trim_end().parse().map_err(|_other: crate::model::Malformed| wrong("not an object id"))?;
        Ok(Some(Loose::Id(id)))
    }

    fn packed_refs(&self) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let path = self.common_directory.join("packed-refs");
        if !is_there(&path)? {
            return Ok(BTreeMap::new());
        }
        let text = read_small(&path)?;
        let mut refs = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with(['#', '^'])) {
            let Some((id, name)) = line.split_once(' ') else { continue };
            let id = id.parse().map_err(|_other: crate::model::Malformed| GitError::Ref {
                name: name.to_owned(),
                reason: "not an object id in `packed-refs`".into(),
            })?;
            refs.insert(name.to_owned(), id);
        }
        Ok(refs)
    }
}

enum Loose {
    Id(ObjectId),
    Symbolic(String),
}

/// The full names of the files below `directory`, which holds the refs of `prefix`. Lock files are none.
fn collect_files(directory: &Path, prefix: &str, names: &mut Vec<String>) -> Result<(), GitError> {
    if !is_there(directory)? {
        return Ok(());
    }
    let unreadable =
        |error: std::io::Error| GitError::Io { path: directory.to_owned(), reason: error.to_string() };
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        let lock = Path::new(&file_name).extension().is_some_and(|end| end.eq_ignore_ascii_case("lock"));
        if file_name.starts_with('.') || lock {
            continue;
        }
        let name = format!("{prefix}{file_name}");
        let path = entry.path();
        if path.is_dir() {
            collect_files(&path, &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// Whether there is something. What cannot be looked at is an error: a ref that is not seen may be one that forbids.
fn is_there(path: &Path) -> Result<bool, GitError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(false),
        Err(error) => Err(GitError::Io { path: path.to_owned(), reason: error.to_string() }),
    }
}
