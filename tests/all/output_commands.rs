//! What the printing commands make of their arguments, and what `policy lint` finds.

#![expect(clippy::disallowed_methods, reason = "tests start the program and write what it reads")]

use std::path::Path;
use std::process::Command;

/// Runs the binary in `directory`; its status and output.
fn gate(directory: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_git-gate"))
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn status(args: &[&str]) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "x").unwrap();
    let (status, _stdout, stderr) = gate(directory.path(), args);
    (status, stderr)
}

const SHORT: &str = "3f2a91c";
const FULL: &str = "3f2a91c03f2a91c03f2a91c03f2a91c03f2a91c0";
const DIGEST: &str = "a=sha256:9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b";

#[test]
fn wrong_arguments_end_in_2() {
    let check = ["check", "s/v1", "--env", "production"];
    for args in [
        vec!["check"],
        vec!["check", "s/v1"],
        vec!["check", "s", "--env", "production"],
        vec!["check", "../v1", "--env", "production"],
        vec!["check", "s/v1", "--env", ""],
        vec!["check", "s/v1", "--env", "a b"],
        vec!["check", "s/v1", "--env", "a", "--env", "b"],
        [&check[..], &["--at", SHORT]].concat(),
        [&check[..], &["--at", "main"]].concat(),
        [&check[..], &["--at", ""]].concat(),
        [&check[..], &["--log", SHORT]].concat(),
        [&check[..], &["--seen", "HEAD"]].concat(),
        [&check[..], &["--root", SHORT]].concat(),
        [&check[..], &["--time", "yesterday"]].concat(),
        [&check[..], &["--time", "2026-11-22"]].concat(),
        [&check[..], &["--artifact", "a"]].concat(),
        [&check[..], &["--artifact", "a="]].concat(),
        [&check[..], &["--artifact", "=file"]].concat(),
        [&check[..], &["--artifact", "../a=file"]].concat(),
        [&check[..], &["--digest", "a=sha256:00"]].concat(),
        [&check[..], &["--artifact", "a=file", "--artifact", "a=other"]].concat(),
        [&check[..], &["--digest", DIGEST, "--digest", DIGEST]].concat(),
        [&check[..], &["--artifact", "a=no-such-file", "--digest", DIGEST]].concat(),
        [&check[..], &["--format", "xml"]].concat(),
        vec!["show"],
        vec!["show", "s/v1", "--env", ""],
        vec!["show", "policy"],
        vec!["ready"],
        vec!["ready", "s/v1", "--at", FULL],
        vec!["ready", "s/v1", "--artifact", "a=file"],
        vec!["policy"],
        vec!["policy", "lint", ""],
        vec!["policy", "lint", "a", "b"],
        vec!["policy", "nothing"],
    ] {
        let (status, stderr) = status(&args);
        assert_eq!(status, 2, "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{args:?}: {stderr}");
    }
}

#[test]
fn right_arguments_outside_of_a_repository_end_in_3() {
    for args in [
        vec!["check", "s/v1", "--env", "production"],
        vec![
            "check",
            "s/v1",
            "--env",
            "production",
            "--at",
            FULL,
            "--log",
            FULL,
            "--time",
            "2026-11-22T16:00:00Z",
        ],
        vec!["check", "s/v1", "--env", "production", "--artifact", "a=no-such-file"],
        vec!["show", "s/v1"],
        vec!["ready", "s/v1", "--env", "a", "--env", "b"],
        vec!["policy", "show"],
        vec!["policy", "status"],
        vec!["policy", "lint"],
        vec!["policy", "lint", "no-such-branch"],
    ] {
        let (status, stderr) = status(&args);
        assert_eq!(status, 3, "{args:?}: {stderr}");
    }
}

const POLICY: &str = include_str!("../../src/policy/examples/design.toml");
const SIGNERS: &str = include_str!("../../src/policy/examples/allowed_signers");

fn policy_directory(policy: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("policy")).unwrap();
    std::fs::write(directory.path().join("policy/policy.toml"), policy).unwrap();
    std::fs::write(directory.path().join("policy/allowed_signers"), SIGNERS).unwrap();
    directory
}

#[test]
fn a_policy_in_a_directory_is_linted_without_a_repository() {
    let directory = policy_directory(POLICY);
    for named in [".", "policy"] {
        let (status, stdout, stderr) = gate(directory.path(), &["policy", "lint", named]);
        assert_eq!(status, 0, "{stdout}{stderr}");
    }
}

#[test]
fn what_keeps_a_policy_from_coming_into_force_ends_in_10() {
    let directory = policy_directory(&POLICY.replace("[{ role = \"ml-lead\" }]", "[{ role = \"ml-laed\" }]"));
    let (status, stdout, _stderr) = gate(directory.path(), &["policy", "lint", "policy"]);
    assert_eq!(status, 10, "{stdout}");
    assert!(stdout.contains("ml-laed") && stdout.contains("policy/policy.toml:"), "{stdout}");
    let (status, stdout, _stderr) = gate(directory.path(), &["policy", "lint", "policy", "--format", "json"]);
    assert_eq!(status, 10, "{stdout}");
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["schema"], "git-gate/policy-lint/1");
    assert_eq!(found["violations"][0]["code"], "policy-unknown-role", "{found:#}");
}

#[test]
fn a_policy_that_does_not_read_ends_in_10_with_every_problem() {
    let directory = policy_directory("schema = 1\nid = 3\nno_such_key = true\n");
    let (status, stdout, _stderr) = gate(directory.path(), &["policy", "lint", "."]);
    assert_eq!(status, 10, "{stdout}");
    assert!(stdout.contains("no_such_key"), "{stdout}");
}

#[test]
fn a_policy_is_linted_in_the_work_tree_on_a_branch_and_at_a_commit() {
    let world = crate::world::World::new();
    let repo = world.governance_repo();
    let branch = repo.run(&["policy", "lint", "main"]).expect(0);
    let commit = repo.rev("main");
    assert!(branch.stdout.contains(&format!("policy@{}", &commit[..7])), "{branch}");
    repo.run(&["policy", "lint", &commit]).expect(0);
    let here = repo.run(&["policy", "lint"]).expect(0);
    assert!(here.stdout.ends_with("policy: nothing found\n") || here.stdout.contains("\npolicy: "), "{here}");
    let below = repo.world.run(&repo.path.join("policy"), &["policy", "lint"]).expect(0);
    assert!(below.stdout.contains("../policy: "), "{below}");
    let elsewhere = repo.world.run(&repo.world.dir(), &["-C", "governance", "policy", "lint"]).expect(0);
    assert!(elsewhere.stdout.contains("governance/policy: "), "{elsewhere}");
    repo.write("policy/policy.toml", "schema = 1\n");
    repo.run(&["policy", "lint"]).expect(10);
    repo.run(&["policy", "lint", "main"]).expect(0);
    repo.run(&["policy", "lint", &"12".repeat(20)]).expect(3);
}
