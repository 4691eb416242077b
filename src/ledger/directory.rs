//! Which gates there are, and the bytes of a gate directory as it stood: for people who look at many, or compare two.

use std::collections::BTreeMap;

use crate::git::{EntryKind, Tree};
use crate::model::{ContentDigest, GateName, ObjectId};
use crate::request::GateRequest;

use super::trees::Found;
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
    /// The names of all gates that stand on the mainline in a view.
    pub fn gates(&self, view: View) -> Result<Vec<GateName>, Undecided> {
        let tree = self.commit_at_link(view.step).tree;
        let mut gates = Vec::new();
        let Found::Directory(top) = self.trees.find(tree, &["gates"])? else { return Ok(gates) };
        let read = self.trees.tree(top)?;
        for system in read.as_ref().iter().flat_map(Tree::entries) {
            if system.kind != EntryKind::Directory {
                continue;
            }
            let versions = self.trees.tree(system.id)?;
            let versions = versions.as_ref().iter().flat_map(Tree::entries);
            for version in versions.filter(|version| version.kind == EntryKind::Directory) {
                let name = format!(
                    "{}/{}",
                    String::from_utf8_lossy(system.name),
                    String::from_utf8_lossy(version.name)
                );
                // What is no gate's name is no gate; it cannot be asked for either.
                gates.extend(name.parse::<GateName>().ok());
            }
        }
        Ok(gates)
    }

    /// Forgets what was worked out of single gates: who asks about thousands keeps no more than what is in hand.
    pub fn forget_gates(&self) {
        let of_a_gate = |key: &str| key.starts_with("gates/") || key.starts_with("exceptions/");
        self.provenances.borrow_mut().retain(|key, _| !of_a_gate(key));
        self.requests.borrow_mut().clear();
        self.requesters.borrow_mut().clear();
        self.reports.forget();
        self.trees.forget();
        self.signing.forget();
    }

    /// Whether the tip reaches a commit.
    pub fn holds(&self, commit: ObjectId) -> bool {
        self.history.find(commit).is_some()
    }

    /// The files of a gate's directory in a view, each with the digest of its bytes; of an invalid directory none.
    pub fn file_digests(
        &self,
        gate: &GateName,
        view: View,
    ) -> Result<BTreeMap<String, ContentDigest>, Undecided> {
        let directory = self.gate_directory(gate, view)?;
        let files = directory.map(|directory| directory.files).unwrap_or_default();
        Ok(files.into_iter().map(|(path, bytes)| (path, ContentDigest::of_bytes(&bytes))).collect())
    }

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
