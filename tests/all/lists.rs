//! `list`, `pending` and `show --history`: what is open, on whom it waits, and what happened.

use crate::world::{Decision, Policy, Repo, Run, World};

const ALLOWED: &str = "summarizer/v1.3";
const PENDING: &str = "summarizer/v1.4";
const BRANCH: &str = "summarizer/v1.5";
const REJECTED: &str = "router/v1.0";

/// A gate of each sort.
fn gates(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.allowed_gate(ALLOWED);
    repo.open("j.doe", PENDING);
    repo.approve("j.rivera", PENDING, "ml-lead");
    repo.merge("l.wu", &format!("gate/{PENDING}"));
    repo.open("l.wu", REJECTED);
    repo.decide("k.berg", &Decision::reject(REJECTED, "ml-lead", "quality"));
    repo.merge("l.wu", &format!("gate/{REJECTED}"));
    repo.open("j.doe", BRANCH);
    repo.switch("main");
    repo
}

#[track_caller]
fn run(repo: &Repo<'_>, args: &[&str]) -> Run {
    repo.world.run(&repo.path, args).expect(0)
}

#[track_caller]
fn json(repo: &Repo<'_>, args: &[&str]) -> serde_json::Value {
    run(repo, &[args, &["--format", "json"]].concat()).json()
}

