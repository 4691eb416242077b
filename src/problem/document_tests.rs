use super::*;

#[track_caller]
fn refused(text: &[u8], code: &str) {
    match Document::parse("f.toml", text) {
        Ok(document) => panic!("was read as {:?}", document.root()),
        Err(problems) => assert_eq!(problems.0[0].code, code, "{problems}"),
    }
}

#[test]
fn what_only_toml_1_1_allows_is_refused() {
    for text in [
        "a = { b = 1,\n c = 2 }",
        "a = { b = 1, }",
        "a = { # comment\n b = 1 }",
        "a = \"\\e\"",
        "a = \"\\x41\"",
        "a = 2026-01-01T00:00Z",
        "a = 00:00",
        "ä = 1",
    ] {
        refused(text.as_bytes(), "toml-syntax");
    }
}

#[test]
fn no_key_is_given_twice_in_any_spelling() {
    for text in [
        "a = 1\na = 2",
        "a = 1\n\"a\" = 2",
        "[a]\nb = 1\n[a]\nc = 2",
        "a.b = 1\na.b = 2",
        "a = 1\na.b = 2",
        "a = { b = 1 }\na.c = 2",
        "a = { b = 1 }\n[a]\nc = 2",
        "a = { b = 1 }\n[a.c]\nd = 2",
        "[a]\nb.c = 1\n[a.b]\nd = 2",
        "a = [{ b = 1 }]\n[[a]]\nb = 2",
        "[[a]]\nb = 1\n[a]\nc = 1",
        "[a.b]\nc = 1\n[a]\nb = 1",
        "[a.b.c]\nz = 1\n[a]\nb.c.t = 1",
        "a = { b = 1, b = 2 }",
        "a = { b.c = 1, b = { d = 1 } }",
        "[[a.b]]\n[a]\nb.c = 1",
    ] {
        refused(text.as_bytes(), "toml-syntax");
    }
}

#[test]
fn bytes_that_toml_does_not_hold_have_their_own_codes() {
    refused(b"a = \"\xff\"", "toml-not-utf8");
    refused(b"\xef\xbb\xbfa = 1", "toml-byte-order-mark");
    refused(b"a = 1\0", "toml-nul");
    refused(b"a = 1\r", "toml-syntax");
    refused(b"a = \"x\ry\"", "toml-syntax");
    refused(b"a = \"\"\"x\ry\"\"\"", "toml-syntax");
    refused(b"# a\rb = 1", "toml-syntax");
    refused(b"a = 1 # \x07", "toml-syntax");
    refused(&vec![b'#'; TOML_BYTES + 1], "toml-too-large");
    assert!(Document::parse("f", b"a = 1\r\nb = 2\r\n").is_ok());
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let deep = format!("a = {}1{}", open.repeat(100_000), close.repeat(100_000));
        refused(deep.as_bytes(), "toml-syntax");
    }
    refused(format!("a{} = 1", ".a".repeat(100_000)).as_bytes(), "toml-syntax");
    refused(format!("[a{}]", ".a".repeat(100_000)).as_bytes(), "toml-syntax");
}

#[test]
fn values_are_found_by_path() {
    let text = "[roles]\na.title = \"x\"\n[[rule]]\n[[rule]]\napprovals = [{ role = \"r\" }]\n";
    let document = Document::parse("f", text.as_bytes()).unwrap();
    let at = |path: &[Step<'_>]| document.find(path).map(|place| (place.line, place.column));
    assert_eq!(at(&[Step::Key("roles"), Step::Key("a"), Step::Key("title")]), Some((2, 11)));
    assert_eq!(at(&[Step::Key("roles"), Step::Key("a")]), Some((2, 1)));
    let role = [Step::Key("rule"), Step::At(1), Step::Key("approvals"), Step::At(0), Step::Key("role")];
    assert_eq!(at(&role), Some((5, 23)));
    assert_eq!(at(&[Step::Key("rule"), Step::At(1), Step::Key("when")]), Some((4, 1)));
    assert_eq!(at(&[Step::Key("none")]), None);
}
