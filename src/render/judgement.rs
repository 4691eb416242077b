//! A judgement as a page: the verdict and its reasons first, then the checklist, the decisions, and where it all comes
//! from.
//!
//! Whoever is woken at night reads the first lines; whoever audits reads all of them. Nothing is left out: what did not
//! count is listed with its code, and waived is never shown as met (design, section 2.2).

use std::collections::BTreeSet;

use crate::insight::Judgement;
use crate::model::Code;
use crate::verdict::{
    Basis, By, DecisionShown, ExceptionShown, Next, Notice, Outcome, Requirement, RequirementId, Status,
    Verdict,
};

use super::origin::{change_facts, origin_facts};
use super::page::{Entry, Page, Section, Tone, Word, counted, list};

/// So many reasons stand above the checklist; it holds the others too.
const MOST_REASONS: usize = 5;

/// One page for each judgement; where they all come from stands once, on the last.
pub(super) fn pages(judgements: &[Judgement]) -> Vec<Page> {
    let last = judgements.len().saturating_sub(1);
    judgements.iter().enumerate().map(|(at, judgement)| page(judgement, at == last)).collect()
}

fn page(judgement: &Judgement, with_origin: bool) -> Page {
    let Judgement { verdict, origin } = judgement;
    let (counted, not_counted): (Vec<_>, Vec<_>) =
        verdict.decisions.iter().partition(|decision| decision.code.is_none());
    let mut notices: Vec<&Notice> = verdict.notices.iter().collect();
    if with_origin {
        notices.extend(&origin.notices);
    }
    notices.sort();
    notices.dedup();
    let entries = |decisions: Vec<&DecisionShown>| decisions.into_iter().map(decision).collect();
    let origin_section = if with_origin { Section::facts("Judged from", origin_facts(origin)) } else { None };
    let sections = [
        Section::entries("Checklist", verdict.requirements.iter().map(requirement).collect()),
        Section::entries("Decisions that did not count", entries(not_counted)),
        Section::entries("Decisions that count", entries(counted)),
        Section::entries("Exceptions", verdict.exceptions.iter().map(exception).collect()),
        Section::entries("Notices", notices.into_iter().map(notice).collect()),
        Section::facts("The change", change_facts(verdict)),
        origin_section,
    ];
    Page {
        word: Word::new(verdict.outcome.as_str(), tone(verdict.outcome)),
        about: format!("{} → {}", verdict.gate, verdict.environment),
        lead: lead(verdict, &origin.relaxations),
        sections: sections.into_iter().flatten().collect(),
    }
}

pub(super) fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Allowed(Basis::Requirements) => Tone::Good,
        Outcome::Allowed(Basis::Exception | Basis::Rollback) => Tone::Accepted,
        Outcome::Pending => Tone::Open,
        Outcome::Blocked => Tone::Bad,
    }
}

/// Why, in the first lines.
fn lead(verdict: &Verdict, relaxations: &[String]) -> Vec<Entry> {
    let mut lead = match verdict.outcome {
        Outcome::Allowed(basis) => allowed_on(verdict, basis),
        Outcome::Pending => reasons(verdict, |status| matches!(status, Status::Missing | Status::Stale)),
        Outcome::Blocked => reasons(verdict, |status| status == Status::Failed),
    };
    if !relaxations.is_empty() {
        let flags = list(relaxations.iter().map(|flag| format!("`{flag}`")));
        lead.push(Entry::sentence(format!("judged with {flags}: `deploy` and `attest` refuse this")));
    }
    lead
}

fn allowed_on(verdict: &Verdict, basis: Basis) -> Vec<Entry> {
    let of_status = |wanted: &dyn Fn(Status) -> bool| -> Vec<&Requirement> {
        verdict.requirements.iter().filter(|line| wanted(line.status)).collect()
    };
    let ids = |lines: Vec<&Requirement>| list(lines.iter().map(|line| format!("`{}`", line.id)));
    let sentence = match basis {
        Basis::Requirements => {
            let met = u64::try_from(verdict.requirements.len()).unwrap_or(u64::MAX);
            format!("on its requirements: all met ({met})")
        }
        Basis::Exception => {
            format!("on an exception, which waives {}", ids(of_status(&|status| status == Status::Waived)))
        }
        Basis::Rollback => {
            let open = of_status(&|status| match status {
                Status::Missing | Status::Stale | Status::Failed => true,
                Status::Met | Status::Waived => false,
            });
            if open.is_empty() {
                "on a rollback: it ran here before".to_owned()
            } else {
                format!("on a rollback: it ran here before, which passes over {}", ids(open))
            }
        }
    };
    vec![Entry::sentence(sentence)]
}

