//! Exceptions and incidents: all of them, and each on a page of its own.

use std::collections::BTreeMap;

use crate::insight::{Dossier, IncidentLine, LoggedRecord};
use crate::model::IncidentId;
use crate::verdict::ExceptionFact;

use super::super::page::{Tone, Word, list};
use super::super::sheet::{Block, Cell, Part, Sheet, Table, joined};
use super::super::tune::exact;
use super::{ExceptionRow, GateRow, Whole, parts};

/// The page of a gate's exception.
pub(super) fn exception_sheet(dossier: &Dossier) -> Option<Sheet> {
    let fact = dossier.exception.as_ref()?;
    let shown: Vec<_> = dossier.verdicts.iter().flat_map(|verdict| &verdict.exceptions).collect();
    let in_force = shown.iter().any(|exception| exception.in_force);
    let rows = dossier.verdicts.iter().flat_map(|verdict| {
        verdict.exceptions.iter().map(|exception| {
            vec![
                Cell::words(verdict.environment.to_string()),
                parts::force_mark(exception.in_force),
                Cell::words(exception.reason.as_str()),
            ]
        })
    });
    let stands = Table {
        caption: "How it stands, and who accepted its risk".to_owned(),
        columns: vec!["Environment", "Stands", "Why"],
        rows: rows.collect(),
        empty: "It names no environment that the gate asks for.",
    };
    Some(Sheet {
        path: parts::exception_path(&dossier.gate),
        kind: "Exception",
        title: dossier.gate.to_string(),
        words: vec![parts::force_word(in_force)],
        lead: Vec::new(),
        parts: vec![
            Part::new("What is accepted", vec![Block::Facts(exception_facts(dossier, fact))]),
            Part::table("How it stands", stands),
        ],
    })
}

fn exception_facts(dossier: &Dossier, fact: &ExceptionFact) -> Vec<(&'static str, Vec<Cell>)> {
    let mut facts = vec![("Gate", parts::gate_link(&dossier.gate))];
    match &fact.exception {
        Err(reason) => facts.push(("Does not read", Cell::words(reason.as_str()))),
        Ok(exception) => {
            facts.push(("Waives", joined(exception.waives.iter().map(Cell::exact))));
            facts.push(("Environments", Cell::words(list(&exception.environments))));
            facts.push(("Reason", Cell::words(exception.reason.as_str())));
            facts.push(("Risk", Cell::words(exception.risk.as_str())));
            facts.push(("Owner", Cell::words(exception.owner.to_string())));
            for control in &exception.controls {
                facts.push(("Control", Cell::words(control.as_str())));
            }
            for follow_up in &exception.follow_ups {
                let mut cells = Cell::words(format!("{}, by {} until ", follow_up.what, follow_up.who));
                cells.extend(Cell::time(follow_up.due));
                facts.push(("Follow-up", cells));
            }
            facts.push(("Expires", Cell::maybe_time(exception.expires)));
        }
    }
    if let Some(defect) = &fact.defect {
        facts.push(("Defect", Cell::words(defect.as_str())));
    }
    facts.push(("Authors", Cell::words(list(&fact.authors))));
    facts.push(("Since", Cell::time(fact.since)));
    facts.push(("Content digest", Cell::exact(fact.content)));
    facts.push(("Commit", Cell::exact(fact.commit)));
    facts
}

/// The page of all exceptions, and of what was deployed past the gate.
pub(super) fn exceptions(whole: &Whole<'_>) -> Sheet {
    let glass: Vec<&LoggedRecord> = whole.records.iter().filter(|logged| logged.break_glass).collect();
    Sheet {
        path: "exceptions.html".to_owned(),
        kind: "Exceptions",
        title: "Accepted risks".to_owned(),
        words: Vec::new(),
        lead: Cell::words(
            "A requirement is passed over only by a signed exception that names it, that the roles of the policy have accepted, and that ends.",
        ),
        parts: vec![
            in_force(whole),
            Part::table(
                "Not in force",
                exception_table("Awaited, ended or not acceptable".to_owned(), whole, false),
            ),
            Part::table(
                "Break-glass",
                Table {
                    empty: "Nothing was deployed past the gate.",
                    ..parts::records("Deployments that were not allowed".to_owned(), glass)
                },
            ),
        ],
    }
}

/// The exceptions in force (R14.3).
pub(super) fn in_force(whole: &Whole<'_>) -> Part {
    Part::table("Exceptions in force", exception_table("Risks that are accepted now".to_owned(), whole, true))
}

fn exception_table(caption: String, whole: &Whole<'_>, in_force: bool) -> Table {
    let rows = whole.gates.iter().filter_map(|row: &GateRow| {
        let ExceptionRow { fact, in_force: is, reason } = row.exception.as_deref()?;
        if *is != in_force {
            return None;
        }
        let read = fact.exception.as_ref().ok();
        Some(vec![
            Cell::link(row.line.gate.to_string(), parts::exception_path(&row.line.gate)),
            Cell::words(read.map(|exception| list(&exception.waives)).unwrap_or_default()),
            Cell::words(read.map(|exception| exception.owner.to_string()).unwrap_or_default()),
            Cell::maybe_time(read.and_then(|exception| exception.expires)),
            Cell::words(reason.as_str()),
        ])
    });
    Table {
        caption,
        columns: vec!["Gate", "Waives", "Owner", "Expires", "Why"],
        rows: rows.collect(),
        empty: "There is none.",
    }
}

