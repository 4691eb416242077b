//! What blocks a gate from outside its directory: other gates, freezes, incidents.

use super::{
    BRANCH, DIRECTORY, GATE, LEAD, check, code, merge_as_tree, merged, notices, opened, point, status,
    verdict,
};
use crate::world::{Decision, Policy, Repo, World, gate_toml};

const OTHER: &str = "summarizer/v1.5";
const INCIDENT: &str = "incident:2026-01";

/// Opens a gate that requires others, approved by both, and merges it.
#[track_caller]
fn requiring(repo: &Repo<'_>, gate: &str, required: &str) {
    repo.open("j.doe", gate);
    let path = format!("gates/{gate}/gate.toml");
    let text = std::fs::read_to_string(repo.path.join(&path)).unwrap();
    repo.write(&path, format!("requires = [\"{required}\"]\n{text}")).commit("j.doe", "Require");
    repo.approve("j.rivera", gate, "ml-lead");
    repo.approve("s.chen", gate, "product-lead");
    repo.merge("l.wu", &format!("gate/{gate}"));
}

#[test]
fn gates_that_require_each_other_are_blocked() {
    let world = World::new();
    let repo = world.governance_repo();
    requiring(&repo, GATE, OTHER);
    assert_eq!(verdict(&check(&repo), "requires:summarizer/v1.5"), "blocked failed");
    requiring(&repo, OTHER, GATE);
    assert_eq!(verdict(&check(&repo), "requires:summarizer/v1.5"), "blocked failed");
    assert_eq!(verdict(&repo.check_json(OTHER, "production"), "requires:summarizer/v1.4"), "blocked failed");
    for gate in [GATE, OTHER] {
        repo.run(&["ready", gate]).expect(10);
    }
}

/// Writes requests on the branch that is checked out, each requiring others.
fn requests(repo: &Repo<'_>, all: &[(String, Vec<String>)]) {
    for (gate, required) in all {
        let (system, version) = gate.split_once('/').unwrap();
        let text = format!("requires = {required:?}\n{}", gate_toml(system, version));
        repo.write(&format!("gates/{gate}/gate.toml"), text);
    }
    repo.commit("j.doe", "Requests");
}

#[test]
fn whether_a_gate_leads_into_a_cycle_does_not_depend_on_who_asks_first() {
    for order in [["ranker/v1", "reader/v1"], ["reader/v1", "ranker/v1"]] {
        let world = World::new();
        let repo = world.governance_repo();
        requiring(&repo, "ranker/v1", "reader/v1");
        requiring(&repo, "reader/v1", "ranker/v1");
        // What one of them requires is waived: that one is allowed, and the other still requires itself.
        repo.except("j.doe", "reader/v1", "requires:ranker/v1", &world.day(5));
        repo.decide("m.okafor", &Decision::accept_risk("reader/v1", "compliance"));
        repo.merge("l.wu", "gate/reader/v1");
        let allowed = repo.check_json("reader/v1", "production");
        assert_eq!(allowed["basis"], "exception", "{allowed:#}");
        assert_eq!(repo.check_json("ranker/v1", "production")["verdict"], "blocked");
        repo.switch("main");
        requests(&repo, &[("asking/v1".into(), order.map(str::to_owned).to_vec())]);
        let answer = repo.check_json("asking/v1", "production");
        assert_eq!(status(&answer, "requires:reader/v1"), "met", "{answer:#}");
        assert_eq!(status(&answer, "requires:ranker/v1"), "failed", "{answer:#}");
    }
}

#[test]
fn a_long_chain_of_gates_ends_where_it_is_too_long_for_whoever_asks() {
    let world = World::new();
    let repo = world.governance_repo();
    let name = |at: usize| format!("chain/v{at}");
    let mut all: Vec<(String, Vec<String>)> = (0..70).map(|at| (name(at), vec![name(at + 1)])).collect();
    all.push((name(70), Vec::new()));
    all.push(("first/v1".into(), vec![name(0), name(40)]));
    all.push(("second/v1".into(), vec![name(40)]));
    repo.switch("main");
    requests(&repo, &all);
    for (gate, required, expected) in [
        ("first/v1", name(0), "failed"),
        ("first/v1", name(40), "missing"),
        ("second/v1", name(40), "missing"),
        ("chain/v40", name(41), "missing"),
    ] {
        let answer = repo.check_json(gate, "production");
        assert_eq!(status(&answer, &format!("requires:{required}")), expected, "{gate} {required}");
    }
}

