//! Exceptions and covers, as they stand and as they stood.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{ContentDigest, GateName, ObjectId, Principal};
use crate::request::{Exception, ExceptionKind};
use crate::verdict::{CoverMoment, DecisionFact, ExceptionFact};

use super::history::Index;
use super::provenance::Provenance;
use super::{Ledger, Undecided, View};

const FILE: &str = "exception.toml";

impl Ledger {
    /// The gate's exception in a view.
    pub(crate) fn exception(&self, gate: &GateName, view: View) -> Result<Option<ExceptionFact>, Undecided> {
        self.exception_fact(gate, None, view)
    }

    /// The moments at which a cover for `record` stood, each with the policy and decisions of then: at every step from which on
    /// it may be in force, since what it is judged from was another before. That is a change of it or of the gate, a decision on
    /// the gate, or another policy.
    pub(crate) fn covers(
        &self,
        gate: &GateName,
        record: ObjectId,
        view: View,
    ) -> Result<Vec<CoverMoment>, Undecided> {
        let provenance = self.exception_provenance(gate)?;
        let prefix = format!("covers/{record}/");
        let mut steps: BTreeSet<u32> = BTreeSet::new();
        let introduced = provenance.introduced_up_to(&self.history, view.step);
        for (_, _, at) in introduced.filter(|(path, _, _)| path.starts_with(&prefix)) {
            steps.extend(self.chronicle.recording_step(self.history.commit(at).link, view.step));
        }
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let files = self.provenance(&["gates", gate.system.as_str(), gate.version.as_str()])?;
        let places = self.decisions_on(gate);
        let places = places.iter().chain(&provenance.differing).chain(&files.differing);
        let links = places.map(|at| self.history.commit(*at).link);
        let policies = self.chronicle.epochs.iter().map(|epoch| epoch.link);
        for link in links.chain(policies) {
            steps.extend(self.chronicle.recording_step(link, view.step));
        }
        steps.insert(view.step);
        let mut moments = Vec::new();
        for step in steps {
            let then = View {
                link: step,
                step,
                time: self.recorded_at_link(step).min(view.time),
                later_withdrawals: false,
                under_policy_of_now: false,
            };
            let Some(exception) = self.exception_fact(gate, Some(record), then)? else { continue };
            let gate_authors = self.gate_authors(gate, then)?;
            moments.push(CoverMoment {
                exception,
                policy: Arc::clone(&self.policy(then).policy),
                time: then.time,
                decisions: self.decisions_then(gate, then, &gate_authors)?,
                gate_authors,
                gate_content: self.gate_content(gate, then)?,
            });
        }
        Ok(moments)
    }

    fn decisions_then(
        &self,
        gate: &GateName,
        view: View,
        authors: &BTreeSet<Principal>,
    ) -> Result<Vec<DecisionFact>, Undecided> {
        self.decisions(gate, view, &BTreeMap::new(), authors)
    }

    fn gate_content(&self, gate: &GateName, view: View) -> Result<Option<ContentDigest>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        let tree = self.commit_at_link(view.step).tree;
        Ok(self.trees.directory(tree, &path)?.and_then(|directory| directory.digest))
    }

    fn exception_provenance(&self, gate: &GateName) -> Result<std::rc::Rc<Provenance>, Undecided> {
        self.provenance(&["exceptions", gate.system.as_str(), gate.version.as_str()])
    }

    fn exception_fact(
        &self,
        gate: &GateName,
        record: Option<ObjectId>,
        view: View,
    ) -> Result<Option<ExceptionFact>, Undecided> {
        let covers = record.map(|record| record.to_string());
        let mut path = vec!["exceptions", gate.system.as_str(), gate.version.as_str()];
        let tree = self.commit_at_link(view.step).tree;
        let (directory, prefix) = match &covers {
            None => (self.trees.directory_without_covers(tree, &path)?, String::new()),
            Some(record) => {
                path.extend(["covers", record.as_str()]);
                (self.trees.directory(tree, &path)?, format!("covers/{record}/"))
            }
        };
        let Some(directory) = directory else { return Ok(None) };
        if directory.files.is_empty() && record.is_none() {
            // Only covers stand there.
            return Ok(None);
        }
        let provenance = self.exception_provenance(gate)?;
        let tip = self.history.chain_at(view.step).unwrap_or_default();
        let mine = |path: &str| match record {
            None => !path.starts_with("covers/"),
            Some(_) => path.starts_with(&prefix),
        };
        let mut last: Option<Index> = None;
        let mut defect = directory.defects.first().cloned();
        let mut since = None;
        if let Some(state) = &self.state(&provenance, tip)? {
            for (path, file) in state.files.iter().filter(|(path, _)| mine(path)) {
                last = last.max(file.sides.last().copied());
                // Its content is as old as the youngest of its files.
                since = since.max(self.since(&provenance, view, path, file.blob));
                if file.sides.iter().all(|side| self.history.commit(*side).link == 0) {
                    defect.get_or_insert("it stood before the trust root".into());
                }
            }
            let unsigned = self.unsigned_files(view, Some(state))?;
            if let Some(file) = unsigned.iter().find(|file| mine(&file.path)) {
                let reason =
                    format!("`{}` was last changed by {}: {}", file.path, file.commit.short(), file.reason);
                defect.get_or_insert(reason);
            }
        }
        let authors = self.exception_authors(&provenance, view, &mine)?;
        let exception = match directory.files.get(FILE) {
            None => Err(format!("there is no `{FILE}`")),
            Some(blob) => {
                let file = format!("{}/{prefix}{FILE}", gate.exception_directory());
                let used = if record.is_some() { ExceptionKind::Cover } else { ExceptionKind::Main };
                Exception::parse(&file, &self.trees.blob(*blob)?, gate, used)
                    .map_err(|problems| problems.to_string())
            }
        };
        let exception =
            if directory.defects.is_empty() { exception } else { Err(directory.defects.join("; ")) };
        Ok(Some(ExceptionFact {
            commit: last.map_or_else(|| self.step(view), |at| self.history.commit(at).id),
            content: directory.digest.unwrap_or(ContentDigest([0; 32])),
            exception,
            since: since.unwrap_or(view.time),
            authors,
            defect,
        }))
    }

    /// Who signed changes of the files that `mine` selects.
    fn exception_authors(
        &self,
        provenance: &Provenance,
        view: View,
        mine: &dyn Fn(&str) -> bool,
    ) -> Result<BTreeSet<Principal>, Undecided> {
        let mut authors = BTreeSet::new();
        for at in provenance.changed_up_to(&self.history, view.step) {
            if !provenance.changed_among(&self.trees, &self.history, at, mine)? {
                continue;
            }
            authors.extend(self.signer(at, view.step)?.owner);
        }
        Ok(authors)
    }
}
