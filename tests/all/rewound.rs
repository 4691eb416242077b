//! A server that goes back, stands still or forks: what one clone notices by itself, and what clones tell each other by the log.

use serde_json::Value;

use crate::world::{Decision, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const LOG: &str = "deployments/production";
const CHECK: [&str; 7] = ["check", GATE, "--env", "production", "--format", "json", "--fetch"];

fn check(repo: &Repo<'_>, more: &[&str]) -> Run {
    repo.run(&[&CHECK, more].concat())
}

#[track_caller]
fn code(run: Run) -> Value {
    run.expect(3).json()["code"].clone()
}

/// A server with an allowed gate; its mainline moved on once more, so that there is something to go back to.
fn server<'w>(origin: &Repo<'w>) -> (Repo<'w>, String, String) {
    let old = origin.allowed_gate(GATE);
    let new = origin.write("notes.txt", "x").commit("l.wu", "Note");
    (origin.clone_to("server.git", true), old, new)
}

/// Another mainline than the one that was seen, as good as it: everybody signed.
fn fork(origin: &Repo<'_>, bare: &Repo<'_>, from: &str) -> String {
    origin.git(&["switch", "-q", "-C", "main", from]);
    let forked = origin.write("other.txt", "y").commit("l.wu", "Another note");
    origin.git(&["push", "-q", "--force", bare.path.to_str().unwrap(), "main"]);
    forked
}

#[test]
fn a_server_that_goes_back_or_forks_is_noticed_by_each_clone_that_saw_more() {
    for forks in [false, true] {
        let world = World::new();
        let origin = world.governance_repo();
        let (bare, old, new) = server(&origin);
        let (one, other) = (bare.clone_to("one", false), bare.clone_to("other", false));
        for clone in [&one, &other] {
            let seen = check(clone, &[]).expect(0).json();
            assert_eq!(seen["mainline"]["commit"], *new);
        }
        if forks {
            fork(&origin, &bare, &old);
        } else {
            bare.git(&["update-ref", "refs/heads/main", &old]);
        }
        for clone in [&one, &other] {
            assert_eq!(code(check(clone, &[])), "mainline-rewound");
            // It stays so, with and without another fetch.
            assert_eq!(code(check(clone, &["--wait", "1s"])), "mainline-rewound");
            assert_eq!(code(clone.run(&CHECK[..6])), "mainline-rewound");
        }
        // A fresh clone has seen nothing; its caller may have.
        let fresh = bare.clone_to("fresh", false);
        check(&fresh, &[]).expect(0);
        assert_eq!(code(check(&fresh, &["--seen", &new])), "not-on-mainline");
        check(&fresh, &["--seen", &old]).expect(0);
        // Who finds out that it was on purpose accepts it, in one clone at a time.
        one.run(&["trust", "--accept-rewind", "--yes"]).expect(0);
        check(&one, &[]).expect(0);
        assert_eq!(code(check(&other, &[])), "mainline-rewound");
    }
}

#[test]
fn what_one_bot_logged_tells_every_fresh_clone_of_a_server_that_goes_back_or_forks() {
    for forks in [false, true] {
        let world = World::new();
        let origin = world.governance_repo();
        let (bare, old, _new) = server(&origin);
        let bot = bare.clone_to("runner", false);
        world.run_as("bot", &bot.path, &["deploy", GATE, "--env", "production"]).expect(0);
        if forks {
            fork(&origin, &bare, &old);
        } else {
            bare.git(&["update-ref", "refs/heads/main", &old]);
        }
        let fresh = bare.clone_to("fresh", false);
        assert_eq!(code(check(&fresh, &[])), "mainline-rewound");
    }
}

#[test]
fn a_server_that_serves_an_old_log_is_noticed_by_every_clone_once_the_mainline_holds_it() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let first = origin.deploy_record("bot", GATE, "production", "requirements");
    let second = origin.deploy_record("bot", GATE, "production", "requirements");
    origin.merge("l.wu", LOG);
    let bare = origin.clone_to("server.git", true);
    check(&bare.clone_to("before", false), &[]).expect(0);
    for served in [Some(&first), None] {
        match served {
            Some(old) => bare.git(&["update-ref", &format!("refs/heads/{LOG}"), old]),
            None => bare.git(&["update-ref", "-d", &format!("refs/heads/{LOG}")]),
        };
        let fresh = bare.clone_to(if served.is_some() { "older" } else { "none" }, false);
        assert_eq!(code(check(&fresh, &[])), "log-rewound");
    }
    bare.git(&["update-ref", &format!("refs/heads/{LOG}"), &second]);
    check(&bare.clone_to("after", false), &[]).expect(0);
}

#[test]
fn a_log_that_goes_back_before_the_mainline_holds_it_is_noticed_by_each_clone_that_saw_it() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let first = origin.deploy_record("bot", GATE, "production", "requirements");
    let second = origin.deploy_record("bot", GATE, "production", "requirements");
    let bare = origin.clone_to("server.git", true);
    let clone = bare.clone_to("clone", false);
    check(&clone, &[]).expect(0);
    // Gone back, gone, and forked by the same bot.
    let log = format!("refs/heads/{LOG}");
    bare.git(&["update-ref", &log, &first]);
    assert_eq!(code(check(&clone, &[])), "log-rewound");
    bare.git(&["update-ref", "-d", &log]);
    clone.git(&["fetch", "-q", "--prune", "origin"]);
    assert_eq!(code(check(&clone, &[])), "log-rewound");
    origin.git(&["update-ref", &log, &first]);
    world.later(60);
    let deploy = Decision::deploy(GATE, "production", "requirements", &origin.root);
    let forked = origin.log("bot", "production", &deploy.words("Again"));
    assert_ne!(forked, second);
    origin.git(&["push", "-q", "--force", bare.path.to_str().unwrap(), LOG]);
    assert_eq!(code(check(&clone, &[])), "log-rewound");
    // Another environment, and another clone, have seen nothing of it.
    clone.run(&["check", GATE, "--env", "staging"]).expect(0);
    check(&bare.clone_to("fresh", false), &[]).expect(0);
    // Whoever accepts it goes on from there.
    clone.run(&["trust", "--accept-rewind", "--yes"]).expect(0);
    check(&clone, &[]).expect(0);
}
