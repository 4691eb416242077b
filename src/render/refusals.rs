//! Why a push, or a commit message, is refused: each with its ref, commit, code and mend.
//!
//! Hooks speak through git, which sets `remote:` before each line of a server's: so it is lines, not tables, and never
//! more than a person reads. Whatever comes from a repository is escaped.

use std::fmt::Write as _;

use crate::insight::{Received, Refusal};
use crate::model::escape;

use super::Style;
use super::page::counted;

/// How many refusals are told to people; all of them stand in JSON.
const MOST_TOLD: usize = 20;

/// How many problems of one refusal are told.
const MOST_PROBLEMS: usize = 10;

const RED: &str = "1;31";
const BOLD: &str = "1";

pub(super) fn text(received: &Received, style: Style) -> String {
    let mut text: String =
        received.refusals.iter().take(MOST_TOLD).map(|refusal| told(refusal, style)).collect();
    let more = received.refusals.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    if !received.refusals.is_empty() {
        let many = u64::try_from(received.refusals.len()).unwrap_or(u64::MAX);
        let _ = writeln!(text, "refused: {}", counted(many, "error"));
    }
    text
}

pub(super) fn markdown(received: &Received) -> String {
    if received.refusals.is_empty() {
        return "Nothing refused.\n".to_owned();
    }
    let block: String = text(received, Style::Plain).lines().flat_map(|line| ["    ", line, "\n"]).collect();
    format!("## Refused\n\n{block}")
}

fn told(refusal: &Refusal, style: Style) -> String {
    let mut place = escape(&refusal.reference);
    if let Some(commit) = refusal.commit {
        let _ = write!(place, " {commit}");
    }
    let mut text = format!(
        "{} {place}: {} [{}]\n",
        painted("error:", RED, style),
        escape(&refusal.message),
        refusal.code
    );
    for problem in refusal.problems.iter().take(MOST_PROBLEMS) {
        let _ = writeln!(text, "{problem}");
    }
    let more = refusal.problems.len().saturating_sub(MOST_PROBLEMS);
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    let _ = writeln!(text, "{} {}", painted("help:", BOLD, style), escape(&refusal.help));
    text
}

fn painted(safe: &str, colour: &str, style: Style) -> String {
    match style {
        Style::Coloured => format!("\u{1b}[{colour}m{safe}\u{1b}[0m"),
        Style::Plain => safe.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectId;
    use crate::problem::{Place, Problem};

    fn refusal(message: &str) -> Refusal {
        Refusal {
            reference: "refs/heads/gate/summarizer/v1.4".into(),
            commit: Some(ObjectId([0xab; 20])),
            code: "request-invalid",
            message: message.into(),
            help: "correct it".into(),
            certain: true,
            problems: Vec::new(),
        }
    }

    #[test]
    fn a_refusal_names_ref_commit_code_and_mend() {
        let mut refused = refusal("`gates/summarizer/v1.4` holds a file that cannot be read");
        let line = "riks = \"high\"";
        refused.problems.push(Problem {
            code: "gate-unknown-key",
            place: Some(Place::in_text("gates/summarizer/v1.4/gate.toml@abababab", line, 0..4)),
            message: "unknown key `riks`".into(),
            help: Some("`risk`".into()),
        });
        let received = Received { refusals: vec![refused], warnings: Vec::new(), doubtful: false };
        insta::assert_snapshot!(text(&received, Style::Plain));
        insta::assert_snapshot!(markdown(&received));
        insta::assert_snapshot!(super::super::json::refusals("pre-receive", &received));
    }

    #[test]
    fn a_hostile_push_neither_steers_a_terminal_nor_floods_it() {
        let hostile = refusal("\u{1b}]0;\u{202e}\rremote: taken");
        let received = Received { refusals: vec![hostile; 1000], warnings: Vec::new(), doubtful: false };
        let text = text(&received, Style::Plain);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
        assert_eq!(text.lines().count(), 2 * MOST_TOLD + 2);
        assert!(text.ends_with("and 980 more\nrefused: 1000 errors\n"), "{text}");
    }
}
