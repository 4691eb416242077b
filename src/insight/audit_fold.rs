//! Reads the logs and judges every record again: the audit as a value.
//!
//! The replays are those of the one evaluator. Records are taken in log order, so that each is judged once and what later
//! ones rest on is there. Nothing is refused: what ends other commands with status 3 is a violation here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ledger::{AuditedRecord, LogOutline, Place, Undecided, View};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::verdict::{self, EvidenceFact, Facts, Replay, Standing, Verdict};

use super::audit::{
    Attested, Audit, DecisionSeen, Deployment, EvidenceSeen, Population, Scope, Then, Violation,
};
use super::audit_codes::ViolationCode;
use super::audit_findings::Findings;
use super::judge::Judge;

/// Who is shown each deployment, with what is wrong with it, and may let go of what is kept elsewhere.
pub type Seen<'s, E> = &'s mut dyn FnMut(&mut Deployment, &[Violation]) -> Result<(), E>;

/// An audit whose logs are read and whose records are to be judged: in shares that do not rest on each other, so that they may
/// be judged in any order and on several threads.
#[derive(Debug)]
pub struct Auditing {
    audit: Audit,
    logs: Vec<(Name, Option<ObjectId>, LogOutline)>,
    view: View,
}

/// Records of one system, in the order of the logs: the place of each log, and the place there.
pub type AuditShare = Vec<(usize, usize)>;

/// A deployment, and what is wrong with it.
type Judged = (Deployment, Vec<Violation>);

/// What judging one record gave: its place, and the deployment with what is wrong with it.
pub type AuditPart = ((usize, usize), Result<Option<Box<Judged>>, Undecided>);

impl Auditing {
    /// The records, by system: replays of one system's records share what they rest on.
    pub fn shares(&self) -> BTreeMap<Name, AuditShare> {
        let mut shares: BTreeMap<Name, AuditShare> = BTreeMap::new();
        for (log, (_, _, outline)) in self.logs.iter().enumerate() {
            for (at, record) in outline.records.iter().enumerate() {
                shares.entry(record.system.clone()).or_default().push((log, at));
            }
        }
        shares
    }

    /// Shows what judging one whole share gave to `seen`, but for what runs: of that more may be found in the end
    /// ([`Audit::find_ended_exceptions`]).
    pub fn show<E>(&self, parts: &mut [AuditPart], seen: Seen<'_, E>) -> Result<(), E> {
        for log in 0..self.logs.len() {
            let mut judged: Vec<&mut Judged> = parts
                .iter_mut()
                .filter(|((of, _), _)| *of == log)
                .filter_map(|(_, part)| part.as_mut().ok()?.as_deref_mut())
                .collect();
            let running = running(judged.iter().map(|judged| &**judged));
            for (deployment, violations) in &mut judged {
                if !running.contains(&deployment.record.gate) {
                    seen(deployment, violations)?;
                }
            }
        }
        Ok(())
    }

    /// The audit, from all that judging its shares gave, in whatever order.
    pub fn finish(self, parts: impl IntoIterator<Item = AuditPart>) -> Result<Audit, Undecided> {
        let Self { mut audit, logs, .. } = self;
        let mut by_place: Vec<Vec<_>> =
            logs.iter().map(|(_, _, outline)| outline.records.iter().map(|_| None).collect()).collect();
        for ((log, at), part) in parts {
            if let Some(place) = by_place.get_mut(log).and_then(|places| places.get_mut(at)) {
                *place = Some(part);
            }
        }
        for ((environment, tip, outline), parts) in logs.into_iter().zip(by_place) {
            let mut judged = Vec::with_capacity(parts.len());
            for part in parts {
                let part = part.unwrap_or_else(|| Err(unjudged()))?;
                judged.extend(part.map(|part| *part));
            }
            audit.add_log(environment, tip, &outline, judged);
        }
        Ok(audit)
    }
}

impl Audit {
    fn add_log(
        &mut self,
        environment: Name,
        tip: Option<ObjectId>,
        outline: &LogOutline,
        judged: Vec<Judged>,
    ) {
        let mut population = population(tip, outline, &judged);
        self.violations.extend(of_the_log(&environment, outline));
        let first_shown = self.since.map_or(0, |since| first_shown(&judged, since));
        let running = running(&judged);
        self.deployments.reserve_exact(judged.len());
        for (at, judged) in judged.into_iter().enumerate() {
            let (deployment, violations) = judged;
            // What is owed or runs today is shown, however old it is; and of what is out of order, no date can be believed.
            let is_of_today = deployment.debt.is_some()
                || deployment.place != Place::Log
                || running.contains(&deployment.record.gate);
            if at < first_shown && !is_of_today {
                population.left_out += 1;
                continue;
            }
            self.deployments.push(deployment);
            self.violations.extend(violations);
        }
        self.population.insert(environment, population);
    }
}

