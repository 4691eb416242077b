//! The first page: what runs where, what waits on whom, which risks are accepted, which debts are open.

use std::collections::BTreeMap;

use crate::insight::control::{CONTROL_ID, Shown};
use crate::model::Principal;
use crate::verdict::Outcome;

use super::super::page::{Tone, Word, counted, list};
use super::super::sheet::{Block, Cell, Part, Sheet, Table};
use super::{Whole, parts, risks};

/// So many gates wait in the list on the first page; the page of each system holds all.
const MOST_WAITING: usize = 100;
/// So many violations stand on the first page; that of the audit holds all.
const MOST_VIOLATIONS: usize = 25;

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    Sheet {
        path: "index.html".to_owned(),
        kind: "Deployment gate report",
        title: whole.policy.id.clone(),
        words: words(whole),
        lead: Cell::words(format!(
            "{} on the mainline{}, {} in the log, judged from the mainline at {}.",
            counted(whole.evidence.gates, "gate"),
            others(whole),
            counted(count(whole.records.len()), "deployment"),
            whole.origin.mainline.short()
        )),
        parts: vec![
            running(whole),
            waiting(whole),
            risks::in_force(whole),
            Part::table("Debts", parts::debts(whole)),
            violations(whole),
            incidents(whole),
            control(whole),
            notices(whole),
            parts::made_from(whole.origin),
        ],
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// What else there is: gates on branches alone, and those that could not be judged.
fn others(whole: &Whole<'_>) -> String {
    let unjudged = count(whole.gates.iter().filter(|row| row.line.problem.is_some()).count());
    let branches =
        count(whole.gates.iter().filter(|row| row.line.unmerged && row.line.problem.is_none()).count());
    let all = [(branches, "on branches alone"), (unjudged, "that could not be judged")];
    let said = all.iter().filter(|(many, _)| *many > 0).map(|(many, what)| format!(", {many} {what}"));
    said.collect::<Vec<_>>().concat()
}

fn words(whole: &Whole<'_>) -> Vec<Word> {
    let gates = |wanted: fn(Outcome) -> bool| {
        count(whole.gates.iter().filter(|row| row.line.worst().is_some_and(wanted)).count())
    };
    let debts = count(whole.debts().count());
    let violations = count(whole.audit.violations.len());
    let pending = gates(|outcome| outcome == Outcome::Pending);
    let blocked = gates(|outcome| outcome == Outcome::Blocked);
    let debts_word = if debts == 0 {
        Word::new("no open debt", Tone::Good)
    } else {
        Word::new(counted(debts, "open debt"), Tone::Bad)
    };
    let violations_word = if violations == 0 {
        Word::new("no violation", Tone::Good)
    } else {
        Word::new(counted(violations, "violation"), Tone::Bad)
    };
    vec![
        violations_word,
        debts_word,
        Word::new(format!("{pending} pending"), Tone::Open),
        Word::new(format!("{blocked} blocked"), if blocked == 0 { Tone::Good } else { Tone::Bad }),
    ]
}

fn running(whole: &Whole<'_>) -> Part {
    let rows = whole.running.iter().map(|running| {
        let logged = &running.logged;
        vec![
            Cell::link(logged.record.gate.system.to_string(), parts::system_path(&logged.record.gate.system)),
            Cell::words(logged.environment.to_string()),
            Cell::link(logged.record.gate.version.to_string(), parts::gate_path(&logged.record.gate)),
            Cell::time_link(
                logged.record.time,
                parts::record_path(&logged.environment, logged.record.commit),
            ),
            Cell::person(logged.record.principal.as_ref()),
            parts::record_mark(logged),
        ]
    });
    Part::table(
        "What runs where",
        Table {
            caption: "The last deployment of each system that counts and did not fail".to_owned(),
            columns: vec!["System", "Environment", "Version", "Since", "Deployer", "Stands"],
            rows: rows.collect(),
            empty: "Nothing has been deployed.",
        },
    )
}

/// What each open gate waits for, and on whom (R14.2).
fn waiting(whole: &Whole<'_>) -> Part {
    let mut by_person: BTreeMap<&Principal, u64> = BTreeMap::new();
    let mut rows = Vec::new();
    let mut waiting = 0_u64;
    // What a branch holds besides is what people work on now.
    for line in whole.gates.iter().map(|row| row.ahead.as_deref().unwrap_or(&row.line)) {
        for wait in &line.waits {
            waiting += 1;
            for who in &wait.who {
                *by_person.entry(who).or_default() += 1;
            }
            if rows.len() < MOST_WAITING {
                rows.push(vec![
                    parts::gate_link(&line.gate),
                    Cell::words(wait.requirement.to_string()),
                    Cell::words(list(&wait.environments)),
                    Cell::words(list(&wait.who)),
                    Cell::maybe_time(line.since),
                ]);
            }
        }
    }
    let more = waiting.saturating_sub(count(rows.len()));
    let mut blocks = vec![Block::Table(Table {
        caption: "What each open gate waits for".to_owned(),
        columns: vec!["Gate", "Waits for", "Environment", "On", "Since"],
        rows,
        empty: "Nothing waits on anybody.",
    })];
    if more > 0 {
        blocks.push(Block::Words(vec![
            Cell::Words(format!("And {more} more, under ")),
            Cell::Link("gates".to_owned(), "gates.html".to_owned()),
            Cell::Words(".".to_owned()),
        ]));
    }
    if !by_person.is_empty() {
        let mut people: Vec<_> = by_person.into_iter().collect();
        people.sort_by(|(one, many), (other, more)| more.cmp(many).then_with(|| one.cmp(other)));
        let rows = people
            .iter()
            .map(|(who, count)| vec![Cell::words(who.to_string()), Cell::words(count.to_string())]);
        blocks.insert(
            0,
            Block::Table(Table {
                caption: "On whom it waits".to_owned(),
                columns: vec!["Person", "Waiting"],
                rows: rows.collect(),
                empty: "",
            }),
        );
    }
    Part::new("What waits on whom", blocks)
}

fn violations(whole: &Whole<'_>) -> Part {
    let all = &whole.audit.violations;
    let first = all.get(..MOST_VIOLATIONS.min(all.len())).unwrap_or_default();
    let mut blocks =
        vec![Block::Table(parts::violations("What the audit of the logs finds wrong".to_owned(), first))];
    let more = all.len() - first.len();
    let words =
        if more > 0 { format!("And {more} more, under ") } else { "What was read stands under ".to_owned() };
    blocks.push(Block::Words(vec![
        Cell::Words(words),
        Cell::Link("audit".to_owned(), "audit.html".to_owned()),
        Cell::Words(".".to_owned()),
    ]));
    Part::new("Violations", blocks)
}

fn incidents(whole: &Whole<'_>) -> Part {
    Part::table(
        "Open incidents",
        risks::incident_table("Incidents that are not resolved".to_owned(), whole, true),
    )
}

fn control(whole: &Whole<'_>) -> Part {
    let of = |shown| whole.findings.iter().filter(|finding| finding.shown == shown).count();
    Part::new(
        "The control",
        vec![Block::Words(vec![
            Cell::Link(format!("{CONTROL_ID}, requirement by requirement"), "control.html".to_owned()),
            Cell::Words(format!(
                ": {} shown, {} in part, {} not.",
                of(Shown::Whole),
                of(Shown::Partly),
                of(Shown::Not)
            )),
        ])],
    )
}

fn notices(whole: &Whole<'_>) -> Part {
    let mut notices = whole.origin.notices.clone();
    notices.sort();
    notices.dedup();
    let block = if notices.is_empty() {
        Block::Words(Cell::words("There is none."))
    } else {
        Block::Points(
            notices
                .into_iter()
                .map(|notice| {
                    vec![Cell::Exact(notice.code.to_owned()), Cell::Words(format!(" {}", notice.message))]
                })
                .collect(),
        )
    };
    Part::new("Notices", vec![block])
}
