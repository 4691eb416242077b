//! The XML of test results → its cases, suites and properties, one element after the other.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::{Value, number, quote};

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 64;
/// Most attributes of an element. To look for one that is there twice takes the square of them.
const MAX_ATTRIBUTES: usize = 256;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Cases {
    pub(super) all: Vec<Case>,
    pub(super) suites: Vec<Suite>,
    pub(super) properties: Vec<Property>,
}

/// One test.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) outcome: Outcome,
    pub(super) line: usize,
    /// The suite that it stands in, by place.
    suite: Option<usize>,
}

/// A suite, or the root.
#[derive(Debug)]
pub(super) struct Suite {
    name: Option<String>,
    /// The suite around it, by place.
    outer: Option<usize>,
    claims: Claims,
    shown: Claims,
}

/// How many there are of what a suite counts: what it says, or what its elements show.
#[derive(Debug, Default, Clone, Copy)]
struct Claims {
    tests: u64,
    failures: u64,
    errors: u64,
}

/// A value that a test or a suite recorded.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// How a test ended; of several, the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Passed,
    Skipped,
    Failed,
    Errored,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Errored => "errored",
        }
    }
}

impl Cases {
    /// The names of the suites around a case, each once.
    pub(super) fn suites_of(&self, case: &Case) -> Vec<&str> {
        let mut names = Vec::new();
        let mut at = case.suite;
        while let Some(suite) = at.and_then(|at| self.suites.get(at)) {
            names.extend(suite.name.as_deref().filter(|name| !names.contains(name)));
            at = suite.outer;
        }
        names
    }
}

impl Property {
    /// The number that it is, as JSON writes it, or a word for what is none.
    pub(super) fn number(&self) -> Option<Value> {
        let word = self.value.trim();
        let unsigned = word.trim_start_matches(['+', '-']);
        if ["nan", "inf", "infinity"].iter().any(|other| unsigned.eq_ignore_ascii_case(other)) {
            return Some(Value::NonFinite(word.to_owned()));
        }
        if number::json_length(word) != Some(word.len()) {
            return None;
        }
        Some(number::held(word).map_or_else(|| Value::NonFinite(word.to_owned()), Value::Number))
    }
}

/// An element that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Suite(usize),
    Case(usize),
    Other,
}

struct Walk<'a> {
    text: &'a str,
    found: Cases,
    open: Vec<Open>,
    /// Up to which byte lines were counted, and how many there were.
    counted: (usize, usize),
    rooted: bool,
}

