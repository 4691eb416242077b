use proptest::prelude::*;

use super::edit::GateEdit;
use super::write::{NewGate, render_exception_toml, render_gate_toml, render_incident_toml};
use super::*;

const FILE: &str = "gates/summarizer/v1.4/gate.toml";
const GATE: &str = include_str!("examples/gate.toml");
const EXCEPTION: &str = include_str!("examples/exception.toml");
const INCIDENT: &str = include_str!("examples/incident.toml");

fn gate() -> GateName {
    "summarizer/v1.4".parse().unwrap()
}

#[track_caller]
fn request(text: &str) -> GateRequest {
    GateRequest::parse(FILE, text.as_bytes(), &gate()).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

#[test]
fn the_designs_examples_parse() {
    let read = request(GATE);
    assert_eq!(read.evidence.len(), 3);
    assert_eq!(read.evidence[0].metrics.len(), 2);
    assert_eq!(read.requires, ["base-llm/v7".parse().unwrap()].into());
    let read = Exception::parse("e", EXCEPTION.as_bytes(), &gate(), ExceptionKind::Main).unwrap();
    assert_eq!(read.waives.len(), 2);
    assert_eq!(read.expires.unwrap().to_string(), "2026-12-05T00:00:00Z");
    assert_eq!(read.follow_ups[0].due, read.expires.unwrap());
    let read = Incident::parse("i", INCIDENT.as_bytes()).unwrap();
    assert_eq!(read.resolved, None);
}

#[test]
fn only_a_cover_may_lack_an_end_and_name_what_cannot_be_waived() {
    let text = EXCEPTION
        .replace("expires = 2026-12-05T00:00:00Z\n", "")
        .replace("\"evidence:bias\"", "\"integrity:content\", \"rejection:a@b\", \"gate:open\"");
    let codes = |kind| match Exception::parse("e", text.as_bytes(), &gate(), kind) {
        Ok(_) => vec![],
        Err(problems) => problems.0.iter().map(|problem| problem.code).collect(),
    };
    assert_eq!(codes(ExceptionKind::Cover), [""; 0]);
    let cannot = "exception-cannot-waive";
    assert_eq!(codes(ExceptionKind::Main), ["exception-missing-key", cannot, cannot, cannot]);
}

/// Every code of request files, with a change to a good file that brings it about.
#[test]
fn each_mistake_has_its_code_and_place() {
    let gates = [
        ("gate-unknown-key", "tags = []", "tag = []"),
        ("gate-missing-key", "risk = \"high\"", ""),
        ("gate-wrong-type", "kinds = [\"prompt\"]", "kinds = \"prompt\""),
        ("gate-bad-value", "risk = \"high\"", "risk = \"../high\""),
        ("gate-bad-value", "kinds = [\"prompt\"]", "kinds = []"),
        ("gate-bad-value", "summary = \"Cut", "summary = \"two\\nlines"),
        ("gate-repeated", "[\"staging\", \"production\"]", "[\"staging\", \"staging\"]"),
        ("gate-schema", "schema = 1\n", "schema = 2\nunknown = 1\n"),
        ("gate-path", "version = \"v1.4\"", "version = \"v1.5\""),
        ("gate-requires-itself", "base-llm/v7", "summarizer/v1.4"),
        (
            "gate-artifact-twice",
            "[[evidence]]\nkind = \"evaluation\"",
            "[[artifact]]\nname = \"prompts/summarize.txt\"\ndigest = \"git:0000000000000000000000000000000000000000\"\n[[evidence]]\nkind = \"evaluation\"",
        ),
        ("gate-unknown-artifact", "artifact = \"prompts/summarize.txt\"", "artifact = \"other\""),
        ("gate-unknown-format", "format = \"json\"", "format = \"yaml\""),
        ("gate-mapping", "tone = \"/summary/tone\"", "tone = { samples = \"/n\" }"),
        ("gate-evidence-path", "evidence/evaluation.json", "../other/evaluation.json"),
        ("gate-evidence-path", "evidence/evaluation.json", "gate.toml"),
        ("gate-evidence-path", "evidence/evaluation.json", "a/b/c/d/e/f/g/h/i"),
        (
            "gate-evidence-twice",
            "kind = \"change-description\"\nfile = \"CHANGE.md\"",
            "kind = \"evaluation\"\nfile = \"evidence/evaluation.json\"",
        ),
    ];
    let mut shown = String::new();
    let mut seen = std::collections::BTreeSet::new();
    for (code, from, to) in gates {
        let text = changed(GATE, from, to);
        let problems = GateRequest::parse(FILE, text.as_bytes(), &gate()).unwrap_err();
        note(&mut shown, &mut seen, code, &problems);
    }
    let exceptions = [
        ("exception-unknown-key", "owner = ", "owned = 1\nowner = "),
        ("exception-missing-key", "reason = ", "risky = 1\n# "),
        ("exception-wrong-type", "expires = 2026-12-05T00:00:00Z", "expires = \"2026-12-05\""),
        ("exception-bad-value", "expires = 2026-12-05T00:00:00Z", "expires = 2026-12-05T00:00:00"),
        ("exception-repeated", "\"criterion:hallucination\"", "\"evidence:bias\""),
        ("exception-schema", "schema = 1", "schema = 9"),
        ("exception-path", "summarizer", "other"),
        ("exception-unknown-requirement", "evidence:bias", "evidense:bias"),
        ("exception-unknown-requirement", "evidence:bias", "evidence:"),
        ("exception-cannot-waive", "evidence:bias", "freeze:year end"),
    ];
    for (code, from, to) in exceptions {
        let text = changed(EXCEPTION, from, to);
        let problems =
            Exception::parse("exception.toml", text.as_bytes(), &gate(), ExceptionKind::Main).unwrap_err();
        note(&mut shown, &mut seen, code, &problems);
    }
    let incidents = [
        ("incident-unknown-key", "cause = ", "causes = 1\ncause = "),
        ("incident-missing-key", "system = ", "# "),
        ("incident-wrong-type", "hallucination_rate = 0.09", "hallucination_rate = \"0.09\""),
        ("incident-bad-value", "hallucination_rate = 0.09", "hallucination_rate = nan"),
        ("incident-schema", "schema = 1", "schema = 0"),
        ("incident-order", "summary = ", "resolved = 2026-01-01\nsummary = "),
    ];
    for (code, from, to) in incidents {
        let text = changed(INCIDENT, from, to);
        let problems = Incident::parse("incidents/i.toml", text.as_bytes()).unwrap_err();
        note(&mut shown, &mut seen, code, &problems);
    }
    insta::assert_snapshot!("mistakes", shown);
    let all: std::collections::BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(seen, all);
}

#[track_caller]
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[track_caller]
fn note(
    shown: &mut String,
    seen: &mut std::collections::BTreeSet<&'static str>,
    code: &str,
    problems: &Problems,
) {
    assert!(problems.0.iter().any(|problem| problem.code == code), "{code}:\n{problems}");
    seen.extend(problems.0.iter().map(|problem| problem.code));
    shown.push_str(&problems.to_string());
    shown.push_str("\n\n");
}

#[test]
fn all_problems_are_told_at_once() {
    let text =
        GATE.replace("risk = \"high\"", "risk = 1").replace("tags = []", "tag = []").replace("json\"", "x");
    let problems = GateRequest::parse(FILE, text.as_bytes(), &gate());
    assert!(problems.is_err());
    let text = GATE.replace("risk = \"high\"", "risk = 1").replace("tags = []", "tag = []");
    let text = text.replace("format = \"json\"", "format = \"x\"");
    let problems = GateRequest::parse(FILE, text.as_bytes(), &gate()).unwrap_err();
    let codes: Vec<&str> = problems.0.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["gate-wrong-type", "gate-unknown-key", "gate-unknown-format"]);
}

