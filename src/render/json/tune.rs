//! `git-gate/tune/1`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::insight::tune::{Cut, Spread, Suggested, Tuned};
use crate::insight::{CriterionOrigin, Origins};
use crate::model::Label;
use crate::render::tune::TuneShown;

use super::backtest::{ConclusionJson, rounded};
use super::evidence::number;
use super::verdict::{NoticeJson, notices};
use super::{names, object};

/// What each threshold would have caught.
pub(in crate::render) fn tune(shown: &TuneShown<'_>) -> String {
    object(&TuneJson {
        schema: "git-gate/tune/1",
        mainline: shown.origin.mainline.to_string(),
        root: shown.origin.root.to_string(),
        time: shown.origin.time.to_string(),
        serial: shown.origin.policy.serial,
        since: shown.since.map(|time| time.to_string()),
        until: shown.until.map(|time| time.to_string()),
        ran: shown.tuning.ran,
        led: shown.tuning.led,
        criteria: shown.tuning.bounds().map(|tuned| bound(shown, tuned)).collect(),
        origins: OriginsJson::new(shown.origins),
        notices: notices(&[], shown.origin),
    })
}

#[derive(Serialize)]
struct TuneJson<'a> {
    schema: &'static str,
    mainline: String,
    root: String,
    time: String,
    serial: u64,
    since: Option<String>,
    until: Option<String>,
    ran: u64,
    led: u64,
    criteria: Vec<BoundJson<'a>>,
    origins: OriginsJson<'a>,
    notices: Vec<NoticeJson<'a>>,
}

#[derive(Serialize)]
struct BoundJson<'a> {
    criterion: &'a str,
    rules: Vec<&'a str>,
    evidence: &'a str,
    metric: &'a str,
    bound: &'static str,
    present: Json,
    unread: u64,
    incidents: SpreadJson,
    others: SpreadJson,
    thresholds: Vec<CutJson>,
    suggestion: SuggestionJson<'a>,
}

#[derive(Serialize)]
struct SpreadJson {
    count: usize,
    five: Option<Vec<Json>>,
}

#[derive(Serialize)]
struct CutJson {
    value: Json,
    present: bool,
    caught: u32,
    missed: u32,
    false_alarms: u32,
    passed: u32,
    #[serde(flatten)]
    conclusion: ConclusionJson,
}

#[derive(Serialize)]
struct SuggestionJson<'a> {
    why: &'static str,
    value: Option<Json>,
    p: Option<Json>,
    change: Option<&'a str>,
}

/// Where criteria came from.
#[derive(Serialize)]
struct OriginsJson<'a> {
    criteria: BTreeMap<&'a str, OriginJson<'a>>,
    unanswered: Vec<&'a str>,
}

#[derive(Serialize)]
struct OriginJson<'a> {
    origin: Option<&'a str>,
    incidents: Vec<&'a str>,
}

impl<'a> OriginsJson<'a> {
    fn new(origins: &'a Origins) -> Self {
        let one = |origin: &'a CriterionOrigin| OriginJson {
            origin: origin.text.as_deref(),
            incidents: names(&origin.incidents),
        };
        Self {
            criteria: origins.criteria.iter().map(|(name, origin)| (name.as_str(), one(origin))).collect(),
            unanswered: names(&origins.unanswered),
        }
    }
}

fn bound<'a>(shown: &'a TuneShown<'_>, tuned: &'a Tuned) -> BoundJson<'a> {
    let change = shown.changes.get(&(tuned.criterion.clone(), tuned.dial)).map(String::as_str);
    BoundJson {
        criterion: tuned.criterion.as_str(),
        rules: tuned.rules.iter().map(Label::as_str).collect(),
        evidence: tuned.evidence.as_str(),
        metric: &tuned.metric,
        bound: tuned.dial.as_str(),
        present: number(tuned.present),
        unread: tuned.unread,
        incidents: spread(&tuned.spread(true)),
        others: spread(&tuned.spread(false)),
        thresholds: tuned.cuts().iter().map(cut).collect(),
        suggestion: suggestion(&tuned.suggestion(), change),
    }
}

fn spread(spread: &Spread) -> SpreadJson {
    SpreadJson {
        count: spread.count,
        five: spread.five.map(|five| five.into_iter().map(|value| number(rounded(value))).collect()),
    }
}

fn cut(cut: &Cut) -> CutJson {
    CutJson {
        value: number(cut.bound),
        present: cut.present,
        caught: cut.table.caught,
        missed: cut.table.missed,
        false_alarms: cut.table.false_alarms,
        passed: cut.table.passed,
        conclusion: ConclusionJson::new(&cut.conclusion),
    }
}

fn suggestion<'a>(suggested: &Suggested, change: Option<&'a str>) -> SuggestionJson<'a> {
    let (why, value, p) = match suggested {
        Suggested::Bound(found) => ("tells", Some(found.cut.bound), Some(found.p)),
        Suggested::NoIncidents => ("no-incidents", None, None),
        Suggested::TooFew(_) => ("too-few", None, None),
        Suggested::Chance(p) => ("chance", None, Some(*p)),
        Suggested::TooDear => ("stops-too-many", None, None),
        Suggested::Present => ("no-tighter", None, None),
    };
    SuggestionJson { why, value: value.map(number), p: p.map(|p| number(rounded(p))), change }
}
