//! What several pages of a report have in common: where pages lie, marks, the checklist and the decisions as tables.

use crate::decision::Verb;
use crate::insight::{LoggedRecord, Origin, Place, Violation};
use crate::model::Code;
use crate::model::{GateName, IncidentId, Label, Name, ObjectId};
use crate::verdict::{Basis, DecisionShown, Outcome, Requirement, Status};

use super::super::deployments::word;
use super::super::judgement::tone;
use super::super::origin::origin_facts;
use super::super::page::{Fact, Text, Tone, Word, list};
use super::super::sheet::{Block, Cell, Part, Table, joined};
use super::Whole;

pub(super) fn gate_path(gate: &GateName) -> String {
    format!("gates/{}/{}.html", gate.system, gate.version)
}

pub(super) fn system_path(system: &Name) -> String {
    format!("systems/{system}.html")
}

pub(super) fn environment_path(environment: &Name) -> String {
    format!("deployments/{environment}.html")
}

pub(super) fn record_path(environment: &Name, record: ObjectId) -> String {
    format!("deployments/{environment}/{record}.html")
}

pub(super) fn exception_path(gate: &GateName) -> String {
    format!("exceptions/{}/{}.html", gate.system, gate.version)
}

pub(super) fn incident_path(id: &IncidentId) -> String {
    format!("incidents/{id}.html")
}

pub(super) fn gate_link(gate: &GateName) -> Vec<Cell> {
    Cell::link(gate.to_string(), gate_path(gate))
}

/// `allowed`, with the basis where that is not the requirements.
pub(super) fn outcome_word(outcome: Outcome) -> Word {
    let text = match outcome {
        Outcome::Allowed(Basis::Exception) => "allowed on an exception",
        Outcome::Allowed(Basis::Rollback) => "allowed as a rollback",
        Outcome::Allowed(Basis::Requirements) | Outcome::Pending | Outcome::Blocked => outcome.as_str(),
    };
    Word::new(text, tone(outcome))
}

pub(super) fn status_mark(status: Status) -> Vec<Cell> {
    let (word, tone) = match status {
        Status::Met => ("met", Tone::Good),
        Status::Missing => ("missing", Tone::Open),
        Status::Stale => ("stale", Tone::Open),
        Status::Failed => ("FAILED", Tone::Bad),
        Status::Waived => ("waived", Tone::Accepted),
    };
    Cell::mark(word, tone)
}

/// How a record stands, as `log` says it.
pub(super) fn record_mark(logged: &LoggedRecord) -> Vec<Cell> {
    let (text, tone) = word(logged);
    Cell::mark(text, tone)
}

/// A checklist as a table.
pub(super) fn checklist(caption: String, lines: &[Requirement]) -> Table {
    let rows = lines.iter().map(|line| {
        let by = line.by.iter().map(|by| {
            let mut cells = by
                .principal
                .as_ref()
                .map(|who| Cell::Words(format!("{who} ")))
                .into_iter()
                .collect::<Vec<_>>();
            cells.extend(Cell::commit(by.commit));
            cells
        });
        let next = line.next.as_ref().map(|next| {
            let mut cells = Cell::words(list(&next.who));
            if !next.who.is_empty() {
                cells.push(Cell::Words(": ".to_owned()));
            }
            cells.push(Cell::Exact(next.command.clone()));
            cells
        });
        vec![
            Cell::words(line.id.to_string()),
            status_mark(line.status),
            Cell::words(line.expected.as_str()),
            Cell::words(without_age(&line.found)),
            joined(by),
            Cell::words(list(line.rules.iter().map(Label::as_str))),
            next.unwrap_or_default(),
        ]
    });
    Table {
        caption,
        columns: vec!["Requirement", "Status", "Expected", "Found", "By", "Policy rule", "Next"],
        rows: rows.collect(),
        empty: "Nothing is asked for.",
    }
}

