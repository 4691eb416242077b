//! Whoever would change the rules without those who may.

use super::*;
use crate::world::{KeyKind, World};

#[test]
fn a_gate_branch_cannot_change_the_policy() {
    let world = World::new();
    let repo = world.governance_repo();
    let lax = Policy::small().serial(2).replacing("max = 0.05", "max = 0.5");
    repo.open("j.doe", GATE);
    repo.write_policy(&lax).write(
        &format!("gates/{GATE}/evidence/evaluation.json"),
        "{\"summary\": {\"hallucination_rate\": 0.2, \"n\": 400}}\n",
    );
    repo.commit("j.doe", "A better policy");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let ready = repo.run(&["ready", GATE, "--format", "json"]).expect(10);
    assert!(!ready.json()["environments"][0]["policy"]["pending"].is_null(), "{ready}");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "blocked");
    assert_eq!(status(&answer, "criterion:hallucination"), "failed");
    assert_eq!(answer["policy"]["serial"], 1);
    assert_eq!(answer["policy"]["pending"]["serial"], 2);
    assert_eq!(answer["policy"]["pending"]["approvals"], 0);
    assert!(!answer["policy"]["pending"].is_null(), "{answer:#}");
}

#[test]
fn a_pending_policy_does_not_stop_judging() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    propose(&repo, "a.ng", &strict());
    ballot(&repo, "m.okafor");
    repo.merge("l.wu", "policy/next");
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "allowed requirements");
    assert_eq!(answer["policy"]["pending"]["approvals"], 1);
    assert_eq!(answer["policy"]["pending"]["needed"], 2);
    assert!(!answer["policy"]["pending"].is_null(), "{answer:#}");
}

#[test]
fn a_policy_comes_into_force_at_the_step_that_fills_the_quorum() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    propose(&repo, "a.ng", &strict());
    ballot(&repo, "m.okafor");
    let before = repo.merge("l.wu", "policy/next");
    repo.switch("policy/next").git(&["merge", "-q", "--ff-only", "main"]);
    late_ballot(&repo, "l.wu");
    let step = repo.merge("l.wu", "policy/next");
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), answer["policy"]["serial"].as_u64()), ("blocked", Some(2)));
    assert_eq!(answer["policy"]["commit"], *step);
    assert!(answer["policy"]["pending"].is_null());
    assert_eq!(verdict(&check_with(&repo, &["--at", &before])), "allowed requirements");
}

#[test]
fn a_dropped_policy_change_is_in_force() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    propose(&repo, "a.ng", &strict());
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    repo.switch("main");
    repo.git_as("j.doe", &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge", "policy/next"]);
    assert!(!repo.git(&["show", "main:policy/policy.toml"]).contains("serial = 2"));
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), answer["policy"]["serial"].as_u64()), ("blocked", Some(2)));
    assert!(!answer["policy"]["pending"].is_null(), "{answer:#}");
}

#[test]
fn one_author_cannot_pass_a_policy_change() {
    let world = World::new();
    let one = Policy::small().replacing(r#"role = "governance", count = 2"#, r#"role = "governance""#);
    let repo = world.governance_repo_with(&one);
    propose(&repo, "a.ng", &one.clone().serial(2));
    let own = ballot(&repo, "a.ng");
    repo.merge("a.ng", "policy/next");
    let answer = policy_status(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), code(&answer, &own)), (Some(1), "counts"));
    repo.switch("policy/next");
    late_ballot(&repo, "m.okafor");
    repo.merge("a.ng", "policy/next");
    assert_eq!(serial(&repo), 2);
}

#[test]
fn two_authors_cannot_pass_each_others_policy_change() {
    let world = World::new();
    let repo = world.governance_repo();
    propose(&repo, "a.ng", &strict());
    repo.write_policy(&strict().with("# One more line\n")).commit("m.okafor", "And more");
    ballot(&repo, "a.ng");
    ballot(&repo, "m.okafor");
    repo.merge("l.wu", "policy/next");
    assert_eq!(serial(&repo), 1);
    repo.switch("policy/next");
    late_ballot(&repo, "l.wu");
    repo.merge("j.doe", "policy/next");
    assert_eq!(serial(&repo), 2);
}

/// A policy that changes both files, by `a.ng`, so that what stands is theirs from serial 2 on.
fn both_files_by_a_ng(repo: &Repo<'_>) -> Policy {
    let second = Policy { signers: format!("# of serial 2\n{}", Policy::small().signers), ..strict() };
    enact(repo, &second);
    assert_eq!(serial(repo), 2);
    second
}

#[test]
fn whose_change_was_written_over_is_still_an_author_of_what_came_of_it() {
    let world = World::new();
    let repo = world.governance_repo();
    let second = both_files_by_a_ng(&repo);
    repo.git(&["switch", "-q", "-C", "policy/next", "main"]);
    propose(&repo, "l.wu", &second.clone().serial(3));
    repo.write_policy(&second.serial(3).with("# One more line\n")).commit("m.okafor", "And more");
    ballot(&repo, "l.wu");
    ballot(&repo, "m.okafor");
    repo.merge("j.doe", "policy/next");
    assert_eq!(serial(&repo), 2);
    let in_force = repo.content("main~1", "policy");
    repo.switch("policy/next");
    repo.decide("a.ng", &Decision::approve("policy", "governance").setting("Gate-Policy", &in_force));
    repo.merge("j.doe", "policy/next");
    assert_eq!(serial(&repo), 3);
}

