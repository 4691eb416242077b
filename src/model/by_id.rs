//! Tables by object id: of a history there are hundreds of thousands of entries.
//!
//! An id is a hash already, so two words of it are mixed with a key that is drawn anew for each table, and nothing more. The
//! key keeps whoever chooses ids from choosing where they lie.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::ObjectId;

/// What is known of objects, by their id.
pub type IdMap<V> = HashMap<ObjectId, V, ById>;

/// Makes hashers of one table.
#[derive(Debug, Clone)]
pub struct ById([u64; 2]);

/// Hashes one id.
#[derive(Debug, Clone)]
pub struct IdHasher {
    key: [u64; 2],
    mixed: u64,
}

impl Default for ById {
    fn default() -> Self {
        let drawn = RandomState::new();
        Self([drawn.hash_one(0_u8), drawn.hash_one(1_u8)])
    }
}

impl BuildHasher for ById {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher { key: self.0, mixed: 0 }
    }
}

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.mixed
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, _rest) = bytes.as_chunks::<8>();
        let [one, other, ..] = words else { return };
        let [key, another] = self.key;
        let one = u64::from_le_bytes(*one) ^ key ^ self.mixed;
        let other = u64::from_le_bytes(*other) ^ another;
        let product = (u128::from(one) * u128::from(other)).to_le_bytes();
        let (halves, _rest) = product.as_chunks::<8>();
        self.mixed = halves.iter().fold(0, |mixed, half| mixed ^ u64::from_le_bytes(*half));
    }

    /// How long an id is tells none from another.
    fn write_usize(&mut self, _length: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_almost_alike_lie_apart_and_are_found() {
        let mut table = IdMap::default();
        let ids: Vec<ObjectId> = (0..=u8::MAX)
            .flat_map(|byte| {
                (0..20).map(move |place| {
                    let mut id = [0x5a; 20];
                    id[place] ^= byte;
                    ObjectId(id)
                })
            })
            .collect();
        for (number, id) in ids.iter().enumerate() {
            table.insert(*id, number);
        }
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(table.len(), different.len());
        for id in &ids {
            assert_eq!(ids[table[id]], *id);
        }
    }
}
