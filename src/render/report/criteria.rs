//! Criteria: where each came from, what the policy in force makes of the gates that ran, and how the numbers behind each bound
//! are spread.

use crate::insight::backtest::Cells;
use crate::insight::tune::{Suggested, Tuned};

use super::super::backtest::conclusion;
use super::super::page::{Tone, Word, counted, list};
use super::super::sheet::{Block, Cell, Part, Sheet, Table, joined};
use super::super::tune::{exact, spread_words, suggested};
use super::{Whole, parts};

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    let refinement = whole.refinement;
    let all = &refinement.score.all;
    let mut all_parts = vec![origins(whole), unanswered(whole), against_incidents(whole), bounds(whole)];
    all_parts.extend(left_out(whole));
    Sheet {
        path: "criteria.html".to_owned(),
        kind: "Criteria",
        title: "Criteria and what incidents made of them".to_owned(),
        words: vec![
            Word::new(
                format!("{} that ran", counted(u64::from(all.incidents() + all.others()), "gate")),
                Tone::Plain,
            ),
            Word::new(format!("{} led to incidents", all.incidents()), Tone::Plain),
        ],
        lead: Cell::words(format!(
            "Each gate that was decided is judged again as of that moment under the policy in force now: {}, {} not decided yet.",
            counted(refinement.total(), "verdict"),
            refinement.undecided
        )),
        parts: all_parts,
    }
}

/// Where each criterion came from.
fn origins(whole: &Whole<'_>) -> Part {
    let origins = crate::insight::origins(whole.policy, whole.incidents.iter().map(|line| &line.fact.id));
    let rows = origins.criteria.iter().map(|(name, origin)| {
        let stands = match &origin.text {
            None => Cell::mark("does not say", Tone::Open),
            Some(_) if origin.incidents.is_empty() => Cell::mark("names no known incident", Tone::Plain),
            Some(_) => Cell::mark("came from incidents", Tone::Good),
        };
        vec![
            Cell::words(name.to_string()),
            stands,
            joined(origin.incidents.iter().map(|id| Cell::link(id.to_string(), parts::incident_path(id)))),
            Cell::words(origin.text.clone().unwrap_or_default()),
        ]
    });
    Part::table(
        "Criteria and their origin",
        Table {
            caption: "Where each criterion of the policy in force came from".to_owned(),
            columns: vec!["Criterion", "Origin", "Incidents", "What the policy says"],
            rows: rows.collect(),
            empty: "The policy has no criterion.",
        },
    )
}

/// Incidents that changed nothing.
fn unanswered(whole: &Whole<'_>) -> Part {
    let origins = crate::insight::origins(whole.policy, whole.incidents.iter().map(|line| &line.fact.id));
    let words = if whole.incidents.is_empty() {
        Cell::words("No incident has been recorded.")
    } else if origins.unanswered.is_empty() {
        Cell::words("There is none: a criterion of the policy in force names each as its origin.")
    } else {
        joined(origins.unanswered.iter().map(|id| Cell::link(id.to_string(), parts::incident_path(id))))
    };
    Part::new("Incidents that changed nothing", vec![Block::Words(words)])
}

/// The policy in force, as a whole and part by part, against the gates that ran.
fn against_incidents(whole: &Whole<'_>) -> Part {
    let score = &whole.refinement.score;
    let mut rows = vec![row(Cell::words("the policy as a whole"), &score.all)];
    rows.extend(score.rules.iter().map(|(rule, cells)| row(Cell::words(format!("rule {rule}")), cells)));
    rows.extend(score.requirements.iter().map(|(id, cells)| row(Cell::exact(id), cells)));
    let ran = score.all.incidents() + score.all.others();
    let table = Table {
        caption:
            "Gates that ran, by whether they led to an incident, and what the policy in force would have done"
                .to_owned(),
        columns: vec![
            "Part of the policy",
            "Led to incidents: stopped",
            "Incidents: held up",
            "Incidents: let pass",
            "Led to none: stopped",
            "None: held up",
            "None: let pass",
        ],
        rows: if ran == 0 { Vec::new() } else { rows },
        empty: "No gate ran yet.",
    };
    let mut blocks = vec![Block::Table(table)];
    if ran > 0 {
        blocks.push(Block::Words(Cell::words(format!("Of the policy as a whole: {}.", conclusion(score)))));
        blocks.push(Block::Words(Cell::words(
            "What is held up waits for an approval or a report that nobody was asked for then: what that would have shown nobody knows.",
        )));
    }
    Part::new("The policy in force against what happened", blocks)
}

fn row(name: Vec<Cell>, cells: &Cells) -> Vec<Vec<Cell>> {
    let count = |count: u32| Cell::words(count.to_string());
    vec![
        name,
        count(cells.caught),
        count(cells.held_incidents),
        count(cells.missed),
        count(cells.false_alarms),
        count(cells.held_others),
        count(cells.passed),
    ]
}

/// How the numbers behind each bound are spread, and what that speaks for.
fn bounds(whole: &Whole<'_>) -> Part {
    let rows = whole.refinement.tuning.bounds().map(bound);
    Part::table(
        "Bounds and the numbers behind them",
        Table {
            caption: "The numbers of gates that ran, and what they speak for: `git gate tune` shows every threshold"
                .to_owned(),
            columns: vec!["Criterion", "Bound", "On", "Led to incidents", "Others", "Without a number", "Therefore"],
            rows: rows.collect(),
            empty: "No criterion of the policy in force sets a bound that is a number.",
        },
    )
}

fn bound(tuned: &Tuned) -> Vec<Vec<Cell>> {
    let suggestion = tuned.suggestion();
    let mark = match suggestion {
        Suggested::Bound(_) => Word::new("proposed", Tone::Open),
        Suggested::NoIncidents
        | Suggested::TooFew(_)
        | Suggested::Chance(_)
        | Suggested::TooDear
        | Suggested::Present => Word::new("stays", Tone::Plain),
    };
    vec![
        Cell::words(tuned.criterion.to_string()),
        Cell::words(format!("{} = {}", tuned.dial.as_str(), exact(tuned.present))),
        Cell::words(format!("{} of {}", tuned.metric, tuned.evidence)),
        Cell::words(spread_words(&tuned.spread(true))),
        Cell::words(spread_words(&tuned.spread(false))),
        Cell::words(tuned.unread.to_string()),
        vec![Cell::Mark(mark), Cell::Words(format!("\n{}", suggested(tuned, &suggestion)))],
    ]
}

fn left_out(whole: &Whole<'_>) -> Option<Part> {
    let left = &whole.refinement.left_out;
    let points = left.iter().map(|(why, gates)| Cell::words(format!("{}: {why}", list(gates))));
    (!left.is_empty()).then(|| Part::new("Left out", vec![Block::Points(points.collect())]))
}
