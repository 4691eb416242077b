//! `git-gate/list/1`, `git-gate/pending/1` and `git-gate/history/1`.

use serde::Serialize;

use crate::insight::{Event, GateLine, Moment, Origin, Wait};
use crate::model::{Code, GateName, Name, Principal};
use crate::verdict::{Notice, Outcome};

use super::super::{history, overview::Awaited};
use super::{names, object, people};

/// Many gates.
pub(in crate::render) fn list(lines: &[GateLine], origin: &Origin) -> String {
    object(&ListJson {
        schema: "git-gate/list/1",
        mainline: origin.mainline.to_string(),
        root: origin.root.to_string(),
        time: origin.time.to_string(),
        gates: lines.iter().map(gate).collect(),
        notices: origin.notices.iter().map(notice).collect(),
    })
}

/// What waits on one person.
pub(in crate::render) fn pending(person: &Principal, awaited: &[Awaited], unjudged: &[&GateLine]) -> String {
    object(&PendingJson {
        schema: "git-gate/pending/1",
        principal: person.as_str(),
        waits: awaited.iter().map(one_awaited).collect(),
        unjudged: unjudged.iter().map(|line| gate(line)).collect(),
    })
}

/// What happened to one gate.
pub(in crate::render) fn history(gate: &GateName, moments: &[Moment]) -> String {
    object(&HistoryJson {
        schema: "git-gate/history/1",
        gate: gate.to_string(),
        moments: moments.iter().map(moment).collect(),
    })
}

#[derive(Serialize)]
struct ListJson<'a> {
    schema: &'static str,
    mainline: String,
    root: String,
    time: String,
    gates: Vec<GateJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
}

/// A gate at a glance.
#[derive(Serialize)]
pub(super) struct GateJson<'a> {
    gate: String,
    verdict: Option<&'static str>,
    merged: bool,
    problem: Option<&'a str>,
    kinds: Vec<&'a str>,
    risk: Option<&'a str>,
    tags: Vec<&'a str>,
    summary: Option<&'a str>,
    content: Option<String>,
    opened: Option<String>,
    since: Option<String>,
    people: Vec<&'a str>,
    environments: Vec<EnvironmentJson<'a>>,
    waits: Vec<WaitJson<'a>>,
}

#[derive(Serialize)]
struct EnvironmentJson<'a> {
    environment: &'a str,
    verdict: &'static str,
    basis: Option<&'static str>,
    open: Vec<OpenJson>,
}

#[derive(Serialize)]
struct OpenJson {
    id: String,
    status: &'static str,
}

#[derive(Serialize)]
struct WaitJson<'a> {
    requirement: String,
    environments: Vec<&'a str>,
    who: Vec<&'a str>,
    command: &'a str,
}

#[derive(Serialize)]
struct NoticeJson<'a> {
    code: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct PendingJson<'a> {
    schema: &'static str,
    principal: &'a str,
    waits: Vec<AwaitedJson<'a>>,
    unjudged: Vec<GateJson<'a>>,
}

#[derive(Serialize)]
struct AwaitedJson<'a> {
    gate: &'a str,
    requirement: &'a str,
    environments: Vec<&'a str>,
    since: Option<String>,
    summary: &'a str,
    command: &'a str,
}

#[derive(Serialize)]
struct HistoryJson<'a> {
    schema: &'static str,
    gate: String,
    moments: Vec<MomentJson<'a>>,
}

#[derive(Serialize)]
struct MomentJson<'a> {
    event: &'static str,
    what: String,
    commit: String,
    principal: Option<&'a str>,
    signed_at: String,
    recorded_at: Option<String>,
    environments: Vec<&'a str>,
    counts: bool,
    code: Option<&'static str>,
    reason: Option<String>,
    words: Option<&'a str>,
}

pub(super) fn gate(line: &GateLine) -> GateJson<'_> {
    let change = line.change.as_ref();
    GateJson {
        gate: line.gate.to_string(),
        verdict: line.worst().map(Outcome::as_str),
        merged: !line.unmerged,
        problem: line.problem.as_deref(),
        kinds: change.map(|change| names(&change.kinds)).unwrap_or_default(),
        risk: change.map(|change| change.risk.as_str()),
        tags: change.map(|change| names(&change.tags)).unwrap_or_default(),
        summary: change.map(|change| change.summary.as_str()),
        content: line.content.map(|content| content.to_string()),
        opened: line.opened.map(|time| time.to_string()),
        since: line.since.map(|time| time.to_string()),
        people: people(&line.people),
        environments: line
            .environments
            .iter()
            .map(|one| EnvironmentJson {
                environment: one.environment.as_str(),
                verdict: one.outcome.as_str(),
                basis: match one.outcome {
                    Outcome::Allowed(basis) => Some(basis.as_str()),
                    Outcome::Pending | Outcome::Blocked => None,
                },
                open: one
                    .open
                    .iter()
                    .map(|(id, status)| OpenJson { id: id.to_string(), status: status.as_str() })
                    .collect(),
            })
            .collect(),
        waits: line.waits.iter().map(wait).collect(),
    }
}

fn wait(wait: &Wait) -> WaitJson<'_> {
    WaitJson {
        requirement: wait.requirement.to_string(),
        environments: names(&wait.environments),
        who: people(&wait.who),
        command: &wait.command,
    }
}

fn notice(notice: &Notice) -> NoticeJson<'_> {
    NoticeJson { code: notice.code, message: &notice.message }
}

fn one_awaited(one: &Awaited) -> AwaitedJson<'_> {
    AwaitedJson {
        gate: &one.target,
        requirement: &one.requirement,
        environments: names(&one.environments),
        since: one.since.map(|time| time.to_string()),
        summary: &one.summary,
        command: &one.command,
    }
}

fn moment(moment: &Moment) -> MomentJson<'_> {
    let defect = moment.event.defect();
    let (code, reason) = match defect {
        Some((code, reason)) => (code, Some(reason)),
        None => (None, None),
    };
    let environments: Vec<&Name> = match &moment.event {
        Event::Decided(_, places) => places.iter().collect(),
        Event::Deployed(_, environment) => vec![environment],
        Event::Changed(_) => Vec::new(),
    };
    MomentJson {
        event: history::kind(&moment.event),
        what: history::words(&moment.event),
        commit: moment.commit.to_string(),
        principal: moment.principal.as_ref().map(Principal::as_str),
        signed_at: moment.signed_at.to_string(),
        recorded_at: moment.recorded_at.map(|time| time.to_string()),
        environments: names(environments),
        counts: reason.is_none(),
        code: code.map(Code::as_str),
        reason,
        words: match &moment.event {
            Event::Decided(shown, _) => Some(shown.fact.words.as_str()),
            Event::Changed(_) | Event::Deployed(..) => None,
        },
    }
}
