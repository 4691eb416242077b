//! `deploy` cut off, starved and misled: nothing is lost, nothing is logged twice, the status tells, and the same command run
//! again finishes the job.
//!
//! Each fault strikes a deployment of a new mainline commit, so that exactly one record is due each time.

#![expect(clippy::disallowed_methods, reason = "the tests write programs and start them")]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::Command;

use crate::world::{Repo, Run, World};

mod machine;

const GATE: &str = "summarizer/v1.4";
const LOG: &str = "deployments/production";
const DEPLOY: [&str; 4] = ["deploy", GATE, "--env", "production"];

/// A desk where the mainline is written, the server, and a bot's clone.
struct Site<'w> {
    desk: Repo<'w>,
    bare: Repo<'w>,
    bot: Repo<'w>,
    due: usize,
}

impl<'w> Site<'w> {
    fn new(world: &'w World) -> Self {
        let origin = world.governance_repo();
        origin.allowed_gate(GATE);
        let bare = origin.switch("main").clone_to("server.git", true);
        let bot = bare.clone_to("runner", false);
        Self { desk: bare.clone_to("desk", false), bare, bot, due: 0 }
    }

    /// One more record is due: the mainline has moved on.
    fn next(&mut self) {
        self.due += 1;
        self.desk.write("notes.txt", format!("{}", self.due)).commit("l.wu", "Note");
        self.desk.git(&["push", "-q", "origin", "main"]);
    }

    fn program(&self) -> Command {
        let mut command = self.bot.world.program_of("bot", &self.bot.path, &DEPLOY);
        command.process_group(0);
        command
    }

    fn deploy(&self) -> Run {
        self.bot.world.run_as("bot", &self.bot.path, &DEPLOY)
    }

    fn records(&self) -> usize {
        let args = ["log", "--first-parent", "--format=%s", LOG, "--"];
        let log = self.bare.world.try_git(&self.bare.path, &args);
        log.stdout.lines().filter(|line| line.starts_with("Deploy ")).count()
    }

    /// After a fault: at most the record that is due stands; run again, just that one.
    #[track_caller]
    fn recovers(&self, fault: &str) {
        let before = self.records();
        assert!(before == self.due || before + 1 == self.due, "{fault}: {before} of {}", self.due);
        for repo in [&self.bare, &self.bot] {
            repo.git(&["fsck", "--strict"]);
        }
        let again = self.deploy();
        assert_eq!(again.status, 0, "{fault}\n{again}");
        assert_eq!(self.records(), self.due, "{fault}\n{again}");
        // The clone is behind the remote at most.
        self.bot.git(&["fetch", "-q"]);
        self.bot.git(&["merge-base", "--is-ancestor", LOG, &format!("origin/{LOG}")]);
    }

    /// As git asks for where it was killed itself in the middle of a change of refs: removes the lock that it names.
    fn unlocks(&self) {
        let run = self.bot.world.try_git(&self.bot.path, &["fetch", "-q"]);
        let named = run.stderr.split_once("Unable to create '").and_then(|(_, rest)| rest.split_once('\''));
        if let Some((lock, _)) = named {
            std::fs::remove_file(lock).unwrap();
            self.unlocks();
        }
    }

    /// Everything that was logged is one chain, each record judged again and allowed.
    #[track_caller]
    fn all_is_well(&self) {
        let fresh = self.bare.clone_to("fresh", false);
        let log = fresh.run(&["log", "--env", "production", "--format", "json"]).expect(0).json();
        let records = log["records"].as_array().unwrap();
        assert_eq!(records.len(), self.due);
        for record in records {
            assert_eq!(record["status"], "deployed", "{record:#}");
            assert_eq!(record["replay"]["verdict"], "allowed", "{record:#}");
        }
    }
}

fn write_program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// The group, so that nothing goes on behind the one that was killed.
const KILL: &str = "kill -9 -$(ps -o pgid= -p $$ | tr -d ' ')";