impl Judge<'_> {
    /// Reads the logs of an audit, as of `view`.
    pub fn begin_audit(&self, scope: &Scope, view: View) -> Result<Auditing, Undecided> {
        let mut all: BTreeSet<Name> =
            self.ledger().policy(view).policy.environments.keys().cloned().collect();
        let mut logged = self.logged_environments()?;
        logged.extend(self.ledger().recorded_environments());
        all.extend(logged.iter().cloned());
        let environments = scope.environments.clone().unwrap_or(all);
        let mut audit = Audit {
            origin: self.origin(view, None)?,
            since: scope.since,
            population: BTreeMap::new(),
            other_environments: logged.difference(&environments).cloned().collect(),
            deployments: Vec::new(),
            violations: Vec::new(),
            running: None,
            sample: None,
        };
        if let Some(named) = &scope.environments {
            audit.origin.relaxations.extend(named.iter().map(|environment| format!("--env {environment}")));
        }
        audit.origin.relaxations.extend(scope.since.map(|since| format!("--since {since}")));
        let mut logs = Vec::new();
        for environment in environments {
            let (tip, log) = self.log_of(&environment)?;
            let outline = self.ledger().outline(&environment, &log, view)?;
            logs.push((environment, tip, outline));
        }
        Ok(Auditing { audit, logs, view })
    }

    /// Judges the records of one share.
    pub fn audit_share(&self, auditing: &Auditing, share: &AuditShare) -> Vec<AuditPart> {
        let judged = |(log, at): &(usize, usize)| {
            let Some((environment, _, outline)) = auditing.logs.get(*log) else { return Ok(None) };
            let Some(record) = outline.records.get(*at) else { return Ok(None) };
            let (_, log) = self.log_of(environment)?;
            match self.ledger().audited(environment, &log, record, auditing.view)? {
                Some(audited) => {
                    self.audit_record(environment, &audited, auditing.view).map(Box::new).map(Some)
                }
                None => Ok(None),
            }
        };
        share.iter().map(|place| (*place, judged(place))).collect()
    }

    fn audit_record(
        &self,
        environment: &Name,
        audited: &AuditedRecord,
        view: View,
    ) -> Result<(Deployment, Vec<Violation>), Undecided> {
        let then = match self.ledger().at(audited.record.judged, audited.record.time) {
            None => None,
            Some(then) => {
                let (_replay, facts, verdict) = self.replay_in_full(&audited.record, environment, then)?;
                Some(self.then(&facts, verdict, then)?)
            }
        };
        let plain = self.plain_record(&audited.record, environment)?;
        let fact = self.record_fact(plain, audited.record.failed, view, BTreeSet::new())?;
        let mut fact = Arc::unwrap_or_clone(fact);
        let (break_glass, debt) = verdict::break_glass(&fact, environment);
        fact.covers = Vec::new();
        if audited.before_root && matches!(fact.replay, Replay::NotReplayable(_)) {
            fact.replay = Replay::NotReplayable("it judged a commit from before the trust root".to_owned());
        }
        let findings = Findings {
            audited,
            replay: &fact.replay,
            outcome: then.as_ref().map(|then| then.outcome),
            break_glass,
            debt: debt.as_deref(),
        };
        let found = findings.violations();
        let violation = |(code, message): &(ViolationCode, String)| Violation {
            environment: Some(environment.clone()),
            code: *code,
            record: Some(fact.commit),
            gate: Some(fact.gate.clone()),
            message: message.clone(),
        };
        let violations: Vec<Violation> = found.iter().map(violation).collect();
        let review = self.ledger().policy(view).policy.exceptions.break_glass_review;
        let deployment = Deployment {
            environment: environment.clone(),
            place: audited.place,
            recorded_at: audited.recorded_at,
            before_root: audited.before_root,
            signed: audited.unsigned.is_none() && !audited.before_root,
            restart: audited.restart,
            break_glass,
            cover_due: review.filter(|_review| debt.is_some()).map(|review| fact.time.plus(review)),
            debt,
            then,
            violations: violations.iter().map(|violation| violation.code).collect(),
            record: fact,
        };
        Ok((deployment, violations))
    }

    /// How the gate stood: what the replay was judged from.
    fn then(&self, facts: &Facts, verdict: Verdict, view: View) -> Result<Then, Undecided> {
        let digests = self.ledger().file_digests(&facts.gate, view)?;
        let evidence = match &facts.standing {
            Standing::Recorded(content) => content.evidence.as_slice(),
            Standing::OnBranch(_) | Standing::Absent | Standing::Removed(_) | Standing::BeforeRoot => &[],
        };
        let evidence = evidence.iter().map(|report| EvidenceSeen {
            kind: report.kind.clone(),
            file: report.file.clone(),
            digest: digests.get(&report.file).copied(),
            format: match &report.report {
                Some(Ok(read)) => Some(read.format.as_str().to_owned()),
                Some(Err(_)) | None => None,
            },
            problem: match &report.report {
                Some(Ok(_)) => None,
                Some(Err(unreadable)) => Some(unreadable.to_string()),
                None => Some("it is not there".to_owned()),
            },
            attested: attested(report, facts),
        });
        let decisions = verdict.decisions.into_iter().map(|shown| DecisionSeen {
            commit: shown.fact.commit,
            verb: shown.fact.verb,
            principal: shown.fact.principal,
            role: shown.fact.role,
            environments: shown.fact.environments,
            key: shown.fact.key,
            signed_at: shown.fact.signed_at,
            recorded_at: shown.fact.recorded_at,
            code: shown.code,
            reason: shown.reason,
        });
        Ok(Then {
            outcome: verdict.outcome,
            content: verdict.content,
            policy: facts.policy.digest,
            serial: facts.policy.policy.serial,
            change: verdict.change,
            requirements: verdict.requirements,
            decisions: decisions.collect(),
            evidence: evidence.collect(),
            exceptions: verdict.exceptions,
        })
    }
}

