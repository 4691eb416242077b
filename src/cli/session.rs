//! A repository opened to be judged: one snapshot, its history read once, and the answers that it gives.
//!
//! The commands that print ask here, and nowhere else: so all of them have the same answer.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::git::{Preview, Repository, raw};
use crate::insight::{Judge, Judgement, Origin, Question};
use crate::ledger::{self, Branches, Ledger, Snapshot, Squashed, Undecided, mark, snapshot};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::policy::Policy;
use crate::verdict::{DecisionShown, Notice};

use super::{Context, Failure};

/// Which state of the repository is judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    /// The branches that are read.
    pub(crate) view: View,
    /// `--at`: another mainline commit than the tip.
    pub(crate) at: Option<ObjectId>,
    /// `--time`: another time than now.
    pub(crate) time: Option<Time>,
    /// `--log`: another log commit than the default.
    pub(crate) log: Option<ObjectId>,
    /// `--seen`: a mainline commit that must be on the chain.
    pub(crate) seen: Option<ObjectId>,
}

/// The branches that are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum View {
    /// The mainline as the remote has it, where there is one (`check`).
    #[default]
    Recorded,
    /// As if this gate's branch were merged now, the local one where it is ahead, which is said (`ready`, `show`).
    Merged(GateName),
}

/// An open repository, its history and the policy in force.
#[derive(Debug)]
pub(crate) struct Session {
    repository: Rc<Repository>,
    snapshot: Snapshot,
    /// Never dropped: freeing a history piece by piece, at the end of the process, takes longer than the process has left.
    ledger: &'static Ledger,
    view: ledger::View,
    log: Option<ObjectId>,
    /// Whether `--time` named the time of judging.
    named_time: bool,
    policy: Arc<Policy>,
}

impl Session {
    /// Opens the repository of `context`.
    pub(crate) fn open(context: &Context, opening: &Opening) -> Result<Self, Failure> {
        let mut repository = Rc::new(Repository::discover(&context.directory)?);
        repository.refuse_cut_history()?;
        let branches = match opening.view {
            View::Recorded => Branches::Shared,
            View::Merged(_) => Branches::LocalWhereAhead,
        };
        let mut snapshot = snapshot(&repository, context.root, branches)?;
        let time = opening.time.unwrap_or(context.now);
        let mut tip = snapshot.tip;
        let mut preview = false;
        if let View::Merged(gate) = &opening.view
            && let Some(branch) = snapshot.gate_branch_to_show(&repository, gate)?
        {
            match repository.preview_merge(tip, branch, time)? {
                Preview::NothingNew => {}
                Preview::Conflict(paths) => return Err(conflict(gate, &paths)),
                Preview::Merged { repository: merged, commit } => {
                    repository = Rc::from(merged);
                    tip = commit;
                    preview = true;
                    snapshot.notices.push(Notice {
                        code: "as-if-merged",
                        message: format!("judged as if `{}` were merged now", gate.branch()),
                    });
                }
            }
        }
        let ledger: &'static Ledger =
            Box::leak(Box::new(Ledger::open(Rc::clone(&repository), snapshot.root, tip, time, preview)?));
        let now = ledger.now();
        if !preview && opening.view == View::Recorded {
            mark::follow(&repository, ledger, now, &snapshot.mainline_ref)?;
        }
        if let Some(seen) = opening.seen
            && !ledger.is_on_chain(seen, now)
        {
            return Err(not_on_mainline("--seen", seen, ledger.mainline(now)));
        }
        let view = match opening.at {
            None => now,
            Some(at) => {
                ledger.at(at, time).ok_or_else(|| not_on_mainline("--at", at, ledger.mainline(now)))?
            }
        };
        snapshot.relaxations.extend(opening.at.map(|at| format!("--at {at}")));
        snapshot.relaxations.extend(opening.time.map(|time| format!("--time {time}")));
        snapshot.relaxations.extend(opening.log.map(|log| format!("--log {log}")));
        let policy = ledger.policy(view).policy;
        Ok(Self {
            repository,
            snapshot,
            ledger,
            view,
            log: opening.log,
            named_time: opening.time.is_some(),
            policy,
        })
    }

    /// The one answer to one question.
    pub(crate) fn judge(&self, question: &Question) -> Result<Judgement, Failure> {
        let judge = self.judging();
        let log = match self.log {
            Some(log) if !judge.log_holds(&question.environment, log)? => {
                return Err(Undecided {
                    code: "log-not-found",
                    message: format!("{log} is not in the log of `{}`", question.environment),
                    help: format!(
                        "its records: `git log --first-parent deployments/{}`",
                        question.environment
                    ),
                }
                .into());
            }
            Some(log) => Some(log),
            None if self.view == self.ledger.now() && !self.named_time => {
                judge.log_tip(&question.environment)?
            }
            None => judge.log_then(&question.environment, self.view)?,
        };
        Ok(judge.judge(question, self.view, log)?)
    }

    /// The environments that the gate's request names, in their order; where it cannot be read, those of the policy.
    pub(crate) fn environments(&self, gate: &GateName) -> Result<BTreeSet<Name>, Failure> {
        let requested = self.ledger.requested_environments(gate, self.view)?;
        Ok(requested.unwrap_or_else(|| self.policy.environments.keys().cloned().collect()))
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What judgements are made from.
    pub(crate) fn origin(&self) -> Result<Origin, Failure> {
        Ok(self.judging().origin(self.view, None)?)
    }

    /// The decisions on `Gate: policy` since the policy in force came into it, counted or not.
    pub(crate) fn policy_decisions(&self) -> Result<Vec<DecisionShown>, Failure> {
        Ok(self.ledger.policy_decisions(self.view)?)
    }

    /// When the mainline's tip says that it was committed.
    pub(crate) fn tip_time(&self) -> Option<Time> {
        let bytes = self.repository.read_commit(self.snapshot.tip).ok()?;
        raw::parse(&bytes).ok().map(|commit| commit.committer_time())
    }

    /// Gates on the mainline whose commits are elsewhere: squashed or rebased by a forge.
    pub(crate) fn squashed(&self) -> Result<Vec<(GateName, Squashed)>, Failure> {
        let judge = self.judging();
        let mut found = Vec::new();
        for gate in self.ledger.gates(self.view)? {
            if let Some(squashed) = judge.squashed(&gate)? {
                found.push((gate, squashed));
            }
        }
        Ok(found)
    }

    fn judging(&self) -> Judge<'_> {
        Judge::new(&self.repository, &self.snapshot, self.ledger)
    }
}

fn conflict(gate: &GateName, paths: &[String]) -> Failure {
    Undecided {
        code: "merge-conflict",
        message: format!("`{}` and the mainline both changed {}", gate.branch(), paths.join(", ")),
        help: format!(
            "merge the mainline into the branch first: `git checkout {}; git merge main`",
            gate.branch()
        ),
    }
    .into()
}

fn not_on_mainline(flag: &str, commit: ObjectId, tip: ObjectId) -> Failure {
    Undecided {
        code: "not-on-mainline",
        message: format!(
            "`{flag}` {commit} is not on the first-parent chain of the mainline {tip} since the trust root"
        ),
        help: "fetch the mainline: `git fetch origin`; its commits: `git log --first-parent`".into(),
    }
    .into()
}
