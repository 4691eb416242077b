//! Reads single values: texts, words, numbers, moments, lists of them.
//!
//! Each gives nothing where the value is another, and has told the [`Reader`] why.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::document::{Kind, Value};
use super::section::{Reader, listed};
use crate::model::{Malformed, Time};

impl<'d> Reader<'d> {
    /// The value as a string.
    pub fn text<'v>(&self, value: &'v Value) -> Option<&'v str> {
        match value.kind.as_text() {
            Some(text) => Some(text),
            None => self.wrong_type(value, "a string"),
        }
    }

    /// The value as a string that says something.
    pub fn prose(&self, value: &Value) -> Option<String> {
        let text = self.text(value)?;
        if text.trim().is_empty() {
            return self.bad(&value.span, "an empty text", "say something here, or leave the key out");
        }
        Some(text.to_owned())
    }

    /// The value as one line that says something.
    pub fn line(&self, value: &Value) -> Option<String> {
        let text = self.prose(value)?;
        if text.contains('\n') {
            return self.bad(&value.span, "a text of several lines", "one line");
        }
        Some(text)
    }

    /// The value as one of the words of [`crate::model`].
    pub fn word<T: FromStr<Err = Malformed>>(&self, value: &Value) -> Option<T> {
        let text = self.text(value)?;
        text.parse()
            .map_err(|why: Malformed| {
                let message = format!("`{text}` cannot stand here");
                self.problem(self.codes().bad_value, value.span.clone(), message, why.to_string());
            })
            .ok()
    }

    /// The value as one of a few words, each with its meaning.
    pub fn choice<T: Copy>(&self, value: &Value, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(value)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words = listed(choices.iter().map(|(word, _)| *word));
            let help = format!("one of {words}");
            self.problem(self.codes().bad_value, value.span.clone(), format!("unknown value `{text}`"), help);
        }
        found
    }

    /// The value as a whole number, zero or more.
    pub fn count(&self, value: &Value) -> Option<u64> {
        let Kind::Integer(number) = value.kind else {
            return self.wrong_type(value, "an integer");
        };
        match u64::try_from(number) {
            Ok(count) => Some(count),
            Err(_negative) => self.bad(&value.span, format!("`{number}` is negative"), "zero or more"),
        }
    }

    /// The value as a finite number.
    pub fn number(&self, value: &Value) -> Option<f64> {
        let number = match value.kind {
            Kind::Integer(number) => exact(number),
            Kind::Float(number) => Some(number).filter(|number| number.is_finite()),
            Kind::Text(_) | Kind::Boolean(_) | Kind::Moment(_) | Kind::Array(_) | Kind::Table(_) => {
                return self.wrong_type(value, "a number");
            }
        };
        if number.is_none() {
            let help = "a finite number; an integer of at most 2^53 either way";
            self.problem(
                self.codes().bad_value,
                value.span.clone(),
                "a number that cannot be compared",
                help,
            );
        }
        number
    }

    /// The value as a boolean.
    pub fn flag(&self, value: &Value) -> Option<bool> {
        let Kind::Boolean(flag) = value.kind else { return self.wrong_type(value, "`true` or `false`") };
        Some(flag)
    }

    /// The value as a moment: a date-time with an offset, or a date, which is 00:00 UTC.
    pub fn moment(&self, value: &Value) -> Option<Time> {
        let Kind::Moment(text) = &value.kind else {
            return self.wrong_type(value, "a date or a date-time without quotes");
        };
        let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.clone() };
        match whole.parse() {
            Ok(time) => Some(time),
            Err(Malformed(_)) => self.bad(
                &value.span,
                format!("`{text}` is no moment"),
                "a date, or a date-time with an offset, such as `2026-12-20T00:00:00Z`",
            ),
        }
    }

    /// The elements of an array, in its order. Those that do not parse are left out: their problem is noted.
    pub fn list<T>(
        &'d self,
        value: &'d Value,
        read: impl Fn(&'d Self, &'d Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Kind::Array(values) = &value.kind else { return self.wrong_type(value, "an array") };
        Some(values.iter().filter_map(|value| read(self, value)).collect())
    }

    /// The words of an array, in its order, none twice.
    pub fn words<T: FromStr<Err = Malformed> + Ord + Clone>(&'d self, value: &'d Value) -> Option<Vec<T>> {
        let seen = RefCell::new(BTreeSet::new());
        self.list(value, |reader, element| {
            let word: T = reader.word(element)?;
            if !seen.borrow_mut().insert(word.clone()) {
                let text = reader.text(element)?;
                let help = "name it once".to_owned();
                reader.problem(
                    reader.codes().repeated,
                    element.span.clone(),
                    format!("`{text}` is listed twice"),
                    help,
                );
            }
            Some(word)
        })
    }

    /// The words of an array as a set, none twice.
    pub fn set<T: FromStr<Err = Malformed> + Ord + Clone>(&'d self, value: &'d Value) -> Option<BTreeSet<T>> {
        Some(self.words(value)?.into_iter().collect())
    }

    /// The words of an array as a set, at least one.
    pub fn some<T: FromStr<Err = Malformed> + Ord + Clone>(
        &'d self,
        value: &'d Value,
    ) -> Option<BTreeSet<T>> {
        if matches!(&value.kind, Kind::Array(values) if values.is_empty()) {
            return self.bad(&value.span, "an empty list", "name at least one");
        }
        self.set(value)
    }
}

/// The integer as a float of the very same value; nothing beyond 2^53.
fn exact(number: i64) -> Option<f64> {
    if !(-(1 << 53)..=1 << 53).contains(&number) {
        return None;
    }
    let high = i32::try_from(number >> 32).ok()?;
    let low = u32::try_from(number & 0xffff_ffff).ok()?;
    Some(f64::from(high).mul_add(4_294_967_296.0, f64::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_become_the_same_float_or_none() {
        for number in [0, 1, -1, 900, -900, 1 << 32, -(1 << 32), (1 << 53) - 1, 1 << 53, -(1 << 53)] {
            assert_eq!(exact(number), number.to_string().parse().ok(), "{number}");
        }
        assert_eq!(exact((1 << 53) + 1), None);
        assert_eq!(exact(i64::MIN), None);
    }
}
