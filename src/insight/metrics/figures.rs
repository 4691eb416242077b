//! Which figures there are: one list, from which every form takes them.

use super::{Span, Spread, Tally};
use crate::insight::timeline::End;

/// What a figure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Its name.
    pub name: &'static str,
    /// In a sentence.
    pub help: &'static str,
    /// In what it is counted.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// In what something is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// A share of one.
    Ratio,
    /// Seconds.
    Seconds,
}

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it says.
    pub meaning: &'static Meaning,
    /// What its labels say, in their order.
    pub labels: Vec<String>,
    /// The number.
    pub value: Value,
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A whole one.
    Whole(i64),
    /// A share or a mean.
    Real(f64),
}

const GATES: Meaning = meaning("gates", Unit::Count, &[], "Gates that were opened");
const OPENED: Meaning =
    meaning("cycles_opened", Unit::Count, &[], "Cycles that were opened: one for each gate and environment");
const CYCLES: Meaning = meaning(
    "cycles",
    Unit::Count,
    &["end"],
    "Cycles by how they ended; those that were not decided as they stand now",
);
const UNDATED: Meaning = meaning(
    "cycles_undated",
    Unit::Count,
    &[],
    "Approved cycles that a clock or a policy change allowed: at no known moment",
);
const OVERTURNED: Meaning = meaning(
    "cycles_overturned",
    Unit::Count,
    &[],
    "Approved cycles that somebody rejected or closed afterwards",
);
const APPROVAL_RATE: Meaning =
    meaning("approval_ratio", Unit::Ratio, &[], "Approved cycles of all that were decided");
const FIRST_PASS: Meaning = meaning(
    "first_pass_ratio",
    Unit::Ratio,
    &[],
    "Cycles of all that were decided that were approved as first decided on",
);
const REJECTIONS: Meaning =
    meaning("rejections", Unit::Count, &["reason"], "Rejections that counted, by reason");
const APPROVALS: Meaning =
    meaning("approvals", Unit::Count, &["effect"], "Approvals, by what became of them");
const STALE: Meaning =
    meaning("stale_approvals", Unit::Count, &["code"], "Approvals that were good and went stale, by why");
const VOID: Meaning =
    meaning("void_decisions", Unit::Count, &["code"], "Decisions that never counted, by why");
const SPANS: Meaning =
    meaning("span_seconds", Unit::Seconds, &["span", "stat"], "How long stretches of a cycle took");
const WAITS: Meaning = meaning(
    "role_wait_seconds",
    Unit::Seconds,
    &["role", "stat"],
    "How long complete gates waited for a role",
);
const REVIEWS: Meaning = meaning(
    "reviewer_decisions",
    Unit::Count,
    &["role", "principal", "verb"],
    "Good decisions of a person in a role",
);
const SHARE: Meaning = meaning(
    "reviewer_share_ratio",
    Unit::Ratio,
    &["role", "principal"],
    "A person's share of the good approvals in a role",
);
const QUICK: Meaning = meaning(
    "reviewer_quick_approvals",
    Unit::Count,
    &["role", "principal"],
    "Approvals less than two minutes after the last change of the files",
);
const AFTER: Meaning = meaning(
    "reviewer_after_change_seconds",
    Unit::Seconds,
    &["role", "principal", "stat"],
    "From the last change of the files to an approval",
);
const EXCEPTIONS: Meaning = meaning(
    "exceptions",
    Unit::Count,
    &["requirement"],
    "Approved versions for which an exception waived it",
);
const REPEATS: Meaning = meaning(
    "exception_repeats",
    Unit::Count,
    &["requirement", "system"],
    "Versions of one system for which it was waived, where more than one",
);
const DEPLOYMENTS: Meaning = meaning("deployments", Unit::Count, &["fate"], "Records of the log");
const FREQUENCY: Meaning =
    meaning("deployments_per_week", Unit::Ratio, &[], "Records that ran in a week, on average");
const ROLLBACKS: Meaning = meaning("rollbacks", Unit::Count, &[], "Records that ran on basis rollback");
const BREAK_GLASS: Meaning =
    meaning("break_glass", Unit::Count, &["state"], "Deployments that were not allowed");