/// The page of all incidents.
pub(super) fn incidents(whole: &Whole<'_>) -> Sheet {
    Sheet {
        path: "incidents.html".to_owned(),
        kind: "Incidents",
        title: "Incidents".to_owned(),
        words: Vec::new(),
        lead: vec![
            Cell::Words("What they changed in the policy stands under ".to_owned()),
            Cell::Link("criteria".to_owned(), "criteria.html".to_owned()),
            Cell::Words(".".to_owned()),
        ],
        parts: vec![Part::table("Incidents", incident_table("Every incident".to_owned(), whole, false))],
    }
}

/// Incidents in rows, the latest first; those that are open alone, or all.
pub(super) fn incident_table(caption: String, whole: &Whole<'_>, open_only: bool) -> Table {
    let shown = whole.incidents.iter().filter(|line| line.hit.open || !open_only);
    let rows = shown.map(|line| {
        let incident = &line.fact.incident;
        vec![
            Cell::link(line.fact.id.to_string(), parts::incident_path(&line.fact.id)),
            state_mark(line.hit.open),
            Cell::words(incident.severity.to_string()),
            parts::gate_link(&incident.gate),
            Cell::words(incident.environment.to_string()),
            Cell::time(line.hit.began),
            hit(line),
            Cell::words(incident.summary.as_str()),
        ]
    });
    Table {
        caption,
        columns: vec![
            "Incident",
            "State",
            "Severity",
            "Version",
            "Environment",
            "Began",
            "Hit",
            "What happened",
        ],
        rows: rows.collect(),
        empty: "There is none.",
    }
}

/// The deployment that an incident hit.
fn hit(line: &IncidentLine) -> Vec<Cell> {
    match &line.record {
        Some(record) => {
            Cell::time_link(record.time, parts::record_path(&line.fact.incident.environment, record.commit))
        }
        None => Cell::words("no deployment"),
    }
}

fn state_mark(open: bool) -> Vec<Cell> {
    if open { Cell::mark("open", Tone::Bad) } else { Cell::mark("resolved", Tone::Good) }
}

/// A page for each incident; one file may have named several versions over time.
pub(super) fn incident_sheets(whole: &Whole<'_>) -> impl Iterator<Item = Sheet> {
    let mut by_id: BTreeMap<&IncidentId, Vec<&IncidentLine>> = BTreeMap::new();
    for line in whole.incidents {
        by_id.entry(&line.fact.id).or_default().push(line);
    }
    by_id.into_iter().map(|(id, lines)| incident_sheet(id, &lines, whole))
}

fn incident_sheet(id: &IncidentId, lines: &[&IncidentLine], whole: &Whole<'_>) -> Sheet {
    let open = lines.iter().any(|line| line.hit.open);
    let origins = crate::insight::origins(whole.policy, [id]);
    let answered = origins.criteria.iter().filter(|(_, origin)| !origin.incidents.is_empty());
    let answered: Vec<String> = answered.map(|(name, _)| name.to_string()).collect();
    let mut all: Vec<Part> = lines.iter().map(|line| incident_part(line)).collect();
    all.push(Part::new(
        "What it changed",
        vec![Block::Words(Cell::words(if answered.is_empty() {
            "Nothing, as far as the policy says: no criterion in force names it as its origin.".to_owned()
        } else {
            format!("It is the origin of: {}.", answered.join(", "))
        }))],
    ));
    Sheet {
        path: parts::incident_path(id),
        kind: "Incident",
        title: id.to_string(),
        words: vec![if open { Word::new("open", Tone::Bad) } else { Word::new("resolved", Tone::Good) }],
        lead: lines.first().map(|line| Cell::words(line.fact.incident.summary.as_str())).unwrap_or_default(),
        parts: all,
    }
}

fn incident_part(line: &IncidentLine) -> Part {
    let incident = &line.fact.incident;
    let mut facts = vec![
        ("Version", parts::gate_link(&incident.gate)),
        ("Environment", Cell::words(incident.environment.to_string())),
        ("Severity", Cell::words(incident.severity.to_string())),
        ("Detected", Cell::time(incident.detected)),
        ("Began", Cell::time(line.hit.began)),
        ("Resolved", Cell::maybe_time(incident.resolved)),
        ("Hit", hit(line)),
        (
            "Deployed by",
            line.record
                .as_ref()
                .map_or_else(|| Cell::words("—"), |record| Cell::person(record.principal.as_ref())),
        ),
        ("Cause", Cell::words(incident.cause.clone().unwrap_or_else(|| "not known yet".to_owned()))),
    ];
    for (name, value) in &incident.metrics {
        facts.push(("Production showed", Cell::words(format!("{name} = {}", exact(*value)))));
    }
    facts.push(("Opened by commit", Cell::exact(line.fact.opened)));
    Part::new(format!("{} in {}", incident.gate, incident.environment), vec![Block::Facts(facts)])
}
