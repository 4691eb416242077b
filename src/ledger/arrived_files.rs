//! What a governed directory holds that a push changed: what is wrong with its files, and whether it may still change.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::model::{Code, GateName, Name, ObjectId, escape};
use crate::problem::Problem;
use crate::request::{Exception, ExceptionKind, GateRequest, Incident};

use super::arrivals::Governed;
use super::history::Index;
use super::trees::{Directory, Found};
use super::{Asked, Ledger, Log, Undecided, View};

/// What is wrong with a governed directory, or incident file, as it stands in one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Examined {
    /// What makes it invalid, path and reason.
    pub(crate) defects: Vec<String>,
    /// What is wrong in its TOML files.
    pub(crate) problems: Vec<Problem>,
}

impl Ledger {
    /// Examines what stands at `what` in the tree of `commit`.
    pub(crate) fn examine(&self, what: &Governed, commit: ObjectId) -> Result<Examined, Undecided> {
        let mut examined = Examined::default();
        let Some(tree) = self.history.find(commit).map(|at| self.history.commit(at).tree) else {
            return Ok(examined);
        };
        let path = what.path();
        let parts: Vec<&str> = path.split('/').collect();
        match what {
            // It comes into force by its approvals, or not at all.
            Governed::Policy => {}
            Governed::Unreadable(reason) => examined.defects.push(reason.clone()),
            Governed::Incident(_) => match self.trees.find(tree, &parts)? {
                Found::File(blob) => {
                    let bytes = self.readable_blob(blob)?;
                    // A slip makes no incident disappear: one that still names a version and an environment stands.
                    if Incident::salvage(&bytes, self.time).is_none()
                        && let Err(problems) = Incident::parse(&shown(&path, commit), &bytes)
                    {
                        examined.problems.extend(problems.0);
                    }
                }
                Found::Nothing => {}
                Found::Directory(_) => examined.defects.push(format!("`{path}` is a directory, not a file")),
                Found::Defective(reason) => examined.defects.push(reason),
            },
            Governed::Gate(gate) => {
                if let Some(directory) = self.trees.directory(tree, &parts)? {
                    self.examine_gate(gate, &directory, &shown(&path, commit), &mut examined)?;
                }
            }
            Governed::Exception(gate) => {
                if let Some(directory) = self.trees.directory(tree, &parts)? {
                    self.examine_exceptions(gate, &directory, &path, commit, &mut examined)?;
                }
            }
        }
        Ok(examined)
    }

    fn examine_gate(
        &self,
        gate: &GateName,
        directory: &Directory,
        shown: &str,
        examined: &mut Examined,
    ) -> Result<(), Undecided> {
        examined.defects.extend(directory.defects.iter().cloned());
        if !directory.defects.is_empty() {
            return Ok(());
        }
        let Some(blob) = directory.files.get("gate.toml") else {
            examined.defects.push("it holds no `gate.toml`".into());
            return Ok(());
        };
        let (directory, at) = shown.split_once('@').unwrap_or((shown, ""));
        let file = format!("{directory}/gate.toml@{at}");
        if let Err(problems) = GateRequest::parse(&file, &self.readable_blob(*blob)?, gate) {
            examined.problems.extend(problems.0);
        }
        Ok(())
    }

    /// An exception and each of its covers is a file of its own.
    fn examine_exceptions(
        &self,
        gate: &GateName,
        directory: &Directory,
        path: &str,
        commit: ObjectId,
        examined: &mut Examined,
    ) -> Result<(), Undecided> {
        examined.defects.extend(directory.defects.iter().cloned());
        if !directory.defects.is_empty() {
            return Ok(());
        }
        for (name, blob) in &directory.files {
            let kind = match name.split('/').collect::<Vec<_>>().as_slice() {
                ["exception.toml"] => ExceptionKind::Main,
                ["covers", record, "exception.toml"] if record.parse::<ObjectId>().is_ok() => {
                    ExceptionKind::Cover
                }
                _ => continue,
            };
            let file = shown(&format!("{path}/{name}"), commit);
            if let Err(problems) = Exception::parse(&file, &self.readable_blob(*blob)?, gate, kind) {
                examined.problems.extend(problems.0);
            }
        }
        Ok(())
    }

