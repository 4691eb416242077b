//! A policy under its own rules: what a change means, whether the verdicts come out as foretold, who may approve it.

use serde_json::{Value, json};

use crate::world::{Decision, Policy, Repo, World};

const GATE: &str = "summarizer/v1.4";
const OPEN: &str = "summarizer/v1.5";

/// A policy change on its branch, signed.
fn propose(repo: &Repo<'_>, slug: &str, policy: &Policy) -> String {
    repo.switch(&format!("policy/{slug}")).write_policy(policy);
    let commit = repo.commit("a.ng", "Change the policy");
    repo.switch("main");
    commit
}

fn enact(repo: &Repo<'_>, branch: &str) {
    repo.switch(branch);
    for who in ["m.okafor", "l.wu"] {
        repo.decide(who, &Decision::approve("policy", "governance"));
    }
    repo.merge("l.wu", branch);
}

fn diff(repo: &Repo<'_>, what: &str) -> Value {
    repo.run(&["policy", "diff", what, "--format", "json"]).expect(0).json()
}

/// Which verdicts flip, as gate, environment, before and after.
fn flips(answer: &Value) -> Vec<String> {
    let text = |flip: &Value, key: &str| flip[key].as_str().unwrap().to_owned();
    let flips = answer["flips"].as_array().unwrap().iter();
    flips
        .map(|flip| ["gate", "environment", "before", "after"].map(|key| text(flip, key)).join(" "))
        .collect()
}

fn meanings(answer: &Value) -> Vec<String> {
    let all = answer["differences"].as_array().unwrap().iter();
    all.map(|one| format!("{} {}", one["meaning"].as_str().unwrap(), one["part"].as_str().unwrap())).collect()
}

fn strict() -> Policy {
    Policy::small().serial(2).replacing("max = 0.05", "max = 0.01")
}

#[test]
fn what_is_foretold_of_the_gates_comes_true() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.open("j.doe", OPEN);
    repo.approve("j.rivera", OPEN, "ml-lead");
    repo.approve("s.chen", OPEN, "product-lead");
    propose(&repo, "strict", &strict());
    let answer = diff(&repo, "policy/strict");
    assert_eq!(answer["schema"], "git-gate/policy-diff/1");
    assert_eq!(
        meanings(&answer),
        ["neutral serial", "tighter rule `every change`, criterion `hallucination`"],
        "{answer:#}"
    );
    assert_eq!((&answer["judged"], &answer["problems"]), (&json!(4), &json!([])), "{answer:#}");
    let foretold = [
        "summarizer/v1.4 production allowed blocked",
        "summarizer/v1.4 staging allowed blocked",
        "summarizer/v1.5 production allowed blocked",
        "summarizer/v1.5 staging allowed blocked",
    ];
    assert_eq!(flips(&answer), foretold, "{answer:#}");
    assert_eq!(
        answer["flips"][0]["changed"],
        json!([{ "id": "criterion:hallucination", "before": "met", "after": "failed" }])
    );
    let text = repo.run(&["policy", "diff", "policy/strict"]).expect(0).stdout;
    assert!(text.starts_with("tighter  policy@") && text.contains("it flips 4 of 4 verdicts"), "{text}");
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "allowed");
    enact(&repo, "policy/strict");
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "blocked");
    assert_eq!(repo.run(&["ready", OPEN, "--env", "staging"]).status, 10);
    // From here the way back is looser, and flips them all again.
    propose(&repo, "loose", &Policy::small().serial(3));
    let answer = diff(&repo, "policy/loose");
    assert_eq!(meanings(&answer)[1], "looser rule `every change`, criterion `hallucination`");
    assert_eq!(flips(&answer)[0], "summarizer/v1.4 production blocked allowed");
    assert_eq!(flips(&answer).len(), 4);
}

