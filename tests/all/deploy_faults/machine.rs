//! The machine itself at fault: a disk that is full or cannot be written, mounted for real in a namespace of its own, and a
//! clock that is wrong for every program of a bot.

#![expect(clippy::disallowed_methods, reason = "the tests build and start programs")]

use std::path::Path;
use std::process::Command;

use crate::world::{Run, World};

use super::{DEPLOY, GATE, LOG, Site};

const HOUR: i64 = 3_600;

/// Whether a file system can be mounted here that nobody else sees; `.ci/run` names it among what was not run.
fn mounts() -> bool {
    let mut command = Command::new("unshare");
    let can =
        command.args(["--map-root-user", "--mount", "true"]).output().is_ok_and(|run| run.status.success());
    if !can {
        eprintln!("not run: nothing can be mounted here");
    }
    can
}

/// Runs a script in which file systems may be mounted, as the bot; `$records` counts what the server at `$1` holds.
fn mounted(site: &Site<'_>, script: &str) -> Run {
    let world = site.bot.world;
    let file = world.dir().join("script");
    let program = Path::new(env!("CARGO_BIN_EXE_git-gate")).display();
    let text = format!(
        "set -u\ndeploy() {{ {program} {} >/dev/null; echo \"$1 $?\"; }}\n\
         records() {{ git -C \"$1\" log --first-parent --format=%s {LOG} -- | grep -c '^Deploy ' | sed 's/^/records /'; }}\n\
         {script}\n",
        DEPLOY.join(" ")
    );
    std::fs::write(&file, text).unwrap();
    let line = format!("unshare --map-root-user --mount sh {}", file.display());
    world.shell(&world.dir(), &world.home_of("bot"), &[], &line).expect(0)
}

/// The numbers that the script told under a word, in its order.
fn told(run: &Run, word: &str) -> Vec<usize> {
    let lines = run.stdout.lines().filter_map(|line| line.strip_prefix(word)?.trim().parse().ok());
    lines.collect()
}

#[test]
fn a_disk_that_is_full_for_real_loses_nothing_and_says_so() {
    if !mounts() {
        return;
    }
    let world = World::new();
    let mut site = Site::new(&world);
    site.next();
    site.deploy().expect(0);
    let mut failed = 0;
    // Whose disk it is, and how many KiB of it are free.
    for whose in ["runner", "server.git"] {
        for room in [0, 4, 8, 16, 32, 64, 256] {
            site.next();
            let run = mounted(
                &site,
                &format!(
                    "mkdir -p full && mount -t tmpfs -o size=16m tmpfs full && cp -a {whose} full/\n\
                     umount_to() {{ rm -rf {whose} && cp -a full/{whose} {whose}; }}\n\
                     mount --bind full/{whose} {whose}\n\
                     TMPDIR=$PWD/full; export TMPDIR\n\
                     dd if=/dev/zero of=full/filler bs=1k 2>/dev/null\n\
                     truncate -s -{room}k full/filler\n\
                     (cd runner && deploy full); records server.git\n\
                     rm full/filler\n\
                     (cd runner && deploy again && deploy again); records server.git\n\
                     umount {whose}; umount_to"
                ),
            );
            let at = format!("{whose} {room}: {run}");
            let numbers = (told(&run, "full"), told(&run, "records"));
            let ([full], [first, last]) = (numbers.0.as_slice(), numbers.1.as_slice()) else {
                panic!("{at}")
            };
            assert!(*full == 3 && *first <= site.due || *full == 0 && *first == site.due, "{at}");
            assert_eq!((told(&run, "again"), *last), (vec![0, 0], site.due), "{at}");
            failed += usize::from(*full == 3);
            site.recovers(&at);
        }
    }
    assert!(failed > 2, "only {failed} failed");
    site.all_is_well();
}

#[test]
fn a_file_system_that_cannot_be_written_loses_nothing_and_is_read_all_the_same() {
    if !mounts() {
        return;
    }
    let world = World::new();
    let mut site = Site::new(&world);
    let program = Path::new(env!("CARGO_BIN_EXE_git-gate")).display();
    for whose in ["runner", "server.git"] {
        site.next();
        site.bot.git(&["fetch", "-q"]);
        let run = mounted(
            &site,
            &format!(
                "mount --bind {whose} {whose} && mount -o remount,bind,ro {whose} && ! touch {whose}/x\n\
                 cd runner && deploy sealed\n\
                 {program} check {GATE} --env production >/dev/null; echo \"reads $?\"\n\
                 {program} audit >/dev/null; echo \"reads $?\"\n\
                 {program} status >/dev/null; echo \"reads $?\""
            ),
        );
        assert_eq!((told(&run, "sealed"), told(&run, "reads")), (vec![3], vec![0, 0, 0]), "{whose}: {run}");
        assert_eq!(site.records(), site.due - 1, "{whose}: {run}");
        site.recovers(&format!("{whose} cannot be written"));
    }
    site.all_is_well();
}

