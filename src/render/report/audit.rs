//! The audit: every record of every log, judged again; what is wrong, and what was read (R14.5).

use crate::insight::{LoggedRecord, Place, Population};
use crate::model::{Name, ObjectId, Time};

use super::super::page::{Tone, Word, counted, list};
use super::super::sheet::{Block, Cell, Part, Sheet, Table};
use super::{Whole, parts};

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    let audit = whole.audit;
    let many = u64::try_from(audit.violations.len()).unwrap_or(u64::MAX);
    let records: u64 = audit.population.values().map(|of| of.records).sum();
    let word = if many == 0 {
        Word::new("clean", Tone::Good)
    } else {
        Word::new(counted(many, "violation"), Tone::Bad)
    };
    let population = Table {
        caption: "What was read of each log; nothing is left out unseen".to_owned(),
        columns: vec![
            "Environment",
            "Records",
            "First",
            "Last",
            "Said to have failed",
            "On the mainline alone",
            "From before the trust root",
        ],
        rows: audit.population.iter().map(population).collect(),
        empty: "The policy names no environment, and there is no log.",
    };
    let mut all = vec![
        Part::table("Violations", parts::violations("All that is wrong".to_owned(), &audit.violations)),
        Part::table("Debts", parts::debts(whole)),
        Part::table("Population", population),
    ];
    if !whole.outside.is_empty() {
        all.push(Part::table("On the mainline alone", outside(whole.outside)));
    }
    if !audit.other_environments.is_empty() {
        let words = format!("Logs that were not read: {}.", list(&audit.other_environments));
        all.push(Part::new("Not audited", vec![Block::Words(Cell::words(words))]));
    }
    Sheet {
        path: "audit.html".to_owned(),
        kind: "Audit",
        title: "Every deployment, judged again".to_owned(),
        words: vec![word],
        lead: Cell::words(format!(
            "{}, each judged at the commit and time that it names, by the policy and the records of then, with today's revocations.",
            counted(records, "record")
        )),
        parts: all,
    }
}

fn population((environment, of): (&Name, &Population)) -> Vec<Vec<Cell>> {
    let end = |end: Option<(ObjectId, Time)>| match end {
        Some((record, time)) => Cell::time_link(time, parts::record_path(environment, record)),
        None => Cell::words("none"),
    };
    vec![
        Cell::words(environment.to_string()),
        Cell::words(of.records.to_string()),
        end(of.first),
        end(of.last),
        Cell::words(of.failures.to_string()),
        Cell::words(of.outside_the_log.to_string()),
        Cell::words(of.before_root.to_string()),
    ]
}

fn outside(records: &[(LoggedRecord, Place)]) -> Table {
    let rows = records.iter().map(|(logged, place)| {
        vec![
            Cell::time_link(
                logged.record.time,
                parts::record_path(&logged.environment, logged.record.commit),
            ),
            parts::gate_link(&logged.record.gate),
            Cell::words(logged.environment.to_string()),
            Cell::person(logged.record.principal.as_ref()),
            Cell::words(parts::place_words(*place).unwrap_or_default()),
        ]
    });
    Table {
        caption: "Records that a log should hold, and does not".to_owned(),
        columns: vec!["Logged", "Version", "Environment", "Deployer", "Stands"],
        rows: rows.collect(),
        empty: "",
    }
}
