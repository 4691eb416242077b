//! Writers that are cut off: killed, interrupted, or left hanging, at each moment between reading and the last file.
//!
//! A hook or the signing program stands at the moment, and ends the program there. What is left is the old state or the
//! new one: every clone passes `git fsck`, is behind its remote at most, and the same command succeeds afterwards.

#![expect(clippy::disallowed_methods, reason = "the tests write programs and start them")]

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::world::{Repo, World};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

fn write_program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A server with an open gate, and a clone in which the gate's branch is checked out.
fn server_and_clone(world: &World) -> (Repo<'_>, Repo<'_>) {
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    let bare = origin.switch("main").clone_to("server.git", true);
    let clone = bare.clone_to("clone", false);
    clone.git(&["switch", "-q", BRANCH]);
    (bare, clone)
}

/// The program, with an own place for its temporary files and an own process group, which `$GROUP` of scripts names.
fn started(repo: &Repo<'_>, who: &str, args: &[&str]) -> (Command, PathBuf) {
    let temporary = repo.world.dir().join("temporary");
    std::fs::create_dir_all(&temporary).unwrap();
    let mut command = repo.world.program_of(who, &repo.path, args);
    command.env("TMPDIR", &temporary).process_group(0);
    (command, temporary)
}

/// How the program ends that is killed by a script on the way.
fn ends(mut command: Command) -> ExitStatus {
    command.spawn().unwrap().wait().unwrap()
}

