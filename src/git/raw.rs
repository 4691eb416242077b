//! The strict reader of raw commit objects: tree, parents, who and when, signature, signed payload, message.
//!
//! Everything that a verdict rests on comes from this one buffer, which the caller has hashed to its id (design,
//! section 8, "When a signature counts"). libgit2's own accessors may not be used to decide: its `extract_signature`
//! finds signatures in message bodies and stops at NUL, its `parents()` obeys grafts. What this reader refuses is
//! `malformed-commit`: such a commit signs nothing that permits. But history is walked through it ([`parse_links`]),
//! and what it forbids stays forbidden ([`salvage`]); both read the way git itself does, which never differs from what
//! is read here.

use std::ops::Range;

use crate::model::limits::COMMIT_BYTES;
use crate::model::{ObjectId, Time};

mod lenient;
#[cfg(test)]
mod tests;

pub use lenient::{Links, Salvaged, parse_links, salvage};

/// A commit object that reads whole, borrowing from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCommit<'a> {
    text: &'a str,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    author: &'a str,
    committer: &'a str,
    committer_time: Time,
    signature: Option<Range<usize>>,
    message: &'a str,
}

/// Why a commit object is not one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RawCommitError {
    /// Larger than any honest commit.
    #[error("the commit object is larger than {COMMIT_BYTES} bytes")]
    TooLarge,
    /// A NUL byte, behind which other readers see nothing.
    #[error("the commit object holds a NUL byte")]
    Nul,
    /// A carriage return, which terminals hide.
    #[error("the commit object holds a carriage return; write the message with plain line ends")]
    CarriageReturn,
    /// Not UTF-8.
    #[error("the commit object is not UTF-8")]
    NotUtf8,
    /// No `tree` line first.
    #[error("the commit does not begin with `tree` and an object id of 40 digits of `0-9a-f`")]
    Tree,
    /// A `parent` line without an id.
    #[error("a `parent` line holds no object id of 40 digits of `0-9a-f`")]
    Parent,
    /// No well-formed `author` line where it belongs.
    #[error("the `author` line is missing, misplaced or not `name <email> seconds +hhmm`")]
    Author,
    /// No well-formed `committer` line where it belongs.
    #[error("the `committer` line is missing, misplaced or not `name <email> seconds +hhmm`")]
    Committer,
    /// A header line that is not `name value`, or has no end.
    #[error("a header line is not a name of `a-z 0-9 -`, a blank and a value")]
    Header,
    /// A header that stands twice, or in the wrong place.
    #[error("a header stands twice or in the wrong place")]
    RepeatedHeader,
    /// More headers than any honest commit has.
    #[error("the commit has more than {MOST_HEADERS} headers of its own")]
    TooManyHeaders,
    /// More than one `gpgsig`, or another header that begins so.
    #[error("the commit has several signatures")]
    SeveralSignatures,
    /// No empty line after the headers.
    #[error("no empty line separates the headers from the message")]
    NoMessage,
}

/// Most different headers beside the four that every commit has: a bound on time, far above what any tool writes.
const MOST_HEADERS: usize = 32;

/// Reads a commit object strictly. Allocates for parents only.
pub fn parse(bytes: &[u8]) -> Result<RawCommit<'_>, RawCommitError> {
    let text = check_text(bytes)?;
    let mut lines = Lines { text, at: 0 };
    let tree = lines.value("tree ").and_then(object_id).ok_or(RawCommitError::Tree)?;
    let mut parents = Vec::new();
    while let Some(parent) = lines.value("parent ") {
        parents.push(object_id(parent).ok_or(RawCommitError::Parent)?);
    }
    let author = lines.value("author ").ok_or(RawCommitError::Author)?;
    identity_time(author).ok_or(RawCommitError::Author)?;
    let committer = lines.value("committer ").ok_or(RawCommitError::Committer)?;
    let committer_time = identity_time(committer).ok_or(RawCommitError::Committer)?;
    let signature = read_other_headers(&mut lines)?;
    let message = text.get(lines.at..).unwrap_or_default();
    Ok(RawCommit { text, tree, parents, author, committer, committer_time, signature, message })
}

impl<'a> RawCommit<'a> {
    /// The tree.
    pub fn tree(&self) -> ObjectId {
        self.tree
    }

    /// The parents, in order.
    pub fn parents(&self) -> &[ObjectId] {
        &self.parents
    }

    /// The parents, of who is done with the rest.
    pub fn into_parents(self) -> Vec<ObjectId> {
        self.parents
    }