/// What was found, without how old it is: a page says since when, and so says the same tomorrow (R14.9).
pub(super) fn without_age(found: &str) -> String {
    let is_age = |word: &str| {
        let word = word.trim_end_matches([',', ';']);
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.ends_with(['d', 'h', 'm', 's'])
            && word.chars().all(|c| c.is_ascii_digit() || "dhms".contains(c))
    };
    let words: Vec<&str> = found.split(' ').collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let next = words.get(at + 1).copied().unwrap_or_default();
        if is_age(word) && matches!(next.trim_end_matches([',', ';', ':']), "old" | "ago") {
            if let Some(before) = kept.last_mut() {
                *before = before.trim_end_matches(',');
            }
            if next.ends_with(':') {
                kept.push("—");
            }
            at += 2;
            continue;
        }
        kept.push(word);
        at += 1;
    }
    kept.join(" ")
}

/// Decisions as a table: those that do not count with the code and the reason.
pub(super) fn decisions(decisions: &[DecisionShown]) -> Table {
    let rows = decisions.iter().map(|shown| {
        let fact = &shown.fact;
        let scope = if fact.environments.is_empty() { "all".to_owned() } else { list(&fact.environments) };
        let counts = match shown.code {
            None => Cell::mark("counts", Tone::Good),
            Some(code) => Cell::mark(code.as_str(), Tone::Open),
        };
        let mut words = Cell::words(said(shown));
        let reason = shown.reason.clone().unwrap_or_default();
        let apart = if reason.is_empty() || said(shown).is_empty() { "" } else { "\n" };
        words.push(Cell::Words(format!("{apart}{reason}")));
        if let Some(mend) = shown.code.and_then(Code::mend) {
            words.push(Cell::Words(format!("; mend: {mend}")));
        }
        vec![
            Cell::words(fact.verb.map_or("not readable", Verb::as_str)),
            Cell::person(fact.principal.as_ref()),
            Cell::words(fact.role.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::time(fact.signed_at),
            Cell::maybe_time(fact.recorded_at),
            Cell::words(scope),
            counts,
            Cell::commit(fact.commit),
            words,
        ]
    });
    Table {
        caption: "Every decision on this gate, counted or not".to_owned(),
        columns: vec![
            "Decision",
            "By",
            "Role",
            "Signed",
            "Recorded",
            "For",
            "Counts",
            "Commit",
            "Words and reason",
        ],
        rows: rows.collect(),
        empty: "Nobody has decided anything yet.",
    }
}

fn said(shown: &DecisionShown) -> String {
    match &shown.fact.reason {
        Some(reason) if shown.fact.words.is_empty() => reason.to_string(),
        Some(reason) => format!("{reason}: {}", shown.fact.words),
        None => shown.fact.words.clone(),
    }
}

/// Records of a log as a table.
pub(super) fn records<'a>(caption: String, records: impl IntoIterator<Item = &'a LoggedRecord>) -> Table {
    let rows = records.into_iter().map(|logged| {
        let record = &logged.record;
        vec![
            Cell::time_link(record.time, record_path(&logged.environment, record.commit)),
            gate_link(&record.gate),
            Cell::words(logged.environment.to_string()),
            Cell::person(record.principal.as_ref()),
            record_mark(logged),
            Cell::words(record.claimed.to_string()),
            Cell::commit(record.commit),
        ]
    });
    Table {
        caption,
        columns: vec!["Logged", "Version", "Environment", "Deployer", "Stands", "Basis claimed", "Record"],
        rows: rows.collect(),
        empty: "Nothing has been deployed.",
    }
}

/// Where a record stands, where that is not the log.
pub(super) fn place_words(place: Place) -> Option<&'static str> {
    match place {
        Place::Log => None,
        Place::Fork => Some("on the mainline; the log goes another way"),
        Place::Lacking => Some("on the mainline; the log lacks it"),
        Place::Stray => Some("on the mainline only"),
    }
}

