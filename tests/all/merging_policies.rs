//! `git gate merge policy/<slug>`: a policy change comes to the mainline when it comes into force by that.

use crate::world::{Decision, Policy, Repo, Run, World};

const SLUG: &str = "policy/tighter";

/// A server whose branch `policy/tighter` asks more, and the clone of whoever merges.
fn change(world: &World) -> (Repo<'_>, Repo<'_>) {
    let origin = world.governance_repo();
    let tighter = Policy::small().replacing("max = 0.05", "max = 0.01").serial(2);
    origin.switch(SLUG).write_policy(&tighter).commit("a.ng", "Ask for less of it");
    let bare = origin.switch("main").clone_to("server.git", true);
    let clone = bare.clone_to("clone", false);
    (bare, clone)
}

fn approve(clone: &Repo<'_>, who: &str) {
    clone.world.run_as(who, &clone.path, &["approve", "policy", "--branch", SLUG, "--yes"]).expect(0);
}

fn merge(clone: &Repo<'_>) -> Run {
    clone.world.run_as("l.wu", &clone.path, &["merge", SLUG, "--format", "json"])
}

#[test]
fn a_policy_change_is_merged_once_it_comes_into_force_by_that() {
    let world = World::new();
    let (bare, clone) = change(&world);
    let before = bare.rev("main");
    assert_eq!(merge(&clone).expect(3).json()["code"], "policy-unauthorized");
    approve(&clone, "m.okafor");
    let run = merge(&clone).expect(3).json();
    assert_eq!(run["code"], "policy-unauthorized");
    assert!(run["message"].as_str().unwrap().contains("1 of 2"), "{run:#}");
    assert!(
        run["help"].as_str().unwrap().contains("git gate approve policy --branch policy/tighter"),
        "{run:#}"
    );
    assert_eq!(bare.rev("main"), before);
    approve(&clone, "l.wu");
    let answer = merge(&clone).expect(0).json();
    assert_eq!((&answer["gate"], &answer["policy_branch"]), (&serde_json::Value::Null, &SLUG.into()));
    // A true merge, the mainline first, signed.
    assert_eq!(bare.rev("main^1"), before);
    assert_eq!(bare.rev("main^2"), bare.rev(SLUG));
    clone.git_verifies("main").expect(0);
    let policy = world.run(&clone.path, &["policy", "status", "--format", "json"]).expect(0).json();
    assert_eq!(policy["policy"]["serial"], 2, "{policy:#}");
    assert_eq!(merge(&clone).expect(3).json()["code"], "nothing-changed");
}

#[test]
fn a_policy_change_that_cannot_come_into_force_is_not_merged() {
    let world = World::new();
    let origin = world.governance_repo();
    let before = origin.rev("main");
    let nobody = Policy::small().replacing("count = 2", "count = 0").serial(2);
    for policy in [nobody, Policy::small().serial(9), Policy::small().with("surprise = 1\n").serial(2)] {
        origin.git(&["branch", "-q", "-f", SLUG, "main"]);
        origin.switch(SLUG).write_policy(&policy).commit("a.ng", "Change");
        origin.switch("main");
        let run = world.run_as("l.wu", &origin.path, &["merge", SLUG, "--format", "json"]).expect(3).json();
        assert_eq!(run["code"], "policy-unauthorized", "{run:#}");
        assert_eq!(origin.rev("main"), before);
    }
    let run = world.run_as("l.wu", &origin.path, &["merge", "policy/none"]).expect(3);
    assert!(run.stderr.contains("[no-branch]"), "{run}");
}

#[test]
fn a_gate_of_a_system_called_policy_is_a_gate() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.open("j.doe", "policy/v1");
    origin.switch("main");
    let answer = world.run_as("l.wu", &origin.path, &["merge", "policy/v1", "--format", "json"]).expect(0);
    assert_eq!(answer.json()["gate"], "policy/v1");
    origin.open("j.doe", "policy/v2");
    origin.switch("policy/v2").write_policy(&Policy::small().serial(2)).commit("a.ng", "Change");
    origin.switch("main");
    let run = world.run_as("l.wu", &origin.path, &["merge", "policy/v2"]).expect(2);
    assert!(run.stderr.contains("and a gate too"), "{run}");
}

