//! The plainest number between two others: what a person would have written as a bound.

/// The number with the fewest decimals that is at least `low` and below `high`; `low` itself where there is none that is
/// plainer.
pub(super) fn plain_from(low: f64, high: f64) -> f64 {
    for digits in 0..=17 {
        let rounded = |value: f64| format!("{value:.digits$}").parse::<f64>().unwrap_or(value);
        let near = rounded(low);
        for value in [near, rounded(near + tenth_power(digits))] {
            if low <= value && value < high {
                // No negative zero.
                return value + 0.0;
            }
        }
    }
    low
}

/// The number with the fewest decimals that is above `low` and at most `high`.
pub(super) fn plain_to(low: f64, high: f64) -> f64 {
    -plain_from(-high, -low) + 0.0
}

fn tenth_power(digits: usize) -> f64 {
    10_f64.powi(-i32::try_from(digits).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_plainest_is_taken() {
        for (low, high, from, to) in [
            (0.0297, 0.0312, 0.03, 0.03),
            (0.03, 0.0312, 0.03, 0.031),
            (0.2, 0.9, 0.2, 0.9),
            (30.5, 40.0, 31.0, 40.0),
            (0.21, 1.3, 1.0, 1.0),
            (12.0, 15.0, 12.0, 15.0),
            (-0.5, 0.5, 0.0, 0.0),
            (899.5, 901.0, 900.0, 901.0),
            (0.123_45, 0.123_46, 0.123_45, 0.123_46),
        ] {
            assert!((plain_from(low, high) - from).abs() < 1e-15, "{low} {high}: {}", plain_from(low, high));
            assert!((plain_to(low, high) - to).abs() < 1e-15, "{low} {high}: {}", plain_to(low, high));
        }
    }

    proptest! {
        #[test]
        fn it_always_lies_between(low in -1e6_f64..1e6, width in 1e-9_f64..1e3) {
            let high = low + width;
            prop_assume!(low < high);
            let (from, to) = (plain_from(low, high), plain_to(low, high));
            prop_assert!(low <= from && from < high, "{from}");
            prop_assert!(low < to && to <= high, "{to}");
        }
    }
}
