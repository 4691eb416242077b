//! A world of real git repositories and real keys, in which tests of the whole program tell stories.
//!
//! Hermetic: own HOME, no system or global git configuration, fixed locale, dates that the test sets. Everything is made
//! with plain `git` and `ssh-keygen`, digests are computed here and not by the library: what the program reads was never
//! written by it. [`World`] is the ground, [`Repo`] a governance repository in it, [`Policy`] and [`Decision`] the texts.
//!
//! The program reads the real clock, so commits are dated from five days ago on, a minute apart; [`World::days`] and
//! [`World::at`] set the date of the next one.

#![expect(
    clippy::disallowed_methods,
    reason = "the harness owns the clock, the disk and the programs of the tests"
)]

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
mod clock;
mod decision;
mod keys;
mod policy;
mod repo;
mod run;
mod schemas;
mod self_tests;
mod shell;

pub(crate) use decision::Decision;
pub(crate) use keys::KeyKind;
pub(crate) use policy::Policy;
pub(crate) use repo::{Repo, gate_toml, hex_sha256};
pub(crate) use run::Run;
pub(crate) use schemas::validator;

/// Seconds in a day.
const DAY: i64 = 86_400;
/// Seconds between two commits, where the test does not say otherwise.
const BETWEEN_COMMITS: i64 = 60;

