//! Fetching before an answer, waiting for one, and how old a clone may be: what a bot relies on at night.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use crate::world::{Policy, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";
const CHECK: [&str; 6] = ["check", GATE, "--env", "production", "--format", "json"];

/// A server whose gate waits for a product lead, the clone of who will approve it, and a bot's.
fn pending_at<'w>(origin: &Repo<'w>) -> (Repo<'w>, Repo<'w>) {
    origin.open("j.doe", GATE);
    origin.approve("j.rivera", GATE, "ml-lead");
    origin.merge("l.wu", BRANCH);
    let bare = origin.clone_to("server.git", true);
    let bot = bare.clone_to("runner", false);
    origin.git(&["remote", "add", "origin", bare.path.to_str().unwrap()]);
    (bare, bot)
}

/// Somebody approves, and it is merged and pushed.
fn approved(origin: &Repo<'_>) {
    origin.approve("s.chen", GATE, "product-lead");
    origin.merge("l.wu", BRANCH);
    origin.git(&["push", "-q", "origin", "main", BRANCH]);
}

fn check(repo: &Repo<'_>, more: &[&str]) -> Run {
    repo.run(&[&CHECK, more].concat())
}

#[track_caller]
fn fails(repo: &Repo<'_>, more: &[&str], code: &str) {
    let run = check(repo, more).expect(3);
    assert_eq!(run.json()["code"], code, "{run}");
}

/// A check that waits, running.
fn waiting(repo: &Repo<'_>, more: &[&str]) -> Child {
    let args = [&CHECK, more].concat();
    repo.world.program_of("bot", &repo.path, &args).process_group(0).spawn().unwrap()
}

fn ended(child: Child) -> (Output, String, String) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// Waits until the bot has fetched once.
fn fetched_once(bot: &Repo<'_>) {
    let mark = bot.path.join(".git/gate/fetched");
    let began = Instant::now();
    while !mark.exists() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_bot_on_a_fresh_runner_needs_three_commands_and_no_configuration() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let bare = origin.clone_to("server.git", true);
    let home = world.dir().join("nobody");
    std::fs::create_dir(&home).unwrap();
    let script = format!(
        "git clone -q '{}' governance && cd governance\ngit gate trust {}\ngit gate check {GATE} --env production",
        bare.path.display(),
        bare.root
    );
    let run = world.shell(&home, &home, &[], &script).expect(0);
    assert!(run.stdout.contains("allowed"), "{run}");
    let left: Vec<_> = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["governance"]);
}

#[test]
fn what_was_pushed_meanwhile_is_judged_with_a_fetch_and_not_without() {
    let world = World::new();
    let origin = world.governance_repo();
    let (bare, bot) = pending_at(&origin);
    approved(&origin);
    check(&bot, &[]).expect(11);
    let answer = check(&bot, &["--fetch"]).expect(0).json();
    assert_eq!(answer["mainline"]["commit"], bare.rev("main"));
    assert_eq!(answer["relaxations"], serde_json::json!([]));
    // What cannot be fetched is not judged as it was.
    std::fs::rename(&bare.path, bare.path.with_extension("away")).unwrap();
    fails(&bot, &["--fetch"], "fetch-failed");
    fails(&bot, &["--wait", "1s"], "fetch-failed");
    check(&bot, &[]).expect(0);
}

#[test]
fn a_clone_that_fetches_nothing_is_not_taken_for_a_fresh_one() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    // Nothing to fetch from.
    fails(&origin, &["--fetch"], "fetch-failed");
    fails(&origin, &["--max-staleness", "30d"], "fetch-failed");
    // `git fetch` succeeds in both of these, and brings nothing, or leaves something out.
    let bare = origin.clone_to("server.git", true);
    let kept_nowhere = bare.clone_to("bare.git", true);
    kept_nowhere.git(&["fetch", "-q", "origin"]);
    let partly = bare.clone_to("partly", false);
    partly.git(&["config", "--add", "remote.origin.fetch", "^refs/heads/deployments/*"]);
    for clone in [&kept_nowhere, &partly] {
        for flags in [["--fetch", "--max-staleness=1h"], ["--max-staleness=1h", "-q"], ["--wait=1s", "-q"]] {
            fails(clone, &flags, "branches-not-fetched");
        }
    }
    // A mirror keeps them as its own.
    world.git(&world.dir(), &["clone", "-q", "--mirror", bare.path.to_str().unwrap(), "mirror.git"]);
    let mirror = Repo { world: &world, path: world.dir().join("mirror.git"), root: origin.root.clone() };
    mirror.pin(&origin.root);
    check(&mirror, &["--fetch", "--max-staleness", "1m"]).expect(0);
}