#[test]
fn a_bot_killed_before_or_after_any_program_that_it_runs_finishes_when_it_runs_again() {
    let world = World::new();
    let mut site = Site::new(&world);
    let real = world.shell(&world.dir(), &world.dir(), &[], "command -v git").expect(0).stdout;
    let (bin, count) = (world.dir().join("bin"), world.dir().join("count"));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut killed = 0;
    for moment in ["before", "after"] {
        for call in 1.. {
            let kill = format!("[ $n != {call} ] || {KILL}");
            let (before, after) =
                if moment == "before" { (kill.as_str(), ":") } else { (":", kill.as_str()) };
            let count = count.display();
            write_program(
                &bin.join("git"),
                &format!(
                    "n=$(($(cat {count} 2>/dev/null || echo 0) + 1)); echo $n >{count}\n{before}\n{} \"$@\"; \
                     status=$?\n{after}\nexit $status",
                    real.trim_end()
                ),
            );
            std::fs::write(count.to_string(), "0").unwrap();
            site.next();
            let mut command = site.program();
            let status = command.env("PATH", &path).spawn().unwrap().wait().unwrap();
            let done = status.code() == Some(0);
            assert!(done || status.signal() == Some(9), "{moment} {call}: {status}");
            assert!(!done || site.records() == site.due, "{moment} {call}: done means logged");
            site.recovers(&format!("{moment} {call}"));
            if done {
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 10, "only {killed} moments");
    site.all_is_well();
}

#[test]
fn a_bot_killed_while_it_signs_or_pushes_finishes_when_it_runs_again() {
    let world = World::new();
    let mut site = Site::new(&world);
    for (at, moment, kill) in [
        ("runner", "signer", "kill -9 $PPID"),
        ("runner", ".git/hooks/pre-push", KILL),
        // The program alone: the push goes on without whom it was for.
        ("runner", ".git/hooks/pre-push", "kill -9 $(ps -o ppid= -p $PPID)"),
        ("server.git", "hooks/pre-receive", KILL),
        ("server.git", "hooks/update", KILL),
        ("server.git", "hooks/post-receive", KILL),
        (
            "runner",
            ".git/hooks/reference-transaction",
            "[ $1 = prepared ] && grep -q refs/heads/ - && kill -9 $(ps -o ppid= -p $PPID); exit 0",
        ),
        (
            "runner",
            ".git/hooks/reference-transaction",
            "[ $1 = committed ] && grep -q refs/heads/ - && kill -9 $(ps -o ppid= -p $PPID); exit 0",
        ),
    ] {
        site.next();
        let program = world.dir().join(at).join(moment);
        write_program(&program, kill);
        if moment == "signer" {
            site.bot.git(&["config", "gpg.ssh.program", program.to_str().unwrap()]);
        }
        let status = site.program().spawn().unwrap().wait().unwrap();
        assert_eq!(status.signal(), Some(9), "{at}/{moment}: {status}");
        std::fs::remove_file(&program).unwrap();
        if moment == "signer" {
            site.bot.git(&["config", "--unset", "gpg.ssh.program"]);
        }
        // What a killed git leaves running ends by itself.
        std::thread::sleep(std::time::Duration::from_secs(1));
        site.recovers(&format!("{at}/{moment}"));
    }
    site.all_is_well();
}

#[test]
fn a_lock_that_a_killed_git_left_is_named_with_its_mend_where_it_lies_in_the_way() {
    let world = World::new();
    let mut site = Site::new(&world);
    site.next();
    site.deploy().expect(0);
    // How it says what it says does not hang on the language of whoever runs it.
    let heard = world.dir().join("language");
    write_program(
        &site.bot.path.join(".git/hooks/pre-push"),
        &format!("echo \"$LANGUAGE\" >{}", heard.display()),
    );
    let (bot, server) = (site.bot.path.join(".git"), site.bare.path.clone());
    let log = "refs/heads/deployments/production.lock";
    let tracked = "refs/remotes/origin/deployments/production.lock";
    for (directory, lock, status, place) in [
        // The remote has the record, and that is what counts.
        (&bot, log, 0, Some("here")),
        (&bot, tracked, 0, None),
        (&bot, "index.lock", 0, None),
        (&bot, "HEAD.lock", 0, None),
        (&bot, "packed-refs.lock", 0, None),
        (&server, "packed-refs.lock", 0, None),
        (&server, "HEAD.lock", 0, None),
        (&server, log, 3, Some("on the server")),
    ] {
        site.next();
        site.bot.git(&["pack-refs", "--all"]);
        let lock = directory.join(lock);
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        std::fs::write(&lock, "").unwrap();
        let run = site.deploy().expect(status);
        assert_eq!(site.records(), site.due - usize::from(status != 0), "{run}");
        assert_eq!(run.stderr.contains("[locked]"), status != 0, "{run}");
        assert_eq!(run.stderr.contains("shows none"), place.is_some(), "{run}");
        if let Some(place) = place {
            heeds(&site, &run, place, &lock);
        }
        let _ = std::fs::remove_file(&lock);
        site.recovers(&format!("{}", lock.display()));
    }
    // What others logged meanwhile cannot be fetched past it: nothing is judged on what is old.
    site.next();
    let other = site.bare.clone_to("other", false);
    world.run_as("bot", &other.path, &DEPLOY).expect(0);
    std::fs::write(bot.join(tracked), "").unwrap();
    let run = site.deploy().expect(3);
    assert!(run.stderr.contains("[locked]"), "{run}");
    heeds(&site, &run, "here", &bot.join(tracked));
    site.recovers("a lock on what is fetched");
    assert_eq!(std::fs::read_to_string(heard).unwrap(), "C\n");
    site.all_is_well();
}

/// Does to the lock what was said of it.
#[track_caller]
fn heeds(site: &Site<'_>, run: &Run, place: &str, lock: &Path) {
    let said = run.stderr.replace('\n', " ");
    assert!(said.contains(&format!("where no git is at work {place} (`pgrep -a git` shows none)")), "{run}");
    let command = said.split_once("`rm -- ").and_then(|(_, rest)| rest.split_once('`')).unwrap().0;
    site.bot.world.shell(&site.bot.path, &site.bot.path, &[], &format!("rm -- {command}")).expect(0);
    assert!(!lock.exists(), "{run}");
}

#[test]
fn a_full_disk_loses_nothing_and_says_so() {
    let world = World::new();
    let mut site = Site::new(&world);
    let program = env!("CARGO_BIN_EXE_git-gate");
    // No file may grow beyond so many blocks: as a disk that is full, by an error or by a signal.
    for (deaf, blocks) in [("trap '' XFSZ;", 0), ("trap '' XFSZ;", 1), ("trap '' XFSZ;", 2), ("", 0), ("", 1)]
    {
        site.next();
        let home = world.home_of("bot");
        let line = DEPLOY.join(" ");
        let run =
            world.shell(&site.bot.path, &home, &[], &format!("{deaf} ulimit -f {blocks}; {program} {line}"));
        if run.status == 0 {
            assert_eq!(site.records(), site.due, "{run}");
        }
        if blocks == 0 {
            assert_ne!(run.status, 0, "{run}");
        }
        if deaf.is_empty() {
            site.unlocks();
        }
        site.recovers(&format!("`{deaf}` {blocks}: {run}"));
    }
    // The record stands, and nobody could be told: that is no success, and no second record.
    site.next();
    let home = world.home_of("bot");
    let run = world.shell(&site.bot.path, &home, &[], &format!("{program} {} >/dev/full", DEPLOY.join(" ")));
    assert_eq!((run.status, site.records()), (3, site.due), "{run}");
    site.recovers("/dev/full");
    site.all_is_well();
}

#[test]
fn a_remote_that_goes_away_or_takes_nothing_has_no_record_until_it_does() {
    let world = World::new();
    let mut site = Site::new(&world);
    let (here, away) = (world.dir().join("server.git"), world.dir().join("away.git"));
    // Between the fetch and the push.
    site.next();
    let signer = world.dir().join("signer");
    write_program(&signer, &format!("mv {} {}; exec ssh-keygen \"$@\"", here.display(), away.display()));
    site.bot.git(&["config", "gpg.ssh.program", signer.to_str().unwrap()]);
    let run = site.deploy().expect(3);
    assert!(run.stderr.contains("[push-failed]"), "{run}");
    site.bot.git(&["config", "--unset", "gpg.ssh.program"]);
    std::fs::rename(&away, &here).unwrap();
    assert_eq!(site.records(), site.due - 1);
    site.recovers("gone before the push");
    // Gone with the answer: it has the record, and the bot cannot know.
    site.next();
    let hook = here.join("hooks/post-receive");
    write_program(&hook, KILL);
    let status = site.program().spawn().unwrap().wait().unwrap();
    assert_ne!(status.code(), Some(0));
    std::fs::remove_file(&hook).unwrap();
    site.recovers("gone with the answer");
    // It can be read, and not be written.
    site.next();
    site.bot.git(&["config", "remote.origin.receivepack", "false"]);
    let run = site.deploy().expect(3);
    assert!(run.stderr.contains("[push-failed]"), "{run}");
    assert_eq!(site.records(), site.due - 1);
    site.bot.git(&["config", "--unset", "remote.origin.receivepack"]);
    site.recovers("read-only");
    site.all_is_well();
}

#[test]
fn a_clock_an_hour_off_logs_nothing_that_others_would_not_take() {
    // This clock is an hour behind: somebody logged what is an hour ahead of it.
    let world = World::new();
    let mut site = Site::new(&world);
    site.next();
    site.deploy().expect(0);
    site.desk.git(&["fetch", "-q"]);
    site.desk.git(&["branch", "-q", LOG, &format!("origin/{LOG}")]);
    world.days(0).later(3_600);
    let ahead = site.desk.deploy_record("bot", GATE, "production", "requirements");
    site.desk.git(&["push", "-q", "origin", LOG]);
    let run = site.deploy().expect(3);
    assert!(run.stderr.contains("[clock-behind]"), "{run}");
    assert_eq!(site.bare.rev(LOG), ahead);
}
