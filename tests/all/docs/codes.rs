//! `docs/codes.md` against the program, both ways: every code that is given stands there, and no other does.

use std::collections::BTreeSet;

use git_gate::cli::Exit;
use git_gate::model::{Code, Name};
use git_gate::request::{Exception, ExceptionKind};
use git_gate::verdict::{RequirementId, Status};

use super::{code_of, listed, nothing, page, summarizer};
use crate::markdown::{Row, quoted, section, table};

/// Codes, each with what it means.
type Codes = &'static [(&'static str, &'static str)];

fn codes(list: Codes) -> Vec<String> {
    list.iter().map(|(code, _meaning)| (*code).to_owned()).collect()
}

/// The first column of the table below a heading of the page.
fn told(heading: &str, header: &[&str]) -> Vec<String> {
    listed(&page("codes.md"), heading, header)
}

fn rows(heading: &str, header: &[&str]) -> Vec<Row> {
    let page = page("codes.md");
    table(section(&page, heading).unwrap(), header).unwrap()
}

#[test]
fn every_list_of_codes_stands_there_in_its_order() {
    let lists: [(&str, Codes); 11] = [
        ("### Reading a repository", git_gate::git::CODES),
        ("### Reading its history", git_gate::ledger::CODES),
        ("### Writing", git_gate::git::WRITE_CODES),
        ("### Commands", git_gate::cli::CODES),
        ("### Receiving a push", git_gate::insight::RECEIVING_CODES),
        ("### Any TOML file", git_gate::problem::document::CODES),
        ("### `policy.toml`", git_gate::policy::codes::CODES),
        ("### What keeps a policy from coming into force", git_gate::policy::codes::FINDING_CODES),
        ("### Warnings of `policy lint`", git_gate::policy::codes::LINT_CODES),
        ("### Request files", git_gate::request::CODES),
        ("### In a verdict", git_gate::verdict::NOTICE_CODES),
    ];
    for (heading, list) in lists {
        assert_eq!(told(heading, &["code", "meaning"]), codes(list), "{heading}");
    }
}

#[test]
fn every_decision_code_is_explained_in_its_order() {
    let all: Vec<String> = Code::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(told("## Decision codes", &["code", "why", "what to do"]), all);
}

#[test]
fn every_violation_of_an_audit_is_explained_in_its_order() {
    let header = ["code", "meaning", "what to do"];
    assert_eq!(told("## Violations of an audit", &header), codes(git_gate::insight::VIOLATIONS));
}

#[test]
fn every_exit_status_is_explained() {
    let all = [Exit::Done, Exit::Usage, Exit::Failed, Exit::Blocked, Exit::Pending];
    let all: Vec<String> = all.map(|exit| exit.status().to_string()).to_vec();
    assert_eq!(told("## Exit status", &["exit", "meaning"]), all);
}

/// The codes that a folder names nowhere but where it gives them: `before` and then the code in quotes.
fn given(folder: &str, before: &str) -> BTreeSet<String> {
    let text = code_of(folder);
    let found = text.split(before).skip(1).filter_map(|rest| rest.strip_prefix('"')?.split('"').next());
    found.map(str::to_owned).collect()
}

#[test]
fn every_code_of_allowed_signers_is_explained() {
    let text = [code_of("signature"), code_of("policy")].concat();
    let literals = text.split('"').filter(|literal| literal.starts_with("signers-"));
    let all: BTreeSet<String> = literals.map(str::to_owned).collect();
    assert_eq!(told("### `policy/allowed_signers`", &["code", "meaning"]), Vec::from_iter(all));
}

#[test]
fn every_notice_of_the_history_is_explained() {
    let folders = ["ledger", "insight", "cli"];
    let mut all: BTreeSet<String> = folders.into_iter().flat_map(|folder| given(folder, "code: ")).collect();
    for code in [git_gate::cli::CODES, git_gate::ledger::CODES, git_gate::git::CODES].concat() {
        all.remove(code.0);
    }
    assert_eq!(told("### From the history", &["code", "meaning"]), Vec::from_iter(all));
}

#[test]
fn no_command_fails_with_a_code_that_is_in_no_list() {
    let lists =
        [git_gate::cli::CODES, git_gate::ledger::CODES, git_gate::git::CODES, git_gate::git::WRITE_CODES];
    let known: BTreeSet<String> = lists
        .concat()
        .iter()
        .map(|(code, _)| (*code).to_owned())
        .chain(Code::ALL.map(|code| code.to_string()))
        .collect();
    let mut wrong = Vec::new();
    for folder in ["cli", "ledger", "git"] {
        // As the formatter writes it: on one line, or the code on a line of its own.
        let text = code_of(folder).split_whitespace().collect::<Vec<_>>().join(" ");
        for maker in ["Failure::new(", "Unwritten::new(", "Undecided::new("] {
            let codes = text
                .split(maker)
                .skip(1)
                .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            wrong.extend(
                codes.filter(|code| !known.contains(*code)).map(|code| format!("{folder}: `{code}`")),
            );
        }
    }
    nothing(&wrong);
}

