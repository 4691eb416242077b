//! What a policy change means, part by part: tighter, looser, different or neutral.
//!
//! *Tighter* asks more in some case and less in none; *looser* the other way round; *different* asks something else, so that
//! neither can be told; *neutral* changes no verdict. Each difference is told by itself, so a change may be tighter in one
//! part and looser in another. The table is R6.15 of `docs/rules.md`. What a change does to the gates that are there is not
//! worked out here but by judging them.

mod bounds;
mod parts;
mod people;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Display;

use super::Policy;

/// What a difference does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// It asks more in some case, and less in none.
    Tighter,
    /// It asks less in some case, and more in none.
    Looser,
    /// It asks something else.
    Different,
    /// It changes no verdict.
    Neutral,
}

/// One thing that two policies say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which part of the policy: ``rule `every change` ``.
    pub part: String,
    /// What it does.
    pub meaning: Meaning,
    /// What was and what will be.
    pub words: String,
}

impl Meaning {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tighter => "tighter",
            Self::Looser => "looser",
            Self::Different => "different",
            Self::Neutral => "neutral",
        }
    }

    /// What the reverse does.
    fn reversed(self) -> Self {
        match self {
            Self::Tighter => Self::Looser,
            Self::Looser => Self::Tighter,
            Self::Different | Self::Neutral => self,
        }
    }
}

/// Everything that `new` says differently from `old`, in the order of the file.
pub fn diff(old: &Policy, new: &Policy) -> Vec<Difference> {
    let mut found = Found::default();
    parts::head(&mut found, old, new);
    people::people(&mut found, old, new);
    parts::changes(&mut found, old, new);
    parts::systems(&mut found, old, new);
    parts::environments(&mut found, old, new);
    parts::evidence(&mut found, old, new);
    parts::decisions(&mut found, old, new);
    rules::rules(&mut found, old, new);
    parts::exceptions(&mut found, old, new);
    rules::freezes(&mut found, old, new);
    people::revoked(&mut found, old, new);
    people::keys(&mut found, old, new);
    found.all
}

/// The differences found so far.
#[derive(Debug, Default)]
struct Found {
    all: Vec<Difference>,
}

impl Found {
    fn add(&mut self, part: &str, meaning: Meaning, words: impl Into<String>) {
        self.all.push(Difference { part: part.to_owned(), meaning, words: words.into() });
    }

    /// Each element that is new, or gone: what is new means `new`, what is gone the reverse.
    fn set<T: Ord + Display>(
        &mut self,
        part: &str,
        what: &str,
        (old, now): (&BTreeSet<T>, &BTreeSet<T>),
        new: Meaning,
    ) {
        for added in now.difference(old) {
            self.add(part, new, format!("{what} `{added}` is new"));
        }
        for gone in old.difference(now) {
            self.add(part, new.reversed(), format!("{what} `{gone}` is gone"));
        }
    }

    /// A value that changes no verdict.
    fn neutral<T: PartialEq>(&mut self, part: &str, what: &str, old: &T, new: &T) {
        if old != new {
            self.add(part, Meaning::Neutral, format!("{what} has changed"));
        }
    }

    /// A switch: what it means when it is set.
    fn switch(&mut self, part: &str, what: &str, (old, new): (bool, bool), set: Meaning) {
        match (old, new) {
            (false, true) => self.add(part, set, format!("{what} is set")),
            (true, false) => self.add(part, set.reversed(), format!("{what} is no longer set")),
            (true, true) | (false, false) => {}
        }
    }
}
