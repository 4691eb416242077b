use super::super::{Format, Lookup, Reading, Report, Unreadable, read};
use super::*;

const PASS: &str = r#"{"success":true,"failureReason":0,"promptIdx":0}"#;
const FAIL: &str = r#"{"success":false,"failureReason":1,"promptIdx":0}"#;
const ERROR: &str = r#"{"success":false,"failureReason":2,"promptIdx":0}"#;
const UNKNOWN: &str = r#"{"success":false,"promptIdx":0}"#;

/// A version 3 file: statistics, rows, one prompt with these metrics.
fn file(stats: &str, rows: &[&str], metrics: &str) -> String {
    format!(
        r#"{{"evalId":"e","results":{{"version":3,"stats":{stats},"results":[{}],"prompts":[{{"metrics":{metrics}}}]}},"config":{{}}}}"#,
        rows.join(",")
    )
}

#[track_caller]
fn report(text: &str) -> Report {
    read(text.as_bytes(), &Reading::default()).expect("it reads")
}

#[track_caller]
fn unreadable(text: &str, expected: &str) {
    match read(text.as_bytes(), &Reading::default()) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why:?} should say {expected:?}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is(report: &Report, name: &str, expected: f64) {
    match report.lookup(name) {
        Ok(metric) => assert_eq!(metric.value, Value::Number(expected), "{name}"),
        Err(why) => panic!("{name}: {why}"),
    }
}

