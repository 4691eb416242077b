//! The deployment log of one environment: a chain of signed records.
//!
//! Each record names what was judged by its last parent, and the record before it by its first. A record counts when a
//! deployer signed it and it is in chain; what it claims is never believed. A log that lacks what the mainline already
//! holds, or a mainline that lacks what the log was judged at, has been rewound (design, section 10). Only the records
//! that are asked for are verified.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::decision::{ClaimedBasis, Deploy};
use crate::model::{
    ArtifactDigest, ArtifactName, Code, ContentDigest, GateName, Name, ObjectId, Principal, Time, limits,
};

use super::audited::ChainBreak;
use super::walk::{Entry, Log, Says};
use super::{Ledger, Undecided, View};

/// One record, judged.
#[derive(Debug, Clone)]
pub struct Record {
    /// The log commit.
    pub commit: ObjectId,
    /// What it says was deployed.
    pub gate: GateName,
    /// The content that it says was deployed.
    pub content: ContentDigest,
    /// The artifacts that it says were deployed.
    pub artifacts: Arc<BTreeMap<ArtifactName, ArtifactDigest>>,
    /// The basis that it claims.
    pub claimed: ClaimedBasis,
    /// The mainline commit that was judged.
    pub judged: ObjectId,
    /// The log commit before it.
    pub before: Option<ObjectId>,
    /// Its time.
    pub time: Time,
    /// Who logged it.
    pub principal: Option<Principal>,
    /// Why it counts for nothing; nothing: it counts.
    pub defect: Option<String>,
    /// Whether a deployer signed it.
    pub by_deployer: bool,
    /// Whether it is out of chain, or forks it.
    pub out_of_chain: bool,
    /// Whether a later record says that it failed.
    pub failed: bool,
}

/// Which records are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The environment.
    pub environment: &'a Name,
    /// The system; nothing: all.
    pub system: Option<&'a Name>,
    /// The log commit up to which; nothing: none.
    pub last: Option<ObjectId>,
    /// A log or a mainline that was rewound is an error: so for the present; a replay of an earlier log is not whole.
    pub whole: bool,
    /// Up to this log commit the reader has accepted that the mainline was rewound.
    pub accepted: Option<ObjectId>,
}

pub(super) struct Deployer {
    pub(super) owner: Option<Principal>,
    pub(super) role: bool,
    pub(super) defect: Option<(Code, String)>,
}

impl Deployer {
    /// Whether a deployer's key signed it, also one that was revoked since.
    pub(super) fn is_deployer(&self) -> bool {
        self.owner.is_some() && self.role
    }
}

impl Ledger {
    /// The records that are asked for, oldest first, forks of the log behind them.
    pub fn records(&self, log: &Log, asked: Asked<'_>, view: View) -> Result<Vec<Rc<Record>>, Undecided> {
        let entries = log.up_to(asked.last);
        let mut records: Vec<Rc<Record>> = Vec::new();
        for at in log.places_of(asked.system, entries.len()) {
            let Some(entry) = entries.get(at) else { continue };
            match &entry.says {
                Some(Says::Deployed(gate, deploy)) => {
                    let record = self.record_at(log, at, (entry, gate, deploy), asked.environment, view)?;
                    records.push(record);
                }
                Some(Says::Failed(failed)) => {
                    if let Some(record) = records.iter_mut().rev().find(|record| record.commit == *failed)
                        && self.failure_counts(asked.environment, entries, *failed, at, view)?
                    {
                        Rc::make_mut(record).failed = true;
                    }
                }
                None => {}
            }
        }
        let whole = Some((asked.last, view.link, asked.accepted));
        if asked.whole && log.unrewound.get() != whole {
            self.refuse_rewound_mainline(asked, entries, view)?;
            log.unrewound.set(whole);
        }
        records.extend(self.forks(log, asked, view)?.into_iter().map(Rc::new));
        Ok(records)
    }

    /// Whether the entry at `at`, which says that the record `failed` did, counts: a deployer signed it, and it is on the last
    /// record.
    pub(super) fn failure_counts(
        &self,
        environment: &Name,
        entries: &[Entry],
        failed: ObjectId,
        at: usize,
        view: View,
    ) -> Result<bool, Undecided> {
        let Some(entry) = entries.get(at) else { return Ok(false) };
        Ok(self.deployer(environment, entry, view)?.defect.is_none()
            && !self.counts_between(environment, entries, failed, at, view)?)
    }

    /// The record at a place of the log, judged once: nothing of it depends on the view but what one later than now may see
    /// (`is_dated_ahead`), or one that does not have the commit that it judged.
    fn record_at(
        &self,
        log: &Log,
        at: usize,
        (entry, gate, deploy): (&Entry, &GateName, &Deploy),
        environment: &Name,
        view: View,
    ) -> Result<Rc<Record>, Undecided> {
        let lasting = entry.judged_link.is_some() && view.time <= self.time;
        if lasting && let Some(known) = log.judged.borrow().get(&at) {
            return Ok(Rc::clone(known));
        }
        let before = log.entries.get(..at).unwrap_or_default();
        let record = Rc::new(self.record(environment, entry, gate, deploy, before, view)?);
        if lasting {
            log.judged.borrow_mut().insert(at, Rc::clone(&record));
        }
        Ok(record)
    }

