//! What happened to one gate, commit by commit, in recorded order: its files, its exception, its incidents.
//!
//! Decisions and log records are facts of their own (`decisions.rs`, `records.rs`); `insight/history.rs` puts all of them
//! in one row. Nothing here decides.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::model::{ArtifactName, Code, GateName, IncidentId, Name, ObjectId, Principal, Time};
use crate::request::GateRequest;

use super::history::Index;
use super::provenance::{Provenance, State};
use super::{Ledger, Undecided, View};

/// A commit that changed something of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Its place in recorded order.
    pub order: u32,
    /// The commit.
    pub commit: ObjectId,
    /// Its signer, whatever else is wrong.
    pub principal: Option<Principal>,
    /// Why its signature does not count; nothing: it does.
    pub defect: Option<(Code, String)>,
    /// Its own date.
    pub signed_at: Time,
    /// When it was recorded; nothing: it lies beyond the last step, or is not merged yet.
    pub recorded_at: Option<Time>,
    /// What it changed.
    pub change: Change,
}

/// What a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The gate directory stands for the first time.
    Opened,
    /// Files of the gate directory.
    Files(Box<FilesChanged>),
    /// The gate directory is gone.
    Removed,
    /// The mainline holds it for the first time.
    Recorded,
    /// Files below `exceptions/<gate>`.
    Exception(Vec<String>),
    /// An incident on this version was opened, resolved, changed or removed.
    Incident(IncidentId, &'static str),
}

/// How the files of a gate changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilesChanged {
    /// Reports that were not listed before: kind and file.
    pub attached: Vec<(Name, String)>,
    /// Listed reports with other bytes.
    pub replaced: Vec<(Name, String)>,
    /// Reports that are no longer listed.
    pub detached: Vec<(Name, String)>,
    /// Artifacts with another digest, or new or gone.
    pub artifacts: Vec<ArtifactName>,
    /// Other files that differ.
    pub files: Vec<String>,
}

impl Ledger {
    /// What happened to the gate up to a view, in recorded order.
    pub fn timeline(&self, gate: &GateName, view: View) -> Result<Vec<Happening>, Undecided> {
        let mut happenings = self.file_changes(gate, view)?;
        let path = ["exceptions", gate.system.as_str(), gate.version.as_str()];
        let provenance = self.provenance(&path)?;
        for at in provenance.changed_up_to(&self.history, view.link) {
            let (before, after) = (self.state_before(&provenance, at)?, self.state(&provenance, at)?);
            let paths = differing(before.as_deref(), after.as_deref());
            happenings.push(self.happening(at, view, Change::Exception(paths))?);
        }
        for (at, id, what) in self.incident_changes(gate, view)? {
            happenings.push(self.happening(at, view, Change::Incident(id, what))?);
        }
        happenings.sort_by_key(|happening| happening.order);
        Ok(happenings)
    }

