//! `incidents/<id>.toml` as written → [`Incident`] as meant, with every problem.

use super::{Incident, SCHEMA};
use crate::evidence::written as mapping;
use crate::model::{GateName, Name};
use crate::problem::Problems;
use crate::problem::document::Document;
use crate::problem::section::{Codes, Reader, Section};

const GENERAL: Codes = Codes {
    unknown_key: "incident-unknown-key",
    missing_key: "incident-missing-key",
    wrong_type: "incident-wrong-type",
    bad_value: "incident-bad-value",
    repeated: "incident-repeated",
    schema: "incident-schema",
};

/// Reads an incident.
pub(super) fn check_incident(file: &str, bytes: &[u8]) -> Result<Incident, Problems> {
    let document = Document::parse(file, bytes)?;
    let reader = Reader::new(&document, GENERAL);
    let incident = reader.root(SCHEMA).and_then(incident);
    reader.end(incident)
}

fn incident(root: Section<'_>) -> Option<Incident> {
    let system: Option<Name> = root.required("system", Reader::word);
    let version: Option<Name> = root.required("version", Reader::word);
    let environment = root.required("environment", Reader::word);
    let severity = root.required("severity", Reader::word);
    let detected = root.required("detected", Reader::moment);
    let resolved = root.optional("resolved", Reader::moment);
    let summary = root.required("summary", Reader::line);
    let cause = root.optional("cause", Reader::prose);
    let metrics = root.optional("metrics", |reader, value| mapping::metrics(reader, value, Reader::number));
    if let (Some(detected), Some(resolved)) = (detected, resolved)
        && resolved < detected
    {
        let help = format!("not before `{detected}`");
        let span = root.span_of("resolved");
        root.reader().problem("incident-order", span, "resolved before it was detected", help);
    }
    root.finish();
    Some(Incident {
        gate: GateName { system: system?, version: version? },
        environment: environment?,
        severity: severity?,
        detected: detected?,
        resolved,
        summary: summary?,
        cause,
        metrics: metrics.unwrap_or_default(),
    })
}
