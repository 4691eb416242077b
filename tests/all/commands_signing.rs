//! Signing as git signs: every place a key may come from, and every way in which a signing program may fail.

#![expect(clippy::disallowed_methods, reason = "the tests start an agent and write programs")]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::world::{Repo, World};

const GATE: &str = "summarizer/v1.4";

/// An agent that holds one person's key; gone when it is dropped.
pub(crate) struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    pub(crate) fn with_key_of(world: &World, who: &str) -> Self {
        let socket = world.dir().join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self { child, socket };
        // The socket is there a moment before anybody listens.
        while UnixStream::connect(&agent.socket).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let key = world.key(who);
        let added = Command::new("ssh-add").arg(&key).env("SSH_AUTH_SOCK", &agent.socket).output().unwrap();
        assert!(added.status.success(), "{added:?}");
        // Only the agent has it now.
        std::fs::remove_file(key).unwrap();
        agent
    }

    pub(crate) fn socket(&self) -> &str {
        self.socket.to_str().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An open gate, and `j.rivera` about to approve it.
fn about_to_approve(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.switch("main");
    repo.sign_in("j.rivera");
    repo
}

/// Approves with these variables; the approval verifies with plain git and says what it should.
#[track_caller]
fn approves(repo: &Repo<'_>, variables: &[(&str, &str)]) {
    let before = repo.rev(&format!("gate/{GATE}"));
    let content = repo.content(&before, &format!("gates/{GATE}"));
    let policy = repo.content("main", "policy");
    repo.world.run_with(&repo.path, &["approve", GATE, "--yes", "-m", "Looks good"], variables).expect(0);
    let tip = repo.rev(&format!("gate/{GATE}"));
    assert_eq!(repo.git(&["log", "-1", "--format=%P", &tip]), before);
    assert_eq!(repo.rev(&format!("{tip}^{{tree}}")), repo.rev(&format!("{before}^{{tree}}")));
    repo.git_verifies(&tip).expect(0);
    assert_eq!(
        repo.git(&["log", "-1", "--format=%B", &tip]).trim_end(),
        format!(
            "Approve {GATE} as ml-lead\n\nLooks good\n\nGate: {GATE}\nGate-Action: approve\nGate-Role: ml-lead\n\
             Gate-Content: {content}\nGate-Policy: {policy}"
        )
    );
    assert_eq!(
        repo.git(&["log", "-1", "--format=%an %ae %ad", &tip]),
        repo.git(&["log", "-1", "--format=%cn %ce %cd", &tip])
    );
}

/// Everything that anybody could read: refs, configuration, objects, the work tree.
fn state(repo: &Repo<'_>) -> String {
    [
        repo.git(&["for-each-ref"]),
        repo.git(&["count-objects", "-v"]),
        repo.git(&["status", "--porcelain", "--ignored"]),
        repo.git(&["config", "--list", "--local"]),
    ]
    .join("\n")
}

fn program(world: &World, text: &str) -> String {
    let path = world.dir().join("signer");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn public_key(key: &Path) -> String {
    let text = std::fs::read_to_string(format!("{}.pub", key.display())).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_private_key_file_signs() {
    let world = World::new();
    approves(&about_to_approve(&world), &[]);
}

#[test]
fn a_key_below_the_home_directory_signs() {
    let world = World::new();
    let repo = about_to_approve(&world);
    let name = world.key("j.rivera").file_name().unwrap().to_str().unwrap().to_owned();
    repo.git(&["config", "user.signingkey", &format!("~/{name}")]);
    approves(&repo, &[]);
}

#[test]
fn a_public_key_file_signs_through_the_agent() {
    let world = World::new();
    let repo = about_to_approve(&world);
    repo.git(&["config", "user.signingkey", &format!("{}.pub", world.key("j.rivera").display())]);
    let agent = Agent::with_key_of(&world, "j.rivera");
    approves(&repo, &[("SSH_AUTH_SOCK", agent.socket())]);
}

#[test]
fn a_literal_key_signs_through_the_agent() {
    for prefix in ["", "key::"] {
        let world = World::new();
        let repo = about_to_approve(&world);
        let key = public_key(&world.key("j.rivera"));
        repo.git(&["config", "user.signingkey", &format!("{prefix}{key}")]);
        let agent = Agent::with_key_of(&world, "j.rivera");
        approves(&repo, &[("SSH_AUTH_SOCK", agent.socket())]);
    }
}

#[test]
fn the_default_key_command_names_the_key() {
    let world = World::new();
    let repo = about_to_approve(&world);
    repo.git(&["config", "--unset", "user.signingkey"]);
    repo.git(&["config", "gpg.ssh.defaultKeyCommand", "sh -c 'ssh-add -L'"]);
    let agent = Agent::with_key_of(&world, "j.rivera");
    approves(&repo, &[("SSH_AUTH_SOCK", agent.socket())]);
}

#[test]
fn another_program_signs_in_place_of_ssh_keygen() {
    let world = World::new();
    let repo = about_to_approve(&world);
    let log = world.dir().join("arguments");
    let signer = program(&world, &format!("echo \"$*\" >>{}\nexec ssh-keygen \"$@\"", log.display()));
    repo.git(&["config", "gpg.ssh.program", &signer]);
    approves(&repo, &[]);
    let arguments = std::fs::read_to_string(log).unwrap();
    let start = format!("-Y sign -n git -f {} ", world.key("j.rivera").display());
    assert!(arguments.lines().any(|line| line.starts_with(&start)), "{arguments}");
}

#[test]
fn the_user_may_name_the_key_for_one_command() {
    let world = World::new();
    let repo = about_to_approve(&world);
    repo.sign_in("s.chen");
    let setting = format!("'user.signingkey'='{}'", world.key("j.rivera").display());
    approves(&repo, &[("GIT_CONFIG_PARAMETERS", &setting)]);
}

#[test]
fn a_signer_that_does_not_sign_leaves_the_repository_as_it_was() {
    let world = World::new();
    let repo = about_to_approve(&world);
    let chen = world.key("s.chen");
    let before = state(&repo);
    for (text, code) in [
        ("echo 'agent refused operation' >&2; exit 1", "signing-failed"),
        ("exit 0", "signing-failed"),
        ("kill -9 $$", "signing-failed"),
        ("for last; do :; done; echo rubbish >$last.sig", "signing-bad"),
        ("for last; do :; done; head -c 200000 /dev/zero >$last.sig", "signing-bad"),
        ("for last; do :; done; echo more >>$last; exec ssh-keygen \"$@\"", "signing-bad"),
        ("for last; do :; done; echo other >$last.x; ssh-keygen -Y sign -n file -f $6 $last", "signing-bad"),
        (
            &format!("for last; do :; done; ssh-keygen -Y sign -n git -f {} $last", chen.display()),
            "not-in-role",
        ),
    ] {
        let signer = program(&world, text);
        let run = world.run_with(
            &repo.path,
            &["approve", GATE, "--role", "ml-lead", "--yes"],
            &[("GIT_CONFIG_PARAMETERS", &format!("'gpg.ssh.program'='{signer}'"))],
        );
        assert_eq!(run.status, 3, "{text}\n{run}");
        assert!(run.stderr.contains(&format!("[{code}]")), "{text}\n{run}");
        assert_eq!(state(&repo), before, "{text}");
    }
}

#[test]
fn what_would_not_count_is_refused_before_it_is_written() {
    let world = World::new();
    let repo = about_to_approve(&world);
    let before = state(&repo);
    for (who, args, status, code) in [
        ("mallory", vec!["approve", GATE, "--yes"], 3, "unknown-key"),
        ("j.doe", vec!["approve", GATE, "--yes"], 3, "not-in-role"),
        ("j.doe", vec!["approve", GATE, "--role", "ml-lead", "--yes"], 3, "not-in-role"),
        ("bot", vec!["approve", GATE, "--role", "release-bot", "--yes"], 3, "bot-in-role"),
        ("j.rivera", vec!["approve", GATE], 2, "--yes"),
        ("j.rivera", vec!["approve", "summarizer/v9", "--yes"], 3, "gate-unknown"),
        ("j.rivera", vec!["approve", GATE, "--env", "moon", "--yes"], 2, "moon"),
        ("j.rivera", vec!["reject", GATE, "--reason", "mood", "--yes"], 2, "mood"),
        ("j.rivera", vec!["close", "policy", "--yes"], 2, "policy"),
        ("mallory", vec!["attach", GATE, "evaluation", "/etc/hostname"], 3, "unknown-key"),
        ("j.doe", vec!["attach", GATE, "evaluation", "/dev/null"], 3, "report-unreadable"),
        ("j.doe", vec!["open", GATE, "--kind", "prompt", "--summary", "again"], 3, "gate-exists"),
        ("j.doe", vec!["open", "summarizer/v2", "--kind", "magic", "--summary", "x"], 2, "magic"),
    ] {
        let key = world.key(who);
        let run = world.run_with(
            &repo.path,
            &args,
            &[("GIT_CONFIG_PARAMETERS", &format!("'user.signingkey'='{}'", key.display()))],
        );
        assert_eq!(run.status, status, "{args:?}\n{run}");
        assert!(run.stderr.contains(code), "{args:?}\n{run}");
        assert_eq!(state(&repo), before, "{args:?}");
    }
}

#[test]
fn an_author_cannot_approve() {
    let world = World::new();
    let repo = about_to_approve(&world);
    repo.sign_in("j.rivera").write("note.md", "A note\n");
    repo.run(&["attach", GATE, "change-description", "note.md"]).expect(0);
    let run = repo.run(&["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[self-approval]"), "{run}");
}

#[test]
fn what_git_is_not_set_up_for_is_said_with_the_mend() {
    let world = World::new();
    let repo = about_to_approve(&world);
    repo.git(&["config", "--unset", "user.signingkey"]);
    let run = repo.run(&["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[signing-key]"), "{run}");
    repo.git(&["config", "gpg.format", "openpgp"]);
    let run = repo.run(&["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("help: git config --global gpg.format ssh"), "{run}");
}
