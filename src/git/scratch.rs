//! Directories for what nobody needs afterwards: gone when they are dropped, or when the program is told to end.
//!
//! A signal ends a program without dropping anything. So each such directory is on a list while it is there, and whoever
//! handles signals removes what is on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Unwritten;

static ALL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A temporary directory.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    directory: Option<tempfile::TempDir>,
}

impl Scratch {
    /// A new one, whose name begins so.
    pub fn new(prefix: &str) -> Result<Self, Unwritten> {
        // On the list before anybody could be interrupted: the list is held while the directory is made.
        let mut all = all();
        let directory = tempfile::Builder::new().prefix(prefix).tempdir().map_err(scratch_failed)?;
        let path = directory.path().to_owned();
        all.push(path.clone());
        Ok(Self { path, directory: Some(directory) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut all = all();
        drop(self.directory.take());
        all.retain(|path| *path != self.path);
    }
}

/// Removes what is there: the program ends now. Nothing new is made meanwhile: the list stays held by the guard.
pub fn remove_all_scratch() -> impl Drop {
    let all = all();
    for directory in all.iter() {
        // What cannot be removed stays for the system to clean up.
        let _ = fs::remove_dir_all(directory);
    }
    all
}

fn all() -> MutexGuard<'static, Vec<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn scratch_failed(error: std::io::Error) -> Unwritten {
    Unwritten::new("scratch", format!("a temporary file cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_gone_when_it_is_dropped() {
        let scratch = Scratch::new("git-gate-test-").unwrap();
        let path = scratch.path().to_owned();
        assert!(path.is_dir() && all().contains(&path));
        drop(scratch);
        assert!(!path.exists() && !all().contains(&path));
    }
}
