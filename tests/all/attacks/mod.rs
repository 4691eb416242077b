//! Attacks on a gate, each by plain `git` and `ssh-keygen`, and what the built program says of them.
//!
//! `docs/threats.md` names these tests. Whoever attacks may push to any branch, may hold a role, may be an author. Where
//! `git verify-commit` answers the same question it is asked too: we are never looser.

mod claims;
mod content;
mod forged;
mod gates;
mod history;
mod people;
mod rejections;
mod replayed;
mod terminal;
mod trailers;
mod trees;

use serde_json::Value;

use crate::world::{Repo, World};

/// The gate that is attacked.
const GATE: &str = "summarizer/v1.4";
/// Its directory.
const DIRECTORY: &str = "gates/summarizer/v1.4";
/// Its branch.
const BRANCH: &str = "gate/summarizer/v1.4";
/// The report that it lists.
const REPORT: &str = "gates/summarizer/v1.4/evidence/evaluation.json";

const LEAD: &str = "approval:ml-lead";
const PRODUCT: &str = "approval:product-lead";

/// A repository with the gate opened by `j.doe`, nothing approved.
fn opened(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo
}

/// What `check` for production says, as JSON.
#[track_caller]
fn check(repo: &Repo<'_>) -> Value {
    repo.check_json(GATE, "production")
}

/// Merges the gate's branch, signed by `l.wu`, and checks for production.
#[track_caller]
fn merged(repo: &Repo<'_>) -> Value {
    repo.merge("l.wu", BRANCH);
    check(repo)
}

/// A requirement's line.
#[track_caller]
fn line<'a>(judged: &'a Value, id: &str) -> &'a Value {
    let lines = judged["requirements"].as_array().unwrap_or_else(|| panic!("{judged:#}"));
    lines.iter().find(|line| line["id"] == id).unwrap_or_else(|| panic!("no `{id}` in {judged:#}"))
}

/// A requirement's status; `not listed` where it is not.
fn status<'a>(judged: &'a Value, id: &str) -> &'a str {
    let lines = judged["requirements"].as_array().unwrap_or_else(|| panic!("{judged:#}"));
    let found = lines.iter().find(|line| line["id"] == id);
    found.map_or("not listed", |line| line["status"].as_str().unwrap())
}

/// The verdict and the status of one requirement, `pending missing`.
#[track_caller]
fn verdict(judged: &Value, id: &str) -> String {
    let verdict = judged["verdict"].as_str().unwrap_or_else(|| panic!("{judged:#}"));
    format!("{verdict} {}", status(judged, id))
}

/// The decision of a commit.
#[track_caller]
fn decision<'a>(judged: &'a Value, commit: &str) -> &'a Value {
    let decisions = judged["decisions"].as_array().unwrap_or_else(|| panic!("{judged:#}"));
    let found = decisions.iter().find(|decision| decision["commit"] == commit);
    found.unwrap_or_else(|| panic!("no decision {commit} in {judged:#}"))
}

/// Why the decision of a commit does not count; `counts` where it does.
#[track_caller]
fn code<'a>(judged: &'a Value, commit: &str) -> &'a str {
    let decision = decision(judged, commit);
    match (decision["counts"].as_bool().unwrap(), decision["code"].as_str()) {
        (true, None) => "counts",
        (false, Some(code)) => code,
        (_, _) => panic!("neither counts nor says why: {decision:#}"),
    }
}

/// Asserts that a text of the verdict holds another.
#[track_caller]
fn assert_says(text: &Value, part: &str) {
    assert!(text.as_str().is_some_and(|text| text.contains(part)), "`{part}` is not in {text:#}");
}

/// The codes of all notices.
fn notices(judged: &Value) -> Vec<&str> {
    judged["notices"].as_array().unwrap().iter().map(|notice| notice["code"].as_str().unwrap()).collect()
}

/// Points a branch at a commit, and checks it out nowhere.
#[track_caller]
fn point(repo: &Repo<'_>, branch: &str, commit: &str) {
    repo.git(&["switch", "-q", "--detach"]);
    repo.git(&["update-ref", &format!("refs/heads/{branch}"), commit]);
}

/// Stores a commit object as it is given, and makes it the tip of the gate's branch.
#[track_caller]
fn plant(repo: &Repo<'_>, object: &[u8]) -> String {
    let commit = repo.store_commit(object);
    point(repo, BRANCH, &commit);
    commit
}

/// A merge of `branch` into the mainline, signed by `l.wu`, with a tree of one's own: for what `git merge` refuses.
#[track_caller]
fn merge_as_tree(repo: &Repo<'_>, tree: &str, branch: &str) -> String {
    let args = ["commit-tree", "-S", tree, "-p", "main", "-p", branch, "-m", "Merge"];
    let commit = repo.git_as("l.wu", &args);
    point(repo, "main", &commit);
    commit
}

/// A commit object taken apart: its payload, and the `gpgsig` header with its line end.
fn split(object: &[u8]) -> (String, String) {
    let text = String::from_utf8(object.to_vec()).unwrap();
    let start = text.find("\ngpgsig ").unwrap() + 1;
    let end = start + text[start..].find("-----END SSH SIGNATURE-----\n").unwrap() + 28;
    (format!("{}{}", &text[..start], &text[end..]), text[start..end].to_owned())
}

/// A payload with one more header at the end of its headers.
fn with_header(payload: &str, header: &str) -> String {
    let (headers, message) = payload.split_once("\n\n").unwrap();
    format!("{headers}\n{header}\n{message}")
}

/// The `gpgsig` header of an armored signature.
fn gpgsig(armored: &str) -> String {
    format!("gpgsig {}\n", armored.trim_end_matches('\n').replace('\n', "\n "))
}

/// A payload signed by `ssh-keygen` for a purpose.
#[track_caller]
fn sign(repo: &Repo<'_>, who: &str, namespace: &str, payload: &str) -> String {
    let key = repo.world.key(who);
    let args = ["-Y", "sign", "-n", namespace, "-f", key.to_str().unwrap()];
    let signed = repo.world.ssh_keygen(&args, payload.as_bytes()).expect(0);
    with_header(payload, &gpgsig(&signed.stdout))
}
