//! Reports that are too large to lie beside a request: what is recorded of them, and what checks it again.

use serde_json::Value;

use crate::world::{Policy, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const NAME: &str = "evidence/evaluation.json";

/// A SARIF log of more than 8 MiB without a critical finding, and one like it with one.
fn scan(severity: &str) -> String {
    let result = format!(r#"{{"ruleId":"r","message":{{"text":"{}"}}}}"#, "x".repeat(1000));
    let results = vec![result; 9 * 1024].join(",");
    format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"T","rules":[{{"id":"r","properties":{{"security-severity":"{severity}"}}}}]}}}},"results":[{results}]}}]}}"#
    )
}

/// A repository whose `evaluation` reports may lie elsewhere, or not, with the gate open.
fn opened<'w>(world: &'w World, table: &str) -> Repo<'w> {
    let policy =
        Policy::small().replacing("max_age = \"30d\"\n", &format!("max_age = \"30d\"\n{table}")).replacing(
            "metric = \"hallucination_rate\", max = 0.05",
            "metric = \"findings.open.critical\", max = 0",
        );
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    repo.sign_in("j.doe");
    repo.write("../scan.sarif", scan("5.0")).write("../worse.sarif", scan("9.8"));
    repo
}

const ALLOW: &str = "external = \"allow\"\n";

#[track_caller]
fn attach(repo: &Repo<'_>, file: &str) -> Run {
    repo.run(&["attach", GATE, "evaluation", file, "--external", "s3://reports/v1.4.sarif"])
}

/// Merges the gate, and checks it for staging with these flags; the status, evidence and criterion lines.
#[track_caller]
fn checked(repo: &Repo<'_>, flags: &[&str]) -> (i32, Value, Value) {
    let run = repo.run(&[&["check", GATE, "--env", "staging", "--format", "json"], flags].concat());
    let json = run.json();
    let line = |id: &str| {
        let lines = json["requirements"].as_array().unwrap_or_else(|| panic!("{json:#}"));
        lines.iter().find(|line| line["id"] == id).unwrap().clone()
    };
    (run.status, line("evidence:evaluation"), line("criterion:hallucination"))
}

#[test]
fn a_report_that_lies_elsewhere_counts_where_the_policy_lets_it_and_is_verified_when_it_is_at_hand() {
    let world = World::new();
    let repo = opened(&world, ALLOW);
    let shown = attach(&repo, "../scan.sarif").expect(0).stdout;
    assert!(shown.contains("met  hallucination  `findings.open.critical` is 0"), "{shown}");
    let recorded = repo.git(&["show", &format!("gate/{GATE}:gates/{GATE}/{NAME}")]);
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    assert_eq!(recorded["source"]["uri"], "s3://reports/v1.4.sarif");
    assert_eq!(recorded["source"]["format"], "sarif");
    // sha256sum says the same.
    let digest = crate::world::hex_sha256(scan("5.0").as_bytes());
    assert_eq!(recorded["source"]["sha256"], format!("sha256:{digest}"));
    assert_eq!(recorded["source"]["bytes"], scan("5.0").len());
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));

    let (status, evidence, criterion) = checked(&repo, &[]);
    assert_eq!((status, &criterion["status"]), (0, &"met".into()), "{criterion:#}");
    let found = evidence["found"].as_str().unwrap();
    assert!(found.contains("lies at `s3://reports/v1.4.sarif` and is not at hand"), "{found}");

    let (status, evidence, criterion) =
        checked(&repo, &["--evidence-file", &format!("{NAME}=../scan.sarif")]);
    assert_eq!((status, &criterion["status"]), (0, &"met".into()), "{criterion:#}");
    let found = evidence["found"].as_str().unwrap();
    assert!(found.contains("reads as sarif, the report itself, which is at hand"), "{found}");

    let (status, evidence, criterion) =
        checked(&repo, &["--evidence-file", &format!("{NAME}=../worse.sarif")]);
    assert_eq!((status, &evidence["status"], &criterion["status"]), (10, &"failed".into(), &"failed".into()));
    assert!(
        evidence["found"].as_str().unwrap().contains("is not the report that was recorded"),
        "{evidence:#}"
    );
}

