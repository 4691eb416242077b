//! Reports that are swapped, taken away, edited, about something else, or that do not read.

use super::{
    DIRECTORY, GATE, LEAD, PRODUCT, REPORT, assert_says, check, code, line, merged, opened, status, verdict,
};
use crate::world::{Policy, Repo, World};

const EVIDENCE: &str = "evidence:evaluation";
const CRITERION: &str = "criterion:hallucination";

/// The gate with both approvals; what follows happens after them.
#[track_caller]
fn approved(world: &World) -> (Repo<'_>, String) {
    let repo = opened(world);
    let lead = repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    (repo, lead)
}

/// Replaces text in `gate.toml`.
#[track_caller]
fn edit_request(repo: &Repo<'_>, old: &str, new: &str) {
    let path = format!("{DIRECTORY}/gate.toml");
    let text = std::fs::read_to_string(repo.path.join(&path)).unwrap();
    assert!(text.contains(old), "{text}");
    repo.write(&path, text.replace(old, new));
}

#[test]
fn evidence_swapped_after_approval_makes_it_stale() {
    let world = World::new();
    let (repo, lead) = approved(&world);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 400}}\n")
        .commit("j.doe", "Better");
    let judged = merged(&repo);
    assert_eq!(code(&judged, &lead), "stale-content");
    assert_eq!((verdict(&judged, LEAD), status(&judged, PRODUCT)), ("pending stale".into(), "stale"));
    repo.git_verifies(&lead).expect(0);
}

#[test]
fn evidence_swapped_on_the_mainline_makes_approvals_stale() {
    let world = World::new();
    let (repo, lead) = approved(&world);
    assert_eq!(merged(&repo)["verdict"], "allowed");
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 400}}\n")
        .commit("l.wu", "Better");
    let judged = check(&repo);
    assert_eq!((code(&judged, &lead), verdict(&judged, LEAD)), ("stale-content", "pending stale".into()));
}

#[test]
fn evidence_deleted_after_approval_makes_it_stale() {
    let world = World::new();
    let (repo, lead) = approved(&world);
    repo.remove(REPORT).commit("j.doe", "Remove the report");
    let judged = merged(&repo);
    assert_eq!(
        (code(&judged, &lead), verdict(&judged, EVIDENCE)),
        ("stale-content", "pending missing".into())
    );
    assert_eq!((status(&judged, CRITERION), status(&judged, LEAD)), ("missing", "stale"));
    // Its entry too.
    repo.switch(super::BRANCH);
    edit_request(&repo, "[[evidence]]\nkind = \"evaluation\"\nfile = \"evidence/evaluation.json\"\n", "");
    repo.commit("j.doe", "Remove the entry");
    let judged = merged(&repo);
    assert_eq!(
        (code(&judged, &lead), verdict(&judged, EVIDENCE)),
        ("stale-content", "pending missing".into())
    );
    assert_eq!((status(&judged, CRITERION), status(&judged, LEAD)), ("missing", "stale"));
}

#[test]
fn evidence_about_another_artifact_is_stale() {
    let world = World::new();
    let repo = opened(&world);
    let digest = crate::world::hex_sha256(b"v1.4");
    edit_request(&repo, &digest, &crate::world::hex_sha256(b"another"));
    repo.commit("j.doe", "Another artifact");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let judged = merged(&repo);
    assert_eq!((verdict(&judged, EVIDENCE), status(&judged, LEAD)), ("pending stale".into(), "met"));
    assert_eq!(status(&judged, "evidence:change-description"), "met", "it is about the change");
}

#[test]
fn another_artifact_added_later_makes_evidence_stale() {
    let world = World::new();
    let repo = opened(&world);
    let more = format!(
        "[[artifact]]\nname = \"model\"\ndigest = \"sha256:{}\"\n\n[[evidence]]\nkind = \"evaluation\"",
        "1".repeat(64)
    );
    edit_request(&repo, "[[evidence]]\nkind = \"evaluation\"", &more);
    repo.commit("j.doe", "One more");
    assert_eq!(verdict(&merged(&repo), EVIDENCE), "pending stale");
}

