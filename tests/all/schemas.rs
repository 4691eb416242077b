//! The schemas of files against the parsers, and both against the docs.
//!
//! A schema is written by hand, so what it says is compared with what the program does: the same keys at every table, the
//! same verdict on files that are right and on files that are wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use git_gate::policy::Policy;
use git_gate::problem::Problems;
use git_gate::request::{Exception, ExceptionKind, GateRequest, Incident};
use git_gate::schema::{ALL, Kind, Schema};
use serde_json::{Map, Value};

use crate::markdown::{blocks, quoted};
use crate::world::{World, validator};

fn docs() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    pages
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// TOML as editors hand it to a JSON Schema: moments are texts.
fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::from(*flag),
        toml::Value::Datetime(moment) => Value::from(moment.to_string()),
        toml::Value::Array(items) => items.iter().map(as_json).collect(),
        toml::Value::Table(table) => Value::Object(
            table.iter().map(|(key, value)| (key.clone(), as_json(value))).collect::<Map<_, _>>(),
        ),
    }
}

/// What the schema of that name has against a text.
#[track_caller]
fn against(schema: &str, text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().unwrap_or_else(|why| panic!("{why}\n{text}"));
    let instance = as_json(&toml::Value::Table(table));
    let validator = validator(&Schema::find(schema).unwrap().document());
    validator.iter_errors(&instance).map(|why| format!("{why} at `{}`", why.instance_path())).collect()
}

/// What the parser of that kind of file has against a text.
fn parsed(schema: &str, text: &str) -> Result<(), Problems> {
    let gate = "summarizer/v1.4".parse().unwrap();
    let bytes = text.as_bytes();
    match schema {
        "policy" => Policy::parse(bytes, b"").map(drop),
        "gate" => GateRequest::parse("gate.toml", bytes, &gate).map(drop),
        "exception" => Exception::parse("exception.toml", bytes, &gate, ExceptionKind::Main).map(drop),
        "cover" => Exception::parse("exception.toml", bytes, &gate, ExceptionKind::Cover).map(drop),
        "incident" => Incident::parse("incident.toml", bytes).map(drop),
        other => panic!("no parser of `{other}`"),
    }
}

#[test]
fn every_schema_is_one_and_needs_nothing_else() {
    let mut names = BTreeSet::new();
    for schema in ALL {
        let document = schema.document();
        assert!(jsonschema::draft202012::meta::is_valid(&document), "{}", schema.name);
        let _builds = validator(&document);
        for reference in references(&document) {
            let name =
                reference.strip_prefix("#/$defs/").unwrap_or_else(|| panic!("{}: {reference}", schema.name));
            assert!(document["$defs"][name].is_object(), "{}: {reference} leads nowhere", schema.name);
        }
        names.insert(format!("{}.json", schema.name));
    }
    // And every file is in the list.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/schema");
    let files =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> =
        files.filter(|name| name.split('.').nth(1) == Some("json") && name != "shared.json").collect();
    assert_eq!(files, names);
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn every_output_that_the_docs_tell_has_a_schema_and_the_other_way_round() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/output.md")).unwrap();
    let told: BTreeSet<String> = quoted(&page).into_iter().collect();
    for schema in ALL.iter().filter(|schema| schema.kind == Kind::Output) {
        let by_name = told.contains(&format!("git-gate/{}/1", schema.name)) || told.contains(schema.name);
        assert!(by_name, "docs/output.md does not tell `{}`", schema.name);
    }
    for named in told.iter().filter_map(|name| name.strip_prefix("git-gate/")?.strip_suffix("/1")) {
        assert!(named == "<command>" || Schema::find(named).is_some(), "no schema of `{named}`");
    }
}

#[test]
fn every_example_of_the_docs_has_its_schema() {
    let mut seen = BTreeSet::new();
    for (page, text) in docs() {
        for block in blocks(&text).unwrap() {
            let [language, kind, ..] = block.words.as_slice() else { continue };
            if language != "toml" || kind == "part" {
                continue;
            }
            let wrong = against(kind, &block.text);
            assert!(wrong.is_empty(), "{page}:{}: {}", block.line, wrong.join("; "));
            seen.insert(kind.clone());
        }
    }
    let files: BTreeSet<String> =
        ALL.iter().filter(|schema| schema.kind == Kind::File).map(|schema| schema.name.to_owned()).collect();
    assert_eq!(seen, files);
}

