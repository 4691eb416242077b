//! The word that a deployment failed, behind what was kept.

use super::*;

fn fail(repo: &Repo<'_>, who: &str, record: &str) {
    repo.log(who, "production", &failure(record));
}

fn again(repo: &Repo<'_>) -> String {
    repo.deploy_record("bot", GATE, "production", "rollback")
}

/// A record of a version that was not approved: it counts, whatever it is worth.
fn another(repo: &Repo<'_>, gate: &str) -> String {
    repo.open("j.doe", gate);
    repo.merge("l.wu", &format!("gate/{gate}"));
    repo.deploy_record("bot", gate, "production", "requirements")
}

#[test]
fn only_the_last_record_that_counts_can_be_said_to_have_failed() {
    let last = |repo: &Repo<'_>| repo.rev(LOG);
    let cases: [(&str, &str, Doing<'_>); 12] = [
        ("the last", "blocked", &|repo| fail(repo, "bot", &last(repo))),
        ("the last, twice", "blocked", &|repo| {
            let record = last(repo);
            fail(repo, "bot", &record);
            fail(repo, "bot", &record);
        }),
        ("an earlier one", "allowed rollback", &|repo| {
            let record = last(repo);
            again(repo);
            fail(repo, "bot", &record);
        }),
        ("an earlier one, behind which none counts", "blocked", &|repo| {
            let record = last(repo);
            repo.deploy_record("mallory", GATE, "production", "rollback");
            fail(repo, "bot", &record);
        }),
        ("the last, before a further record that is not of the version", "blocked", &|repo| {
            fail(repo, "bot", &last(repo));
            another(repo, NEXT);
        }),
        ("of another system", "allowed rollback", &|repo| {
            let record = another(repo, OTHER);
            repo.log("bot", "production", &failure_of(OTHER, &record));
        }),
        ("with one of a third system in between", "allowed rollback", &|repo| {
            let record = last(repo);
            another(repo, OTHER);
            fail(repo, "bot", &record);
        }),
        ("with a stranger's of a third system in between", "blocked", &|repo| {
            let record = last(repo);
            repo.deploy_record("mallory", GATE, "production", "rollback");
            repo.log("bot", "production", &failure_of(GATE, &record));
        }),
        ("by nobody who deploys", "allowed rollback", &|repo| fail(repo, "l.wu", &last(repo))),
        ("by a stranger, then by a deployer", "blocked", &|repo| {
            let record = last(repo);
            fail(repo, "mallory", &record);
            fail(repo, "bot", &record);
        }),
        ("a commit that is not there", "allowed rollback", &|repo| fail(repo, "bot", &"1".repeat(40))),
        ("a commit that is no record", "allowed rollback", &|repo| fail(repo, "bot", &repo.rev("main"))),
    ];
    for (what, says, then) in cases {
        tell(what, says, then);
    }
}

/// Where one check comes between each step, what was kept goes on from there.
#[test]
fn the_same_holds_where_each_step_is_kept() {
    for (between, says) in [("mallory", "blocked"), ("bot", "allowed rollback")] {
        let world = World::new();
        let repo = ran(&world);
        let record = repo.rev(LOG);
        keep(&repo);
        repo.deploy_record(between, GATE, "production", "rollback");
        keep(&repo);
        fail(&repo, "bot", &record);
        assert_eq!(said(&check(&repo)), says, "{between}");
        check(&repo);
        another(&repo, OTHER);
        check(&repo);
        assert_eq!(said(&check_of(&repo, OTHER, &[])), "blocked");
        verify(&repo, between);
    }
}

/// A record that was said to have failed later is not seen as such by what was judged before.
#[test]
fn who_is_judged_before_the_failure_does_not_see_it() {
    let world = World::new();
    let repo = ran(&world);
    let first = repo.rev(LOG);
    let second = again(&repo);
    keep(&repo);
    fail(&repo, "bot", &second);
    keep_answer(&repo, &[], "allowed rollback");
    keep_answer(&repo, &["--log", &second], "allowed rollback");
    keep_answer(&repo, &["--log", &first], "allowed rollback");
    let last = row(&repo, "log production summarizer");
    assert_eq!((&last[0]["f"], &last[1]["f"]), (&Value::Null, &2.into()));
    verify(&repo, "failed");
}

#[track_caller]
fn keep_answer(repo: &Repo<'_>, more: &[&str], says: &str) {
    assert_eq!(said(&check_with(repo, more)), says, "{more:?}");
}

/// What stands between sees the log as it stood before it: not yet failed, or failed already, though that is said once more.
#[test]
fn who_stands_between_sees_what_was_said_by_then() {
    for (before, after) in [(0, 1), (1, 1), (1, 0)] {
        let world = World::new();
        let repo = ran(&world);
        let record = repo.rev(LOG);
        keep(&repo);
        for _ in 0..before {
            fail(&repo, "bot", &record);
        }
        repo.deploy_record("l.wu", GATE, "production", "rollback");
        for _ in 0..after {
            fail(&repo, "bot", &record);
        }
        assert_eq!(said(&check(&repo)), "blocked");
        let items = row(&repo, "log production summarizer");
        let replay = &items[1]["r"]["r"];
        assert_eq!(replay["NotAllowed"].is_null(), before == 0, "{before} {after}: {items:#}");
        verify(&repo, "between");
    }
}
