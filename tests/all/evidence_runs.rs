//! Real files of Inspect, garak, test runners and DeepEval, read as the gate reads them.
//!
//! What each must give was worked out without this crate, as the comments say. Files that were made by running a tool for
//! this project lie in `tests/cases/evidence`; those of others, and the reports of garak (whose attacks are offensive
//! text), are read where the samples lie, and passed over, with a line, where they do not.

#![expect(clippy::float_cmp, reason = "what a file says is read to the last digit")]

use git_gate::evidence::{
    Format, Interval, Lookup, Reading, Report, RunStatus, Unreadable, Value, read, read_from,
};

use super::evidence_samples::{number, other, own, report, same};

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    match read(bytes, &Reading::default()) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn unfinished(bytes: &[u8], format: Format, how: &str) -> Report {
    let found = report(bytes, format);
    assert_eq!(found.status, RunStatus::Unfinished(how.to_owned()));
    assert!(found.metrics.is_empty());
    let reading = Reading { unfinished_allowed: true, ..Reading::default() };
    read(bytes, &reading).expect("it reads")
}

// `zstd -dc` over the member's bytes (Python's zipfile for their place), then `jq .results`: 5 samples, 2 epochs each.
#[test]
fn inspect_packed_with_zstandard() {
    let log = report(&own("inspect/fresh_dict_metrics_epochs2_zstd.eval"), Format::Inspect);
    assert_eq!(number(&log, "hallucination/mean"), (0.4, Some(5)));
    assert_eq!(number(&log, "groundedness/mean"), (0.6, Some(5)));
    assert_eq!(number(&log, "samples.n"), (10.0, None));
    let mean = log.lookup("hallucination/mean").unwrap();
    assert_eq!((mean.stderr, mean.errors, mean.limited), (Some(0.244_948_974_278_317_83), Some(0), false));
    assert_eq!(mean.at, "header.json/results/scores/0/metrics/mean/value");
    let whole = read_from(
        std::io::Cursor::new(own("inspect/fresh_dict_metrics_epochs2_zstd.eval")),
        &Reading::default(),
    );
    assert_eq!(whole.as_ref(), Ok(&log));
}

// Python's zipfile and json over `header.json`: 10 of 100 with accuracy 0.8; 2 of 100, twice each, with 0.75; no scores.
#[test]
fn inspect_deflated() {
    let Some(bytes) = other("inspect/popularity_match_0.8.eval") else { return };
    let log = report(&bytes, Format::Inspect);
    assert_eq!(number(&log, "match/accuracy"), (0.8, Some(10)));
    let accuracy = log.lookup("match/accuracy").unwrap();
    assert_eq!((accuracy.stderr, accuracy.limited), (Some(0.133_333_333_333_333_33), true));
    let bytes = other("inspect/log_streaming_0.75.eval").unwrap();
    let log = report(&bytes, Format::Inspect);
    assert_eq!(number(&log, "match/accuracy"), (0.75, Some(2)));
    assert!(log.lookup("match/accuracy").unwrap().limited);
    refused(&other("inspect/no_scores_run.eval").unwrap(), "scored nothing");
}

