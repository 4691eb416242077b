//! The deployment log of one environment: a chain of signed records.
//!
//! Each record names what was judged by its last parent, and the record before it by its first. A record counts when a
//! deployer signed it and it is in chain; what it claims is never believed. A log that lacks what the mainline already
//! holds, or a mainline that lacks what the log was judged at, has been rewound (design, section 10). Only the records
//! that are asked for are verified.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::{Action, ClaimedBasis, Deploy, Target};
use crate::model::{
    ArtifactDigest, ArtifactName, ContentDigest, GateName, Name, ObjectId, Principal, Time, limits,
};

use super::shape::Shape;
use super::signing::Signed;
use super::{Ledger, Undecided, View};

/// The log of one environment as it was walked, oldest first: what each commit says, nothing judged.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
    ids: BTreeSet<ObjectId>,
}

/// One log commit as walked.
#[derive(Debug, Clone)]
struct Entry {
    id: ObjectId,
    before: Option<ObjectId>,
    judged: Option<ObjectId>,
    /// The link of the chain that was judged; nothing: it is not on the chain.
    judged_link: Option<u32>,
    date: Time,
    /// What it says; nothing where it is no record of this environment.
    says: Option<Says>,
}

#[derive(Debug, Clone)]
enum Says {
    Deployed(GateName, Box<Deploy>),
    Failed(ObjectId),
}

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
    pub artifacts: BTreeMap<ArtifactName, ArtifactDigest>,
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
}

struct Deployer {
    owner: Option<Principal>,
    role: bool,
    defect: Option<String>,
}

impl Log {
    /// Whether a log commit is in it.
    pub fn holds(&self, commit: ObjectId) -> bool {
        self.ids.contains(&commit)
    }

    fn up_to(&self, last: Option<ObjectId>) -> &[Entry] {
        let end = last
            .and_then(|last| self.entries.iter().position(|entry| entry.id == last))
            .map_or(0, |at| at + 1);
        self.entries.get(..end).unwrap_or_default()
    }
}

impl Deployer {
    /// Whether a deployer's key signed it, also one that was revoked since.
    fn is_deployer(&self) -> bool {
        self.owner.is_some() && self.role
    }
}

impl Ledger {
    /// Walks the log of `environment` back from its commit `tip`.
    pub fn read_log(&self, environment: &Name, tip: Option<ObjectId>) -> Result<Log, Undecided> {
        let mut log = Log::default();
        let mut next = tip;
        while let Some(id) = next {
            if self.history.link_of(id).is_some() || !log.ids.insert(id) {
                break;
            }
            let entry = self.entry(environment, id)?;
            next = entry.before;
            log.entries.push(entry);
        }
        log.entries.reverse();
        Ok(log)
    }

    /// The records that are asked for, oldest first, forks of the log behind them.
    pub fn records(&self, log: &Log, asked: Asked<'_>, view: View) -> Result<Vec<Record>, Undecided> {
        let entries = log.up_to(asked.last);
        let mut records: Vec<Record> = Vec::new();
        let mut newest: Option<ObjectId> = None;
        for (at, entry) in entries.iter().enumerate() {
            match &entry.says {
                Some(Says::Deployed(gate, deploy)) => {
                    newest = Some(entry.id);
                    if asked.system.is_none_or(|system| gate.system == *system) {
                        let before = entries.get(..at).unwrap_or_default();
                        records.push(self.record(asked.environment, entry, gate, deploy, before, view)?);
                    }
                }
                Some(Says::Failed(failed)) if newest == Some(*failed) => {
                    if let Some(record) = records.iter_mut().rev().find(|record| record.commit == *failed)
                        && self.deployer(asked.environment, entry, view)?.defect.is_none()
                    {
                        record.failed = true;
                    }
                }
                Some(Says::Failed(_)) | None => {}
            }
        }
        if asked.whole {
            self.refuse_rewound_mainline(asked.environment, entries, view)?;
        }
        records.extend(self.forks(log, asked, view)?);
        Ok(records)
    }

    /// The last record judged at or before a view's mainline commit and not after its time.
    pub fn log_at(&self, environment: &Name, log: &Log, view: View) -> Result<Option<ObjectId>, Undecided> {
        for entry in log.entries.iter().rev() {
            let then =
                entry.date <= view.time && entry.judged.is_some_and(|judged| self.is_on_chain(judged, view));
            if then
                && matches!(entry.says, Some(Says::Deployed(..)))
                && self.deployer(environment, entry, view)?.defect.is_none()
            {
                return Ok(Some(entry.id));
            }
        }
        Ok(None)
    }

    fn entry(&self, environment: &Name, id: ObjectId) -> Result<Entry, Undecided> {
        let signed = self.signing.signed(id)?;
        let decision = Shape::of_message(&signed.message).decision;
        let (before, judged) = match signed.parents.as_slice() {
            [] => (None, None),
            [only] if self.history.link_of(*only).is_some() || self.is_first_record(&signed) => {
                (None, Some(*only))
            }
            [only] => (Some(*only), None),
            [before, .., judged] => (Some(*before), Some(*judged)),
        };
        let says = decision.and_then(|decision| match (decision.target, decision.action) {
            (Target::Gate(gate), Action::Deploy(deploy)) if deploy.environment == *environment => {
                Some(Says::Deployed(gate, Box::new(deploy)))
            }
            (_, Action::DeployFailed { environment: named, record }) if named == *environment => {
                Some(Says::Failed(record))
            }
            (_, _) => None,
        });
        let judged_link = judged.and_then(|judged| self.history.link_of(judged));
        Ok(Entry { id, before, judged, judged_link, date: signed.date, says })
    }

