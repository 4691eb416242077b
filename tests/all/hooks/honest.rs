//! What honest people push is taken, whatever its order.

use super::*;
use crate::world::KeyKind;

#[test]
fn the_whole_way_of_a_gate_is_taken() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    served.taken(&[BRANCH]);
    repo.approve("j.rivera", GATE, "ml-lead");
    served.taken(&[BRANCH]);
    repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "quality"));
    served.taken(&[BRANCH]);
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", BRANCH);
    served.taken(&["main", BRANCH]);
    repo.deploy_record("bot", GATE, "production", "requirements");
    served.taken(&["deployments/production"]);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let failed = Decision::new("deploy-failed", GATE).line("Gate-Environment", "production");
    repo.log("bot", "production", &failed.line("Gate-Record", &record));
    repo.merge("l.wu", "deployments/production");
    served.taken(&["main", "deployments/production", &format!(":{BRANCH}")]);
    assert_eq!(served.guarded.check_json(GATE, "production")["verdict"], "allowed");
}

#[test]
fn a_whole_record_is_taken_at_once() {
    let world = World::new();
    let repo = world.governance_repo();
    let root = repo.root.clone();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.open("j.doe", "summarizer/v1.5");
    repo.approve("j.rivera", "summarizer/v1.5", "ml-lead");
    repo.decide("s.chen", &Decision::close("summarizer/v1.5"));
    repo.merge("l.wu", "gate/summarizer/v1.5");
    propose(&repo, "a.ng", &strict());
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    world.git(&world.dir(), &["init", "-q", "--bare", "-b", "main", "guarded.git"]);
    let guarded = Repo { world: &world, path: world.dir().join("guarded.git"), root };
    world.run(&guarded.path, &["hook", "install", "--server", "."]).expect(0);
    guarded.pin(&guarded.root);
    let to = guarded.path.to_str().unwrap().to_owned();
    let run = world.try_git(&repo.path, &["push", &to, "--all"]);
    assert_eq!(run.status, 0, "{run}");
}

#[test]
fn a_policy_and_a_gate_under_it_are_taken_together() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let with_mallory = Policy::small()
        .serial(2)
        .replacing("\"k.berg@example.com\"", "\"k.berg@example.com\", \"mallory@example.com\"")
        .signer("mallory", KeyKind::Ed25519, "namespaces=\"git\"");
    propose(repo, "a.ng", &with_mallory);
    ballot(repo, "m.okafor");
    ballot(repo, "l.wu");
    repo.merge("l.wu", "policy/next");
    repo.open("j.doe", GATE);
    repo.approve("mallory", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    // Without the policy nobody knows the key.
    served.refused(&[BRANCH], &["policy-on-gate-branch", "unknown-key", "stale-policy"]);
    served.taken(&["policy/next", "main", BRANCH]);
    repo.merge("l.wu", BRANCH);
    served.taken(&["main"]);
    assert_eq!(served.guarded.check_json(GATE, "production")["verdict"], "allowed");
}

#[test]
fn a_decision_that_a_proposed_policy_would_let_count_is_taken() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let with_mallory = Policy::small()
        .serial(2)
        .replacing("\"k.berg@example.com\"", "\"k.berg@example.com\", \"mallory@example.com\"")
        .signer("mallory", KeyKind::Ed25519, "namespaces=\"git\"");
    repo.open("j.doe", GATE);
    repo.approve("mallory", GATE, "ml-lead");
    served.refused(&[BRANCH], &["unknown-key"]);
    propose(repo, "a.ng", &with_mallory);
    served.taken(&["policy/next"]);
    served.taken(&[BRANCH]);
}

#[test]
fn what_restricts_is_taken_whatever_is_wrong_with_it() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    served.taken(&[BRANCH]);
    repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "no such reason"));
    repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "quality").without("Gate-Policy"));
    repo.decide("j.rivera", &Decision::withdraw(GATE).line("Gate-Role", "ml-lead"));
    repo.decide("a.ng", &Decision::close(GATE).line("Gate-Policy", "?"));
    served.taken(&[BRANCH]);
}

#[test]
fn branches_that_are_not_governed_are_nobodys_business() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.switch("wip").write_policy(&strict()).write("gates/a/v1/gate.toml", "nonsense");
    repo.commit_unsigned("mallory", "Gates\n\nGate: x");
    served.taken(&["wip", "HEAD:refs/tags/wip", "HEAD:refs/heads/gate/odd", "HEAD:refs/heads/main2"]);
    repo.write("README", "x").commit_unsigned("mallory", "More");
    served.taken(&["+HEAD~1:refs/heads/wip", ":refs/tags/wip", ":main2"]);
    // Looked at when it comes to where it would count, though it was on another branch before.
    served.refused(
        &[&format!("HEAD:refs/heads/{BRANCH}")],
        &["policy-on-gate-branch", "request-invalid", "malformed"],
    );
}

#[test]
fn what_was_there_before_the_hook_stands_in_nobodys_way() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    repo.approve("mallory", GATE, "ml-lead");
    let to = served.guarded.path.to_str().unwrap();
    served.guarded.git(&["fetch", "-q", repo.path.to_str().unwrap(), &format!("{BRANCH}:{BRANCH}")]);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", BRANCH);
    repo.git(&["push", "-q", to, BRANCH, "main"]);
}
