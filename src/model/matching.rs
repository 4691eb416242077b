//! Fills places with people: each person at most one place, as many places as possible.
//!
//! Counts people, never signatures or roles: who may fill which place was settled by the caller. Of the largest
//! matchings the first is taken, places in the order given, people bytewise (design, section 8), so that the same
//! approvals always read the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Principal;

/// Who fills each of `places`, given who may: nobody twice, and as many places as can be.
///
/// Of all such assignments the first: compared place by place, a smaller principal before a greater one, and anyone
/// before nobody. Time is at most places × people × pairs.
pub fn assign(places: &[BTreeSet<Principal>]) -> Vec<Option<Principal>> {
    let mut matching = Matching::largest(places);
    for (place, candidates) in places.iter().enumerate() {
        for person in candidates {
            if matching.settle(place, person) {
                break;
            }
        }
    }
    (0..places.len()).map(|place| matching.person_at.get(&place).map(|person| (*person).clone())).collect()
}

/// How many of `places` people can fill at once.
pub(crate) fn fillable(places: &[BTreeSet<&Principal>]) -> usize {
    let owned: Vec<BTreeSet<Principal>> =
        places.iter().map(|people| people.iter().copied().cloned().collect()).collect();
    assign(&owned).iter().flatten().count()
}

/// A matching of places to people, some of whose places are settled for good.
#[derive(Clone)]
struct Matching<'a> {
    places: &'a [BTreeSet<Principal>],
    person_at: BTreeMap<usize, &'a Principal>,
    place_of: BTreeMap<&'a Principal, usize>,
    settled: BTreeSet<usize>,
}

impl<'a> Matching<'a> {
    fn largest(places: &'a [BTreeSet<Principal>]) -> Self {
        let mut matching =
            Self { places, person_at: BTreeMap::new(), place_of: BTreeMap::new(), settled: BTreeSet::new() };
        for place in 0..places.len() {
            matching.augment(&[place]);
        }
        matching
    }

    /// Settles `person` at `place` if some matching of the same size, with all that is settled, has them there.
    fn settle(&mut self, place: usize, person: &'a Principal) -> bool {
        let current = self.place_of.get(person).copied();
        if current.is_some_and(|taken| self.settled.contains(&taken)) {
            return false;
        }
        let size = self.person_at.len();
        let mut tried = self.clone();
        if let Some(previous) = tried.person_at.remove(&place) {
            tried.place_of.remove(previous);
        }
        if let Some(taken) = current {
            tried.person_at.remove(&taken);
        }
        tried.person_at.insert(place, person);
        tried.place_of.insert(person, place);
        tried.settled.insert(place);
        if tried.person_at.len() < size {
            let open: Vec<usize> =
                (0..tried.places.len()).filter(|open| !tried.person_at.contains_key(open)).collect();
            tried.augment(&open);
        }
        if tried.person_at.len() < size {
            return false;
        }
        *self = tried;
        true
    }

    /// Fills one more place along an alternating path that begins at one of `open` and touches nothing settled.
    fn augment(&mut self, open: &[usize]) {
        let mut reached_from: BTreeMap<&'a Principal, usize> = BTreeMap::new();
        let mut queue: VecDeque<usize> =
            open.iter().copied().filter(|place| !self.settled.contains(place)).collect();
        while let Some(place) = queue.pop_front() {
            for person in self.places.get(place).into_iter().flatten() {
                if reached_from.contains_key(person) {
                    continue;
                }
                match self.place_of.get(person).copied() {
                    Some(taken) if self.settled.contains(&taken) => {}
                    Some(taken) => {
                        reached_from.insert(person, place);
                        queue.push_back(taken);
                    }
                    None => {
                        reached_from.insert(person, place);
                        self.shift(person, &reached_from);
                        return;
                    }
                }
            }
        }
    }

    /// Moves everyone on the path that ends at `last` one place on.
    fn shift(&mut self, last: &'a Principal, reached_from: &BTreeMap<&'a Principal, usize>) {
        let mut person = last;
        while let Some(place) = reached_from.get(person).copied() {
            self.place_of.insert(person, place);
            match self.person_at.insert(place, person) {
                Some(moved) => person = moved,
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn people(letters: &str) -> BTreeSet<Principal> {
        letters.chars().map(|letter| letter.to_string().parse().unwrap()).collect()
    }

    #[track_caller]
    fn check(places: &[&str], expected: &str) {
        let places: Vec<_> = places.iter().map(|place| people(place)).collect();
        let found: String = assign(&places)
            .into_iter()
            .map(|person| person.map_or("-".to_owned(), |person| person.to_string()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn as_many_places_as_possible_are_filled_by_the_first_people() {
        check(&[], "");
        check(&[""], "-");
        check(&["a"], "a");
        check(&["a", "a"], "a-");
        check(&["ab", "a"], "ba");
        check(&["ab", "ab", "ab"], "ab-");
        check(&["abc", "ab", "a"], "cba");
        check(&["ac", "a", "bc"], "cab");
        check(&["b", "ab", "b"], "ba-");
    }

    /// The first of the largest, by trying everything.
    fn brute_force(places: &[BTreeSet<Principal>]) -> Vec<Option<Principal>> {
        fn all(places: &[BTreeSet<Principal>], used: &BTreeSet<Principal>) -> Vec<Vec<Option<Principal>>> {
            let Some((first, rest)) = places.split_first() else { return vec![vec![]] };
            let choices =
                first.iter().filter(|person| !used.contains(person)).cloned().map(Some).chain([None]);
            choices
                .flat_map(|choice| {
                    let mut used = used.clone();
                    used.extend(choice.clone());
                    all(rest, &used).into_iter().map(move |tail| {
                        let mut whole = vec![choice.clone()];
                        whole.extend(tail);
                        whole
                    })
                })
                .collect()
        }
        let size = |found: &Vec<Option<Principal>>| found.iter().flatten().count();
        let every = all(places, &BTreeSet::new());
        let largest = every.iter().map(size).max().unwrap();
        // `all` yields in the order wanted: people bytewise, nobody last, the first place first.
        every.into_iter().find(|found| size(found) == largest).unwrap()
    }

    proptest! {
        #[test]
        fn it_is_the_first_of_the_largest(places in prop::collection::vec("[a-e]{0,4}", 0..5)) {
            let places: Vec<_> = places.iter().map(|letters| people(letters)).collect();
            prop_assert_eq!(assign(&places), brute_force(&places));
        }
    }

    #[test]
    fn many_people_and_places_take_no_time() {
        let everyone: BTreeSet<Principal> = (0..60).map(|n| format!("p{n:02}").parse().unwrap()).collect();
        let found = assign(&vec![everyone.clone(); 60]);
        assert_eq!(found.into_iter().flatten().collect::<BTreeSet<_>>(), everyone);
    }
}
