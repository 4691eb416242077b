//! The index: with it and without it the same is said, whatever was done to its file, and whoever else is at work.
//!
//! [`World::run`] compares every `check` of every test with one that reads the history itself; here are the tests of what
//! only an index can suffer.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::world::{Decision, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";

fn index(repo: &Repo<'_>) -> PathBuf {
    repo.path.join(".git/gate/index-v1.sqlite")
}

/// The verdict and all that is said of it; asked with and without the index, which must say the same.
#[track_caller]
fn check(repo: &Repo<'_>) -> Run {
    repo.run(&["check", GATE, "--env", "production", "--format", "json"])
}

fn verdict(run: &Run) -> String {
    run.json()["verdict"].as_str().unwrap_or("none").to_owned()
}

/// A gate that somebody rejected, so that an index that hides anything would let it through.
fn rejected_gate(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    assert_eq!(verdict(&check(&repo)), "allowed");
    reject(&repo);
    repo
}

fn reject(repo: &Repo<'_>) {
    repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "safety"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
}

#[test]
fn it_is_written_by_who_reads_and_extended_by_what_is_new() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    assert!(!index(&repo).exists());
    repo.run(&["check", GATE, "--env", "production", "--no-index"]).expect(0);
    assert!(!index(&repo).exists(), "who asks for no index leaves none");
    check(&repo).expect(0);
    let first = segments(&repo);
    assert_eq!(first, 1);
    let before = std::fs::read(index(&repo)).unwrap();
    check(&repo).expect(0);
    assert_eq!(std::fs::read(index(&repo)).unwrap(), before, "nothing new, nothing written");
    repo.write("README.md", "new\n").commit("j.doe", "Something new");
    check(&repo).expect(0);
    assert!(segments(&repo) > first);
}

fn segments(repo: &Repo<'_>) -> i64 {
    let connection = Connection::open(index(repo)).unwrap();
    connection.query_row("SELECT max(number) FROM segments", [], |row| row.get(0)).unwrap()
}

#[test]
fn any_byte_that_is_flipped_changes_no_verdict() {
    let world = World::new();
    let repo = rejected_gate(&world);
    let whole = check(&repo).expect(10).stdout;
    let whole = &whole[..whole.find("\"time\"").unwrap()];
    let good = std::fs::read(index(&repo)).unwrap();
    let step = (good.len() / 97).max(1);
    for at in (0..good.len()).step_by(step).chain([16, 18, 19, 24, 28, 44, 56, 60, 92, 96, 100]) {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        std::fs::write(index(&repo), &bad).unwrap();
        let found = repo.run_once(&["check", GATE, "--env", "production", "--format", "json"]);
        assert_eq!((found.status, &found.stdout[..whole.len()]), (10, whole), "byte {at}: {found}");
    }
}

#[test]
fn rows_that_are_changed_by_hand_change_no_verdict() {
    let world = World::new();
    let repo = rejected_gate(&world);
    for more in 0..6 {
        repo.write("README.md", format!("{more}\n")).commit("j.doe", "Something more");
    }
    check(&repo).expect(10);
    repo.write("README.md", "new\n").commit("j.doe", "Something new");
    check(&repo).expect(10);
    assert_eq!(segments(&repo), 2, "what is new stands behind what is much larger");
    let good = std::fs::read(index(&repo)).unwrap();
    for (sql, named) in [
        ("DELETE FROM segments WHERE number = (SELECT max(number) FROM segments)", false),
        ("DELETE FROM segments WHERE number > 0", false),
        ("DELETE FROM segments WHERE number = 1", true),
        ("DELETE FROM segments WHERE number = 0", true),
        ("DELETE FROM segments", true),
        ("DELETE FROM pages", true),
        ("DELETE FROM pages WHERE number = (SELECT min(number) FROM pages)", true),
        ("UPDATE pages SET bytes = zeroblob(8) WHERE number >> 24 = 1", true),
        ("UPDATE pages SET bytes = zeroblob(length(bytes)) WHERE number >> 24 = 1", true),
        ("UPDATE pages SET bytes = zeroblob(length(bytes)) WHERE number >> 24 = 2", true),
        ("UPDATE segments SET length = length - 1 WHERE number = 1", true),
        ("UPDATE segments SET length = -1 WHERE number = 1", true),
        ("UPDATE segments SET pages = zeroblob(length(pages)) WHERE number = 1", true),
        ("UPDATE segments SET digest = zeroblob(32) WHERE number = 1", true),
        (
            "INSERT INTO segments SELECT number + 1, digest, length, pages FROM segments WHERE number = 2",
            true,
        ),
        ("UPDATE segments SET number = -1 WHERE number = 0", true),
        ("DROP TABLE pages", true),
        ("ALTER TABLE segments ADD COLUMN more BLOB", true),
        (
            "ALTER TABLE pages RENAME TO p; CREATE VIEW pages AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 \
             FROM n) SELECT i AS number, x'00' AS bytes FROM n",
            true,
        ),
        ("CREATE TRIGGER t AFTER INSERT ON pages BEGIN DELETE FROM pages; END", true),
    ] {
        std::fs::write(index(&repo), &good).unwrap();
        Connection::open(index(&repo))
            .unwrap()
            .execute_batch(sql)
            .unwrap_or_else(|why| panic!("{sql}: {why}"));
        let found = repo.run_once(&["check", GATE, "--env", "production", "--format", "json"]).expect(10);
        assert_eq!(verdict(&found), "blocked", "{sql}");
        assert_eq!(found.stderr.contains("the index was not used"), named, "{sql}: {found}");
        let again = check(&repo).expect(10);
        assert!(!again.stderr.contains("the index"), "{sql} was mended: {again}");
    }
}

