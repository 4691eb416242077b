//! Changes of the gate's directory that nobody signed, or that a merge smuggles in; and what mends them.

use super::{
    BRANCH, DIRECTORY, GATE, LEAD, REPORT, assert_says, check, code, line, merge_as_tree, merged, opened,
    point, status, verdict,
};
use crate::world::{Repo, World};

const AUTHORS: &str = "integrity:authors";
const OTHER_REPORT: &str = "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 400}}\n";

/// Asserts that the authors fail over the report.
#[track_caller]
fn assert_unsigned(judged: &serde_json::Value, because: &str) {
    assert_eq!(verdict(judged, AUTHORS), "blocked failed", "{judged:#}");
    assert_says(&line(judged, AUTHORS)["found"], "evidence/evaluation.json");
    assert_says(&line(judged, AUTHORS)["found"], because);
}

#[track_caller]
fn approve_both(repo: &Repo<'_>) {
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
}

#[test]
fn an_unsigned_change_fails_integrity() {
    let world = World::new();
    let repo = opened(&world);
    let stray = repo.write(REPORT, OTHER_REPORT).commit_unsigned("j.doe", "Better");
    approve_both(&repo);
    assert_unsigned(&merged(&repo), "unsigned");
    assert_ne!(repo.git_verifies(&stray).status, 0);
    // A later signed change of another file does not cover it.
    repo.switch(BRANCH).write(&format!("{DIRECTORY}/notes.md"), "x\n").commit("j.doe", "Notes");
    approve_both(&repo);
    assert_unsigned(&merged(&repo), "unsigned");
}

#[test]
fn a_change_by_a_stranger_fails_integrity() {
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, OTHER_REPORT).commit("mallory", "Better");
    approve_both(&repo);
    assert_unsigned(&merged(&repo), "unknown-key");
}

#[test]
fn an_unsigned_change_on_the_mainline_fails_integrity() {
    let world = World::new();
    let repo = opened(&world);
    approve_both(&repo);
    assert_eq!(merged(&repo)["verdict"], "allowed");
    repo.write(REPORT, OTHER_REPORT).commit_unsigned("l.wu", "Better");
    assert_unsigned(&check(&repo), "unsigned");
}

#[test]
fn a_stray_change_that_is_taken_back_signed_is_mended() {
    let world = World::new();
    let repo = opened(&world);
    approve_both(&repo);
    let report = std::fs::read(repo.path.join(REPORT)).unwrap();
    repo.write(REPORT, OTHER_REPORT).commit_unsigned("mallory", "Better");
    repo.git_as("a.ng", &["revert", "-n", "HEAD"]);
    assert_eq!(std::fs::read(repo.path.join(REPORT)).unwrap(), report);
    repo.commit("a.ng", "Take it back");
    let judged = merged(&repo);
    assert_eq!((verdict(&judged, AUTHORS), status(&judged, LEAD)), ("allowed met".into(), "met"));
    assert_says(&line(&judged, AUTHORS)["found"], "a.ng@example.com");
}

#[test]
fn a_stray_change_that_is_taken_back_unsigned_is_not_mended() {
    let world = World::new();
    let repo = opened(&world);
    approve_both(&repo);
    let report = std::fs::read(repo.path.join(REPORT)).unwrap();
    repo.write(REPORT, OTHER_REPORT).commit_unsigned("mallory", "Better");
    repo.write(REPORT, report).commit_unsigned("mallory", "Take it back");
    assert_unsigned(&merged(&repo), "unsigned");
}

#[test]
fn a_file_removed_and_added_again_signed_is_mended() {
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, OTHER_REPORT).commit_unsigned("j.doe", "Better");
    repo.remove(REPORT).commit("j.doe", "Remove");
    repo.write(REPORT, OTHER_REPORT).commit("j.doe", "Add again");
    approve_both(&repo);
    assert_eq!(verdict(&merged(&repo), AUTHORS), "allowed met");
}

#[test]
fn a_signed_copy_under_another_name_does_not_sign_the_first() {
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, OTHER_REPORT).commit_unsigned("j.doe", "Better");
    repo.write(&format!("{DIRECTORY}/copy.json"), OTHER_REPORT).commit("j.doe", "Copy");
    approve_both(&repo);
    assert_unsigned(&merged(&repo), "unsigned");
}

