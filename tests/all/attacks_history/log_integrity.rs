//! A log that was rewound, cut, forked or taken from another history; and replays of what was said before.

use super::*;
use crate::world::World;

const LOG: &str = "refs/heads/deployments/production";

/// Brings the log's tip to the mainline, so that it is recorded there.
fn record_log(repo: &Repo<'_>) -> String {
    repo.merge("l.wu", "deployments/production")
}

fn deploy_failed(record: &str) -> Decision {
    Decision::new("deploy-failed", GATE).line("Gate-Environment", "production").line("Gate-Record", record)
}

#[test]
fn a_log_that_lacks_a_recorded_record_is_refused() {
    for cut in ["shorter", "gone"] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let first = repo.deploy_record("bot", GATE, "production", "requirements");
        repo.deploy_record("bot", GATE, "production", "requirements");
        record_log(&repo);
        assert_eq!(verdict(&check(&repo)), "allowed requirements");
        match cut {
            "gone" => repo.git(&["update-ref", "-d", LOG]),
            _ => repo.git(&["update-ref", LOG, &first]),
        };
        refused(&repo, "log-rewound");
    }
}

#[test]
fn a_recorded_failure_cannot_be_cut_off_the_log() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.log("bot", "production", &deploy_failed(&first));
    record_log(&repo);
    enact(&repo, &strict());
    assert_eq!(verdict(&check(&repo)), "blocked");
    repo.git(&["update-ref", LOG, &first]);
    refused(&repo, "log-rewound");
}

#[test]
fn a_fork_of_the_log_is_a_break_glass() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    let dropped = repo.deploy_record("bot", GATE, "production", "requirements");
    record_log(&repo);
    repo.git(&["update-ref", LOG, &first]);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let answer = check(&repo);
    assert_eq!(
        (verdict(&answer).as_str(), status(&answer, "integrity:break-glass")),
        ("allowed rollback", "failed")
    );
    assert!(found(&answer, "integrity:break-glass").contains(&dropped[..7]), "{answer:#}");
}

#[test]
fn a_record_that_judged_what_is_not_on_the_mainline_stops_judging() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let good = repo.rev("main");
    repo.write("note", "x").commit("l.wu", "One more");
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.git(&["reset", "-q", "--hard", &good]);
    let fresh = repo.clone_to("fresh", false);
    refused(&fresh, "mainline-rewound");
    // Nobody but a deployer can restart the log after that.
    let restart = Decision::deploy(GATE, "production", "requirements", &repo.root);
    let restart = restart.line("Gate-Restart", &repo.rev(LOG));
    for (who, accepted) in [("mallory", false), ("j.doe", false), ("bot", true)] {
        let before = repo.rev(LOG);
        repo.log(who, "production", &restart);
        let clone = repo.clone_to(who, false);
        if accepted {
            assert_eq!(verdict(&check(&clone)), "allowed rollback");
        } else {
            refused(&clone, "mainline-rewound");
        }
        repo.git(&["update-ref", LOG, &before]);
    }
}

#[test]
fn a_strangers_record_of_another_history_stops_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let good = repo.rev("main");
    repo.write("note", "x").commit("l.wu", "One more");
    repo.deploy_record("mallory", GATE, "production", "requirements");
    repo.git(&["reset", "-q", "--hard", &good]);
    let fresh = repo.clone_to("fresh", false);
    assert_eq!(verdict(&check(&fresh)), "allowed requirements");
}

#[test]
fn a_record_out_of_order_supports_nothing_and_is_a_break_glass() {
    for how in ["older commit", "older date", "future"] {
        let world = World::new();
        let repo = world.governance_repo();
        let merged = repo.allowed_gate(GATE);
        repo.write("note", "x").commit("l.wu", "One more");
        world.days(-4);
        repo.deploy_record("bot", GATE, "production", "requirements");
        match how {
            "older commit" => drop(repo.git(&["reset", "-q", "--hard", &merged])),
            "older date" => drop(world.later(-1800)),
            _ => drop(world.days(3)),
        }
        let tip = repo.rev("main@{1}");
        repo.deploy_record("bot", GATE, "production", "requirements");
        if how == "older commit" {
            repo.git(&["reset", "-q", "--hard", &tip]);
        }
        let answer = check(&repo);
        let says = format!(
            "{:?}{}",
            notice(&answer, "break-glass-uncovered"),
            found(&answer, "integrity:break-glass")
        );
        assert!(says.contains("out of chain") || says.contains("no cover"), "{how}: {answer:#}");
    }
}

#[test]
fn a_record_with_another_tree_counts_for_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let message = repo.message(&Decision::deploy(GATE, "production", "requirements", &repo.root));
    let record = repo.git_as(
        "bot",
        &["commit-tree", "-S", &format!("{}^{{tree}}", repo.root), "-p", "main", "-m", &message],
    );
    repo.git(&["update-ref", LOG, &record]);
    enact(&repo, &strict());
    assert_eq!(verdict(&check(&repo)), "blocked");
}

