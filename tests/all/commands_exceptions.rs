//! `except`, `accept-risk` and `close`: from a person's first command to the verdict, and what is refused on the way.

#![expect(clippy::disallowed_methods, reason = "the tests write an editor")]

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::world::{Policy, Repo, World};

const GATE: &str = "summarizer/v1.4";
const CRITERION: &str = "criterion:hallucination";
const BAD_REPORT: &str = "{\"summary\": {\"hallucination_rate\": 0.09, \"n\": 400}}\n";
const WORDS: [&str; 6] = [
    "--reason=People read every summary",
    "--risk=A reviewer sees a wrong one",
    "--control=review",
    "--follow-up=j.rivera@example.com by 2031-01-01: Label the set",
    "--expires=5d",
    "--offline",
];

/// A gate whose evaluation is out of bounds, approved all the same.
fn out_of_bounds(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.write(&format!("gates/{GATE}/evidence/evaluation.json"), BAD_REPORT).commit("j.doe", "Report");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.switch("main");
    repo
}

fn except(repo: &Repo<'_>, who: &str, more: &[&str]) -> crate::world::Run {
    repo.sign_in(who);
    repo.run(&[&["except", GATE], more, &WORDS[..]].concat())
}

fn line(answer: &Value, id: &str) -> Value {
    let lines = answer["requirements"].as_array().unwrap();
    lines.iter().find(|line| line["id"] == id).unwrap_or_else(|| panic!("{answer:#}")).clone()
}

fn refs(repo: &Repo<'_>) -> String {
    repo.git(&["for-each-ref"])
}

#[test]
fn a_risk_is_written_down_accepted_and_waived() {
    let world = World::new();
    let repo = out_of_bounds(&world);
    let run = except(&repo, "j.doe", &[]).expect(0);
    assert!(run.stdout.starts_with(&format!("exception for {GATE}: {CRITERION}: ")), "{run}");
    assert!(
        run.stderr.contains(&format!("next: git gate accept-risk {GATE}\n      by m.okafor@example.com")),
        "{run}"
    );
    let file = repo.git(&["show", &format!("gate/{GATE}:exceptions/{GATE}/exception.toml")]);
    assert!(file.contains("environments = [\"production\", \"staging\"]"), "{file}");
    assert!(file.contains("owner = \"s.chen@example.com\""), "{file}");
    assert!(file.contains("\"criterion:hallucination\",   # `hallucination_rate` is 0.09"), "{file}");
    repo.sign_in("m.okafor");
    let run = repo.run(&["accept-risk", GATE, "--yes", "--message", "For two weeks"]).expect(0);
    assert!(run.stdout.contains("signed by m.okafor@example.com"), "{run}");
    let tip = repo.rev(&format!("gate/{GATE}"));
    let digest = repo.content(&tip, &format!("exceptions/{GATE}"));
    assert!(repo.git(&["log", "-1", "--format=%B", &tip]).contains(&format!("Gate-Content: {digest}")));
    repo.git_verifies(&tip).expect(0);
    repo.sign_in("l.wu").run(&["merge", GATE]).expect(0);
    let answer = repo.check_json(GATE, "production");
    assert_eq!(
        (&answer["verdict"], &answer["basis"]),
        (&"allowed".into(), &"exception".into()),
        "{answer:#}"
    );
    assert_eq!(line(&answer, CRITERION)["status"], "waived");
    assert_eq!(answer["exceptions"][0]["reason"], "accepted by m.okafor@example.com");
}

