//! Reads the logs and judges every record again: the audit as a value.
//!
//! The replays are those of the one evaluator. Records are taken in log order, so that each is judged once and what later
//! ones rest on is there. Nothing is refused: what ends other commands with status 3 is a violation here.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::ledger::{AuditedLog, AuditedRecord, Place, Undecided, View};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::verdict::{self, Facts, Replay, Standing, Verdict};

use super::audit::{Audit, DecisionSeen, Deployment, EvidenceSeen, Population, Scope, Then, Violation};
use super::audit_codes::ViolationCode;
use super::audit_findings::Findings;
use super::judge::Judge;

impl Judge<'_> {
    /// Audits the logs, as of `view`.
    pub fn audit(&self, scope: &Scope, view: View) -> Result<Audit, Undecided> {
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
        for environment in &environments {
            self.audit_environment(environment, scope.since, view, &mut audit)?;
        }
        Ok(audit)
    }

    fn audit_environment(
        &self,
        environment: &Name,
        since: Option<Time>,
        view: View,
        audit: &mut Audit,
    ) -> Result<(), Undecided> {
        let (tip, log) = self.log_of(environment)?;
        let audited = self.ledger().audited_log(environment, &log, view)?;
        let mut population = population(tip, &audited);
        audit.violations.extend(of_the_log(environment, &audited));
        let first_shown = since.map_or(0, |since| first_shown(&audited.records, since));
        let running = running(&audited.records);
        let mut system = None;
        for (at, record) in audited.records.into_iter().enumerate() {
            // Replays of one system's records share what they rest on; another system's rest on other gates.
            if system.replace(record.record.gate.system.clone()) != Some(record.record.gate.system.clone()) {
                self.forget_gates();
            }
            let (deployment, violations) = self.audit_record(environment, &record, view)?;
            // What is owed or runs today is shown, however old it is; and of what is out of order, no date can be believed.
            let is_of_today = deployment.debt.is_some()
                || deployment.place != Place::Log
                || running.contains(&deployment.record.gate);
            if at < first_shown && !is_of_today {
                population.left_out += 1;
                continue;
            }
            audit.deployments.push(deployment);
            audit.violations.extend(violations);
        }
        audit.population.insert(environment.clone(), population);
        Ok(())
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
        let record = Rc::new(audited.record.clone());
        let fact = self.record_fact(&record, environment, view, BTreeSet::new())?;
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

/// What is said of a population.
fn population(tip: Option<ObjectId>, audited: &AuditedLog) -> Population {
    let in_log = || audited.records.iter().filter(|record| record.place == Place::Log);
    let moment = |record: &AuditedRecord| (record.record.commit, record.record.time);
    Population {
        tip,
        records: count(audited.records.len()),
        outside_the_log: count(audited.records.len() - in_log().count()),
        before_root: count(audited.records.iter().filter(|record| record.before_root).count()),
        left_out: 0,
        failures: audited.failures,
        first: in_log().next().map(moment),
        last: in_log().next_back().map(moment),
    }
}

fn count(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}

/// The place after the last record that counts and was logged before `since`. The order of the log is not a claim, so nobody
/// hides a later record by dating it back.
fn first_shown(records: &[AuditedRecord], since: Time) -> usize {
    let before = |record: &AuditedRecord| {
        let counts = record.record.defect.is_none() || record.before_root;
        record.place == Place::Log && counts && record.record.time < since
    };
    records.iter().rposition(before).map_or(0, |at| at + 1)
}

/// The versions that the log says run.
fn running(records: &[AuditedRecord]) -> BTreeSet<GateName> {
    let mut last = BTreeMap::new();
    for AuditedRecord { record, .. } in records {
        if record.defect.is_none() && !record.failed {
            last.insert(&record.gate.system, &record.gate);
        }
    }
    last.into_values().cloned().collect()
}

/// What is wrong with a log as a whole.
fn of_the_log(environment: &Name, audited: &AuditedLog) -> Vec<Violation> {
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
