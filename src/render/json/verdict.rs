//! `git-gate/check/1`, and `show` and `ready`, which hold one such object for each environment.

use serde::Serialize;

use crate::decision::Verb;
use crate::insight::{Judgement, Origin, PendingPolicy, PolicyOrigin};
use crate::model::{Code, GateName, Label, Name, Principal};
use crate::verdict::{By, ChangeShown, DecisionShown, ExceptionShown, Next, Notice, Outcome, Requirement};

use super::{names, object, people};

/// One verdict.
pub(in crate::render) fn check(judgement: &Judgement) -> String {
    object(&CheckJson::new(judgement))
}

/// Verdicts on one gate.
pub(in crate::render) fn environments(
    schema: &'static str,
    gate: &GateName,
    judgements: &[Judgement],
) -> String {
    let environments = judgements.iter().map(CheckJson::new).collect();
    object(&EnvironmentsJson { schema, gate: gate.to_string(), environments })
}

#[derive(Serialize)]
struct EnvironmentsJson<'a> {
    schema: &'static str,
    gate: String,
    environments: Vec<CheckJson<'a>>,
}

/// One verdict.
#[derive(Serialize)]
pub(super) struct CheckJson<'a> {
    schema: &'static str,
    gate: String,
    environment: &'a str,
    verdict: &'static str,
    basis: Option<&'static str>,
    mainline: MainlineJson<'a>,
    log: Option<String>,
    root: RootJson,
    time: String,
    policy: PolicyOriginJson<'a>,
    content: Option<String>,
    change: Option<ChangeJson<'a>>,
    requirements: Vec<RequirementJson<'a>>,
    decisions: Vec<DecisionJson<'a>>,
    exceptions: Vec<ExceptionJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
    relaxations: &'a [String],
}

#[derive(Serialize)]
struct MainlineJson<'a> {
    r#ref: &'a str,
    commit: String,
    step: String,
}

#[derive(Serialize)]
struct RootJson {
    commit: String,
    from: &'static str,
}

/// The policy in force, and the one that waits.
#[derive(Serialize)]
pub(super) struct PolicyOriginJson<'a> {
    digest: String,
    serial: u64,
    commit: String,
    pending: Option<PendingJson<'a>>,
}

#[derive(Serialize)]
struct PendingJson<'a> {
    digest: Option<String>,
    serial: Option<u64>,
    commit: String,
    approvals: u64,
    needed: u64,
    defect: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct ChangeJson<'a> {
    kinds: Vec<&'a str>,
    risk: &'a str,
    tags: Vec<&'a str>,
    summary: &'a str,
}

#[derive(Serialize)]
pub(super) struct RequirementJson<'a> {
    id: String,
    status: &'static str,
    rules: Vec<&'a str>,
    expected: &'a str,
    found: &'a str,
    by: Vec<ByJson<'a>>,
    next: Option<NextJson<'a>>,
}

#[derive(Serialize)]
struct ByJson<'a> {
    commit: String,
    principal: Option<&'a str>,
}

#[derive(Serialize)]
struct NextJson<'a> {
    who: Vec<&'a str>,
    command: &'a str,
}

/// A decision, counted or not.
#[derive(Serialize)]
pub(super) struct DecisionJson<'a> {
    commit: String,
    action: Option<&'static str>,
    principal: Option<&'a str>,
    role: Option<&'a str>,
    key: Option<&'a str>,
    signed_at: String,
    recorded_at: Option<String>,
    counts: bool,
    code: Option<&'static str>,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    environments: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    words: &'a str,
}

#[derive(Serialize)]
pub(super) struct ExceptionJson<'a> {
    commit: String,
    content: String,
    waives: Vec<&'a str>,
    expires: Option<String>,
    in_force: bool,
    reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct NoticeJson<'a> {
    code: &'static str,
    message: &'a str,
}

