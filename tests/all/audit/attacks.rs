//! Attacks on the log, with plain git and ssh-keygen, and what an audit says of each.

use super::*;

pub(super) fn lying(repo: &Repo<'_>, basis: &str) -> Decision {
    Decision::deploy(GATE, "production", basis, &repo.root)
}

/// A deployment that says what it is.
pub(super) fn glass(repo: &Repo<'_>, gate: &str) -> Decision {
    Decision::deploy(gate, "production", "break-glass", &repo.root).line("Gate-Reason", "the old one leaks")
}

/// A gate on the mainline that nobody approved.
pub(super) fn unapproved(repo: &Repo<'_>) {
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
}

/// The log's tip goes back to `to`.
pub(super) fn rewind(repo: &Repo<'_>, to: &str) {
    repo.git(&["update-ref", "refs/heads/deployments/production", to]);
}

#[test]
fn a_deployment_that_lies_about_its_basis_is_named() {
    for basis in ["requirements", "exception", "rollback"] {
        let world = World::new();
        let repo = world.governance_repo();
        unapproved(&repo);
        let record = repo.deploy_record("bot", GATE, "production", basis);
        let answer = wrong(&repo, &["not-allowed", "basis-differs", "break-glass-uncovered"]);
        assert_eq!(answer["violations"][0]["record"], record);
        assert_eq!(answer["debts"][0]["record"], record);
    }
    for basis in ["exception", "rollback"] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        repo.deploy_record("bot", GATE, "production", basis);
        wrong(&repo, &["basis-differs"]);
    }
}

#[test]
fn a_record_by_others_than_a_deployer_is_named() {
    for (who, expected) in
        [("mallory", "record-unsigned"), ("l.wu", "not-by-deployer"), ("eval-ci", "not-by-deployer")]
    {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        repo.deploy_record(who, GATE, "production", "requirements");
        wrong(&repo, &[expected]);
    }
}

#[test]
fn a_record_without_a_signature_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let forged = String::from_utf8(repo.object("commit", &record))
        .unwrap()
        .replace("Gate-Basis: requirements", "Gate-Basis: rollback");
    rewind(&repo, &repo.store_commit(forged));
    wrong(&repo, &["record-unsigned", "basis-differs"]);
}

#[test]
fn a_break_glass_does_not_hide_behind_a_failure() {
    let world = World::new();
    let repo = world.governance_repo();
    unapproved(&repo);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let failed = Decision::new("deploy-failed", GATE)
        .line("Gate-Environment", "production")
        .line("Gate-Record", &record);
    repo.log("bot", "production", &failed);
    let answer = wrong(&repo, &["not-allowed", "basis-differs", "break-glass-uncovered"]);
    assert_eq!(deployment(&answer, &record)["failed"], true);
    assert_eq!(answer["population"][0]["failures"], 1);
}

#[test]
fn a_failure_that_a_stranger_reports_counts_for_nothing_and_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let failed = Decision::new("deploy-failed", GATE)
        .line("Gate-Environment", "production")
        .line("Gate-Record", &record);
    repo.log("mallory", "production", &failed);
    let answer = wrong(&repo, &["failure-idle"]);
    assert_eq!(deployment(&answer, &record)["failed"], false);
}

#[test]
fn a_record_that_was_recorded_and_then_cut_off_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    let second = repo.deploy_record("bot", GATE, "staging", "requirements");
    let cut = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.merge("l.wu", "deployments/production");
    repo.merge("l.wu", "deployments/staging");
    rewind(&repo, &first);
    repo.git(&["update-ref", "-d", "refs/heads/deployments/staging"]);
    // What is exit 3 elsewhere is a violation here, and all of it is there.
    repo.run(&["check", GATE, "--env", "production"]).expect(3);
    let answer = wrong(&repo, &["log-rewound", "log-rewound"]);
    assert_eq!(answer["violations"][0]["record"], cut);
    assert_eq!(answer["violations"][1]["record"], second);
    assert_eq!(deployment(&answer, &cut)["place"], "lacking");
    // Judged with the log as it stood below it.
    assert_eq!(deployment(&answer, &cut)["replay"]["verdict"], "allowed");
    assert_eq!(answer["population"][0]["outside_the_log"], 1);
}

#[test]
fn a_fork_of_the_log_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    let forked = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.merge("l.wu", "deployments/production");
    rewind(&repo, &first);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let answer = wrong(&repo, &["log-forked", "break-glass-uncovered"]);
    assert_eq!(deployment(&answer, &forked)["place"], "fork");
}