/// Who signed a report that the policy takes from some roles alone: on one side of history that is enough.
fn attested(report: &EvidenceFact, facts: &Facts) -> Option<Attested> {
    let roles = facts.policy.policy.evidence.get(&report.kind)?.attested_by.clone()?;
    let by = report.sides.iter().find_map(|side| match &side.signer {
        Ok(signer) if !side.roles.is_disjoint(&roles) => Some((side.commit, signer.clone())),
        Ok(_) | Err(_) => None,
    });
    Some(Attested { roles, by })
}

/// A record that nobody judged: what should have, ended before.
fn unjudged() -> Undecided {
    Undecided::new("git-library", "a reader failed", "try again")
}

/// What is said of a population.
fn population(tip: Option<ObjectId>, outline: &LogOutline, judged: &[Judged]) -> Population {
    let deployments = || judged.iter().map(|judged| &judged.0);
    let in_log = || deployments().filter(|deployment| deployment.place == Place::Log);
    let moment = |deployment: &Deployment| (deployment.record.commit, deployment.record.time);
    Population {
        tip,
        records: count(judged.len()),
        outside_the_log: count(judged.len() - in_log().count()),
        before_root: count(deployments().filter(|deployment| deployment.before_root).count()),
        left_out: 0,
        failures: outline.failures,
        first: in_log().next().map(moment),
        last: in_log().next_back().map(moment),
    }
}

fn count(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}

/// The place after the last record that counts and was logged before `since`. The order of the log is not a claim, so nobody
/// hides a later record by dating it back.
fn first_shown(judged: &[Judged], since: Time) -> usize {
    let before = |judged: &Judged| {
        let deployment = &judged.0;
        let counts = deployment.record.defect.is_none() || deployment.before_root;
        deployment.place == Place::Log && counts && deployment.record.time < since
    };
    judged.iter().rposition(before).map_or(0, |at| at + 1)
}

/// The versions that the log says run.
fn running<'j>(judged: impl IntoIterator<Item = &'j Judged>) -> BTreeSet<GateName> {
    let mut last = BTreeMap::new();
    for record in judged.into_iter().map(|judged| &judged.0.record) {
        if record.defect.is_none() && !record.failed {
            last.insert(&record.gate.system, &record.gate);
        }
    }
    last.into_values().cloned().collect()
}

/// What is wrong with a log as a whole.
fn of_the_log(environment: &Name, audited: &LogOutline) -> Vec<Violation> {
    let violation = |code, record, message| Violation {
        environment: Some(environment.clone()),
        code,
        record: Some(record),
        gate: None,
        message,
    };
    let mut found = Vec::new();
    if let Some(first) = audited.foreign.first() {
        let message = format!("{} of its commits are no records of `{environment}`", audited.foreign.len());
        found.push(violation(ViolationCode::LogForeign, *first, message));
    }
    for commit in &audited.lacking_failures {
        let message = "the mainline holds that a deployment failed, and the log lacks it".to_owned();
        found.push(violation(ViolationCode::LogRewound, *commit, message));
    }
    for (commit, record, reason) in &audited.idle_failures {
        let message = format!("it says that {record} failed, and counts for nothing: {reason}");
        found.push(violation(ViolationCode::FailureIdle, *commit, message));
    }
    found
}
