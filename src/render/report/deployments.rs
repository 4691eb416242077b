//! Deployments: all of them, those of one environment, and one with its checklist as it was then.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::decision::Verb;
use crate::insight::{DecisionSeen, Deployment, LoggedRecord, Then, Violation};
use crate::model::Name;

use super::super::deployments::{replay_words, word_of};
use super::super::page::{Tone, Word, list};
use super::super::sheet::{Block, Cell, Part, Sheet, Table};
use super::{Whole, parts};

/// So many of the last records stand on the page of all; the page of each environment holds every one.
const MOST_RECENT: usize = 25;

pub(super) fn sheet(deployment: &Deployment, violations: &[Violation]) -> Sheet {
    let record = &deployment.record;
    let (text, tone) = standing(deployment);
    let mut all = vec![wrong(violations), log_entry(deployment)];
    if let Some(then) = &deployment.then {
        all.extend(as_it_was(then, deployment));
    }
    Sheet {
        path: parts::record_path(&deployment.environment, record.commit),
        kind: "Deployment",
        title: format!("{} to {}", record.gate, deployment.environment),
        words: vec![Word::new(text, tone)],
        lead: Vec::new(),
        parts: all,
    }
}

fn standing(deployment: &Deployment) -> (&'static str, Tone) {
    if deployment.before_root {
        return ("not judged again", Tone::Open);
    }
    word_of(deployment.break_glass, deployment.debt.as_deref(), &deployment.record)
}

/// What the audit finds wrong with it.
fn wrong(violations: &[Violation]) -> Part {
    let rows = violations.iter().map(|violation| {
        vec![
            Cell::exact(violation.code),
            Cell::words(violation.code.meaning()),
            Cell::words(parts::without_age(&violation.message)),
        ]
    });
    Part::table(
        "What is wrong with it",
        Table {
            caption: "What the audit finds".to_owned(),
            columns: vec!["Code", "Meaning", "Found"],
            rows: rows.collect(),
            empty: "The audit finds nothing.",
        },
    )
}

fn log_entry(deployment: &Deployment) -> Part {
    let record = &deployment.record;
    let mut facts = vec![
        ("Version promoted", parts::gate_link(&record.gate)),
        (
            "Target environment",
            Cell::link(deployment.environment.to_string(), parts::environment_path(&deployment.environment)),
        ),
        ("Logged", Cell::time(record.time)),
        ("Deployer", Cell::person(record.principal.as_ref())),
        ("Basis claimed", Cell::words(record.claimed.to_string())),
        ("Judged again", Cell::words(replay_words(&record.replay))),
    ];
    for (name, digest) in record.artifacts.iter() {
        let mut cells = Cell::words(format!("{name} "));
        cells.extend(Cell::exact(digest));
        facts.push(("Artifact", cells));
    }
    facts.push(("Content", Cell::exact(record.content)));
    facts.push(("Judged commit", Cell::exact(record.judged)));
    facts.push(("Record", Cell::exact(record.commit)));
    if let Some(place) = parts::place_words(deployment.place) {
        facts.push(("Stands", Cell::words(place)));
    }
    if let Some(recorded) = deployment.recorded_at {
        facts.push(("On the mainline since", Cell::time(recorded)));
    }
    if record.failed {
        facts.push(("Failed", Cell::words("a later record says so")));
    }
    if let Some(before) = deployment.restart {
        facts.push(("Goes on after a rewind from", Cell::exact(before)));
    }
    if let Some(reason) = &record.defect {
        facts.push(("Does not count", Cell::words(reason.as_str())));
    }
    if let Some(debt) = &deployment.debt {
        facts.push(("Not covered", Cell::words(parts::without_age(debt))));
        facts.push((
            "To be covered by",
            deployment.cover_due.map_or_else(|| Cell::words("at once"), Cell::time),
        ));
    }
    Part::new("Log entry", vec![Block::Facts(facts)])
}

/// How its gate stood when it was judged: the checklist, the sign-offs, and the reports by their digests (R14.6).
fn as_it_was(then: &Then, deployment: &Deployment) -> Vec<Part> {
    let mut facts = vec![("Verdict", vec![Cell::Mark(parts::outcome_word(then.outcome))])];
    if let Some(change) = &then.change {
        facts.push(("Change", Cell::words(change.summary.as_str())));
        facts.push(("Kinds", Cell::words(list(&change.kinds))));
        facts.push(("Risk", Cell::words(change.risk.to_string())));
    }
    if let Some(decided) = then.decided_at() {
        facts.push(("Gate decided", Cell::time(decided)));
    }
    facts.push(("Policy", Cell::words(format!("serial {}", then.serial))));
    facts.push(("Policy digest", Cell::exact(then.policy)));
    let caption = format!("Every requirement for {} at the time of the deployment", deployment.environment);
    let mut all = vec![
        Part::new("The gate as it was", vec![Block::Facts(facts)]),
        Part::table("Checklist as it was", parts::checklist(caption, &then.requirements)),
        Part::table("Approvals and other decisions by then", decisions(&then.decisions)),
        Part::table("Test results as they were", reports(then)),
    ];
    if !then.exceptions.is_empty() {
        let rows = then.exceptions.iter().map(|exception| {
            vec![
                Cell::words(list(&exception.waives)),
                parts::force_mark(exception.in_force),
                Cell::maybe_time(exception.expires),
                Cell::words(exception.reason.as_str()),
            ]
        });
        let table = Table {
            caption: "The exception at the time of the deployment".to_owned(),
            columns: vec!["Waives", "Stands", "Expires", "Why"],
            rows: rows.collect(),
            empty: "",
        };
        all.push(Part::table("Exception as it was", table));
    }
    all
}

