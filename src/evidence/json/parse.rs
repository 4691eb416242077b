//! A file → [`Json`]: by hand, one byte after the other, with every limit in sight.
//!
//! What a [`Sieve`] does not keep is held to the same rules and leaves nothing behind, so that memory does not grow with the
//! file. Keys of the objects that are open wait in one text until their object ends: then each must be there once.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use super::sieve::Sieve;
use super::string::string;
use super::window::Window;
use super::{Json, JsonError, JsonFile, Members};

/// Deepest nesting of arrays and objects.
pub(super) const MAX_DEPTH: usize = 128;
/// Most values that are kept of one file: what bounds memory. An honest report has far fewer.
pub(super) const MAX_VALUES: usize = 1_000_000;
/// Most bytes of texts that are kept of one file.
pub(super) const MAX_TEXT: usize = 32 * 1024 * 1024;
/// Most keys, and bytes of keys, in the objects that are open at one time.
const MAX_KEYS: usize = 1_000_000;
const MAX_KEY_BYTES: usize = 16 * 1024 * 1024;
/// Longest number.
pub(super) const MAX_NUMBER: usize = 1024;

/// Reads a file: one value, or else JSON Lines. Blank lines between those are passed over. With it, whether it is one
/// value on one line, which is JSON Lines of one row as well.
pub(crate) fn parse_file(source: impl Read, sieve: &Sieve) -> Result<(JsonFile, bool), JsonError> {
    let mut parser = Parser::new(source);
    let (first, one_line) = parser.row(sieve)?;
    if parser.peek()?.is_none() {
        return Ok((JsonFile::Document(first), one_line));
    }
    if !one_line || !parser.fresh_line {
        return Err(parser.wrong("something follows the value"));
    }
    let mut rows = vec![first];
    while parser.peek()?.is_some() {
        if !parser.fresh_line {
            return Err(parser.wrong("something follows the value"));
        }
        let line = parser.line;
        match parser.row(sieve) {
            Ok((row, true)) => rows.push(row),
            Ok((_, false)) => {
                return Err(JsonError::wrong(line, "a row of JSON Lines that goes on in the next line"));
            }
            Err(error) if error.refused => return Err(error),
            Err(error) => return Err(JsonError { line, ..error }),
        }
    }
    Ok((JsonFile::Lines(rows), false))
}

/// Reads one value.
pub(crate) fn parse_document(source: impl Read, sieve: &Sieve) -> Result<Json, JsonError> {
    let mut parser = Parser::new(source);
    let (value, _) = parser.row(sieve)?;
    match parser.peek()? {
        None => Ok(value),
        Some(_) => Err(parser.wrong("something follows the value")),
    }
}

struct Parser<R> {
    window: Window<R>,
    line: usize,
    /// Whether a line ended since the last value.
    fresh_line: bool,
    values: usize,
    text: usize,
    keys: Keys,
    known: Known,
}

/// Short texts that were kept before: levels, rule names and the like come a hundred thousand times.
#[derive(Default)]
struct Known(BTreeSet<Arc<str>>);

/// The keys of all objects that are open.
#[derive(Default)]
struct Keys {
    text: String,
    ends: Vec<(usize, usize)>,
}

impl<R: Read> Parser<R> {
    fn new(source: R) -> Self {
        Self {
            window: Window::new(source),
            line: 1,
            fresh_line: false,
            values: 0,
            text: 0,
            keys: Keys::default(),
            known: Known::default(),
        }
    }

    /// A value and the blanks behind it; with whether it stands on one line.
    fn row(&mut self, sieve: &Sieve) -> Result<(Json, bool), JsonError> {
        self.skip_blanks()?;
        let line = self.line;
        let value = self.value(0, Some(sieve))?.unwrap_or(Json::Null);
        let one_line = self.line == line;
        self.fresh_line = false;
        self.skip_blanks()?;
        Ok((value, one_line))
    }

