//! How a policy lines up with incidents: over the gates that ran, what it stops, holds up and lets pass.
//!
//! *Stopped* is `blocked`: something failed. *Held up* is `pending`: it asks for more than was there, an approval or a report
//! that nobody was asked for then. What that would have brought to light cannot be told, so it is counted apart and never as
//! caught.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::statistics::{Conclusion, Fourfold};
use crate::model::Label;
use crate::verdict::{Outcome, Requirement, RequirementId, Status, Verdict};

/// Gates that ran, by what became of them and what a policy says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cells {
    /// Led to an incident, and stopped.
    pub caught: u32,
    /// Led to an incident, and held up.
    pub held_incidents: u32,
    /// Led to an incident, and passed.
    pub missed: u32,
    /// Led to none, and stopped.
    pub false_alarms: u32,
    /// Led to none, and held up.
    pub held_others: u32,
    /// Led to none, and passed.
    pub passed: u32,
}

/// How a policy lines up with incidents, as a whole and part by part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Score {
    /// As a whole.
    pub all: Cells,
    /// By rule: over the gates that it applies to, by the worst of what it asks.
    pub rules: BTreeMap<Label, Cells>,
    /// By requirement that rules and freezes make: over the gates on whose checklist it stands.
    pub requirements: BTreeMap<RequirementId, Cells>,
}

/// How something stands that a policy asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Passed,
    HeldUp,
    Stopped,
}

impl Cells {
    fn count(&mut self, incident: bool, answer: Answer) {
        let cell = match (incident, answer) {
            (true, Answer::Stopped) => &mut self.caught,
            (true, Answer::HeldUp) => &mut self.held_incidents,
            (true, Answer::Passed) => &mut self.missed,
            (false, Answer::Stopped) => &mut self.false_alarms,
            (false, Answer::HeldUp) => &mut self.held_others,
            (false, Answer::Passed) => &mut self.passed,
        };
        *cell = cell.saturating_add(1);
    }

    fn join(&mut self, other: Self) {
        let Self { caught, held_incidents, missed, false_alarms, held_others, passed } = other;
        for (cell, more) in [
            (&mut self.caught, caught),
            (&mut self.held_incidents, held_incidents),
            (&mut self.missed, missed),
            (&mut self.false_alarms, false_alarms),
            (&mut self.held_others, held_others),
            (&mut self.passed, passed),
        ] {
            *cell = cell.saturating_add(more);
        }
    }

    /// How many led to an incident.
    pub fn incidents(&self) -> u32 {
        self.caught.saturating_add(self.held_incidents).saturating_add(self.missed)
    }

    /// How many led to none.
    pub fn others(&self) -> u32 {
        self.false_alarms.saturating_add(self.held_others).saturating_add(self.passed)
    }

    /// Whether anything is stopped or held up.
    pub fn restrain(&self) -> bool {
        let Self { caught, held_incidents, missed: _, false_alarms, held_others, passed: _ } = *self;
        [caught, held_incidents, false_alarms, held_others].iter().any(|count| *count > 0)
    }

    /// Stopped or not: what is held up is not stopped.
    pub fn fourfold(&self) -> Fourfold {
        Fourfold {
            caught: self.caught,
            missed: self.missed.saturating_add(self.held_incidents),
            false_alarms: self.false_alarms,
            passed: self.passed.saturating_add(self.held_others),
        }
    }
}

impl Score {
    /// What the counts let one conclude of the policy as a whole: whether what it stops led to incidents more often.
    pub fn conclude(&self) -> Conclusion {
        self.all.fourfold().conclude(1)
    }

    /// Adds what was counted of other gates.
    pub(in crate::insight) fn join(&mut self, other: Self) {
        self.all.join(other.all);
        for (rule, cells) in other.rules {
            self.rules.entry(rule).or_default().join(cells);
        }
        for (id, cells) in other.requirements {
            self.requirements.entry(id).or_default().join(cells);
        }
    }

    /// Counts a gate that ran.
    pub(in crate::insight) fn add(&mut self, verdict: &Verdict, incident: bool) {
        let answer = match verdict.outcome {
            Outcome::Allowed(_) => Answer::Passed,
            Outcome::Pending => Answer::HeldUp,
            Outcome::Blocked => Answer::Stopped,
        };
        self.all.count(incident, answer);
        let mut rules: BTreeMap<&Label, Answer> = BTreeMap::new();
        for line in verdict.requirements.iter().filter(|line| is_policys(line)) {
            let answer = answer_of(line.status);
            self.requirements.entry(line.id.clone()).or_default().count(incident, answer);
            for rule in line.rules.iter().collect::<BTreeSet<_>>() {
                let worst = rules.entry(rule).or_insert(answer);
                *worst = answer.max(*worst);
            }
        }
        for (rule, answer) in rules {
            self.rules.entry(rule.clone()).or_default().count(incident, answer);
        }
    }
}

fn answer_of(status: Status) -> Answer {
    match status {
        Status::Met | Status::Waived => Answer::Passed,
        Status::Missing | Status::Stale => Answer::HeldUp,
        Status::Failed => Answer::Stopped,
    }
}

/// Whether a line is on the checklist because the policy says so, and not because of what somebody did.
fn is_policys(line: &Requirement) -> bool {
    match line.id {
        RequirementId::Evidence(_)
        | RequirementId::Criterion(_)
        | RequirementId::Approval(_)
        | RequirementId::Freeze(_)
        | RequirementId::RulesNone
        | RequirementId::Environment(_) => true,
        RequirementId::GateRecorded
        | RequirementId::GateOpen
        | RequirementId::IntegrityContent
        | RequirementId::IntegrityAuthors
        | RequirementId::IntegrityBreakGlass
        | RequirementId::Artifact(_)
        | RequirementId::Requires(_)
        | RequirementId::Rejection(_)
        | RequirementId::Incident(_) => false,
    }
}
