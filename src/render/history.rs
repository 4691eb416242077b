//! The history of one gate as a page: one entry for each thing that happened, oldest first.

use std::collections::BTreeSet;

use crate::insight::{Change, Event, FilesChanged, Moment};
use crate::model::{Code, GateName, Name};
use crate::verdict::{DecisionShown, RecordFact};

use super::page::{Entry, Page, Section, Tone, Word, counted, list};

/// The page.
pub(super) fn page(gate: &GateName, moments: &[Moment]) -> Page {
    let many = u64::try_from(moments.len()).unwrap_or(u64::MAX);
    Page {
        word: Word::new("history", Tone::Plain),
        about: format!("{gate}: {} in recorded order", counted(many, "moment")),
        lead: Vec::new(),
        sections: Section::entries("What happened", moments.iter().map(entry).collect())
            .into_iter()
            .collect(),
    }
}

/// What happened, in a few words: the same in every form.
pub(super) fn words(event: &Event) -> String {
    match event {
        Event::Changed(happening) => change_words(&happening.change),
        Event::Decided(shown, counts) => decision_words(shown, counts),
        Event::Deployed(record, environment) => deployment_words(record, environment),
    }
}

/// The kind of event, for programs.
pub(super) fn kind(event: &Event) -> &'static str {
    match event {
        Event::Changed(happening) => match happening.change {
            Change::Opened => "opened",
            Change::Files(_) => "changed",
            Change::Removed => "removed",
            Change::Recorded => "recorded",
            Change::Exception(_) => "exception",
            Change::Incident(..) => "incident",
        },
        Event::Decided(..) => "decision",
        Event::Deployed(..) => "deployment",
    }
}

fn entry(moment: &Moment) -> Entry {
    let who = moment.principal.as_ref().map_or("nobody known".to_owned(), ToString::to_string);
    let when = match (moment.recorded_at, &moment.event) {
        (Some(time), _) => format!("signed {}, recorded {time}", moment.signed_at),
        (None, Event::Deployed(..)) => format!("logged {}", moment.signed_at),
        (None, Event::Changed(_) | Event::Decided(..)) => {
            format!("signed {}, not recorded yet", moment.signed_at)
        }
    };
    let entry = Entry::sentence(format!("{} by {who}", words(&moment.event)));
    let entry = match (moment.event.defect(), &moment.event) {
        (Some((code, reason)), _) => entry
            .word(code.map_or("does not count", Code::as_str), Tone::Open)
            .prose("why", reason)
            .prose("mend", code.and_then(Code::mend).unwrap_or_default()),
        (None, Event::Decided(..)) => entry.word("counts", Tone::Good),
        (None, Event::Deployed(..)) => entry.word("deployed", Tone::Good),
        (None, Event::Changed(_)) => entry.word(kind(&moment.event), Tone::Plain),
    };
    let entry = match &moment.event {
        Event::Decided(shown, _) => entry.prose("says", shown.fact.words.as_str()),
        Event::Changed(_) | Event::Deployed(..) => entry,
    };
    entry.prose("when", when).exact("commit", moment.commit.to_string())
}

fn change_words(change: &Change) -> String {
    match change {
        Change::Opened => "opened".into(),
        Change::Removed => "removed".into(),
        Change::Recorded => "recorded on the mainline".into(),
        Change::Files(files) => files_words(files),
        Change::Exception(paths) => {
            format!("exception changed: {}", list(paths.iter().map(|path| format!("`{path}`"))))
        }
        Change::Incident(id, what) => format!("incident {id} {what}"),
    }
}

fn files_words(changed: &FilesChanged) -> String {
    let reports = |verb: &str, reports: &[(Name, String)]| {
        let named = reports.iter().map(|(kind, file)| format!("{kind} `{file}`"));
        (!reports.is_empty()).then(|| format!("{verb} {}", list(named)))
    };
    let artifacts = (!changed.artifacts.is_empty())
        .then(|| format!("artifacts {}", list(changed.artifacts.iter().map(|name| format!("`{name}`")))));
    let told = !(changed.attached.is_empty()
        && changed.replaced.is_empty()
        && changed.detached.is_empty()
        && changed.artifacts.is_empty());
    // That gate.toml lists what was attached goes without saying.
    let files = changed.files.iter().filter(|path| !(told && *path == "gate.toml"));
    let files: Vec<String> = files.map(|path| format!("`{path}`")).collect();
    let others = (!files.is_empty()).then(|| format!("changed {}", list(files)));
    let parts = [
        reports("attached", &changed.attached),
        reports("replaced", &changed.replaced),
        reports("detached", &changed.detached),
        artifacts,
        others,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "merged".into() } else { parts.join("; ") }
}

fn decision_words(shown: &DecisionShown, counts: &BTreeSet<Name>) -> String {
    let fact = &shown.fact;
    let action = fact.verb.map_or("a decision that does not read", |verb| verb.as_str());
    let role = fact.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
    let reason = fact.reason.as_ref().map(|reason| format!(" for {reason}")).unwrap_or_default();
    let scope = if fact.environments.is_empty() {
        String::new()
    } else {
        format!(", for {} only", list(&fact.environments))
    };
    let counts = if counts.is_empty() { String::new() } else { format!(" (counts in {})", list(counts)) };
    format!("{action}{role}{reason}{scope}{counts}")
}

fn deployment_words(record: &RecordFact, environment: &Name) -> String {
    let failed = if record.failed { ", and failed" } else { "" };
    format!("deployed to {environment} on {}{failed}", record.claimed)
}
