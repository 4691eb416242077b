//! Decisions on a gate that can never count are refused, each with its own code.

use super::*;

fn zeros() -> String {
    format!("sha256:{}", "0".repeat(64))
}

#[test]
fn decisions_that_cannot_count_are_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let base = repo.open("j.doe", GATE);
    served.taken(&[BRANCH]);
    let approve = || Decision::approve(GATE, "ml-lead");
    for (who, decision, code) in [
        ("mallory", approve(), "unknown-key"),
        ("j.doe", approve(), "not-in-role"),
        ("j.rivera", approve().without("Gate-Role"), "malformed"),
        ("j.rivera", approve().line("Gate-Rolle", "x"), "malformed"),
        ("j.rivera", approve().setting("Gate-Content", &zeros()), "content-mismatch"),
        ("j.rivera", approve().setting("Gate-Policy", &zeros()), "stale-policy"),
        ("bot", Decision::approve(GATE, "release-bot"), "bot-in-role"),
        ("mallory", Decision::reject(GATE, "ml-lead", "quality"), "unknown-key"),
        ("j.rivera", Decision::reject(GATE, "product-lead", "quality"), "not-in-role"),
        ("bot", Decision::close(GATE), "bot-in-role"),
        ("mallory", Decision::withdraw(GATE), "unknown-key"),
        (
            "m.okafor",
            Decision::accept_risk(GATE, "compliance").setting("Gate-Content", &zeros()),
            "content-mismatch",
        ),
        ("bot", Decision::new("deploy", GATE), "malformed"),
    ] {
        repo.switch(BRANCH).git(&["reset", "-q", "--hard", &base]);
        let commit = repo.decide(who, &decision);
        let run = served.refused(&[BRANCH], &[code]);
        assert!(run.stderr.contains(&format!("refs/heads/{BRANCH} {commit}: ")), "{run}");
        assert!(run.stderr.contains("help: "), "{run}");
        // Nor do they get in by the mainline.
        repo.switch("main").git(&["reset", "-q", "--hard", &repo.root]);
        repo.merge("l.wu", BRANCH);
        served.refused(&["main"], &[code]);
        let answer = served.unguarded(&["main", BRANCH]);
        assert_ne!(answer["verdict"], "allowed", "{code}: {answer:#}");
        // The next is another mainline, to nobody who saw this one.
        served.forget();
    }
}

#[test]
fn a_decision_that_nobody_signed_or_that_changes_files_is_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let base = repo.open("j.doe", GATE);
    served.taken(&[BRANCH]);
    let message = repo.message(&Decision::approve(GATE, "ml-lead"));
    repo.git_as("j.rivera", &["commit", "-q", "--allow-empty", "-m", &message]);
    served.refused(&[BRANCH], &["unsigned"]);
    repo.git(&["reset", "-q", "--hard", &base]);
    repo.write("README", "x").git(&["add", "README"]);
    repo.git_as("j.rivera", &["commit", "-q", "-S", "-m", &message]);
    served.refused(&[BRANCH], &["changes-files"]);
    repo.git(&["reset", "-q", "--hard", &base]);
    repo.git_as(
        "j.rivera",
        &["commit", "-q", "-S", "--allow-empty", "--date", "2026-01-01T00:00:00Z", "-m", &message],
    );
    served.refused(&[BRANCH], &["resigned"]);
}

#[test]
fn an_author_does_not_approve() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.rivera", GATE);
    served.taken(&[BRANCH]);
    repo.approve("j.rivera", GATE, "ml-lead");
    let run = served.refused(&[BRANCH], &["self-approval"]);
    assert!(run.stderr.contains("somebody who wrote none of it"), "{run}");
}

#[test]
fn a_replayed_or_moved_approval_is_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    let approval = repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", BRANCH);
    served.taken(&["main", BRANCH]);
    // The same payload, signed by the same key, in other armor.
    let copy = repo.rewrapped(&approval);
    assert_ne!(copy, approval);
    served.refused(&[&format!("+{copy}:refs/heads/{BRANCH}")], &["duplicate"]);
    // Moved to another gate it is on another content.
    repo.open("j.doe", "summarizer/v1.5");
    served.taken(&["gate/summarizer/v1.5"]);
    let message = repo.message(&Decision::approve(GATE, "ml-lead")).replace(GATE, "summarizer/v1.5");
    repo.switch("gate/summarizer/v1.5");
    repo.git_as("j.rivera", &["commit", "-q", "-S", "--allow-empty", "--cleanup=verbatim", "-m", &message]);
    served.refused(&["gate/summarizer/v1.5"], &["content-mismatch"]);
}

#[test]
fn a_rejection_that_nobody_recorded_is_not_taken_away() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let base = repo.open("j.doe", GATE);
    let rejection = repo.decide("j.rivera", &Decision::reject(GATE, "ml-lead", "quality"));
    served.taken(&[BRANCH]);
    let run = served.refused(&[&format!(":{BRANCH}")], &["rejection-dropped"]);
    assert!(run.stderr.contains(&rejection), "{run}");
    served.refused(&[&format!("+{base}:refs/heads/{BRANCH}")], &["rejection-dropped"]);
    // Not even where it is kept under another name.
    served.refused(
        &[&format!("{rejection}:refs/heads/gate/summarizer/v9"), &format!(":{BRANCH}")],
        &["rejection-dropped"],
    );
    // What goes on from it is taken, and so is all once it is recorded.
    repo.write(&format!("gates/{GATE}/CHANGE.md"), "Better.\n").commit("j.doe", "Better");
    served.taken(&[BRANCH]);
    repo.merge("l.wu", BRANCH);
    served.taken(&["main", &format!(":{BRANCH}")]);
    // A stranger's word keeps no branch.
    repo.open("j.doe", "summarizer/v2");
    repo.git_as("mallory", &["commit", "-q", "--allow-empty", "-m", "Prose"]);
    served.taken(&["gate/summarizer/v2"]);
    served.taken(&[":gate/summarizer/v2"]);
}
