//! Lists of gates: a table on a terminal, entries in markdown; and what waits on one person.
//!
//! The table is laid out by a library; every cell is escaped before, so that no text of a repository can break a row.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::insight::{EnvironmentLine, GateLine, Origin, Wait};
use crate::model::{Name, Principal, Time, escape};
use crate::verdict::{Notice, Outcome};

use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Page, Section, Tone, Word, counted, list};

const HEADER: [&str; 5] = ["gate", "risk", "verdict", "waits for", "since"];
/// The column that takes the room that is left.
const WAITS: usize = 3;
/// Longer names of gates, and longer words in other columns, are broken.
const WIDEST_GATE: u16 = 30;
const WIDEST_CELL: u16 = 22;
/// So many people stand in a cell; the other forms name all.
const MOST_IN_CELL: usize = 2;

/// Something that waits on one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The gate, or `policy`.
    pub target: String,
    /// The requirement.
    pub requirement: String,
    /// In which environments.
    pub environments: BTreeSet<Name>,
    /// Since when.
    pub since: Option<Time>,
    /// What it is about.
    pub summary: String,
    /// The command.
    pub command: String,
}

/// The table, and below it how many of what.
pub(super) fn table(lines: &[GateLine], origin: &Origin, width: u16) -> String {
    let mut text = String::new();
    if !lines.is_empty() {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        table.set_header(HEADER);
        let rows: Vec<[String; 5]> = lines.iter().map(|line| cells(line, origin.time)).collect();
        table.add_rows(rows.clone());
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if at + 1 == HEADER.len() { 0 } else { 2 }));
            if at != WAITS {
                column.set_constraint(constraint(&rows, at));
            }
        }
        for row in table.to_string().lines() {
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str(&count(lines));
    text.push('\n');
    for notice in origin.notices.iter().filter(|notice| notice.code == "local-ahead") {
        text.push_str(&escape(&notice.message));
        text.push('\n');
    }
    text
}

