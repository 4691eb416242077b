//! Rejections that somebody would like to lose, and the order of what a person decides.

use super::{
    BRANCH, GATE, LEAD, PRODUCT, REPORT, assert_says, check, code, decision, line, merged, opened, point,
    split, status, verdict, with_header,
};
use crate::world::{Decision, KeyKind, Policy, Repo, World};

const REJECTION: &str = "rejection:s.chen@example.com";

/// The gate approved by both; what follows happens after that.
#[track_caller]
fn approved(world: &World) -> Repo<'_> {
    let repo = opened(world);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo
}

fn reject() -> Decision {
    Decision::reject(GATE, "product-lead", "safety")
}

/// Signs a decision on a branch that forks where `from` stands, and leaves it there.
#[track_caller]
fn beside(repo: &Repo<'_>, who: &str, from: &str, branch: &str, said: &Decision) -> String {
    repo.git(&["switch", "-q", "--detach", from]);
    let message = repo.message(said);
    repo.git_as(who, &["commit", "-q", "-S", "--allow-empty", "-m", &message]);
    let commit = repo.rev("HEAD");
    point(repo, branch, &commit);
    commit
}

/// Asserts that a rejection blocks, and that its defect is told.
#[track_caller]
fn assert_blocks(judged: &serde_json::Value, commit: &str, defect: &str) {
    assert_eq!(verdict(judged, REJECTION), "blocked failed", "{defect}: {judged:#}");
    assert_eq!(code(judged, commit), "counts", "{defect}");
    assert_says(&decision(judged, commit)["reason"], defect);
}

#[test]
fn a_defective_rejection_still_blocks() {
    let none = format!("sha256:{}", "0".repeat(64));
    let world = World::new();
    let repo = approved(&world);
    let cases = [
        ("stale-policy", reject().setting("Gate-Policy", &none)),
        ("content-mismatch", reject().setting("Gate-Content", &none)),
        ("malformed", reject().without("Gate-Policy")),
        ("malformed", reject().without("Gate-Content")),
        ("malformed", reject().without("Gate-Reason")),
        ("malformed", reject().setting("Gate-Reason", "no such/reason")),
        ("malformed", reject().setting("Gate-Content", "sha256:x")),
        ("malformed", reject().line("Gate-Environment", "staging")),
        ("malformed", reject().line("Gate-Whatever", "x")),
        ("malformed", reject().line("gate-role", "product-lead")),
        ("malformed", reject().line("Gate-Reason", "quality")),
    ];
    let rejections = cases.map(|(defect, said)| (defect, repo.decide("s.chen", &said)));
    let judged = merged(&repo);
    let blocking = &line(&judged, REJECTION)["by"];
    for (defect, commit) in &rejections {
        assert_blocks(&judged, commit, defect);
        assert!(blocking.as_array().unwrap().iter().any(|by| by["commit"] == *commit), "{defect}");
    }
}

#[test]
fn a_rejection_for_an_unknown_reason_blocks_as_other() {
    let world = World::new();
    let repo = approved(&world);
    let commit = repo.decide("s.chen", &reject().setting("Gate-Reason", "weather"));
    let judged = merged(&repo);
    assert_eq!((verdict(&judged, REJECTION), code(&judged, &commit)), ("blocked failed".into(), "counts"));
    assert_eq!(decision(&judged, &commit)["gate_reason"], "other");
}

#[test]
fn a_rejection_in_an_odd_commit_still_blocks() {
    for what in ["CR", "header", "signature"] {
        let world = World::new();
        let repo = approved(&world);
        let commit = repo.decide("s.chen", &reject());
        let (payload, signature) = split(&repo.object("commit", &commit));
        let sign = |payload: &str| super::sign(&repo, "s.chen", "git", payload);
        let object = match what {
            "CR" => sign(&payload.replace("\nGate-", "\r\nGate-")),
            "header" => sign(&with_header(&payload, "Encoding UTF-8\n")),
            _ => with_header(&with_header(&payload, &signature), "gpgsig-sha256 x\n"),
        };
        let planted = super::plant(&repo, object.as_bytes());
        assert_blocks(&merged(&repo), &planted, "malformed-commit");
        repo.git_verifies(&planted).expect(0);
    }
}

#[test]
fn a_rejection_that_changes_files_or_was_rebased_still_blocks() {
    let world = World::new();
    let repo = approved(&world);
    let message = repo.message(&reject());
    repo.write("notes.txt", "x").git(&["add", "-A"]);
    repo.git_as("s.chen", &["commit", "-q", "-S", "-m", &message]);
    let changes = repo.rev("HEAD");
    assert_blocks(&merged(&repo), &changes, "changes-files");
    let world = World::new();
    let repo = approved(&world);
    repo.decide("s.chen", &reject());
    world.later(60);
    repo.git_as("s.chen", &["commit", "-q", "--amend", "--no-edit", "-S", "--allow-empty"]);
    let rebased = repo.rev("HEAD");
    assert_blocks(&merged(&repo), &rebased, "resigned");
}

