//! What `evidence inspect` and `attach` make of a report, and what `check` makes of the findings of scanners.

#![expect(clippy::disallowed_methods, reason = "the tests write files")]

use crate::evidence_samples::own;
use crate::world::{Policy, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";

/// Inspects a report with these bytes.
#[track_caller]
fn inspect(bytes: impl AsRef<[u8]>, args: &[&str]) -> Run {
    let world = World::new();
    std::fs::write(world.dir().join("report"), bytes).unwrap();
    world.run(&world.dir(), &[&["evidence", "inspect", "report"], args].concat())
}

// The values are those of `jq '.results, ."n-samples"'` on the file.
#[test]
fn inspect_prints_what_programs_read_in_a_fixed_form() {
    let bytes = own("lm_eval/fresh_dummy_group_filters_0.4.13.json");
    let json = inspect(&bytes, &["--format", "json"]).expect(0).json();
    let fields =
        |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(fields(&json), "schema format status metrics");
    assert_eq!(json["schema"], "git-gate/evidence/1");
    assert_eq!((&json["format"], &json["status"]), (&"lm-eval".into(), &"success".into()));
    let metrics = json["metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), 5);
    let strict = metrics.iter().find(|metric| metric["name"] == "summ_gen/exact_match@strict-match").unwrap();
    assert_eq!(fields(strict), "name value samples stderr errors where");
    assert_eq!((strict["value"].as_f64(), strict["samples"].as_u64()), (Some(0.5), Some(8)));
    assert_eq!(strict["where"], "/results/summ_gen/exact_match,strict-match");
    let sarif = inspect(own("sarif/bandit.sarif"), &["--format", "json"]).expect(0);
    assert!(sarif.stdout.contains("\"name\":\"findings.open.high\",\"value\":2,"), "{sarif}");
}

#[test]
fn inspect_fits_80_columns_and_names_the_nearest() {
    let bytes = own("lm_eval/fresh_dummy_group_filters_0.4.13.json");
    let text = inspect(&bytes, &[]).expect(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.starts_with("success  report, format lm-eval\n"), "{text}");
    assert!(text.contains("    at /results/parity_mc/acc,none\n"), "{text}");
    let one = inspect(&bytes, &["--metric", "parity_mc/acc"]).expect(0).stdout;
    assert!(one.contains("parity_mc/acc\n") && !one.contains("acc_norm"), "{one}");
    let slip = inspect(&bytes, &["--metric", "parity_mc/acc_nrom"]).expect(3);
    assert!(slip.stderr.contains("did you mean `parity_mc/acc_norm`? [metric-unknown]"), "{slip}");
    let several = inspect(&bytes, &["--metric", "summ_gen/exact_match"]).expect(3);
    assert!(several.stderr.contains("`summ_gen/exact_match@flexible-extract`"), "{several}");
    let long = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"{}"}}}},"results":[]}}]}}"#,
        "x".repeat(300)
    );
    let text = inspect(long, &[]).expect(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn inspect_of_what_does_not_read_says_why_in_every_form() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:9b\nsize 12\n";
    for (bytes, code, message, help) in [
        (pointer, "report-unreadable", "Git LFS pointer", "git lfs pull --include 'report'"),
        ("", "report-unreadable", "it is empty", "run again"),
        ("{\"a\":1,\"a\":2}", "report-unreadable", "the key `a` twice", "--as <format>"),
        (r#"{"version":"2.1.0","runs":[]}"#, "report-unreadable", "nothing was scanned", "run again"),
    ] {
        let json = inspect(bytes, &["--format", "json"]).expect(3).json();
        assert_eq!((&json["schema"], &json["code"]), (&"git-gate/error/1".into(), &code.into()));
        assert!(json["message"].as_str().unwrap().contains(message), "{json}");
        assert!(json["help"].as_str().unwrap().contains(help), "{json}");
        let text = inspect(bytes, &[]).expect(3);
        assert!(text.stdout.is_empty() && text.stderr.contains(message), "{text}");
    }
    assert!(inspect("x", &["--as", "excel"]).expect(2).stderr.contains("formats: text, json"));
}

#[test]
fn a_run_that_did_not_finish_shows_its_metrics_only_when_asked() {
    let failed = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":[{"level":"error"}],
        "invocations":[{"executionSuccessful":false}]}]}"#;
    let json = inspect(failed, &["--format", "json"]).expect(0).json();
    assert_eq!(json["metrics"].as_array().unwrap().len(), 0);
    assert!(json["status"].as_str().unwrap().contains("executionSuccessful"), "{json}");
    assert!(inspect(failed, &[]).expect(0).stdout.starts_with("unfinished  report"));
    let shown = inspect(failed, &["--unfinished"]).expect(0).stdout;
    assert!(shown.contains("findings.open.unrated.error"), "{shown}");
}

#[test]
fn a_file_of_two_formats_reads_only_as_the_one_that_is_named() {
    let both = r#"{"version":"2.1.0","$schema":"sarif","runs":[{"tool":{"driver":{"name":"T"}},"results":[]}],
        "SchemaVersion":2,"ArtifactName":"a","Results":[{"Target":"t"}]}"#;
    let refused = inspect(both, &[]).expect(3);
    assert!(refused.stderr.contains("it reads as several formats: `sarif`, `trivy`"), "{refused}");
    for format in ["sarif", "trivy"] {
        let read = inspect(both, &["--as", format]).expect(0);
        assert!(read.stdout.contains(&format!("format {format}")), "{read}");
    }
    inspect(both, &["--as", "grype"]).expect(3);
}

