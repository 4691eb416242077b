use super::parse::{MAX_DEPTH, MAX_NUMBER, MAX_TEXT, MAX_VALUES};
use super::*;

fn document(text: &str) -> Result<Json, JsonError> {
    parse_document(text.as_bytes(), &Sieve::everything())
}

fn file(text: &str) -> Result<JsonFile, JsonError> {
    parse_file(text.as_bytes(), &Sieve::everything()).map(|(file, _)| file)
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
        ("1e+2", Json::Number(100.0)),
        ("25E-02", Json::Number(0.25)),
        ("NaN", Json::Unheld("NaN".into())),
        ("-Infinity", Json::Unheld("-Infinity".into())),
        ("[1, NaN,\"NaN\"]", {
            Json::Array(vec![Json::Number(1.0), Json::Unheld("NaN".into()), Json::Text("NaN".into())])
        }),
        ("1e999", Json::Unheld("1e999".into())),
        ("12345678901234567891", Json::Unheld("12345678901234567891".into())),
        (r#""a\u00e9\ud83d\ude00\n\/""#, Json::Text("aé😀\n/".into())),
        (r#""\b\f\r\t\"\\""#, Json::Text("\u{8}\u{c}\r\t\"\\".into())),
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
fn what_is_dropped_is_held_to_the_same_rules() {
    let nothing = Sieve::default().settle();
    for text in [
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":[{"b":1,"\u0062":2}]}"#,
        r#"{"a":"\ud800"}"#,
        &format!("{{\"a\":{}}}", "[".repeat(1000)),
        &"{\"a\":".repeat(1000),
        &format!("{{\"a\":{}}}", "9".repeat(1_000_000)),
    ] {
        let shown: String = text.chars().take(40).collect();
        let error = parse_document(text.as_bytes(), &nothing).expect_err(&shown);
        assert!(error.refused, "{shown}: {error}");
    }
    for text in ["{\"a\":tru}", "{\"a\":01}", "{\"a\":\"\t\"}", "{\"a\":[1,]}", "{\"a\":1", "{\"a\":\"b"] {
        assert!(parse_document(text.as_bytes(), &nothing).is_err(), "{text}");
    }
    for bytes in [
        &b"{\"a\":\"\xff\"}"[..],
        b"{\"\xff\":1}",
        b"\"\xc3",
        b"\"\xc3\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xff\\n\"",
        b"\"\xc3\\n\"",
    ] {
        assert!(parse_document(bytes, &nothing).is_err(), "{bytes:?}");
    }
    // A million values that nobody keeps.
    assert!(parse_document(format!("[{}1]", "1,".repeat(MAX_VALUES)).as_bytes(), &nothing).is_ok());
}

#[test]
fn long_numbers_and_much_text_are_refused() {
    assert!(document(&"9".repeat(MAX_NUMBER)).is_ok());
    refuses(&"9".repeat(1_000_000), "a number of more than 1024 characters");
    refuses(&format!("[0.{}]", "3".repeat(1_000_000)), "a number of more than 1024 characters");
    refuses(&format!("\"{}\"", "x".repeat(MAX_TEXT + 1)), "bytes of text");
    // Also where each text alone is short.
    refuses(&format!("[{}1]", format!("\"{}\",", "x".repeat(MAX_TEXT / 8 + 1)).repeat(8)), "bytes of text");
    let keys = (0..=1_000_000).fold(String::new(), |keys, key| keys + "\"" + &key.to_string() + "\":1,");
    let error = parse_document(format!("{{{keys}").as_bytes(), &Sieve::default().settle()).unwrap_err();
    assert!(error.refused && error.to_string().contains("too many keys"), "{error}");
}

#[test]
fn characters_and_words_read_the_same_wherever_the_window_ends() {
    let text = r#"["é😀é","\ud83d\ude00",true,false,null,-Infinity,NaN,-12.5e3,{"ü":"x"}]"#;
    let whole = document(text).unwrap();
    for blanks in (64 * 1024 - text.len())..=64 * 1024 {
        let padded = format!("{}{text}", " ".repeat(blanks));
        assert_eq!(document(&padded).as_ref(), Ok(&whole), "{blanks}");
    }
}

#[test]
fn json_lines_are_one_value_a_line() {
    let row = |number| Json::Number(number);
    assert_eq!(file("1\n\n2\r\n"), Ok(JsonFile::Lines(vec![row(1.0), row(2.0)])));
    assert_eq!(file("1\n"), Ok(JsonFile::Document(row(1.0))));
    let error = file("{}\n{}\n{\n").unwrap_err();
    assert!(error.to_string().starts_with("line 3: "), "{error}");
    assert!(file("{}\n{\"a\":1,\"a\":1}").unwrap_err().refused);
    assert!(file("{}\ntext").is_err());
    for text in ["[\n1]\n2", "1\n[\n2]", "1 2", "1\n2 3"] {
        assert!(file(text).is_err(), "{text:?}");
    }
    assert!(file(&"1\n".repeat(MAX_VALUES + 1)).unwrap_err().refused);
}

#[test]
fn members_are_found_by_key() {
    let value = document(r#"{"b":1,"a":null,"ä":"x"}"#).unwrap();
    assert_eq!(value.get("a"), Some(&Json::Null));
    assert_eq!(value.get("ä").and_then(Json::as_text), Some("x"));
    assert_eq!(value.get("c"), None);
}
