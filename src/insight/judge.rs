//! The one evaluator: a question → a judgement.
//!
//! A verdict may rest on others: on the replay of a record that was logged before, on a required gate. Each of these is
//! judged once, in log order, and remembered. A replay uses the reader's root and today's revocations, never what the
//! record claims (design, section 10).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::evidence::Unreadable;
use crate::git::Repository;
use crate::ledger::{Ledger, Log, Record, Snapshot, Summary, Undecided, View};
use crate::model::{GateName, IncidentId, Name, ObjectId};
use crate::verdict::{
    self, Basis, DeployedFact, Facts, Given, Notice, Outcome, RecordFact, Replay, RequiredFact,
    RequirementId, Standing, Status, Verdict,
};

use super::measured::Rests;
use super::of_gate::{AlikeKey, OfGate};
use super::required::Reached;
use super::{Judgement, Origin, Originals, Question};

/// Judges questions against one ledger and one snapshot.
#[derive(Debug)]
pub struct Judge<'a> {
    pub(super) repository: &'a Repository,
    pub(super) snapshot: &'a Snapshot,
    pub(super) ledger: &'a Ledger,
    /// Where all logs end, where that was asked once.
    ends: Option<Arc<BTreeMap<Name, ObjectId>>>,
    logs: RefCell<BTreeMap<Name, TippedLog>>,
    /// What is remembered of logs; nothing: it is not to be used.
    pub(super) summaries: RefCell<BTreeMap<Name, Option<Rc<Summary>>>>,
    replays: RefCell<HashMap<(ObjectId, Name), Replay>>,
    pub(super) last_gate: RefCell<Option<Rc<OfGate>>>,
    /// Whether it is asked about many moments, and what was seen of gates then.
    pub(super) many_moments: Cell<bool>,
    pub(super) alike: RefCell<HashMap<AlikeKey, Rc<OfGate>>>,
    pub(super) required: RefCell<HashMap<RequiredKey, RequiredFact>>,
    pub(super) reached: RefCell<HashMap<(GateName, View), Reached>>,
    /// Records with their replays, by commit, as most who ask see them.
    pub(super) plain_records: RefCell<HashMap<ObjectId, Arc<RecordFact>>>,
    /// What the verdicts since it was last taken rest on.
    pub(super) rests: RefCell<Rests>,
}

/// A required gate, where, in which view, up to which log commit.
pub(super) type RequiredKey = (GateName, Name, View, Option<ObjectId>);

/// A log and where it ends.
type TippedLog = (Option<ObjectId>, Rc<Log>);

/// What one verdict is asked about: a question at a view.
pub(super) struct Case<'q> {
    pub(super) gate: &'q GateName,
    pub(super) environment: &'q Name,
    pub(super) given: Given,
    pub(super) view: View,
    /// The log commit up to which records are seen.
    pub(super) log: Option<ObjectId>,
    /// A rewound log or mainline is an error.
    pub(super) whole: bool,
}

impl<'a> Judge<'a> {
    /// A judge of what `ledger` holds; `snapshot` says where logs and gate branches stand.
    pub fn new(repository: &'a Repository, snapshot: &'a Snapshot, ledger: &'a Ledger) -> Self {
        Self::of_logs(repository, snapshot, ledger, None)
    }

    /// As [`Judge::new`], of logs that end where `ends` says, and no others; nothing: where they end when they are read.
    pub fn of_logs(
        repository: &'a Repository,
        snapshot: &'a Snapshot,
        ledger: &'a Ledger,
        ends: Option<Arc<BTreeMap<Name, ObjectId>>>,
    ) -> Self {
        Self {
            repository,
            snapshot,
            ledger,
            ends,
            logs: RefCell::default(),
            summaries: RefCell::default(),
            replays: RefCell::default(),
            last_gate: RefCell::default(),
            many_moments: Cell::default(),
            alike: RefCell::default(),
            required: RefCell::default(),
            reached: RefCell::default(),
            plain_records: RefCell::default(),
            rests: RefCell::default(),
        }
    }

