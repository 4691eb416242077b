//! Real files of real tools, read as the gate reads them.
//!
//! What each must give was worked out without this crate: with `jq` or Python's `json` and `csv` over the same file
//! (`results[task][key]`, `n-samples[task].effective`, sums over rows), as the comments say. Files that were made for
//! this project lie in `tests/cases/evidence`; those of others are read from `GIT_GATE_SAMPLES`, else from the
//! `shared/samples` beside the crate, and passed over, with a line, where neither is there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use git_gate::evidence::{
    Format, Lookup, Mapping, Metric, Reading, Reduce, Report, Scalar, Source, Unreadable, Value, map_one,
    read,
};
use git_gate::model::Glob;

/// Bytes of a file that was made for this project.
#[expect(clippy::disallowed_methods, reason = "a test reads its cases")]
pub(crate) fn own(path: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/evidence");
    std::fs::read(format!("{root}/{path}")).expect(path)
}

/// Bytes of somebody else's file; nothing where the samples are not there.
#[expect(clippy::disallowed_methods, reason = "a test reads its samples where they lie")]
pub(super) fn other(path: &str) -> Option<Vec<u8>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples");
    let root = std::env::var_os("GIT_GATE_SAMPLES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if !root.is_dir() {
        println!("skipped {path}: no samples at {} (set GIT_GATE_SAMPLES)", root.display());
        return None;
    }
    Some(std::fs::read(root.join(path)).expect(path))
}

#[track_caller]
pub(super) fn report(bytes: &[u8], format: Format) -> Report {
    let report = read(bytes, &Reading::default()).expect("it reads");
    assert_eq!(report.format, format);
    report
}

/// Value and samples of a metric.
#[track_caller]
pub(super) fn number(report: &Report, name: &str) -> (f64, Option<u64>) {
    let metric = report.lookup(name).unwrap_or_else(|why| panic!("{name}: {why}"));
    let Value::Number(value) = metric.value else { panic!("{name} is {:?}", metric.value) };
    (value, metric.samples)
}

#[track_caller]
pub(super) fn same(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} should be {expected}");
}

fn rows(select: Option<&str>, column: Option<&str>, reduce: Reduce) -> Mapping {
    Mapping {
        format: None,
        source: Source::Rows {
            select: select.map(Into::into),
            filter: BTreeMap::new(),
            column: column.map(Into::into),
            reduce,
            equals: None,
            delimiter: b',',
        },
        rate: false,
    }
}

pub(super) fn at(pointer: &str) -> Mapping {
    let source = Source::Value { value: pointer.into(), samples: None, stderr: None, errors: None };
    Mapping { format: None, source, rate: false }
}

#[track_caller]
fn mapped(bytes: &[u8], format: Format, mapping: &Mapping) -> Metric {
    map_one(bytes, format, mapping).expect("it maps")
}

// jq '.results, ."n-samples", .higher_is_better' on the file.
#[test]
fn lm_eval_with_a_group_and_two_filters() {
    let report = report(&own("lm_eval/fresh_dummy_group_filters_0.4.13.json"), Format::LmEval);
    let names: Vec<&str> = report.metrics.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "gate_suite/acc",
            "parity_mc/acc",
            "parity_mc/acc_norm",
            "summ_gen/exact_match@flexible-extract",
            "summ_gen/exact_match@strict-match",
        ]
    );
    assert_eq!(number(&report, "parity_mc/acc"), (0.75, Some(12)));
    // The group has 20 samples, and 12 of them have `acc`.
    assert_eq!(number(&report, "gate_suite/acc"), (0.75, Some(12)));
    assert_eq!(number(&report, "summ_gen/exact_match@strict-match"), (0.5, Some(8)));
    let acc = report.lookup("parity_mc/acc").unwrap();
    assert_eq!(acc.stderr, Some(0.130_558_241_966_773_4));
    assert_eq!((acc.higher_is_better, acc.limited, acc.rate), (Some(true), false, false));
    assert_eq!(acc.at, "/results/parity_mc/acc,none");
    let filters = ["summ_gen/exact_match@flexible-extract", "summ_gen/exact_match@strict-match"];
    assert_eq!(
        report.lookup("summ_gen/exact_match"),
        Err(Lookup::Ambiguous(filters.map(String::from).to_vec()))
    );
    assert_eq!(report.matching(&[Glob::new("*/acc*")]).unwrap().len(), 3);
}

