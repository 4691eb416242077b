//! The recorder: what it brings to a protected mainline, what it never does, and several of them at once.

use serde_json::Value;

use crate::world::{Decision, Policy, Repo, World, gate_toml};

const GATE: &str = "summarizer/v1.4";
const NEXT: &str = "summarizer/v1.5";
const RECORD: [&str; 4] = ["record", "--yes", "--format", "json"];

/// The server of a repository, and the recorder's fresh clone.
fn server<'w>(origin: &Repo<'w>) -> (Repo<'w>, Repo<'w>) {
    origin.switch("main");
    let bare = origin.clone_to("server.git", true);
    let clone = bare.clone_to("recorder", false);
    (bare, clone)
}

#[track_caller]
fn record(clone: &Repo<'_>, more: &[&str]) -> Value {
    clone.world.run_as("recorder", &clone.path, &[&RECORD, more].concat()).expect(0).json()
}

fn names(answer: &Value, list: &str) -> Vec<String> {
    let branch = |one: &Value| one["branch"].as_str().unwrap().to_owned();
    answer[list].as_array().unwrap().iter().map(branch).collect()
}

#[track_caller]
fn verdict(bare: &Repo<'_>, name: &str, gate: &str) -> Value {
    bare.clone_to(name, false).check_json(gate, "production")["verdict"].clone()
}

#[test]
fn decisions_records_and_ready_gates_go_to_the_mainline_and_nothing_else_does() {
    let world = World::new();
    let origin = world.governance_repo_with(&Policy::small().recorder());
    origin.allowed_gate(GATE);
    // A gate that is ready, one that is not, a record, a late rejection.
    origin.open("j.doe", NEXT);
    origin.approve("j.rivera", NEXT, "ml-lead");
    origin.approve("s.chen", NEXT, "product-lead");
    origin.open("j.doe", "summarizer/v1.6");
    origin.approve("j.rivera", "summarizer/v1.6", "ml-lead");
    let deployed = origin.deploy_record("bot", GATE, "production", "requirements");
    let rejected = origin.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    let (bare, clone) = server(&origin);
    let before = bare.rev("main");
    let would = record(&clone, &["--dry-run"]);
    assert_eq!((bare.rev("main"), &would["recorded"][0]["commit"]), (before.clone(), &Value::Null));
    let answer = record(&clone, &[]);
    let recorded = ["deployments/production", "gate/summarizer/v1.4", "gate/summarizer/v1.5"];
    assert_eq!(
        (names(&would, "recorded"), names(&answer, "recorded")),
        (recorded.map(String::from).into(), recorded.map(String::from).into())
    );
    let content: Vec<bool> =
        answer["recorded"].as_array().unwrap().iter().map(|one| one["content"] == true).collect();
    assert_eq!(content, [false, false, true]);
    assert_eq!(names(&answer, "left"), ["gate/summarizer/v1.6"]);
    let why = answer["left"][0]["reason"].as_str().unwrap();
    assert_eq!(why, "not ready for `production`: `approval:product-lead`");
    for commit in [&deployed, &rejected] {
        bare.git(&["merge-base", "--is-ancestor", commit, "main"]);
    }
    // Each is a signed merge, the mainline first, and plain git verifies it.
    let chain = bare.git(&["rev-list", "--first-parent", &format!("{before}..main")]);
    assert_eq!(chain.lines().count(), 3);
    for merge in chain.lines() {
        assert_eq!(bare.git(&["log", "-1", "--format=%P", merge]).split(' ').count(), 2);
        bare.git_verifies(merge).expect(0);
    }
    assert_eq!((verdict(&bare, "a", GATE), verdict(&bare, "b", NEXT)), ("blocked".into(), "allowed".into()));
    assert_eq!(verdict(&bare, "c", "summarizer/v1.6"), "pending");
    // Twice is once.
    let again = record(&clone, &[]);
    assert_eq!(names(&again, "recorded"), Vec::<String>::new());
    assert_eq!(bare.git(&["rev-list", "--first-parent", "--count", &format!("{before}..main")]), "3");
}

