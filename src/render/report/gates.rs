//! Lists of gates: the systems, and every gate of one system.

use std::collections::BTreeMap;
use std::iter;

use crate::insight::GateLine;
use crate::model::Name;
use crate::verdict::Outcome;

use super::super::page::{Tone, Word, list};
use super::super::sheet::{Block, Cell, Part, Sheet, Table, joined};
use super::{GateRow, Whole, parts};

/// The page of all systems, and one for each.
pub(super) fn sheets<'w>(whole: &'w Whole<'_>) -> impl Iterator<Item = Sheet> + use<'w> {
    let mut systems: BTreeMap<&Name, Vec<&GateRow>> = BTreeMap::new();
    for row in whole.gates {
        systems.entry(&row.line.gate.system).or_default().push(row);
    }
    let all = all(whole, &systems);
    iter::once(all).chain(systems.into_iter().map(|(system, rows)| one(whole, system, rows)))
}

fn all(whole: &Whole<'_>, systems: &BTreeMap<&Name, Vec<&GateRow>>) -> Sheet {
    let rows = systems.iter().map(|(system, rows)| {
        let of = |wanted: fn(Option<Outcome>) -> bool| {
            Cell::words(rows.iter().filter(|row| wanted(row.line.worst())).count().to_string())
        };
        let known = whole.policy.systems.get(*system);
        vec![
            Cell::link(system.to_string(), parts::system_path(system)),
            Cell::words(known.and_then(|known| known.title.clone()).unwrap_or_default()),
            Cell::words(
                known.and_then(|known| known.owner.as_ref()).map(ToString::to_string).unwrap_or_default(),
            ),
            Cell::words(rows.len().to_string()),
            of(|worst| matches!(worst, Some(Outcome::Allowed(_)))),
            of(|worst| matches!(worst, Some(Outcome::Pending))),
            of(|worst| matches!(worst, Some(Outcome::Blocked) | None)),
        ]
    });
    let table = Table {
        caption: "Systems, and how their gates stand in the environment where they stand worst".to_owned(),
        columns: vec!["System", "Title", "Owner", "Gates", "Allowed", "Pending", "Blocked or not judged"],
        rows: rows.collect(),
        empty: "There is no gate.",
    };
    Sheet {
        path: "gates.html".to_owned(),
        kind: "Gates",
        title: "Systems and their gates".to_owned(),
        words: Vec::new(),
        lead: Cell::words("A gate is one request to deploy one version of one system."),
        parts: vec![
            Part::table("Systems", table),
            Part::table("On branches, not merged", on_branches(whole)),
        ],
    }
}

fn one(whole: &Whole<'_>, system: &Name, rows: Vec<&GateRow>) -> Sheet {
    let mut rows = rows;
    rows.sort_by(|one, other| {
        other.line.opened.cmp(&one.line.opened).then_with(|| one.line.gate.cmp(&other.line.gate))
    });
    let title = whole.policy.systems.get(system).and_then(|known| known.title.clone()).unwrap_or_default();
    Sheet {
        path: parts::system_path(system),
        kind: "System",
        title: system.to_string(),
        words: Vec::new(),
        lead: Cell::words(title),
        parts: vec![Part::table("Gates", table(format!("Every gate of {system}, the latest first"), rows))],
    }
}

/// Gates in rows.
pub(super) fn table<'a>(caption: String, rows: impl IntoIterator<Item = &'a GateRow>) -> Table {
    let rows = rows.into_iter().map(|row| {
        let line = &row.line;
        vec![
            parts::gate_link(&line.gate),
            Cell::words(line.change.as_ref().map(|change| change.summary.clone()).unwrap_or_default()),
            Cell::words(line.change.as_ref().map(|change| change.risk.to_string()).unwrap_or_default()),
            with_branch(row),
            Cell::maybe_time(line.opened),
        ]
    });
    Table {
        caption,
        columns: vec!["Gate", "Change", "Risk", "Verdict", "Opened"],
        rows: rows.collect(),
        empty: "There is none.",
    }
}

/// How a gate stands, and how it would if its branch were merged.
fn with_branch(row: &GateRow) -> Vec<Cell> {
    let mut cells = outcomes(&row.line);
    if let Some(ahead) = &row.ahead {
        cells.push(Cell::Words("\n".to_owned()));
        cells.extend(outcomes(ahead));
    }
    cells
}