#[test]
fn tests_are_counted_by_how_they_ended() {
    let report =
        report(&file(r#"{"successes":2,"failures":1,"errors":1}"#, &[PASS, PASS, FAIL, ERROR], "{}"));
    for (name, expected) in [
        ("tests.total", 4.0),
        ("tests.passed", 2.0),
        ("tests.failed", 1.0),
        ("tests.errored", 1.0),
        ("tests.pass_rate", 0.5),
    ] {
        is(&report, name, expected);
        assert_eq!(report.lookup(name).unwrap().errors, Some(1), "{name}");
    }
}

#[test]
fn errors_that_nobody_counted_are_unknown_and_count_as_failures() {
    let folded = report(&file(r#"{"successes":1,"failures":2}"#, &[PASS, UNKNOWN, UNKNOWN], "{}"));
    is(&folded, "tests.failed", 2.0);
    assert_eq!(folded.lookup("tests.failed").unwrap().errors, None);
    assert!(folded.lookup("tests.errored").is_err());
    let stated = report(&file(r#"{"successes":1,"failures":1,"errors":1}"#, &[PASS, UNKNOWN, UNKNOWN], "{}"));
    is(&stated, "tests.failed", 1.0);
    is(&stated, "tests.errored", 1.0);
}

#[test]
fn rows_that_contradict_the_statistics_are_unreadable() {
    for (stats, rows) in [
        (r#"{"successes":2,"failures":0,"errors":0}"#, &[PASS][..]),
        (r#"{"successes":1,"failures":1,"errors":0}"#, &[PASS]),
        (r#"{"successes":1,"failures":0,"errors":0}"#, &[PASS, FAIL]),
        (r#"{"successes":1,"failures":0,"errors":0}"#, &[PASS, PASS]),
        (r#"{"successes":2,"failures":0,"errors":0}"#, &[PASS, FAIL]),
        (r#"{"successes":1,"failures":1,"errors":0}"#, &[PASS, ERROR]),
        (r#"{"successes":1,"failures":0,"errors":1}"#, &[PASS, FAIL]),
        (r#"{"successes":1,"failures":9007199254740992,"errors":9007199254740992}"#, &[PASS, FAIL]),
    ] {
        unreadable(&file(stats, rows, "{}"), "contradict");
    }
}

#[test]
fn a_file_that_is_not_whole_is_unreadable() {
    let good = file(r#"{"successes":1,"failures":0,"errors":0}"#, &[PASS], "{}");
    for (from, to, expected) in [
        ("\"version\":3", "\"version\":4", "2 and 3 are known"),
        ("\"version\":3,", "", "`/results/version` is missing"),
        ("\"success\":true", "\"success\":\"true\"", "`/results/results/0`: `success` is no boolean"),
        ("\"success\":true,", "", "`success` is no boolean"),
        ("\"failureReason\":0", "\"failureReason\":1", "contradict"),
        ("\"failureReason\":0", "\"failureReason\":null", "contradict"),
        ("\"successes\":1", "\"successes\":\"1\"", "`/results/stats/successes` is no count"),
        ("\"errors\":0", "\"errors\":null", "`/results/stats/errors` is no count"),
        ("\"stats\":", "\"statistics\":", "`/results/stats/successes` is no count"),
    ] {
        unreadable(&good.replace(from, to), expected);
    }
    unreadable(&file(r#"{"successes":0,"failures":0,"errors":0}"#, &[], "{}"), "empty");
    assert_eq!(report(&good).format, Format::Promptfoo);
}

#[test]
fn named_scores_are_sums_until_divided() {
    let rows = [
        r#"{"success":true,"failureReason":0,"promptIdx":0,"namedScores":{"H":0.5,"W":0.75}}"#,
        r#"{"success":true,"failureReason":0,"promptIdx":0,"namedScores":{"H":0.1}}"#,
        ERROR,
    ];
    let stats = r#"{"successes":2,"failures":0,"errors":1}"#;
    for (metrics, name, expected, samples) in [
        (r#"{"namedScores":{"H":0.6},"namedScoresCount":{"H":2}}"#, "named/H", Some(0.3), Some(2)),
        (
            r#"{"namedScores":{"W":1.5},"namedScoresCount":{"W":1},"namedScoreWeights":{"W":2}}"#,
            "named/W",
            Some(0.75),
            Some(1),
        ),
        (r#"{"namedScores":{"D":3},"namedScoresCount":{"H":2}}"#, "named/D", Some(3.0), None),
        // Old: no counts at all, so rows are counted.
        (r#"{"namedScores":{"H":0.6}}"#, "named/H", Some(0.3), Some(2)),
        // Two assertions in a row are one sample.
        (r#"{"namedScores":{"H":0.6},"namedScoresCount":{"H":4}}"#, "named/H", Some(0.15), Some(2)),
        (r#"{"namedScores":{"H":null},"namedScoresCount":{"H":2}}"#, "named/H", None, None),
        (r#"{"namedScores":{"H":"0.6"},"namedScoresCount":{"H":2}}"#, "named/H", None, None),
    ] {
        let report = report(&file(stats, &rows, metrics));
        let found = report.lookup(name).ok();
        assert_eq!(found.map(|metric| metric.value.clone()), expected.map(Value::Number), "{metrics}");
        if let Some(metric) = found {
            assert_eq!((metric.samples, metric.errors, metric.rate), (samples, Some(1), false), "{metrics}");
        }
    }
    let zero = file(
        stats,
        &rows,
        r#"{"namedScores":{"H":0},"namedScoreWeights":{"H":0},"namedScoresCount":{"H":2}}"#,
    );
    assert!(matches!(report(&zero).lookup("named/H").unwrap().value, Value::NonFinite(_)));
    unreadable(&file(stats, &rows, r#"{"namedScores":{"H":0.6},"namedScoresCount":{"W":1}}"#), "not counted");
    unreadable(
        &file(stats, &rows, r#"{"namedScores":{"X":0.6},"namedScoresCount":{"X":1}}"#),
        "no row has it",
    );
}

/// A row of an attack.
fn attack(success: bool, metadata: &str) -> String {
    let reason = u8::from(!success);
    format!(r#"{{"success":{success},"failureReason":{reason},"promptIdx":0,"metadata":{metadata}}}"#)
}

#[test]
fn attacks_that_succeed_are_open_findings_of_their_severity() {
    let rows = [
        attack(false, r#"{"pluginId":"pii","severity":"critical"}"#),
        attack(true, r#"{"pluginId":"pii","severity":"critical"}"#),
        attack(true, r#"{"pluginId":"pii","severity":"critical"}"#),
        attack(true, r#"{"pluginId":"hate","strategyId":"jailbreak","severity":"high"}"#),
        attack(false, r#"{"pluginId":"hate","strategyId":"jailbreak"}"#),
        attack(false, r#"{"pluginId":"hate","severity":"grave"}"#),
        attack(false, r#"{"pluginId":"hate","severity":"Low"}"#),
        r#"{"success":false,"failureReason":2,"promptIdx":0,"testCase":{"metadata":{"pluginId":"pii"}}}"#
            .to_owned(),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let report = report(&file(r#"{"successes":3,"failures":4,"errors":1}"#, &rows, "{}"));
    for (name, expected) in [
        ("attacks.success_rate", 4.0 / 7.0),
        // `hate`, plain: both of two.
        ("attacks.worst_success_rate", 1.0),
        ("findings.open.critical", 1.0),
        ("findings.open.high", 0.0),
        ("findings.open.low", 1.0),
        ("findings.open.unrated", 2.0),
        ("redteam/pii/pass_rate", 0.5),
        ("redteam/hate@jailbreak/pass_rate", 0.5),
        ("redteam/hate/pass_rate", 0.0),
    ] {
        is(&report, name, expected);
    }
    let rate = report.lookup("attacks.success_rate").unwrap();
    assert_eq!((rate.samples, rate.errors, rate.rate), (Some(7), Some(1), true));
    assert_eq!(report.lookup("attacks.worst_success_rate").unwrap().samples, Some(2));
}

#[test]
fn the_worse_of_two_severities_holds() {
    let row = r#"{"success":false,"failureReason":1,"metadata":{"pluginId":"p","severity":"low"},
        "testCase":{"metadata":{"severity":"critical"}}}"#;
    let report = report(&file(r#"{"successes":0,"failures":1,"errors":0}"#, &[row], "{}"));
    is(&report, "findings.open.critical", 1.0);
}

#[test]
fn a_group_of_attacks_that_was_never_judged_leaves_the_worst_unknown() {
    let rows = [
        attack(true, r#"{"pluginId":"a"}"#),
        r#"{"success":false,"failureReason":2,"metadata":{"pluginId":"b"}}"#.to_owned(),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let report = report(&file(r#"{"successes":1,"failures":0,"errors":1}"#, &rows, "{}"));
    assert!(matches!(report.lookup("attacks.worst_success_rate"), Err(Lookup::Missing { .. })));
    is(&report, "redteam/b/pass_rate", 0.0);
}

#[test]
fn the_worst_group_is_the_one_of_the_greatest_share_whatever_their_sizes() {
    let row = |plugin: &str, success: bool| {
        let reason = u8::from(!success);
        format!(
            r#"{{"success":{success},"failureReason":{reason},"promptIdx":0,"metadata":{{"pluginId":"{plugin}"}}}}"#
        )
    };
    let rows: Vec<String> = [("a", 6, 2), ("b", 1, 3), ("c", 1, 1)]
        .into_iter()
        .flat_map(|(plugin, passed, failed)| {
            let passed = (0..passed).map(move |_| row(plugin, true));
            passed.chain((0..failed).map(move |_| row(plugin, false)))
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let report = report(&file(r#"{"successes":8,"failures":6,"errors":0}"#, &rows, "{}"));
    let worst = report.lookup("attacks.worst_success_rate").unwrap();
    assert_eq!((&worst.value, worst.samples), (&Value::Number(0.75), Some(4)));
}

#[test]
fn attacks_that_nobody_rated_may_be_critical() {
    let row = |severity: &str| {
        format!(
            r#"{{"success":false,"failureReason":1,"promptIdx":0,"metadata":{{"pluginId":"a","severity":"{severity}"}}}}"#
        )
    };
    let all = ["critical", "High", "medium", "low", "none", "informational", "??", ""].map(row);
    let rows: Vec<&str> = all.iter().map(String::as_str).collect();
    let report = report(&file(r#"{"successes":0,"failures":8,"errors":0}"#, &rows, "{}"));
    for (word, open, unrated) in
        [("critical", 1.0, 2), ("high", 1.0, 0), ("medium", 1.0, 0), ("low", 1.0, 0), ("unrated", 2.0, 0)]
    {
        let name = format!("findings.open.{word}");
        is(&report, &name, open);
        assert_eq!(report.lookup(&name).unwrap().unrated, unrated, "{name}");
    }
}

#[test]
fn a_red_team_run_is_known_by_its_rows_or_its_configuration() {
    let stats = r#"{"successes":1,"failures":1,"errors":0}"#;
    let plain = file(stats, &[PASS, FAIL], "{}");
    assert!(report(&plain).lookup("attacks.success_rate").is_err());
    let configured = plain.replace(r#""config":{}"#, r#""config":{"redteam":{"plugins":["pii"]}}"#);
    is(&report(&configured), "findings.open.unrated", 1.0);
    let empty = plain.replace(r#""config":{}"#, r#""config":{"redteam":{"plugins":[]}}"#);
    assert!(report(&empty).lookup("findings.open.unrated").is_err());
    let asserted =
        r#"{"success":false,"failureReason":1,"testCase":{"assert":[{"type":"promptfoo:redteam:pii"}]}}"#;
    is(&report(&file(stats, &[PASS, asserted], "{}")), "redteam/pii/pass_rate", 0.0);
}

#[test]
fn many_prompts_with_many_rows_are_read_at_once() {
    // Each row looked at for each prompt, or for each name, would take minutes.
    let many = 20_000;
    let rows: Vec<String> = (0..many)
        .map(|at| format!(r#"{{"success":true,"failureReason":0,"promptIdx":{at},"namedScores":{{"M":1}}}}"#))
        .collect();
    let prompt = r#"{"metrics":{"namedScores":{"M":1},"namedScoresCount":{"M":1}}}"#;
    let file = |rows: &[String], prompts: &[&str]| {
        format!(
            r#"{{"evalId":"e","results":{{"version":3,"stats":{{"successes":{many},"failures":0,"errors":0}},"results":[{}],"prompts":[{}]}}}}"#,
            rows.join(","),
            prompts.join(",")
        )
    };
    let prompts = report(&file(&rows, &vec![prompt; many]));
    is(&prompts, "named/M@19999", 1.0);
    is(&prompts, "tests.passed@19999", 1.0);
    let names: Vec<String> = (0..many).map(|at| format!(r#""m{at}":1"#)).collect();
    let derived = format!(r#"{{"metrics":{{"namedScores":{{{}}}}}}}"#, names.join(","));
    let one = report(&file(
        &rows.iter().map(|row| row.replace(r#""M""#, r#""m7""#)).collect::<Vec<_>>(),
        &[&derived],
    ));
    is(&one, "named/m9", 1.0);
    is(&one, "named/m7", 1.0 / 20_000.0);
}

#[test]
fn a_file_is_known_by_all_its_parts() {
    let whole = file(r#"{"successes":1,"failures":0,"errors":0}"#, &[PASS], "{}");
    assert_eq!(report(&whole).format, Format::Promptfoo);
    for part in ["evalId", "results"] {
        let other = whole.replacen(&format!("\"{part}\""), "\"other\"", 1);
        assert_eq!(report(&other).format, Format::Json, "without {part}");
    }
    for (text, expected) in [
        (r#"{"evalId":"e","results":{"results":[]}}"#, Format::Json),
        (r#"{"evalId":"e","results":{"version":3,"stats":{}}}"#, Format::Json),
        (r#"{"results":{"results":[],"version":3}}"#, Format::Json),
        (r#"{"evalId":"e"}"#, Format::Json),
    ] {
        assert_eq!(report(text).format, expected, "{text}");
    }
}

#[test]
fn prompts_are_told_apart_where_there_are_several_and_every_row_says_which() {
    let with_prompts = |rows: &[&str], prompts: usize| {
        let text = file(r#"{"successes":2,"failures":0,"errors":0}"#, rows, "{}");
        let prompt = r#"{"metrics":{}}"#;
        report(&text.replace(&format!("[{prompt}]"), &format!("[{}]", vec![prompt; prompts].join(","))))
    };
    let other = PASS.replace("\"promptIdx\":0", "\"promptIdx\":1");
    let beyond = PASS.replace("\"promptIdx\":0", "\"promptIdx\":2");
    let unplaced = PASS.replace(",\"promptIdx\":0", "");
    for (rows, prompts, own) in [
        ([PASS, &other], 2, true),
        ([PASS, PASS], 2, true),
        ([PASS, PASS], 1, false),
        ([PASS, &beyond], 2, false),
        ([PASS, &unplaced], 2, false),
    ] {
        let report = with_prompts(&rows, prompts);
        is(&report, "tests.total", 2.0);
        assert_eq!(report.lookup("tests.total@0").is_ok(), own, "{rows:?} of {prompts}");
    }
    let none = with_prompts(&[PASS, PASS], 2);
    is(&none, "tests.total@1", 0.0);
    assert!(none.lookup("tests.pass_rate@1").is_err(), "a share of nothing is none");
}

#[test]
fn errors_beside_rows_that_do_not_say_how_they_ended_count_as_failures() {
    let folded = report(&file(r#"{"successes":1,"failures":3}"#, &[PASS, UNKNOWN, ERROR, ERROR], "{}"));
    is(&folded, "tests.failed", 3.0);
    is(&folded, "tests.pass_rate", 0.25);
}

#[test]
fn a_named_score_is_divided_by_a_weight_above_nothing_or_by_its_assertions() {
    let stats = r#"{"successes":1,"failures":0,"errors":0}"#;
    let row = r#"{"success":true,"failureReason":0,"promptIdx":0,"namedScores":{"H":1.5},
        "gradingResult":{"componentResults":[{"assertion":{"metric":"H"}},{"assertion":{"metric":"H"}},{"assertion":{}}]}}"#;
    for weight in ["0", "-1"] {
        for sum in ["0", "1.5"] {
            let metrics = format!(
                r#"{{"namedScores":{{"H":{sum}}},"namedScoreWeights":{{"H":{weight}}},"namedScoresCount":{{"H":1}}}}"#
            );
            let report = report(&file(stats, &[row], &metrics));
            let expected = Value::NonFinite("a sum over nothing".into());
            assert_eq!(report.lookup("named/H").unwrap().value, expected, "{sum} by {weight}");
        }
    }
    is(&report(&file(stats, &[row], r#"{"namedScores":{"H":1.5}}"#)), "named/H", 0.75);
}

#[test]
fn a_named_score_of_several_prompts_is_asked_for_by_its_prompt() {
    let row = |prompt: u8| {
        format!(r#"{{"success":true,"failureReason":0,"promptIdx":{prompt},"namedScores":{{"H":1}}}}"#)
    };
    let text = file(
        r#"{"successes":2,"failures":0,"errors":0}"#,
        &[&row(0), &row(1)],
        r#"{"namedScores":{"H":1}}},{"metrics":{"namedScores":{"H":0.5}}"#,
    );
    let report = report(&text);
    is(&report, "named/H@0", 1.0);
    is(&report, "named/H@1", 0.5);
    let names = vec!["named/H@0".to_owned(), "named/H@1".to_owned()];
    assert_eq!(report.lookup("named/H"), Err(Lookup::Ambiguous(names)));
}