// Python's json (which reads NaN) over `results`, `status` and `eval.dataset.samples` of each file.
#[test]
fn inspect_as_json() {
    let nan = report(&own("inspect/fresh_nan_unscored.json"), Format::Inspect);
    let mean = nan.lookup("nan/mean").unwrap();
    assert_eq!((&mean.value, mean.samples, mean.errors), (&Value::NonFinite("NaN".into()), Some(0), Some(1)));
    let Some(bytes) = other("inspect/fresh_grouped.json") else { return };
    let grouped = report(&bytes, Format::Inspect);
    for (name, value) in [("inc/EU", 1.0), ("inc/AS", 0.0), ("inc/all", 0.6)] {
        assert_eq!(number(&grouped, name), (value, Some(5)), "{name}");
        assert_eq!(grouped.lookup(name).unwrap().stderr, None);
    }
    let two = report(&other("inspect/fresh_two_scorers.json").unwrap(), Format::Inspect);
    assert_eq!(number(&two, "includes/accuracy"), (0.6, Some(5)));
    assert_eq!(number(&two, "rouge_like/mean"), (0.4, Some(5)));
    assert_eq!(two.lookup("rouge_like/std").unwrap().stderr, None);
    let failed = unfinished(&other("inspect/fresh_status_error.json").unwrap(), Format::Inspect, "error");
    assert!(failed.metrics.is_empty(), "results are null");
    let old = report(&other("inspect/log_read_sample.json").unwrap(), Format::Inspect);
    assert_eq!(number(&old, "match/accuracy"), (1.0, Some(1)));
    assert!(old.lookup("match/accuracy").unwrap().limited, "1 of 100");
    let guide = report(&other("inspect/security_guide_json_2025-05.json").unwrap(), Format::Inspect);
    assert_eq!(number(&guide, "model_graded_fact/accuracy"), (1.0, Some(3)));
    assert!(guide.lookup("model_graded_fact/accuracy").unwrap().limited, "3 of 16");
}

// jq -c 'select(.entry_type == "eval" or .entry_type == "completion")' over each file, and division by hand.
#[test]
fn garak_of_0_17() {
    let Some(bytes) = other("garak/fresh_repeat_promptinject.report.jsonl") else { return };
    let hit = report(&bytes, Format::Garak);
    assert_eq!(
        number(&hit, "promptinject.HijackHateHumans/promptinject.AttackRogueString/attack_success_rate"),
        (1.0, Some(4))
    );
    assert_eq!(
        number(&hit, "av_spam_scanning.EICAR/knownbadsignatures.EICAR/attack_success_rate"),
        (1.0, Some(5))
    );
    assert_eq!(
        number(&hit, "lmrc.SlurUsage/unsafe_content.OfcomOffensiveRaceEthnic/attack_success_rate"),
        (0.0, Some(1))
    );
    // 9 of 11.
    let (pooled, samples) = number(&hit, "attacks.success_rate");
    same(pooled, 9.0 / 11.0);
    assert_eq!(samples, Some(11));
    assert_eq!(number(&hit, "attacks.worst_success_rate"), (1.0, Some(4)));
    assert_eq!(hit.metrics.len(), 6);
    let clean = report(&other("garak/fresh_blank_clean.report.jsonl").unwrap(), Format::Garak);
    assert_eq!(number(&clean, "attacks.success_rate"), (0.0, Some(28)));
    // wc -l: 9 hits, as many as the report has failures.
    let hits = other("garak/fresh_repeat_promptinject.hitlog.jsonl").unwrap();
    let log = unfinished(
        &hits,
        Format::Garak,
        "a hit log does not say whether its run finished; attach the report",
    );
    assert_eq!(number(&log, "attacks.hits").0, 9.0);
    // Together: the same run, and the same hits.
    let beside = |file: &[u8], other: &[u8]| {
        let companions = [other];
        read(file, &Reading { companions: &companions, ..Reading::default() }).expect("it reads")
    };
    assert_eq!(beside(&bytes, &hits), hit);
    assert_eq!(beside(&hits, &bytes).status, RunStatus::Finished);
    assert_eq!(number(&log, "av_spam_scanning.EICAR/knownbadsignatures.EICAR/hits").0, 5.0);
}

// The same.
#[test]
fn garak_of_other_schemas() {
    let Some(bytes) = other("garak/old_schema_total_quack.report.jsonl") else { return };
    let old = report(&bytes, Format::Garak);
    assert_eq!(number(&old, "lmrc.QuackMedicine/lmrc.QuackMedicine/attack_success_rate"), (0.0, Some(1)));
    let confident = report(&other("garak/test_with_ci.report.jsonl").unwrap(), Format::Garak);
    let rate = confident.lookup("test.Test/always.Pass/attack_success_rate").unwrap();
    assert_eq!((&rate.value, rate.samples), (&Value::Number(0.26), Some(50)));
    assert_eq!(rate.interval, Some(Interval { low: 0.14, high: 0.38, confidence: Some(0.95) }));
    let put_together = other("garak/agg.report.jsonl").unwrap();
    let allowed = unfinished(&put_together, Format::Garak, "no `completion`: it broke off");
    assert_eq!(number(&allowed, "attacks.success_rate"), (0.0, Some(9)));
}

