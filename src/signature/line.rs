//! Takes one line of `allowed_signers` apart, and reads its principals and its key.
//!
//! Everything is kept with where it stands, so that what is wrong can be shown with a caret.

use std::ops::Range;

use ssh_key::encoding::base64::{Base64, Encoding as _};

use super::key::{PublicKey, Unfit, is_certificate_type, is_plain_type};
use super::pattern::PatternList;
use super::signers::FILE;
use crate::model::Principal;
use crate::problem::{Place, Problem};

/// Longest line that is read, in bytes. An RSA key of the greatest size takes a tenth of it.
const LONGEST_LINE: usize = 16 * 1024;

/// A line being read: what is left of it, and where that begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    number: usize,
    whole: &'a str,
}

/// A line's parts, by where they stand.
pub(super) struct Parts {
    pub(super) principals: Range<usize>,
    pub(super) options: Option<Range<usize>>,
    kind: Range<usize>,
    pub(super) blob: Range<usize>,
}

impl<'a> Line<'a> {
    /// The line `whole`, unless it is too long or holds what no line may.
    pub(super) fn new(number: usize, whole: &'a str) -> Result<Self, Box<Problem>> {
        let line = Self { number, whole };
        line.check_characters()?;
        Ok(line)
    }

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
    ) -> Box<Problem> {
        Box::new(Problem { code, place: Some(self.place(at)), message, help: Some(help.to_owned()) })
    }

    fn check_characters(&self) -> Result<(), Box<Problem>> {
        if self.whole.len() > LONGEST_LINE {
            return Err(Box::new(Problem {
                code: "signers-line-too-long",
                place: None,
                message: format!("line {} of `{FILE}` is longer than 16 KiB", self.number),
                help: Some("give a key several lines".to_owned()),
            }));
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

    pub(super) fn split(&self) -> Result<Parts, Box<Problem>> {
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
    pub(super) fn principals(
        &self,
        at: &Range<usize>,
    ) -> Result<(Option<Vec<Principal>>, PatternList), Vec<Problem>> {
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
                Err(malformed) => problems.push(*self.problem(
                    "signers-principal",
                    &(start..start + part.len()),
                    format!("`{part}` is no principal"),
                    &malformed.0,
                )),
            }
            start += part.len() + 1;
        }
        match PatternList::parse(list) {
            Some(patterns) if problems.is_empty() => return Ok((all_plain.then_some(principals), patterns)),
            None if problems.is_empty() => {
                let message = "a list of principals that cannot be matched".to_owned();
                problems.push(*self.problem(
                    "signers-principal",
                    at,
                    message,
                    "shorter patterns, none empty",
                ));
            }
            Some(_) | None => {}
        }
        Err(problems)
    }

    pub(super) fn key(&self, parts: &Parts) -> Result<PublicKey, Box<Problem>> {
        let kind = self.text(&parts.kind);
        if is_certificate_type(kind) {
            return Err(self.problem(
                "signers-certificate",
                &parts.kind,
                "a certificate instead of a key".to_owned(),
                "write `cert-authority` and the key of the authority that signed it",
            ));
        }
        if !is_plain_type(kind) {
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
            Unfit::Unsupported(what) => wrong(format!("{what}, which does not count")),
            Unfit::Bad(reason) => wrong(format!("a key that is not good: {reason}")),
        })?;
        if key.type_name() != kind {
            return Err(wrong(format!("a key of type `{}`, not `{kind}`", key.type_name())));
        }
        Ok(key)
    }
}

/// Whether a word is where a key begins, and not a list of options.
fn is_key_type(word: &str) -> bool {
    let prefixes = ["ssh-", "ecdsa-", "sk-", "rsa-", "webauthn-"];
    prefixes.iter().any(|prefix| word.starts_with(prefix)) && !word.contains(['=', ',', '"'])
}

#[cfg(test)]
mod tests {
    use super::super::AllowedSigners;
    use super::super::testing::{blob, public};
    use super::*;

