//! Number literals → `f64`, or nothing where an `f64` would be another number than the one written.

/// Whole numbers up to here are exact in an `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Integers of so many digits are exact, without a look.
const EXACT_DIGITS: usize = 15;

/// The length of the JSON number that `text` begins with.
pub(crate) fn json_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && bytes.get(at) == Some(&b'0')) {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}

/// The `f64` of a literal; nothing where it is infinite, where it is zero and the literal is not, or where an integer
/// would be rounded.
pub(crate) fn held(literal: &str) -> Option<f64> {
    let number: f64 = literal.parse().ok().filter(|number: &f64| number.is_finite())?;
    let mantissa = literal.split(['e', 'E']).next().unwrap_or_default();
    let written_zero = !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if number == 0.0 {
        return written_zero.then_some(number);
    }
    let integer = literal.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    if integer && literal.len() > EXACT_DIGITS && format!("{number:.0}") != literal {
        return None;
    }
    Some(number)
}

/// The count that a number is: whole, not negative, exact.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, not negative and at most 2^53 by the line before"
)]
pub(crate) fn count(number: f64) -> Option<u64> {
    if (0.0..=EXACT).contains(&number) && number.fract() == 0.0 { Some(number as u64) } else { None }
}

/// A count as a number; exact up to 2^53, which nothing in a file of limited size can exceed.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts of things in one file")]
pub(crate) fn from_count(count: u64) -> f64 {
    count as f64
}

/// The sum, with the rounding errors of the steps carried along (Neumaier), so that a mean of equal values is that value.
pub(crate) fn sum(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut carry) = (0.0_f64, 0.0_f64);
    for number in numbers {
        let next = total + number;
        carry += if total.abs() >= number.abs() { (total - next) + number } else { (number - next) + total };
        total = next;
    }
    total + carry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_held_as_written_or_not_at_all() {
        for (literal, expected) in [
            ("0", Some(0.0)),
            ("0.1", Some(0.1)),
            ("9007199254740992", Some(9_007_199_254_740_992.0)),
            ("9007199254740993", None),
            ("-9007199254740993", None),
            ("10000000000000000", Some(1e16)),
            ("1e400", None),
            ("-1e400", None),
            ("1e-400", None),
            ("0e-400", Some(0.0)),
            ("0.000", Some(0.0)),
        ] {
            assert_eq!(held(literal), expected, "{literal}");
        }
        assert_eq!(held(&"9".repeat(1_000_000)), None);
        assert_eq!(held(&format!("0.{}", "3".repeat(1_000_000))), Some(1.0 / 3.0));
    }

    #[test]
    fn counts_are_whole_and_exact() {
        for (number, expected) in [
            (0.0, Some(0)),
            (200.0, Some(200)),
            (-1.0, None),
            (0.5, None),
            (1e17, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(count(number), expected, "{number}");
        }
    }

    #[test]
    fn equal_values_have_themselves_as_mean() {
        for value in [0.05, 0.1, 0.35, 1.0 / 3.0] {
            let mean = sum(std::iter::repeat_n(value, 1000)) / 1000.0;
            assert!((mean - value).abs() < f64::EPSILON * value, "{value}");
        }
    }
}
