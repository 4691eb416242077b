//! A deployment log as an auditor reads it: everything that stands in it, and all that the mainline holds of it.
//!
//! What is an error for who asks about the present (a log that lacks a record, a mainline that lacks what was judged) is
//! here a record among others, with what is wrong with it: nothing is refused, and nothing is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::decision::Action;
use crate::model::{Code, Name, ObjectId, Time};

use super::history::About;
use super::records::Record;
use super::shape::Shape;
use super::walk::{Entry, Log, Says, Walked};
use super::{Ledger, Undecided, View};

/// Logs that were walked, by environment and end.
pub(super) type Logs = HashMap<(Name, Option<ObjectId>), Rc<Log>>;

/// The same as they were walked, for other threads.
pub(super) type WalkedLogs = HashMap<(Name, Option<ObjectId>), Arc<Walked>>;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the log.
    Log,
    /// On the mainline; the log goes another way.
    Fork,
    /// On the mainline; the log ends before it.
    Lacking,
    /// On the mainline only, and no deployer signed it.
    Stray,
}

/// A record with all that is wrong with it.
#[derive(Debug, Clone)]
pub struct AuditedRecord {
    /// What it says, judged as everywhere.
    pub record: Record,
    /// Where it stands.
    pub place: Place,
    /// Why its signature does not count, if it does not.
    pub unsigned: Option<(Code, String)>,
    /// Why it is out of chain, if it is.
    pub broken: Option<ChainBreak>,
    /// `Gate-Restart`: the log commit from before a rewind that somebody accepted.
    pub restart: Option<ObjectId>,
    /// When the mainline recorded it; nothing: it has not yet.
    pub recorded_at: Option<Time>,
    /// It judged a commit from before the trust root: it cannot be judged again.
    pub before_root: bool,
}

/// Everything that stands in a log, and what the mainline holds of it: records that are still to be judged, one by one.
#[derive(Debug, Default)]
pub struct LogOutline {
    /// The records, those of the log oldest first, then those that the mainline alone holds.
    pub records: Vec<Outlined>,
    /// How many words that a deployment failed count.
    pub failures: u64,
    /// Log commits that say that one failed and count for nothing, and why; the record that they name.
    pub idle_failures: Vec<(ObjectId, ObjectId, String)>,
    /// Commits that the log is made of and that are no records of this environment.
    pub foreign: Vec<ObjectId>,
    /// Words that a deployment failed which the mainline holds and the log lacks.
    pub lacking_failures: Vec<ObjectId>,
}

/// A record that is to be judged.
#[derive(Debug, Clone)]
pub struct Outlined {
    /// Of which system.
    pub system: Name,
    /// The log commit.
    pub commit: ObjectId,
    /// Where it stands.
    pub place: Place,
    /// Where among the commits of the log; of what the mainline alone holds, nothing.
    at: Option<usize>,
    /// A later record that counts says that it failed.
    failed: bool,
}

/// Why a record is out of chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainBreak {
    /// It names no commit that was judged.
    NamesNoCommit,
    /// The commit that it judged is not on the mainline.
    NotOnMainline(ObjectId),
    /// It is dated before the commit that it judged.
    BeforeItsCommit,
    /// It is dated later than it can be.
    Ahead,
    /// It judged an older commit than a record before it.
    OlderCommit,
    /// It is dated before a record before it.
    BeforeEarlierRecord,
}

impl fmt::Display for ChainBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamesNoCommit => f.write_str("it names no commit that was judged"),
            Self::NotOnMainline(judged) => {
                write!(f, "the commit that it judged, {judged}, is not on the mainline since the trust root")
            }
            Self::BeforeItsCommit => f.write_str("it is dated before the commit that it judged"),
            Self::Ahead => f.write_str("it is dated in the future, or after it was recorded"),
            Self::OlderCommit => f.write_str("it judged an older mainline commit than a record before it"),
            Self::BeforeEarlierRecord => f.write_str("it is dated before a record before it"),
        }
    }
}