    #[track_caller]
    fn codes(line: &str, expected: &[&str]) {
        let found = match AllowedSigners::parse(line) {
            Ok(_) => vec![],
            Err(problems) => problems.0.iter().map(|problem| problem.code).collect(),
        };
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn lines_of_the_grammar_are_read() {
        let key = public(1);
        for line in [
            "",
            " \t ",
            "# comment, \"",
            "  # comment",
            &format!("a@x {key}"),
            &format!("\ta@x,b@x \t{key} comment \"with\\ ünï,=code"),
            &format!("\"a@x,b@x\" {key}"),
            &format!("a@x namespaces=\"git,file\",valid-after=\"20260101\" {key}"),
            &format!("a@x namespaces=\"a b\" {key}"),
            &format!("* CERT-AUTHORITY {key}"),
            &format!("*@x,!b@x,?@y cert-authority {key}"),
        ] {
            codes(line, &[]);
        }
    }

    #[test]
    fn what_is_not_of_the_grammar_is_refused_by_its_code() {
        let key = public(1);
        let base64 = key.strip_prefix("ssh-ed25519 ").unwrap();
        let unpadded = Base64::encode_string(&blob(1)[..50]);
        for (line, code) in [
            (format!("a@x {key}\r"), "signers-line-end"),
            ("# \r".to_owned(), "signers-line-end"),
            (format!("a@x {key} \0"), "signers-control-character"),
            (format!("a@x {key} \u{1b}[0m"), "signers-control-character"),
            (format!("a@x {key} {}", "x".repeat(17_000)), "signers-line-too-long"),
            ("a@x".to_owned(), "signers-key-missing"),
            ("a@x cert-authority".to_owned(), "signers-key-missing"),
            ("a@x ssh-ed25519".to_owned(), "signers-key-missing"),
            (format!("\"a@x {key}"), "signers-quote"),
            (format!("a@x namespaces=\"git {key}"), "signers-quote"),
            (format!("a@x, {key}"), "signers-principal"),
            (format!("a@x,,b@x {key}"), "signers-principal"),
            (format!("\"\" {key}"), "signers-principal"),
            (format!("\"a b\" {key}"), "signers-principal"),
            (format!("a@x,\"b@x\" {key}"), "signers-principal"),
            (format!("\"a@x\"b {key}"), "signers-principal"),
            (format!("\u{feff}a@x {key}"), "signers-principal"),
            (format!("ä@x {key}"), "signers-principal"),
            (format!("! {key}"), "signers-principal"),
            (format!("!!a@x {key}"), "signers-principal"),
            (format!("a@x ssh-dss {base64}"), "signers-key-type"),
            (format!("a@x ssh-ed448 {base64}"), "signers-key-type"),
            (format!("a@x cert-authority ED25519 {base64}"), "signers-key-type"),
            (format!("a@x ssh-ed25519-cert-v01@openssh.com {base64}"), "signers-certificate"),
            (format!("a@x ssh-rsa {base64}"), "signers-key"),
            (format!("a@x ssh-ed25519 {}", base64.replace('A', "!")), "signers-key"),
            (format!("a@x ssh-ed25519 {base64}AAAA"), "signers-key"),
            (format!("a@x ssh-ed25519 {unpadded}"), "signers-key"),
            (format!("a@x ssh-ed25519 {base64}="), "signers-key"),
            (format!("a@x unknown {key}"), "signers-option-unknown"),
            (format!("a@x cert-authority, {key}"), "signers-option-unknown"),
            (format!("a@x cert-authority=\"x\" {key}"), "signers-option-unknown"),
            (format!("a@x verify-required {key}"), "signers-option-unknown"),
            (format!("a@x cert-authority,Cert-Authority {key}"), "signers-option-twice"),
            (format!("a@x namespaces=\"git\",namespaces=\"git\" {key}"), "signers-option-twice"),
            (format!("a@x namespaces=git {key}"), "signers-option-value"),
            (format!("a@x namespaces {key}"), "signers-option-value"),
            (format!("a@x namespaces=\"\" {key}"), "signers-option-value"),
            (format!("a@x namespaces=\"a,\" {key}"), "signers-option-value"),
            (format!("a@x namespaces=\"a\\\"b\" {key}"), "signers-quote"),
            (format!("a@x namespaces=\"a\"b\"c\" {key}"), "signers-option-value"),
            (format!("a@x valid-after=20260101 {key}"), "signers-option-value"),
            (format!("a@x valid-after=\"2026\" {key}"), "signers-time"),
            (format!("a@x valid-after=\"20260229\" {key}"), "signers-time"),
            (format!("a@x valid-before=\"20260101T00\" {key}"), "signers-time"),
            (format!("a@x valid-after=\"19700101\" {key}"), "signers-time"),
            (format!("a@x valid-after=\"20260101\",valid-before=\"20260101\" {key}"), "signers-window"),
        ] {
            codes(&line, &[code]);
        }
    }

    #[test]
    fn a_line_tells_all_its_problems_with_their_places() {
        let problems = AllowedSigners::parse("\na b ssh-ed25519 AA\n").unwrap_err().0;
        let shown: Vec<(&str, usize, usize)> = problems
            .iter()
            .map(|problem| {
                (problem.code, problem.place.as_ref().unwrap().line, problem.place.as_ref().unwrap().column)
            })
            .collect();
        assert_eq!(shown, [("signers-option-unknown", 2, 3), ("signers-key", 2, 17)]);
        assert_eq!(
            problems[0].to_string(),
            "unknown option `b` [signers-option-unknown]\n --> policy/allowed_signers:2:3\n\
             2 | a b ssh-ed25519 AA\n  |   ^ `cert-authority`, `namespaces=\"…\"`, `valid-after=\"…\"` and \
             `valid-before=\"…\"` are known"
        );
    }
}
