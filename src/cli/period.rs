//! `--since` and `--until`: which time a command looks at.

use crate::model::Time;

/// A stretch of time; either end may be open.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Period {
    /// Only what was decided at or after this time: RFC 3339, or a date alone for its first moment in UTC.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) since: Option<Time>,
    /// Only what was decided before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) until: Option<Time>,
}

fn moment(text: &str) -> Result<Time, String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse::<Time>().map_err(|_malformed| {
        "a time is written as `2026-11-22T16:00:00Z`, or a date as `2026-11-22`".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_alone_is_its_first_moment() {
        assert_eq!(moment("2026-11-22"), moment("2026-11-22T00:00:00Z"));
        for wrong in ["", "2026", "2026-13-01", "yesterday", "2026-11-22T16:00:00", "2026-11-2\u{e9}"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