fn name() -> impl Strategy<Value = Name> {
    "[a-z0-9][a-z0-9+_-]{0,8}".prop_map(|text| text.parse().unwrap())
}

fn prose() -> impl Strategy<Value = String> {
    any::<String>()
        .prop_filter("says something on one line", |text| !text.trim().is_empty() && !text.contains('\n'))
}

fn gate_name() -> impl Strategy<Value = GateName> {
    (name(), name()).prop_map(|(system, version)| GateName { system, version })
}

fn principal() -> impl Strategy<Value = Principal> {
    "[a-z]{1,5}@[a-z]{1,5}".prop_map(|text| text.parse().unwrap())
}

fn time() -> impl Strategy<Value = Time> {
    (0i64..4_000_000_000).prop_map(|seconds| Time::from_unix(seconds).unwrap())
}

prop_compose! {
    fn new_gate()(
        gate in gate_name(),
        kinds in prop::collection::btree_set(name(), 1..3),
        risk in name(),
        environments in prop::collection::btree_set(name(), 1..3),
        tags in prop::collection::btree_set(name(), 0..3),
        summary in prose(),
        requires in prop::collection::btree_set(gate_name(), 0..3),
        requested_by in prop::collection::btree_set(principal(), 0..3),
    ) -> NewGate {
        let requires = requires.into_iter().filter(|other| *other != gate).collect();
        NewGate { gate, kinds, risk, environments, tags, summary, requires, requested_by }
    }
}