const POLICY: &str = r#"schema = 1
id = "acme"
serial = 1
bots = ["bot@example.com"]
[governance]
approvals = [{ role = "ml-lead", count = 1 }]
[mainline]
signed_by = ["ml-lead"]
[roles.ml-lead]
members = ["j.rivera@example.com"]
[changes]
kinds = ["prompt"]
risks = ["low", "high"]
infer = { prompt = ["*.txt"] }
[systems.summarizer]
risk = "low"
[environments.production]
artifacts = "required"
[evidence.evaluation]
max_age = "30d"
[evidence.evaluation.metrics]
a = { value = "/a", samples = "/n", format = "json" }
b = [{ column = "x", reduce = "mean", format = "csv" }]
[approvals]
max_age = "90d"
[rejections]
reasons = ["quality"]
[[rule]]
name = "every change"
when = { risk = ["high"] }
approvals = [{ role = "ml-lead" }]
criteria = [
  { name = "x", evidence = "evaluation", metric = "a", max = 1 },
  { name = "y", evidence = "evaluation", spread = { metrics = ["a*"] }, max = 1 },
]
[exceptions]
max_duration = "14d"
[[freeze]]
name = "year end"
from = 2026-12-20
until = 2027-01-03T00:00:00Z
[[revoked]]
key = "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s"
since = "never-trusted"
"#;

const GATE: &str = r#"schema = 1
system = "summarizer"
version = "v1.4"
kinds = ["prompt"]
risk = "high"
environments = ["production"]
summary = "Cut hallucinations"
requires = ["base/v1"]
[[artifact]]
name = "prompts/a.txt"
digest = "oci:sha256:1212121212121212121212121212121212121212121212121212121212121212"
[[evidence]]
kind = "evaluation"
file = "evidence/e.json"
[evidence.metrics]
tone = "/summary/tone"
"#;

const EXCEPTION: &str = r#"schema = 1
system = "summarizer"
version = "v1.4"
environments = ["production"]
waives = ["evidence:bias"]
reason = "Reviewed by people"
risk = "A wrong summary"
owner = "s.chen@example.com"
follow_ups = [{ what = "Label", who = "j.rivera@example.com", due = 2026-12-05 }]
expires = 2026-12-05T00:00:00Z
"#;

const INCIDENT: &str = r#"schema = 1
system = "summarizer"
version = "v1.4"
environment = "production"
severity = "high"
detected = 2026-11-20T09:00:00Z
summary = "Wrong summaries"
metrics = { hallucination_rate = 0.2 }
"#;

fn whole(schema: &str) -> &'static str {
    match schema {
        "policy" => POLICY,
        "gate" => GATE,
        "exception" | "cover" => EXCEPTION,
        "incident" => INCIDENT,
        other => panic!("no text of `{other}`"),
    }
}

