//! Fills places with people, one place a person.
//!
//! Of all ways that fill the most places, the first: places in their order, a filled place before an empty one, people
//! bytewise (design, section 8). So the result depends on nothing but the question. Who may fill a place was settled
//! before; nothing here looks at signatures or policies.

use std::collections::{BTreeMap, BTreeSet};

use super::Principal;

/// Who fills each of the `places`, of each of which the candidates are given; nobody twice.
///
/// Time is at most quadratic in the sum of the candidates; in practice far less.
pub fn fill_places<'a>(places: &[BTreeSet<&'a Principal>]) -> Vec<Option<&'a Principal>> {
    let mut matching =
        Matching { places, of_place: vec![None; places.len()], of_person: BTreeMap::new(), fixed: 0 };
    for place in 0..places.len() {
        matching.augment(place);
    }
    // The largest there is. Now, in order, each place gets the first person that leaves it as large.
    for place in 0..places.len() {
        matching.settle(place);
    }
    matching.of_place
}

/// How many of the places can be filled.
pub fn fillable(places: &[BTreeSet<&Principal>]) -> usize {
    let mut matching =
        Matching { places, of_place: vec![None; places.len()], of_person: BTreeMap::new(), fixed: 0 };
    (0..places.len()).filter(|place| matching.augment(*place)).count()
}

#[derive(Debug, Clone)]
struct Matching<'p, 'a> {
    places: &'p [BTreeSet<&'a Principal>],
    of_place: Vec<Option<&'a Principal>>,
    of_person: BTreeMap<&'a Principal, usize>,
    /// Places before this one keep who fills them.
    fixed: usize,
}

impl<'a> Matching<'_, 'a> {
    /// Fills `place` too, moving others where they have somewhere to go. Says whether that could be.
    fn augment(&mut self, place: usize) -> bool {
        // Breadth first, so that no depth of moves costs stack: from whom a person could be taken, and for which place.
        let mut wanted_by: BTreeMap<&'a Principal, usize> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([place]);
        while let Some(asking) = queue.pop_front() {
            for person in self.places.get(asking).into_iter().flatten() {
                if wanted_by.contains_key(person) {
                    continue;
                }
                match self.of_person.get(person) {
                    Some(holding) if *holding < self.fixed => {}
                    Some(holding) => {
                        wanted_by.insert(person, asking);
                        queue.push_back(*holding);
                    }
                    None => {
                        wanted_by.insert(person, asking);
                        self.shift(person, &wanted_by);
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Moves people along the path that ends in the free `last`, each to the place that wanted them.
    fn shift(&mut self, last: &'a Principal, wanted_by: &BTreeMap<&'a Principal, usize>) {
        let mut person = last;
        while let Some(place) = wanted_by.get(person).copied() {
            let before = self.seat(place, person);
            match before {
                Some(moved) => person = moved,
                None => return,
            }
        }
    }

    /// Puts `person` on `place`, and says who stood there.
    fn seat(&mut self, place: usize, person: &'a Principal) -> Option<&'a Principal> {
        self.of_person.insert(person, place);
        self.of_place.get_mut(place).and_then(|slot| slot.replace(person))
    }

    fn vacate(&mut self, place: usize) {
        if let Some(person) = self.of_place.get_mut(place).and_then(Option::take) {
            self.of_person.remove(person);
        }
    }

    /// Gives `place` the first person with whom as many places are filled as before, and fixes it.
    fn settle(&mut self, place: usize) {
        let filled = self.of_person.len();
        self.fixed = place + 1;
        for person in self.places.get(place).into_iter().flatten() {
            if self.of_place.get(place) == Some(&Some(*person)) {
                return;
            }
            if self.of_person.get(person).is_some_and(|holding| *holding < place) {
                continue;
            }
            let mut other = self.clone();
            if let Some(holding) = other.of_person.get(person).copied() {
                other.vacate(holding);
            }
            other.vacate(place);
            other.seat(place, person);
            // At most one is missing now; one more search finds whether somebody can make up for it.
            let open = (place + 1)..self.places.len();
            let complete = other.of_person.len() >= filled
                || open
                    .into_iter()
                    .any(|open| other.of_place.get(open) == Some(&None) && other.augment(open));
            if complete {
                *self = other;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(index: usize) -> Principal {
        format!("p{index}").parse().unwrap()
    }

    /// Every way to fill the places, the best by count, then by the first place, and so on.
    fn brute<'a>(places: &[BTreeSet<&'a Principal>]) -> Vec<Option<&'a Principal>> {
        fn all<'a>(
            places: &[BTreeSet<&'a Principal>],
            taken: &mut Vec<Option<&'a Principal>>,
            best: &mut Option<Vec<Option<&'a Principal>>>,
        ) {
            let Some(candidates) = places.get(taken.len()) else {
                let filled = |way: &Vec<Option<&Principal>>| way.iter().flatten().count();
                // `all` goes through ways in their order: the first of a size is the best of it.
                if best.as_ref().is_none_or(|best| filled(best) < filled(taken)) {
                    *best = Some(taken.clone());
                }
                return;
            };
            for candidate in candidates.iter().map(|one| Some(*one)).chain([None]) {
                if candidate.is_none() || !taken.contains(&candidate) {
                    taken.push(candidate);
                    all(places, taken, best);
                    taken.pop();
                }
            }
        }
        let mut best = None;
        all(places, &mut Vec::new(), &mut best);
        best.unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn the_first_of_the_largest_matchings_is_found(
            edges in prop::collection::vec(prop::collection::btree_set(0..6usize, 0..5), 0..6)
        ) {
            let people: Vec<Principal> = (0..6).map(person).collect();
            let places: Vec<BTreeSet<&Principal>> =
                edges.iter().map(|place| place.iter().map(|index| &people[*index]).collect()).collect();
            let found = fill_places(&places);
            prop_assert_eq!(&found, &brute(&places));
            prop_assert_eq!(fillable(&places), found.iter().flatten().count());
        }
    }

    #[test]
    fn one_person_fills_one_place() {
        let (ann, bob) = (person(0), person(1));
        assert_eq!(fill_places(&[[&ann].into(), [&ann].into()]), [Some(&ann), None]);
        assert_eq!(fill_places(&[[&ann, &bob].into(), [&ann].into()]), [Some(&bob), Some(&ann)]);
        assert_eq!(fill_places(&[]), []);
    }

    #[test]
    fn many_places_are_filled_in_time() {
        let people: Vec<Principal> = (0..200).map(person).collect();
        let places: Vec<BTreeSet<&Principal>> = (0..200).map(|_| people.iter().collect()).collect();
        assert_eq!(fill_places(&places).iter().flatten().count(), 200);
    }
}