#[test]
fn a_record_that_is_dated_back_is_named_and_not_left_out() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    world.days(-40);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    world.days(0);
    let answer = audit(&repo, &["--since", "7d"]).expect(10).json();
    let found = codes(&answer);
    assert!(found.contains(&"backdated".to_owned()), "{found:?}");
    assert!(found.contains(&"break-glass-uncovered".to_owned()), "{found:?}");
    assert_eq!(deployment(&answer, &record)["counts"], false);
}

#[test]
fn a_record_from_the_future_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    world.days(3);
    repo.deploy_record("bot", GATE, "production", "requirements");
    world.days(0);
    let found = codes(&audit(&repo, &[]).expect(10).json());
    assert!(found.contains(&"dated-ahead".to_owned()), "{found:?}");
}

#[test]
fn a_record_that_judged_what_is_older_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let older = repo.rev("main");
    repo.allowed_gate(NEXT);
    let newer = repo.rev("main");
    repo.deploy_record("bot", NEXT, "production", "requirements");
    repo.git(&["update-ref", "refs/heads/main", &older]);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.switch("main");
    repo.git(&["reset", "-q", "--hard", &newer]);
    wrong(&repo, &["out-of-chain", "break-glass-uncovered"]);
}

#[test]
fn a_mainline_that_was_rewound_is_a_violation_and_not_status_3() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let kept = repo.rev("main");
    repo.allowed_gate(NEXT);
    repo.deploy_record("bot", NEXT, "production", "requirements");
    repo.run(&["check", NEXT, "--env", "production"]).expect(0);
    repo.switch("main").git(&["reset", "-q", "--hard", &kept]);
    repo.run(&["check", NEXT, "--env", "production"]).expect(3);
    let answer = wrong(&repo, &["mainline-rewound", "mainline-rewound", "break-glass-uncovered"]);
    assert_eq!(answer["violations"][0]["record"], Value::Null);
    assert_eq!(answer["deployments"][0]["replay"]["verdict"], "not-replayable");
    // Looking accepts nothing.
    repo.run(&["check", NEXT, "--env", "production"]).expect(3);
}

#[test]
fn a_rewind_that_was_accepted_stays_on_record() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    let restart = lying(&repo, "requirements").line("Gate-Restart", &first);
    repo.log("bot", "production", &restart);
    wrong(&repo, &["log-restarted"]);
}

#[test]
fn what_is_no_record_in_a_log_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.log("bot", "production", &Decision::deploy(GATE, "staging", "requirements", &repo.root));
    wrong(&repo, &["log-foreign"]);
}

#[test]
fn a_record_by_a_key_that_was_revoked_since_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let key = crate::attacks_history::keys::fingerprint(&world, "bot");
    let text = format!("\n[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n");
    crate::attacks_history::enact(&repo, &Policy::small().serial(2).with(&text));
    wrong(&repo, &["record-revoked"]);
}

#[test]
fn a_break_glass_is_owed_until_it_is_covered() {
    let world = World::new();
    let repo = world.governance_repo();
    unapproved(&repo);
    let record = repo.log("bot", "production", &glass(&repo, GATE));
    let answer = wrong(&repo, &["break-glass-uncovered"]);
    assert_eq!(answer["debts"][0]["record"], record);
    crate::attacks_history::log::cover(&repo, &record, "approval:ml-lead\", \"approval:product-lead");
    let answer = wrong(&repo, &[]);
    assert_eq!(answer["deployments"][0]["break_glass"], true);
    assert_eq!(answer["debts"], serde_json::json!([]));
}

#[test]
fn a_break_glass_that_would_have_been_allowed_can_be_covered() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.log("bot", "production", &glass(&repo, GATE));
    wrong(&repo, &["break-glass-uncovered"]);
    crate::attacks_history::log::cover(&repo, &record, "approval:ml-lead");
    wrong(&repo, &[]);
}

#[test]
fn records_from_before_the_trust_root_are_counted() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.merge("l.wu", "deployments/production");
    repo.switch("main");
    let root = repo.write("note.txt", "later\n").commit("l.wu", "Later");
    repo.pin(&root);
    let answer = wrong(&repo, &[]);
    assert_eq!(answer["population"][0]["before_root"], 1);
    assert_eq!(answer["deployments"][0]["replay"]["verdict"], "not-replayable");
}
