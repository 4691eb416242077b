//! JSON as evaluation tools really write it, read so that nothing in it can mislead a gate.
//!
//! Looser than RFC 8259 in one thing: the bare literals `NaN`, `Infinity` and `-Infinity`, which Python writes, are
//! values of their own. Stricter in others: an object with one key twice, nesting beyond [`MAX_DEPTH`], more than
//! [`MAX_VALUES`] values and half a surrogate pair make the file unreadable, for readers disagree on what they mean.
//! A number is an `f64`; one that no `f64` holds (too large, too near to zero, or an integer that would be rounded)
//! keeps its text instead, so that no comparison ever sees another number than the one that was written.

use std::fmt;

/// Deepest nesting of arrays and objects.
const MAX_DEPTH: usize = 128;
/// Most values in one file: what keeps memory bounded. An honest report of 8 MiB has far fewer.
const MAX_VALUES: usize = 1_000_000;
/// Integers of so many digits are held exactly, without a look.
const EXACT_DIGITS: usize = 15;

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
    /// A text.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Members),
}

/// The members of an object, each key once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Members(Vec<(String, Json)>);

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
        let at = self.0.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// All members, sorted by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a file: one value, or else JSON Lines. Blank lines between those are passed over.
pub(crate) fn parse_file(text: &str) -> Result<JsonFile, JsonError> {
    let error = match parse_document(text) {
        Ok(value) => return Ok(JsonFile::Document(value)),
        Err(error) => error,
    };
    if error.refused {
        return Err(error);
    }
    let mut rows = Vec::new();
    let mut parser = Parser { text: "", at: 0, values: 0 };
    for (index, line) in text.split('\n').enumerate() {
        if line.trim_matches(BLANKS).is_empty() {
            continue;
        }
        parser = Parser { text: line, at: 0, values: parser.values };
        match parser.document() {
            Ok(row) => rows.push(row),
            // Without a whole first row it was never JSON Lines: the first error says more.
            Err(_) if rows.is_empty() => return Err(error),
            Err(inner) => return Err(JsonError { line: index + 1, ..inner }),
        }
    }
    Ok(JsonFile::Lines(rows))
}

/// Reads one value.
fn parse_document(text: &str) -> Result<Json, JsonError> {
    Parser { text, at: 0, values: 0 }.document()
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

struct Parser<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Json, JsonError> {
        let value = self.value(0)?;
        self.skip_blanks();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.wrong("something follows the value")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(self.refused(format!("more than {MAX_VALUES} values")));
        }
        if depth > MAX_DEPTH {
            return Err(self.refused(format!("nested more than {MAX_DEPTH} deep")));
        }
        self.skip_blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<Json, JsonError> {
        for (word, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::Unheld("NaN".to_owned())),
            ("Infinity", Json::Unheld("Infinity".to_owned())),
        ] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong(if self.peek().is_none() { "it ends too early" } else { "no JSON value" }))
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.take(b']') {
                items.shrink_to_fit();
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.wrong("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Json::Object(Members(members)));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in double quotes"));
            }
            let key = self.string()?;
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.wrong("expected `:`"));
            }
            members.push((key, self.value(depth + 1)?));
            self.skip_blanks();
            if self.take(b'}') {
                return self.members(members).map(Json::Object);
            }
            if !self.take(b',') {
                return Err(self.wrong("expected `,` or `}`"));
            }
        }
    }

    fn members(&self, mut members: Vec<(String, Json)>) -> Result<Members, JsonError> {
        members.shrink_to_fit();
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (before, after) in members.iter().zip(members.iter().skip(1)) {
            if before.0 == after.0 {
                return Err(self.refused(format!("an object has the key {} twice", super::quote(&after.0))));
            }
        }
        Ok(Members(members))
    }

    /// A string, from its opening quote.
    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut decoded = String::new();
        loop {
            let rest = self.rest();
            let Some(stop) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) else {
                return Err(self.wrong("a text that does not end"));
            };
            decoded.push_str(rest.get(..stop).unwrap_or_default());
            let found = rest.as_bytes().get(stop).copied();
            self.at += stop + 1;
            match found {
                Some(b'"') => return Ok(decoded),
                Some(b'\\') => decoded.push(self.escape()?),
                _ => return Err(self.wrong("a control character in a text")),
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, JsonError> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                self.at -= 1;
                return Err(self.wrong("an unknown escape"));
            }
        })
    }

    /// What `\u` stands for: one character, of one or of two of them.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.refused("half a surrogate pair".to_owned()));
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.refused("half a surrogate pair".to_owned()))
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Err(self.wrong("`\\u` without four hexadecimal digits"));
        };
        self.at += 4;
        Ok(code)
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        if self.rest().starts_with("-Infinity") {
            self.at += "-Infinity".len();
            return Ok(Json::Unheld("-Infinity".to_owned()));
        }
        let rest = self.rest();
        let length = super::number::json_length(rest).ok_or_else(|| self.wrong("no JSON number"))?;
        let literal = rest.get(..length).unwrap_or_default().to_owned();
        self.at += length;
        Ok(super::number::held(&literal, EXACT_DIGITS).map_or(Json::Unheld(literal), Json::Number))
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn wrong(&self, what: &str) -> JsonError {
        JsonError { refused: false, line: self.line(), what: what.to_owned() }
    }

    fn refused(&self, what: String) -> JsonError {
        JsonError { refused: true, line: self.line(), what }
    }

    fn line(&self) -> usize {
        let before = self.text.as_bytes().get(..self.at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

#[cfg(test)]
mod tests;
