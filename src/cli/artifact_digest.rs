//! The digest of an artifact on disk: a file's SHA-256, or a directory's content digest (design, section 5).
//!
//! Files are streamed: a model may be larger than memory. What the digest could not name without doubt (a symlink, a
//! special file, an odd name) is an error, never skipped.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::model::{ArtifactDigest, ContentDigest, content_digest};

use super::Failure;

/// The digest of the file or directory at `path`. A symlink at the very top is followed.
pub(super) fn artifact_digest(path: &Path) -> Result<ArtifactDigest, Failure> {
    let kind = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if kind.is_file() {
        return Ok(ContentDigest(file_digest(path)?).into());
    }
    if !kind.is_dir() {
        return Err(refused(path, "is neither a file nor a directory"));
    }
    let mut files: BTreeMap<String, [u8; 32]> = BTreeMap::new();
    let mut open: Vec<(PathBuf, String)> = vec![(path.to_owned(), String::new())];
    while let Some((directory, below)) = open.pop() {
        for entry in fs::read_dir(&directory).map_err(|error| unreadable(&directory, &error))? {
            let entry = entry.map_err(|error| unreadable(&directory, &error))?;
            let here = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
                return Err(refused(
                    &here,
                    "has a name with a blank, quote, backslash or a character outside printable ASCII",
                ));
            };
            let relative = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            let kind = entry.file_type().map_err(|error| unreadable(&here, &error))?;
            if kind.is_symlink() {
                return Err(refused(&here, "is a symlink").help(format!(
                    "digest a copy that holds the files themselves: `cp -rL {} <copy>`",
                    path.display()
                )));
            } else if kind.is_dir() {
                open.push((here, relative));
            } else if kind.is_file() {
                files.insert(relative, file_digest(&here)?);
            } else {
                return Err(refused(&here, "is a special file"));
            }
        }
    }
    if files.is_empty() {
        return Err(refused(path, "is a directory without files"));
    }
    Ok(content_digest(files.iter().map(|(path, digest)| (path.as_str(), *digest))).into())
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'`'))
}

fn file_digest(path: &Path) -> Result<[u8; 32], Failure> {
    #[expect(clippy::disallowed_methods, reason = "cli/ reads what the user names")]
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        let read = file.read(&mut buffer).map_err(|error| unreadable(path, &error))?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

fn refused(path: &Path, reason: &str) -> Failure {
    Failure::new("artifact-invalid", format!("`{}` {reason}", path.display()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new("artifact-unreadable", format!("`{}` cannot be read: {error}", path.display()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make files")]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_the_digest_that_sha256sum_prints() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("d")).unwrap();
        for (name, bytes) in [("b", "a\n"), ("d/c", ""), ("B", "x")] {
            fs::write(temp.path().join(name), bytes).unwrap();
        }
        assert_eq!(
            artifact_digest(temp.path()).unwrap().as_str(),
            "sha256:81b294b738bd060120aaf0237d89ba37dbcfe96f82273f9a37191f78885be1ff"
        );
        assert_eq!(
            artifact_digest(&temp.path().join("d/c")).unwrap().as_str(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn what_a_digest_cannot_name_is_refused() {
        #[track_caller]
        fn refused(make: impl Fn(&Path)) {
            let temp = tempfile::tempdir().unwrap();
            fs::write(temp.path().join("a"), "a").unwrap();
            make(temp.path());
            assert!(artifact_digest(temp.path()).is_err());
        }
        refused(|dir| std::os::unix::fs::symlink("a", dir.join("link")).unwrap());
        refused(|dir| fs::write(dir.join("a b"), "").unwrap());
        refused(|dir| fs::write(dir.join("a'b"), "").unwrap());
        refused(|dir| fs::write(dir.join("ä"), "").unwrap());
        refused(|dir| fs::remove_file(dir.join("a")).unwrap());
        refused(|dir| drop(std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap()));
        assert!(artifact_digest(Path::new("/no/such/file")).is_err());
        assert!(artifact_digest(Path::new("/dev/null")).is_err());
    }
}