/// Changes that make a file wrong, for both.
const WRONG: &[(&str, &str, &str)] = &[
    ("policy", "serial = 1", "serial = -1"),
    ("policy", "serial = 1", "serial = \"1\""),
    ("policy", "serial = 1\n", ""),
    ("policy", "schema = 1", "schema = 2"),
    ("policy", "\"acme\"", "\"a b\""),
    ("policy", "count = 1", "count = 1.5"),
    ("policy", "\"bot@example.com\"", "\"*@example.com\""),
    ("policy", "members = [", "memebers = ["),
    ("policy", "artifacts = \"required\"", "artifacts = \"optional\""),
    ("policy", "max_age = \"30d\"", "max_age = \"30 days\""),
    ("policy", "max_age = \"30d\"", "max_age = \"\""),
    ("policy", "max_age = \"30d\"", "max_age = \"5m1h\""),
    ("policy", "kinds = [\"prompt\"]", "kinds = []"),
    ("policy", "kinds = [\"prompt\"]", "kinds = [\"prompt\", \"prompt\"]"),
    ("policy", "kinds = [\"prompt\"]", "kinds = [\"a..b\"]"),
    ("policy", "kinds = [\"prompt\"]", "kinds = [\"a.lock\"]"),
    ("policy", "format = \"json\"", "format = \"yaml\""),
    ("policy", "value = \"/a\", ", ""),
    ("policy", "value = \"/a\", ", "value = \"/a\", reduce = \"count\", "),
    ("policy", "b = [{ column = \"x\", reduce = \"mean\", format = \"csv\" }]", "b = []"),
    ("policy", "reduce = \"mean\"", "reduce = \"median\""),
    ("policy", "metric = \"a\", max = 1", "metric = \"a\""),
    ("policy", "metric = \"a\", max", "max"),
    ("policy", "metric = \"a\", max", "metric = \"a\", ratio = { metrics = [\"a\"] }, max"),
    ("policy", "metric = \"a\", max = 1", "metric = \"a\", max = 1, max_drop = 0.1"),
    ("policy", "metric = \"a\", max = 1", "metric = \"a\", max = 1, confidence = 1.5"),
    ("policy", "metrics = [\"a*\"]", "metrics = []"),
    ("policy", "name = \"every change\"", "name = \"\""),
    ("policy", "risk = [\"high\"]", "risks = [\"high\"]"),
    ("policy", "from = 2026-12-20\n", "from = 2026-12-20T00:00:00\n"),
    ("policy", "SHA256:uNiV", "MD5:uNiV"),
    ("policy", "never-trusted", "yesterday"),
    ("gate", "version = \"v1.4\"\n", ""),
    ("gate", "risk = \"high\"", "risk = 3"),
    ("gate", "environments = [\"production\"]", "environments = []"),
    ("gate", "\"Cut hallucinations\"", "\"\""),
    ("gate", "\"base/v1\"", "\"base\""),
    ("gate", "oci:sha256:12", "md5:12"),
    ("gate", "prompts/a.txt", "../a.txt"),
    ("gate", "evidence/e.json", "gate.toml"),
    ("gate", "evidence/e.json", "/etc/passwd"),
    ("gate", "tone = \"/summary/tone\"", "tone = 3"),
    ("exception", "evidence:bias", "bias"),
    ("exception", "evidence:bias", "integrity:content"),
    ("exception", "expires = 2026-12-05T00:00:00Z\n", ""),
    ("exception", "{ what = \"Label\", who = \"j.rivera@example.com\", due = 2026-12-05 }", ""),
    ("exception", "\"Reviewed by people\"", "\" \""),
    ("exception", "who = \"j.rivera@example.com\", ", ""),
    ("cover", "evidence:bias", "everything:else"),
    ("incident", "severity = \"high\"", "severty = \"high\""),
    ("incident", "detected = 2026-11-20T09:00:00Z", "detected = \"soon\""),
    ("incident", "hallucination_rate = 0.2", "hallucination_rate = \"high\""),
    ("incident", "summary = \"Wrong summaries\"", "summary = \"a\\nb\""),
];

/// Changes after which a file is right still, for both.
const RIGHT: &[(&str, &str, &str)] = &[
    ("policy", "max_age = \"30d\"", "max_age = \"1d12h\""),
    (
        "policy",
        "metric = \"a\", max = 1",
        "metric = \"a\", compare = \"deployed\", max_rise = 0.1, first = \"pass\"",
    ),
    ("policy", "metric = \"a\", max = 1", "metric = \"a\", equals = true"),
    ("policy", "a = { value = \"/a\", samples = \"/n\", format = \"json\" }", "a = \"named/A\""),
    ("policy", "signed_by = [\"ml-lead\"]", "signed_by = []"),
    ("policy", "[evidence.evaluation]\n", "[evidence.other]\n[evidence.evaluation]\n"),
    ("gate", "\n[[artifact]]", "\ntags = [\"a\"]\nrequested_by = [\"j.doe@example.com\"]\n[[artifact]]"),
    ("gate", "file = \"evidence/e.json\"", "file = \"e\"\nformat = \"json\"\nartifact = \"prompts/a.txt\""),
    ("cover", "expires = 2026-12-05T00:00:00Z\n", ""),
    ("cover", "evidence:bias", "integrity:content"),
    ("incident", "2026-11-20T09:00:00Z", "2026-11-20 09:00:00.5+01:00"),
];

