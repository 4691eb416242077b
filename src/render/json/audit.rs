//! `git-gate/audit/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::decision::Verb;
use crate::insight::{
    Audit, DecisionSeen, Deployment, METHOD, Place, Population, Reconciliation, Sample, Then, Violation,
    ViolationCode,
};
use crate::model::{Code, Name, ObjectId, Principal, Time};
use crate::verdict::{Basis, Outcome, RecordFact};

use super::super::audit::shown;
use super::deployments::{ReplayJson, replay};
use super::verdict::{ChangeJson, ExceptionJson, NoticeJson, RequirementJson};
use super::verdict::{change, exception, notices, requirement};
use super::{names, object};

/// The audit, as one object, piece by piece: there may be very many deployments.
pub(in crate::render) fn audit<E>(
    audit: &Audit,
    put: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let origin = &audit.origin;
    let before = object(&BeforeJson {
        schema: "git-gate/audit/1",
        result: if audit.violations.is_empty() { "clean" } else { "violations" },
        mainline: origin.mainline.to_string(),
        root: origin.root.to_string(),
        time: origin.time.to_string(),
        since: audit.since.map(|since| since.to_string()),
        population: audit.population.iter().map(population).collect(),
        not_audited: names(&audit.other_environments),
        violations: audit.violations.iter().map(violation).collect(),
        debts: audit
            .debts()
            .map(|owed| debt(&owed.environment, &owed.record, owed.debt.as_deref(), owed.cover_due))
            .collect(),
        running: audit.running.as_ref().map(running),
        sample: audit.sample.as_ref().map(sample),
    });
    put(before.trim_end().strip_suffix('}').unwrap_or(&before))?;
    put(",\"deployments\":[")?;
    for (at, one) in shown(audit).enumerate() {
        let comma = if at == 0 { "" } else { "," };
        put(&format!("{comma}{}", object(&deployment(one)).trim_end()))?;
    }
    put("],")?;
    let behind = object(&BehindJson { notices: notices(&[], origin), relaxations: &origin.relaxations });
    put(behind.strip_prefix('{').unwrap_or(&behind))
}

/// What stands before the deployments.
#[derive(Serialize)]
struct BeforeJson<'a> {
    schema: &'static str,
    result: &'static str,
    mainline: String,
    root: String,
    time: String,
    since: Option<String>,
    population: Vec<PopulationJson<'a>>,
    not_audited: Vec<&'a str>,
    violations: Vec<ViolationJson<'a>>,
    debts: Vec<DebtJson<'a>>,
    running: Option<RunningJson<'a>>,
    sample: Option<SampleJson<'a>>,
}

/// What stands behind them.
#[derive(Serialize)]
struct BehindJson<'a> {
    notices: Vec<NoticeJson<'a>>,
    relaxations: &'a [String],
}

/// What was read of a log.
#[derive(Serialize)]
pub(super) struct PopulationJson<'a> {
    environment: &'a str,
    tip: Option<String>,
    records: u64,
    outside_the_log: u64,
    before_root: u64,
    left_out: u64,
    failures: u64,
    first: Option<MomentJson>,
    last: Option<MomentJson>,
}

#[derive(Serialize)]
struct MomentJson {
    record: String,
    time: String,
}

/// Something that is wrong.
#[derive(Serialize)]
pub(super) struct ViolationJson<'a> {
    code: &'static str,
    environment: Option<&'a str>,
    gate: Option<String>,
    record: Option<String>,
    message: &'a str,
}

/// What nobody has covered.
#[derive(Serialize)]
pub(super) struct DebtJson<'a> {
    environment: &'a str,
    gate: String,
    record: String,
    time: String,
    due: Option<String>,
    reason: &'a str,
}

#[derive(Serialize)]
struct RunningJson<'a> {
    observed: BTreeMap<&'a str, Vec<String>>,
    agree: Vec<String>,
    differences: Vec<ViolationJson<'a>>,
}