/// What was deployed past the gate, and until when somebody is to accept that (R14.4).
pub(super) fn debts(whole: &Whole<'_>) -> Table {
    let rows = whole.debts().map(|logged| {
        let due = whole.dues.get(&logged.record.commit);
        vec![
            Cell::link(
                logged.record.gate.to_string(),
                record_path(&logged.environment, logged.record.commit),
            ),
            Cell::words(logged.environment.to_string()),
            Cell::time(logged.record.time),
            Cell::person(logged.record.principal.as_ref()),
            due.map_or_else(|| Cell::words("at once"), |due| Cell::time(*due)),
            Cell::words(without_age(logged.debt.as_deref().unwrap_or_default())),
        ]
    });
    Table {
        caption: "Deployments that were not allowed and whose risk nobody has accepted".to_owned(),
        columns: vec![
            "Version",
            "Environment",
            "Logged",
            "Deployer",
            "To be covered by",
            "Why it is not covered",
        ],
        rows: rows.collect(),
        empty: "There is none: every deployment in the log was allowed, or its risk was accepted.",
    }
}

/// What the audit finds wrong: the first ones, or all.
pub(super) fn violations(caption: String, found: &[Violation]) -> Table {
    let rows = found.iter().map(|violation| {
        let place = violation.environment.as_ref().map(ToString::to_string).unwrap_or_default();
        let about = match (&violation.gate, &violation.environment, violation.record) {
            (Some(gate), Some(environment), Some(record)) => {
                Cell::link(gate.to_string(), record_path(environment, record))
            }
            (Some(gate), _, _) => Cell::words(gate.to_string()),
            (None, _, Some(record)) => Cell::commit(record),
            (None, _, None) => Vec::new(),
        };
        vec![
            Cell::exact(violation.code),
            Cell::words(violation.code.meaning()),
            Cell::words(place),
            about,
            Cell::words(without_age(&violation.message)),
        ]
    });
    Table {
        caption,
        columns: vec!["Code", "Meaning", "Environment", "About", "Found"],
        rows: rows.collect(),
        empty: "There is none.",
    }
}

pub(super) fn force_word(in_force: bool) -> Word {
    if in_force { Word::new("in force", Tone::Accepted) } else { Word::new("not in force", Tone::Plain) }
}

pub(super) fn force_mark(in_force: bool) -> Vec<Cell> {
    vec![Cell::Mark(force_word(in_force))]
}

/// Facts of a page for terminals, as a report shows them.
pub(super) fn facts(facts: Vec<Fact>) -> Block {
    let cells = facts.into_iter().map(|fact| {
        let says = match fact.text {
            Text::Prose(text) | Text::Place(text) => Cell::words(text),
            Text::Exact(text) => Cell::exact(text),
        };
        (fact.label, says)
    });
    Block::Facts(cells.collect())
}

/// What a report was made from, and how anybody can check it.
pub(super) fn made_from(origin: &Origin) -> Part {
    let check = vec![
        Cell::Words("Anybody with a clone checks it again: ".to_owned()),
        Cell::Exact(format!("git gate --root {} audit", origin.root)),
        Cell::Words(", and each line of it by ".to_owned()),
        Cell::Exact("git verify-commit".to_owned()),
        Cell::Words(" and ".to_owned()),
        Cell::Exact("sha256sum".to_owned()),
        Cell::Words(".".to_owned()),
    ];
    Part::new("Made from", vec![facts(origin_facts(origin)), Block::Words(check)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_says_the_same_tomorrow() {
        for (found, expected) in [
            ("`a.json`: reads as json, 1391d old", "`a.json`: reads as json"),
            (
                "63a6add of `summarizer/v1.4`, 4d ago: no cover stands",
                "63a6add of `summarizer/v1.4` — no cover stands",
            ),
            ("`rate` is 0.02, 400 samples", "`rate` is 0.02, 400 samples"),
            ("of old, 3 old ones", "of old, 3 old ones"),
            ("", ""),
        ] {
            assert_eq!(without_age(found), expected);
        }
    }
}
