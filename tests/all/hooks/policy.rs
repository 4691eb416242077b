//! `policy/` changes by its own approvals, and nowhere else.

use super::*;

#[test]
fn a_change_of_the_policy_without_its_approvals_is_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    propose(repo, "a.ng", &strict());
    // To begin one is what policy branches are for.
    served.taken(&["policy/next"]);
    ballot(repo, "m.okafor");
    served.taken(&["policy/next"]);
    let merged = repo.merge("l.wu", "policy/next");
    let run = served.refused(&["main"], &["policy-unapproved"]);
    let changed = repo.rev("policy/next~1");
    assert!(run.stderr.contains(&changed) && !run.stderr.contains(&merged), "{run}");
    let answer = served.unguarded(&["main"]);
    assert_eq!(
        (answer["policy"]["serial"].as_u64(), answer["policy"]["pending"]["serial"].as_u64()),
        (Some(1), Some(2))
    );
    // With the approval that lacks, the same is taken.
    repo.switch("main").git(&["reset", "-q", "--hard", "HEAD^"]);
    ballot(repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    served.taken(&["policy/next", "main"]);
    let lint = world.run(&served.guarded.path, &["policy", "status", "--format", "json"]).expect(0).json();
    assert_eq!(lint["policy"]["serial"], 2, "{lint:#}");
}

#[test]
fn a_gate_branch_that_edits_the_policy_is_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    let lax = Policy::small().serial(2).replacing("max = 0.05", "max = 0.5");
    repo.write_policy(&lax);
    let changed = repo.commit("j.doe", "A better policy");
    let run = served.refused(&[BRANCH], &["policy-on-gate-branch"]);
    assert!(run.stderr.contains(&changed), "{run}");
    let merged = repo.merge("l.wu", BRANCH);
    served.refused(&[&format!("{merged}:main")], &["policy-unapproved"]);
    assert_eq!(served.unguarded(&["main", BRANCH])["policy"]["serial"], 1);
    // Taken back it is no change, and a branch that merges a mainline with a new policy makes none.
    repo.switch(BRANCH).write_policy(&Policy::small());
    repo.commit("j.doe", "Take it back");
    served.taken(&[BRANCH]);
    repo.switch("main").git(&["reset", "-q", "--hard", "HEAD^"]);
    propose(repo, "a.ng", &strict());
    ballot(repo, "m.okafor");
    ballot(repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    repo.switch(BRANCH);
    repo.git_as("j.doe", &["merge", "-q", "-S", "--no-ff", "-m", "Catch up", "main"]);
    served.taken(&["main", BRANCH]);
}

#[test]
fn an_old_policy_does_not_come_back() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    propose(repo, "a.ng", &strict());
    ballot(repo, "m.okafor");
    ballot(repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    served.taken(&["main"]);
    repo.write_policy(&Policy::small());
    repo.commit("a.ng", "Back to what was");
    served.refused(&["main"], &["policy-unapproved"]);
    repo.git(&["branch", "-q", "-f", "policy/next", "main"]);
    let under_old = ballot(repo, "m.okafor");
    let in_force = repo.content("policy/next~2", "policy");
    let under_new =
        repo.decide("l.wu", &Decision::approve("policy", "governance").setting("Gate-Policy", &in_force));
    let run = served.refused(&["policy/next"], &["stale-policy", "policy-invalid"]);
    assert!(run.stderr.contains(&under_old) && run.stderr.contains(&under_new), "{run}");
    let answer = served.unguarded(&["main", "+policy/next"]);
    assert_eq!((answer["policy"]["serial"].as_u64(), status(&answer, "x")), (Some(2), "none"));
}

#[test]
fn decisions_on_the_policy_that_cannot_count_are_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    propose(repo, "a.ng", &strict());
    served.taken(&["policy/next"]);
    let base = repo.rev("policy/next");
    for (who, decision, code) in [
        ("mallory", Decision::approve("policy", "governance"), "unknown-key"),
        ("j.rivera", Decision::approve("policy", "governance"), "not-in-role"),
        ("bot", Decision::approve("policy", "release-bot"), "bot-in-role"),
        ("m.okafor", Decision::approve("policy", "governance").without("Gate-Role"), "malformed"),
        (
            "m.okafor",
            Decision::approve("policy", "governance")
                .setting("Gate-Content", &format!("sha256:{}", "0".repeat(64))),
            "content-mismatch",
        ),
        (
            "m.okafor",
            Decision::approve("policy", "governance")
                .setting("Gate-Policy", &format!("sha256:{}", "0".repeat(64))),
            "stale-policy",
        ),
        ("m.okafor", Decision::close("policy"), "malformed"),
    ] {
        repo.switch("policy/next").git(&["reset", "-q", "--hard", &base]);
        repo.decide(who, &decision);
        served.refused(&["policy/next"], &[code]);
    }
    // What takes back is taken, with a slip in it.
    repo.switch("policy/next").git(&["reset", "-q", "--hard", &base]);
    ballot(repo, "m.okafor");
    repo.decide("m.okafor", &Decision::reject("policy", "governance", "quality").without("Gate-Policy"));
    served.taken(&["policy/next"]);
}

#[test]
fn a_policy_branch_may_go_and_an_approval_of_what_a_branch_proposes_next_may_come() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    propose(repo, "a.ng", &strict());
    served.taken(&["policy/next"]);
    let next = repo.content("policy/next", "policy");
    repo.git(&["checkout", "-q", "-b", "policy/after", "policy/next"]);
    repo.write_policy(&strict().serial(3)).commit("a.ng", "And then");
    repo.decide("m.okafor", &Decision::approve("policy", "governance").setting("Gate-Policy", &next));
    served.taken(&["policy/after"]);
    served.taken(&[":policy/next", ":policy/after"]);
}
