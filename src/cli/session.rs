//! A repository opened to be judged: one snapshot, its history read once, and the answers that it gives.
//!
//! The commands that print ask here, and nowhere else: so all of them have the same answer.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::git::{Preview, Repository};
use crate::insight::{Judge, Judgement, Origin, Question};
use crate::ledger::{Branches, Ledger, Snapshot, View as LedgerView, mark, snapshot};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::policy::Policy;
use crate::verdict::{DecisionShown, Notice, PolicyInForce, Standing};

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
    ledger: Ledger,
    view: LedgerView,
    log: Option<ObjectId>,
    policy: PolicyInForce,
}

impl Session {
    /// Opens the repository of `context`.
    pub(crate) fn open(context: &Context, opening: &Opening) -> Result<Self, Failure> {
        let repository = Repository::discover(&context.directory)?;
        let branches = match opening.view {
            View::Recorded => Branches::Shared,
            View::Merged(_) => Branches::LocalWhereAhead,
        };
        let mut snapshot = snapshot(&repository, context.root, branches)?;
        let time = opening.time.unwrap_or(context.now);
        let merged = match &opening.view {
            View::Recorded => None,
            View::Merged(gate) => merge(&repository, &mut snapshot, gate, time)?,
        };
        let preview = merged.is_some();
        let (repository, tip) = merged.unwrap_or((repository, snapshot.tip));
        let repository = Rc::new(repository);
        let ledger = Ledger::open(Rc::clone(&repository), snapshot.root, tip, time, preview)?;
        let now = ledger.now();
        if !preview {
            mark::follow(&repository, &ledger, now, &snapshot.mainline_ref)?;
        }
        if let Some(seen) = opening.seen
            && !ledger.is_on_chain(seen, now)
        {
            return Err(off_chain("--seen", seen));
        }
        let view = match opening.at {
            Some(at) => ledger.at(at, time).ok_or_else(|| off_chain("--at", at))?,
            None => now,
        };
        for (flag, given) in [
            ("--at", opening.at.map(|at| at.to_string())),
            ("--time", opening.time.map(|time| time.to_string())),
            ("--log", opening.log.map(|log| log.to_string())),
        ] {
            snapshot.relaxations.extend(given.map(|given| format!("{flag} {given}")));
        }
        let policy = ledger.policy(view);
        Ok(Self { repository, snapshot, ledger, view, log: opening.log, policy })
    }

    /// The one answer to one question.
    pub(crate) fn judge(&self, question: &Question) -> Result<Judgement, Failure> {
        let judge = self.judge_of_all();
        let log = match self.log {
            Some(log) if judge.log_holds(&question.environment, log)? => Some(log),
            Some(log) => {
                let message =
                    format!("{log} is no record of the deployment log of `{}`", question.environment);
                return Err(Failure::new("log-not-found", message));
            }
            None => judge.default_log(&question.environment, self.view)?,
        };
        Ok(judge.judge(question, self.view, log)?)
    }

    /// The environments that the gate's request names, in their order; where it cannot be read, those of the policy.
    pub(crate) fn environments(&self, gate: &GateName) -> Result<BTreeSet<Name>, Failure> {
        let standing = self.ledger.standing(gate, self.view, None, self.policy()?)?;
        if let Standing::Recorded(content) = standing
            && let Ok(request) = &content.request
        {
            return Ok(request.environments.clone());
        }
        Ok(self.policy()?.environments.keys().cloned().collect())
    }

    /// The policy in force.
    #[expect(clippy::unnecessary_wraps, reason = "the seam that its callers were written against")]
    pub(crate) fn policy(&self) -> Result<&Policy, Failure> {
        Ok(&self.policy.policy)
    }

    /// What judgements are made from.
    pub(crate) fn origin(&self) -> Result<Origin, Failure> {
        Ok(self.judge_of_all().origin(self.view, self.log)?)
    }

    /// The decisions on `Gate: policy` since the policy in force came into it, counted or not.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the seam before what fills it")]
    pub(crate) fn policy_decisions(&self) -> Result<Vec<DecisionShown>, Failure> {
        Ok(Vec::new())
    }

    fn judge_of_all(&self) -> Judge<'_> {
        Judge::new(&self.repository, &self.snapshot, &self.ledger)
    }
}

/// The mainline with the gate's branch merged, in memory; nothing where the branch brings nothing.
fn merge(
    repository: &Repository,
    snapshot: &mut Snapshot,
    gate: &GateName,
    time: Time,
) -> Result<Option<(Repository, ObjectId)>, Failure> {
    let Some(branch) = snapshot.gate_branch_to_show(repository, gate)? else { return Ok(None) };
    match repository.preview_merge(snapshot.tip, branch, time)? {
        Preview::NothingNew => Ok(None),
        Preview::Merged { repository, commit } => {
            snapshot.notices.push(Notice {
                code: "not-merged",
                message: format!(
                    "shown as if the branch `{}` were merged now, at {}",
                    gate.branch(),
                    branch.short()
                ),
            });
            Ok(Some((*repository, commit)))
        }
        Preview::Conflict(files) => {
            let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
            let message = format!("the branch `{}` does not merge: {}", gate.branch(), files.join(", "));
            Err(Failure::new("merge-conflict", message)
                .help("merge the mainline into the gate branch first, with a signed commit"))
        }
    }
}

fn off_chain(flag: &str, commit: ObjectId) -> Failure {
    Failure::new("not-on-mainline", format!("`{flag}` {commit} is not on the mainline's first-parent chain"))
        .help("see `git log --first-parent` of the mainline")
}
