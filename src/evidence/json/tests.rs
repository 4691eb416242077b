use super::parse::{MAX_DEPTH, MAX_VALUES, parse_document};
use super::*;

fn document(text: &str) -> Result<Json, JsonError> {
    parse_document(text)
}

#[track_caller]
fn refuses(text: &str, expected: &str) {
    let error = document(text).expect_err(text);
    assert!(error.refused, "refused, not merely no JSON: {error}");
    assert!(error.to_string().contains(expected), "{error} should say {expected}");
}

#[test]
fn values_read_as_written() {
    for (text, expected) in [
        ("null", Json::Null),
        (" true ", Json::Bool(true)),
        ("-0.5e1", Json::Number(-5.0)),
        ("NaN", Json::Unheld("NaN".into())),
        ("-Infinity", Json::Unheld("-Infinity".into())),
        ("[1, NaN,\"NaN\"]", {
            Json::Array(vec![Json::Number(1.0), Json::Unheld("NaN".into()), Json::Text("NaN".into())])
        }),
        ("1e999", Json::Unheld("1e999".into())),
        ("12345678901234567891", Json::Unheld("12345678901234567891".into())),
        (r#""a\u00e9\ud83d\ude00\n\/""#, Json::Text("aé😀\n/".into())),
    ] {
        assert_eq!(document(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_json_is_told_from_what_is_refused() {
    for text in [
        "",
        "{",
        "[1,",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "nan",
        "Nan",
        "infinity",
        "+Infinity",
        "tru",
        "1 2",
        "\"a",
        "\"\t\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "// a\n1",
        "--Infinity",
        "-",
        "{\"a\" 1}",
        "\u{a0}1",
    ] {
        let error = document(text).expect_err(text);
        assert!(!error.refused, "{text}: {error}");
    }
}

#[test]
fn a_key_twice_is_refused_however_it_is_written() {
    refuses(r#"{"a":1,"b":2,"a":3}"#, "the key `a` twice");
    refuses(r#"{"a":1,"\u0061":3}"#, "the key `a` twice");
    refuses("{\"x\":[{\"\":1,\n\"\":1}]}", "line 2");
    assert!(document(r#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud83dx""#] {
        refuses(text, "surrogate");
    }
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    assert!(document(&format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH))).is_ok());
    refuses(&"[".repeat(1_000_000), "deep");
    refuses(&"{\"a\":".repeat(1_000_000), "deep");
    refuses(&format!("[{}1]", "1,".repeat(MAX_VALUES)), "values");
}

#[test]
fn json_lines_are_one_value_a_line() {
    let row = |number| Json::Number(number);
    assert_eq!(parse_file("1\n\n2\r\n"), Ok(JsonFile::Lines(vec![row(1.0), row(2.0)])));
    assert_eq!(parse_file("1\n"), Ok(JsonFile::Document(row(1.0))));
    let error = parse_file("{}\n{}\n{\n").unwrap_err();
    assert!(error.to_string().starts_with("line 3: "), "{error}");
    assert!(parse_file("{}\n{\"a\":1,\"a\":1}").unwrap_err().refused);
    assert!(parse_file("{}\ntext").is_err());
    assert!(parse_file(&"1\n".repeat(MAX_VALUES + 1)).unwrap_err().refused);
}

#[test]
fn members_are_found_by_key() {
    let value = document(r#"{"b":1,"a":null,"ä":"x"}"#).unwrap();
    assert_eq!(value.get("a"), Some(&Json::Null));
    assert_eq!(value.get("ä").and_then(Json::as_text), Some("x"));
    assert_eq!(value.get("c"), None);
}