impl<'a> CheckJson<'a> {
    pub(super) fn new(Judgement { verdict, origin }: &'a Judgement) -> Self {
        Self {
            schema: "git-gate/check/1",
            gate: verdict.gate.to_string(),
            environment: verdict.environment.as_str(),
            verdict: verdict.outcome.as_str(),
            basis: match verdict.outcome {
                Outcome::Allowed(basis) => Some(basis.as_str()),
                Outcome::Pending | Outcome::Blocked => None,
            },
            mainline: MainlineJson {
                r#ref: &origin.mainline_ref,
                commit: origin.mainline.to_string(),
                step: origin.step.to_string(),
            },
            log: origin.log.map(|log| log.to_string()),
            root: RootJson { commit: origin.root.to_string(), from: origin.root_from.as_str() },
            time: origin.time.to_string(),
            policy: PolicyOriginJson::new(&origin.policy),
            content: verdict.content.map(|content| content.to_string()),
            change: verdict.change.as_ref().map(change),
            requirements: verdict.requirements.iter().map(requirement).collect(),
            decisions: verdict.decisions.iter().map(DecisionJson::new).collect(),
            exceptions: verdict.exceptions.iter().map(exception).collect(),
            notices: notices(&verdict.notices, origin),
            relaxations: &origin.relaxations,
        }
    }
}

impl<'a> PolicyOriginJson<'a> {
    pub(super) fn new(policy: &'a PolicyOrigin) -> Self {
        Self {
            digest: policy.digest.to_string(),
            serial: policy.serial,
            commit: policy.commit.to_string(),
            pending: policy.pending.as_ref().map(pending),
        }
    }
}

fn pending(policy: &PendingPolicy) -> PendingJson<'_> {
    PendingJson {
        digest: policy.digest.map(|digest| digest.to_string()),
        serial: policy.serial,
        commit: policy.commit.to_string(),
        approvals: policy.approvals,
        needed: policy.needed,
        defect: policy.defect.as_deref(),
    }
}

pub(super) fn change(change: &ChangeShown) -> ChangeJson<'_> {
    ChangeJson {
        kinds: names(&change.kinds),
        risk: change.risk.as_str(),
        tags: names(&change.tags),
        summary: &change.summary,
    }
}

pub(super) fn requirement(line: &Requirement) -> RequirementJson<'_> {
    RequirementJson {
        id: line.id.to_string(),
        status: line.status.as_str(),
        rules: line.rules.iter().map(Label::as_str).collect(),
        expected: &line.expected,
        found: &line.found,
        by: line.by.iter().map(person).collect(),
        next: line.next.as_ref().map(next),
    }
}

fn person(by: &By) -> ByJson<'_> {
    ByJson { commit: by.commit.to_string(), principal: by.principal.as_ref().map(Principal::as_str) }
}

fn next(next: &Next) -> NextJson<'_> {
    NextJson { who: people(&next.who), command: &next.command }
}

impl<'a> DecisionJson<'a> {
    pub(super) fn new(shown: &'a DecisionShown) -> Self {
        let fact = &shown.fact;
        Self {
            commit: fact.commit.to_string(),
            action: fact.verb.map(Verb::as_str),
            principal: fact.principal.as_ref().map(Principal::as_str),
            role: fact.role.as_ref().map(Name::as_str),
            key: fact.key.as_deref(),
            signed_at: fact.signed_at.to_string(),
            recorded_at: fact.recorded_at.map(|time| time.to_string()),
            counts: shown.code.is_none(),
            code: shown.code.map(Code::as_str),
            reason: shown.reason.as_deref(),
            mend: shown.code.and_then(Code::mend),
            environments: names(&fact.environments),
            gate_reason: fact.reason.as_ref().map(Name::as_str),
            record: fact.record.map(|record| record.to_string()),
            words: &fact.words,
        }
    }
}

pub(super) fn exception(shown: &ExceptionShown) -> ExceptionJson<'_> {
    ExceptionJson {
        commit: shown.commit.to_string(),
        content: shown.content.to_string(),
        waives: shown.waives.iter().map(String::as_str).collect(),
        expires: shown.expires.map(|time| time.to_string()),
        in_force: shown.in_force,
        reason: &shown.reason,
    }
}

/// Those of the gate, where there is one, and those of the history, each once.
pub(super) fn notices<'a>(of_gate: &'a [Notice], origin: &'a Origin) -> Vec<NoticeJson<'a>> {
    let mut notices: Vec<&Notice> = of_gate.iter().chain(&origin.notices).collect();
    notices.sort();
    notices.dedup();
    notices.into_iter().map(|notice| NoticeJson { code: notice.code, message: &notice.message }).collect()
}