    /// A record with one parent is the first of its log, also where the mainline it was judged at is not ours.
    fn is_first_record(&self, signed: &Signed) -> bool {
        let says_log = |message: &str| {
            let verb = Shape::of_message(message).decision.map(|decision| decision.action);
            matches!(verb, Some(Action::Deploy(_) | Action::DeployFailed { .. }))
        };
        let parent_is_log = signed
            .parents
            .first()
            .is_some_and(|parent| self.signing.signed(*parent).is_ok_and(|parent| says_log(&parent.message)));
        says_log(&signed.message) && !parent_is_log
    }

    fn record(
        &self,
        environment: &Name,
        entry: &Entry,
        gate: &GateName,
        deploy: &Deploy,
        before: &[Entry],
        view: View,
    ) -> Result<Record, Undecided> {
        let signer = self.deployer(environment, entry, view)?;
        let chain = self.out_of_chain(environment, entry, before, deploy.restart.is_some(), view)?;
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
            defect: signer.defect.or(chain),
            failed: false,
        })
    }

    /// Who signed a record, under the policy in force at the commit that it judged.
    fn deployer(&self, environment: &Name, entry: &Entry, view: View) -> Result<Deployer, Undecided> {
        let signed = self.signing.signed(entry.id)?;
        let policy = &self.chronicle.epoch_at(entry.judged_link.unwrap_or(view.link)).policy;
        let mut signer = signed.signer(policy, &[signed.date]);
        let recorded = self
            .history
            .find(entry.id)
            .and_then(|at| self.chronicle.recording_step(self.history.commit(at).link, self.now().step));
        self.revocations.apply(&signed, recorded, &mut signer);
        let allowed = policy.environments.get(environment).map(|known| &known.deployers);
        let holds = |role: &Name| signer.owner.as_ref().is_some_and(|owner| policy.holds(owner, role));
        let role = allowed.is_some_and(|roles| roles.iter().any(holds));
        let fit = allowed.is_some_and(|roles| !signer.roles(policy).is_disjoint(roles));
        let tree =
            entry.judged.and_then(|judged| self.history.find(judged)).map(|at| self.history.commit(at).tree);
        let defect = match signer.counting() {
            Err((code, reason)) => Some(format!("{code}: {reason}")),
            Ok(_) if !fit => Some("not-in-role: its signer is no deployer of this environment".into()),
            Ok(_) if !signed.one_identity => Some("resigned: its author and committer lines differ".into()),
            Ok(_) if tree.is_some_and(|tree| tree != signed.tree) => {
                Some("changes-files: it has not the tree of the commit that it judged".into())
            }
            Ok(_) => None,
        };
        Ok(Deployer { owner: signer.owner, role, defect })
    }

    /// Why a record is out of chain, if it is: its judged commit is that of the record before it or a later one of the
    /// chain, and it is dated before neither. Only records that count come before it; those that it follows anyway need not
    /// be verified for that.
    fn out_of_chain(
        &self,
        environment: &Name,
        entry: &Entry,
        before: &[Entry],
        restart: bool,
        view: View,
    ) -> Result<Option<String>, Undecided> {
        let Some(judged) = entry.judged else { return Ok(Some("it names no commit that was judged".into())) };
        let Some(link) = entry.judged_link else {
            let reason =
                format!("the commit that it judged, {judged}, is not on the mainline since the trust root");
            return Ok(Some(reason));
        };
        if entry.date < self.commit_at_link(link).date {
            return Ok(Some("it is dated before the commit that it judged".into()));
        }
        if entry.date.seconds_since(self.time.max(view.time)) > limits::CLOCK_SKEW_SECONDS {
            return Ok(Some("it is dated in the future".into()));
        }
        let is_record = |earlier: &&Entry| matches!(earlier.says, Some(Says::Deployed(..)));
        for earlier in before.iter().rev().filter(is_record) {
            let older_commit = earlier.judged_link.is_some_and(|earlier| earlier > link) && !restart;
            if !older_commit && entry.date >= earlier.date {
                continue;
            }
            if earlier.judged_link.is_some() && self.deployer(environment, earlier, view)?.defect.is_none() {
                let reason = if older_commit {
                    "it judged an older mainline commit than a record before it"
                } else {
                    "it is dated before a record before it"
                };
                return Ok(Some(reason.into()));
            }
        }
        Ok(None)
    }

    /// A record by a deployer whose judged commit the mainline lacks: somebody rewound it, or it was not fetched.
    fn refuse_rewound_mainline(
        &self,
        environment: &Name,
        entries: &[Entry],
        view: View,
    ) -> Result<(), Undecided> {
        for entry in entries.iter().rev() {
            let Some(Says::Deployed(_, deploy)) = &entry.says else { continue };
            let judged = entry.judged.unwrap_or(entry.id);
            let before_root = self.history.find(judged).is_some_and(|at| self.history.commit(at).link == 0);
            if !before_root
                && !self.is_on_chain(judged, view)
                && self.deployer(environment, entry, view)?.is_deployer()
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
            // Whoever may not deploy restarts nothing.
            if deploy.restart.is_some() && self.deployer(environment, entry, view)?.defect.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Records by deployers that the mainline holds and this log does not.
    fn forks(&self, log: &Log, asked: Asked<'_>, view: View) -> Result<Vec<Record>, Undecided> {
        let mut forks = Vec::new();
        for at in &self.log_commits {
            let commit = self.history.commit(*at);
            if commit.link > view.link || log.ids.contains(&commit.id) {
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
