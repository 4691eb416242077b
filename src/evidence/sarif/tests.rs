use super::super::{Format, Lookup, Reading, Report, Unreadable, Value, read};
use super::*;

/// A log of one run by a tool of this name with these rules, and these other members.
fn log(tool: &str, rules: &str, rest: &str) -> String {
    format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"{tool}","rules":[{rules}]}}}}{rest}}}]}}"#
    )
}

/// A log of one run of a tool without rules, with these results.
fn results(results: &str) -> String {
    log("T", "", &format!(r#","results":[{results}]"#))
}

#[track_caller]
fn report(text: &str) -> Report {
    let report = read(text.as_bytes(), &Reading::default()).expect("it reads");
    assert_eq!(report.format, Format::Sarif);
    report
}

/// What is open, by name of a severity, of a level, or `suppressed`; all that is not named is zero.
#[track_caller]
fn open(report: &Report, expected: &[(&str, f64)]) {
    let names = ["critical", "high", "medium", "low", "none", "unrated"];
    for name in
        names.map(|name| format!("findings.open.{name}")).iter().chain([&"findings.suppressed".to_owned()])
    {
        let wanted =
            expected.iter().find(|(short, _)| name.ends_with(&format!(".{short}"))).map_or(0.0, |(_, n)| *n);
        assert_eq!(report.lookup(name).unwrap().value, Value::Number(wanted), "{name}");
    }
}

#[track_caller]
fn is(report: &Report, name: &str, expected: f64) {
    match report.lookup(name) {
        Ok(metric) => assert_eq!(metric.value, Value::Number(expected), "{name}"),
        Err(why) => panic!("{name}: {why}"),
    }
}

#[track_caller]
fn unreadable(text: &str, expected: &str) {
    match read(text.as_bytes(), &Reading::default()) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why:?} should say {expected:?}"),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_severity_is_a_score_in_a_text_or_one_of_the_words() {
    for (severity, expected) in [
        (r#""9.0""#, "critical"),
        (r#""10.0""#, "critical"),
        (r#""8.9""#, "high"),
        (r#""4""#, "medium"),
        (r#""0.1""#, "low"),
        (r#""0.0""#, "none"),
        (" 9.3", "critical"),
        (r#""High""#, "high"),
        (r#""CRITICAL""#, "critical"),
        (r#""9,3""#, "unrated"),
        (r#""1e400""#, "unrated"),
        (r#""-1""#, "unrated"),
        (r#""severe""#, "unrated"),
        (r#""""#, "unrated"),
        ("null", "unrated"),
        ("NaN", "unrated"),
    ] {
        let rule = format!(r#"{{"id":"r","properties":{{"security-severity":{severity}}}}}"#);
        let by_rule = report(&log("T", &rule, r#","results":[{"ruleId":"r"}]"#));
        open(&by_rule, &[(expected, 1.0)]);
        let own = report(&results(&format!(r#"{{"properties":{{"security-severity":{severity}}}}}"#)));
        open(&own, &[(expected, 1.0)]);
    }
}

#[test]
fn a_result_says_its_severity_over_its_rule_unless_it_cannot_be_used() {
    let rule = r#"{"id":"r","properties":{"security-severity":"9.8"}}"#;
    for (own, expected) in [("\"2.0\"", "low"), ("\"odd\"", "critical"), ("null", "critical")] {
        let rest = format!(r#","results":[{{"ruleId":"r","properties":{{"security-severity":{own}}}}}]"#);
        open(&report(&log("T", rule, &rest)), &[(expected, 1.0)]);
    }
}

#[test]
fn a_rule_is_found_by_index_by_id_and_in_extensions() {
    let rules = r#"{"id":"low","properties":{"security-severity":"1"}},{"id":"bad","properties":{"security-severity":"9.9"}}"#;
    for (result, expected) in [
        (r#"{"ruleIndex":1}"#, "critical"),
        (r#"{"ruleId":"bad"}"#, "critical"),
        (r#"{"ruleId":"bad/1/x"}"#, "critical"),
        (r#"{"ruleId":"badly"}"#, "unrated"),
        (r#"{"rule":{"id":"bad"}}"#, "critical"),
        (r#"{"rule":{"index":1}}"#, "critical"),
        (r#"{"ruleIndex":-1,"ruleId":"bad"}"#, "critical"),
        (r#"{"ruleIndex":7,"ruleId":"bad"}"#, "critical"),
        // Index and id that differ: both rules apply, and the worst counts.
        (r#"{"ruleIndex":0,"ruleId":"bad"}"#, "critical"),
        (r#"{"ruleIndex":1,"ruleId":"low"}"#, "critical"),
    ] {
        open(&report(&log("T", rules, &format!(r#","results":[{result}]"#))), &[(expected, 1.0)]);
    }
    let tool = r#"{"driver":{"name":"CodeQL","rules":[{"id":"d"}]},"extensions":[{"name":"empty"},
        {"name":"pack","guid":"g","rules":[{"id":"a"},{"id":"b","properties":{"security-severity":"8"}}]}]}"#;
    for (reference, expected) in [
        (r#""rule":{"index":1,"toolComponent":{"index":1}}"#, "high"),
        (r#""rule":{"index":1,"toolComponent":{"name":"pack"}}"#, "high"),
        (r#""rule":{"index":1,"toolComponent":{"guid":"g"}}"#, "high"),
        (r#""rule":{"index":0,"toolComponent":{"index":1}}"#, "unrated"),
        (r#""rule":{"index":1,"toolComponent":{"name":"other"}}"#, "unrated"),
        (r#""ruleId":"b""#, "high"),
    ] {
        let text = format!(r#"{{"version":"2.1.0","runs":[{{"tool":{tool},"results":[{{{reference}}}]}}]}}"#);
        open(&report(&text), &[(expected, 1.0)]);
    }
    // One id twice: the rule at the index, where it has that id; else both, of which the worse counts.
    let same = r#"{"id":"a","properties":{"security-severity":"1"}},{"id":"a","properties":{"security-severity":"9"}}"#;
    for (result, expected) in [
        (r#"{"ruleIndex":0,"ruleId":"a"}"#, "low"),
        (r#"{"ruleIndex":0,"ruleId":"a/x"}"#, "low"),
        (r#"{"ruleIndex":1,"ruleId":"a"}"#, "critical"),
        (r#"{"ruleId":"a"}"#, "critical"),
    ] {
        open(&report(&log("T", same, &format!(r#","results":[{result}]"#))), &[(expected, 1.0)]);
    }
    let extension = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"T"}},"extensions":[{{"rules":[{same}]}}]}},"results":[{{"ruleId":"a"}}]}}]}}"#
    );
    open(&report(&extension), &[("critical", 1.0)]);
    // One id in two components: the one that is named, else both, of which the worse counts.
    let tool = r#"{"driver":{"name":"T","rules":[{"id":"a","properties":{"security-severity":"9"}}]},
        "extensions":[{"name":"pack","rules":[{"id":"a","properties":{"security-severity":"1"}}]}]}"#;
    for (reference, expected) in [
        (r#""rule":{"id":"a","toolComponent":{"index":0}}"#, "low"),
        (r#""rule":{"id":"a/x","toolComponent":{"name":"pack"}}"#, "low"),
        (r#""rule":{"id":"a","toolComponent":{"name":"other"}}"#, "critical"),
        (r#""rule":{"id":"a"}"#, "critical"),
    ] {
        let text = format!(r#"{{"version":"2.1.0","runs":[{{"tool":{tool},"results":[{{{reference}}}]}}]}}"#);
        open(&report(&text), &[(expected, 1.0)]);
    }
}

#[test]
fn a_level_is_that_of_the_result_of_its_rule_or_a_warning() {
    let rules = r#"{"id":"e","defaultConfiguration":{"level":"error"}},{"id":"plain"}"#;
    for (result, expected, unrated_errors) in [
        (r#"{"ruleId":"e"}"#, "error", 1.0),
        (r#"{"ruleId":"e","level":"note"}"#, "note", 0.0),
        (r#"{"ruleId":"plain"}"#, "warning", 0.0),
        (r#"{"ruleId":"nowhere"}"#, "warning", 0.0),
        ("{}", "warning", 0.0),
        (r#"{"level":"fatal"}"#, "error", 1.0),
        // The rule that it names is not in the file: it may be any.
        (r#"{"ruleIndex":12}"#, "error", 1.0),
        (r#"{"ruleId":"e","properties":{"security-severity":"5"}}"#, "error", 0.0),
    ] {
        let report = report(&log("T", rules, &format!(r#","results":[{result}]"#)));
        for level in ["error", "warning", "note", "none"] {
            is(&report, &format!("findings.open.level.{level}"), f64::from(u8::from(level == expected)));
        }
        is(&report, "findings.open.unrated.error", unrated_errors);
    }
}

#[test]
fn an_invocation_may_give_a_rule_another_level_and_never_lighten_a_result_unseen() {
    let rules = r#"{"id":"heavy","defaultConfiguration":{"level":"error"}},{"id":"plain"}"#;
    let level = |descriptor: &str, level: &str| {
        format!(r#"{{"descriptor":{{{descriptor}}},"configuration":{{"level":"{level}"}}}}"#)
    };
    let raised = level(r#""id":"plain""#, "error");
    let lowered = level(r#""index":0"#, "note");
    let unknown = level(r#""id":"gone""#, "error");
    let first = r#","provenance":{"invocationIndex":0}"#;
    for (first_invocation, second_invocation, result, expected) in [
        // Whose invocation says so.
        (&raised, "", format!(r#"{{"ruleId":"plain"{first}}}"#), "error"),
        (&raised, "", format!(r#"{{"ruleId":"plain/below"{first}}}"#), "error"),
        (&raised, "", format!(r#"{{"ruleId":"plain","level":"note"{first}}}"#), "note"),
        (&lowered, "", format!(r#"{{"ruleId":"heavy"{first}}}"#), "note"),
        (&raised, "", format!(r#"{{"ruleId":"heavy"{first}}}"#), "error"),
        (&unknown, "", format!(r#"{{"ruleId":"gone/1"{first}}}"#), "error"),
        (&unknown, "", format!(r#"{{"ruleId":"gonetoo"{first}}}"#), "warning"),
        // Another invocation's is not this one's.
        (&String::new(), &raised, format!(r#"{{"ruleId":"plain"{first}}}"#), "warning"),
        (&String::new(), &lowered, format!(r#"{{"ruleId":"heavy"{first}}}"#), "error"),
        // No invocation is named, or one that is not there: the gravest of all that may be meant.
        (&raised, "", r#"{"ruleId":"plain"}"#.to_owned(), "error"),
        (&String::new(), &raised, r#"{"ruleId":"plain"}"#.to_owned(), "error"),
        (&lowered, "", r#"{"ruleId":"heavy"}"#.to_owned(), "error"),
        (&lowered, "", r#"{"ruleId":"heavy","provenance":{"invocationIndex":9}}"#.to_owned(), "error"),
        (&raised, "", r#"{"ruleId":"plain","provenance":{"invocationIndex":2}}"#.to_owned(), "error"),
        (&lowered, "", r#"{"ruleId":"heavy","provenance":{"invocationIndex":-1}}"#.to_owned(), "error"),
        (&unknown, "", r#"{"ruleId":"gone"}"#.to_owned(), "error"),
    ] {
        let invocations = [first_invocation.as_str(), second_invocation].map(|overrides| {
            format!(r#"{{"executionSuccessful":true,"ruleConfigurationOverrides":[{overrides}]}}"#)
        });
        let rest = format!(r#","invocations":[{}],"results":[{result}]"#, invocations.join(","));
        let report = report(&log("T", rules, &rest));
        for level in ["error", "warning", "note", "none"] {
            let wanted = f64::from(u8::from(level == expected));
            assert_eq!(
                report.lookup(&format!("findings.open.level.{level}")).unwrap().value,
                Value::Number(wanted),
                "{result} {invocations:?} {level}"
            );
        }
    }
}

#[test]
fn a_log_made_to_be_slow_is_refused_or_read_at_once() {
    let same = vec![r#"{"id":"a"}"#; 65].join(",");
    unreadable(&log("T", &same, r#","results":[]"#), "more than 64 rules of id `a`");
    report(&log("T", &vec![r#"{"id":"a"}"#; 64].join(","), r#","results":[{"ruleId":"a"}]"#));
    // Each of these took time in proportion to the square of its size.
    let many = 20_000;
    let deep = format!("r{}", "/x".repeat(many));
    let results = vec![r#"{"ruleId":"gone","provenance":{"invocationIndex":1}}"#; many].join(",");
    let extensions = vec!["{}"; many].join(",");
    let overrides = vec![r#"{"descriptor":{"id":"gone"},"configuration":{"level":"note"}}"#; many].join(",");
    let text = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"T","rules":[{{"id":"r"}},{{"id":"{deep}/y"}}]}},
        "extensions":[{extensions}]}},"invocations":[{{"ruleConfigurationOverrides":[{overrides}]}}],
        "results":[{{"ruleId":"{deep}"}},{results}]}}]}}"#
    );
    is(&report(&text), "findings.open.level.note", 0.0);
}

#[test]
fn overrides_that_do_not_read_make_the_log_unreadable() {
    for (overrides, why) in [
        ("{}", "is no array"),
        (r#"[{"descriptor":{},"configuration":{"level":"error"}}]"#, "names no rule"),
        (r#"[{"configuration":{"level":"error"}}]"#, "names no rule"),
    ] {
        let rest = format!(r#","invocations":[{{"ruleConfigurationOverrides":{overrides}}}],"results":[]"#);
        unreadable(&log("T", "", &rest), why);
    }
    let parameters = r#","invocations":[{"ruleConfigurationOverrides":[{"configuration":{}}]}],"results":[]"#;
    report(&log("T", "", parameters));
}

#[test]
fn ratings_of_trivy_and_bandit_stand_where_they_write_them_and_mean_nothing_elsewhere() {
    let tagged = r#"{"id":"r","properties":{"tags":["vulnerability","security","CRITICAL"]}}"#;
    let result = r#","results":[{"ruleId":"r","properties":{"issue_severity":"LOW"}}]"#;
    for (tool, expected) in [("Trivy", "critical"), ("Bandit", "low"), ("Other", "unrated")] {
        open(&report(&log(tool, tagged, result)), &[(expected, 1.0)]);
    }
    let scored = r#"{"id":"r","properties":{"security-severity":"5.5","tags":["HIGH"]}}"#;
    open(&report(&log("Trivy", scored, r#","results":[{"ruleId":"r"}]"#)), &[("medium", 1.0)]);
    open(
        &report(&log("Trivy", r#"{"id":"r","properties":{"tags":["UNKNOWN"]}}"#, result)),
        &[("unrated", 1.0)],
    );
    let undefined = r#","results":[{"properties":{"issue_severity":"UNDEFINED"}}]"#;
    open(&report(&log("Bandit", "", undefined)), &[("unrated", 1.0)]);
}

#[test]
fn suppressed_is_what_has_suppressions_that_are_all_accepted() {
    for (suppressions, in_effect, in_source_ignored) in [
        ("[]", false, false),
        ("null", false, false),
        (r#"[{"kind":"external"}]"#, true, true),
        (r#"[{"kind":"external","status":"accepted"}]"#, true, true),
        (r#"[{"kind":"external","status":"underReview"}]"#, false, false),
        (r#"[{"kind":"external","status":"rejected"}]"#, false, false),
        (r#"[{"kind":"external","status":"Accepted"}]"#, false, false),
        (r#"[{"kind":"external"},{"kind":"external","status":"rejected"}]"#, false, false),
        (r#"[{"kind":"inSource"},{"kind":"external","status":"rejected"}]"#, false, false),
        (r#"[{"kind":"inSource"}]"#, true, false),
        (r#"[{"status":"accepted"}]"#, true, false),
        (r#"[{"kind":"inSource"},{"kind":"external"}]"#, true, true),
        ("[null]", false, false),
    ] {
        let text = results(&format!(r#"{{"suppressions":{suppressions}}}"#));
        for (ignored, expected) in [(false, in_effect), (true, in_source_ignored)] {
            let reading = Reading { in_source_ignored: ignored, ..Reading::default() };
            let report = read(text.as_bytes(), &reading).unwrap();
            let counts = if expected { [("suppressed", 1.0)] } else { [("unrated", 1.0)] };
            open(&report, &counts);
        }
    }
}

#[test]
fn only_what_failed_and_still_stands_is_open() {
    for (result, expected) in [
        (r#"{"kind":"fail"}"#, 1.0),
        (r#"{"kind":"odd"}"#, 1.0),
        (r#"{"kind":"pass"}"#, 0.0),
        (r#"{"kind":"informational"}"#, 0.0),
        (r#"{"kind":"notApplicable"}"#, 0.0),
        (r#"{"kind":"review"}"#, 0.0),
        (r#"{"kind":"open"}"#, 0.0),
        (r#"{"baselineState":"absent"}"#, 0.0),
        (r#"{"baselineState":"unchanged"}"#, 1.0),
        (r#"{"baselineState":"odd"}"#, 1.0),
    ] {
        let report = report(&results(result));
        is(&report, "findings.open.unrated", expected);
        is(&report, "findings.suppressed", 0.0);
    }
}

#[test]
fn what_is_new_is_said_only_where_every_run_was_compared() {
    let rated =
        |state: &str| format!(r#"{{"baselineState":"{state}","properties":{{"security-severity":"9"}}}}"#);
    let all = [rated("new"), rated("new"), rated("unchanged"), rated("absent")].join(",");
    let compared = report(&results(&all));
    is(&compared, "findings.new.critical", 2.0);
    is(&compared, "findings.open.critical", 3.0);
    for text in [results(&format!("{all},{{}}")), results("")] {
        assert_eq!(
            report(&text).lookup("findings.new.critical"),
            Err(Lookup::Missing { nearest: Some("findings.open.critical".into()) })
        );
    }
    is(&report(&log("T", "", r#","baselineGuid":"b","results":[]"#)), "findings.new.critical", 0.0);
}

#[test]
fn several_runs_are_summed_and_told_apart_by_tool_and_rule() {
    let run = |tool: &str, score: &str| {
        format!(
            r#"{{"tool":{{"driver":{{"name":"{tool}","rules":[{{"id":"r","properties":{{"security-severity":"{score}"}}}},{{"id":"quiet"}}]}}}},"results":[{{"ruleId":"r"}}]}}"#
        )
    };
    let report = report(&format!(
        r#"{{"$schema":"x/sarif-2.1.0.json","version":"2.1.0","runs":[{},{}]}}"#,
        run("A", "9.5"),
        run("B", "3")
    ));
    open(&report, &[("critical", 1.0), ("low", 1.0)]);
    is(&report, "tool/A/findings.open.critical", 1.0);
    is(&report, "tool/B/findings.open.critical", 0.0);
    is(&report, "rule/r/findings.open", 2.0);
    is(&report, "rule/quiet/findings.open", 0.0);
    assert_eq!(report.lookup("findings.open.critical").unwrap().at, "/runs");
}

#[test]
fn a_run_without_results_is_no_clean_run() {
    for (text, expected) in [
        (log("T", "", ""), "`/runs/0/results` is not there"),
        (log("T", "", r#","results":null"#), "`/runs/0/results` is not there"),
        (log("T", "", r#","results":{}"#), "`/runs/0/results` is an object"),
        (log("T", "", r#","invocations":[{"executionSuccessful":false}]"#), "the run of `T` failed"),
        (
            log("T", "", r#","externalPropertyFileReferences":{"results":[]},"results":[]"#),
            "keeps its results in another file",
        ),
        (
            log("T", "", r#","externalPropertyFileReferences":{"driver":{}},"results":[]"#),
            "keeps its driver in another file",
        ),
        (r#"{"version":"2.1.0","runs":[]}"#.into(), "nothing was scanned"),
        (r#"{"version":"2.1.0","runs":null}"#.into(), "`/runs` is no array"),
        (r#"{"version":"2.0.0","$schema":"sarif","runs":[]}"#.into(), "`/version` is `2.0.0`"),
        (r#"{"$schema":"sarif-2.1.0","runs":[]}"#.into(), "`/version` is missing"),
        (r#"{"version":"2.1.0","runs":[{"results":[]}]}"#.into(), "`/runs/0/tool/driver/name` is no text"),
        (results("7"), "`/runs/0/results/0`: it is a number"),
        (results(r#"{"level":"note","level":"error"}"#), "the key `level` twice"),
    ] {
        unreadable(&text, expected);
    }
    open(&report(&results("")), &[]);
}

#[test]
fn a_failed_run_gives_no_metrics_and_its_noted_errors_are_counted() {
    for failed in ["false", "null", "\"true\""] {
        let text =
            log("T", "", &format!(r#","results":[],"invocations":[{{"executionSuccessful":{failed}}}]"#));
        let report = report(&text);
        assert!(matches!(report.status, RunStatus::Unfinished(_)), "{failed}");
        assert!(matches!(report.lookup("findings.open.critical"), Err(Lookup::Unfinished(_))));
    }
    let noted = r#","results":[],"invocations":[{"executionSuccessful":true,"toolExecutionNotifications":[{"level":"error"},{"level":"warning"},{}]}]"#;
    assert_eq!(report(&log("T", "", noted)).lookup("findings.open.critical").unwrap().errors, Some(1));
    assert_eq!(report(&results("")).lookup("findings.open.critical").unwrap().errors, None);
}

#[test]
fn a_bom_and_line_ends_of_windows_change_nothing() {
    let text = results(r#"{"level":"error"}"#).replace(',', ",\r\n");
    is(&report(&format!("\u{feff}{text}\r\n")), "findings.open.unrated.error", 1.0);
}

#[test]
fn a_log_is_known_by_its_version_or_schema_and_its_runs() {
    for (text, expected) in [
        (results(""), Format::Sarif),
        (r#"{"version":"2.1.0"}"#.to_owned(), Format::Json),
        (r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json"}"#.to_owned(), Format::Json),
        (r#"{"version":"1","runs":[{"results":[]}]}"#.to_owned(), Format::Json),
        (r#"{"runs":[{"results":[]}]}"#.to_owned(), Format::Json),
    ] {
        assert_eq!(read(text.as_bytes(), &Reading::default()).unwrap().format, expected, "{text}");
    }
}
