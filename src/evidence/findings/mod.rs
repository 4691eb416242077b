//! What a scanner found, counted by how bad it is: what SARIF, Trivy and Grype have in common.
//!
//! A finding that nobody rated is `unrated`, never harmless. A suppressed one is counted apart, by who suppressed it:
//! the policy may say that what stands in the source, where any engineer can write it, closes nothing.

pub(super) mod grype;
pub(super) mod trivy;
pub(super) mod vex;

use std::collections::{BTreeMap, BTreeSet};

use super::names::Names;
use super::{Metric, Value, number};

/// How bad a finding is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Critical,
    High,
    Medium,
    Low,
    None,
    /// Its tool did not say.
    Unrated,
}

/// Whether a finding is open, and if not, who closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It is open.
    Open,
    /// Something in the source, or a file beside it, closes it.
    InSource,
    /// It was accepted elsewhere.
    Accepted,
    /// A VEX statement closes it.
    Vex,
}

/// Which unrated findings count as if they were critical.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Grave {
    /// The format has no levels: all of them.
    #[default]
    All,
    /// So many.
    Counted(u64),
}

impl Standing {
    /// How a finding stands where the policy may say that the source closes nothing.
    pub(crate) fn under(self, in_source_ignored: bool) -> Self {
        match self {
            Self::InSource if in_source_ignored => Self::Open,
            Self::Open | Self::InSource | Self::Accepted | Self::Vex => self,
        }
    }
}

/// Findings, counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    open: BTreeMap<Severity, u64>,
    /// Of the unrated ones, those that count as if they were critical: all, or where the format has levels the errors.
    grave: Grave,
    closed: BTreeMap<Standing, u64>,
    ids: BTreeMap<Severity, BTreeSet<String>>,
    unnamed: BTreeMap<Severity, u64>,
}

impl Severity {
    /// Each, worst first.
    pub(crate) const ALL: [Self; 6] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::None, Self::Unrated];

    /// Its name in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::None => "none",
            Self::Unrated => "unrated",
        }
    }

    /// The severity that a tool's word means, in any letter case. Grype's `Negligible` is low: no bound misses it.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "critical" => Some(Self::Critical),
            "high" => Some(Self::High),
            "medium" | "moderate" => Some(Self::Medium),
            "low" | "negligible" => Some(Self::Low),
            "none" | "informational" => Some(Self::None),
            _ => None,
        }
    }

    /// The band of a CVSS score. What lies above 10 is no CVSS score, and no less critical for it.
    pub(crate) fn from_score(score: f64) -> Option<Self> {
        match score {
            _ if score >= 9.0 => Some(Self::Critical),
            _ if score >= 7.0 => Some(Self::High),
            _ if score >= 4.0 => Some(Self::Medium),
            _ if score > 0.0 => Some(Self::Low),
            _ if score == 0.0 => Some(Self::None),
            _ => None,
        }
    }
}

impl Tally {
    /// Counts `times` findings of one kind, with the name that tells them from others where there is one.
    pub(crate) fn count(&mut self, severity: Severity, standing: Standing, id: Option<&str>, times: u64) {
        match standing {
            Standing::Open => {
                *self.open.entry(severity).or_default() += times;
                match id {
                    Some(id) => drop(self.ids.entry(severity).or_default().insert(id.to_owned())),
                    None => *self.unnamed.entry(severity).or_default() += times,
                }
            }
            Standing::InSource | Standing::Accepted | Standing::Vex => {
                *self.closed.entry(standing).or_default() += times;
            }
        }
    }

    /// Says that the format has levels, and how many more of the open findings are unrated and of level error.
    pub(crate) fn count_unrated_errors(&mut self, more: u64) {
        self.grave = match self.grave {
            Grave::All => Grave::Counted(more),
            Grave::Counted(before) => Grave::Counted(before + more),
        };
    }

