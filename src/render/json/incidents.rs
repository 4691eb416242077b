//! `git-gate/incident-list/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::insight::{IncidentLine, Origin};

use super::object;

/// The incidents.
pub(in crate::render) fn incidents(lines: &[IncidentLine], origin: &Origin) -> String {
    object(&IncidentsJson {
        schema: "git-gate/incident-list/1",
        mainline: origin.mainline.to_string(),
        root: origin.root.to_string(),
        time: origin.time.to_string(),
        incidents: lines.iter().map(incident).collect(),
    })
}

pub(super) fn incident(line: &IncidentLine) -> IncidentJson<'_> {
    let incident = &line.fact.incident;
    IncidentJson {
        id: line.hit.id.as_str(),
        gate: incident.gate.to_string(),
        environment: incident.environment.as_str(),
        severity: incident.severity.as_str(),
        open: line.hit.open,
        detected: incident.detected.to_string(),
        began: line.hit.began.to_string(),
        ended: line.hit.ended.map(|ended| ended.to_string()),
        opened: line.fact.opened.to_string(),
        summary: &incident.summary,
        cause: incident.cause.as_deref(),
        metrics: incident.metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect(),
        record: line.record.as_ref().map(|record| RecordJson {
            commit: record.commit.to_string(),
            time: record.time.to_string(),
            principal: record.principal.as_ref().map(crate::model::Principal::as_str),
        }),
    }
}

#[derive(Serialize)]
struct IncidentsJson<'a> {
    schema: &'static str,
    mainline: String,
    root: String,
    time: String,
    incidents: Vec<IncidentJson<'a>>,
}

/// An incident, and what it hit.
#[derive(Serialize)]
pub(super) struct IncidentJson<'a> {
    id: &'a str,
    gate: String,
    environment: &'a str,
    severity: &'a str,
    open: bool,
    detected: String,
    began: String,
    ended: Option<String>,
    opened: String,
    summary: &'a str,
    cause: Option<&'a str>,
    metrics: BTreeMap<&'a str, f64>,
    record: Option<RecordJson<'a>>,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    commit: String,
    time: String,
    principal: Option<&'a str>,
}