    /// The last records that count, of that system or of any, the latest first, up to the first that `ends` them.
    pub fn last_records(
        &self,
        environment: &Name,
        log: &Log,
        system: Option<&Name>,
        view: View,
        ends: &dyn Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, Undecided> {
        let mut last = Vec::new();
        let mut failed = BTreeSet::new();
        for (at, entry) in log.entries.iter().enumerate().rev() {
            let (gate, deploy) = match &entry.says {
                Some(Says::Deployed(gate, deploy)) => (gate, deploy),
                Some(Says::Failed(record)) if self.deployer(environment, entry, view)?.defect.is_none() => {
                    failed.insert(*record);
                    continue;
                }
                Some(Says::Failed(_)) | None => continue,
            };
            if system.is_some_and(|system| gate.system != *system) {
                continue;
            }
            let before = log.entries.get(..at).unwrap_or_default();
            let mut record = self.record(environment, entry, gate, deploy, before, view)?;
            if record.defect.is_some() {
                continue;
            }
            record.failed = failed.contains(&record.commit);
            let ended = ends(&record);
            last.push(record);
            if ended {
                break;
            }
        }
        Ok(last)
    }

    /// The last commit of a log that says something and counts: a record, or the word that one failed.
    pub fn last_word(
        &self,
        environment: &Name,
        log: &Log,
        view: View,
    ) -> Result<Option<ObjectId>, Undecided> {
        for (at, entry) in log.entries.iter().enumerate().rev() {
            let counts = match &entry.says {
                Some(Says::Deployed(gate, deploy)) => {
                    let before = log.entries.get(..at).unwrap_or_default();
                    self.record(environment, entry, gate, deploy, before, view)?.defect.is_none()
                }
                Some(Says::Failed(_)) => self.deployer(environment, entry, view)?.defect.is_none(),
                None => false,
            };
            if counts {
                return Ok(Some(entry.id));
            }
        }
        Ok(None)
    }

    /// The latest date of a record that a deployer signed and that lies in the future of a view: either its clock is wrong, or
    /// that of the view.
    pub fn dated_ahead(&self, environment: &Name, log: &Log, view: View) -> Result<Option<Time>, Undecided> {
        let mut latest = None;
        for entry in &log.entries {
            if matches!(entry.says, Some(Says::Deployed(..)))
                && entry.date.seconds_since(view.time) > limits::CLOCK_SKEW_SECONDS
                && self.deployer(environment, entry, view)?.defect.is_none()
            {
                latest = latest.max(Some(entry.date));
            }
        }
        Ok(latest)
    }

    /// Whether a record that counts stands between the log commit `after` and the entry at `before`.
    fn counts_between(
        &self,
        environment: &Name,
        entries: &[Entry],
        after: ObjectId,
        before: usize,
        view: View,
    ) -> Result<bool, Undecided> {
        let earlier = entries.get(..before).unwrap_or_default().iter().enumerate().rev();
        for (at, entry) in earlier.take_while(|(_, entry)| entry.id != after) {
            let Some(Says::Deployed(_, deploy)) = &entry.says else { continue };
            let older = entries.get(..at).unwrap_or_default();
            if self.deployer(environment, entry, view)?.defect.is_none()
                && self.out_of_chain(environment, entry, older, deploy.restart.is_some(), view)?.is_none()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last log commit at or before a view's mainline commit and not after its time: a record, or that one failed.
    pub fn log_at(&self, environment: &Name, log: &Log, view: View) -> Result<Option<ObjectId>, Undecided> {
        let entries = log.entries.get(..log.end_of(view.time, view.link)).unwrap_or_default();
        for entry in entries.iter().rev() {
            let then =
                entry.date <= view.time && entry.judged.is_some_and(|judged| self.is_on_chain(judged, view));
            if then && entry.says.is_some() && self.deployer(environment, entry, view)?.defect.is_none() {
                return Ok(Some(entry.id));
            }
        }
        Ok(None)
    }

    pub(super) fn record(
        &self,
        environment: &Name,
        entry: &Entry,
        gate: &GateName,
        deploy: &Deploy,
        before: &[Entry],
        view: View,
    ) -> Result<Record, Undecided> {
        let signer = self.deployer(environment, entry, view)?;
        let before_root = entry.judged.is_some_and(|judged| self.is_before_root(judged));
        let chain = if before_root {
            None
        } else {
            self.out_of_chain(environment, entry, before, deploy.restart.is_some(), view)?
        };
        let signed = signer.defect.as_ref().map(|(code, reason)| format!("{code}: {reason}"));
        let unjudgeable = before_root.then(|| "it judged a commit from before the trust root".to_owned());
        Ok(Record {
            commit: entry.id,
            gate: gate.clone(),
            content: deploy.seen.content,
            artifacts: deploy.artifacts.clone(),
            claimed: deploy.basis,
            judged: entry.judged.unwrap_or(entry.id),
            before: entry.before,
            time: entry.date,
            by_deployer: signer.is_deployer(),
            principal: signer.owner,
            out_of_chain: chain.is_some(),
            defect: signed.or(chain.map(|broken| broken.to_string())).or(unjudgeable),
            failed: false,
        })
    }

    /// Who signed a record, under the policy in force at the commit that it judged.
    pub(super) fn deployer(
        &self,
        environment: &Name,
        entry: &Entry,
        view: View,
    ) -> Result<Deployer, Undecided> {
        let signed = self.signing.signed(entry.id)?;
        let policy = self.chronicle.epoch_at(entry.judged_link.unwrap_or(view.link)).policy();
        let mut signer = signed.signer(policy, &[signed.date]);
        let recorded = self.recorded(entry.id).map(|(step, _)| step);
        self.revocations.apply(&signed, recorded, &mut signer);
        let allowed = policy.environments.get(environment).map(|known| &known.deployers);
        let holds = |role: &Name| signer.owner.as_ref().is_some_and(|owner| policy.holds(owner, role));
        let role = allowed.is_some_and(|roles| roles.iter().any(holds));
        let fit = allowed.is_some_and(|roles| !signer.roles(policy).is_disjoint(roles));
        let tree =
            entry.judged.and_then(|judged| self.history.find(judged)).map(|at| self.history.commit(at).tree);
        let defect = match signer.counting() {
            Err(defect) => Some(defect),
            Ok(_) if !fit => Some((Code::NotInRole, "its signer is no deployer of this environment".into())),
            Ok(_) if !signed.one_identity => {
                Some((Code::Resigned, "its author and committer lines differ".into()))
            }
            Ok(_) if tree.is_some_and(|tree| tree != signed.tree) => {
                Some((Code::ChangesFiles, "it has not the tree of the commit that it judged".into()))
            }
            Ok(_) => None,
        };
        Ok(Deployer { owner: signer.owner, role, defect })
    }

    /// The step that recorded a log commit, and its time.
    fn recorded(&self, id: ObjectId) -> Option<(u32, Time)> {
        let at = self.history.find(id)?;
        let step = self.chronicle.recording_step(self.history.commit(at).link, self.now().step)?;
        Some((step, self.recorded_at_link(step)))
    }

    /// Why a record is out of chain, if it is: its judged commit is that of the record before it or a later one of the
    /// chain, and it is dated before neither. Only records that count come before it; those that it follows anyway need not
    /// be verified for that.
    pub(super) fn out_of_chain(
        &self,
        environment: &Name,
        entry: &Entry,
        before: &[Entry],
        restart: bool,
        view: View,
    ) -> Result<Option<ChainBreak>, Undecided> {
        let Some(judged) = entry.judged else { return Ok(Some(ChainBreak::NamesNoCommit)) };
        let Some(link) = entry.judged_link else {
            return Ok(Some(ChainBreak::NotOnMainline(judged)));
        };
        let judged_at = self.commit_at_link(link).date.min(self.recorded_at_link(link));
        if entry.date < judged_at {
            return Ok(Some(ChainBreak::BeforeItsCommit));
        }
        if self.is_dated_ahead(entry, view) {
            return Ok(Some(ChainBreak::Ahead));
        }
        // Most records follow all before them, whatever those are worth.
        let follows = |(latest_link, latest_date): (u32, Time)| {
            (latest_link <= link || restart) && latest_date <= entry.date
        };
        if entry.latest_before.is_none_or(follows) {
            return Ok(None);
        }
        let is_record = |earlier: &&Entry| matches!(earlier.says, Some(Says::Deployed(..)));
        for earlier in before.iter().rev().filter(is_record) {
            let older_commit = earlier.judged_link.is_some_and(|earlier| earlier > link) && !restart;
            if !older_commit && entry.date >= earlier.date {
                continue;
            }
            if earlier.judged_link.is_some()
                && !self.is_dated_ahead(earlier, view)
                && self.deployer(environment, earlier, view)?.defect.is_none()
            {
                let broken =
                    if older_commit { ChainBreak::OlderCommit } else { ChainBreak::BeforeEarlierRecord };
                return Ok(Some(broken));
            }
        }
        Ok(None)
    }

    /// Whether a log commit is dated later than it can be: than it was recorded, or, where nobody has recorded it, than now.
    pub(super) fn is_dated_ahead(&self, entry: &Entry, view: View) -> bool {
        let now = self.time.max(view.time);
        let known_by = self.recorded(entry.id).map_or(now, |(_, recorded)| recorded.min(now));
        entry.date.seconds_since(known_by) > limits::CLOCK_SKEW_SECONDS
    }

    /// Whether a commit is the past of the trust root, and not the root itself.
    pub(super) fn is_before_root(&self, commit: ObjectId) -> bool {
        let past = self.history.find(commit).is_some_and(|at| self.history.commit(at).link == 0);
        past && self.history.link_of(commit).is_none()
    }
}
