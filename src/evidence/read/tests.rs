use proptest::prelude::*;

use super::super::{Lookup, Source, Value, number};
use super::*;

const LM_EVAL: &str = r#"{"results":{"t":{"acc,none":0.5}},"configs":{},"versions":{},"n-shot":{}}"#;
const ROLLBACK: &str = "schema = 1\nplan = \"p\"\ntested = 2026-10-01\nduration = \"5m\"\n";

fn declared(format: Format) -> Reading<'static> {
    Reading { declared: Some(format), ..Reading::default() }
}

#[test]
fn content_shows_the_format() {
    for (text, expected) in [
        ("Fewer hallucinations.", Format::Text),
        ("[a link](x) and more", Format::Text),
        ("a,b\n1,2\n", Format::Text),
        ("{\"a\":1}", Format::Json),
        ("\u{feff}{\"a\":1}", Format::Json),
        ("{\"a\":1}\n{\"a\":2}\n", Format::Json),
        (LM_EVAL, Format::LmEval),
        (ROLLBACK, Format::Rollback),
        ("duration and tested, in prose", Format::Text),
    ] {
        assert_eq!(detect(text.as_bytes()), Ok(expected), "{text}");
    }
}

#[test]
fn reports_of_garak_and_vex_documents_are_read_beside_others() {
    let garak =
        "{\"entry_type\":\"start_run setup\"}\n{\"entry_type\":\"init\",\"garak_version\":\"0.17\"}\n";
    let vex = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[]}"#;
    for (text, expected) in [(garak, true), (vex, true), (LM_EVAL, false), (ROLLBACK, false), ("", false)] {
        assert_eq!(is_companion(text.as_bytes()), expected, "{text}");
    }
}

/// A file with the parts of two formats is none, unless the policy takes only one of them and the request says which.
#[test]
fn a_file_of_two_formats_is_what_policy_and_request_say() {
    let both = r#"{"results":{"t":{"acc,none":0.5}},"configs":{},"versions":{},"n-shot":{},
        "version":2,"status":"success","plan":{},"eval":{"task":"t","model":"m"}}"#;
    let as_format = |declared: Option<Format>, allowed: Option<&[Format]>| {
        let reading = Reading { declared, allowed, ..Reading::default() };
        read(both.as_bytes(), &reading).map(|report| report.format)
    };
    let (lm, inspect) = (Format::LmEval, Format::Inspect);
    assert_eq!(as_format(Some(lm), Some(&[lm])), Ok(lm));
    assert_eq!(as_format(Some(lm), Some(&[lm, Format::Json])), Ok(lm));
    assert!(as_format(Some(lm), Some(&[lm, inspect])).is_err(), "both are taken");
    assert!(as_format(Some(lm), Some(&[inspect])).is_err(), "it is not taken");
    assert!(as_format(Some(lm), None).is_err(), "the policy does not say");
    assert!(as_format(None, Some(&[lm])).is_err(), "the request does not say");
    assert!(as_format(Some(Format::Json), Some(&[Format::Json])).is_err());
}

