//! Lists of gates: a table on a terminal, entries in markdown; and what waits on one person.
//!
//! Every cell is escaped before it is measured, so that no text of a repository can break a row; what a gate waits for
//! stands below its row, so that no name is broken either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::insight::{EnvironmentLine, GateLine, Origin, Wait};
use crate::model::{Name, Principal, Time, escape};
use crate::verdict::{Notice, Outcome};

use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Page, Section, Tone, Word, counted, list};

const COLUMNS: usize = 4;
const HEADER: [&str; COLUMNS] = ["gate", "risk", "verdict", "since"];
/// What is longer pushes out its own row alone.
const WIDEST_CELL: usize = 32;
/// So many people stand in a line of what a gate waits for; the other forms name all.
const MOST_IN_LINE: usize = 2;

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
pub(super) fn table(lines: &[GateLine], origin: &Origin, width: usize) -> String {
    let rows: Vec<[Vec<String>; COLUMNS]> = lines.iter().map(|line| cells(line, origin.time)).collect();
    let header = HEADER.map(|name| vec![name.to_owned()]);
    let widths: Vec<usize> = (0..COLUMNS).map(|column| widest(&header, &rows, column)).collect();
    let mut text = String::new();
    if !lines.is_empty() {
        put_row(&mut text, &header, &widths);
    }
    for (line, row) in lines.iter().zip(&rows) {
        put_row(&mut text, row, &widths);
        for wait in waits(line, MOST_IN_LINE) {
            put_words(&mut text, &escape(&wait), width);
        }
    }
    if !lines.is_empty() {
        text.push('\n');
    }
    put_words_at(&mut text, &count(lines), width, 0);
    for notice in origin.notices.iter().filter(|notice| notice.code == "local-ahead") {
        put_words_at(&mut text, &escape(&notice.message), width, 0);
    }
    text
}

/// The room that a column takes: that of what is in it, up to a limit beyond which one row alone is pushed out.
fn widest(header: &[Vec<String>; COLUMNS], rows: &[[Vec<String>; COLUMNS]], column: usize) -> usize {
    let cells = rows.iter().chain([header]).filter_map(|row| row.get(column)).flatten();
    cells.map(|text| text.chars().count()).filter(|wide| *wide <= WIDEST_CELL).max().unwrap_or_default()
}

/// A row, as many lines high as its highest cell.
fn put_row(text: &mut String, row: &[Vec<String>; COLUMNS], widths: &[usize]) {
    let high = row.iter().map(Vec::len).max().unwrap_or_default();
    for at in 0..high {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(widths) {
            let words = cell.get(at).map_or("", String::as_str);
            let _ = write!(line, "{words:wide$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn put_words(text: &mut String, safe: &str, width: usize) {
    put_words_at(text, safe, width, 2);
}

/// Words, further lines indented by two more.
fn put_words_at(text: &mut String, safe: &str, width: usize, indent: usize) {
    let mut line = " ".repeat(indent);
    let mut empty = true;
    for word in safe.split(' ').filter(|word| !word.is_empty()) {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            text.push_str(&line);
            text.push('\n');
            line = " ".repeat(indent + 2);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    text.push_str(&line);
    text.push('\n');
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
        about: match what {
            0 => format!("waits on {person}"),
            1 => format!("1 waits on {person}"),
            _ => format!("{what} wait on {person}"),
        },
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

fn cells(line: &GateLine, now: Time) -> [Vec<String>; COLUMNS] {
    let risk = line.change.as_ref().map(|change| escape(change.risk.as_str())).unwrap_or_default();
    [
        vec![escape(&line.gate.to_string())],
        vec![risk],
        verdicts(line).iter().map(|verdict| escape(verdict)).collect(),
        vec![line.since.map(|since| ago(now.seconds_since(since))).unwrap_or_default()],
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
