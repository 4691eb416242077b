//! `git gate audit`: what it says of an honest log, of what runs, and what can be drawn from it.

use serde_json::Value;

use crate::world::{Decision, Policy, Repo, Run, World};

mod attacks;
mod codes;
mod pack;
mod signatures;

const GATE: &str = "summarizer/v1.4";
const NEXT: &str = "summarizer/v1.5";

fn audit(repo: &Repo<'_>, more: &[&str]) -> Run {
    repo.run(&[&["audit", "--format", "json"], more].concat())
}

/// The codes of all that is wrong, each with the first digits of its record.
fn codes(answer: &Value) -> Vec<String> {
    let code = |violation: &Value| violation["code"].as_str().unwrap().to_owned();
    answer["violations"].as_array().unwrap().iter().map(code).collect()
}

#[track_caller]
fn wrong(repo: &Repo<'_>, expected: &[&str]) -> Value {
    let run = audit(repo, &[]);
    let answer = run.expect(if expected.is_empty() { 0 } else { 10 }).json();
    assert_eq!(codes(&answer), expected, "{:#}", answer["violations"]);
    answer
}

fn deployment<'a>(answer: &'a Value, record: &str) -> &'a Value {
    let all = answer["deployments"].as_array().unwrap();
    all.iter().find(|one| one["record"] == *record).unwrap()
}

