//! The parts about decisions and the people who gave them, and about what ran.

use crate::insight::metrics::{QUICK_SECONDS, Span, Tally, Value, figures, in_words};
use crate::render::metrics::{percent, signs};
use crate::render::page::list;
use crate::render::sheet::{Block, Cell, Part, number};

use super::months::{Months, days, real};
use super::{SPREAD_COLUMNS, of, row, spread_row, table};

pub(super) fn decisions(total: &Tally, months: &Months<'_>) -> Part {
    let reasons = total.rejections.iter().map(|(reason, count)| row(reason, [count.to_string()]));
    let stale: u64 = total.stale.values().sum();
    let mut effects = vec![
        row("approvals that counted", [total.approvals.to_string()]),
        row("approvals that went stale", [stale.to_string()]),
        row("approvals taken back or replaced", [total.taken_back.to_string()]),
    ];
    effects
        .extend(total.stale.iter().map(|(code, count)| row(&format!("stale: {code}"), [count.to_string()])));
    effects.extend(
        total.void.iter().map(|(code, count)| row(&format!("never counted: {code}"), [count.to_string()])),
    );
    let chart = months.chart(
        "Approvals, by month",
        "approvals",
        &[
            ("counted", &|tally| Some(real(tally.approvals))),
            ("went stale", &|tally| Some(real(tally.stale.values().sum()))),
        ],
    );
    Part::new(
        "Rejections and approvals",
        vec![
            Block::Table(table(
                "Rejections that counted, by reason",
                ["Reason", "Rejections"],
                reasons,
                "Nobody rejected anything.",
            )),
            Block::Table(table("What became of decisions", ["Decisions", "Number"], effects.into_iter(), "")),
            Block::Chart(chart),
        ],
    )
}

pub(super) fn reviewers(total: &Tally) -> Part {
    let rows = total.reviewers.iter().map(|((role, person), reviewer)| {
        let of_role = total.reviewers.iter().filter(|((other, _), _)| other == role);
        let all: u64 = of_role.map(|(_, other)| other.approvals).sum();
        row(
            person.as_str(),
            [
                role.to_string(),
                reviewer.approvals.to_string(),
                percent(reviewer.approvals, all),
                reviewer.rejections.to_string(),
                reviewer.after.percentile(50).map(in_words).unwrap_or_default(),
                reviewer.quick.to_string(),
            ],
        )
    });
    let columns = [
        "Person",
        "Role",
        "Approvals",
        "Of the role's",
        "Rejections",
        "Half came within",
        "Within two minutes",
    ];
    let signs = signs(total).into_iter().map(|entry| Cell::words(format!("{}: {}", entry.name, entry.text)));
    let signs: Vec<_> = signs.collect();
    let mut blocks = vec![Block::Table(table(
        "Good decisions of people, by role",
        columns,
        rows,
        "Nobody decided anything.",
    ))];
    blocks.push(if signs.is_empty() {
        Block::Words(Cell::words("There is no sign of approvals that were given unread."))
    } else {
        Block::Points(signs)
    });
    blocks.push(Block::Words(Cell::words(format!(
        "Within: from the last change of the files to the approval; quick is what came in less than {QUICK_SECONDS} seconds. None of this proves anything: it says where to look."
    ))));
    Part::new("Signs of rubber-stamping", blocks)
}

pub(super) fn exceptions(total: &Tally) -> Part {
    let rows = total.exceptions.iter().map(|(requirement, systems)| {
        let versions: usize = systems.values().map(std::collections::BTreeSet::len).sum();
        let again = systems.iter().filter(|(_, versions)| versions.len() > 1);
        let again = list(again.map(|(system, versions)| format!("{system} ({})", versions.len())));
        row(requirement, [versions.to_string(), again])
    });
    let facts = vec![
        ("Deployments past the gate", Cell::words(total.break_glass.len().to_string())),
        ("Of these not covered", Cell::words(total.debts.len().to_string())),
    ];
    Part::new(
        "Exceptions and break-glass",
        vec![
            Block::Table(table(
                "What exceptions waived for approved versions",
                ["Requirement", "Versions", "Several times for"],
                rows,
                "No version was approved on an exception.",
            )),
            Block::Facts(facts),
        ],
    )
}

pub(super) fn deployments(total: &Tally, months: &Months<'_>) -> Part {
    let weekly = figures(total).into_iter().find(|figure| figure.meaning.name == "deployments_per_week");
    let facts = vec![
        ("Ran", Cell::words(total.deployments.to_string())),
        (
            "A week",
            Cell::words(weekly.map_or_else(
                || "—".to_owned(),
                |figure| match figure.value {
                    Value::Real(real) => number(real),
                    Value::Whole(whole) => whole.to_string(),
                },
            )),
        ),
        ("Said to have failed", Cell::words(total.failed.to_string())),
        ("Count for nothing", Cell::words(total.void_records.to_string())),
        ("Rollbacks", Cell::words(total.rollbacks.to_string())),
    ];
    let chart = months.chart(
        "Deployments, by month",
        "deployments",
        &[
            ("ran", &|tally| Some(real(tally.deployments))),
            ("failed", &|tally| Some(real(tally.failed))),
            ("past the gate", &|tally| Some(real(tally.break_glass.len().try_into().unwrap_or(u64::MAX)))),
        ],
    );
    Part::new("Deployments", vec![Block::Facts(facts), Block::Chart(chart)])
}

pub(super) fn incidents(total: &Tally, months: &Months<'_>) -> Part {
    let facts = vec![
        ("Change failure rate", Cell::words(of(total.failed_changes, total.changes))),
        ("Incidents", Cell::words(total.incidents.to_string())),
        ("Open", Cell::words(total.open_incidents.to_string())),
        ("That hit no deployment", Cell::words(total.unlinked_incidents.to_string())),
    ];
    let restore = total.spans.get(&Span::Restore).map(|spread| spread_row("to restore", spread));
    let failed = months.chart(
        "Change failure rate, by the month of the first deployment",
        "percent",
        &[("failed", &|tally| {
            (tally.changes > 0).then(|| real(tally.failed_changes) * 100.0 / real(tally.changes))
        })],
    );
    let chart = months.chart(
        "Time to restore, by the month in which the incident began",
        "days",
        &[("half within", &|tally| days(tally.spans.get(&Span::Restore)?.percentile(50)?))],
    );
    Part::new(
        "Incidents",
        vec![
            Block::Facts(facts),
            Block::Table(table(
                "Time to restore",
                SPREAD_COLUMNS,
                restore.into_iter(),
                "No incident on a deployment has ended.",
            )),
            Block::Chart(failed),
            Block::Chart(chart),
        ],
    )
}
