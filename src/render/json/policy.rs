//! `git-gate/policy-show/1` and `git-gate/policy-status/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::insight::Origin;
use crate::model::Principal;
use crate::policy::{Approval, Environment, EvidenceKind, Freeze, Policy, Revocation, Role, Rule, System};
use crate::render::policy::{
    conditions, criterion_words, held, key_principals, keys_word, options, since_words,
};
use crate::render::policy_diff::PolicyBranch;
use crate::signature::SignerEntry;
use crate::verdict::DecisionShown;

use super::policy_diff::BranchJson;
use super::verdict::{DecisionJson, NoticeJson, PolicyOriginJson, notices};
use super::{names, object, people};

/// The policy in force.
pub(in crate::render) fn policy(policy: &Policy, origin: &Origin) -> String {
    object(&PolicyJson {
        schema: "git-gate/policy-show/1",
        id: &policy.id,
        policy: PolicyOriginJson::new(&origin.policy),
        bots: people(&policy.bots),
        governance: approvals(&policy.governance),
        mainline_signed_by: policy.mainline_signed_by.as_ref().map(names),
        roles: policy.roles.iter().map(|(name, role)| (name.as_str(), role_json(role))).collect(),
        kinds: names(&policy.kinds),
        risks: names(&policy.risks),
        systems: policy
            .systems
            .iter()
            .map(|(name, system)| (name.as_str(), system_json(policy, system)))
            .collect(),
        environments: policy
            .environments
            .iter()
            .map(|(name, environment)| (name.as_str(), environment_json(environment)))
            .collect(),
        evidence: policy.evidence.iter().map(|(name, kind)| (name.as_str(), evidence_json(kind))).collect(),
        approvals_max_age: policy.approvals_max_age.map(|age| age.to_string()),
        rejection_reasons: names(&policy.rejection_reasons),
        rules: policy.rules.iter().map(|rule| rule_json(policy, rule)).collect(),
        exceptions: ExceptionsJson {
            approvals: approvals(&policy.exceptions.approvals),
            max_duration: policy.exceptions.max_duration.map(|long| long.to_string()),
            break_glass_review: policy.exceptions.break_glass_review.map(|long| long.to_string()),
        },
        freezes: policy.freezes.iter().map(|freeze| freeze_json(policy, freeze)).collect(),
        keys: policy.signers.entries().map(key_json).collect(),
        revoked: policy.revoked.iter().map(revocation_json).collect(),
        notices: notices(&[], origin),
    })
}

/// The policy in force, and the one that waits.
pub(in crate::render) fn policy_status(
    origin: &Origin,
    decisions: &[DecisionShown],
    branches: &[PolicyBranch],
) -> String {
    object(&StatusJson {
        schema: "git-gate/policy-status/1",
        policy: PolicyOriginJson::new(&origin.policy),
        decisions: decisions.iter().map(DecisionJson::new).collect(),
        branches: branches.iter().map(BranchJson::new).collect(),
        notices: notices(&[], origin),
    })
}

#[derive(Serialize)]
struct StatusJson<'a> {
    schema: &'static str,
    policy: PolicyOriginJson<'a>,
    decisions: Vec<DecisionJson<'a>>,
    branches: Vec<BranchJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
}

#[derive(Serialize)]
struct PolicyJson<'a> {
    schema: &'static str,
    id: &'a str,
    policy: PolicyOriginJson<'a>,
    bots: Vec<&'a str>,
    governance: Vec<ApprovalJson<'a>>,
    mainline_signed_by: Option<Vec<&'a str>>,
    roles: BTreeMap<&'a str, RoleJson<'a>>,
    kinds: Vec<&'a str>,
    risks: Vec<&'a str>,
    systems: BTreeMap<&'a str, SystemJson<'a>>,
    environments: BTreeMap<&'a str, EnvironmentJson<'a>>,
    evidence: BTreeMap<&'a str, EvidenceJson<'a>>,
    approvals_max_age: Option<String>,
    rejection_reasons: Vec<&'a str>,
    rules: Vec<RuleJson<'a>>,
    exceptions: ExceptionsJson<'a>,
    freezes: Vec<FreezeJson<'a>>,
    keys: Vec<KeyJson<'a>>,
    revoked: Vec<RevocationJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
}

#[derive(Serialize)]
struct ApprovalJson<'a> {
    role: &'a str,
    count: u64,
}

#[derive(Serialize)]
struct RoleJson<'a> {
    title: Option<&'a str>,
    members: Vec<&'a str>,
    keys: &'static str,
}

#[derive(Serialize)]
struct SystemJson<'a> {
    title: Option<&'a str>,
    risk: Option<String>,
    tags: Vec<&'a str>,
    owner: Option<&'a str>,
}

