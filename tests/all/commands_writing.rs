//! Commands that write: what stands in the repository afterwards, as plain git sees it.

#![expect(clippy::disallowed_methods, reason = "the tests write files and hooks")]

use std::os::unix::fs::PermissionsExt;

use crate::world::{Repo, World};

const GATE: &str = "summarizer/v1.4";

/// A person's own configuration, in place of a repository's.
fn as_person<'a>(world: &World, who: &str) -> Vec<(&'a str, String)> {
    let home = world.dir().join(format!("config-{who}"));
    let text = format!(
        "[user]\n\tname = {who}\n\temail = {who}@example.com\n\tsigningkey = {}\n[gpg]\n\tformat = ssh\n",
        world.key(who).display()
    );
    std::fs::write(&home, text).unwrap();
    vec![("GIT_CONFIG_GLOBAL", home.to_str().unwrap().to_owned())]
}

#[track_caller]
fn run(repo: &Repo<'_>, who: &str, args: &[&str], status: i32) -> crate::world::Run {
    let variables = as_person(repo.world, who);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    repo.world.run_with(&repo.path, args, &variables).expect(status)
}

#[test]
fn a_repository_made_by_init_goes_all_the_way_to_a_merge() {
    let world = World::new();
    let variables = as_person(&world, "a.ng");
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.run_with(&world.dir(), &["init", "fresh"], &variables).expect(0);
    let path = world.dir().join("fresh");
    let root = world.git(&path, &["rev-parse", "main"]);
    assert_eq!(world.git(&path, &["config", "gate.root"]), root);
    assert_eq!(world.git(&path, &["status", "--porcelain"]), "");
    assert_eq!(
        world.git(&path, &["ls-tree", "-r", "--name-only", "main"]),
        ".schema/cover.json\n.schema/exception.json\n.schema/gate.json\n.schema/incident.json\n.schema/policy.json\n\
         .schema/rollback.json\nREADME.md\npolicy/allowed_signers\npolicy/policy.toml"
    );
    let signers = path.join("policy/allowed_signers");
    let setting = format!("gpg.ssh.allowedSignersFile={}", signers.display());
    world.git(&path, &["-c", &setting, "verify-commit", "main"]);
    let again = world.run_with(&path, &["init"], &variables).expect(3);
    assert!(again.stderr.contains("[not-empty]"), "{again}");
}

#[test]
fn each_step_is_one_signed_commit_that_changes_what_it_says() {
    let world = World::new();
    let repo = world.governance_repo();
    let branch = format!("gate/{GATE}");
    repo.write("../report.json", "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 100}}")
        .write("../CHANGE.md", "Why\n")
        .write("../artifact/prompt.txt", "Summarize\n");
    run(&repo, "j.doe", &["open", GATE, "--kind", "prompt", "--summary", "Fewer hallucinations"], 0);
    let report = run(&repo, "j.doe", &["attach", GATE, "evaluation", "../report.json"], 0);
    assert!(report.stdout.contains("`hallucination_rate` is 0.02, 100 samples"), "{report}");
    run(&repo, "j.doe", &["attach", GATE, "change-description", "../CHANGE.md", "--name", "CHANGE.md"], 0);
    run(&repo, "j.doe", &["artifact", GATE, "prompt.txt", "../artifact/prompt.txt"], 0);
    let tree = |revision: &str| repo.git(&["ls-tree", "-r", "--name-only", revision, "gates/"]);
    assert_eq!(
        tree(&branch),
        format!("gates/{GATE}/CHANGE.md\ngates/{GATE}/evidence/evaluation.json\ngates/{GATE}/gate.toml")
    );
    run(&repo, "j.doe", &["detach", GATE, "evaluation"], 0);
    assert_eq!(tree(&branch), format!("gates/{GATE}/CHANGE.md\ngates/{GATE}/gate.toml"));
    run(&repo, "j.doe", &["attach", GATE, "evaluation", "../report.json"], 0);
    run(&repo, "j.rivera", &["approve", GATE, "--yes"], 0);
    run(&repo, "s.chen", &["approve", GATE, "--yes", "--env", "production"], 0);
    let (mainline, tip) = (repo.rev("main"), repo.rev(&branch));
    run(&repo, "l.wu", &["merge", GATE], 0);
    assert_eq!(repo.git(&["rev-parse", "main^1", "main^2"]), format!("{mainline}\n{tip}"));
    assert_eq!(repo.rev("main^{tree}"), repo.rev(&format!("{tip}^{{tree}}")));
    for commit in repo.git(&["rev-list", "main"]).lines() {
        repo.git_verifies(commit).expect(0);
        assert_eq!(
            repo.git(&["log", "-1", "--format=%an%ae%at", commit]),
            repo.git(&["log", "-1", "--format=%cn%ce%ct", commit])
        );
    }
    repo.git(&["fsck", "--strict"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "", "the mainline is checked out, and follows");
    let again = run(&repo, "l.wu", &["merge", GATE], 3);
    assert!(again.stderr.contains("[nothing-changed]"), "{again}");
    repo.git(&["branch", "-D", &branch]);
    run(&repo, "s.chen", &["reject", GATE, "--reason", "quality", "--yes"], 0);
    assert_eq!(
        repo.rev(&format!("{branch}^")),
        repo.rev("main"),
        "the branch is made anew from the mainline"
    );
}

#[test]
fn what_is_checked_out_follows_or_nothing_is_written() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let report = format!("gates/{GATE}/evidence/evaluation.json");
    repo.write("../new.json", "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 9}}")
        .write(&report, "{\"half\": \"done\"}");
    let before = repo.rev("HEAD");
    let refused = run(&repo, "j.doe", &["attach", GATE, "evaluation", "../new.json"], 3);
    assert!(refused.stderr.contains("[checkout-dirty]"), "{refused}");
    assert_eq!(repo.rev("HEAD"), before);
    assert_eq!(std::fs::read_to_string(repo.path.join(&report)).unwrap(), "{\"half\": \"done\"}");
    repo.git(&["restore", "."]);
    repo.write("unrelated.txt", "mine");
    run(&repo, "j.doe", &["attach", GATE, "evaluation", "../new.json"], 0);
    assert_eq!(repo.git(&["status", "--porcelain"]), "?? unrelated.txt");
    assert!(std::fs::read_to_string(repo.path.join(&report)).unwrap().contains("0.01"));
    run(&repo, "j.doe", &["detach", GATE, "evaluation"], 0);
    assert!(!repo.path.join(&report).exists());
}

