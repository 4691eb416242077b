//! Delimited rows with a header, read strictly.
//!
//! Spreadsheets and tools disagree on quotes; a reader that guesses can swallow rows (an unclosed quote takes all that
//! follows for one cell). So the grammar is RFC 4180 and nothing looser, with `\n` or `\r\n` as line end, and a
//! file that departs from it is unreadable. Blanks around a cell are no part of it; blank lines are passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Format, Mapping, Source, quote};

/// Most cells in one file: what keeps memory bounded.
const MAX_CELLS: usize = 2_000_000;

/// A header and rows of the same width.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// Column names, as written; not all need to differ.
    pub(crate) header: Row<'a>,
    /// The rows below it.
    pub(crate) rows: Vec<Row<'a>>,
}

/// The cells of one line.
pub(crate) type Row<'a> = Vec<Cow<'a, str>>;

/// Whether the file reads at all: under one of the delimiters that the policy's mappings name, else under the one that
/// its header shows.
pub(crate) fn check(text: &str, mappings: Option<&BTreeMap<String, Vec<Mapping>>>) -> Result<(), String> {
    let mut delimiters: Vec<u8> = mappings
        .into_iter()
        .flat_map(BTreeMap::values)
        .flatten()
        .filter(|mapping| mapping.format.is_none_or(|format| format == Format::Csv))
        .filter_map(|mapping| match &mapping.source {
            Source::Rows { delimiter, .. } => Some(*delimiter),
            Source::Value { .. } => None,
        })
        .collect();
    delimiters.sort_unstable();
    delimiters.dedup();
    if delimiters.is_empty() {
        delimiters.push(likely_delimiter(text));
    }
    let mut first_error = None;
    for delimiter in delimiters {
        match parse(text, delimiter) {
            Ok(_) => return Ok(()),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_default())
}

/// Reads the rows.
pub(crate) fn parse(text: &str, delimiter: u8) -> Result<Table<'_>, String> {
    if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n') {
        return Err("a delimiter is one ASCII character other than a quote or a line end".to_owned());
    }
    let mut reader = Reader { text, at: 0, line: 1, delimiter, cells: 0 };
    let Some((_, header)) = reader.row()? else { return Err("it has no header row".to_owned()) };
    let mut rows = Vec::new();
    while let Some((line, row)) = reader.row()? {
        if row.len() != header.len() {
            return Err(format!("line {line} has {} cells, the header {}", row.len(), header.len()));
        }
        if row == header {
            return Err(format!("line {line} repeats the header: these are several files in one"));
        }
        rows.push(row);
    }
    Ok(Table { header, rows })
}

/// The delimiter that stands in the first line most often.
fn likely_delimiter(text: &str) -> u8 {
    let header = text.trim_start().lines().next().unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    delimiter: u8,
    cells: usize,
}

impl<'a> Reader<'a> {
    /// The next row that is not blank, with its line; nothing at the end.
    fn row(&mut self) -> Result<Option<(usize, Row<'a>)>, String> {
        while self.at < self.text.len() {
            let line = self.line;
            let mut row = Vec::new();
            loop {
                self.cells += 1;
                if self.cells > MAX_CELLS {
                    return Err(format!("it has more than {MAX_CELLS} cells"));
                }
                row.push(self.cell()?);
                if !self.end_of_cell()? {
                    break;
                }
            }
            // A quoted nothing is a cell; a line of blanks is no row.
            let blank = matches!(row.as_slice(), [Cow::Borrowed(only)] if only.is_empty());
            if !blank {
                return Ok(Some((line, row)));
            }
        }
        Ok(None)
    }

