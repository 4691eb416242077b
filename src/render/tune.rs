//! What each threshold would have caught, as a page.

use std::collections::BTreeMap;

use crate::insight::statistics::{Fourfold, LEAST_INCIDENTS, LEAST_OTHERS};
use crate::insight::tune::{Cut, Spread, Suggested, Tuned, Tuning};
use crate::insight::{Origin, Origins};
use crate::model::{Label, Time};
use crate::verdict::Dial;

use super::backtest::probability;
use super::judgement;
use super::origin::origin_facts;
use super::page::{Diff, Entry, Page, Section, Tone, Word, counted, list};

/// How many thresholds of a criterion people are shown; programs are shown all.
const MOST_CUTS: usize = 12;

/// What was measured, and what it speaks for.
#[derive(Debug, Clone)]
pub struct TuneShown<'a> {
    /// The bounds, with the numbers of gates that ran.
    pub tuning: &'a Tuning,
    /// The policy changes that are proposed.
    pub changes: &'a BTreeMap<(Label, Dial), String>,
    /// Where criteria came from, and incidents that changed nothing.
    pub origins: &'a Origins,
    /// From when gates were looked at.
    pub since: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
    /// What it was judged from.
    pub origin: &'a Origin,
}

pub(super) fn tune_page(shown: &TuneShown<'_>) -> Page {
    let proposed =
        shown.tuning.bounds().filter(|tuned| matches!(tuned.suggestion(), Suggested::Bound(_))).count();
    let (word, tone) =
        if proposed == 0 { ("nothing proposed", Tone::Plain) } else { ("proposed", Tone::Open) };
    let mut lead = vec![Entry::sentence(format!(
        "{} ran, and {} led to an incident",
        counted(shown.tuning.ran, "gate"),
        shown.tuning.led
    ))];
    if shown.tuning.is_empty() {
        lead.push(Entry::sentence("no criterion of the policy in force sets a bound that is a number"));
    }
    let mut sections: Vec<Section> = Vec::new();
    sections.extend(Section::entries("Thresholds", shown.tuning.bounds().map(bound).collect()));
    sections.extend(Section::diffs("Proposed", shown.changes.iter().map(change).collect()));
    sections.extend(Section::entries("Where criteria came from", origins(shown.origins)));
    sections.extend(Section::entries("Notices", judgement::notices(&shown.origin.notices)));
    sections.extend(Section::facts("Judged from", origin_facts(shown.origin)));
    Page {
        word: Word::new(word, tone),
        about: format!("criteria of the policy in force, serial {}", shown.origin.policy.serial),
        lead,
        sections,
    }
}

/// A bound as people write it.
pub(super) fn exact(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-5..1e15).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

/// A number to six decimals: where it is shown in passing.
fn short(number: f64) -> String {
    exact(if number.abs() < 1e9 { (number * 1e6).round() / 1e6 } else { number })
}

fn bound(tuned: &Tuned) -> Entry {
    let suggestion = tuned.suggestion();
    let about = format!(
        "{} = {} on {} of {}",
        tuned.dial.as_str(),
        exact(tuned.present),
        tuned.metric,
        tuned.evidence
    );
    let entry = Entry::named(tuned.criterion.as_str(), about)
        .word(
            if let Suggested::Bound(_) = suggestion { "proposed" } else { "stays" },
            if let Suggested::Bound(_) = suggestion { Tone::Open } else { Tone::Plain },
        )
        .prose("rules", list(&tuned.rules))
        .prose("led to incidents", spread_words(&tuned.spread(true)))
        .prose("others", spread_words(&tuned.spread(false)));
    let entry =
        if tuned.unread > 0 { entry.prose("without a number", counted(tuned.unread, "gate")) } else { entry };
    let cuts = tuned.cuts();
    let picked = picked(&cuts, &suggestion);
    let left = cuts.len() - picked.len();
    let entry = picked.into_iter().fold(entry, |entry, cut| entry.prose("threshold", cut_words(cut)));
    let entry = if left > 0 {
        entry.prose("threshold", format!("and {left} more: all of them with `--format json`"))
    } else {
        entry
    };
    entry.prose("therefore", suggested(tuned, &suggestion))
}