#[derive(Serialize)]
struct EnvironmentJson<'a> {
    deployers: Vec<&'a str>,
    artifacts_required: bool,
    rollback_window: Option<String>,
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    title: Option<&'a str>,
    about_change: bool,
    max_age: Option<String>,
    attested_by: Option<Vec<&'a str>>,
    formats: Option<Vec<&'static str>>,
    min_passed: Option<u64>,
    options: Vec<&'static str>,
    metrics: Vec<&'a str>,
}

#[derive(Serialize)]
struct RuleJson<'a> {
    name: &'a str,
    when: BTreeMap<&'static str, Vec<String>>,
    evidence: Vec<&'a str>,
    approvals: Vec<ApprovalJson<'a>>,
    criteria: Vec<CriterionJson<'a>>,
}

#[derive(Serialize)]
struct CriterionJson<'a> {
    name: &'a str,
    evidence: &'a str,
    asks: String,
}

#[derive(Serialize)]
struct ExceptionsJson<'a> {
    approvals: Vec<ApprovalJson<'a>>,
    max_duration: Option<String>,
    break_glass_review: Option<String>,
}

#[derive(Serialize)]
struct FreezeJson<'a> {
    name: &'a str,
    when: BTreeMap<&'static str, Vec<String>>,
    from: String,
    until: String,
}

#[derive(Serialize)]
struct KeyJson<'a> {
    key: &'a str,
    r#type: String,
    principals: Vec<String>,
    cert_authority: bool,
    valid_after: Option<String>,
    valid_before: Option<String>,
}

#[derive(Serialize)]
struct RevocationJson<'a> {
    key: &'a str,
    since: String,
    reason: &'a str,
}

fn approvals(list: &[Approval]) -> Vec<ApprovalJson<'_>> {
    list.iter().map(|Approval { role, count }| ApprovalJson { role: role.as_str(), count: *count }).collect()
}

fn role_json(role: &Role) -> RoleJson<'_> {
    RoleJson { title: role.title.as_deref(), members: people(&role.members), keys: keys_word(role.keys) }
}

fn system_json<'a>(policy: &Policy, system: &'a System) -> SystemJson<'a> {
    SystemJson {
        title: system.title.as_deref(),
        risk: system.risk.map(|risk| held(policy, risk)),
        tags: names(&system.tags),
        owner: system.owner.as_ref().map(Principal::as_str),
    }
}

fn environment_json(environment: &Environment) -> EnvironmentJson<'_> {
    EnvironmentJson {
        deployers: names(&environment.deployers),
        artifacts_required: environment.artifacts_required,
        rollback_window: environment.rollback_window.map(|window| window.to_string()),
    }
}

fn evidence_json(kind: &EvidenceKind) -> EvidenceJson<'_> {
    EvidenceJson {
        title: kind.title.as_deref(),
        about_change: kind.about_change,
        max_age: kind.max_age.map(|age| age.to_string()),
        attested_by: kind.attested_by.as_ref().map(names),
        formats: kind.formats.as_ref().map(|formats| formats.iter().map(|format| format.as_str()).collect()),
        min_passed: kind.min_passed,
        options: options(kind),
        metrics: kind.metrics.keys().map(String::as_str).collect(),
    }
}

fn rule_json<'a>(policy: &Policy, rule: &'a Rule) -> RuleJson<'a> {
    let criteria = rule.criteria.iter().map(|criterion| CriterionJson {
        name: criterion.name.as_str(),
        evidence: criterion.evidence.as_str(),
        asks: criterion_words(criterion),
    });
    RuleJson {
        name: rule.name.as_str(),
        when: conditions(policy, &rule.when).into_iter().collect(),
        evidence: names(&rule.evidence),
        approvals: approvals(&rule.approvals),
        criteria: criteria.collect(),
    }
}

fn freeze_json<'a>(policy: &Policy, freeze: &'a Freeze) -> FreezeJson<'a> {
    FreezeJson {
        name: freeze.name.as_str(),
        when: conditions(policy, &freeze.when).into_iter().collect(),
        from: freeze.from.to_string(),
        until: freeze.until.to_string(),
    }
}

fn key_json(entry: &SignerEntry) -> KeyJson<'_> {
    KeyJson {
        key: entry.fingerprint().as_str(),
        r#type: entry.key_description(),
        principals: key_principals(entry),
        cert_authority: entry.is_authority(),
        valid_after: entry.valid_after().map(|time| time.to_string()),
        valid_before: entry.valid_before().map(|time| time.to_string()),
    }
}

fn revocation_json(revocation: &Revocation) -> RevocationJson<'_> {
    RevocationJson { key: &revocation.key, since: since_words(revocation.since), reason: &revocation.reason }
}