    /// The tip of an environment's log as the snapshot has it.
    pub fn log_tip(&self, environment: &Name) -> Result<Option<ObjectId>, Undecided> {
        if let Some((tip, _)) = self.logs.borrow().get(environment) {
            return Ok(*tip);
        }
        match &self.ends {
            Some(ends) => Ok(ends.get(environment).copied()),
            None => self.snapshot.log(self.repository, environment),
        }
    }

    /// The log commit that a view of another commit or time sees by default: the last record judged by then.
    pub fn log_then(&self, environment: &Name, view: View) -> Result<Option<ObjectId>, Undecided> {
        self.ledger.log_at(environment, &self.log_of(environment)?.1, view)
    }

    /// Whether a commit is in an environment's log.
    pub fn log_holds(&self, environment: &Name, commit: ObjectId) -> Result<bool, Undecided> {
        if self.summary_of(environment)?.is_some_and(|summary| summary.holds(commit)) {
            return Ok(true);
        }
        Ok(self.log_of(environment)?.1.holds(commit))
    }

    /// Answers one question as of `view`, with the log up to `log`.
    pub fn judge(
        &self,
        question: &Question,
        view: View,
        log: Option<ObjectId>,
    ) -> Result<Judgement, Undecided> {
        let case = Case {
            gate: &question.gate,
            environment: &question.environment,
            given: question.given.clone(),
            view,
            log,
            whole: self.is_whole(question, view, log)?,
        };
        let mut facts = self.facts(&case)?;
        bring(&mut facts.standing, &question.originals);
        self.judgement_of(&facts, question, view, log)
    }

    /// Whether a question is about the present: then a log or mainline that was rewound is an error.
    pub(super) fn is_whole(
        &self,
        question: &Question,
        view: View,
        log: Option<ObjectId>,
    ) -> Result<bool, Undecided> {
        Ok(view == self.ledger.now() && log == self.log_tip(&question.environment)?)
    }

    /// The answer that facts give.
    pub(super) fn judgement_of(
        &self,
        facts: &Facts,
        question: &Question,
        view: View,
        log: Option<ObjectId>,
    ) -> Result<Judgement, Undecided> {
        let mut verdict = verdict::judge(facts);
        verdict.notices.extend(self.unrecorded(&question.gate)?);
        // Where the tip in use is a merge that was not made, all may be well with it and not with the mainline.
        let as_if_merged = self.ledger.mainline(self.ledger.now()) != self.snapshot.tip;
        let allowed = matches!(verdict.outcome, Outcome::Allowed(_));
        if view == self.ledger.now() && (as_if_merged || !allowed) {
            verdict.notices.extend(self.squash_notice(&question.gate)?);
        }
        Ok(Judgement { verdict, origin: self.origin(view, log)? })
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.ledger
    }

    /// What a judgement at `view` is made from.
    pub fn origin(&self, view: View, log: Option<ObjectId>) -> Result<Origin, Undecided> {
        let policy = self.ledger.policy_origin(view)?;
        let mut notices = self.snapshot.notices.clone();
        notices.extend(policy.pending_notice());
        notices.extend(self.ledger.notices(view)?);
        notices.extend(self.ledger.incident_notices(view)?);
        Ok(Origin {
            mainline_ref: self.snapshot.mainline_ref.clone(),
            mainline: self.ledger.mainline(view),
            step: self.ledger.step(view),
            log,
            root: self.snapshot.root,
            root_from: self.snapshot.root_from,
            time: view.time,
            policy,
            notices,
            relaxations: self.snapshot.relaxations.clone(),
        })
    }

    /// The environments that have a log.
    pub fn logged_environments(&self) -> Result<BTreeSet<Name>, Undecided> {
        match &self.ends {
            Some(ends) => Ok(ends.keys().cloned().collect()),
            None => Ok(self.snapshot.logs(self.repository)?.into_keys().collect()),
        }
    }

