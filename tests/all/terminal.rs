//! What a person at a terminal sees: the question before a signature, what takes long, colour; and what a pipe does not.
//!
//! `script` gives the program a terminal.

#![expect(clippy::disallowed_methods, reason = "the tests write programs")]

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::world::{Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

/// A server with an open gate, and a clone of it.
fn server_and_clone(world: &World) -> (Repo<'_>, Repo<'_>) {
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    let bare = origin.switch("main").clone_to("server.git", true);
    let clone = bare.clone_to("clone", false);
    (bare, clone)
}

/// Runs a command of `who` on a terminal, who types `input`. All that the terminal shows is in `stdout`.
fn on_terminal(repo: &Repo<'_>, who: &str, args: &[&str], variables: &[(&str, &str)], input: &str) -> Run {
    let program = repo.world.program_of(who, &repo.path, args);
    let words: Vec<String> = std::iter::once(program.get_program())
        .chain(program.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &words.join(" "), "/dev/null"]).current_dir(&repo.path).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("TERM", "xterm").envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Run::of(command, input.as_bytes())
}

#[test]
fn a_person_is_shown_what_they_sign_and_asked() {
    let world = World::new();
    let (bare, clone) = server_and_clone(&world);
    let before = bare.rev(BRANCH);
    let approve = ["approve", GATE, "--message", "Read it"];
    let no = on_terminal(&clone, "j.rivera", &approve, &[], "n\n").expect(3);
    let content = bare.content(BRANCH, &format!("gates/{GATE}"));
    for shown in
        ["You are about to sign", "Gate-Role: ml-lead", &content, "Read it", "Sign it? [y/N]", "[declined]"]
    {
        assert!(no.stdout.contains(shown), "{shown}\n{no}");
    }
    assert_eq!(bare.rev(BRANCH), before);
    on_terminal(&clone, "j.rivera", &approve, &[], "\n").expect(3);
    let yes = on_terminal(&clone, "j.rivera", &approve, &[], "y\n").expect(0);
    assert!(yes.stdout.contains(", pushed"), "{yes}");
    assert_eq!(bare.rev(&format!("{BRANCH}^")), before);
    // Somebody attached another report since this clone last fetched: that stands above the question.
    let theirs = bare.clone_to("theirs", false);
    theirs.write("../new.json", "{\"summary\": {\"hallucination_rate\": 0.04, \"n\": 9}}");
    world.run_as("j.doe", &theirs.path, &["attach", GATE, "evaluation", "../new.json"]).expect(0);
    let asked = on_terminal(&clone, "s.chen", &["approve", GATE, "--quiet"], &[], "n\n").expect(3);
    assert!(asked.stdout.contains("Since this clone last fetched"), "{asked}");
    assert!(asked.stdout.contains("evaluation.json` has changed"), "{asked}");
}

#[test]
fn who_decides_without_a_clone_is_shown_the_checklist_above_the_question() {
    let world = World::new();
    let (bare, clone) = server_and_clone(&world);
    let approve = ["approve", bare.path.to_str().unwrap(), GATE, "--root", &bare.root];
    let asked = on_terminal(&clone, "s.chen", &approve, &[], "n\n").expect(3);
    let checklist = asked.stdout.find("approval:product-lead").unwrap_or_else(|| panic!("{asked}"));
    let question = asked.stdout.find("You are about to sign").unwrap_or_else(|| panic!("{asked}"));
    assert!(checklist < question, "{asked}");
}

#[test]
fn what_takes_long_is_said_on_a_terminal_and_nowhere_else() {
    let world = World::new();
    let (_bare, clone) = server_and_clone(&world);
    let slow = world.dir().join("slow");
    std::fs::write(&slow, "#!/bin/sh\nsleep 1.2\nexec git-upload-pack \"$@\"\n").unwrap();
    std::fs::set_permissions(&slow, PermissionsExt::from_mode(0o755)).unwrap();
    clone.git(&["config", "remote.origin.uploadpack", slow.to_str().unwrap()]);
    let withdraw = ["withdraw", GATE, "--yes", "--no-push"];
    let seen = on_terminal(&clone, "j.rivera", &withdraw, &[], "").expect(0);
    assert!(seen.stdout.contains("fetching from `origin` …"), "{seen}");
    let quiet = [&withdraw[..], &["--quiet"]].concat();
    let quiet = on_terminal(&clone, "j.rivera", &quiet, &[], "").expect(0);
    assert!(!quiet.stdout.contains("fetching"), "{quiet}");
    let piped = world.run_as("j.rivera", &clone.path, &withdraw).expect(0);
    assert_eq!(piped.stderr, "");
}

#[test]
fn verbose_says_what_is_run_and_quiet_says_nothing() {
    let world = World::new();
    let (_bare, clone) = server_and_clone(&world);
    let open = |version: &str, flag: &[&str]| {
        let gate = format!("summarizer/{version}");
        let args = [&["open", &gate, "--kind", "prompt", "--summary", "x"], flag].concat();
        world.run_as("j.doe", &clone.path, &args).expect(0)
    };
    assert!(open("v5", &[]).stderr.starts_with("next: "));
    assert_eq!(open("v6", &["--quiet"]).stderr, "");
    let verbose = open("v7", &["-v"]);
    for said in
        ["+ git fetch --quiet", "+ ssh-keygen -Y sign", "+ git push --quiet", "fetching from `origin`"]
    {
        assert!(verbose.stderr.contains(said), "{said}\n{verbose}");
    }
    let read = world.run(&clone.path, &["check", GATE, "--env", "production", "--verbose"]).expect(11);
    assert!(read.stderr.contains(&format!("trust root {}", clone.root)), "{read}");
    assert!(!read.stderr.contains("+ "), "reading starts no program\n{read}");
    world.run(&clone.path, &["show", GATE, "--quiet", "--verbose"]).expect(2);
}

#[test]
fn colour_is_for_terminals_unless_somebody_says_otherwise() {
    let world = World::new();
    let (_bare, clone) = server_and_clone(&world);
    let colored = |args: &[&str], variables: &[(&str, &str)]| {
        on_terminal(&clone, "j.rivera", args, variables, "").stdout.contains("\u{1b}[")
    };
    let show = ["show", GATE];
    assert!(colored(&show, &[]));
    assert!(colored(&show, &[("NO_COLOR", "")]), "empty is not set");
    assert!(!colored(&show, &[("NO_COLOR", "1")]));
    assert!(!colored(&show, &[("TERM", "dumb")]));
    assert!(!colored(&["show", GATE, "--color", "never"], &[]));
    assert!(!colored(&["show", GATE, "--format", "json", "--color", "always"], &[]));
    assert!(colored(&["show", GATE, "--color", "always"], &[("NO_COLOR", "1")]));
    for (args, expected) in [
        (vec!["show", GATE], false),
        (vec!["show", GATE, "--color", "always"], true),
        (vec!["show", "x/y", "--at"], false),
        (vec!["approve", "summarizer/v9", "--yes", "--color=always"], true),
    ] {
        let run = world.run_as("j.rivera", &clone.path, &args);
        assert_eq!(format!("{}{}", run.stdout, run.stderr).contains("\u{1b}["), expected, "{args:?}\n{run}");
    }
    assert!(colored(&["approve", "summarizer/v9", "--yes"], &[]), "an error, too");
}
