//! Incidents for people: which version, how bad, since when, and what they hit.

use crate::insight::{IncidentLine, Origin};

use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Page, Section, Tone, Word, counted};

/// The page.
pub(super) fn incidents_page(lines: &[IncidentLine], origin: &Origin) -> Page {
    let open = lines.iter().filter(|line| line.hit.open).count();
    let many = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let sections = [
        Section::entries("Incidents", lines.iter().map(entry).collect()),
        Section::entries("Notices", origin.notices.iter().map(judgement::notice).collect()),
        Section::facts("Judged from", origin_facts(origin)),
    ];
    Page {
        word: Word::new("incidents", Tone::Plain),
        about: format!("{}, {open} open", counted(many(lines.len()), "incident")),
        lead: Vec::new(),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn entry(line: &IncidentLine) -> Entry {
    let incident = &line.fact.incident;
    let (word, tone) = if line.hit.open { ("open", Tone::Bad) } else { ("resolved", Tone::Good) };
    let said = format!("{} in {}: {}", incident.gate, incident.environment, incident.summary);
    let record = line.record.as_ref();
    Entry::named(line.hit.id.to_string(), said)
        .word(word, tone)
        .prose("severity", incident.severity.to_string())
        .prose("began", line.hit.began.to_string())
        .prose("ended", line.hit.ended.map(|ended| ended.to_string()).unwrap_or_default())
        .prose("cause", incident.cause.clone().unwrap_or_default())
        .prose(
            "hit",
            record
                .map_or("no deployment".to_owned(), |record| format!("what was deployed at {}", record.time)),
        )
        .exact("record", record.map(|record| record.commit.to_string()).unwrap_or_default())
        .exact("opened by", line.fact.opened.to_string())
}
