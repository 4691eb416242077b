//! Examples in the docs are read as the program reads the real thing, and those of the design are among them.

use std::collections::BTreeSet;

use git_gate::decision::{Reading, parse_message};
use git_gate::evidence::{Format, Reading as ReadAs, read};
use git_gate::policy::Policy;
use git_gate::request::{Exception, ExceptionKind, GateRequest, Incident};
use serde_json::Value;

use super::{nothing, page, pages, summarizer};
use crate::markdown::{blocks, quoted};
use crate::world::{KeyKind, Policy as PolicyText, World};

/// Reads one example; an error says what is wrong with it.
type Check = fn(&str) -> Result<(), String>;

/// Every kind of TOML example, and how it is read.
const TOML_KINDS: &[(&str, Check)] = &[
    ("policy", is_policy),
    ("gate", is_gate),
    ("exception", is_exception),
    ("cover", is_cover),
    ("incident", is_incident),
    ("rollback", is_rollback),
    // Mappings, which `recipes.rs` tries on real shapes.
    ("recipe", is_toml),
    // A part of one of these files.
    ("part", is_toml),
];

fn is_toml(text: &str) -> Result<(), String> {
    text.parse::<toml::Table>().map(drop).map_err(|error| error.to_string())
}

/// Without keys there are findings, such as members without one; what the policy says must read whole.
fn is_policy(text: &str) -> Result<(), String> {
    Policy::parse(text.as_bytes(), b"").map(drop).map_err(|problems| problems.to_string())
}

fn is_gate(text: &str) -> Result<(), String> {
    let read = GateRequest::parse("gate.toml", text.as_bytes(), &summarizer());
    read.map(drop).map_err(|problems| problems.to_string())
}

fn is_exception(text: &str) -> Result<(), String> {
    let read = Exception::parse("exception.toml", text.as_bytes(), &summarizer(), ExceptionKind::Main);
    read.map(drop).map_err(|problems| problems.to_string())
}

fn is_cover(text: &str) -> Result<(), String> {
    let read = Exception::parse("exception.toml", text.as_bytes(), &summarizer(), ExceptionKind::Cover);
    read.map(drop).map_err(|problems| problems.to_string())
}

fn is_incident(text: &str) -> Result<(), String> {
    let read = Incident::parse("incident.toml", text.as_bytes());
    read.map(drop).map_err(|problems| problems.to_string())
}

fn is_rollback(text: &str) -> Result<(), String> {
    let reading = ReadAs { declared: Some(Format::Rollback), ..ReadAs::default() };
    let report = read(text.as_bytes(), &reading).map_err(|unreadable| format!("{unreadable:?}"))?;
    report
        .metrics
        .contains_key("rollback.seconds")
        .then_some(())
        .ok_or_else(|| "gives no `rollback.seconds`".into())
}

#[test]
fn every_toml_example_reads_as_the_file_that_it_shows() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, text) in pages() {
        for block in blocks(&text).unwrap() {
            if block.words.first().is_none_or(|language| language != "toml") {
                continue;
            }
            let kind = block.words.get(1).map_or("", String::as_str);
            match TOML_KINDS.iter().find(|(known, _)| *known == kind) {
                None => wrong.push(format!("{name}:{}: `toml {kind}` is no kind of example", block.line)),
                Some((known, check)) => {
                    seen.insert(*known);
                    wrong.extend(check(&block.text).err().map(|why| format!("{name}:{}: {why}", block.line)));
                }
            }
        }
    }
    nothing(&wrong);
    assert_eq!(seen.len(), TOML_KINDS.len(), "only {seen:?} have an example");
}

/// The blocks of a page that carry exactly these words.
fn examples(page_name: &str, words: &[&str]) -> Vec<String> {
    let found: Vec<String> = blocks(&page(page_name))
        .unwrap()
        .into_iter()
        .filter(|block| block.words == words)
        .map(|block| block.text)
        .collect();
    assert!(!found.is_empty(), "docs/{page_name} has no {words:?}");
    found
}

#[test]
fn every_decision_shown_is_one() {
    for text in examples("rules.md", &["text", "decision"]) {
        let reading = parse_message(&text);
        assert!(matches!(reading, Reading::Decision { .. }), "{reading:?}\n{text}");
    }
    let verbs: BTreeSet<String> = examples("rules.md", &["text", "decision"])
        .iter()
        .filter_map(|text| {
            text.lines().find_map(|line| line.strip_prefix("Gate-Action: ")).map(str::to_owned)
        })
        .collect();
    assert_eq!(Vec::from_iter(verbs), ["accept-risk", "approve", "deploy", "deploy-failed", "reject"]);
}

/// Fields that stand only *where there is one*, as docs/output.md says.
const OPTIONAL: [&str; 4] = ["environments", "gate_reason", "record", "words"];

/// The example and an output have the same fields, all the way down.
fn same_shape(place: &str, shown: &Value, real: &Value, wrong: &mut Vec<String>) {
    match (shown, real) {
        (Value::Object(shown), Value::Object(real)) => {
            let keys: BTreeSet<&String> = shown.keys().chain(real.keys()).collect();
            for key in keys {
                match (shown.get(key), real.get(key)) {
                    (Some(shown), Some(real)) => same_shape(&format!("{place}.{key}"), shown, real, wrong),
                    _ if OPTIONAL.contains(&key.as_str()) => {}
                    (Some(_), None) => wrong.push(format!("`{place}.{key}` is in the docs alone")),
                    _ => wrong.push(format!("`{place}.{key}` is not in the docs")),
                }
            }
        }
        (Value::Array(shown), Value::Array(real)) => {
            for (shown, real) in
                shown.iter().take(1).flat_map(|shown| real.iter().map(move |real| (shown, real)))
            {
                same_shape(&format!("{place}[]"), shown, real, wrong);
            }
        }
        // Null: there is nothing to say in one of the two.
        (Value::Null, _) | (_, Value::Null) => {}
        (shown, real) if std::mem::discriminant(shown) == std::mem::discriminant(real) => {}
        (shown, real) => wrong.push(format!("`{place}`: {shown} in the docs, {real} in the output")),
    }
}