#[test]
fn an_edited_report_loses_its_attestation() {
    let world = World::new();
    let policy = Policy::small()
        .replacing("[evidence.evaluation]\n", "[evidence.evaluation]\nattested_by = [\"eval-ci\"]\n");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    assert_eq!(verdict(&merged(&repo), EVIDENCE), "blocked failed");
    repo.switch(super::BRANCH);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 9}}\n")
        .commit("eval-ci", "Evaluate");
    assert_eq!(verdict(&merged(&repo), EVIDENCE), "pending met");
    repo.switch(super::BRANCH);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 9}}\n").commit("j.doe", "Polish");
    let judged = merged(&repo);
    assert_eq!(verdict(&judged, EVIDENCE), "blocked failed");
    assert_says(&line(&judged, EVIDENCE)["found"], "j.doe");
    // The same bytes as the pipeline wrote, put there by a person.
    repo.switch(super::BRANCH);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 9}}\n")
        .commit("j.doe", "Put back");
    assert_eq!(verdict(&merged(&repo), EVIDENCE), "blocked failed");
    // A message is no attestation, and neither is an author line.
    repo.switch(super::BRANCH);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 8}}\n");
    repo.git(&["add", "-A"]);
    let author = "--author=eval-ci <eval-ci@example.com>";
    repo.git_as(
        "j.doe",
        &["commit", "-q", "-S", author, "-m", "Evaluate", "-m", "Signed-off-by: eval-ci@example.com"],
    );
    assert_eq!(verdict(&merged(&repo), EVIDENCE), "blocked failed");
    // Only the pipeline brings its word back.
    repo.switch(super::BRANCH);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.03, \"n\": 9}}\n")
        .commit("eval-ci", "Evaluate");
    assert_eq!(verdict(&merged(&repo), EVIDENCE), "pending met");
}

#[test]
fn an_attested_report_of_another_gate_is_not_attested_here() {
    const OTHER: &str = "summarizer/v1.3";
    let world = World::new();
    let policy = Policy::small()
        .replacing("[evidence.evaluation]\n", "[evidence.evaluation]\nattested_by = [\"eval-ci\"]\n");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", OTHER);
    let other = format!("gates/{OTHER}/evidence/evaluation.json");
    repo.write(&other, "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 99}}\n")
        .commit("eval-ci", "Evaluate");
    repo.merge("l.wu", &format!("gate/{OTHER}"));
    repo.open("j.doe", GATE);
    repo.git(&["checkout", "-q", "main", "--", &other]);
    std::fs::copy(repo.path.join(&other), repo.path.join(REPORT)).unwrap();
    repo.commit("j.doe", "The report of v1.3");
    assert_eq!(verdict(&merged(&repo), EVIDENCE), "blocked failed");
}

#[test]
fn a_report_without_a_clean_number_fails() {
    let world = World::new();
    let repo = opened(&world);
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 9\n", "1".repeat(64));
    let rate = |value: &str| format!("{{\"summary\": {{\"hallucination_rate\": {value}, \"n\": 9}}}}\n");
    for (what, report, evidence, criterion) in [
        ("a pointer", pointer, "failed", "failed"),
        ("nothing", String::new(), "missing", "missing"),
        ("twice", rate("0.9, \"hallucination_rate\": 0.01"), "failed", "failed"),
        ("twice, escaped", rate("0.9, \"hallucination\\u005frate\": 0.01"), "failed", "failed"),
        ("a string", rate("\"0.01\""), "met", "failed"),
        ("too large", rate("1e999"), "", "failed"),
        ("NaN", rate("NaN"), "", "failed"),
        ("-Infinity", rate("-Infinity"), "", "failed"),
        ("none", rate("null"), "met", "failed"),
        ("out of bounds", rate("0.0500001"), "met", "failed"),
        ("cut short", "{\"summary\": {\"hallucination_rate\": 0.01".into(), "", "failed"),
        ("two values", format!("{}{}", rate("0.01"), rate("0.9")), "", "failed"),
    ] {
        repo.switch(super::BRANCH).write(REPORT, report).commit("j.doe", "Report");
        let judged = merged(&repo);
        assert_eq!(status(&judged, CRITERION), criterion, "{what} {judged:#}");
        assert!(evidence.is_empty() || status(&judged, EVIDENCE) == evidence, "{what} {judged:#}");
    }
}

#[test]
fn a_report_is_read_with_so_many_companions_and_no_more() {
    for (companions, status) in [(32, "met"), (33, "failed")] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.open("j.doe", GATE);
        let mut entries = String::new();
        for number in 0..companions {
            let file = format!("evidence/vex-{number}.json");
            let vex = format!(r#"{{"bomFormat": "CycloneDX", "version": {number}, "vulnerabilities": []}}"#);
            repo.write(&format!("gates/{GATE}/{file}"), vex);
            entries.push_str("[[evidence]]\nkind = \"evaluation\"\nfile = \"");
            entries.push_str(&file);
            entries.push_str("\"\n\n");
        }
        edit_request(
            &repo,
            "[[evidence]]\nkind = \"evaluation\"",
            &format!("{entries}[[evidence]]\nkind = \"evaluation\""),
        );
        repo.commit("j.doe", "Attach many documents beside the report");
        repo.merge("l.wu", &format!("gate/{GATE}"));
        let answer = repo.check_json(GATE, "staging");
        let lines = answer["requirements"].as_array().unwrap();
        let line = lines.iter().find(|line| line["id"] == "evidence:evaluation").unwrap();
        assert_eq!(line["status"], status, "{companions}: {line:#}");
    }
}

