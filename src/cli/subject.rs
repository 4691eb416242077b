//! What of its target a decision is about, and the directory that its `Gate-Content` is the digest of.
//!
//! An exception and each cover beside it are directories of their own, accepted one by one; `covers/` is no part of the
//! exception (design, section 10).

use std::collections::BTreeMap;

use crate::decision::Target;
use crate::git::Repository;
use crate::model::ObjectId;

use super::Failure;
use super::gate_files::GateFiles;

/// What of its target a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The gate, or the policy.
    Target,
    /// The gate's exception.
    Exception,
    /// The gate's cover of a record.
    Cover(ObjectId),
}

impl Subject {
    /// The directory that is decided on.
    pub(super) fn directory(self, target: &Target) -> String {
        match (target, self) {
            (Target::Policy, _) => "policy".to_owned(),
            (Target::Gate(gate), Self::Target) => gate.directory(),
            (Target::Gate(gate), Self::Exception) => gate.exception_directory(),
            (Target::Gate(gate), Self::Cover(record)) => {
                format!("{}/covers/{record}", gate.exception_directory())
            }
        }
    }

    /// Reads it as it stands in `commit`; nothing where it does not.
    pub(super) fn read(
        self,
        repository: &Repository,
        commit: ObjectId,
        target: &Target,
    ) -> anyhow::Result<Option<GateFiles>> {
        let skipped = match self {
            Self::Exception => Some("covers"),
            Self::Target | Self::Cover(_) => None,
        };
        GateFiles::read_without(repository, commit, &self.directory(target), skipped)
    }

    /// What its reader has before them besides the policy: an exception is accepted for the gate as it stands.
    pub(super) fn named(
        self,
        repository: &Repository,
        commit: ObjectId,
        target: &Target,
        files: &GateFiles,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let mut named = files.named(&self.directory(target));
        match (self, target) {
            (Self::Exception | Self::Cover(_), Target::Gate(gate)) => {
                let beside = GateFiles::read(repository, commit, &gate.directory())?.unwrap_or_default();
                named.extend(beside.named(&gate.directory()));
            }
            (Self::Target, _) | (_, Target::Policy) => {}
        }
        Ok(named)
    }

    /// Why there is nothing to decide on.
    pub(super) fn not_there(self, target: &Target) -> Failure {
        match (self, target) {
            (Self::Target, _) | (_, Target::Policy) => {
                Failure::new("gate-unknown", format!("there is no `{target}` to decide on"))
                    .help("which are there: `git branch -a --list '*gate/*'`")
            }
            (Self::Exception, Target::Gate(gate)) => {
                Failure::new("exception-unknown", format!("`{gate}` has no exception to accept"))
                    .help(format!("write one: `git gate except {gate}`"))
            }
            (Self::Cover(record), Target::Gate(gate)) => {
                let message = format!("`{gate}` has no cover of {} to accept", record.short());
                Failure::new("exception-unknown", message)
                    .help(format!("write one: `git gate except {gate} --record {record}`"))
            }
        }
    }
}
