//! Writes request files: new ones with the comments that a first-time user needs, as a person would.
//!
//! What is written here reads back as the same request; a property test says so. Changing a file that stands there
//! already, with its comments and order, is [`super::edit`]'s.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Exception, Incident};
use crate::model::{GateName, Name, Principal, Time};

/// What `open` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGate {
    /// The gate.
    pub gate: GateName,
    /// Change types; at least one.
    pub kinds: BTreeSet<Name>,
    /// The risk it claims.
    pub risk: Name,
    /// Where it may go; at least one.
    pub environments: BTreeSet<Name>,
    /// Its tags.
    pub tags: BTreeSet<Name>,
    /// What changes and why, in a line.
    pub summary: String,
    /// Gates that it builds on.
    pub requires: BTreeSet<GateName>,
    /// For whom it is opened.
    pub requested_by: BTreeSet<Principal>,
}

/// A `gate.toml` without artifacts and evidence yet.
pub fn render_gate_toml(new: &NewGate) -> String {
    let mut text = head(&new.gate);
    line(&mut text, "kinds", &list(new.kinds.iter().map(Name::as_str)));
    line(&mut text, "risk", &quoted(new.risk.as_str()));
    line(&mut text, "environments", &list(new.environments.iter().map(Name::as_str)));
    line(&mut text, "tags", &list(new.tags.iter().map(Name::as_str)));
    line(&mut text, "summary", &quoted(&new.summary));
    if !new.requires.is_empty() {
        let names: Vec<String> = new.requires.iter().map(ToString::to_string).collect();
        line(&mut text, "requires", &list(names.iter().map(String::as_str)));
    }
    if !new.requested_by.is_empty() {
        line(&mut text, "requested_by", &list(new.requested_by.iter().map(Principal::as_str)));
    }
    let name = &new.gate;
    let _ = write!(
        text,
        "\n# What will be deployed, by digest: `git gate artifact {name} <name> <path>`\n\
         # The reports that support it: `git gate attach {name} <kind> <file>`\n"
    );
    text
}

/// An `exception.toml`, or that of a cover.
pub fn render_exception_toml(exception: &Exception) -> String {
    let mut text = head(&exception.gate);
    line(&mut text, "environments", &list(exception.environments.iter().map(Name::as_str)));
    line(&mut text, "waives", &list(exception.waives.iter().map(String::as_str)));
    line(&mut text, "reason", &quoted(&exception.reason));
    line(&mut text, "risk", &quoted(&exception.risk));
    line(&mut text, "owner", &quoted(exception.owner.as_str()));
    line(&mut text, "controls", &list(exception.controls.iter().map(String::as_str)));
    text.push_str("follow_ups = [\n");
    for follow_up in &exception.follow_ups {
        let (what, who) = (quoted(&follow_up.what), quoted(follow_up.who.as_str()));
        let _ = writeln!(text, "  {{ what = {what}, who = {who}, due = {} }},", follow_up.due);
    }
    text.push_str("]\n");
    moment(&mut text, "expires", exception.expires);
    text
}

/// An `incidents/<id>.toml`.
pub fn render_incident_toml(incident: &Incident) -> String {
    let mut text = head(&incident.gate);
    line(&mut text, "environment", &quoted(incident.environment.as_str()));
    line(&mut text, "severity", &quoted(incident.severity.as_str()));
    moment(&mut text, "detected", Some(incident.detected));
    moment(&mut text, "resolved", incident.resolved);
    line(&mut text, "summary", &quoted(&incident.summary));
    if let Some(cause) = &incident.cause {
        line(&mut text, "cause", &quoted(cause));
    }
    if !incident.metrics.is_empty() {
        text.push_str("\n[metrics]\n");
        for (name, value) in &incident.metrics {
            line(&mut text, &quoted(name), &toml_edit::Value::from(*value).to_string());
        }
    }
    text
}

pub(super) fn head(gate: &GateName) -> String {
    let (system, version) = (quoted(gate.system.as_str()), quoted(gate.version.as_str()));
    format!("schema = 1\nsystem = {system}\nversion = {version}\n")
}

pub(super) fn line(text: &mut String, key: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{key} = {value}");
}

pub(super) fn moment(text: &mut String, key: &str, time: Option<Time>) {
    if let Some(time) = time {
        line(text, key, &time.to_string());
    }
}

/// A basic string in one line, whatever it holds: people expect double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // What does not show in a terminal is written so that a reviewer sees it.
            c if crate::model::escape(c.encode_utf8(&mut [0; 4])) != c.to_string() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

pub(super) fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = texts.map(quoted).collect();
    format!("[{}]", quoted.join(", "))
}
