//! Configuration, hooks and environment that would have the reader run or read something else.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::world::World;

/// Everything that only reads.
const READING: [&[&str]; 6] = [
    &["check", GATE, "--env", "production"],
    &["show", GATE],
    &["ready", GATE],
    &["policy", "show"],
    &["policy", "status"],
    &["policy", "lint"],
];

#[test]
fn a_hostile_config_starts_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let marker = world.dir().join("marker");
    let script = world.dir().join("script");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.to_str().unwrap();
    let hooks = world.dir().join("hooks");
    std::fs::create_dir(&hooks).unwrap();
    for hook in
        ["post-index-change", "reference-transaction", "post-checkout", "pre-commit", "fsmonitor-watchman"]
    {
        std::fs::copy(script, hooks.join(hook)).unwrap();
    }
    for (key, value) in [
        ("gpg.ssh.program", script),
        ("gpg.program", script),
        ("gpg.ssh.defaultKeyCommand", script),
        ("core.fsmonitor", script),
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.sshCommand", script),
        ("core.pager", script),
        ("core.editor", script),
        ("core.askPass", script),
        ("core.alternateRefsCommand", script),
        ("credential.helper", script),
        ("diff.external", script),
        ("filter.x.clean", script),
        ("filter.x.smudge", script),
        ("uploadpack.packObjectsHook", script),
        ("alias.gate", &format!("!{script}")),
        ("alias.log", &format!("!{script}")),
        ("include.path", "/dev/null/nowhere"),
        ("remote.origin.url", &format!("ext::{script}")),
        ("remote.origin.uploadpack", script),
        ("protocol.ext.allow", "always"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
    ] {
        repo.git(&["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=", "config", key, value]);
    }
    repo.write(".gitattributes", "* filter=x diff=x\n");
    let _ = std::fs::remove_file(&marker);
    for args in READING {
        repo.run(args).expect(0);
        assert!(!marker.exists(), "{args:?}");
    }
    // The trap works: plain git falls into it.
    world.try_git(&repo.path, &["status"]);
    assert!(marker.exists());
}

#[test]
fn what_an_include_says_is_not_honoured() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let included = world.dir().join("included");
    repo.git(&["config", "include.path", included.to_str().unwrap()]);
    std::fs::write(&included, "[extensions]\n\tobjectFormat = sha256\n[gate]\n\tmainline = elsewhere\n")
        .unwrap();
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn nothing_that_a_config_names_is_opened() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let trap = world.dir().join("trap");
    let trap = trap.to_str().unwrap();
    let mkfifo = |path: &str| {
        world.shell(&world.dir(), &world.dir(), &[], &format!("rm -f {path}; mkfifo {path}")).expect(0);
    };
    mkfifo(trap);
    let before = std::fs::read_to_string(repo.path.join(".git/config")).unwrap();
    let includes = "[include]\n\tpath = TRAP\n[includeIf \"gitdir:**\"]\n\tpath = TRAP\n";
    let files = "[core]\n\tattributesFile = TRAP\n\texcludesFile = TRAP\n\tworktree = TRAP\n";
    let config = [&before, includes, files].concat().replace("TRAP", trap);
    repo.write(".git/config", config);
    for args in READING {
        world.run_in_time(&repo.path, args).expect(0);
    }
    repo.write(".git/config", &before);
    for path in ["gate/seen/refs.heads.main", "refs/heads/deployments/production", "packed-refs", "config"] {
        let path = repo.path.join(".git").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        mkfifo(path.to_str().unwrap());
        let run = world.run_in_time(&repo.path, &["check", GATE, "--env", "production", "--format", "json"]);
        undecided(&run, "unreadable-file");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_config_that_git_refuses_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let before = std::fs::read_to_string(repo.path.join(".git/config")).unwrap();
    repo.write(".git/config", format!("{before}[gate]\n\tmainline = \"elsewhere\n"));
    refused(&repo, "unreadable-file");
    // Valueless, it is no branch: never the default.
    repo.write(".git/config", format!("{before}[gate]\n\tmainline\n"));
    refused(&repo, "bad-ref");
    repo.write(".git/config", format!("{before}[core]\n\trepositoryFormatVersion = 2\n"));
    refused(&repo, "unknown-extension");
    let large = std::fs::File::create(repo.path.join(".git/config")).unwrap();
    large.set_len(1 << 36).unwrap();
    refused(&repo, "unreadable-file");
}

