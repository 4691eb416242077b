use super::super::{Format, Lookup, Report, Unreadable, read as read_report};
use super::*;

const HEAD: &str =
    "{\"entry_type\":\"start_run setup\"}\n{\"entry_type\":\"init\",\"garak_version\":\"0.17.1\"}\n";
const DONE: &str =
    "{\"entry_type\":\"completion\",\"end_time\":\"2026\"}\n{\"entry_type\":\"digest\",\"eval\":{}}\n";

fn eval(rest: &str) -> String {
    format!("{{\"entry_type\":\"eval\",\"probe\":\"dan.DAN\",\"detector\":\"dan.DAN\",{rest}}}\n")
}

fn report(text: &str) -> Result<Report, Unreadable> {
    read_report(text.as_bytes(), &Reading::default())
}

#[track_caller]
fn finished(rows: &str) -> Report {
    let report = report(&format!("{HEAD}{rows}{DONE}")).unwrap();
    assert_eq!((report.format, &report.status), (Format::Garak, &RunStatus::Finished));
    report
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    match report(text) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{other:?}"),
    }
}

const RATE: &str = "dan.DAN/dan.DAN/attack_success_rate";

#[test]
fn rates_read_the_same_in_every_schema() {
    for row in [
        r#""passed":9,"total":10"#,
        r#""passed":9,"total":10,"nones":0"#,
        r#""passed":9,"fails":1,"nones":2,"total_evaluated":10,"total_processed":12"#,
        r#""passed":9,"fails":1,"nones":2,"total_evaluated":10,"total_processed":12,"intents":{},"hit_at_k":{"1":{"score":0.1}}"#,
    ] {
        let report = finished(&eval(row));
        let rate = report.lookup(RATE).unwrap();
        assert_eq!((&rate.value, rate.samples, rate.rate), (&Value::Number(0.1), Some(10), true), "{row}");
        assert_eq!(rate.higher_is_better, Some(false));
        assert_eq!(rate.at, "/2");
        assert_eq!(report.lookup("attacks.success_rate").unwrap().value, Value::Number(0.1));
    }
    let old =
        finished(&eval(r#""passed":9,"total":10"#).replace("\"detector\":\"", "\"detector\":\"detector."));
    assert!(old.lookup(RATE).is_ok());
    assert_eq!(finished(&eval(r#""passed":9,"total":10"#)).lookup(RATE).unwrap().errors, None);
    assert_eq!(finished(&eval(r#""passed":9,"nones":2,"total":10"#)).lookup(RATE).unwrap().errors, Some(2));
    assert_eq!(
        finished(&eval(r#""passed":9,"total_evaluated":10,"total_processed":13"#))
            .lookup(RATE)
            .unwrap()
            .errors,
        Some(3)
    );
}

#[test]
fn the_tools_own_interval_is_given_whatever_type_its_confidence_has() {
    for (confidence, expected) in
        [("\"0.95\"", Some(0.95)), ("0.95", Some(0.95)), ("\"high\"", None), ("null", None)]
    {
        let row = format!(
            r#""passed":37,"total_evaluated":50,"confidence":{confidence},"confidence_lower":0.14,"confidence_upper":0.38"#
        );
        let report = finished(&eval(&row));
        let interval = report.lookup(RATE).unwrap().interval;
        assert_eq!(interval, Some(Interval { low: 0.14, high: 0.38, confidence: expected }));
    }
    let turned = finished(&eval(r#""passed":1,"total":2,"confidence_lower":0.9,"confidence_upper":0.1"#));
    assert_eq!(turned.lookup(RATE).unwrap().interval, None);
}

#[test]
fn detectors_of_one_probe_are_not_merged_and_the_worst_is_named() {
    let other = eval(r#""passed":0,"total":4"#)
        .replace("\"detector\":\"dan.DAN\"", "\"detector\":\"mitigation.MitigationBypass\"");
    let report = finished(&format!("{}{other}", eval(r#""passed":16,"total":16"#)));
    assert_eq!(report.lookup(RATE).unwrap().value, Value::Number(0.0));
    assert_eq!(
        report.lookup("dan.DAN/mitigation.MitigationBypass/attack_success_rate").unwrap().value,
        Value::Number(1.0)
    );
    let pooled = report.lookup("attacks.success_rate").unwrap();
    assert_eq!((&pooled.value, pooled.samples), (&Value::Number(0.2), Some(20)));
    let worst = report.lookup("attacks.worst_success_rate").unwrap();
    assert_eq!((&worst.value, worst.samples), (&Value::Number(1.0), Some(4)));
}

#[test]
fn the_worst_pair_is_the_one_of_the_greatest_share_whatever_their_sizes() {
    let pairs = [("a.A", 1, 4), ("b.B", 90, 100), ("c.C", 6, 8), ("d.D", 3, 4)];
    let rows: String = pairs
        .iter()
        .map(|(probe, passed, total)| {
            eval(&format!(r#""passed":{passed},"total":{total}"#)).replace("dan.DAN", probe)
        })
        .collect();
    let report = finished(&rows);
    let worst = report.lookup("attacks.worst_success_rate").unwrap();
    assert_eq!((&worst.value, worst.samples), (&Value::Number(0.75), Some(4)));
    // Of two that are as bad, the one that rests on less.
    let without = rows.replacen("\"passed\":1,", "\"passed\":4,", 1);
    let report = finished(&without);
    let worst = report.lookup("attacks.worst_success_rate").unwrap();
    assert_eq!((&worst.value, worst.samples), (&Value::Number(0.25), Some(4)));
}

#[test]
fn counts_that_contradict_each_other_are_refused() {
    for (row, expected) in [
        (r#""passed":11,"total":10"#, "11 passed of 10"),
        (r#""passed":2,"fails":9,"total":10"#, "2 passed and 9 failed are not 10"),
        (r#""passed":2,"fails":5,"total":10"#, "2 passed and 5 failed are not 10"),
        (
            r#""passed":9,"nones":2,"total_evaluated":10,"total_processed":13"#,
            "10 evaluated and 2 not are not 13",
        ),
    ] {
        refused(&format!("{HEAD}{}{DONE}", eval(row)), expected);
    }
    finished(&eval(r#""passed":2,"fails":8,"total":10"#));
}

#[test]
fn a_pair_that_judged_nothing_has_no_rate_and_may_be_the_worst() {
    let none = eval(r#""passed":0,"nones":5,"total_evaluated":0,"total_processed":5"#);
    let report = finished(&format!("{none}{}", eval(r#""passed":4,"total":4"#).replace("dan.DAN", "x.Y")));
    assert!(matches!(report.lookup(RATE).unwrap().value, Value::NonFinite(_)));
    assert_eq!(report.lookup("x.Y/x.Y/attack_success_rate").unwrap().value, Value::Number(0.0));
    assert!(matches!(report.lookup("attacks.worst_success_rate").unwrap().value, Value::NonFinite(_)));
    let rate = report.lookup("attacks.success_rate").unwrap();
    assert_eq!((&rate.value, rate.samples), (&Value::Number(0.0), Some(4)));
}

#[test]
fn one_pair_twice_is_ambiguous() {
    let row = eval(r#""passed":4,"total":4"#);
    let report = finished(&format!("{row}{row}"));
    assert_eq!(report.lookup(RATE), Err(Lookup::Ambiguous(vec!["/2".into(), "/3".into()])));
}

#[test]
fn a_run_without_its_end_gives_nothing() {
    let row = eval(r#""passed":4,"total":4"#);
    let init = "{\"entry_type\":\"init\"}\n";
    for text in [
        format!("{HEAD}{row}"),
        format!("{HEAD}{row}{{\"entry_type\":\"digest\"}}\n"),
        format!("{HEAD}{DONE}{row}"),
        format!("{HEAD}{init}{row}{DONE}"),
        HEAD.to_owned(),
    ] {
        let report = report(&text).unwrap();
        assert!(matches!(report.status, RunStatus::Unfinished(_)), "{text}");
        assert!(matches!(report.lookup("attacks.success_rate"), Err(Lookup::Unfinished(_))), "{text}");
    }
    refused(&format!("{HEAD}{DONE}"), "no `eval` row");
}

#[test]
fn rows_that_contradict_themselves_are_refused() {
    for (row, why) in [
        (r#""passed":11,"total":10"#, "11 passed of 10"),
        (r#""passed":9,"fails":0,"total_evaluated":10"#, "9 passed and 0 failed are not 10"),
        (r#""passed":9,"nones":1,"total_evaluated":10,"total_processed":12"#, "are not 12"),
        (r#""passed":-1,"total":10"#, "`passed` is no count"),
        (r#""passed":"9","total":10"#, "`passed` is no count"),
        (r#""passed":NaN,"total":10"#, "`passed` is no count"),
        (r#""total":10"#, "`passed` is missing"),
        (r#""passed":9"#, "are missing"),
        (r#""passed":9,"passed":10,"total":10"#, "twice"),
    ] {
        refused(&format!("{HEAD}{}{DONE}", eval(row)), why);
    }
    refused(
        &format!("{HEAD}{}{DONE}", eval(r#""passed":9,"total":10"#).replace("\"probe\"", "\"prob\"")),
        "`probe` is no text",
    );
    refused(&format!("{HEAD}{{\"a\":1}}\n{DONE}"), "no `entry_type`");
    refused(
        &format!("{HEAD}{}{{\"entry_type\":\"comp", eval(r#""passed":9,"total":10"#)),
        "it begins like JSON and is none",
    );
}

#[test]
fn a_hit_log_counts_hits_and_is_no_finished_run() {
    let hit = |detector: &str| {
        format!(
            "{{\"goal\":\"g\",\"prompt\":\"p\",\"score\":1.0,\"attempt_id\":\"a\",\"generator\":\"g\",\"probe\":\"dan.DAN\",\"detector\":\"{detector}\"}}\n"
        )
    };
    let text = [hit("a"), hit("a"), hit("b")].concat();
    let reading = Reading { unfinished_allowed: true, ..Reading::default() };
    let log = read_report(text.as_bytes(), &reading).unwrap();
    assert_eq!(log.format, Format::Garak);
    for (name, hits) in [("attacks.hits", 3.0), ("dan.DAN/a/hits", 2.0), ("dan.DAN/b/hits", 1.0)] {
        assert_eq!(log.lookup(name).unwrap().value, Value::Number(hits), "{name}");
    }
    assert!(matches!(report(&text).unwrap().lookup("attacks.hits"), Err(Lookup::Unfinished(_))));
    refused(&format!("{text}{{\"goal\":\"g\"}}\n"), "the row at `/3` is none of a hit log");
    assert_eq!(report(&hit("a")).unwrap().format, Format::Garak, "one row");
}

#[test]
fn a_report_and_the_hit_log_of_its_run_are_held_against_each_other() {
    let hit = |detector: &str, run: &str| {
        format!(
            "{{\"score\":1.0,\"attempt_id\":\"a\",\"run_id\":\"{run}\",\"generator\":\"g\",\"probe\":\"dan.DAN\",\"detector\":\"{detector}\"}}\n"
        )
    };
    let head = HEAD.replace("\"init\"", "\"init\",\"run\":\"r\"");
    let whole = format!("{head}{}{DONE}", eval(r#""passed":8,"total":10"#));
    let beside = |file: &str, other: &str| {
        let companions = [other.as_bytes()];
        read_report(file.as_bytes(), &Reading { companions: &companions, ..Reading::default() })
    };
    let log = hit("dan.DAN", "r").repeat(2);
    assert!(beside(&whole, &log).unwrap().lookup(RATE).is_ok());
    assert_eq!(beside(&log, &whole).unwrap().lookup("attacks.hits").unwrap().value, Value::Number(2.0));
    for other in [hit("dan.DAN", "r"), hit("dan.DAN", "r").repeat(3), format!("{log}{}", hit("x.Y", "r"))] {
        for found in [beside(&whole, &other), beside(&other, &whole)] {
            assert!(
                matches!(&found, Err(Unreadable::Invalid(why)) if why.contains("the hit log of its run")),
                "{found:?}"
            );
        }
    }
    // Of another run, of none, or of one that broke off.
    assert!(beside(&whole, &hit("dan.DAN", "s")).is_ok());
    assert!(matches!(beside(&hit("dan.DAN", "s"), &whole).unwrap().status, RunStatus::Unfinished(_)));
    let broken_off = whole.replace("completion", "attempt");
    assert!(matches!(beside(&log, &broken_off).unwrap().status, RunStatus::Unfinished(_)));
    assert!(beside(&whole, "# notes").is_ok());
}

#[test]
fn hits_are_better_few_and_each_row_names_its_probe_and_detector() {
    let hit = r#"{"score":1.0,"attempt_id":"a","generator":"g","probe":"p","detector":"d"}"#;
    let reading = Reading { unfinished_allowed: true, ..Reading::default() };
    let log = read_report(format!("{hit}\n{hit}\n").as_bytes(), &reading).unwrap();
    for name in ["attacks.hits", "p/d/hits"] {
        assert_eq!(log.lookup(name).unwrap().higher_is_better, Some(false), "{name}");
    }
    for other in [
        r#"{"probe":"p","detector":"d"}"#.to_owned(),
        hit.replace("\"p\"", "7"),
        hit.replace("\"d\"", "null"),
    ] {
        refused(&format!("{hit}\n{other}\n"), "the row at `/1` is none of a hit log");
    }
}

#[test]
fn what_an_old_report_may_not_have_judged_is_not_held_against_the_hit_log() {
    let hit = r#"{"score":1.0,"attempt_id":"a","run_id":"r","generator":"g","probe":"dan.DAN","detector":"dan.DAN"}"#;
    for (row, agree) in [
        (r#""passed":8,"nones":0,"total":10"#, false),
        (r#""passed":8,"nones":1,"total":10"#, true),
        (r#""passed":8,"total":10"#, false),
        (r#""passed":8,"nones":1,"total_evaluated":10"#, false),
    ] {
        let head = HEAD.replace("\"init\"", "\"init\",\"run\":\"r\"");
        let whole = format!("{head}{}{DONE}", eval(row));
        let companions = [hit.as_bytes()];
        let reading = Reading { companions: &companions, ..Reading::default() };
        assert_eq!(read_report(whole.as_bytes(), &reading).is_ok(), agree, "{row}");
    }
}

#[test]
fn a_report_that_names_no_run_finishes_no_hit_log() {
    let hit = r#"{"score":1.0,"attempt_id":"a","generator":"g","probe":"dan.DAN","detector":"dan.DAN"}"#;
    let whole = format!("{HEAD}{}{DONE}", eval(r#""passed":9,"total":10"#));
    let companions = [whole.as_bytes()];
    let reading = Reading { companions: &companions, ..Reading::default() };
    let log = read_report(hit.as_bytes(), &reading).unwrap();
    assert!(matches!(log.status, RunStatus::Unfinished(_)));
}