#[track_caller]
fn changed(schema: &str, old: &str, new: &str) -> String {
    let text = whole(schema);
    assert!(text.contains(old), "`{old}` is not in {schema}");
    text.replacen(old, new, 1)
}

#[test]
fn schema_and_parser_agree_on_what_is_right() {
    for (schema, old, new) in
        RIGHT.iter().chain(&[("policy", "", ""), ("gate", "", ""), ("exception", "", "")])
    {
        let text = changed(schema, old, new);
        parsed(schema, &text).unwrap_or_else(|why| panic!("the parser refuses `{new}`: {why}"));
        assert_eq!(against(schema, &text), [""; 0], "the schema refuses `{new}`");
    }
}

#[test]
fn schema_and_parser_agree_on_what_is_wrong() {
    for (schema, old, new) in WRONG {
        let text = changed(schema, old, new);
        assert!(parsed(schema, &text).is_err(), "the parser of {schema} takes `{new}` for `{old}`");
        assert!(!against(schema, &text).is_empty(), "the schema of {schema} takes `{new}` for `{old}`");
    }
}

/// Where tables stand: the text behind which a key is added, and the way to their schema.
const TABLES: &[(&str, &str, &str)] = &[
    ("policy", "serial = 1\n", ""),
    ("policy", "[governance]\n", "governance"),
    ("policy", "[{ role = \"ml-lead\", count = 1, ", "governance.approvals.[]"),
    ("policy", "[mainline]\n", "mainline"),
    ("policy", "[roles.ml-lead]\n", "roles.*"),
    ("policy", "[changes]\n", "changes"),
    ("policy", "[systems.summarizer]\n", "systems.*"),
    ("policy", "[environments.production]\n", "environments.*"),
    ("policy", "[evidence.evaluation]\n", "evidence.*"),
    ("policy", "[approvals]\n", "approvals"),
    ("policy", "[rejections]\n", "rejections"),
    ("policy", "[[rule]]\n", "rule.[]"),
    ("policy", "when = { ", "rule.[].when"),
    ("policy", "metric = \"a\", ", "rule.[].criteria.[]"),
    ("policy", "spread = { ", "rule.[].criteria.[].spread"),
    ("policy", "[exceptions]\n", "exceptions"),
    ("policy", "[[freeze]]\n", "freeze.[]"),
    ("policy", "[[revoked]]\n", "revoked.[]"),
    ("gate", "schema = 1\n", ""),
    ("gate", "[[artifact]]\n", "artifact.[]"),
    ("gate", "[[evidence]]\n", "evidence.[]"),
    ("exception", "schema = 1\n", ""),
    ("exception", "follow_ups = [{ ", "follow_ups.[]"),
    ("cover", "schema = 1\n", ""),
    ("incident", "schema = 1\n", ""),
];

/// The keys that the parser says it knows where it meets one that it does not.
#[track_caller]
fn keys_of_parser(schema: &str, behind: &str) -> BTreeSet<String> {
    let text = whole(schema);
    let text = text.replacen(behind.trim_end_matches(", "), behind, 1);
    let end = if behind.ends_with('\n') { "\n" } else { ", " };
    // `, }` is no TOML 1.0.
    let text = text
        .replacen(behind, &format!("{behind}zzzzzzzzzz = 1{end}"), 1)
        .replace(",  }", " }")
        .replace(", , ", ", ");
    let problems = parsed(schema, &text).expect_err(behind).0;
    let unknown: Vec<_> = problems.iter().filter(|problem| problem.code.ends_with("-unknown-key")).collect();
    assert_eq!(unknown.len(), 1, "{behind}: {problems:#?}");
    let help = unknown[0].help.clone().unwrap();
    quoted(help.strip_prefix("keys here: ").unwrap_or_else(|| panic!("{help}"))).into_iter().collect()
}

