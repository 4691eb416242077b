//! Copies, strangers' objects and moved targets: what anybody who may push could make of what others signed.

use crate::world::{Decision, Policy, Repo, World};

use super::{GATE, check, status, verdict};

fn merge_for_its_history(repo: &Repo<'_>, who: &str, what: &str) {
    repo.switch("main");
    repo.git_as(who, &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge", what]);
}

#[test]
fn a_copied_resolution_does_not_resolve_an_incident_again() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.incident("s.chen", "i", GATE, None);
    let resolution = repo.incident("s.chen", "i", GATE, Some(&world.time()));
    repo.incident("s.chen", "i", GATE, None);
    let copy = repo.rewrapped(&resolution);
    assert_ne!(copy, resolution);
    merge_for_its_history(&repo, "mallory", &copy);
    assert_eq!(status(&check(&repo), "incident:i"), "failed");
}

#[test]
fn naming_another_version_in_an_incident_makes_no_approval_fresh() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.incident("s.chen", "i", GATE, None);
    repo.incident("s.chen", "i", GATE, Some(&world.time()));
    assert_eq!(status(&check(&repo), "approval:ml-lead"), "stale");
    repo.incident("s.chen", "i", "summarizer/v9", Some(&world.time()));
    assert_eq!(status(&check(&repo), "approval:ml-lead"), "stale");
}

#[test]
fn an_incident_whose_name_was_taken_before_counts_from_when_it_hit() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.incident("j.doe", "INC-42", "foo/bar", None);
    repo.allowed_gate(GATE);
    repo.incident("s.chen", "INC-42", GATE, None);
    assert_eq!(status(&check(&repo), "incident:INC-42"), "failed");
    repo.incident("s.chen", "INC-42", GATE, Some(&world.time()));
    assert_eq!(status(&check(&repo), "approval:ml-lead"), "stale");
}

#[test]
fn a_commit_on_top_of_the_log_hides_no_record() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", "summarizer/v1.3");
    repo.merge("l.wu", "gate/summarizer/v1.3");
    repo.deploy_record("bot", "summarizer/v1.3", "production", "requirements");
    repo.allowed_gate(GATE);
    let before = check(&repo);
    let parents = ["-p", "main", "-p", "deployments/production"];
    let top = repo.git_as("mallory", &[&["commit-tree", "main^{tree}"][..], &parents, &["-m", "x"]].concat());
    repo.git(&["update-ref", "refs/heads/deployments/production", &top]);
    let after = check(&repo);
    assert_eq!(verdict(&before), verdict(&after));
    assert_eq!(status(&before, "integrity:break-glass"), status(&after, "integrity:break-glass"));
}

#[test]
fn a_submodule_that_is_nowhere_stops_no_other_gate() {
    let nowhere = "160000,1234567890123456789012345678901234567890";
    for path in ["incidents/x.toml", "gates/other/v1/gate.toml"] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        repo.switch("gate/evil/v1");
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("{nowhere},{path}")]);
        repo.git_as("mallory", &["commit", "-q", "-m", "x"]);
        repo.git(&["update-index", "--force-remove", path]);
        repo.git_as("mallory", &["commit", "-q", "-m", "undo"]);
        repo.merge("l.wu", "gate/evil/v1");
        assert_eq!(verdict(&check(&repo)), "allowed requirements", "{path}");
    }
}

#[test]
fn what_nobody_signed_makes_nobody_an_author() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.switch("gate/evil/v1");
    let file = format!("gates/{GATE}/gate.toml");
    let request = String::from_utf8(repo.object("blob", &format!("HEAD:{file}"))).unwrap();
    let named = "requested_by = [\"j.rivera@example.com\", \"s.chen@example.com\"]\n";
    repo.write(&file, format!("{named}{request}")).commit_unsigned("mallory", "x");
    repo.write(&file, request).commit_unsigned("mallory", "undo");
    merge_for_its_history(&repo, "l.wu", "gate/evil/v1");
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_rejection_with_a_defect_takes_back_an_approval_of_the_policy() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.switch("policy/x");
    repo.write_policy(&Policy::small().serial(2));
    repo.commit("l.wu", "The next policy");
    repo.decide("a.ng", &Decision::approve("policy", "governance"));
    let wrong = format!("sha256:{}", "0".repeat(64));
    repo.decide("a.ng", &Decision::reject("policy", "governance", "safety").setting("Gate-Content", &wrong));
    repo.decide("m.okafor", &Decision::approve("policy", "governance"));
    repo.merge("l.wu", "policy/x");
    assert_eq!(check(&repo)["policy"]["serial"].as_u64(), Some(1));
}

