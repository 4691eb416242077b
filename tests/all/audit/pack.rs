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

const REPORT: &str = "gates/summarizer/v1.4/evidence/evaluation.json";

/// Two versions, whose policy takes evaluations from the pipeline alone: the first has one of it, the second one that `who`
/// signed in its name, and is deployed all the same.
fn attested<'w>(world: &'w World, who: Option<&str>) -> (Repo<'w>, PathBuf, PathBuf) {
    let table = "[evidence.evaluation]\n";
    let policy = Policy::small().replacing(table, &format!("{table}attested_by = [\"eval-ci\"]\n"));
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 99}}\n")
        .commit("eval-ci", "Evaluate");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.open("j.doe", NEXT);
    repo.write(&REPORT.replace(GATE, NEXT), "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 99}}\n");
    repo.git(&["add", "-A"]);
    let forged = ["commit", "-q", "-m", "Evaluate", "--author=eval-ci <eval-ci@example.com>"];
    match who {
        Some(who) => repo.git_as(who, &[&forged[..], &["-S"]].concat()),
        None => repo.git_as("eval-ci", &forged),
    };
    repo.write("notes.txt", "x").commit("eval-ci", "Note");
    repo.merge("l.wu", &format!("gate/{NEXT}"));
    repo.log("bot", "production", &attacks::glass(&repo, NEXT));
    let pack = world.dir().join("pack");
    repo.run(&["audit", "--pack", pack.to_str().unwrap()]).expect(10);
    (repo, programs(world), pack)
}

#[test]
fn a_pack_shows_who_signed_a_report_that_only_some_may_bring() {
    let world = World::new();
    let (repo, bin, pack) = attested(&world, Some("j.doe"));
    let run = verify(&world, &bin, &pack, None).expect(0);
    assert!(run.stdout.contains("1 reports are signed by nobody whom the policy takes them from"), "{run}");
    let brought = repo.git(&["log", "-1", "--format=%H", "--", REPORT]);
    let rows = std::fs::read_to_string(pack.join("evidence.tsv")).unwrap();
    let row = rows.lines().find(|row| row.contains(REPORT)).unwrap();
    assert!(row.contains(&format!("\t{brought}\teval-ci@example.com\t")), "{rows}");
    let report: Value = serde_json::from_slice(&std::fs::read(pack.join("report.json")).unwrap()).unwrap();
    let evidence = |at: usize| &report["deployments"][at]["then"]["evidence"];
    let by = |at: usize| {
        let one = evidence(at).as_array().unwrap().iter().find(|one| one["kind"] == "evaluation").unwrap();
        one["attested"].clone()
    };
    assert_eq!(by(0)["principal"], "eval-ci@example.com");
    assert_eq!(by(1)["principal"], Value::Null);
    assert_eq!(by(1)["roles"], serde_json::json!(["eval-ci"]));
    let others = evidence(0).as_array().unwrap().iter().filter(|one| one["kind"] != "evaluation");
    assert!(others.clone().count() > 0 && others.into_iter().all(|one| one["attested"].is_null()));
}

#[test]
fn a_forged_commit_that_brings_a_report_is_found_by_whoever_has_the_pack() {
    for who in [Some("j.doe"), None] {
        let world = World::new();
        let (repo, bin, pack) = attested(&world, who);
        let table = pack.join("evidence.tsv");
        let honest = std::fs::read_to_string(&table).unwrap();
        let forged = repo.git(&["log", "-1", "--format=%H", "--", &REPORT.replace(GATE, NEXT)]);
        let genuine = repo.git(&["log", "-1", "--format=%H", "--", REPORT]);
        let later = repo.git(&["log", "-1", "--format=%H", "--", "notes.txt"]);
        let opened = repo.rev(&format!("{genuine}^"));
        let keys = "0001.allowed_signers";
        for (by, said) in [
            // A commit that bears the pipeline's name; a word of the pipeline about something else; none at all.
            (format!("{forged}\teval-ci@example.com"), "is not signed by eval-ci@example.com"),
            (format!("{genuine}\teval-ci@example.com"), "is not what"),
            (format!("{opened}\teval-ci@example.com"), "is not signed by eval-ci@example.com"),
            (format!("{later}\teval-ci@example.com"), "has it"),
            (format!("{}\teval-ci@example.com", "1".repeat(40)), "is not signed by eval-ci@example.com"),
        ] {
            let changed = honest.replace("unattested\t-\t-", &format!("{by}\t{keys}"));
            assert_ne!(changed, honest);
            std::fs::write(&table, changed).unwrap();
            sum_again(&world, &pack);
            let run = verify(&world, &bin, &pack, None).expect(1);
            assert!(run.stderr.contains(said), "{said}: {run}");
        }
        // Keys that make it the pipeline's.
        let changed = honest.replace("unattested\t-\t-", &format!("{forged}\teval-ci@example.com\t{keys}"));
        std::fs::write(&table, changed).unwrap();
        let signers = std::fs::read_to_string(pack.join("keys").join(keys)).unwrap();
        let swapped = signers.replace("eval-ci@", "x@").replace("j.doe@", "eval-ci@");
        std::fs::write(pack.join("keys").join(keys), swapped).unwrap();
        sum_again(&world, &pack);
        let run = verify(&world, &bin, &pack, None).expect(1);
        assert!(run.stderr.contains("never stood on the mainline"), "{run}");
    }
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
