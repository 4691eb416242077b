//! Metrics over time, drawn and in numbers.

use std::collections::BTreeMap;

use crate::model::Time;

use super::super::sheet::{Block, Cell, Chart, Part, Sheet};
use super::Whole;

/// So many months are drawn, the last ones.
const MOST_MONTHS: usize = 36;

pub(super) fn sheet(whole: &Whole<'_>) -> Sheet {
    let mut months = Months::default();
    for row in whole.gates {
        if let Some(opened) = row.line.opened {
            months.add(opened, 0);
        }
    }
    for logged in whole.records {
        months.add(logged.record.time, 1);
        if logged.break_glass {
            months.add(logged.record.time, 2);
        }
    }
    let opened = months.chart("Gates opened, by month", &[("opened", 0)]);
    let deployed =
        months.chart("Deployments logged, by month", &[("deployed", 1), ("of these not allowed", 2)]);
    Sheet {
        path: "metrics.html".to_owned(),
        kind: "Metrics",
        title: "Metrics of the gate".to_owned(),
        words: Vec::new(),
        lead: Cell::words("Months are those of UTC, by the dates that commits and records carry."),
        parts: vec![
            Part::new("Gates", vec![Block::Chart(opened)]),
            Part::new("Deployments", vec![Block::Chart(deployed)]),
        ],
    }
}

/// Counts by month.
#[derive(Debug, Default)]
struct Months(BTreeMap<String, [u32; 3]>);

impl Months {
    fn add(&mut self, time: Time, at: usize) {
        let month: String = time.to_string().chars().take(7).collect();
        if let Some(count) = self.0.entry(month).or_default().get_mut(at) {
            *count += 1;
        }
    }

    /// The last months with what was counted in each; months without anything have a nought.
    fn chart(&self, title: &str, series: &[(&str, usize)]) -> Chart {
        let along = self.along();
        let values = |at: usize| {
            let count = |month: &String| {
                let counts = self.0.get(month).copied().unwrap_or_default();
                Some(f64::from(counts.get(at).copied().unwrap_or_default()))
            };
            along.iter().map(count).collect()
        };
        let series = series.iter().map(|(name, at)| ((*name).to_owned(), values(*at))).collect();
        Chart { title: title.to_owned(), unit: "number", along: along.clone(), series }
    }

    fn along(&self) -> Vec<String> {
        let (Some(first), Some(last)) = (self.0.keys().next(), self.0.keys().next_back()) else {
            return Vec::new();
        };
        let mut along = vec![first.clone()];
        while let Some(month) = along.last().filter(|month| *month < last) {
            along.push(next_month(month));
        }
        let drop = along.len().saturating_sub(MOST_MONTHS);
        along.split_off(drop)
    }
}

/// `2026-12` → `2027-01`
fn next_month(month: &str) -> String {
    let (year, month) = month.split_once('-').unwrap_or((month, "12"));
    let (year, month): (u32, u32) = (year.parse().unwrap_or(9999), month.parse().unwrap_or(12));
    if month < 12 { format!("{year:04}-{:02}", month + 1) } else { format!("{:04}-01", year + 1) }
}