#[test]
fn who_wrote_the_policy_before_is_no_author_of_the_next_one() {
    let world = World::new();
    let repo = world.governance_repo();
    let second = both_files_by_a_ng(&repo);
    repo.git(&["switch", "-q", "-C", "policy/next", "main"]);
    propose(&repo, "m.okafor", &second.serial(3));
    ballot(&repo, "a.ng");
    ballot(&repo, "m.okafor");
    repo.merge("j.doe", "policy/next");
    assert_eq!(serial(&repo), 3);
}

#[test]
fn a_file_that_stood_before_is_judged_under_the_policy_of_then() {
    let world = World::new();
    let repo = world.governance_repo();
    let second = both_files_by_a_ng(&repo);
    let key = super::keys::fingerprint(&world, "a.ng");
    let third = second
        .serial(3)
        .with(&format!("[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n"));
    for (serial_next, policy) in [(3, third.clone()), (4, third.serial(4))] {
        repo.git(&["switch", "-q", "-C", "policy/next", "main"]);
        propose(&repo, "j.doe", &policy);
        ballot(&repo, "m.okafor");
        ballot(&repo, "l.wu");
        repo.merge("l.wu", "policy/next");
        assert_eq!(serial(&repo), serial_next);
    }
}

#[test]
fn where_one_person_governs_every_output_says_so() {
    let world = World::new();
    let members = r#"["a.ng@example.com", "m.okafor@example.com", "l.wu@example.com"]"#;
    let one = Policy::small()
        .replacing(r#"role = "governance", count = 2"#, r#"role = "governance""#)
        .replacing(members, r#"["a.ng@example.com"]"#);
    let repo = world.governance_repo_with(&one);
    repo.allowed_gate(GATE);
    propose(&repo, "a.ng", &one.clone().serial(2));
    ballot(&repo, "a.ng");
    repo.merge("a.ng", "policy/next");
    let answer = check(&repo);
    assert_eq!(answer["policy"]["serial"], 2);
    assert!(notice(&answer, "governance-of-one").is_some(), "{answer:#}");
    for command in EVERY_OUTPUT {
        assert!(repo.run(command).expect(0).stdout.contains("exactly one person"), "{command:?}");
    }
}

#[test]
fn who_governs_alone_is_said_of_the_policy_in_force_not_of_the_first_one() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    assert!(notice(&check(&repo), "governance-of-one").is_none());
    let governance = r#"role = "governance", count = 2"#;
    let members = r#"members = ["a.ng@example.com", "m.okafor@example.com", "l.wu@example.com"]"#;
    let alone = Policy::small()
        .serial(2)
        .replacing(governance, r#"role = "governance""#)
        .replacing(members, r#"members = ["a.ng@example.com"]"#);
    enact(&repo, &alone);
    let answer = check(&repo);
    assert_eq!(answer["policy"]["serial"], 2, "{answer:#}");
    assert!(notice(&answer, "governance-of-one").is_some(), "{answer:#}");
}

/// Everything that shows a verdict or the policy.
const EVERY_OUTPUT: [&[&str]; 5] = [
    &["check", GATE, "--env", "production"],
    &["ready", GATE],
    &["show", GATE],
    &["policy", "show"],
    &["policy", "status"],
];

#[test]
fn a_policy_on_the_mainline_that_is_not_in_force_is_told_everywhere() {
    let story = |change: &dyn Fn(&Repo<'_>), says: &str| {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        assert!(notice(&check(&repo), "policy-pending").is_none());
        change(&repo);
        repo.commit("a.ng", "Another policy");
        let answer = check(&repo);
        assert_eq!(verdict(&answer), "allowed requirements", "the one in force holds");
        assert!(!answer["policy"]["pending"].is_null(), "{answer:#}");
        assert!(notice(&answer, "policy-pending").unwrap().contains(says), "{answer:#}");
        for command in EVERY_OUTPUT {
            for format in ["text", "markdown", "json"] {
                let run = repo.run(&[command, &["--format", format]].concat()).expect(0);
                let told = run.stdout.replace('\\', "");
                assert!(told.contains("on the mainline is not the policy in force"), "{run}");
            }
        }
    };
    story(&|repo| _ = repo.write_policy(&strict()), "serial 2 has 0 of 2 approvals");
    story(&|repo| drop(repo.git(&["rm", "-q", "-r", "policy"])), "it is not there");
    story(&|repo| _ = repo.write("policy/.hidden", "no"), "a name here");
}

#[test]
fn an_old_policy_cannot_come_back() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    enact(&repo, &strict());
    assert_eq!(verdict(&check(&repo)), "blocked");
    repo.git(&["switch", "-q", "-C", "policy/back", "main"]);
    repo.git(&["checkout", "-q", &repo.root, "--", "policy"]);
    repo.commit("a.ng", "Revert");
    let first = ballot(&repo, "m.okafor");
    let second = ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/back");
    let answer = policy_status(&repo);
    assert_eq!(answer["policy"]["serial"], 2);
    assert_eq!((code(&answer, &first), code(&answer, &second)), ("policy-invalid", "policy-invalid"));
    assert!(reason(&answer, &first).contains("the next one is 3"), "{}", reason(&answer, &first));
    assert_eq!(verdict(&check(&repo)), "blocked");
}

#[test]
fn a_policy_that_cannot_follow_is_invalid_whoever_approves_it() {
    let small = Policy::small;
    for (policy, why) in [
        (small().serial(3), "the next one is 2"),
        (small(), "the next one is 2"),
        (small().serial(2).replacing("acme-models-3f9c", "another"), "its `id` is `another`"),
        (small().serial(2).replacing("count = 2", "count = 4"), "policy-approvals-unfillable"),
        (small().serial(2).replacing("count = 2", "count = 0"), "policy-count-zero"),
        (small().serial(2).signer("j.doe", KeyKind::SecondEd25519, ""), "counts"),
        (
            small().serial(2).replacing(r#"deployers = ["release-bot"]"#, r#"deployers = ["x"]"#),
            "unknown-role",
        ),
    ] {
        let world = World::new();
        let repo = world.governance_repo();
        propose(&repo, "a.ng", &policy.with("# end\n"));
        let approval = ballot(&repo, "m.okafor");
        ballot(&repo, "l.wu");
        repo.merge("l.wu", "policy/next");
        let answer = policy_status(&repo);
        if why == "counts" {
            assert_eq!(answer["policy"]["serial"], 2, "{answer:#}");
            continue;
        }
        assert_eq!(answer["policy"]["serial"], 1, "{why}");
        assert_eq!(code(&answer, &approval), "policy-invalid", "{why}");
        assert!(reason(&answer, &approval).contains(why), "{}", reason(&answer, &approval));
    }
}

#[test]
fn a_policy_in_which_one_key_is_two_peoples_is_invalid() {
    let world = World::new();
    let repo = world.governance_repo();
    let mut policy = strict();
    let twin = ["twin@example.com ", &World::public_key("a.ng", KeyKind::Ed25519), "\n"].concat();
    policy.signers.push_str(&twin);
    propose(&repo, "a.ng", &policy);
    let approval = ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    let answer = policy_status(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), code(&answer, &approval)), (Some(1), "policy-invalid"));
    assert!(reason(&answer, &approval).contains("policy-key-of-several"), "{}", reason(&answer, &approval));
}

#[test]
fn an_unreadable_approved_policy_stops_judging() {
    for odd in ["[ministry]\nof = \"walks\"\n", "# and a future schema\n"] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let mut policy = strict().with(odd);
        if odd.starts_with('#') {
            policy = policy.replacing("schema = 1", "schema = 2");
        }
        propose(&repo, "a.ng", &policy);
        ballot(&repo, "m.okafor");
        repo.merge("l.wu", "policy/next");
        assert_eq!(verdict(&check(&repo)), "allowed requirements", "not approved yet");
        repo.switch("policy/next");
        late_ballot(&repo, "l.wu");
        repo.merge("l.wu", "policy/next");
        refused(&repo, "policy-unreadable");
        for command in [&["show", GATE, "--format", "json"], &["ready", GATE, "--format", "json"]] {
            undecided(&repo.run(command), "policy-unreadable");
        }
        undecided(&repo.run(&["policy", "show", "--format", "json"]), "policy-unreadable");
    }
}

#[test]
fn a_policy_that_is_no_toml_is_invalid_and_stops_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    propose(&repo, "a.ng", &strict().with("= what\n"));
    let approval = ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    assert_eq!(code(&policy_status(&repo), &approval), "policy-invalid");
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn an_unsigned_change_of_a_policy_file_is_invalid() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.switch("policy/next").write_policy(&strict());
    repo.commit_unsigned("a.ng", "Change the policy");
    let approval = ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    let answer = policy_status(&repo);
    assert_eq!((answer["policy"]["serial"].as_u64(), code(&answer, &approval)), (Some(1), "policy-invalid"));
    assert!(reason(&answer, &approval).contains("unsigned"), "{}", reason(&answer, &approval));
}

#[test]
fn a_stranger_may_write_a_policy_change_but_not_under_a_key_that_nobody_knows() {
    for (who, serial) in [("j.doe", 2), ("mallory", 1)] {
        let world = World::new();
        let repo = world.governance_repo();
        propose(&repo, who, &strict());
        ballot(&repo, "m.okafor");
        ballot(&repo, "l.wu");
        repo.merge("l.wu", "policy/next");
        assert_eq!(super::serial(&repo), serial, "{who}");
    }
}