    /// The next value, as far as the sieve keeps it.
    fn value(&mut self, depth: usize, sieve: Option<&Sieve>) -> Result<Option<Json>, JsonError> {
        if sieve.is_some() {
            self.count_value()?;
        }
        if depth > MAX_DEPTH {
            return Err(self.refused(format!("nested more than {MAX_DEPTH} deep")));
        }
        self.skip_blanks()?;
        match self.peek()? {
            Some(b'{') => self.object(depth, sieve),
            Some(b'[') => self.array(depth, sieve),
            Some(b'"') => self.text(sieve),
            Some(b'-' | b'0'..=b'9') => self.number(sieve),
            _ => self.literal(),
        }
    }

    fn count_value(&mut self) -> Result<(), JsonError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(self.refused(format!("more than {MAX_VALUES} values")));
        }
        Ok(())
    }

    fn literal(&mut self) -> Result<Option<Json>, JsonError> {
        let rest =
            self.window.at_least("Infinity".len()).map_err(|error| JsonError::broken(self.line, &error))?;
        for word in ["null", "true", "false", "NaN", "Infinity"] {
            if rest.starts_with(word.as_bytes()) {
                self.window.step(word.len());
                return Ok(Some(match word {
                    "null" => Json::Null,
                    "true" => Json::Bool(true),
                    "false" => Json::Bool(false),
                    _ => Json::Unheld(word.to_owned()),
                }));
            }
        }
        let ended = rest.is_empty();
        Err(self.wrong(if ended { "it ends too early" } else { "no JSON value" }))
    }

    fn array(&mut self, depth: usize, sieve: Option<&Sieve>) -> Result<Option<Json>, JsonError> {
        self.window.step(1);
        let mut items = Vec::new();
        let places_matter = sieve.is_some_and(Sieve::places_matter);
        self.skip_blanks()?;
        if self.take(b']')? {
            return Ok(sieve.map(|_| Json::Array(items)));
        }
        for index in 0.. {
            let below = sieve.and_then(|sieve| sieve.item(index));
            let item = self.value(depth + 1, below)?;
            match (below, item) {
                (Some(_), item) => items.extend(item),
                (None, _) if places_matter => {
                    self.count_value()?;
                    items.push(Json::Null);
                }
                (None, _) => {}
            }
            self.skip_blanks()?;
            if self.take(b']')? {
                break;
            }
            if !self.take(b',')? {
                return Err(self.wrong("expected `,` or `]`"));
            }
        }
        items.shrink_to_fit();
        Ok(sieve.map(|_| Json::Array(items)))
    }

    fn object(&mut self, depth: usize, sieve: Option<&Sieve>) -> Result<Option<Json>, JsonError> {
        self.window.step(1);
        let mut members = Vec::new();
        let first_key = self.keys.ends.len();
        self.skip_blanks()?;
        if !self.take(b'}')? {
            loop {
                self.member(depth, sieve, &mut members)?;
                self.skip_blanks()?;
                if self.take(b'}')? {
                    break;
                }
                if !self.take(b',')? {
                    return Err(self.wrong("expected `,` or `}`"));
                }
            }
        }
        if let Some(twice) = self.keys.close(first_key) {
            return Err(self.refused(format!("an object has the key {} twice", super::super::quote(&twice))));
        }
        if sieve.is_none() {
            return Ok(None);
        }
        members.shrink_to_fit();
        members.sort_unstable_by(|(one, _), (other, _): &(Arc<str>, Json)| one.cmp(other));
        Ok(Some(Json::Object(Members(members))))
    }

    fn member(
        &mut self,
        depth: usize,
        sieve: Option<&Sieve>,
        members: &mut Vec<(Arc<str>, Json)>,
    ) -> Result<(), JsonError> {
        self.skip_blanks()?;
        if self.peek()? != Some(b'"') {
            return Err(self.wrong("expected a key in double quotes"));
        }
        let start = self.keys.text.len();
        string(&mut self.window, self.line, Some(&mut self.keys.text), MAX_KEY_BYTES)?;
        self.keys.ends.push((start, self.keys.text.len()));
        if self.keys.ends.len() > MAX_KEYS {
            return Err(self.refused("an object of too many keys".to_owned()));
        }
        let key = self.keys.text.get(start..).unwrap_or_default();
        let below = sieve.and_then(|sieve| sieve.member(key));
        let kept = below.map(|(name, below)| (name.unwrap_or_else(|| Arc::from(key)), below));
        self.skip_blanks()?;
        if !self.take(b':')? {
            return Err(self.wrong("expected `:`"));
        }
        let Some((key, below)) = kept else {
            self.value(depth + 1, None)?;
            return Ok(());
        };
        self.count_text(key.len())?;
        members.extend(self.value(depth + 1, Some(below))?.map(|value| (key, value)));
        Ok(())
    }

    fn text(&mut self, sieve: Option<&Sieve>) -> Result<Option<Json>, JsonError> {
        if sieve.is_none() {
            string(&mut self.window, self.line, None, 0)?;
            return Ok(None);
        }
        let mut text = String::new();
        string(&mut self.window, self.line, Some(&mut text), MAX_TEXT)?;
        self.count_text(text.len())?;
        Ok(Some(Json::Text(self.known.hold(&text))))
    }

    fn count_text(&mut self, bytes: usize) -> Result<(), JsonError> {
        self.text += bytes;
        if self.text > MAX_TEXT {
            return Err(self.refused(format!("more than {MAX_TEXT} bytes of text")));
        }
        Ok(())
    }

    fn number(&mut self, sieve: Option<&Sieve>) -> Result<Option<Json>, JsonError> {
        const NEGATIVE: &str = "-Infinity";
        let line = self.line;
        let rest = self.window.at_least(MAX_NUMBER + 1).map_err(|error| JsonError::broken(line, &error))?;
        if rest.starts_with(NEGATIVE.as_bytes()) {
            self.window.step(NEGATIVE.len());
            return Ok(Some(Json::Unheld(NEGATIVE.to_owned())));
        }
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let end = rest.iter().position(|byte| !part(byte)).unwrap_or(rest.len());
        if end > MAX_NUMBER {
            return Err(self.refused(format!("a number of more than {MAX_NUMBER} characters")));
        }
        let literal = rest.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let Some(length) = super::super::number::json_length(literal) else {
            return Err(self.wrong("no JSON number"));
        };
        let kept = sieve.map(|_| {
            let literal = literal.get(..length).unwrap_or_default();
            super::super::number::held(literal).map_or_else(|| Json::Unheld(literal.to_owned()), Json::Number)
        });
        self.window.step(length);
        Ok(kept)
    }

    fn peek(&mut self) -> Result<Option<u8>, JsonError> {
        self.window.peek().map_err(|error| JsonError::broken(self.line, &error))
    }

    fn take(&mut self, byte: u8) -> Result<bool, JsonError> {
        let found = self.peek()? == Some(byte);
        if found {
            self.window.step(1);
        }
        Ok(found)
    }

    fn skip_blanks(&mut self) -> Result<(), JsonError> {
        loop {
            match self.peek()? {
                Some(b'\n') => {
                    self.line += 1;
                    self.fresh_line = true;
                }
                Some(b' ' | b'\t' | b'\r') => {}
                Some(_) | None => return Ok(()),
            }
            self.window.step(1);
        }
    }

    fn wrong(&self, what: &str) -> JsonError {
        JsonError::wrong(self.line, what)
    }

    fn refused(&self, what: String) -> JsonError {
        JsonError { refused: true, line: self.line, what }
    }
}

impl Known {
    /// The text, held once where it is short and among the first.
    fn hold(&mut self, text: &str) -> Arc<str> {
        const LONGEST: usize = 64;
        const MOST: usize = 1024;
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let held: Arc<str> = Arc::from(text);
        if text.len() <= LONGEST && self.0.len() < MOST {
            self.0.insert(Arc::clone(&held));
        }
        held
    }
}

impl Keys {
    /// Forgets the keys of an object, those from `first` on; one that is there twice, if any is.
    fn close(&mut self, first: usize) -> Option<String> {
        let text = |(start, end): &(usize, usize)| self.text.get(*start..*end).unwrap_or_default();
        let keys = self.ends.get_mut(first..).unwrap_or_default();
        let begin = keys.first().map_or(self.text.len(), |(start, _)| *start);
        keys.sort_unstable_by(|one, other| text(one).cmp(text(other)));
        let twice = keys.windows(2).find_map(|pair| match pair {
            [one, other] if text(one) == text(other) => Some(text(one).to_owned()),
            _ => None,
        });
        self.ends.truncate(first);
        self.text.truncate(begin);
        twice
    }
}
