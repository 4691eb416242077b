//! Deployments, from the bot's first command on a fresh runner to what everybody reads of them later.

use serde_json::Value;

use crate::world::{Decision, KeyKind, Policy, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const LOG: &str = "deployments/production";
const DEPLOY: [&str; 6] = ["deploy", GATE, "--env", "production", "--format", "json"];

/// A server with an allowed gate, and a bot's clone of it.
fn server<'w>(origin: &Repo<'w>) -> (Repo<'w>, Repo<'w>) {
    origin.switch("main");
    let bare = origin.clone_to("server.git", true);
    let bot = bare.clone_to("runner", false);
    (bare, bot)
}

fn deploy(repo: &Repo<'_>, more: &[&str]) -> Run {
    repo.world.run_as("bot", &repo.path, &[&DEPLOY, more].concat())
}

fn records(repo: &Repo<'_>) -> usize {
    let log = repo.world.try_git(&repo.path, &["log", "--first-parent", "--format=%s", LOG, "--"]);
    log.stdout.lines().filter(|line| line.starts_with("Deploy ")).count()
}

#[track_caller]
fn logged(repo: &Repo<'_>) -> Vec<Value> {
    let answer =
        repo.world.run(&repo.path, &["log", "--env", "production", "--format", "json"]).expect(0).json();
    answer["records"].as_array().unwrap().clone()
}

#[test]
fn a_bot_on_a_fresh_runner_logs_what_it_deploys() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    let answer = deploy(&bot, &[]).expect(0).json();
    assert_eq!((answer["basis"].as_str(), answer["pushed"].as_bool()), (Some("requirements"), Some(true)));
    let record = bare.rev(LOG);
    assert_eq!(answer["record"], *record);
    // The judged commit is its parent, its tree that commit's, and plain git verifies it.
    assert_eq!(bare.rev(&format!("{LOG}^")), bare.rev("main"));
    assert_eq!(bare.rev(&format!("{LOG}^{{tree}}")), bare.rev("main^{tree}"));
    bot.git_verifies(&record).expect(0);
    let message = bot.git(&["log", "-1", "--format=%B", &record]);
    for words in
        ["Basis: requirements", "Approved: j.rivera@example.com as ml-lead", "Decided: ", "Gate-Root: "]
    {
        assert!(message.contains(words), "{words}\n{message}");
    }
    let [one] = logged(&bot).try_into().unwrap();
    assert_eq!(
        (&one["status"], &one["replay"]["verdict"]),
        (&"deployed".into(), &"allowed".into()),
        "{one:#}"
    );
    let status = world.run(&bot.path, &["status", "--format", "json"]).expect(0).json();
    assert_eq!(
        (&status["running"][0]["gate"], &status["running"][0]["record"]),
        (&GATE.into(), &record.into())
    );
}

#[test]
fn what_is_not_allowed_is_not_logged_unless_the_glass_is_broken() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    origin.merge("l.wu", &format!("gate/{GATE}"));
    let (bare, bot) = server(&origin);
    let answer = deploy(&bot, &[]).expect(11).json();
    assert_eq!((&answer["record"], &answer["check"]["verdict"]), (&Value::Null, &"pending".into()));
    assert_eq!(deploy(&bot, &["--dry-run"]).expect(11).json()["basis"], Value::Null);
    deploy(&bot, &["--break-glass"]).expect(2);
    // Nobody is there to ask: it is said with `--yes`.
    let glass = ["--break-glass", "--reason", "the old version leaks"];
    deploy(&bot, &glass).expect(2);
    assert_eq!(records(&bare), 0);
    let answer = deploy(&bot, &[&glass[..], &["--yes"]].concat()).expect(0).json();
    assert_eq!(answer["basis"], "break-glass");
    assert!(bot.git(&["log", "-1", "--format=%B", LOG]).contains("Gate-Reason: the old version leaks"));
    let [one] = logged(&bot).try_into().unwrap();
    assert_eq!((&one["status"], &one["break_glass"]), (&"uncovered".into(), &true.into()), "{one:#}");
}

#[test]
fn nothing_is_logged_twice_and_a_new_mainline_is_a_new_record() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    let first = deploy(&bot, &[]).expect(0).json();
    // A run that was cut off after its push, on a runner that has forgotten all.
    let other = bare.clone_to("other-runner", false);
    let again = deploy(&other, &[]).expect(0).json();
    assert_eq!((&again["record"], &again["already"]), (&first["record"], &true.into()));
    assert_eq!(records(&bare), 1);
    deploy(&other, &["--dry-run"]).expect(0);
    assert_eq!(records(&bare), 1);
}

