//! Attacks on the policy, on keys, on history and its storage, and on the deployment log.
//!
//! Each is made with plain `git` and `ssh-keygen` and met by the built binary. The helpers here read what it printed.

mod copies;
mod damage;
mod hostile;
pub(crate) mod keys;
pub(crate) mod log;
mod log_integrity;
mod mainline;
mod objects;
mod policy;
mod policy_tally;
mod same_bytes;
mod steps;
mod storage;

use serde_json::Value;

use super::world::{Decision, Policy, Repo, Run};

/// The gate that the stories are about.
const GATE: &str = "summarizer/v1.4";

/// What `check` for production says, whatever the verdict.
#[track_caller]
fn check(repo: &Repo<'_>) -> Value {
    repo.check_json(GATE, "production")
}

/// `check` for production with more arguments.
#[track_caller]
fn check_with(repo: &Repo<'_>, more: &[&str]) -> Value {
    let args = [&["check", GATE, "--env", "production", "--format", "json"], more].concat();
    repo.run(&args).json()
}

/// Verdict and basis in one: `allowed requirements`, `pending`, `blocked`.
fn verdict(answer: &Value) -> String {
    let word = answer["verdict"].as_str().unwrap_or("no verdict");
    answer["basis"].as_str().map_or_else(|| word.to_owned(), |basis| format!("{word} {basis}"))
}

/// The status of one requirement; `none` where it is not listed.
pub(crate) fn status<'a>(answer: &'a Value, id: &str) -> &'a str {
    requirement(answer, id).map_or("none", |line| line["status"].as_str().unwrap())
}

/// What one requirement says was found.
pub(crate) fn found(answer: &Value, id: &str) -> String {
    requirement(answer, id).map_or_else(String::new, |line| line["found"].as_str().unwrap().to_owned())
}

fn requirement<'a>(answer: &'a Value, id: &str) -> Option<&'a Value> {
    answer["requirements"].as_array()?.iter().find(|line| line["id"] == id)
}

/// Why a decision does not count: its code; `counts` where it does, `not listed` where it is not there.
fn code<'a>(answer: &'a Value, commit: &str) -> &'a str {
    let listed = answer["decisions"].as_array().into_iter().flatten();
    match listed.into_iter().find(|decision| decision["commit"] == commit) {
        Some(decision) => decision["code"].as_str().unwrap_or("counts"),
        None => "not listed",
    }
}

/// The reason that goes with [`code`].
fn reason(answer: &Value, commit: &str) -> String {
    let listed = answer["decisions"].as_array().unwrap();
    let decision = listed.iter().find(|decision| decision["commit"] == commit).unwrap();
    decision["reason"].as_str().unwrap_or_default().to_owned()
}

/// The message of a notice, if it is there.
fn notice(answer: &Value, code: &str) -> Option<String> {
    let notices = answer["notices"].as_array()?;
    let notice = notices.iter().find(|notice| notice["code"] == code)?;
    Some(notice["message"].as_str().unwrap().to_owned())
}

/// Asserts that a command could decide nothing, for this reason, and says how to mend it.
#[track_caller]
fn undecided(run: &Run, code: &str) -> Value {
    assert_eq!(run.status, 3, "{run}");
    let error = run.json();
    assert_eq!(error["code"], code, "{run}");
    assert!(error["help"].as_str().is_some_and(|help| !help.is_empty()), "{run}");
    error
}

/// `check` for production, which cannot be decided.
#[track_caller]
fn refused(repo: &Repo<'_>, code: &str) -> Value {
    undecided(&repo.run(&["check", GATE, "--env", "production", "--format", "json"]), code)
}

/// What `policy status` says.
#[track_caller]
fn policy_status(repo: &Repo<'_>) -> Value {
    repo.run(&["policy", "status", "--format", "json"]).expect(0).json()
}

/// The serial of the policy in force.
#[track_caller]
fn serial(repo: &Repo<'_>) -> u64 {
    policy_status(repo)["policy"]["serial"].as_u64().unwrap()
}

/// Puts a policy on `policy/next`, signed by `who`; its commit.
#[track_caller]
pub(crate) fn propose(repo: &Repo<'_>, who: &str, policy: &Policy) -> String {
    repo.switch("policy/next").write_policy(policy);
    repo.commit(who, "Change the policy")
}

/// Approves what is checked out as a policy.
#[track_caller]
pub(crate) fn ballot(repo: &Repo<'_>, who: &str) -> String {
    repo.decide(who, &Decision::approve("policy", "governance"))
}

/// As [`ballot`], where the mainline's `policy/` already is the one that waits.
#[track_caller]
fn late_ballot(repo: &Repo<'_>, who: &str) -> String {
    let policy = repo.content(&repo.root, "policy");
    repo.decide(who, &Decision::approve("policy", "governance").setting("Gate-Policy", &policy))
}

/// A policy change as it should be: proposed by `a.ng`, approved by `m.okafor` and `l.wu`, merged.
#[track_caller]
pub(crate) fn enact(repo: &Repo<'_>, policy: &Policy) -> String {
    repo.switch("main").git(&["switch", "-q", "-C", "policy/next"]);
    propose(repo, "a.ng", policy);
    ballot(repo, "m.okafor");
    ballot(repo, "l.wu");
    repo.merge("l.wu", "policy/next")
}

/// The small policy with a later serial and a stricter bound, so that it can be told from the first.
pub(crate) fn strict() -> Policy {
    Policy::small().serial(2).replacing("max = 0.05", "max = 0.01")
}
