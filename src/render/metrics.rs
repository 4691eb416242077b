//! Gate metrics for people: counts with bars, waits, and what to look at.

use crate::insight::Origin;
use crate::insight::metrics::{ENOUGH_DECISIONS, METHOD, Metrics, Span, Spread, Tally, in_words as long};
use crate::insight::timeline::End;

use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Fact, Page, Section, Tone, Word, counted, list};

/// The page.
pub(super) fn metrics_page(metrics: &Metrics, origin: &Origin) -> Page {
    let total = &metrics.total;
    let sections = [
        Section::entries("Cycles", ends(total)),
        Section::entries("Where time goes (half within, nine in ten within)", spans(total)),
        Section::entries("Rejections", bars(&total.rejections)),
        Section::facts("Decisions", decisions(total)),
        Section::entries("Signs to look at", signs(total)),
        Section::entries("What exceptions waived", exceptions(total)),
        Section::facts("Deployments", deployments(total)),
        Section::entries(title(metrics), groups(metrics)),
        Section::entries("Left out", left_out(metrics)),
        Section::entries("Notices", origin.notices.iter().map(judgement::notice).collect()),
        Section::facts("Judged from", judged_from(metrics, origin)),
    ];
    Page {
        word: Word::new("metrics", Tone::Plain),
        about: format!("{} of {}", counted(total.opened, "cycle"), counted(many(total.gates.len()), "gate")),
        lead: Vec::new(),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn ends(tally: &Tally) -> Vec<Entry> {
    let all: u64 = tally.ends.values().sum();
    let entry = |end: &End| {
        let count = tally.ends.get(end).copied().unwrap_or_default();
        let entry = Entry::named(end.as_str(), format!("{} {count}", bar(count, all)));
        if *end == End::Approved && count > 0 {
            let decided: u64 =
                tally.ends.iter().filter(|(end, _)| end.is_decided()).map(|(_, count)| count).sum();
            return entry
                .prose("of what was decided", percent(count, decided))
                .prose("first pass", percent(tally.first_pass, decided))
                .prose("overturned", some(tally.overturned))
                .prose("at no known moment", some(tally.undated));
        }
        entry
    };
    End::ALL.iter().map(entry).collect()
}

fn spans(tally: &Tally) -> Vec<Entry> {
    let longest = tally.spans.iter().filter(|(span, _)| **span != Span::Restore);
    let longest = longest.filter_map(|(_, spread)| spread.percentile(90)).max().unwrap_or_default();
    let entry = |(span, spread): (&Span, &Spread)| {
        let (half, most) = (spread.percentile(50)?, spread.percentile(90)?);
        let drawn = bar(whole(most.min(longest)), whole(longest));
        let words = format!("{drawn} {}, {} ({})", long(half), long(most), counted(spread.count(), "time"));
        Some(Entry::named(name(span), words))
    };
    tally.spans.iter().filter_map(entry).collect()
}

pub(super) fn name(span: &Span) -> String {
    match span {
        Span::OpenedToDecided => "opened to decided".into(),
        Span::DecidedToDeployed => "approved to deployed".into(),
        Span::OpenedToDeployed => "opened to deployed".into(),
        Span::Evidence => "for evidence".into(),
        Span::Role(role) => format!("for {role}"),
        Span::Record => "to be recorded".into(),
        Span::Restore => "to restore".into(),
    }
}

fn bars(counts: &std::collections::BTreeMap<String, u64>) -> Vec<Entry> {
    let most = counts.values().copied().max().unwrap_or_default();
    counts.iter().map(|(what, count)| Entry::named(what, format!("{} {count}", bar(*count, most)))).collect()
}

fn decisions(tally: &Tally) -> Vec<Fact> {
    let by_code = |counts: &std::collections::BTreeMap<crate::model::Code, u64>| {
        list(counts.iter().map(|(code, count)| format!("{count} {code}")))
    };
    let facts = [
        ("approvals that counted", tally.approvals.to_string()),
        ("approvals gone stale", by_code(&tally.stale)),
        ("taken back or replaced", some(tally.taken_back)),
        ("never counted", by_code(&tally.void)),
    ];
    facts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| Fact::prose(label, text))
        .collect()
}

/// What may be rubber-stamping, and may be not: most of one role's approvals, none rejected of many, or given sooner than
/// anybody reads.
pub(super) fn signs(tally: &Tally) -> Vec<Entry> {
    let mut entries = Vec::new();
    for ((role, person), reviewer) in &tally.reviewers {
        let of_role = tally.reviewers.iter().filter(|((other, _), _)| other == role);
        let (people, all) =
            of_role.fold((0u64, 0u64), |(people, all), (_, other)| (people + 1, all + other.approvals));
        let mut signs = Vec::new();
        if people > 1 && reviewer.approvals * 2 > all && all >= ENOUGH_DECISIONS {
            signs.push(format!("gave {} of the approvals in this role", percent(reviewer.approvals, all)));
        }
        if reviewer.rejections == 0 && reviewer.approvals >= ENOUGH_DECISIONS {
            signs.push(format!("rejected none of {}", reviewer.approvals));
        }
        if reviewer.quick > 0 {
            signs.push(format!(
                "{} of {} came less than two minutes after the last change",
                reviewer.quick, reviewer.approvals
            ));
        }
        if signs.is_empty() {
            continue;
        }
        let half = reviewer.after.percentile(50).map(long).unwrap_or_default();
        let entry = Entry::named(person.to_string(), signs.join("; "));
        entries.push(entry.prose("as", role.to_string()).prose("half came within", half));
    }
    entries
}

fn exceptions(tally: &Tally) -> Vec<Entry> {
    let entry =
        |(requirement, systems): (&String, &std::collections::BTreeMap<_, std::collections::BTreeSet<_>>)| {
            let versions: usize = systems.values().map(std::collections::BTreeSet::len).sum();
            let again = systems.iter().filter(|(_, versions)| versions.len() > 1);
            let again = list(again.map(|(system, versions)| format!("{system} ({})", versions.len())));
            Entry::named(requirement, counted(many(versions), "version")).prose("again and again", again)
        };
    tally.exceptions.iter().map(entry).collect()
}

fn deployments(tally: &Tally) -> Vec<Fact> {
    let frequency = crate::insight::metrics::figures(tally)
        .into_iter()
        .find(|figure| figure.meaning.name == "deployments_per_week")
        .map(|figure| match figure.value {
            crate::insight::metrics::Value::Real(weekly) => format!("{weekly:.1} a week"),
            crate::insight::metrics::Value::Whole(weekly) => format!("{weekly} a week"),
        });
    let mut facts = vec![("ran", tally.deployments.to_string())];
    facts.extend(frequency.map(|frequency| ("frequency", frequency)));
    let debts = format!("{}, {} not covered", tally.break_glass.len(), tally.debts.len());
    facts.extend([
        ("failed", some(tally.failed)),
        ("count for nothing", some(tally.void_records)),
        ("rollbacks", some(tally.rollbacks)),
        ("break-glass", if tally.break_glass.is_empty() { String::new() } else { debts }),
        ("change failure rate", percent(tally.failed_changes, tally.changes)),
        ("incidents", tally.incidents.to_string()),
        ("open incidents", some(tally.open_incidents)),
        ("incidents that hit no deployment", some(tally.unlinked_incidents)),
    ]);
    facts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| Fact::prose(label, text))
        .collect()
}