fn decisions(decisions: &[DecisionSeen]) -> Table {
    let rows = decisions.iter().map(|seen| {
        let counts = match seen.code {
            None => Cell::mark("counted", Tone::Good),
            Some(code) => Cell::mark(code.as_str(), Tone::Open),
        };
        let scope = if seen.environments.is_empty() { "all".to_owned() } else { list(&seen.environments) };
        vec![
            Cell::words(seen.verb.map_or("not readable", Verb::as_str)),
            Cell::person(seen.principal.as_ref()),
            Cell::words(seen.role.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::time(seen.signed_at),
            Cell::maybe_time(seen.recorded_at),
            Cell::words(scope),
            counts,
            Cell::commit(seen.commit),
            Cell::words(seen.key.clone().unwrap_or_default()),
            Cell::words(seen.reason.clone().unwrap_or_default()),
        ]
    });
    Table {
        caption: "Every decision on the gate by then, counted or not".to_owned(),
        columns: vec![
            "Decision", "By", "Role", "Signed", "Recorded", "For", "Counts", "Commit", "Key", "Why not",
        ],
        rows: rows.collect(),
        empty: "Nobody had decided anything.",
    }
}

fn reports(then: &Then) -> Table {
    let rows = then.evidence.iter().map(|report| {
        let read = report.problem.as_ref().map_or_else(
            || Cell::words(report.format.clone().unwrap_or_default()),
            |problem| Cell::words(format!("does not read: {problem}")),
        );
        vec![
            Cell::words(report.kind.to_string()),
            Cell::exact(&report.file),
            read,
            report.digest.map_or_else(|| Cell::words("not there"), Cell::exact),
        ]
    });
    Table {
        caption: "The reports that the checklist was judged from, by their SHA-256".to_owned(),
        columns: vec!["Kind", "File", "Read as", "Digest"],
        rows: rows.collect(),
        empty: "The gate held no report.",
    }
}

/// The page of all environments.
pub(super) fn all(whole: &Whole<'_>) -> Sheet {
    let mut counts: BTreeMap<&Name, (u64, u64)> = BTreeMap::new();
    for logged in whole.records {
        let (all, debts) = counts.entry(&logged.environment).or_default();
        *all += 1;
        *debts += u64::from(logged.debt.is_some());
    }
    let rows = counts.iter().map(|(environment, (all, debts))| {
        vec![
            Cell::link(environment.to_string(), parts::environment_path(environment)),
            Cell::words(all.to_string()),
            Cell::words(debts.to_string()),
        ]
    });
    let environments = Table {
        caption: "Environments that have a log".to_owned(),
        columns: vec!["Environment", "Deployments", "Not covered"],
        rows: rows.collect(),
        empty: "Nothing has been deployed.",
    };
    let mut latest: Vec<&LoggedRecord> = whole.records.iter().collect();
    latest.sort_by_key(|logged| Reverse(logged.record.time));
    latest.truncate(MOST_RECENT);
    Sheet {
        path: "deployments.html".to_owned(),
        kind: "Deployment log",
        title: "Deployments".to_owned(),
        words: Vec::new(),
        lead: Cell::words(
            "Each record is signed by who deployed, and judged again at the commit and time that it names.",
        ),
        parts: vec![
            Part::table("By environment", environments),
            Part::table("Latest", parts::records("The latest deployments".to_owned(), latest)),
            Part::table("Not allowed and not covered", parts::debts(whole)),
        ],
    }
}

/// A page with every record for each environment.
pub(super) fn by_environment(whole: &Whole<'_>) -> impl Iterator<Item = Sheet> {
    let mut records: BTreeMap<&Name, Vec<&LoggedRecord>> = BTreeMap::new();
    for logged in whole.records.iter().rev() {
        records.entry(&logged.environment).or_default().push(logged);
    }
    records.into_iter().map(|(environment, records)| Sheet {
        path: parts::environment_path(environment),
        kind: "Deployment log",
        title: environment.to_string(),
        words: Vec::new(),
        lead: Vec::new(),
        parts: vec![Part::table(
            "Records",
            parts::records(format!("Every deployment to {environment}, the latest first"), records),
        )],
    })
}
