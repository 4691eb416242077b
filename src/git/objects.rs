//! Objects, as bytes that hash to their id.
//!
//! Loose ones are read here, packed ones by the git library, or by [`super::packs`] where many are; each is hashed before
//! anybody sees it, with SHA-1 collision detection (the library's own check does the same at a third of the speed, and is
//! off). None is read that is larger than any honest one.

use std::path::Path;

use git2::{ErrorCode, ObjectType, Odb, Oid};

use crate::model::{ObjectId, limits};

use super::loose::{self, Defect, LooseHeader, LooseObject};
use super::{GitError, Repository, Tree, TreeDefect};

/// Largest commit or tree that is read. It bounds memory, not what counts: that is `limits::COMMIT_BYTES`.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

impl Repository {
    /// The bytes of a commit object.
    pub fn read_commit(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        self.read_object(id, ObjectType::Commit, MOST_BYTES)
    }

    /// A tree, parsed; or why it is not canonical.
    pub fn read_tree(&self, id: ObjectId) -> Result<Result<Tree, TreeDefect>, GitError> {
        Ok(Tree::parse(self.read_tree_bytes(id)?))
    }

    /// The bytes of a tree object.
    pub(super) fn read_tree_bytes(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        self.read_object(id, ObjectType::Tree, MOST_BYTES)
    }

    /// The size of a blob in bytes, without reading it whole.
    pub fn blob_size(&self, id: ObjectId) -> Result<u64, GitError> {
        Ok(self.blob_at_once(id)?.0)
    }

    /// The size of a blob in bytes; and these, where whoever reads many has them as soon as their number.
    pub fn blob_at_once(&self, id: ObjectId) -> Result<(u64, Option<Vec<u8>>), GitError> {
        let header = |file: &Path| {
            Ok(loose::read_header(file)?.map(|LooseHeader { kind, bytes, .. }| (kind, bytes, None)))
        };
        let (kind, size, bytes) = self.find(id, header, |packs| match self.read_at_once(id) {
            Some((kind, bytes)) => Ok((kind, length(&bytes), Some(bytes))),
            None => packed_header(packs, id).map(|(kind, size)| (kind, size, None)),
        })?;
        if kind != ObjectType::Blob {
            // The header alone proves nothing: only the whole object hashes to its id.
            self.read_object(id, ObjectType::Blob, MOST_BYTES)?;
        }
        Ok((size, bytes))
    }

    /// The bytes of a blob of at most [`limits::FILE_BYTES`].
    pub fn read_blob(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        self.read_object(id, ObjectType::Blob, limits::FILE_BYTES)
    }

    fn read_object(&self, id: ObjectId, wanted: ObjectType, limit: u64) -> Result<Vec<u8>, GitError> {
        let read = |file: &Path| {
            let Some(LooseObject { kind, bytes }) = loose::read(file, MOST_BYTES)? else { return Ok(None) };
            check_id(id, kind, &bytes).map_err(Defect::Damaged)?;
            Ok(Some((kind, bytes)))
        };
        let (kind, bytes) = self.find(id, read, |packs| match self.read_at_once(id) {
            Some(read) => Ok(read),
            None => read_packed(packs, id, wanted),
        })?;
        if kind != wanted {
            return Err(GitError::OtherKind { id, found: kind.str(), wanted: wanted.str() });
        }
        refuse_too_large(id, length(&bytes), limit)?;
        Ok(bytes)
    }

    /// An object as who reads many reads it; nothing where the library is to be asked.
    fn read_at_once(&self, id: ObjectId) -> Option<(ObjectType, Vec<u8>)> {
        let (kind, bytes) = self.packs.get()?.read(id)?;
        check_id(id, kind, &bytes).ok()?;
        Some((kind, bytes))
    }

