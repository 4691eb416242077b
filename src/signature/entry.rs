//! One line of `allowed_signers`: principals, options, key and comment.
//!
//! The grammar is that of ssh-keygen(1). Stricter where OpenSSH is lax and it could be read in two ways: a quote stands
//! around a whole list of principals or not at all, key types have their full names, base64 is canonical, line ends
//! are LF, and a principal is a [`Principal`] or, on a `cert-authority` line, a pattern over them.

use std::ops::Range;

use base64ct::{Base64, Encoding as _};

use super::key::{Algorithm, Fingerprint, KeyError, PublicKey};
use super::options::{self, Options};
use super::pattern::PatternList;
use super::signers::FILE;
use crate::model::{Principal, Time};
use crate::problem::{Place, Problem};

/// Longest line that is read, in bytes. An RSA key of the greatest size takes a fifth of it.
const LONGEST_LINE: usize = 16 * 1024;

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

/// A line being read: what is left of it, and where that begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    number: usize,
    whole: &'a str,
}

/// A line's parts, by where they stand.
struct Parts {
    principals: Range<usize>,
    options: Option<Range<usize>>,
    kind: Range<usize>,
    blob: Range<usize>,
}

/// The entry of a line; nothing for an empty one and a comment.
pub(super) fn parse_line(number: usize, whole: &str) -> Result<Option<SignerEntry>, Vec<Problem>> {
    let line = Line { number, whole };
    line.check_characters().map_err(|problem| vec![problem])?;
    let content = whole.trim_start_matches([' ', '\t']);
    if content.is_empty() || content.starts_with('#') {
        return Ok(None);
    }
    let parts = line.split().map_err(|problem| vec![problem])?;
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
    let key = line.key(&parts).map_err(|problem| problems.push(problem)).ok();
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

impl<'a> Line<'a> {
    pub(super) fn text(&self, at: &Range<usize>) -> &'a str {
        self.whole.get(at.clone()).unwrap_or_default()
    }

    pub(super) fn place(&self, at: &Range<usize>) -> Place {
        Place { line: self.number, ..Place::in_text(FILE, self.whole, at.clone()) }
    }

    pub(super) fn problem(
        &self,
        code: &'static str,
        at: &Range<usize>,
        message: String,
        help: &str,
    ) -> Problem {
        Problem { code, place: Some(self.place(at)), message, help: Some(help.to_owned()) }
    }

    fn check_characters(&self) -> Result<(), Problem> {
        if self.whole.len() > LONGEST_LINE {
            return Err(Problem {
                code: "signers-line-too-long",
                place: None,
                message: format!("line {} of `{FILE}` is longer than 16 KiB", self.number),
                help: Some("give a key several lines".to_owned()),
            });
        }
        let Some((at, found)) = self.whole.char_indices().find(|(_, c)| c.is_control() && *c != '\t') else {
            return Ok(());
        };
        let at = at..at + found.len_utf8();
        Err(if found == '\r' {
            self.problem("signers-line-end", &at, "carriage return".to_owned(), "lines end with LF alone")
        } else {
            let message = format!("control character `{}`", found.escape_default());
            self.problem("signers-control-character", &at, message, "plain text only")
        })
    }

    /// The first word at or after `from`, quotes kept together, and whether its quotes are closed.
    fn word(&self, from: usize) -> (Range<usize>, bool) {
        let rest = self.text(&(from..self.whole.len()));
        let start = from + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
        let mut quoted = false;
        let length = self
            .text(&(start..self.whole.len()))
            .find(|c: char| {
                quoted ^= c == '"';
                !quoted && (c == ' ' || c == '\t')
            })
            .unwrap_or(self.whole.len() - start);
        (start..start + length, !quoted)
    }

    fn split(&self) -> Result<Parts, Problem> {
        let word = |from| match self.word(from) {
            (at, true) => Ok(at),
            (at, false) => Err(self.problem(
                "signers-quote",
                &at,
                "a quote that is not closed".to_owned(),
                "close it on the same line",
            )),
        };
        let missing = |what: &str, at: &Range<usize>| {
            self.problem(
                "signers-key-missing",
                at,
                format!("a line without a {what}"),
                "a line is `<principals> [options] <key type> <base64> [comment]`",
            )
        };
        let principals = word(0)?;
        let second = word(principals.end)?;
        let (options, kind) = if second.is_empty() || is_key_type(self.text(&second)) {
            (None, second)
        } else {
            let kind = word(second.end)?;
            (Some(second), kind)
        };
        if kind.is_empty() {
            return Err(missing("key", &principals));
        }
        // A comment may hold whatever it likes, quotes too: the key ends at a blank.
        let rest = self.text(&(kind.end..self.whole.len()));
        let start = kind.end + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
        let length =
            self.text(&(start..self.whole.len())).find([' ', '\t']).unwrap_or(self.whole.len() - start);
        let blob = start..start + length;
        if blob.is_empty() {
            return Err(missing("key after its type", &kind));
        }
        Ok(Parts { principals, options, kind, blob })
    }

    /// The principals, where none is a pattern, and all as patterns.
    #[expect(clippy::type_complexity, reason = "two views of one list, used once")]
    fn principals(&self, at: &Range<usize>) -> Result<(Option<Vec<Principal>>, PatternList), Vec<Problem>> {
        let written = self.text(at);
        let unquoted = written.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let (list, mut start) = unquoted.map_or((written, at.start), |list| (list, at.start + 1));
        let mut principals = Vec::new();
        let mut problems = Vec::new();
        let mut all_plain = true;
        for part in list.split(',') {
            let plain = part.replace(['*', '?'], "");
            let plain = plain.strip_prefix('!').unwrap_or(&plain);
            let is_pattern = plain != part;
            all_plain &= !is_pattern;
            // A pattern of stars alone is one; a lone `!` is not.
            let tested =
                if is_pattern && part.contains(['*', '?']) { format!("x{plain}") } else { plain.to_owned() };
            match tested.parse::<Principal>() {
                Ok(principal) => principals.extend((!is_pattern).then_some(principal)),
                Err(malformed) => problems.push(self.problem(
                    "signers-principal",
                    &(start..start + part.len()),
                    format!("`{part}` is no principal"),
                    &malformed.0,
                )),
            }
            start += part.len() + 1;
        }
        match PatternList::parse(list) {
            Some(patterns) if problems.is_empty() => Ok((all_plain.then_some(principals), patterns)),
            Some(_) | None => Err(problems),
        }
    }

    fn key(&self, parts: &Parts) -> Result<PublicKey, Problem> {
        let kind = self.text(&parts.kind);
        if Algorithm::of_certificate(kind).is_some() {
            return Err(self.problem(
                "signers-certificate",
                &parts.kind,
                "a certificate instead of a key".to_owned(),
                "write `cert-authority` and the key of the authority that signed it",
            ));
        }
        if Algorithm::named(kind).is_none() {
            return Err(self.problem(
                "signers-key-type",
                &parts.kind,
                format!("`{kind}` is no type of key that counts"),
                "Ed25519, ECDSA, RSA and their hardware kinds count, by the names in a `.pub` file",
            ));
        }
        let wrong = |message: String| {
            self.problem("signers-key", &parts.blob, message, "paste the `.pub` file as it stands")
        };
        let blob = Base64::decode_vec(self.text(&parts.blob))
            .map_err(|_error| wrong("a key that is not canonical base64".to_owned()))?;
        let key = PublicKey::read(&blob).map_err(|error| match error {
            KeyError::Unsupported(what) => wrong(format!("{what}, which does not count")),
            KeyError::Unreadable(reason) => wrong(format!("a key that is not good: {reason}")),
        })?;
        if key.algorithm().name() != kind {
            return Err(wrong(format!("a key of type `{}`, not `{kind}`", key.algorithm().name())));
        }
        Ok(key)
    }
}

/// Whether a word is where a key begins, and not a list of options.
fn is_key_type(word: &str) -> bool {
    let prefixes = ["ssh-", "ecdsa-", "sk-", "rsa-", "webauthn-"];
    prefixes.iter().any(|prefix| word.starts_with(prefix)) && !word.contains(['=', ',', '"'])
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