#[test]
fn one_bot_logs_once_however_its_key_is_spelled() {
    let world = World::new();
    let policy = Policy::small().signer("bot", KeyKind::Ecdsa256, "");
    let origin = world.governance_repo_with(&policy);
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    let key = world.key("bot#Ecdsa256");
    let old = world.dir().join("old");
    std::fs::copy(&key, &old).unwrap();
    let args = ["-q", "-p", "-P", "", "-N", "", "-m", "PEM", "-f", old.to_str().unwrap()];
    assert_eq!(world.ssh_keygen(&args, b"").status, 0);
    assert!(std::fs::read_to_string(&old).unwrap().starts_with("-----BEGIN EC PRIVATE KEY-----"));
    // A program that knows the key itself: whose it is shows once it has signed.
    let own = world.dir().join("signer");
    std::fs::write(
        &own,
        format!("#!/bin/sh\nexec ssh-keygen -Y sign -n git -f '{}' \"$7\"\n", key.display()),
    )
    .unwrap();
    std::fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let spell = |program: &std::path::Path, key: &std::path::Path| {
        bot.git(&["config", "gpg.ssh.program", program.to_str().unwrap()]);
        bot.git(&["config", "user.signingkey", key.to_str().unwrap()]);
    };
    let usual = std::path::Path::new("ssh-keygen");
    // In the old form, without its public half, `ssh-keygen` signs nothing with it.
    spell(usual, &old);
    assert_eq!(deploy(&bot, &[]).expect(3).json()["code"], "signing-failed");
    std::fs::copy(key.with_file_name("bot-Ecdsa256.pub"), old.with_extension("pub")).unwrap();
    for _again in 0..2 {
        for (program, key) in
            [(&*own, &*world.dir().join("none")), (usual, &old), (usual, &key), (usual, &world.key("bot"))]
        {
            spell(program, key);
            deploy(&bot, &[]).expect(0);
            assert_eq!(records(&bare), 1, "{} {}", program.display(), key.display());
        }
    }
    let glass = ["--break-glass", "--reason", "x", "--yes"];
    deploy(&bot, &glass).expect(0);
    assert_eq!(records(&bare), 1, "it is allowed: there is no glass to break");
}

#[test]
fn a_bot_that_was_cut_off_logs_nothing_again_behind_others_that_say_the_same() {
    let world = World::new();
    let policy = Policy::small()
        .replacing(
            "members = [\"bot@example.com\"]",
            "members = [\"bot@example.com\", \"second@example.com\"]",
        )
        .signer("second", KeyKind::Ed25519, "");
    let origin = world.governance_repo_with(&policy);
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    let first = deploy(&bot, &[]).expect(0).json();
    let second =
        |args: &[&str]| world.run_as("second", &bot.path, &[&DEPLOY, args].concat()).expect(0).json();
    second(&[]);
    assert_eq!(records(&bare), 2);
    let again = deploy(&bot, &[]).expect(0).json();
    assert_eq!((&again["record"], &again["already"]), (&first["record"], &true.into()));
    assert_eq!(records(&bare), 2);
    // What was said to have failed is no longer there, for whoever said so.
    let last = bare.rev(LOG);
    world.run_as("second", &bot.path, &["deploy", GATE, "--env", "production", "--failed", &last]).expect(0);
    deploy(&bot, &[]).expect(0);
    assert_eq!(records(&bare), 3);
}

#[test]
fn a_break_glass_that_stands_already_is_not_logged_again() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    origin.merge("l.wu", &format!("gate/{GATE}"));
    let (bare, bot) = server(&origin);
    let glass = ["--break-glass", "--reason", "the old one leaks", "--yes"];
    let first = deploy(&bot, &glass).expect(0).json();
    let again = deploy(&bot, &glass).expect(0).json();
    assert_eq!((&again["record"], &again["already"]), (&first["record"], &true.into()));
    assert_eq!(records(&bare), 1);
    // It allows nothing.
    deploy(&bot, &[]).expect(11);
    assert_eq!(records(&bare), 1);
}

#[test]
fn a_rejection_that_came_since_stops_who_runs_again_as_well() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    deploy(&bot, &[]).expect(0);
    origin.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    origin.git(&["push", "-q", bare.path.to_str().unwrap(), &format!("gate/{GATE}")]);
    deploy(&bot, &[]).expect(10);
    assert_eq!(records(&bare), 1);
}

#[test]
fn twenty_bots_on_one_environment_all_end_up_in_one_chain() {
    const BOTS: usize = 20;
    let world = World::new();
    let names: Vec<String> = (0..BOTS).map(|number| format!("bot-{number}")).collect();
    let members: Vec<String> = names.iter().map(|name| format!("\"{name}@example.com\"")).collect();
    let policy = Policy::small().replacing(
        "members = [\"bot@example.com\"]",
        &format!("members = [\"bot@example.com\", {}]", members.join(", ")),
    );
    let policy = names.iter().fold(policy, |policy, name| policy.signer(name, KeyKind::Ed25519, ""));
    let origin = world.governance_repo_with(&policy);
    origin.allowed_gate(GATE);
    origin.switch("main");
    let bare = origin.clone_to("server.git", true);
    let clones: Vec<Repo<'_>> = names.iter().map(|name| bare.clone_to(name, false)).collect();
    let racing: Vec<_> = names
        .iter()
        .zip(&clones)
        .map(|(name, clone)| world.program_of(name, &clone.path, &DEPLOY).spawn().unwrap())
        .collect();
    for mut bot in racing {
        assert!(bot.wait().unwrap().success());
    }
    assert_eq!(records(&bare), BOTS);
    let fresh = bare.clone_to("fresh", false);
    let log = logged(&fresh);
    assert_eq!(log.iter().filter(|record| record["status"] == "deployed").count(), BOTS);
    let who: std::collections::BTreeSet<&str> =
        log.iter().map(|record| record["principal"].as_str().unwrap()).collect();
    assert_eq!(who.len(), BOTS);
}

