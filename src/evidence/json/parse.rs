//! Text → [`Json`]: by hand, one byte after the other, with every limit in sight.

use super::{Json, JsonError, JsonFile, Members};

/// Deepest nesting of arrays and objects.
pub(super) const MAX_DEPTH: usize = 128;
/// Most values in one file: what keeps memory bounded. An honest report of 8 MiB has far fewer.
pub(super) const MAX_VALUES: usize = 1_000_000;

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
pub(super) fn parse_document(text: &str) -> Result<Json, JsonError> {
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
                return Err(
                    self.refused(format!("an object has the key {} twice", super::super::quote(&after.0)))
                );
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
        let length = super::super::number::json_length(rest).ok_or_else(|| self.wrong("no JSON number"))?;
        let literal = rest.get(..length).unwrap_or_default().to_owned();
        self.at += length;
        Ok(super::super::number::held(&literal).map_or(Json::Unheld(literal), Json::Number))
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
        self.text.get(..self.at).unwrap_or(self.text).matches('\n').count() + 1
    }
}
