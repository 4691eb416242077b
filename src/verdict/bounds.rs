//! Whether a measured value keeps the bounds of a criterion.
//!
//! Every bound that is given must hold, each on the worse confidence limit where a confidence is asked for; what a bound
//! needs and the report does not say (samples, errors) is never taken for good (design, section 6).

use super::interval::Limits;
use super::measure::Measurement;
use super::text::{list, number};
use crate::evidence::{Scalar, Value};
use crate::policy::{Compare, Criterion};

/// The bounds of `criterion` that `measurement` does not keep, in words; empty: it keeps all.
pub(super) fn broken(criterion: &Criterion, measurement: &Measurement) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(least) = criterion.min_samples
        && measurement.samples.is_none_or(|samples| samples < least)
    {
        broken.push(match measurement.samples {
            Some(_) => format!("fewer than {least} samples"),
            None => format!("its samples are not counted, at least {least} are asked for"),
        });
    }
    if let Some(most) = criterion.max_errors
        && measurement.errors.is_none_or(|errors| errors > most)
    {
        broken.push(match measurement.errors {
            Some(errors) => format!("{errors} errors"),
            None => format!("its errors are not counted, at most {most} are asked for"),
        });
    }
    if let Some(wanted) = &criterion.equals
        && !equal(wanted, &measurement.value)
    {
        broken.push(format!("not {}", scalar(wanted)));
    }
    if criterion.max.is_some() || criterion.min.is_some() {
        match measurement.limits(criterion.confidence) {
            Ok(limits) => broken.extend(out_of_bounds(criterion, limits)),
            Err(reason) => broken.push(reason),
        }
    }
    broken
}

/// How `measurement` is worse than `base` by more than `compare` takes, in words; nothing: it is not.
pub(super) fn worse(
    criterion: &Criterion,
    compare: &Compare,
    measurement: &Measurement,
    base: &Measurement,
) -> Option<String> {
    let limits = match (measurement.limits(criterion.confidence), base.limits(None)) {
        (Ok(limits), Ok(base)) => (limits, base.low),
        (Err(reason), _) => return Some(reason),
        (_, Err(reason)) => return Some(format!("what is deployed cannot be compared: {reason}")),
    };
    let (limits, base) = limits;
    // Added to the bound rather than subtracted from the value: 0.9 to 0.88 is a drop of 0.02, not of a hair more.
    if let Some(drop) = compare.max_drop
        && !at_most(base - drop, limits.low)
    {
        return Some(format!("a drop of more than {} from {}", number(drop), number(base)));
    }
    if let Some(rise) = compare.max_rise
        && !at_most(limits.high, base + rise)
    {
        return Some(format!("a rise of more than {} from {}", number(rise), number(base)));
    }
    None
}

/// How far `measurement` lies below `base` (`drop`), or above it: what a greatest drop or rise is held against.
pub(super) fn beyond(
    criterion: &Criterion,
    drop: bool,
    measurement: &Measurement,
    base: &Measurement,
) -> Option<f64> {
    let (limits, base) = (measurement.limits(criterion.confidence).ok()?, base.limits(None).ok()?.low);
    Some(if drop { base - limits.low } else { limits.high - base })
}

/// What the criterion bounds, in words.
pub(super) fn expected(criterion: &Criterion) -> String {
    let mut words = Vec::new();
    words.extend(criterion.max.map(|max| format!("at most {}", number(max))));
    words.extend(criterion.min.map(|min| format!("at least {}", number(min))));
    words.extend(criterion.equals.as_ref().map(|wanted| format!("equal to {}", scalar(wanted))));
    if let Some(compare) = &criterion.compare {
        words.extend(compare.max_drop.map(|drop| format!("at most {} below what is deployed", number(drop))));
        words.extend(compare.max_rise.map(|rise| format!("at most {} above what is deployed", number(rise))));
    }
    words.extend(criterion.confidence.map(|confidence| format!("with confidence {}", number(confidence))));
    words.extend(criterion.min_samples.map(|least| format!("from at least {least} samples")));
    words.extend(criterion.max_errors.map(|most| format!("with at most {most} errors")));
    list(words)
}

/// Whether the criterion bounds anything at all.
pub(super) fn bounds_something(criterion: &Criterion) -> bool {
    let Criterion { max, min, equals, min_samples, max_errors, compare, .. } = criterion;
    max.is_some()
        || min.is_some()
        || equals.is_some()
        || min_samples.is_some()
        || max_errors.is_some()
        || compare.as_ref().is_some_and(|compare| compare.max_drop.is_some() || compare.max_rise.is_some())
}

/// A count as a real number. Beyond 2⁵³ it is rounded, which no bound on counts of tests or samples notices.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no other conversion; see above"
)]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

fn out_of_bounds(criterion: &Criterion, limits: Limits) -> Vec<String> {
    let limit = |value: f64| match criterion.confidence {
        Some(confidence) => format!("{} with confidence {}", number(rounded(value)), number(confidence)),
        None => number(value),
    };
    let mut broken = Vec::new();
    if let Some(max) = criterion.max
        && !at_most(limits.high, max)
    {
        broken.push(format!("above {}: {}", number(max), limit(limits.high)));
    }
    if let Some(min) = criterion.min
        && !at_most(min, limits.low)
    {
        broken.push(format!("below {}: {}", number(min), limit(limits.low)));
    }
    broken
}

/// Whether `value` keeps the bound; NaN never does.
fn at_most(value: f64, bound: f64) -> bool {
    value <= bound
}

/// To six decimals: what the last digits of a confidence limit are depends on the machine's logarithm.
fn rounded(value: f64) -> f64 {
    let scaled = (value * 1e6).round() / 1e6;
    if scaled.is_finite() { scaled } else { value }
}

fn equal(wanted: &Scalar, value: &Value) -> bool {
    match (wanted, value) {
        #[expect(clippy::float_cmp, reason = "`equals` means equal")]
        (Scalar::Number(wanted), Value::Number(value)) => wanted == value,
        (Scalar::Bool(wanted), Value::Bool(value)) => wanted == value,
        (Scalar::Text(wanted), Value::Text(value)) => wanted == value,
        (Scalar::Number(_) | Scalar::Bool(_) | Scalar::Text(_), _) => false,
    }
}

fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(value) => number(*value),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Text(text) => format!("`{text}`"),
    }
}
