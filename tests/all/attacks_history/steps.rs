//! `[mainline] signed_by`: what the unsigned end of the mainline may and may not do.

use super::*;
use crate::world::World;

fn guarded() -> Policy {
    Policy::small().mainline_signed()
}

#[test]
fn an_unsigned_merge_is_no_step_and_permits_nothing() {
    for merger in ["nobody", "j.doe", "mallory"] {
        let world = World::new();
        let repo = world.governance_repo_with(&guarded());
        repo.open("j.doe", GATE);
        let approval = repo.approve("j.rivera", GATE, "ml-lead");
        repo.approve("s.chen", GATE, "product-lead");
        let branch = format!("gate/{GATE}");
        let tip = if merger == "nobody" { repo.merge_unsigned(&branch) } else { repo.merge(merger, &branch) };
        let answer = check(&repo);
        assert_eq!(verdict(&answer), "pending", "{merger}");
        assert_eq!(status(&answer, "gate:recorded"), "missing");
        assert_eq!(
            (&answer["mainline"]["commit"], &answer["mainline"]["step"]),
            (&tip.into(), &repo.root.clone().into())
        );
        assert!(notice(&answer, "beyond-last-step").is_some(), "{answer:#}");
        repo.write("note", "x").commit("l.wu", "A signed step");
        let answer = check(&repo);
        assert_eq!((verdict(&answer).as_str(), code(&answer, &approval)), ("allowed requirements", "counts"));
        assert!(notice(&answer, "beyond-last-step").is_none());
    }
}

#[test]
fn who_must_sign_the_mainline_is_asked_of_what_comes_after() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.switch("main").git(&["switch", "-q", "-C", "policy/next"]);
    propose(&repo, "a.ng", &guarded().serial(2));
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    let enacted = repo.merge_unsigned("policy/next");
    repo.open("j.doe", GATE);
    for (after, notices) in [(0, 0), (1, 1)] {
        for _ in 0..after {
            repo.switch("main");
            repo.git(&["commit", "-q", "--allow-empty", "-m", "Unsigned"]);
        }
        let answer = check(&repo);
        assert_eq!(answer["mainline"]["step"], enacted, "{answer:#}");
        assert_eq!(usize::from(notice(&answer, "beyond-last-step").is_some()), notices);
    }
}

#[test]
fn what_a_later_step_records_was_not_recorded_before() {
    let world = World::new();
    let repo = world.governance_repo_with(&guarded());
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let beyond = repo.merge_unsigned(&format!("gate/{GATE}"));
    let further = repo.write("note", "x").commit("j.doe", "Further");
    assert_eq!(verdict(&check(&repo)), "pending");
    repo.write("note", "y").commit("l.wu", "A signed step");
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
    for then in [beyond, further] {
        let answer = check_with(&repo, &["--at", &then]);
        assert_eq!(verdict(&answer), "pending", "{answer:#}");
        assert_eq!(status(&answer, "approval:ml-lead"), "missing");
    }
}

#[test]
fn content_beyond_the_last_step_is_not_what_is_judged() {
    let world = World::new();
    let repo = world.governance_repo_with(&guarded());
    repo.allowed_gate(GATE);
    let content = check(&repo)["content"].clone();
    repo.write(&format!("gates/{GATE}/CHANGE.md"), "Something else\n").commit("j.doe", "Swap");
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), &answer["content"]), ("allowed requirements", &content));
}