/// A repository in which `evaluation` reports are findings of scanners, none of them critical.
fn scanned<'w>(world: &'w World, table: &str, criterion: &str) -> Repo<'w> {
    let policy =
        Policy::small().replacing("max_age = \"30d\"\n", &format!("max_age = \"30d\"\n{table}")).replacing(
            "metric = \"hallucination_rate\", max = 0.05",
            &format!("metric = \"findings.open.critical\", max = 0{criterion}"),
        );
    world.governance_repo_with(&policy)
}

/// What the criterion says of a report attached by plain git, with a VEX document beside it where there is one.
#[track_caller]
fn judged(repo: &Repo<'_>, report: &str, vex: Option<&str>) -> (String, String) {
    repo.open("j.doe", GATE);
    repo.write(&format!("gates/{GATE}/evidence/evaluation.json"), report);
    if let Some(vex) = vex {
        let request = std::fs::read_to_string(repo.path.join(format!("gates/{GATE}/gate.toml"))).unwrap();
        repo.write(
            &format!("gates/{GATE}/gate.toml"),
            format!("{request}\n[[evidence]]\nkind = \"evaluation\"\nfile = \"evidence/vex.json\"\n"),
        )
        .write(&format!("gates/{GATE}/evidence/vex.json"), vex);
    }
    repo.commit("j.doe", "Scan");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let json = repo.check_json(GATE, "staging");
    let lines = json["requirements"].as_array().unwrap();
    let line = lines.iter().find(|line| line["id"] == "criterion:hallucination").unwrap();
    (line["status"].as_str().unwrap().to_owned(), line["found"].as_str().unwrap().to_owned())
}

const UNRATED_ERROR: &str =
    r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":[{"level":"error"}]}]}"#;

#[test]
fn an_error_that_nobody_rated_is_critical_unless_the_policy_allows_it() {
    let world = World::new();
    let (status, found) = judged(&scanned(&world, "", ""), UNRATED_ERROR, None);
    assert_eq!(status, "failed", "{found}");
    assert!(found.contains("1 that the tool did not rate"), "{found}");
    let world = World::new();
    let (status, found) = judged(&scanned(&world, "", ", unrated = \"allow\""), UNRATED_ERROR, None);
    assert_eq!(status, "met", "{found}");
}

#[test]
fn what_the_source_suppresses_stays_open_where_the_policy_ignores_the_source() {
    let suppressed = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":[
        {"properties":{"security-severity":"9.8"},"suppressions":[{"kind":"inSource"}]}]}]}"#;
    for (table, expected) in [("", "met"), ("in_source = \"ignore\"\n", "failed")] {
        let world = World::new();
        let (status, found) = judged(&scanned(&world, table, ""), suppressed, None);
        assert_eq!(status, expected, "{found}");
    }
}

#[test]
fn a_vex_document_beside_a_scan_closes_what_it_names() {
    let scan = r#"{"SchemaVersion":2,"ArtifactName":"a","Results":[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1",
        "PkgIdentifier":{"PURL":"pkg:deb/openssl@1.1"},"Severity":"CRITICAL"}]}]}"#;
    let vex = r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1","analysis":{"state":"not_affected"},
        "affects":[{"ref":"pkg:deb/openssl@1.1"}]}]}"#;
    let world = World::new();
    assert_eq!(judged(&scanned(&world, "", ""), scan, None).0, "failed");
    let world = World::new();
    assert_eq!(judged(&scanned(&world, "", ""), scan, Some(vex)).0, "met");
    // Of another version of the package.
    let world = World::new();
    assert_eq!(judged(&scanned(&world, "", ""), scan, Some(&vex.replace("1.1", "1.2"))).0, "failed");
    // A policy that takes only scans: the statements are a report that does not read.
    let world = World::new();
    assert_eq!(judged(&scanned(&world, "formats = [\"trivy\"]\n", ""), scan, Some(vex)).0, "failed");
}

#[test]
fn attach_shows_what_criteria_make_of_a_report_before_it_writes() {
    let world = World::new();
    let repo = scanned(&world, "", "");
    repo.open("j.doe", GATE);
    repo.sign_in("j.doe");
    let tip = repo.rev("HEAD");
    repo.write("../scan.json", UNRATED_ERROR)
        .write("../pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:9b\n");
    let shown = repo.run(&["attach", GATE, "evaluation", "../scan.json"]).expect(0).stdout;
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("`{text}` is not in:\n{shown}"));
    assert!(shown.starts_with("success  evaluation: evidence/evaluation.json, format sarif\n"), "{shown}");
    assert!(at("FAILED  hallucination") < at("replaced: "), "{shown}");
    at("20 metrics no criterion asks for: `git gate evidence inspect`");
    at("asked `findings.open.critical` at most 0");
    assert!(!shown.contains("findings.open.low"), "{shown}");
    let json = repo
        .run(&["attach", GATE, "evaluation", "../scan.json", "--name", "b.json", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(json["criteria"][0]["status"], "failed", "{json:#}");
    assert_eq!(json["report"]["format"], "sarif");
    assert_ne!(repo.rev(&format!("gate/{GATE}")), tip);
    let tip = repo.rev(&format!("gate/{GATE}"));
    let refused = repo.run(&["attach", GATE, "evaluation", "../pointer"]).expect(3);
    assert!(refused.stderr.contains("git lfs pull --include '../pointer'"), "{refused}");
    assert_eq!(repo.rev(&format!("gate/{GATE}")), tip, "nothing was written");
}
