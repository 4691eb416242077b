//! Deployments: all of them, those of one environment, and one with its checklist as it was then.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::insight::LoggedRecord;
use crate::model::Name;
use crate::verdict::Verdict;

use super::super::deployments::{replay_words, word};
use super::super::page::Word;
use super::super::sheet::{Block, Cell, Part, Sheet, Table};
use super::{Whole, parts};

/// So many of the last records stand on the page of all; the page of each environment holds every one.
const MOST_RECENT: usize = 25;

pub(super) fn sheet(logged: &LoggedRecord, then: Option<&Verdict>) -> Sheet {
    let record = &logged.record;
    let (text, tone) = word(logged);
    let mut facts = vec![
        ("Version promoted", parts::gate_link(&record.gate)),
        (
            "Target environment",
            Cell::link(logged.environment.to_string(), parts::environment_path(&logged.environment)),
        ),
        ("Logged", Cell::time(record.time)),
        ("Deployer", Cell::person(record.principal.as_ref())),
        ("Basis claimed", Cell::words(record.claimed.to_string())),
        ("Judged again", Cell::words(replay_words(&record.replay))),
    ];
    for (name, digest) in &record.artifacts {
        let mut cells = Cell::words(format!("{name} "));
        cells.extend(Cell::exact(digest));
        facts.push(("Artifact", cells));
    }
    facts.push(("Content", Cell::exact(record.content)));
    facts.push(("Judged commit", Cell::exact(record.judged)));
    facts.push(("Record", Cell::exact(record.commit)));
    if let Some(reason) = &record.defect {
        facts.push(("Does not count", Cell::words(reason.as_str())));
    }
    if let Some(debt) = &logged.debt {
        facts.push(("Not covered", Cell::words(debt.as_str())));
    }
    let mut all = vec![Part::new("Log entry", vec![Block::Facts(facts)])];
    if let Some(verdict) = then {
        let caption = format!("Every requirement for {} at the time of the deployment", verdict.environment);
        all.push(Part::table("Checklist as it was", parts::checklist(caption, &verdict.requirements)));
        all.push(Part::table("Approvals and other decisions by then", parts::decisions(&verdict.decisions)));
    }
    let title = format!("{} to {}", record.gate, logged.environment);
    Sheet {
        path: parts::record_path(&logged.environment, record.commit),
        kind: "Deployment",
        title,
        words: vec![Word::new(text, tone)],
        lead: Vec::new(),
        parts: all,
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
    let debts = whole.records.iter().filter(|logged| logged.debt.is_some());
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
            Part::table(
                "Not allowed and not covered",
                Table {
                    empty: "There is none.",
                    ..parts::records(
                        "Deployments past the gate whose risk nobody has accepted".to_owned(),
                        debts,
                    )
                },
            ),
        ],
    }
}

/// A page with every record for each environment.
pub(super) fn by_environment(whole: &Whole<'_>) -> Vec<Sheet> {
    let mut records: BTreeMap<&Name, Vec<&LoggedRecord>> = BTreeMap::new();
    for logged in whole.records.iter().rev() {
        records.entry(&logged.environment).or_default().push(logged);
    }
    let sheets = records.into_iter().map(|(environment, records)| Sheet {
        path: parts::environment_path(environment),
        kind: "Deployment log",
        title: environment.to_string(),
        words: Vec::new(),
        lead: Vec::new(),
        parts: vec![Part::table(
            "Records",
            parts::records(format!("Every deployment to {environment}, the latest first"), records),
        )],
    });
    sheets.collect()
}