fn reasons(verdict: &Verdict, wanted: impl Fn(Status) -> bool) -> Vec<Entry> {
    let (at_work, others): (Vec<&Requirement>, Vec<&Requirement>) =
        verdict.requirements.iter().filter(|line| is_open(line.status)).partition(|line| wanted(line.status));
    let mut reasons: Vec<Entry> = at_work
        .iter()
        .take(MOST_REASONS)
        .map(|line| Entry::named(line.id.to_string(), found_and_expected(line)))
        .collect();
    let more = at_work.len().saturating_sub(MOST_REASONS);
    let more = u64::try_from(more).unwrap_or(u64::MAX);
    if more > 0 {
        reasons.push(Entry::sentence(format!("and {} like these, below", counted(more, "line"))));
    }
    let others = u64::try_from(others.len()).unwrap_or(u64::MAX);
    if others > 0 {
        let verb = if others == 1 { "awaits" } else { "await" };
        reasons
            .push(Entry::sentence(format!("besides, {} {verb} people or reports", counted(others, "line"))));
    }
    reasons
}

pub(super) fn is_open(status: Status) -> bool {
    match status {
        Status::Missing | Status::Stale | Status::Failed => true,
        Status::Met | Status::Waived => false,
    }
}

fn found_and_expected(line: &Requirement) -> String {
    match (line.found.is_empty(), line.expected.is_empty()) {
        (false, false) => format!("{}; expected {}", line.found, line.expected),
        (true, false) => format!("expected {}", line.expected),
        (_, true) => line.found.clone(),
    }
}

pub(super) fn requirement(line: &Requirement) -> Entry {
    let entry = match line.status {
        // One line for each: who looks for what is wrong does not read these.
        Status::Met => Entry::named(line.id.to_string(), met_words(line)).prose("by", people(&line.by)),
        Status::Missing | Status::Stale | Status::Failed | Status::Waived => open_entry(line),
    };
    status_word(entry, line.status)
}

/// The entry with how it stands.
pub(super) fn status_word(entry: Entry, status: Status) -> Entry {
    let (word, tone) = match status {
        Status::Met => ("met", Tone::Good),
        Status::Missing => ("missing", Tone::Open),
        Status::Stale => ("stale", Tone::Open),
        // In capitals: found by eye in a long list without colours too.
        Status::Failed => ("FAILED", Tone::Bad),
        Status::Waived => ("waived", Tone::Accepted),
    };
    entry.word(word, tone)
}

/// What was found; with what was expected, where that is the policy's to say.
fn met_words(line: &Requirement) -> String {
    match line.id {
        RequirementId::Evidence(_)
        | RequirementId::Criterion(_)
        | RequirementId::Approval(_)
        | RequirementId::Artifact(_)
        | RequirementId::Requires(_) => found_and_expected(line),
        RequirementId::GateRecorded
        | RequirementId::GateOpen
        | RequirementId::IntegrityContent
        | RequirementId::IntegrityAuthors
        | RequirementId::IntegrityBreakGlass
        | RequirementId::Environment(_)
        | RequirementId::RulesNone
        | RequirementId::Rejection(_)
        | RequirementId::Incident(_)
        | RequirementId::Freeze(_) => line.found.clone(),
    }
}

fn open_entry(line: &Requirement) -> Entry {
    let mut entry = Entry::named(line.id.to_string(), "")
        .prose("expected", line.expected.as_str())
        .prose("found", line.found.as_str());
    if let Some(next) = &line.next {
        entry = next_step(entry, &line.id, next);
    }
    let rules = list(line.rules.iter().map(|rule| format!("`{rule}`")));
    entry.prose("by", commits(&line.by)).prose("rules", rules)
}