#[test]
fn an_honest_log_is_clean_and_each_deployment_has_its_log_entry() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let first = repo.deploy_record("bot", GATE, "staging", "requirements");
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.allowed_gate(NEXT);
    let last = repo.deploy_record("bot", NEXT, "production", "requirements");
    let answer = wrong(&repo, &[]);
    let one = deployment(&answer, &record);
    assert_eq!(
        (&one["replay"]["verdict"], &one["principal"]),
        (&"allowed".into(), &"bot@example.com".into())
    );
    let then = &one["then"];
    let who: Vec<&Value> =
        then["decisions"].as_array().unwrap().iter().map(|one| &one["principal"]).collect();
    assert_eq!(who, ["j.rivera@example.com", "s.chen@example.com"]);
    assert_eq!(one["decided_at"], then["decisions"][1]["recorded_at"]);
    let report = &then["evidence"][1];
    let bytes = repo.object("blob", &format!("main:gates/{GATE}/{}", report["file"].as_str().unwrap()));
    assert_eq!(report["digest"], format!("sha256:{}", crate::world::hex_sha256(&bytes)), "{report}");
    assert_eq!(report["format"], "json");
    assert_eq!(then["change"]["risk"], "high");
    let [production, staging] = answer["population"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!((&production["records"], &staging["records"]), (&2.into(), &1.into()));
    assert_eq!(
        (&production["first"]["record"], &production["last"]["record"]),
        (&record.into(), &last.into())
    );
    assert_eq!(staging["tip"], first);
    let text = repo.run(&["audit", "--env", "production"]).expect(0).stdout;
    for words in
        ["clean", "2 records", "approved", "j.rivera@example.com as ml-lead", "decided", "sha256:", "staging"]
    {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn it_reads_what_no_one_may_write_and_starts_no_program() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let git = repo.path.join(".git");
    let before = std::fs::read_dir(&git).unwrap().count();
    let nowhere = world.dir().join("nothing");
    std::fs::create_dir(&nowhere).unwrap();
    let path = nowhere.to_str().unwrap();
    let audit = |more: &[&str]| {
        let arguments = [&["audit", "--format", "json"], more].concat();
        let run = world.run_with(&repo.path, &arguments, &[("PATH", path)]).expect(0);
        assert_eq!(run.json()["result"], "clean");
    };
    audit(&["--no-index"]);
    assert_eq!(std::fs::read_dir(&git).unwrap().count(), before, "it wrote");
    // Where the index cannot be written it does without.
    std::fs::write(git.join("gate"), "no directory").unwrap();
    audit(&[]);
}

#[test]
fn since_leaves_out_what_is_past_and_in_order_and_counts_it() {
    let world = World::new();
    world.days(-30);
    let repo = world.governance_repo();
    repo.open("j.doe", NEXT);
    repo.merge("l.wu", &format!("gate/{NEXT}"));
    let owed = repo.log("bot", "production", &attacks::glass(&repo, NEXT));
    repo.allowed_gate(GATE);
    world.later(60);
    let out = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.allowed_gate("summarizer/v1.6");
    world.later(60);
    let runs = repo.deploy_record("bot", "summarizer/v1.6", "production", "requirements");
    world.days(0);
    let answer = audit(&repo, &["--since", "7d"]).expect(10).json();
    assert_eq!(codes(&answer), ["break-glass-uncovered"]);
    let shown: Vec<&Value> =
        answer["deployments"].as_array().unwrap().iter().map(|one| &one["record"]).collect();
    assert_eq!(shown, [&Value::from(owed), &Value::from(runs)], "without {out}");
    assert_eq!(answer["population"][0]["left_out"], 1);
    assert!(answer["relaxations"][0].as_str().unwrap().starts_with("--since "), "{answer:#}");
}

#[test]
fn what_runs_is_held_against_the_log() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let artifact = "prompts/summarize.txt";
    let listed = repo.git(&["show", &format!("main:gates/{GATE}/gate.toml")]);
    let digest = listed.split("digest = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let decision = Decision::deploy(GATE, "production", "requirements", &repo.root)
        .line("Gate-Artifact", &format!("{artifact}={digest}"));
    let record = repo.log("bot", "production", &decision);
    let other = format!("sha256:{}", "1".repeat(64));
    for (runs, expected) in [
        (format!("{{\"production\":[\"{digest}\"]}}"), vec![]),
        (format!("{{\"production\":{{\"{artifact}\":\"{digest}\"}}}}"), vec![]),
        (format!("{{\"production\":[\"{digest}\",\"{other}\"]}}"), vec!["running-not-logged"]),
        (format!("{{\"production\":[\"{other}\"]}}"), vec!["logged-not-running", "running-not-logged"]),
        ("{}".to_owned(), vec!["running-unknown"]),
    ] {
        let file = world.dir().join("running.json");
        std::fs::write(&file, &runs).unwrap();
        let answer = audit(&repo, &["--running", file.to_str().unwrap()]).json();
        assert_eq!(codes(&answer), expected, "{runs}");
        let agree = answer["running"]["agree"].as_array().unwrap();
        assert_eq!(agree.contains(&Value::from(record.as_str())), runs.contains(&digest), "{runs}");
    }
    for broken in ["", "[]", "{\"production\":[\"sha256:1\"]}", "{\"../x\":[]}"] {
        let file = world.dir().join("running.json");
        std::fs::write(&file, broken).unwrap();
        let answer = audit(&repo, &["--running", file.to_str().unwrap()]).expect(3).json();
        assert_eq!(answer["code"], "running-unreadable", "{broken}");
    }
}

#[test]
fn what_runs_on_an_exception_that_ended_is_told() {
    let world = World::new();
    world.days(-10);
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.except("j.doe", GATE, "approval:product-lead", &world.day(-2));
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let record = repo.deploy_record("bot", GATE, "production", "exception");
    let then = audit(&repo, &["--time", &world.time()]).expect(0).json();
    assert_eq!(codes(&then), [""; 0]);
    let answer = wrong(&repo, &["exception-ended"]);
    assert_eq!(answer["violations"][0]["record"], record);
}

#[test]
fn a_sample_is_the_same_for_everybody_who_knows_the_seed() {
    let world = World::new();
    let repo = world.governance_repo_with(&Policy::small());
    for version in 0..6 {
        let gate = format!("summarizer/v{version}");
        repo.allowed_gate(&gate);
        repo.deploy_record("bot", &gate, "production", "requirements");
    }
    let draw = |seed: &str, many: &str| audit(&repo, &["--sample", many, "--seed", seed]).expect(0).json();
    let one = draw("2026", "2");
    assert_eq!(one["sample"], draw("2026", "2")["sample"]);
    assert_eq!(one["deployments"].as_array().unwrap().len(), 2);
    assert_eq!(one["sample"]["strata"][0]["population"], 6);
    assert_eq!(one["sample"]["strata"][0]["risk"], "high");
    // By plain tools: the two smallest digests.
    let log = repo.git(&["rev-list", "--first-parent", "deployments/production", "^main"]);
    let mut by_hand: Vec<&str> = log.lines().collect();
    by_hand.sort_by_key(|commit| crate::world::hex_sha256(format!("2026:{commit}").as_bytes()));
    assert_eq!(one["sample"]["strata"][0]["drawn"], serde_json::json!(by_hand[..2]));
    assert_eq!(draw("2026", "99")["deployments"].as_array().unwrap().len(), 6);
    repo.run(&["audit", "--sample", "2"]).expect(2);
    repo.run(&["audit", "--sample", "2", "--seed", ""]).expect(2);
}
