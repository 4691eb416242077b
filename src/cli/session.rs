//! A repository opened to be judged: one snapshot, its history read once, and the answers that it gives.
//!
//! The commands that print ask here, and nowhere else: so all of them have the same answer.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;

use crate::git::{Preview, Repository};
use crate::insight::{
    Brief, GateDirectory, GateLine, Judge, Judgement, LoggedRecord, Moment, Origin, Question,
};
use crate::ledger::{self, Branches, Ledger, Snapshot, Undecided, mark, snapshot};
use crate::model::{GateName, Name, ObjectId, Principal};
use crate::policy::Policy;
use crate::verdict::{DecisionShown, EvidenceFact, Notice, PolicyInForce, Standing};

use super::{Context, Failure};
use refused::{conflict, not_on_mainline};

mod apart;
mod audit;
mod deployments;
mod glance;
mod health;
mod measuring;
mod opening;
mod refused;
mod reporting;

pub(crate) use apart::Apart;
pub(crate) use opening::{Opening, View};
pub(crate) use reporting::{SystemAsked, SystemRead};

/// An open repository, its history and the policy in force.
#[derive(Debug)]
pub(crate) struct Session {
    repository: Rc<Repository>,
    snapshot: Snapshot,
    /// Not dropped by itself: freeing a history piece by piece, at the end of the process, takes longer than the process
    /// has left. Who opens many says [`Session::close`].
    ledger: ManuallyDrop<Box<Ledger>>,
    view: ledger::View,
    log: Option<ObjectId>,
    /// Whether `--time` named the time of judging.
    named_time: bool,
    /// Whether the shared branches are judged as they are, so that what was seen of them before must still be there.
    follows: bool,
    policy: Arc<Policy>,
    /// Why the mainline does not follow the one seen before, where that is told.
    rewound: Option<Undecided>,
    /// Where the logs end, once that was asked for all of them at once.
    logs: OnceCell<Arc<BTreeMap<Name, ObjectId>>>,
}

impl Session {
    /// Opens the repository of `context`.
    pub(crate) fn open(context: &Context, opening: &Opening) -> Result<Self, Failure> {
        Self::opened(context, opening, false)
    }

