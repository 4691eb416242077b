//! What `metrics` measured and kept in the index: whatever happens afterwards, the next one tells what the history says.
//!
//! [`World::run`] compares every `metrics` with one that reads the history itself, to the byte. A system's entry says when it
//! was measured: tests put that back, and see afterwards whose entry was used as it stood.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod storm;

use std::collections::BTreeSet;
use std::path::PathBuf;

use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::attacks_history::{enact, propose, strict};
use crate::world::{Decision, Policy, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const OTHER: &str = "router/v1";
const LOG: &str = "deployments/production";

/// What is done to a repository.
type Doing<'a> = &'a dyn Fn(&Repo<'_>);

/// Two systems, each with a version that ran and one that waits.
fn told(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    for gate in [GATE, OTHER] {
        repo.allowed_gate(gate);
        repo.deploy_record("bot", gate, "production", "requirements");
    }
    for gate in ["summarizer/v1.5", "router/v2"] {
        repo.open("j.doe", gate);
        repo.merge("l.wu", &format!("gate/{gate}"));
    }
    repo
}

#[track_caller]
fn metrics(repo: &Repo<'_>) -> Value {
    repo.run(&["metrics", "--format", "json"]).json()
}

fn index(repo: &Repo<'_>) -> PathBuf {
    repo.path.join(".git/gate/index-v1.sqlite")
}

fn row(repo: &Repo<'_>, name: &str) -> Option<Vec<u8>> {
    let connection = Connection::open(index(repo)).unwrap();
    connection.query_row("SELECT value FROM found WHERE name = ?1", [name], |row| row.get(0)).ok()
}

fn head(repo: &Repo<'_>) -> Value {
    row(repo, "measured").map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
}

/// Puts a row there, with a digest that is right (`git/found.rs`).
fn put(repo: &Repo<'_>, name: &str, value: &[u8]) {
    let length = u64::try_from(name.len()).unwrap().to_le_bytes();
    let digest = Sha256::new().chain_update(length).chain_update(name).chain_update(value).finalize();
    let sql = "INSERT OR REPLACE INTO found VALUES (?1, ?2, ?3)";
    Connection::open(index(repo)).unwrap().execute(sql, params![name, digest.as_slice(), value]).unwrap();
}

/// Says that everything was measured long ago.
#[track_caller]
fn put_back(repo: &Repo<'_>) {
    let mut head = head(repo);
    for entry in head["systems"].as_object_mut().unwrap().values_mut() {
        entry["from"] = 1.into();
    }
    put(repo, "measured", head.to_string().as_bytes());
}

/// The systems that are kept, and those of which what was measured long ago is still in use.
fn kept(repo: &Repo<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let head = head(repo);
    let systems = head["systems"].as_object().cloned().unwrap_or_default();
    let used = systems.iter().filter(|(_, entry)| entry["from"] == 1).map(|(system, _)| system.clone());
    (systems.keys().cloned().collect(), used.collect())
}

fn words(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Measures, and sees that all is kept; then marks it.
#[track_caller]
fn keep(repo: &Repo<'_>) {
    metrics(repo);
    assert_eq!(words(&kept(repo).0), "router summarizer");
    assert_eq!(head(repo)["whole"], true);
    put_back(repo);
}

/// After this is done, what was kept of these systems is used, all there is is kept, and it is what the history says.
#[track_caller]
fn after(what: &str, uses: &str, then: Doing<'_>) {
    let world = World::new();
    let repo = told(&world);
    keep(&repo);
    then(&repo);
    tells(&repo, what, uses);
}

#[track_caller]
fn tells(repo: &Repo<'_>, what: &str, uses: &str) {
    metrics(repo);
    let (systems, used) = kept(repo);
    assert_eq!(words(&used), uses, "{what}: {:#}", head(repo));
    assert!(systems.contains("router") && systems.contains("summarizer"), "{what}: {systems:?}");
    verify(repo, what);
}

#[track_caller]
fn verify(repo: &Repo<'_>, what: &str) {
    let run = repo.run(&["index", "verify"]);
    assert_eq!(run.status, 0, "{what}: {run}");
}

const BOTH: &str = "router summarizer";
const SUMMARIZER: &str = "summarizer";
const NONE: &str = "";

#[test]
fn what_says_nothing_of_a_system_leaves_it_as_it_was_measured() {
    after("nothing", BOTH, &|_| {});
    after("a note", BOTH, &|repo| {
        repo.switch("main").write("notes", "a note").commit("l.wu", "Note");
    });
    after("a decision that the mainline does not hold", BOTH, &|repo| {
        repo.approve("j.rivera", "router/v2", "ml-lead");
    });
    after("a gate that the mainline does not hold", BOTH, &|repo| {
        repo.open("j.doe", "router/v9");
    });
    after("another system", BOTH, &|repo| {
        repo.allowed_gate("planner/v1");
    });
}

#[test]
fn what_is_recorded_of_a_gate_has_its_system_measured_anew() {
    after("an approval", SUMMARIZER, &|repo| {
        repo.approve("j.rivera", "router/v2", "ml-lead");
        repo.merge("l.wu", "gate/router/v2");
    });
    after("a rejection of a version that runs", SUMMARIZER, &|repo| {
        repo.decide("k.berg", &Decision::reject(OTHER, "ml-lead", "safety"));
        repo.merge("l.wu", &format!("gate/{OTHER}"));
    });
    after("a withdrawal", SUMMARIZER, &|repo| {
        repo.decide("j.rivera", &Decision::withdraw(OTHER));
        repo.merge("l.wu", &format!("gate/{OTHER}"));
    });
    after("a file", SUMMARIZER, &|repo| {
        repo.switch("gate/router/v2");
        repo.write("gates/router/v2/CHANGE.md", "Again.\n").commit("j.doe", "Say more");
        repo.merge("l.wu", "gate/router/v2");
    });
    after("a new version", SUMMARIZER, &|repo| {
        repo.allowed_gate("router/v3");
    });
    after("one that is taken away", SUMMARIZER, &|repo| {
        repo.switch("main").git(&["rm", "-rq", "gates/router/v2"]);
        repo.commit("l.wu", "Take it away");
    });
    after("an exception", SUMMARIZER, &|repo| {
        repo.switch("main").write("exceptions/router/v2/exception.toml", "schema = 1\n");
        repo.commit("l.wu", "Except");
    });
    after("a malformed decision", SUMMARIZER, &|repo| {
        repo.switch("main").git_as(
            "l.wu",
            &[
                "commit",
                "-q",
                "-S",
                "--allow-empty",
                "-m",
                &format!("Odd\n\nGate: {OTHER}\nGate-Decision: perhaps\n"),
            ],
        );
    });
}

#[test]
fn what_is_logged_of_a_version_has_its_system_measured_anew() {
    after("a record", SUMMARIZER, &|repo| {
        repo.deploy_record("bot", OTHER, "production", "requirements");
    });
    after("a record of somebody who may not", SUMMARIZER, &|repo| {
        repo.deploy_record("l.wu", OTHER, "production", "requirements");
    });
    after("a failure", SUMMARIZER, &|repo| {
        let record = repo.rev(LOG);
        let failed = Decision::new("deploy-failed", OTHER).line("Gate-Environment", "production");
        repo.log("bot", "production", &failed.line("Gate-Record", &record));
    });
    after("a record in another environment", SUMMARIZER, &|repo| {
        repo.deploy_record("bot", OTHER, "staging", "requirements");
    });
    after("what is no record", BOTH, &|repo| {
        let tree = repo.rev("main^{tree}");
        let note = repo.git_as("bot", &["commit-tree", &tree, "-S", "-p", LOG, "-m", "A note"]);
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &note]);
    });
    after("a log that is recorded", BOTH, &|repo| {
        repo.merge("l.wu", LOG);
    });
}

#[test]
fn an_incident_has_the_systems_that_it_is_and_was_on_measured_anew() {
    after("opened", SUMMARIZER, &|repo| {
        repo.incident("s.chen", "INC-1", OTHER, None);
    });
    let world = World::new();
    let repo = told(&world);
    repo.incident("s.chen", "INC-1", OTHER, None);
    keep(&repo);
    repo.incident("s.chen", "INC-1", OTHER, Some(&world.time()));
    tells(&repo, "resolved", SUMMARIZER);
    put_back(&repo);
    repo.incident("s.chen", "INC-1", GATE, Some(&world.time()));
    // It stays on the version that it was opened on, too.
    tells(&repo, "on another version", "router");
    put_back(&repo);
    repo.incident("s.chen", "INC-2", "planner/v1", None);
    tells(&repo, "on what never stood there", BOTH);
    put_back(&repo);
    repo.switch("main").git(&["rm", "-q", "incidents/INC-2.toml"]);
    repo.commit("s.chen", "It was none");
    tells(&repo, "taken away", BOTH);
}

#[test]
fn another_policy_has_everything_measured_anew() {
    after("a stricter one", NONE, &|repo| drop(enact(repo, &strict())));
    after("one that waits", BOTH, &|repo| {
        propose(repo, "a.ng", &strict());
        repo.merge("l.wu", "policy/next");
    });
}

#[test]
fn a_mainline_or_a_log_that_was_rewound_has_everything_measured_anew() {
    after("the mainline", NONE, &|repo| {
        repo.switch("main").git(&["reset", "-q", "--hard", "main~1"]);
        repo.run(&["trust", "--accept-rewind", "--yes"]);
    });
    after("the log", NONE, &|repo| {
        let before = repo.rev(&format!("{LOG}~1"));
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &before]);
        repo.run(&["trust", "--accept-rewind", "--yes"]);
    });
}

