//! A new `incidents/<id>.toml`, what is not known yet as comments; and one that is resolved, with all else as it stands.

use std::fmt::Write as _;

use toml_edit::{DocumentMut, ImDocument};

use super::Incident;
use super::write::{head, line, moment, quoted};
use crate::model::{GateName, Name, Time};
use crate::problem::{Problem, Problems};

/// An incident while it is written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentDraft {
    /// On which version.
    pub gate: Option<GateName>,
    /// Where.
    pub environment: Option<Name>,
    /// How bad.
    pub severity: Option<Name>,
    /// The severities that there are, for whoever writes one.
    pub severities: Vec<Name>,
    /// When it was noticed.
    pub detected: Option<Time>,
    /// What happened.
    pub summary: Option<String>,
    /// Why.
    pub cause: Option<String>,
    /// What production showed.
    pub metrics: Vec<(String, f64)>,
}

impl IncidentDraft {
    /// What still must be said, by key.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("environment", self.environment.is_none()),
            ("severity", self.severity.is_none()),
            ("summary", self.summary.is_none()),
        ];
        all.into_iter().filter_map(|(key, missing)| missing.then_some(key)).collect()
    }
}

/// The file.
pub fn render_incident_draft(draft: &IncidentDraft) -> String {
    let mut text = draft.gate.as_ref().map(head).unwrap_or_default();
    let name = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
    said(&mut text, "environment", "where", name(&draft.environment).as_deref());
    let severities: Vec<&str> = draft.severities.iter().map(Name::as_str).collect();
    said(
        &mut text,
        "severity",
        &format!("one of {}", severities.join(", ")),
        name(&draft.severity).as_deref(),
    );
    moment(&mut text, "detected", draft.detected);
    said(&mut text, "summary", "what happened, in a line", draft.summary.as_deref());
    said(&mut text, "cause", "why, once that is known", draft.cause.as_deref());
    if draft.metrics.is_empty() {
        text.push_str(
            "\n# [metrics]   # what production showed, by metric name\n# hallucination_rate = 0.09\n",
        );
        return text;
    }
    text.push_str("\n[metrics]\n");
    for (metric, value) in &draft.metrics {
        line(&mut text, &quoted(metric), &toml_edit::Value::from(*value).to_string());
    }
    text
}

/// The file of an incident, resolved at that moment; with a cause, where one is given. Comments and order stay.
pub fn resolved_incident(
    file: &str,
    bytes: &[u8],
    resolved: Time,
    cause: Option<&str>,
) -> Result<String, Problems> {
    Incident::parse(file, bytes)?;
    let wrong = || {
        let message = format!("`{file}` could not be read again");
        Problems(vec![Problem { code: "incident-bad-value", place: None, message, help: None }])
    };
    // It was read by the same parser just now.
    let read = std::str::from_utf8(bytes).ok().and_then(|text| ImDocument::parse(text).ok());
    let mut document: DocumentMut = read.ok_or_else(wrong)?.into_mut();
    let moment: toml_edit::Datetime = resolved.to_string().parse().map_err(|_unwritable| wrong())?;
    document.as_table_mut().insert("resolved", toml_edit::value(moment));
    if let Some(cause) = cause {
        document.as_table_mut().insert("cause", toml_edit::value(cause));
    }
    let text = document.to_string();
    Incident::parse(file, text.as_bytes())?;
    Ok(text)
}

fn said(text: &mut String, key: &str, what: &str, value: Option<&str>) {
    match value {
        Some(value) => line(text, key, &quoted(value)),
        None => {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# {key} = \"\"   # {what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> IncidentDraft {
        IncidentDraft {
            gate: Some("summarizer/v1".parse().unwrap()),
            detected: Some("2026-11-20T08:00:00Z".parse().unwrap()),
            severities: vec!["low".parse().unwrap(), "high".parse().unwrap()],
            ..IncidentDraft::default()
        }
    }

    #[test]
    fn what_is_not_said_is_a_comment_and_what_is_said_whole_reads_back() {
        let mut draft = draft();
        assert_eq!(draft.missing(), ["environment", "severity", "summary"]);
        let problems = Incident::parse("i", render_incident_draft(&draft).as_bytes()).unwrap_err().0;
        assert!(problems.iter().all(|problem| problem.code == "incident-missing-key"), "{problems:?}");
        draft.environment = Some("production".parse().unwrap());
        draft.severity = Some("high".parse().unwrap());
        draft.summary = Some("said \"so\"\u{202e}".into());
        draft.metrics = vec![("rate of x".into(), 0.5)];
        let text = render_incident_draft(&draft);
        let read = Incident::parse("i", text.as_bytes()).unwrap_or_else(|why| panic!("{why}\n{text}"));
        assert_eq!((read.summary, read.cause), (draft.summary.clone().unwrap(), None));
        assert_eq!(read.metrics.get("rate of x"), Some(&0.5));
    }

    #[test]
    fn resolving_keeps_what_stands_there() {
        let mut draft = draft();
        draft.environment = Some("production".parse().unwrap());
        draft.severity = Some("high".parse().unwrap());
        draft.summary = Some("s".into());
        draft.metrics = vec![("rate".into(), 0.5)];
        let text = format!("# kept\n{}", render_incident_draft(&draft));
        let at: Time = "2026-11-21T08:00:00Z".parse().unwrap();
        let resolved = resolved_incident("i", text.as_bytes(), at, Some("because")).unwrap();
        let read = Incident::parse("i", resolved.as_bytes()).unwrap();
        assert_eq!((read.resolved, read.cause.as_deref()), (Some(at), Some("because")));
        assert!(resolved.starts_with("# kept\n") && read.metrics.len() == 1, "{resolved}");
        // Before it was detected.
        let early: Time = "2026-11-19T08:00:00Z".parse().unwrap();
        assert!(resolved_incident("i", text.as_bytes(), early, None).is_err());
    }
}
