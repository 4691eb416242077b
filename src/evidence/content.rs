//! What a file's bytes are before any format looks at them: text, perhaps JSON; an archive; or unreadable as any format.

use std::io::{Read, Seek, SeekFrom};

use super::Unreadable;
use super::inspect::archive;
use super::json::{Json, JsonError, JsonFile, Sieve, parse_file};

/// A readable file.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    /// Its text, without a byte order mark; nothing of a file that is too large to be held, and of an archive.
    pub(crate) text: &'a str,
    /// Its JSON, as far as it is kept, or why it is none.
    pub(crate) json: Result<JsonFile, JsonError>,
    /// Of an archive: the log that it packs, or why there is none.
    pub(crate) packed: Option<Result<Json, String>>,
    /// Whether the file was too large to be held, and so was read as JSON only.
    pub(crate) streamed: bool,
    /// Whether it is one value on one line.
    one_line: bool,
}

/// Files up to here are held; the limit of a file in a gate directory (design, section 4).
pub(crate) const HELD: u64 = 8 * 1024 * 1024;

/// Larger files that are neither JSON nor archives are held up to here: XML, CSV and text are not read through a window.
pub(crate) const HELD_TEXT: u64 = 64 * 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';
const LFS_POINTER: &str = "version https://git-lfs.github.com/spec/";

impl<'a> Content<'a> {
    /// The content of a file, unless it is unreadable as any format: empty, not UTF-8, a Git LFS pointer, or JSON
    /// that two readers could take for two things.
    pub(crate) fn of(bytes: &'a [u8], sieve: &Sieve) -> Result<Self, Unreadable> {
        if bytes.starts_with(archive::MAGIC) {
            return Ok(Self::archive(std::io::Cursor::new(bytes), sieve));
        }
        refuse_utf_16(bytes)?;
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
        let (json, one_line) = parsed(text.as_bytes(), sieve)?;
        Ok(Self { text, json, packed: None, streamed: false, one_line })
    }

    /// The content of a file that is larger than [`HELD`] and may be JSON, or is an archive; nothing of another.
    pub(crate) fn streamed(mut file: impl Read + Seek, sieve: &Sieve) -> Option<Result<Self, Unreadable>> {
        let head = match beginning(&mut file) {
            Ok(head) => head,
            Err(error) => return Some(Err(broken(&error))),
        };
        let mark = BYTE_ORDER_MARK.len_utf8();
        let marked = std::str::from_utf8(head.get(..mark).unwrap_or_default())
            .is_ok_and(|start| start.starts_with(BYTE_ORDER_MARK));
        let skipped = if marked { mark } else { 0 };
        let first = head.iter().skip(skipped).find(|byte| !byte.is_ascii_whitespace());
        let packed = head.starts_with(archive::MAGIC);
        if !packed && !matches!(first, Some(b'{' | b'[')) {
            return None;
        }
        let at = if packed { 0 } else { u64::try_from(skipped).unwrap_or(0) };
        if let Err(error) = file.seek(SeekFrom::Start(at)) {
            return Some(Err(broken(&error)));
        }
        if packed {
            return Some(Ok(Self::archive(file, sieve)));
        }
        let whole = |(json, one_line)| Self { text: "", json, packed: None, streamed: true, one_line };
        Some(parsed(file, sieve).map(whole))
    }

    fn archive(file: impl Read + Seek, sieve: &Sieve) -> Self {
        Self {
            text: "",
            json: Err(JsonError::archive()),
            packed: Some(archive::header(file, sieve)),
            streamed: false,
            one_line: false,
        }
    }

    /// The JSON document, also the one that an archive packs; nothing where the file is none, or is JSON Lines.
    pub(crate) fn document(&self) -> Option<&Json> {
        match (&self.json, &self.packed) {
            (Ok(JsonFile::Document(document)), _) | (_, Some(Ok(document))) => Some(document),
            (Ok(JsonFile::Lines(_)) | Err(_), _) => None,
        }
    }

    /// The rows of JSON Lines. A file of one line that is an object is JSON Lines of one row, too.
    pub(crate) fn lines(&self) -> Option<&[Json]> {
        match &self.json {
            Ok(JsonFile::Lines(rows)) => Some(rows),
            Ok(JsonFile::Document(document @ Json::Object(_))) if self.one_line => {
                Some(std::slice::from_ref(document))
            }
            Ok(JsonFile::Document(_)) | Err(_) => None,
        }
    }

    /// Whether it begins as a JSON report does, so that taking it for plain text would hide a report that is cut.
    pub(crate) fn begins_like_json(&self) -> bool {
        let start = self.text.trim_start();
        let inner = start.strip_prefix('[').map(str::trim_start);
        self.streamed || start.starts_with('{') || inner.is_some_and(|inner| inner.starts_with('{'))
    }
}

fn parsed(source: impl Read, sieve: &Sieve) -> Result<(Result<JsonFile, JsonError>, bool), Unreadable> {
    match parse_file(source, sieve) {
        Ok((json, one_line)) => Ok((Ok(json), one_line)),
        Err(error) if error.refused => Err(Unreadable::Invalid(format!("JSON refused: {error}"))),
        Err(error) => Ok((Err(error), false)),
    }
}

fn beginning(file: &mut (impl Read + Seek)) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(4096).read_to_end(&mut head)?;
    Ok(head)
}

fn refuse_utf_16(bytes: &[u8]) -> Result<(), Unreadable> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Unreadable::Invalid("it is UTF-16; save it as UTF-8".to_owned()));
    }
    Ok(())
}

/// The file itself could not be read.
pub(crate) fn broken(error: &std::io::Error) -> Unreadable {
    Unreadable::Invalid(format!("it cannot be read: {error}"))
}
