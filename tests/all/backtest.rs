//! A policy tried on the past: what flips, what it would have caught, and that the policy in force flips nothing.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::world::{Decision, Policy, Repo, World};

fn report(repo: &Repo<'_>, gate: &str, rate: f64) {
    let text = format!("{{\"summary\": {{\"hallucination_rate\": {rate}, \"n\": 400}}}}\n");
    repo.write(&format!("gates/{gate}/evidence/evaluation.json"), text);
}

fn enact(repo: &Repo<'_>, serial: u64, policy: &Policy) {
    let branch = format!("policy/serial-{serial}");
    repo.switch(&branch).write_policy(policy);
    repo.commit("a.ng", "Change the policy");
    for who in ["m.okafor", "l.wu"] {
        repo.decide(who, &Decision::approve("policy", "governance"));
    }
    repo.merge("l.wu", &branch);
}

fn backtest(repo: &Repo<'_>, policy: &str) -> Value {
    repo.run(&["backtest", "--policy", policy, "--format", "json"]).expect(0).json()
}

/// Which verdicts flip: gate, environment, how it was decided, then, in force, proposed.
fn flips(answer: &Value) -> Vec<String> {
    let flips = answer["flips"].as_array().unwrap().iter();
    let keys = ["gate", "environment", "decided", "then", "before", "after"];
    flips.map(|flip| keys.map(|key| flip[key].as_str().unwrap().to_owned()).join(" ")).collect()
}

/// Bounds that a generated policy may set.
const BOUNDS: [&str; 3] = ["max = 0.05", "max = 0.02", "max = 0.001"];

/// What happens next in a generated history.
#[derive(Debug, Clone)]
enum Next {
    /// A gate with a rate, and what is decided on it, one bit each: approvals, a rejection, a close, a deployment.
    Gate(u32, u8),
    /// Another policy.
    Policy(usize),
}

fn any_history() -> impl Strategy<Value = Vec<Next>> {
    let next = prop_oneof![
        3 => (0_u32..60, any::<u8>()).prop_map(|(rate, bits)| Next::Gate(rate, bits)),
        1 => (0..BOUNDS.len()).prop_map(Next::Policy),
    ];
    prop::collection::vec(next, 2..5)
}

fn tell(repo: &Repo<'_>, history: &[Next]) -> bool {
    let mut serial = 1;
    for (number, next) in history.iter().enumerate() {
        match next {
            Next::Policy(bound) => {
                serial += 1;
                enact(repo, serial, &Policy::small().serial(serial).replacing(BOUNDS[0], BOUNDS[*bound]));
            }
            Next::Gate(rate, bits) => {
                let gate = format!("summarizer/v{number}");
                let is = |bit: u8| bits & (1 << bit) != 0;
                repo.open("j.doe", &gate);
                // That one it was opened with.
                if *rate != 21 {
                    report(repo, &gate, f64::from(*rate) / 1000.0);
                    repo.commit("j.doe", "Evaluate again");
                }
                if is(0) {
                    repo.approve("j.rivera", &gate, "ml-lead");
                }
                if is(1) {
                    repo.approve("s.chen", &gate, "product-lead");
                }
                if is(2) && is(3) {
                    repo.decide("k.berg", &Decision::reject(&gate, "ml-lead", "quality"));
                }
                repo.merge("l.wu", &format!("gate/{gate}"));
                if is(4) {
                    repo.deploy_record("bot", &gate, "production", "requirements");
                }
                if is(5) && is(6) {
                    repo.incident("s.chen", &format!("INC-{number}"), &gate, None);
                }
            }
        }
    }
    serial == 1
}

