//! What is worked out once for many moments, and shared out among threads, is what each moment alone finds.
//!
//! Debug builds, such as this one, share out whatever there is.

use serde_json::Value;

use crate::world::{Decision, Repo, World};

const SUMMARIZER: [&str; 3] = ["summarizer/v1", "summarizer/v2", "summarizer/v3"];

/// Two systems that are deployed in turn, while policies, incidents, failures, exceptions, withdrawals and returns come between.
fn busy(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    let deploy = |gate: &str, environment: &str| {
        world.later(600);
        repo.deploy_record("bot", gate, environment, "requirements")
    };
    for gate in [SUMMARIZER[0], "router/v1", SUMMARIZER[1]] {
        repo.allowed_gate(gate);
        deploy(gate, "staging");
        deploy(gate, "production");
    }
    repo.incident("k.berg", "INC-1", SUMMARIZER[1], None);
    let failed = deploy(SUMMARIZER[1], "production");
    let word = Decision::new("deploy-failed", SUMMARIZER[1])
        .line("Gate-Environment", "production")
        .line("Gate-Record", &failed);
    repo.log("bot", "production", &word);
    deploy(SUMMARIZER[0], "production");
    repo.incident("k.berg", "INC-1", SUMMARIZER[1], Some("2026-11-02T00:00:00Z"));
    repo.incident("k.berg", "INC-2", "router/v1", None);
    deploy(SUMMARIZER[1], "production");
    deploy("router/v1", "production");
    repo.switch("gate/summarizer/v3");
    repo.open("j.doe", SUMMARIZER[2]);
    repo.approve("j.rivera", SUMMARIZER[2], "ml-lead");
    repo.merge("l.wu", "gate/summarizer/v3");
    deploy(SUMMARIZER[2], "production");
    deploy(SUMMARIZER[0], "production");
    repo.switch("gate/summarizer/v1");
    repo.decide("s.chen", &Decision::withdraw(SUMMARIZER[0]));
    repo.merge("l.wu", "gate/summarizer/v1");
    deploy(SUMMARIZER[0], "production");
    deploy(SUMMARIZER[0], "staging");
    deploy(SUMMARIZER[1], "production");
    repo
}

/// The checklist and the decisions, without what `check` is not given: artifacts.
fn judged(of: &Value) -> (Vec<Value>, Vec<(Value, Value)>) {
    let lines = of["requirements"].as_array().unwrap();
    let lines = lines.iter().filter(|line| !line["id"].as_str().unwrap().starts_with("artifact:"));
    let decisions = of["decisions"].as_array().unwrap();
    let decisions = decisions.iter().map(|one| (one["commit"].clone(), one["code"].clone()));
    (lines.cloned().collect(), decisions.collect())
}

#[test]
fn each_deployment_of_an_audit_is_judged_as_it_is_judged_alone() {
    let world = World::new();
    let repo = busy(&world);
    let audit = repo.run(&["audit", "--format", "json"]).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut compared = 0;
    for one in audit["deployments"].as_array().unwrap() {
        let (gate, environment) = (text(&one["gate"]), text(&one["environment"]));
        let parents = repo.git(&["show", "-s", "--format=%P", &text(&one["record"])]);
        let [before, _judged] = parents.split_whitespace().collect::<Vec<_>>()[..] else { continue };
        let (at, time) = (text(&one["judged"]), text(&one["time"]));
        let question = ["check", &gate, "--env", &environment, "--format", "json", "--no-index"];
        let moment = ["--at", &at, "--time", &time, "--log", before];
        let alone = repo.run(&[&question[..], &moment].concat()).json();
        assert_eq!(judged(&one["then"]), judged(&alone), "{gate} in {environment}: {}", one["record"]);
        compared += 1;
    }
    assert!(compared > 9, "{compared}");
}

#[test]
fn what_is_read_of_one_system_is_what_is_read_of_all() {
    let world = World::new();
    let repo = busy(&world);
    let all = repo.run(&["metrics", "--by", "system", "--format", "json"]).json();
    for system in ["router", "summarizer"] {
        let one = repo.run(&["metrics", "--by", "system", "--system", system, "--format", "json"]).json();
        let group = |of: &Value| of["groups"].get(system).unwrap().clone();
        assert_eq!(group(&all), group(&one));
    }
    let report = repo.run(&["report", "--format", "json"]).json();
    let gates = report["gates"].as_array().unwrap();
    let names: Vec<&Value> = gates.iter().map(|gate| &gate["gate"]).collect();
    let mut sorted = names.clone();
    sorted.sort_by_key(|name| name.as_str().unwrap());
    assert_eq!(names, sorted);
    // The log in its own order, whoever read which system of it.
    let log = report["log"]["records"].as_array().unwrap();
    let production = log.iter().filter(|record| record["environment"] == "production");
    let mine: Vec<String> = production.map(|record| record["record"].as_str().unwrap().to_owned()).collect();
    let git = repo.git(&[
        "log",
        "--first-parent",
        "--reverse",
        "--format=%H",
        "deployments/production",
        "--not",
        "main",
    ]);
    let theirs: Vec<String> =
        git.lines().filter(|line| mine.iter().any(|one| one == line)).map(str::to_owned).collect();
    assert_eq!(mine, theirs);
    assert_eq!(mine.len(), 11);
}

#[test]
fn the_policy_in_force_flips_nothing_whoever_tries_it() {
    let world = World::new();
    let repo = busy(&world);
    let found = repo.run(&["backtest", "--policy", "main", "--format", "json"]).json();
    assert_eq!(found["flips"], serde_json::json!([]));
}