/// Nothing of it is on the mainline: who looks for it finds none.
#[test]
fn a_log_that_is_gone_has_everything_measured_anew() {
    let world = World::new();
    let repo = told(&world);
    repo.deploy_record("bot", OTHER, "staging", "requirements");
    keep(&repo);
    repo.git(&["update-ref", "-d", "refs/heads/deployments/staging"]);
    tells(&repo, "a log that is gone", NONE);
}

/// A version that requires another is measured with that one: also where it requires it by way of a third.
#[test]
fn what_a_system_requires_is_measured_with_it() {
    let world = World::new();
    let repo = told(&world);
    let require = |gate: &str, required: &str| {
        repo.open("j.doe", gate);
        let path = format!("gates/{gate}/gate.toml");
        let text = std::fs::read_to_string(repo.path.join(&path)).unwrap();
        repo.write(&path, text.replace("summary = ", &format!("requires = [\"{required}\"]\nsummary = ")));
        repo.commit("j.doe", "Require");
        repo.merge("l.wu", &format!("gate/{gate}"));
    };
    require("planner/v1", OTHER);
    require("scorer/v1", "planner/v1");
    metrics(&repo);
    put_back(&repo);
    repo.decide("k.berg", &Decision::reject(OTHER, "ml-lead", "safety"));
    repo.merge("l.wu", &format!("gate/{OTHER}"));
    tells(&repo, "a rejection of what is required", SUMMARIZER);
    put_back(&repo);
    repo.deploy_record("bot", GATE, "production", "requirements");
    tells(&repo, "a record of what nobody requires", "planner router scorer");
}

