//! What a proposed policy would have done, as a page.

use std::collections::BTreeSet;

use crate::insight::Origin;
use crate::insight::backtest::{Backtest, Cells, Flip, Score};
use crate::insight::statistics::{Conclusion, LEAST_INCIDENTS, LEAST_OTHERS};
use crate::model::{Name, Time};
use crate::verdict::{Outcome, RequirementId, Status};

use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Page, Section, Tone, Word, counted, list};

/// How many flips people are shown; programs are shown all.
const MOST_FLIPS: usize = 50;
/// How many of what is left out are named.
const MOST_NAMED: usize = 10;

/// What was tried, and what came out.
#[derive(Debug, Clone)]
pub struct BacktestShown<'a> {
    /// Which policy: a path, or a commit.
    pub policy: &'a str,
    /// The serial of the policy in force.
    pub serial: u64,
    /// Its own.
    pub proposed_serial: u64,
    /// Why it could not come into force.
    pub problems: &'a [String],
    /// From when gates were looked at.
    pub since: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
    /// What came out.
    pub found: &'a Backtest,
    /// What it was judged from.
    pub origin: &'a Origin,
}

pub(super) fn backtest_page(shown: &BacktestShown<'_>) -> Page {
    let found = shown.found;
    let flips = u64::try_from(found.flips.len()).unwrap_or(u64::MAX);
    let (word, tone) = if flips == 0 { ("no flips", Tone::Good) } else { ("flips", Tone::Open) };
    let sections = [
        Section::entries("Against incidents", against_incidents(found)),
        Section::entries("By rule", by_rule(found)),
        Section::entries("By requirement", by_requirement(found)),
        Section::entries("What it flips", flipped(found)),
        Section::entries("What it asks of people", asked(found)),
        Section::entries("Tried and left out", population(shown)),
        Section::entries("Notices", judgement::notices(&shown.origin.notices)),
        Section::facts("Judged from", origin_facts(shown.origin)),
    ];
    Page {
        word: Word::new(word, tone),
        about: format!(
            "{}, serial {}, against serial {} in force",
            shown.policy, shown.proposed_serial, shown.serial
        ),
        lead: lead(shown, flips),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn lead(shown: &BacktestShown<'_>, flips: u64) -> Vec<Entry> {
    let found = shown.found;
    let mut lead: Vec<Entry> = shown
        .problems
        .iter()
        .map(|problem| Entry::sentence(format!("it could not come into force: {problem}")))
        .collect();
    let total = counted(found.total(), "verdict");
    lead.push(Entry::sentence(if found.total() == 0 {
        "no gate was decided in that time: there is nothing to try it on".to_owned()
    } else if flips == 0 {
        format!("it flips none of {total}, each at the moment at which a gate was decided")
    } else {
        format!("it flips {flips} of {total}, each at the moment at which a gate was decided")
    }));
    lead.push(Entry::sentence(conclusion(&found.proposed)));
    if found.changed_since > 0 {
        lead.push(Entry::sentence(format!(
            "{} of then would be others under the policy in force already",
            counted(found.changed_since, "verdict")
        )));
    }
    lead
}

/// What the counts let one conclude, in a sentence.
pub(super) fn conclusion(score: &Score) -> String {
    let table = score.all.fourfold();
    match score.conclude() {
        Conclusion::TooFew => format!(
            "too few to conclude anything: of the gates that ran, {} led to incidents and {} to none; at least \
             {LEAST_INCIDENTS} and {LEAST_OTHERS} are asked for (R12.7)",
            table.incidents(),
            table.others()
        ),
        Conclusion::Chance(_) if table.stopped() == 0 => {
            "nothing to conclude: it stops none of the gates that ran".to_owned()
        }
        Conclusion::Chance(p) => format!(
            "nothing to conclude: chance alone stops as many of those that led to incidents with probability {} (R12.7)",
            probability(p)
        ),
        Conclusion::Tells(p) => format!(
            "what it stops led to incidents more often than chance explains: probability {} (R12.7)",
            probability(p)
        ),
    }
}

/// A probability to three digits behind the zeros.
pub(super) fn probability(p: f64) -> String {
    if p < 0.000_001 {
        return "below 0.000001".to_owned();
    }
    let digits = if p < 0.001 { 6 } else { 4 };
    let text = format!("{p:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn against_incidents(found: &Backtest) -> Vec<Entry> {
    if found.total() == 0 {
        return Vec::new();
    }
    vec![
        Entry::named("in force", cells(&found.in_force.all)),
        Entry::named("proposed", cells(&found.proposed.all)),
    ]
}

fn cells(cells: &Cells) -> String {
    format!(
        "caught {}, held up {}, missed {} of {} that led to incidents; of {} others {} {}, {} held up",
        cells.caught,
        cells.held_incidents,
        cells.missed,
        cells.incidents(),
        cells.others(),
        cells.false_alarms,
        if cells.false_alarms == 1 { "false alarm" } else { "false alarms" },
        cells.held_others
    )
}

/// Both sides of one part; nothing where neither restrains anything and they are the same.
fn part(name: String, before: Option<&Cells>, after: Option<&Cells>) -> Option<Entry> {
    let same = before == after;
    if same && !before.is_some_and(Cells::restrain) {
        return None;
    }
    let words = |side: Option<&Cells>| side.map_or_else(|| "not asked".to_owned(), cells);
    let entry = Entry::named(name, if same { words(after) } else { String::new() });
    Some(if same { entry } else { entry.prose("in force", words(before)).prose("proposed", words(after)) })
}

fn by_rule(found: &Backtest) -> Vec<Entry> {
    let (before, after) = (&found.in_force.rules, &found.proposed.rules);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter_map(|name| part(name.to_string(), before.get(name), after.get(name))).collect()
}

fn by_requirement(found: &Backtest) -> Vec<Entry> {
    let (before, after) = (&found.in_force.requirements, &found.proposed.requirements);
    let ids: BTreeSet<&RequirementId> = before.keys().chain(after.keys()).collect();
    ids.into_iter().filter_map(|id| part(id.to_string(), before.get(id), after.get(id))).collect()
}

fn flipped(found: &Backtest) -> Vec<Entry> {
    let mut entries: Vec<Entry> = found.flips.iter().take(MOST_FLIPS).map(flip).collect();
    let more = found.flips.len().saturating_sub(MOST_FLIPS);
    if more > 0 {
        entries.push(Entry::sentence(format!("and {more} more: all of them with `--format json`")));
    }
    entries
}

fn flip(flip: &Flip) -> Entry {
    let tone = match flip.after {
        Outcome::Allowed(_) => Tone::Good,
        Outcome::Pending => Tone::Open,
        Outcome::Blocked => Tone::Bad,
    };
    let words = format!("{} in force; {} on {}", flip.before.as_str(), flip.how.as_str(), flip.time);
    let entry = Entry::named(format!("{} → {}", flip.gate, flip.environment), words)
        .word(flip.after.as_str(), tone)
        .prose("led to", list(&flip.incidents));
    let entry = flip.changed.iter().fold(entry, |entry, line| {
        let status = |status: Option<Status>| status.map_or("not asked", Status::as_str);
        entry.prose("line", format!("{} {} → {}", line.id, status(line.before), status(line.after)))
    });
    entry.exact("at", flip.commit.to_string())
}

fn asked(found: &Backtest) -> Vec<Entry> {
    let cost = &found.cost;
    let change = |(before, after): (u64, u64)| {
        let difference = i128::from(after) - i128::from(before);
        match difference {
            0 => format!("{after}, as in force"),
            _ => format!("{after}, {difference:+} to {before} in force"),
        }
    };
    let row =
        |what: &str, name: &Name, counts: (u64, u64)| Entry::named(format!("{what}:{name}"), change(counts));
    let mut entries: Vec<Entry> =
        cost.approvals.iter().map(|(role, counts)| row("approval", role, *counts)).collect();
    entries.extend(cost.reports.iter().map(|(kind, counts)| row("evidence", kind, *counts)));
    if entries.is_empty() {
        return entries;
    }
    let waiting = cost.waiting();
    let mut words = if waiting.longer == 0 && waiting.shorter == 0 {
        "none of it changes".to_owned()
    } else {
        format!(
            "{} in all over {}: {} wait longer, {} less long",
            days(waiting.added),
            counted(cost.gates, "gate"),
            waiting.longer,
            waiting.shorter
        )
    };
    if waiting.unknown > 0 {
        words = format!(
            "{words}; of {} it cannot be told: too few waits were observed",
            counted(waiting.unknown, "gate")
        );
    }
    let roles = waiting.roles.iter().map(|(role, (expected, count))| {
        let borrowed = if waiting.by_all_roles.contains(role) { ", those of all roles stand in" } else { "" };
        let expected = expected.map_or("unknown".to_owned(), days);
        format!("{role} {expected} ({count} observed{borrowed})")
    });
    entries.push(Entry::named("waiting", words).prose("one person", roles.collect::<Vec<_>>().join("; ")));
    entries
}

/// A length of time in days, to one decimal.
pub(super) fn days(seconds: i64) -> String {
    let tenths = (i128::from(seconds) * 10 + if seconds < 0 { -43_200 } else { 43_200 }) / 86_400;
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{} days", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10)
}

fn population(shown: &BacktestShown<'_>) -> Vec<Entry> {
    let found = shown.found;
    let mut entries: Vec<Entry> =
        found.judged.iter().map(|(how, count)| Entry::named(how.as_str(), count.to_string())).collect();
    let mut count = |name: &str, count: u64| {
        if count > 0 {
            entries.push(Entry::named(name, format!("{count}, not tried")));
        }
    };
    count("undecided", found.undecided);
    count("at another time", found.out_of_time);
    for (why, names) in &found.left_out {
        let mut words = list(names.iter().take(MOST_NAMED));
        let more = names.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            words = format!("{words}, and {more} more");
        }
        entries.push(Entry::named("left out", why.as_str()).prose("which", words));
    }
    if let Some((first, last)) = found.span {
        entries.push(Entry::named("decided", format!("from {first} to {last}")));
    }
    let bounds = [("since", shown.since), ("until", shown.until)];
    let bounds = bounds.into_iter().filter_map(|(flag, time)| Some(format!("--{flag} {}", time?)));
    let bounds = bounds.collect::<Vec<_>>().join(" ");
    if !bounds.is_empty() {
        entries.push(Entry::named("asked about", bounds));
    }
    entries
}