impl Site<'_> {
    /// Runs the program as the bot does, by a clock that is wrong.
    fn by_clock(&self, library: &Path, off: i64, args: &[&str]) -> Run {
        let mut command = self.bot.world.program_of("bot", &self.bot.path, args);
        command.env("LD_PRELOAD", library).env("CLOCK_OFF", off.to_string());
        Run::of(command, b"")
    }

    fn audit_by(&self, library: &Path, off: i64) -> Run {
        self.by_clock(library, off, &["audit", "--format", "json"])
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_bot_whose_clock_is_an_hour_behind_logs_nothing_that_is_out_of_chain_for_others() {
    let world = World::new();
    let clock = world.wrong_clock();
    let mut site = Site::new(&world);
    let behind = |site: &Site<'_>, due: usize| {
        let run = site.by_clock(&clock, -HOUR, &DEPLOY);
        assert_eq!((run.status, site.records()), (3, due), "{run}");
        assert!(run.stderr.contains("[clock-behind]"), "{run}");
    };
    // A mainline that is older than this clock.
    site.next();
    let run = site.by_clock(&clock, -HOUR, &DEPLOY);
    assert_eq!((run.status, site.records()), (0, site.due), "{run}");
    for off in [-HOUR, 0] {
        let run = site.by_clock(&clock, off, &DEPLOY);
        assert_eq!((run.status, site.records()), (0, site.due), "{off}: {run}");
    }
    // Others have logged by the right clock since.
    site.next();
    site.deploy().expect(0);
    site.next();
    behind(&site, site.due - 1);
    site.recovers("behind a record, and set right");
    // A mainline of now, in an environment without a record.
    let world = World::new();
    let mut site = Site::new(&world);
    world.days(0);
    site.next();
    behind(&site, 0);
    site.recovers("behind the mainline, and set right");
    site.all_is_well();
}

#[cfg(target_os = "linux")]
#[test]
fn a_bot_whose_clock_is_an_hour_ahead_logs_once_and_is_found_out() {
    let world = World::new();
    let clock = world.wrong_clock();
    let mut site = Site::new(&world);
    site.next();
    for _again in 0..2 {
        let run = site.by_clock(&clock, HOUR, &DEPLOY);
        assert_eq!((run.status, site.records()), (0, site.due), "{run}");
    }
    // By the right clock nothing is logged beside it or behind it.
    let run = site.deploy();
    assert_eq!((run.status, site.records()), (3, site.due), "{run}");
    assert!(run.stderr.contains("[clock-behind]"), "{run}");
    let found = site.audit_by(&clock, 0).expect(10).json();
    assert_eq!(found["violations"][0]["code"], "dated-ahead", "{:#}", found["violations"]);
    // An hour later it is what it says, and it still stands once.
    let run = site.by_clock(&clock, HOUR + 60, &DEPLOY);
    assert_eq!((run.status, site.records()), (0, site.due), "{run}");
    site.audit_by(&clock, HOUR + 60).expect(0);
    // A server with the hook, and a clock that is right, does not take it in the first place.
    world.run(&site.bare.path, &["hook", "install", "--server", "."]).expect(0);
    site.bot.git(&["config", "remote.origin.receivepack", "env -u LD_PRELOAD git-receive-pack"]);
    site.next();
    let run = site.by_clock(&clock, 2 * HOUR, &DEPLOY);
    assert_eq!((run.status, site.records()), (3, site.due - 1), "{run}");
    assert!(run.stderr.contains("[push-failed]"), "{run}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_mainline_that_is_dated_ahead_turns_no_honest_record_into_a_break_glass_later() {
    let world = World::new();
    let clock = world.wrong_clock();
    let mut site = Site::new(&world);
    // As far ahead as clocks may differ: the record is dated as the commit is.
    world.days(0).later(600);
    site.next();
    site.deploy().expect(0);
    let dated = |revision: &str| site.bare.git(&["log", "-1", "--format=%ct", revision]);
    assert_eq!(dated(LOG), dated("main"));
    // Farther: whatever was logged now would lie before it once that time has come.
    world.days(0).later(HOUR);
    site.next();
    let run = site.deploy();
    assert_eq!((run.status, site.records()), (3, site.due - 1), "{run}");
    assert!(run.stderr.contains("[clock-behind]"), "{run}");
    // A commit by a clock that is right, on top of it, mends it.
    world.days(0).later(660);
    site.desk.write("more.txt", "x").commit("l.wu", "Note");
    site.desk.git(&["push", "-q", "origin", "main"]);
    site.deploy().expect(0);
    site.all_is_well();
    for off in [0, 2 * HOUR] {
        site.audit_by(&clock, off).expect(0);
    }
}
