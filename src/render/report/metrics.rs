//! The metrics, as `metrics` counts them: by part, drawn and in numbers, then every figure by its name.

use std::collections::BTreeMap;

use crate::insight::metrics::{
    FIGURES, Figure, METHOD, Metrics, QUICK_SECONDS, Span, Spread, Tally, Unit, Value, figures, in_words,
};
use crate::insight::timeline::End;

use super::super::metrics::{name, percent, signs};
use super::super::page::list;
use super::super::sheet::{Block, Cell, Chart, Drawing, Part, Sheet, Table, number};
use super::{Whole, parts};

/// So many months are drawn, the last ones.
const MOST_MONTHS: usize = 36;
/// So many names of what is left out stand on the page.
const MOST_NAMED: usize = 20;

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    let measured = whole.measured;
    let months = Months::of(&measured.by_month);
    let total = &measured.by_month.total;
    let parts = vec![
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
        parts,
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

fn decisions(total: &Tally, months: &Months<'_>) -> Part {
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

fn reviewers(total: &Tally) -> Part {
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

fn exceptions(total: &Tally) -> Part {
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

fn deployments(total: &Tally, months: &Months<'_>) -> Part {
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

fn incidents(total: &Tally, months: &Months<'_>) -> Part {
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
        let gates = metrics.unrecorded.iter().take(MOST_NAMED).map(parts::gate_link);
        cells.extend(super::super::sheet::joined(gates));
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

/// Counts here are far below what a double holds exactly.
fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[expect(clippy::unnecessary_wraps, reason = "a number of a series may be lacking")]
fn days(seconds: i64) -> Option<f64> {
    Some(real(u64::try_from(seconds).unwrap_or_default()) / 86_400.0)
}

/// Tallies by month; months without anything have an empty one.
struct Months<'a> {
    along: Vec<String>,
    tallies: &'a BTreeMap<String, Tally>,
}

/// The name of a series, and its number in a month.
type Series<'s> = (&'s str, &'s dyn Fn(&Tally) -> Option<f64>);

impl<'a> Months<'a> {
    fn of(metrics: &'a Metrics) -> Self {
        // What has no moment stands under a name that is no month.
        let mut names =
            metrics.groups.keys().filter(|name| name.len() == 7 && name.as_bytes().get(4) == Some(&b'-'));
        let mut along: Vec<String> = names.next().into_iter().cloned().collect();
        let last = names.next_back();
        while let Some(month) = along.last().filter(|month| last.is_some_and(|last| *month < last)) {
            along.push(next_month(month));
        }
        let drop = along.len().saturating_sub(MOST_MONTHS);
        Self { along: along.split_off(drop), tallies: &metrics.groups }
    }

    fn chart(&self, title: &str, unit: &'static str, series: &[Series<'_>]) -> Chart {
        let none = Tally::default();
        let values = |number: &dyn Fn(&Tally) -> Option<f64>| {
            self.along.iter().map(|month| number(self.tallies.get(month).unwrap_or(&none))).collect()
        };
        let series = series.iter().map(|(name, number)| ((*name).to_owned(), values(*number))).collect();
        Chart {
            title: title.to_owned(),
            unit,
            drawing: Drawing::Lines,
            along_is: "Month",
            along: self.along.clone(),
            series,
        }
    }
}

/// `2026-12` → `2027-01`
fn next_month(month: &str) -> String {
    let (year, month) = month.split_once('-').unwrap_or((month, "12"));
    let (year, month): (u32, u32) = (year.parse().unwrap_or(9999), month.parse().unwrap_or(12));
    if month < 12 { format!("{year:04}-{:02}", month + 1) } else { format!("{:04}-01", year + 1) }
}