#[test]
fn an_evil_merge_fails_integrity() {
    let world = World::new();
    let repo = opened(&world);
    repo.switch("main").write("README.md", "x").commit("l.wu", "Read me");
    repo.switch(BRANCH);
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "main"]);
    let merge = repo.write(REPORT, OTHER_REPORT).commit_unsigned("j.doe", "Merge main");
    assert_eq!(repo.git(&["show", "-s", "--format=%P", &merge]).split(' ').count(), 2);
    approve_both(&repo);
    assert_unsigned(&merged(&repo), "unsigned");
}

#[test]
fn an_evil_merge_into_the_mainline_fails_integrity() {
    let world = World::new();
    let repo = opened(&world);
    approve_both(&repo);
    repo.switch("main");
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", BRANCH]);
    repo.write(REPORT, OTHER_REPORT).commit_unsigned("l.wu", "Merge the gate");
    let judged = check(&repo);
    assert_unsigned(&judged, "unsigned");
    assert_eq!(status(&judged, LEAD), "stale");
}

#[test]
fn an_unsigned_merge_that_changes_nothing_is_no_change() {
    let world = World::new();
    let repo = opened(&world);
    approve_both(&repo);
    repo.switch("main");
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge the gate", BRANCH]);
    assert_eq!(verdict(&check(&repo), AUTHORS), "allowed met");
}

#[test]
fn a_squashed_gate_is_not_allowed() {
    let world = World::new();
    let repo = opened(&world);
    approve_both(&repo);
    repo.switch("main");
    repo.git(&["merge", "-q", "--squash", BRANCH]);
    let squash = repo.commit_unsigned("l.wu", "Squash");
    let judged = check(&repo);
    assert_unsigned(&judged, "unsigned");
    assert_eq!(status(&judged, LEAD), "missing");
    assert_eq!(judged["decisions"].as_array().unwrap().len(), 0);
    // A true merge of the branch mends it: on its side everything is signed, and its decisions are recorded.
    let judged = merged(&repo);
    assert_eq!(repo.git(&["rev-parse", "main~1"]), squash);
    assert_eq!(verdict(&judged, AUTHORS), "allowed met", "{judged:#}");
}

#[test]
fn a_side_that_is_unsigned_is_not_mended_by_its_own_merge() {
    // Both sides hold the same content, and neither signed it.
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, OTHER_REPORT).commit_unsigned("j.doe", "Better");
    approve_both(&repo);
    repo.switch("main");
    repo.git(&["merge", "-q", "--squash", BRANCH]);
    repo.commit_unsigned("l.wu", "Squash");
    assert_unsigned(&merged(&repo), "unsigned");
}

#[test]
fn a_merge_that_drops_a_stray_change_is_a_change_by_who_signed_it() {
    let world = World::new();
    let repo = opened(&world);
    approve_both(&repo);
    point(&repo, "signed", BRANCH);
    repo.switch(BRANCH).write(REPORT, OTHER_REPORT).commit_unsigned("mallory", "Better");
    merge_as_tree(&repo, &repo.rev("signed^{tree}"), BRANCH);
    let judged = check(&repo);
    assert_eq!(verdict(&judged, AUTHORS), "allowed met", "{judged:#}");
    assert_says(&line(&judged, AUTHORS)["found"], "l.wu@example.com");
    // Unsigned, such a merge is nobody's.
    let args = ["commit-tree", "signed^{tree}", "-p", "main~1", "-p", BRANCH, "-m", "Merge"];
    let unsigned = repo.git_as("l.wu", &args);
    point(&repo, "main", &unsigned);
    repo.run(&["trust", "--accept-rewind", &repo.root]).expect(0);
    assert_unsigned(&check(&repo), "unsigned");
}

#[test]
fn decisions_of_a_branch_that_was_not_merged_do_not_count() {
    let world = World::new();
    let repo = opened(&world);
    repo.merge("l.wu", BRANCH);
    let late = repo.approve("j.rivera", GATE, "ml-lead");
    let judged = check(&repo);
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    assert!(judged["decisions"].as_array().unwrap().iter().all(|decision| decision["commit"] != *late));
    assert_eq!(code(&merged(&repo), &late), "counts");
}
