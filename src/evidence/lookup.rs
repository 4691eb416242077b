//! Finds a metric of a report by name, or says why there is none.

use super::{Metric, Report, RunStatus, quote, quote_all};
use crate::model::Glob;

/// Why a name gives no metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The name stands for several values: these names, or places in the file.
    Ambiguous(Vec<String>),
    /// The report has no such metric; with the name it has that is nearest.
    Missing {
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// The policy maps that name, and the mapping reads nothing here, for this reason.
    Unmapped(String),
    /// The run did not finish well and so gives no metrics; in the tool's own words.
    Unfinished(String),
}

impl std::fmt::Display for Lookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ambiguous(names) => {
                write!(f, "it could be any of {}", quote_all(names.iter().map(String::as_str)))
            }
            Self::Missing { nearest: Some(nearest) } => {
                write!(f, "the report does not have it; did you mean {}?", quote(nearest))
            }
            Self::Missing { nearest: None } => f.write_str("the report does not have it"),
            Self::Unmapped(reason) => f.write_str(reason),
            Self::Unfinished(status) => write!(f, "the run did not finish well: {}", quote(status)),
        }
    }
}

impl Report {
    /// The metric of that name. What the policy maps goes before what the format names, even where it reads nothing.
    pub fn lookup(&self, name: &str) -> Result<&Metric, Lookup> {
        match self.mapped.get(name) {
            Some(Ok(metric)) => return Ok(metric),
            Some(Err(reason)) => {
                return Err(self.withheld().unwrap_or_else(|| Lookup::Unmapped(reason.clone())));
            }
            None => {}
        }
        if let Some(metric) = self.metrics.get(name) {
            return Ok(metric);
        }
        if let Some(names) = self.ambiguous.get(name) {
            return Err(Lookup::Ambiguous(names.clone()));
        }
        Err(self.withheld().unwrap_or_else(|| Lookup::Missing { nearest: self.nearest(name) }))
    }

    /// All metrics whose names match one of `globs`, sorted by name. An error where one that matches cannot be read:
    /// a spread over all groups but one says nothing (design, section 2.1).
    pub fn matching(&self, globs: &[Glob]) -> Result<Vec<(&str, &Metric)>, Lookup> {
        let wanted = |name: &str| globs.iter().any(|glob| glob.matches(name));
        if let Some(withheld) = self.withheld() {
            return Err(withheld);
        }
        if let Some((_name, why)) = self.left_out(globs) {
            return Err(why);
        }
        let mut found = std::collections::BTreeMap::new();
        for (name, metric) in self.metrics.iter().filter(|(name, _)| wanted(name)) {
            found.insert(name.as_str(), metric);
        }
        for (name, metric) in self.mapped.iter().filter(|(name, _)| wanted(name)) {
            let metric = metric.as_ref().map_err(|reason| Lookup::Unmapped(reason.clone()))?;
            found.insert(name.as_str(), metric);
        }
        Ok(found.into_iter().collect())
    }

    /// A name that belongs to the set which `globs` name and has no value in it, with why: a name of several values, or
    /// one that a glob gives in full and that is not there while others are.
    pub fn left_out(&self, globs: &[Glob]) -> Option<(String, Lookup)> {
        let wanted = |name: &str| globs.iter().any(|glob| glob.matches(name));
        let there = |name: &str| self.metrics.contains_key(name) || self.mapped.contains_key(name);
        // A name that stands for members of the set says nothing more than they do.
        let several = self.ambiguous.iter().find(|(name, others)| {
            wanted(name)
                && !self.mapped.contains_key(*name)
                && !others.iter().all(|other| wanted(other) && self.metrics.contains_key(other))
        });
        if let Some((name, others)) = several {
            return Some((name.clone(), Lookup::Ambiguous(others.clone())));
        }
        let any = self.metrics.keys().chain(self.mapped.keys()).any(|name| wanted(name));
        let mut in_full = globs.iter().map(Glob::as_str).filter(|name| !name.contains('*'));
        let absent = in_full.find(|name| any && !there(name) && !self.ambiguous.contains_key(*name))?;
        Some((absent.to_owned(), Lookup::Missing { nearest: self.nearest(absent) }))
    }

    /// Why no metric is given, where the run did not finish well and the policy does not allow that.
    fn withheld(&self) -> Option<Lookup> {
        match &self.status {
            RunStatus::Unfinished(status) if self.metrics.is_empty() => {
                Some(Lookup::Unfinished(status.clone()))
            }
            RunStatus::Unfinished(_) | RunStatus::Finished => None,
        }
    }

    /// The name that `name` is most like: the same in other letter case, the same below a task or with a filter, or
    /// few letters off.
    fn nearest(&self, name: &str) -> Option<String> {
        const MOST_NAMES: usize = 4096;
        const LONGEST: usize = 128;
        if name.len() > LONGEST {
            return None;
        }
        let names = self.metrics.keys().chain(self.mapped.keys()).chain(self.ambiguous.keys());
        names
            .filter(|other| other.len() <= LONGEST)
            .take(MOST_NAMES)
            .filter_map(|other| unlikeness(name, other).map(|unlike| (unlike, other)))
            .min()
            .map(|(_, other)| other.clone())
    }
}

/// How unlike two names are; nothing where one is no likely slip for the other.
fn unlikeness(name: &str, other: &str) -> Option<usize> {
    if name.eq_ignore_ascii_case(other) {
        return Some(0);
    }
    let below = other.strip_suffix(name).is_some_and(|task| task.ends_with('/'));
    let filtered = other.strip_prefix(name).is_some_and(|filter| filter.starts_with('@'));
    if !name.is_empty() && (below || filtered) {
        return Some(1);
    }
    let most = (name.chars().count() / 3).max(1);
    Some(distance(name, other)).filter(|distance| *distance <= most).map(|distance| distance + 1)
}

/// Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut next = vec![above + 1];
        for ((column, candidate), pair) in other.iter().enumerate().zip(row.windows(2)) {
            let (diagonal, up) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            let left = next.get(column).copied().unwrap_or(0);
            let replaced = diagonal + usize::from(letter != *candidate);
            next.push(replaced.min(up + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