#[test]
fn a_clone_is_as_old_as_the_last_fetch_that_succeeded() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    origin.switch("main");
    let bare = origin.clone_to("server.git", true);
    let bot = bare.clone_to("runner", false);
    let stale = ["--max-staleness", "1h"];
    // Nobody knows of a clone, nor of what other programs fetched.
    fails(&bot, &stale, "stale-fetch");
    bot.git(&["fetch", "-q", "origin"]);
    fails(&bot, &stale, "stale-fetch");
    check(&bot, &["--fetch", "--max-staleness", "1h"]).expect(0);
    check(&bot, &stale).expect(0);
    // As time goes by: the flag is about the clock, whatever time is asked about.
    let mark = bot.path.join(".git/gate/fetched");
    std::fs::write(&mark, format!("{}\n", world.day(-1))).unwrap();
    fails(&bot, &stale, "stale-fetch");
    fails(&bot, &[&stale[..], &["--time", &world.day(-1)]].concat(), "stale-fetch");
    check(&bot, &["--max-staleness", "2d"]).expect(0);
    // A fetch that fails makes nothing fresher, though git dates its own file anew.
    let away = bare.path.with_extension("away");
    std::fs::rename(&bare.path, &away).unwrap();
    assert_ne!(world.try_git(&bot.path, &["fetch", "-q", "origin"]).status, 0);
    fails(&bot, &["--fetch", "--max-staleness", "1h"], "fetch-failed");
    fails(&bot, &stale, "stale-fetch");
    std::fs::rename(&away, &bare.path).unwrap();
    // What writes fetches, and that counts.
    world.run_as("bot", &bot.path, &["deploy", GATE, "--env", "production"]).expect(0);
    check(&bot, &stale).expect(0);
    // What is no time, or one that has not come yet, is no proof.
    for text in ["", "now\n", "2999-01-01T00:00:00Z\n"] {
        std::fs::write(&mark, text).unwrap();
        fails(&bot, &["--max-staleness", "36500d"], "stale-fetch");
    }
    check(&bot, &[]).expect(0);
}

#[test]
fn an_audit_is_as_fresh_as_a_check() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let bare = origin.switch("main").clone_to("server.git", true);
    let (bot, auditor) = (bare.clone_to("runner", false), bare.clone_to("auditor", false));
    let audit = |more: &[&str]| auditor.run(&[&["audit", "--format", "json"], more].concat());
    let records = |run: &Run| run.json()["deployments"].as_array().unwrap().len();
    world.run_as("bot", &bot.path, &["deploy", GATE, "--env", "production"]).expect(0);
    assert_eq!(records(&audit(&[]).expect(0)), 0);
    assert_eq!(audit(&["--max-staleness", "1h"]).expect(3).json()["code"], "stale-fetch");
    assert_eq!(records(&audit(&["--fetch", "--max-staleness", "1h"]).expect(0)), 1);
    audit(&["--max-staleness", "1h"]).expect(0);
    // The clock of the machine, whatever moment is audited.
    std::fs::write(auditor.path.join(".git/gate/fetched"), format!("{}\n", world.day(-1))).unwrap();
    let then = ["--max-staleness", "1h", "--time", &world.day(-1)];
    assert_eq!(audit(&then).expect(3).json()["code"], "stale-fetch");
    // A mainline that goes back is fetched as it is, and is a violation.
    let whole = bare.rev("main");
    bare.git(&["update-ref", "refs/heads/main", &format!("{whole}^")]);
    let answer = audit(&["--fetch"]).expect(10).json();
    assert_eq!(answer["violations"][0]["code"], "mainline-rewound", "{:#}", answer["violations"]);
    // What cannot be fetched is not audited as it was, and no pack of it is made.
    std::fs::rename(&bare.path, bare.path.with_extension("away")).unwrap();
    let pack = world.dir().join("pack");
    assert_eq!(
        audit(&["--fetch", "--pack", pack.to_str().unwrap()]).expect(3).json()["code"],
        "fetch-failed"
    );
    assert!(!pack.exists());
}

#[test]
fn a_check_waits_until_people_have_decided() {
    let world = World::new();
    let origin = world.governance_repo();
    let (_bare, bot) = pending_at(&origin);
    let child = waiting(&bot, &["--wait", "2m"]);
    fetched_once(&bot);
    approved(&origin);
    let (output, stdout, stderr) = ended(child);
    assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
    // One answer on stdout, the last.
    let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(answer["verdict"], "allowed");
    assert!(stderr.contains("waits for approval:product-lead (s.chen@example.com)"), "{stderr}");
}

#[test]
fn waiting_ends_when_the_time_is_over_or_nothing_can_come() {
    let world = World::new();
    let origin = world.governance_repo_with(
        &Policy::small().replacing("rollback_window = \"180d\"", "artifacts = \"required\""),
    );
    let (_bare, bot) = pending_at(&origin);
    let digest = format!("prompts/summarize.txt=sha256:{}", crate::world::hex_sha256(b"v1.4"));
    let began = Instant::now();
    let given = ["--digest", &digest];
    let run = check(&bot, &[&given[..], &["--wait", "2s"]].concat()).expect(11);
    assert!(began.elapsed() >= Duration::from_secs(2), "{run}");
    assert_eq!(run.json()["verdict"], "pending");
    // No person can give what the caller did not.
    let run = check(&bot, &["--wait", "1h"]).expect(11);
    assert!(run.stderr.contains("waiting does not help: `artifact:prompts/summarize.txt`"), "{run}");
    // Blocked is not waited for, nor is a command line that asks about the past.
    let wrong = ["--digest", &digest.replace("sha256:", "sha256:0").replace("0a", "a")];
    let wrong = wrong.map(|text| text.split_at(text.len().min(93)).0.to_owned());
    check(&bot, &[wrong[0].as_str(), wrong[1].as_str(), "--wait", "1h"]).expect(10);
    for past in [["--time", "2026-11-01T00:00:00Z"], ["--at", &bot.root], ["--log", &bot.root]] {
        check(&bot, &[&past[..], &["--wait", "1h"]].concat()).expect(2);
    }
    check(&bot, &["--wait", ""]).expect(2);
    check(&bot, &["--wait", "soon"]).expect(2);
}