#[test]
fn the_check_shown_has_the_fields_of_a_real_one() {
    const GATE: &str = "summarizer/v1.4";
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.except("j.doe", GATE, "approval:product-lead", &world.day(7));
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    // A policy that waits, so that `policy.pending` has something to say.
    repo.switch("main").write_policy(&PolicyText::small().serial(2)).commit("a.ng", "Serial 2");
    let real = repo.check_json(GATE, "production");
    assert_eq!(real["verdict"], "pending", "{real:#}");
    assert!(real["policy"]["pending"].is_object(), "{real:#}");
    for list in ["requirements", "decisions", "exceptions"] {
        assert!(!real[list].as_array().unwrap().is_empty(), "{list}: {real:#}");
    }
    let shown: Value = serde_json::from_str(&examples("output.md", &["json", "check"]).concat()).unwrap();
    let mut wrong = Vec::new();
    same_shape("check", &shown, &real, &mut wrong);
    nothing(&wrong);
    // What was refused has one shape too.
    let error =
        repo.run(&["check", GATE, "--env", "production", "--root", &"12".repeat(20), "--format", "json"]);
    let shown: Value = serde_json::from_str(&examples("output.md", &["json", "error"]).concat()).unwrap();
    same_shape("error", &shown, &error.expect(3).json(), &mut wrong);
    nothing(&wrong);
}

#[test]
fn shapes_that_differ_are_found() {
    let shown: Value = serde_json::from_str(r#"{"a":[{"b":1,"words":""}],"c":null,"d":1}"#).unwrap();
    let real: Value = serde_json::from_str(r#"{"a":[{"b":2},{"b":"x","e":1}],"c":{},"f":1}"#).unwrap();
    let mut wrong = Vec::new();
    same_shape("x", &shown, &real, &mut wrong);
    let found: BTreeSet<&str> = wrong.iter().map(String::as_str).collect();
    let told: Vec<&str> = found.into_iter().collect();
    assert_eq!(
        told,
        [
            "`x.a[].b`: 1 in the docs, \"x\" in the output",
            "`x.a[].e` is not in the docs",
            "`x.d` is in the docs alone",
            "`x.f` is not in the docs"
        ]
    );
}

/// The fields that docs/output.md tells of a command that writes, besides those of all.
fn told_of(command: &str) -> BTreeSet<String> {
    let page = page("output.md");
    let rows = crate::markdown::table(&page, &["command", "fields"]).unwrap();
    let row = rows.iter().find(|row| quoted(&row.cells[0]).iter().any(|name| name == command)).unwrap();
    let fields = quoted(&row.cells[1]).into_iter().filter(|field| field != "policy");
    fields.chain(["schema", "branch", "commit", "pushed"].map(str::to_owned)).collect()
}

const EXCEPTION: [&str; 4] = [
    "--reason=Two people read each summary",
    "--risk=A wrong one is seen",
    "--expires=7d",
    "--follow-up=j.doe@example.com by 2031-01-31: Evaluate",
];

#[test]
fn what_commands_that_write_print_is_told() {
    const GATE: &str = "summarizer/v1.4";
    let world = World::new();
    let repo = world.governance_repo();
    repo.write("../report.json", "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 100}}");
    let digest = format!("sha256:{}", "12".repeat(32));
    let new = World::public_key("n.new", KeyKind::Ed25519);
    let other = World::public_key("n.new", KeyKind::SecondEd25519);
    let lost = format!("SHA256:{}", "A".repeat(43));
    for (who, args) in [
        ("j.doe", vec!["open", GATE, "--kind", "prompt", "--summary", "Fewer hallucinations"]),
        ("j.doe", vec!["artifact", GATE, "prompt.txt", "--digest", &digest]),
        ("j.doe", vec!["attach", GATE, "evaluation", "../report.json"]),
        ("j.doe", vec!["detach", GATE, "evaluation"]),
        ("j.rivera", vec!["approve", GATE, "--yes"]),
        ("j.rivera", vec!["reject", GATE, "--reason", "quality", "--yes"]),
        ("j.rivera", vec!["withdraw", GATE, "--yes"]),
        ("j.doe", [&["except", GATE, "--waive", "evidence:evaluation"], &EXCEPTION[..]].concat()),
        ("m.okafor", vec!["accept-risk", GATE, "--yes"]),
        ("j.rivera", vec!["close", GATE, "--yes"]),
        ("l.wu", vec!["merge", GATE]),
        ("a.ng", vec!["key", "add", "n.new@example.com", &new]),
        ("a.ng", vec!["key", "rotate", "n.new@example.com", &other, "--slug", "key-add-n-new-example-com"]),
        ("a.ng", vec!["key", "revoke", &lost, "--never-trusted", "--reason", "lost"]),
    ] {
        repo.sign_in(who);
        let command = if args[0] == "key" { args[..2].join("-") } else { args[0].to_owned() };
        let printed = repo.run(&[&args[..], &["--format", "json"]].concat()).expect(0).json();
        let fields: BTreeSet<String> = printed.as_object().unwrap().keys().cloned().collect();
        assert_eq!(printed["schema"], format!("git-gate/{command}/1"));
        assert_eq!(fields, told_of(&command), "{printed:#}");
    }
}