fn title(metrics: &Metrics) -> &'static str {
    match metrics.asked.by.map(crate::insight::metrics::By::as_str) {
        Some("system") => "By system",
        Some("kind") => "By kind",
        Some("risk") => "By risk",
        Some("role") => "By role",
        Some("month") => "By month",
        Some(_) | None => "By environment",
    }
}

fn groups(metrics: &Metrics) -> Vec<Entry> {
    let weight = |tally: &Tally| {
        let decided: u64 = tally.ends.values().sum();
        decided.max(tally.opened).max(tally.approvals)
    };
    let most = metrics.groups.values().map(weight).max().unwrap_or_default();
    let entry = |(group, tally): (&String, &Tally)| {
        let of = |end: End| tally.ends.get(&end).copied().unwrap_or_default();
        let mut words = Vec::new();
        for (count, what) in [
            (tally.opened, "opened"),
            (of(End::Approved), "approved"),
            (of(End::Rejected), "rejected"),
            (of(End::Pending), "pending"),
            (tally.approvals, "approvals"),
            (tally.stale.values().sum(), "stale"),
            (tally.deployments, "deployed"),
        ] {
            if count > 0 {
                words.push(format!("{count} {what}"));
            }
        }
        if tally.incidents > 0 {
            words.push(counted(tally.incidents, "incident"));
        }
        let decided = tally.spans.get(&Span::OpenedToDecided);
        let half = decided.and_then(|spread| spread.percentile(50)).map(long).unwrap_or_default();
        Entry::named(group, format!("{} {}", bar(weight(tally), most), words.join(", ")))
            .prose("half decided within", half)
    };
    metrics.groups.iter().map(entry).collect()
}