#[test]
fn a_copy_of_a_record_does_not_fork_the_log() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let copy = repo.rewrapped(&record);
    merge_for_its_history(&repo, "l.wu", &copy);
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "allowed requirements");
    let notices = answer["notices"].as_array().unwrap();
    assert!(notices.iter().all(|notice| notice["code"] != "break-glass-uncovered"), "{answer:#}");
}

#[test]
fn a_copy_revives_no_approval_of_a_policy_that_was_replaced() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.switch("policy/x");
    repo.write_policy(&Policy::small().serial(2));
    repo.commit("l.wu", "The next policy");
    let replaced = repo.decide("a.ng", &Decision::approve("policy", "governance"));
    repo.write_policy(&Policy::small().serial(2).with("# better\n"));
    repo.commit("l.wu", "A better one");
    repo.decide("a.ng", &Decision::approve("policy", "governance"));
    let copy = repo.rewrapped(&replaced);
    repo.git(&["switch", "-q", "--detach", &copy]);
    repo.decide("m.okafor", &Decision::approve("policy", "governance"));
    let side = repo.rev("HEAD");
    merge_for_its_history(&repo, "l.wu", "policy/x");
    merge_for_its_history(&repo, "l.wu", &side);
    assert_eq!(check(&repo)["policy"]["serial"].as_u64(), Some(1));
}

#[test]
fn an_author_needs_another_who_governs() {
    let world = World::new();
    let alone = Policy::small().replacing("count = 2", "count = 1");
    let repo = world.governance_repo_with(&alone);
    repo.allowed_gate(GATE);
    repo.switch("policy/x");
    repo.write_policy(&Policy::small().replacing("count = 2", "count = 1").serial(2));
    repo.commit("a.ng", "The next policy");
    repo.decide("a.ng", &Decision::approve("policy", "governance"));
    repo.decide("s.chen", &Decision::approve("policy", "product-lead"));
    repo.merge("l.wu", "policy/x");
    assert_eq!(check(&repo)["policy"]["serial"].as_u64(), Some(1));
}

#[test]
fn whoever_removes_a_file_of_an_exception_does_not_accept_it() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let bad = "{\"summary\": {\"hallucination_rate\": 0.5, \"n\": 400}}\n";
    repo.write(&format!("gates/{GATE}/evidence/evaluation.json"), bad);
    repo.commit("j.doe", "Bad numbers");
    let conditions = format!("exceptions/{GATE}/CONDITIONS.md");
    repo.write(&conditions, "not for customers\n");
    repo.except("j.doe", GATE, "criterion:hallucination", &world.day(5));
    repo.remove(&conditions).commit("m.okafor", "Drop the conditions");
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(status(&check(&repo), "criterion:hallucination"), "failed");
}

#[test]
fn an_incident_resolved_on_a_side_that_was_dropped_is_open() {
    let world = World::new();
    let repo = world.governance_repo();
    let branch = format!("gate/{GATE}");
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &branch);
    repo.incident("s.chen", "i", GATE, None);
    repo.switch(&branch);
    repo.git_as("j.doe", &["merge", "-q", "-S", "--no-ff", "-m", "Merge", "main"]);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.remove("incidents/i.toml").commit("j.rivera", "Hide it");
    repo.git_as("mallory", &["checkout", "-q", "main", "--", "incidents"]);
    repo.commit_unsigned("mallory", "Put it back");
    repo.merge("l.wu", &branch);
    assert_eq!(status(&check(&repo), "incident:i"), "failed");
}

#[test]
fn another_refspec_does_not_make_the_local_mainline_the_shared_one() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let clone = repo.clone_to("refspecs", false);
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    clone.git(&["-c", "protocol.file.allow=always", "fetch", "-q"]);
    clone.git(&["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*"]);
    assert_eq!(verdict(&check(&clone)), "blocked");
}
