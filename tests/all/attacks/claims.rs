//! What a request or an exception claims, against what the policy holds and what stands there.

use super::{
    BRANCH, DIRECTORY, GATE, PRODUCT, REPORT, assert_says, check, line, merged, opened, status, verdict,
};
use crate::world::{Decision, Policy, Repo, World, hex_sha256};

const CRITERION: &str = "criterion:hallucination";
const BAD_REPORT: &str = "{\"summary\": {\"hallucination_rate\": 0.9, \"n\": 400}, \"good\": 0.01}\n";

/// Replaces text in `gate.toml`, signed by `j.doe`.
#[track_caller]
fn request(repo: &Repo<'_>, old: &str, new: &str) {
    let path = format!("{DIRECTORY}/gate.toml");
    let text = std::fs::read_to_string(repo.switch(BRANCH).path.join(&path)).unwrap();
    assert!(text.contains(old), "{text}");
    repo.write(&path, text.replace(old, new)).commit("j.doe", "Request");
}

#[track_caller]
fn approve_both(repo: &Repo<'_>) {
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
}

#[test]
fn another_artifact_is_blocked() {
    let world = World::new();
    let policy = Policy::small()
        .replacing("[environments.production]\n", "[environments.production]\nartifacts = \"required\"\n");
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    let name = "artifact:prompts/summarize.txt";
    let given = |digest: &[&str]| {
        repo.run(&[&["check", GATE, "--env", "production", "--format", "json"], digest].concat())
    };
    let approved = format!("prompts/summarize.txt=sha256:{}", hex_sha256(b"v1.4"));
    let another = format!("prompts/summarize.txt=sha256:{}", hex_sha256(b"v1.5"));
    assert_eq!(given(&["--digest", &approved]).json()["verdict"], "allowed");
    assert_eq!(verdict(&given(&["--digest", &another]).json(), name), "blocked failed");
    assert_eq!(verdict(&given(&[]).json(), name), "pending missing");
    let unlisted =
        given(&["--digest", &approved, "--digest", &approved.replace("summarize", "other")]).json();
    assert_eq!(verdict(&unlisted, "artifact:prompts/other.txt"), "blocked failed");
    repo.write("given.txt", "v1.5");
    assert_eq!(
        verdict(&given(&["--artifact", "prompts/summarize.txt=given.txt"]).json(), name),
        "blocked failed"
    );
    repo.write("given.txt", "v1.4");
    assert_eq!(given(&["--artifact", "prompts/summarize.txt=given.txt"]).json()["verdict"], "allowed");
}

#[test]
fn a_requester_cannot_talk_the_risk_down() {
    let world = World::new();
    let policy = Policy::small()
        .replacing("[systems]\n", "[changes.infer]\nmodel = [\"*.safetensors\"]\n\n[systems]\n")
        .with("\n[[rule]]\nname = \"models\"\nwhen = { kind = [\"model\"] }\nevidence = [\"bias\"]\n");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    request(&repo, "risk = \"medium\"", "risk = \"low\"");
    repo.approve("j.rivera", GATE, "ml-lead");
    let judged = merged(&repo);
    assert_eq!(
        (verdict(&judged, PRODUCT), &judged["change"]["risk"]),
        ("pending missing".into(), &"high".into())
    );
    assert_eq!(status(&judged, "evidence:bias"), "not listed");
    // Weights under another letter case make it a change of the model, whatever it says it is.
    request(&repo, "prompts/summarize.txt", "prompts/summarize.SafeTensors");
    assert_eq!(status(&merged(&repo), "evidence:bias"), "missing");
    // A system that the policy does not know has the highest risk.
    repo.open("j.doe", "summariser/v1.4");
    repo.merge("l.wu", "gate/summariser/v1.4");
    assert_eq!(repo.check_json("summariser/v1.4", "production")["change"]["risk"], "critical");
}

#[test]
fn a_request_cannot_say_what_a_metric_is() {
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, BAD_REPORT).commit("j.doe", "Report");
    let entry = "file = \"evidence/evaluation.json\"\n";
    request(&repo, entry, &format!("{entry}metrics = {{ hallucination_rate = \"/good\" }}\n"));
    approve_both(&repo);
    assert_eq!(verdict(&merged(&repo), CRITERION), "blocked failed");
}

#[test]
fn a_request_cannot_choose_the_kind_of_a_report() {
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, BAD_REPORT).commit("j.doe", "Report");
    let entry = "file = \"evidence/evaluation.json\"\n";
    for format in ["text", "csv", "promptfoo", "rollback"] {
        request(&repo, entry, &format!("{entry}format = \"{format}\"\n"));
        assert_eq!(status(&merged(&repo), CRITERION), "failed", "{format}");
        request(&repo, &format!("format = \"{format}\"\n"), "");
    }
}

#[test]
fn a_risk_accepted_for_another_report_does_not_hold() {
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, BAD_REPORT).commit("j.doe", "Report");
    repo.except("j.doe", GATE, CRITERION, &world.day(5));
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
    approve_both(&repo);
    let judged = merged(&repo);
    assert_eq!(
        (verdict(&judged, CRITERION), &judged["basis"]),
        ("allowed waived".into(), &"exception".into())
    );
    repo.switch(BRANCH).write(REPORT, BAD_REPORT.replace("0.9", "1.0")).commit("j.doe", "Swap");
    approve_both(&repo);
    let judged = merged(&repo);
    assert_eq!(verdict(&judged, CRITERION), "blocked failed");
    assert_eq!(judged["exceptions"][0]["in_force"], false);
    // Its author accepts no risk, nor does the gate's.
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
    assert_eq!(verdict(&merged(&repo), CRITERION), "allowed waived");
    repo.except("m.okafor", GATE, CRITERION, &world.day(4));
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
    let judged = merged(&repo);
    assert_eq!(verdict(&judged, CRITERION), "blocked failed");
    assert_says(&judged["exceptions"][0]["reason"], "compliance");
}

#[test]
fn an_exception_waives_nothing_that_cannot_be_waived() {
    for waives in
        ["integrity:authors", "rejection:s.chen@example.com", "gate:open", "rules:none", "incident:2026-01"]
    {
        let world = World::new();
        let repo = opened(&world);
        repo.except("j.doe", GATE, waives, &world.day(5));
        repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
        approve_both(&repo);
        repo.decide("s.chen", &Decision::close(GATE));
        assert_eq!(verdict(&merged(&repo), "gate:open"), "blocked failed", "{waives}");
        assert_eq!(check(&repo)["exceptions"][0]["in_force"], false, "{waives}");
        assert_eq!(line(&check(&repo), "integrity:authors")["status"], "met");
    }
}

#[test]
fn a_generic_format_hides_nothing() {
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/cases/evidence/lm_eval/fresh_dummy_group_filters_0.4.13.json"
    );
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, std::fs::read(sample).unwrap()).commit("j.doe", "Report");
    let entry = "file = \"evidence/evaluation.json\"\n";
    assert_eq!(
        verdict(&merged(&repo), "evidence:evaluation"),
        "blocked met",
        "the criterion has no such metric"
    );
    for format in ["json", "csv", "text"] {
        request(&repo, entry, &format!("{entry}format = \"{format}\"\n"));
        let judged = merged(&repo);
        assert_eq!(verdict(&judged, "evidence:evaluation"), "blocked failed", "{format}");
        assert_says(&line(&judged, "evidence:evaluation")["found"], "lm-eval");
        request(&repo, &format!("format = \"{format}\"\n"), "");
    }
}