#[test]
fn what_could_not_come_into_force_is_refused_before_it_is_written() {
    let world = World::new();
    let repo = out_of_bounds(&world);
    let before = refs(&repo);
    for (more, status, says) in [
        (
            vec!["--waive=integrity:authors"],
            3,
            "`integrity:authors` cannot be waived [exception-cannot-waive]",
        ),
        (vec!["--waive=gate:open"], 3, "[exception-cannot-waive]"),
        (vec!["--waive=criterion"], 3, "[exception-unknown-requirement]"),
        (vec!["--env=moon"], 2, "does not ask for the environment `moon`: `production`, `staging`"),
        (vec!["--follow-up=Label the set"], 2, "`<who> by <date>: <what>`"),
    ] {
        let run = except(&repo, "j.doe", &more);
        assert_eq!(run.status, status, "{run}");
        assert!(run.stderr.contains(says), "{says}\n{run}");
    }
    let mut words: Vec<&str> = WORDS.to_vec();
    for (expires, says) in [
        ("--expires=15d", "it expires more than 14d after"),
        ("--expires=2020-01-01", "it expired at 2020-01-01T00:00:00Z"),
    ] {
        words[4] = expires;
        let run = repo.run(&[&["except", GATE], &words[..]].concat()).expect(3);
        assert!(run.stderr.contains("[exception-expiry]") && run.stderr.contains(says), "{run}");
    }
    let run = repo.run(&["except", GATE, "--reason=x"]).expect(2);
    assert!(run.stderr.contains("`--risk`, `--follow-up`, `--expires` missing"), "{run}");
    assert_eq!(refs(&repo), before);
}

#[test]
fn approvals_are_not_waived_unless_they_are_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let run = except(&repo, "j.doe", &[]).expect(3);
    assert!(run.stderr.contains("[nothing-to-waive]"), "{run}");
    assert!(run.stderr.contains("`approval:ml-lead`, `approval:product-lead`"), "{run}");
    let run = except(&repo, "j.doe", &["--waive=approval:ml-lead", "--waive=evidence:bias", "--env=staging"]);
    assert!(run.stderr.contains("`evidence:bias` is not open now"), "{run}");
    assert!(!run.stderr.contains("`approval:ml-lead` is not open"), "{run}");
    let again =
        except(&repo, "k.berg", &["--waive=approval:ml-lead", "--env=staging", "--control=two"]).expect(0);
    assert!(again.stdout.contains("approval:ml-lead"), "{again}");
}

#[test]
fn without_anybody_to_accept_nothing_is_excepted() {
    let world = World::new();
    let policy =
        Policy::small().replacing("[exceptions]\napprovals = [{ role = \"compliance\" }]", "[exceptions]");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let run = except(&repo, "j.doe", &["--waive=approval:ml-lead"]).expect(3);
    assert!(run.stderr.contains("[exception-nobody]"), "{run}");
}

