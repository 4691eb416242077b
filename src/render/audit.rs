//! The audit for people: what is wrong first, then what was read, then each deployment as the control's log entry asks.

use crate::decision::Verb;
use crate::insight::{Audit, Deployment, METHOD, Place, Population, Then, Violation};
use crate::model::Name;
use crate::verdict::{Outcome, Status};

use super::deployments::replay_words;
use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Fact, Page, Section, Tone, Word, counted, list};

/// The whole of it.
pub(super) fn page(audit: &Audit) -> Page {
    let word = if audit.violations.is_empty() {
        Word::new("clean", Tone::Good)
    } else {
        Word::new("violations", Tone::Bad)
    };
    let sections = [
        Section::entries("Population", audit.population.iter().map(population).collect()),
        Section::facts("Not audited", left_out(audit)),
        Section::entries("Break-glass to be covered", audit.debts().map(debt).collect()),
        Section::entries("What runs", running(audit)),
        Section::entries("Sample", sample(audit)),
        Section::entries("Deployments", shown(audit).map(deployment).collect()),
        Section::entries("Notices", judgement::notices(&audit.origin.notices)),
        Section::facts("Judged from", origin_facts(&audit.origin)),
    ];
    let records: u64 = audit.population.values().map(|of| of.records).sum();
    Page {
        word,
        about: format!(
            "{} of {}",
            counted(u64::try_from(audit.violations.len()).unwrap_or(u64::MAX), "violation"),
            counted(records, "record")
        ),
        lead: audit.violations.iter().map(violation).collect(),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// The deployments that are shown one by one: those drawn, where a sample was.
pub(super) fn shown(audit: &Audit) -> impl Iterator<Item = &Deployment> {
    let drawn = |deployment: &&Deployment| {
        audit.sample.as_ref().is_none_or(|sample| sample.holds(deployment.record.commit))
    };
    audit.deployments.iter().filter(drawn)
}

fn violation(violation: &Violation) -> Entry {
    let about = match (&violation.gate, &violation.environment) {
        (Some(gate), Some(environment)) => format!("{gate} → {environment}: "),
        (None, Some(environment)) => format!("{environment}: "),
        (_, None) => String::new(),
    };
    let entry = Entry::named(violation.code.as_str(), format!("{about}{}", violation.message));
    match violation.record {
        Some(record) => entry.exact("record", record.to_string()),
        None => entry,
    }
}

fn population((environment, of): (&Name, &Population)) -> Entry {
    let moment = |end: &Option<(_, _)>| match end {
        Some((record, time)) => format!("{time} {record}"),
        None => "none".to_owned(),
    };
    let some = |many: u64, words: &str| if many == 0 { String::new() } else { format!("{many} {words}") };
    Entry::named(environment.to_string(), counted(of.records, "record"))
        .prose("first", moment(&of.first))
        .prose("last", moment(&of.last))
        .prose("failed", some(of.failures, "said to have failed"))
        .prose("outside", some(of.outside_the_log, "on the mainline and not in the log"))
        .prose("before", some(of.before_root, "from before the trust root, not judged again"))
        .prose("left out", some(of.left_out, "logged before `--since`, in order, not running, nothing owed"))
}

fn left_out(audit: &Audit) -> Vec<Fact> {
    if audit.other_environments.is_empty() {
        return Vec::new();
    }
    vec![Fact::prose("logs of", list(&audit.other_environments))]
}

fn debt(deployment: &Deployment) -> Entry {
    let record = &deployment.record;
    let due = match deployment.cover_due {
        Some(due) => format!(", to be covered by {due}"),
        None => ", overdue at once".to_owned(),
    };
    Entry::named(record.gate.to_string(), format!("{} on {}{due}", deployment.environment, record.time))
        .prose("why", deployment.debt.clone().unwrap_or_default())
        .prose("next", format!("git gate except {} --record {}", record.gate, record.commit))
}

fn running(audit: &Audit) -> Vec<Entry> {
    let Some(running) = &audit.running else { return Vec::new() };
    let agree = counted(u64::try_from(running.agree.len()).unwrap_or(u64::MAX), "record");
    let mut entries =
        vec![Entry::sentence(format!("of {agree} all artifacts run")).word("agree", Tone::Plain)];
    entries.extend(running.differences.iter().map(violation));
    entries
}

fn sample(audit: &Audit) -> Vec<Entry> {
    let Some(sample) = &audit.sample else { return Vec::new() };
    let method = Entry::sentence(format!("{} with the seed `{}`: {METHOD}", sample.size, sample.seed));
    let strata = sample.strata.iter().map(|stratum| {
        let risk = stratum.risk.as_ref().map_or("risk unknown".to_owned(), ToString::to_string);
        let text = format!("{} of {}", stratum.drawn.len(), counted(stratum.population, "deployment"));
        Entry::named(risk, text).prose("drawn", list(stratum.drawn.iter()))
    });
    std::iter::once(method).chain(strata).collect()
}

fn deployment(deployment: &Deployment) -> Entry {
    let record = &deployment.record;
    let who = record.principal.as_ref().map_or("nobody known".to_owned(), ToString::to_string);
    let (word, tone) = if !deployment.violations.is_empty() {
        ("VIOLATION", Tone::Bad)
    } else if deployment.before_root {
        ("not judged", Tone::Open)
    } else if deployment.break_glass {
        ("covered", Tone::Accepted)
    } else if record.failed {
        ("failed", Tone::Open)
    } else {
        ("in order", Tone::Good)
    };
    let place = match deployment.place {
        Place::Log => "",
        Place::Fork => "on the mainline, and the log goes another way",
        Place::Lacking => "on the mainline, and the log lacks it",
        Place::Stray => "on the mainline only",
    };
    let text = format!("{} on {}, by {who}, claims {}", deployment.environment, record.time, record.claimed);
    let artifacts = record.artifacts.iter().map(|(name, digest)| format!("{name} {digest}"));
    let mut entry = Entry::named(record.gate.to_string(), text)
        .word(word, tone)
        .prose("codes", list(&deployment.violations))
        .prose("place", place)
        .prose("replay", replay_words(&record.replay))
        .prose("failed", if record.failed { "a later record says so" } else { "" })
        .prose("artifacts", list(artifacts));
    if let Some(then) = &deployment.then {
        entry = with_then(entry, then);
    }
    entry
        .exact("content", record.content.to_string())
        .exact("judged", record.judged.to_string())
        .exact("record", record.commit.to_string())
}

/// The checklist, who approved, on what reports, and when it was decided.
fn with_then(mut entry: Entry, then: &Then) -> Entry {
    if let Some(change) = &then.change {
        entry = entry
            .prose("change", change.summary.as_str())
            .prose("risk", format!("{}, {}", change.risk, list(&change.kinds)));
    }
    for approval in then.approvals() {
        let label = if approval.verb == Some(Verb::AcceptRisk) { "risk accepted" } else { "approved" };
        let who = approval.principal.as_ref().map_or("nobody known".to_owned(), ToString::to_string);
        let role = approval.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
        entry = entry.prose(label, format!("{who}{role}, signed {}", approval.signed_at));
    }
    if let Some(decided) = then.decided_at() {
        entry = entry.prose("decided", decided.to_string());
    }
    for report in &then.evidence {
        let digest = report.digest.map_or("not there".to_owned(), |digest| digest.to_string());
        let how = report.format.clone().or(report.problem.clone()).unwrap_or_default();
        let by = report.attested.as_ref().map(|attested| match &attested.by {
            Some((_, who)) => format!(", signed by {who}"),
            None => format!(", signed by nobody in {}", list(&attested.roles)),
        });
        let by = by.unwrap_or_default();
        entry = entry.prose("evidence", format!("{}: {} {digest} ({how}{by})", report.kind, report.file));
    }
    for line in &then.requirements {
        let status = line.status;
        if !matches!(then.outcome, Outcome::Allowed(_)) || status != Status::Met {
            let text = format!("{} {}: {}", line.id, status.as_str(), line.found);
            entry = entry.prose("checklist", text);
        }
    }
    let met = then.requirements.iter().filter(|line| line.status == Status::Met).count();
    entry
        .prose("met", format!("{met} of {} requirements", then.requirements.len()))
        .prose("policy", format!("serial {}, {}", then.serial, then.policy))
}
