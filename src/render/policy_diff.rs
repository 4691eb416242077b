//! A policy change as a page: what it means part by part, and which gates it flips.

use std::collections::BTreeMap;

use crate::insight::StatusChange;
use crate::model::{GateName, Name, ObjectId, Principal};
use crate::policy::diff::{Difference, Meaning};
use crate::verdict::{DecisionShown, Outcome, Status};

use super::judgement;
use super::page::{Entry, Page, Section, Tone, Word, counted, list};

/// What a policy change means.
#[derive(Debug, Clone)]
pub struct PolicyDiff {
    /// Which policy: a path, or a commit.
    pub policy: String,
    /// The serial of the policy in force.
    pub serial: u64,
    /// Its own serial.
    pub proposed_serial: u64,
    /// Why it could not come into force.
    pub problems: Vec<String>,
    /// What it says differently.
    pub differences: Vec<Difference>,
    /// How many verdicts were compared: one for each gate and environment.
    pub judged: u64,
    /// Those that would be others.
    pub flips: Vec<Flip>,
    /// Gates that could not be judged, and why.
    pub not_judged: BTreeMap<String, String>,
}

/// A verdict that would be another.
#[derive(Debug, Clone)]
pub struct Flip {
    /// The gate.
    pub gate: GateName,
    /// The environment.
    pub environment: Name,
    /// Under the policy in force.
    pub before: Outcome,
    /// Under the other.
    pub after: Outcome,
    /// The lines of the checklist that differ.
    pub changed: Vec<StatusChange>,
}

/// A policy change that is on its branch still.
#[derive(Debug, Clone)]
pub struct PolicyBranch {
    /// Its branch.
    pub branch: String,
    /// Where that stands.
    pub commit: ObjectId,
    /// Its serial, where it can be read.
    pub serial: Option<u64>,
    /// Why it could not come into force.
    pub problems: Vec<String>,
    /// How many approvals would count if it were merged now.
    pub approvals: u64,
    /// How many are needed.
    pub needed: u64,
    /// Whether it would come into force then.
    pub complete: bool,
    /// The decisions on it.
    pub decisions: Vec<DecisionShown>,
    /// Who could still approve it.
    pub awaited: Vec<Principal>,
}

/// What a change means.
pub(super) fn diff_page(diff: &PolicyDiff) -> Page {
    let mut meanings: Vec<Meaning> = diff.differences.iter().map(|one| one.meaning).collect();
    meanings.sort();
    meanings.dedup();
    meanings.retain(|meaning| *meaning != Meaning::Neutral);
    let (word, tone) = match meanings.as_slice() {
        [] => ("neutral", Tone::Plain),
        [one] => (one.as_str(), tone(*one)),
        _ => ("different", Tone::Open),
    };
    let mut lead: Vec<Entry> = diff
        .problems
        .iter()
        .map(|problem| Entry::sentence(format!("it could not come into force: {problem}")))
        .collect();
    let flips = u64::try_from(diff.flips.len()).unwrap_or(u64::MAX);
    lead.push(Entry::sentence(if diff.differences.is_empty() {
        "it says what the policy in force says".to_owned()
    } else if flips == 0 {
        format!("it flips none of {}", counted(diff.judged, "verdict"))
    } else {
        format!("it flips {flips} of {}", counted(diff.judged, "verdict"))
    }));
    let sections = [
        Section::entries("What it changes", diff.differences.iter().map(difference).collect()),
        Section::entries("What it flips", diff.flips.iter().map(flip).collect()),
        Section::entries(
            "Not judged",
            diff.not_judged.iter().map(|(gate, why)| Entry::named(gate.as_str(), why.as_str())).collect(),
        ),
    ];
    Page {
        word: Word::new(word, tone),
        about: format!("{}, serial {} after {}", diff.policy, diff.proposed_serial, diff.serial),
        lead,
        sections: sections.into_iter().flatten().collect(),
    }
}

fn tone(meaning: Meaning) -> Tone {
    match meaning {
        Meaning::Tighter => Tone::Good,
        Meaning::Looser => Tone::Bad,
        Meaning::Different => Tone::Open,
        Meaning::Neutral => Tone::Plain,
    }
}

fn difference(one: &Difference) -> Entry {
    Entry::named(one.part.as_str(), one.words.as_str()).word(one.meaning.as_str(), tone(one.meaning))
}

fn flip(flip: &Flip) -> Entry {
    let tone = match (flip.before, flip.after) {
        (_, Outcome::Allowed(_)) => Tone::Good,
        (_, Outcome::Pending) => Tone::Open,
        (_, Outcome::Blocked) => Tone::Bad,
    };
    let name = format!("{} → {}", flip.gate, flip.environment);
    let words = format!("{}, now {}", flip.after.as_str(), flip.before.as_str());
    let entry = Entry::named(name, words).word(flip.after.as_str(), tone);
    flip.changed.iter().fold(entry, |entry, line| {
        let status = |status: Option<Status>| status.map_or("not asked", Status::as_str);
        entry.prose("line", format!("{} {} → {}", line.id, status(line.before), status(line.after)))
    })
}

/// A change on its branch.
pub(super) fn branch_entry(branch: &PolicyBranch) -> Entry {
    let (word, tone, next) = if !branch.problems.is_empty() {
        ("invalid", Tone::Bad, format!("git gate policy lint {}", branch.branch))
    } else if branch.complete {
        ("approved", Tone::Good, format!("git gate merge {}", branch.branch))
    } else {
        ("open", Tone::Open, format!("git gate approve policy --branch {}", branch.branch))
    };
    let serial = branch.serial.map(|serial| format!("serial {serial}, ")).unwrap_or_default();
    let words = format!("{serial}{} of {} needed", counted(branch.approvals, "approval"), branch.needed);
    let entry = Entry::named(branch.branch.as_str(), words).word(word, tone);
    let entry = branch.problems.iter().fold(entry, |entry, problem| entry.prose("problem", problem.as_str()));
    let entry = branch.decisions.iter().fold(entry, |entry, decision| {
        let shown = judgement::decision(decision);
        let code = decision.code.map_or("counts", |code| code.as_str());
        entry.prose("decision", format!("{code}: {}", shown.text))
    });
    entry
        .prose("awaits", list(&branch.awaited))
        .exact("next", next)
        .exact("commit", branch.commit.to_string())
}
