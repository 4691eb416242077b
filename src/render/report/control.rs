//! The control held against the records: what shows each requirement and level, and what is missing.

use crate::insight::control::{CONTROL_ID, CONTROL_TITLE, Finding, Shown};

use super::super::page::{Tone, Word};
use super::super::sheet::{Block, Cell, Part, Sheet, Table};
use super::Whole;

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    let (evidence, levels): (Vec<&Finding>, Vec<&Finding>) =
        whole.findings.iter().partition(|finding| finding.id.starts_with("evidence-"));
    let mut all = vec![
        Part::table(
            "Evidence requirements",
            summary("What an assessor expects to see".to_owned(), &evidence),
        ),
        Part::table("Maturity levels", summary("From the first level to the highest".to_owned(), &levels)),
    ];
    all.extend(evidence.into_iter().chain(levels).map(part));
    Sheet {
        path: "control.html".to_owned(),
        kind: "Control",
        title: format!("{CONTROL_ID} {CONTROL_TITLE}"),
        words: Vec::new(),
        lead: Cell::words(
            "Require formal approval before new model versions, prompt changes, or configuration updates are deployed to production AI systems.",
        ),
        parts: all,
    }
}

fn summary(caption: String, findings: &[&Finding]) -> Table {
    let rows = findings.iter().map(|finding| {
        vec![
            Cell::words(finding.title),
            vec![Cell::Mark(word(finding))],
            Cell::words(finding.asked),
            Cell::link(place(finding.page), finding.page),
        ]
    });
    Table {
        caption,
        columns: vec!["Requirement", "Shown", "The control asks for", "Records"],
        rows: rows.collect(),
        empty: "",
    }
}

fn part(finding: &Finding) -> Part {
    let mut blocks =
        vec![Block::Words(vec![Cell::Mark(word(finding)), Cell::Words(format!(" {}", finding.asked))])];
    blocks.push(Block::Facts(vec![
        ("Shown by", said(&finding.records, "nothing")),
        ("Missing", said(&finding.missing, "nothing")),
        ("Records", Cell::link(place(finding.page), finding.page)),
    ]));
    Part::new(finding.title, blocks)
}

fn said(lines: &[String], none: &str) -> Vec<Cell> {
    if lines.is_empty() { Cell::words(none) } else { Cell::words(lines.join("\n")) }
}

/// The first two levels are those that a gate is to leave behind: there to show them is to show that they are over.
fn word(finding: &Finding) -> Word {
    if matches!(finding.id, "level-1" | "level-2") {
        return match finding.shown {
            Shown::Whole => Word::new("left behind", Tone::Good),
            Shown::Partly => Word::new("not wholly left behind", Tone::Open),
            Shown::Not => Word::new("not left behind", Tone::Bad),
        };
    }
    match finding.shown {
        Shown::Whole => Word::new("shown", Tone::Good),
        Shown::Partly => Word::new("in part", Tone::Open),
        Shown::Not => Word::new("not shown", Tone::Bad),
    }
}

fn place(page: &str) -> String {
    let name = page.trim_end_matches(".html");
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}
