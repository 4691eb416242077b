//! Rows that are damaged, gone, older than they were, or of something else: they say nothing, or what they said then.

use std::process::Stdio;

use rusqlite::params;
use sha2::{Digest as _, Sha256};

use super::*;

/// Two systems, of which rows are kept twice: as they were before a withdrawal and a failure, and after.
struct Twice<'w> {
    repo: Repo<'w>,
    older: BTreeMap<String, Vec<u8>>,
    newer: BTreeMap<String, Vec<u8>>,
    /// The whole file then.
    good: Vec<u8>,
}

const ROWS: [&str; 5] =
    ["policies", "incidents", "log production", "log production summarizer", "log production router"];

fn twice(world: &World) -> Twice<'_> {
    let repo = ran(world);
    better(&repo, OTHER);
    repo.deploy_record("bot", OTHER, "production", "requirements");
    check_both(&repo, ["allowed rollback", "allowed requirements"]);
    let older = rows(&repo);
    for name in ROWS {
        assert!(older.contains_key(name), "{name}");
    }
    repo.log("bot", "production", &failure_of(OTHER, &repo.rev(LOG)));
    repo.incident("s.chen", "INC-1", OTHER, None);
    enact(&repo, &after_strict());
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    check_both(&repo, ["blocked", "blocked"]);
    let newer = rows(&repo);
    for name in ROWS {
        assert_ne!(newer[name], older[name], "{name}");
    }
    let good = std::fs::read(index(&repo)).unwrap();
    Twice { repo, older, newer, good }
}

#[track_caller]
fn check_both(repo: &Repo<'_>, says: [&str; 2]) {
    assert_eq!([said(&check(repo)), said(&check_of(repo, OTHER, &[]))], says);
}

/// The digest that a row has (`git/found.rs`).
fn digest(name: &str, value: &[u8]) -> Vec<u8> {
    let length = u64::try_from(name.len()).unwrap().to_le_bytes();
    Sha256::new().chain_update(length).chain_update(name).chain_update(value).finalize().to_vec()
}

/// Puts a row there, with a digest that is right.
pub(super) fn put(repo: &Repo<'_>, name: &str, value: &[u8]) {
    let sql = "INSERT OR REPLACE INTO found VALUES (?1, ?2, ?3)";
    Connection::open(index(repo)).unwrap().execute(sql, params![name, digest(name, value), value]).unwrap();
}

fn execute(repo: &Repo<'_>, sql: &str) {
    Connection::open(index(repo)).unwrap().execute_batch(sql).unwrap();
}

/// After each, the answer is that of the history ([`World::run`] compares), what is kept is right again, and what `index verify`
/// says before that.
#[track_caller]
fn damage(twice: &Twice<'_>, what: &str, verified: i32, then: Doing<'_>) {
    let repo = &twice.repo;
    std::fs::write(index(repo), &twice.good).unwrap();
    then(repo);
    let run = repo.run(&["index", "verify"]);
    assert_eq!(run.status, verified, "{what}: {run}");
    check_both(repo, ["blocked", "blocked"]);
    verify(repo, what);
    for name in ROWS {
        let row = rows(repo).remove(name);
        assert!(row.is_some_and(|row| row.len() > 2 && row.iter().any(|byte| *byte != 0)), "{what}: {name}");
    }
}

#[test]
fn a_row_that_is_damaged_says_nothing_and_is_mended() {
    let world = World::new();
    let twice = twice(&world);
    for name in ROWS {
        // What the row of a log names and is not there, or another one, is told.
        let named = if name.starts_with("log production ") { 10 } else { 0 };
        for set in
            ["value = zeroblob(length(value))", "digest = zeroblob(32)", "value = x''", "value = x'5b5d'"]
        {
            let sql = format!("UPDATE found SET {set} WHERE name = '{name}'");
            damage(&twice, &sql, named, &|repo| execute(repo, &sql));
        }
        let sql = format!("DELETE FROM found WHERE name = '{name}'");
        damage(&twice, &sql, named, &|repo| execute(repo, &sql));
    }
    damage(&twice, "all gone", 0, &|repo| execute(repo, "DELETE FROM found"));
}