    pub(super) fn log_of(&self, environment: &Name) -> Result<TippedLog, Undecided> {
        if let Some((tip, log)) = self.logs.borrow().get(environment) {
            return Ok((*tip, Rc::clone(log)));
        }
        let tip = self.log_tip(environment)?;
        let log = self.ledger.log(environment, tip)?;
        self.logs.borrow_mut().insert(environment.clone(), (tip, Rc::clone(&log)));
        Ok((tip, log))
    }

    pub(super) fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Undecided> {
        Ok(self.evaluated(&self.facts(case)?))
    }

    /// What follows from facts. When a verdict of now turns, so does what rests on it.
    pub(super) fn evaluated(&self, facts: &Facts) -> Verdict {
        let verdict = verdict::judge(facts);
        if facts.time == self.ledger.now().time
            && let Some(turns) = verdict.turns
        {
            let mut rests = self.rests.borrow_mut();
            rests.turns = Some(rests.turns.map_or(turns, |earlier| earlier.min(turns)));
        }
        verdict
    }

    pub(super) fn facts(&self, case: &Case<'_>) -> Result<Facts, Undecided> {
        let Case { gate, environment, view, .. } = case;
        let incidents = self.ledger.incidents(gate, environment, *view)?;
        let opened: BTreeMap<IncidentId, ObjectId> =
            incidents.iter().map(|incident| (incident.id.clone(), incident.opened)).collect();
        let policy = self.ledger.policy(*view);
        let of_gate = self.of_gate(gate, *view, &opened, &policy)?;
        let records = self.records(case, &incidents)?;
        let deployed = match records.iter().rev().find(|record| is_running(record)) {
            Some(record) if policy.policy.compares() => self.deployed(record, case)?,
            Some(_) | None => None,
        };
        Ok(Facts {
            gate: (*gate).clone(),
            environment: (*environment).clone(),
            time: view.time,
            required: self.required(case, &of_gate.standing)?,
            decisions: of_gate.decisions.clone(),
            exception: of_gate.exception.clone(),
            given: case.given.clone(),
            policy,
            standing: of_gate.standing.clone(),
            incidents,
            records,
            deployed,
        })
    }

    /// Judges a record again: at its judged commit and time, with the log as it stood before it.
    pub(super) fn replay(&self, record: &Record, environment: &Name) -> Result<Replay, Undecided> {
        let key = (record.commit, environment.clone());
        if let Some(known) = self.replays.borrow().get(&key) {
            return Ok(known.clone());
        }
        let replay = match self.ledger.at(record.judged, record.time) {
            None => Replay::NotReplayable(
                "the commit that it judged is not on the mainline since the trust root".into(),
            ),
            Some(view) => self.replay_at(record, environment, view)?,
        };
        self.replays.borrow_mut().insert(key, replay.clone());
        Ok(replay)
    }

    fn replay_at(&self, record: &Record, environment: &Name, view: View) -> Result<Replay, Undecided> {
        Ok(self.replay_in_full(record, environment, view)?.0)
    }

