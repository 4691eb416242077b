//! The deployment log of one environment: a chain of signed records.
//!
//! Each record names what was judged by its last parent, and the record before it by its first. A record counts when a
//! deployer signed it and it is in chain; what it claims is never believed. A log that lacks what the mainline already
//! holds, or a mainline that lacks what the log was judged at, has been rewound (design, section 10).

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::{Action, ClaimedBasis};
use crate::model::{
    ArtifactDigest, ArtifactName, ContentDigest, GateName, Name, ObjectId, Principal, Time, limits,
};

use super::history::About;
use super::shape::Shape;
use super::signing::{Signed, Signer};
use super::{Ledger, Undecided, View};

/// The log of one environment up to one commit, oldest record first.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Its records; forks of it last.
    pub records: Vec<Record>,
}

/// One record, of any system.
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
    /// It says that the mainline was rewound before it.
    pub restart: bool,
}

/// A log commit as walked, before its place in the chain is judged.
struct Walked {
    id: ObjectId,
    before: Option<ObjectId>,
    judged: Option<ObjectId>,
}

impl Ledger {
    /// The log of `environment` up to its commit `tip`. With `whole`, a log or mainline that was rewound is an error: so
    /// for the present; a replay of an earlier log is not whole.
    pub fn log(
        &self,
        environment: &Name,
        tip: Option<ObjectId>,
        view: View,
        whole: bool,
    ) -> Result<Log, Undecided> {
        let mut walked = self.walk(tip)?;
        walked.reverse();
        let mut log = Log::default();
        for commit in &walked {
            self.append(environment, commit, view, &mut log)?;
        }
        if whole {
            refuse_rewound_mainline(&log, self, view)?;
        }
        let ids: BTreeSet<ObjectId> = walked.iter().map(|commit| commit.id).collect();
        self.forks(environment, tip, &ids, view, whole, &mut log)?;
        Ok(log)
    }

    /// The last record judged at or before a view's mainline commit and not after its time.
    pub fn log_at(
        &self,
        environment: &Name,
        tip: Option<ObjectId>,
        view: View,
    ) -> Result<Option<ObjectId>, Undecided> {
        let log = self.log(environment, tip, self.now(), false)?;
        let then = log.records.iter().rev().find(|record| {
            record.defect.is_none() && record.time <= view.time && self.is_on_chain(record.judged, view)
        });
        Ok(then.map(|record| record.commit))
    }

    /// Whether a log commit is in the log with that tip.
    pub fn log_holds(&self, tip: Option<ObjectId>, commit: ObjectId) -> Result<bool, Undecided> {
        Ok(self.walk(tip)?.iter().any(|walked| walked.id == commit))
    }

    /// The log's commits, newest first.
    fn walk(&self, tip: Option<ObjectId>) -> Result<Vec<Walked>, Undecided> {
        let mut walked = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = tip;
        while let Some(id) = next {
            if self.history.link_of(id).is_some() || !seen.insert(id) {
                break;
            }
            let signed = self.signing.signed(id)?;
            let (before, judged) = match signed.parents.as_slice() {
                [] => (None, None),
                [only] if self.history.link_of(*only).is_some() || self.is_first_record(&signed) => {
                    (None, Some(*only))
                }
                [only] => (Some(*only), None),
                [before, .., judged] => (Some(*before), Some(*judged)),
            };
            walked.push(Walked { id, before, judged });
            next = before;
        }
        Ok(walked)
    }

    /// A record with one parent is the first of its log, also where the mainline it was judged at is not ours.
    fn is_first_record(&self, signed: &Signed) -> bool {
        let deploy = matches!(
            Shape::of_message(&signed.message).decision.map(|decision| decision.action),
            Some(Action::Deploy(_))
        );
        let parent_is_record = signed.parents.first().is_some_and(|parent| {
            self.signing.signed(*parent).is_ok_and(|parent| {
                matches!(
                    Shape::of_message(&parent.message).decision.map(|decision| decision.action),
                    Some(Action::Deploy(_) | Action::DeployFailed { .. })
                )
            })
        });
        deploy && !parent_is_record
    }

    fn append(
        &self,
        environment: &Name,
        walked: &Walked,
        view: View,
        log: &mut Log,
    ) -> Result<(), Undecided> {
        let signed = self.signing.signed(walked.id)?;
        let shape = Shape::of_message(&signed.message);
        let Some(decision) = shape.decision else { return Ok(()) };
        let signer = self.deployer(environment, &signed, walked, view)?;
        match decision.action {
            Action::Deploy(deploy) if deploy.environment == *environment => {
                let crate::decision::Target::Gate(gate) = decision.target else { return Ok(()) };
                let last = log.records.iter().rev().find(|record| record.defect.is_none());
                let restart = deploy.restart.is_some();
                let chain = self.out_of_chain(&signed, walked, view, last, restart);
                let by_deployer = signer.is_deployer();
                let defect = signer.defect.clone().or_else(|| chain.clone());
                log.records.push(Record {
                    commit: walked.id,
                    gate,
                    content: deploy.seen.content,
                    artifacts: deploy.artifacts,
                    claimed: deploy.basis,
                    judged: walked.judged.unwrap_or(walked.id),
                    before: walked.before,
                    time: signed.date,
                    principal: signer.owner,
                    defect,
                    by_deployer,
                    out_of_chain: chain.is_some(),
                    failed: false,
                    restart,
                });
            }
            Action::DeployFailed { environment: named, record } if named == *environment => {
                if signer.defect.is_none()
                    && let Some(last) = log.records.iter_mut().rev().find(|last| last.defect.is_none())
                    && last.commit == record
                {
                    last.failed = true;
                }
            }
            Action::Deploy(_)
            | Action::DeployFailed { .. }
            | Action::Approve { .. }
            | Action::Reject { .. }
            | Action::Withdraw
            | Action::Close
            | Action::AcceptRisk { .. } => {}
        }
        Ok(())
    }

