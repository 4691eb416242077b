//! What a `check` worked out and kept in the index: whatever happens afterwards, the next one says what the history says.
//!
//! [`World::run`] compares every `check` with one that reads the history itself, to the byte. Each story here keeps rows
//! first, and sees that they are there; then one thing happens.

mod across;
mod behind;
mod damaged;
mod failed;
mod incidents;
mod keys;
mod mainline;
mod moments;
mod policies;
mod random;
mod withdrawals;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use crate::attacks_history::{enact, found, status, strict};
use crate::world::{Decision, Policy, Repo, World};

const GATE: &str = "summarizer/v1.4";
const NEXT: &str = "summarizer/v1.5";
const OTHER: &str = "router/v1";
const LOG: &str = "deployments/production";

/// What is done to a repository.
type Doing<'a> = &'a dyn Fn(&Repo<'_>);

/// A version that ran, and that a stricter policy lets return on the strength of its record alone.
fn ran(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    enact(&repo, &strict());
    repo
}

/// The policy that [`ran`] ends with, as the next one.
fn after_strict() -> Policy {
    strict().serial(3)
}

/// A gate that the stricter policy allows, too.
fn better(repo: &Repo<'_>, gate: &str) {
    better_requiring(repo, gate, "");
}

/// The same, of a gate that requires another one.
fn better_requiring(repo: &Repo<'_>, gate: &str, required: &str) {
    repo.open("j.doe", gate);
    let report = "{\"summary\": {\"hallucination_rate\": 0.001, \"n\": 400}}\n";
    repo.write(&format!("gates/{gate}/evidence/evaluation.json"), report);
    if !required.is_empty() {
        let path = format!("gates/{gate}/gate.toml");
        let text = std::fs::read_to_string(repo.path.join(&path)).unwrap();
        repo.write(&path, text.replace("summary = ", &format!("requires = [\"{required}\"]\nsummary = ")));
    }
    repo.commit("j.doe", "Better");
    repo.approve("j.rivera", gate, "ml-lead");
    repo.approve("s.chen", gate, "product-lead");
    repo.merge("l.wu", &format!("gate/{gate}"));
}

#[track_caller]
fn check(repo: &Repo<'_>) -> Value {
    check_with(repo, &[])
}

#[track_caller]
fn check_with(repo: &Repo<'_>, more: &[&str]) -> Value {
    check_of(repo, GATE, more)
}

#[track_caller]
fn check_of(repo: &Repo<'_>, gate: &str, more: &[&str]) -> Value {
    let args = [&["check", gate, "--env", "production", "--format", "json"], more].concat();
    repo.run(&args).json()
}

/// Verdict and basis, or why there is none.
fn said(answer: &Value) -> String {
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    let words = [text("verdict"), text("basis"), text("code")];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn index(repo: &Repo<'_>) -> PathBuf {
    repo.path.join(".git/gate/index-v1.sqlite")
}

/// What is kept, by name.
fn rows(repo: &Repo<'_>) -> BTreeMap<String, Vec<u8>> {
    let connection = Connection::open(index(repo)).unwrap();
    let mut statement = connection.prepare("SELECT name, value FROM found").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn row(repo: &Repo<'_>, name: &str) -> Value {
    rows(repo).get(name).map_or(Value::Null, |bytes| serde_json::from_slice(bytes).unwrap())
}

/// The records of a system that are kept with what judging them again gave.
fn judged(repo: &Repo<'_>, system: &str) -> Vec<String> {
    let items = row(repo, &format!("log production {system}"));
    let items = items.as_array().cloned().unwrap_or_default();
    let judged = items.iter().filter(|item| !item["r"].is_null());
    judged.map(|item| item["c"].as_str().unwrap().to_owned()).collect()
}

/// Asks, so that rows are kept, and sees that they are, with the last record of the log judged.
#[track_caller]
fn keep(repo: &Repo<'_>) -> Value {
    let answer = check(repo);
    let rows = rows(repo);
    for name in ["policies", "incidents", "log production", "log production summarizer"] {
        assert!(rows.contains_key(name), "{name} is kept: {:?}", rows.keys());
    }
    assert!(judged(repo, "summarizer").contains(&repo.rev(LOG)), "the record is judged");
    answer
}

/// Whether what is kept of the log was used as it stands: else it is written anew.
#[track_caller]
fn stays_in_use(repo: &Repo<'_>, ask: Doing<'_>) -> bool {
    let before = rows(repo);
    ask(repo);
    let log = |rows: &BTreeMap<String, Vec<u8>>| rows.get("log production").cloned();
    log(&rows(repo)) == log(&before)
}

/// Where a version ran and rows are kept, one thing is done; then `check` says this, now and after the next honest record,
/// and what is kept is what the history says.
#[track_caller]
fn tell(what: &str, says: &str, then: Doing<'_>) -> Value {
    let world = World::new();
    let repo = ran(&world);
    assert_eq!(said(&keep(&repo)), "allowed rollback", "{what}");
    then(&repo);
    let answer = check(&repo);
    assert_eq!(said(&answer), says, "{what}: {answer:#}");
    repo.world.later(60);
    repo.deploy_record("bot", GATE, "production", "rollback");
    check(&repo);
    verify(&repo, what);
    answer
}

#[track_caller]
fn verify(repo: &Repo<'_>, what: &str) {
    let run = repo.run(&["index", "verify"]);
    assert_eq!(run.status, 0, "{what}: {run}");
}

/// Appends a commit to the log as plain git makes it: behind these parents, with this tree.
#[track_caller]
fn append(repo: &Repo<'_>, who: &str, tree: &str, parents: &[&str], message: &str, signed: bool) -> String {
    let record = make(repo, who, tree, parents, message, signed);
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &record]);
    record
}

#[track_caller]
fn make(repo: &Repo<'_>, who: &str, tree: &str, parents: &[&str], message: &str, signed: bool) -> String {
    let tree = repo.rev(&format!("{tree}^{{tree}}"));
    let mut args = vec!["commit-tree", &tree];
    args.extend(signed.then_some("-S"));
    args.extend(parents.iter().flat_map(|parent| ["-p", parent]));
    args.extend(["-m", message]);
    repo.git_as(who, &args)
}

/// A record of a gate for production, as a deployer words it.
fn words(repo: &Repo<'_>, gate: &str, basis: &str) -> String {
    repo.switch("main").message(&Decision::deploy(gate, "production", basis, &repo.root))
}

fn failure(record: &str) -> Decision {
    failure_of(GATE, record)
}

fn failure_of(gate: &str, record: &str) -> Decision {
    Decision::new("deploy-failed", gate).line("Gate-Environment", "production").line("Gate-Record", record)
}
