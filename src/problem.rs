//! What a user wrote wrong: a code, a place, what is wrong there and what would be right.
//!
//! Problems are collected, never only the first, and shown with the line and a caret. Failures of the machine (a
//! file that cannot be read, a broken repository) are errors of their own modules, not problems.

pub mod document;
pub mod section;
mod values;

use std::fmt;

/// One thing that a user wrote wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable code, such as `policy-unknown-role`; every code stands in `docs/codes.md`.
    pub code: &'static str,
    /// Where it stands; nothing where it is about a file as a whole that has no text to show.
    pub place: Option<Place>,
    /// What is wrong: lower case, no full stop, the user's own text in backticks.
    pub message: String,
    /// What would be right, or the next command; shown beside the caret.
    pub help: Option<String>,
}

/// A stretch of one line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as the user knows it: a path, with `@<commit>` where it is read from one.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters the caret marks, at least 1.
    pub length: usize,
    /// The whole line, without its end.
    pub text: String,
}

impl Place {
    /// The place of the bytes `span` in `source`. A span over several lines marks the first to its end.
    pub fn in_text(file: &str, source: &str, span: std::ops::Range<usize>) -> Self {
        let start = floor_char_boundary(source, span.start);
        let before = source.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = source.get(line_start..).unwrap_or_default();
        let text = rest.split('\n').next().unwrap_or_default();
        let line_end = line_start + text.len();
        let end = floor_char_boundary(source, span.end.clamp(start, line_end));
        let count = |range: std::ops::Range<usize>| source.get(range).map_or(0, |part| part.chars().count());
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: count(line_start..start) + 1,
            length: count(start..end).max(1),
            text: text.trim_end_matches('\r').to_owned(),
        }
    }
}

fn floor_char_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// All that is wrong with one or several files; never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// The problem with its line and a caret. Text from the file is escaped: what a file holds never steers a terminal.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", crate::model::escape(&self.message), self.code)?;
        let Some(place) = &self.place else {
            return match &self.help {
                Some(help) => write!(f, "\n  help: {}", crate::model::escape(help)),
                None => Ok(()),
            };
        };
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        let shown: String = crate::model::escape(&place.text.replace('\t', " "));
        let lead: usize = crate::model::escape(
            &place.text.replace('\t', " ").chars().take(place.column - 1).collect::<String>(),
        )
        .chars()
        .count();
        let marked: usize = crate::model::escape(
            &place
                .text
                .chars()
                .skip(place.column - 1)
                .take(place.length)
                .collect::<String>()
                .replace('\t', " "),
        )
        .chars()
        .count();
        write!(f, "\n{margin}--> {}:{}:{}", crate::model::escape(&place.file), place.line, place.column)?;
        write!(f, "\n{number} | {shown}")?;
        write!(f, "\n{margin} | {}{}", " ".repeat(lead), "^".repeat(marked.max(1)))?;
        match &self.help {
            Some(help) => write!(f, " {}", crate::model::escape(help)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_with_a_caret() {
        let source = "a = 1\napprovals = [{ role = \"ml-laed\" }]\n";
        let at = source.find("\"ml-laed").unwrap();
        let problem = Problem {
            code: "policy-unknown-role",
            place: Some(Place::in_text("policy/policy.toml", source, at..at + 9)),
            message: "unknown role `ml-laed`".into(),
            help: Some("roles in this file: `ml-lead`".into()),
        };
        assert_eq!(
            problem.to_string(),
            "unknown role `ml-laed` [policy-unknown-role]\n --> policy/policy.toml:2:23\n\
             2 | approvals = [{ role = \"ml-laed\" }]\n  |                       ^^^^^^^^^ roles in this file: `ml-lead`"
        );
    }

    #[test]
    fn places_survive_any_span() {
        let source = "ä\u{202e}\r\nb";
        for start in 0..10 {
            for end in 0..12 {
                let place = Place::in_text("f", source, start..end);
                assert!(place.length >= 1 && place.column >= 1);
            }
        }
    }
}
