//! Directories for what nobody needs afterwards: gone when they are dropped, or when the program is told to end.
//!
//! A signal ends a program without dropping anything. So each such directory is on a list while it is there, and whoever
//! handles signals removes what is on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Unwritten;

static ALL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A temporary directory.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    directory: Option<tempfile::TempDir>,
}

impl Scratch {
    /// A new one, whose name begins so, where the system has temporary files.
    pub fn new(prefix: &str) -> Result<Self, Unwritten> {
        Self::make(prefix, None)
    }

    /// A new one in this directory, such as one that will be moved to a place in it.
    pub fn new_in(parent: &Path, prefix: &str) -> Result<Self, Unwritten> {
        Self::make(prefix, Some(parent))
    }

    fn make(prefix: &str, parent: Option<&Path>) -> Result<Self, Unwritten> {
        // On the list before anybody could be interrupted: the list is held while the directory is made.
        let mut all = all();
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix);
        // What lies there is nobody else's to read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let made = parent.map_or_else(|| builder.tempdir(), |parent| builder.tempdir_in(parent));
        let directory = made.map_err(scratch_failed)?;
        let path = directory.path().to_owned();
        all.push(path.clone());
        Ok(Self { path, directory: Some(directory) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is.
    pub fn keep(mut self) -> PathBuf {
        if let Some(directory) = self.directory.take() {
            let _here = directory.keep();
        }
        self.path.clone()
    }

    /// Removes it, and says where that fails.
    pub fn close(mut self) -> std::io::Result<()> {
        self.directory.take().map_or(Ok(()), tempfile::TempDir::close)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut all = all();
        drop(self.directory.take());
        all.retain(|path| *path != self.path);
    }
}

/// How often a directory is tried, and how long to wait between: what runs in it has been told to end as well, and may write
/// a last file.
const TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(25);

/// Removes what is there: the program ends now. Nothing new is made meanwhile: the list stays held by the guard.
pub fn remove_all_scratch() -> impl Drop {
    let all = all();
    for directory in all.iter() {
        for _try in 0..TRIES {
            // What cannot be removed stays for the system to clean up.
            let removed = fs::remove_dir_all(directory);
            if removed.is_ok() || !directory.exists() {
                break;
            }
            thread::sleep(BETWEEN_TRIES);
        }
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
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        }
        drop(scratch);
        assert!(!path.exists() && !all().contains(&path));
    }
}
