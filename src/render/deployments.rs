//! Deployments: what was logged just now, the log, and what runs where.
//!
//! The words of a record are for people who read `git log`: programs and replays look at its trailers alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::decision::{ClaimedBasis, Verb};
use crate::insight::{Judgement, LoggedRecord, Origin, Running};
use crate::model::{ArtifactDigest, ArtifactName, ObjectId};
use crate::verdict::{Notice, RecordFact, Replay};

use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Page, Section, Tone, Word, counted, list};

/// What `deploy` did.
#[derive(Debug, Clone, Copy)]
pub struct DeploymentShown<'a> {
    /// The judging that it rests on.
    pub judgement: &'a Judgement,
    /// The record; nothing: none was written.
    pub logged: Option<&'a Logged>,
    /// What would be logged, on which basis.
    pub would: Option<ClaimedBasis>,
    /// Whether nothing was to be written.
    pub dry_run: bool,
}

/// A record that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The log commit.
    pub record: ObjectId,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Whether the remote has it.
    pub pushed: bool,
    /// The basis that it claims.
    pub basis: ClaimedBasis,
    /// Whether it was there before.
    pub already: bool,
}

/// The human part of a record: what was deployed on what basis, who approved, and when the gate was decided (the control's
/// log entry).
pub fn deployment_words(
    judgement: &Judgement,
    basis: ClaimedBasis,
    artifacts: &BTreeMap<ArtifactName, ArtifactDigest>,
    said: Option<&str>,
) -> String {
    let verdict = &judgement.verdict;
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(said) = said.map(str::trim).filter(|said| !said.is_empty()) {
        let _ = writeln!(text, "{said}\n");
    }
    let _ = writeln!(text, "Basis: {basis}");
    if let Some(change) = &verdict.change {
        let _ = writeln!(text, "Change: {}", one_line(&change.summary));
    }
    for (name, digest) in artifacts {
        let _ = writeln!(text, "Artifact: {name} {digest}");
    }
    let signed = verdict.decisions.iter().filter(|decision| decision.code.is_none());
    let mut decided = None;
    for decision in signed {
        let fact = &decision.fact;
        let how = match fact.verb {
            Some(Verb::Approve) => "Approved",
            Some(Verb::AcceptRisk) => "Risk accepted",
            Some(Verb::Reject | Verb::Withdraw | Verb::Close | Verb::Deploy | Verb::DeployFailed) | None => {
                continue;
            }
        };
        let who = fact.principal.as_ref().map(ToString::to_string).unwrap_or_default();
        let role = fact.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
        let _ = writeln!(text, "{how}: {who}{role}, signed {}", fact.signed_at);
        decided = decided.max(fact.recorded_at);
    }
    if let Some(decided) = decided {
        let _ = writeln!(text, "Decided: {decided}");
    }
    text
}

/// The verdict, and on top of it what was logged.
pub(super) fn deploy_pages(shown: &DeploymentShown<'_>) -> Vec<Page> {
    let mut pages = judgement::pages(std::slice::from_ref(shown.judgement));
    let entry = match (shown.logged, shown.would) {
        (Some(logged), _) => {
            let pushed = if logged.pushed { ", and the remote has it" } else { "" };
            let verb = if logged.already { "was logged already" } else { "logged" };
            Entry::sentence(format!("{verb} on `{}`{pushed}", logged.branch))
                .word("logged", Tone::Good)
                .prose("basis", logged.basis.to_string())
                .exact("record", logged.record.to_string())
        }
        (None, Some(basis)) => {
            Entry::sentence(format!("it would be logged, on {basis}")).word("dry run", Tone::Plain)
        }
        (None, None) => Entry::sentence("nothing was logged").word("not logged", Tone::Bad),
    };
    if let Some(page) = pages.first_mut() {
        page.lead.insert(0, entry);
    }
    pages
}

/// The log.
pub(super) fn log_page(records: &[LoggedRecord], origin: &Origin) -> Page {
    let many = u64::try_from(records.len()).unwrap_or(u64::MAX);
    Page {
        word: Word::new("log", Tone::Plain),
        about: counted(many, "record"),
        lead: Vec::new(),
        sections: sections("Records", records.iter().map(entry).collect(), origin),
    }
}

/// What runs where.
pub(super) fn status_page(running: &[Running], origin: &Origin) -> Page {
    let many = u64::try_from(running.len()).unwrap_or(u64::MAX);
    let one = |running: &Running| {
        let debts = list(running.debts.iter().map(ObjectId::short));
        entry(&running.logged).prose("uncovered", debts)
    };
    Page {
        word: Word::new("status", Tone::Plain),
        about: format!("{} running", counted(many, "version")),
        lead: Vec::new(),
        sections: sections("What runs", running.iter().map(one).collect(), origin),
    }
}

fn sections(title: &'static str, entries: Vec<Entry>, origin: &Origin) -> Vec<Section> {
    let notices: Vec<&Notice> = origin.notices.iter().collect();
    let sections = [
        Section::entries(title, entries),
        Section::entries("Notices", notices.into_iter().map(judgement::notice).collect()),
        Section::facts("Judged from", origin_facts(origin)),
    ];
    sections.into_iter().flatten().collect()
}

fn entry(logged: &LoggedRecord) -> Entry {
    let record = &logged.record;
    let who = record.principal.as_ref().map_or("nobody known".to_owned(), ToString::to_string);
    let (word, tone) = word(logged);
    let text = format!("{} on {}, by {who} on {}", logged.environment, record.time, record.claimed);
    let artifacts = record.artifacts.iter().map(|(name, digest)| format!("{name} {digest}"));
    Entry::named(record.gate.to_string(), text)
        .word(word, tone)
        .prose("replay", replay_words(&record.replay))
        .prose("why", record.defect.clone().unwrap_or_default())
        .prose("debt", logged.debt.clone().unwrap_or_default())
        .prose("artifacts", list(artifacts))
        .exact("judged", record.judged.to_string())
        .exact("record", record.commit.to_string())
}

/// How a record stands, in a word.
pub(super) fn word(logged: &LoggedRecord) -> (&'static str, Tone) {
    word_of(logged.break_glass, logged.debt.as_deref(), &logged.record)
}

/// The same of a record that is a break-glass or none, and of why it is not covered.
pub(super) fn word_of(break_glass: bool, debt: Option<&str>, record: &RecordFact) -> (&'static str, Tone) {
    match (break_glass, debt, &record.defect) {
        (true, Some(_), _) => ("uncovered", Tone::Bad),
        (true, None, _) => ("covered", Tone::Accepted),
        (false, _, Some(_)) => ("does not count", Tone::Open),
        (false, _, None) if record.failed => ("failed", Tone::Open),
        (false, _, None) => ("deployed", Tone::Good),
    }
}

/// What judging it again gave.
pub(super) fn replay_words(replay: &Replay) -> String {
    match replay {
        Replay::Allowed { basis, .. } => format!("allowed on {}", basis.as_str()),
        Replay::NotAllowed(open) => format!("not allowed: {}", list(open)),
        Replay::NotReplayable(reason) => format!("cannot be judged again: {reason}"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
