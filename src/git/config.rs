//! The repository's own configuration file, read by its own grammar.
//!
//! Only that file: no include, no global or system file, no environment. The trust root and the mainline's name are
//! read from it (design, section 9.1), and whoever may write it decides; an include would widen that circle unseen, and
//! the library would open what it names. The grammar is that of git's config.c: what git refuses is refused here.

use std::collections::BTreeMap;
use std::path::Path;

use super::GitError;
use super::locate::read_small;

/// The values of a configuration file, by key, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Config {
    values: BTreeMap<String, Vec<String>>,
}

impl Config {
    /// Reads one file. A file that is not there holds nothing.
    pub(super) fn read(path: &Path) -> Result<Self, GitError> {
        if path.symlink_metadata().is_err() {
            return Ok(Self::default());
        }
        Self::parse(&read_small(path)?).map_err(|line| GitError::Io {
            path: path.to_owned(),
            reason: format!("line {line} is no configuration"),
        })
    }

    /// The value of `key`: section and name in lower case, a subsection as it is (`gate.root`). Of several the last, as
    /// git has it; a key without a value has the empty one.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.all(key).last().map(String::as_str)
    }

    /// All values of `key`, in their order.
    pub(super) fn all(&self, key: &str) -> &[String] {
        self.values.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// All keys that begin with `prefix`.
    pub(super) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values
            .iter()
            .filter(move |(key, _)| key.starts_with(prefix))
            .flat_map(|(key, values)| values.iter().map(move |value| (key.as_str(), value.as_str())))
    }

    /// Reads a whole text; the number of the first line that is wrong.
    fn parse(text: &str) -> Result<Self, usize> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let mut reader = Reader { rest: text.chars().peekable(), line: 1 };
        let mut config = Self::default();
        reader.read(&mut config).map_err(|Wrong| reader.line)?;
        Ok(config)
    }
}

/// What the grammar does not allow.
struct Wrong;

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn read(&mut self, config: &mut Config) -> Result<(), Wrong> {
        let mut section = String::new();
        while let Some(next) = self.next() {
            match next {
                '#' | ';' => while self.next().is_some_and(|character| character != '\n') {},
                '[' => section = self.section()?,
                blank if is_blank(blank) => {}
                letter if letter.is_ascii_alphabetic() => {
                    let key = self.key(&section, letter);
                    let value = self.value_of_key()?;
                    config.values.entry(key).or_default().push(value);
                }
                _ => return Err(Wrong),
            }
        }
        Ok(())
    }

    /// `section]`, `section "subsection"]` or, as of old, `section.subsection]`, with the dot behind it.
    fn section(&mut self) -> Result<String, Wrong> {
        let mut name = String::new();
        loop {
            match self.next().ok_or(Wrong)? {
                ']' => break,
                blank if is_blank(blank) => {
                    name.push('.');
                    self.subsection(&mut name, blank)?;
                    break;
                }
                part if is_key(part) || part == '.' => name.push(part.to_ascii_lowercase()),
                _ => return Err(Wrong),
            }
        }
        name.push('.');
        Ok(name)
    }

    fn subsection(&mut self, name: &mut String, blank: char) -> Result<(), Wrong> {
        let mut next = blank;
        while is_blank(next) {
            if next == '\n' {
                return Err(Wrong);
            }
            next = self.next().ok_or(Wrong)?;
        }
        if next != '"' {
            return Err(Wrong);
        }
        loop {
            match self.next().ok_or(Wrong)? {
                '\n' => return Err(Wrong),
                '"' => break,
                '\\' => name.push(self.next().filter(|escaped| *escaped != '\n').ok_or(Wrong)?),
                other => name.push(other),
            }
        }
        if self.next() == Some(']') { Ok(()) } else { Err(Wrong) }
    }

    fn key(&mut self, section: &str, first: char) -> String {
        let mut key = format!("{section}{}", first.to_ascii_lowercase());
        while let Some(part) = self.rest.next_if(|next| is_key(*next)) {
            key.push(part.to_ascii_lowercase());
        }
        key
    }

    /// What follows a key: nothing, or `=` and a value.
    fn value_of_key(&mut self) -> Result<String, Wrong> {
        while self.rest.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
        match self.next() {
            None | Some('\n') => Ok(String::new()),
            Some('=') => self.value(),
            Some(_) => Err(Wrong),
        }
    }

    fn value(&mut self) -> Result<String, Wrong> {
        let mut value = String::new();
        let mut quoted = false;
        // Where the blanks at its end begin, while there are any.
        let mut end = None;
        loop {
            match self.next() {
                None | Some('\n') if quoted => return Err(Wrong),
                None | Some('\n') => break,
                Some('#' | ';') if !quoted => {
                    while self.next().is_some_and(|character| character != '\n') {}
                    break;
                }
                Some(blank) if is_blank(blank) && !quoted => {
                    if !value.is_empty() {
                        end.get_or_insert(value.len());
                        value.push(blank);
                    }
                }
                Some('"') => {
                    end = None;
                    quoted = !quoted;
                }
                Some('\\') => {
                    end = None;
                    value.extend(self.escaped()?);
                }
                Some('\0') => return Err(Wrong),
                Some(other) => {
                    end = None;
                    value.push(other);
                }
            }
        }
        value.truncate(end.unwrap_or(value.len()));
        Ok(value)
    }

    /// What stands for an escape; nothing for a line that goes on.
    fn escaped(&mut self) -> Result<Option<char>, Wrong> {
        match self.next() {
            None | Some('\n') => Ok(None),
            Some('t') => Ok(Some('\t')),
            Some('b') => Ok(Some('\u{8}')),
            Some('n') => Ok(Some('\n')),
            Some(plain @ ('\\' | '"')) => Ok(Some(plain)),
            Some(_) => Err(Wrong),
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        self.line += usize::from(next == '\n');
        Some(next)
    }
}

/// A blank as git has it: no form feed, none of Unicode's.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn is_key(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

#[cfg(test)]
mod tests;
