//! Lists of gates: the systems, and every gate of one system.

use std::collections::BTreeMap;

use crate::model::Name;
use crate::verdict::Outcome;

use super::super::page::{Tone, Word};
use super::super::sheet::{Cell, Part, Sheet, Table, joined};
use super::{GateRow, Whole, parts};

/// The page of all systems, and one for each.
pub(super) fn sheets(whole: &Whole<'_>) -> Vec<Sheet> {
    let mut systems: BTreeMap<&Name, Vec<&GateRow>> = BTreeMap::new();
    for row in whole.gates {
        systems.entry(&row.line.gate.system).or_default().push(row);
    }
    let mut sheets = vec![all(whole, &systems)];
    sheets.extend(systems.into_iter().map(|(system, rows)| one(whole, system, rows)));
    sheets
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
        parts: vec![Part::table("Systems", table)],
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
        let gate = if line.problem.is_none() && !line.unmerged {
            parts::gate_link(&line.gate)
        } else {
            Cell::words(line.gate.to_string())
        };
        vec![
            gate,
            Cell::words(line.change.as_ref().map(|change| change.summary.clone()).unwrap_or_default()),
            Cell::words(line.change.as_ref().map(|change| change.risk.to_string()).unwrap_or_default()),
            outcomes(row),
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

/// The verdict, once where all environments agree.
fn outcomes(row: &GateRow) -> Vec<Cell> {
    let line = &row.line;
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