#[test]
fn an_artifact_that_changes_while_it_is_waited_for_is_judged_as_it_is_then() {
    let world = World::new();
    let origin = world.governance_repo();
    let (_bare, bot) = pending_at(&origin);
    let artifact = world.dir().join("summarize.txt");
    std::fs::write(&artifact, "v1.4").unwrap();
    let given = format!("prompts/summarize.txt={}", artifact.display());
    let child = waiting(&bot, &["--artifact", &given, "--wait", "2m"]);
    fetched_once(&bot);
    std::fs::write(&artifact, "another").unwrap();
    approved(&origin);
    let (output, stdout, stderr) = ended(child);
    assert_eq!(output.status.code(), Some(10), "{stdout}\n{stderr}");
}

#[test]
fn a_remote_that_is_away_for_a_while_is_asked_again() {
    for comes_back in [true, false] {
        let world = World::new();
        let origin = world.governance_repo();
        let (bare, bot) = pending_at(&origin);
        let child = waiting(&bot, &["--wait", if comes_back { "2m" } else { "4s" }]);
        fetched_once(&bot);
        let away: PathBuf = bare.path.with_extension("away");
        std::fs::rename(&bare.path, &away).unwrap();
        std::thread::sleep(Duration::from_secs(3));
        if comes_back {
            std::fs::rename(&away, &bare.path).unwrap();
            approved(&origin);
        }
        let (output, stdout, stderr) = ended(child);
        // Nobody knows how it stands where the last fetch failed: that is no *pending*.
        assert_eq!(output.status.code(), Some(if comes_back { 0 } else { 3 }), "{stdout}\n{stderr}");
        assert!(stderr.contains("it is tried again"), "{stderr}");
        assert_eq!(stdout.lines().count(), 1);
    }
}

/// The remote takes the connection, and never says anything.
fn hangs(bot: &Repo<'_>) {
    bot.git(&["config", "protocol.ext.allow", "always"]);
    bot.git(&["remote", "set-url", "origin", "ext::sleep 20"]);
}

#[test]
fn a_remote_that_never_answers_holds_nobody_for_longer_than_was_said() {
    let world = World::new();
    let origin = world.governance_repo();
    let (_bare, bot) = pending_at(&origin);
    hangs(&bot);
    let repository = git_gate::git::Repository::discover(&bot.path).unwrap();
    let remote = git_gate::git::Origin::of(&repository, &[]).unwrap();
    let began = Instant::now();
    let failed = remote.fetch_within(Duration::from_millis(300)).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(
        (failed.code, failed.message.contains("did not answer in time")),
        ("fetch-failed", true),
        "{failed}"
    );
    assert!(!bot.path.join(".git/gate/fetched").exists());
}

#[test]
fn who_fetches_from_a_remote_that_never_answers_can_be_told_to_end_and_leaves_nothing() {
    let world = World::new();
    let origin = world.governance_repo();
    let (_bare, bot) = pending_at(&origin);
    hangs(&bot);
    let refs = bot.git(&["for-each-ref"]);
    for command in [&[&CHECK[..], &["--fetch"]].concat()[..], &["deploy", GATE, "--env", "production"]] {
        let child = world.program_of("bot", &bot.path, command).process_group(0).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args(["-TERM", "--", &group]).status().unwrap().success());
        let began = Instant::now();
        let (output, stdout, stderr) = ended(child);
        assert!(began.elapsed() < Duration::from_secs(10), "{command:?}");
        assert_eq!((output.status.signal(), stdout.as_str()), (Some(15), ""), "{stderr}");
        assert_eq!(bot.git(&["for-each-ref"]), refs);
        assert!(!bot.path.join(".git/gate/fetched").exists());
    }
}

#[test]
fn who_waits_can_be_told_to_end() {
    let world = World::new();
    let origin = world.governance_repo();
    let (_bare, bot) = pending_at(&origin);
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let _ = std::fs::remove_file(bot.path.join(".git/gate/fetched"));
        let child = waiting(&bot, &["--wait", "1h"]);
        fetched_once(&bot);
        std::thread::sleep(Duration::from_millis(300));
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args([&format!("-{name}"), "--", &group]).status().unwrap().success());
        let (output, stdout, stderr) = ended(child);
        assert_eq!(output.status.signal(), Some(number), "{stderr}");
        assert_eq!(stdout, "", "nothing was decided");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}