#[test]
fn what_is_written_is_pushed_and_a_push_that_fails_leaves_nothing() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    let bare = origin.clone_to("bare.git", true);
    let repo = bare.clone_to("clone", false);
    let branch = format!("gate/{GATE}");
    let before = bare.rev(&branch);
    let hook = bare.path.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\necho 'the mainline is closed today' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    let refs = repo.git(&["for-each-ref"]);
    let refused = run(&repo, "j.rivera", &["approve", GATE, "--yes"], 3);
    assert!(refused.stderr.contains("the mainline is closed today"), "{refused}");
    assert!(refused.stderr.contains("[push-failed]") && refused.stderr.contains("`--no-push`"), "{refused}");
    assert_eq!((repo.git(&["for-each-ref"]), bare.rev(&branch)), (refs, before.clone()));
    run(&repo, "j.rivera", &["approve", GATE, "--yes", "--no-push"], 0);
    assert_eq!(bare.rev(&branch), before);
    std::fs::remove_file(hook).unwrap();
    run(&repo, "s.chen", &["approve", GATE, "--yes"], 0);
    assert_eq!(bare.rev(&branch), repo.rev(&branch));
    assert_eq!(bare.rev(&format!("{branch}~2")), before);
    run(&repo, "l.wu", &["merge", GATE], 0);
    assert_eq!(bare.rev("main"), repo.rev("main"));
}

#[test]
fn a_conflict_is_never_merged() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.switch("other").write("file", "theirs");
    repo.commit("l.wu", "theirs");
    repo.open("j.doe", GATE);
    repo.write("file", "ours");
    repo.commit("j.doe", "ours");
    repo.merge("l.wu", "other");
    let before = repo.rev("main");
    let refused = run(&repo, "l.wu", &["merge", GATE], 3);
    assert!(refused.stderr.contains("[merge-conflict]") && refused.stderr.contains("`file`"), "{refused}");
    assert_eq!(repo.rev("main"), before);
}

#[test]
fn the_trust_root_is_pinned_by_its_full_id_on_the_mainline() {
    let world = World::new();
    let repo = world.governance_repo();
    let gate_commit = repo.open("j.doe", GATE);
    let merged = repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.run(&["trust", "main"]).expect(2);
    assert!(repo.run(&["trust", &gate_commit]).expect(3).stderr.contains("[root-not-on-mainline]"));
    let asked = repo.run(&["trust", &merged]).expect(3);
    assert!(asked.stderr.contains("[declined]") && asked.stderr.contains(GATE), "{asked}");
    assert_eq!(repo.git(&["config", "gate.root"]), repo.root);
    repo.run(&["trust", &merged, "--yes"]).expect(0);
    assert_eq!(repo.git(&["config", "gate.root"]), merged);
}

#[test]
fn the_statuses_are_those_of_the_design() {
    let world = World::new();
    let repo = world.governance_repo();
    assert!(repo.run(&["check", GATE, "--env", ""]).expect(2).stderr.contains("error:"));
    repo.run(&["no-such-command"]).expect(2);
    repo.run(&["--version"]).expect(0);
    let error = repo.run(&["trust", &"0".repeat(40), "--format", "json"]).expect(3).json();
    assert_eq!(error["schema"], "git-gate/error/1");
    assert_eq!(error["code"], "root-not-on-mainline");
    let elsewhere = world.run_with(&repo.path, &["trust", &repo.root], &[("GIT_DIR", "/nowhere")]).expect(0);
    assert!(elsewhere.stderr.contains("GIT_DIR"), "{elsewhere}");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_git-gate"))
        .arg("--help")
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(3));
}

#[test]
fn the_demo_runs_and_leaves_nothing_behind() {
    let world = World::new();
    let temp = world.dir().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let variables =
        [("TMPDIR", temp.to_str().unwrap()), ("GIT_COMMITTER_DATE", "@0 +0000"), ("GIT_DIR", "/nowhere")];
    let shown = world.run_with(&world.dir(), &["demo"], &variables).expect(0).stdout;
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("`{text}` is not in\n{shown}"));
    let story = [
        "\npending  summarizer/v1.4",
        "\nallowed  summarizer/v1.4",
        "a report is swapped",
        "stale-content",
        "an approval is forged",
        "unknown-key",
        "hallucinates",
        "\nblocked  summarizer/v1.5",
    ];
    let places: Vec<usize> = story.into_iter().map(at).collect();
    assert!(places.is_sorted(), "{places:?}\n{shown}");
    assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0);
}