#[test]
fn git_variables_do_not_move_the_repository() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(verdict(&check(&repo)), "pending");
    let other = repo.clone_to("other", false);
    other.git(&["switch", "-q", "main"]);
    other.git(&["config", "--remove-section", "remote.origin"]);
    other.git(&["branch", &format!("gate/{GATE}")]);
    other.approve("j.rivera", GATE, "ml-lead");
    other.approve("s.chen", GATE, "product-lead");
    other.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(verdict(&check(&other)), "allowed requirements");
    let git = other.path.join(".git");
    let (git, objects) = (git.to_str().unwrap(), git.join("objects"));
    let objects = objects.to_str().unwrap();
    let text = world.dir().join("config");
    std::fs::write(&text, format!("[gate]\n\troot = {}\n\tmainline = elsewhere\n", repo.rev("main")))
        .unwrap();
    let args = ["check", GATE, "--env", "production", "--format", "json"];
    for (name, value) in [
        ("GIT_DIR", git),
        ("GIT_COMMON_DIR", git),
        ("GIT_OBJECT_DIRECTORY", objects),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects),
        ("GIT_NAMESPACE", "other"),
        ("GIT_SHALLOW_FILE", text.to_str().unwrap()),
        ("GIT_GRAFT_FILE", text.to_str().unwrap()),
        ("GIT_REPLACE_REF_BASE", "refs/heads/"),
        ("GIT_CONFIG", text.to_str().unwrap()),
        ("GIT_INDEX_FILE", "/dev/null"),
        ("GIT_WORK_TREE", other.path.to_str().unwrap()),
    ] {
        let run = world.run_with(&repo.path, &args, &[(name, value)]).expect(11);
        assert_eq!(run.json()["mainline"]["commit"], *repo.rev("main"), "{name}");
        assert!(run.stderr.contains(name) && run.stderr.contains("not honoured"), "{run}");
    }
    for variables in [
        &[("GIT_CONFIG_GLOBAL", text.to_str().unwrap()), ("GIT_CONFIG_NOSYSTEM", "")][..],
        &[("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "gate.root"), ("GIT_CONFIG_VALUE_0", "x")],
        &[("GIT_CONFIG_PARAMETERS", "'gate.root=x' 'gate.mainline=elsewhere'")],
    ] {
        let run = world.run_with(&repo.path, &args, variables).expect(11);
        assert_eq!(run.json()["root"]["commit"], *repo.root, "{variables:?}");
    }
}

#[test]
fn variables_and_global_configuration_pin_no_trust_root() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git(&["config", "--unset", "gate.root"]);
    let text = world.dir().join("home/.gitconfig");
    std::fs::write(&text, format!("[gate]\n\troot = {}\n", repo.root)).unwrap();
    let text = text.to_str().unwrap();
    let parameters = format!("'gate.root={}'", repo.root);
    let args = ["check", GATE, "--env", "production", "--format", "json"];
    for variables in [
        &[("GIT_CONFIG_GLOBAL", text)][..],
        &[("GIT_CONFIG_SYSTEM", text), ("GIT_CONFIG_NOSYSTEM", "0")],
        &[("GIT_CONFIG_PARAMETERS", parameters.as_str())],
        &[("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "gate.root"), ("GIT_CONFIG_VALUE_0", &repo.root)],
    ] {
        undecided(&world.run_with(&repo.path, &args, variables), "no-trust-root");
    }
    repo.git(&["config", "extensions.worktreeConfig", "true"]);
    repo.git(&["config", "--worktree", "gate.root", &repo.root]);
    refused(&repo, "no-trust-root");
}

#[test]
fn a_key_without_a_value_breaks_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let before = std::fs::read_to_string(repo.path.join(".git/config")).unwrap();
    repo.write(".git/config", format!("{before}[http]\n\tsslVerify\n[gate]\n\tother\n"));
    repo.git(&["status"]);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}
