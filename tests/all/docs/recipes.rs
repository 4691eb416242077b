//! The recipes of `docs/evidence.md`, on the shapes of the tools that they are for.
//!
//! Files that the tools wrote lie in `tests/cases/evidence`; the others are written here in the shape that the tool's source
//! has. What each recipe must give was worked out by hand.

use std::collections::BTreeSet;

use git_gate::evidence::{Format, Lookup, Reading, Report, Value, read};
use git_gate::model::Glob;
use git_gate::policy::Policy;

use super::page;
use crate::evidence_samples::own;
use crate::markdown::blocks;

const EVERY: [&str; 9] = [
    "evaluate",
    "fairlearn-groups",
    "fairlearn-numbers",
    "giskard-suite",
    "helm",
    "mlflow-evaluation",
    "mlflow-run",
    "openai-evals",
    "ragas",
];

/// The recipes of the page, with the names that they bear.
fn recipes() -> Vec<(String, String)> {
    let recipes = blocks(&page("evidence.md")).unwrap().into_iter();
    let recipes = recipes.filter(|block| block.words.get(1).is_some_and(|kind| kind == "recipe"));
    recipes.map(|block| (block.words[2..].join(" "), block.text)).collect()
}

/// What a report gives by a recipe, through a policy that holds it.
#[track_caller]
fn follow(recipe: &str, declared: Option<Format>, bytes: &[u8]) -> Report {
    let (_, mappings) = recipes().into_iter().find(|(name, _)| name == recipe).expect(recipe);
    let examples = blocks(&page("policy.md")).unwrap().into_iter();
    let policy = examples.into_iter().find(|block| block.words == ["toml", "policy"]).unwrap().text;
    let policy = format!("{policy}\n[evidence.recipe.metrics]\n{mappings}");
    let policy = Policy::parse(policy.as_bytes(), b"").unwrap_or_else(|problems| panic!("{problems}"));
    let kind = policy.evidence_kind(&"recipe".parse().unwrap());
    let reading = Reading { declared, mappings: Some(&kind.metrics), ..Reading::default() };
    read(bytes, &reading).unwrap_or_else(|unreadable| panic!("{recipe}: {unreadable}"))
}

#[track_caller]
fn gives(report: &Report, name: &str, value: f64, samples: Option<u64>) {
    let metric = report.lookup(name).unwrap_or_else(|why| panic!("{name}: {why}"));
    let Value::Number(found) = metric.value else { panic!("{name} is {:?}", metric.value) };
    assert!((found - value).abs() < 1e-12, "{name} is {found}, not {value}");
    assert_eq!(metric.samples, samples, "{name}");
}

#[test]
fn every_recipe_is_tried() {
    let found: BTreeSet<String> = recipes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, EVERY.map(str::to_owned).into());
}

#[test]
fn mlflow() {
    let run = follow("mlflow-run", None, &own("json_generic/mlflow_run_nan_inf.json"));
    gives(&run, "rougeL", 0.37, None);
    gives(&run, "toxicity", 0.012, None);
    assert_eq!(run.lookup("perplexity").unwrap().value, Value::NonFinite("NaN".into()));
    assert_eq!(run.lookup("mlflow_status").unwrap().value, Value::Text("FINISHED".into()));
    let saved = follow("mlflow-evaluation", None, &own("json_generic/mlflow_eval_metrics.json"));
    gives(&saved, "accuracy", 0.5, Some(60));
    assert!(saved.lookup("accuracy").unwrap().rate);
    gives(&saved, "f1", 0.545_454_545_454_545_4, Some(60));
}

#[test]
fn ragas() {
    let rows = own("csv/ragas_scores.csv");
    let records = own("json_generic/ragas_records.json");
    for report in [follow("ragas", Some(Format::Csv), &rows), follow("ragas", None, &records)] {
        gives(&report, "rouge", 3.2 / 6.0, Some(6));
        gives(&report, "scored", 6.0, Some(6));
    }
    let failed = String::from_utf8(rows).unwrap().replacen("0.8\n", "\n", 1);
    let report = follow("ragas", Some(Format::Csv), failed.as_bytes());
    assert!(matches!(report.lookup("rouge"), Err(Lookup::Unmapped(why)) if why.starts_with("1 of 6 rows")));
    gives(&report, "scored", 5.0, Some(5));
}