#[test]
fn a_gate_that_requires_a_pending_one_waits() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", OTHER);
    repo.merge("l.wu", "gate/summarizer/v1.5");
    requiring(&repo, GATE, OTHER);
    assert_eq!(verdict(&check(&repo), "requires:summarizer/v1.5"), "pending missing");
}

#[test]
fn a_freeze_blocks_whatever_is_approved() {
    let world = World::new();
    let freeze = |from, until| {
        let (from, until) = (world.day(from), world.day(until));
        format!(
            "\n[[freeze]]\nname = \"year end\"\nenvironment = [\"production\"]\nfrom = {from}\nuntil = {until}\n"
        )
    };
    let policy = Policy::small().with(&freeze(-1, 1));
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    assert_eq!(verdict(&check(&repo), "freeze:year end"), "blocked failed");
    assert_eq!(repo.check_json(GATE, "staging")["verdict"], "allowed");
    for (days, expected) in [(-2, "not listed"), (1, "not listed"), (0, "failed")] {
        let time = world.day(days);
        let args = ["check", GATE, "--env", "production", "--time", &time, "--format", "json"];
        let judged = repo.run(&args).json();
        assert_eq!(status(&judged, "freeze:year end"), expected, "{days}");
        assert_eq!(judged["relaxations"].as_array().unwrap().len(), 1, "another time is named");
    }
}

#[test]
fn an_open_incident_blocks_until_a_person_in_a_role_resolves_it() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.incident("s.chen", "2026-01", GATE, None);
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
    let resolved = world.day(0);
    for who in ["j.doe", "bot", "eval-ci", "mallory"] {
        repo.incident(who, "2026-01", GATE, Some(&resolved));
        let judged = check(&repo);
        assert_eq!(verdict(&judged, INCIDENT), "blocked failed", "{who}");
        assert!(notices(&judged).contains(&"incident-not-seen"), "{who}");
    }
    repo.remove("incidents/2026-01.toml").commit_unsigned("s.chen", "Remove");
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
    repo.incident("s.chen", "2026-01", GATE, Some(&resolved));
    let judged = check(&repo);
    assert_eq!((status(&judged, INCIDENT), verdict(&judged, LEAD)), ("not listed", "pending stale".into()));
}

#[test]
fn approvals_from_before_an_incident_are_stale() {
    let world = World::new();
    let repo = opened(&world);
    let before = repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", BRANCH);
    repo.incident("s.chen", "2026-01", GATE, None);
    repo.incident("s.chen", "2026-01", GATE, Some(&world.day(0)));
    assert_eq!(
        (code(&check(&repo), &before), verdict(&check(&repo), LEAD)),
        ("before-incident", "pending stale".into())
    );
    // An approval made later in time, and not after it in history, is no better.
    let beside = repo.approve("j.rivera", GATE, "ml-lead");
    assert_eq!(code(&merged(&repo), &beside), "before-incident");
    repo.switch(BRANCH).git_as("j.doe", &["merge", "-q", "-S", "-m", "Take over", "main"]);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    assert_eq!(verdict(&merged(&repo), LEAD), "allowed met");
}

#[test]
fn an_incident_that_a_merge_drops_still_stands() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let without = repo.rev("main^{tree}");
    repo.git(&["branch", "side"]);
    repo.switch("side").git_as("l.wu", &["commit", "-q", "-S", "--allow-empty", "-m", "Side"]);
    repo.incident("s.chen", "2026-01", GATE, None);
    // As `git merge -s ours` of the side where it never stood would have it.
    merge_as_tree(&repo, &without, "side");
    assert_eq!(repo.git(&["ls-tree", "main", "incidents"]), "");
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
}

#[test]
fn an_incident_on_a_branch_stands_once_it_is_merged_whatever_the_merge_keeps() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let before = repo.rev("main");
    let opening = repo.incident("s.chen", "2026-01", GATE, None);
    point(&repo, "reported", &opening);
    point(&repo, "main", &before);
    assert_eq!(status(&check(&repo), INCIDENT), "not listed");
    merge_as_tree(&repo, &repo.rev("main^{tree}"), "reported");
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
}

