//! Putting the hooks in their place, and taking them away.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn hooks_are_installed_once_and_taken_away() {
    let world = World::new();
    let repo = world.governance_repo();
    let hooks = repo.path.join(".git/hooks");
    let first = repo.run(&["hook", "install", "--format", "json"]).expect(0).json();
    assert_eq!(first["installed"], serde_json::json!(["commit-msg", "pre-push"]));
    let before = std::fs::metadata(hooks.join("pre-push")).unwrap().modified().unwrap();
    let again = repo.run(&["hook", "install", "--format", "json"]).expect(0).json();
    assert_eq!((&again["installed"], &again["unchanged"]), (&serde_json::json!([]), &first["installed"]));
    assert_eq!(std::fs::metadata(hooks.join("pre-push")).unwrap().modified().unwrap(), before);
    // One that another version wrote, or that is no longer executable, is written anew.
    script(&hooks.join("pre-push"), "#!/bin/sh\n# git-gate hook: of long ago\n");
    std::fs::set_permissions(hooks.join("commit-msg"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let third = repo.run(&["hook", "install", "--format", "json"]).expect(0).json();
    assert_eq!(third["installed"], first["installed"]);
    let doctor = repo.run(&["doctor"]);
    assert!(doctor.stdout.contains("commit-msg, pre-push in"), "{doctor}");
    let gone = repo.run(&["hook", "uninstall", "--format", "json"]).expect(0).json();
    assert_eq!(gone["removed"], first["installed"]);
    assert!(!hooks.join("pre-push").exists() && !hooks.join("commit-msg").exists());
    let none = repo.run(&["hook", "uninstall"]).expect(0);
    assert!(none.stdout.starts_with("none of git-gate's in "), "{none}");
}

#[test]
fn another_hook_is_never_overwritten_and_runs_first_where_that_is_said() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let hooks = served.guarded.path.join("hooks");
    world.run(&served.guarded.path, &["hook", "uninstall", "--server", "."]).expect(0);
    let theirs = "#!/bin/sh\ncat >seen-by-theirs\n[ ! -e refuse ] || { echo theirs says no >&2; exit 7; }\n";
    script(&hooks.join("pre-receive"), theirs);
    let run = world.run(&served.guarded.path, &["hook", "install", "--server", "."]).expect(3);
    assert!(run.stderr.contains("[hook-exists]") && run.stderr.contains("--chain"), "{run}");
    assert_eq!(std::fs::read_to_string(hooks.join("pre-receive")).unwrap(), theirs);
    let install = ["hook", "install", "--server", ".", "--chain", "--format", "json"];
    let run = world.run(&served.guarded.path, &install).expect(0).json();
    assert_eq!(run["chained"], serde_json::json!(["pre-receive"]));
    let run = world.run(&served.guarded.path, &install).expect(0).json();
    assert_eq!(run["unchanged"], serde_json::json!(["pre-receive"]));
    // Both see the whole push, and either refuses.
    repo.open("j.doe", GATE);
    served.taken(&[BRANCH]);
    let seen = std::fs::read_to_string(served.guarded.path.join("seen-by-theirs")).unwrap();
    assert!(seen.contains(BRANCH), "{seen}");
    repo.approve("mallory", GATE, "ml-lead");
    served.refused(&[BRANCH], &["unknown-key"]);
    std::fs::write(served.guarded.path.join("refuse"), "").unwrap();
    let run = served.push(&["main:gate/x/y"]);
    assert!(run.status != 0 && run.stderr.contains("theirs says no"), "{run}");
    let run = world.run(&served.guarded.path, &["hook", "uninstall", "--server", "."]).expect(0);
    assert!(run.stdout.contains("is back: pre-receive"), "{run}");
    assert_eq!(std::fs::read_to_string(hooks.join("pre-receive")).unwrap(), theirs);
}

#[test]
fn a_hooks_path_that_leads_elsewhere_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    let shared = world.dir().join("shared hooks");
    repo.git(&["config", "core.hooksPath", shared.to_str().unwrap()]);
    let run = repo.run(&["hook", "install"]).expect(3);
    assert!(run.stderr.contains("[hooks-elsewhere]") && run.stderr.contains("shared hooks"), "{run}");
    assert!(!shared.exists());
    repo.run(&["hook", "install", "--shared"]).expect(0);
    assert!(shared.join("commit-msg").exists());
    let doctor = repo.run(&["doctor"]);
    assert!(doctor.stdout.contains("commit-msg, pre-push in"), "{doctor}");
    repo.run(&["hook", "uninstall", "--shared"]).expect(0);
    // Inside the repository it is simply where git looks.
    repo.git(&["config", "core.hooksPath", ".git/my-hooks"]);
    repo.run(&["hook", "install"]).expect(0);
    assert!(repo.path.join(".git/my-hooks/pre-push").exists());
}

#[test]
fn each_kind_of_repository_gets_its_own_hooks() {
    let world = World::new();
    let repo = world.governance_repo();
    let bare = repo.clone_to("server.git", true);
    let run = bare.run(&["hook", "install"]).expect(3);
    assert!(run.stderr.contains("--server ."), "{run}");
    bare.git(&["config", "--unset", "gate.root"]);
    let run = repo.run(&["hook", "install", "--server", "../server.git"]).expect(0);
    assert!(run.stderr.contains("no trust root is pinned there"), "{run}");
    assert!(bare.path.join("hooks/pre-receive").exists());
    bare.pin(&repo.root);
    let run = repo.run(&["hook", "install", "--server", "../server.git"]).expect(0);
    assert_eq!((run.stderr.as_str(), run.stdout.starts_with("installed before: ")), ("", true), "{run}");
    let doctor = bare.run(&["doctor", "--reading"]);
    assert!(doctor.stdout.contains("pre-receive in"), "{doctor}");
}

#[test]
fn without_the_program_a_server_takes_nothing_and_a_clone_goes_on() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let hooks = served.guarded.path.join("hooks/pre-receive");
    let text = std::fs::read_to_string(&hooks).unwrap();
    let program = text.lines().find(|line| line.starts_with("git_gate=")).unwrap().to_owned();
    script(&hooks, &text.replace(&program, "git_gate=/nowhere/git-gate"));
    repo.open("j.doe", GATE);
    let run = served.push(&[BRANCH]);
    assert!(run.status != 0 && run.stderr.contains("git-gate is not installed"), "{run}");
    repo.run(&["hook", "install"]).expect(0);
    for hook in ["commit-msg", "pre-push"] {
        let path = repo.path.join(".git/hooks").join(hook);
        let text = std::fs::read_to_string(&path).unwrap();
        script(&path, &text.replace(&program, "git_gate=/nowhere/git-gate"));
    }
    repo.write("README", "x").commit("l.wu", "On");
    repo.git(&["push", "-q", served.open.path.to_str().unwrap(), BRANCH]);
}

#[test]
fn the_environment_is_honoured_in_hooks_alone() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let other = repo.clone_to("other.git", true);
    let variables = [("GIT_DIR", other.path.to_str().unwrap())];
    let run = world.run_with(&world.dir(), &["check", GATE, "--env", "production"], &variables);
    assert_eq!(run.status, 3, "{run}");
    assert!(run.stderr.contains("not honoured: GIT_DIR"), "{run}");
    let run = world.run_with(&world.dir(), &["hook", "pre-receive"], &variables);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{run}");
}