    /// The files there on none of whose sides the last change is signed so that it counts, as the mainline has them.
    pub(crate) fn unsigned_there(
        &self,
        what: &Governed,
        view: View,
    ) -> Result<Vec<(String, ObjectId, Code, String)>, Undecided> {
        let (Governed::Gate(_) | Governed::Exception(_)) = what else { return Ok(Vec::new()) };
        let path = what.path();
        let provenance = self.provenance(&path.split('/').collect::<Vec<_>>())?;
        let tip = self.history.find(self.mainline(view)).unwrap_or_default();
        let state = provenance.state(&self.trees, &self.history, tip)?;
        let unsigned = self.unsigned_files(view, state.as_ref())?;
        Ok(unsigned
            .into_iter()
            .map(|file| (format!("{path}/{}", file.path), file.commit, file.code, file.reason))
            .collect())
    }

    /// The commits among `places` whose change of an incident file that still stands is not seen.
    pub(crate) fn unseen_incidents_among(
        &self,
        places: &[Index],
        view: View,
    ) -> Result<Vec<(String, ObjectId)>, Undecided> {
        let tree = self.commit_at_link(view.link).tree;
        let among: BTreeSet<&Index> = places.iter().collect();
        let mut found = Vec::new();
        for (id, at) in self.unseen_incident_changes(view)? {
            let name = format!("{id}.toml");
            let stands = self.trees.find(tree, &["incidents", &name])? != Found::Nothing;
            if among.contains(&at) && stands {
                found.push((format!("incidents/{name}"), self.id_at(at)));
            }
        }
        Ok(found)
    }

    /// The closes of a gate that are known to this history and take effect, each with the directory that it closed.
    pub(crate) fn closed_by(&self, gate: &GateName) -> Result<Vec<(ObjectId, Option<ObjectId>)>, Undecided> {
        let view = self.now();
        let authors = self.gate_authors(gate, view)?;
        let mut closed = Vec::new();
        for fact in self.decisions(gate, view, &BTreeMap::new(), &authors)? {
            if fact.verb == Some(Verb::Close) && fact.restricts {
                closed.push((fact.commit, self.gate_object(gate, fact.commit)?));
            }
        }
        Ok(closed)
    }

    /// The records of a gate's deployments that count and did not fail, each with the directory that it deployed.
    pub(crate) fn deployed_by(
        &self,
        gate: &GateName,
        environment: &Name,
        log: &Log,
        tip: ObjectId,
        view: View,
    ) -> Result<Vec<(ObjectId, Option<ObjectId>)>, Undecided> {
        let asked =
            Asked { environment, system: Some(&gate.system), last: Some(tip), whole: false, accepted: None };
        let mut deployed = Vec::new();
        for record in self.records(log, asked, view)? {
            if record.gate == *gate && record.defect.is_none() && !record.failed {
                deployed.push((record.commit, self.gate_object(gate, record.judged)?));
            }
        }
        Ok(deployed)
    }

    /// The object that stands at a gate's directory in a commit of this history.
    pub(crate) fn gate_object(
        &self,
        gate: &GateName,
        commit: ObjectId,
    ) -> Result<Option<ObjectId>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        self.object_there(commit, &path)
    }

    /// The object that stands at `policy/` in a commit of this history.
    pub(crate) fn policy_object(&self, commit: ObjectId) -> Result<Option<ObjectId>, Undecided> {
        self.object_there(commit, &["policy"])
    }

    /// Whether `policy/` in a commit is a policy that is or was in force.
    pub(crate) fn holds_policy_in_force(&self, commit: ObjectId, view: View) -> Result<bool, Undecided> {
        let Some(at) = self.history.find(commit) else { return Ok(false) };
        let directory = self.trees.directory(self.history.commit(at).tree, &["policy"])?;
        let digest = directory.and_then(|directory| directory.digest);
        Ok(digest.is_some_and(|digest| self.chronicle.was_in_force(digest, view.link)))
    }

    fn object_there(&self, commit: ObjectId, path: &[&str]) -> Result<Option<ObjectId>, Undecided> {
        let Some(at) = self.history.find(commit) else { return Ok(None) };
        Ok(match self.trees.find(self.history.commit(at).tree, path)? {
            Found::Directory(id) | Found::File(id) => Some(id),
            Found::Nothing | Found::Defective(_) => None,
        })
    }
}

/// A path as people know it, with the commit that it is read from.
fn shown(path: &str, commit: ObjectId) -> String {
    escape(&format!("{path}@{}", commit.short()))
}
