//! Names: of gates, roles, kinds, artifacts, rules, principals.
//!
//! The grammar is that of section 4 of the design; a name that parses is safe in a path, a ref and a trailer. The text of a
//! name is shared by all its copies: a report holds some of them a hundred thousand times.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Malformed;

/// A system, version, environment, role, kind or slug: `[A-Za-z0-9][A-Za-z0-9._+-]{0,63}`, no `..`, not ending in
/// `.` or `.lock` (design, section 4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A gate's name, `<system>/<version>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateName {
    /// What is deployed.
    pub system: Name,
    /// Which version of it.
    pub version: Name,
}

/// The name of an artifact: path components of `[A-Za-z0-9._+-]` that begin with no dot, joined by `/`, without `=`
/// (design, section 4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactName(Arc<str>);

/// The name of a rule, criterion or freeze: printable, 1 to 64 characters (design, section 4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

/// A person or bot, named as in `allowed_signers`: most often an e-mail address. 1 to 255 printable ASCII characters
/// without blank, quote, comma, backslash or a wildcard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Arc<str>);

/// The name of an incident file without `.toml`: a [`Name`].
pub type IncidentId = Name;

/// A pattern over names in which `*` stands for any run of characters, `/` included (design, section 6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl GateName {
    /// The directory of the request: `gates/<system>/<version>`.
    pub fn directory(&self) -> String {
        format!("gates/{self}")
    }

    /// The directory of the exception: `exceptions/<system>/<version>`.
    pub fn exception_directory(&self) -> String {
        format!("exceptions/{self}")
    }

    /// The branch on which the gate is prepared, without `refs/heads/`: `gate/<system>/<version>`.
    pub fn branch(&self) -> String {
        format!("gate/{self}")
    }
}

impl ArtifactName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last path component, on which `[changes.infer]` globs match (design, section 6).
    pub fn last_component(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl Label {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Principal {
    /// The principal as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Glob {
    /// A glob of any text: every text is one.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` matches. Time is at most the product of both lengths.
    pub fn matches(&self, text: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let text: Vec<char> = text.chars().collect();
        // Where to go on when a comparison fails: behind the last star, one character further in the text.
        let (mut at_pattern, mut at_text) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while at_text < text.len() {
            match pattern.get(at_pattern) {
                Some('*') => {
                    retry = Some((at_pattern + 1, at_text));
                    at_pattern += 1;
                }
                Some(wanted) if text.get(at_text) == Some(wanted) => {
                    at_pattern += 1;
                    at_text += 1;
                }
                Some(_) | None => match retry {
                    Some((after_star, matched)) => {
                        retry = Some((after_star, matched + 1));
                        at_pattern = after_star;
                        at_text = matched + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern.iter().skip(at_pattern).all(|rest| *rest == '*')
    }
}

/// Whether `text` is one path component as section 4 allows it inside a governed directory.
pub(crate) fn is_path_component(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-')
}

impl FromStr for Name {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let starts_well = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let lock = text.to_ascii_lowercase().ends_with(".lock");
        if starts_well
            && text.len() <= 64
            && text.bytes().all(is_name_byte)
            && !text.contains("..")
            && !text.ends_with('.')
            && !lock
        {
            return Ok(Self(text.into()));
        }
        Err(Malformed(
            "a name is 1 to 64 of `A-Z a-z 0-9 . _ + -`, begins with a letter or digit, holds no `..` and ends \
             in neither `.` nor `.lock`"
                .into(),
        ))
    }
}

impl FromStr for GateName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let Some((system, version)) = text.split_once('/') else {
            return Err(Malformed("a gate is named `<system>/<version>`".into()));
        };
        Ok(Self { system: system.parse()?, version: version.parse()? })
    }
}

impl FromStr for ArtifactName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() <= 512 && text.split('/').all(is_path_component) {
            return Ok(Self(text.into()));
        }
        Err(Malformed(
            "an artifact name is path components of `A-Z a-z 0-9 . _ + -` that begin with no dot, joined by `/`"
                .into(),
        ))
    }
}

impl FromStr for Label {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let length = text.chars().count();
        let printable =
            text.chars().all(|c| c == ' ' || c.is_ascii_graphic() || is_printable_beyond_ascii(c));
        if (1..=64).contains(&length) && printable && text.trim() == text {
            return Ok(Self(text.into()));
        }
        Err(Malformed("a name here is 1 to 64 printable characters, without blanks around it".into()))
    }
}

/// Letters beyond ASCII that show: no control, format, surrogate, private or unassigned character, no other space.
fn is_printable_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric()
}

impl FromStr for Principal {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let plain =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b'\\' | b'*' | b'?' | b'!');
        if (1..=255).contains(&text.len()) && text.bytes().all(plain) {
            return Ok(Self(text.into()));
        }
        Err(Malformed(
            "a principal is printable ASCII without blanks, quotes, commas, backslashes and wildcards, such as \
             `j.rivera@example.com`"
                .into(),
        ))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.system, self.version)
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_grammar() {
        for good in ["a", "v1.4", "base-llm", "A_b+c-d.e", "0", &"x".repeat(64)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        let long = "x".repeat(65);
        for bad in
            ["", ".a", "-a", "a..b", "a.", "a.lock", "a.LOCK", "a/b", "a b", "ä", "a=b", "a\n", long.as_str()]
        {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn gates_have_exactly_two_parts() {
        assert!("summarizer/v1.4".parse::<GateName>().is_ok());
        for bad in ["summarizer", "a/b/c", "/v1", "a/", "../x", "policy"] {
            assert!(bad.parse::<GateName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn artifact_names_are_safe_paths() {
        assert!("prompts/summarize.txt".parse::<ArtifactName>().is_ok());
        for bad in ["", "/a", "a/", "a//b", "../a", ".a", "a/.b", "a=b", "a b"] {
            assert!(bad.parse::<ArtifactName>().is_err(), "{bad}");
        }
        assert_eq!("a/b/C.onnx".parse::<ArtifactName>().unwrap().last_component(), "C.onnx");
    }

    #[test]
    fn labels_show_what_they_are() {
        assert!("no open critical finding".parse::<Label>().is_ok());
        for bad in ["", " a", "a ", "a\u{202e}b", "a\u{200b}b", "a\tb", "\u{a0}"] {
            assert!(bad.parse::<Label>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn stars_match_any_run() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*.onnx", "model.onnx", true),
            ("*.onnx", "model.onnx.txt", false),
            ("a*b*c", "a/x/b--c", true),
            ("a*b*c", "acb", false),
            ("a*", "ba", false),
            ("**", "x", true),
            ("named/Harm*", "named/Harmful/Iterative", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }
}