#[test]
fn what_restricts_blocks_beyond_the_last_step() {
    for (what, id) in [
        ("reject", "rejection:k.berg@example.com"),
        ("close", "gate:open"),
        ("withdraw", "approval:ml-lead"),
        ("incident", "incident:2026-01"),
    ] {
        let world = World::new();
        let repo = world.governance_repo_with(&guarded());
        repo.allowed_gate(GATE);
        match what {
            "reject" => drop(repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"))),
            "close" => drop(repo.decide("k.berg", &Decision::close(GATE))),
            "withdraw" => drop(repo.decide("j.rivera", &Decision::withdraw(GATE))),
            _ => drop(repo.incident("s.chen", "2026-01", GATE, None)),
        }
        if what != "incident" {
            repo.merge_unsigned(&format!("gate/{GATE}"));
        }
        let answer = check(&repo);
        assert_ne!(verdict(&answer), "allowed requirements", "{what}");
        assert!(matches!(status(&answer, id), "failed" | "missing"), "{what}: {answer:#}");
    }
}

#[test]
fn an_incident_cannot_be_resolved_beyond_the_last_step() {
    for how in ["resolve", "remove", "move"] {
        let world = World::new();
        let repo = world.governance_repo_with(&guarded());
        repo.allowed_gate(GATE);
        repo.incident("l.wu", "2026-01", GATE, None);
        assert_eq!(status(&check(&repo), "incident:2026-01"), "failed");
        match how {
            "resolve" => drop(repo.incident("s.chen", "2026-01", GATE, Some(&world.time()))),
            "remove" => drop(repo.remove("incidents/2026-01.toml").commit("s.chen", "Gone")),
            _ => drop(repo.incident("s.chen", "2026-01", "summarizer/v9", None)),
        }
        let answer = check(&repo);
        assert_eq!(
            (verdict(&answer).as_str(), status(&answer, "incident:2026-01")),
            ("blocked", "failed"),
            "{how}"
        );
        repo.write("note", "x").commit("l.wu", "A signed step");
        assert_eq!(status(&check(&repo), "incident:2026-01"), "none", "{how}");
    }
}

#[test]
fn a_rejection_cannot_be_taken_back_beyond_the_last_step() {
    for back in [Decision::withdraw(GATE), Decision::approve(GATE, "ml-lead")] {
        let world = World::new();
        let repo = world.governance_repo_with(&guarded());
        repo.open("j.doe", GATE);
        repo.approve("j.rivera", GATE, "ml-lead");
        repo.approve("s.chen", GATE, "product-lead");
        repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
        repo.merge("l.wu", &format!("gate/{GATE}"));
        repo.decide("k.berg", &back);
        repo.merge_unsigned(&format!("gate/{GATE}"));
        let answer = check(&repo);
        assert_eq!(status(&answer, "rejection:k.berg@example.com"), "failed", "{back:?}");
        repo.write("note", "x").commit("l.wu", "A signed step");
        assert_eq!(verdict(&check(&repo)), "allowed requirements");
    }
}

#[test]
fn policy_decisions_beyond_the_last_step_carry_their_own_quorum() {
    let world = World::new();
    let repo = world.governance_repo_with(&guarded());
    repo.allowed_gate(GATE);
    propose(&repo, "a.ng", &guarded().serial(2).replacing("max = 0.05", "max = 0.01"));
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    let tip = repo.merge_unsigned("policy/next");
    let answer = check(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), &answer["policy"]["commit"]), (Some(2), &tip.into()));
    assert_eq!(verdict(&answer), "blocked");
}

#[test]
fn who_may_sign_steps_is_what_the_policy_before_says() {
    let world = World::new();
    let repo = world.governance_repo_with(&guarded());
    repo.allowed_gate(GATE);
    let next = guarded()
        .serial(2)
        .replacing("maintainer = { members = [\"l.wu@", "maintainer = { members = [\"k.berg@");
    enact(&repo, &next);
    let step = check(&repo)["mainline"]["step"].clone();
    repo.write("note", "x").commit("l.wu", "No maintainer any more");
    assert_eq!(check(&repo)["mainline"]["step"], step);
    let last = repo.write("note", "y").commit("k.berg", "The new one");
    assert_eq!(check(&repo)["mainline"]["step"], *last);
}

#[test]
fn ready_judges_the_merge_as_if_a_maintainer_made_it() {
    let world = World::new();
    let repo = world.governance_repo_with(&guarded());
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.run(&["ready", GATE]).expect(0);
}