/// What `pending` says of acceptances to somebody.
fn asked(repo: &Repo<'_>, who: &str) -> Vec<(String, String)> {
    let me = format!("{who}@example.com");
    let pending = repo.run(&["pending", "--person", &me, "--format", "json"]).expect(0).json();
    let waits = pending["waits"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mine = waits.iter().map(|wait| (text(&wait["requirement"]), text(&wait["command"])));
    mine.filter(|(requirement, _)| requirement.starts_with("accept-risk:")).collect()
}

#[test]
fn pending_asks_who_may_accept_an_exception_until_it_is_accepted() {
    const GATE: &str = "summarizer/v1.4";
    let world = World::new();
    let policy = Policy::small().replacing("max = 0.05", "max = 0.01").replacing(
        "approvals = [{ role = \"compliance\" }]",
        "approvals = [{ role = \"compliance\" }, { role = \"ml-lead\" }]",
    );
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    // Its author is not asked.
    repo.except("k.berg", GATE, "criterion:hallucination", &world.day(5));
    repo.switch("main");
    let command = |role: &str| format!("git gate accept-risk {GATE} --role {role}");
    let one = |role: &str| vec![(format!("accept-risk:{role}"), command(role))];
    assert_eq!(asked(&repo, "m.okafor"), one("compliance"));
    assert_eq!(asked(&repo, "j.rivera"), one("ml-lead"));
    for who in ["k.berg", "j.doe", "s.chen", "bot"] {
        assert_eq!(asked(&repo, who), [], "{who}");
    }
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(asked(&repo, "m.okafor"), []);
    assert_eq!(asked(&repo, "j.rivera"), one("ml-lead"));
    repo.decide("j.rivera", &Decision::accept_risk(GATE, "ml-lead"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(asked(&repo, "j.rivera"), []);
    // One that has expired, or that cannot hold, asks nobody.
    for expires in [world.day(-1), world.day(40)] {
        repo.except("k.berg", GATE, "criterion:hallucination", &expires);
        repo.switch("main");
        assert_eq!(asked(&repo, "j.rivera"), [], "{expires}");
    }
}

#[test]
fn pending_asks_who_may_accept_a_cover() {
    const GATE: &str = "summarizer/v1.4";
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.sign_in("bot");
    let glass = ["deploy", GATE, "--env", "production", "--break-glass", "--reason", "leak", "--yes"];
    repo.run(&glass).expect(0);
    let record = repo.rev("deployments/production");
    assert_eq!(asked(&repo, "m.okafor"), []);
    repo.switch(&format!("gate/{GATE}")).write(
        &format!("exceptions/{GATE}/covers/{record}/exception.toml"),
        "schema = 1\nsystem = \"summarizer\"\nversion = \"v1.4\"\nenvironments = [\"production\"]\n\
         waives = [\"approval:ml-lead\", \"approval:product-lead\"]\nreason = \"It leaked\"\nrisk = \"Known\"\n\
         owner = \"s.chen@example.com\"\ncontrols = [\"review\"]\n\
         follow_ups = [{ what = \"Review\", who = \"j.rivera@example.com\", due = 2030-01-01 }]\n",
    );
    repo.commit("s.chen", "Cover it");
    repo.switch("main");
    let command = format!("git gate accept-risk {GATE} --record {record} --role compliance");
    assert_eq!(asked(&repo, "m.okafor"), [("accept-risk:compliance".to_owned(), command)]);
    assert_eq!(asked(&repo, "s.chen"), []);
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance").line("Gate-Record", &record));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(asked(&repo, "m.okafor"), []);
}
