//! `git-gate/deploy/1`, `git-gate/log/1` and `git-gate/status/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::insight::{LoggedRecord, Origin, Running};
use crate::model::Principal;
use crate::verdict::Replay;

use super::super::deployments::{DeploymentShown, word};
use super::object;
use super::verdict::CheckJson;

/// What `deploy` did.
pub(in crate::render) fn deploy(shown: &DeploymentShown<'_>) -> String {
    let check = CheckJson::new(shown.judgement);
    object(&DeployJson {
        schema: "git-gate/deploy/1",
        gate: shown.judgement.verdict.gate.to_string(),
        environment: shown.judgement.verdict.environment.as_str(),
        record: shown.logged.map(|logged| logged.record.to_string()),
        branch: shown.logged.map(|logged| logged.branch.as_str()),
        pushed: shown.logged.is_some_and(|logged| logged.pushed),
        already: shown.logged.is_some_and(|logged| logged.already),
        dry_run: shown.dry_run,
        basis: shown.logged.map(|logged| logged.basis).or(shown.would).map(|basis| basis.to_string()),
        check,
    })
}

/// The log.
pub(in crate::render) fn log(records: &[LoggedRecord], origin: &Origin) -> String {
    object(&LogJson {
        schema: "git-gate/log/1",
        mainline: origin.mainline.to_string(),
        root: origin.root.to_string(),
        time: origin.time.to_string(),
        records: records.iter().map(record).collect(),
    })
}

/// The same without the end of its line; `put` is given it record by record.
pub(in crate::render) fn log_in_parts<E>(
    records: &[LoggedRecord],
    origin: &Origin,
    put: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let empty = log(&[], origin);
    put(empty.trim_end().strip_suffix("]}").unwrap_or(&empty))?;
    for (number, logged) in records.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        put(&format!("{comma}{}", object(&record(logged)).trim_end()))?;
    }
    put("]}")
}

/// What runs where.
pub(in crate::render) fn status(running: &[Running], origin: &Origin) -> String {
    object(&StatusJson {
        schema: "git-gate/status/1",
        mainline: origin.mainline.to_string(),
        root: origin.root.to_string(),
        time: origin.time.to_string(),
        running: running.iter().map(one_running).collect(),
    })
}

#[derive(Serialize)]
struct DeployJson<'a> {
    schema: &'static str,
    gate: String,
    environment: &'a str,
    record: Option<String>,
    branch: Option<&'a str>,
    pushed: bool,
    already: bool,
    dry_run: bool,
    basis: Option<String>,
    check: CheckJson<'a>,
}

#[derive(Serialize)]
struct LogJson<'a> {
    schema: &'static str,
    mainline: String,
    root: String,
    time: String,
    records: Vec<RecordJson<'a>>,
}

#[derive(Serialize)]
struct StatusJson<'a> {
    schema: &'static str,
    mainline: String,
    root: String,
    time: String,
    running: Vec<RunningJson<'a>>,
}

#[derive(Serialize)]
struct RunningJson<'a> {
    #[serde(flatten)]
    record: RecordJson<'a>,
    uncovered: Vec<String>,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    environment: &'a str,
    gate: String,
    record: String,
    status: &'static str,
    time: String,
    principal: Option<&'a str>,
    basis: String,
    judged: String,
    content: String,
    artifacts: BTreeMap<&'a str, String>,
    failed: bool,
    counts: bool,
    reason: Option<&'a str>,
    replay: ReplayJson<'a>,
    break_glass: bool,
    debt: Option<&'a str>,
}

/// What judging a record again gave.
#[derive(Serialize)]
pub(super) struct ReplayJson<'a> {
    verdict: &'static str,
    basis: Option<&'static str>,
    unmet: Vec<String>,
    reason: Option<&'a str>,
}

fn one_running(running: &Running) -> RunningJson<'_> {
    let uncovered = running.debts.iter().map(ToString::to_string).collect();
    RunningJson { record: record(&running.logged), uncovered }
}

fn record(logged: &LoggedRecord) -> RecordJson<'_> {
    let record = &logged.record;
    RecordJson {
        environment: logged.environment.as_str(),
        gate: record.gate.to_string(),
        record: record.commit.to_string(),
        status: word(logged).0,
        time: record.time.to_string(),
        principal: record.principal.as_ref().map(Principal::as_str),
        basis: record.claimed.to_string(),
        judged: record.judged.to_string(),
        content: record.content.to_string(),
        artifacts: record
            .artifacts
            .iter()
            .map(|(name, digest)| (name.as_str(), digest.to_string()))
            .collect(),
        failed: record.failed,
        counts: record.defect.is_none(),
        reason: record.defect.as_deref(),
        replay: replay(&record.replay),
        break_glass: logged.break_glass,
        debt: logged.debt.as_deref(),
    }
}

pub(super) fn replay(replay: &Replay) -> ReplayJson<'_> {
    match replay {
        Replay::Allowed { basis, .. } => {
            ReplayJson { verdict: "allowed", basis: Some(basis.as_str()), unmet: Vec::new(), reason: None }
        }
        Replay::NotAllowed(open) => ReplayJson {
            verdict: "not-allowed",
            basis: None,
            unmet: open.iter().map(ToString::to_string).collect(),
            reason: None,
        },
        Replay::NotReplayable(reason) => {
            ReplayJson { verdict: "not-replayable", basis: None, unmet: Vec::new(), reason: Some(reason) }
        }
    }
}
