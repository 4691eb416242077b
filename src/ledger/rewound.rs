//! What the log and the mainline hold of each other: a log or a mainline that was rewound, and forks of the log.
//!
//! Each keeps the other honest (design, section 10): a log that lacks what the mainline recorded, or a mainline that lacks
//! what the log was judged at, is not judged at all.

use std::rc::Rc;

use crate::model::{Name, ObjectId};

use super::history::Index;
use super::records::{Asked, Record};
use super::walk::{Entry, Log, Says};
use super::{Ledger, Undecided, View};

impl Ledger {
    /// A record by a deployer whose judged commit the mainline lacks: somebody rewound it, or it was not fetched.
    pub(super) fn refuse_rewound_mainline(
        &self,
        asked: Asked<'_>,
        entries: &[Entry],
        view: View,
    ) -> Result<(), Undecided> {
        let environment = asked.environment;
        for entry in entries.iter().rev() {
            // What the reader has accepted holds for what was logged by then.
            if asked.accepted == Some(entry.id) {
                break;
            }
            let Some(Says::Deployed(_, deploy)) = &entry.says else { continue };
            let judged = entry.judged.unwrap_or(entry.id);
            if !self.is_before_root(judged)
                && !self.is_on_chain(judged, view)
                && self.deployer(environment, entry, view)?.defect.is_none()
            {
                return Err(Undecided::new(
                    "mainline-rewound",
                    format!(
                        "the log's record {} judged mainline commit {judged}, which is not on the first-parent chain \
                         of {}",
                        entry.id,
                        self.mainline(view)
                    ),
                    "fetch the mainline: `git fetch origin`; if it was rewound on purpose: \
                     `git gate trust --accept-rewind`",
                ));
            }
            // Only a record that counts says that a rewind was accepted.
            if deploy.restart.is_some()
                && entry.judged_link.is_some()
                && self.deployer(environment, entry, view)?.defect.is_none()
            {
                break;
            }
        }
        Ok(())
    }

    /// Whether the log holds the same payload by the same key.
    pub(super) fn is_copy(&self, log: &Log, commit: ObjectId) -> Result<bool, Undecided> {
        let identity = self.signing.signed(commit)?.identity();
        for entry in log.entries.iter().filter(|entry| matches!(entry.says, Some(Says::Deployed(..)))) {
            let other = self.signing.signed(entry.id)?;
            if identity.is_some()
                && other.date == self.signing.signed(commit)?.date
                && other.identity() == identity
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The log commits that the mainline holds and that say something of an environment, worked out once.
    pub(super) fn log_commits_of(&self, environment: &Name) -> Result<Rc<Vec<Index>>, Undecided> {
        if let Some(known) = self.logs_by_environment.borrow().get(environment) {
            return Ok(Rc::clone(known));
        }
        let mut found = Vec::new();
        for at in &self.history.logged() {
            if self.entry(environment, self.history.commit(*at).id)?.says.is_some() {
                found.push(*at);
            }
        }
        let found = Rc::new(found);
        self.logs_by_environment.borrow_mut().insert(environment.clone(), Rc::clone(&found));
        Ok(found)
    }

    /// Log commits of the environment that the mainline holds and this log does not.
    pub(super) fn off_log<'l>(&self, log: &'l Log, environment: &Name) -> Result<&'l [Index], Undecided> {
        if let Some(known) = log.missing.get() {
            return Ok(known);
        }
        let mut missing = self.log_commits_of(environment)?.to_vec();
        missing.retain(|at| !log.ids.contains(&self.history.commit(*at).id));
        Ok(log.missing.get_or_init(|| missing))
    }

    /// Records by deployers that the mainline holds and this log does not.
    pub(super) fn forks(&self, log: &Log, asked: Asked<'_>, view: View) -> Result<Vec<Record>, Undecided> {
        let mut forks = Vec::new();
        for at in self.off_log(log, asked.environment)? {
            let commit = self.history.commit(*at);
            if commit.link > view.link {
                continue;
            }
            let entry = self.entry(asked.environment, commit.id)?;
            if !self.deployer(asked.environment, &entry, view)?.is_deployer()
                || self.is_copy(log, commit.id)?
            {
                continue;
            }
            let own = self.read_log(asked.environment, Some(commit.id))?;
            let Some((entry, before)) = own.entries.split_last() else { continue };
            let lacks = asked.last.is_none_or(|tip| own.ids.contains(&tip));
            let (gate, deploy) = match &entry.says {
                Some(Says::Deployed(gate, deploy)) => (gate, deploy),
                // Cutting off the word that a deployment failed would let it run again.
                Some(Says::Failed(_)) if lacks && asked.whole => {
                    if self.deployer(asked.environment, entry, view)?.defect.is_none() {
                        return Err(lacks_record(asked.environment, commit.id));
                    }
                    continue;
                }
                Some(Says::Failed(_)) | None => continue,
            };
            let mut record = self.record(asked.environment, entry, gate, deploy, before, view)?;
            if !record.by_deployer {
                continue;
            }
            if lacks && asked.whole && record.defect.is_none() {
                return Err(lacks_record(asked.environment, commit.id));
            }
            if !lacks && asked.system.is_none_or(|system| gate.system == *system) {
                record.out_of_chain = true;
                record.defect = Some("it forks the log".into());
                forks.push(record);
            }
        }
        Ok(forks)
    }
}

fn lacks_record(environment: &Name, record: ObjectId) -> Undecided {
    Undecided::new(
        "log-rewound",
        format!("the log of `{environment}` lacks the record {record}, which the mainline holds"),
        "fetch the log: `git fetch origin`; if somebody rewound it, push that commit back to \
         `deployments/<environment>`",
    )
}