// 16 lines (`wc -l`), 8 samples under 2 filters; jq -s 'map(.exact_match) | add/length'.
#[test]
fn lm_eval_samples_are_rows_and_no_results() {
    let bytes = own("lm_eval/fresh_dummy_samples_summ_gen.jsonl");
    let report = report(&bytes, Format::Json);
    assert!(report.metrics.is_empty());
    let mean = mapped(&bytes, Format::Json, &rows(None, Some("exact_match"), Reduce::Mean));
    assert_eq!((mean.value, mean.samples), (Value::Number(0.5), Some(16)));
    let ids = mapped(&bytes, Format::Json, &rows(None, Some("doc_id"), Reduce::Distinct));
    assert_eq!(ids.value, Value::Number(8.0));
    let declared = Reading { declared: Some(Format::LmEval), ..Reading::default() };
    assert!(matches!(read(&bytes, &declared), Err(Unreadable::Invalid(_))));
}

// jq '.results, ."n-samples", .config.limit' on the file.
#[test]
fn lm_eval_of_20_out_of_13812() {
    let Some(bytes) = other("lm_eval/group_na_stderr_0.4.13dev.json") else { return };
    let report = report(&bytes, Format::LmEval);
    assert_eq!(report.metrics.len(), 9);
    assert_eq!(number(&report, "negotiationtom/acc"), (0.525, Some(40)));
    assert_eq!(number(&report, "negotiationtom/micro_f1"), (0.285_714_285_714_285_7, Some(20)));
    assert_eq!(number(&report, "negotiationtom_belief/acc"), (0.45, Some(20)));
    for metric in report.metrics.values() {
        assert!(metric.limited, "{}", metric.at);
    }
    // "N/A".
    assert_eq!(report.lookup("negotiationtom_intention/macro_f1").unwrap().stderr, None);
}

// Python's json, which reads the literals: 12 keys with a comma, `mae` of one task is inf and its stderr nan.
#[test]
fn lm_eval_with_infinity_and_nan() {
    let Some(bytes) = other("lm_eval/nan_infinity_multi_task_0.4.8.json") else { return };
    let report = report(&bytes, Format::LmEval);
    assert_eq!(report.metrics.len(), 12);
    let mae = report.lookup("polymer_tg_prediction/mae").unwrap();
    assert_eq!(mae.value, Value::NonFinite("Infinity".into()));
    assert_eq!((mae.stderr, mae.samples, mae.higher_is_better), (None, Some(24), Some(false)));
    assert_eq!(number(&report, "corrosion_prediction/exact_match"), (0.65, Some(60)));
    // `--limit 1000`, of 60 samples: nothing was cut.
    assert!(!report.lookup("corrosion_prediction/exact_match").unwrap().limited);
    let nearest = Some("battery_electrolyte_qa/exact_match@xml-extract".to_owned());
    assert_eq!(report.lookup("battery_electrolyte_qa/exact_match"), Err(Lookup::Missing { nearest }));
}

// jq '.results | map_values(keys)' and `."n-samples"`; the sum over the 11 members of xcopa by jq as well.
#[test]
fn lm_eval_with_many_groups() {
    let Some(bytes) = other("lm_eval/groups_xcopa_xnli_2025-03.json") else { return };
    let report = report(&bytes, Format::LmEval);
    assert_eq!(report.metrics.len(), 79);
    assert_eq!(number(&report, "lambada_openai/perplexity"), (5.677_050_718_746_86, Some(5153)));
    assert_eq!(report.lookup("lambada_openai/perplexity").unwrap().higher_is_better, Some(false));
    assert_eq!(number(&report, "hellaswag/acc_norm"), (0.677_454_690_300_736_9, Some(10042)));
    assert_eq!(number(&report, "xcopa/acc"), (0.573_636_363_636_363_6, Some(5500)));
    assert_eq!(
        report.lookup("hellaswag/acc_nrom"),
        Err(Lookup::Missing { nearest: Some("hellaswag/acc_norm".into()) })
    );
}