/// The ground that a test stands on; gone when it is dropped.
pub(crate) struct World {
    temp: tempfile::TempDir,
    born: i64,
    clock: Cell<i64>,
    time_zone: RefCell<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let temp = tempfile::Builder::new().prefix("git-gate-world-").tempdir().unwrap();
        std::fs::create_dir(temp.path().join("home")).unwrap();
        let born = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap();
        Self { temp, born, clock: Cell::new(born - 5 * DAY), time_zone: RefCell::new("UTC".into()) }
    }

    /// Where the world's directories are.
    pub(crate) fn dir(&self) -> PathBuf {
        self.temp.path().to_owned()
    }

    /// The next commit is dated so, RFC 3339.
    pub(crate) fn at(&self, time: &str) -> &Self {
        self.clock.set(time.parse::<git_gate::model::Time>().unwrap().unix());
        self
    }

    /// The next commit is dated so many days from now: `days(-3)` is three days ago.
    pub(crate) fn days(&self, days: i64) -> &Self {
        self.clock.set(self.born + days * DAY);
        self
    }

    /// The next commit is dated so many seconds after what would have been its date.
    pub(crate) fn later(&self, seconds: i64) -> &Self {
        self.clock.set(self.clock.get() + seconds);
        self
    }

    /// The date of the next commit, RFC 3339, for texts and for `--time`.
    pub(crate) fn time(&self) -> String {
        git_gate::model::Time::from_unix(self.clock.get()).unwrap().to_string()
    }

    /// A moment so many days from now, RFC 3339.
    pub(crate) fn day(&self, days: i64) -> String {
        git_gate::model::Time::from_unix(self.born + days * DAY).unwrap().to_string()
    }

    /// The time zone of everything that runs from now on.
    pub(crate) fn time_zone(&self, zone: &str) -> &Self {
        zone.clone_into(&mut self.time_zone.borrow_mut());
        self
    }

    /// Runs plain git, which must succeed; what it prints, without the last line end.
    #[track_caller]
    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        self.git_with_input(dir, args, "")
    }

    /// As [`World::git`], by someone: their name in author and committer, their key for `-S`.
    #[track_caller]
    pub(crate) fn git_as(&self, dir: &Path, who: &str, args: &[&str]) -> String {
        let key = self.key(who);
        let mut command = self.command("git", dir);
        command.args(["-c", "gpg.format=ssh", "-c", &format!("user.signingkey={}", key.display())]);
        self.tick(command.args(args), who);
        expect_success(&Run::of(command, b""))
    }

    /// As [`World::git`], with standard input.
    #[track_caller]
    pub(crate) fn git_with_input(&self, dir: &Path, args: &[&str], input: impl AsRef<[u8]>) -> String {
        let mut command = self.command("git", dir);
        self.tick(command.args(args), "nobody");
        expect_success(&Run::of(command, input.as_ref()))
    }

    /// As [`World::try_git`], with environment variables.
    pub(crate) fn git_with(&self, dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut command = self.command("git", dir);
        command.args(args).envs(variables.iter().copied());
        Run::of(command, b"")
    }

    /// Runs plain git, which may fail.
    pub(crate) fn try_git(&self, dir: &Path, args: &[&str]) -> Run {
        let mut command = self.command("git", dir);
        self.tick(command.args(args), "nobody");
        Run::of(command, b"")
    }

    /// Runs the program under test in `dir`, by nobody: without a signing key unless the repository names one.
    pub(crate) fn run(&self, dir: &Path, args: &[&str]) -> Run {
        self.run_with(dir, args, &[])
    }

    /// As [`World::run`], with environment variables.
    pub(crate) fn run_with(&self, dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Run {
        let run = |more: &[&str]| {
            let mut command = self.command(env!("CARGO_BIN_EXE_git-gate"), dir);
            command.args(args).args(more).envs(variables.iter().copied());
            Run::of(command, b"")
        };
        let found = run(&[]);
        let already = args.contains(&"--no-index") || args.contains(&"--out");
        if matches!(args.first(), Some(&("check" | "metrics"))) && !already {
            compare_without_index(&found, run);
        }
        found
    }

    /// As [`World::run`], and nothing else is run to compare.
    pub(crate) fn run_once(&self, dir: &Path, args: &[&str]) -> Run {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-gate"), dir);
        command.args(args);
        Run::of(command, b"")
    }

    /// The program under test as somebody signs with it, by nothing but a configuration of their own; to be started.
    pub(crate) fn program_of(&self, who: &str, dir: &Path, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-gate"), dir);
        command.args(args).env("GIT_CONFIG_GLOBAL", self.home_of(who).join(".gitconfig"));
        command
    }

    /// As [`World::run`], by somebody who signs.
    pub(crate) fn run_as(&self, who: &str, dir: &Path, args: &[&str]) -> Run {
        Run::of(self.program_of(who, dir, args), b"")
    }

    /// As [`World::run`], for what may never end: after ten seconds the status is 124.
    pub(crate) fn run_in_time(&self, dir: &Path, args: &[&str]) -> Run {
        let mut command = self.command("timeout", dir);
        command.args(["10", env!("CARGO_BIN_EXE_git-gate")]).args(args);
        Run::of(command, b"")
    }

    /// Runs a command line on a terminal of its own, on which `typed` is typed; what it says on either stream is in
    /// `stdout`.
    pub(crate) fn on_terminal(&self, dir: &Path, line: &str, typed: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = self.command("timeout", dir);
        command.args(["20", "script", "-q", "-e", "-c", line, "/dev/null"]).envs(variables.iter().copied());
        Run::of(command, typed.as_bytes())
    }

    /// Runs `ssh-keygen`, which may fail.
    pub(crate) fn ssh_keygen(&self, args: &[&str], input: &[u8]) -> Run {
        let mut command = self.command("ssh-keygen", &self.dir());
        command.args(args);
        Run::of(command, input)
    }

    /// A command in the world's environment and nothing else of ours.
    fn command(&self, program: &str, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")))
            .env("HOME", self.temp.path().join("home"))
            .env("XDG_CONFIG_HOME", self.temp.path().join("home/.config"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_EDITOR", "false")
            .env("LC_ALL", "C")
            .env("TZ", self.time_zone.borrow().as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Dates the command, names who runs it; a command that makes a commit moves the clock on.
    fn tick(&self, command: &mut Command, who: &str) {
        let date = format!("@{} +0000", self.clock.get());
        let makes_commit =
            command.get_args().any(|arg| arg == "commit" || arg == "merge" || arg == "commit-tree");
        if makes_commit {
            self.later(BETWEEN_COMMITS);
        }
        let (name, mail) = (who.split('#').next().unwrap_or(who), mail(who));
        command
            .env("GIT_AUTHOR_NAME", name)
            .env("GIT_AUTHOR_EMAIL", &mail)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", name)
            .env("GIT_COMMITTER_EMAIL", &mail)
            .env("GIT_COMMITTER_DATE", &date);
    }
}

/// Every test that asks for a verdict or for figures asks three times: with the index, with what the first kept in it, and without it the same
/// is said, to the byte, but for the second at which it was asked.
#[track_caller]
fn compare_without_index(found: &Run, run: impl Fn(&[&str]) -> Run) {
    let timeless = |run: &Run| match run.stdout.split_once("\"time\":\"") {
        Some((before, time)) => format!("{before}{}", time.split_once('"').map_or("", |(_, rest)| rest)),
        None => run.stdout.clone(),
    };
    let same = |one: &Run, other: &Run| one.status == other.status && timeless(one) == timeless(other);
    let (mut with, mut again) = (found.clone(), run(&[]));
    for _ in 0..4 {
        let without = run(&["--no-index"]);
        if same(&with, &without) && same(&again, &without) {
            return;
        }
        (with, again) = (again, run(&[]));
    }
    panic!("with the index:\n{with}\nand again:\n{again}\nwithout:\n{}", run(&["--no-index"]));
}

/// `j.rivera` and `j.rivera#Rsa3072` are `j.rivera@example.com`.
pub(crate) fn mail(who: &str) -> String {
    let name = who.split('#').next().unwrap_or(who);
    if name.contains('@') { name.to_owned() } else { format!("{name}@example.com") }
}

#[track_caller]
fn expect_success(run: &Run) -> String {
    assert_eq!(run.status, 0, "{run}");
    run.stdout.trim_end_matches('\n').to_owned()
}
