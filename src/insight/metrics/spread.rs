//! How numbers are spread: percentiles by one named method.

/// The method, as it is named in every output.
pub const METHOD: &str = "nearest-rank";

/// Observed numbers of seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spread(Vec<i64>);

impl Spread {
    /// Adds one. A clock that went back waited for nothing.
    pub fn add(&mut self, seconds: i64) {
        self.0.push(seconds.max(0));
    }

    /// How many.
    pub fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// All together.
    pub fn sum(&self) -> i64 {
        self.0.iter().fold(0, |sum: i64, seconds| sum.saturating_add(*seconds))
    }

    /// The nearest-rank percentile: of n numbers in order the one at place ⌈p·n/100⌉, counted from 1. Always a number that
    /// was observed; nothing where none was.
    pub fn percentile(&self, percent: usize) -> Option<i64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
        sorted.get(place - 1).copied()
    }

    /// The longest.
    pub fn longest(&self) -> Option<i64> {
        self.0.iter().copied().max()
    }
}

/// A stretch of time for people: its two largest units.
pub fn in_words(seconds: i64) -> String {
    let units =
        [("d", seconds / 86_400), ("h", seconds / 3600 % 24), ("m", seconds / 60 % 60), ("s", seconds % 60)];
    let first = units.iter().position(|(_, count)| *count > 0).unwrap_or(units.len() - 1);
    let shown = units.iter().skip(first).take(2).filter(|(_, count)| *count > 0);
    let shown = shown.map(|(unit, count)| format!("{count}{unit}")).collect::<Vec<_>>().concat();
    if shown.is_empty() { "0s".into() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (3_661, "1h1m"), (90_000, "1d1h"), (86_460, "1d")]
        {
            assert_eq!(in_words(seconds), text);
        }
    }
}