/// Of what is dated later than now nothing is kept: later, it would be in the past.
#[test]
fn what_is_dated_after_now_is_not_kept() {
    let world = World::new();
    let repo = told(&world);
    world.days(0).later(200);
    repo.switch("main").write("notes", "ahead").commit("l.wu", "Ahead");
    metrics(&repo);
    assert_eq!(head(&repo), Value::Null);
    let world = World::new();
    let repo = told(&world);
    world.days(0).later(200);
    repo.deploy_record("bot", GATE, "production", "requirements");
    metrics(&repo);
    assert_eq!(head(&repo), Value::Null);
}

#[test]
fn only_one_system_is_measured_where_only_one_is_asked_about() {
    let world = World::new();
    let repo = told(&world);
    repo.run(&["metrics", "--system", "router", "--format", "json"]).json();
    assert_eq!(words(&kept(&repo).0), "router");
    assert_eq!(head(&repo)["whole"], false);
    put_back(&repo);
    tells(&repo, "then all", "router");
    assert_eq!(head(&repo)["whole"], true);
    put_back(&repo);
    repo.deploy_record("bot", OTHER, "production", "requirements");
    repo.run(&["metrics", "--system", "summarizer", "--format", "json"]).json();
    tells(&repo, "the one that changed is measured when it is asked about", SUMMARIZER);
}

