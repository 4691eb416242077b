//! Counts timelines, one after the other: in any order, with the same result.

use std::collections::BTreeSet;

use crate::decision::Verb;
use crate::model::{Name, Time};
use crate::verdict::Basis;

use super::super::timeline::{Cycle, Deployment, Effect, End, Fate, Hit, Ruling, Timeline};
use super::{Asked, By, Metrics, QUICK_SECONDS, Span, Tally};

impl Metrics {
    /// Nothing counted yet.
    pub fn new(asked: Asked) -> Self {
        Self { asked, ..Self::default() }
    }

    /// Leaves a gate out, and says why.
    pub fn leave_out(&mut self, what: String, why: &str) {
        self.left_out.entry(why.to_owned()).or_default().insert(what);
    }

    /// Counts one gate.
    pub fn add(&mut self, timeline: &Timeline) {
        let environment = self.asked.environment.clone();
        let asked_for = |cycle: &&Cycle| environment.as_ref().is_none_or(|only| cycle.environment == *only);
        let cycles: Vec<&Cycle> = timeline.cycles.iter().filter(asked_for).collect();
        if cycles.is_empty() {
            return;
        }
        for cycle in &cycles {
            self.cycle(timeline, cycle);
        }
        let places: BTreeSet<&Name> = cycles.iter().map(|cycle| &cycle.environment).collect();
        for ruling in &timeline.rulings {
            self.ruling(timeline, ruling, &places);
        }
    }

    fn cycle(&mut self, timeline: &Timeline, cycle: &Cycle) {
        let about = About { timeline, places: BTreeSet::from([&cycle.environment]), role: None };
        self.at(timeline.opened, &about, |tally| {
            tally.gates.insert(timeline.gate.clone());
            tally.opened += 1;
        });
        match cycle.decided {
            Some(decided) => self.decided(timeline, cycle, decided, &about),
            None if self.asked.until.is_none_or(|until| timeline.opened < until) => {
                let undated = cycle.end == End::Approved;
                let first = timeline.passed_first(cycle);
                self.each(None, &about, |tally| {
                    *tally.ends.entry(cycle.end).or_default() += 1;
                    tally.undated += u64::from(undated);
                    tally.first_pass += u64::from(first);
                    tally.overturned += u64::from(cycle.overturned);
                });
            }
            None => {}
        }
        for deployment in &cycle.deployments {
            self.deployment(deployment, &about);
        }
        if let Some(first) = cycle.deployed() {
            let failed = cycle.incidents.iter().any(|hit| hit.record.is_some());
            self.at(first.at, &about, |tally| {
                tally.changes += 1;
                tally.failed_changes += u64::from(failed);
                let opened = first.at.seconds_since(timeline.opened);
                tally.spans.entry(Span::OpenedToDeployed).or_default().add(opened);
                if let Some(decided) = cycle.decided.filter(|_| cycle.end == End::Approved) {
                    let waited = first.at.seconds_since(decided);
                    tally.spans.entry(Span::DecidedToDeployed).or_default().add(waited);
                }
            });
        }
        for hit in &cycle.incidents {
            self.hit(hit, &about);
        }
    }

    fn decided(&mut self, timeline: &Timeline, cycle: &Cycle, decided: Time, about: &About<'_>) {
        let first = timeline.passed_first(cycle);
        let span = decided.seconds_since(timeline.opened);
        self.at(decided, about, |tally| {
            *tally.ends.entry(cycle.end).or_default() += 1;
            tally.first_pass += u64::from(first);
            tally.overturned += u64::from(cycle.overturned);
            tally.spans.entry(Span::OpenedToDecided).or_default().add(span);
            for waived in &cycle.waived {
                let of = tally.exceptions.entry(waived.to_string()).or_default();
                of.entry(timeline.gate.system.clone()).or_default().insert(timeline.gate.clone());
            }
        });
        let (End::Approved, Some(complete)) = (cycle.end, cycle.complete) else { return };
        let evidence = complete.seconds_since(timeline.opened);
        let last = cycle.roles.values().copied().fold(complete, Time::max);
        self.at(decided, about, |tally| {
            tally.spans.entry(Span::Evidence).or_default().add(evidence);
            tally.spans.entry(Span::Record).or_default().add(decided.seconds_since(last));
        });
        for (role, given) in &cycle.roles {
            let about = About { role: Some(role), ..about.clone() };
            let waited = given.seconds_since(complete);
            self.at(decided, &about, |tally| {
                tally.spans.entry(Span::Role(role.clone())).or_default().add(waited);
            });
        }
    }

