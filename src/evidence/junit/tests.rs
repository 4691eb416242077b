use super::super::{Format, Lookup, Report, Unreadable, read as read_report};
use super::*;

fn report(text: &str) -> Result<Report, Unreadable> {
    read_report(text.as_bytes(), &Reading::default())
}

#[track_caller]
fn counts(report: &Report, prefix: &str, expected: [f64; 5]) {
    for (name, expected) in ["total", "passed", "failed", "errored", "skipped"].into_iter().zip(expected) {
        let name = format!("{prefix}tests.{name}");
        assert_eq!(report.lookup(&name).unwrap().value, Value::Number(expected), "{name}");
    }
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    match report(text) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_case_ends_as_the_worst_that_it_shows() {
    let text = r#"<?xml version="1.0"?><!-- c --><testsuites><testsuite name="s">
        <testcase classname="c" name="all"><skipped/><failure message="m">x &lt; y</failure><error/></testcase>
        <testcase classname="c" name="fails"><skipped/><failure/></testcase>
        <testcase name="skipped"><skipped/></testcase>
        <testcase name="off" status="disabled"/><testcase name="none" status="notrun" result="suppressed"/>
        <testcase name="says so" status="FAILED"/>
        <testcase name="ok" status="run"><system-out><![CDATA[<failure/>]]></system-out></testcase>
        </testsuite></testsuites>"#;
    let report = report(text).unwrap();
    assert_eq!(report.format, Format::Junit);
    counts(&report, "", [7.0, 1.0, 2.0, 1.0, 3.0]);
    counts(&report, "suite/s/", [7.0, 1.0, 2.0, 1.0, 3.0]);
    let rate = report.lookup("tests.pass_rate").unwrap();
    assert_eq!(
        (&rate.value, rate.samples, rate.errors, rate.rate),
        (&Value::Number(0.25), Some(4), Some(1), true)
    );
    for (name, outcome) in [("c/all", "errored"), ("c/fails", "failed"), ("off", "skipped"), ("ok", "passed")]
    {
        let metric = report.lookup(&format!("case/{name}")).unwrap();
        assert_eq!(metric.value, Value::Text(outcome.into()), "{name}");
    }
    assert_eq!(report.lookup("case/c/fails").unwrap().at, "line 3");
}

#[test]
fn nested_suites_count_each_case_once() {
    let text = r#"<testsuites tests="3"><testsuite name="a" tests="3"><testsuite name="b" tests="2">
        <testcase name="1"/><testcase name="2"/></testsuite><testcase name="3"/></testsuite></testsuites>"#;
    let report = report(text).unwrap();
    counts(&report, "", [3.0, 3.0, 0.0, 0.0, 0.0]);
    counts(&report, "suite/a/", [3.0, 3.0, 0.0, 0.0, 0.0]);
    counts(&report, "suite/b/", [2.0, 2.0, 0.0, 0.0, 0.0]);
}

#[test]
fn nothing_but_skipped_tests_have_no_pass_rate() {
    let report = report("<testsuite><testcase name='a'><skipped/></testcase></testsuite>").unwrap();
    counts(&report, "", [1.0, 0.0, 0.0, 0.0, 1.0]);
    assert!(report.lookup("tests.pass_rate").is_err());
}

#[test]
fn what_suites_count_and_do_not_show_is_refused() {
    for (text, why) in [
        ("<testsuites><testsuite failures='1' tests='6'></testsuite></testsuites>", "6 tests and shows 0"),
        (
            "<testsuites tests='2'><testsuite name='a'><testcase name='x'/></testsuite></testsuites>",
            "2 tests and shows 1",
        ),
        (
            "<testsuite name='a' failures='1'><testcase name='x'/></testsuite>",
            "`a` counts 1 failures and shows 0",
        ),
        (
            "<testsuite errors='1'><testcase name='x'><failure/></testcase></testsuite>",
            "1 errors and shows 0",
        ),
        ("<testsuite tests='many'/>", "`many`, no count"),
        ("<testsuite tests='-1'/>", "no count"),
        ("<testsuite/>", "no test case"),
        ("<testsuite><error/><testcase name='x'/></testsuite>", "outside of a test case"),
    ] {
        refused(text, why);
    }
    // An outer suite shows what its inner ones do.
    let nested = |counts: &str| {
        format!(
            "<testsuites {counts}><testsuite failures='1' errors='2'><testcase name='x'><failure/><error/></testcase>\
             <testcase name='y'><error/></testcase></testsuite><testsuite><testcase name='z'><failure/></testcase>\
             </testsuite></testsuites>"
        )
    };
    assert!(report(&nested("tests='3' failures='2' errors='2'")).is_ok());
    refused(&nested("tests='4'"), "4 tests and shows 3");
    refused(&nested("failures='3'"), "3 failures and shows 2");
    refused(&nested("errors='3'"), "3 errors and shows 2");
    // Fewer than there are is how some runners count what broke before the first test.
    assert!(report("<testsuite tests='0'><testcase name='x'/></testsuite>").is_ok());
}

#[test]
fn what_is_no_xml_or_could_be_two_readings_of_it_is_refused() {
    let deep = format!("<testsuite>{}", "<a>".repeat(100));
    let wide = (0..300).fold(String::new(), |wide, n| wide + " a" + &n.to_string() + "=''");
    for (text, why) in [
        ("<testsuite><testcase name='x'>", "it was cut"),
        ("<testsuite><testcase name='x'></testsuite>", "no XML"),
        ("<testsuite><testcase name='x'/></testsuite><testsuite/>", "a second root"),
        ("<testsuite><testcase name='x'/></testsuite>x", "text outside"),
        ("<testsuite><testcase name='x' name='y'/></testsuite>", "no XML"),
        ("<testsuite><testcase name='&x;'/></testsuite>", "no XML"),
        ("<testsuite>&x;<testcase name='x'/></testsuite>", "does not know"),
        (
            "<testsuite><testcase name='x'><testcase name='y'/></testcase></testsuite>",
            "holds suites or cases",
        ),
        (deep.as_str(), "nested more than 64 deep"),
        (&format!("<testsuite{wide}/>"), "more than 256 attributes"),
    ] {
        refused(text, why);
    }
}

#[test]
fn entities_neither_expand_nor_fetch() {
    let lol = r#"<!DOCTYPE testsuite [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
        <testsuite><testcase name="&b;"/></testsuite>"#;
    refused(lol, "a document type");
    refused(
        "<!DOCTYPE testsuite SYSTEM \"file:///etc/passwd\"><testsuite><testcase name='x'/></testsuite>",
        "a document type",
    );
}

#[test]
fn recorded_numbers_are_metrics_by_name() {
    let text = r#"<testsuite><properties><property name="seed" value="7"/><property name="go" value="go1.2"/></properties>
        <testcase name="a"><properties><property name="rougeL" value="0.41"/><property name="nan" value="NaN"/>
        <property name="both" value="1"/><property name="both" value="x"/><property name="none"/></properties></testcase></testsuite>"#;
    let report = report(text).unwrap();
    assert_eq!(report.lookup("property/rougeL").unwrap().value, Value::Number(0.41));
    assert_eq!(report.lookup("property/seed").unwrap().value, Value::Number(7.0));
    assert_eq!(report.lookup("property/nan").unwrap().value, Value::NonFinite("NaN".into()));
    assert_eq!(
        report.lookup("property/both"),
        Err(Lookup::Ambiguous(vec!["line 3".into(), "line 3".into()]))
    );
    assert!(report.lookup("property/go").is_err());
}

#[test]
fn other_xml_is_text() {
    for text in ["<html><testsuite/></html>", "<!-- testsuite -->", "a < b"] {
        assert_eq!(report(text).unwrap().format, Format::Text, "{text}");
    }
    assert_eq!(
        report("\u{feff}<?xml version='1.0'?>\r\n<testsuite>\r\n<testcase name='x'/></testsuite>\r\n")
            .unwrap()
            .format,
        Format::Junit
    );
}
