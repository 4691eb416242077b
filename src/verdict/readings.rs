//! What a checklist asks of people, and which number each bound was held against: for whoever asks what another policy, or
//! another bound, would have done.
//!
//! Read by the same functions that judge, so that a number here keeps its bound exactly where the criterion is met by it.
//! Nothing here decides.

use std::collections::BTreeMap;

use super::Facts;
use super::bounds::{beyond, real};
use super::case::Case;
use super::criteria::{each, measured};
use super::evidence::run_counts;
use super::measure::{Measured, Measurement, measure};
use crate::evidence::Value;
use crate::model::{Label, Name};
use crate::policy::Criterion;

/// A bound of a criterion that is a number, by its key in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dial {
    /// `max`
    Max,
    /// `min`
    Min,
    /// `max_drop`, of `compare = "deployed"`
    MaxDrop,
    /// `max_rise`, of the same
    MaxRise,
    /// `min_samples`
    MinSamples,
}

impl Dial {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Max, Self::Min, Self::MaxDrop, Self::MaxRise, Self::MinSamples];

    /// The key in the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Min => "min",
            Self::MaxDrop => "max_drop",
            Self::MaxRise => "max_rise",
            Self::MinSamples => "min_samples",
        }
    }

    /// Whether a greater number is worse: else a smaller one is.
    pub fn bounds_above(self) -> bool {
        match self {
            Self::Max | Self::MaxDrop | Self::MaxRise => true,
            Self::Min | Self::MinSamples => false,
        }
    }

    /// Whether a number keeps the bound, which includes its own value.
    pub fn keeps(self, value: f64, bound: f64) -> bool {
        if self.bounds_above() { value <= bound } else { value >= bound }
    }

    /// What a criterion sets it to.
    pub fn of(self, criterion: &Criterion) -> Option<f64> {
        let compare = criterion.compare.as_ref();
        match self {
            Self::Max => criterion.max,
            Self::Min => criterion.min,
            Self::MaxDrop => compare.and_then(|compare| compare.max_drop),
            Self::MaxRise => compare.and_then(|compare| compare.max_rise),
            Self::MinSamples => criterion.min_samples.map(real),
        }
    }
}

/// The numbers that the bounds of a checklist were held against, by criterion and bound: of several reports the worst, with
/// `confidence` the limit of it. Where one cannot be read there is none.
pub fn readings(facts: &Facts) -> BTreeMap<(Label, Dial), f64> {
    let case = Case::of(facts);
    let mut found = BTreeMap::new();
    for (criterion, _rules) in each(&case) {
        for dial in Dial::ALL.into_iter().filter(|dial| dial.of(criterion).is_some()) {
            if let Some(value) = worst(&case, criterion, dial) {
                found.insert((criterion.name.clone(), dial), value);
            }
        }
    }
    found
}

/// How many people the checklist asks for, by role.
pub fn approvals_asked(facts: &Facts) -> BTreeMap<Name, u64> {
    super::approvals::asked(&Case::of(facts)).into_iter().map(|(role, (count, _))| (role, count)).collect()
}

fn worst(case: &Case<'_>, criterion: &Criterion, dial: Dial) -> Option<f64> {
    let mut worst: Option<f64> = None;
    for (_, _, found) in measured(case, criterion) {
        let value = match &found {
            Measured::Absent(_) => continue,
            Measured::Bad(_) => return None,
            Measured::Good(measurement) => read(case, criterion, dial, measurement)?,
        };
        worst = Some(match worst {
            Some(before) if dial.keeps(value, before) => before,
            Some(_) | None => value,
        });
    }
    worst
}

fn read(case: &Case<'_>, criterion: &Criterion, dial: Dial, measurement: &Measurement) -> Option<f64> {
    let limits = || measurement.limits(criterion.confidence).ok();
    match dial {
        Dial::Max => Some(limits()?.high),
        Dial::Min => Some(limits()?.low),
        Dial::MinSamples => measurement.samples.map(real),
        Dial::MaxDrop | Dial::MaxRise => bases(case, criterion)
            .into_iter()
            .map(|base| beyond(criterion, dial == Dial::MaxDrop, measurement, &base))
            .try_fold(None, |worst: Option<f64>, value| {
                let value = value?;
                Some(Some(worst.map_or(value, |before| before.max(value))))
            })
            .flatten(),
    }
}

/// The metric in what is deployed, on each report of it that has it and can be read.
fn bases(case: &Case<'_>, criterion: &Criterion) -> Vec<Measurement> {
    let options = case.policy.evidence.get(&criterion.evidence);
    let deployed =
        case.facts.deployed.iter().filter_map(|deployed| deployed.reports.get(&criterion.evidence));
    deployed
        .flatten()
        .filter(|report| run_counts(options, report))
        .filter_map(|report| match measure(criterion, report) {
            Measured::Good(base) => Some(base).filter(|base| matches!(base.value, Value::Number(_))),
            Measured::Bad(_) | Measured::Absent(_) => None,
        })
        .collect()
}
