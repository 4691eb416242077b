//! Confidence limits: how far off the true value may be.
//!
//! One-sided: Wilson's interval for a share of passes out of n, value ± z·stderr where there is a standard error
//! (design, section 6). <https://www.itl.nist.gov/div898/handbook/prc/section2/prc241.htm>

/// The least and the greatest that a value may be, each with the confidence asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Limits {
    /// The value itself.
    pub(super) fn exact(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// Wilson's limits for a share `rate` of `samples`; nothing where that is no share, or of none.
    pub(super) fn wilson(rate: f64, samples: f64, confidence: f64) -> Option<Self> {
        let z = quantile(confidence)?;
        if !(0.0..=1.0).contains(&rate) || samples < 1.0 {
            return None;
        }
        let z2 = z * z;
        let scale = 1.0 + z2 / samples;
        let center = (rate + z2 / (2.0 * samples)) / scale;
        let half = z / scale * (rate * (1.0 - rate) / samples + z2 / (4.0 * samples * samples)).sqrt();
        Some(Self { low: (center - half).max(0.0), high: (center + half).min(1.0) })
    }

    /// `value` ± z·`stderr`; nothing where that is no standard error.
    pub(super) fn normal(value: f64, stderr: f64, confidence: f64) -> Option<Self> {
        let z = quantile(confidence)?;
        let half = z * stderr;
        (stderr >= 0.0 && half.is_finite()).then_some(Self { low: value - half, high: value + half })
    }
}

/// The z below which a standard normal value lies with probability `confidence`, strictly between 0.5 and 1; within
/// 2e-9 of it. Acklam's rational approximation.
fn quantile(confidence: f64) -> Option<f64> {
    const TAIL: f64 = 0.975_75;
    if !(confidence > 0.5 && confidence < 1.0) {
        return None;
    }
    if confidence <= TAIL {
        let q = confidence - 0.5;
        let r = q * q;
        let above = horner(
            &[
                -39.696_830_286_653_76,
                220.946_098_424_520_5,
                -275.928_510_446_968_7,
                138.357_751_867_269,
                -30.664_798_066_147_16,
                2.506_628_277_459_239,
            ],
            r,
        );
        let below = horner(
            &[
                -54.476_098_798_224_06,
                161.585_836_858_040_9,
                -155.698_979_859_886_6,
                66.801_311_887_719_72,
                -13.280_681_552_885_72,
                1.0,
            ],
            r,
        );
        return Some(q * above / below);
    }
    let q = (-2.0 * (1.0 - confidence).ln()).sqrt();
    let above = horner(
        &[
            -0.007_784_894_002_430_293,
            -0.322_396_458_041_136_5,
            -2.400_758_277_161_838,
            -2.549_732_539_343_734,
            4.374_664_141_464_968,
            2.938_163_982_698_783,
        ],
        q,
    );
    let below = horner(
        &[
            0.007_784_695_709_041_462,
            0.322_467_129_070_039_8,
            2.445_134_137_142_996,
            3.754_408_661_907_416,
            1.0,
        ],
        q,
    );
    Some(-above / below)
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (confidence, z) in [
            (0.6, 0.253_347_103),
            (0.9, 1.281_551_566),
            (0.95, 1.644_853_627),
            (0.975, 1.959_963_985),
            (0.99, 2.326_347_874),
            (0.999_9, 3.719_016_485),
        ] {
            let found = quantile(confidence).unwrap();
            assert!((found - z).abs() < 1e-7, "{confidence}: {found}");
        }
        for none in [0.5, 1.0, 0.0, f64::NAN, 2.0] {
            assert_eq!(quantile(none), None);
        }
    }

    #[test]
    fn wilsons_limits_are_where_the_score_is_z_and_bound_no_errors_at_all() {
        let (rate, samples) = (0.02, 100.0);
        let found = Limits::wilson(rate, samples, 0.95).unwrap();
        let score = |limit: f64| (limit - rate) / (limit * (1.0 - limit) / samples).sqrt();
        assert!((score(found.high) - 1.644_853_627).abs() < 1e-7, "{found:?}");
        assert!((score(found.low) + 1.644_853_627).abs() < 1e-7, "{found:?}");
        // The rule of three, roughly: none of 50 still leaves about 5 %.
        let none = Limits::wilson(0.0, 50.0, 0.95).unwrap();
        assert!(none.low == 0.0 && (0.04..0.06).contains(&none.high), "{none:?}");
        assert_eq!(Limits::wilson(1.5, 50.0, 0.95), None);
        assert_eq!(Limits::wilson(0.5, 0.0, 0.95), None);
        assert_eq!(Limits::wilson(0.5, 0.999, 0.95), None);
        assert!(Limits::wilson(1.0, 1.0, 0.95).is_some(), "one sample is a sample");
    }

    /// R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I,
    /// method 3: two-sided 95 %, which is one-sided 97.5 % at each end.
    #[test]
    fn wilsons_limits_are_those_that_newcombe_published() {
        for (passes, samples, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let found = Limits::wilson(passes / samples, samples, 0.975).unwrap();
            let near = |found: f64, published: f64| (found - published).abs() <= 0.000_05 + 1e-9;
            assert!(near(found.low, low) && near(found.high, high), "{passes} of {samples}: {found:?}");
        }
    }

    #[test]
    fn a_standard_error_widens_both_ways() {
        let found = Limits::normal(0.5, 0.1, 0.95).unwrap();
        assert!((found.high - 0.664_485).abs() < 1e-5 && (found.low - 0.335_515).abs() < 1e-5);
        assert_eq!(Limits::normal(0.5, f64::MAX, 0.99), None);
        assert_eq!(Limits::normal(0.5, -0.1, 0.95), None);
    }
}