/// The same as entries.
pub(super) fn page(lines: &[GateLine], origin: &Origin) -> Page {
    let notices: BTreeSet<&Notice> = origin.notices.iter().collect();
    let sections = [
        Section::entries("Gates", lines.iter().map(entry).collect()),
        Section::entries("Notices", notices.into_iter().map(judgement::notice).collect()),
        Section::facts("Judged from", origin_facts(origin)),
    ];
    Page {
        word: Word::new("gates", Tone::Plain),
        about: count(lines),
        lead: Vec::new(),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// What waits on one person.
pub(super) fn pending_page(person: &Principal, awaited: &[Awaited], unjudged: &[&GateLine]) -> Page {
    let what = u64::try_from(awaited.len()).unwrap_or(u64::MAX);
    let entry = |one: &Awaited| {
        let entry = Entry::named(one.target.as_str(), one.summary.as_str())
            .prose("for", format!("`{}` in {}", one.requirement, list(&one.environments)))
            .prose("since", one.since.map(|since| since.to_string()).unwrap_or_default());
        if one.command.starts_with("git ") {
            entry.exact("run", one.command.as_str())
        } else {
            entry.prose("mend", one.command.as_str())
        }
    };
    let problems = unjudged.iter().map(|line| self::entry(line)).collect();
    Page {
        word: Word::new(
            if what == 0 { "nothing" } else { "pending" },
            if what == 0 { Tone::Good } else { Tone::Open },
        ),
        about: format!("{} on {person}", if what == 0 { "waits".to_owned() } else { format!("{what} wait") }),
        lead: Vec::new(),
        sections: [
            Section::entries("What waits", awaited.iter().map(entry).collect()),
            Section::entries("Could not be judged", problems),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// What is short is never broken; what a gate waits for has the room that is left.
fn constraint(rows: &[[String; 5]], column: usize) -> ColumnConstraint {
    let widest = rows.iter().filter_map(|row| row.get(column)).flat_map(|cell| cell.lines());
    let widest = widest.map(|line| line.chars().count()).max().unwrap_or_default();
    let most = if column == 0 { WIDEST_GATE } else { WIDEST_CELL };
    if widest <= usize::from(most) {
        ColumnConstraint::ContentWidth
    } else {
        ColumnConstraint::Absolute(Width::Fixed(most))
    }
}

fn cells(line: &GateLine, now: Time) -> [String; 5] {
    let risk = line.change.as_ref().map(|change| escape(change.risk.as_str())).unwrap_or_default();
    [
        escape(&line.gate.to_string()),
        risk,
        verdicts(line).iter().map(|verdict| escape(verdict)).collect::<Vec<_>>().join("\n"),
        waits(line, MOST_IN_CELL).iter().map(|wait| escape(wait)).collect::<Vec<_>>().join("\n"),
        line.since.map(|since| ago(now.seconds_since(since))).unwrap_or_default(),
    ]
}

fn entry(line: &GateLine) -> Entry {
    let (word, tone) = match line.worst() {
        Some(outcome) => (outcome.as_str(), judgement::tone(outcome)),
        None => ("unknown", Tone::Bad),
    };
    let summary = line.change.as_ref().map(|change| change.summary.clone()).unwrap_or_default();
    let change = line.change.as_ref().map(|change| format!("{}, {}", list(&change.kinds), change.risk));
    let entry = Entry::named(line.gate.to_string(), summary)
        .word(word, tone)
        .prose("verdict", list(verdicts(line)))
        .prose("change", change.unwrap_or_default())
        .prose("waits", list(waits(line, usize::MAX)))
        .prose("since", line.since.map(|since| since.to_string()).unwrap_or_default());
    if line.unmerged { entry.prose("branch", "not merged: judged as if it were") } else { entry }
}

/// One verdict where all environments have the same; else one for each.
fn verdicts(line: &GateLine) -> Vec<String> {
    let mark = if line.unmerged { " (not merged)" } else { "" };
    let first = line.environments.first().map(|first| first.outcome.as_str());
    match (&line.problem, first) {
        (Some(_), _) => vec!["unknown".to_owned()],
        (None, None) => vec![format!("no environment{mark}")],
        (None, Some(first)) if line.environments.iter().all(|one| one.outcome.as_str() == first) => {
            vec![format!("{first}{mark}")]
        }
        (None, Some(_)) => {
            let one = |one: &EnvironmentLine| format!("{}: {}{mark}", one.environment, one.outcome.as_str());
            line.environments.iter().map(one).collect()
        }
    }
}

/// What a gate waits for, by whom: a requirement by its name, several by their number.
fn waits(line: &GateLine, most: usize) -> Vec<String> {
    if let Some(problem) = &line.problem {
        return vec![problem.clone()];
    }
    let mut by_whom: BTreeMap<&BTreeSet<Principal>, BTreeSet<String>> = BTreeMap::new();
    for Wait { requirement, who, .. } in &line.waits {
        by_whom.entry(who).or_default().insert(requirement.to_string());
    }
    let words = |(who, what): (&BTreeSet<Principal>, BTreeSet<String>)| {
        let many = u64::try_from(what.len()).unwrap_or(u64::MAX);
        let what = if many == 1 { list(what) } else { counted(many, "requirement") };
        let more = who.len().saturating_sub(most);
        let named = list(who.iter().take(most));
        match (who.is_empty(), more) {
            (true, _) => what,
            (false, 0) => format!("{what}: {named}"),
            (false, _) => format!("{what}: {named} and {more} more"),
        }
    };
    by_whom.into_iter().map(words).collect()
}

/// `12 gates: 1 blocked, 2 pending, 9 allowed`.
fn count(lines: &[GateLine]) -> String {
    let of =
        |wanted: &dyn Fn(Option<Outcome>) -> bool| lines.iter().filter(|line| wanted(line.worst())).count();
    let groups = [
        ("blocked", of(&|worst| worst == Some(Outcome::Blocked))),
        ("pending", of(&|worst| worst == Some(Outcome::Pending))),
        ("allowed", of(&|worst| matches!(worst, Some(Outcome::Allowed(_))))),
        ("unknown", of(&|worst| worst.is_none())),
    ];
    let groups = groups.into_iter().filter(|(_, many)| *many > 0);
    let groups = list(groups.map(|(word, many)| format!("{many} {word}")));
    let all = counted(u64::try_from(lines.len()).unwrap_or(u64::MAX), "gate");
    if groups.is_empty() { all } else { format!("{all}: {groups}") }
}

/// How long ago, in the largest unit.
fn ago(seconds: i64) -> String {
    match seconds {
        86_400.. => format!("{}d", seconds / 86_400),
        3_600.. => format!("{}h", seconds / 3_600),
        _ => format!("{}m", seconds.max(0) / 60),
    }
}