#[derive(Serialize)]
struct SampleJson<'a> {
    size: u64,
    seed: &'a str,
    method: &'static str,
    strata: Vec<StratumJson<'a>>,
}

#[derive(Serialize)]
struct StratumJson<'a> {
    risk: Option<&'a str>,
    population: u64,
    drawn: Vec<String>,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the output")]
struct DeploymentJson<'a> {
    environment: &'a str,
    gate: String,
    record: String,
    place: &'static str,
    time: String,
    recorded_at: Option<String>,
    principal: Option<&'a str>,
    basis: String,
    judged: String,
    content: String,
    artifacts: BTreeMap<&'a str, String>,
    failed: bool,
    counts: bool,
    reason: Option<&'a str>,
    before_root: bool,
    restart: Option<String>,
    break_glass: bool,
    debt: Option<&'a str>,
    replay: ReplayJson<'a>,
    violations: Vec<&'static str>,
    decided_at: Option<String>,
    then: Option<ThenJson<'a>>,
}

#[derive(Serialize)]
struct ThenJson<'a> {
    verdict: &'static str,
    basis: Option<&'static str>,
    policy: PolicyJson,
    change: Option<ChangeJson<'a>>,
    requirements: Vec<RequirementJson<'a>>,
    decisions: Vec<DecisionJson<'a>>,
    evidence: Vec<EvidenceJson<'a>>,
    exceptions: Vec<ExceptionJson<'a>>,
}

#[derive(Serialize)]
struct PolicyJson {
    digest: String,
    serial: u64,
}

#[derive(Serialize)]
struct DecisionJson<'a> {
    commit: String,
    action: Option<&'static str>,
    principal: Option<&'a str>,
    role: Option<&'a str>,
    environments: Vec<&'a str>,
    key: Option<&'a str>,
    signed_at: String,
    recorded_at: Option<String>,
    counts: bool,
    code: Option<&'static str>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    kind: &'a str,
    file: &'a str,
    digest: Option<String>,
    format: Option<&'a str>,
    problem: Option<&'a str>,
    attested: Option<AttestedJson<'a>>,
}

#[derive(Serialize)]
struct AttestedJson<'a> {
    roles: Vec<&'a str>,
    commit: Option<String>,
    principal: Option<&'a str>,
}

pub(super) fn population<'a>((environment, of): (&'a Name, &'a Population)) -> PopulationJson<'a> {
    let moment =
        |(record, time): (ObjectId, Time)| MomentJson { record: record.to_string(), time: time.to_string() };
    PopulationJson {
        environment: environment.as_str(),
        tip: of.tip.map(|tip| tip.to_string()),
        records: of.records,
        outside_the_log: of.outside_the_log,
        before_root: of.before_root,
        left_out: of.left_out,
        failures: of.failures,
        first: of.first.map(moment),
        last: of.last.map(moment),
    }
}

pub(super) fn violation(violation: &Violation) -> ViolationJson<'_> {
    ViolationJson {
        code: violation.code.as_str(),
        environment: violation.environment.as_ref().map(Name::as_str),
        gate: violation.gate.as_ref().map(ToString::to_string),
        record: violation.record.map(|record| record.to_string()),
        message: &violation.message,
    }
}

pub(super) fn debt<'a>(
    environment: &'a Name,
    record: &RecordFact,
    reason: Option<&'a str>,
    due: Option<Time>,
) -> DebtJson<'a> {
    DebtJson {
        environment: environment.as_str(),
        gate: record.gate.to_string(),
        record: record.commit.to_string(),
        time: record.time.to_string(),
        due: due.map(|due| due.to_string()),
        reason: reason.unwrap_or_default(),
    }
}

fn running(running: &Reconciliation) -> RunningJson<'_> {
    let observed = running.observed.iter().map(|(environment, digests)| {
        (environment.as_str(), digests.iter().map(ToString::to_string).collect())
    });
    RunningJson {
        observed: observed.collect(),
        agree: running.agree.iter().map(ToString::to_string).collect(),
        differences: running.differences.iter().map(violation).collect(),
    }
}

