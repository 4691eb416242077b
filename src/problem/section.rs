//! Reads the tables of a [`Document`] key by key, and collects every problem on the way.
//!
//! A reading function that gives nothing has told why: whoever puts the parts together can pass that on with `?`, and
//! the [`Reader`] turns into an error at the end. Which keys a table may have is what was asked of its [`Section`];
//! [`Section::finish`] reports all others.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;

use super::document::{Document, Kind, Step, Table, Value};
use super::{Problem, Problems};
use crate::model::Malformed;

/// Most problems that one file's reading collects.
pub const MOST_PROBLEMS: usize = 100;

/// The codes of one kind of file for what can be wrong in any table.
#[derive(Debug, Clone, Copy)]
pub struct Codes {
    /// A key that nothing here has.
    pub unknown_key: &'static str,
    /// A key that must be there.
    pub missing_key: &'static str,
    /// A value of another type.
    pub wrong_type: &'static str,
    /// A value that is none of those that may stand there.
    pub bad_value: &'static str,
    /// An element that a list has twice.
    pub repeated: &'static str,
    /// A `schema` that this program does not know.
    pub schema: &'static str,
}

/// Collects the problems of one document.
#[derive(Debug)]
pub struct Reader<'d> {
    document: &'d Document,
    codes: Codes,
    problems: RefCell<Vec<Problem>>,
    dropped: Cell<usize>,
}