#[test]
fn an_older_copy_of_a_row_says_what_it_said_then() {
    let world = World::new();
    let twice = twice(&world);
    for name in ROWS {
        // Those of the systems are not what the log's says.
        let told = if name.starts_with("log production ") { 10 } else { 0 };
        damage(&twice, name, told, &|repo| put(repo, name, &twice.older[name]));
    }
    damage(&twice, "all older", 0, &|repo| {
        for name in ROWS {
            put(repo, name, &twice.older[name]);
        }
    });
}

#[test]
fn a_row_of_something_else_says_nothing_of_this() {
    let world = World::new();
    let twice = twice(&world);
    let copies = [
        ("log production router", "log production summarizer", 10),
        ("log production summarizer", "log production router", 10),
        ("log production", "log production summarizer", 10),
        ("log production summarizer", "log production", 0),
        ("policies", "incidents", 0),
        ("incidents", "policies", 0),
    ];
    for (from, to, told) in copies {
        damage(&twice, &format!("{from} as {to}"), told, &|repo| put(repo, to, &twice.newer[from]));
        // With the digest of where it came from, and nothing there.
        let told = if from == "log production" { 0 } else { told };
        damage(&twice, &format!("{from} named {to}"), told, &|repo| {
            execute(
                repo,
                &format!(
                    "DELETE FROM found WHERE name = '{to}'; UPDATE found SET name = '{to}' WHERE name = '{from}'"
                ),
            );
        });
    }
}

/// Rows of another repository: of another root, and of a clone whose mainline went another way.
#[test]
fn rows_of_another_repository_say_nothing_of_this_one() {
    let elsewhere = World::new();
    let other = ran(&elsewhere);
    keep(&other);
    let of_other = rows(&other);
    let world = World::new();
    let twice = twice(&world);
    damage(&twice, "another root", 0, &|repo| {
        for (name, value) in &of_other {
            put(repo, name, value);
        }
    });
    let clone = twice.repo.clone_to("clone", false);
    clone.git(&["branch", "-q", "-f", LOG, &format!("origin/{LOG}")]);
    clone.git(&["remote", "remove", "origin"]);
    clone.git(&["reset", "-q", "--hard", "main~2"]);
    clone.write("notes", "another way\n").commit("l.wu", "Another way");
    assert_eq!(said(&check(&clone)), "allowed rollback");
    let of_clone = rows(&clone);
    assert!(of_clone.contains_key("log production"), "{:?}", of_clone.keys());
    damage(&twice, "another way", 0, &|repo| {
        for (name, value) in &of_clone {
            put(repo, name, value);
        }
    });
}

