//! What a page of a report holds, before it has a form: parts, tables, facts, in the order in which people read them.
//!
//! A finding becomes part of a sheet once; `html/` and `sheet_markdown.rs` lay the same sheet out. Everything here is raw,
//! as the repository holds it: each form makes text safe at one place.

use crate::model::{ObjectId, Principal, Time};

use super::page::{Tone, Word};

/// One page of a report.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    /// Its file below the report's directory, with `/` between the parts.
    pub(super) path: String,
    /// What kind of thing it is about, above the title.
    pub(super) kind: &'static str,
    /// The title.
    pub(super) title: String,
    /// How that is, in a few words.
    pub(super) words: Vec<Word>,
    /// What it is, for who reads no further.
    pub(super) lead: Vec<Cell>,
    /// The rest.
    pub(super) parts: Vec<Part>,
}

/// A part of a page under a title of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Its title.
    pub(super) title: String,
    /// What stands in it.
    pub(super) blocks: Vec<Block>,
}

/// What stands in a part.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// A paragraph.
    Words(Vec<Cell>),
    /// One line for each.
    Points(Vec<Vec<Cell>>),
    /// Labels, each with what it says.
    Facts(Vec<(&'static str, Vec<Cell>)>),
    /// Rows and columns.
    Table(Table),
    /// A drawing of numbers that stand in a table beside it.
    Chart(Chart),
}

/// Rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    /// What it shows.
    pub(super) caption: String,
    /// The heads of its columns; the first one names the row.
    pub(super) columns: Vec<&'static str>,
    /// The rows.
    pub(super) rows: Vec<Vec<Vec<Cell>>>,
    /// What is said where there is no row.
    pub(super) empty: &'static str,
}

/// Numbers over time or by name, one line or bar a series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    /// What it shows.
    pub(super) title: String,
    /// What is counted.
    pub(super) unit: &'static str,
    /// How it is drawn.
    pub(super) drawing: Drawing,
    /// What stands along the bottom, such as `Month`.
    pub(super) along_is: &'static str,
    /// The names along the bottom.
    pub(super) along: Vec<String>,
    /// Each series with a number, or none, for each of these names.
    pub(super) series: Vec<(String, Vec<Option<f64>>)>,
}

/// How numbers are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawing {
    /// A line for each series: over time.
    Lines,
    /// A bar for each series beside those of the others: by name.
    Bars,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Words to read.
    Words(String),
    /// To be copied as it stands: a command, an id, a digest.
    Exact(String),
    /// The same, shown short, and whole to who asks.
    Short(String, String),
    /// Words that lead to another page of the report, by its path.
    Link(String, String),
    /// A word that says how something is.
    Mark(Word),
    /// A moment.
    Time(Time),
    /// A moment that leads to another page of the report, by its path.
    TimeLink(Time, String),
}

impl Cell {
    pub(super) fn words(text: impl Into<String>) -> Vec<Self> {
        vec![Self::Words(text.into())]
    }

    pub(super) fn exact(text: impl std::fmt::Display) -> Vec<Self> {
        vec![Self::Exact(format!("{text}"))]
    }

    pub(super) fn link(text: impl Into<String>, path: impl Into<String>) -> Vec<Self> {
        vec![Self::Link(text.into(), path.into())]
    }

    pub(super) fn mark(text: impl Into<String>, tone: Tone) -> Vec<Self> {
        vec![Self::Mark(Word::new(text, tone))]
    }

    pub(super) fn time(time: Time) -> Vec<Self> {
        vec![Self::Time(time)]
    }

    pub(super) fn time_link(time: Time, path: impl Into<String>) -> Vec<Self> {
        vec![Self::TimeLink(time, path.into())]
    }

    pub(super) fn maybe_time(time: Option<Time>) -> Vec<Self> {
        time.map_or_else(|| Self::words("—"), Self::time)
    }

    pub(super) fn commit(id: ObjectId) -> Vec<Self> {
        vec![Self::Short(id.short(), id.to_string())]
    }

    pub(super) fn person(person: Option<&Principal>) -> Vec<Self> {
        Self::words(person.map_or_else(|| "nobody known".to_owned(), ToString::to_string))
    }
}

impl Part {
    pub(super) fn new(title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { title: title.into(), blocks }
    }

    /// A part that holds one table.
    pub(super) fn table(title: impl Into<String>, table: Table) -> Self {
        Self::new(title, vec![Block::Table(table)])
    }
}

/// What is said of several things, with commas between them.
pub(super) fn joined(items: impl IntoIterator<Item = Vec<Cell>>) -> Vec<Cell> {
    let mut cells = Vec::new();
    for item in items {
        if !cells.is_empty() {
            cells.push(Cell::Words(", ".to_owned()));
        }
        cells.extend(item);
    }
    cells
}

/// Whole numbers as such, others with two digits behind the point.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// `2026-11-22 16:00:00 UTC`
pub(super) fn moment(time: Time) -> String {
    time.to_string().replace('T', " ").replace('Z', " UTC")
}