fn sample(sample: &Sample) -> SampleJson<'_> {
    let strata = sample.strata.iter().map(|stratum| StratumJson {
        risk: stratum.risk.as_ref().map(Name::as_str),
        population: stratum.population,
        drawn: stratum.drawn.iter().map(ToString::to_string).collect(),
    });
    SampleJson { size: sample.size, seed: &sample.seed, method: METHOD, strata: strata.collect() }
}

/// Where a record stands, as it is printed.
pub(in crate::render) fn place(place: Place) -> &'static str {
    match place {
        Place::Log => "log",
        Place::Fork => "fork",
        Place::Lacking => "lacking",
        Place::Stray => "stray",
    }
}

fn deployment(deployment: &Deployment) -> DeploymentJson<'_> {
    let record = &deployment.record;
    let artifacts = record.artifacts.iter().map(|(name, digest)| (name.as_str(), digest.to_string()));
    let decided = deployment.then.as_ref().and_then(Then::decided_at);
    DeploymentJson {
        environment: deployment.environment.as_str(),
        gate: record.gate.to_string(),
        record: record.commit.to_string(),
        place: place(deployment.place),
        time: record.time.to_string(),
        recorded_at: deployment.recorded_at.map(|time| time.to_string()),
        principal: record.principal.as_ref().map(Principal::as_str),
        basis: record.claimed.to_string(),
        judged: record.judged.to_string(),
        content: record.content.to_string(),
        artifacts: artifacts.collect(),
        failed: record.failed,
        counts: record.defect.is_none(),
        reason: record.defect.as_deref(),
        before_root: deployment.before_root,
        restart: deployment.restart.map(|before| before.to_string()),
        break_glass: deployment.break_glass,
        debt: deployment.debt.as_deref(),
        replay: replay(&record.replay),
        violations: deployment.violations.iter().map(|code: &ViolationCode| code.as_str()).collect(),
        decided_at: decided.map(|time| time.to_string()),
        then: deployment.then.as_ref().map(then),
    }
}

fn then(then: &Then) -> ThenJson<'_> {
    let basis = match then.outcome {
        Outcome::Allowed(basis) => Some(Basis::as_str(basis)),
        Outcome::Pending | Outcome::Blocked => None,
    };
    let evidence = then.evidence.iter().map(|report| EvidenceJson {
        kind: report.kind.as_str(),
        file: &report.file,
        digest: report.digest.map(|digest| digest.to_string()),
        format: report.format.as_deref(),
        problem: report.problem.as_deref(),
        attested: report.attested.as_ref().map(|attested| AttestedJson {
            roles: names(&attested.roles),
            commit: attested.by.as_ref().map(|(commit, _)| commit.to_string()),
            principal: attested.by.as_ref().map(|(_, who)| who.as_str()),
        }),
    });
    ThenJson {
        verdict: then.outcome.as_str(),
        basis,
        policy: PolicyJson { digest: then.policy.to_string(), serial: then.serial },
        change: then.change.as_ref().map(change),
        requirements: then.requirements.iter().map(requirement).collect(),
        decisions: then.decisions.iter().map(decision).collect(),
        evidence: evidence.collect(),
        exceptions: then.exceptions.iter().map(exception).collect(),
    }
}

fn decision(seen: &DecisionSeen) -> DecisionJson<'_> {
    DecisionJson {
        commit: seen.commit.to_string(),
        action: seen.verb.map(Verb::as_str),
        principal: seen.principal.as_ref().map(Principal::as_str),
        role: seen.role.as_ref().map(Name::as_str),
        environments: names(&seen.environments),
        key: seen.key.as_deref(),
        signed_at: seen.signed_at.to_string(),
        recorded_at: seen.recorded_at.map(|time| time.to_string()),
        counts: seen.code.is_none(),
        code: seen.code.map(Code::as_str),
        reason: seen.reason.as_deref(),
    }
}
