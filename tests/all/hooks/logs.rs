//! A deployment log only ever goes on, by records of deployers.

use super::*;

const LOG: &str = "deployments/production";

fn logged(world: &World) -> Served<'_> {
    let served = Served::new(world);
    served.repo.allowed_gate(GATE);
    served.repo.deploy_record("bot", GATE, "production", "requirements");
    served.taken(&["main", LOG]);
    served.unguarded(&["main", LOG]);
    served
}

#[test]
fn a_log_is_neither_deleted_nor_moved_back() {
    let world = World::new();
    let served = logged(&world);
    let repo = &served.repo;
    let first = repo.rev(LOG);
    repo.deploy_record("bot", GATE, "production", "requirements");
    served.taken(&[LOG]);
    served.refused(&[&format!(":{LOG}")], &["log-deleted"]);
    served.refused(&[&format!("+{first}:refs/heads/{LOG}")], &["log-moved-back"]);
    // With the record on the mainline the reader sees that the log lacks it.
    repo.merge("l.wu", LOG);
    served.taken(&["main"]);
    let answer = served.unguarded(&["main", &format!("+{first}:refs/heads/{LOG}")]);
    assert_eq!(answer["code"], "log-rewound");
}

#[test]
fn a_log_that_does_not_follow_is_refused() {
    let world = World::new();
    let served = logged(&world);
    let repo = &served.repo;
    let first = repo.rev(LOG);
    repo.git(&["branch", "-q", "-D", LOG]);
    repo.deploy_record("bot", GATE, "production", "requirements");
    served.refused(&[&format!("+{LOG}")], &["log-moved-back"]);
    // A commit on top that names the log second.
    let fork = repo.rev(LOG);
    let tree = repo.rev("main^{tree}");
    let message = "Merge the log";
    let merge = repo.git_as("bot", &["commit-tree", "-S", &tree, "-p", &fork, "-p", &first, "-m", message]);
    served.refused(&[&format!("{merge}:refs/heads/{LOG}")], &["log-moved-back"]);
    let merge = repo.git_as("bot", &["commit-tree", "-S", &tree, "-p", &first, "-p", &fork, "-m", message]);
    served.refused(&[&format!("{merge}:refs/heads/{LOG}")], &["log-forked", "log-no-record"]);
}

#[test]
fn records_that_cannot_count_are_refused() {
    let world = World::new();
    let served = logged(&world);
    let repo = &served.repo;
    let first = repo.rev(LOG);
    let deploy = || Decision::deploy(GATE, "production", "requirements", &repo.root);
    let failed = |record: &str| {
        Decision::new("deploy-failed", GATE)
            .line("Gate-Environment", "production")
            .line("Gate-Record", record)
    };
    for (who, decision, code) in [
        ("mallory", deploy(), "log-not-counted"),
        ("j.rivera", deploy(), "log-not-counted"),
        ("bot", deploy().without("Gate-Basis"), "log-no-record"),
        ("bot", deploy().setting("Gate-Environment", "staging"), "log-no-record"),
        ("bot", failed(&repo.root), "log-not-counted"),
        ("mallory", failed(&first), "log-not-counted"),
        ("bot", Decision::approve(GATE, "ml-lead"), "log-no-record"),
    ] {
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &first]);
        let record = repo.log(who, "production", &decision);
        let run = served.refused(&[LOG], &[code]);
        assert!(run.stderr.contains(&format!("refs/heads/{LOG} {record}: ")), "{run}");
        // Such a record makes nothing run that did not.
        assert_eq!(served.unguarded(&["main", LOG])["verdict"], "allowed", "{code}");
        // The next is another log, to nobody who saw this one.
        served.forget();
    }
    // A record of a deployment that was not allowed is the record of it.
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &first]);
    repo.open("j.doe", "summarizer/v2");
    repo.merge("l.wu", "gate/summarizer/v2");
    let broken = Decision::deploy("summarizer/v2", "production", "break-glass", &repo.root);
    repo.log("bot", "production", &broken.line("Gate-Reason", "fire"));
    served.taken(&["main", LOG]);
}

#[test]
fn a_record_out_of_order_or_of_another_history_is_refused() {
    let world = World::new();
    let served = logged(&world);
    let repo = &served.repo;
    let first = repo.rev(LOG);
    let old = repo.rev("main");
    repo.write("README", "x").commit("l.wu", "On");
    repo.deploy_record("bot", GATE, "production", "requirements");
    served.taken(&["main", LOG]);
    let second = repo.rev(LOG);
    // An older mainline commit than the record before it judged.
    repo.git(&["reset", "-q", "--hard", &old]);
    repo.deploy_record("bot", GATE, "production", "requirements");
    served.refused(&[LOG], &["log-out-of-chain"]);
    // A mainline that nobody has.
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &second]);
    repo.write("README", "z").commit("l.wu", "Elsewhere");
    repo.deploy_record("bot", GATE, "production", "requirements");
    let run = served.push(&[LOG]);
    assert!(told(&run).contains(&"log-out-of-chain".to_owned()), "{run}");
    assert_eq!(served.unguarded(&[LOG])["code"], "mainline-rewound");
    assert_ne!(first, second);
}

#[test]
fn a_record_that_its_log_does_not_hold_does_not_reach_the_mainline() {
    let world = World::new();
    let served = logged(&world);
    let repo = &served.repo;
    let first = repo.rev(LOG);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.merge("l.wu", LOG);
    served.refused(&["main"], &["log-forked"]);
    served.taken(&["main", LOG]);
    // A fork, merged while the log went on.
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &first]);
    let fork = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.merge("l.wu", LOG);
    let run = served.refused(&["main"], &["log-forked"]);
    assert!(run.stderr.contains(&fork), "{run}");
    let log = served.guarded.rev(LOG);
    let answer = served.unguarded(&["main", &format!("+{log}:refs/heads/{LOG}")]);
    assert_eq!(status(&answer, "integrity:break-glass"), "failed", "{answer:#}");
}