/// Puts so many commits that decide nothing on the mainline.
fn lengthen(repo: &Repo<'_>, commits: usize) {
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let mut tip = repo.rev("HEAD");
    for number in 0..commits {
        tip = repo.git(&["commit-tree", &tree, "-p", &tip, "-m", &format!("Nothing {number}")]);
    }
    repo.git(&["update-ref", "refs/heads/main", &tip]);
}

/// An index of many pages, of which an answer needs some: each of them in turn is damaged, or gone. Whoever is answered from
/// what is left would hear that the gate was never rejected.
#[test]
fn a_page_that_is_lost_while_it_is_read_changes_no_answer() {
    let world = World::new();
    let repo = rejected_gate(&world);
    // So many changed directories that their lists fill pages of their own.
    for number in 0..400 {
        repo.write(&format!("exceptions/another/v{number}/note"), "x\n");
    }
    repo.commit("j.doe", "Notes");
    lengthen(&repo, 300);
    let said = |run: &Run| ["verdict", "requirements", "decisions"].map(|key| run.json()[key].clone());
    let whole = said(&check(&repo).expect(10));
    let list = |repo: &Repo<'_>| {
        let run = repo.run_once(&["list", "--format", "json"]).expect(0);
        run.json()["gates"].clone()
    };
    let known = list(&repo);
    let good = std::fs::read(index(&repo)).unwrap();
    let pages: Vec<i64> = {
        let connection = Connection::open(index(&repo)).unwrap();
        let mut statement = connection.prepare("SELECT number FROM pages").unwrap();
        let numbers = statement.query_map([], |row| row.get(0)).unwrap();
        numbers.map(Result::unwrap).collect()
    };
    assert!(pages.len() > 4, "{pages:?}");
    // And again where something is new, so that what was lost is not written down as if it were known.
    for newer in [false, true] {
        if newer {
            lengthen(&repo, 400);
        }
        for page in &pages {
            for sql in [
                format!("UPDATE pages SET bytes = zeroblob(length(bytes)) WHERE number = {page}"),
                format!("DELETE FROM pages WHERE number = {page}"),
            ] {
                let damage = || {
                    std::fs::write(index(&repo), &good).unwrap();
                    Connection::open(index(&repo)).unwrap().execute_batch(&sql).unwrap();
                };
                damage();
                let found = repo.run_once(&["check", GATE, "--env", "production", "--format", "json"]);
                assert_eq!(said(&found.expect(10)), whole, "{sql}");
                let verified = repo.run(&["index", "verify", "--format", "json"]).json()["verified"].clone();
                assert_ne!(verified, false, "{sql}");
                damage();
                assert_eq!(list(&repo), known, "{sql}");
                repo.run(&["index", "verify"]).expect(0);
            }
        }
    }
}

