//! A report and the hit log of its run, attached to one kind of evidence: each is held against the other.
//!
//! No hit log is written where nothing hits, so that one is absent says nothing here.

use std::collections::BTreeMap;

use super::super::Reading;
use super::super::content::Content;
use super::super::json::{Json, Sieve};
use super::{KEEPS, OLD_PREFIX, is_hit, is_report};

/// A file of garak that lies beside another.
pub(super) struct Beside {
    rows: Vec<Json>,
}

/// The reports and hit logs beside a file.
pub(super) fn files(reading: &Reading<'_>) -> Vec<Beside> {
    let mut sieve = Sieve::default();
    for path in KEEPS {
        sieve.keep_path(path);
    }
    let sieve = sieve.settle();
    let rows = |bytes: &&[u8]| {
        let content = Content::of(bytes, &sieve).ok()?;
        let rows = content.lines()?.to_vec();
        rows.first().is_some_and(|row| is_report(row) || is_hit(row)).then_some(Beside { rows })
    };
    reading.companions.iter().filter_map(rows).collect()
}

impl Beside {
    /// The hits of one run by probe and detector, of a hit log; nothing of a report, or of another run.
    pub(super) fn hits(&self, run: Option<&str>) -> Option<BTreeMap<(&str, &str), u64>> {
        let first = self.rows.first().filter(|row| is_hit(row))?;
        (run.is_some() && first.get("run_id").and_then(Json::as_text) == run).then(|| hits(&self.rows))
    }

    /// The rows of the report of one run.
    pub(super) fn report(&self, run: Option<&str>) -> Option<&[Json]> {
        let report = self.rows.first().is_some_and(is_report);
        (report && run.is_some() && super::run(&self.rows) == run).then_some(self.rows.as_slice())
    }
}

/// How many rows of a hit log each probe and detector has.
pub(super) fn hits(rows: &[Json]) -> BTreeMap<(&str, &str), u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let text = |key: &str| row.get(key).and_then(Json::as_text).unwrap_or_default();
        let detector = text("detector");
        let detector = detector.strip_prefix(OLD_PREFIX).unwrap_or(detector);
        *counts.entry((text("probe"), detector)).or_default() += 1;
    }
    counts
}
