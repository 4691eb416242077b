//! Withdrawals that come after a deployed version: its record no longer supports a return.

use super::*;

fn withdraw(repo: &Repo<'_>) {
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    repo.merge("l.wu", &format!("gate/{GATE}"));
}

#[test]
fn one_that_is_recorded_after_rows_were_kept_ends_the_support_of_a_record() {
    tell("withdrawn", "blocked", &withdraw);
}

#[test]
fn one_that_waits_on_its_branch_ends_nothing_until_it_is_recorded() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    assert!(stays_in_use(&repo, &|repo| assert_eq!(said(&check(repo)), "allowed rollback")));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(said(&check(&repo)), "blocked");
    verify(&repo, "recorded");
}

/// What judging its record gave may change with each further withdrawal: it is not kept.
#[test]
fn the_record_of_a_version_that_was_withdrawn_before_rows_were_kept_is_judged_each_time() {
    let world = World::new();
    let repo = ran(&world);
    // A withdrawal that takes nothing back that is needed, of somebody who never approved.
    repo.decide("k.berg", &Decision::withdraw(GATE));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(said(&check(&repo)), "allowed rollback");
    assert!(rows(&repo).contains_key("log production summarizer"));
    assert_eq!(judged(&repo, "summarizer"), Vec::<String>::new());
    withdraw(&repo);
    assert_eq!(said(&check(&repo)), "blocked");
    verify(&repo, "withdrawn twice");
}

#[test]
fn one_that_was_there_at_the_first_check_holds_at_the_next() {
    let world = World::new();
    let repo = ran(&world);
    withdraw(&repo);
    for _ in 0..2 {
        assert_eq!(said(&check(&repo)), "blocked");
        verify(&repo, "withdrawn");
    }
}

/// Kept before and checked after, with a record in between: what follows is brought in and what came before is forgotten.
#[test]
fn one_that_is_recorded_together_with_a_further_record_counts_for_both() {
    tell("withdrawn and deployed", "blocked", &|repo| {
        withdraw(repo);
        repo.deploy_record("bot", GATE, "production", "rollback");
    });
    tell("deployed and withdrawn", "blocked", &|repo| {
        repo.deploy_record("bot", GATE, "production", "rollback");
        withdraw(repo);
    });
}

#[test]
fn one_on_another_version_ends_no_support() {
    tell("another version", "allowed rollback", &|repo| {
        repo.open("j.doe", NEXT);
        repo.approve("j.rivera", NEXT, "ml-lead");
        repo.decide("j.rivera", &Decision::withdraw(NEXT));
        repo.merge("l.wu", &format!("gate/{NEXT}"));
    });
}

/// A return that rests on a record which no longer supports it was a break-glass, and so was what was deployed when that was
/// overdue: also of a version from which nobody withdrew.
#[test]
fn one_from_a_version_that_returned_reaches_what_was_deployed_after_it() {
    let world = World::new();
    world.days(-12);
    let repo = ran(&world);
    repo.deploy_record("bot", GATE, "production", "rollback");
    world.days(-5);
    better(&repo, NEXT);
    let last = repo.deploy_record("bot", NEXT, "production", "requirements");
    assert_eq!(status(&keep(&repo), "integrity:break-glass"), "met");
    assert_eq!(judged(&repo, "summarizer").len(), 3);
    withdraw(&repo);
    let answer = check(&repo);
    let found = found(&answer, "integrity:break-glass");
    assert!(found.contains(&last[..7]), "{found}");
    verify(&repo, "withdrawn");
}

/// Records of other systems are not judged again.
#[test]
fn what_judging_other_systems_gave_stays() {
    let world = World::new();
    let repo = world.governance_repo();
    for gate in [OTHER, GATE] {
        repo.allowed_gate(gate);
        repo.deploy_record("bot", gate, "production", "requirements");
    }
    keep(&repo);
    check_of(&repo, OTHER, &[]);
    let before = judged(&repo, "router");
    assert_eq!(before.len(), 1);
    withdraw(&repo);
    check(&repo);
    assert_eq!((judged(&repo, "router"), judged(&repo, "summarizer").len()), (before, 0));
    verify(&repo, "withdrawn");
}