#[test]
fn what_decides_nothing_is_counted_once() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    for count in 1..=3 {
        repo.switch("main").git(&[
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "Words\n\nGate: \nGate-Action: approve\n",
        ]);
        let found = check(&repo).expect(0).json();
        let told =
            found["notices"].as_array().unwrap().iter().find(|notice| notice["code"] == "stray-trailers");
        let message = told.unwrap()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("{count} commits")), "{message}");
    }
}

/// What a mainline brought in that is gone again is no place of the one that went another way.
#[test]
fn changes_of_a_mainline_that_is_gone_are_no_changes() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    check(&repo).expect(0);
    let before = repo.rev("HEAD");
    lengthen(&repo, 40);
    repo.switch("main");
    repo.git(&["reset", "-q", "--hard", "HEAD"]);
    repo.incident("s.chen", "INC-1", GATE, None);
    repo.merge("l.wu", "main");
    repo.switch(&format!("gate/{GATE}"));
    repo.write(&format!("gates/{GATE}/CHANGE.md"), "Otherwise.\n").commit("j.doe", "Say it otherwise");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    check(&repo);
    repo.git(&["reset", "-q", "--hard", &before]);
    repo.run(&["trust", "--accept-rewind", "--yes"]);
    assert_eq!(verdict(&check(&repo)), "allowed");
}

#[test]
fn what_is_no_index_is_not_used() {
    let world = World::new();
    let repo = rejected_gate(&world);
    check(&repo).expect(10);
    let good = std::fs::read(index(&repo)).unwrap();
    for bad in [Vec::new(), b"not a database".to_vec(), good[..good.len() / 2].to_vec(), vec![0; 8192]] {
        std::fs::write(index(&repo), &bad).unwrap();
        assert_eq!(
            verdict(&repo.run_once(&["check", GATE, "--env", "production", "--format", "json"])),
            "blocked"
        );
    }
    for make in ["mkfifo index-v1.sqlite", "mkdir index-v1.sqlite", "ln -s /dev/zero index-v1.sqlite"] {
        let directory = repo.path.join(".git/gate");
        let script = format!("rm -rf index-v1.sqlite && {make}");
        assert!(
            std::process::Command::new("sh")
                .args(["-c", &script])
                .current_dir(directory)
                .status()
                .unwrap()
                .success()
        );
        let run = world.run_in_time(&repo.path, &["check", GATE, "--env", "production", "--format", "json"]);
        assert_eq!((run.status, verdict(&run).as_str()), (10, "blocked"), "{make}");
    }
}

#[test]
fn the_index_of_another_repository_is_not_used() {
    let world = World::new();
    let elsewhere = World::new();
    let other = elsewhere.governance_repo();
    other.allowed_gate(GATE);
    check(&other).expect(0);
    let repo = rejected_gate(&world);
    std::fs::create_dir_all(repo.path.join(".git/gate")).unwrap();
    std::fs::copy(index(&other), index(&repo)).unwrap();
    assert_eq!(verdict(&check(&repo)), "blocked");
}

#[test]
fn the_index_of_another_history_of_the_same_root_is_used_as_far_as_it_goes() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    check(&repo).expect(0);
    let allowed = std::fs::read(index(&repo)).unwrap();
    let before = repo.git(&["rev-parse", "HEAD"]);
    reject(&repo);
    check(&repo).expect(10);
    // As if somebody put back the index from before the rejection.
    std::fs::write(index(&repo), &allowed).unwrap();
    assert_eq!(verdict(&check(&repo)), "blocked");
    // The mainline goes back, and another way: the mark says so; who accepts it gets the verdict of that history.
    let blocked = std::fs::read(index(&repo)).unwrap();
    repo.git(&["reset", "-q", "--hard", &before]);
    check(&repo).expect(3);
    repo.run(&["trust", "--accept-rewind", "--yes"]);
    std::fs::write(index(&repo), &blocked).unwrap();
    assert_eq!(verdict(&check(&repo)), "allowed");
    repo.write("README.md", "another way\n").commit("j.doe", "Another way");
    assert_eq!(verdict(&check(&repo)), "allowed");
}