/// Who can, and how. A command is for pasting; a mend in words is for reading.
fn next_step(entry: Entry, id: &RequirementId, next: &Next) -> Entry {
    let who = if next.who.is_empty() { whoever(id).to_owned() } else { list(&next.who) };
    let entry = entry.prose("who", who);
    if next.command.starts_with("git ") {
        entry.exact("run", next.command.as_str())
    } else {
        entry.prose("mend", next.command.as_str())
    }
}

/// Who can, where nobody is named.
fn whoever(id: &RequirementId) -> &'static str {
    match id {
        RequirementId::GateRecorded
        | RequirementId::GateOpen
        | RequirementId::IntegrityContent
        | RequirementId::IntegrityAuthors
        | RequirementId::Environment(_)
        | RequirementId::Evidence(_)
        | RequirementId::Criterion(_)
        | RequirementId::Artifact(_)
        | RequirementId::Requires(_) => "whoever works on the gate",
        RequirementId::IntegrityBreakGlass => "whoever answers for that deployment",
        RequirementId::RulesNone => "who may change the policy",
        RequirementId::Approval(_) => "nobody is left who may",
        RequirementId::Rejection(_) => "who rejected it",
        RequirementId::Incident(_) => "a person who holds a role",
        RequirementId::Freeze(_) => "nobody: it ends by itself",
    }
}

/// The people behind what is met; commits of nobody known say little there.
fn people(by: &[By]) -> String {
    let known =
        by.iter().filter_map(|by| Some(format!("{} ({})", by.principal.as_ref()?, by.commit.short())));
    list(known)
}

fn commits(by: &[By]) -> String {
    list(by.iter().map(|by| match &by.principal {
        Some(principal) => format!("{principal} ({})", by.commit.short()),
        None => by.commit.short(),
    }))
}

pub(super) fn decision(shown: &DecisionShown) -> Entry {
    let fact = &shown.fact;
    let action = fact.verb.map_or("a decision that does not read", |verb| verb.as_str());
    let role = fact.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
    let reason = fact.reason.as_ref().map(|reason| format!(" for {reason}")).unwrap_or_default();
    let who = fact.principal.as_ref().map_or("nobody known".to_owned(), ToString::to_string);
    let environments = if fact.environments.is_empty() {
        String::new()
    } else {
        format!(", for {} only", list(&fact.environments))
    };
    let recorded = match fact.recorded_at {
        Some(time) => format!("recorded {time}"),
        None => "not recorded yet".to_owned(),
    };
    let (word, tone) = match shown.code {
        Some(code) => (code.as_str(), Tone::Open),
        None => ("counts", Tone::Good),
    };
    let mut entry = Entry::sentence(format!("{action}{role}{reason} by {who}{environments}"))
        .word(word, tone)
        .prose("why", shown.reason.clone().unwrap_or_default())
        .prose("mend", shown.code.and_then(Code::mend).unwrap_or_default())
        .prose("says", fact.words.as_str())
        .prose("when", format!("signed {}, {recorded}", fact.signed_at))
        .exact("commit", fact.commit.to_string());
    if let Some(key) = &fact.key {
        entry = entry.exact("key", key.as_str());
    }
    if let Some(record) = fact.record {
        entry = entry.exact("record", record.to_string());
    }
    entry
}

pub(super) fn exception(shown: &ExceptionShown) -> Entry {
    let until = shown.expires.map(|time| format!(" until {time}")).unwrap_or_default();
    let waives = list(shown.waives.iter().map(|id| format!("`{id}`")));
    let (word, tone) =
        if shown.in_force { ("in force", Tone::Accepted) } else { ("not in force", Tone::Open) };
    Entry::sentence(format!("waives {waives}{until}"))
        .word(word, tone)
        .prose("why", shown.reason.as_str())
        .exact("commit", shown.commit.to_string())
        .exact("content", shown.content.to_string())
}

/// Notices of the history alone, each once.
pub(super) fn notices(notices: &[Notice]) -> Vec<Entry> {
    notices.iter().collect::<BTreeSet<_>>().into_iter().map(notice).collect()
}

pub(super) fn notice(notice: &Notice) -> Entry {
    Entry::named(notice.code, notice.message.as_str())
}
