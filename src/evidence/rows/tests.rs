use std::collections::BTreeMap;

use super::super::csv;
use super::super::json::{JsonFile, Sieve, parse_file};
use super::*;

#[track_caller]
fn check(
    rows: &Rows<'_>,
    filter: &[(&str, Scalar)],
    column: Option<&str>,
    how: Reduce,
    expected: Result<(f64, u64), &str>,
) {
    check_share(rows, filter, column, how, None, expected);
}

#[expect(clippy::needless_pass_by_value, reason = "tables of cases read better with values")]
#[track_caller]
fn check_share(
    rows: &Rows<'_>,
    filter: &[(&str, Scalar)],
    column: Option<&str>,
    how: Reduce,
    equals: Option<Scalar>,
    expected: Result<(f64, u64), &str>,
) {
    let by_column: BTreeMap<String, Scalar> =
        filter.iter().map(|(name, wanted)| ((*name).to_owned(), wanted.clone())).collect();
    let found = reduce(rows, Reduction { filter: &by_column, column, reduce: how, equals: equals.as_ref() });
    match (found, expected) {
        (Ok(metric), Ok((value, samples))) => {
            assert_eq!((metric.value, metric.samples), (Value::Number(value), Some(samples)));
        }
        (Err(why), Err(expected)) => assert!(why.contains(expected), "{why:?} should say {expected:?}"),
        (found, expected) => panic!("{found:?} should be {expected:?}"),
    }
}

fn csv(sheet: &str) -> Rows<'_> {
    Rows::Csv(csv::parse(sheet, b',').unwrap())
}

#[track_caller]
fn with_json(file: &str, check: impl FnOnce(&Rows<'_>)) {
    match parse_file(file.as_bytes(), &Sieve::everything()).unwrap().0 {
        JsonFile::Document(document) => check(&Rows::Json(document.as_array().unwrap())),
        JsonFile::Lines(rows) => check(&Rows::Json(&rows)),
    }
}

fn text(wanted: &str) -> Scalar {
    Scalar::Text(wanted.to_owned())
}

const SHEET: &str = "sample_id,rater,verdict,score\ns1,a,pass,1\ns1,b,fail,0\ns2,a,pass,0.5\ns3,b,pass,1.0\n";

#[test]
fn a_sheet_of_ratings_reduces() {
    let sheet = csv(SHEET);
    check(&sheet, &[], None, Reduce::Count, Ok((4.0, 4)));
    check(&sheet, &[], Some("sample_id"), Reduce::Distinct, Ok((3.0, 4)));
    check(&sheet, &[], Some("score"), Reduce::Mean, Ok((0.625, 4)));
    check(&sheet, &[], Some("score"), Reduce::Min, Ok((0.0, 4)));
    check(&sheet, &[], Some("score"), Reduce::Max, Ok((1.0, 4)));
    check(&sheet, &[("rater", text("a"))], Some("score"), Reduce::Mean, Ok((0.75, 2)));
    check(&sheet, &[("score", Scalar::Number(1.0))], None, Reduce::Count, Ok((2.0, 2)));
    check(&sheet, &[("rater", text("c"))], None, Reduce::Count, Ok((0.0, 0)));
    check(&sheet, &[("rater", text("c"))], Some("score"), Reduce::Mean, Err("no row matches"));
    check_share(&sheet, &[], Some("verdict"), Reduce::Share, Some(text("pass")), Ok((0.75, 4)));
    check_share(&sheet, &[], Some("score"), Reduce::Share, Some(Scalar::Number(1.0)), Ok((0.5, 4)));
    check_share(
        &sheet,
        &[("rater", text("c"))],
        Some("score"),
        Reduce::Share,
        Some(text("1")),
        Err("no row matches"),
    );
    check_share(&sheet, &[], Some("verdict"), Reduce::Share, None, Err("`equals`"));
}

#[test]
fn a_column_that_is_not_there_is_a_slip() {
    let sheet = csv(SHEET);
    check(&sheet, &[], Some("Score"), Reduce::Mean, Err("no column is named `Score`"));
    check(&sheet, &[("severty", text("critical"))], None, Reduce::Count, Err("no column"));
    check(&csv("a,a\n1,2\n"), &[], Some("a"), Reduce::Mean, Err("several columns"));
    check(&csv(SHEET), &[], None, Reduce::Mean, Err("name the `column`"));
    with_json(r#"[{"a":1},{"a":2}]"#, |rows| {
        check(rows, &[], Some("b"), Reduce::Count, Err("no row has `b`"));
        check(rows, &[("b", text("x"))], None, Reduce::Count, Err("no row has `b`"));
    });
}

