//! `incident`: written, resolved, listed, and what that does to the gate it names.

use crate::world::{Repo, World};

const GATE: &str = "summarizer/v1";

fn deployed(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.switch("main");
    repo.sign_in("l.wu");
    repo
}

const SAID: [&str; 6] =
    ["--env", "production", "--severity", "high", "--summary", "Wrong \"summaries\"\u{1b}[2J"];

#[test]
fn an_incident_blocks_its_version_until_it_is_resolved_and_says_what_it_hit() {
    let world = World::new();
    let repo = deployed(&world);
    let record = repo.rev("deployments/production");
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "allowed");
    let open =
        [&["incident", "open", "INC-1", GATE, "--yes", "--metric", "hallucination_rate=0.09"], &SAID[..]];
    let opened = repo.run(&[&open.concat()[..], &["--format", "json"]].concat()).expect(0).json();
    assert_eq!(
        (opened["schema"].as_str(), opened["branch"].as_str()),
        (Some("git-gate/incident-open/1"), Some("main"))
    );
    let file = repo.git(&["show", "main:incidents/INC-1.toml"]);
    assert!(file.contains("hallucination_rate") && !file.contains('\u{1b}'), "{file}");
    assert_eq!(repo.git_verifies("main").status, 0);
    let check = repo.check_json(GATE, "production");
    assert_eq!(check["verdict"], "blocked");
    assert!(check["requirements"].to_string().contains("incident:INC-1"), "{check}");
    // Once is enough.
    repo.run(&open.concat()).expect(3);

    let listed = repo.run(&["incident", "list", "--open", "--format", "json"]).expect(0).json();
    assert_eq!(listed["incidents"][0]["record"]["commit"], record.as_str());
    assert_eq!(listed["incidents"][0]["metrics"]["hallucination_rate"], 0.09);
    for format in ["text", "markdown"] {
        let shown = repo.run(&["incident", "list", "--format", format]).expect(0).stdout;
        assert!(shown.contains("INC-1") && shown.contains(&record) && !shown.contains('\u{1b}'), "{shown}");
    }

    let resolved = repo.run(&[
        "incident",
        "resolve",
        "INC-1",
        "--yes",
        "--cause",
        "The set was old",
        "--format",
        "json",
    ]);
    assert_eq!(resolved.expect(0).json()["schema"], "git-gate/incident-resolve/1");
    let check = repo.check_json(GATE, "production");
    assert!(!check["requirements"].to_string().contains("incident:INC-1"), "{check}");
    let open = repo.run(&["incident", "list", "--open", "--format", "json"]).expect(0).json();
    assert_eq!(open["incidents"].as_array().unwrap().len(), 0);
    for filter in [["--system", "router"], ["--env", "staging"], ["--severity", "low"]] {
        let args = [&["incident", "list", "--format", "json"], &filter[..]].concat();
        assert_eq!(repo.run(&args).expect(0).json()["incidents"].as_array().unwrap().len(), 0, "{filter:?}");
    }
    repo.run(&["incident", "resolve", "INC-1", "--yes"]).expect(3);
    repo.run(&["incident", "resolve", "INC-2", "--yes"]).expect(3);
}

#[test]
fn nothing_is_written_that_says_too_little_or_names_what_is_not_there() {
    let world = World::new();
    let repo = deployed(&world);
    let before = repo.rev("main");
    let open = |more: &[&str]| repo.run(&[&["incident", "open", "INC-1", GATE, "--yes"], more].concat());
    let missing = open(&["--env", "production"]).expect(2);
    assert!(
        missing.stderr.contains("--severity") && missing.stderr.contains("--summary"),
        "{}",
        missing.stderr
    );
    for wrong in [
        ["--env", "nowhere", "--severity", "high", "--summary", "s"],
        ["--env", "production", "--severity", "awful", "--summary", "s"],
    ] {
        open(&wrong).expect(2);
    }
    open(&[&SAID[..], &["--metric", "rate=NaN"]].concat()).expect(2);
    assert_eq!(repo.rev("main"), before);
}

#[test]
fn a_bot_opens_an_incident_and_resolves_none() {
    let world = World::new();
    let repo = deployed(&world);
    repo.sign_in("eval-ci");
    repo.run(&[&["incident", "open", "INC-1", GATE, "--yes"], &SAID[..]].concat()).expect(0);
    let before = repo.rev("main");
    for who in ["eval-ci", "j.doe"] {
        repo.sign_in(who);
        let refused = repo.run(&["incident", "resolve", "INC-1", "--yes"]).expect(3);
        assert!(refused.stderr.contains("not-in-role"), "{}", refused.stderr);
    }
    assert_eq!(repo.rev("main"), before);
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "blocked");
}

#[test]
fn where_the_mainline_takes_merges_alone_it_waits_on_a_branch() {
    let world = World::new();
    let repo = deployed(&world);
    let before = repo.rev("main");
    repo.run(&[&["incident", "open", "INC-1", GATE, "--yes", "--branch"], &SAID[..]].concat()).expect(0);
    assert_eq!(repo.rev("main"), before);
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "allowed");
    repo.merge("l.wu", "incident/INC-1");
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "blocked");
}