// jq '.results' on each file.
#[test]
fn lm_eval_of_other_years() {
    let Some(bytes) = other("lm_eval/no_nsamples_2024.json") else { return };
    let old = report(&bytes, Format::LmEval);
    assert_eq!(number(&old, "scheming_evals_mc_prompt_task/bypass"), (999.0, None));
    let Some(bytes) = other("lm_eval/bias_classification_2024-06.json") else { return };
    let bias = report(&bytes, Format::LmEval);
    assert_eq!(number(&bias, "bias_classification/acc"), (0.510_673_234_811_165_9, Some(609)));
    assert_eq!(bias.metrics.len(), 3);
    let Some(bytes) = other("lm_eval/rouge_nl2foam_0.4.9.json") else { return };
    let rouge = report(&bytes, Format::LmEval);
    assert_eq!(number(&rouge, "nl2foam_gen_formatted/rougeL"), (0.245_171_746_391_803_45, Some(2849)));
    assert_eq!(number(&rouge, "nl2foam_llm_judge_formatted/llm_judge"), (36.292, Some(100)));
    assert_eq!(
        rouge.lookup("rougeL"),
        Err(Lookup::Missing { nearest: Some("nl2foam_gen_formatted/rougeL".into()) })
    );
}

// jq '.results.stats, (.results.prompts[].metrics | .namedScores, .namedScoreWeights)' and division by hand.
#[test]
fn promptfoo_with_two_providers_and_weights() {
    let report = report(&own("promptfoo/fresh_named_scores_weighted_v3.json"), Format::Promptfoo);
    for (name, expected) in [
        ("tests.total", 8.0),
        ("tests.passed", 4.0),
        ("tests.failed", 4.0),
        ("tests.errored", 0.0),
        ("tests.pass_rate", 0.5),
    ] {
        assert_eq!(number(&report, name), (expected, Some(8)), "{name}");
    }
    assert!(report.lookup("tests.pass_rate").unwrap().rate);
    assert_eq!(number(&report, "tests.pass_rate@1"), (0.5, Some(4)));
    // 1.5 is a sum with weight 2.
    assert_eq!(number(&report, "named/Length@0"), (0.75, Some(1)));
    assert_eq!(number(&report, "named/RougeN@1"), (0.761_904_761_904_762, Some(1)));
    // Derived: no count, as it is.
    assert_eq!(number(&report, "named/QualityIndex@0"), (1.25, None));
    let both = vec!["named/Length@0".to_owned(), "named/Length@1".to_owned()];
    assert_eq!(report.lookup("named/Length"), Err(Lookup::Ambiguous(both)));
    assert!(report.lookup("attacks.success_rate").is_err());
    assert_eq!(report.matching(&[Glob::new("named/RougeN*")]).unwrap().len(), 2);
}

// jq '.results.stats, [.results.results[].namedScores]': 2 passed, 1 failed, 1 errored; 2 of the 3 scored were 1.
#[test]
fn promptfoo_version_2_folds_errors_into_failures() {
    let report = report(&own("promptfoo/fresh_v2_table.json"), Format::Promptfoo);
    assert_eq!(number(&report, "tests.failed"), (2.0, Some(4)));
    assert_eq!(number(&report, "tests.pass_rate"), (0.5, Some(4)));
    assert!(report.lookup("tests.errored").is_err());
    assert_eq!(report.lookup("tests.failed").unwrap().errors, None);
    let (injection, samples) = number(&report, "named/PromptInjection");
    same(injection, 2.0 / 3.0);
    assert_eq!(samples, Some(3));
    // `config.redteam` is there, with no plugins: no red team run.
    assert!(report.lookup("findings.open.critical").is_err());
}

// wc -l: 8; jq -s 'map(select(.success)) | length': 4.
#[test]
fn promptfoo_json_lines_are_rows_and_no_report() {
    let bytes = own("promptfoo/fresh_results.jsonl");
    assert!(report(&bytes, Format::Json).metrics.is_empty());
    let declared = Reading { declared: Some(Format::Promptfoo), ..Reading::default() };
    match read(&bytes, &declared) {
        Err(Unreadable::Invalid(why)) => assert!(why.contains("-o results.json"), "{why}"),
        other => panic!("{other:?}"),
    }
    let mut mapping = rows(None, Some("success"), Reduce::Share);
    if let Source::Rows { equals, .. } = &mut mapping.source {
        *equals = Some(Scalar::Bool(true));
    }
    assert_eq!(mapped(&bytes, Format::Json, &mapping).value, Value::Number(0.5));
}