    /// The author line behind its name: `name <email> seconds +hhmm`.
    pub fn author(&self) -> &'a str {
        self.author
    }

    /// The committer line behind its name.
    pub fn committer(&self) -> &'a str {
        self.committer
    }

    /// Whether author and committer lines are identical, time and zone included: a decision was not re-signed (design,
    /// section 8).
    pub fn same_author_and_committer(&self) -> bool {
        self.author == self.committer
    }

    /// The committer date.
    pub fn committer_time(&self) -> Time {
        self.committer_time
    }

    /// The armored signature, unfolded, to the byte as git hands it to `ssh-keygen -Y verify`.
    pub fn signature(&self) -> Option<String> {
        let header = self.text.get(self.signature.clone()?)?;
        let folded = header.strip_prefix("gpgsig ")?;
        Some(folded.replace("\n ", "\n"))
    }

    /// What the signature signs: the object without its `gpgsig` header. The whole object where it has none.
    pub fn payload(&self) -> Vec<u8> {
        let Some(header) = &self.signature else { return self.text.as_bytes().to_vec() };
        let before = self.text.get(..header.start).unwrap_or_default();
        let behind = self.text.get(header.end..).unwrap_or_default();
        [before.as_bytes(), behind.as_bytes()].concat()
    }

    /// The message, all of it.
    pub fn message(&self) -> &'a str {
        self.message
    }
}

fn check_text(bytes: &[u8]) -> Result<&str, RawCommitError> {
    if bytes.len() > COMMIT_BYTES {
        return Err(RawCommitError::TooLarge);
    }
    if bytes.contains(&0) {
        return Err(RawCommitError::Nul);
    }
    if bytes.contains(&b'\r') {
        return Err(RawCommitError::CarriageReturn);
    }
    std::str::from_utf8(bytes).map_err(|_where_it_is_not: std::str::Utf8Error| RawCommitError::NotUtf8)
}

/// Reads headers up to and with the empty line; where the `gpgsig` header stands, with its line end.
fn read_other_headers(lines: &mut Lines<'_>) -> Result<Option<Range<usize>>, RawCommitError> {
    let mut seen = [""; MOST_HEADERS];
    let mut count = 0;
    let mut signature = None;
    loop {
        let start = lines.at;
        let line = lines.next().ok_or(RawCommitError::NoMessage)?;
        if line.is_empty() {
            return Ok(signature);
        }
        let (name, _value) = line.split_once(' ').ok_or(RawCommitError::Header)?;
        check_header_name(name)?;
        while lines.value(" ").is_some() {}
        match name {
            "mergetag" => {}
            "tree" | "parent" | "author" | "committer" => return Err(RawCommitError::RepeatedHeader),
            "gpgsig" if signature.is_some() => return Err(RawCommitError::SeveralSignatures),
            "gpgsig" => signature = Some(start..lines.at),
            _ if name.starts_with("gpgsig") => return Err(RawCommitError::SeveralSignatures),
            _ => {
                if seen.iter().take(count).any(|earlier| *earlier == name) {
                    return Err(RawCommitError::RepeatedHeader);
                }
                *seen.get_mut(count).ok_or(RawCommitError::TooManyHeaders)? = name;
                count += 1;
            }
        }
    }
}

fn check_header_name(name: &str) -> Result<(), RawCommitError> {
    let starts_well = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if starts_well && name.bytes().all(plain) { Ok(()) } else { Err(RawCommitError::Header) }
}

fn object_id(text: &str) -> Option<ObjectId> {
    text.parse().ok()
}

/// The time of `name <email> seconds +hhmm`. One `<`, one `>`, one spelling for each number: every reader finds the
/// same time.
fn identity_time(line: &str) -> Option<Time> {
    let (name, rest) = line.split_once('<')?;
    let (email, rest) = rest.split_once("> ")?;
    let (seconds, zone) = rest.split_once(' ')?;
    let plain = |part: &str| !part.contains(['<', '>']);
    let name_ends_well = name.is_empty() || name.ends_with(' ');
    let (sign, hours_and_minutes) = zone.split_at_checked(1)?;
    let zone_is_well =
        matches!(sign, "+" | "-") && hours_and_minutes.len() == 4 && is_digits(hours_and_minutes);
    if !(plain(name) && plain(email) && name_ends_well && zone_is_well && is_digits(seconds)) {
        return None;
    }
    if seconds.starts_with('0') && seconds != "0" {
        return None;
    }
    Time::from_unix(seconds.parse().ok()?)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The lines of the object from byte `at` on, each with a line end.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its end; nothing where no line end follows.
    fn next(&mut self) -> Option<&'a str> {
        let (line, _rest) = self.text.get(self.at..)?.split_once('\n')?;
        self.at += line.len() + 1;
        Some(line)
    }

    /// What follows `prefix` on the next line; nothing, and nothing read, where it does not begin so.
    fn value(&mut self, prefix: &str) -> Option<&'a str> {
        if !self.text.get(self.at..)?.starts_with(prefix) {
            return None;
        }
        self.next()?.strip_prefix(prefix)
    }
}