#[test]
fn a_proposed_revocation_takes_back_what_the_key_signed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let list = repo.run(&["key", "list", "--format", "json"]).expect(0).json();
    let keys = list["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["principals"][0] == "s.chen@example.com").unwrap()["key"].clone();
    let revoked = format!("\n[[revoked]]\nkey = {key}\nsince = \"never-trusted\"\nreason = \"lost\"\n");
    propose(&repo, "lost", &Policy::small().serial(2).with(&revoked));
    let answer = diff(&repo, "policy/lost");
    assert_eq!(flips(&answer), ["summarizer/v1.4 production allowed pending"], "{answer:#}");
    enact(&repo, "policy/lost");
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "pending");
    assert_eq!(repo.check_json(GATE, "staging")["verdict"], "allowed");
}

#[test]
fn what_was_recorded_stays_judged_under_the_policy_of_then() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.open("j.doe", OPEN);
    repo.approve("s.chen", OPEN, "product-lead");
    repo.approve("j.rivera", OPEN, "ml-lead");
    // j.rivera leaves the role: what she approved stays, what is not recorded yet counts no more.
    let gone = Policy::small().serial(2).replacing("\"j.rivera@example.com\", \"k.berg", "\"k.berg");
    propose(&repo, "gone", &gone);
    let answer = diff(&repo, "policy/gone");
    assert_eq!(meanings(&answer), ["neutral serial", "tighter role `ml-lead`"]);
    let foretold = ["summarizer/v1.5 production allowed pending", "summarizer/v1.5 staging allowed pending"];
    assert_eq!(flips(&answer), foretold, "{answer:#}");
    enact(&repo, "policy/gone");
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "allowed");
    repo.merge("l.wu", &format!("gate/{OPEN}"));
    assert_eq!(repo.check_json(OPEN, "production")["verdict"], "pending");
}

#[test]
fn a_change_that_could_not_come_into_force_says_so() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    propose(&repo, "same-serial", &Policy::small().replacing("max = 0.05", "max = 0.04"));
    let answer = diff(&repo, "policy/same-serial");
    assert_eq!(answer["problems"], json!(["its `serial` is 1; the next one is 2"]));
    assert!(flips(&answer).is_empty(), "{answer:#}");
    assert_eq!(diff(&repo, "main")["differences"], json!([]));
    assert_eq!(diff(&repo, "main")["problems"], json!([]));
    repo.write("policy/policy.toml", "schema = 1\n");
    let run = repo.run(&["policy", "diff"]).expect(3);
    assert!(run.stderr.contains("[policy-missing-key]"), "{run}");
}

#[test]
fn a_policy_is_linted_wherever_it_stands() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.write_policy(&Policy::small().replacing("role = \"ml-lead\" }]", "role = \"ml-laed\" }]"));
    let lint = |args: &[&str]| repo.run(&[&["policy", "lint"], args].concat());
    assert_eq!(lint(&[]).status, 10);
    assert_eq!(lint(&["--index"]).status, 0);
    repo.git(&["add", "policy"]);
    let staged = lint(&["--index"]).expect(10);
    assert!(staged.stdout.contains("policy/policy.toml@index:"), "{staged}");
    assert_eq!(lint(&["HEAD"]).status, 0);
    repo.commit("a.ng", "Wrong");
    for named in ["HEAD", "main", "refs/heads/main", &repo.rev("HEAD")] {
        assert_eq!(lint(&[named]).status, 10, "{named}");
    }
    repo.git(&["tag", "first", &repo.root]);
    assert_eq!(lint(&["first"]).status, 0);
    repo.git(&["switch", "-q", "--detach", &repo.root]);
    assert_eq!(lint(&["HEAD"]).status, 0);
    assert_eq!(lint(&["HEAD", "--index"]).status, 2);
    let bare = repo.clone_to("bare", true);
    assert_eq!(bare.run(&["policy", "lint", "--index"]).status, 3);
}