    /// Looks in loose files, then in packs. Where a file is there and damaged, a good copy elsewhere will do, as it does
    /// for git; but the library must not come upon that file.
    fn find<T>(
        &self,
        id: ObjectId,
        in_file: impl Fn(&Path) -> Result<Option<T>, Defect>,
        in_packs: impl Fn(&Odb<'_>) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        let mut damaged = None;
        for file in loose::files(&self.directories, id) {
            match in_file(&file) {
                Ok(None) => {}
                Ok(Some(found)) => return Ok(found),
                Err(defect) => drop(damaged.get_or_insert(defect_error(id, &file, defect))),
            }
        }
        match damaged {
            None => in_packs(&self.odb),
            Some(damaged) => {
                self.with_packs_alone(|packs| in_packs(packs)).map_err(|_not_there_either| damaged)
            }
        }
    }
}

fn packed_header(packs: &Odb<'_>, id: ObjectId) -> Result<(ObjectType, u64), GitError> {
    let (bytes, kind) = packs.read_header(oid(id)).map_err(|error| read_error(id, &error))?;
    Ok((kind, u64::try_from(bytes).unwrap_or(u64::MAX)))
}

fn read_packed(packs: &Odb<'_>, id: ObjectId, wanted: ObjectType) -> Result<(ObjectType, Vec<u8>), GitError> {
    // Of commits and trees there are many, and git inflated each whole when the pack arrived.
    if wanted == ObjectType::Blob {
        let (_kind, bytes) = packed_header(packs, id)?;
        refuse_too_large(id, bytes, MOST_BYTES)?;
    }
    let object = packs.read(oid(id)).map_err(|error| read_error(id, &error))?;
    // What it says of its own kind is worth nothing before.
    check_id(id, object.kind(), object.data()).map_err(|reason| GitError::Corrupt { id, reason })?;
    Ok((object.kind(), object.data().to_vec()))
}

fn defect_error(id: ObjectId, file: &Path, defect: Defect) -> GitError {
    match defect {
        Defect::TooLarge(bytes) => GitError::TooLarge { id, bytes, limit: MOST_BYTES },
        Defect::Damaged(reason) => {
            GitError::Corrupt { id, reason: format!("`{}`: {reason}", file.display()) }
        }
    }
}

/// The library's own form of an id.
pub(super) fn oid(id: ObjectId) -> Oid {
    // Twenty bytes always are an id.
    Oid::from_bytes(&id.0).unwrap_or(Oid::ZERO_SHA1)
}

/// Our form of the library's id.
pub(super) fn object_id(oid: Oid) -> ObjectId {
    let mut id = [0; 20];
    id.iter_mut().zip(oid.as_bytes()).for_each(|(ours, theirs)| *ours = *theirs);
    ObjectId(id)
}

/// Whether an object is what its id says (design, section 4: objects of every type hash to their ids); else why not.
fn check_id(id: ObjectId, kind: ObjectType, data: &[u8]) -> Result<(), String> {
    let mut hasher = sha1dc::Hasher::new();
    hasher.update(format!("{} {}\0", kind.str(), data.len()).as_bytes());
    hasher.update(data);
    match hasher.finalize() {
        Ok(digest) if digest == id.0 => Ok(()),
        Ok(digest) => Err(format!("it is not what its id says: it hashes to {digest}")),
        Err(collision) => Err(format!("it was made to collide with another object: {collision}")),
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn refuse_too_large(id: ObjectId, bytes: u64, limit: u64) -> Result<(), GitError> {
    if bytes > limit { Err(GitError::TooLarge { id, bytes, limit }) } else { Ok(()) }
}

fn read_error(id: ObjectId, error: &git2::Error) -> GitError {
    if error.code() == ErrorCode::NotFound {
        return GitError::Missing(id);
    }
    GitError::Corrupt { id, reason: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_what_its_id_says_and_nothing_else() {
        // What `git hash-object --stdin` says of nothing but a line end.
        let blob = "8b137891791fe96927ad78e64b0aad7bded08bdc".parse().unwrap();
        assert_eq!(check_id(blob, ObjectType::Blob, b"\n"), Ok(()));
        for (kind, data) in
            [(ObjectType::Commit, b"\n".as_slice()), (ObjectType::Blob, b"\n\n"), (ObjectType::Blob, b"")]
        {
            assert!(check_id(blob, kind, data).is_err(), "{kind}");
        }
    }
}