    /// The first and the last commit that changed the gate directory up to a view, with their dates and signers.
    pub fn first_and_last_change(
        &self,
        gate: &GateName,
        view: View,
    ) -> Result<Option<(Happening, Happening)>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let provenance = self.provenance(&path)?;
        let mut changed = provenance.changed_up_to(&self.history, view.link);
        let Some(first) = changed.next() else { return Ok(None) };
        let last = changed.last().unwrap_or(first);
        let change = || Change::Files(Box::default());
        Ok(Some((self.happening(first, view, Change::Opened)?, self.happening(last, view, change())?)))
    }

    /// A commit's place in recorded order.
    pub fn order_of(&self, commit: ObjectId) -> Option<u32> {
        self.history.find(commit)
    }

    /// When a commit was recorded, up to a view; nothing: it was not, or only by a merge that was not made.
    pub fn recorded_at(&self, commit: ObjectId, view: View) -> Option<Time> {
        let link = self.history.commit(self.history.find(commit)?).link;
        let step = self.chronicle.recording_step(link, view.step)?;
        (!self.is_made_up(step)).then(|| self.recorded_at_link(step))
    }

    /// Whether a link is the merge of a preview.
    fn is_made_up(&self, link: u32) -> bool {
        self.preview && link + 1 == self.history.links()
    }

    fn file_changes(&self, gate: &GateName, view: View) -> Result<Vec<Happening>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let provenance = self.provenance(&path)?;
        let mut happenings = Vec::new();
        let mut first_link = None;
        for at in provenance.changed_up_to(&self.history, view.link) {
            let (before, after) = (self.state_before(&provenance, at)?, self.state(&provenance, at)?);
            let change = match (&before, &after) {
                (None, Some(_)) => Change::Opened,
                (_, None) => Change::Removed,
                (Some(before), Some(after)) => {
                    Change::Files(Box::new(self.files_changed(gate, at, before, after)?))
                }
            };
            let link = self.history.commit(at).link;
            first_link = Some(first_link.map_or(link, |first: u32| first.min(link)));
            happenings.push(self.happening(at, view, change)?);
        }
        if let Some(link) = first_link.filter(|link| !self.is_made_up(*link)) {
            let at = self.history.chain_at(link).unwrap_or_default();
            happenings.push(self.happening(at, view, Change::Recorded)?);
        }
        Ok(happenings)
    }

    /// The directory before a commit: as the first of its parents that had it.
    fn state_before(&self, provenance: &Provenance, at: Index) -> Result<Option<Rc<State>>, Undecided> {
        for parent in &self.history.commit(at).parents {
            if let Some(state) = self.state(provenance, *parent)? {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    fn files_changed(
        &self,
        gate: &GateName,
        at: Index,
        before: &State,
        after: &State,
    ) -> Result<FilesChanged, Undecided> {
        let commit = self.history.commit(at);
        let mut old = None;
        for parent in &commit.parents {
            if old.is_none() {
                old = self.request_at(gate, self.history.commit(*parent).tree)?;
            }
        }
        let new = self.request_at(gate, commit.tree)?;
        let (was, is) = (listed(old.as_deref()), listed(new.as_deref()));
        let mut changed = FilesChanged::default();
        let mut paths = differing(Some(before), Some(after));
        for entry in is.difference(&was) {
            changed.attached.push(entry.clone());
        }
        for entry in was.difference(&is) {
            changed.detached.push(entry.clone());
        }
        for entry in is.intersection(&was) {
            if paths.contains(&entry.1) {
                changed.replaced.push(entry.clone());
            }
        }
        paths.retain(|path| !was.union(&is).any(|(_, file)| file == path));
        let artifacts = |request: Option<&GateRequest>| -> BTreeMap<ArtifactName, String> {
            let listed = request.into_iter().flat_map(|request| &request.artifacts);
            listed.map(|(name, artifact)| (name.clone(), artifact.digest.to_string())).collect()
        };
        let (had, has) = (artifacts(old.as_deref()), artifacts(new.as_deref()));
        changed.artifacts.extend(
            has.iter().filter(|(name, digest)| had.get(*name) != Some(digest)).map(|(name, _)| name.clone()),
        );
        changed.artifacts.extend(had.keys().filter(|name| !has.contains_key(*name)).cloned());
        changed.files = paths;
        Ok(changed)
    }

    fn happening(&self, at: Index, view: View, change: Change) -> Result<Happening, Undecided> {
        let commit = self.history.commit(at);
        let signer = self.signer(at, view.step)?;
        Ok(Happening {
            order: at,
            commit: commit.id,
            defect: signer.counting().err(),
            principal: signer.owner,
            signed_at: commit.date,
            recorded_at: self.recorded_at(commit.id, view),
            change,
        })
    }
}

/// The reports that a request lists.
fn listed(request: Option<&GateRequest>) -> BTreeSet<(Name, String)> {
    let entries = request.into_iter().flat_map(|request| &request.evidence);
    entries.map(|entry| (entry.kind.clone(), entry.file.clone())).collect()
}

/// The paths whose bytes differ.
fn differing(before: Option<&State>, after: Option<&State>) -> Vec<String> {
    let files = |state: Option<&State>| -> BTreeMap<String, ObjectId> {
        let files = state.into_iter().flat_map(|state| &state.files);
        files.map(|(path, file)| (path.to_string(), file.blob)).collect()
    };
    let (before, after) = (files(before), files(after));
    let mut paths: Vec<String> = after
        .iter()
        .filter(|(path, blob)| before.get(*path) != Some(blob))
        .chain(before.iter().filter(|(path, _)| !after.contains_key(*path)))
        .map(|(path, _)| path.clone())
        .collect();
    paths.sort();
    paths
}
