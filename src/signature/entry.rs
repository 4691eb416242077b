//! One line of `allowed_signers`: principals, options, key and comment.
//!
//! The grammar is that of ssh-keygen(1). Stricter where OpenSSH is lax and it could be read in two ways: a quote stands
//! around a whole list of principals or not at all, key types have their full names, base64 is canonical, line ends
//! are LF, and a principal is a [`Principal`] or, on a `cert-authority` line, a pattern over them.

use super::Fingerprint;
use super::key::PublicKey;
use super::line::Line;
use super::options::{self, Options};
use super::pattern::PatternList;
use crate::model::{Principal, Time};
use crate::problem::{Place, Problem};

/// One line of `allowed_signers` that has a key.
#[derive(Debug, Clone)]
pub struct SignerEntry {
    principals: Vec<Principal>,
    patterns: PatternList,
    is_pattern: bool,
    options: Options,
    key: PublicKey,
    comment: String,
    place: Place,
}

/// The entry of a line; nothing for an empty one and a comment.
pub(super) fn parse_line(number: usize, whole: &str) -> Result<Option<SignerEntry>, Vec<Problem>> {
    let line = Line::new(number, whole).map_err(|problem| vec![*problem])?;
    let content = whole.trim_start_matches([' ', '\t']);
    if content.is_empty() || content.starts_with('#') {
        return Ok(None);
    }
    let parts = line.split().map_err(|problem| vec![*problem])?;
    let mut problems = Vec::new();
    let options =
        match parts.options.clone().map_or_else(|| Ok(Options::default()), |at| options::parse(line, at)) {
            Ok(options) => Some(options),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
    let authority = options.as_ref().is_some_and(|options| options.authority);
    let principals = line.principals(&parts.principals).map_err(|found| problems.extend(found)).ok();
    let key = line.key(&parts).map_err(|problem| problems.push(*problem)).ok();
    let (Some(options), Some((principals, patterns)), Some(key), true) =
        (options, principals, key, problems.is_empty())
    else {
        return Err(problems);
    };
    Ok(Some(SignerEntry {
        is_pattern: !authority && principals.is_none(),
        principals: principals.unwrap_or_default(),
        patterns,
        options,
        key,
        comment: line.text(&(parts.blob.end..whole.len())).trim().to_owned(),
        place: line.place(&parts.principals),
    }))
}

impl SignerEntry {
    /// On which line it stands, from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The principals that it names, where none of them is a pattern.
    pub fn principals(&self) -> &[Principal] {
        &self.principals
    }

    /// Whether it is a `cert-authority` line: its key signs certificates, and no commits.
    pub fn is_authority(&self) -> bool {
        self.options.authority
    }

    /// The key.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.key.fingerprint
    }

    /// The kind of key, for people: `ED25519`.
    pub fn key_description(&self) -> String {
        self.key.description()
    }

    /// From when the key is valid, inclusive.
    pub fn valid_after(&self) -> Option<Time> {
        self.options.valid_after
    }

    /// Until when the key is valid, exclusive.
    pub fn valid_before(&self) -> Option<Time> {
        self.options.valid_before
    }

    /// What stands behind the key.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Where its principals stand.
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether it is no authority's line and yet has a pattern.
    pub(super) fn is_pattern(&self) -> bool {
        self.is_pattern
    }

    pub(super) fn covers(&self, principal: &str) -> bool {
        self.patterns.matches(principal)
    }

    pub(super) fn allows_namespace(&self, namespace: &str) -> bool {
        self.options.namespaces.as_ref().is_none_or(|list| list.matches(namespace))
    }

    /// Why the key is not valid at `time`, if it is not.
    pub(super) fn invalid_at(&self, time: Time) -> Option<String> {
        self.options.invalid_at(time)
    }
}