#[test]
fn hugging_face_evaluate() {
    let saved = br#"{"accuracy": 0.75, "rougeL": NaN, "n": 40, "_timestamp": "2026-11-22T10:00:00.000000",
        "_git_commit_hash": "3f2a", "_evaluate_version": "0.4.6", "_python_version": "3.11"}"#;
    let report = follow("evaluate", None, saved);
    gives(&report, "accuracy", 0.75, None);
    let rouge = report.lookup("rouge").unwrap();
    assert_eq!((&rouge.value, rouge.samples), (&Value::NonFinite("NaN".into()), Some(40)));
}

#[test]
fn fairlearn() {
    // The file that it wrote, and the column that the recipe asks for beside it.
    let text = String::from_utf8(own("csv/fairlearn_by_group.csv")).unwrap();
    let counts = ["count", "30", "22", "46"];
    let text: String = text.lines().zip(counts).flat_map(|(line, count)| [line, ",", count, "\n"]).collect();
    let report = follow("fairlearn-groups", Some(Format::Csv), text.as_bytes());
    gives(&report, "selection_rate/least", 0.4, Some(3));
    gives(&report, "selection_rate/greatest", 0.727_272_727_272_727_3, Some(3));
    gives(&report, "group_size", 22.0, Some(3));
    assert_eq!(report.matching(&[Glob::new("selection_rate/*")]).unwrap().len(), 2);
    let numbers = br#"{"demographic_parity_difference": 0.33, "equalized_odds_difference": 0.4}"#;
    let report = follow("fairlearn-numbers", None, numbers);
    gives(&report, "parity_difference", 0.33, None);
    gives(&report, "odds_difference", 0.4, None);
}

#[test]
fn giskard() {
    let suite = br#"{"Accuracy by slice": {"result": "Failed", "metric_value": 0.62}, "Other": {"result": "Passed"}}"#;
    let report = follow("giskard-suite", None, suite);
    gives(&report, "accuracy", 0.62, None);
    assert_eq!(report.lookup("accuracy_result").unwrap().value, Value::Text("Failed".into()));
    let scan = follow("giskard-suite", None, &own("giskard/scan_tabular.json"));
    assert!(matches!(scan.lookup("accuracy"), Err(Lookup::Unmapped(_))), "a scan has no such number");
}

#[test]
fn helm() {
    let stat = |name: &str, more: &str, mean: &str| {
        format!(
            r#"{{"name":{{"name":"{name}","split":"test"{more}}},"count":1,"sum":{mean},"mean":{mean},"stddev":0.0}}"#
        )
    };
    let text = format!(
        "[{},{},{},{}]",
        stat("exact_match", "", "0.8"),
        stat("exact_match", r#","perturbation":{"name":"typos"}"#, "0.7"),
        stat("exact_match", "", "0.1").replace("\"test\"", "\"valid\""),
        stat("num_instances", "", "200.0"),
    );
    let report = follow("helm", None, text.as_bytes());
    gives(&report, "exact_match", 0.7, Some(2));
    gives(&report, "instances", 200.0, Some(1));
}

#[test]
fn openai_evals() {
    let event = |id: u8, sample: &str, correct: bool| {
        format!(
            r#"{{"run_id":"r","event_id":{id},"sample_id":"{sample}","type":"match","data":{{"correct":{correct}}}}}"#
        )
    };
    let spec = r#"{"spec":{"completion_fns":["m"],"eval_name":"e","run_id":"r"}}"#;
    let other = r#"{"run_id":"r","event_id":9,"sample_id":"a","type":"sampling","data":{}}"#;
    let rows =
        [spec.to_owned(), other.to_owned(), event(0, "a", true), event(1, "b", false), event(2, "c", true)];
    let done = r#"{"final_report":{"accuracy":0.6666666666666666},"run_id":"r"}"#;
    let whole = format!("{}\n{done}\n", rows.join("\n"));
    let report = follow("openai-evals", None, whole.as_bytes());
    gives(&report, "accuracy", 2.0 / 3.0, Some(3));
    assert!(report.lookup("accuracy").unwrap().rate);
    gives(&report, "samples", 3.0, Some(3));
    gives(&report, "final_reports", 1.0, Some(1));
    let broken_off = follow("openai-evals", None, rows.join("\n").as_bytes());
    assert!(broken_off.lookup("final_reports").is_err(), "no row has one");
}
