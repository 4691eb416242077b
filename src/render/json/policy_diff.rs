//! `git-gate/policy-diff/1`, and the branches in `git-gate/policy-status/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::insight::StatusChange;
use crate::policy::diff::Difference;
use crate::render::policy_diff::{Flip, PolicyBranch, PolicyDiff};
use crate::verdict::Status;

use super::verdict::DecisionJson;
use super::{object, people};

/// What a policy change means.
pub(in crate::render) fn policy_diff(diff: &PolicyDiff) -> String {
    object(&DiffJson {
        schema: "git-gate/policy-diff/1",
        policy: &diff.policy,
        serial: diff.serial,
        proposed_serial: diff.proposed_serial,
        problems: &diff.problems,
        differences: diff.differences.iter().map(difference).collect(),
        judged: diff.judged,
        flips: diff.flips.iter().map(flip).collect(),
        not_judged: &diff.not_judged,
    })
}

#[derive(Serialize)]
struct DiffJson<'a> {
    schema: &'static str,
    policy: &'a str,
    serial: u64,
    proposed_serial: u64,
    problems: &'a [String],
    differences: Vec<DifferenceJson<'a>>,
    judged: u64,
    flips: Vec<FlipJson<'a>>,
    not_judged: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct DifferenceJson<'a> {
    part: &'a str,
    meaning: &'static str,
    words: &'a str,
}

#[derive(Serialize)]
struct FlipJson<'a> {
    gate: String,
    environment: &'a str,
    before: &'static str,
    after: &'static str,
    changed: Vec<ChangeJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct ChangeJson<'a> {
    id: &'a str,
    before: Option<&'static str>,
    after: Option<&'static str>,
}

impl<'a> ChangeJson<'a> {
    pub(super) fn new(line: &'a StatusChange) -> Self {
        Self { id: &line.id, before: line.before.map(Status::as_str), after: line.after.map(Status::as_str) }
    }
}

/// A policy change that is on its branch still.
#[derive(Serialize)]
pub(super) struct BranchJson<'a> {
    branch: &'a str,
    commit: String,
    serial: Option<u64>,
    problems: &'a [String],
    approvals: u64,
    needed: u64,
    complete: bool,
    decisions: Vec<DecisionJson<'a>>,
    awaited: Vec<&'a str>,
}

impl<'a> BranchJson<'a> {
    pub(super) fn new(branch: &'a PolicyBranch) -> Self {
        Self {
            branch: &branch.branch,
            commit: branch.commit.to_string(),
            serial: branch.serial,
            problems: &branch.problems,
            approvals: branch.approvals,
            needed: branch.needed,
            complete: branch.complete,
            decisions: branch.decisions.iter().map(DecisionJson::new).collect(),
            awaited: people(&branch.awaited),
        }
    }
}

fn difference(one: &Difference) -> DifferenceJson<'_> {
    DifferenceJson { part: &one.part, meaning: one.meaning.as_str(), words: &one.words }
}

fn flip(flip: &Flip) -> FlipJson<'_> {
    FlipJson {
        gate: flip.gate.to_string(),
        environment: flip.environment.as_str(),
        before: flip.before.as_str(),
        after: flip.after.as_str(),
        changed: flip.changed.iter().map(ChangeJson::new).collect(),
    }
}
