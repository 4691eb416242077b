//! The policy in force, and every policy that was in force before it.

use super::super::page::{Body, Entry, Section, Text};
use super::super::policy::policy_page;
use super::super::sheet::{Cell, Part, Sheet, Table};
use super::{Whole, parts};

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    let page = policy_page(whole.policy, whole.origin);
    let mut all = vec![history(whole)];
    all.extend(page.sections.into_iter().filter_map(section));
    Sheet {
        path: "policy.html".to_owned(),
        kind: "Policy",
        title: format!("{}, serial {}", whole.policy.id, whole.policy.serial),
        words: Vec::new(),
        lead: page.lead.first().map(|entry| Cell::words(entry.text.as_str())).unwrap_or_default(),
        parts: all,
    }
}

fn history(whole: &Whole<'_>) -> Part {
    let rows = whole.policies.iter().rev().map(|moment| {
        vec![
            Cell::words(moment.serial.to_string()),
            Cell::time(moment.since),
            Cell::words(if moment.changes.is_empty() {
                "the first".to_owned()
            } else {
                moment.changes.join("\n")
            }),
            Cell::exact(moment.digest),
            Cell::commit(moment.commit),
        ]
    });
    Part::table(
        "History",
        Table {
            caption: "Every policy that has been in force since the trust root, the latest first".to_owned(),
            columns: vec!["Serial", "In force since", "What changed", "Content digest", "Commit"],
            rows: rows.collect(),
            empty: "",
        },
    )
}

fn section(section: Section) -> Option<Part> {
    match section.body {
        Body::Facts(facts) => Some(Part::new(section.title, vec![parts::facts(facts)])),
        Body::Entries(entries) => {
            let table = Table {
                caption: format!("{} of the policy in force", section.title),
                columns: vec!["Name", "What it says", "Besides"],
                rows: entries.into_iter().map(row).collect(),
                empty: "",
            };
            Some(Part::table(section.title, table))
        }
        Body::Diffs(_) => None,
    }
}

fn row(entry: Entry) -> Vec<Vec<Cell>> {
    let mut besides = Vec::new();
    for fact in entry.facts {
        if !besides.is_empty() {
            besides.push(Cell::Words("\n".to_owned()));
        }
        besides.push(Cell::Words(format!("{}: ", fact.label)));
        besides.push(match fact.text {
            Text::Prose(text) | Text::Place(text) => Cell::Words(text),
            Text::Exact(text) => Cell::Exact(text),
        });
    }
    vec![Cell::words(entry.name), Cell::words(entry.text), besides]
}