/// Reads them all.
pub(super) fn cases(text: &str) -> Result<Cases, String> {
    let mut reader = Reader::from_str(text);
    let found = Cases::default();
    let mut walk = Walk { text, found, open: Vec::new(), counted: (0, 1), rooted: false };
    loop {
        let event = reader.read_event();
        let line = walk.line(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        let wrong = |why: String| format!("line {line}: {why}");
        match event.map_err(|error| wrong(format!("no XML: {error}")))? {
            Event::Start(element) => {
                let open = walk.element(&element, line).map_err(wrong)?;
                walk.open.push(open);
                if walk.open.len() > MAX_DEPTH {
                    return Err(wrong(format!("elements nested more than {MAX_DEPTH} deep")));
                }
            }
            Event::Empty(element) => {
                walk.element(&element, line).map_err(wrong)?;
            }
            Event::End(_) => drop(walk.open.pop()),
            Event::DocType(_) => {
                return Err(wrong("a document type, which could expand or fetch; take it out".to_owned()));
            }
            Event::GeneralRef(entity) => {
                let known = ["amp", "lt", "gt", "quot", "apos"].contains(&entity.as_ref());
                if !known && !entity.is_char_ref() {
                    return Err(wrong("an entity that XML does not know".to_owned()));
                }
            }
            Event::Text(text) if walk.open.is_empty() && !text.chars().all(char::is_whitespace) => {
                return Err(wrong("text outside of the root".to_owned()));
            }
            Event::Eof => break,
            Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if !walk.open.is_empty() || !walk.rooted {
        return Err("it ends before its root does: it was cut".to_owned());
    }
    walk.finish()
}

impl Walk<'_> {
    /// The line of a byte, which is none before the last one asked for.
    fn line(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        let passed = self.text.get(from..at).unwrap_or_default();
        self.counted = (at.max(from), line + passed.matches('\n').count());
        self.counted.1
    }

    fn element(&mut self, element: &BytesStart<'_>, line: usize) -> Result<Open, String> {
        if self.open.is_empty() {
            if self.rooted {
                return Err("a second root: these are several files in one".to_owned());
            }
            self.rooted = true;
        }
        let attributes = Attributes::of(element)?;
        let name = element.name();
        let case = self.open.iter().rev().find_map(|open| match open {
            Open::Case(at) => Some(*at),
            Open::Suite(_) | Open::Other => None,
        });
        match (name.as_ref(), case) {
            ("testsuites" | "testsuite", None) => self.suite(&attributes),
            ("testcase", None) => Ok(self.case(&attributes, line)),
            ("testsuites" | "testsuite" | "testcase", Some(_)) => {
                Err("a test case holds suites or cases".to_owned())
            }
            ("failure", _) => self.ended(case, Outcome::Failed),
            ("error", _) => self.ended(case, Outcome::Errored),
            ("skipped", Some(_)) => self.ended(case, Outcome::Skipped),
            ("property", _) => {
                if let (Some(name), Some(value)) = (attributes.get("name"), attributes.get("value")) {
                    let (name, value) = (name.to_owned(), value.to_owned());
                    self.found.properties.push(Property { name, value, line });
                }
                Ok(Open::Other)
            }
            (_, _) => Ok(Open::Other),
        }
    }

    fn suite(&mut self, attributes: &Attributes) -> Result<Open, String> {
        let count = |key: &str| match attributes.get(key).map(str::trim) {
            None | Some("") => Ok(0),
            Some(text) => {
                text.parse::<u64>().map_err(|_none| format!("`{key}` is {}, no count", quote(text)))
            }
        };
        let claims =
            Claims { tests: count("tests")?, failures: count("failures")?, errors: count("errors")? };
        let name = attributes.get("name").map(str::to_owned);
        self.found.suites.push(Suite { name, outer: self.around(), claims, shown: Claims::default() });
        Ok(Open::Suite(self.found.suites.len() - 1))
    }

    fn case(&mut self, attributes: &Attributes, line: usize) -> Open {
        let name = attributes.get("name").unwrap_or_default();
        let name = match attributes.get("classname").filter(|class| !class.is_empty()) {
            Some(class) => format!("{class}/{name}"),
            None => name.to_owned(),
        };
        let said = |key: &str, words: &[&str]| {
            attributes.get(key).is_some_and(|said| words.iter().any(|word| said.eq_ignore_ascii_case(word)))
        };
        let ended = |words: &[&str]| said("status", words) || said("result", words);
        let outcome = if ended(&["error", "errored"]) {
            Outcome::Errored
        } else if ended(&["fail", "failed", "failure"]) {
            Outcome::Failed
        } else if ended(&["disabled", "notrun", "skipped", "suppressed"]) {
            Outcome::Skipped
        } else {
            Outcome::Passed
        };
        let suite = self.around();
        self.show(suite, |shown| shown.tests += 1);
        self.found.all.push(Case { name, outcome, line, suite });
        Open::Case(self.found.all.len() - 1)
    }

    /// A case ended so; of a suite that did, without a case, an error is one more of them.
    fn ended(&mut self, case: Option<usize>, outcome: Outcome) -> Result<Open, String> {
        let Some(case) = case.and_then(|at| self.found.all.get_mut(at)) else {
            return Err("a failure or error outside of a test case".to_owned());
        };
        case.outcome = case.outcome.max(outcome);
        let suite = case.suite;
        self.show(suite, |shown| match outcome {
            Outcome::Failed => shown.failures += 1,
            Outcome::Errored => shown.errors += 1,
            Outcome::Skipped | Outcome::Passed => {}
        });
        Ok(Open::Other)
    }

    /// Counts something for a suite. Those around it are added up at the end.
    fn show(&mut self, suite: Option<usize>, count: impl Fn(&mut Claims)) {
        if let Some(suite) = suite.and_then(|at| self.found.suites.get_mut(at)) {
            count(&mut suite.shown);
        }
    }

    /// The suite that is open.
    fn around(&self) -> Option<usize> {
        self.open.iter().rev().find_map(|open| match open {
            Open::Suite(at) => Some(*at),
            Open::Case(_) | Open::Other => None,
        })
    }

    /// Holds what suites say against what they show.
    fn finish(mut self) -> Result<Cases, String> {
        for at in (0..self.found.suites.len()).rev() {
            let Some(suite) = self.found.suites.get(at) else { continue };
            let (shown, outer) = (suite.shown, suite.outer);
            suite.check()?;
            self.show(outer, |around| {
                around.tests += shown.tests;
                around.failures += shown.failures;
                around.errors += shown.errors;
            });
        }
        Ok(self.found)
    }
}

impl Suite {
    fn check(&self) -> Result<(), String> {
        let name = self.name.as_deref().map_or("a suite without a name".to_owned(), quote);
        let more = |what: &str, claimed: u64, shown: u64| {
            Err(format!("{name} counts {claimed} {what} and shows {shown}: some are not in the file"))
        };
        let (claims, shown) = (self.claims, self.shown);
        if claims.tests > shown.tests {
            return more("tests", claims.tests, shown.tests);
        }
        if claims.failures > shown.failures {
            return more("failures", claims.failures, shown.failures);
        }
        if claims.errors > shown.errors {
            return more("errors", claims.errors, shown.errors);
        }
        Ok(())
    }
}

/// The attributes of an element, each once.
struct Attributes(Vec<(String, String)>);

impl Attributes {
    fn of(element: &BytesStart<'_>) -> Result<Self, String> {
        let mut found = Vec::new();
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| format!("no XML: {error}"))?;
            if found.len() == MAX_ATTRIBUTES {
                return Err(format!("an element of more than {MAX_ATTRIBUTES} attributes"));
            }
            let key = attribute.key.as_ref().to_owned();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| format!("no XML: {error}"))?;
            found.push((key, value.into_owned()));
        }
        Ok(Self(found))
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}