    /// Who signed a record, under the policy in force at the commit that it judged.
    fn deployer(
        &self,
        environment: &Name,
        signed: &Signed,
        walked: &Walked,
        view: View,
    ) -> Result<Deployer, Undecided> {
        let judged = walked.judged.and_then(|judged| self.history.link_of(judged));
        let epoch = self.chronicle.epoch_at(judged.unwrap_or(view.link));
        let mut signer: Signer = signed.signer(&epoch.policy, &[signed.date]);
        let recorded = self
            .history
            .find(walked.id)
            .and_then(|at| self.chronicle.recording_step(self.history.commit(at).link, self.now().step));
        self.revocations.apply(signed, recorded, &mut signer);
        let allowed = epoch.policy.environments.get(environment).map(|known| &known.deployers);
        let holds = |role: &Name| signer.owner.as_ref().is_some_and(|owner| epoch.policy.holds(owner, role));
        let role = allowed.is_some_and(|roles| roles.iter().any(holds));
        let fit = allowed.is_some_and(|roles| !signer.roles(&epoch.policy).is_disjoint(roles));
        let tree =
            walked.judged.and_then(|judged| self.history.find(judged)).map(|at| self.history.commit(at).tree);
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

    /// Why a record is out of chain, if it is.
    fn out_of_chain(
        &self,
        signed: &Signed,
        walked: &Walked,
        view: View,
        last: Option<&Record>,
        restart: bool,
    ) -> Option<String> {
        let Some(judged) = walked.judged else { return Some("it names no commit that was judged".into()) };
        let Some(link) = self.history.link_of(judged) else {
            return Some(format!(
                "the commit that it judged, {judged}, is not on the mainline since the trust root"
            ));
        };
        if signed.date < self.commit_at_link(link).date {
            return Some("it is dated before the commit that it judged".into());
        }
        if signed.date.seconds_since(self.time.max(view.time)) > limits::CLOCK_SKEW_SECONDS {
            return Some("it is dated in the future".into());
        }
        let last = last?;
        let before = self.history.link_of(last.judged);
        if before.is_some_and(|before| before > link) && !restart {
            return Some("it judged an older mainline commit than the record before it".into());
        }
        (signed.date < last.time).then(|| "it is dated before the record before it".into())
    }

    /// Records that the mainline holds and this log does not.
    fn forks(
        &self,
        environment: &Name,
        tip: Option<ObjectId>,
        ids: &BTreeSet<ObjectId>,
        view: View,
        whole: bool,
        log: &mut Log,
    ) -> Result<(), Undecided> {
        for commit in self.history.up_to(view.link) {
            if !matches!(commit.about, About::Log(_)) || commit.link == 0 || ids.contains(&commit.id) {
                continue;
            }
            let mut own = Log::default();
            let chain = self.walk(Some(commit.id))?;
            let Some(walked) = chain.first() else { continue };
            self.append(environment, walked, view, &mut own)?;
            let Some(mut record) = own.records.pop().filter(|record| record.by_deployer) else { continue };
            let lacks = tip.is_none_or(|tip| chain.iter().any(|walked| walked.id == tip));
            if lacks && whole && record.defect.is_none() {
                return Err(Undecided::new(
                    "log-rewound",
                    format!(
                        "the log of `{environment}` lacks the record {}, which the mainline holds",
                        commit.id
                    ),
                    "fetch the log: `git fetch origin`; if somebody rewound it, push the record's commit back to \
                     `deployments/<environment>`",
                ));
            }
            if !lacks {
                record.out_of_chain = true;
                record.defect = Some("it forks the log".into());
                log.records.push(record);
            }
        }
        Ok(())
    }
}

struct Deployer {
    owner: Option<Principal>,
    role: bool,
    defect: Option<String>,
}

impl Deployer {
    /// Whether a deployer's key signed it, also one that was revoked since.
    fn is_deployer(&self) -> bool {
        self.owner.is_some() && self.role
    }
}

/// A record by a deployer whose judged commit the mainline lacks: somebody rewound it, or it was not fetched.
fn refuse_rewound_mainline(log: &Log, ledger: &Ledger, view: View) -> Result<(), Undecided> {
    let since_restart =
        log.records.iter().rposition(|record| record.restart && record.defect.is_none()).unwrap_or(0);
    for record in log.records.iter().skip(since_restart) {
        let known = ledger.history.find(record.judged).is_some_and(|at| ledger.history.commit(at).link == 0);
        if record.by_deployer && !known && !ledger.is_on_chain(record.judged, view) {
            return Err(Undecided::new(
                "mainline-rewound",
                format!(
                    "the log's record {} judged mainline commit {}, which is not on the first-parent chain of {}",
                    record.commit,
                    record.judged,
                    ledger.mainline(view)
                ),
                "fetch the mainline: `git fetch origin`; if it was rewound on purpose: `git gate trust --accept-rewind`",
            ));
        }
    }
    Ok(())
}
