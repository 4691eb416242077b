//! `git-gate/report/1`: everything, in the forms that other commands print.
//!
//! Written piece by piece: a gate is printed before the next one is read, so that a report of any length takes little memory.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::insight::control::{Finding, Shown};
use crate::insight::{Dossier, Judgement, LoggedRecord, Origin, PolicyMoment};

use super::super::report::Whole;
use super::super::tune::TuneShown;
use super::backtest::{ScoreJson, score};
use super::incidents::{IncidentJson, incident};
use super::{audit, deployments, metrics, names, object, overview, policy, tune, verdict};

/// What stands before the first gate.
pub(in crate::render) const BEFORE_GATES: &str = "{\"schema\":\"git-gate/report/1\",\"gates\":[";

/// One gate: what `show` prints of it.
pub(in crate::render) fn gate_of_report(dossier: &Dossier, origin: &Origin) -> String {
    let judgement = |verdict: &crate::verdict::Verdict| Judgement {
        verdict: verdict.clone(),
        // What holds of the whole stands once, behind the gates.
        origin: Origin { notices: Vec::new(), ..origin.clone() },
    };
    let judgements: Vec<Judgement> = dossier.verdicts.iter().map(judgement).collect();
    line(verdict::environments("git-gate/show/1", &dossier.gate, &judgements))
}

/// What stands behind the last gate, to the end of the object.
pub(in crate::render) fn after_gates<E>(
    whole: &Whole<'_>,
    put: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    put("],\"log\":")?;
    deployments::log_in_parts(whole.records, whole.origin, put)?;
    let parts = [
        ("status", deployments::status(whole.running, whole.origin)),
        ("policy", policy::policy(whole.policy, whole.origin)),
        ("metrics", metrics::metrics(&whole.measured.by_month, whole.origin)),
        ("criteria", criteria(whole)),
    ];
    for (name, part) in parts {
        put(&format!(",\"{name}\":{}", line(part)))?;
    }
    let rest = object(&RestJson {
        unjudged: whole
            .gates
            .iter()
            .filter_map(|row| {
                let problem = row.line.problem.as_deref()?;
                Some(UnjudgedJson { gate: row.line.gate.to_string(), problem })
            })
            .collect(),
        unmerged: whole.unmerged().map(overview::gate).collect(),
        audit: AuditJson {
            population: whole.audit.population.iter().map(audit::population).collect(),
            not_audited: names(&whole.audit.other_environments),
            violations: whole.audit.violations.iter().map(audit::violation).collect(),
            debts: whole.debts().map(|logged| debt(whole, logged)).collect(),
        },
        in_force: InForceJson {
            judged: whole.refinement.judged.iter().map(|(how, count)| (how.as_str(), *count)).collect(),
            undecided: whole.refinement.undecided,
            left_out: &whole.refinement.left_out,
            score: score(&whole.refinement.score),
        },
        incidents: whole.incidents.iter().map(incident).collect(),
        policies: whole.policies.iter().map(past_policy).collect(),
        control: whole.findings.iter().map(finding).collect(),
    });
    // The rest is an object of its own: its fields stand in this one.
    let rest = line(rest);
    put(&format!(",{}\n", rest.strip_prefix('{').unwrap_or(&rest)))
}

/// The bounds of the policy in force, as `tune` tells of them; the changes are its own to propose.
fn criteria(whole: &Whole<'_>) -> String {
    let origins = crate::insight::origins(whole.policy, whole.incidents.iter().map(|line| &line.fact.id));
    tune::tune(&TuneShown {
        tuning: &whole.refinement.tuning,
        changes: &BTreeMap::new(),
        origins: &origins,
        since: None,
        until: None,
        origin: whole.origin,
    })
}

/// Without the end of its line.
fn line(mut object: String) -> String {
    object.truncate(object.trim_end().len());
    object
}

#[derive(Serialize)]
struct RestJson<'a> {
    unjudged: Vec<UnjudgedJson<'a>>,
    unmerged: Vec<overview::GateJson<'a>>,
    audit: AuditJson<'a>,
    in_force: InForceJson<'a>,
    incidents: Vec<IncidentJson<'a>>,
    policies: Vec<PolicyMomentJson<'a>>,
    control: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct UnjudgedJson<'a> {
    gate: String,
    problem: &'a str,
}

/// What an audit finds; the deployments themselves stand in the log.
#[derive(Serialize)]
struct AuditJson<'a> {
    population: Vec<audit::PopulationJson<'a>>,
    not_audited: Vec<&'a str>,
    violations: Vec<audit::ViolationJson<'a>>,
    debts: Vec<audit::DebtJson<'a>>,
}

#[derive(Serialize)]
struct InForceJson<'a> {
    judged: BTreeMap<&'static str, u64>,
    undecided: u64,
    left_out: &'a BTreeMap<String, BTreeSet<String>>,
    score: ScoreJson,
}

#[derive(Serialize)]
struct PolicyMomentJson<'a> {
    serial: u64,
    digest: String,
    commit: String,
    since: String,
    changes: &'a [String],
}

#[derive(Serialize)]
struct FindingJson<'a> {
    id: &'a str,
    title: &'a str,
    asked: &'a str,
    shown: &'static str,
    records: &'a [String],
    missing: &'a [String],
}

fn debt<'a>(whole: &'a Whole<'_>, logged: &'a LoggedRecord) -> audit::DebtJson<'a> {
    let due = whole.dues.get(&logged.record.commit).copied();
    audit::debt(&logged.environment, &logged.record, logged.debt.as_deref(), due)
}

fn past_policy(moment: &PolicyMoment) -> PolicyMomentJson<'_> {
    PolicyMomentJson {
        serial: moment.serial,
        digest: moment.digest.to_string(),
        commit: moment.commit.to_string(),
        since: moment.since.to_string(),
        changes: &moment.changes,
    }
}

fn finding(finding: &Finding) -> FindingJson<'_> {
    FindingJson {
        id: finding.id,
        title: finding.title,
        asked: finding.asked,
        shown: match finding.shown {
            Shown::Whole => "whole",
            Shown::Partly => "in-part",
            Shown::Not => "not",
        },
        records: &finding.records,
        missing: &finding.missing,
    }
}