#[test]
fn a_rejection_by_a_key_that_has_expired_still_blocks() {
    let world = World::new();
    let ended = format!("valid-before=\"{}\"", world.day(-10)[..10].replace('-', ""));
    let policy = Policy::small().signer("s.chen", KeyKind::SecondEd25519, &ended);
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let commit = repo.decide("s.chen#SecondEd25519", &reject());
    assert_blocks(&merged(&repo), &commit, "key-not-valid");
}

#[test]
fn a_rejection_that_nobody_could_have_made_blocks_nothing() {
    let world = World::new();
    let repo = approved(&world);
    let no_role = repo.decide("j.rivera", &reject());
    let stranger = repo.decide("mallory", &reject());
    let message = repo.message(&reject());
    repo.git_as("s.chen", &["commit", "-q", "--allow-empty", "-m", &message]);
    let unsigned = repo.rev("HEAD");
    let judged = merged(&repo);
    for (commit, expected) in [(&no_role, "not-in-role"), (&stranger, "unknown-key"), (&unsigned, "unsigned")]
    {
        assert_eq!(code(&judged, commit), expected);
    }
    assert_eq!((judged["verdict"].as_str().unwrap(), status(&judged, REJECTION)), ("allowed", "not listed"));
}

#[test]
fn content_that_goes_back_to_what_was_rejected_is_blocked() {
    let world = World::new();
    let repo = approved(&world);
    let report = std::fs::read(repo.path.join(REPORT)).unwrap();
    let commit = repo.decide("s.chen", &reject());
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 9}}\n").commit("j.doe", "Again");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let judged = merged(&repo);
    assert_eq!((judged["verdict"].as_str().unwrap(), code(&judged, &commit)), ("allowed", "stale-content"));
    repo.switch(BRANCH).write(REPORT, report).commit("j.doe", "Back");
    let judged = merged(&repo);
    assert_eq!((verdict(&judged, REJECTION), code(&judged, &commit)), ("blocked failed".into(), "counts"));
}

#[test]
fn only_the_signer_ends_a_rejection_and_only_after_it() {
    let world = World::new();
    let repo = approved(&world);
    let before = repo.rev("HEAD");
    let rejection = repo.decide("s.chen", &reject());
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    repo.decide("mallory", &Decision::withdraw(GATE));
    assert_eq!(verdict(&merged(&repo), REJECTION), "blocked failed");
    // A withdrawal and an approval that do not descend from it end nothing, though they are recorded later.
    beside(&repo, "s.chen", &before, "withdrawal", &Decision::withdraw(GATE));
    beside(&repo, "s.chen", &before, "approval", &Decision::approve(GATE, "product-lead"));
    repo.merge("l.wu", "withdrawal");
    repo.merge("l.wu", "approval");
    let judged = check(&repo);
    assert_eq!((verdict(&judged, REJECTION), code(&judged, &rejection)), ("blocked failed".into(), "counts"));
    // Nor does one with a defect, or an approval in another scope.
    repo.decide("s.chen", &Decision::withdraw(GATE).line("Gate-Reason", "safety"));
    repo.decide("s.chen", &Decision::approve(GATE, "product-lead").line("Gate-Environment", "staging"));
    assert_eq!(verdict(&merged(&repo), REJECTION), "blocked failed");
    repo.decide("s.chen", &Decision::withdraw(GATE));
    let judged = merged(&repo);
    assert_eq!((code(&judged, &rejection), status(&judged, REJECTION)), ("superseded", "not listed"));
}

#[test]
fn a_withheld_approval_recorded_late_does_not_come_back() {
    let world = World::new();
    let repo = opened(&world);
    let before = repo.rev("HEAD");
    repo.approve("s.chen", GATE, "product-lead");
    let held_back = beside(&repo, "j.rivera", &before, "held", &Decision::approve(GATE, "ml-lead"));
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    assert_eq!(verdict(&merged(&repo), LEAD), "pending missing");
    repo.merge("l.wu", "held");
    let judged = check(&repo);
    assert_eq!((code(&judged, &held_back), verdict(&judged, LEAD)), ("superseded", "pending missing".into()));
    // What is decided after both counts.
    let anew = repo.approve("j.rivera", GATE, "ml-lead");
    assert_eq!(code(&merged(&repo), &anew), "counts");
}

