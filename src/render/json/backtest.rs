//! `git-gate/backtest/1`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;

use crate::insight::backtest::{Backtest, Cells, Flip, Score};
use crate::insight::statistics::Conclusion;
use crate::model::Name;
use crate::render::backtest::BacktestShown;

use super::evidence::number;
use super::object;
use super::policy_diff::ChangeJson;
use super::verdict::{NoticeJson, notices};

/// What a proposed policy would have done.
pub(in crate::render) fn backtest(shown: &BacktestShown<'_>) -> String {
    let found = shown.found;
    object(&BacktestJson {
        schema: "git-gate/backtest/1",
        policy: shown.policy,
        serial: shown.serial,
        proposed_serial: shown.proposed_serial,
        problems: shown.problems,
        mainline: shown.origin.mainline.to_string(),
        root: shown.origin.root.to_string(),
        time: shown.origin.time.to_string(),
        since: shown.since.map(|time| time.to_string()),
        until: shown.until.map(|time| time.to_string()),
        judged: found.judged.iter().map(|(how, count)| (how.as_str(), *count)).collect(),
        undecided: found.undecided,
        out_of_time: found.out_of_time,
        left_out: &found.left_out,
        first: found.span.map(|(first, _)| first.to_string()),
        last: found.span.map(|(_, last)| last.to_string()),
        changed_since: found.changed_since,
        flips: found.flips.iter().map(flip).collect(),
        in_force: score(&found.in_force),
        proposed: score(&found.proposed),
        conclusion: ConclusionJson::new(&found.proposed.conclude()),
        cost: cost(found),
        notices: notices(&[], shown.origin),
    })
}

#[derive(Serialize)]
struct BacktestJson<'a> {
    schema: &'static str,
    policy: &'a str,
    serial: u64,
    proposed_serial: u64,
    problems: &'a [String],
    mainline: String,
    root: String,
    time: String,
    since: Option<String>,
    until: Option<String>,
    judged: BTreeMap<&'static str, u64>,
    undecided: u64,
    out_of_time: u64,
    left_out: &'a BTreeMap<String, BTreeSet<String>>,
    first: Option<String>,
    last: Option<String>,
    changed_since: u64,
    flips: Vec<FlipJson<'a>>,
    in_force: ScoreJson,
    proposed: ScoreJson,
    conclusion: ConclusionJson,
    cost: CostJson<'a>,
    notices: Vec<NoticeJson<'a>>,
}

#[derive(Serialize)]
struct FlipJson<'a> {
    gate: String,
    environment: &'a str,
    decided: &'static str,
    commit: String,
    time: String,
    then: &'static str,
    before: &'static str,
    after: &'static str,
    changed: Vec<ChangeJson<'a>>,
    ran: bool,
    incidents: Vec<&'a str>,
}

/// How a policy lines up with incidents.
#[derive(Serialize)]
pub(super) struct ScoreJson {
    #[serde(flatten)]
    all: CellsJson,
    rules: BTreeMap<String, CellsJson>,
    requirements: BTreeMap<String, CellsJson>,
}

#[derive(Serialize)]
struct CellsJson {
    caught: u32,
    held_incidents: u32,
    missed: u32,
    false_alarms: u32,
    held_others: u32,
    passed: u32,
}

/// What counts let one conclude.
#[derive(Serialize)]
pub(super) struct ConclusionJson {
    concluded: &'static str,
    p: Option<Json>,
}

impl ConclusionJson {
    pub(super) fn new(conclusion: &Conclusion) -> Self {
        let (concluded, p) = match conclusion {
            Conclusion::TooFew => ("too-few", None),
            Conclusion::Chance(p) => ("chance", Some(*p)),
            Conclusion::Tells(p) => ("tells", Some(*p)),
        };
        Self { concluded, p: p.map(|p| number(rounded(p))) }
    }
}

/// To six decimals: what the last digits are depends on the machine's logarithm.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[derive(Serialize)]
struct CostJson<'a> {
    gates: u64,
    approvals: BTreeMap<&'a str, BothJson>,
    reports: BTreeMap<&'a str, BothJson>,
    waiting: WaitingJson,
}

#[derive(Serialize)]
struct BothJson {
    in_force: u64,
    proposed: u64,
}

#[derive(Serialize)]
struct WaitingJson {
    longer: u64,
    shorter: u64,
    unknown: u64,
    added_seconds: i64,
    roles: BTreeMap<String, RoleJson>,
}

#[derive(Serialize)]
struct RoleJson {
    expected_seconds: Option<i64>,
    observed: usize,
    by_all_roles: bool,
}

fn flip(flip: &Flip) -> FlipJson<'_> {
    FlipJson {
        gate: flip.gate.to_string(),
        environment: flip.environment.as_str(),
        decided: flip.how.as_str(),
        commit: flip.commit.to_string(),
        time: flip.time.to_string(),
        then: flip.then.as_str(),
        before: flip.before.as_str(),
        after: flip.after.as_str(),
        changed: flip.changed.iter().map(ChangeJson::new).collect(),
        ran: flip.ran,
        incidents: super::names(&flip.incidents),
    }
}

pub(super) fn score(score: &Score) -> ScoreJson {
    ScoreJson {
        all: cells(&score.all),
        rules: score.rules.iter().map(|(name, counts)| (name.to_string(), cells(counts))).collect(),
        requirements: score.requirements.iter().map(|(id, counts)| (id.to_string(), cells(counts))).collect(),
    }
}

fn cells(cells: &Cells) -> CellsJson {
    let Cells { caught, held_incidents, missed, false_alarms, held_others, passed } = *cells;
    CellsJson { caught, held_incidents, missed, false_alarms, held_others, passed }
}

fn cost(found: &Backtest) -> CostJson<'_> {
    let waiting = found.cost.waiting();
    let role = |(name, (expected, observed)): (&Name, &(Option<i64>, usize))| {
        let by_all_roles = waiting.by_all_roles.contains(name);
        (name.to_string(), RoleJson { expected_seconds: *expected, observed: *observed, by_all_roles })
    };
    CostJson {
        gates: found.cost.gates,
        approvals: pairs(&found.cost.approvals),
        reports: pairs(&found.cost.reports),
        waiting: WaitingJson {
            longer: waiting.longer,
            shorter: waiting.shorter,
            unknown: waiting.unknown,
            added_seconds: waiting.added,
            roles: waiting.roles.iter().map(role).collect(),
        },
    }
}

fn pairs(counts: &BTreeMap<Name, (u64, u64)>) -> BTreeMap<&str, BothJson> {
    let mut found = BTreeMap::new();
    for (name, (in_force, proposed)) in counts {
        found.insert(name.as_str(), BothJson { in_force: *in_force, proposed: *proposed });
    }
    found
}
