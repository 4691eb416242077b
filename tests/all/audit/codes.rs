//! Every code of an audit, each where a real repository gives cause for it, and the words that people read.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::attacks::{lying, rewind, unapproved};
use super::*;

/// What happened, and what else is asked.
type Story = (&'static str, fn(&Repo<'_>) -> Vec<String>);

const STORIES: [Story; 16] = [
    ("the mainline goes back behind what a record judged", |repo| {
        repo.allowed_gate(GATE);
        let kept = repo.rev("main");
        repo.allowed_gate(NEXT);
        repo.deploy_record("bot", NEXT, "production", "requirements");
        repo.switch("main").git(&["reset", "-q", "--hard", &kept]);
        vec![]
    }),
    ("the log loses a record that the mainline holds", |repo| {
        let first = deployed(repo);
        repo.deploy_record("bot", GATE, "production", "requirements");
        repo.merge("l.wu", "deployments/production");
        rewind(repo, &first);
        vec![]
    }),
    ("the log goes another way than the record that the mainline holds", |repo| {
        let first = deployed(repo);
        repo.deploy_record("bot", GATE, "production", "requirements");
        repo.merge("l.wu", "deployments/production");
        rewind(repo, &first);
        repo.deploy_record("bot", GATE, "production", "requirements");
        vec![]
    }),
    ("a bot goes on after a rewind", |repo| {
        let first = deployed(repo);
        repo.log("bot", "production", &lying(repo, "requirements").line("Gate-Restart", &first));
        vec![]
    }),
    ("the log holds what is no record of it, and a stranger's word that one failed", |repo| {
        let record = deployed(repo);
        let failed = Decision::new("deploy-failed", GATE)
            .line("Gate-Environment", "production")
            .line("Gate-Record", &record);
        repo.log("mallory", "production", &failed);
        repo.log("bot", "production", &Decision::deploy(GATE, "staging", "requirements", &repo.root));
        vec![]
    }),
    ("a stranger deploys, and so does a person who may not", |repo| {
        repo.allowed_gate(GATE);
        repo.deploy_record("mallory", GATE, "production", "requirements");
        repo.deploy_record("l.wu", GATE, "production", "requirements");
        vec![]
    }),
    ("the key of a record is revoked later", |repo| {
        deployed(repo);
        let key = crate::attacks_history::keys::fingerprint(repo.world, "bot");
        let text =
            format!("\n[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n");
        crate::attacks_history::enact(repo, &Policy::small().serial(2).with(&text));
        vec![]
    }),
    ("a record changes files", |repo| {
        repo.allowed_gate(GATE);
        misshapen(repo, &[], "planted.txt");
        vec![]
    }),
    ("a record bears another's name as its author", |repo| {
        repo.allowed_gate(GATE);
        misshapen(repo, &[("GIT_AUTHOR_NAME", "l.wu")], "");
        vec![]
    }),
    ("a record judged what is older than what the one before it judged", |repo| {
        deployed(repo);
        let older = repo.rev("main");
        repo.allowed_gate(NEXT);
        let newer = repo.rev("main");
        repo.deploy_record("bot", NEXT, "production", "requirements");
        repo.git(&["update-ref", "refs/heads/main", &older]);
        repo.deploy_record("bot", GATE, "production", "requirements");
        repo.switch("main");
        repo.git(&["reset", "-q", "--hard", &newer]);
        vec![]
    }),
    ("a record is dated back", |repo| {
        deployed(repo);
        repo.world.days(-40);
        repo.deploy_record("bot", GATE, "production", "requirements");
        vec![]
    }),
    ("a record is dated ahead", |repo| {
        repo.allowed_gate(GATE);
        repo.world.days(3);
        repo.deploy_record("bot", GATE, "production", "requirements");
        vec![]
    }),
    ("what nobody approved is deployed as if it were", |repo| {
        unapproved(repo);
        repo.deploy_record("bot", GATE, "production", "requirements");
        vec![]
    }),
    ("what runs rests on an exception that has ended", |repo| {
        repo.open("j.doe", GATE);
        repo.approve("j.rivera", GATE, "ml-lead");
        repo.except("j.doe", GATE, "approval:product-lead", &repo.world.day(-2));
        repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
        repo.merge("l.wu", &format!("gate/{GATE}"));
        repo.deploy_record("bot", GATE, "production", "exception");
        vec![]
    }),
    ("something else runs than what the log says", |repo| {
        repo.allowed_gate(GATE);
        let digest = format!("prompts/summarize.txt=sha256:{}", "2".repeat(64));
        repo.log("bot", "production", &lying(repo, "requirements").line("Gate-Artifact", &digest));
        runs(repo, &format!("{{\"production\": [\"sha256:{}\"]}}", "1".repeat(64)))
    }),
    ("a record names no artifact, so that anything could run by it", |repo| {
        deployed(repo);
        runs(repo, &format!("{{\"production\": [\"sha256:{}\"]}}", "1".repeat(64)))
    }),
];

