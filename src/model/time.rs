//! Moments and durations, in whole seconds, UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};

use super::Malformed;

/// A moment: seconds since 1970-01-01T00:00:00Z. Printed as RFC 3339, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A length of time in whole seconds, at most 100 years. Written `90s`, `15m`, `12h`, `30d`, and sums, largest unit
/// first, each once (`1h30m`) (design, section 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

const LONGEST: i64 = 100 * 366 * 86_400;
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Time {
    /// The moment `seconds` after 1970-01-01T00:00:00Z; within the years that RFC 3339 can write, 0000 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        (-62_167_219_200..=253_402_300_799).contains(&seconds).then_some(Self(seconds))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is, in seconds; negative where it is before.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// This moment moved on by `duration`; the latest moment there is where that would be later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self((self.0 + duration.0).min(253_402_300_799))
    }
}

impl Duration {
    /// A duration of so many seconds; nothing where they are negative or more than 100 years.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        (0..=LONGEST).contains(&seconds).then_some(Self(seconds))
    }

    /// Whole seconds.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl FromStr for Time {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .and_then(|moment| Self::from_unix(moment.timestamp()))
            .ok_or_else(|| {
                Malformed("a time is RFC 3339 with an offset, such as `2026-11-22T16:00:00Z`".into())
            })
    }
}

impl FromStr for Duration {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = || Malformed("a duration is `90s`, `15m`, `12h`, `30d` or a sum such as `1h30m`".into());
        let mut rest = text;
        let mut total = 0i64;
        for (unit, seconds) in UNITS {
            let Some((number, behind)) = rest.split_once(unit) else { continue };
            if number.is_empty() || number.len() > 10 || !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            let number: i64 = number.parse().map_err(|_too_large: std::num::ParseIntError| wrong())?;
            total += number * seconds;
            rest = behind;
        }
        if text.is_empty() || !rest.is_empty() {
            return Err(wrong());
        }
        Self::from_seconds(total).ok_or_else(|| Malformed("a duration is at most 100 years".into()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp(self.0, 0) {
            Some(moment) => f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Secs, true)),
            None => write!(f, "@{}", self.0),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, seconds) in UNITS {
            if rest >= seconds {
                write!(f, "{}{unit}", rest / seconds)?;
                rest %= seconds;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_parse_as_they_print() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("1h30m", 5_400), ("0s", 0)]
        {
            assert_eq!(text.parse::<Duration>().unwrap().seconds(), seconds, "{text}");
        }
        for bad in ["", "1", "m", "1.5h", "-1s", "30m1h", "1h1h", "1w", "99999999999s", "40000d", "1h "] {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
        assert_eq!(Duration::from_seconds(5_400).unwrap().to_string(), "1h30m");
        assert_eq!("90s".parse::<Duration>().unwrap().to_string(), "1m30s");
    }

    #[test]
    fn times_are_utc_and_need_an_offset() {
        assert_eq!("2026-11-22T17:00:00+01:00".parse::<Time>().unwrap().to_string(), "2026-11-22T16:00:00Z");
        for bad in ["2026-11-22", "2026-11-22T16:00:00", "now", "@0"] {
            assert!(bad.parse::<Time>().is_err(), "{bad}");
        }
    }
}