    fn deployment(&mut self, deployment: &Deployment, about: &About<'_>) {
        self.at(deployment.at, about, |tally| {
            match deployment.fate {
                Fate::Ran => {
                    tally.deployments += 1;
                    tally.rollbacks += u64::from(deployment.basis == Some(Basis::Rollback));
                    tally.deployed = Some(match tally.deployed {
                        Some((first, last)) => (first.min(deployment.at), last.max(deployment.at)),
                        None => (deployment.at, deployment.at),
                    });
                }
                Fate::Failed => tally.failed += 1,
                Fate::Void => tally.void_records += 1,
            }
            if deployment.break_glass {
                tally.break_glass.insert(deployment.record);
            }
            if deployment.debt {
                tally.debts.insert(deployment.record);
            }
        });
    }

    fn hit(&mut self, hit: &Hit, about: &About<'_>) {
        self.at(hit.began, about, |tally| {
            tally.incidents += 1;
            tally.open_incidents += u64::from(hit.open);
            tally.unlinked_incidents += u64::from(hit.record.is_none());
            if let (Some(ended), Some(_)) = (hit.ended, hit.record) {
                tally.spans.entry(Span::Restore).or_default().add(ended.seconds_since(hit.began));
            }
        });
    }

    fn ruling(&mut self, timeline: &Timeline, ruling: &Ruling, places: &BTreeSet<&Name>) {
        let named = |place: &&Name| ruling.environments.is_empty() || ruling.environments.contains(*place);
        let places: BTreeSet<&Name> = places.iter().copied().filter(named).collect();
        if places.is_empty() {
            return;
        }
        let about = About { timeline, places, role: ruling.role.as_ref() };
        self.at(ruling.at, &about, |tally| {
            match (ruling.verb, ruling.effect) {
                (_, Effect::Void(code)) => *tally.void.entry(code).or_default() += 1,
                (Some(Verb::Approve), Effect::Counted) => tally.approvals += 1,
                (Some(Verb::Approve), Effect::Stale(code)) => *tally.stale.entry(code).or_default() += 1,
                (Some(Verb::Approve), Effect::TakenBack) => tally.taken_back += 1,
                (Some(Verb::Reject), _) => {
                    let reason = ruling.reason.as_ref().map_or("other", Name::as_str);
                    *tally.rejections.entry(reason.to_owned()).or_default() += 1;
                }
                (
                    Some(Verb::Withdraw | Verb::Close | Verb::AcceptRisk | Verb::Deploy | Verb::DeployFailed)
                    | None,
                    _,
                ) => {}
            }
            reviewer(tally, ruling);
        });
    }

    /// Counts something that happened at a moment, where that lies in the time asked about.
    fn at(&mut self, moment: Time, about: &About<'_>, count: impl Fn(&mut Tally)) {
        let Asked { since, until, .. } = self.asked;
        if since.is_some_and(|since| moment < since) || until.is_some_and(|until| moment >= until) {
            return;
        }
        self.each(Some(moment), about, count);
    }

    fn each(&mut self, moment: Option<Time>, about: &About<'_>, count: impl Fn(&mut Tally)) {
        count(&mut self.total);
        for group in about.groups(self.asked.by, moment) {
            count(self.groups.entry(group).or_default());
        }
    }
}

fn reviewer(tally: &mut Tally, ruling: &Ruling) {
    let (Some(role), Some(person), true) = (&ruling.role, &ruling.principal, ruling.effect.was_good()) else {
        return;
    };
    let reviewer = tally.reviewers.entry((role.clone(), person.clone())).or_default();
    match ruling.verb {
        Some(Verb::Approve) => {
            reviewer.approvals += 1;
            if let Some(after) = ruling.after_change {
                reviewer.after.add(after);
                reviewer.quick += u64::from(after < QUICK_SECONDS);
            }
        }
        Some(Verb::Reject) => reviewer.rejections += 1,
        Some(Verb::Withdraw | Verb::Close | Verb::AcceptRisk | Verb::Deploy | Verb::DeployFailed) | None => {}
    }
}

/// What an event is about: what decides to which groups it belongs.
#[derive(Debug, Clone)]
struct About<'a> {
    timeline: &'a Timeline,
    places: BTreeSet<&'a Name>,
    role: Option<&'a Name>,
}

impl About<'_> {
    fn groups(&self, by: Option<By>, moment: Option<Time>) -> Vec<String> {
        let asked = self.timeline.asked.as_ref();
        match by {
            None => Vec::new(),
            Some(By::System) => vec![self.timeline.gate.system.to_string()],
            Some(By::Kind) => match asked {
                Some(asked) => asked.kinds.iter().map(ToString::to_string).collect(),
                None => vec![UNKNOWN.to_owned()],
            },
            Some(By::Risk) => vec![asked.map_or(UNKNOWN.to_owned(), |asked| asked.risk.to_string())],
            Some(By::Role) => self.role.iter().map(ToString::to_string).collect(),
            Some(By::Month) => vec![moment.map_or("now".to_owned(), month)],
            Some(By::Environment) => self.places.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The group of gates whose request could not be read.
const UNKNOWN: &str = "(unknown)";

/// `2026-11`, in UTC.
fn month(moment: Time) -> String {
    moment.to_string().chars().take(7).collect()
}