    /// Adds `findings.open.<severity>`, below `prefix`.
    pub(crate) fn add_open(&self, names: &mut Names, prefix: &str, at: &str, errors: Option<u64>) {
        for severity in Severity::ALL {
            let name = format!("{prefix}findings.open.{}", severity.as_str());
            names.add(name, self.metric(severity, self.opened(severity), at, errors));
        }
        if let Grave::Counted(count) = self.grave {
            let name = format!("{prefix}findings.open.{}.error", Severity::Unrated.as_str());
            names.add(name, counted(count, at, errors));
        }
    }

    fn opened(&self, severity: Severity) -> u64 {
        self.open.get(&severity).copied().unwrap_or_default()
    }

    /// So many findings of a severity. Those that nobody rated may be of the worst.
    fn metric(&self, severity: Severity, count: u64, at: &str, errors: Option<u64>) -> Metric {
        let unrated = match (severity, self.grave) {
            (Severity::Critical, Grave::All) => self.opened(Severity::Unrated),
            (Severity::Critical, Grave::Counted(errors)) => errors,
            (Severity::High | Severity::Medium | Severity::Low | Severity::None | Severity::Unrated, _) => 0,
        };
        Metric { unrated, ..counted(count, at, errors) }
    }

    /// Adds `findings.new.<severity>`: those that the run before did not have.
    pub(crate) fn add_new(&self, names: &mut Names, at: &str, errors: Option<u64>) {
        for severity in Severity::ALL {
            let name = format!("findings.new.{}", severity.as_str());
            names.add(name, self.metric(severity, self.opened(severity), at, errors));
        }
    }

    /// Adds how many different findings are open, by severity.
    pub(crate) fn add_distinct(&self, names: &mut Names, at: &str) {
        for severity in Severity::ALL {
            let ids = self.ids.get(&severity).map_or(0, BTreeSet::len);
            let unnamed = self.unnamed.get(&severity).copied().unwrap_or_default();
            let distinct = u64::try_from(ids).unwrap_or(u64::MAX).saturating_add(unnamed);
            let name = format!("findings.open.{}.distinct", severity.as_str());
            names.add(name, self.metric(severity, distinct, at, None));
        }
    }

    /// Adds how many findings are closed, and by whom.
    pub(crate) fn add_suppressed(&self, names: &mut Names, at: &str, errors: Option<u64>) {
        let of = |standing: Standing| self.closed.get(&standing).copied().unwrap_or_default();
        let all = self.closed.values().sum();
        for (name, count) in [
            ("findings.suppressed", all),
            ("findings.suppressed.in_source", of(Standing::InSource)),
            ("findings.suppressed.vex", of(Standing::Vex)),
        ] {
            names.add(name.to_owned(), counted(count, at, errors));
        }
    }
}

/// A count, at a place.
pub(crate) fn counted(count: u64, at: &str, errors: Option<u64>) -> Metric {
    Metric { errors, ..Metric::plain(Value::Number(number::from_count(count)), at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_fall_into_the_bands_of_cvss_and_words_into_theirs() {
        use Severity::{Critical, High, Low, Medium, None as Nothing};
        for (score, expected) in [
            (10.0, Some(Critical)),
            (9.0, Some(Critical)),
            (8.99, Some(High)),
            (7.0, Some(High)),
            (6.9, Some(Medium)),
            (4.0, Some(Medium)),
            (3.9, Some(Low)),
            (0.1, Some(Low)),
            (0.0, Some(Nothing)),
            (100.0, Some(Critical)),
            (-1.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(Severity::from_score(score), expected, "{score}");
        }
        for (word, expected) in [
            ("CRITICAL", Some(Critical)),
            (" High ", Some(High)),
            ("negligible", Some(Low)),
            ("low", Some(Low)),
            ("medium", Some(Medium)),
            ("Moderate", Some(Medium)),
            ("none", Some(Nothing)),
            ("Informational", Some(Nothing)),
            ("UNKNOWN", None),
            ("UNDEFINED", None),
            ("", None),
            ("criticаl", None),
        ] {
            assert_eq!(Severity::from_word(word), expected, "{word}");
        }
    }
}