#[test]
fn a_remote_that_is_gone_or_refuses_leaves_no_record() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    for flag in ["--no-push", "--offline"] {
        deploy(&bot, &[flag]).expect(2);
    }
    let hook = bare.path.join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho no >&2; exit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(deploy(&bot, &[]).expect(3).json()["code"], "push-failed");
    assert_eq!((records(&bare), records(&bot)), (0, 0));
    std::fs::remove_file(&hook).unwrap();
    let away = bare.path.with_extension("away");
    std::fs::rename(&bare.path, &away).unwrap();
    assert_eq!(deploy(&bot, &[]).expect(3).json()["code"], "fetch-failed");
    std::fs::rename(&away, &bare.path).unwrap();
    // Running it again finishes the job.
    deploy(&bot, &[]).expect(0);
    assert_eq!((records(&bare), records(&bot)), (1, 1));
}

#[test]
fn only_a_deployer_logs_and_only_under_the_pinned_root() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    let run = world.run_as("j.rivera", &bot.path, &DEPLOY).expect(3);
    assert_eq!(run.json()["code"], "not-in-role");
    let other = bot.rev("main");
    let run = deploy(&bot, &["--root", &other]);
    assert_eq!(run.status, 2, "{run}");
    assert_eq!(records(&bare), 0);
}

#[test]
fn a_deployment_that_failed_is_not_what_runs() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let (bare, bot) = server(&origin);
    let record = deploy(&bot, &[]).expect(0).json()["record"].as_str().unwrap().to_owned();
    let other = "0".repeat(40);
    assert_eq!(deploy(&bot, &["--failed", &other]).expect(3).json()["code"], "not-the-last-record");
    let answer = deploy(&bot, &["--failed", &record]).expect(0).json();
    assert_eq!(answer["failed"], *record);
    assert_eq!(bare.rev(LOG), answer["commit"]);
    assert_eq!(deploy(&bot, &["--failed", &record]).expect(3).json()["code"], "nothing-changed");
    let [one] = logged(&bot).try_into().unwrap();
    assert_eq!(one["status"], "failed");
    let status = world.run(&bot.path, &["status", "--format", "json"]).expect(0).json();
    assert_eq!(status["running"], Value::Array(vec![]));
    // Deploying again is a record of its own.
    let again = deploy(&bot, &[]).expect(0).json();
    assert_eq!((&again["already"], records(&bare)), (&false.into(), 2));
}

#[test]
fn a_rejection_that_nobody_recorded_yet_stops_a_deployment() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    origin.switch(&format!("gate/{GATE}"));
    origin.decide("s.chen", &Decision::reject(GATE, "product-lead", "quality"));
    let (bare, bot) = server(&origin);
    let answer = deploy(&bot, &[]).expect(10).json();
    assert_eq!((&answer["check"]["verdict"], &answer["record"]), (&"allowed".into(), &Value::Null));
    assert_eq!(records(&bare), 0);
}

#[test]
fn a_log_that_is_dated_ahead_of_this_clock_is_not_followed() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    origin.switch("main");
    world.at("2999-01-01T00:00:00Z");
    origin.deploy_record("bot", GATE, "production", "requirements");
    let (bare, bot) = server(&origin);
    let before = bare.rev(LOG);
    assert_eq!(deploy(&bot, &[]).expect(3).json()["code"], "clock-behind");
    assert_eq!(bare.rev(LOG), before);
}

#[test]
fn a_rewind_that_was_accepted_is_said_by_the_next_record() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    origin.switch("main");
    let good = origin.rev("main");
    origin.write("notes.txt", "x").commit("l.wu", "Note");
    let (bare, bot) = server(&origin);
    let old = deploy(&bot, &[]).expect(0).json()["record"].as_str().unwrap().to_owned();
    bare.git(&["update-ref", "refs/heads/main", &good]);
    bot.git(&["fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
    assert_eq!(deploy(&bot, &[]).expect(3).json()["code"], "mainline-rewound");
    world.run(&bot.path, &["trust", "--accept-rewind", "--yes"]).expect(0);
    let answer = deploy(&bot, &[]).expect(0).json();
    assert_eq!(answer["already"], false, "{answer:#}");
    assert!(bare.git(&["log", "-1", "--format=%B", LOG]).contains(&format!("Gate-Restart: {old}")));
    // Who clones afresh goes on from there.
    let fresh = bare.clone_to("fresh", false);
    let check = world.run(&fresh.path, &["check", GATE, "--env", "production"]);
    assert_eq!(check.status, 0, "{check}");
}