#[test]
fn another_trust_root_has_another_index() {
    let world = World::new();
    let repo = rejected_gate(&world);
    check(&repo).expect(10);
    let tip = repo.git(&["rev-parse", "HEAD"]);
    let args = ["check", GATE, "--env", "production", "--format", "json", "--root", &tip];
    let from_tip = repo.run_once(&args);
    assert_eq!(verdict(&from_tip), "blocked", "it stood before that root: {from_tip}");
    assert!(from_tip.stderr.contains("another trust root"), "{from_tip}");
    assert_eq!(verdict(&check(&repo)), "blocked");
}

#[test]
fn a_repository_that_cannot_be_written_is_read_without() {
    let world = World::new();
    let repo = rejected_gate(&world);
    std::fs::remove_dir_all(repo.path.join(".git/gate")).unwrap();
    repo.write(".git/gate", "a file where the directory would be");
    assert_eq!(verdict(&check(&repo)), "blocked");
    assert!(!index(&repo).exists());
}

#[test]
fn work_trees_share_it_and_a_bare_repository_has_its_own() {
    let world = World::new();
    let repo = rejected_gate(&world);
    let tree = world.dir().join("linked");
    repo.git(&["worktree", "add", "-q", "--detach", tree.to_str().unwrap()]);
    let args = ["check", GATE, "--env", "production", "--format", "json"];
    assert_eq!(verdict(&world.run(&tree, &args)), "blocked");
    assert!(index(&repo).exists());
    let bare = repo.clone_to("bare.git", true);
    assert_eq!(verdict(&bare.run(&args)), "blocked");
    assert!(bare.path.join("gate/index-v1.sqlite").exists());
}