#[test]
fn who_may_not_accept_is_told_before_they_sign() {
    let world = World::new();
    let repo = out_of_bounds(&world);
    repo.sign_in("m.okafor");
    let run = repo.run(&["accept-risk", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[exception-unknown]"), "{run}");
    assert!(run.stderr.contains(&format!("git gate except {GATE}")), "{run}");
    let wrote = except(&repo, "m.okafor", &[]).expect(0);
    assert!(wrote.stderr.contains("nobody but authors may accept it"), "{wrote}");
    let before = refs(&repo);
    for (who, role, status, says) in [
        ("m.okafor", "compliance", 3, "`m.okafor@example.com` is an author of the exception"),
        ("s.chen", "compliance", 3, "[not-in-role]"),
        ("s.chen", "product-lead", 2, "`[exceptions]` asks no acceptance by `product-lead`"),
        ("mallory", "compliance", 3, "[unknown-key]"),
    ] {
        let run = repo.sign_in(who).run(&["accept-risk", GATE, "--role", role, "--yes"]);
        assert_eq!(run.status, status, "{run}");
        assert!(run.stderr.contains(says), "{says}\n{run}");
    }
    assert_eq!(repo.sign_in("m.okafor").run(&["accept-risk", "policy", "--yes"]).status, 2);
    assert_eq!(refs(&repo), before);
}

#[test]
fn an_author_of_the_gate_accepts_no_risk_of_it() {
    let world = World::new();
    let repo = out_of_bounds(&world);
    repo.switch(&format!("gate/{GATE}"))
        .write(&format!("gates/{GATE}/note.md"), "x")
        .commit("m.okafor", "Note");
    repo.switch("main");
    except(&repo, "j.doe", &[]).expect(0);
    let run = repo.sign_in("m.okafor").run(&["accept-risk", GATE, "--yes"]).expect(3);
    assert!(
        run.stderr.contains("is an author of the gate") && run.stderr.contains("[self-approval]"),
        "{run}"
    );
}

#[test]
fn an_exception_that_was_written_by_hand_for_too_long_is_not_accepted() {
    let world = World::new();
    let repo = out_of_bounds(&world);
    // Dated five days ago: eleven days from now are more than fourteen from then.
    repo.except("j.doe", GATE, CRITERION, &world.day(11));
    let run = repo.sign_in("m.okafor").run(&["accept-risk", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[exception-expiry]"), "{run}");
}

#[test]
fn the_mend_of_a_break_glass_covers_it() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let answer = repo.check_json(GATE, "production");
    let mend = line(&answer, "integrity:break-glass")["next"]["command"].as_str().unwrap().to_owned();
    assert_eq!(mend, format!("git gate except {GATE} --record {record}"));
    let mut mend: Vec<&str> = mend.split(' ').skip(2).collect();
    mend.extend(WORDS.iter().filter(|word| !word.starts_with("--expires")));
    repo.sign_in("j.doe").run(&mend).expect(0);
    let file = format!("exceptions/{GATE}/covers/{record}/exception.toml");
    let text = repo.git(&["show", &format!("gate/{GATE}:{file}")]);
    assert!(
        text.contains("\"approval:ml-lead\",") && text.contains("environments = [\"production\"]"),
        "{text}"
    );
    let run = repo.sign_in("m.okafor").run(&["accept-risk", GATE, "--record", &record, "--yes"]).expect(0);
    assert!(run.stdout.contains(&record[..7]), "{run}");
    repo.sign_in("l.wu").run(&["merge", GATE]).expect(0);
    let answer = repo.check_json(GATE, "production");
    assert_eq!(line(&answer, "integrity:break-glass")["status"], "met", "{answer:#}");
    assert_eq!(answer["verdict"], "pending");
    // It is covered: there is nothing left to cover, nor in other records.
    let run = repo.sign_in("j.doe").run(&mend).expect(3);
    assert!(run.stderr.contains("it is covered already [no-break-glass]"), "{run}");
    let none = repo.rev("main");
    let run = repo.run(&["except", GATE, "--record", &none, "--reason=x"]).expect(3);
    assert!(run.stderr.contains("[record-unknown]"), "{run}");
}

#[test]
fn a_deployment_that_was_allowed_needs_no_cover() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let run = except(&repo, "j.doe", &["--record", &record]).expect(3);
    assert!(run.stderr.contains("it is no break-glass [no-break-glass]"), "{run}");
}

#[test]
fn a_risk_is_accepted_without_a_clone() {
    let world = World::new();
    let repo = out_of_bounds(&world);
    except(&repo, "j.doe", &[]).expect(0);
    let server = repo.clone_to("server.git", true);
    let address = server.path.to_str().unwrap();
    let args = ["accept-risk", address, GATE, "--root", &repo.root, "--yes"];
    let run = world.run_as("m.okafor", &world.dir(), &args).expect(0);
    assert!(run.stdout.contains("signed by m.okafor@example.com"), "{run}");
    let message = server.git(&["log", "-1", "--format=%B", &format!("gate/{GATE}")]);
    let digest = server.content(&format!("gate/{GATE}"), &format!("exceptions/{GATE}"));
    assert!(message.contains("Gate-Action: accept-risk") && message.contains(&digest), "{message}");
}

/// Runs the program on a terminal, where `input` is typed and the editor runs `script` on its file.
fn on_a_terminal(repo: &Repo<'_>, args: &str, script: &str, input: &str) -> crate::world::Run {
    let editor = repo.world.dir().join("an editor");
    std::fs::write(&editor, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!("{} {args}", env!("CARGO_BIN_EXE_git-gate"));
    let editor = format!("'{}'", editor.display());
    repo.world.on_terminal(&repo.path, &command, input, &[("GIT_EDITOR", &editor), ("TERM", "xterm")])
}

#[test]
fn on_a_terminal_the_editor_asks_for_what_only_people_know() {
    let world = World::new();
    let repo = out_of_bounds(&world);
    repo.sign_in("j.doe");
    let before = refs(&repo);
    let nothing = on_a_terminal(&repo, &format!("except {GATE}"), ": > \"$1\"", "");
    assert!(nothing.stdout.contains("[declined]"), "{nothing}");
    let failed = on_a_terminal(&repo, &format!("except {GATE}"), "exit 1", "");
    assert!(failed.stdout.contains("[editor-failed]"), "{failed}");
    let wrong = on_a_terminal(&repo, &format!("except {GATE}"), "echo 'reason = 1' >> \"$1\"", "n\n");
    assert!(wrong.stdout.contains("[exception-wrong-type]"), "{wrong}");
    assert!(wrong.stdout.contains("what you typed is in"), "{wrong}");
    assert_eq!(refs(&repo), before);
    // Ctrl-C in the editor is the editor's.
    let fill = "for p in $PPID $(cut -d' ' -f4 /proc/$PPID/stat); do grep -q git-gate /proc/$p/comm && kill -INT $p; done; \
                grep -q '^# reason' \"$1\" && sed -i -e 's/^# reason = \"\"/reason = \"r\"/' \
                -e 's/^# risk = \"\"/risk = \"r\"/' -e 's/^# expires/expires/' -e '/^# follow_ups/,/^# ]/d' \"$1\" && \
                echo 'follow_ups = [{ what = \"w\", who = \"j.rivera@example.com\", due = 2031-01-01 }]' >> \"$1\"";
    on_a_terminal(&repo, &format!("except {GATE}"), fill, "");
    let text = repo.git(&["show", &format!("gate/{GATE}:exceptions/{GATE}/exception.toml")]);
    assert!(text.contains("reason = \"r\"   # why it is to go all the same"), "{text}");
    // Again, it is the file that stands there.
    on_a_terminal(&repo, &format!("except {GATE}"), "sed -i 's/^risk = \"r\"/risk = \"less\"/' \"$1\"", "");
    let text = repo.git(&["show", &format!("gate/{GATE}:exceptions/{GATE}/exception.toml")]);
    assert!(text.contains("risk = \"less\"") && text.contains("# why it is"), "{text}");
    // Who accepts it is shown it.
    repo.sign_in("m.okafor");
    let asked = on_a_terminal(&repo, &format!("accept-risk {GATE}"), "", "n\n");
    assert!(asked.stdout.contains("risk = \"less\"") && asked.stdout.contains("Sign it? [y/N]"), "{asked}");
}

#[test]
fn a_gate_is_closed_once_by_whom_it_concerns() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.switch("main");
    let shown = on_a_terminal(repo.sign_in("s.chen"), &format!("close {GATE}"), "", "n\n");
    assert!(shown.stdout.contains("Nobody can open it again"), "{shown}");
    assert!(shown.stdout.contains("Cut hallucinations in long-document summaries"), "{shown}");
    repo.sign_in("j.doe").run(&["close", GATE, "--yes"]).expect(0);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let run = repo.run(&["close", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[nothing-changed]"), "{run}");
    assert_eq!(line(&repo.check_json(GATE, "production"), "gate:open")["status"], "failed");
}

#[test]
fn a_close_by_a_stranger_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.rivera", GATE);
    let before = refs(&repo);
    let run = repo.sign_in("j.doe").run(&["close", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("holds no role and is no author"), "{run}");
    assert_eq!(refs(&repo), before);
}