/// How the page writes an id: a new kind of requirement does not compile until it stands here.
fn as_written(id: &RequirementId) -> &'static str {
    match id {
        RequirementId::GateRecorded => "gate:recorded",
        RequirementId::GateOpen => "gate:open",
        RequirementId::IntegrityContent => "integrity:content",
        RequirementId::IntegrityAuthors => "integrity:authors",
        RequirementId::IntegrityBreakGlass => "integrity:break-glass",
        RequirementId::Environment(_) => "environment:<name>",
        RequirementId::RulesNone => "rules:none",
        RequirementId::Evidence(_) => "evidence:<kind>",
        RequirementId::Criterion(_) => "criterion:<name>",
        RequirementId::Approval(_) => "approval:<role>",
        RequirementId::Artifact(Some(_)) => "artifact:<name>",
        RequirementId::Artifact(None) => "artifact:none",
        RequirementId::Requires(_) => "requires:<gate>",
        RequirementId::Rejection(_) => "rejection:<principal>",
        RequirementId::Incident(_) => "incident:<id>",
        RequirementId::Freeze(_) => "freeze:<name>",
    }
}

fn one_of_each() -> Vec<RequirementId> {
    let name: Name = "x".parse().unwrap();
    vec![
        RequirementId::GateRecorded,
        RequirementId::GateOpen,
        RequirementId::IntegrityContent,
        RequirementId::IntegrityAuthors,
        RequirementId::IntegrityBreakGlass,
        RequirementId::Environment(name.clone()),
        RequirementId::RulesNone,
        RequirementId::Evidence(name.clone()),
        RequirementId::Criterion("x".parse().unwrap()),
        RequirementId::Approval(name),
        RequirementId::Artifact(Some("x".parse().unwrap())),
        RequirementId::Artifact(None),
        RequirementId::Requires("x/v1".parse().unwrap()),
        RequirementId::Rejection("x@example.com".parse().unwrap()),
        RequirementId::Incident("x".parse().unwrap()),
        RequirementId::Freeze("x".parse().unwrap()),
    ]
}

const REQUIREMENTS: [&str; 3] = ["requirement", "asks for", "can be waived"];

#[test]
fn every_requirement_is_explained_in_the_order_of_the_checklist() {
    let all = one_of_each();
    let mut sorted = all.clone();
    sorted.sort();
    let order = |ids: &[RequirementId]| ids.iter().map(as_written).collect::<Vec<_>>();
    // `artifact:none` is sorted before the names; nobody minds where of the two it stands.
    let places = |mut ids: Vec<&'static str>| {
        ids.retain(|id| *id != "artifact:none");
        ids
    };
    assert_eq!(places(order(&all)), places(order(&sorted)));
    assert_eq!(told("## Requirements", &REQUIREMENTS), order(&all));
}

#[test]
fn what_can_be_waived_is_told_as_it_is() {
    let page = page("request.md");
    let example = crate::markdown::blocks(&page).unwrap();
    let example = example.iter().find(|block| block.words == ["toml", "exception"]).unwrap();
    let whole = r#"waives = ["criterion:hallucination", "evidence:bias"]"#;
    assert!(example.text.contains(whole));
    for (row, id) in rows("## Requirements", &REQUIREMENTS).iter().zip(one_of_each()) {
        let text = example.text.replace(whole, &format!("waives = [\"{id}\"]"));
        let read = Exception::parse("exception.toml", text.as_bytes(), &summarizer(), ExceptionKind::Main);
        assert_eq!(row.cells[2] == "yes", read.is_ok(), "{id}: {read:?}");
    }
}

#[test]
fn every_status_of_a_requirement_is_explained() {
    let as_shown = |status: Status| match status {
        Status::Met => "met",
        Status::Missing => "missing",
        Status::Stale => "stale",
        Status::Failed => "failed",
        Status::Waived => "waived",
    };
    let all = [Status::Met, Status::Waived, Status::Missing, Status::Stale, Status::Failed].map(as_shown);
    assert_eq!(told("## Status of a requirement", &["status", "meaning", "verdict"]), all);
}

#[test]
fn every_code_that_another_page_names_stands_in_this_one() {
    let known: BTreeSet<String> = quoted(&page("codes.md")).into_iter().collect();
    let prefixes = ["policy-", "signers-", "gate-", "exception-", "incident-", "toml-"];
    let mut wrong = Vec::new();
    for (name, text) in super::pages() {
        for code in quoted(&text) {
            let is_code = code.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !code.ends_with('-');
            if is_code && prefixes.iter().any(|prefix| code.starts_with(prefix)) && !known.contains(&code) {
                wrong.push(format!("{name}: `{code}`"));
            }
        }
    }
    nothing(&wrong);
}
