//! `[mainline] signed_by`: a hook takes what a maintainer may still sign, and nothing that could never count.

use super::*;

fn approved(repo: &Repo<'_>) {
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
}

fn served(world: &World) -> Served<'_> {
    Served::under(world, &Policy::small().mainline_signed())
}

#[test]
fn a_merge_that_no_maintainer_signed_is_taken_and_waits_for_one() {
    let world = World::new();
    let served = served(&world);
    let repo = &served.repo;
    approved(repo);
    let tip = repo.merge_unsigned(BRANCH);
    served.taken(&["main", BRANCH]);
    let answer = served.guarded.check_json(GATE, "production");
    assert_eq!(
        (answer["verdict"].as_str(), status(&answer, "gate:recorded")),
        (Some("pending"), "missing"),
        "{answer:#}"
    );
    assert_eq!(
        (&answer["mainline"]["commit"], &answer["mainline"]["step"]),
        (&tip.into(), &repo.root.clone().into())
    );
    // A step of somebody else is none; a maintainer's is.
    repo.switch("main").write("note", "x").commit("k.berg", "No maintainer");
    served.taken(&["main"]);
    assert_eq!(served.guarded.check_json(GATE, "production")["verdict"], "pending");
    repo.write("note", "y").commit("l.wu", "A signed step");
    served.taken(&["main"]);
    assert_eq!(served.guarded.check_json(GATE, "production")["verdict"], "allowed");
    // A record may judge what lies beyond the last step.
    repo.write("note", "z").commit("k.berg", "No maintainer");
    repo.deploy_record("bot", GATE, "production", "requirements");
    served.taken(&["main", "deployments/production"]);
    let audit = world.run(&served.guarded.path, &["audit", "--format", "json"]).expect(0).json();
    assert_eq!(audit["deployments"][0]["replay"]["verdict"], "allowed");
}

#[test]
fn what_can_never_count_is_refused_beyond_the_last_step_as_well() {
    let world = World::new();
    let served = served(&world);
    let repo = &served.repo;
    approved(repo);
    served.taken(&[BRANCH]);
    let report = format!("gates/{GATE}/evidence/evaluation.json");
    let better = "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 9}}\n";
    let back = || repo.switch("main").git(&["reset", "-q", "--hard", &repo.root]);
    // An evil merge.
    repo.switch("main").git(&["merge", "-q", "--no-ff", "--no-commit", BRANCH]);
    repo.write(&report, better).commit_unsigned("mallory", "Merge");
    served.refused(&["main"], &["unsigned-files"]);
    let answer = served.unguarded(&["main", BRANCH]);
    assert_eq!(
        (answer["verdict"].as_str(), status(&answer, "gate:recorded")),
        (Some("pending"), "missing"),
        "{answer:#}"
    );
    back();
    // A policy that only one of two has approved: it carries a quorum of its own, or none.
    propose(repo, "a.ng", &Policy::small().mainline_signed().serial(2).replacing("max = 0.05", "max = 0.5"));
    ballot(repo, "m.okafor");
    repo.merge_unsigned("policy/next");
    served.refused(&["main"], &["policy-unapproved"]);
    served.forget();
    assert_eq!(served.unguarded(&["main"])["policy"]["serial"], 1);
    back();
    // A decision of a stranger.
    repo.approve("mallory", GATE, "ml-lead");
    repo.merge_unsigned(BRANCH);
    served.refused(&["main"], &["unknown-key"]);
    back();
    // A maintainer signs the mainline, and not what others wrote.
    repo.switch(BRANCH).git(&["reset", "-q", "--hard", "HEAD^"]);
    repo.write(&report, better).commit_unsigned("mallory", "A better report");
    repo.merge("l.wu", BRANCH);
    served.refused(&["main"], &["unsigned-files"]);
    served.forget();
    let answer = served.unguarded(&["main"]);
    assert_eq!(status(&answer, "integrity:authors"), "failed", "{answer:#}");
}

#[test]
fn what_restricts_is_taken_beyond_the_last_step_and_blocks() {
    let world = World::new();
    let served = served(&world);
    let repo = &served.repo;
    approved(repo);
    repo.merge("l.wu", BRANCH);
    served.taken(&["main", BRANCH]);
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    repo.merge_unsigned(BRANCH);
    served.taken(&["main", BRANCH]);
    let answer = served.guarded.check_json(GATE, "production");
    assert_eq!(
        (answer["verdict"].as_str(), status(&answer, "rejection:k.berg@example.com")),
        (Some("blocked"), "failed")
    );
}

#[test]
fn a_policy_that_says_who_signs_steps_holds_from_the_commit_that_brings_it() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    approved(repo);
    propose(repo, "a.ng", &Policy::small().mainline_signed().serial(2));
    ballot(repo, "m.okafor");
    ballot(repo, "l.wu");
    // In one push: the policy, and behind it a merge that it no longer takes for a step.
    repo.merge("k.berg", "policy/next");
    repo.merge("k.berg", BRANCH);
    served.taken(&["main", BRANCH, "policy/next"]);
    let answer = served.guarded.check_json(GATE, "production");
    assert_eq!((answer["policy"]["serial"].as_u64(), answer["verdict"].as_str()), (Some(2), Some("pending")));
    assert_eq!(status(&answer, "gate:recorded"), "missing");
}
