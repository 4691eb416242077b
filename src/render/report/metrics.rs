//! The metrics, as `metrics` counts them: by part, drawn and in numbers, then every figure by its name.

mod months;
mod parts;

use std::collections::BTreeMap;

use crate::insight::metrics::{
    FIGURES, Figure, METHOD, Metrics, Span, Spread, Tally, Unit, Value, figures, in_words,
};
use crate::insight::timeline::End;

use super::super::metrics::{name, percent};
use super::super::sheet::{Block, Cell, Chart, Drawing, Part, Sheet, Table, joined};
use super::Whole;
use super::parts::gate_link;
use months::{Months, days, real};
use parts::{decisions, deployments, exceptions, incidents, reviewers};

/// So many names of what is left out stand on the page.
const MOST_NAMED: usize = 20;

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    let measured = whole.measured;
    let months = Months::of(&measured.by_month);
    let total = &measured.by_month.total;
    let all = vec![
        cycles(total, &months),
        times(total, &months),
        roles(total),
        decisions(total, &months),
        reviewers(total),
        exceptions(total),
        deployments(total, &months),
        incidents(total, &months),
        Part::table("By system", groups("System", &measured.by_system)),
        Part::table("By environment", groups("Environment", &measured.by_environment)),
        left_out(&measured.by_month),
        every_figure(total),
    ];
    Sheet {
        path: "metrics.html".to_owned(),
        kind: "Metrics",
        title: "Metrics of the gate".to_owned(),
        words: Vec::new(),
        lead: Cell::words(format!(
            "Of {} gates and {} cycles, one for each gate and environment. Every number comes from the history, and is what `git gate metrics` \
             prints. Percentiles are by the {METHOD} method. Months are those of UTC.",
            total.gates.len(),
            total.opened
        )),
        parts: all,
    }
}

fn cycles(total: &Tally, months: &Months<'_>) -> Part {
    let decided = decided(total);
    let rows = End::ALL.iter().map(|end| {
        let count = total.ends.get(end).copied().unwrap_or_default();
        let share = if end.is_decided() { percent(count, decided) } else { String::new() };
        row(end.as_str(), [count.to_string(), share])
    });
    let facts = vec![
        (
            "Approval rate",
            Cell::words(of(total.ends.get(&End::Approved).copied().unwrap_or_default(), decided)),
        ),
        ("First-pass rate", Cell::words(of(total.first_pass, decided))),
        ("Approved, and overturned later", Cell::words(total.overturned.to_string())),
        ("Approved at no known moment", Cell::words(total.undated.to_string())),
    ];
    let by_end =
        |end: End| move |tally: &Tally| Some(real(tally.ends.get(&end).copied().unwrap_or_default()));
    let opened =
        months.chart("Cycles opened, by month", "cycles", &[("opened", &|tally| Some(real(tally.opened)))]);
    let ended = months.chart(
        "Cycles decided, by month",
        "cycles",
        &[
            ("approved", &by_end(End::Approved)),
            ("rejected", &by_end(End::Rejected)),
            ("closed", &by_end(End::Closed)),
            ("withdrawn", &by_end(End::Withdrawn)),
        ],
    );
    Part::new(
        "Cycles",
        vec![
            Block::Facts(facts),
            Block::Table(table(
                "How cycles ended",
                ["End", "Cycles", "Of what was decided"],
                rows,
                "No cycle was opened.",
            )),
            Block::Chart(opened),
            Block::Chart(ended),
        ],
    )
}

fn times(total: &Tally, months: &Months<'_>) -> Part {
    let shown = total.spans.iter().filter(|(span, _)| !matches!(span, Span::Role(_) | Span::Restore));
    let rows = shown.map(|(span, spread)| spread_row(&name(span), spread));
    let at = |percent: usize| {
        move |tally: &Tally| days(tally.spans.get(&Span::OpenedToDecided)?.percentile(percent)?)
    };
    let chart = months.chart(
        "From opening to decision, by the month of the decision",
        "days",
        &[("half within", &at(50)), ("nine in ten within", &at(90))],
    );
    Part::new(
        "How long it takes",
        vec![
            Block::Table(table("Stretches of a cycle", SPREAD_COLUMNS, rows, "No cycle was decided.")),
            Block::Chart(chart),
        ],
    )
}

fn roles(total: &Tally) -> Part {
    let roles: Vec<(String, &Spread)> = total
        .spans
        .iter()
        .filter_map(|(span, spread)| match span {
            Span::Role(role) => Some((role.to_string(), spread)),
            Span::OpenedToDecided
            | Span::DecidedToDeployed
            | Span::OpenedToDeployed
            | Span::Evidence
            | Span::Record
            | Span::Restore => None,
        })
        .collect();
    let rows = roles.iter().map(|(role, spread)| spread_row(role, spread));
    let mut columns = SPREAD_COLUMNS;
    columns[0] = "Role";
    let at = |percent: usize| {
        roles.iter().map(|(_, spread)| spread.percentile(percent).and_then(days)).collect::<Vec<_>>()
    };
    let chart = Chart {
        title: "How long complete gates waited, by role".to_owned(),
        unit: "days",
        drawing: Drawing::Bars,
        along_is: "Role",
        along: roles.iter().map(|(role, _)| role.clone()).collect(),
        series: vec![("half within".to_owned(), at(50)), ("nine in ten within".to_owned(), at(90))],
    };
    let mut blocks =
        vec![Block::Table(table("Waiting, by role", columns, rows, "No gate waited for a role."))];
    if !roles.is_empty() {
        blocks.push(Block::Chart(chart));
        blocks.push(Block::Words(Cell::words("Roles wait side by side: their waits do not add up.")));
    }
    Part::new("Waiting, by role", blocks)
}