impl Ledger {
    /// The log of `environment` from its commit `tip` back, walked once for all who ask.
    pub fn log(&self, environment: &Name, tip: Option<ObjectId>) -> Result<Rc<Log>, Undecided> {
        let key = (environment.clone(), tip);
        if let Some(known) = self.logs.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let log = match self.walked.get(&key) {
            Some(walked) => Rc::new(Log::of(Arc::clone(walked))),
            None => Rc::new(self.read_log(environment, tip)?),
        };
        self.logs.borrow_mut().insert(key, Rc::clone(&log));
        Ok(log)
    }

    /// The environments of which the mainline holds records, whatever logs there are.
    pub fn recorded_environments(&self) -> BTreeSet<Name> {
        let mut all = BTreeSet::new();
        for at in &self.history.logged() {
            let About::Log(Some(message)) = &self.history.commit(*at).about else { continue };
            let Some(decision) = Shape::of_message(message).decision else { continue };
            match &decision.action {
                Action::Deploy(deploy) => all.insert(deploy.environment.clone()),
                Action::DeployFailed { environment, .. } => all.insert(environment.clone()),
                Action::Approve { .. }
                | Action::Reject { .. }
                | Action::Withdraw
                | Action::Close
                | Action::AcceptRisk { .. } => false,
            };
        }
        all
    }

    /// `allowed_signers` of the policy under which a commit's signature is judged: of a log record the one in force at the
    /// commit that it `judged`, of a decision that of the step that recorded it.
    pub fn signers_then(
        &self,
        commit: ObjectId,
        judged: Option<ObjectId>,
    ) -> Result<Option<Vec<u8>>, Undecided> {
        let link = match judged {
            Some(judged) => self.history.link_of(judged),
            None => self
                .history
                .find(commit)
                .and_then(|at| self.chronicle.recording_step(self.history.commit(at).link, self.now().step)),
        };
        let Some(link) = link else { return Ok(None) };
        let blob = self.chronicle.epoch_at(link).directory().files.get("allowed_signers").copied();
        Ok(blob.map(|blob| self.trees.blob(blob)).transpose()?)
    }

    /// The whole of a log, with its records yet to be judged ([`Ledger::audited`]).
    pub fn outline(&self, environment: &Name, log: &Log, view: View) -> Result<LogOutline, Undecided> {
        let mut outline = LogOutline { foreign: log.foreign(), ..LogOutline::default() };
        let mut places: BTreeMap<ObjectId, usize> = BTreeMap::new();
        for (at, entry) in log.entries.iter().enumerate() {
            match &entry.says {
                Some(Says::Deployed(gate, _)) => {
                    places.insert(entry.id, outline.records.len());
                    outline.records.push(Outlined {
                        system: gate.system.clone(),
                        commit: entry.id,
                        place: Place::Log,
                        at: Some(at),
                        failed: false,
                    });
                }
                Some(Says::Failed(failed)) => {
                    let of = places.get(failed).and_then(|place| outline.records.get_mut(*place));
                    if self.failure_counts(environment, &log.entries, *failed, at, view)?
                        && let Some(of) = of
                    {
                        of.failed = true;
                        outline.failures += 1;
                        continue;
                    }
                    let reason = match self.deployer(environment, entry, view)?.defect {
                        Some((code, reason)) => format!("{code}: {reason}"),
                        None if !places.contains_key(failed) => "the log holds no such record".to_owned(),
                        None => "a later record counts: only the last can be said to have failed".to_owned(),
                    };
                    outline.idle_failures.push((entry.id, *failed, reason));
                }
                None => {}
            }
        }
        self.outline_mainline(environment, log, view, &mut outline)?;
        Ok(outline)
    }