const CHANGES: Meaning = meaning(
    "changes",
    Unit::Count,
    &["outcome"],
    "Cycles that were deployed for the first time, and those of them that an incident hit",
);
const FAILURE_RATE: Meaning =
    meaning("change_failure_ratio", Unit::Ratio, &[], "Changes that an incident hit, of all changes");
const INCIDENTS: Meaning =
    meaning("incidents", Unit::Count, &["state"], "Incidents: all, open, and those that hit no deployment");

/// Every figure, in the order in which they are shown.
pub const FIGURES: &[Meaning] = &[
    GATES,
    OPENED,
    CYCLES,
    UNDATED,
    OVERTURNED,
    APPROVAL_RATE,
    FIRST_PASS,
    REJECTIONS,
    APPROVALS,
    STALE,
    VOID,
    SPANS,
    WAITS,
    REVIEWS,
    SHARE,
    QUICK,
    AFTER,
    EXCEPTIONS,
    REPEATS,
    DEPLOYMENTS,
    FREQUENCY,
    ROLLBACKS,
    BREAK_GLASS,
    CHANGES,
    FAILURE_RATE,
    INCIDENTS,
];

const fn meaning(
    name: &'static str,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Meaning {
    Meaning { name, help, unit, labels }
}

/// Every figure of a tally that says something.
pub fn figures(tally: &Tally) -> Vec<Figure> {
    let mut sheet = Sheet(Vec::new());
    sheet.cycles(tally);
    sheet.decisions(tally);
    sheet.waits(tally);
    sheet.reviewers(tally);
    sheet.exceptions(tally);
    sheet.deployments(tally);
    sheet.0
}

struct Sheet(Vec<Figure>);

impl Sheet {
    fn put(&mut self, meaning: &'static Meaning, labels: &[&str], value: Value) {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.0.push(Figure { meaning, labels, value });
    }

    fn count(&mut self, meaning: &'static Meaning, labels: &[&str], count: u64) {
        self.put(meaning, labels, Value::Whole(i64::try_from(count).unwrap_or(i64::MAX)));
    }

    /// A share; nothing of nothing.
    fn share(&mut self, meaning: &'static Meaning, labels: &[&str], part: u64, of: u64) {
        if of > 0 {
            self.put(meaning, labels, Value::Real(real(part) / real(of)));
        }
    }

    fn spread(&mut self, meaning: &'static Meaning, labels: &[&str], spread: &Spread) {
        let mut put = |stat: &str, value: i64| {
            let labels: Vec<&str> = labels.iter().copied().chain([stat]).collect();
            self.put(meaning, &labels, Value::Whole(value));
        };
        put("count", i64::try_from(spread.count()).unwrap_or(i64::MAX));
        put("sum", spread.sum());
        for (stat, value) in
            [("p50", spread.percentile(50)), ("p90", spread.percentile(90)), ("max", spread.longest())]
        {
            if let Some(value) = value {
                put(stat, value);
            }
        }
    }

    fn cycles(&mut self, tally: &Tally) {
        let of = |end: &End| tally.ends.get(end).copied().unwrap_or_default();
        self.count(&GATES, &[], u64::try_from(tally.gates.len()).unwrap_or(u64::MAX));
        self.count(&OPENED, &[], tally.opened);
        for end in End::ALL {
            self.count(&CYCLES, &[end.as_str()], of(&end));
        }
        self.count(&UNDATED, &[], tally.undated);
        self.count(&OVERTURNED, &[], tally.overturned);
        let decided = End::ALL.iter().filter(|end| end.is_decided()).map(of).sum();
        self.share(&APPROVAL_RATE, &[], of(&End::Approved), decided);
        self.share(&FIRST_PASS, &[], tally.first_pass, decided);
    }