/// A policy change, line by line.
fn change(((criterion, dial), change): (&(Label, Dial), &String)) -> Diff {
    let about = format!("{} of {criterion}; with `--patch` as `git apply` takes it", dial.as_str());
    let lines = change.lines().filter(|line| !line.starts_with("---") && !line.starts_with("+++"));
    let marked = |line: &str| {
        let mut rest = line.chars();
        let mark = rest.next().unwrap_or(' ');
        (mark, rest.as_str().trim_matches('@').trim().to_owned())
    };
    let lines = lines.map(|line| if line.starts_with('@') { marked(line) } else { plain(line) });
    Diff { entry: Entry::named("policy/policy.toml", about), lines: lines.collect() }
}

fn plain(line: &str) -> (char, String) {
    let mut rest = line.chars();
    let mark = rest.next().unwrap_or(' ');
    (mark, rest.as_str().to_owned())
}

pub(super) fn spread_words(spread: &Spread) -> String {
    match spread.five {
        None => "none".to_owned(),
        Some([least, lower, median, upper, most]) => format!(
            "{}: least {}, quartiles {} {} {}, greatest {}",
            spread.count,
            short(least),
            short(lower),
            short(median),
            short(upper),
            short(most)
        ),
    }
}

/// The present threshold, the proposed one, and others evenly between them.
fn picked<'c>(cuts: &'c [Cut], suggestion: &Suggested) -> Vec<&'c Cut> {
    let proposed = |cut: &Cut| matches!(suggestion, Suggested::Bound(found) if found.cut == *cut);
    let every = cuts.len().div_ceil(MOST_CUTS).max(1);
    let numbered = cuts.iter().enumerate();
    numbered.filter(|(at, cut)| at % every == 0 || cut.present || proposed(cut)).map(|(_, cut)| cut).collect()
}

fn cut_words(cut: &Cut) -> String {
    let Fourfold { caught, false_alarms, .. } = cut.table;
    format!(
        "{}{}: catches {caught} of {}, stops {false_alarms} of {} others",
        exact(cut.bound),
        if cut.present { " (present)" } else { "" },
        cut.table.incidents(),
        cut.table.others()
    )
}

pub(super) fn suggested(tuned: &Tuned, suggestion: &Suggested) -> String {
    match suggestion {
        Suggested::Bound(found) => format!(
            "{} = {}; chance alone would do as well with probability {} (R12.7)",
            tuned.dial.as_str(),
            exact(found.cut.bound),
            probability(found.p)
        ),
        Suggested::NoIncidents => "nothing: no gate with this number led to an incident".to_owned(),
        Suggested::TooFew(table) => format!(
            "nothing: {} led to incidents and {} to none; at least {LEAST_INCIDENTS} and {LEAST_OTHERS} are asked for (R12.7)",
            table.incidents(),
            table.others()
        ),
        Suggested::Chance(p) => format!(
            "nothing: chance alone would do as well as the best of them with probability {} (R12.7)",
            probability(*p)
        ),
        Suggested::TooDear => {
            "nothing: what would catch more stops more than one in ten of those that led to none (R12.8)"
                .to_owned()
        }
        Suggested::Present => "nothing: no tighter bound catches more than the present one".to_owned(),
    }
}

fn origins(origins: &Origins) -> Vec<Entry> {
    let mut entries: Vec<Entry> = origins
        .criteria
        .iter()
        .filter_map(|(name, origin)| Some(Entry::named(name.as_str(), origin.text.as_deref()?)))
        .collect();
    let without = list(origins.without_origin());
    if !without.is_empty() {
        entries.push(Entry::named("without origin", without));
    }
    let unknown: Vec<String> =
        origins.of_unknown_incidents().map(|(name, text)| format!("{name} ({text})")).collect();
    if !unknown.is_empty() {
        entries.push(Entry::named("origin not known", unknown.join("; ")));
    }
    if !origins.unanswered.is_empty() {
        entries.push(Entry::named("changed nothing", list(&origins.unanswered)));
    }
    entries
}