#[test]
fn a_cell_that_is_missing_or_no_number_fails_the_whole() {
    for (cell, expected) in [
        ("", "1 of 2 rows have nothing in `v`"),
        ("0,5", "1 of 2 rows have no number"),
        ("\"0,5\"", "1 of 2 rows have no number"),
        ("n/a", "1 of 2 rows have no number"),
        ("5 %", "1 of 2 rows have no number"),
        ("+1", "1 of 2 rows have no number"),
        ("0x10", "1 of 2 rows have no number"),
        ("1_000", "1 of 2 rows have no number"),
    ] {
        let sheet = format!("v;w\n1;x\n{cell};y\n");
        let rows = Rows::Csv(csv::parse(&sheet, b';').unwrap());
        for how in [Reduce::Mean, Reduce::Min, Reduce::Max] {
            check(&rows, &[], Some("v"), how, Err(expected));
        }
    }
    with_json(r#"[{"a":1},{"a":"2"}]"#, |rows| check(rows, &[], Some("a"), Reduce::Mean, Err("1 of 2")));
    with_json(r#"[{"a":1},{"a":true}]"#, |rows| check(rows, &[], Some("a"), Reduce::Max, Err("1 of 2")));
    with_json(r#"[{"a":1},{"a":null},{}]"#, |rows| {
        check(rows, &[], Some("a"), Reduce::Mean, Err("2 of 3 rows have nothing"));
        check(rows, &[], Some("a"), Reduce::Distinct, Err("2 of 3 rows have nothing"));
        check(rows, &[], Some("a"), Reduce::Count, Ok((1.0, 1)));
    });
}

#[test]
fn a_cell_that_is_not_finite_makes_the_whole_not_finite() {
    let unheld = |rows: &Rows<'_>, how, expected: &str| {
        let reduction = Reduction { filter: &BTreeMap::new(), column: Some("a"), reduce: how, equals: None };
        let metric = reduce(rows, reduction).unwrap();
        assert_eq!((metric.value, metric.samples), (Value::NonFinite(expected.into()), Some(2)));
    };
    for how in [Reduce::Mean, Reduce::Min, Reduce::Max] {
        unheld(&csv("a\n1\nnan\n"), how, "nan");
        unheld(&csv("a\n1\n-Inf\n"), how, "-Inf");
        unheld(&csv("a\n1\n1e999\n"), how, "1e999");
        with_json("[{\"a\":NaN},{\"a\":1}]", |rows| unheld(rows, how, "NaN"));
    }
    unheld(&csv("a\n1e308\n1e308\n"), Reduce::Mean, "NaN");
}

#[test]
fn what_cannot_be_compared_is_an_error_and_not_a_difference() {
    let compared = |rows: &Rows<'_>, wanted: Scalar, expected: Result<(f64, u64), &str>| {
        check_share(rows, &[], Some("v"), Reduce::Share, Some(wanted), expected);
    };
    compared(&csv("v\nFail\npass\n"), text("fail"), Err("it is `Fail`, compared with the text `fail`"));
    compared(&csv("v\nTrue\nfalse\n"), Scalar::Bool(true), Ok((0.5, 2)));
    compared(&csv("v\nyes\nfalse\n"), Scalar::Bool(true), Err("`yes`"));
    compared(&csv("v\n1\nx\n"), Scalar::Number(1.0), Err("`x`"));
    with_json(r#"[{"v":"true"}]"#, |rows| compared(rows, Scalar::Bool(true), Err("it is a text")));
    with_json(r#"[{"v":"1"}]"#, |rows| compared(rows, Scalar::Number(1.0), Err("it is a text")));
    with_json(r#"[{"v":1}]"#, |rows| compared(rows, text("1"), Err("it is a number")));
    with_json(r#"[{"v":1},{"v":1.0},{"v":2}]"#, |rows| {
        compared(rows, Scalar::Number(1.0), Ok((2.0 / 3.0, 3)));
    });
}

#[test]
fn a_filter_passes_over_rows_of_another_kind_and_stops_at_unknown_ones() {
    // Events of several kinds in one file: the last has no `type`.
    with_json("{\"type\":\"match\",\"ok\":true}\n{\"type\":\"spec\"}\n{\"final\":1}\n", |rows| {
        check(rows, &[("type", text("match"))], None, Reduce::Count, Ok((1.0, 1)));
        check(
            rows,
            &[("type", text("match")), ("ok", Scalar::Bool(true))],
            None,
            Reduce::Count,
            Ok((1.0, 1)),
        );
    });
    with_json(r#"[{"severity":"low"},{"severity":null}]"#, |rows| {
        check(
            rows,
            &[("severity", text("critical"))],
            None,
            Reduce::Count,
            Err("row 2 has nothing in `severity`"),
        );
    });
    check(
        &csv("id,severity\n1,low\n2,\n"),
        &[("severity", text("critical"))],
        None,
        Reduce::Count,
        Err("row 2"),
    );
    check(
        &csv("id,severity\n1,CRITICAL\n"),
        &[("severity", text("critical"))],
        None,
        Reduce::Count,
        Err("row 1"),
    );
}

#[test]
fn different_values_are_told_apart_by_type_and_value() {
    with_json(
        r#"[1, 1.0, "1", true, "true", 0, -0.0, 12345678901234567890, 12345678901234567891]"#,
        |rows| {
            check(rows, &[], None, Reduce::Distinct, Ok((7.0, 9)));
        },
    );
    with_json("[[1],2]", |rows| check(rows, &[], None, Reduce::Distinct, Err("an array")));
    check(&csv("id\n a\na \n\"a\"\nA\n"), &[], Some("id"), Reduce::Distinct, Ok((2.0, 4)));
}

#[test]
fn columns_of_json_rows_can_be_pointers() {
    with_json(r#"[{"a":{"b":1},"x/y":5},{"a":{"b":3},"x/y":7}]"#, |rows| {
        check(rows, &[], Some("/a/b"), Reduce::Mean, Ok((2.0, 2)));
        check(rows, &[], Some("x/y"), Reduce::Max, Ok((7.0, 2)));
        check(rows, &[("/a/b", Scalar::Number(3.0))], Some("/x~1y"), Reduce::Min, Ok((7.0, 1)));
    });
}