    fn decisions(&mut self, tally: &Tally) {
        for (reason, count) in &tally.rejections {
            self.count(&REJECTIONS, &[reason], *count);
        }
        self.count(&APPROVALS, &["counted"], tally.approvals);
        self.count(&APPROVALS, &["stale"], tally.stale.values().sum());
        self.count(&APPROVALS, &["taken-back"], tally.taken_back);
        for (code, count) in &tally.stale {
            self.count(&STALE, &[code.as_str()], *count);
        }
        for (code, count) in &tally.void {
            self.count(&VOID, &[code.as_str()], *count);
        }
    }

    fn waits(&mut self, tally: &Tally) {
        for (span, spread) in &tally.spans {
            match span {
                Span::Role(role) => self.spread(&WAITS, &[role.as_str()], spread),
                Span::OpenedToDecided => self.spread(&SPANS, &["opened-to-decided"], spread),
                Span::DecidedToDeployed => self.spread(&SPANS, &["decided-to-deployed"], spread),
                Span::OpenedToDeployed => self.spread(&SPANS, &["opened-to-deployed"], spread),
                Span::Evidence => self.spread(&SPANS, &["evidence"], spread),
                Span::Record => self.spread(&SPANS, &["record"], spread),
                Span::Restore => self.spread(&SPANS, &["restore"], spread),
            }
        }
    }

    fn reviewers(&mut self, tally: &Tally) {
        for ((role, person), reviewer) in &tally.reviewers {
            let of_role = tally.reviewers.iter().filter(|((other, _), _)| other == role);
            let all: u64 = of_role.map(|(_, other)| other.approvals).sum();
            let labels = [role.as_str(), person.as_str()];
            self.count(&REVIEWS, &[labels[0], labels[1], "approve"], reviewer.approvals);
            self.count(&REVIEWS, &[labels[0], labels[1], "reject"], reviewer.rejections);
            self.share(&SHARE, &labels, reviewer.approvals, all);
            self.count(&QUICK, &labels, reviewer.quick);
            if reviewer.after.count() > 0 {
                self.spread(&AFTER, &labels, &reviewer.after);
            }
        }
    }

    fn exceptions(&mut self, tally: &Tally) {
        for (requirement, systems) in &tally.exceptions {
            let many = |versions: usize| u64::try_from(versions).unwrap_or(u64::MAX);
            self.count(
                &EXCEPTIONS,
                &[requirement],
                many(systems.values().map(std::collections::BTreeSet::len).sum()),
            );
            for (system, versions) in systems.iter().filter(|(_, versions)| versions.len() > 1) {
                self.count(&REPEATS, &[requirement, system.as_str()], many(versions.len()));
            }
        }
    }

    fn deployments(&mut self, tally: &Tally) {
        self.count(&DEPLOYMENTS, &["ran"], tally.deployments);
        self.count(&DEPLOYMENTS, &["failed"], tally.failed);
        self.count(&DEPLOYMENTS, &["void"], tally.void_records);
        if let Some(weeks) = tally.weeks() {
            self.put(&FREQUENCY, &[], Value::Real(real(tally.deployments) / weeks));
        }
        self.count(&ROLLBACKS, &[], tally.rollbacks);
        let many = |records: usize| u64::try_from(records).unwrap_or(u64::MAX);
        self.count(&BREAK_GLASS, &["all"], many(tally.break_glass.len()));
        self.count(&BREAK_GLASS, &["uncovered"], many(tally.debts.len()));
        self.count(&CHANGES, &["all"], tally.changes);
        self.count(&CHANGES, &["failed"], tally.failed_changes);
        self.share(&FAILURE_RATE, &[], tally.failed_changes, tally.changes);
        self.count(&INCIDENTS, &["all"], tally.incidents);
        self.count(&INCIDENTS, &["open"], tally.open_incidents);
        self.count(&INCIDENTS, &["unlinked"], tally.unlinked_incidents);
    }
}

impl Tally {
    /// Weeks between the first and the last record that ran; at least one.
    fn weeks(&self) -> Option<f64> {
        let (first, last) = self.deployed?;
        let seconds = u64::try_from(last.seconds_since(first)).unwrap_or_default();
        Some((real(seconds) / 604_800.0).max(1.0))
    }
}

/// Counts here are far below what a double holds exactly.
fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