    fn cell(&mut self) -> Result<Cow<'a, str>, String> {
        self.skip_blanks();
        if self.peek() == Some(b'"') {
            let cell = self.quoted()?;
            self.skip_blanks();
            return Ok(Cow::Owned(cell));
        }
        let rest = self.rest();
        let ends = |byte: u8| byte == self.delimiter || matches!(byte, b'\n' | b'\r' | b'"');
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        if rest.as_bytes().get(length) == Some(&b'"') {
            return Err(format!("line {}: a quote inside a cell that is not quoted", self.line));
        }
        self.at += length;
        Ok(Cow::Borrowed(rest.get(..length).unwrap_or_default().trim()))
    }

    /// A quoted cell, from its opening quote.
    fn quoted(&mut self) -> Result<String, String> {
        let opened = self.line;
        let mut cell = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(stop) = rest.find('"') else {
                return Err(format!("line {opened}: a quote that is never closed"));
            };
            let part = rest.get(..stop).unwrap_or_default();
            self.line += part.matches('\n').count();
            cell.push_str(part);
            self.at += stop + 1;
            if self.peek() != Some(b'"') {
                return Ok(cell.trim().to_owned());
            }
            cell.push('"');
            self.at += 1;
        }
    }

    /// Steps over what ends a cell: whether another follows in the row.
    fn end_of_cell(&mut self) -> Result<bool, String> {
        match self.peek() {
            None => return Ok(false),
            Some(byte) if byte == self.delimiter => {
                self.at += 1;
                return Ok(true);
            }
            Some(b'\n') => self.at += 1,
            Some(b'\r') if self.rest().starts_with("\r\n") => self.at += 2,
            Some(b'\r') => {
                return Err(format!("line {}: a line end that is neither LF nor CR LF", self.line));
            }
            Some(_) => return Err(format!("line {}: text follows a closing quote", self.line)),
        }
        self.line += 1;
        Ok(false)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t') && byte != self.delimiter) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

impl Table<'_> {
    /// Where the column of that name stands; an error where none does, or several do.
    pub(crate) fn position(&self, column: &str) -> Result<usize, String> {
        let mut places = self.header.iter().enumerate().filter(|(_, name)| *name == column).map(|(at, _)| at);
        match (places.next(), places.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => Err(format!("several columns are named {}", quote(column))),
            (None, _) => Err(format!(
                "no column is named {}; the header has {}",
                quote(column),
                super::quote_all(self.header.iter().take(12).map(AsRef::as_ref))
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, delimiter: u8) -> Vec<Vec<String>> {
        let table = parse(text, delimiter).unwrap();
        table.rows.into_iter().map(|row| row.into_iter().map(Cow::into_owned).collect()).collect()
    }

    #[test]
    fn rows_read_as_rfc_4180_says() {
        assert_eq!(rows("a,b\n1,2\n", b','), [["1", "2"]]);
        assert_eq!(rows("a,b\r\n1, 2 \r\n\r\n3,", b','), [["1", "2"], ["3", ""]]);
        assert_eq!(rows("a;b\n\"x\ny;\"\"z\"\"\";2", b';'), [["x\ny;\"z\"", "2"]]);
        assert_eq!(rows("a\tb\n\t2\n", b'\t'), [["", "2"]]);
        assert_eq!(rows("a,b\n \t\"x\" , \"y\"\t\n", b','), [["x", "y"]]);
        assert_eq!(rows("a\n\"\"\n\nx\n", b','), [[""], ["x"]]);
        assert_eq!(rows("a,b\n", b','), Vec::<Vec<String>>::new());
    }

    #[test]
    fn what_departs_from_it_is_unreadable() {
        for (text, expected) in [
            ("a,b\n1,2\n3", "line 3 has 1 cells, the header 2"),
            ("a,b\n1,2,3", "line 2 has 3 cells"),
            ("a,b\n\"x\ny\",2\n3\n", "line 4 has 1 cells"),
            ("a,b\n\"1,2\n3,4\n", "line 2: a quote that is never closed"),
            ("a,b\n1,x\"2\n", "line 2: a quote inside a cell"),
            ("a,b\n\"1\"x,2\n", "line 2: text follows a closing quote"),
            ("a,b\r1,2\r", "neither LF nor CR LF"),
            ("a,b\n1,2\na,b\n3,4\n", "line 3 repeats the header"),
            ("\n\n", "no header row"),
        ] {
            let error = parse(text, b',').unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        assert!(parse(&",".repeat(MAX_CELLS + 1), b',').unwrap_err().contains("cells"));
        for delimiter in [b'"', b'\n', 0x80] {
            assert!(parse("a", delimiter).is_err());
        }
    }

    #[test]
    fn a_column_is_asked_for_by_a_name_that_only_it_has() {
        let table = parse("a,Status,Status\n1,2,3", b',').unwrap();
        assert_eq!(table.position("a"), Ok(0));
        assert!(table.position("Status").unwrap_err().contains("several"));
        assert!(table.position("status").unwrap_err().contains("`Status`"));
    }
}
