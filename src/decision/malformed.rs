//! What can still be read of a malformed decision.
//!
//! What restricts needs less than what permits (design, section 2.8): a rejection, a close or a withdrawal holds
//! whatever else is wrong with it, as long as one can read what it is about. So this reads more kindly than the
//! grammar: any letter case, blanks around values, repeated lines that say the same. Nothing read here ever permits.

use std::collections::BTreeMap;

use crate::model::Name;

use super::trailer::{Token, Trailer};
use super::{MalformedDecision, Target, Verb};

/// What the lines say, for a decision that is malformed for `reason`.
pub(super) fn salvage(lines: &[&str], reason: String) -> MalformedDecision {
    let mut trailers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for trailer in lines.iter().filter_map(|line| Trailer::parse(line)) {
        trailers.entry(trailer.token.to_owned()).or_default().push(trailer.value.to_owned());
    }
    MalformedDecision {
        reason,
        target: read(lines, Token::Gate, |value| value.parse::<Target>().ok()),
        verb: read(lines, Token::Action, |value| value.to_ascii_lowercase().parse::<Verb>().ok()),
        role: read(lines, Token::Role, |value| value.parse::<Name>().ok()),
        trailers,
    }
}

/// As [`salvage`], where the lines say at least what was decided about what.
pub(super) fn salvage_whole(lines: &[&str], reason: String) -> Option<MalformedDecision> {
    let malformed = salvage(lines, reason);
    (malformed.target.is_some() && malformed.verb.is_some()).then_some(malformed)
}

/// The one value that all lines of `token` agree on; nothing where one does not read or two differ.
fn read<T: PartialEq>(lines: &[&str], token: Token, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut values = lines.iter().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case(token.as_str()).then(|| parse(value.trim()))
    });
    let first = values.next()??;
    values.all(|other| other.as_ref() == Some(&first)).then_some(first)
}
