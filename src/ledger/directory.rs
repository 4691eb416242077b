//! The bytes of a gate directory as it stood: for people who compare two of them.

use std::collections::BTreeMap;

use crate::model::{ContentDigest, GateName};
use crate::request::GateRequest;

use super::{Ledger, Undecided, View};

/// A gate directory with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateDirectory {
    /// Its content digest; nothing where it is invalid.
    pub digest: Option<ContentDigest>,
    /// Its files by path; of an invalid directory none.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl GateDirectory {
    /// Its request, where that reads.
    pub fn request(&self, gate: &GateName) -> Option<GateRequest> {
        GateRequest::parse("gate.toml", self.files.get("gate.toml")?, gate).ok()
    }
}

impl Ledger {
    /// The gate's directory in a view; nothing where it does not stand.
    pub fn gate_directory(&self, gate: &GateName, view: View) -> Result<Option<GateDirectory>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let tree = self.commit_at_link(view.step).tree;
        let Some(directory) = self.trees.directory(tree, &path)? else { return Ok(None) };
        let mut files = BTreeMap::new();
        // Only a directory that keeps the limits has a digest: nothing else is read whole.
        if directory.digest.is_some() {
            for (path, blob) in &directory.files {
                files.insert(path.clone(), self.trees.blob(*blob)?);
            }
        }
        Ok(Some(GateDirectory { digest: directory.digest, files }))
    }
}
