//! The time of judging, as rules compare it with other moments, and until when each of these comparisons gives the same.
//!
//! Rules ask the clock and nothing else what time it is. So a verdict is the same at any later time before the first moment
//! at which a comparison that it asked for turns: nothing else of it depends on when it is asked for.

use std::cell::Cell;

use super::text::age;
use crate::model::{Duration, Time};

/// The time of judging.
#[derive(Debug)]
pub(super) struct Clock {
    now: Time,
    turns: Cell<Option<Time>>,
}

impl Clock {
    pub(super) fn at(now: Time) -> Self {
        Self { now, turns: Cell::new(None) }
    }

    /// Whether that moment is now or past.
    pub(super) fn has_come(&self, moment: Time) -> bool {
        let come = moment <= self.now;
        if !come {
            self.turns.set(Some(self.turns.get().map_or(moment, |turns| turns.min(moment))));
        }
        come
    }

    /// Whether more than `most` has passed since a moment.
    pub(super) fn is_longer_ago(&self, moment: Time, most: Duration) -> bool {
        // The first second at which it is longer ago; what lies behind the last one that can be written never comes.
        let first = Time::from_unix(moment.plus(most).unix() + 1);
        first.is_some_and(|first| self.has_come(first))
    }

    /// How long ago a moment was, for people.
    pub(super) fn ago(&self, moment: Time) -> String {
        age(self.now.seconds_since(moment))
    }

    /// The first moment from now on at which a comparison that was asked for gives something else.
    pub(super) fn turns(&self) -> Option<Time> {
        self.turns.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_unix(seconds).unwrap()
    }

    #[test]
    fn a_clock_knows_when_what_it_said_turns() {
        let clock = Clock::at(at(100));
        assert_eq!(clock.turns(), None);
        assert!(clock.has_come(at(100)) && clock.has_come(at(-5)));
        assert_eq!(clock.turns(), None, "what has come stays so");
        assert!(!clock.has_come(at(300)));
        assert!(!clock.has_come(at(200)));
        assert!(!clock.has_come(at(250)));
        assert_eq!(clock.turns(), Some(at(200)));
    }

    /// At each moment before it turns the answer is the one given; from then on it is the other.
    #[test]
    fn ages_turn_at_the_second_at_which_they_turn() {
        for (moment, most) in [(0, 0), (40, 60), (40, 59), (41, 60), (100, 0), (130, 10), (-50, 160)] {
            let (moment, most) = (at(moment), Duration::from_seconds(most).unwrap());
            let said = |now: i64| {
                let clock = Clock::at(at(now));
                (clock.is_longer_ago(moment, most), clock.turns())
            };
            let (first, turns) = said(100);
            for now in 100..400 {
                let past = turns.is_some_and(|turns| turns <= at(now));
                assert_eq!(said(now).0, first ^ past, "{moment} {most} at {now}, turns {turns:?}");
                assert_eq!(said(now).0, at(now).seconds_since(moment) > most.seconds());
            }
        }
    }

    #[test]
    fn the_longest_age_that_can_be_written_is_an_age() {
        let most = Duration::from_seconds(100 * 366 * 86_400).unwrap();
        let clock = Clock::at(at(0).plus(most));
        assert!(!clock.is_longer_ago(at(0), most));
        assert!(clock.is_longer_ago(at(-1), most));
        let last = Time::from_unix(253_402_300_799).unwrap();
        assert!(!Clock::at(last).is_longer_ago(last, most));
    }
}
