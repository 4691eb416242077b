//! What git-gate itself keeps in the repository's git directory, below `gate/`: small files, shared by all work trees.
//!
//! A cache or a mark, never a source of trust. Written beside and renamed, so that readers see the old text or the new.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use super::locate::read_small;
use super::{GitError, Repository};

impl Repository {
    /// The text kept under `name`, a relative path of ours; nothing where there is none.
    pub fn state(&self, name: &str) -> Result<Option<String>, GitError> {
        let path = self.common_directory.join("gate").join(name);
        match fs::metadata(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Ok(_) | Err(_) => read_small(&path).map(Some),
        }
    }

    /// Where the text of that name is kept, for a program that changes it.
    pub fn state_path(&self, name: &str) -> PathBuf {
        self.common_directory.join("gate").join(name)
    }

    /// Forgets the text of that name.
    pub fn forget_state(&self, name: &str) {
        // One that stays is overwritten by the next.
        let _ = fs::remove_file(self.state_path(name));
    }

    /// Forgets all that is kept below `name`.
    pub fn forget_states(&self, name: &str) -> Result<(), GitError> {
        let path = self.state_path(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(GitError::Io { path, reason: error.to_string() })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Keeps `text` under `name`.
    pub fn keep_state(&self, name: &str, text: &str) -> Result<(), GitError> {
        let path = self.common_directory.join("gate").join(name);
        let failed = |reason: String| GitError::Io { path: path.clone(), reason };
        let directory = path.parent().ok_or_else(|| failed("it has no directory".into()))?;
        fs::create_dir_all(directory).map_err(|error| failed(error.to_string()))?;
        let mut file =
            tempfile::NamedTempFile::new_in(directory).map_err(|error| failed(error.to_string()))?;
        file.write_all(text.as_bytes()).map_err(|error| failed(error.to_string()))?;
        file.persist(&path).map_err(|error| failed(error.to_string()))?;
        Ok(())
    }
}
