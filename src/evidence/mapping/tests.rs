use super::super::{Reading, map_one, read};
use super::*;

fn value(
    value: &str,
    samples: Option<&str>,
    stderr: Option<&str>,
    errors: Option<&str>,
    rate: bool,
) -> Mapping {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let source = Source::Value {
        value: value.into(),
        samples: own(samples),
        stderr: own(stderr),
        errors: own(errors),
    };
    Mapping { format: None, source, rate }
}

const SUMMARY: &str = r#"{"summary":{"rate":0.021,"n":200,"se":0.01,"bad":3,"pct":36.3,"neg":-1,"half":0.5,"text":"0.02",
    "nan":NaN,"null":null,"yes":true,"list":[1],"big":9007199254740993}}"#;

#[track_caller]
fn fails(mapping: &Mapping, expected: &str) {
    let why = map_one(SUMMARY.as_bytes(), Format::Json, mapping).expect_err("it should fail");
    assert!(why.contains(expected), "{why:?} should say {expected:?}");
}

#[test]
fn a_value_comes_with_its_companions() {
    let mapping = value("/summary/rate", Some("/summary/n"), Some("/summary/se"), Some("/summary/bad"), true);
    let metric = map_one(SUMMARY.as_bytes(), Format::Json, &mapping).unwrap();
    assert_eq!(metric.value, Value::Number(0.021));
    assert_eq!(
        (metric.samples, metric.stderr, metric.errors, metric.rate),
        (Some(200), Some(0.01), Some(3), true)
    );
    assert_eq!(metric.at, "/summary/rate");
}

#[test]
fn a_text_stays_a_text() {
    let metric =
        map_one(SUMMARY.as_bytes(), Format::Json, &value("/summary/text", None, None, None, false)).unwrap();
    assert_eq!(metric.value, Value::Text("0.02".into()));
}

#[test]
fn what_is_not_as_the_mapping_says_fails() {
    let of = |name: &str| format!("/summary/{name}");
    for name in ["null", "list", "none"] {
        fails(&value(&of(name), None, None, None, false), "/summary/");
    }
    for name in ["neg", "half", "text", "nan", "null", "none", "big"] {
        fails(&value("/summary/rate", Some(&of(name)), None, None, false), "/summary/");
        fails(&value("/summary/rate", None, None, Some(&of(name)), false), "/summary/");
    }
    for name in ["neg", "text", "nan", "null", "none", "yes"] {
        fails(&value("/summary/rate", None, Some(&of(name)), None, false), "/summary/");
    }
    fails(&value("/summary/pct", None, None, None, true), "a rate lies in 0 to 1");
    fails(&value("/summary/text", None, None, None, true), "no number");
    fails(&value("summary", None, None, None, false), "begins with `/`");
    let other = Mapping { format: Some(Format::LmEval), ..value("/summary/rate", None, None, None, false) };
    fails(&other, "another format");
}

#[test]
fn formats_without_values_say_so() {
    let mapping = value("/x", None, None, None, false);
    for (bytes, format, expected) in [
        ("some words", Format::Text, "has no metric `/x`"),
        ("a,b\n1,2\n", Format::Csv, "map its rows"),
        ("{\"a\":1}\n{\"a\":2}\n", Format::Json, "JSON Lines"),
    ] {
        let why = map_one(bytes.as_bytes(), format, &mapping).unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn rows_are_selected_where_the_format_has_them() {
    let rows = |select: Option<&str>| Mapping {
        format: None,
        source: Source::Rows {
            select: select.map(str::to_owned),
            filter: std::collections::BTreeMap::new(),
            column: Some("a".into()),
            reduce: super::super::Reduce::Max,
            equals: None,
            delimiter: b',',
        },
        rate: false,
    };
    for (bytes, format, select, expected) in [
        (r#"{"r":[{"a":1}]}"#, Format::Json, Some("/r"), Ok(1.0)),
        (r#"[{"a":1}]"#, Format::Json, Some(""), Ok(1.0)),
        ("{\"a\":1}\n{\"a\":2}", Format::Json, None, Ok(2.0)),
        ("{\"a\":1}\n", Format::Json, None, Ok(1.0)),
        ("a\n3\n", Format::Csv, None, Ok(3.0)),
        ("{\"a\":\n1}\n", Format::Json, None, Err("select")),
        (r#"[{"a":1}]"#, Format::Json, None, Err("select")),
        ("{\"a\":1}\n{\"a\":2}", Format::Json, Some(""), Err("JSON Lines")),
        (r#"{"r":[{"a":1}]}"#, Format::Json, Some("/s"), Err("nothing stands")),
        (r#"{"r":{"a":1}}"#, Format::Json, Some("/r"), Err("no array")),
        ("a\n3\n", Format::Csv, Some("/r"), Err("need none")),
        ("words", Format::Text, None, Err("no rows")),
    ] {
        match (map_one(bytes.as_bytes(), format, &rows(select)), expected) {
            (Ok(metric), Ok(expected)) => assert_eq!(metric.value, Value::Number(expected), "{bytes}"),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{bytes}: {why}"),
            (found, _) => panic!("{bytes} gave {found:?}"),
        }
    }
}

#[test]
fn a_delimiter_of_the_policy_decides_whether_a_csv_reads() {
    let mapping = |delimiter| Mapping {
        format: Some(Format::Csv),
        source: Source::Rows {
            select: None,
            filter: std::collections::BTreeMap::new(),
            column: None,
            reduce: super::super::Reduce::Count,
            equals: None,
            delimiter,
        },
        rate: false,
    };
    let ragged = "a;b,c\n1;2\n";
    for (delimiter, readable) in [(b',', false), (b';', true)] {
        let mappings = std::collections::BTreeMap::from([("n".to_owned(), vec![mapping(delimiter)])]);
        let reading =
            Reading { declared: Some(Format::Csv), mappings: Some(&mappings), ..Reading::default() };
        assert_eq!(read(ragged.as_bytes(), &reading).is_ok(), readable);
    }
}