fn groups(what: &'static str, metrics: &Metrics) -> Table {
    let rows = metrics.groups.iter().map(|(group, tally)| {
        let decided = decided(tally);
        let at = |percent: usize| {
            let spread = tally.spans.get(&Span::OpenedToDecided);
            spread.and_then(|spread| spread.percentile(percent)).map(in_words).unwrap_or_default()
        };
        row(
            group,
            [
                tally.opened.to_string(),
                percent(tally.ends.get(&End::Approved).copied().unwrap_or_default(), decided),
                percent(tally.first_pass, decided),
                at(50),
                at(90),
                tally.deployments.to_string(),
                percent(tally.failed_changes, tally.changes),
                tally.incidents.to_string(),
            ],
        )
    });
    let columns = [
        what,
        "Cycles opened",
        "Approved of decided",
        "First pass",
        "Half decided within",
        "Nine in ten within",
        "Deployments",
        "Change failure rate",
        "Incidents",
    ];
    table("The same for each", columns, rows, "There is none.")
}

fn left_out(metrics: &Metrics) -> Part {
    let named = |names: Vec<String>| {
        let more = names.len().saturating_sub(MOST_NAMED);
        let first = names.into_iter().take(MOST_NAMED).collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{first} and {more} more") } else { first }
    };
    let mut points: Vec<Vec<Cell>> = metrics
        .left_out
        .iter()
        .map(|(why, gates)| {
            Cell::words(format!("{}, {why}: {}", gates.len(), named(gates.iter().cloned().collect())))
        })
        .collect();
    if !metrics.unrecorded.is_empty() {
        let mut cells =
            Cell::words(format!("{}, on a branch alone, not recorded yet: ", metrics.unrecorded.len()));
        let gates = metrics.unrecorded.iter().take(MOST_NAMED).map(gate_link);
        cells.extend(joined(gates));
        points.push(cells);
    }
    let block = if points.is_empty() { Block::Words(Cell::words("Nothing.")) } else { Block::Points(points) };
    Part::new("Left out", vec![block])
}

/// Every figure as `metrics` names it: what stands above, for who compares.
fn every_figure(total: &Tally) -> Part {
    let mut by_name: BTreeMap<&str, Vec<Figure>> = BTreeMap::new();
    for figure in figures(total) {
        by_name.entry(figure.meaning.name).or_default().push(figure);
    }
    let rows = FIGURES.iter().flat_map(|meaning| {
        let found = by_name.remove(meaning.name).unwrap_or_default();
        found.into_iter().enumerate().map(|(at, figure)| {
            vec![
                Cell::exact(figure.meaning.name),
                Cell::words(figure.labels.join(" · ")),
                Cell::words(shown(&figure)),
                Cell::words(if at == 0 { figure.meaning.help } else { "" }),
            ]
        })
    });
    let table = Table {
        caption: "Every figure of `git gate metrics`, of all time".to_owned(),
        columns: vec!["Figure", "Of", "Number", "What it is"],
        rows: rows.collect(),
        empty: "There is none.",
    };
    Part::table("Every figure", table)
}

/// A figure as programs are told it, in its unit.
fn shown(figure: &Figure) -> String {
    match (figure.value, figure.meaning.unit) {
        (Value::Whole(seconds), Unit::Seconds) if figure.labels.last().is_none_or(|stat| stat != "count") => {
            format!("{seconds} s")
        }
        (Value::Whole(whole), Unit::Count | Unit::Ratio | Unit::Seconds) => whole.to_string(),
        (Value::Real(real), Unit::Count | Unit::Ratio | Unit::Seconds) => format!("{real}"),
    }
}

const SPREAD_COLUMNS: [&str; 5] = ["Stretch", "Times", "Half within", "Nine in ten within", "Longest"];

fn spread_row(name: &str, spread: &Spread) -> Vec<Vec<Cell>> {
    let at = |seconds: Option<i64>| seconds.map(in_words).unwrap_or_default();
    row(
        name,
        [
            spread.count().to_string(),
            at(spread.percentile(50)),
            at(spread.percentile(90)),
            at(spread.longest()),
        ],
    )
}

fn row<const MANY: usize>(name: &str, rest: [String; MANY]) -> Vec<Vec<Cell>> {
    std::iter::once(name.to_owned()).chain(rest).map(Cell::words).collect()
}

fn table<const MANY: usize>(
    caption: &str,
    columns: [&'static str; MANY],
    rows: impl Iterator<Item = Vec<Vec<Cell>>>,
    empty: &'static str,
) -> Table {
    Table { caption: caption.to_owned(), columns: columns.to_vec(), rows: rows.collect(), empty }
}

fn decided(tally: &Tally) -> u64 {
    tally.ends.iter().filter(|(end, _)| end.is_decided()).map(|(_, count)| count).sum()
}

/// `83.3 % (5 of 6)`
fn of(part: u64, all: u64) -> String {
    if all == 0 { "of none".to_owned() } else { format!("{} ({part} of {all})", percent(part, all)) }
}