#[track_caller]
fn listed(repo: &Repo<'_>, args: &[&str]) -> Vec<String> {
    let list = json(repo, &[&["list"], args].concat());
    list["gates"].as_array().unwrap().iter().map(|gate| gate["gate"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_says_how_each_gate_stands_and_on_whom_it_waits() {
    let world = World::new();
    let repo = gates(&world);
    let list = json(&repo, &["list"]);
    assert_eq!(list["schema"], "git-gate/list/1");
    let shown: Vec<(&str, &str, bool)> = list["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| {
            (
                gate["gate"].as_str().unwrap(),
                gate["verdict"].as_str().unwrap(),
                gate["merged"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (REJECTED, "blocked", true),
            (ALLOWED, "allowed", true),
            (PENDING, "pending", true),
            (BRANCH, "pending", false),
        ]
    );
    let waits = &list["gates"][2]["waits"];
    assert_eq!(waits.as_array().unwrap().len(), 1, "{waits:#}");
    assert_eq!(waits[0]["requirement"], "approval:product-lead");
    assert_eq!(waits[0]["who"], serde_json::json!(["s.chen@example.com"]));
    assert_eq!(waits[0]["environments"], serde_json::json!(["production"]));
    assert_eq!(waits[0]["command"], format!("git gate approve {PENDING} --role product-lead"));
    let since = list["gates"][2]["since"].as_str().unwrap();
    let opened =
        repo.git(&["log", "--format=%cI", "--diff-filter=A", "--", &format!("gates/{PENDING}/gate.toml")]);
    let instant = |text: &str| text.parse::<git_gate::model::Time>().unwrap();
    assert_eq!(instant(since), instant(&opened));
}

/// Each verdict of the list is that of `show`: there is one evaluator.
#[test]
fn a_list_says_what_show_says() {
    let world = World::new();
    let repo = gates(&world);
    let list = json(&repo, &["list"]);
    for gate in list["gates"].as_array().unwrap() {
        let shown = json(&repo, &["show", gate["gate"].as_str().unwrap()]);
        let verdicts = |environments: &serde_json::Value| -> Vec<(String, String)> {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let environments = environments.as_array().unwrap().iter();
            environments.map(|one| (text(&one["environment"]), text(&one["verdict"]))).collect()
        };
        assert_eq!(verdicts(&gate["environments"]), verdicts(&shown["environments"]), "{gate:#}");
    }
}

#[test]
fn filters_leave_what_they_name() {
    let world = World::new();
    let repo = gates(&world);
    let all = [REJECTED, ALLOWED, PENDING, BRANCH];
    for (args, expected) in [
        (vec![], &all[..]),
        (vec!["--system", "router"], &[REJECTED]),
        (vec!["--verdict", "blocked"], &[REJECTED]),
        (vec!["--verdict", "allowed"], &[ALLOWED, PENDING]),
        (vec!["--verdict", "allowed", "--environment", "production"], &[ALLOWED]),
        (vec!["--person", "k.berg@example.com"], &[REJECTED, BRANCH]),
        (vec!["--person", "s.chen@example.com", "--verdict", "pending"], &[PENDING, BRANCH]),
        (vec!["--person", "s.chen@example.com"], &[ALLOWED, PENDING, BRANCH]),
        (vec!["--kind", "model"], &[]),
        (vec!["--kind", "prompt"], &all),
        (vec!["--risk", "critical"], &[REJECTED]),
        (vec!["--environment", "nowhere"], &[]),
    ] {
        assert_eq!(listed(&repo, &args), expected, "{args:?}");
    }
}

#[test]
fn a_table_fits_80_columns_and_the_other_forms_say_the_same() {
    let world = World::new();
    let repo = gates(&world);
    let text = run(&repo, &["list"]).stdout;
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}\n{text}", line.chars().count());
    }
    assert!(text.contains("4 gates: 1 blocked, 2 pending, 1 allowed"), "{text}");
    let markdown = run(&repo, &["list", "--format", "markdown"]).stdout;
    for part in [ALLOWED, PENDING, BRANCH, REJECTED, "approval:product-lead", "s.chen@example.com"] {
        assert!(text.contains(part), "{part}: {text}");
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
}

#[test]
fn pending_knows_me_by_my_key_and_asks_for_no_signature() {
    let world = World::new();
    let repo = gates(&world);
    // A signer that would leave a trace if it were asked.
    let trace = world.dir().join("trace");
    repo.git(&["config", "gpg.ssh.program", &format!("sh -c 'touch {}' sh", trace.display())]);
    for (who, expected) in [
        ("s.chen", vec![PENDING, BRANCH]),
        ("j.rivera", vec![BRANCH]),
        ("k.berg", vec![REJECTED, BRANCH]),
        ("m.okafor", vec![]),
    ] {
        repo.sign_in(who);
        let pending = json(&repo, &["pending"]);
        assert_eq!(pending["schema"], "git-gate/pending/1");
        assert_eq!(pending["principal"], format!("{who}@example.com"));
        let mut waits: Vec<&str> =
            pending["waits"].as_array().unwrap().iter().map(|wait| wait["gate"].as_str().unwrap()).collect();
        waits.sort_unstable();
        assert_eq!(waits, expected, "{who}: {pending:#}");
        let named = json(&repo, &["pending", "--person", &format!("{who}@example.com")]);
        assert_eq!(named, pending);
    }
    assert!(!trace.exists());
    repo.sign_in("s.chen");
    let text = run(&repo, &["pending"]).stdout;
    assert!(text.contains(&format!("git gate approve {PENDING} --role product-lead")), "{text}");
    repo.sign_in("mallory");
    let run = world.run(&repo.path, &["pending"]).expect(3);
    assert!(run.stderr.contains("[unknown-key]"), "{run}");
}

#[test]
fn what_is_only_to_be_merged_waits_for_that() {
    let world = World::new();
    let repo = gates(&world);
    repo.approve("j.rivera", BRANCH, "ml-lead");
    repo.approve("s.chen", BRANCH, "product-lead");
    repo.switch("main");
    let pending = json(&repo, &["pending", "--person", "j.doe@example.com"]);
    assert_eq!(pending["waits"][0]["requirement"], "gate:recorded", "{pending:#}");
    assert_eq!(pending["waits"][0]["command"], format!("git gate merge {BRANCH}"));
}

#[test]
fn a_policy_that_waits_waits_on_who_may_approve_it() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.switch("policy/stricter")
        .write_policy(&Policy::small().replacing("max = 0.05", "max = 0.01").serial(2));
    repo.commit("j.doe", "Stricter");
    repo.decide("l.wu", &Decision::approve("policy", "governance"));
    repo.merge("l.wu", "policy/stricter");
    for (who, waits) in [("a.ng", 1), ("l.wu", 0), ("s.chen", 0)] {
        let pending = json(&repo, &["pending", "--person", &format!("{who}@example.com")]);
        let found = pending["waits"].as_array().unwrap();
        assert_eq!(found.len(), waits, "{who}: {pending:#}");
        assert!(found.iter().all(|wait| wait["command"] == "git gate approve policy"), "{pending:#}");
    }
}

#[test]
fn a_branch_that_cannot_be_judged_hides_no_other_gate() {
    let world = World::new();
    let repo = gates(&world);
    repo.switch(&format!("gate/{BRANCH}")).write(&format!("gates/{BRANCH}/CHANGE.md"), "one\n");
    repo.commit("j.doe", "One");
    repo.switch("main").write(&format!("gates/{BRANCH}/CHANGE.md"), "another\n");
    repo.commit("l.wu", "Another");
    let list = json(&repo, &["list", "--verdict", "allowed"]);
    let shown: Vec<(&str, bool)> = list["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| (gate["gate"].as_str().unwrap(), gate["problem"].is_string()))
        .collect();
    assert_eq!(shown, [(ALLOWED, false), (PENDING, false), (BRANCH, true)], "{list:#}");
}

#[test]
fn a_history_tells_all_in_recorded_order() {
    let world = World::new();
    let repo = world.governance_repo();
    let gate = ALLOWED;
    repo.open("j.doe", gate);
    repo.write(
        &format!("gates/{gate}/evidence/evaluation.json"),
        "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 500}}\n",
    );
    repo.commit("j.doe", "Measure again");
    repo.approve("mallory", gate, "ml-lead");
    repo.decide("j.rivera", &Decision::approve(gate, "ml-lead").words("Read it all"));
    repo.approve("s.chen", gate, "product-lead");
    repo.merge("l.wu", &format!("gate/{gate}"));
    repo.deploy_record("bot", gate, "production", "requirements");
    repo.incident("s.chen", "i-1", gate, None);
    let now = world.time();
    repo.incident("s.chen", "i-1", gate, Some(&now));
    repo.except("l.wu", gate, "evidence:evaluation", &world.day(3));
    repo.switch("main");
    let history = json(&repo, &["show", gate, "--history"]);
    assert_eq!(history["schema"], "git-gate/history/1");
    let told: Vec<(&str, &str, bool, bool)> = history["moments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moment| {
            (
                moment["event"].as_str().unwrap(),
                moment["principal"].as_str().unwrap_or("nobody").split('@').next().unwrap(),
                moment["counts"].as_bool().unwrap(),
                moment["recorded_at"].is_string(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("opened", "j.doe", true, true),
            ("changed", "j.doe", true, true),
            ("decision", "nobody", false, true),
            ("decision", "j.rivera", true, true),
            ("decision", "s.chen", true, true),
            ("recorded", "l.wu", true, true),
            ("deployment", "bot", true, false),
            ("incident", "s.chen", true, true),
            ("incident", "s.chen", true, true),
            ("exception", "l.wu", true, false),
        ],
        "{history:#}"
    );
    let moments = history["moments"].as_array().unwrap();
    assert_eq!(moments[1]["what"], "replaced evaluation `evidence/evaluation.json`");
    assert_eq!(moments[2]["code"], "unknown-key");
    assert_eq!(moments[3]["words"], "Read it all");
    assert_eq!(moments[6]["what"], "deployed to production on requirements");
    assert_eq!(moments[8]["what"], "incident i-1 resolved");
    let text = run(&repo, &["show", gate, "--history"]).stdout;
    let markdown = run(&repo, &["show", gate, "--history", "--format", "markdown"]).stdout;
    for part in ["unknown-key", "Read it all", "opened by", "not recorded yet"] {
        assert!(text.contains(part), "{part}: {text}");
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
}

#[test]
fn hostile_text_breaks_no_row_of_a_table() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", PENDING);
    let toml = format!("gates/{PENDING}/gate.toml");
    let text = std::fs::read_to_string(repo.path.join(&toml)).unwrap();
    repo.write(&toml, text.replace("summary = \"", "summary = \"\\u001b[2J\\u202e|\\n"));
    repo.commit("j.doe", "Hide");
    repo.switch("main");
    for args in
        [&["list"][..], &["pending", "--person", "j.rivera@example.com"], &["show", PENDING, "--history"]]
    {
        for format in ["text", "markdown", "json"] {
            let shown = run(&repo, &[args, &["--format", format]].concat()).stdout;
            assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{args:?} {format}: {shown}");
        }
    }
}

#[test]
fn no_approval_is_waited_for_before_the_content_is_complete() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", PENDING);
    repo.remove(&format!("gates/{PENDING}/CHANGE.md"));
    repo.commit("j.doe", "Forget why");
    repo.switch("main");
    let list = json(&repo, &["list"]);
    let waits: Vec<&str> = list["gates"][0]["waits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wait| wait["requirement"].as_str().unwrap())
        .collect();
    assert_eq!(waits, ["evidence:change-description"], "{list:#}");
    assert_eq!(list["gates"][0]["waits"][0]["who"], serde_json::json!(["j.doe@example.com"]));
    let pending = json(&repo, &["pending", "--person", "j.rivera@example.com"]);
    assert_eq!(pending["waits"], serde_json::json!([]));
}
