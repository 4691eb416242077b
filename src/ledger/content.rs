//! What the mainline holds of a gate: its directory, its files' signers, its authors, its reports.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::evidence::{self, Report, Unreadable};
use crate::model::{ArtifactDigest, ArtifactName, GateName, Name, ObjectId, Principal, Time};
use crate::policy::Policy;
use crate::request::{EvidenceEntry, GateRequest};
use crate::verdict::{Content, EvidenceFact, Side, Standing, UnsignedFile};

use super::history::Index;
use super::provenance::{Provenance, State};
use super::trees::Directory;
use super::{Ledger, Undecided, View};

/// With how many files a report is read. Each is read for each report, so that their number bounds the work.
const MOST_COMPANIONS: usize = 32;

/// A request as read, or all that is wrong inside its directory.
pub(super) type ReadRequest = Result<Rc<GateRequest>, Vec<String>>;

/// Reports that read, by kind.
pub(crate) type ByKind = BTreeMap<Name, Vec<Arc<Report>>>;

/// The request file of a gate directory.
const REQUEST: &str = "gate.toml";

impl Ledger {
    /// How the gate stands in a view. `branch` is the tip of its branch, if there is one; reports are read as `reading` has
    /// it.
    pub(crate) fn standing(
        &self,
        gate: &GateName,
        view: View,
        branch: Option<ObjectId>,
        reading: &Policy,
    ) -> Result<Standing, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let provenance = self.provenance(&path)?;
        if self.stood_before_root(&provenance)? {
            return Ok(Standing::BeforeRoot);
        }
        let tip = self.history.chain_at(view.step).unwrap_or_default();
        let directory = self.trees.directory(self.history.commit(tip).tree, &path)?;
        match (directory, self.state(&provenance, tip)?.as_ref()) {
            (Some(directory), state) => {
                let content = self.content(gate, view, &provenance, &directory, state, reading)?;
                Ok(Standing::Recorded(Box::new(content)))
            }
            (None, _) => Ok(match (self.removed(&provenance, view)?, branch) {
                (Some(commit), _) => Standing::Removed(commit),
                (None, Some(branch)) => Standing::OnBranch(branch),
                (None, None) => Standing::Absent,
            }),
        }
    }

    /// The environments that the gate's request names in a view; nothing where it cannot be read.
    pub fn requested_environments(
        &self,
        gate: &GateName,
        view: View,
    ) -> Result<Option<BTreeSet<Name>>, Undecided> {
        Ok(self
            .request_at(gate, self.commit_at_link(view.step).tree)?
            .map(|request| request.environments.clone()))
    }

    /// The gates that the gate's request requires in a view; none where it cannot be read.
    pub(crate) fn requires(&self, gate: &GateName, view: View) -> Result<Vec<GateName>, Undecided> {
        let request = self.request_at(gate, self.commit_at_link(view.step).tree)?;
        Ok(request.map(|request| request.requires.iter().cloned().collect()).unwrap_or_default())
    }

    /// All authors of a gate up to a view: signers of changes, and whom the request names or ever named.
    pub(crate) fn gate_authors(&self, gate: &GateName, view: View) -> Result<BTreeSet<Principal>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let provenance = self.provenance(&path)?;
        let mut authors = BTreeSet::new();
        for at in provenance.changed_up_to(&self.history, view.step) {
            authors.extend(self.signer(at, view.step)?.owner);
        }
        for (name, blob, at) in provenance.introduced_up_to(&self.history, view.step) {
            // What nobody signed names nobody: else a stranger could make every approver an author.
            if name == REQUEST && self.signer(at, view.step)?.owner.is_some() {
                authors.extend(self.requested_by(gate, blob)?.iter().cloned());
            }
        }
        Ok(authors)
    }

    /// Whether the directory stood at the trust root or in its past.
    fn stood_before_root(&self, provenance: &Provenance) -> Result<bool, Undecided> {
        // Where it stands first, it is a change.
        for at in provenance.changed_up_to(&self.history, 0) {
            if self.state(provenance, at)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The mainline commit that removed the directory last, if one did.
    fn removed(&self, provenance: &Provenance, view: View) -> Result<Option<ObjectId>, Undecided> {
        for at in provenance.differing.iter().rev().copied() {
            let Some(link) = self.history.chain_link(at).filter(|link| (1..=view.step).contains(link)) else {
                continue;
            };
            let before = self.history.chain_at(link - 1).unwrap_or_default();
            if self.state(provenance, at)?.is_none() && self.state(provenance, before)?.is_some() {
                return Ok(Some(self.chain_commit(link)));
            }
        }
        Ok(None)
    }

    fn content(
        &self,
        gate: &GateName,
        view: View,
        provenance: &Provenance,
        directory: &Directory,
        state: Option<&Rc<State>>,
        reading: &Policy,
    ) -> Result<Content, Undecided> {
        let request = self.request(gate, directory)?;
        let mut evidence = Vec::new();
        if let Ok(request) = &request {
            let companions = self.companions(request, directory)?;
            for entry in &request.evidence {
                let beside = beside(&companions, entry);
                evidence
                    .push(self.evidence(gate, view, reading, provenance, directory, state, entry, &beside)?);
            }
        }
        Ok(Content {
            digest: directory.digest,
            request: request.map(|request| (*request).clone()),
            unsigned_files: self.unsigned_files(view, state)?,
            authors: self.gate_authors(gate, view)?,
            changed_by: provenance
                .changed_up_to(&self.history, view.step)
                .map(|at| self.history.commit(at).id)
                .collect(),
            evidence,
        })
    }

    fn request(&self, gate: &GateName, directory: &Directory) -> Result<ReadRequest, Undecided> {
        if !directory.defects.is_empty() {
            return Ok(Err(directory.defects.clone()));
        }
        let Some(blob) = directory.files.get(REQUEST) else {
            return Ok(Err(vec![format!("`{}/{REQUEST}` does not stand there", gate.directory())]));
        };
        let key = (gate.clone(), *blob);
        if let Some(known) = self.requests.borrow().get(&key) {
            return Ok(known.clone());
        }
        let file = format!("{}/{REQUEST}", gate.directory());
        let request = GateRequest::parse(&file, &self.trees.blob(*blob)?, gate)
            .map(Rc::new)
            .map_err(|problems| problems.0.iter().map(ToString::to_string).collect());
        self.requests.borrow_mut().insert(key, request.clone());
        Ok(request)
    }

    /// The files of a directory on none of whose sides the last change is signed so that it counts.
    pub(super) fn unsigned_files(
        &self,
        view: View,
        state: Option<&Rc<State>>,
    ) -> Result<Vec<UnsignedFile>, Undecided> {
        let mut unsigned = Vec::new();
        for (path, file) in state.iter().flat_map(|state| &state.files) {
            let mut first: Option<UnsignedFile> = None;
            let mut counted = false;
            for side in &file.sides {
                if let Err((code, reason)) = self.signer(*side, view.step)?.counting() {
                    let commit = self.history.commit(*side).id;
                    first.get_or_insert(UnsignedFile { path: path.to_string(), commit, code, reason });
                } else {
                    counted = true;
                }
            }
            unsigned.extend(first.filter(|_| !counted));
        }
        Ok(unsigned)
    }

    /// What a listed report says; nothing: it is not there.
    fn report(
        &self,
        policy: &Policy,
        directory: &Directory,
        entry: &EvidenceEntry,
        companions: &[&[u8]],
    ) -> Result<Option<Result<Arc<Report>, Unreadable>>, Undecided> {
        let kind = policy.evidence_kind(&entry.kind);
        Ok(match directory.files.get(&entry.file) {
            None => None,
            Some(_) if companions.len() > MOST_COMPANIONS => {
                let reason = format!(
                    "{} files of its kind are to be read with it, at most {MOST_COMPANIONS} can be",
                    companions.len()
                );
                Some(Err(Unreadable::Invalid(reason)))
            }
            Some(blob) => {
                let bytes = || self.trees.blob(*blob);
                Some(self.reports.read(*blob, entry.format, kind, companions, bytes)?)
            }
        })
    }

    /// The reports of a version as they stood in a view, by kind, read as `reading` has it; nothing where the mainline did not
    /// hold it.
    pub(crate) fn reports_then(
        &self,
        gate: &GateName,
        view: View,
        reading: &Policy,
    ) -> Result<Option<ByKind>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        if self.stood_before_root(&*self.provenance(&path)?)? {
            return Ok(None);
        }
        let Some(directory) = self.trees.directory(self.commit_at_link(view.step).tree, &path)? else {
            return Ok(None);
        };
        let mut reports = ByKind::new();
        if let Ok(request) = self.request(gate, &directory)? {
            let companions = self.companions(&request, &directory)?;
            for entry in &request.evidence {
                let report = self.report(reading, &directory, entry, &beside(&companions, entry))?;
                if let Some(Ok(report)) = report {
                    reports.entry(entry.kind.clone()).or_default().push(report);
                }
            }
        }
        Ok(Some(reports))
    }

    #[expect(clippy::too_many_arguments, reason = "all of them are the one directory, seen from its sides")]
    fn evidence(
        &self,
        gate: &GateName,
        view: View,
        policy: &Policy,
        provenance: &Provenance,
        directory: &Directory,
        state: Option<&Rc<State>>,
        entry: &EvidenceEntry,
        companions: &[&[u8]],
    ) -> Result<EvidenceFact, Undecided> {
        let report = self.report(policy, directory, entry, companions)?;
        let mut sides = Vec::new();
        let file = state.and_then(|state| state.files.get(entry.file.as_str()));
        for at in file.iter().flat_map(|file| &file.sides) {
            sides.push(self.side(gate, view, *at, &entry.kind, &entry.file)?);
        }
        let since = file.and_then(|file| self.since(provenance, view, &entry.file, file.blob));
        Ok(EvidenceFact {
            kind: entry.kind.clone(),
            file: entry.file.clone(),
            artifact: entry.artifact.clone(),
            report,
            original_at_hand: false,
            since,
            sides,
        })
    }

    /// The files of a request that reports of their kind are read with, each looked at once.
    fn companions<'r>(
        &self,
        request: &'r GateRequest,
        directory: &Directory,
    ) -> Result<Vec<(&'r EvidenceEntry, Vec<u8>)>, Undecided> {
        let mut companions = Vec::new();
        for entry in &request.evidence {
            let alone = request.evidence.iter().filter(|other| other.kind == entry.kind).count() < 2;
            if !alone && let Some(blob) = directory.files.get(&entry.file) {
                let bytes = self.trees.blob(*blob)?;
                if evidence::is_companion(&bytes) {
                    companions.push((entry, bytes));
                }
            }
        }
        Ok(companions)
    }

    /// From when the age of a content at a path counts: the earliest that it was recorded or dated.
    pub(super) fn since(
        &self,
        provenance: &Provenance,
        view: View,
        path: &str,
        blob: ObjectId,
    ) -> Option<Time> {
        let introduced = provenance.introduced.get(&(path.to_owned(), blob))?;
        let by_then = introduced.iter().filter(|at| self.history.commit(**at).link <= view.step);
        let moments = by_then.map(|at| {
            let commit = self.history.commit(*at);
            let (_, _, recorded) = self.recording(commit.link, view.step);
            recorded.min(commit.date)
        });
        moments.min()
    }

    fn side(
        &self,
        gate: &GateName,
        view: View,
        at: Index,
        kind: &Name,
        file: &str,
    ) -> Result<Side, Undecided> {
        let commit = self.history.commit(at);
        let (_, policy, _) = self.recording(commit.link, view.step);
        let signer = self.signer(at, view.step)?;
        let request = self.request_at(gate, commit.tree)?;
        let mut artifacts: BTreeMap<ArtifactName, ArtifactDigest> = BTreeMap::new();
        let mut artifact = None;
        if let Some(request) = request {
            artifacts
                .extend(request.artifacts.iter().map(|(name, listed)| (name.clone(), listed.digest.clone())));
            let entry = request.evidence.iter().find(|entry| entry.file == file && entry.kind == *kind);
            artifact = entry.and_then(|entry| entry.artifact.clone());
        }
        Ok(Side {
            commit: commit.id,
            signer: signer.counting().cloned(),
            roles: signer.roles(policy),
            artifacts,
            artifact,
        })
    }

    /// The request as it stood in some tree, where it reads.
    pub(super) fn request_at(
        &self,
        gate: &GateName,
        tree: ObjectId,
    ) -> Result<Option<Rc<GateRequest>>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let Some(directory) = self.trees.directory(tree, &path)? else { return Ok(None) };
        Ok(self.request(gate, &directory)?.ok())
    }

    /// Whom a `gate.toml` names, read once.
    fn requested_by(&self, gate: &GateName, blob: ObjectId) -> Result<Rc<Vec<Principal>>, Undecided> {
        if let Some(known) = self.requesters.borrow().get(&blob) {
            return Ok(Rc::clone(known));
        }
        let read = || Ok::<_, Undecided>(requested_by(&self.readable_blob(blob)?));
        // What reads as a request names the same people.
        let found = Rc::new(match self.requests.borrow().get(&(gate.clone(), blob)) {
            Some(Ok(request)) => {
                debug_assert_eq!(read()?.into_iter().collect::<BTreeSet<_>>(), request.requested_by);
                request.requested_by.iter().cloned().collect()
            }
            Some(Err(_)) | None => read()?,
        });
        self.requesters.borrow_mut().insert(blob, Rc::clone(&found));
        Ok(found)
    }

    /// The bytes of a blob; nothing of what is no blob or too large.
    pub(super) fn readable_blob(&self, id: ObjectId) -> Result<Vec<u8>, Undecided> {
        match self.trees.blob(id) {
            Ok(bytes) => Ok(bytes),
            Err(crate::git::GitError::OtherKind { .. } | crate::git::GitError::TooLarge { .. }) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whom a `gate.toml` names in `requested_by`, also one that does not parse as a request: what makes an author needs
/// less than what permits.
fn requested_by(bytes: &[u8]) -> Vec<Principal> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let names = table.get("requested_by").and_then(toml::Value::as_array);
    let names = names.into_iter().flatten().filter_map(toml::Value::as_str);
    names.filter_map(|name| name.parse().ok()).collect()
}

/// The companions of an entry's kind that are about what it is about, itself left out.
fn beside<'c>(companions: &'c [(&EvidenceEntry, Vec<u8>)], entry: &EvidenceEntry) -> Vec<&'c [u8]> {
    let of_it = companions.iter().filter(|(other, _)| {
        let about = other.artifact.is_none() || other.artifact == entry.artifact;
        other.kind == entry.kind && other.file != entry.file && about
    });
    of_it.map(|(_, bytes)| bytes.as_slice()).collect()
}