#[test]
fn withdrawals_take_back_whatever_the_order_of_recording() {
    for recorded_first in ["approval", "withdrawal"] {
        let world = World::new();
        let repo = opened(&world);
        repo.merge("l.wu", BRANCH);
        let approval = beside(&repo, "j.rivera", BRANCH, "approval", &Decision::approve(GATE, "ml-lead"));
        beside(&repo, "j.rivera", "approval", "withdrawal", &Decision::withdraw(GATE));
        repo.merge("l.wu", recorded_first);
        if recorded_first == "approval" {
            assert_eq!(code(&check(&repo), &approval), "counts");
            repo.merge("l.wu", "withdrawal");
        }
        assert_eq!(code(&check(&repo), &approval), "superseded", "{recorded_first}");
    }
}

#[test]
fn a_defective_withdrawal_takes_an_approval_back() {
    let world = World::new();
    let repo = approved(&world);
    repo.decide("s.chen", &Decision::withdraw(GATE).line("Gate-Role", "product-lead"));
    assert_eq!(verdict(&merged(&repo), PRODUCT), "pending missing");
}

#[test]
fn a_closed_gate_stays_closed() {
    let world = World::new();
    let repo = approved(&world);
    let closed = repo.decide("j.doe", &Decision::close(GATE));
    repo.decide("j.doe", &Decision::withdraw(GATE));
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let judged = merged(&repo);
    assert_eq!((verdict(&judged, "gate:open"), code(&judged, &closed)), ("blocked failed".into(), "counts"));
    repo.switch(BRANCH)
        .write(REPORT, "{\"summary\": {\"hallucination_rate\": 0, \"n\": 9}}")
        .commit("j.doe", "Other");
    assert_eq!(verdict(&merged(&repo), "gate:open"), "blocked failed", "whatever stands there");
}

#[test]
fn a_close_by_an_author_or_a_holder_of_any_role_holds_whatever_is_wrong_with_it() {
    for (who, holds) in [("j.doe", true), ("k.berg", true), ("eval-ci", false), ("mallory", false)] {
        let world = World::new();
        let repo = opened(&world);
        let malformed = Decision::close(GATE).line("Gate-Role", "ml-lead");
        let closed = repo.decide(who, &malformed);
        let judged = merged(&repo);
        let expected = if holds { "failed" } else { "not listed" };
        assert_eq!(status(&judged, "gate:open"), expected, "{who}: {}", code(&judged, &closed));
    }
}

/// Whose key is known and who holds no role may close what is theirs, and nothing else.
#[test]
fn a_close_of_another_authors_gate_takes_a_role() {
    for (author, holds) in [("k.berg", false), ("j.doe", true)] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.open(author, GATE);
        let closed = repo.decide("j.doe", &Decision::close(GATE));
        let judged = merged(&repo);
        let expected = if holds { ("counts", "failed") } else { ("not-in-role", "not listed") };
        assert_eq!((code(&judged, &closed), status(&judged, "gate:open")), expected, "{author}");
    }
}

#[test]
fn a_close_by_nobody_closes_nothing() {
    let world = World::new();
    let repo = approved(&world);
    let stranger = repo.decide("mallory", &Decision::close(GATE));
    let no_role = repo.decide("eval-ci", &Decision::close(GATE));
    let judged = merged(&repo);
    assert_eq!((code(&judged, &stranger), code(&judged, &no_role)), ("unknown-key", "bot-in-role"));
    assert_eq!(
        (judged["verdict"].as_str().unwrap(), status(&judged, "gate:open")),
        ("allowed", "not listed")
    );
}

#[test]
fn a_copy_of_a_rejection_does_not_outlive_its_withdrawal() {
    let world = World::new();
    let repo = approved(&world);
    let rejection = repo.decide("s.chen", &reject());
    let object = String::from_utf8(repo.object("commit", &rejection)).unwrap();
    repo.decide("s.chen", &Decision::withdraw(GATE));
    repo.approve("s.chen", GATE, "product-lead");
    let copy = repo.store_commit(with_header(&object, "gpgsig-sha256 x\n"));
    point(&repo, "copy", &copy);
    repo.merge("l.wu", "copy");
    assert_eq!(verdict(&check(&repo), REJECTION), "blocked failed", "its withdrawal is not recorded");
    let judged = merged(&repo);
    assert_eq!(
        (judged["verdict"].as_str().unwrap(), status(&judged, REJECTION)),
        ("allowed", "not listed"),
        "{judged:#}"
    );
}

#[test]
fn a_rejection_behind_more_commits_than_are_searched_is_told_as_one() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    let commit = format!("commit refs/heads/{BRANCH}\ncommitter m <m@x> 1700000000 +0000\ndata 1\nx\n");
    let tip = repo.rev(BRANCH);
    let stream = format!("reset refs/heads/{BRANCH}\nfrom {tip}\n\n{}", commit.repeat(10_001));
    world.git_with_input(&repo.path, &["fast-import", "--quiet", "--force"], stream);
    let judged = check(&repo);
    assert!(judged["notices"].to_string().contains("may not have been seen"), "{judged:#}");
}
