//! What git itself reads of a commit that the strict reader refuses.
//!
//! History goes on behind a malformed commit: if we saw other parents there than git does, a bad commit would hide or
//! invent ancestors. And a rejection in an odd commit is still a rejection (design, section 2.8). So these readers
//! follow git's own, step by step: `parse_commit_buffer` and `parse_commit_date` of its commit.c for the links,
//! `parse_buffer_signed_by_header` there for signature and payload. Nothing here ever permits.

use crate::model::{ObjectId, Time};

/// A commit's place in history, as git reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The tree.
    pub tree: ObjectId,
    /// The parents, in order.
    pub parents: Vec<ObjectId>,
    /// The committer date; nothing where it does not read, or lies out of range.
    pub committer_time: Option<Time>,
}

/// The signed parts of a commit that does not read whole, as git reads them: for what restricts only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Its place in history.
    pub links: Links,
    /// The armored signature, unfolded.
    pub signature: Option<Vec<u8>>,
    /// What it signs.
    pub payload: Vec<u8>,
    /// The message; bytes that are not UTF-8 are replaced by U+FFFD.
    pub message: String,
}

const TREE_LINE: usize = "tree ".len() + 40 + 1;
const PARENT_LINE: usize = "parent ".len() + 40 + 1;

/// A commit's place in history; nothing where git itself cannot read it.
///
/// Letter case of ids does not matter here, since it does not matter to git. A `parent` line too short to hold an id,
/// at the very end, is passed over like git does.
pub fn parse_links(bytes: &[u8]) -> Option<Links> {
    // Git asks for at least one byte after the tree line.
    if bytes.len() <= TREE_LINE {
        return None;
    }
    let (line, mut rest) = bytes.split_at_checked(TREE_LINE)?;
    let tree = linked_id(line, b"tree ")?;
    let mut parents = Vec::new();
    while rest.starts_with(b"parent ") && rest.len() >= PARENT_LINE {
        let (line, behind) = rest.split_at_checked(PARENT_LINE)?;
        parents.push(linked_id(line, b"parent ")?);
        rest = behind;
    }
    Some(Links { tree, parents, committer_time: committer_time(rest) })
}

/// All that git reads of a commit that [`super::parse`] refuses; nothing where git itself cannot read it.
///
/// May be used to find a rejection, a close or a withdrawal, and for authorship; never for what permits.
pub fn salvage(bytes: &[u8]) -> Option<Salvaged> {
    let links = parse_links(bytes)?;
    let mut payload = Vec::with_capacity(bytes.len());
    let mut signature: Option<Vec<u8>> = None;
    let (mut in_signature, mut in_other_signature) = (false, false);
    let mut rest = bytes;
    let mut message: &[u8] = b"";
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, behind) = rest.split_at_checked(end)?;
        let part = if in_signature { line.strip_prefix(b" ") } else { None };
        let part = part.or_else(|| line.strip_prefix(b"gpgsig "));
        in_signature = part.is_some();
        if let Some(part) = part {
            in_other_signature = false;
            signature.get_or_insert_default().extend_from_slice(part);
        } else if line == b"\n" {
            payload.extend_from_slice(rest);
            message = behind;
            break;
        } else {
            in_other_signature =
                line.starts_with(b"gpgsig") || (in_other_signature && line.starts_with(b" "));
            if !in_other_signature {
                payload.extend_from_slice(line);
            }
        }
        rest = behind;
    }
    Some(Salvaged { links, signature, payload, message: String::from_utf8_lossy(message).into_owned() })
}

/// The id in a whole line of `name`, 40 hex digits and a line end.
fn linked_id(line: &[u8], name: &[u8]) -> Option<ObjectId> {
    let hex = line.strip_prefix(name)?.strip_suffix(b"\n")?;
    let mut digits: [u8; 40] = hex.try_into().ok()?;
    digits.make_ascii_lowercase();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// The number behind the last `>` of the committer line, which must directly follow the author line.
fn committer_time(rest: &[u8]) -> Option<Time> {
    let (_author, behind) = split_line(rest.strip_prefix(b"author")?)?;
    let (committer, _rest) = split_line(behind.strip_prefix(b"committer")?)?;
    let end_of_email = committer.iter().rposition(|byte| *byte == b'>')?;
    let date = committer.get(end_of_email + 1..)?.trim_ascii_start();
    let digits = date.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(date.len());
    let seconds = std::str::from_utf8(date.get(..digits)?).ok()?.parse().ok()?;
    Time::from_unix(seconds)
}

/// The first line without its end, and what follows.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line, rest.get(1..)?))
}
