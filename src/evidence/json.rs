//! JSON as evaluation tools really write it, read so that nothing in it can mislead a gate.
//!
//! Looser than RFC 8259 in one thing: the bare literals `NaN`, `Infinity` and `-Infinity`, which Python writes, are
//! values of their own. Stricter in others: an object with one key twice, nesting beyond 128, and half a
//! surrogate pair make the file unreadable, for readers disagree on what they mean. A file is read through a small window
//! and only what a [`Sieve`] keeps of it stays, at most a million values: its size is no limit of its own.
//! A number is an `f64`; one that no `f64` holds (too large, too near to zero, or an integer that would be rounded)
//! keeps its text instead, so that no comparison ever sees another number than the one that was written.

mod parse;
mod sieve;
mod string;
mod window;

use std::fmt;
use std::sync::Arc;

pub(crate) use parse::{parse_document, parse_file};
pub(crate) use sieve::{Sieve, Step};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// `NaN`, `Infinity`, `-Infinity`, or a number that no `f64` holds, as written.
    Unheld(String),
    /// A text; short ones that come again and again are held once.
    Text(Arc<str>),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Members),
}

/// The members of an object, each key once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Members(Vec<(Arc<str>, Json)>);

/// What a JSON file holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JsonFile {
    /// One value.
    Document(Json),
    /// JSON Lines: several values, one a line.
    Lines(Vec<Json>),
}

/// Why a text is not read as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// Whether it is JSON but for something that is refused here; else it is no JSON at all.
    pub(crate) refused: bool,
    line: usize,
    what: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl JsonError {
    /// It is no JSON.
    fn wrong(line: usize, what: &str) -> Self {
        Self { refused: false, line, what: what.to_owned() }
    }

    /// The file itself could not be read on.
    fn broken(line: usize, error: &std::io::Error) -> Self {
        Self { refused: true, line, what: format!("it cannot be read: {error}") }
    }

    /// An archive is no JSON.
    pub(crate) fn archive() -> Self {
        Self { refused: false, line: 1, what: "it is a ZIP archive".to_owned() }
    }
}

impl Json {
    /// The member of that key, of an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.as_object().and_then(|members| members.get(key))
    }

    /// The members, of an object.
    pub(crate) fn as_object(&self) -> Option<&Members> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The items, of an array.
    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The text, of a text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, of a finite number.
    pub(crate) fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The count: a whole number, not negative, small enough to be exact.
    pub(crate) fn as_count(&self) -> Option<u64> {
        self.as_number().and_then(super::number::count)
    }

    /// What kind of value it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Unheld(_) => "a number that is not finite, or too long to be exact",
            Self::Text(_) => "a text",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl Members {
    /// The member of that key.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        let at = self.0.binary_search_by(|(name, _)| name.as_ref().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// All members, sorted by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

#[cfg(test)]
mod tests;