fn left_out(metrics: &Metrics) -> Vec<Entry> {
    let mut entries: Vec<Entry> = metrics
        .left_out
        .iter()
        .map(|(why, gates)| {
            Entry::sentence(format!("{}: {why}", many(gates.len()))).prose("which", shortened(gates.iter()))
        })
        .collect();
    if !metrics.unrecorded.is_empty() {
        let words = format!("{}: on a branch alone, not recorded yet", metrics.unrecorded.len());
        entries.push(Entry::sentence(words).prose("which", shortened(metrics.unrecorded.iter())));
    }
    entries
}

/// The first of many names.
fn shortened<T: ToString>(names: impl ExactSizeIterator<Item = T>) -> String {
    const MOST: usize = 8;
    let more = names.len().saturating_sub(MOST);
    let mut shown: Vec<String> = names.take(MOST).map(|name| name.to_string()).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

fn judged_from(metrics: &Metrics, origin: &Origin) -> Vec<Fact> {
    let mut facts = origin_facts(origin);
    facts.extend(metrics.asked.since.map(|since| Fact::prose("since", since.to_string())));
    facts.extend(metrics.asked.until.map(|until| Fact::prose("until", until.to_string())));
    facts.extend(metrics.asked.environment.as_ref().map(|only| Fact::prose("environment", only.to_string())));
    facts.push(Fact::prose("percentiles", METHOD));
    facts
}

/// Ten cells, filled in eighths.
fn bar(part: u64, of: u64) -> String {
    const CELLS: u64 = 10;
    const PARTS: [char; 8] = ['░', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (part.min(of) * CELLS * 8).checked_div(of).unwrap_or_default();
    (0..CELLS)
        .map(|cell| match eighths.saturating_sub(cell * 8) {
            8.. => '█',
            rest => usize::try_from(rest).ok().and_then(|rest| PARTS.get(rest)).copied().unwrap_or('░'),
        })
        .collect()
}

pub(super) fn percent(part: u64, of: u64) -> String {
    match (part * 1000 + of / 2).checked_div(of) {
        Some(tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
        None => String::new(),
    }
}

fn some(count: u64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn many(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn whole(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_ten_cells_wide() {
        for (part, of, drawn) in [
            (0, 0, "░░░░░░░░░░"),
            (0, 7, "░░░░░░░░░░"),
            (1, 2, "█████░░░░░"),
            (1, 3, "███▎░░░░░░"),
            (7, 7, "██████████"),
            (9, 7, "██████████"),
        ] {
            assert_eq!(bar(part, of), drawn, "{part} of {of}");
        }
        assert_eq!((percent(1, 3), percent(0, 0)), ("33.3 %".into(), String::new()));
    }
}