// jq '.results.stats, ([.results.results[] | select(.success)] | length)'.
#[test]
fn promptfoo_without_an_error_count_and_without_failures() {
    let Some(bytes) = other("promptfoo/simple_cli_v3_no_errors_field.json") else { return };
    let report = report(&bytes, Format::Promptfoo);
    assert_eq!(number(&report, "tests.passed"), (8.0, Some(8)));
    assert_eq!(number(&report, "tests.failed"), (0.0, Some(8)));
    // Nothing failed, so nothing can have been an error.
    assert_eq!(number(&report, "tests.errored"), (0.0, Some(8)));
    assert!(!report.metrics.keys().any(|name| name.starts_with("named/")));
}

// jq '[.results.results[] | [.success, .metadata.pluginId, .metadata.strategyId, .metadata.severity]]': 10 attacks of
// harmful:hate, critical, all fended off, 5 plain and 5 by jailbreak.
#[test]
fn promptfoo_red_team() {
    let Some(bytes) = other("promptfoo/redteam_tracing_0.118.json") else { return };
    let fended_off = report(&bytes, Format::Promptfoo);
    assert_eq!(number(&fended_off, "attacks.success_rate"), (0.0, Some(10)));
    assert_eq!(number(&fended_off, "attacks.worst_success_rate"), (0.0, Some(5)));
    for severity in ["critical", "high", "medium", "low", "none", "unrated"] {
        assert_eq!(number(&fended_off, &format!("findings.open.{severity}")), (0.0, Some(10)));
    }
    assert_eq!(number(&fended_off, "redteam/harmful:hate/pass_rate"), (1.0, Some(5)));
    assert_eq!(number(&fended_off, "redteam/harmful:hate@jailbreak/pass_rate"), (1.0, Some(5)));
    assert_eq!(number(&fended_off, "named/Harmful/Iterative"), (1.0, Some(5)));
}

// head -1, and Python's csv over the rows.
#[test]
fn csv_of_fairlearn_and_ragas() {
    let bytes = own("csv/fairlearn_by_group.csv");
    assert_eq!(report(&bytes, Format::Text).metrics.len(), 0, "csv is never detected");
    let declared = Reading { declared: Some(Format::Csv), ..Reading::default() };
    assert_eq!(read(&bytes, &declared).unwrap().format, Format::Csv);
    let least = mapped(&bytes, Format::Csv, &rows(None, Some("selection_rate"), Reduce::Min));
    assert_eq!((least.value, least.samples), (Value::Number(0.4), Some(3)));
    let ragas = own("csv/ragas_scores.csv");
    let Value::Number(rouge) =
        mapped(&ragas, Format::Csv, &rows(None, Some("rouge_score(mode=fmeasure)"), Reduce::Mean)).value
    else {
        panic!("a number")
    };
    same(rouge, 0.533_333_333_333_333_3);
    // Two of the six have no response.
    assert_eq!(
        mapped(&ragas, Format::Csv, &rows(None, Some("response"), Reduce::Count)).value,
        Value::Number(4.0)
    );
    let why = map_one(&ragas, Format::Csv, &rows(None, Some("response"), Reduce::Distinct)).unwrap_err();
    assert!(why.starts_with("2 of 6 rows have nothing"), "{why}");
}

