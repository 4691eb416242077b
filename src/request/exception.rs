//! `exception.toml` as written → [`Exception`] as meant, with every problem.
//!
//! Two kinds of file share the format: an exception, which waives some requirements for a while, and a cover, which
//! names all that one deployment was missing and waives nothing to come (design, section 10).

use std::collections::BTreeSet;

use super::{Exception, FollowUp, SCHEMA, names_its_path};
use crate::model::{ArtifactName, GateName, Label, Name, Principal};
use crate::problem::Problems;
use crate::problem::document::{Document, Kind, Value};
use crate::problem::section::{Codes, Reader, Section, closest, listed};

/// What an `exception.toml` is, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionKind {
    /// `exceptions/<system>/<version>/exception.toml`: waives until it expires.
    Main,
    /// `…/covers/<log commit>/exception.toml`: for one break-glass record.
    Cover,
}

const GENERAL: Codes = Codes {
    unknown_key: "exception-unknown-key",
    missing_key: "exception-missing-key",
    wrong_type: "exception-wrong-type",
    bad_value: "exception-bad-value",
    repeated: "exception-repeated",
    schema: "exception-schema",
};

/// The kinds of requirements that an exception may waive.
const WAIVABLE: [&str; 4] = ["approval", "evidence", "criterion", "requires"];

/// The kinds that none but a cover may name.
const UNWAIVABLE: [&str; 8] =
    ["integrity", "environment", "rejection", "freeze", "incident", "artifact", "rules", "gate"];

/// Reads an exception that stands in the directory of `gate`.
pub(super) fn check_exception(
    file: &str,
    bytes: &[u8],
    gate: &GateName,
    kind: ExceptionKind,
) -> Result<Exception, Problems> {
    let document = Document::parse(file, bytes)?;
    let reader = Reader::new(&document, GENERAL);
    let exception = reader.root(SCHEMA).and_then(|root| exception(root, gate, kind));
    reader.end(exception)
}

fn exception(root: Section<'_>, gate: &GateName, kind: ExceptionKind) -> Option<Exception> {
    let named = names_its_path(&root, gate, "exception-path");
    let environments = root.required("environments", Reader::some);
    let waives = root.required("waives", |reader, value| waives(reader, value, kind));
    let reason = root.required("reason", Reader::prose);
    let risk = root.required("risk", Reader::prose);
    let owner = root.required("owner", Reader::word);
    let controls = root.optional("controls", |reader, value| reader.list(value, Reader::prose));
    let follow_ups = root.required("follow_ups", follow_ups);
    let expires = match kind {
        ExceptionKind::Main => root.required("expires", Reader::moment),
        ExceptionKind::Cover => root.optional("expires", Reader::moment),
    };
    root.finish();
    Some(Exception {
        gate: named?,
        environments: environments?,
        waives: waives?,
        reason: reason?,
        risk: risk?,
        owner: owner?,
        controls: controls.unwrap_or_default(),
        follow_ups: follow_ups?,
        expires,
    })
}

fn follow_ups<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Vec<FollowUp>> {
    if matches!(&value.kind, Kind::Array(values) if values.is_empty()) {
        return reader.bad(&value.span, "no follow-up", "say at least one: what, who and when it is due");
    }
    reader.list(value, |reader, value| {
        let section = reader.section(value)?;
        let what = section.required("what", Reader::prose);
        let who = section.required("who", Reader::word);
        let due = section.required("due", Reader::moment);
        section.finish();
        Some(FollowUp { what: what?, who: who?, due: due? })
    })
}

/// The ids of requirements, at least one, none twice.
fn waives<'r>(reader: &'r Reader<'r>, value: &'r Value, kind: ExceptionKind) -> Option<BTreeSet<String>> {
    if matches!(&value.kind, Kind::Array(values) if values.is_empty()) {
        return reader.bad(&value.span, "an empty list", "name at least one requirement");
    }
    let seen = std::cell::RefCell::new(BTreeSet::new());
    reader.list(value, |reader, value| {
        let id = reader.text(value)?;
        requirement(reader, value, id, kind)?;
        if !seen.borrow_mut().insert(id.to_owned()) {
            let message = format!("`{id}` is listed twice");
            reader.problem(reader.codes().repeated, value.span.clone(), message, "name it once");
        }
        Some(())
    })?;
    Some(seen.into_inner())
}

fn requirement<'r>(reader: &'r Reader<'r>, value: &'r Value, id: &str, kind: ExceptionKind) -> Option<()> {
    let (what, name) = id.split_once(':').unwrap_or((id, ""));
    let known = || WAIVABLE.into_iter().chain(UNWAIVABLE);
    if !known().any(|known| known == what) || !is_requirement(what, name) {
        let help = match closest(what, known()).filter(|near| *near != what) {
            Some(near) => format!("did you mean `{near}:…`?"),
            None => "an id as the checklist shows it, such as `evidence:bias`".to_owned(),
        };
        let message = format!("`{id}` is no requirement");
        reader.problem("exception-unknown-requirement", value.span.clone(), message, help);
        return None;
    }
    if kind == ExceptionKind::Main && !WAIVABLE.contains(&what) {
        let help = format!("an exception can waive {} requirements", listed(WAIVABLE));
        let message = format!("`{id}` cannot be waived");
        reader.problem("exception-cannot-waive", value.span.clone(), message, help);
        return None;
    }
    Some(())
}

/// Whether a requirement of that kind can have that name (design, section 9.8).
fn is_requirement(what: &str, name: &str) -> bool {
    match what {
        "approval" | "evidence" | "environment" | "incident" => name.parse::<Name>().is_ok(),
        "criterion" | "freeze" => name.parse::<Label>().is_ok(),
        "requires" => name.parse::<GateName>().is_ok(),
        "artifact" => name.parse::<ArtifactName>().is_ok(),
        "rejection" => name.parse::<Principal>().is_ok(),
        "integrity" => matches!(name, "authors" | "content" | "break-glass"),
        "rules" => name == "none",
        "gate" => matches!(name, "recorded" | "open"),
        _ => false,
    }
}
