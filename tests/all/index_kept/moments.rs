//! Other moments than now: earlier times and commits, earlier ends of the log, and a mainline that is dated ahead.

use super::*;
use crate::attacks_history::{ballot, propose};

#[test]
fn what_was_kept_now_says_nothing_wrong_of_other_moments() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let before = repo.rev("main");
    let earlier = world.time();
    world.later(60);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    enact(&repo, &strict());
    let then = world.time();
    world.later(3 * 3600);
    let second = repo.deploy_record("bot", GATE, "production", "rollback");
    assert_eq!(said(&keep(&repo)), "allowed rollback");
    assert_eq!(judged(&repo, "summarizer").len(), 2);
    let before_skew = world.later(-3 * 3600 + 60).time();
    let in_skew = world.later(3 * 3600 - 600).time();
    for (more, says, log) in [
        (vec!["--time", &then], "allowed rollback", Some(&first)),
        (vec!["--time", &before_skew], "allowed rollback", Some(&first)),
        (vec!["--time", &in_skew], "allowed rollback", Some(&first)),
        (vec!["--at", &before], "allowed requirements", Some(&first)),
        (vec!["--at", &before, "--time", &earlier], "allowed requirements", None),
        (vec!["--log", &first], "allowed rollback", Some(&first)),
        (vec!["--log", &second], "allowed rollback", Some(&second)),
        (vec!["--at", &before, "--log", &second], "allowed requirements", Some(&second)),
        (vec!["--at", &repo.root], "pending", None),
    ] {
        let answer = check_with(&repo, &more);
        assert_eq!(said(&answer), says, "{more:?}: {answer:#}");
        assert_eq!(answer["log"].as_str(), log.map(String::as_str), "{more:?}");
    }
    verify(&repo, "other moments");
}

/// Kept as of a later time, when a record that is dated ahead now was not.
#[test]
fn what_was_kept_as_of_a_later_time_is_not_used_before() {
    let world = World::new();
    let repo = ran(&world);
    world.days(30);
    let record = repo.deploy_record("bot", GATE, "production", "rollback");
    let later = world.later(7200).time();
    assert_eq!(said(&check_with(&repo, &["--time", &later])), "allowed rollback");
    assert!(judged(&repo, "summarizer").contains(&record));
    let answer = check(&repo);
    assert_eq!(said(&answer), "allowed rollback");
    repo.log("bot", "production", &failure(&record));
    assert_eq!(said(&check(&repo)), "allowed rollback", "it never counted");
    assert_eq!(said(&check_with(&repo, &["--time", &later])), "allowed rollback");
}

/// A mainline that is dated ahead of who asks takes earlier times: nothing is kept, and nothing used.
#[test]
fn nothing_is_kept_or_used_where_the_mainline_is_dated_ahead() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    let before = rows(&repo);
    let now = world.time();
    world.days(2);
    repo.switch("main").write("notes", "x\n").commit("l.wu", "Dated ahead");
    let answer = check(&repo);
    assert_eq!(said(&answer), "allowed rollback");
    assert!(answer["notices"].to_string().contains("step-in-the-future"), "{answer:#}");
    world.at(&now);
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(said(&check(&repo)), "blocked");
    assert_eq!(rows(&repo), before);
    // When that day has come, they are used again.
    assert_eq!(said(&check_with(&repo, &["--time", &world.day(3)])), "blocked");
    assert_ne!(rows(&repo), before);
    verify(&repo, "dated ahead");
}

/// As of a time before its mainline commit's date, an approval of a policy takes the time of the commit before, and its key may
/// still have been valid then: what is kept of policies now is not what was in force then.
#[test]
fn policies_that_were_kept_now_are_not_those_of_an_earlier_time() {
    let world = World::new();
    let before = world.day(-3).replace(['-', ':', 'T'], "");
    let mut policy = Policy::small();
    policy.signers = policy.signers.replace(
        "l.wu@example.com namespaces=\"git\"",
        &format!("l.wu@example.com namespaces=\"git\",valid-before=\"{before}\""),
    );
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    world.days(-4);
    repo.switch("main").git(&["switch", "-q", "-C", "policy/next"]);
    propose(&repo, "a.ng", &policy.serial(2).replacing("max = 0.05", "max = 0.01"));
    ballot(&repo, "m.okafor");
    ballot(&repo, "l.wu");
    world.days(-2);
    repo.merge("j.doe", "policy/next");
    assert_eq!(said(&keep(&repo)), "allowed requirements", "it is not in force");
    let then = world.day(-3);
    assert_eq!(said(&check_with(&repo, &["--time", &then])), "allowed rollback");
    assert_eq!(said(&check(&repo)), "allowed requirements");
    verify(&repo, "an earlier time");
}

/// A record that is dated ahead does not count yet, and does when its day has come: then it stands between one before it and the
/// word that that one failed. No row says otherwise.
#[test]
fn what_did_not_count_yet_counts_when_its_day_has_come() {
    let world = World::new();
    let repo = ran(&world);
    let record = repo.rev(LOG);
    keep(&repo);
    world.days(1);
    repo.deploy_record("bot", GATE, "production", "rollback");
    for _ in 0..2 {
        assert_eq!(said(&check(&repo)), "allowed rollback");
    }
    world.days(2);
    repo.log("bot", "production", &failure(&record));
    assert_eq!(said(&check_with(&repo, &["--time", &world.day(3)])), "allowed rollback");
    assert_eq!(said(&check_with(&repo, &["--time", &world.day(3)])), "allowed rollback");
}