#[test]
fn metrics_that_the_report_does_not_have_are_found_out_by_the_report() {
    let world = World::new();
    let repo = opened(&world, ALLOW);
    attach(&repo, "../worse.sarif").expect(0);
    repo.switch(&format!("gate/{GATE}"));
    let path = format!("gates/{GATE}/{NAME}");
    let recorded = std::fs::read_to_string(repo.path.join(&path)).unwrap();
    let mut edited: Value = serde_json::from_str(&recorded).unwrap();
    for metric in edited["metrics"].as_array_mut().unwrap() {
        if metric["name"] == "findings.open.critical" {
            metric["value"] = 0.into();
        }
    }
    repo.write(&path, edited.to_string());
    repo.commit("j.doe", "Nothing to see");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let (_, _, criterion) = checked(&repo, &[]);
    assert_eq!(criterion["status"], "met", "who lets reports lie elsewhere believes who signed the record");
    let (status, evidence, criterion) =
        checked(&repo, &["--evidence-file", &format!("{NAME}=../worse.sarif")]);
    assert_eq!((status, &evidence["status"], &criterion["status"]), (10, &"failed".into(), &"failed".into()));
    let found = evidence["found"].as_str().unwrap();
    assert!(found.contains("of `findings.open.critical` something else was recorded"), "{found}");
}

#[test]
fn a_policy_that_wants_the_report_itself_gets_nothing_from_a_record_of_it() {
    let world = World::new();
    let allowing = opened(&world, ALLOW);
    attach(&allowing, "../scan.sarif").expect(0);
    let recorded = allowing.git(&["show", &format!("gate/{GATE}:gates/{GATE}/{NAME}")]);

    let world = World::new();
    let repo = opened(&world, "");
    let refused = attach(&repo, "../scan.sarif").expect(3);
    assert!(refused.stderr.contains("external = \"allow\""), "{refused}");
    let too_large = repo.run(&["attach", GATE, "evaluation", "../scan.sarif"]).expect(3);
    assert!(
        too_large.stderr.contains("larger than 8 MiB") && too_large.stderr.contains("--external"),
        "{too_large}"
    );
    // By plain git, declared as what it is.
    repo.switch(&format!("gate/{GATE}"));
    let request = std::fs::read_to_string(repo.path.join(format!("gates/{GATE}/gate.toml"))).unwrap();
    let request =
        request.replace(&format!("file = \"{NAME}\""), &format!("file = \"{NAME}\"\nformat = \"metrics\""));
    repo.write(&format!("gates/{GATE}/gate.toml"), request).write(&format!("gates/{GATE}/{NAME}"), recorded);
    repo.commit("j.doe", "Stand-in");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    for flags in [&[][..], &["--evidence-file", &format!("{NAME}=../scan.sarif")]] {
        let (status, evidence, criterion) = checked(&repo, flags);
        assert_eq!(
            (status, &evidence["status"], &criterion["status"]),
            (10, &"failed".into(), &"failed".into())
        );
    }
}

#[test]
fn an_evidence_file_for_nothing_is_an_error_and_not_passed_over() {
    let world = World::new();
    let repo = opened(&world, ALLOW);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    for (given, status, code) in [
        (format!("{NAME}=../scan.sarif"), 3, "report-not-external"),
        ("evidence/other.json=../scan.sarif".to_owned(), 3, "report-unknown"),
        (format!("{NAME}=../nowhere"), 3, "unreadable-file"),
        (NAME.to_owned(), 2, "NAME=PATH"),
        (format!("{NAME}="), 2, "NAME=PATH"),
    ] {
        let run = repo.run(&["check", GATE, "--env", "staging", "--evidence-file", &given]).expect(status);
        assert!(run.stderr.contains(code), "{given}: {run}");
    }
}
