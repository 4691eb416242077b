//! Policies that come into force, or wait, after rows were kept.

use super::*;
use crate::attacks_history::{ballot, propose};

#[test]
fn a_policy_that_revokes_nothing_leaves_rows_in_use() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    enact(&repo, &after_strict());
    let before = rows(&repo);
    assert_eq!(said(&check(&repo)), "allowed rollback");
    assert_eq!(rows(&repo)["log production"], before["log production"]);
    assert_ne!(rows(&repo)["policies"], before["policies"], "it is among those in force");
    verify(&repo, "a new policy");
}

/// Who deploys is asked of the policy at the commit that was judged: earlier records stay what they are.
#[test]
fn a_policy_that_changes_who_deploys_holds_from_there_on() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    let deployers = "[environments.production]\ndeployers = [\"release-bot\"]";
    enact(&repo, &after_strict().replacing(deployers, &deployers.replace("release-bot", "eval-ci")));
    assert_eq!(said(&check(&repo)), "allowed rollback");
    repo.log("bot", "production", &failure(&repo.rev(LOG)));
    assert_eq!(said(&check(&repo)), "allowed rollback", "the bot deploys no more");
    repo.deploy_record("eval-ci", GATE, "production", "rollback");
    keep(&repo);
    repo.log("eval-ci", "production", &failure(&repo.rev(LOG)));
    assert_eq!(said(&check(&repo)), "allowed rollback", "the first record stands");
    verify(&repo, "deployers");
}

#[test]
fn a_policy_that_waits_changes_nothing_until_it_is_approved() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    assert_eq!(said(&keep(&repo)), "allowed requirements");
    repo.switch("main").git(&["switch", "-q", "-C", "policy/next"]);
    propose(&repo, "a.ng", &strict());
    repo.merge("l.wu", "policy/next");
    let waits = check(&repo);
    assert_eq!(
        (said(&waits).as_str(), waits["policy"]["serial"].as_u64()),
        ("allowed requirements", Some(1))
    );
    assert!(!waits["policy"]["pending"].is_null(), "{waits:#}");
    // One of two approvals, then the other.
    for (who, says) in [("m.okafor", "allowed requirements"), ("l.wu", "allowed rollback")] {
        repo.switch("policy/next");
        let policy = repo.content(&repo.root, "policy");
        repo.decide(who, &Decision::approve("policy", "governance").setting("Gate-Policy", &policy));
        repo.merge("l.wu", "policy/next");
        assert_eq!(said(&check(&repo)), says, "{who}");
        verify(&repo, who);
    }
}

#[test]
fn a_policy_approved_after_rows_were_kept_is_in_force() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    keep(&repo);
    repo.switch("main").git(&["switch", "-q", "-C", "policy/next"]);
    propose(&repo, "a.ng", &strict());
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    assert_eq!(said(&check(&repo)), "allowed requirements", "nobody has recorded it");
    // Also where the merge drops its files: what was approved came into force.
    repo.switch("main")
        .git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge", "policy/next"]);
    assert_eq!(said(&check(&repo)), "allowed rollback");
    verify(&repo, "approved");
}

/// A policy may revoke a key since a commit that the mainline does not hold then and merges later: it is not of its chain, and
/// what the key approved stays taken back.
#[test]
fn a_commit_that_was_unknown_to_a_revocation_is_merged_later() {
    let world = World::new();
    let repo = ran(&world);
    repo.switch("aside").write("aside", "x\n");
    let aside = repo.commit("j.doe", "Aside");
    let key = crate::attacks_history::keys::fingerprint(&world, "a.ng");
    let revoked = format!("[[revoked]]\nkey = \"{key}\"\nsince = \"{aside}\"\nreason = \"stolen\"\n");
    enact(&repo, &after_strict().with(&revoked));
    keep(&repo);
    assert_eq!(row(&repo, "policies")["unknown"][0], aside.as_str());
    repo.merge("l.wu", "aside");
    assert_eq!(said(&check(&repo)), "allowed rollback");
    assert_eq!(row(&repo, "policies")["unknown"].as_array().unwrap().len(), 0, "it is known now");
    verify(&repo, "merged");
}

/// Once somebody is asked to sign the mainline, later commits change what earlier ones say: nothing is kept, nor used.
#[test]
fn nothing_is_kept_or_used_where_the_mainline_must_be_signed() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    enact(&repo, &after_strict().mainline_signed());
    let before = rows(&repo);
    repo.switch("main").write("notes", "x\n").commit_unsigned("mallory", "No step");
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    repo.merge_unsigned(&format!("gate/{GATE}"));
    assert_eq!(said(&check(&repo)), "blocked", "what lies beyond the last step takes back");
    repo.write("notes", "y\n").commit("l.wu", "A step");
    assert_eq!(said(&check(&repo)), "blocked");
    // Nor where that is taken away again.
    enact(&repo, &strict().serial(4));
    assert_eq!(said(&check(&repo)), "blocked");
    assert_eq!(rows(&repo), before);
    verify(&repo, "signed");
}