prop_compose! {
    fn exception()(
        gate in gate_name(),
        environments in prop::collection::btree_set(name(), 1..3),
        waived in prop::collection::btree_set(name(), 1..3),
        texts in (prose(), prose()),
        owner in principal(),
        controls in prop::collection::vec(prose(), 0..3),
        follow_ups in prop::collection::vec((prose(), principal(), time()), 1..3),
        expires in prop::option::of(time()),
    ) -> Exception {
        Exception {
            gate,
            environments,
            waives: waived.iter().map(|name| format!("evidence:{name}")).collect(),
            reason: texts.0,
            risk: texts.1,
            owner,
            controls,
            follow_ups: follow_ups.into_iter().map(|(what, who, due)| FollowUp { what, who, due }).collect(),
            expires,
        }
    }
}

prop_compose! {
    fn incident()(
        gate in gate_name(),
        words in (name(), name()),
        detected in time(),
        resolved in prop::option::of(0i64..1000),
        summary in prose(),
        cause in prop::option::of(prose()),
        metrics in prop::collection::btree_map("[a-z/ .\"']{1,9}", -1e300..1e300f64, 0..3),
    ) -> Incident {
        let resolved = resolved.and_then(|later| Time::from_unix(detected.unix() + later));
        Incident { gate, environment: words.0, severity: words.1, detected, resolved, summary, cause, metrics }
    }
}