#[test]
fn what_is_too_large_to_lie_in_a_gate_is_read_whole_where_it_is_no_json() {
    let mib = 1024 * 1024;
    let case = r#"<testcase name="a"/>"#;
    let cases = case.repeat(9 * mib / case.len());
    let report = |text: &str| read_from(std::io::Cursor::new(text.as_bytes()), &Reading::default());
    let junit = report(&format!("<testsuite>{cases}</testsuite>")).unwrap();
    assert_eq!(junit.format, Format::Junit);
    let count = number::from_count(u64::try_from(9 * mib / case.len()).unwrap());
    assert_eq!(junit.lookup("tests.total").unwrap().value, Value::Number(count));
    assert_eq!(report(&"word ".repeat(2 * mib)).unwrap().format, Format::Text);
    match report(&"word ".repeat(13 * mib)) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains("larger than 64 MiB"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(report(&" ".repeat(9 * mib)), Err(Unreadable::Empty)));
    match report(&format!("[{}", "word ".repeat(2 * mib))) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains("begins like JSON"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_no_report_in_any_format() {
    for bytes in
        [&b""[..], b"\xef\xbb\xbf", b" \n\t\r\n", b"\xef\xbb\xbf \n", b"\0\0", "\u{a0}\u{2003}".as_bytes()]
    {
        for format in std::iter::once(None).chain(Format::ALL.map(Some)) {
            let reading = Reading { declared: format, ..Reading::default() };
            assert_eq!(read(bytes, &reading), Err(Unreadable::Empty), "{bytes:?} as {format:?}");
        }
    }
}

#[test]
fn some_files_are_unreadable_as_any_format() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n";
    for (bytes, expected) in [
        (pointer.as_bytes(), "Git LFS pointer"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"ok \xff", "byte 4"),
        (b"{\"a\":1,\"a\":2}", "the key `a` twice"),
        (b"{\"a\":1}\n{\"a\":1,\"a\":2}", "line 2"),
        (b"[\"\\ud800\"]", "surrogate"),
    ] {
        for format in std::iter::once(None).chain(Format::ALL.map(Some)) {
            let reading = Reading { declared: format, ..Reading::default() };
            match read(bytes, &reading) {
                Err(Unreadable::Invalid(why)) => {
                    assert!(why.contains(expected), "{why} should say {expected}");
                }
                other => panic!("{bytes:?} as {format:?} gave {other:?}"),
            }
        }
    }
}

#[test]
fn json_that_is_cut_is_not_taken_for_text() {
    for cut in ["{\"results\":{", "[{\"a\":1},", "{\"a\":1}\n{\"a\":"] {
        assert!(matches!(detect(cut.as_bytes()), Err(Unreadable::Invalid(_))), "{cut}");
        assert!(read(cut.as_bytes(), &declared(Format::Text)).is_ok(), "{cut}: a text may begin so");
        for format in [Format::Json, Format::LmEval, Format::Promptfoo, Format::Rollback] {
            assert!(matches!(read(cut.as_bytes(), &declared(format)), Err(Unreadable::Invalid(_))), "{cut}");
        }
    }
}

#[test]
fn a_request_declares_only_what_detection_leaves_open() {
    let refused = |text: &str, format| match read(text.as_bytes(), &declared(format)) {
        Err(Unreadable::FormatRefused(why)) => why,
        other => panic!("{format:?}: {other:?}"),
    };
    for text in [LM_EVAL, ROLLBACK] {
        for generic in [Format::Json, Format::Csv, Format::Text] {
            assert!(refused(text, generic).contains("leave `format` out"));
        }
    }
    for (text, format, readable) in [
        (LM_EVAL, Format::LmEval, true),
        (LM_EVAL, Format::Promptfoo, false),
        (LM_EVAL, Format::Rollback, false),
        ("{\"a\":1}", Format::Json, true),
        ("{\"a\":1}", Format::Text, true),
        ("{\"a\":1}", Format::LmEval, false),
        ("words", Format::Json, false),
        ("a,b\n1,2", Format::Csv, true),
        ("a,b\n1", Format::Csv, false),
        ("words", Format::Rollback, false),
    ] {
        assert_eq!(read(text.as_bytes(), &declared(format)).is_ok(), readable, "{text} as {format:?}");
    }
}

#[test]
fn a_file_of_two_formats_has_none() {
    let both = r#"{"results":{"t":{"acc,none":0.5},"version":{},"results":{}},"configs":{},"versions":{},"n-shot":{},"evalId":""}"#;
    for format in [None, Some(Format::LmEval), Some(Format::Promptfoo), Some(Format::Json)] {
        let reading = Reading { declared: format, ..Reading::default() };
        match read(both.as_bytes(), &reading) {
            Err(Unreadable::Invalid(why)) => assert!(why.contains("`lm-eval`, `promptfoo`"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_policy_says_which_formats_a_kind_may_have() {
    let reading = |declared, allowed| Reading { declared, allowed: Some(allowed), ..Reading::default() };
    assert!(read(LM_EVAL.as_bytes(), &reading(None, &[Format::LmEval])).is_ok());
    for (text, reading, expected) in [
        (
            LM_EVAL,
            reading(None, &[Format::Promptfoo, Format::Json]),
            "it is `lm-eval`; the policy allows `promptfoo`, `json`",
        ),
        ("{}", reading(None, &[Format::LmEval]), "it is `json`"),
        ("a,b\n1,2", reading(None, &[Format::Csv]), "declare `format = \"csv\"`"),
        ("a,b\n1,2", reading(Some(Format::Csv), &[Format::Text]), "it is `csv`"),
        ("words", reading(None, &[]), "it is `text`"),
    ] {
        match read(text.as_bytes(), &reading) {
            Err(Unreadable::FormatRefused(why)) => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

fn value(format: Option<Format>, value: &str) -> Mapping {
    let source = Source::Value { value: value.into(), samples: None, stderr: None, errors: None };
    Mapping { format, source, rate: false }
}

#[test]
fn what_the_policy_maps_goes_before_what_the_file_names() {
    let mappings = BTreeMap::from([
        ("t/acc".to_owned(), vec![value(Some(Format::LmEval), "/results/t/none")]),
        (
            "accuracy".to_owned(),
            vec![value(Some(Format::LmEval), "t/acc"), value(Some(Format::Json), "/acc")],
        ),
        ("other".to_owned(), vec![value(Some(Format::Json), "/acc")]),
        ("twice".to_owned(), vec![value(Some(Format::LmEval), "t/acc"), value(None, "t/acc")]),
    ]);
    let reading = Reading { mappings: Some(&mappings), ..Reading::default() };
    let report = read(LM_EVAL.as_bytes(), &reading).unwrap();
    assert_eq!(report.lookup("accuracy").unwrap().value, Value::Number(0.5));
    assert!(matches!(report.lookup("t/acc"), Err(Lookup::Unmapped(_))), "the file's own is no way around");
    assert!(matches!(report.lookup("other"), Err(Lookup::Missing { .. })));
    assert!(matches!(report.lookup("twice"), Err(Lookup::Unmapped(why)) if why.contains("more than once")));
    let json = read(br#"{"acc":0.7}"#, &reading).unwrap();
    assert_eq!(json.lookup("accuracy").unwrap().value, Value::Number(0.7));
    assert_eq!(json.lookup("other").unwrap().at, "/acc");
    let globs = [crate::model::Glob::new("t/*")];
    assert!(report.matching(&globs).is_err(), "one that cannot be read is not left out of a set");
}

#[test]
fn a_run_that_did_not_finish_gives_nothing_unless_allowed() {
    let mappings = BTreeMap::from([("accuracy".to_owned(), vec![value(None, "t/acc")])]);
    let content = Content::of(LM_EVAL.as_bytes(), &sieve([])).unwrap();
    for allowed in [false, true] {
        let native = Native {
            status: RunStatus::Unfinished("cancelled".into()),
            ..native(&content, Format::LmEval, &Reading::default()).unwrap()
        };
        let reading =
            Reading { mappings: Some(&mappings), unfinished_allowed: allowed, ..Reading::default() };
        let report = report(&content, Format::LmEval, native, &reading);
        let globs = [crate::model::Glob::new("*")];
        assert_eq!(report.matching(&globs).is_ok(), allowed);
        for name in ["t/acc", "accuracy"] {
            match (allowed, report.lookup(name)) {
                (true, Ok(metric)) => assert_eq!(metric.value, Value::Number(0.5)),
                (false, Err(Lookup::Unfinished(status))) => assert_eq!(status, "cancelled"),
                (_, other) => panic!("{name}: {other:?}"),
            }
        }
        assert!(report.lookup("none").is_err());
    }
}

#[test]
fn a_name_that_is_missing_comes_with_the_nearest() {
    let report = read(LM_EVAL.as_bytes(), &Reading::default()).unwrap();
    for (name, nearest) in [
        ("acc", Some("t/acc")),
        ("T/ACC", Some("t/acc")),
        ("t/aac", Some("t/acc")),
        ("rougeL", None),
        ("", None),
    ] {
        assert_eq!(
            report.lookup(name),
            Err(Lookup::Missing { nearest: nearest.map(str::to_owned) }),
            "{name}"
        );
    }
    assert!(report.lookup(&"x".repeat(1_000_000)).is_err());
}

/// Whether everything that can be asked of a file ends in an answer.
fn survives(bytes: &[u8]) {
    let rows = Mapping {
        format: None,
        source: Source::Rows {
            select: Some(String::new()),
            filter: BTreeMap::from([("a".to_owned(), super::super::Scalar::Bool(true))]),
            column: Some("b".into()),
            reduce: super::super::Reduce::Mean,
            equals: None,
            delimiter: b',',
        },
        rate: true,
    };
    let mappings =
        BTreeMap::from([("x".to_owned(), vec![rows]), ("y".to_owned(), vec![value(None, "/a/0")])]);
    for format in std::iter::once(None).chain(Format::ALL.map(Some)) {
        let reading = Reading { declared: format, mappings: Some(&mappings), ..Reading::default() };
        if let Ok(report) = read(bytes, &reading) {
            let _answer = report.lookup("tests.total");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn no_text_like_a_report_panics(text in "[\\[\\]{}\",:;\\\\ \n0-9eE.+-abnrtuNI\u{feff}]{0,120}") {
        survives(text.as_bytes());
    }

    #[test]
    fn no_cut_or_changed_report_panics(
        which in 0..3_usize, from in 0..2000_usize, length in 0..40_usize, with in "[0-9a-z\"{},:\\[\\]]{0,6}"
    ) {
        let promptfoo = include_str!("../../../tests/cases/evidence/promptfoo/fresh_v2_table.json");
        let mut bytes = [LM_EVAL, ROLLBACK, promptfoo].get(which).copied().unwrap_or_default().as_bytes().to_vec();
        let from = from % bytes.len();
        let end = (from + length).min(bytes.len());
        bytes.splice(from..end, with.bytes());
        survives(&bytes);
    }

    /// What is not in the file is not in the report, whatever else is taken away with it.
    #[test]
    fn a_metric_that_was_removed_is_never_reported(removed in proptest::collection::btree_set(0..4_usize, 1..4)) {
        let all = ["\"acc,none\":0.5", "\"f1,none\":0.25", "\"em,strict\":1", "\"acc_stderr,none\":0.1"];
        let names = ["t/acc", "t/f1", "t/em@strict"];
        let left: Vec<&str> =
            all.iter().enumerate().filter(|(at, _)| !removed.contains(at)).map(|(_, member)| *member).collect();
        let text = LM_EVAL.replace("\"acc,none\":0.5", &left.join(","));
        let report = read(text.as_bytes(), &Reading::default());
        for (at, name) in names.iter().enumerate() {
            let there = report.as_ref().is_ok_and(|report| report.lookup(name).is_ok());
            prop_assert_eq!(there, !removed.contains(&at));
        }
    }
}

#[test]
fn json_that_is_too_large_to_be_held_is_read_as_json_alone() {
    let text = format!(r#"{{"acc":0.5,"rest":"{}"}}"#, "x".repeat(9 * 1024 * 1024));
    let mappings = BTreeMap::from([("accuracy".to_owned(), vec![value(None, "/acc")])]);
    let reading = |declared| Reading { declared, mappings: Some(&mappings), ..Reading::default() };
    let read = |declared| read_from(std::io::Cursor::new(text.as_bytes()), &reading(declared));
    for declared in [None, Some(Format::Json)] {
        assert_eq!(read(declared).unwrap().lookup("accuracy").unwrap().value, Value::Number(0.5));
    }
    match read(Some(Format::Text)) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains("too large to be read as `text`"), "{why}"),
        other => panic!("{other:?}"),
    }
}
