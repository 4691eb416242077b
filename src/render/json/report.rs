//! `git-gate/report/1`: everything, in the forms that other commands print.
//!
//! Written piece by piece: a gate is printed before the next one is read, so that a report of any length takes little memory.

use serde::Serialize;

use crate::insight::control::{Finding, Shown};
use crate::insight::{Dossier, Judgement, Origin, PolicyMoment};
use crate::model::Name;
use crate::verdict::IncidentFact;

use super::super::report::Whole;
use super::{deployments, object, policy, verdict};

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
pub(in crate::render) fn after_gates(whole: &Whole<'_>) -> String {
    let rest = object(&RestJson {
        unjudged: whole
            .gates
            .iter()
            .filter_map(|row| {
                let problem = row.line.problem.as_deref()?;
                Some(UnjudgedJson { gate: row.line.gate.to_string(), problem })
            })
            .collect(),
        incidents: whole.gates.iter().flat_map(|row| &row.incidents).map(incident).collect(),
        policies: whole.policies.iter().map(past_policy).collect(),
        control: whole.findings.iter().map(finding).collect(),
    });
    let parts = [
        ("log", deployments::log(whole.records, whole.origin)),
        ("status", deployments::status(whole.running, whole.origin)),
        ("policy", policy::policy(whole.policy, whole.origin)),
    ];
    let mut text = String::from("]");
    for (name, part) in parts {
        text.extend([",\"", name, "\":", &line(part)]);
    }
    // The rest is an object of its own: its fields stand in this one.
    let rest = line(rest);
    text.extend([",", rest.strip_prefix('{').unwrap_or(&rest), "\n"]);
    text
}

/// Without the end of its line.
fn line(mut object: String) -> String {
    object.truncate(object.trim_end().len());
    object
}

#[derive(Serialize)]
struct RestJson<'a> {
    unjudged: Vec<UnjudgedJson<'a>>,
    incidents: Vec<IncidentJson<'a>>,
    policies: Vec<PolicyMomentJson<'a>>,
    control: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct UnjudgedJson<'a> {
    gate: String,
    problem: &'a str,
}

#[derive(Serialize)]
struct IncidentJson<'a> {
    id: &'a str,
    gate: String,
    environment: &'a str,
    severity: &'a str,
    open: bool,
    detected: String,
    resolved: Option<String>,
    summary: &'a str,
    cause: Option<&'a str>,
    opened: String,
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

fn incident(fact: &IncidentFact) -> IncidentJson<'_> {
    IncidentJson {
        id: fact.id.as_str(),
        gate: fact.incident.gate.to_string(),
        environment: Name::as_str(&fact.incident.environment),
        severity: fact.incident.severity.as_str(),
        open: fact.open,
        detected: fact.incident.detected.to_string(),
        resolved: fact.incident.resolved.map(|time| time.to_string()),
        summary: &fact.incident.summary,
        cause: fact.incident.cause.as_deref(),
        opened: fact.opened.to_string(),
    }
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
