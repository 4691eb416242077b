//! The repository's own configuration file.
//!
//! Only that file: no include, no global or system file, no environment. The trust root and the mainline's name are
//! read from it (design, section 9.1), and whoever may write it decides; an include would widen that circle unseen.

use std::collections::BTreeMap;
use std::path::Path;

use super::GitError;

/// The values of a configuration file, by lower-case key, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    values: BTreeMap<String, Vec<String>>,
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
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut entries = file.entries(None).map_err(unreadable)?;
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(unreadable)?;
            if entry.include_depth() != 0 || !entry.has_value() {
                continue;
            }
            // A key or value that is not UTF-8 is none that is asked for here.
            if let (Ok(name), Ok(value)) = (entry.name(), entry.value()) {
                values.entry(name.to_owned()).or_default().push(value.to_owned());
            }
        }
        Ok(Self { values })
    }

    /// The value of `key`, written in lower case (`gate.root`); of several the last, as git has it.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.all(key).last().map(String::as_str)
    }

    /// All values of `key`, in their order.
    pub(super) fn all(&self, key: &str) -> &[String] {
        self.values.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// All keys that begin with `prefix`.
    pub(super) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values
            .iter()
            .filter(move |(key, _)| key.starts_with(prefix))
            .flat_map(|(key, values)| values.iter().map(move |value| (key.as_str(), value.as_str())))
    }
}
