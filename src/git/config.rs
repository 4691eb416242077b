//! The repository's own configuration file.
//!
//! Only that file: no include, no global or system file, no environment. The trust root and the mainline's name are
//! read from it (design, section 9.1), and whoever may write it decides; an include would widen that circle unseen.

use std::collections::BTreeMap;
use std::path::Path;

use super::GitError;

/// The values of a configuration file, by lower-case key; the last of several, as git has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    values: BTreeMap<String, String>,
}

impl Config {
    /// Reads one file. A file that is not there holds nothing.
    pub(super) fn read(path: &Path) -> Result<Self, GitError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let unreadable =
            |error: git2::Error| GitError::Io { path: path.to_owned(), reason: error.message().to_owned() };
        let file = git2::Config::open(path).map_err(unreadable)?;
        let mut values = BTreeMap::new();
        let mut entries = file.entries(None).map_err(unreadable)?;
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(unreadable)?;
            if entry.include_depth() != 0 {
                continue;
            }
            // A key or value that is not UTF-8 is none that is asked for here.
            if let (Ok(name), Ok(value)) = (entry.name(), entry.value()) {
                values.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(Self { values })
    }

    /// The value of `key`, written in lower case (`gate.root`).
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// All keys that begin with `prefix`.
    pub(super) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values
            .iter()
            .filter(move |(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
