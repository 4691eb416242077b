//! Integrity: the gate directory reads whole (`integrity:content`) and people stand behind it (`integrity:authors`).
//!
//! Both lines are always shown where a directory stands. `integrity:break-glass` has its own file.

use super::case::{Case, notice};
use super::text::{Words, list, quoted_list};
use super::{By, Content, Notice, Requirement, RequirementId, Status};
use crate::model::Name;
use crate::policy::Policy;
use crate::request::GateRequest;

/// `integrity:content`: the directory is valid, its request reads, and the policy knows its words.
pub(super) fn content(case: &Case<'_>) -> Option<Requirement> {
    let content = case.content?;
    let mut wrong = match &content.request {
        Ok(request) => unknown_words(case, request),
        Err(reasons) if reasons.is_empty() => vec!["the directory is invalid".to_owned()],
        Err(reasons) => reasons.clone(),
    };
    if content.digest.is_none() && wrong.is_empty() {
        wrong.push("the directory has no digest".into());
    }
    let (status, found) = match (&content.digest, wrong.is_empty()) {
        (Some(digest), true) => (Status::Met, digest.to_string()),
        (_, _) => (Status::Failed, wrong.join("; ")),
    };
    let line = Requirement::new(
        RequirementId::IntegrityContent,
        status,
        "a valid directory and request that the policy understands",
        found,
    );
    let mend =
        format!("mend what is named, in a signed commit on the branch {}", case.facts.gate.branch().quoted());
    Some(line.by(changed_by(content)).next(Vec::new(), mend))
}

/// `integrity:authors`: every file was last changed by a commit whose signature counts, and one author is a person.
pub(super) fn authors(case: &Case<'_>) -> Option<Requirement> {
    let content = case.content?;
    let mut wrong: Vec<String> = content
        .unsigned_files
        .iter()
        .map(|file| {
            format!(
                "{} was last changed by {}: {} ({})",
                file.path.quoted(),
                file.commit.short(),
                file.code,
                file.reason
            )
        })
        .collect();
    let mut by: Vec<By> =
        content.unsigned_files.iter().map(|file| By { commit: file.commit, principal: None }).collect();
    if content.authors.is_empty() {
        wrong.push("nobody is known to stand behind it".into());
    } else if content.authors.iter().all(|author| case.policy.bots.contains(author)) {
        wrong.push(format!(
            "all authors are bots ({}): name whom it is for in `requested_by`",
            quoted_list(&content.authors)
        ));
    }
    let status = if wrong.is_empty() { Status::Met } else { Status::Failed };
    let found = if wrong.is_empty() { list(&content.authors) } else { wrong.join("; ") };
    if wrong.is_empty() {
        by = changed_by(content);
    }
    let line = Requirement::new(
        RequirementId::IntegrityAuthors,
        status,
        "every file signed, a person among the authors",
        found,
    );
    Some(line.by(by).next(
        Vec::new(),
        "take the change back in a signed commit, or remove the file and add it again, signed",
    ))
}

/// A notice for each evidence kind of the request that the policy does not name anywhere.
pub(super) fn notices(case: &Case<'_>) -> Vec<Notice> {
    let entries = case.request.into_iter().flat_map(|request| &request.evidence);
    entries
        .filter(|entry| !names_evidence(case.policy, &entry.kind))
        .map(|entry| {
            let words = format!("the policy names no evidence {}: nothing asks for it", entry.kind.quoted());
            notice("evidence-kind-unknown", words)
        })
        .collect()
}

fn changed_by(content: &Content) -> Vec<By> {
    content.changed_by.iter().map(|commit| By { commit: *commit, principal: None }).collect()
}

fn unknown_words(case: &Case<'_>, request: &GateRequest) -> Vec<String> {
    let policy = case.policy;
    let mut wrong = Vec::new();
    if request.gate != case.facts.gate {
        wrong.push(format!("`gate.toml` names gate {}", request.gate.quoted()));
    }
    for kind in request.kinds.iter().filter(|kind| !policy.kinds.contains(kind)) {
        wrong.push(format!("unknown kind {}; the policy has {}", kind.quoted(), quoted_list(&policy.kinds)));
    }
    if !policy.risks.contains(&request.risk) {
        wrong.push(format!(
            "unknown risk {}; the policy has {}",
            request.risk.quoted(),
            quoted_list(&policy.risks)
        ));
    }
    wrong
}

fn names_evidence(policy: &Policy, kind: &Name) -> bool {
    policy.evidence.contains_key(kind)
        || policy.rules.iter().any(|rule| {
            rule.evidence.contains(kind) || rule.criteria.iter().any(|criterion| criterion.evidence == *kind)
        })
}