fn left_behind(temporary: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// In a hook of git, its parent is git, and the parent of that is the program.
const KILL_FROM_HOOK: &str = "kill -9 $(ps -o ppid= -p $PPID)";
/// Once the work tree has followed, and the branch has not.
const KILL_WHEN_THE_FILE_IS_THERE: &str =
    "grep -q 0.01 gates/summarizer/v1.4/evidence/evaluation.json && kill -9 $(ps -o ppid= -p $PPID)";
/// Of a hook that git starts through another git of its own.
const KILL_GROUP: &str = "kill -9 -$(ps -o pgid= -p $$ | tr -d ' ')";

#[test]
fn a_writer_killed_at_any_moment_leaves_the_old_state_or_the_new() {
    // Where the hook lies, the hook, what kills, and whether the remote has taken it by then.
    for (at, moment, kill, taken) in [
        ("clone", "signer", "kill -9 $PPID", false),
        // The push goes on without whom it was for.
        ("clone", ".git/hooks/pre-push", KILL_FROM_HOOK, true),
        ("clone", ".git/hooks/pre-push", KILL_GROUP, false),
        ("server.git", "hooks/pre-receive", KILL_GROUP, false),
        ("server.git", "hooks/post-receive", KILL_GROUP, true),
        ("clone", ".git/hooks/post-index-change", KILL_WHEN_THE_FILE_IS_THERE, true),
        (
            "clone",
            ".git/hooks/reference-transaction",
            "[ $1 != prepared ] || grep -q refs/heads/ - && kill -9 $(ps -o ppid= -p $PPID)",
            true,
        ),
        (
            "clone",
            ".git/hooks/reference-transaction",
            "[ $1 != committed ] || grep -q refs/heads/ - && kill -9 $(ps -o ppid= -p $PPID)",
            true,
        ),
    ] {
        let world = World::new();
        let (bare, clone) = server_and_clone(&world);
        let (before, tracked) = (bare.rev(BRANCH), format!("origin/{BRANCH}"));
        clone.write("../new.json", "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 9}}");
        let program = world.dir().join(at).join(moment);
        write_program(&program, kill);
        if moment == "signer" {
            clone.git(&["config", "gpg.ssh.program", program.to_str().unwrap()]);
        }
        let attach = ["attach", GATE, "evaluation", "../new.json"];
        let status = ends(started(&clone, "j.doe", &attach).0);
        assert_eq!(status.signal(), Some(9), "{at}/{moment}: {status}");
        std::fs::remove_file(&program).unwrap();
        if moment == "signer" {
            clone.git(&["config", "--unset", "gpg.ssh.program"]);
        }
        // What a killed git leaves running ends by itself.
        let state = settled(&bare, &before, taken);
        assert_eq!(state != before, taken, "{at}/{moment}");
        for repo in [&bare, &clone] {
            repo.git(&["fsck", "--strict"]);
        }
        clone.git(&["fetch", "-q"]);
        assert_eq!(clone.rev(&tracked), state, "{at}/{moment}");
        let local = clone.rev(BRANCH);
        assert!(local == before || local == state, "{at}/{moment}");
        clone.git(&["pull", "-q", "--ff-only"]);
        assert_eq!(clone.git(&["status", "--porcelain"]), "", "{at}/{moment}");
        // The same again: done now, or done already.
        let again = world.run_as("j.doe", &clone.path, &attach);
        let expected = if taken { 3 } else { 0 };
        assert_eq!(again.status, expected, "{at}/{moment}\n{again}");
        assert!(!taken || again.stderr.contains("[nothing-changed]"), "{again}");
        assert_eq!(clone.rev(BRANCH), bare.rev(BRANCH));
    }
}

/// Where the branch stands once what a killed program left running has ended: `taken` says whether it is to move.
fn settled(bare: &Repo<'_>, before: &str, taken: bool) -> String {
    for _ in 0..if taken { 500 } else { 10 } {
        if bare.rev(BRANCH) != before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    bare.rev(BRANCH)
}

#[test]
fn ctrl_c_while_a_signer_hangs_leaves_nothing() {
    for signal in ["INT", "TERM", "HUP"] {
        let world = World::new();
        let (bare, clone) = server_and_clone(&world);
        let signer = world.dir().join("signer");
        let waiting = world.dir().join("waiting");
        write_program(&signer, &format!(": >'{}'\nexec sleep 60", waiting.display()));
        clone.git(&["config", "gpg.ssh.program", signer.to_str().unwrap()]);
        let state = |repo: &Repo<'_>| [repo.git(&["for-each-ref"]), repo.git(&["count-objects", "-v"])];
        let before = (state(&clone), state(&bare), clone.git(&["status", "--porcelain"]));
        let (mut command, temporary) = started(&clone, "j.rivera", &["approve", GATE, "--yes"]);
        let mut child = command.spawn().unwrap();
        while !waiting.exists() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert_eq!(left_behind(&temporary).len(), 1, "what is to be signed lies there");
        let group = format!("-{}", child.id());
        let killed = Command::new("kill").args([&format!("-{signal}"), "--", &group]).status().unwrap();
        assert!(killed.success());
        let status = child.wait().unwrap();
        let number = match signal {
            "INT" => 2,
            "TERM" => 15,
            _ => 1,
        };
        assert_eq!(status.signal(), Some(number), "{signal}: a shell sees what ended it");
        assert!(left_behind(&temporary).is_empty(), "{signal}: {:?}", left_behind(&temporary));
        let after = (state(&clone), state(&bare), clone.git(&["status", "--porcelain"]));
        assert_eq!(after, before, "{signal}");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn ctrl_c_while_a_clone_is_borrowed_leaves_nothing() {
    let world = World::new();
    let (bare, _clone) = server_and_clone(&world);
    let (slow, waiting, desk) =
        (world.dir().join("slow"), world.dir().join("waiting"), world.dir().join("desk"));
    write_program(&slow, &format!(": >'{}'\nexec sleep 60", waiting.display()));
    std::fs::create_dir(&desk).unwrap();
    let address = format!("file://{}", bare.path.display());
    let args = ["approve", &address, GATE, "--yes", "--root", &bare.root];
    let temporary = world.dir().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = world.program_of("s.chen", &desk, &args);
    command.env("TMPDIR", &temporary).process_group(0);
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "remote.origin.uploadpack");
    let mut child = command.env("GIT_CONFIG_VALUE_0", &slow).spawn().unwrap();
    while !waiting.exists() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert_eq!(left_behind(&temporary).len(), 1, "the clone");
    let killed = Command::new("kill").args(["-INT", "--", &format!("-{}", child.id())]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    assert!(left_behind(&temporary).is_empty(), "{:?}", left_behind(&temporary));
    assert!(!world.dir().join("home/.config").exists(), "nothing is remembered");
}

/// R14.10.
#[test]
fn ctrl_c_while_a_site_is_written_leaves_the_old_one_whole() {
    for signal in ["INT", "TERM"] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let out = world.dir().join("public");
        let report = ["report", "--out", out.to_str().unwrap()];
        repo.run(&report).expect(0);
        let slow = out.join("gates/summarizer/v1.4.html");
        // A page of the old site that never ends: the writer compares with it, and hangs there.
        std::fs::remove_file(&slow).unwrap();
        assert!(Command::new("mkfifo").arg(&slow).status().unwrap().success());
        let state = || {
            let files =
                Command::new("find").arg(&out).args(["-type", "f", "-exec", "sha256sum", "{}", "+"]).output();
            String::from_utf8(files.unwrap().stdout).unwrap()
        };
        let beside = || {
            let names = left_behind(&world.dir()).into_iter();
            names.filter(|name| name.to_str().unwrap().contains(".git-gate-report-")).count()
        };
        let before = state();
        assert!(before.contains("index.html"));
        let (mut command, temporary) = started(&repo, "j.rivera", &report);
        let mut child = command.spawn().unwrap();
        let mut waited = 0;
        while beside() == 0 && waited < 3_000 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            waited += 1;
        }
        assert_eq!(beside(), 1, "it is made beside the old one");
        // Long enough that it hangs.
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert!(child.try_wait().unwrap().is_none(), "it hangs");
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args([&format!("-{signal}"), "--", &group]).status().unwrap().success());
        let number = if signal == "INT" { 2 } else { 15 };
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        assert_eq!(beside(), 0, "{signal}: nothing is left beside");
        assert!(left_behind(&temporary).is_empty());
        assert_eq!(state(), before, "{signal}");
        // The same again, once nothing is in the way.
        std::fs::remove_file(&slow).unwrap();
        repo.run(&report).expect(0);
        assert!(slow.is_file());
    }
}

#[test]
fn ctrl_c_while_a_policy_is_tried_leaves_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let proposed = world.dir().join("proposed");
    std::fs::create_dir(&proposed).unwrap();
    std::fs::write(proposed.join("allowed_signers"), "").unwrap();
    assert!(Command::new("mkfifo").arg(proposed.join("policy.toml")).status().unwrap().success());
    let state = || [repo.git(&["for-each-ref"]), repo.git(&["status", "--porcelain", "--ignored"])];
    let before = state();
    let (mut command, temporary) =
        started(&repo, "j.rivera", &["backtest", "--policy", proposed.to_str().unwrap()]);
    let mut child = command.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it hangs");
    assert!(
        Command::new("kill").args(["-INT", "--", &format!("-{}", child.id())]).status().unwrap().success()
    );
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    assert!(left_behind(&temporary).is_empty());
    assert_eq!(state(), before);
}