#[test]
fn every_table_has_the_same_keys_in_schema_and_parser() {
    for (schema, behind, way) in TABLES {
        let document = Schema::find(schema).unwrap().document();
        let mut place = &document;
        for step in way.split('.').filter(|step| !step.is_empty()) {
            place = match step {
                "*" => &place["additionalProperties"],
                "[]" => &place["items"],
                key => &place["properties"][key],
            };
            if let Some(reference) = place["$ref"].as_str() {
                place = document.pointer(reference.trim_start_matches('#')).unwrap();
            }
        }
        let keys: BTreeSet<String> = place["properties"]
            .as_object()
            .unwrap_or_else(|| panic!("{schema}: {way}"))
            .keys()
            .cloned()
            .collect();
        assert_eq!(keys, keys_of_parser(schema, behind), "{schema}: `{way}`");
        assert_eq!(place["additionalProperties"], false, "{schema}: `{way}`");
    }
}

#[test]
fn a_mapping_has_the_same_keys_in_schema_and_parser() {
    let document = Schema::find("policy").unwrap().document();
    let keys: BTreeSet<String> =
        document["$defs"]["mapping"]["anyOf"][1]["properties"].as_object().unwrap().keys().cloned().collect();
    let of = |old: &str, new: &str| {
        let problems = parsed("policy", &changed("policy", old, new)).unwrap_err().0;
        let unknown = problems.into_iter().find(|problem| problem.code == "policy-unknown-key").unwrap();
        quoted(unknown.help.unwrap().strip_prefix("keys here: ").unwrap())
    };
    let mut known: BTreeSet<String> =
        of("value = \"/a\"", "zzzzzzzzzz = 1, value = \"/a\"").into_iter().collect();
    known.extend(of("column = \"x\"", "zzzzzzzzzz = 1, column = \"x\""));
    assert_eq!(keys, known);
}

#[test]
fn what_init_and_open_write_names_a_schema_that_is_there() {
    let world = World::new();
    let home = world.home_of("a.ng");
    let script = "git gate init -q g && cd g && git gate open s/v1 -q --kind prompt --summary Better";
    world.shell(&world.dir(), &home, &[], script).expect(0);
    let top = world.dir().join("g");
    for (file, schema) in [("policy/policy.toml", "policy"), ("gates/s/v1/gate.toml", "gate")] {
        let revision = if schema == "gate" { "gate/s/v1" } else { "main" };
        let text = world.git(&top, &["show", &format!("{revision}:{file}")]);
        let path = text.lines().next().unwrap().strip_prefix("#:schema ").unwrap().to_owned();
        let directory = top.join(file).parent().unwrap().to_owned();
        let depth = path.matches("../").count();
        let mut from = directory.as_path();
        for _up in 0..depth {
            from = from.parent().unwrap();
        }
        let found = std::fs::read_to_string(from.join(path.trim_start_matches("../"))).unwrap();
        assert_eq!(found, world.run(&top, &["schema", schema]).expect(0).stdout);
        assert_eq!(against(schema, &text), [""; 0]);
    }
}

#[test]
fn where_the_repository_holds_no_schema_open_names_none_and_write_brings_them() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.sign_in("j.doe");
    repo.run(&["open", "summarizer/v1", "--kind", "prompt", "--summary", "Better"]).expect(0);
    assert!(!repo.git(&["show", "gate/summarizer/v1:gates/summarizer/v1/gate.toml"]).contains("#:schema"));
    let wrote = repo.run(&["schema", "--write", "--format", "json"]).expect(0).json();
    let names: Vec<&str> =
        wrote["schemas"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["policy", "gate", "exception", "cover", "incident", "rollback"]);
    assert!(repo.path.join(".schema/policy.json").is_file());
    repo.run(&["schema", "--write", "--dir", "elsewhere"]).expect(0);
    assert!(repo.path.join("elsewhere/cover.json").is_file());
    let bare = repo.clone_to("bare.git", true);
    assert_eq!(bare.run(&["schema", "--write", "--format", "json"]).expect(3).json()["code"], "no-work-tree");
    assert_eq!(world.run(&world.dir(), &["schema", "nothing"]).status, 2);
    let all = world.run(&world.dir(), &["schema", "--format", "json"]).expect(0).json();
    assert_eq!(all["schemas"].as_array().unwrap().len(), ALL.len());
}