/// A VEX document closes what a scan found: only beside it, as evidence of its kind, about what the scan is about.
#[test]
fn a_document_closes_findings_of_reports_of_its_kind_about_its_artifact_alone() {
    let scan = "\n[[rule]]\nname = \"scan\"\nevidence = [\"scan\"]\n\
        criteria = [{ name = \"no critical\", evidence = \"scan\", metric = \"findings.open.critical\", max = 0 }]\n";
    let policy = Policy::small().with(scan);
    let purl = "pkg:apk/alpine/openssl@1.1.1";
    let report = format!(
        r#"{{"SchemaVersion":2,"ArtifactName":"a","Results":[{{"Vulnerabilities":[
        {{"VulnerabilityID":"CVE-1","PkgIdentifier":{{"PURL":"{purl}"}},"Severity":"CRITICAL"}}]}}]}}"#
    );
    let vex = format!(
        r#"{{"bomFormat":"CycloneDX","vulnerabilities":[{{"id":"CVE-1","analysis":{{"state":"not_affected"}},
        "affects":[{{"ref":"{purl}"}}]}}]}}"#
    );
    let (one, other) = ("artifact = \"prompts/summarize.txt\"\n", "artifact = \"model.bin\"\n");
    for (of_report, kind, of_vex, expected) in [
        ("", "scan", "", "met"),
        (one, "scan", "", "met"),
        (one, "scan", one, "met"),
        (one, "scan", other, "failed"),
        ("", "scan", other, "failed"),
        ("", "evaluation", "", "failed"),
        ("", "none", "", "failed"),
    ] {
        let world = World::new();
        let repo = world.governance_repo_with(&policy);
        repo.open("j.doe", GATE);
        repo.write(&format!("{DIRECTORY}/trivy.json"), &report);
        repo.write(&format!("{DIRECTORY}/vex.json"), &vex);
        let entry = |kind: &str, file: &str, more: &str| {
            format!("[[evidence]]\nkind = \"{kind}\"\nfile = \"{file}\"\n{more}\n")
        };
        let mut entries = entry("scan", "trivy.json", of_report);
        if kind != "none" {
            entries.push_str(&entry(kind, "vex.json", of_vex));
        }
        let artifact =
            format!("[[artifact]]\nname = \"model.bin\"\ndigest = \"sha256:{}\"\n\n", "0".repeat(64));
        let change = "[[evidence]]\nkind = \"change-description\"";
        edit_request(&repo, change, &format!("{artifact}{entries}{change}"));
        repo.commit("j.doe", "Attach a scan and what it means");
        repo.merge("l.wu", &format!("gate/{GATE}"));
        let answer = repo.check_json(GATE, "staging");
        let line = answer["requirements"].as_array().unwrap();
        let line = line.iter().find(|line| line["id"] == "criterion:no critical").unwrap();
        assert_eq!(line["status"], expected, "{of_report} {kind} {of_vex}: {line:#}");
    }
}

#[test]
fn a_report_about_one_artifact_is_stale_when_that_one_changes_and_no_other() {
    for (changed, expected) in [("model.bin", "met"), ("prompts/summarize.txt", "stale")] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.open("j.doe", GATE);
        let model = format!("[[artifact]]\nname = \"model.bin\"\ndigest = \"sha256:{}\"\n\n", "0".repeat(64));
        // The same file as evidence of another kind is about something else.
        let seen = "[[evidence]]\nkind = \"other\"\nfile = \"evidence/evaluation.json\"\nartifact = \"model.bin\"\n\n";
        let evaluation = "[[evidence]]\nkind = \"evaluation\"\n";
        let about = format!("{model}{seen}{evaluation}artifact = \"prompts/summarize.txt\"\n");
        edit_request(&repo, evaluation, &about);
        repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 400}}\n");
        repo.commit("j.doe", "A report about the prompt");
        let path = repo.path.join(format!("{DIRECTORY}/gate.toml"));
        let text = std::fs::read_to_string(path).unwrap();
        let from = text.find(&format!("name = \"{changed}\"")).unwrap();
        let digest = from + text[from..].find("sha256:").unwrap();
        let other = format!("{}sha256:{}{}", &text[..digest], "1".repeat(64), &text[digest + 71..]);
        repo.write(&format!("{DIRECTORY}/gate.toml"), other).commit("j.doe", "Another artifact");
        repo.merge("l.wu", &format!("gate/{GATE}"));
        let answer = repo.check_json(GATE, "staging");
        let lines = answer["requirements"].as_array().unwrap();
        let line = lines.iter().find(|line| line["id"] == "evidence:evaluation").unwrap();
        assert_eq!(line["status"], expected, "{changed}: {line:#}");
    }
}