/// The verdict, once where all environments agree.
fn outcomes(line: &GateLine) -> Vec<Cell> {
    if let Some(problem) = &line.problem {
        let mut cells = Cell::mark("could not be judged", Tone::Bad);
        cells.push(Cell::Words(format!(": {problem}")));
        return cells;
    }
    let mut words: BTreeMap<String, (Word, Vec<String>)> = BTreeMap::new();
    for at in &line.environments {
        let word = parts::outcome_word(at.outcome);
        words
            .entry(word.text.clone())
            .or_insert_with(|| (word, Vec::new()))
            .1
            .push(at.environment.to_string());
    }
    let alone = words.len() == 1;
    let cells = words.into_values().map(|(word, places)| {
        let mut cells = vec![Cell::Mark(word)];
        if !alone {
            cells.push(Cell::Words(format!(" in {}", places.join(", "))));
        }
        cells
    });
    let mut cells = joined(cells);
    if line.unmerged {
        cells.push(Cell::Words(" (as if its branch were merged)".to_owned()));
    }
    cells
}

/// Gates that stand on branches: all that nobody has merged yet (R14.8).
fn on_branches(whole: &Whole<'_>) -> Table {
    let rows = whole.unmerged().map(|line| {
        let waits = line.waits.iter().map(|wait| {
            let who = if wait.who.is_empty() { String::new() } else { format!(" on {}", list(&wait.who)) };
            Cell::words(format!("{}{who}", wait.requirement))
        });
        vec![
            parts::gate_link(&line.gate),
            Cell::exact(line.gate.branch()),
            outcomes(line),
            joined(waits),
            Cell::maybe_time(line.since),
        ]
    });
    Table {
        caption: "Gates whose branch holds what the mainline does not, each judged as if it were merged now"
            .to_owned(),
        columns: vec!["Gate", "Branch", "Verdict", "Waits for", "Since"],
        rows: rows.collect(),
        empty: "There is none: the mainline holds what all branches hold.",
    }
}

/// A page for each gate that the mainline does not hold, or that could not be judged there: what is known of it.
pub(super) fn others(whole: &Whole<'_>) -> impl Iterator<Item = Sheet> {
    let others = whole.gates.iter().filter(|row| row.line.unmerged || row.line.problem.is_some());
    others.map(|row| other(whole, row))
}

fn other(whole: &Whole<'_>, row: &GateRow) -> Sheet {
    let line = &row.line;
    let mut facts = vec![("Verdict", with_branch(row))];
    if let Some(change) = &line.change {
        facts.push(("Change", Cell::words(change.summary.as_str())));
        facts.push(("Kinds", Cell::words(list(&change.kinds))));
        facts.push(("Risk", Cell::words(change.risk.to_string())));
    }
    facts.push(("Opened", Cell::maybe_time(line.opened)));
    facts.push(("Authors and deciders", Cell::words(list(&line.people))));
    let rows = line.environments.iter().flat_map(|at| {
        at.open.iter().map(|(id, status)| {
            vec![
                Cell::words(id.to_string()),
                parts::status_mark(*status),
                Cell::words(at.environment.to_string()),
            ]
        })
    });
    let open = Table {
        caption: "What is open".to_owned(),
        columns: vec!["Requirement", "Status", "Environment"],
        rows: rows.collect(),
        empty: "Nothing that is known.",
    };
    let records = whole.records.iter().filter(|logged| logged.record.gate == line.gate);
    let incidents = whole.incidents.iter().filter(|found| found.fact.incident.gate == line.gate);
    let incidents =
        incidents.map(|found| Cell::link(found.fact.id.to_string(), parts::incident_path(&found.fact.id)));
    let incidents = joined(incidents);
    Sheet {
        path: parts::gate_path(&line.gate),
        kind: "Gate",
        title: line.gate.to_string(),
        words: vec![Word::new(
            if line.problem.is_some() { "not judged" } else { "on its branch alone" },
            Tone::Open,
        )],
        lead: Cell::words(if line.problem.is_some() {
            "It could not be judged; what a log or an incident says of it stands here."
        } else {
            "It stands on its branch alone, and is judged as if that were merged. Until somebody merges it, it is no record."
        }),
        parts: vec![
            Part::new("How it stands", vec![Block::Facts(facts)]),
            Part::table("Open requirements", open),
            Part::table("Log entries", parts::records("Deployments of this version".to_owned(), records)),
            Part::new(
                "Incidents",
                vec![Block::Words(if incidents.is_empty() {
                    Cell::words("There is none on it.")
                } else {
                    incidents
                })],
            ),
        ],
    }
}
