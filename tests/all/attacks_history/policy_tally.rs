//! Whose approval of a policy counts, and which of two contents wins.

use super::*;
use crate::world::{KeyKind, World};

#[test]
fn an_approval_under_the_policy_before_is_stale() {
    let world = World::new();
    let repo = world.governance_repo();
    enact(&repo, &strict());
    repo.git(&["switch", "-q", "-C", "policy/third", "main"]);
    repo.write_policy(&strict().serial(3)).commit("a.ng", "Third");
    let old = repo.content(&repo.root, "policy");
    let stale =
        repo.decide("m.okafor", &Decision::approve("policy", "governance").setting("Gate-Policy", &old));
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/third");
    let answer = policy_status(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), code(&answer, &stale)), (Some(2), "stale-policy"));
}

#[test]
fn approvals_do_not_survive_the_transition_that_they_lost() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.git(&["switch", "-q", "-c", "policy/other"]);
    repo.write_policy(&strict().with("# the other\n")).commit("a.ng", "Another");
    let late = ballot(&repo, "m.okafor");
    enact(&repo, &strict());
    repo.switch("policy/other");
    late_ballot(&repo, "l.wu");
    repo.switch("main");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge", "policy/other"]);
    let answer = policy_status(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), code(&answer, &late)), (Some(2), "stale-policy"));
}

#[test]
fn of_two_contents_the_first_filled_comes_into_force() {
    let world = World::new();
    let repo = world.governance_repo();
    for (branch, mark) in [("policy/one", "# one\n"), ("policy/two", "# two\n")] {
        repo.git(&["switch", "-q", "-c", branch, &repo.root]);
        repo.write_policy(&strict().with(mark)).commit("a.ng", mark);
        ballot(&repo, "m.okafor");
    }
    repo.switch("policy/one");
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/one");
    repo.switch("policy/two");
    late_ballot(&repo, "l.wu");
    repo.switch("main");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-X", "ours", "-m", "Merge", "policy/two"]);
    let answer = policy_status(&repo);
    assert_eq!(answer["policy"]["digest"], *repo.content("policy/one", "policy"));
}

#[test]
fn a_rejection_or_a_withdrawal_takes_back_ones_own_approval_and_nobody_elses() {
    for (who, decision, serial) in [
        ("m.okafor", Decision::reject("policy", "governance", "other"), 1),
        ("m.okafor", Decision::withdraw("policy"), 1),
        ("a.ng", Decision::reject("policy", "governance", "other"), 2),
        ("j.rivera", Decision::reject("policy", "ml-lead", "other"), 2),
    ] {
        let world = World::new();
        let repo = world.governance_repo();
        propose(&repo, "a.ng", &strict());
        let first = ballot(&repo, "m.okafor");
        repo.decide(who, &decision);
        ballot(&repo, "l.wu");
        repo.merge("l.wu", "policy/next");
        assert_eq!(super::serial(&repo), serial, "{who}");
        if serial == 1 {
            assert_eq!(code(&policy_status(&repo), &first), "superseded");
        }
    }
}

#[test]
fn a_close_of_the_policy_is_malformed_and_stops_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    propose(&repo, "a.ng", &strict());
    repo.decide("m.okafor", &Decision::close("policy"));
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    assert_eq!(serial(&repo), 2);
}

#[test]
fn one_person_twice_or_out_of_role_fills_no_quorum() {
    for (who, role, expected) in [
        ("m.okafor", "governance", "counts"),
        ("j.rivera", "governance", "not-in-role"),
        ("j.rivera", "ml-lead", "counts"),
        ("mallory", "governance", "unknown-key"),
        ("bot", "governance", "bot-in-role"),
    ] {
        let world = World::new();
        let repo = world.governance_repo();
        propose(&repo, "a.ng", &strict());
        ballot(&repo, "m.okafor");
        let second = repo.decide(who, &Decision::approve("policy", role));
        repo.merge("l.wu", "policy/next");
        let answer = policy_status(&repo);
        assert_eq!(
            (answer["policy"]["serial"].as_u64(), code(&answer, &second)),
            (Some(1), expected),
            "{who}"
        );
    }
}

#[test]
fn an_approval_of_a_policy_that_is_not_in_its_tree_does_not_count() {
    let world = World::new();
    let repo = world.governance_repo();
    propose(&repo, "a.ng", &strict());
    let digest = repo.content("HEAD", "policy");
    ballot(&repo, "m.okafor");
    repo.git(&["switch", "-q", "-c", "policy/blind", "main"]);
    let blind = Decision::approve("policy", "governance").setting("Gate-Content", &digest);
    let blind = repo.decide("l.wu", &blind);
    repo.switch("policy/next").git(&["merge", "-q", "--no-ff", "-m", "Both", "policy/blind"]);
    repo.merge("l.wu", "policy/next");
    let answer = policy_status(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), code(&answer, &blind)), (Some(1), "content-mismatch"));
}