#[test]
fn the_policy_in_force_flips_nothing_whatever_happened() {
    let mut runner = TestRunner::new(Config { cases: 4, failure_persistence: None, ..Config::default() });
    let result = runner.run(&any_history(), |history| {
        let world = World::new();
        let repo = world.governance_repo();
        let one_policy = tell(&repo, &history);
        let answer = backtest(&repo, "main");
        prop_assert_eq!(&answer["flips"], &json!([]), "{:#}", answer);
        prop_assert_eq!(&answer["in_force"], &answer["proposed"], "{:#}", answer);
        prop_assert_eq!(&answer["problems"], &json!([]));
        if one_policy {
            prop_assert_eq!(&answer["changed_since"], &json!(0), "{:#}", answer);
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn a_policy_is_compared_with_the_one_in_force_at_the_moment_of_each_decision() {
    let world = World::new();
    let repo = world.governance_repo();
    let first = repo.rev("main");
    repo.allowed_gate("summarizer/v1");
    repo.deploy_record("bot", "summarizer/v1", "production", "requirements");
    repo.incident("s.chen", "INC-1", "summarizer/v1", None);
    repo.open("j.doe", "summarizer/v2");
    repo.decide("k.berg", &Decision::reject("summarizer/v2", "ml-lead", "quality"));
    repo.merge("l.wu", "gate/summarizer/v2");
    repo.open("j.doe", "summarizer/v3");
    repo.merge("l.wu", "gate/summarizer/v3");
    enact(&repo, 2, &Policy::small().serial(2).replacing("max = 0.05", "max = 0.01"));
    repo.open("j.doe", "summarizer/v4");
    repo.merge("l.wu", "gate/summarizer/v4");

    // By the policy in force: what the change has done already, and nothing else.
    let answer = backtest(&repo, "main");
    assert_eq!(answer["schema"], "git-gate/backtest/1");
    assert_eq!(flips(&answer), [""; 0], "{answer:#}");
    assert_eq!(
        answer["judged"],
        json!({ "deployed": 1, "allowed": 1, "rejected": 2, "blocked": 2 }),
        "{answer:#}"
    );
    // v3 asks for approvals only, and waits for them.
    assert_eq!(answer["undecided"], 2, "{answer:#}");
    assert_eq!(answer["changed_since"], 2, "v1 was allowed in both environments: {answer:#}");
    assert_eq!(answer["proposed"]["caught"], 1, "{answer:#}");

    // The policy of the beginning, which let it through.
    let answer = backtest(&repo, &first);
    assert_eq!(
        flips(&answer),
        [
            "summarizer/v1 production deployed allowed blocked allowed",
            "summarizer/v1 staging allowed allowed blocked allowed",
            "summarizer/v4 production blocked blocked blocked pending",
            "summarizer/v4 staging blocked blocked blocked pending",
        ],
        "{answer:#}"
    );
    assert_eq!(answer["flips"][0]["incidents"], json!(["INC-1"]));
    assert_eq!(answer["problems"], json!(["its `serial` is 1; the next one is 3"]));
    assert_eq!((&answer["in_force"]["caught"], &answer["proposed"]["missed"]), (&json!(1), &json!(1)));
    assert_eq!(answer["in_force"]["requirements"]["criterion:hallucination"]["caught"], 1);
    assert_eq!(answer["conclusion"], json!({ "concluded": "too-few", "p": null }));
    let text = repo.run(&["backtest", "--policy", &first]).expect(0).stdout;
    assert!(
        text.contains("it flips 4 of 6 verdicts") && text.contains("too few to conclude anything"),
        "{text}"
    );
    let markdown = repo.run(&["backtest", "--policy", &first, "--format", "markdown"]).expect(0).stdout;
    assert!(markdown.contains("INC-1"), "{markdown}");

    // One approval more: what is held up is neither caught nor missed, and costs an approval.
    let more = Policy::small()
        .serial(3)
        .replacing("max = 0.05", "max = 0.05, min_samples = 50")
        .with("\n[[rule]]\nname = \"second look\"\napprovals = [{ role = \"compliance\" }]\n");
    repo.switch("policy/more").write_policy(&more);
    repo.commit("a.ng", "Ask for more");
    let answer = backtest(&repo, "policy/more");
    assert_eq!(answer["proposed"]["held_incidents"], 1, "{answer:#}");
    assert_eq!(answer["proposed"]["rules"]["second look"]["held_incidents"], 1);
    assert_eq!(answer["cost"]["approvals"]["compliance"], json!({ "in_force": 0, "proposed": 1 }));
    assert_eq!(answer["cost"]["waiting"]["unknown"], 1, "too few waits: {answer:#}");
    // Nothing was decided in that time.
    let none = [
        "backtest",
        "--policy",
        "main",
        "--since",
        "2001-01-01",
        "--until",
        "2001-01-02",
        "--format",
        "json",
    ];
    let answer = repo.run(&none).expect(0).json();
    assert_eq!((&answer["judged"], &answer["out_of_time"]), (&json!({}), &json!(6)), "{answer:#}");
}

#[test]
fn a_policy_that_does_not_read_is_told_with_its_places() {
    let world = World::new();
    let repo = world.governance_repo();
    let dir = world.dir().join("hostile");
    std::fs::create_dir(&dir).unwrap();
    let path = dir.to_str().unwrap();
    let write = |text: &[u8]| std::fs::write(dir.join("policy.toml"), text).unwrap();
    std::fs::write(dir.join("allowed_signers"), Policy::small().signers).unwrap();
    write(b"schema = 1\nid = \"\x1b[31mx\"\nserial = \n");
    let run = repo.run(&["backtest", "--policy", path]).expect(3);
    assert!(
        run.stdout.is_empty() && !run.stderr.contains('\x1b') && run.stderr.contains("policy.toml:"),
        "{run}"
    );
    write(b"schema = 1\nunknown = 1\n");
    let run = repo.run(&["backtest", "--policy", path]).expect(3);
    assert!(
        run.stderr.contains("[policy-unknown-key]") && run.stderr.contains("[policy-missing-key]"),
        "{run}"
    );
    write(&vec![b'#'; 8 * 1024 * 1024 + 1]);
    let run = repo.run(&["backtest", "--policy", path]).expect(3);
    assert!(run.stderr.contains("[policy-too-large]"), "{run}");
    assert_eq!(repo.run(&["backtest", "--policy", "no-such"]).expect(3).stdout, "");
    repo.run(&["backtest"]).expect(2);
    repo.run(&["backtest", "--policy", "main", "--since", "yesterday"]).expect(2);
}

/// Twenty-six gates that ran in staging; the six with the highest rates led to incidents.
fn with_incidents<'w>(world: &'w World, policy: &Policy) -> Repo<'w> {
    let repo = world.governance_repo_with(policy);
    let gates: Vec<String> = (1..=26).map(|number| format!("summarizer/v{number:02}")).collect();
    for (number, gate) in (1_u32..).zip(&gates) {
        let (system, version) = gate.split_once('/').unwrap();
        let rate = if number <= 20 { number } else { number + 10 };
        repo.write(&format!("gates/{gate}/gate.toml"), crate::world::gate_toml(system, version))
            .write(&format!("gates/{gate}/CHANGE.md"), "Better.\n");
        report(&repo, gate, f64::from(rate) / 1000.0);
    }
    repo.commit("j.doe", "Open them all");
    for gate in &gates {
        let message = repo.message(&Decision::approve(gate, "ml-lead"));
        repo.git_as(
            "j.rivera",
            &["commit", "-q", "-S", "--allow-empty", "--cleanup=verbatim", "-m", &message],
        );
    }
    for gate in &gates {
        repo.deploy_record("bot", gate, "staging", "requirements");
    }
    for gate in &gates[20..] {
        let version = gate.split_once('/').unwrap().1;
        repo.write(
            &format!("incidents/INC-{version}.toml"),
            format!(
                "schema = 1\nsystem = \"summarizer\"\nversion = \"{version}\"\nenvironment = \"staging\"\n\
                 severity = \"high\"\ndetected = {0}\nresolved = {0}\nsummary = \"Wrong\"\n",
                world.time()
            ),
        );
    }
    repo.commit("s.chen", "Incidents");
    repo
}

#[test]
fn a_bound_that_the_numbers_speak_for_is_proposed_as_a_change_that_applies() {
    let world = World::new();
    let hostile = Policy::small().replacing("max = 0.05 }", "max = 0.05, origin = \"\\u001b[31mletter\" }");
    let repo = with_incidents(&world, &hostile);
    let answer = repo.run(&["tune", "hallucination_rate", "--format", "json"]).expect(0).json();
    assert_eq!(answer["schema"], "git-gate/tune/1");
    assert_eq!((&answer["ran"], &answer["led"]), (&json!(26), &json!(6)), "{answer:#}");
    let criterion = &answer["criteria"][0];
    assert_eq!(criterion["incidents"]["five"], json!([0.031, 0.032, 0.033, 0.035, 0.036]), "{answer:#}");
    assert_eq!(criterion["others"]["count"], 20);
    let suggestion = &criterion["suggestion"];
    // Six of six, none of twenty: one in C(26, 6), for six thresholds that were tried.
    assert_eq!((&suggestion["why"], &suggestion["value"]), (&json!("tells"), &json!(0.02)), "{answer:#}");
    let expected = 6.0 / 230_230.0;
    assert!((suggestion["p"].as_f64().unwrap() - expected).abs() < 1e-6, "{suggestion}");
    let thresholds = criterion["thresholds"].as_array().unwrap();
    assert_eq!(thresholds.iter().filter(|cut| cut["present"] == true).count(), 1);
    assert_eq!(answer["origins"]["unanswered"].as_array().unwrap().len(), 6);
    let text = repo.run(&["tune"]).expect(0).stdout;
    assert!(
        !text.contains('\x1b') && text.contains("0.05 (present)") && text.contains("changed nothing"),
        "{text}"
    );

    let patch = repo.run(&["tune", "--patch"]).expect(0).stdout;
    repo.switch("policy/tuned");
    world.git_with_input(&repo.path, &["apply"], &patch);
    repo.commit("a.ng", "Tune the bound");
    repo.run(&["policy", "lint", "policy/tuned"]).expect(0);
    let answer = backtest(&repo, "policy/tuned");
    assert_eq!(answer["problems"], json!([]), "{answer:#}");
    assert_eq!(
        (&answer["proposed"]["caught"], &answer["proposed"]["false_alarms"]),
        (&json!(6), &json!(0)),
        "{answer:#}"
    );
    assert_eq!(answer["conclusion"]["concluded"], "tells");
    let run = repo.run(&["tune", "no-such-metric"]).expect(3);
    assert!(run.stderr.contains("[metric-unknown]") && run.stderr.contains("`hallucination_rate`"), "{run}");
    // With the incidents taken out by time there is nothing to speak for it.
    let run = repo.run(&["tune", "--until", "2001-01-01", "--patch"]).expect(0);
    assert!(run.stdout.is_empty() && run.stderr.contains("nothing is proposed"), "{run}");
}

#[test]
fn what_is_odd_about_the_history_is_said_with_what_was_tried() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate("summarizer/v1.4");
    repo.incident("s.chen", "INC-7", "summarizer/v1.4", None);
    // A bot resolves nothing.
    let file = repo.path.join("incidents/INC-7.toml");
    let toml = std::fs::read_to_string(&file).unwrap();
    repo.write("incidents/INC-7.toml", format!("{toml}cause = \"none\"\n"));
    repo.commit("eval-ci", "Nothing happened");
    for command in [&["backtest", "--policy", "main"][..], &["tune"], &["metrics"]] {
        let text = repo.run(command).expect(0).stdout;
        assert!(text.contains("incident-not-seen"), "{command:?}: {text}");
        let answer = repo.run(&[command, &["--format", "json"]].concat()).json();
        assert_eq!(answer["notices"][0]["code"], "incident-not-seen", "{command:?}");
    }
}

#[test]
fn a_policy_is_not_tried_on_a_history_that_was_rewound() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate("summarizer/v1.4");
    repo.run(&["check", "summarizer/v1.4", "--env", "production"]).expect(0);
    repo.switch("main").git(&["reset", "-q", "--hard", "main~1"]);
    for command in [&["backtest", "--policy", "main"][..], &["tune"]] {
        let run = repo.run(command).expect(3);
        assert!(run.stderr.contains("[mainline-rewound]"), "{run}");
    }
}
