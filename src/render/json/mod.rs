//! JSON for programs: one object on one line, with a schema, additive only.
//!
//! Types of their own, apart from the domain's: a name there can change, a field here cannot (design, section 12;
//! `docs/output.md`). Fields stand in the order of the documentation, lists in the order of the verdict. Text is given as the
//! repository holds it, and characters that do not show are written as `\u…`: the same to a program, safe on a terminal.

mod attestation;
mod audit;
mod backtest;
mod brief;
mod deployments;
mod doctor;
mod evidence;
mod incidents;
mod index;
mod keys;
mod metrics;
mod overview;
mod policy;
mod policy_diff;
mod problems;
mod recording;
mod refusals;
mod report;
mod signatures;
mod tune;
mod verdict;

pub(super) use attestation::{envelope, statement};
pub(super) use audit::audit;
pub(super) use backtest::backtest;
pub(super) use brief::review;
pub(super) use deployments::{deploy, log, status};
pub(super) use doctor::doctor;
pub(super) use evidence::report;
pub(super) use incidents::incidents;
pub(super) use index::index;
pub(super) use keys::keys;
pub(super) use metrics::metrics;
pub(super) use overview::{history, list, pending};
pub(super) use policy::{policy, policy_status};
pub(super) use policy_diff::policy_diff;
pub(super) use problems::lint;
pub(super) use recording::recording;
pub(super) use refusals::refusals;
pub(super) use report::{BEFORE_GATES, after_gates, gate_of_report};
pub(super) use signatures::signatures;
pub(super) use tune::tune;
pub(super) use verdict::{check, environments};

use std::fmt::Write as _;

use serde::Serialize;

use crate::model::{Name, Principal, escape};

/// The object on one line.
fn object(value: &impl Serialize) -> String {
    #[expect(
        clippy::expect_used,
        reason = "structs of texts, whole numbers and lists always have a JSON form"
    )]
    let mut line = serde_json::to_string(value).expect("a JSON form");
    // Controls below the blank are escaped already; they stand in texts only, and so does what is looked for here.
    let is_odd = |byte: &u8| !byte.is_ascii() || *byte == 0x7f;
    if line.as_bytes().iter().any(is_odd) {
        let mut safe = String::with_capacity(line.len() + 1);
        for c in line.chars() {
            if c.is_ascii() && c != '\u{7f}' {
                safe.push(c);
            } else {
                push_shown(&mut safe, c);
            }
        }
        line = safe;
    }
    line.push('\n');
    line
}

fn names<'a>(names: impl IntoIterator<Item = &'a Name>) -> Vec<&'a str> {
    names.into_iter().map(Name::as_str).collect()
}

fn people<'a>(people: impl IntoIterator<Item = &'a Principal>) -> Vec<&'a str> {
    people.into_iter().map(Principal::as_str).collect()
}

fn push_shown(safe: &mut String, c: char) {
    let mut buffer = [0; 4];
    let text: &str = c.encode_utf8(&mut buffer);
    if escape(text) == text {
        safe.push(c);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = write!(safe, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_written_as_an_escape_that_reads_back() {
        let text = "ok — ü \u{1b}[31m \u{7f}\u{85}\u{202e}\u{200b}\u{e0041}\u{10ffff} \"\\ \n";
        let line = object(&[text]);
        assert!(line.contains("ok — ü \\u001b[31m \\u007f\\u0085\\u202e\\u200b\\udb40\\udc41\\udbff\\udfff"));
        assert_eq!(serde_json::from_str::<Vec<String>>(&line).unwrap(), [text]);
        assert_eq!(line.matches('\n').count(), 1);
    }
}