#[test]
fn two_transitions_and_a_gate_come_in_by_one_merge() {
    let world = World::new();
    let repo = world.governance_repo();
    propose(&repo, "a.ng", &strict());
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    let second = repo.content("HEAD", "policy");
    let third = Policy::small().serial(3).replacing("max = 0.05", "max = 0.03");
    repo.write_policy(&third).commit("a.ng", "Third");
    let under = Decision::approve("policy", "governance").setting("Gate-Policy", &second);
    repo.decide("m.okafor", &under);
    repo.decide("l.wu", &under);
    let digest = repo.content("HEAD", "policy");
    repo.git(&["branch", &format!("gate/{GATE}")]);
    repo.open("j.doe", GATE);
    for (who, role) in [("j.rivera", "ml-lead"), ("s.chen", "product-lead")] {
        repo.decide(who, &Decision::approve(GATE, role).setting("Gate-Policy", &digest));
    }
    let step = repo.merge("l.wu", &format!("gate/{GATE}"));
    let answer = check(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), &answer["policy"]["commit"]), (Some(3), &step.into()));
    assert_eq!(verdict(&answer), "allowed requirements", "{answer:#}");
}

#[test]
fn an_approval_under_a_later_policy_does_not_count_before_it_is_in_force() {
    let world = World::new();
    let repo = world.governance_repo();
    propose(&repo, "a.ng", &strict());
    let second = repo.content("HEAD", "policy");
    repo.open("j.doe", GATE);
    let early = repo.decide("j.rivera", &Decision::approve(GATE, "ml-lead").setting("Gate-Policy", &second));
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(code(&check(&repo), &early), "stale-policy");
    repo.switch("policy/next");
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    let answer = check(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), code(&answer, &early)), (Some(2), "stale-policy"));
}

#[test]
fn a_policy_that_is_gone_from_the_mainline_stays_in_force() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git(&["rm", "-q", "-r", "policy"]);
    repo.commit("j.doe", "No more rules");
    let answer = check(&repo);
    assert_eq!(
        (verdict(&answer).as_str(), answer["policy"]["serial"].as_u64()),
        ("allowed requirements", Some(1))
    );
}

#[test]
fn ballots_that_nobody_signed_cost_little() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let message = "x\n\nGate: policy\nGate-Action: withdraw\n";
    let ballot = format!(
        "commit refs/heads/many\ncommitter m <m@x> 1700000000 +0000\ndata {}\n{message}\n",
        message.len()
    );
    let stream = format!("reset refs/heads/many\nfrom refs/heads/main\n\n{}", ballot.repeat(3000));
    world.git_with_input(&repo.path, &["fast-import", "--quiet"], stream);
    repo.switch("main");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge", "many"]);
    let run = world.run_in_time(&repo.path, &["check", GATE, "--env", "production"]);
    run.expect(0);
}

#[test]
fn what_comes_into_force_is_the_content_that_was_approved_and_not_the_first_that_is_open() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let (one, two) = (strict(), Policy::small().serial(2));
    for (branch, author, policy, voters) in
        [("policy/one", "a.ng", one, &["m.okafor"][..]), ("policy/two", "j.doe", two, &["a.ng", "l.wu"])]
    {
        repo.git(&["switch", "-q", "-c", branch, &repo.root]);
        repo.write_policy(&policy).commit(author, "A policy");
        for who in voters {
            ballot(&repo, who);
        }
    }
    repo.merge("l.wu", "policy/one");
    assert_eq!(serial(&repo), 1);
    repo.switch("main");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-X", "ours", "-m", "Merge", "policy/two"]);
    let answer = policy_status(&repo);
    assert_eq!(answer["policy"]["digest"], *repo.content("policy/two", "policy"));
    // By the other one's bound it would be blocked.
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn whoever_took_back_an_approval_may_give_it_again() {
    for decision in [Decision::withdraw("policy"), Decision::reject("policy", "governance", "other")] {
        let world = World::new();
        let repo = world.governance_repo();
        propose(&repo, "a.ng", &strict());
        ballot(&repo, "m.okafor");
        repo.decide("m.okafor", &decision);
        ballot(&repo, "m.okafor");
        ballot(&repo, "l.wu");
        repo.merge("l.wu", "policy/next");
        assert_eq!(super::serial(&repo), 2);
    }
}

#[test]
fn approvals_of_two_contents_beside_each_other_take_nothing_back() {
    let world = World::new();
    let repo = world.governance_repo();
    for (branch, mark) in [("policy/one", "# one\n"), ("policy/two", "# two\n")] {
        repo.git(&["switch", "-q", "-c", branch, &repo.root]);
        repo.write_policy(&strict().with(mark)).commit("a.ng", mark);
        ballot(&repo, "m.okafor");
    }
    repo.merge("l.wu", "policy/one");
    repo.switch("main");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-X", "ours", "-m", "Merge", "policy/two"]);
    assert_eq!(super::serial(&repo), 1);
    repo.switch("policy/two");
    late_ballot(&repo, "l.wu");
    repo.switch("main");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-X", "ours", "-m", "Merge", "policy/two"]);
    assert_eq!(policy_status(&repo)["policy"]["digest"], *repo.content("policy/two", "policy"));
}

#[test]
fn a_key_that_was_never_trusted_takes_back_no_approval_of_its_owner() {
    let world = World::new();
    let stolen = "m.okafor#SecondEd25519";
    let key = super::keys::fingerprint(&world, stolen);
    let policy = Policy::small()
        .signer("m.okafor", KeyKind::SecondEd25519, "namespaces=\"git\"")
        .with(&format!("[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n"));
    let repo = world.governance_repo_with(&policy);
    propose(&repo, "a.ng", &strict());
    ballot(&repo, "m.okafor");
    for decision in [Decision::withdraw("policy"), Decision::reject("policy", "governance", "other")] {
        repo.decide(stolen, &decision);
    }
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    assert_eq!(super::serial(&repo), 2);
}
