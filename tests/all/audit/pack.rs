//! `audit --pack`: checked by a shell with git, ssh-keygen and sha256sum, and no git-gate.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::*;

/// A directory of programs without git-gate, for `PATH`.
fn programs(world: &World) -> PathBuf {
    let bin = world.dir().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in [
        "sh",
        "git",
        "ssh-keygen",
        "sha256sum",
        "dirname",
        "mktemp",
        "rm",
        "grep",
        "sed",
        "sort",
        "cut",
        "cmp",
        "find",
        "head",
        "wc",
        "cat",
        "tr",
    ] {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|directory| directory.join(name))
            .find(|path| path.exists())
            .unwrap_or_else(|| panic!("{name} is not there"));
        std::os::unix::fs::symlink(found, bin.join(name)).unwrap();
    }
    bin
}

fn verify(world: &World, bin: &Path, pack: &Path, digest: Option<&str>) -> Run {
    let mut command = std::process::Command::new(bin.join("sh"));
    command.arg(pack.join("verify.sh")).args(digest).env_clear().env("PATH", bin).env("HOME", world.dir());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Run::of(command, b"")
}

fn packed(world: &World) -> (Repo<'_>, PathBuf, PathBuf, String) {
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.deploy_record("bot", GATE, "staging", "requirements");
    repo.merge("l.wu", "deployments/production");
    repo.allowed_gate(NEXT);
    repo.deploy_record("bot", NEXT, "production", "requirements");
    let clone = repo.clone_to("auditor", false);
    let pack = world.dir().join("pack");
    let run = clone.run(&["audit", "--pack", pack.to_str().unwrap()]).expect(0);
    let digest =
        run.stderr.split("SHA256SUMS ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    (repo, programs(world), pack, digest)
}

/// Makes the list of digests fit what is there.
fn sum_again(world: &World, pack: &Path) {
    let script = "find . -type f | sed 's|^\\./||' | grep -v SHA256SUMS | LC_ALL=C sort | xargs sha256sum > SHA256SUMS";
    world.shell(pack, &world.dir(), &[], script).expect(0);
}

#[test]
fn a_pack_is_checked_without_this_program() {
    let world = World::new();
    let (_repo, bin, pack, digest) = packed(&world);
    let run = verify(&world, &bin, &pack, Some(&digest)).expect(0);
    assert!(run.stdout.contains("all of it holds"), "{}", run.stdout);
    assert!(run.stdout.contains("7 signatures"), "{}", run.stdout);
    verify(&world, &bin, &pack, None).expect(0);
    verify(&world, &bin, &pack, Some(&"0".repeat(64))).expect(1);
    // And judged again from it, with it.
    world.git(&world.dir(), &["clone", "-q", pack.join("history.bundle").to_str().unwrap(), "again"]);
    let report: Value = serde_json::from_slice(&std::fs::read(pack.join("report.json")).unwrap()).unwrap();
    let (root, time) = (report["root"].as_str().unwrap(), report["time"].as_str().unwrap());
    let args = ["--root", root, "audit", "--time", time, "--format", "json"];
    let again = world.run(&world.dir().join("again"), &args).expect(0).json();
    assert_eq!(again["deployments"], report["deployments"]);
}

#[test]
fn a_pack_that_was_changed_fails() {
    type Change = (&'static str, &'static str, &'static str);
    let changes: [Change; 7] = [
        ("report.json", "allowed", "denied"),
        ("records.tsv", "Gate-Basis: requirements", "Gate-Basis: rollback"),
        ("signatures.tsv", "s.chen@example.com", "k.berg@example.com"),
        ("keys/0001.allowed_signers", "j.rivera@example.com", "k.rivera@example.com"),
        ("contents.tsv", "sha256:", "sha256:0"),
        ("evidence.tsv", "sha256:", "sha256:0"),
        ("logs/production", "\n", ""),
    ];
    for (file, from, to) in changes {
        let world = World::new();
        let (_repo, bin, pack, digest) = packed(&world);
        let path = pack.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        verify(&world, &bin, &pack, None).expect(1);
        // Whoever writes the sums anew is found out by the tables, or by the digest that was told.
        sum_again(&world, &pack);
        verify(&world, &bin, &pack, Some(&digest)).expect(1);
        let alone = verify(&world, &bin, &pack, None);
        assert_eq!(alone.status, i32::from(file != "report.json"), "{file}: {}", alone.stdout);
    }
}

#[test]
fn a_pack_with_another_history_fails() {
    let world = World::new();
    let (repo, bin, pack, _digest) = packed(&world);
    repo.deploy_record("mallory", GATE, "production", "requirements");
    let bundle = pack.join("history.bundle");
    repo.git(&["bundle", "create", "-q", bundle.to_str().unwrap(), "HEAD", "--branches"]);
    sum_again(&world, &pack);
    let run = verify(&world, &bin, &pack, None).expect(1);
    assert!(run.stderr.contains("the log of production"), "{}", run.stderr);
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    sum_again(&world, &pack);
    verify(&world, &bin, &pack, None).expect(1);
}

#[test]
fn a_pack_is_written_into_no_directory_that_holds_something() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let answer = audit(&repo, &["--pack", "."]).expect(3).json();
    assert_eq!(answer["code"], "not-empty");
}
