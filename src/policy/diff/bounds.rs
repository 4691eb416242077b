//! Bounds that are there or not: which of two asks more.

use std::cmp::Ordering;
use std::fmt::Display;

use super::{Found, Meaning};

/// Which way a bound asks more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// The lower, the tighter; none: anything goes.
    Most,
    /// The higher, the tighter; none: anything goes.
    Least,
    /// The higher, the looser; none: nothing goes.
    Grace,
}

impl Found {
    /// A bound, or none, in place of a bound, or none.
    pub(super) fn bound<T: PartialOrd + Display>(
        &mut self,
        part: &str,
        what: &str,
        (old, new): (Option<&T>, Option<&T>),
        bound: Bound,
    ) {
        let set = match bound {
            Bound::Most | Bound::Least => Meaning::Tighter,
            Bound::Grace => Meaning::Looser,
        };
        let (meaning, words) = match (old, new) {
            (None, None) => return,
            (None, Some(new)) => (set, format!("{what} is {new} now")),
            (Some(old), None) => (set.reversed(), format!("{what} was {old}")),
            (Some(old), Some(new)) => {
                let meaning = match (new.partial_cmp(old), bound) {
                    (Some(Ordering::Equal), _) => return,
                    (Some(Ordering::Less), Bound::Most | Bound::Grace)
                    | (Some(Ordering::Greater), Bound::Least) => Meaning::Tighter,
                    (Some(Ordering::Greater), Bound::Most | Bound::Grace)
                    | (Some(Ordering::Less), Bound::Least) => Meaning::Looser,
                    (None, _) => Meaning::Different,
                };
                (meaning, format!("{what} {old} → {new}"))
            }
        };
        self.add(part, meaning, words);
    }
}