#[test]
fn every_code_is_told_where_a_repository_gives_cause_for_it() {
    let mut seen = BTreeSet::new();
    let mut told = String::new();
    for (name, happens) in STORIES {
        let world = World::new();
        world.days(-10);
        let repo = world.governance_repo();
        let more = happens(&repo);
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let answer = audit(&repo, &more).expect(10).json();
        let _ = writeln!(told, "{name}");
        for violation in answer["violations"].as_array().unwrap() {
            let (code, message) =
                (violation["code"].as_str().unwrap(), violation["message"].as_str().unwrap());
            let _ = writeln!(told, "  {code}: {}", crate::pages::masked(&repo, message));
            seen.insert(code.to_owned());
        }
        // The same, and as much of it, in the other forms.
        for form in ["text", "markdown"] {
            let text = repo.run(&[&["audit", "--format", form], &more[..]].concat()).expect(10).stdout;
            for code in codes(&answer) {
                assert!(text.contains(&code), "{name}: {code} is not in {form}\n{text}");
            }
        }
    }
    let all: BTreeSet<String> =
        git_gate::insight::VIOLATIONS.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(seen, all);
    crate::pages::snapshot("output", "audit-violations", &told);
}

#[test]
fn a_record_that_changes_files_or_was_signed_again_supports_nothing_and_is_named() {
    for (variables, file) in [(vec![], "planted.txt"), (vec![("GIT_AUTHOR_NAME", "l.wu")], "")] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let record = misshapen(&repo, &variables, file);
        // Plain git finds nothing wrong with it.
        repo.git_verifies(&record).expect(0);
        let answer = wrong(&repo, &["record-misshapen"]);
        assert_eq!(answer["violations"][0]["record"], record);
        assert_eq!(deployment(&answer, &record)["counts"], false);
        let status = repo.run(&["status", "--format", "json"]).expect(0).json();
        assert!(!status.to_string().contains(&record), "{status:#}");
    }
}

#[test]
fn a_record_that_names_no_artifact_does_not_pass_for_what_runs() {
    let world = World::new();
    let repo = world.governance_repo();
    let record = deployed(&repo);
    let more = runs(&repo, &format!("{{\"production\": [\"sha256:{}\"]}}", "1".repeat(64)));
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let answer = audit(&repo, &more).expect(10).json();
    assert_eq!(codes(&answer), ["running-unknown", "running-not-logged"]);
    assert_eq!(answer["violations"][0]["record"], record);
    assert_eq!(answer["running"]["agree"], serde_json::json!([]));
}

/// A gate that is allowed, deployed once.
fn deployed(repo: &Repo<'_>) -> String {
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements")
}

/// Signs, as the bot, a record with more in its tree, or with other names on it than its signer's.
fn misshapen(repo: &Repo<'_>, variables: &[(&str, &str)], file: &str) -> String {
    let message = repo.switch("main").message(&lying(repo, "requirements"));
    if !file.is_empty() {
        repo.write(file, "x").git(&["add", "-A"]);
    }
    let tree = repo.git(&["write-tree"]);
    repo.git(&["reset", "-q", "--hard", "main"]);
    let key = format!("user.signingkey={}", repo.world.key("bot").display());
    let date = repo.world.time();
    let mut all = vec![
        ("GIT_AUTHOR_NAME", "bot"),
        ("GIT_AUTHOR_EMAIL", "bot@example.com"),
        ("GIT_COMMITTER_NAME", "bot"),
        ("GIT_COMMITTER_EMAIL", "bot@example.com"),
        ("GIT_AUTHOR_DATE", date.as_str()),
        ("GIT_COMMITTER_DATE", date.as_str()),
    ];
    all.extend(variables);
    let args = [
        "-c",
        "gpg.format=ssh",
        "-c",
        &key,
        "commit-tree",
        "-S",
        "-p",
        "main",
        "-m",
        message.trim_end(),
        &tree,
    ];
    let record = repo.world.git_with(&repo.path, &args, &all).expect(0).stdout.trim_end().to_owned();
    rewind(repo, &record);
    record
}

/// Says what runs.
fn runs(repo: &Repo<'_>, text: &str) -> Vec<String> {
    let file = repo.world.dir().join("running.json");
    std::fs::write(&file, text).unwrap();
    vec!["--running".to_owned(), file.to_str().unwrap().to_owned()]
}
