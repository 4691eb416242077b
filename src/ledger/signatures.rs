//! Every signature since the trust root, verified: for auditors, not for verdicts, which verify what they rest on.
//!
//! On all cores, a stretch of history at a time; what is found is put together in recorded order, so that it does not depend
//! on who found it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::git::{GitError, Repository};
use crate::model::{Code, ObjectId, Principal, Time};
use crate::policy::Policy;

use super::history::place;
use super::reading::twins;
use super::signing::{Revocations, Signed};
use super::{Ledger, Undecided};

/// So many signatures that do not count are told one by one.
pub const MOST_TOLD: usize = 1000;

/// So many commits are taken at once.
const STRETCH: usize = if cfg!(debug_assertions) { 4 } else { 256 };

/// What verifying every signature found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignatureCheck {
    /// Signatures that count.
    pub verified: u64,
    /// Commits without one.
    pub unsigned: u64,
    /// Signatures that do not count, by the first code that applies.
    pub codes: BTreeMap<Code, u64>,
    /// The first of these in recorded order.
    pub told: Vec<Unverified>,
    /// Commits at or before the trust root: not looked at.
    pub before_root: u64,
}

/// A signature that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    /// Whose commit.
    pub commit: ObjectId,
    /// Why not.
    pub code: Code,
    /// The same in words.
    pub reason: String,
    /// The one principal whose key it is, where it is somebody's.
    pub principal: Option<Principal>,
    /// The key's fingerprint, where the mathematics hold.
    pub key: Option<String>,
    /// The commit's own date.
    pub date: Time,
}

/// When a link was recorded, and under what its signatures are judged.
struct Moment {
    policy: Arc<Policy>,
    recorded: Time,
    step: Option<u32>,
}

impl SignatureCheck {
    /// Signatures that do not count: how many.
    pub fn failing(&self) -> u64 {
        self.codes.values().sum()
    }

    /// Adds what was found behind it.
    fn add(&mut self, behind: Self) {
        self.verified += behind.verified;
        self.unsigned += behind.unsigned;
        for (code, count) in behind.codes {
            *self.codes.entry(code).or_default() += count;
        }
        let room = MOST_TOLD.saturating_sub(self.told.len());
        self.told.extend(behind.told.into_iter().take(room));
    }
}

impl Ledger {
    /// Verifies the signature of every commit that the mainline brought in since the trust root, each as recording judged it and
    /// with what today's `[[revoked]]` takes back.
    pub fn check_signatures(&self) -> Result<SignatureCheck, Undecided> {
        let first = self.history.chain_at(0).unwrap_or_default() + 1;
        let moments = self.moments_of_links();
        let commits: Vec<(ObjectId, Time, u32)> = (first..self.history.len())
            .map(|at| self.history.commit(at))
            .map(|commit| (commit.id, commit.date, commit.link))
            .collect();
        let stretches: Vec<_> = commits.chunks(STRETCH).collect();
        let (next, ended) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let revocations = &self.revocations;
        let read = |repository: &Repository| {
            let mut found = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(stretch) = stretches.get(number) else { return found };
                if number > ended.load(Ordering::Relaxed) {
                    return found;
                }
                let checked = check_stretch(repository, stretch, &moments, revocations);
                // Those before it were taken before it, and are ended: so the first that fails is always the same.
                if checked.is_err() {
                    ended.fetch_min(number, Ordering::Relaxed);
                }
                found.push((number, checked));
            }
        };
        let twins = if stretches.len() > 1 { twins(&self.repository)? } else { Vec::new() };
        let mut parts = thread::scope(|scope| {
            let others: Vec<_> = twins.iter().map(|twin| scope.spawn(|| read(twin))).collect();
            let mine = read(&self.repository);
            std::iter::once(Ok(mine))
                .chain(others.into_iter().map(thread::ScopedJoinHandle::join))
                .collect::<Result<Vec<_>, _>>()
                .map(|parts| parts.into_iter().flatten().collect::<Vec<_>>())
                .map_err(|_panicked| Undecided::new("git-library", "a reader failed", "try again"))
        })?;
        parts.sort_by_key(|(number, _)| *number);
        let mut all = SignatureCheck { before_root: u64::from(first), ..SignatureCheck::default() };
        for (_, checked) in parts {
            all.add(checked?);
        }
        Ok(all)
    }

    /// By link, as [`Ledger::recording`] says of each.
    fn moments_of_links(&self) -> Vec<Moment> {
        let last = self.now().step;
        let mut step = None;
        let mut moments: Vec<Moment> = (0..self.history.links())
            .rev()
            .map(|link| {
                if link <= last && self.chronicle.is_step(link) {
                    step = Some(link);
                }
                let at = step.unwrap_or(link);
                let policy = Arc::clone(self.chronicle.epoch_at(at).policy());
                Moment { policy, recorded: self.recorded_at_link(at), step }
            })
            .collect();
        moments.reverse();
        moments
    }
}

fn check_stretch(
    repository: &Repository,
    stretch: &[(ObjectId, Time, u32)],
    moments: &[Moment],
    revocations: &Revocations,
) -> Result<SignatureCheck, GitError> {
    let (mut found, keys) = (SignatureCheck::default(), Rc::default());
    for (commit, date, link) in stretch {
        let Some(moment) = moments.get(place(*link)) else { continue };
        let signed = Signed::read(*commit, &repository.read_commit(*commit)?, &keys)?;
        let mut signer = signed.signer(&moment.policy, &[moment.recorded, *date]);
        revocations.apply(&signed, moment.step, &mut signer);
        match signer.counting() {
            Ok(_principal) => found.verified += 1,
            Err((Code::Unsigned, _reason)) => found.unsigned += 1,
            Err((code, reason)) => {
                *found.codes.entry(code).or_default() += 1;
                if found.told.len() < MOST_TOLD {
                    let (principal, key) = (signer.owner.clone(), signer.key.clone());
                    found.told.push(Unverified {
                        commit: *commit,
                        code,
                        reason,
                        principal,
                        key,
                        date: *date,
                    });
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_told() {
        let one = |number: u32| {
            let mut id = [0; 20];
            id[..4].copy_from_slice(&number.to_be_bytes());
            let (commit, date) = (ObjectId(id), Time::from_unix(0).unwrap());
            let reason = "nobody's key".to_owned();
            Unverified { commit, code: Code::UnknownKey, reason, principal: None, key: None, date }
        };
        let mut all = SignatureCheck::default();
        for stretch in 0..6 {
            let told: Vec<_> = (0..400).map(|number| one(stretch * 400 + number)).collect();
            all.add(SignatureCheck {
                verified: 2,
                unsigned: 1,
                codes: [(Code::UnknownKey, 400), (Code::WeakKey, 1)].into(),
                told,
                before_root: 0,
            });
        }
        assert_eq!((all.verified, all.unsigned, all.failing()), (12, 6, 2406));
        assert_eq!(all.codes[&Code::UnknownKey], 2400);
        let first: Vec<_> = (0..1000).map(one).collect();
        assert_eq!(all.told, first);
    }
}