    /// One record of an outline, with all that is wrong with it.
    pub fn audited(
        &self,
        environment: &Name,
        log: &Log,
        outlined: &Outlined,
        view: View,
    ) -> Result<Option<AuditedRecord>, Undecided> {
        let found = if let Some(at) = outlined.at {
            self.audited_record(environment, log, at, outlined.place, view)?
        } else {
            let own = self.read_log(environment, Some(outlined.commit))?;
            let Some(last) = own.entries.len().checked_sub(1) else { return Ok(None) };
            self.audited_record(environment, &own, last, outlined.place, view)?
        };
        Ok(found.map(|mut found| {
            found.record.failed = outlined.failed;
            found
        }))
    }

    /// What the mainline holds of an environment's log, and the log does not.
    fn outline_mainline(
        &self,
        environment: &Name,
        log: &Log,
        view: View,
        outline: &mut LogOutline,
    ) -> Result<(), Undecided> {
        let tip = log.entries.last().map(|entry| entry.id);
        for at in self.log_commits_of(environment)?.iter() {
            let commit = self.history.commit(*at).id;
            if log.ids.contains(&commit) || self.is_copy(log, commit)? {
                continue;
            }
            let own = self.read_log(environment, Some(commit))?;
            let Some(last) = own.entries.len().checked_sub(1) else { continue };
            let Some(entry) = own.entries.get(last) else { continue };
            let lacks = tip.is_none_or(|tip| own.ids.contains(&tip));
            let place = match (self.deployer(environment, entry, view)?.is_deployer(), lacks) {
                (false, _) => Place::Stray,
                (true, true) => Place::Lacking,
                (true, false) => Place::Fork,
            };
            match &entry.says {
                Some(Says::Deployed(gate, _)) => {
                    let system = gate.system.clone();
                    outline.records.push(Outlined { system, commit, place, at: None, failed: false });
                }
                Some(Says::Failed(_)) if place == Place::Lacking => outline.lacking_failures.push(commit),
                Some(Says::Failed(failed)) => {
                    let reason = "it is on the mainline, and the log goes another way".to_owned();
                    outline.idle_failures.push((commit, *failed, reason));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn audited_record(
        &self,
        environment: &Name,
        log: &Log,
        at: usize,
        place: Place,
        view: View,
    ) -> Result<Option<AuditedRecord>, Undecided> {
        let Some(entry) = log.entries.get(at) else { return Ok(None) };
        let Some(Says::Deployed(gate, deploy)) = &entry.says else { return Ok(None) };
        let before = log.entries.get(..at).unwrap_or_default();
        let mut record = self.record(environment, entry, gate, deploy, before, view)?;
        let before_root = entry.judged.is_some_and(|judged| self.is_before_root(judged));
        let (unsigned, broken) = if before_root {
            (None, None)
        } else {
            let unsigned = self.deployer(environment, entry, view)?.defect;
            (unsigned, self.out_of_chain(environment, entry, before, deploy.restart.is_some(), view)?)
        };
        if place == Place::Fork {
            record.out_of_chain = true;
            record.defect = Some("it forks the log".into());
        }
        Ok(Some(AuditedRecord {
            record,
            place,
            unsigned,
            broken,
            restart: deploy.restart,
            recorded_at: self.recorded_at(entry.id, view),
            before_root,
        }))
    }
}

impl Log {
    /// The commits on the way from its tip down, by what each names as the one before it, oldest first.
    pub fn spine(&self) -> Vec<ObjectId> {
        self.walk_down().into_iter().map(|entry| entry.id).collect()
    }

    fn walk_down(&self) -> Vec<&Entry> {
        let entries: BTreeMap<ObjectId, &Entry> =
            self.entries.iter().map(|entry| (entry.id, entry)).collect();
        let mut found = Vec::new();
        let mut next = self.entries.last();
        while let Some(entry) = next {
            found.push(entry);
            next = entry.before.and_then(|before| entries.get(&before)).copied();
        }
        found.reverse();
        found
    }

    /// Those of them that are no records of its environment.
    fn foreign(&self) -> Vec<ObjectId> {
        self.walk_down().into_iter().filter(|entry| entry.says.is_none()).map(|entry| entry.id).collect()
    }
}