    /// Judges a record again, with all that this rests on, and remembers what it gave.
    pub(super) fn replay_in_full(
        &self,
        record: &Record,
        environment: &Name,
        view: View,
    ) -> Result<(Replay, Facts, Verdict), Undecided> {
        let mut case = Case {
            gate: &record.gate,
            environment,
            given: Given::Artifacts(record.artifacts.clone()),
            view,
            log: record.before,
            whole: false,
        };
        let facts = self.facts(&case)?;
        let verdict = self.evaluated(&facts);
        let replay = match verdict.outcome {
            _ if verdict.content != Some(record.content) => {
                Replay::NotAllowed(BTreeSet::from([RequirementId::IntegrityContent]))
            }
            Outcome::Allowed(basis) => {
                let later = if self.ledger.has_later_withdrawals(&record.gate, view)? {
                    case.view.later_withdrawals = true;
                    Some(self.verdict(&case)?)
                } else {
                    None
                };
                let again = later.as_ref().unwrap_or(&verdict);
                let expires = again.exceptions.iter().filter(|exception| exception.in_force);
                // With today's withdrawals it may rest on an exception that it did not need then.
                let (basis, supports) = match again.outcome {
                    Outcome::Allowed(Basis::Exception) => (Basis::Exception, true),
                    Outcome::Allowed(Basis::Requirements) => (basis, true),
                    Outcome::Allowed(Basis::Rollback) | Outcome::Pending | Outcome::Blocked => (basis, false),
                };
                Replay::Allowed {
                    basis,
                    exception_expires: expires.filter_map(|exception| exception.expires).min(),
                    supports,
                }
            }
            Outcome::Pending | Outcome::Blocked => Replay::NotAllowed(unmet(&verdict)),
        };
        self.replays.borrow_mut().insert((record.commit, environment.clone()), replay.clone());
        Ok((replay, facts, verdict))
    }

    /// The reports of the version that a record deployed, read under the policy in force now.
    pub(super) fn deployed(
        &self,
        record: &RecordFact,
        case: &Case<'_>,
    ) -> Result<Option<DeployedFact>, Undecided> {
        let Some(view) = self.ledger.at(record.judged, record.time) else { return Ok(None) };
        let policy = self.ledger.policy(case.view).policy;
        let reports = self.ledger.reports_then(&record.gate, view, &policy)?;
        Ok(reports.map(|reports| DeployedFact { gate: record.gate.clone(), record: record.commit, reports }))
    }

    /// Rejections and closes on the gate's branch that nobody has recorded yet.
    pub(super) fn unrecorded(&self, gate: &GateName) -> Result<Vec<Notice>, Undecided> {
        let Some(tip) = self.snapshot.gate_branch(self.repository, gate)? else { return Ok(Vec::new()) };
        let (unrecorded, all) = self.ledger.unrecorded_rejections(gate, tip)?;
        let branch = gate.branch();
        let mut words: Vec<String> = unrecorded
            .into_iter()
            .map(|commit| {
                format!("the branch `{branch}` holds a rejection or close, {commit}, that the mainline has not recorded yet")
            })
            .collect();
        if !all {
            words.push(format!(
                "the branch `{branch}` holds too many commits that the mainline has not recorded: a rejection or close \
                 among them may not have been seen"
            ));
        }
        let notice = |message| Notice { code: "rejection-unrecorded", message };
        Ok(words.into_iter().map(notice).collect())
    }
}

/// Puts reports that the caller brought in place of the files that stand for them. Only what stands for one is replaced.
fn bring(standing: &mut Standing, originals: &Originals) {
    let Standing::Recorded(content) = standing else { return };
    for fact in &mut content.evidence {
        let stands_for_one = matches!(&fact.report, Some(Ok(report)) if report.external.is_some());
        if let Some(original) = originals.get(&(fact.kind.clone(), fact.file.clone()))
            && stands_for_one
        {
            fact.original_at_hand = true;
            fact.report = Some(original.clone().map_err(Unreadable::Invalid));
        }
    }
}

/// Whether a record says what runs: it counts, did not fail, and its own replay is allowed.
pub(super) fn is_running(record: &RecordFact) -> bool {
    record.defect.is_none() && !record.failed && matches!(record.replay, Replay::Allowed { .. })
}

/// The requirements that were neither met nor waived.
fn unmet(verdict: &Verdict) -> BTreeSet<RequirementId> {
    let open = verdict.requirements.iter().filter(|requirement| match requirement.status {
        Status::Met | Status::Waived => false,
        Status::Missing | Status::Stale | Status::Failed => true,
    });
    open.map(|requirement| requirement.id.clone()).collect()
}