#[test]
fn a_record_under_a_key_revoked_since_supports_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let public = world.key("bot").with_extension("pub");
    let printed = world.ssh_keygen(&["-lf", public.to_str().unwrap()], b"").expect(0).stdout;
    let key = printed.split_whitespace().nth(1).unwrap();
    let revoked = format!("[[revoked]]\nkey = \"{key}\"\nsince = \"{}\"\nreason = \"leaked\"\n", repo.root);
    enact(&repo, &strict().with(&revoked));
    assert_eq!(verdict(&check(&repo)), "blocked");
}

#[test]
fn an_earlier_verdict_can_be_replayed() {
    let world = World::new();
    let repo = world.governance_repo();
    let merged = repo.allowed_gate(GATE);
    let then = world.time();
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    world.later(3600);
    enact(&repo, &strict());
    repo.write("note", "x").commit("l.wu", "Later");
    let last = repo.deploy_record("bot", GATE, "production", "rollback");
    record_log(&repo);
    let replay = check_with(&repo, &["--at", &merged, "--time", &then]);
    assert_eq!((verdict(&replay).as_str(), &replay["log"]), ("allowed requirements", &record.clone().into()));
    assert_eq!(replay["relaxations"].as_array().unwrap().len(), 2);
    assert_eq!(replay["time"], *then);
    let replay = check_with(&repo, &["--log", &record]);
    assert_eq!((verdict(&replay).as_str(), &replay["log"]), ("allowed rollback", &record.clone().into()));
    assert_eq!(check(&repo)["log"], *last);
    let side = repo.rev(&format!("{merged}^2"));
    let args = ["check", GATE, "--env", "production", "--format", "json"];
    undecided(&repo.run(&[&args[..], &["--at", &side]].concat()), "not-on-mainline");
    undecided(&repo.run(&[&args[..], &["--log", &merged]].concat()), "log-not-found");
    repo.run(&[&args[..], &["--at", "main"]].concat()).expect(2);
}

#[test]
fn a_replay_at_an_earlier_time_alone_sees_the_log_of_then() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let then = world.time();
    world.later(7200);
    repo.deploy_record("bot", GATE, "production", "requirements");
    for args in [&["--time", &then][..], &["--time", &then, "--at", &repo.rev("main")]] {
        let replay = check_with(&repo, args);
        assert_eq!(
            (verdict(&replay).as_str(), &replay["log"]),
            ("allowed requirements", &record.clone().into())
        );
        assert_eq!(notice(&replay, "break-glass-uncovered"), None);
    }
}

/// A later record on what is left of the mainline does not hide that an earlier one judged what is gone.
#[test]
fn a_mainline_that_was_rewound_is_not_hidden_by_what_is_logged_after_it() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let old = repo.rev("main");
    repo.write("note", "x").commit("l.wu", "What will be gone");
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.git(&["reset", "-q", "--hard", &old]);
    refused(&repo, "mainline-rewound");
    repo.deploy_record("bot", GATE, "production", "requirements");
    refused(&repo, "mainline-rewound");
}

/// A record whose author and committer lines differ was signed anew by whoever rebased it.
#[test]
fn a_record_that_was_signed_anew_counts_for_nothing() {
    for (author, expected) in [("bot", "allowed rollback"), ("mallory", "blocked")] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let record = repo.deploy_record("bot", GATE, "production", "requirements");
        let key = world.key("bot");
        let line = repo.git(&["log", "-1", "--format=%cn <%ce> %ct +0000", &record]);
        let (who, date) = line.rsplit_once("> ").unwrap();
        let (name, mail) = who.split_once(" <").unwrap();
        let signs = format!("user.signingkey={}", key.display());
        let message = repo.git(&["log", "-1", "--format=%B", &record]);
        let variables = [
            ("GIT_COMMITTER_NAME", name),
            ("GIT_COMMITTER_EMAIL", mail),
            ("GIT_COMMITTER_DATE", date),
            ("GIT_AUTHOR_NAME", if author == "bot" { name } else { author }),
            ("GIT_AUTHOR_EMAIL", mail),
            ("GIT_AUTHOR_DATE", date),
        ];
        let args = [
            "-c",
            "gpg.format=ssh",
            "-c",
            &signs,
            "commit-tree",
            "-S",
            "main^{tree}",
            "-p",
            "main",
            "-m",
            &message,
        ];
        let again = world.git_with(&repo.path, &args, &variables).expect(0).stdout;
        repo.git(&["update-ref", LOG, again.trim()]);
        enact(&repo, &strict());
        assert_eq!(verdict(&check(&repo)), expected, "{author}");
    }
}