/// Branches that look as if only decisions were new, or as if they were ready. `name`: the attack.
fn planted(origin: &Repo<'_>, name: &str) {
    let branch = format!("gate/{GATE}");
    origin.switch(&branch);
    match name {
        // A merge of the mainline that changes what neither side has.
        "evil merge" => {
            origin.git(&["merge", "-q", "--no-ff", "--no-commit", "main"]);
            origin.write(
                &format!("gates/{GATE}/evidence/evaluation.json"),
                "{\"summary\": {\"hallucination_rate\": 0.0, \"n\": 1}}",
            );
            origin.commit("j.doe", "Merge main");
        }
        "evil merge of another gate" => {
            origin.git(&["merge", "-q", "--no-ff", "--no-commit", "main"]);
            origin
                .write("gates/summarizer/v1.3/CHANGE.md", "Another change.\n")
                .commit("j.doe", "Merge main");
        }
        // Takes the mainline's newer files back, without touching one itself.
        "ours" => {
            origin
                .git_as("j.doe", &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge main", "main"]);
        }
        "another file" => drop(origin.write("README.md", "x").commit("j.doe", "Read me")),
        "policy" => drop(origin.write_policy(&Policy::small().recorder().serial(2)).commit("j.doe", "Tidy")),
        "unsigned change" => {
            origin.write(&format!("gates/{GATE}/CHANGE.md"), "x").commit_unsigned("j.doe", "Change");
        }
        // The tree is as it was; the history is not.
        "changed and taken back" => {
            origin.write("incidents/2026-01.toml", "x").commit("j.doe", "One");
            origin.remove("incidents/2026-01.toml").commit("j.doe", "Two");
        }
        "own file changed and taken back" => {
            origin.write(&format!("gates/{GATE}/CHANGE.md"), "x").commit_unsigned("j.doe", "One");
            origin.git(&["revert", "--no-edit", "HEAD"]);
        }
        "unrelated" => {
            origin.git(&["switch", "-q", "--orphan", "elsewhere"]);
            origin
                .write(&format!("gates/{GATE}/gate.toml"), gate_toml("summarizer", "v1.4"))
                .commit("j.doe", "All new");
            origin.git(&["branch", "-q", "-f", &branch, "elsewhere"]);
        }
        "log with content" => {
            origin.git(&["switch", "-q", "-c", "deployments/production", "main"]);
            origin.write(&format!("gates/{GATE}/CHANGE.md"), "x").commit("bot", "Deploy");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_not_ready_or_belongs_elsewhere_is_never_merged() {
    for (attack, why) in [
        ("evil merge", "not ready"),
        ("evil merge of another gate", "it changes `gates/summarizer/v1.3/CHANGE.md`"),
        ("ours", "it changes `gates/summarizer/v1.3/"),
        ("another file", "it changes `README.md`"),
        ("policy", "it changes `policy/policy.toml`"),
        ("unsigned change", "`integrity:authors`"),
        ("changed and taken back", "it changes `incidents/2026-01.toml`"),
        ("own file changed and taken back", "not ready"),
        ("unrelated", "it cannot be judged"),
        ("log with content", "no part of a deployment log"),
    ] {
        let world = World::new();
        let origin = world.governance_repo_with(&Policy::small().recorder());
        // On the mainline, and waiting: so that nothing of it would be allowed anyway.
        origin.open("j.doe", GATE);
        origin.merge("l.wu", &format!("gate/{GATE}"));
        origin.allowed_gate("summarizer/v1.3");
        planted(&origin, attack);
        origin.git(&["switch", "-q", "-f", "main"]);
        let (bare, clone) = server(&origin);
        let before = bare.rev("main");
        let answer = record(&clone, &[]);
        assert_eq!(names(&answer, "left").len(), 1, "{attack}: {answer:#}");
        let reason = answer["left"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(why), "{attack}: {reason}");
        assert_eq!((names(&answer, "recorded").len(), bare.rev("main")), (0, before), "{attack}: {answer:#}");
    }
}

#[test]
fn two_recorders_and_people_at_once_lose_nothing() {
    let world = World::new();
    let origin = world.governance_repo_with(&Policy::small().recorder());
    let gates: Vec<String> = (0..4).map(|number| format!("summarizer/v2.{number}")).collect();
    for gate in &gates {
        origin.open("j.doe", gate);
        origin.merge("l.wu", &format!("gate/{gate}"));
        origin.approve("j.rivera", gate, "ml-lead");
    }
    origin.allowed_gate(GATE);
    origin.deploy_record("bot", GATE, "production", "requirements");
    let (bare, one) = server(&origin);
    let before = bare.rev("main");
    let other = bare.clone_to("other", false);
    let people: Vec<_> = ["s.chen", "k.berg"].map(|who| (who, bare.clone_to(who, false))).into();
    let mut running: Vec<_> = [&one, &other]
        .map(|clone| world.program_of("recorder", &clone.path, &RECORD).spawn().unwrap())
        .into();
    for ((who, clone), gate) in people.iter().zip(&gates) {
        running.push(world.program_of(who, &clone.path, &["approve", gate, "--yes"]).spawn().unwrap());
    }
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    record(&one, &[]);
    // All that anybody signed is there, each once, on one chain of signed merges.
    for branch in bare.git(&["for-each-ref", "--format=%(refname)", "refs/heads/"]).lines() {
        bare.git(&["merge-base", "--is-ancestor", branch, "main"]);
    }
    bare.git(&["merge-base", "--is-ancestor", &before, "main"]);
    let merges = bare.git(&["log", "--first-parent", "--format=%P", &format!("{before}..main")]);
    let mut seconds: Vec<&str> = merges.lines().map(|parents| parents.split_once(' ').unwrap().1).collect();
    let all = seconds.len();
    seconds.sort_unstable();
    seconds.dedup();
    assert_eq!(seconds.len(), all, "nothing is merged twice");
    let fresh = bare.clone_to("fresh", false);
    let judged = fresh.check_json(&gates[0], "production");
    assert_eq!(judged["verdict"], "allowed", "{judged:#}");
}

#[test]
fn a_recorder_without_the_role_records_nothing_and_says_so() {
    let world = World::new();
    let origin = world.governance_repo_with(&Policy::small().recorder());
    origin.allowed_gate(GATE);
    origin.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    let (bare, clone) = server(&origin);
    let before = bare.rev("main");
    let run = world.run_as("bot", &clone.path, &RECORD).expect(3);
    assert_eq!(run.json()["failed"][0]["code"], "not-in-role");
    assert_eq!(bare.rev("main"), before);
    // What only this clone has is nobody's record.
    clone.git(&["switch", "-q", "main"]);
    clone.write("notes.txt", "x").commit("recorder", "Note");
    let run = world.run_as("recorder", &clone.path, &RECORD).expect(3);
    assert_eq!(run.json()["failed"][0]["code"], "branch-unpushed");
    assert_eq!(bare.rev("main"), before);
    // Another clone is as good as the first.
    let fresh = bare.clone_to("fresh", false);
    assert_eq!(names(&record(&fresh, &[]), "recorded"), [format!("gate/{GATE}")]);
    assert_eq!(verdict(&bare, "reader", GATE), "blocked");
}