/// Whoever writes to `.git` can write what they like there, with digests that are right: who compares tells.
#[test]
fn forged_rows_with_right_digests_are_told_by_who_compares() {
    let world = World::new();
    let twice = twice(&world);
    let repo = &twice.repo;
    let system = "log production summarizer";
    repo.deploy_record("bot", GATE, "production", "rollback");
    world.later(60);
    check(repo);
    let good = std::fs::read(index(repo)).unwrap();
    let newer = rows(repo);
    let text = |name: &str| String::from_utf8(newer[name].clone()).unwrap();
    let old = format!("sha256:{}", crate::world::hex_sha256(&newer[system]));
    assert!(text("log production").contains(&old), "{}", text("log production"));
    assert!(text(system).contains("NotAllowed"), "{}", text(system));
    let items = |edit: &dyn Fn(&mut Value)| {
        let mut items: Value = serde_json::from_slice(&newer[system]).unwrap();
        edit(&mut items);
        let bytes = serde_json::to_vec(&items).unwrap();
        let log =
            text("log production").replace(&old, &format!("sha256:{}", crate::world::hex_sha256(&bytes)));
        vec![(system, bytes), ("log production", log.into_bytes())]
    };
    let edited = |name: &'static str, edit: &dyn Fn(&mut Value)| {
        let mut row: Value = serde_json::from_slice(&newer[name]).unwrap();
        edit(&mut row);
        vec![(name, serde_json::to_vec(&row).unwrap())]
    };
    let allowed = serde_json::json!({ "Requirements": [null, true] });
    let forged = [
        ("a replay", items(&|items| items[1]["r"]["r"] = allowed.clone())),
        ("a defect", items(&|items| items[1]["r"]["x"] = "no".into())),
        ("a deployer", items(&|items| items[1]["r"]["d"] = false.into())),
        ("a failure", items(&|items| items[0]["f"] = 0.into())),
        ("a record that is gone", items(&|items| drop(items.as_array_mut().unwrap().remove(0)))),
        ("no records", items(&|items| *items = serde_json::json!([]))),
        ("the last word", edited("log production", &|row| row["last_word"] = Value::Null)),
        ("the last that counts", edited("log production", &|row| row["last_counting"] = 0.into())),
        ("how many", edited("log production", &|row| row["entries"] = 1.into())),
        (
            "a system that is gone",
            edited("log production", &|row| {
                row["systems"].as_object_mut().unwrap().remove("summarizer");
            }),
        ),
        ("an incident that is gone", edited("incidents", &|row| row["naming"] = serde_json::json!([]))),
        (
            "an incident that is not seen",
            edited("incidents", &|row| {
                row["unseen"] = serde_json::json!([["INC-1", repo.root]]);
            }),
        ),
        (
            "a policy that is gone",
            edited("policies", &|row| drop(row["epochs"].as_array_mut().unwrap().pop())),
        ),
    ];
    for (what, rows) in forged {
        std::fs::write(index(repo), &good).unwrap();
        verify(repo, what);
        for (name, value) in rows {
            assert_ne!(value, newer[name], "{what}");
            put(repo, name, &value);
        }
        let run = repo.run(&["index", "verify"]);
        // Builds that check read no policy that is not in force.
        let told = if what == "a policy that is gone" && cfg!(debug_assertions) { 3 } else { 10 };
        assert_eq!(run.status, told, "{what}: {run}");
    }
    repo.run(&["index", "rebuild"]).expect(0);
    verify(repo, "rebuilt");
    assert_eq!(said(&check(repo)), "blocked");
}

/// A `check` that reads, and waits for us when it would write: what we do to the file meanwhile.
#[track_caller]
fn while_one_waits_to_write(repo: &Repo<'_>, then: impl Fn(&rusqlite::Transaction<'_>)) {
    let mut connection = Connection::open(index(repo)).unwrap();
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let args = ["check", GATE, "--env", "production", "--format", "json"];
    let mut command = repo.world.program_of("j.doe", &repo.path, &args);
    let slower = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(400));
    then(&transaction);
    transaction.commit().unwrap();
    assert_eq!(slower.wait_with_output().unwrap().status.code(), Some(0));
}

/// One that is slower, and saw less, does not put back what it read.
#[test]
fn of_two_at_once_the_slower_does_not_bring_back_an_older_row() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    let directory = repo.path.join(".git/gate");
    let aside = world.dir().join("aside");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let _ = std::fs::remove_dir_all(to);
        let run = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
        assert!(run.success());
    };
    copy(&directory, &aside);
    let first = repo.deploy_record("bot", GATE, "production", "rollback");
    let second = repo.deploy_record("bot", GATE, "production", "rollback");
    // What the faster one will have written.
    keep(&repo);
    let newer = rows(&repo);
    copy(&aside, &directory);
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &first]);
    while_one_waits_to_write(&repo, |transaction| {
        for (name, value) in &newer {
            let sql = "INSERT OR REPLACE INTO found VALUES (?1, ?2, ?3)";
            transaction.execute(sql, params![name, digest(name, value), value]).unwrap();
        }
    });
    assert_eq!(rows(&repo)["log production"], newer["log production"]);
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &second]);
    assert!(stays_in_use(&repo, &|repo| assert_eq!(said(&check(repo)), "allowed rollback")));
    verify(&repo, "two at once");
}

/// Nor does it write what it found into an index of another trust root or version.
#[test]
fn what_was_found_is_not_put_into_another_index() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    let before = rows(&repo);
    repo.deploy_record("bot", GATE, "production", "rollback");
    while_one_waits_to_write(&repo, |transaction| {
        transaction.execute("UPDATE segments SET pages = x'00' WHERE number = 0", []).unwrap();
    });
    assert_eq!(rows(&repo), before);
    assert_eq!(said(&check(&repo)), "allowed rollback");
    assert_ne!(rows(&repo), before, "it was written anew");
    verify(&repo, "another key");
}
