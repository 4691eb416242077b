//! Format `junit`: the XML that test runners of most languages write.
//!
//! Test cases are counted, wherever they stand: totals of nested suites count them twice. Then the totals are held against
//! the cases: a file whose suites speak of more tests, failures or errors than it shows was cut, or its runner could not
//! show them, and is unreadable. Nothing outside the file is ever fetched and nothing in it expands: a document type
//! is refused.

mod cases;

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::content::Content;
use super::names::{Names, Native};
use super::{Metric, Reading, Value, number};
use cases::{Outcome, Property};

/// Whether the first element is one of these.
const ROOTS: [&str; 2] = ["testsuites", "testsuite"];

/// Whether the root of the XML is that of test results.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    if !content.text.trim_start().starts_with('<') {
        return false;
    }
    let mut reader = Reader::from_str(content.text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => return ROOTS.contains(&root.name().as_ref()),
            Ok(Event::Eof) | Err(_) => return false,
            Ok(
                Event::Text(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::CData(_)
                | Event::GeneralRef(_)
                | Event::End(_),
            ) => {}
        }
    }
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(_content: &Content<'_>) -> String {
    "the root of the XML is neither `testsuites` nor `testsuite`".to_owned()
}

/// How the tests ended, in all, by suite and by case; and the numbers that tests recorded.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    let found = cases::cases(content.text)?;
    let mut all = Tally::default();
    let mut by_suite: BTreeMap<&str, Tally> = BTreeMap::new();
    for case in &found.all {
        all.add(case.outcome);
        for suite in found.suites_of(case) {
            by_suite.entry(suite).or_default().add(case.outcome);
        }
    }
    if found.all.is_empty() {
        return Err("it has no test case: a run without tests supports nothing".to_owned());
    }
    let mut names = Names::default();
    all.add_to("", "its test cases", &mut names);
    for (suite, tally) in &by_suite {
        tally.add_to(&format!("suite/{suite}/"), &format!("the suite `{suite}`"), &mut names);
    }
    for case in &found.all {
        let value = Value::Text(case.outcome.word().to_owned());
        names.add(format!("case/{}", case.name), Metric::plain(value, format!("line {}", case.line)));
    }
    add_properties(&found.properties, &mut names);
    Ok(Native::finished(names))
}

/// Adds what tests recorded as numbers. A name that is there several times is ambiguous, whatever stands there.
fn add_properties(properties: &[Property], names: &mut Names) {
    let mut by_name: BTreeMap<&str, Vec<&Property>> = BTreeMap::new();
    for property in properties {
        by_name.entry(&property.name).or_default().push(property);
    }
    for (name, properties) in by_name {
        if properties.iter().all(|property| property.number().is_none()) {
            continue;
        }
        for property in properties {
            let value = property.number().unwrap_or_else(|| Value::Text(property.value.clone()));
            names.add(format!("property/{name}"), Metric::plain(value, format!("line {}", property.line)));
        }
    }
}

/// How many cases ended how.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    passed: u64,
    failed: u64,
    errored: u64,
    skipped: u64,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Errored => self.errored += 1,
        }
    }

    fn add_to(self, prefix: &str, at: &str, names: &mut Names) {
        let run = self.passed + self.failed + self.errored;
        let total = run + self.skipped;
        let metric = |value: f64, samples: u64, rate: bool| Metric {
            samples: Some(samples),
            errors: Some(self.errored),
            rate,
            ..Metric::plain(Value::Number(value), at)
        };
        for (name, count) in [
            ("total", total),
            ("passed", self.passed),
            ("failed", self.failed),
            ("errored", self.errored),
            ("skipped", self.skipped),
        ] {
            names.add(format!("{prefix}tests.{name}"), metric(number::from_count(count), total, false));
        }
        if run > 0 {
            let rate = number::from_count(self.passed) / number::from_count(run);
            names.add(format!("{prefix}tests.pass_rate"), metric(rate, run, true));
        }
    }
}

#[cfg(test)]
mod tests;