    /// With `glance`, no more of the index is read than the answer needs.
    fn opened(context: &Context, opening: &Opening, glance: bool) -> Result<Self, Failure> {
        let _busy = context.busy("reading the history");
        let repository = Repository::discover(&context.directory)?;
        let mut repository = Rc::new(match (context.no_index, glance) {
            (true, _) => repository.without_index(),
            (false, true) => repository.glancing(),
            (false, false) => repository,
        });
        repository.refuse_cut_history()?;
        if opening.many {
            repository.expect_many();
        }
        let branches = match opening.view {
            View::Recorded => Branches::Shared,
            View::Local | View::Merged(_) | View::MergedPolicy(_) | View::MergedLog(_) => {
                Branches::LocalWhereAhead
            }
        };
        let mut snapshot = snapshot(&repository, context.root, branches)?;
        context.detail(&format!(
            "mainline {} at {}, trust root {} from {}",
            snapshot.mainline_ref,
            snapshot.tip,
            snapshot.root,
            snapshot.root_from.as_str()
        ));
        let time = opening.time.unwrap_or(context.now);
        let mut tip = snapshot.tip;
        let mut preview = false;
        if let Some(name) = opening.view.branch()
            && let Some(branch) = snapshot.branch_to_show(&repository, &name)?
        {
            match repository.preview_merge(tip, branch, time)? {
                Preview::NothingNew => {}
                Preview::Conflict(paths) => return Err(conflict(&name, &paths)),
                Preview::Merged { repository: merged, commit } => {
                    repository = Rc::from(merged);
                    tip = commit;
                    preview = true;
                    snapshot.notices.push(Notice {
                        code: "as-if-merged",
                        message: format!("judged as if `{name}` were merged now"),
                    });
                }
            }
        }
        let mut ledger = Ledger::open(Rc::clone(&repository), snapshot.root, tip, time, preview)?;
        if let Some(reason) = ledger.unfit_index() {
            context.say(&format!("the index was not used: {reason}; all was read, and it is written anew"));
        }
        if let Some(proposed) = &opening.proposed {
            ledger.propose(proposed.clone(), preview);
        }
        let ledger = ManuallyDrop::new(Box::new(ledger));
        let now = ledger.now();
        let follows = !preview && opening.view == View::Recorded;
        let mut rewound = None;
        if follows && opening.tell_rewound {
            rewound = mark::look(&repository, &ledger, now, &snapshot.mainline_ref)?;
        } else if follows {
            mark::follow(&repository, &ledger, now, &snapshot.mainline_ref)?;
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
            follows,
            policy,
            rewound,
            logs: OnceCell::new(),
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
                let environment = &question.environment;
                if self.follows {
                    let last = judge.last_word(environment, self.view)?;
                    let holds = |commit| judge.log_holds(environment, commit);
                    mark::follow_log(&self.repository, environment, last, holds)?;
                }
                judge.log_tip(environment)?
            }
            None => judge.log_then(&question.environment, self.view)?,
        };
        let judgement = judge.judge(question, self.view, log)?;
        // The answer is given: what cannot be kept is worked out again.
        let _kept = judge.keep_found();
        Ok(judgement)
    }

    /// The gates that stand on the mainline, and those whose branch holds more than it does.
    pub(crate) fn gates(&self) -> Result<(BTreeSet<GateName>, BTreeSet<GateName>), Failure> {
        let standing = self.ledger.gates(self.view)?.into_iter().collect();
        let mut unmerged = BTreeSet::new();
        for gate in self.snapshot.gate_branches(&self.repository)? {
            let tip = self.snapshot.branch_to_show(&self.repository, &gate.branch())?;
            if tip.is_some_and(|tip| !self.ledger.holds(tip)) {
                unmerged.insert(gate);
            }
        }
        Ok((standing, unmerged))
    }

    /// Several gates at a glance, each in the environments that it asks for, or the one of them that is asked about; what could not be judged says why.
    pub(crate) fn overview<'a>(
        &self,
        gates: impl IntoIterator<Item = &'a GateName>,
        only: Option<&Name>,
        unmerged: bool,
    ) -> Vec<GateLine> {
        let judge = self.judging();
        let line = |gate: &GateName| -> Result<GateLine, Failure> {
            let mut environments = self.environments(gate)?;
            environments.retain(|environment| only.is_none_or(|only| environment == only));
            Ok(judge.overview(gate, &environments, unmerged)?)
        };
        let mut lines = Vec::new();
        let mut system = None;
        for gate in gates {
            // Replays of one system's records share what they rest on; another system's rest on other gates.
            if system.replace(&gate.system).is_some_and(|before| *before != gate.system) {
                judge.forget_gates();
            }
            let found = line(gate);
            lines.push(found.unwrap_or_else(|failure| GateLine::unjudged(gate.clone(), failure.message)));
        }
        lines
    }

    /// The history of a gate, with the decisions as each of these questions judges them.
    pub(crate) fn history(&self, gate: &GateName, questions: Vec<Question>) -> Result<Vec<Moment>, Failure> {
        let judge = self.judging();
        Ok(judge.history(gate, &with_logs(&judge, questions)?, self.view)?)
    }

    /// The policy in force, to keep.
    pub(crate) fn policy_in_force(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// The same history and moment, with a policy in the place of the one in force.
    pub(crate) fn proposing(&self, policy: PolicyInForce) -> Self {
        let mut ledger = self.ledger.beside().open(Rc::clone(&self.repository));
        ledger.propose(policy, false);
        let view = ledger.now();
        let policy = ledger.policy(view).policy;
        Self {
            repository: Rc::clone(&self.repository),
            snapshot: self.snapshot.clone(),
            ledger: ManuallyDrop::new(Box::new(ledger)),
            view,
            log: None,
            follows: self.follows,
            named_time: self.named_time,
            policy,
            rewound: self.rewound.clone(),
            logs: self.logs.clone(),
        }
    }

    /// `policy.toml` of the policy in force, as it is written.
    pub(crate) fn policy_toml(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.ledger.policy_toml()?)
    }

    /// Lets go of the history: for who opens another.
    pub(crate) fn close(self) {
        drop(ManuallyDrop::into_inner(self.ledger));
    }

    /// The approver's brief, asked about these environments of one gate.
    pub(crate) fn brief(&self, gate: &GateName, questions: Vec<Question>) -> Result<Brief, Failure> {
        let judge = self.judging();
        Ok(judge.brief(gate, &with_logs(&judge, questions)?, self.view)?)
    }

    /// The gate's directory as it is judged.
    pub(crate) fn directory(&self, gate: &GateName) -> Result<Option<GateDirectory>, Failure> {
        Ok(self.ledger.gate_directory(gate, self.view)?)
    }

    /// All authors of the gate, those of its branch included where that is judged.
    pub(crate) fn authors(&self, gate: &GateName) -> Result<BTreeSet<Principal>, Failure> {
        Ok(self.ledger.gate_authors(gate, self.view)?)
    }

    /// The repository.
    pub(crate) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The environments that the gate's request names, in their order; where it cannot be read, those of the policy.
    pub(crate) fn environments(&self, gate: &GateName) -> Result<BTreeSet<Name>, Failure> {
        let requested = self.ledger.requested_environments(gate, self.view)?;
        Ok(requested.unwrap_or_else(|| self.policy.environments.keys().cloned().collect()))
    }

    /// Where a branch (without `refs/heads/`) stands, the local one where it is ahead.
    pub(crate) fn branch_tip(&self, branch: &str) -> Result<Option<ObjectId>, Failure> {
        Ok(self.snapshot.branch_to_show(&self.repository, branch)?)
    }

    /// The tip of the mainline that was read, whatever was merged into it in thought.
    pub(crate) fn mainline_tip(&self) -> ObjectId {
        self.snapshot.tip
    }

    /// The top tree that was judged.
    pub(crate) fn judged_tree(&self) -> Result<ObjectId, Failure> {
        Ok(self.repository.tree_of(self.ledger.mainline(self.view))?)
    }

    /// Whether it reads a merge that was not made.
    pub(crate) fn is_as_if_merged(&self) -> bool {
        self.ledger.mainline(self.ledger.now()) != self.snapshot.tip
    }

    /// A record of any deployment log.
    pub(crate) fn record(&self, commit: ObjectId) -> Result<Option<LoggedRecord>, Failure> {
        let judge = self.judging();
        for environment in judge.logged_environments()? {
            let logged = judge.log(&environment, None, self.view)?;
            if let Some(found) = logged.into_iter().find(|logged| logged.record.commit == commit) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The reports of a gate that the mainline holds; none where it holds no gate that can be read.
    pub(crate) fn evidence(&self, gate: &GateName) -> Result<Vec<EvidenceFact>, Failure> {
        match self.ledger.standing(gate, self.view, None, &self.policy)? {
            Standing::Recorded(content) => Ok(content.evidence),
            Standing::OnBranch(_) | Standing::Absent | Standing::Removed(_) | Standing::BeforeRoot => {
                Ok(Vec::new())
            }
        }
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

    /// Who judges what it holds.
    pub(crate) fn judging(&self) -> Judge<'_> {
        Judge::of_logs(&self.repository, &self.snapshot, &self.ledger, self.logs.get().cloned())
    }
}

/// Each question with where the log of its environment ends.
fn with_logs(
    judge: &Judge<'_>,
    questions: Vec<Question>,
) -> Result<Vec<(Question, Option<ObjectId>)>, Undecided> {
    let with_log = |question: Question| {
        let log = judge.log_tip(&question.environment)?;
        Ok((question, log))
    };
    questions.into_iter().map(with_log).collect()
}
