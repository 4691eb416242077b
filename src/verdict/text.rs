//! How findings are worded: numbers, ages, lists. The same value always reads the same.

use std::fmt::Display;

/// What is shown between backticks: the user's own text.
pub(super) trait Words {
    /// The text between backticks.
    fn quoted(&self) -> String;
}

impl<T: Display> Words for T {
    fn quoted(&self) -> String {
        format!("`{self}`")
    }
}

/// A number in the fewest digits that read back as the same number.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-5..1e15).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

/// A length of time in its largest unit, rounded down.
pub(super) fn age(seconds: i64) -> String {
    match seconds {
        86_400.. => format!("{}d", seconds / 86_400),
        3_600.. => format!("{}h", seconds / 3_600),
        60.. => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// `1 approval`, `2 approvals`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The items in a row, with commas.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// The items in a row, each between backticks.
pub(super) fn quoted_list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    list(items.into_iter().map(|item| item.quoted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_as_they_are() {
        for (value, text) in [
            (0.05, "0.05"),
            (0.1 + 0.2, "0.30000000000000004"),
            (50.0, "50"),
            (-0.0, "-0"),
            (1e300, "1e300"),
            (1e-9, "1e-9"),
            (123_456_789.5, "123456789.5"),
        ] {
            assert_eq!(number(value), text);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    fn ages_are_in_their_largest_unit() {
        for (seconds, text) in
            [(-5, "-5s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (86_399, "23h"), (200_000, "2d")]
        {
            assert_eq!(age(seconds), text);
        }
    }
}
