//! The approver's brief as a page: what a signature says, what changes, the numbers, what is unmet, who decided.
//!
//! In the order in which somebody reads who is about to sign. What several environments have in common stands once.

use std::collections::BTreeSet;

use crate::insight::{
    ArtifactChange, Assertion, Brief, ChangeAgainst, Deployed, EnvironmentBrief, FileChange, How, Line,
    Signing, Text,
};
use crate::model::Name;
use crate::verdict::{AskedNumber, Notice, Number, Outcome, Requirement, RequirementId, Status};

use super::judgement;
use super::origin::{change_facts, origin_facts};
use super::page::{Diff, Entry, Page, Section, Tone, Word, counted, list};

/// So many numbers that no criterion asks for stand on the page; JSON has all.
const MOST_OTHERS: usize = 8;
/// So many open requirements stand beside an environment's verdict.
const MOST_IN_LEAD: usize = 5;

/// The one page of a brief.
pub(super) fn page(brief: &Brief, signing: &Signing) -> Page {
    let first = brief.environments.first();
    let outcome = brief.worst();
    let mut sections = vec![Section::entries("What a signature says", assertions(signing))];
    for change in &brief.changes {
        sections.extend(change_sections(change));
    }
    sections.extend([
        Section::entries("Numbers that criteria ask for", asked(brief)),
        Section::entries("Other numbers", others(brief)),
        Section::entries("Unmet", checklist(brief, true)),
        Section::entries("Met or waived", checklist(brief, false)),
        Section::entries("Who decided", decisions(brief)),
        Section::entries("Exceptions", exceptions(brief)),
        Section::entries("Notices", notices(brief)),
    ]);
    if let Some(environment) = first {
        let judgement = &environment.judgement;
        sections.push(Section::facts("The change", change_facts(&judgement.verdict)));
        sections.push(Section::facts("Judged from", origin_facts(&judgement.origin)));
    }
    Page {
        word: Word::new(
            outcome.map_or("unknown", Outcome::as_str),
            outcome.map_or(Tone::Plain, judgement::tone),
        ),
        about: format!("{}: what there is to decide on", brief.gate),
        lead: brief.environments.iter().map(lead).collect(),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// An environment, its verdict, and the requirements that are open.
fn lead(environment: &EnvironmentBrief) -> Entry {
    let verdict = &environment.judgement.verdict;
    let open = verdict.requirements.iter().filter(|line| judgement::is_open(line.status));
    let open: Vec<String> = open.map(|line| format!("`{}` {}", line.id, line.status.as_str())).collect();
    let more = u64::try_from(open.len().saturating_sub(MOST_IN_LEAD)).unwrap_or(u64::MAX);
    let words = match (open.is_empty(), more) {
        (true, _) => "nothing is unmet".to_owned(),
        (false, 0) => list(open),
        (false, _) => format!("{}, and {more} more", list(open.into_iter().take(MOST_IN_LEAD))),
    };
    Entry::named(verdict.environment.to_string(), words)
        .word(verdict.outcome.as_str(), judgement::tone(verdict.outcome))
}

fn assertions(signing: &Signing) -> Vec<Entry> {
    let mut entries: Vec<Entry> = signing.assertions.iter().map(assertion).collect();
    if let Some(first) = signing.assertions.first() {
        let reasons = list(signing.reasons.iter().map(|reason| format!("`{reason}`")));
        let words = format!("to reject it instead, with a reason of {reasons}");
        entries.push(Entry::sentence(words).exact("run", first.reject.as_str()));
    }
    if let Some(reason) = &signing.refused {
        entries.insert(0, Entry::sentence(reason.as_str()));
    }
    entries
}

/// No name of its own: a digest must fit on the line.
fn assertion(assertion: &Assertion) -> Entry {
    Entry::sentence(assertion.sentence.as_str()).exact("run", assertion.approve.as_str())
}

fn change_sections(change: &ChangeAgainst) -> Vec<Option<Section>> {
    let places = list(&change.environments);
    let head = match &change.deployed {
        Some(deployed) => Entry::sentence(format!("against {}", deployed_words(deployed, &places)))
            .exact("record", deployed.record.to_string()),
        None => Entry::sentence(format!("nothing is deployed in {places}: all of it is new there")),
    };
    let comparison = &change.comparison;
    let mut fields = vec![head];
    fields.extend(comparison.fields.iter().map(|field| {
        let or_nothing = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        Entry::named(field.field, format!("{} → {}", or_nothing(&field.before), or_nothing(&field.after)))
    }));
    if comparison.fields.is_empty() && comparison.artifacts.is_empty() && comparison.files.is_empty() {
        fields.push(Entry::sentence("nothing changes"));
    }
    vec![
        Section::entries("What changes", fields),
        Section::entries("Artifacts that change", comparison.artifacts.iter().map(artifact).collect()),
        Section::diffs("Files that change", comparison.files.iter().map(file).collect()),
    ]
}

fn deployed_words(deployed: &Deployed, places: &str) -> String {
    let by = deployed.principal.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
    format!("{}, logged in {places} at {}{by}", deployed.gate, deployed.time)
}

fn artifact(change: &ArtifactChange) -> Entry {
    let how = match (&change.before, &change.after) {
        (None, _) => How::Added,
        (Some(_), None) => How::Removed,
        (Some(_), Some(_)) => How::Changed,
    };
    let mut entry = Entry::named(change.name.to_string(), "").word(how.as_str(), Tone::Open);
    if let Some(before) = &change.before {
        entry = entry.exact("was", before.to_string());
    }
    if let Some(after) = &change.after {
        entry = entry.exact("is", after.to_string());
    }
    entry.prose("text", list(change.files.iter().map(|file| format!("`{file}`, below"))))
}

fn file(change: &FileChange) -> Diff {
    let (text, shown): (&str, &[Line]) = match &change.text {
        Text::Report => ("a report: see its numbers", &[]),
        Text::Binary => ("no text: look at it in the repository", &[]),
        Text::TooLong => ("too long to show: look at it in the repository", &[]),
        Text::Lines { lines, .. } => ("", lines),
    };
    let mut lines: Vec<(char, String)> = shown.iter().map(line).collect();
    if let Text::Lines { more: more @ 1.., .. } = &change.text {
        let more = u64::try_from(*more).unwrap_or(u64::MAX);
        lines.push(('@', format!("and {}: look at it in the repository", counted(more, "more line"))));
    }
    Diff { entry: Entry::named(change.path.as_str(), text).word(change.how.as_str(), Tone::Open), lines }
}

fn line(line: &Line) -> (char, String) {
    match line {
        Line::Place(before, after) => ('@', format!("from line {before}, now {after}")),
        Line::Same(text) => (' ', text.clone()),
        Line::Removed(text) => ('-', text.clone()),
        Line::Added(text) => ('+', text.clone()),
    }
}

fn asked(brief: &Brief) -> Vec<Entry> {
    let entries = |environment: &EnvironmentBrief| {
        environment.numbers.asked.iter().map(|asked| asked_entry(environment, asked)).collect()
    };
    in_common(brief, entries)
}

fn asked_entry(environment: &EnvironmentBrief, asked: &AskedNumber) -> Entry {
    let id = RequirementId::Criterion(asked.criterion.clone());
    let line = environment.judgement.verdict.requirements.iter().find(|line| line.id == id);
    let entry = Entry::named(asked.criterion.to_string(), format!("`{}` {}", asked.metric, asked.bound));
    let mut entry = match line {
        Some(line) => judgement::status_word(entry, line.status),
        None => entry,
    };
    if asked.numbers.is_empty() {
        entry = entry.prose("now", format!("no report of kind {}", asked.kind));
    }
    for number in &asked.numbers {
        entry = number_facts(entry, number, environment);
    }
    entry
}

fn number_facts(entry: Entry, number: &Number, environment: &EnvironmentBrief) -> Entry {
    let samples = number.samples.map(|count| format!(", {}", counted(count, "sample"))).unwrap_or_default();
    let entry = entry.prose("now", format!("{}{samples}, in `{}`", number.words(), number.file));
    let Some(deployed) = &environment.deployed else { return entry };
    let before = number.deployed_words();
    let before = if before.is_empty() { "nothing of it".to_owned() } else { before };
    let delta = number.delta_words().map(|delta| format!("{delta} against ")).unwrap_or_default();
    entry.prose("before", format!("{delta}{before} in {}", deployed.gate))
}

fn others(brief: &Brief) -> Vec<Entry> {
    let entries = |environment: &EnvironmentBrief| {
        let own =
            environment.own.iter().map(|number| (number, ", as the request reads it: no criterion does"));
        let others = environment.numbers.others.iter().map(|number| (number, ""));
        own.chain(others).map(|(number, more)| other(number, more)).collect()
    };
    let mut entries: Vec<Entry> = in_common(brief, entries);
    let more = u64::try_from(entries.len().saturating_sub(MOST_OTHERS)).unwrap_or(u64::MAX);
    entries.truncate(MOST_OTHERS);
    if more > 0 {
        let all = format!("git gate review {} --format json", brief.gate);
        entries.push(Entry::sentence(format!("and {}", counted(more, "more number"))).exact("run", all));
    }
    entries
}

fn other(number: &Number, more: &str) -> Entry {
    let samples = number.samples.map(|count| format!(", {}", counted(count, "sample"))).unwrap_or_default();
    let before = match (number.delta_words(), number.deployed_words()) {
        (Some(delta), before) => format!(", {delta} against {before}"),
        (None, before) if before.is_empty() => String::new(),
        (None, before) => format!(", before {before}"),
    };
    let words = format!("{}{samples}{before}, in `{}`{more}", number.short_words(), number.file);
    Entry::named(number.metric.as_str(), words)
}

fn checklist(brief: &Brief, open: bool) -> Vec<Entry> {
    let wanted = |line: &&Requirement| {
        let is_open = match line.status {
            Status::Met | Status::Waived => false,
            Status::Missing | Status::Stale | Status::Failed => true,
        };
        is_open == open
    };
    let entries = |environment: &EnvironmentBrief| {
        let lines = environment.judgement.verdict.requirements.iter().filter(wanted);
        lines.map(judgement::requirement).collect()
    };
    in_common(brief, entries)
}

fn decisions(brief: &Brief) -> Vec<Entry> {
    in_common(brief, |environment| {
        environment.judgement.verdict.decisions.iter().map(judgement::decision).collect()
    })
}

fn exceptions(brief: &Brief) -> Vec<Entry> {
    in_common(brief, |environment| {
        environment.judgement.verdict.exceptions.iter().map(judgement::exception).collect()
    })
}

fn notices(brief: &Brief) -> Vec<Entry> {
    let judgements = brief.environments.iter().map(|environment| &environment.judgement);
    let notices: BTreeSet<&Notice> =
        judgements.flat_map(|one| one.verdict.notices.iter().chain(&one.origin.notices)).collect();
    notices.into_iter().map(judgement::notice).collect()
}

/// The entries of all environments, each once; of those that not all have, in which.
fn in_common(brief: &Brief, of: impl Fn(&EnvironmentBrief) -> Vec<Entry>) -> Vec<Entry> {
    let mut found: Vec<(Entry, Vec<&Name>)> = Vec::new();
    for environment in &brief.environments {
        let name = &environment.judgement.verdict.environment;
        for entry in of(environment) {
            match found.iter_mut().find(|(known, places)| *known == entry && !places.contains(&name)) {
                Some((_, places)) => places.push(name),
                None => found.push((entry, vec![name])),
            }
        }
    }
    let all = brief.environments.len();
    let entry = |(entry, places): (Entry, Vec<&Name>)| {
        if places.len() == all { entry } else { entry.prose("only", format!("in {}", list(places))) }
    };
    found.into_iter().map(entry).collect()
}