#[test]
fn a_forgery_with_its_own_digests_is_told_by_who_compares() {
    let world = World::new();
    let repo = rejected_gate(&world);
    check(&repo).expect(10);
    let said = repo.run(&["index", "verify", "--format", "json"]).expect(0).json();
    assert_eq!((&said["state"], &said["verified"]), (&"current".into(), &true.into()));
    let connection = Connection::open(index(&repo)).unwrap();
    let read = |sql: &str| -> Vec<u8> { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let before = read("SELECT digest FROM segments WHERE number = 0");
    let mut page = read("SELECT bytes FROM pages WHERE number = 1 << 24");
    // The first commit's date.
    page[48 + 40] ^= 1;
    let mut digests = read("SELECT pages FROM segments WHERE number = 1");
    digests[..32].copy_from_slice(&Sha256::digest(&page));
    let length: i64 =
        connection.query_row("SELECT length FROM segments WHERE number = 1", [], |row| row.get(0)).unwrap();
    let digest = Sha256::new()
        .chain_update(before)
        .chain_update(length.to_le_bytes())
        .chain_update(&digests)
        .finalize();
    connection.execute("DELETE FROM segments WHERE number > 1", []).unwrap();
    connection.execute("UPDATE pages SET bytes = ?1 WHERE number = 1 << 24", (&page,)).unwrap();
    connection
        .execute("UPDATE segments SET pages = ?1, digest = ?2 WHERE number = 1", (&digests, &digest.to_vec()))
        .unwrap();
    drop(connection);
    let said = repo.run(&["index", "verify", "--format", "json"]).expect(10).json();
    assert_eq!(said["verified"], false);
    assert!(repo.run(&["index", "verify"]).expect(10).stdout.contains("it says something else"));
    repo.run(&["index", "rebuild"]).expect(0);
    repo.run(&["index", "verify"]).expect(0);
    for (format, word) in [("text", "current"), ("markdown", "current"), ("json", "\"commits\":")] {
        assert!(
            repo.run(&["index", "status", "--format", format]).expect(0).stdout.contains(word),
            "{format}"
        );
    }
}

#[test]
fn status_says_what_it_knows() {
    let world = World::new();
    let repo = rejected_gate(&world);
    let state = || repo.run(&["index", "status", "--format", "json"]).expect(0).json()["state"].clone();
    std::fs::remove_file(index(&repo)).unwrap();
    assert_eq!(state(), "none");
    check(&repo).expect(10);
    assert_eq!(state(), "current");
    repo.write("README.md", "new\n").commit("j.doe", "Something new");
    assert_eq!(state(), "behind");
    check(&repo).expect(10);
    repo.git(&["reset", "-q", "--hard", "HEAD^"]);
    assert_eq!(state(), "elsewhere");
    std::fs::write(index(&repo), "rubbish").unwrap();
    assert_eq!(state(), "unfit");
    repo.run(&["index", "verify"]).expect(10);
}

/// After each of what a few people do, at random, every gate is asked about; [`World::run`] compares. What they do includes
/// what an index could get wrong: contents that come back, merges that take one side, files that nobody signed.
#[test]
fn whatever_happens_the_index_says_what_the_history_says() {
    const GATES: [&str; 2] = [GATE, "summarizer/v1.5"];
    for seed in 1..=2u64 {
        let world = World::new();
        let repo = world.governance_repo();
        for gate in GATES {
            repo.open("j.doe", gate);
        }
        let mut state = seed;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for step in 0..18 {
            let gate = GATES[usize::try_from(next(2)).unwrap()];
            let branch = format!("gate/{gate}");
            let change = format!("Change {}\n", next(3));
            let other = format!("{step}\n");
            match next(10) {
                0 => drop(repo.approve("j.rivera", gate, "ml-lead")),
                1 => drop(repo.approve("s.chen", gate, "product-lead")),
                2 => drop(repo.decide("s.chen", &Decision::reject(gate, "product-lead", "safety"))),
                3 => drop(repo.decide("s.chen", &Decision::withdraw(gate))),
                4 | 5 => {
                    repo.switch(&branch).write(&format!("gates/{gate}/CHANGE.md"), change);
                    repo.write(&format!("notes/{step}"), other).commit("j.doe", "Say it otherwise");
                }
                6 => {
                    repo.switch("main").write(&format!("gates/{gate}/CHANGE.md"), change);
                    repo.write(&format!("notes/{step}"), other).commit_unsigned("mallory", "Meddle");
                }
                7 => drop(repo.incident("s.chen", &format!("2026-{step}"), gate, None)),
                8 => {
                    repo.switch(&branch);
                    let side = if next(2) == 0 { "ours" } else { "theirs" };
                    repo.git_as(
                        "j.doe",
                        &["merge", "-q", "-S", "--no-ff", "-X", side, "-m", "Catch up", "main"],
                    );
                }
                _ => {
                    repo.switch("main");
                    let message = format!("Merge {branch}");
                    repo.git_as(
                        "l.wu",
                        &["merge", "-q", "-S", "--no-ff", "-X", "theirs", "-m", &message, &branch],
                    );
                }
            }
            for gate in GATES {
                repo.check_json(gate, "production");
            }
        }
        repo.run(&["index", "verify"]).expect(0);
    }
}

/// How often everything below is done, and by how many at a time; with `GIT_GATE_TEST_ROUNDS`, that often by 32, while four
/// are killed.
const ROUNDS: usize = 3;
const READERS: usize = 12;

#[test]
fn many_read_while_some_extend_and_some_are_killed() {
    let asked = std::env::var("GIT_GATE_TEST_ROUNDS").ok().and_then(|text| text.parse().ok());
    let (rounds, readers, to_kill) = asked.map_or((ROUNDS, READERS, 1), |rounds| (rounds, 32, 4));
    let world = World::new();
    let repo = rejected_gate(&world);
    for round in 0..rounds {
        if round % 3 == 0 {
            let _ = std::fs::remove_file(index(&repo));
        }
        repo.write("README.md", format!("{round}\n")).commit("j.doe", "Something new");
        let mut all: Vec<Child> = (0..readers).map(|_| start(&world, &repo.path)).collect();
        for number in 0..to_kill {
            let mut killed = start(&world, &repo.path);
            let at = (round + 7 * number) % 23;
            std::thread::sleep(std::time::Duration::from_millis(u64::try_from(at).unwrap()));
            killed.kill().unwrap();
            killed.wait().unwrap();
        }
        for child in all.drain(..) {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(10), "{}", String::from_utf8_lossy(&output.stderr));
            let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(said["verdict"], "blocked");
        }
        assert_eq!(verdict(&check(&repo)), "blocked");
        repo.run(&["index", "verify"]).expect(0);
    }
}

fn start(world: &World, dir: &Path) -> Child {
    let mut command =
        world.program_of("j.doe", dir, &["check", GATE, "--env", "production", "--format", "json"]);
    command.stdin(Stdio::null()).spawn().unwrap()
}
