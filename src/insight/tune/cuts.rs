//! The thresholds that tell anything: those that just stop one of the gates that led to incidents; and whether one is worth
//! proposing.
//!
//! Any other bound stops more that led to nothing without catching more. As many are tried as gates led to incidents, and the
//! test is held to that (R12.7).

use std::collections::BTreeSet;

use crate::insight::statistics::{Conclusion, Fourfold};
use crate::model::IncidentId;
use crate::verdict::Dial;

use super::Tuned;
use super::between::{plain_from, plain_to};

/// One in so many gates that led to nothing may be stopped by a bound that is proposed.
const MOST_STOPPED: u32 = 10;

/// A threshold, and what it would have done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// The bound.
    pub bound: f64,
    /// Whether it is the present one.
    pub present: bool,
    /// What it would have caught and stopped.
    pub table: Fourfold,
    /// What that lets one conclude.
    pub conclusion: Conclusion,
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq)]
pub enum Suggested {
    /// Another bound.
    Bound(Suggestion),
    /// Nothing: no gate that ran led to an incident, or none with a number.
    NoIncidents,
    /// Nothing: there are too few.
    TooFew(Fourfold),
    /// Nothing: the numbers do not tell those that led to incidents from others; the least p.
    Chance(f64),
    /// Nothing: the bounds that do stop too many that led to nothing.
    TooDear,
    /// Nothing: no tighter bound catches more than the present one.
    Present,
}

/// A bound that the numbers speak for.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The threshold.
    pub cut: Cut,
    /// The probability that chance does as well.
    pub p: f64,
    /// The incidents that it would have caught and the present one does not: what it comes from.
    pub origin: BTreeSet<IncidentId>,
}

fn is_same(one: f64, other: f64) -> bool {
    one.total_cmp(&other).is_eq()
}

impl Tuned {
    /// Every threshold worth looking at and the present one, from the one that stops least.
    pub fn cuts(&self) -> Vec<Cut> {
        // Each value once, with whether any gate of it led to an incident; the better ones first.
        let mut sorted: Vec<(f64, bool)> =
            self.values.iter().map(|one| (one.value, !one.incidents.is_empty())).collect();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
        sorted.dedup_by(|later, first| is_same(later.0, first.0));
        if !self.dial.bounds_above() {
            sorted.reverse();
        }
        let mut bounds = vec![self.present];
        for pair in sorted.windows(2) {
            if let [(kept, _), (value, true)] = pair {
                bounds.push(self.just_stopping(*value, *kept));
            }
        }
        bounds.sort_by(f64::total_cmp);
        bounds.dedup_by(|later, first| is_same(*later, *first));
        if self.dial.bounds_above() {
            bounds.reverse();
        }
        bounds.into_iter().map(|bound| self.cut(bound)).collect()
    }

    /// What the numbers speak for.
    pub fn suggestion(&self) -> Suggested {
        let cuts = self.cuts();
        let present = self.cut(self.present);
        if present.table.incidents() == 0 {
            return Suggested::NoIncidents;
        }
        if present.conclusion == Conclusion::TooFew {
            return Suggested::TooFew(present.table);
        }
        let tighter = cuts.into_iter().filter(|cut| {
            !self.dial.keeps(self.present, cut.bound) && cut.table.caught > present.table.caught
        });
        let (mut best, mut least, mut dear): (Option<(f64, Cut)>, f64, bool) = (None, f64::INFINITY, false);
        for cut in tighter {
            match cut.conclusion {
                Conclusion::TooFew => {}
                Conclusion::Chance(p) => least = least.min(p),
                Conclusion::Tells(p) => {
                    if cut.table.false_alarms.saturating_mul(MOST_STOPPED) > cut.table.others() {
                        dear = true;
                    } else if best.is_none_or(|(before, _)| p < before) {
                        best = Some((p, cut));
                    }
                }
            }
        }
        match best {
            Some((p, cut)) => Suggested::Bound(Suggestion { p, origin: self.newly_caught(cut.bound), cut }),
            None if dear => Suggested::TooDear,
            None if least.is_finite() => Suggested::Chance(least),
            None => Suggested::Present,
        }
    }

    fn cut(&self, bound: f64) -> Cut {
        let mut table = Fourfold::default();
        for one in &self.values {
            table.count(!one.incidents.is_empty(), !self.dial.keeps(one.value, bound));
        }
        let conclusion = table.conclude(table.incidents());
        Cut { bound, present: is_same(bound, self.present), table, conclusion }
    }

    fn newly_caught(&self, bound: f64) -> BTreeSet<IncidentId> {
        let caught = self
            .values
            .iter()
            .filter(|one| !self.dial.keeps(one.value, bound) && self.dial.keeps(one.value, self.present));
        caught.flat_map(|one| one.incidents.iter().cloned()).collect()
    }

    /// The plainest bound that stops `value` and keeps `kept`, the next that is better.
    fn just_stopping(&self, value: f64, kept: f64) -> f64 {
        if self.dial == Dial::MinSamples {
            return kept;
        }
        if self.dial.bounds_above() { plain_from(kept, value) } else { plain_to(value, kept) }
    }
}
