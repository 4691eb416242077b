//! Reports: bytes of an evidence file → metrics.
//!
//! One file a format. Pure over bytes. A report that does not read cleanly gives no metric at all: absence is never
//! zero (design, sections 2.1 and 7). Who may say what a number means is not settled here: mappings come from the
//! policy (they count) or from a request (shown only).

mod content;
mod csv;
mod deepeval;
mod findings;
mod garak;
mod inspect;
mod json;
mod junit;
mod lm_eval;
mod lookup;
mod mapping;
mod metrics;
mod names;
mod number;
mod pointer;
mod promptfoo;
mod read;
mod rollback;
mod rows;
mod sarif;
pub(crate) mod written;

use std::collections::BTreeMap;

use crate::model::Time;

pub use lookup::Lookup;
pub use metrics::{External, NotTheReport};
pub use read::{Keeping, detect, is_companion, map_one, read, read_from};

/// A report format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Any non-empty UTF-8 text; no metrics.
    Text,
    /// Any JSON or JSON Lines; metrics by mapping only.
    Json,
    /// Comma-separated (or otherwise delimited) rows with a header; metrics by mapping only. Never detected.
    Csv,
    /// CycloneDX VEX: statements that close findings of the reports beside them.
    CycloneDxVex,
    /// Metrics that this program extracted from a report that lies elsewhere. Never detected.
    Metrics,
    /// A rollback drill, in TOML.
    Rollback,
    /// Test runs of `DeepEval`.
    Deepeval,
    /// garak reports, and the hit logs beside them.
    Garak,
    /// Grype's JSON.
    Grype,
    /// Inspect logs, as JSON or zipped.
    Inspect,
    /// `JUnit` XML.
    Junit,
    /// EleutherAI lm-evaluation-harness results.
    LmEval,
    /// promptfoo results, versions 2 and 3, red team included.
    Promptfoo,
    /// SARIF 2.1.0, of any analyser or scanner.
    Sarif,
    /// Trivy's JSON.
    Trivy,
}

/// A metric's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A text.
    Text(String),
    /// NaN, Infinity or -Infinity, as the report wrote it: fails every criterion.
    NonFinite(String),
}

/// A named number, boolean or text read from evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// What the report says.
    pub value: Value,
    /// How many samples stand behind it.
    pub samples: Option<u64>,
    /// The standard error; finite and not negative.
    pub stderr: Option<f64>,
    /// The confidence interval that the tool gives, of its own reckoning: shown, and bounded by nothing.
    pub interval: Option<Interval>,
    /// How many samples gave no value.
    pub errors: Option<u64>,
    /// Of a count of critical findings: how many more there may be, for their tool did not rate them.
    pub unrated: u64,
    /// Whether the value is a share of passes out of `samples`, so that Wilson's interval applies.
    pub rate: bool,
    /// Which direction is better, where the tool says so.
    pub higher_is_better: Option<bool>,
    /// Whether the run was cut to a part of its data set, where the tool says so.
    pub limited: bool,
    /// Where in the file it was read: a JSON pointer, a column, a key; shown to reviewers.
    pub at: String,
}

/// Between which values a tool says that the true one lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end, at least the lower one.
    pub high: f64,
    /// With which confidence, where the tool says so.
    pub confidence: Option<f64>,
}

/// How the run that wrote a report ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStatus {
    /// It finished, as far as the format can say.
    Finished,
    /// It did not finish well; in the tool's own words.
    Unfinished(String),
}

/// What a report says.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The format it was read in.
    pub format: Format,
    /// How the run ended.
    pub status: RunStatus,
    /// The metrics that the format itself names. Empty for an unfinished run, unless the policy allows those.
    pub metrics: BTreeMap<String, Metric>,
    /// Names that match several values of the report: asking for one is an error that lists them.
    pub ambiguous: BTreeMap<String, Vec<String>>,
    /// The metrics that mappings name, with the reason for those that could not be read. Shadows `metrics`.
    pub mapped: BTreeMap<String, Result<Metric, String>>,
    /// When the drill was made, in format `rollback`: its age counts from here too.
    pub tested: Option<Time>,
    /// The report itself, in format `metrics`: where it lies, and what it is known by.
    pub external: Option<External>,
}

/// Why a file gives no report: always a reason for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The file holds nothing (or a byte order mark alone).
    Empty,
    /// It does not read in its format, or in none, or in two.
    Invalid(String),
    /// It reads, in a format that may not be used here: not one the policy allows, or a generic one declared for a
    /// file that a specific format recognizes.
    FormatRefused(String),
}