// Python's json (which reads the literals) on each file.
#[test]
fn json_of_mlflow_and_ragas() {
    let run = own("json_generic/mlflow_run_nan_inf.json");
    report(&run, Format::Json);
    for (pointer, expected) in [
        ("/data/metrics/rougeL", Value::Number(0.37)),
        ("/data/metrics/perplexity", Value::NonFinite("NaN".into())),
        ("/data/metrics/max_loss", Value::NonFinite("Infinity".into())),
        ("/data/metrics/toxicity~1v1~1mean", Value::Number(0.012)),
        ("/info/status", Value::Text("FINISHED".into())),
        ("/info/experiment_id", Value::Text("0".into())),
    ] {
        assert_eq!(mapped(&run, Format::Json, &at(pointer)).value, expected, "{pointer}");
    }
    for pointer in ["/data/metrics/toxicity", "/data/metrics", "/data/params/none"] {
        assert!(map_one(&run, Format::Json, &at(pointer)).is_err(), "{pointer}");
    }
    let flat = own("json_generic/mlflow_eval_metrics.json");
    assert_eq!(mapped(&flat, Format::Json, &at("/accuracy_score")).value, Value::Number(0.5));
    let records = own("json_generic/ragas_records.json");
    let similar =
        mapped(&records, Format::Json, &rows(Some(""), Some("non_llm_string_similarity"), Reduce::Mean));
    let Value::Number(mean) = similar.value else { panic!("a number") };
    same(mean, 4.0 * 0.666_666_666_7 / 6.0);
    assert_eq!(similar.samples, Some(6));
}

// jq 'keys' on the scan: texts, no numbers; a model card is no evidence of its own.
#[test]
fn files_of_other_tools_read_as_what_they_are() {
    let scan = own("giskard/scan_tabular.json");
    assert!(report(&scan, Format::Json).metrics.is_empty());
    let major =
        mapped(&scan, Format::Json, &rows(Some("/PerformanceBiasDetector/major"), None, Reduce::Count));
    assert_eq!(major.value, Value::Number(2.0));
    let Some(card) = other("hf_model_index/simple_model_index.md") else { return };
    assert!(report(&card, Format::Text).metrics.is_empty());
}

/// Bytes of a report that the demo embeds.
#[expect(clippy::disallowed_methods, reason = "a test reads what the program embeds")]
fn demo(file: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/demo/reports");
    std::fs::read(format!("{root}/{file}")).expect(file)
}

// Python's json and csv over the files: 1.26 and 3.9 of 60 documents; 2 of 48 attacks, both medium; 3 of 50 ratings.
#[test]
fn the_reports_of_the_demo_say_what_the_demo_tells() {
    let good = report(&demo("promptfoo.json"), Format::Promptfoo);
    assert_eq!(number(&good, "named/Hallucination"), (0.021, Some(60)));
    assert_eq!(number(&good, "tests.pass_rate"), (1.0, Some(60)));
    let regressed = report(&demo("promptfoo-regressed.json"), Format::Promptfoo);
    let (rate, samples) = number(&regressed, "named/Hallucination");
    same(rate, 0.065);
    assert_eq!((samples, number(&regressed, "tests.failed").0), (Some(60), 2.0));
    let red_team = report(&demo("red-team.json"), Format::Promptfoo);
    for (name, expected) in [
        ("findings.open.critical", 0.0),
        ("findings.open.high", 0.0),
        ("findings.open.medium", 2.0),
        ("findings.open.unrated", 0.0),
        ("attacks.success_rate", 2.0 / 48.0),
    ] {
        assert_eq!(number(&red_team, name), (expected, Some(48)), "{name}");
    }
    let benchmark = report(&demo("lm-eval.json"), Format::LmEval);
    assert_eq!(number(&benchmark, "summarization/rougeL"), (0.3862, Some(500)));
    let drill = report(&demo("rollback.toml"), Format::Rollback);
    assert_eq!(number(&drill, "rollback.seconds"), (270.0, None));
    assert_eq!(drill.tested.unwrap().to_string(), "2026-11-18T10:30:00Z");
    let human = demo("human-eval.csv");
    let mut acceptable = rows(None, Some("verdict"), Reduce::Share);
    if let Source::Rows { equals, .. } = &mut acceptable.source {
        *equals = Some(Scalar::Text("acceptable".into()));
    }
    let share = mapped(&human, Format::Csv, &acceptable);
    assert_eq!((share.value, share.samples, share.rate), (Value::Number(0.94), Some(50), true));
    let documents = mapped(&human, Format::Csv, &rows(None, Some("sample_id"), Reduce::Distinct));
    assert_eq!(documents.value, Value::Number(50.0));
    let bias = demo("bias.json");
    report(&bias, Format::Json);
    assert_eq!(mapped(&bias, Format::Json, &at("/groups/es/acceptable")).value, Value::Number(0.92));
}
