//! Numbers by month, to be drawn.

use std::collections::BTreeMap;

use crate::insight::metrics::{Metrics, Tally};
use crate::render::sheet::{Chart, Drawing};

/// So many months are drawn, the last ones.
const MOST_MONTHS: usize = 36;

/// Tallies by month; months without anything have an empty one.
pub(super) struct Months<'a> {
    along: Vec<String>,
    tallies: &'a BTreeMap<String, Tally>,
}

/// The name of a series, and its number in a month.
pub(super) type Series<'s> = (&'s str, &'s dyn Fn(&Tally) -> Option<f64>);

impl<'a> Months<'a> {
    pub(super) fn of(metrics: &'a Metrics) -> Self {
        // What has no moment stands under a name that is no month.
        let mut names =
            metrics.groups.keys().filter(|name| name.len() == 7 && name.as_bytes().get(4) == Some(&b'-'));
        let mut along: Vec<String> = names.next().into_iter().cloned().collect();
        let last = names.next_back();
        while let Some(month) = along.last().filter(|month| last.is_some_and(|last| *month < last)) {
            along.push(next_month(month));
        }
        let drop = along.len().saturating_sub(MOST_MONTHS);
        Self { along: along.split_off(drop), tallies: &metrics.groups }
    }

    pub(super) fn chart(&self, title: &str, unit: &'static str, series: &[Series<'_>]) -> Chart {
        let none = Tally::default();
        let values = |number: &dyn Fn(&Tally) -> Option<f64>| {
            self.along.iter().map(|month| number(self.tallies.get(month).unwrap_or(&none))).collect()
        };
        let series = series.iter().map(|(name, number)| ((*name).to_owned(), values(*number))).collect();
        Chart {
            title: title.to_owned(),
            unit,
            drawing: Drawing::Lines,
            along_is: "Month",
            along: self.along.clone(),
            series,
        }
    }
}

/// `2026-12` → `2027-01`
fn next_month(month: &str) -> String {
    let (year, month) = month.split_once('-').unwrap_or((month, "12"));
    let (year, month): (u32, u32) = (year.parse().unwrap_or(9999), month.parse().unwrap_or(12));
    if month < 12 { format!("{year:04}-{:02}", month + 1) } else { format!("{:04}-01", year + 1) }
}

/// Counts here are far below what a double holds exactly.
pub(super) fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[expect(clippy::unnecessary_wraps, reason = "a number of a series may be lacking")]
pub(super) fn days(seconds: i64) -> Option<f64> {
    Some(real(u64::try_from(seconds).unwrap_or_default()) / 86_400.0)
}