#[test]
fn a_row_that_is_damaged_gone_or_of_another_system_says_nothing() {
    let world = World::new();
    let repo = told(&world);
    keep(&repo);
    let good = std::fs::read(index(&repo)).unwrap();
    let (router, summarizer) = ("measured router", row(&repo, "measured summarizer").unwrap());
    let damages: [(&str, &str, i32, Doing<'_>); 6] = [
        ("gone", SUMMARIZER, 10, &|repo| sql(repo, "DELETE FROM found WHERE name = 'measured router'")),
        ("flipped", SUMMARIZER, 10, &|repo| {
            sql(repo, "UPDATE found SET value = zeroblob(9) WHERE name = 'measured router'");
        }),
        ("of another system", SUMMARIZER, 10, &|repo| put(repo, router, &summarizer)),
        ("cut", SUMMARIZER, 10, &|repo| put(repo, router, b"{\"timelines\":")),
        ("the head gone", NONE, 0, &|repo| sql(repo, "DELETE FROM found WHERE name = 'measured'")),
        ("the head cut", NONE, 0, &|repo| put(repo, "measured", b"{")),
    ];
    for (what, uses, verified, damage) in damages {
        std::fs::write(index(&repo), &good).unwrap();
        damage(&repo);
        assert_eq!(repo.run(&["index", "verify"]).status, verified, "{what}");
        tells(&repo, what, uses);
    }
}

fn sql(repo: &Repo<'_>, sql: &str) {
    Connection::open(index(repo)).unwrap().execute_batch(sql).unwrap();
}

/// What could not be judged may be judged the next time.
#[test]
fn what_could_not_be_judged_is_not_kept() {
    let world = World::new();
    let repo = told(&world);
    let blob = repo.rev("main:gates/router/v2/gate.toml");
    let object = repo.path.join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    let aside = world.dir().join("aside");
    repo.git(&["commit", "-q", "--allow-empty", "-m", "Nothing"]);
    std::fs::rename(&object, &aside).unwrap();
    let without = metrics(&repo);
    assert!(without["left_out"].to_string().contains("router/v2"), "{without:#}");
    assert_eq!(words(&kept(&repo).0), SUMMARIZER);
    put_back(&repo);
    std::fs::rename(&aside, &object).unwrap();
    tells(&repo, "the object is back", SUMMARIZER);
    assert_eq!(metrics(&repo)["left_out"].to_string(), "{}");
}

/// Nothing happened but that time passed: an approval grew old.
#[cfg(target_os = "linux")]
#[test]
fn what_turns_by_the_clock_alone_is_measured_anew_from_then_on() {
    let world = World::new();
    let clock = world.wrong_clock();
    let policy = Policy::small()
        .replacing("max_age = \"90d\"", "max_age = \"20d\"")
        .replacing("when = { risk = [\"high\", \"critical\"], environment = [\"production\"] }", "when = {}");
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    for gate in [OTHER, "planner/v1"] {
        repo.open("j.doe", gate);
        if gate == OTHER {
            repo.approve("j.rivera", gate, "ml-lead");
        }
        repo.merge("l.wu", &format!("gate/{gate}"));
    }
    let at = |days: i64, more: &[&str]| {
        let args = [&["metrics", "--format", "json"], more].concat();
        let mut command = repo.world.program_of("l.wu", &repo.path, &args);
        command.env("LD_PRELOAD", &clock).env("CLOCK_OFF", (days * 86_400).to_string());
        let mut answer = Run::of(command, b"").json();
        answer.as_object_mut().unwrap().remove("time");
        answer
    };
    let first = at(0, &[]);
    put_back(&repo);
    // Five days old at the start.
    for (day, uses, same) in [
        (14, "planner router summarizer", true),
        (16, "planner summarizer", false),
        (15, "planner summarizer", true),
    ] {
        let answer = at(day, &[]);
        assert_eq!(answer, at(day, &["--no-index"]), "day {day}");
        assert_eq!(answer == first, same, "day {day}");
        assert_eq!(words(&kept(&repo).1), uses, "day {day}");
    }
    // Before it was measured.
    let mut head = head(&repo);
    head["systems"]["planner"]["from"] = (i64::MAX / 2).into();
    put(&repo, "measured", head.to_string().as_bytes());
    at(15, &[]);
    assert_ne!(self::head(&repo)["systems"]["planner"]["from"], i64::MAX / 2);
}