proptest! {
    #[test]
    fn a_new_gate_reads_back_the_same(new in new_gate()) {
        let text = render_gate_toml(&new);
        let read = GateRequest::parse("f", text.as_bytes(), &new.gate);
        prop_assert!(read.is_ok(), "{}\n{text}", read.unwrap_err());
        let read = read.unwrap();
        let again = NewGate {
            gate: read.gate, kinds: read.kinds, risk: read.risk, environments: read.environments, tags: read.tags,
            summary: read.summary, requires: read.requires, requested_by: read.requested_by,
        };
        prop_assert_eq!(again, new);
    }

    #[test]
    fn an_exception_reads_back_the_same(exception in exception()) {
        let text = render_exception_toml(&exception);
        let read = Exception::parse("f", text.as_bytes(), &exception.gate, ExceptionKind::Cover);
        prop_assert_eq!(read.map_err(|why| why.to_string()), Ok(exception), "{}", text);
    }

    #[test]
    fn an_incident_reads_back_the_same(incident in incident()) {
        let text = render_incident_toml(&incident);
        let read = Incident::parse("f", text.as_bytes());
        prop_assert_eq!(read.map_err(|why| why.to_string()), Ok(incident), "{}", text);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = GateRequest::parse("f", &bytes, &gate());
        let _ = Incident::parse("f", &bytes);
    }

    #[test]
    fn no_changed_file_panics(at in 0usize..2000, cut in 0usize..60, put in ".{0,12}") {
        for text in [GATE, EXCEPTION, INCIDENT] {
            let from = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let to = (from + cut..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            let changed = [&text[..from], &put, text.get(to..).unwrap_or("")].concat();
            if let Err(why) = GateRequest::parse("f", changed.as_bytes(), &gate()) { let _ = why.to_string(); }
            if let Err(why) = Exception::parse("f", changed.as_bytes(), &gate(), ExceptionKind::Main) { let _ = why.to_string(); }
            if let Err(why) = Incident::parse("f", changed.as_bytes()) { let _ = why.to_string(); }
        }
    }

    /// Whatever is listed and taken off, what is not asked about stays, and the file reads.
    #[test]
    fn edits_change_what_they_name(
        steps in prop::collection::vec((any::<bool>(), 0usize..4, 0usize..3, any::<bool>()), 0..12),
        inline in any::<bool>(),
    ) {
        let kinds: Vec<Name> = ["evaluation", "bias", "rollback", "safety"].map(|kind| kind.parse().unwrap()).into();
        let files = ["evidence/evaluation.json", "evidence/rollback.toml", "x.json"];
        let start = if inline {
            let head = GATE.split("[[artifact]]").next().unwrap();
            format!("{head}evidence = [{{ kind = \"bias\", file = \"x.json\" }}]\n")
        } else {
            GATE.to_owned()
        };
        let mut edit = GateEdit::open("f", start.as_bytes(), &gate()).unwrap();
        let mut expected = request(&start);
        for (set, kind, file, json) in steps {
            let (kind, file) = (&kinds[kind], files[file]);
            let there = expected.evidence.iter().position(|entry| entry.kind == *kind && entry.file == file);
            let format = json.then_some(Format::Json);
            if set {
                edit.set_evidence(kind, file, format, None);
                let metrics = BTreeMap::new();
                let entry = EvidenceEntry { kind: kind.clone(), file: file.to_owned(), format, artifact: None, metrics };
                match there {
                    Some(at) => {
                        let metrics = std::mem::take(&mut expected.evidence[at].metrics);
                        expected.evidence[at] = EvidenceEntry { metrics, ..entry };
                    }
                    None => expected.evidence.push(entry),
                }
            } else {
                prop_assert_eq!(edit.remove_evidence(kind, file), there.is_some());
                if let Some(at) = there { expected.evidence.remove(at); }
            }
            let text = edit.text();
            let read = GateRequest::parse("f", text.as_bytes(), &gate());
            prop_assert_eq!(read.map_err(|why| why.to_string()), Ok(expected.clone()), "{}", text);
        }
    }
}

#[test]
fn an_edit_keeps_comments_and_order() {
    let mut edit = GateEdit::open(FILE, GATE.as_bytes(), &gate()).unwrap();
    let artifact = Artifact { digest: format!("git:{}", "0".repeat(40)).parse().unwrap(), uri: None };
    edit.set_artifact(&"prompts/summarize.txt".parse().unwrap(), &artifact);
    edit.set_artifact(&"weights.onnx".parse().unwrap(), &artifact);
    edit.set_evidence(&"bias".parse().unwrap(), "evidence/bias.json", None, None);
    assert!(edit.remove_evidence(&"change-description".parse().unwrap(), "CHANGE.md"));
    edit.set_version(&"v1.5".parse().unwrap());
    insta::assert_snapshot!("edited", edit.text());
    let unchanged = GateEdit::open(FILE, GATE.as_bytes(), &gate()).unwrap();
    assert_eq!(unchanged.text(), GATE);
}

#[test]
fn an_edit_keeps_the_comment_above_what_it_changes() {
    let text = GATE.replacen("summary = ", "# in one line\nsummary = ", 1);
    let mut edit = GateEdit::open(FILE, text.as_bytes(), &gate()).unwrap();
    edit.set_summary("other");
    assert!(edit.text().contains("# in one line\nsummary = \"other\""), "{}", edit.text());
}
