//! TOML as 1.0 tools read it, with the place of every key and value.
//!
//! The parser is one of TOML 1.0 on purpose: 1.1 allows more (line ends in inline tables, times without seconds, `\e`),
//! and what people review with other tools must be what is judged here. Nothing is known here of keys: that is
//! [`super::section`]'s. Size and depth are bounded, so that a hostile file costs little.

use std::collections::BTreeMap;
use std::ops::Range;

use toml_edit::{ImDocument, Item, Key, TableLike};

use super::{Place, Problem, Problems};

/// Largest TOML file that is read, in bytes.
pub const TOML_BYTES: usize = 1024 * 1024;

/// The codes of this module, each with what it means.
pub const CODES: &[(&str, &str)] = &[
    ("toml-not-utf8", "the file is not UTF-8 text"),
    ("toml-byte-order-mark", "the file begins with a byte order mark, which TOML 1.0 tools refuse"),
    ("toml-nul", "the file holds a NUL byte"),
    ("toml-too-large", "the file is larger than TOML files here may be"),
    ("toml-syntax", "the file is not TOML 1.0: a syntax error, a key given twice, nesting too deep"),
];

/// One TOML file: its text and what it holds.
#[derive(Debug, Clone)]
pub struct Document {
    file: String,
    source: String,
    root: Table,
}

/// A table: its entries by key, no key twice.
pub type Table = BTreeMap<String, Entry>;

/// One entry of a table.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where the key stands.
    pub key: Range<usize>,
    /// What it holds.
    pub value: Value,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its bytes in the file; of a table with a header, those of the header.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A float; may be NaN or infinite.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A date or time, as TOML writes it: `2026-12-20T00:00:00Z`.
    Moment(String),
    /// An array, also one of tables.
    Array(Vec<Value>),
    /// A table.
    Table(Table),
}

/// One step of a path to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Into a table, by key.
    Key(&'a str),
    /// Into an array, by position.
    At(usize),
}