#[test]
fn thousands_of_files_hide_no_incident() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.switch("main");
    for at in 0..4_200 {
        repo.write(&format!("incidents/0{at:04}.txt"), "x");
    }
    repo.commit_unsigned("mallory", "Notes");
    repo.incident("s.chen", "2026-01", GATE, None);
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
}

#[test]
fn an_incident_that_nobody_signed_is_not_seen() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.incident("mallory", "2026-01", GATE, None);
    let judged = check(&repo);
    assert_eq!((judged["verdict"].as_str().unwrap(), status(&judged, INCIDENT)), ("allowed", "not listed"));
    assert!(notices(&judged).contains(&"incident-not-seen"));
}

#[test]
fn a_removed_gate_is_blocked() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git(&["rm", "-q", "-r", DIRECTORY]);
    let removal = repo.commit("l.wu", "Remove");
    for branch_too in [false, true] {
        if branch_too {
            repo.git(&["branch", "-q", "-D", BRANCH]);
        }
        let judged = check(&repo);
        assert_eq!(verdict(&judged, "gate:recorded"), "blocked failed");
        super::assert_says(&super::line(&judged, "gate:recorded")["found"], &removal[..7]);
    }
}

#[test]
fn approvals_after_two_incidents_that_one_commit_opened_count() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", BRANCH);
    repo.switch("main");
    let (time, (system, version)) = (world.time(), GATE.split_once('/').unwrap());
    for id in ["a", "b"] {
        let text = format!(
            "schema = 1\nsystem = \"{system}\"\nversion = \"{version}\"\nenvironment = \"production\"\n\
             severity = \"high\"\ndetected = {time}\nresolved = {time}\nsummary = \"Wrong\"\n"
        );
        repo.write(&format!("incidents/{id}.toml"), text);
    }
    repo.commit("s.chen", "Two incidents");
    let judged = check(&repo);
    assert_eq!(status(&judged, LEAD), "stale", "{judged:#}");
    repo.switch(BRANCH).git_as("j.doe", &["merge", "-q", "-S", "--no-ff", "-m", "Join", "main"]);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let judged = merged(&repo);
    assert_eq!(judged["verdict"], "allowed", "{judged:#}");
}

#[test]
fn what_resolves_or_removes_one_incident_resolves_no_other() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.incident("s.chen", "2026-01", GATE, None);
    repo.incident("s.chen", "2026-02", OTHER, None);
    repo.incident("s.chen", "2026-02", OTHER, Some(&world.day(0)));
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
    repo.remove("incidents/2026-02.toml").commit("s.chen", "Remove");
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
    repo.incident("s.chen", "2026-03", OTHER, Some(&world.day(0)));
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
}

#[test]
fn a_resolution_from_before_an_incident_was_opened_again_resolves_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let opened = repo.incident("s.chen", "2026-01", GATE, None);
    let early = repo.incident("s.chen", "2026-01", GATE, Some(&world.day(-1)));
    point(&repo, "early", &early);
    point(&repo, "main", &opened);
    repo.incident("s.chen", "2026-01", GATE, Some(&world.day(0)));
    assert_eq!(status(&check(&repo), INCIDENT), "not listed");
    repo.incident("s.chen", "2026-01", GATE, None);
    assert_eq!(verdict(&check(&repo), INCIDENT), "blocked failed");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-X", "theirs", "-m", "Join", "early"]);
    assert!(repo.git(&["show", "main:incidents/2026-01.toml"]).contains("resolved"));
    let judged = check(&repo);
    assert_eq!(verdict(&judged, INCIDENT), "blocked failed");
    assert!(notices(&judged).contains(&"incident-not-seen"));
}

#[test]
fn an_incident_that_is_described_anew_is_not_opened_anew() {
    let world = World::new();
    let repo = opened(&world);
    repo.incident("s.chen", "2026-01", GATE, None);
    repo.switch(BRANCH).git_as("j.doe", &["merge", "-q", "-S", "--no-ff", "-m", "Join", "main"]);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", BRANCH);
    repo.incident("s.chen", "2026-01", GATE, None);
    repo.incident("s.chen", "2026-01", GATE, Some(&world.day(0)));
    assert_eq!(verdict(&check(&repo), LEAD), "allowed met");
    // What was resolved and is opened again is.
    repo.incident("s.chen", "2026-01", GATE, None);
    repo.incident("s.chen", "2026-01", GATE, Some(&world.day(0)));
    assert_eq!(verdict(&check(&repo), LEAD), "pending stale");
}
