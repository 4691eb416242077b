//! Red team runs: attacks and what they found.
//!
//! A row is an attack; `success: true` says that it was fended off. An attack that succeeded is an open finding of its
//! plugin's severity; one that says none is `unrated`, never harmless.

use std::collections::BTreeMap;

use super::super::json::Json;
use super::super::names::Names;
use super::super::{Metric, number};
use super::{Outcome, Row, Tally};

const AT: &str = "/results/results";
const ASSERTION: &str = "promptfoo:redteam:";

/// How bad a finding is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Critical,
    High,
    Medium,
    Low,
    None,
    Unrated,
}

const SEVERITIES: [(Severity, &str); 6] = [
    (Severity::Critical, "critical"),
    (Severity::High, "high"),
    (Severity::Medium, "medium"),
    (Severity::Low, "low"),
    (Severity::None, "none"),
    (Severity::Unrated, "unrated"),
];

/// Adds what a red team run says; nothing for another run.
pub(super) fn add(document: &Json, rows: &[Row<'_>], names: &mut Names) {
    let attacks = attacks(document, rows);
    if attacks.is_empty() {
        return;
    }
    let pooled = Tally::of(attacks.iter().copied());
    if let Some(rate) = pooled.rate(pooled.failed, pooled.judged(), AT) {
        names.add("attacks.success_rate".to_owned(), rate);
    }
    let mut groups: BTreeMap<Group<'_>, Vec<&Row<'_>>> = BTreeMap::new();
    for attack in &attacks {
        groups.entry(Group::of(attack)).or_default().push(attack);
    }
    let tallies: Vec<(&Group<'_>, Tally)> =
        groups.iter().map(|(group, rows)| (group, Tally::of(rows.iter().copied()))).collect();
    if let Some(worst) = worst(&tallies) {
        names.add("attacks.worst_success_rate".to_owned(), worst);
    }
    for (group, tally) in &tallies {
        if let (Some(name), Some(rate)) = (group.name(), tally.rate(tally.passed, tally.total(), AT)) {
            names.add(format!("redteam/{name}/pass_rate"), rate);
        }
    }
    let open = |severity| {
        let open = attacks.iter().filter(|row| is_open(row) && rated(row) == severity).count();
        u64::try_from(open).unwrap_or(u64::MAX)
    };
    let unrated = open(Severity::Unrated);
    for (severity, word) in SEVERITIES {
        let open = open(severity);
        let metric = Metric {
            unrated: if severity == Severity::Critical { unrated } else { 0 },
            ..pooled.count(open, pooled.judged(), AT)
        };
        names.add(format!("findings.open.{word}"), metric);
    }
}

/// The rows that are attacks: those that name a plugin; where none does and the configuration names plugins, all.
fn attacks<'a>(document: &Json, rows: &'a [Row<'a>]) -> Vec<&'a Row<'a>> {
    let named: Vec<&Row<'_>> = rows.iter().filter(|row| plugin(row).is_some()).collect();
    let plugins =
        document.get("config").and_then(|config| config.get("redteam")).and_then(|red| red.get("plugins"));
    let configured = plugins.and_then(Json::as_array).is_some_and(|plugins| !plugins.is_empty());
    if named.is_empty() && configured { rows.iter().collect() } else { named }
}

/// The greatest success rate of any group, of two the one that rests on less; nothing where one of them was never
/// judged, for it could be that.
fn worst(tallies: &[(&Group<'_>, Tally)]) -> Option<Metric> {
    let share = |tally: &Tally| number::from_count(tally.failed) / number::from_count(tally.judged());
    if tallies.iter().any(|(_, tally)| tally.judged() == 0) {
        return None;
    }
    let worst = tallies
        .iter()
        .map(|(_, tally)| tally)
        .max_by(|one, other| share(one).total_cmp(&share(other)).then(other.judged().cmp(&one.judged())))?;
    worst.rate(worst.failed, worst.judged(), AT)
}

/// What an attack tried, and how.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group<'a> {
    plugin: Option<&'a str>,
    strategy: Option<&'a str>,
}

impl<'a> Group<'a> {
    fn of(row: &Row<'a>) -> Self {
        Self { plugin: plugin(row), strategy: metadata(row, "strategyId").first().copied() }
    }

    fn name(&self) -> Option<String> {
        match (self.plugin?, self.strategy) {
            (plugin, Some(strategy)) => Some(format!("{plugin}@{strategy}")),
            (plugin, None) => Some(plugin.to_owned()),
        }
    }
}

fn plugin<'a>(row: &Row<'a>) -> Option<&'a str> {
    let asserted = || {
        let asserts = row.json.get("testCase")?.get("assert")?.as_array()?;
        asserts.iter().find_map(|assert| assert.get("type")?.as_text()?.strip_prefix(ASSERTION))
    };
    metadata(row, "pluginId").first().copied().or_else(asserted)
}

/// The texts at that key of the row's metadata and of its test case's.
fn metadata<'a>(row: &Row<'a>, key: &str) -> Vec<&'a str> {
    let own = row.json.get("metadata");
    let case = row.json.get("testCase").and_then(|case| case.get("metadata"));
    let texts = [own, case].into_iter().flatten().filter_map(|metadata| metadata.get(key)?.as_text());
    texts.filter(|text| !text.is_empty()).collect()
}

/// The severity of a row; the worse one where its two places differ.
fn rated(row: &Row<'_>) -> Severity {
    let severity = |text: &str| match text.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "medium" => Severity::Medium,
        "low" => Severity::Low,
        "none" | "informational" => Severity::None,
        _ => Severity::Unrated,
    };
    metadata(row, "severity").into_iter().map(severity).min().unwrap_or(Severity::Unrated)
}

/// Whether the attack succeeded, or may have.
fn is_open(row: &Row<'_>) -> bool {
    match row.outcome {
        Outcome::Failed | Outcome::FailedOrErrored => true,
        Outcome::Passed | Outcome::Errored => false,
    }
}
