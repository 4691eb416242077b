//! What a file's bytes are before any format looks at them: text, perhaps JSON; or unreadable as any format.

use super::Unreadable;
use super::json::{Json, JsonError, JsonFile, parse_file};

/// A readable file.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    /// Its text, without a byte order mark.
    pub(crate) text: &'a str,
    /// Its JSON, or why it is none.
    pub(crate) json: Result<JsonFile, JsonError>,
}

const BYTE_ORDER_MARK: char = '\u{feff}';
const LFS_POINTER: &str = "version https://git-lfs.github.com/spec/";

impl<'a> Content<'a> {
    /// The content of a file, unless it is unreadable as any format: empty, not UTF-8, a Git LFS pointer, or JSON
    /// that two readers could take for two things.
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(Unreadable::Invalid("it is UTF-16; save it as UTF-8".to_owned()));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Unreadable::Invalid(format!("it is not UTF-8 text: byte {} is wrong", error.valid_up_to() + 1))
        })?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        // Blanks say no more than nothing does (design, section 2.1).
        if text.chars().all(|c| c.is_whitespace() || c.is_control() || c == BYTE_ORDER_MARK) {
            return Err(Unreadable::Empty);
        }
        if text.trim_start().starts_with(LFS_POINTER) {
            return Err(Unreadable::Invalid(
                "it is a Git LFS pointer, not the report; commit the report itself (`git lfs untrack`)"
                    .to_owned(),
            ));
        }
        match parse_file(text) {
            Err(error) if error.refused => Err(Unreadable::Invalid(format!("JSON refused: {error}"))),
            json => Ok(Self { text, json }),
        }
    }

    /// The JSON document; nothing where the file is none, or is JSON Lines.
    pub(crate) fn document(&self) -> Option<&Json> {
        match &self.json {
            Ok(JsonFile::Document(document)) => Some(document),
            Ok(JsonFile::Lines(_)) | Err(_) => None,
        }
    }

    /// The rows of JSON Lines. A file of one line that is an object is JSON Lines of one row, too.
    pub(crate) fn lines(&self) -> Option<&[Json]> {
        match &self.json {
            Ok(JsonFile::Lines(rows)) => Some(rows),
            Ok(JsonFile::Document(document @ Json::Object(_))) if !self.text.trim().contains('\n') => {
                Some(std::slice::from_ref(document))
            }
            Ok(JsonFile::Document(_)) | Err(_) => None,
        }
    }

    /// Whether it begins as a JSON report does, so that taking it for plain text would hide a report that is cut.
    pub(crate) fn begins_like_json(&self) -> bool {
        let start = self.text.trim_start();
        let inner = start.strip_prefix('[').map(str::trim_start);
        start.starts_with('{') || inner.is_some_and(|inner| inner.starts_with('{'))
    }
}