impl Document {
    /// Reads `bytes` as TOML 1.0. `file` is how the user knows it.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Problems> {
        let source = text_of(file, bytes)?;
        let parsed =
            ImDocument::parse(source).map_err(|error| Problems(vec![syntax(file, source, &error)]))?;
        let root = table_of(parsed.as_table());
        Ok(Self { file: file.to_owned(), source: source.to_owned(), root })
    }

    /// What the file holds.
    pub fn root(&self) -> &Table {
        &self.root
    }

    /// The place of the bytes `span`.
    pub fn place(&self, span: Range<usize>) -> Place {
        Place::in_text(&self.file, &self.source, span)
    }

    /// The file as the user knows it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The place of the value at `path`, or of the last thing on the way that is there; nothing where not even the
    /// first is.
    pub fn find(&self, path: &[Step<'_>]) -> Option<Place> {
        let mut table = Some(&self.root);
        let mut array: Option<&Vec<Value>> = None;
        let mut found = None;
        for step in path {
            let next = match *step {
                Step::Key(key) => {
                    table.and_then(|table| table.get(key)).map(|entry| (&entry.value, &entry.key))
                }
                Step::At(index) => array.and_then(|array| array.get(index)).map(|value| (value, &value.span)),
            };
            let Some((value, named)) = next else { break };
            (table, array) = (None, None);
            let mut span = &value.span;
            match &value.kind {
                Kind::Table(inner) => (table, span) = (Some(inner), named),
                Kind::Array(inner) => (array, span) = (Some(inner), named),
                Kind::Text(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Boolean(_) | Kind::Moment(_) => {}
            }
            found = Some(span.clone());
        }
        found.map(|span| self.place(span))
    }
}

impl Document {
    /// Where the string `text` stands in the array at `path`.
    pub fn position(&self, path: &[Step<'_>], text: &str) -> Option<usize> {
        let Kind::Array(values) = &self.value(path)?.kind else { return None };
        values.iter().position(|value| value.kind.as_text() == Some(text))
    }

    fn value(&self, path: &[Step<'_>]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        let Step::Key(key) = first else { return None };
        let mut value = &self.root.get(*key)?.value;
        for step in rest {
            value = match (step, &value.kind) {
                (Step::Key(key), Kind::Table(table)) => &table.get(*key)?.value,
                (Step::At(index), Kind::Array(values)) => values.get(*index)?,
                (Step::Key(_) | Step::At(_), _) => return None,
            };
        }
        Some(value)
    }
}

impl Kind {
    /// The text, of a string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_)
            | Self::Float(_)
            | Self::Boolean(_)
            | Self::Moment(_)
            | Self::Array(_)
            | Self::Table(_) => None,
        }
    }

    /// What a value of this kind is called, with its article.
    pub fn described(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Moment(_) => "a date or time",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

/// The bytes as text that TOML may hold, each other thing with its own code and mend.
fn text_of<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Problems> {
    if bytes.len() > TOML_BYTES {
        return Err(Problems(vec![Problem {
            code: "toml-too-large",
            place: None,
            message: format!("`{file}` has {} bytes", bytes.len()),
            help: Some(format!("a TOML file here has at most {TOML_BYTES} bytes")),
        }]));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok());
        let end = error.valid_up_to();
        Problems(vec![Problem {
            code: "toml-not-utf8",
            place: good.map(|good| Place::in_text(file, good, end..end)),
            message: format!("byte {} is not UTF-8", end + 1),
            help: Some("save the file as UTF-8".into()),
        }])
    })?;
    if text.starts_with('\u{feff}') {
        return Err(Problems(vec![Problem {
            code: "toml-byte-order-mark",
            place: Some(Place::in_text(file, text, 0..3)),
            message: "the file begins with a byte order mark".into(),
            help: Some("save it as UTF-8 without one".into()),
        }]));
    }
    if let Some(at) = text.find('\0') {
        return Err(Problems(vec![Problem {
            code: "toml-nul",
            place: Some(Place::in_text(file, text, at..at + 1)),
            message: "a NUL byte".into(),
            help: Some("text holds none; is this the right file?".into()),
        }]));
    }
    Ok(text)
}

fn syntax(file: &str, source: &str, error: &toml_edit::TomlError) -> Problem {
    // The parser's own words, in one line: `invalid string, expected …`.
    let words: Vec<&str> = error.message().lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let message = if words.is_empty() { "not TOML".to_owned() } else { words.join(", ") };
    let help = Some("this must be TOML 1.0 (https://toml.io/en/v1.0.0)".into());
    let span = error.span().unwrap_or(source.len()..source.len());
    Problem { code: "toml-syntax", place: Some(Place::in_text(file, source, span)), message, help }
}

fn table_of(table: &dyn TableLike) -> Table {
    table
        .iter()
        .filter_map(|(name, item)| {
            let key = table.key(name).and_then(Key::span).unwrap_or(0..0);
            let value = value_of(item, &key)?;
            Some((name.to_owned(), Entry { key, value }))
        })
        .collect()
}

/// The item as a value; nothing for an item that is none, which a parsed file does not hold.
fn value_of(item: &Item, key: &Range<usize>) -> Option<Value> {
    let span = item.span().unwrap_or_else(|| key.clone());
    let kind = match item {
        Item::None => return None,
        Item::Value(value) => return Some(plain_value(value, key)),
        Item::Table(table) => Kind::Table(table_of(table)),
        Item::ArrayOfTables(tables) => Kind::Array(
            tables
                .iter()
                .map(|table| Value {
                    span: table.span().unwrap_or_else(|| key.clone()),
                    kind: Kind::Table(table_of(table)),
                })
                .collect(),
        ),
    };
    Some(Value { span, kind })
}

fn plain_value(value: &toml_edit::Value, key: &Range<usize>) -> Value {
    let kind = match value {
        toml_edit::Value::String(text) => Kind::Text(text.value().clone()),
        toml_edit::Value::Integer(number) => Kind::Integer(*number.value()),
        toml_edit::Value::Float(number) => Kind::Float(*number.value()),
        toml_edit::Value::Boolean(flag) => Kind::Boolean(*flag.value()),
        toml_edit::Value::Datetime(moment) => Kind::Moment(moment.value().to_string()),
        toml_edit::Value::Array(array) => {
            Kind::Array(array.iter().map(|value| plain_value(value, key)).collect())
        }
        toml_edit::Value::InlineTable(table) => Kind::Table(table_of(table)),
    };
    Value { span: value.span().unwrap_or_else(|| key.clone()), kind }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
