//! `incidents/<id>.toml` as written → [`Incident`] as meant, with every problem.

use std::collections::BTreeMap;

use super::{Incident, SCHEMA};
use crate::evidence::written as mapping;
use crate::model::{GateName, Name, Time};
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

/// See [`Incident::salvage`].
pub(super) fn salvage_incident(bytes: &[u8], noticed: Time) -> Option<Incident> {
    let table: toml::Table = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    let word = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let name = |key: &str| word(key).and_then(|text| text.parse::<Name>().ok());
    Some(Incident {
        gate: GateName { system: name("system")?, version: name("version")? },
        environment: name("environment")?,
        severity: name("severity").or_else(|| "unknown".parse().ok())?,
        detected: noticed,
        resolved: None,
        summary: word("summary").unwrap_or("(the file does not read whole)").to_owned(),
        cause: None,
        metrics: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_an_incident_does_not_make_it_disappear() {
        let noticed = Time::from_unix(0).unwrap();
        let bytes =
            b"schema = 1\nsystem = \"s\"\nversion = \"v1\"\nenvironment = \"production\"\nseverty = 3\n";
        assert!(Incident::parse("incidents/i.toml", bytes).is_err());
        let incident = Incident::salvage(bytes, noticed).unwrap();
        assert_eq!((incident.gate.to_string().as_str(), incident.resolved), ("s/v1", None));
        assert_eq!(Incident::salvage(b"system = \"s\"\n", noticed), None);
        assert_eq!(Incident::salvage(b"\xff", noticed), None);
    }
}
