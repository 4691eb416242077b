//! What people see, to the letter: the help of every command, and the main outputs on one repository.
//!
//! Ids, digests and times differ from run to run and are masked, each by as many characters. A change here is meant:
//! look at it, then take it over with `INSTA_UPDATE=always cargo test pages`.

use std::collections::BTreeMap;

use clap::CommandFactory as _;

use crate::world::{Decision, Repo, World};

const WIDTH: usize = 80;

/// Every line fits, but for what is to be copied whole.
#[track_caller]
fn fits(name: &str, text: &str) {
    for line in text.lines().filter(|line| line.chars().count() > WIDTH) {
        let copied = line.trim_start().starts_with("run ")
            || line.contains("sha256:")
            || line.contains(&"0".repeat(40));
        assert!(copied, "{name}: {} columns: {line}", line.chars().count());
    }
}

#[track_caller]
pub(crate) fn snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../cases/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The names of all commands, those below others too.
fn commands(command: &clap::Command, before: &[String], found: &mut Vec<Vec<String>>) {
    for inner in command.get_subcommands() {
        let name: Vec<String> = before.iter().cloned().chain([inner.get_name().to_owned()]).collect();
        commands(inner, &name, found);
        found.push(name);
    }
}

#[test]
fn the_help_of_every_command_fits_80_columns() {
    let world = World::new();
    let mut all = vec![Vec::new()];
    commands(&git_gate::cli::Cli::command(), &[], &mut all);
    for name in all {
        for flag in ["-h", "--help"] {
            let args: Vec<&str> = name.iter().map(String::as_str).chain([flag]).collect();
            let run = world.run(&world.dir(), &args).expect(0);
            fits(&args.join(" "), &run.stdout);
            if flag == "--help" || name.is_empty() {
                let name = [&["git-gate".to_owned()], &name[..]].concat().join("-");
                snapshot("help", &name, &run.stdout);
            }
        }
    }
}

#[test]
fn without_a_command_the_first_page_is_shown_and_nothing_is_done() {
    let world = World::new();
    let alone = world.run(&world.dir(), &[]).expect(2);
    assert_eq!(alone.stdout, "");
    assert_eq!(alone.stderr, world.run(&world.dir(), &["-h"]).expect(0).stdout);
    let flags_alone = world.run(&world.dir(), &["--format", "json"]).expect(2);
    assert_eq!(flags_alone.json()["code"], "usage");
}

/// With ids, digests and times masked. Short ids are known: nothing else is cut to seven digits.
pub(crate) fn masked(repo: &Repo<'_>, text: &str) -> String {
    let mut text = text.to_owned();
    for id in repo.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).lines() {
        text = text.replace(id, &"0".repeat(40)).replace(&id[..7], "0000000");
    }
    let mut masked = String::new();
    for word in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':')) {
        let core = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let hex = core.rsplit(':').next().unwrap_or(core);
        let is_hex = matches!(hex.len(), 40 | 64) && hex.chars().all(|c| c.is_ascii_hexdigit());
        let is_time = core.len() == 20 && core.ends_with('Z') && core.contains('T');
        if is_hex {
            masked.push_str(&word.replace(hex, &"0".repeat(hex.len())));
        } else if is_time {
            masked.push_str(&word.replace(core, "0000-00-00T00:00:00Z"));
        } else {
            masked.push_str(word);
        }
    }
    // A key's fingerprint.
    let mut rest = masked.as_str();
    let mut all = String::new();
    while let Some((before, behind)) = rest.split_once("SHA256:") {
        let end = behind
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '/'))
            .unwrap_or(behind.len());
        all.push_str(before);
        all.push_str("SHA256:");
        all.push_str(&"0".repeat(end));
        rest = &behind[end..];
    }
    all + rest
}

#[test]
fn the_main_outputs_fit_80_columns() {
    const DEPLOYED: &str = "summarizer/v1.3";
    const GATE: &str = "summarizer/v1.4";
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(DEPLOYED);
    repo.deploy_record("bot", DEPLOYED, "production", "requirements");
    repo.open("j.doe", GATE);
    repo.write(&format!("gates/{GATE}/CHANGE.md"), "Cut hallucinations in long documents: facts only.\n");
    repo.commit("j.doe", "Say why");
    repo.decide("k.berg", &Decision::approve(GATE, "ml-lead").words("The held-out set is large enough"));
    repo.decide("j.doe", &Decision::approve(GATE, "product-lead"));
    repo.switch("main");
    repo.sign_in("s.chen");
    let outputs: BTreeMap<&str, (Vec<&str>, i32)> = BTreeMap::from([
        ("show", (vec!["show", GATE], 0)),
        ("show-history", (vec!["show", GATE, "--history"], 0)),
        ("check-allowed", (vec!["check", DEPLOYED, "--env", "production"], 0)),
        ("check-pending", (vec!["check", GATE, "--env", "production"], 11)),
        ("ready", (vec!["ready", GATE], 11)),
        ("list", (vec!["list"], 0)),
        ("pending", (vec!["pending"], 0)),
        ("review", (vec!["review", GATE], 0)),
        ("review-markdown", (vec!["review", GATE, "--format", "markdown"], 0)),
        ("policy-show", (vec!["policy", "show"], 0)),
        ("policy-status", (vec!["policy", "status"], 0)),
    ]);
    for (name, (args, status)) in outputs {
        let text = masked(&repo, &world.run(&repo.path, &args).expect(status).stdout);
        if !name.ends_with("markdown") {
            fits(name, &text);
        }
        snapshot("output", name, &text);
    }
}
