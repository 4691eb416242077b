//! Collects a format's metrics by name, so that no name ever stands for two values.

use std::collections::BTreeMap;

use super::{External, Metric, RunStatus, Value};
use crate::model::Time;

/// What a format's own reader gives: a report before mappings and rules.
#[derive(Debug)]
pub(crate) struct Native {
    /// How the run ended.
    pub(crate) status: RunStatus,
    /// The metrics.
    pub(crate) names: Names,
    /// When a drill was made.
    pub(crate) tested: Option<Time>,
    /// The report itself, where it lies elsewhere.
    pub(crate) external: Option<External>,
}

/// Metrics by name, and the names that stand for several.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    /// Names of one value.
    pub(crate) metrics: BTreeMap<String, Metric>,
    /// Names of several, with what else to ask for.
    pub(crate) ambiguous: BTreeMap<String, Vec<String>>,
}

impl Native {
    /// A finished run with these metrics.
    pub(crate) fn finished(names: Names) -> Self {
        Self { status: RunStatus::Finished, names, tested: None, external: None }
    }
}

impl Names {
    /// Adds a metric. A name that is there already becomes ambiguous: both values are named by where they stand.
    pub(crate) fn add(&mut self, name: String, metric: Metric) {
        if let Some(places) = self.ambiguous.get_mut(&name) {
            places.push(metric.at);
            return;
        }
        match self.metrics.remove(&name) {
            Some(first) => {
                self.ambiguous.insert(name, vec![first.at, metric.at]);
            }
            None => {
                self.metrics.insert(name, metric);
            }
        }
    }

    /// Says that a name which is no metric's own could mean any of `names`.
    pub(crate) fn could_mean(&mut self, name: String, names: Vec<String>) {
        if !self.metrics.contains_key(&name) && names.len() > 1 {
            self.ambiguous.entry(name).or_insert(names);
        }
    }
}

impl Metric {
    /// A metric of which nothing but its value is known.
    pub(crate) fn plain(value: Value, at: impl Into<String>) -> Self {
        Self {
            value,
            samples: None,
            stderr: None,
            interval: None,
            errors: None,
            unrated: 0,
            rate: false,
            higher_is_better: None,
            limited: false,
            at: at.into(),
        }
    }
}
