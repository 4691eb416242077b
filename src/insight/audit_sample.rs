//! Draws a sample of deployments for an auditor's papers: the same for everybody who knows the seed.
//!
//! Stratified by risk, the highest first: each stratum that has deployments gives at least one, as long as there are
//! places, and beyond that in proportion to its size (largest remainder). In a stratum, deployments are drawn in the
//! order of the SHA-256 of `<seed>:<log commit>`, which `printf` and `sha256sum` compute as well.

use std::collections::BTreeMap;

use crate::model::{ContentDigest, Name, ObjectId};

use super::audit::Audit;

/// The method, as it is told in the output.
pub const METHOD: &str = "by risk, highest first: one each, then in proportion (largest remainder); within a risk by the \
                          SHA-256 of `<seed>:<log commit>`, smallest first";

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// How many were asked for.
    pub size: u64,
    /// The seed.
    pub seed: String,
    /// The strata, the highest risk first.
    pub strata: Vec<Stratum>,
}

/// The deployments of one risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stratum {
    /// The risk as it was judged then; nothing: it cannot be told.
    pub risk: Option<Name>,
    /// How many deployments it has.
    pub population: u64,
    /// Those that were drawn, in the order of drawing.
    pub drawn: Vec<ObjectId>,
}

impl Audit {
    /// Draws `size` of the deployments that are shown. `risks` is ascending; what it does not name comes after, and what has
    /// no risk comes first of all: of it the least is known.
    pub fn draw(&mut self, size: u64, seed: &str, risks: &[Name]) {
        let rank = |risk: &Option<Name>| match risk {
            None => 0,
            Some(risk) => risks.iter().rev().position(|known| known == risk).unwrap_or(risks.len()) + 1,
        };
        let mut strata: BTreeMap<(usize, Option<Name>), Vec<ObjectId>> = BTreeMap::new();
        for deployment in &self.deployments {
            let change = deployment.then.as_ref().and_then(|then| then.change.as_ref());
            let risk = change.map(|change| change.risk.clone());
            strata.entry((rank(&risk), risk)).or_default().push(deployment.record.commit);
        }
        let sizes: Vec<u64> =
            strata.values().map(|all| u64::try_from(all.len()).unwrap_or(u64::MAX)).collect();
        let shares = allocate(&sizes, size);
        let strata = strata.into_iter().zip(shares).map(|(((_, risk), mut all), share)| {
            let population = u64::try_from(all.len()).unwrap_or(u64::MAX);
            all.sort_by_key(|commit| ContentDigest::of_bytes(format!("{seed}:{commit}").as_bytes()).0);
            all.truncate(usize::try_from(share).unwrap_or(usize::MAX));
            Stratum { risk, population, drawn: all }
        });
        self.sample = Some(Sample { size, seed: seed.to_owned(), strata: strata.collect() });
    }
}

impl Sample {
    /// Whether a deployment was drawn.
    pub fn holds(&self, record: ObjectId) -> bool {
        self.strata.iter().any(|stratum| stratum.drawn.contains(&record))
    }
}

/// How many of each stratum, of `size` in all.
fn allocate(sizes: &[u64], size: u64) -> Vec<u64> {
    let total: u64 = sizes.iter().sum();
    if size >= total {
        return sizes.to_vec();
    }
    let mut shares: Vec<u64> = Vec::new();
    let mut left = size;
    for _stratum in sizes {
        let one = u64::from(left > 0);
        shares.push(one);
        left -= one;
    }
    // What is left, in proportion to what each stratum has besides its one.
    let rest: Vec<u64> = sizes.iter().zip(&shares).map(|(all, one)| all - one).collect();
    let rest_total: u128 = rest.iter().map(|many| u128::from(*many)).sum();
    if left == 0 || rest_total == 0 {
        return shares;
    }
    let mut remainders: Vec<(u128, usize)> = Vec::new();
    let mut given = 0;
    for (place, many) in rest.iter().enumerate() {
        let product = u128::from(*many) * u128::from(left);
        let whole = u64::try_from(product / rest_total).unwrap_or(u64::MAX);
        if let Some(share) = shares.get_mut(place) {
            *share += whole;
        }
        given += whole;
        remainders.push((product % rest_total, place));
    }
    remainders.sort_by(|(one, first), (other, second)| other.cmp(one).then(first.cmp(second)));
    let over = usize::try_from(left.saturating_sub(given)).unwrap_or_default();
    for (_, place) in remainders.into_iter().take(over) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stratum_gives_one_and_the_rest_is_in_proportion() {
        for (sizes, size, expected) in [
            (vec![], 3, vec![]),
            (vec![2, 3], 10, vec![2, 3]),
            (vec![1, 10, 89], 10, vec![1, 2, 7]),
            (vec![5, 5, 5], 2, vec![1, 1, 0]),
            (vec![1, 1, 100], 3, vec![1, 1, 1]),
            (vec![1, 1, 100], 5, vec![1, 1, 3]),
            (vec![50, 50], 5, vec![3, 2]),
            (vec![4, 6], 0, vec![0, 0]),
        ] {
            assert_eq!(allocate(&sizes, size), expected, "{sizes:?} {size}");
        }
    }

    #[test]
    fn no_sample_is_larger_than_asked_or_than_there_is() {
        for size in 0..60 {
            for sizes in [vec![1, 2, 30], vec![7, 7, 7], vec![20], vec![1, 1, 1, 1, 40]] {
                let shares = allocate(&sizes, size);
                assert_eq!(shares.iter().sum::<u64>(), size.min(sizes.iter().sum()), "{sizes:?} {size}");
                assert!(shares.iter().zip(&sizes).all(|(share, all)| share <= all), "{sizes:?} {size}");
            }
        }
    }
}