#[track_caller]
fn tests(report: &Report, expected: [f64; 5]) {
    let names = ["tests.total", "tests.passed", "tests.failed", "tests.errored", "tests.skipped"];
    assert_eq!(names.map(|name| number(report, name).0), expected);
}

// Python's xml.etree over `testcase` elements: the worst tag inside each; and the attributes of suites.
#[test]
fn junit_of_many_runners() {
    let checkov = report(&own("junit/checkov_junit.xml"), Format::Junit);
    tests(&checkov, [24.0, 19.0, 5.0, 0.0, 0.0]);
    let promptfoo = report(&own("junit/promptfoo_junit.xml"), Format::Junit);
    tests(&promptfoo, [8.0, 4.0, 4.0, 0.0, 0.0]);
    assert_eq!(number(&promptfoo, "suite/[echo-baseline] prompt 2/tests.pass_rate"), (0.5, Some(4)));
    let pytest = report(&own("junit/pytest_full_matrix.xml"), Format::Junit);
    tests(&pytest, [9.0, 3.0, 2.0, 2.0, 2.0]);
    let (rate, of) = number(&pytest, "tests.pass_rate");
    same(rate, 3.0 / 7.0);
    assert_eq!(of, Some(7));
    assert_eq!(number(&pytest, "property/rougeL").0, 0.41);
    assert_eq!(number(&pytest, "property/samples").0, 50.0);
    let Some(bytes) = other("junit/nested_suites_phpunit.xml") else { return };
    let nested = report(&bytes, Format::Junit);
    tests(&nested, [5.0, 5.0, 0.0, 0.0, 0.0]);
    assert_eq!(number(&nested, "suite/TestSuite2/tests.passed").0, 2.0);
    tests(
        &report(&other("junit/multiresult_testcase.xml").unwrap(), Format::Junit),
        [4.0, 1.0, 1.0, 1.0, 1.0],
    );
    tests(&report(&other("junit/pytest_fail.xml").unwrap(), Format::Junit), [5.0, 3.0, 1.0, 0.0, 1.0]);
    refused(&other("junit/no_cases_but_tests.xml").unwrap(), "`pytest` counts 6 tests and shows 0");
    // 13 failures, and one error that no element shows.
    refused(&other("junit/gotestsum.xml").unwrap(), "`test` counts 1 errors and shows 0");
}

// jq '.metricsScores[] | .metric, (.scores | add/length)' and counts by hand: 5.0/9 of the 9 that have a score … 6.1/9.
#[test]
fn deepeval_runs() {
    let fresh = report(&own("deepeval/fresh_test_run.json"), Format::Deepeval);
    assert_eq!(number(&fresh, "Hallucination/mean"), (0.2, Some(10)));
    let (relevancy, samples) = number(&fresh, "Answer Relevancy/mean");
    same(relevancy, 6.1 / 9.0);
    assert_eq!((samples, fresh.lookup("Answer Relevancy/mean").unwrap().errors), (Some(9), Some(1)));
    assert_eq!(number(&fresh, "Answer Relevancy/pass_rate"), (0.5, Some(10)));
    assert_eq!(number(&fresh, "tests.passed"), (5.0, Some(10)));
    assert_eq!(number(&fresh, "tests.errored"), (1.0, Some(10)));
    let nearest = Some("Hallucination/mean".to_owned());
    assert_eq!(fresh.lookup("hallucination/mean"), Err(Lookup::Missing { nearest }));
    let Some(bytes) = other("deepeval/test_run_sample_fixture.json") else { return };
    let fixture = report(&bytes, Format::Deepeval);
    // The summary has three scores of it, two of them of spans.
    assert_eq!(number(&fixture, "Faithfulness/mean"), (0.45, Some(1)));
    assert_eq!(number(&fixture, "Faithfulness/pass_rate"), (0.0, Some(1)));
    assert_eq!(number(&fixture, "tests.failed"), (1.0, Some(1)));
}