/// One way to read a metric from a report in a given format: the policy's `[evidence.<kind>.metrics]`, or a request's
/// own (design, section 6).
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The format it reads; nothing in a request: that of the file.
    pub format: Option<Format>,
    /// What to read.
    pub source: Source,
    /// Whether the value is a share of passes out of its samples.
    pub rate: bool,
}

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// One value: a JSON pointer in a `json` report, else a metric's own name; with where its companions stand.
    Value {
        /// Pointer or name.
        value: String,
        /// Pointer or name of the sample count.
        samples: Option<String>,
        /// Pointer or name of the standard error.
        stderr: Option<String>,
        /// Pointer or name of the error count.
        errors: Option<String>,
    },
    /// A reduction of rows: of an array, of JSON Lines, of CSV.
    Rows {
        /// JSON pointer to the array; nothing for CSV and JSON Lines.
        select: Option<String>,
        /// Only rows whose column has this value.
        filter: BTreeMap<String, Scalar>,
        /// The column to reduce; nothing for `count`.
        column: Option<String>,
        /// How.
        reduce: Reduce,
        /// What `share` counts.
        equals: Option<Scalar>,
        /// The delimiter of a CSV file, in one byte.
        delimiter: u8,
    },
}

/// How rows become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduce {
    /// How many rows.
    Count,
    /// How many different values.
    Distinct,
    /// Their mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The share of rows whose value equals a given one.
    Share,
}

/// A value that a row's cell is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number; a CSV cell equals it when it parses as the same number.
    Number(f64),
    /// True or false.
    Bool(bool),
}

/// What to read from one file, and under which rules.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading<'a> {
    /// The format that the request declares.
    pub declared: Option<Format>,
    /// The formats that the policy allows for the kind; nothing: any.
    pub allowed: Option<&'a [Format]>,
    /// Whether metrics of a run that did not finish well are given.
    pub unfinished_allowed: bool,
    /// Whether the report itself may lie elsewhere: whether format `metrics` may be read.
    pub external_allowed: bool,
    /// Whether suppressions in source do not close a finding.
    pub in_source_ignored: bool,
    /// The files beside it of the same kind of evidence: VEX documents among them close findings.
    pub companions: &'a [&'a [u8]],
    /// The policy's mappings, by metric name.
    pub mappings: Option<&'a BTreeMap<String, Vec<Mapping>>>,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 15] = [
        Self::Text,
        Self::Json,
        Self::Csv,
        Self::CycloneDxVex,
        Self::Metrics,
        Self::Rollback,
        Self::Deepeval,
        Self::Garak,
        Self::Grype,
        Self::Inspect,
        Self::Junit,
        Self::LmEval,
        Self::Promptfoo,
        Self::Sarif,
        Self::Trivy,
    ];

    /// The format's name in policies, requests and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::CycloneDxVex => "cyclonedx-vex",
            Self::Metrics => "metrics",
            Self::Rollback => "rollback",
            Self::Deepeval => "deepeval",
            Self::Garak => "garak",
            Self::Grype => "grype",
            Self::Inspect => "inspect",
            Self::Junit => "junit",
            Self::LmEval => "lm-eval",
            Self::Promptfoo => "promptfoo",
            Self::Sarif => "sarif",
            Self::Trivy => "trivy",
        }
    }

    /// How its files are built: what a mapping can reach in them.
    fn shape(self) -> Shape {
        match self {
            Self::Json => Shape::Json,
            Self::CycloneDxVex
            | Self::Deepeval
            | Self::Garak
            | Self::Grype
            | Self::Inspect
            | Self::LmEval
            | Self::Metrics
            | Self::Promptfoo
            | Self::Sarif
            | Self::Trivy => Shape::NamedJson,
            Self::Csv => Shape::Delimited,
            Self::Junit | Self::Rollback | Self::Text => Shape::Opaque,
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// How the files of a format are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// JSON of any kind: values are pointers.
    Json,
    /// JSON of a known kind: values are metric names, or pointers, which begin with `/`.
    NamedJson,
    /// Rows with a header.
    Delimited,
    /// Nothing but the format's own metrics, if it has any.
    Opaque,
}

/// A user's text in backticks, cut where it is long: a message stays a message whatever a file holds.
fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

/// Several of a user's texts, each in backticks.
fn quote_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}