#[test]
fn nobody_signs_a_policy_that_could_not_come_into_force() {
    let world = World::new();
    let repo = world.governance_repo();
    propose(&repo, "serial", &Policy::small().serial(3));
    propose(&repo, "id", &Policy::small().serial(2).replacing("acme-models", "other-models"));
    propose(
        &repo,
        "role",
        &Policy::small().serial(2).replacing("role = \"ml-lead\" }]", "role = \"ml-laed\" }]"),
    );
    propose(&repo, "broken", &Policy::small().serial(2).replacing("[approvals]", "[approval]"));
    propose(&repo, "good", &strict());
    let before = repo.git(&["for-each-ref"]);
    let approve = |who: &str, branch: &str, more: &[&str]| {
        let branch = format!("policy/{branch}");
        repo.sign_in(who).run(&[&["approve", "policy", "--branch", &branch, "--yes"], more].concat())
    };
    for (branch, says) in [
        ("serial", "its `serial` is 3; the next one is 2 [policy-invalid]"),
        ("id", "[policy-invalid]"),
        ("role", "[policy-invalid]"),
        ("broken", "[policy-unknown-key]"),
    ] {
        let run = approve("m.okafor", branch, &[]).expect(3);
        assert!(run.stderr.contains(says), "{says}\n{run}");
    }
    let other = approve("m.okafor", "good", &["--role", "compliance"]).expect(2);
    assert!(other.stderr.contains("`[governance]` asks no approval by `compliance`"), "{other}");
    assert_eq!(repo.git(&["for-each-ref"]), before);
    let author = approve("a.ng", "good", &[]).expect(0);
    assert!(author.stderr.contains("you wrote some of this change"), "{author}");
    approve("m.okafor", "good", &[]).expect(0);
    let line = format!("{} approve policy --branch policy/good", env!("CARGO_BIN_EXE_git-gate"));
    let asked = repo.sign_in("l.wu").world.on_terminal(&repo.path, &line, "n\n", &[]);
    assert!(
        asked.stdout.contains("tighter    rule `every change`, criterion `hallucination`: at most"),
        "{asked}"
    );
    assert!(asked.stdout.contains("Sign it?") && asked.stdout.contains("[declined]"), "{asked}");
}

#[test]
fn a_change_is_followed_on_its_branch() {
    let world = World::new();
    let repo = world.governance_repo();
    propose(&repo, "strict", &strict());
    propose(&repo, "wrong", &Policy::small().serial(5));
    let branches =
        || repo.run(&["policy", "status", "--format", "json"]).expect(0).json()["branches"].clone();
    let first = branches();
    assert_eq!(first.as_array().unwrap().len(), 2, "{first:#}");
    let strict = &first[0];
    assert_eq!((&strict["branch"], &strict["serial"]), (&json!("policy/strict"), &json!(2)), "{first:#}");
    assert_eq!(
        (&strict["approvals"], &strict["needed"], &strict["complete"]),
        (&json!(0), &json!(2), &json!(false))
    );
    assert_eq!(first[1]["problems"], json!(["its `serial` is 5; the next one is 2"]));
    repo.switch("policy/strict");
    repo.decide("m.okafor", &Decision::approve("policy", "governance"));
    let second = branches()[0].clone();
    assert_eq!(second["approvals"], json!(1), "{second:#}");
    assert_eq!(second["awaited"], json!(["a.ng@example.com", "l.wu@example.com"]));
    let text = repo.run(&["policy", "status"]).expect(0).stdout;
    assert!(text.contains("open     policy/strict") && text.contains("1 approval of 2 needed"), "{text}");
    assert!(text.contains("git gate approve policy --branch policy/strict"), "{text}");
    // An author's own approval fills a place, as one of the others is no author.
    repo.decide("a.ng", &Decision::approve("policy", "governance"));
    let third = branches()[0].clone();
    assert_eq!((&third["complete"], &third["approvals"]), (&json!(true), &json!(2)), "{third:#}");
    repo.sign_in("m.okafor").switch("main");
    let taken_back = repo.run(&[
        "reject",
        "policy",
        "--branch",
        "policy/strict",
        "--role",
        "governance",
        "--reason",
        "other",
        "--yes",
    ]);
    assert!(taken_back.stderr.contains("it takes back your own approval, and is no veto"), "{taken_back}");
    let fourth = branches()[0].clone();
    assert_eq!((&fourth["complete"], &fourth["approvals"]), (&json!(false), &json!(1)), "{fourth:#}");
    repo.switch("policy/strict");
    repo.decide("l.wu", &Decision::approve("policy", "governance"));
    repo.merge("l.wu", "policy/strict");
    assert_eq!(branches().as_array().unwrap().len(), 1);
}
