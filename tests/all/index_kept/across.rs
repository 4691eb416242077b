//! Gates that require gates of other systems, other environments, and systems that are deployed for the first time.

use super::*;

/// A router whose reports the policy no longer takes, so that it stands on its own record alone, and `summarizer/v1.4`, which
/// requires it and was rightly deployed.
fn resting_on_a_return(world: &World) -> (Repo<'_>, String) {
    world.days(-12);
    let repo = world.governance_repo();
    repo.allowed_gate(OTHER);
    repo.deploy_record("bot", OTHER, "production", "requirements");
    enact(&repo, &strict());
    better_requiring(&repo, GATE, OTHER);
    assert_eq!(said(&check(&repo)), "allowed requirements");
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    (repo, record)
}

fn withdraw_from(repo: &Repo<'_>, gate: &str) {
    repo.decide("j.rivera", &Decision::withdraw(gate));
    repo.merge("l.wu", &format!("gate/{gate}"));
}

#[test]
fn a_withdrawal_from_what_a_deployed_version_requires_reaches_its_record() {
    let world = World::new();
    let (repo, record) = resting_on_a_return(&world);
    assert_eq!(status(&check(&repo), "integrity:break-glass"), "met");
    withdraw_from(&repo, OTHER);
    let answer = check(&repo);
    assert!(found(&answer, "integrity:break-glass").contains(&record[..7]), "{answer:#}");
    verify(&repo, "withdrawn from what is required");
}

/// And what was deployed behind it, of a version that requires nothing: what it rests on has become a break-glass.
#[test]
fn a_withdrawal_from_what_a_deployed_version_requires_reaches_later_records() {
    let world = World::new();
    let (repo, _) = resting_on_a_return(&world);
    world.days(-5);
    better(&repo, NEXT);
    let last = repo.deploy_record("bot", NEXT, "production", "requirements");
    assert_eq!(status(&check(&repo), "integrity:break-glass"), "met");
    assert_eq!(judged(&repo, "summarizer"), Vec::<String>::new(), "neither stands alone");
    withdraw_from(&repo, OTHER);
    let answer = check(&repo);
    assert!(found(&answer, "integrity:break-glass").contains(&last[..7]), "{answer:#}");
    verify(&repo, "withdrawn from what is required");
}

/// What is required changes by records of its own system.
#[test]
fn records_of_what_is_required_change_what_rests_on_it() {
    let cases: [(&str, Doing<'_>, &str); 3] = [
        (
            "failed",
            &|repo| drop(repo.log("bot", "production", &failure_of(OTHER, &repo.rev(LOG)))),
            "blocked",
        ),
        (
            "deployed again",
            &|repo| drop(repo.deploy_record("bot", OTHER, "production", "rollback")),
            "allowed requirements",
        ),
        (
            "another version by break-glass",
            &|repo| {
                repo.open("j.doe", "router/v2");
                repo.merge("l.wu", "gate/router/v2");
                repo.deploy_record("bot", "router/v2", "production", "break-glass");
            },
            "allowed requirements",
        ),
    ];
    for (what, then, says) in cases {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(OTHER);
        repo.deploy_record("bot", OTHER, "production", "requirements");
        enact(&repo, &strict());
        better_requiring(&repo, GATE, OTHER);
        assert_eq!(said(&check(&repo)), "allowed requirements");
        assert_eq!(judged(&repo, "router").len(), 1);
        then(&repo);
        let answer = check(&repo);
        assert_eq!(said(&answer), says, "{what}: {answer:#}");
        verify(&repo, what);
    }
}

#[test]
fn another_environment_has_rows_of_its_own() {
    let world = World::new();
    let repo = ran(&world);
    repo.deploy_record("bot", GATE, "staging", "requirements");
    keep(&repo);
    repo.check_json(GATE, "staging");
    assert!(rows(&repo).contains_key("log staging summarizer"));
    assert!(stays_in_use(&repo, &|repo| {
        // Neither a record nor a failure there says anything of production.
        let record = repo.deploy_record("bot", GATE, "staging", "requirements");
        repo.check_json(GATE, "staging");
        let failed = failure(&record).setting("Gate-Environment", "staging");
        repo.log("bot", "staging", &failed);
        repo.check_json(GATE, "staging");
        assert_eq!(said(&check(repo)), "allowed rollback");
        repo.merge("l.wu", "deployments/staging");
        assert_eq!(said(&check(repo)), "allowed rollback");
    }));
    verify(&repo, "two environments");
}

#[test]
fn a_system_that_is_deployed_for_the_first_time_gets_its_row() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    assert_eq!(said(&check_of(&repo, OTHER, &[])), "blocked");
    better(&repo, OTHER);
    let record = repo.deploy_record("bot", OTHER, "production", "requirements");
    assert_eq!(said(&check_of(&repo, OTHER, &[])), "allowed requirements");
    assert_eq!(judged(&repo, "router"), [record]);
    assert_eq!(said(&check(&repo)), "allowed rollback");
    verify(&repo, "a new system");
}