/// One table while it is read.
#[derive(Debug)]
pub struct Section<'r> {
    reader: &'r Reader<'r>,
    table: &'r Table,
    span: Option<Range<usize>>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'d> Reader<'d> {
    /// A reader of `document` that has met no problem yet.
    pub fn new(document: &'d Document, codes: Codes) -> Self {
        Self { document, codes, problems: RefCell::default(), dropped: Cell::new(0) }
    }

    /// The document.
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// The codes of this kind of file.
    pub fn codes(&self) -> Codes {
        self.codes
    }

    /// Notes a problem at `span`.
    pub fn problem(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        // Placing costs a pass over the text, which a flood of problems must not multiply.
        let full = self.problems.borrow().len() >= MOST_PROBLEMS;
        let place = if full { None } else { Some(self.document.place(span)) };
        self.note(Problem { code, place, message: message.into(), help: Some(help.into()) });
    }

    /// Notes a problem at the value of `path`.
    pub fn problem_at(
        &self,
        code: &'static str,
        path: &[Step<'_>],
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = self.document.find(path);
        self.note(Problem { code, place, message: message.into(), help: Some(help.into()) });
    }

    /// Whether no problem was noted. What compares several parts of a file runs only then: parts that did not read are
    /// left out, and their neighbours would be blamed.
    pub fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    fn note(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() >= MOST_PROBLEMS {
            self.dropped.set(self.dropped.get() + 1);
            return;
        }
        problems.push(problem);
    }

    /// The value that was read, or all the problems, in the order of the file. A value that is not there without a
    /// problem is one too: a defect of this program never reads as fine.
    pub fn end<T>(self, value: Option<T>) -> Result<T, Problems> {
        let mut problems = self.problems.into_inner();
        match value {
            Some(value) if problems.is_empty() => return Ok(value),
            Some(_) | None => {}
        }
        if problems.is_empty() {
            let message = format!("`{}` could not be read", self.document.file());
            problems.push(Problem { code: self.codes.bad_value, place: None, message, help: None });
        }
        problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
        if self.dropped.get() > 0
            && let Some(last) = problems.last_mut()
        {
            let more = format!("and {} more problems", self.dropped.get());
            last.help = Some(last.help.take().map_or(more.clone(), |help| format!("{help}; {more}")));
        }
        Err(Problems(problems))
    }

    /// The whole document as a section, if its `schema` is `known`; an unknown schema is the only problem then, since
    /// the rest means whatever that schema says.
    pub fn root(&'d self, known: i64) -> Option<Section<'d>> {
        let section = Section::new(self, self.document.root(), None);
        let schema = section.required("schema", |reader, value| {
            let Kind::Integer(number) = value.kind else { return reader.wrong_type(value, "an integer") };
            if number == known {
                return Some(number);
            }
            let help = format!("this program knows `schema = {known}`; a newer one may know more");
            reader.problem(self.codes.schema, value.span.clone(), format!("unknown schema `{number}`"), help);
            None
        });
        schema.map(|_known| section)
    }

    /// The value as a table to be read.
    pub fn section(&'d self, value: &'d Value) -> Option<Section<'d>> {
        let Kind::Table(table) = &value.kind else { return self.wrong_type(value, "a table") };
        Some(Section::new(self, table, Some(value.span.clone())))
    }

    /// The entries of a table whose keys the user chooses, each key parsed. Its entries that do not parse are left out.
    pub fn entries<K, T>(
        &'d self,
        value: &'d Value,
        read: impl Fn(&'d Self, &'d Value) -> Option<T>,
    ) -> Option<std::collections::BTreeMap<K, T>>
    where
        K: FromStr<Err = Malformed> + Ord,
    {
        let Kind::Table(table) = &value.kind else { return self.wrong_type(value, "a table") };
        let mut entries = std::collections::BTreeMap::new();
        for (key, entry) in table {
            let name = key.parse::<K>();
            if let Err(why) = &name {
                let message = format!("`{key}` cannot be a name here");
                self.problem(self.codes.bad_value, entry.key.clone(), message, why.to_string());
            }
            if let (Some(read), Ok(name)) = (read(self, &entry.value), name) {
                entries.insert(name, read);
            }
        }
        Some(entries)
    }

    /// Notes that the value is of another type than `expected`.
    pub fn wrong_type<T>(&self, value: &Value, expected: &str) -> Option<T> {
        let message = format!("{} where {expected} belongs", value.kind.described());
        self.problem(self.codes.wrong_type, value.span.clone(), message, format!("write {expected}"));
        None
    }

    /// Notes that the value, or a combination that it is part of, cannot stand.
    pub fn bad<T>(
        &self,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.problem(self.codes.bad_value, span.clone(), message, help);
        None
    }
}

impl<'r> Section<'r> {
    fn new(reader: &'r Reader<'r>, table: &'r Table, span: Option<Range<usize>>) -> Self {
        Self { reader, table, span, asked: RefCell::default() }
    }

    /// The reader of the document.
    pub fn reader(&self) -> &'r Reader<'r> {
        self.reader
    }

    /// Where the table stands: its header, or its braces; the start of the file for the whole document.
    pub fn span(&self) -> Range<usize> {
        self.span.clone().unwrap_or(0..0)
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the value of the key stands, or else the table.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.span(), |entry| entry.value.span.clone())
    }

    /// What `read` makes of the value of `key`; nothing where the key is not there, or does not read.
    pub fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'r Reader<'r>, &'r Value) -> Option<T>,
    ) -> Option<T> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key).and_then(|entry| read(self.reader, &entry.value))
    }

    /// What `read` makes of the value of `key`, which must be there.
    pub fn required<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'r Reader<'r>, &'r Value) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            let codes = self.reader.codes;
            let message = format!("`{key}` is missing");
            self.reader.problem(codes.missing_key, self.span(), message, format!("add `{key} = …` here"));
        }
        self.optional(key, read)
    }

    /// What `read` makes of the value of `key`, `default` where the key is not there, nothing where it does not read.
    pub fn defaulted<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&'r Reader<'r>, &'r Value) -> Option<T>,
    ) -> Option<T> {
        let there = self.has(key);
        let read = self.optional(key, read);
        if there { read } else { Some(default) }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        let asked = self.asked.into_inner();
        for (key, entry) in self.table {
            if asked.contains(key.as_str()) {
                continue;
            }
            let known = || asked.iter().copied();
            let help = match closest(key, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("keys here: {}", listed(known())),
            };
            let message = format!("unknown key `{key}`");
            self.reader.problem(self.reader.codes.unknown_key, entry.key.clone(), message, help);
        }
    }
}

/// The words in backticks, joined by commas.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().take(20).map(|word| format!("`{word}`")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// The known word that `text` is most likely meant to be: few edits away, for its length.
pub fn closest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer words are no names here, and the distance costs the product of both lengths.
    if text.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .filter(|word| word.len() <= 64)
        .take(1_000)
        .map(|word| (edits(text, word), word))
        .filter(|(edits, word)| *edits <= 1 + word.chars().count() / 4)
        .min()
        .map(|(_, word)| word)
}

/// Levenshtein distance, one row at a time.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, a) in from.chars().enumerate() {
        let mut next = vec![index + 1];
        for ((b, kept), above) in to.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or(0);
            next.push((kept + usize::from(a != *b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keys_is_recognized() {
        let known = ["approvals", "evidence", "criteria", "name"];
        assert_eq!(closest("aprovals", known), Some("approvals"));
        assert_eq!(closest("nmae", known), Some("name"));
        assert_eq!(closest("something", known), None);
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}
