//! Every policy that was in force before.

use crate::ledger::View;
use crate::model::{ContentDigest, ObjectId, Time};
use crate::policy::diff::diff;

use super::Judge;

/// A policy that has been in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyMoment {
    /// Its serial.
    pub serial: u64,
    /// Its content digest.
    pub digest: ContentDigest,
    /// The mainline commit at which it came into force.
    pub commit: ObjectId,
    /// The recorded time of that commit.
    pub since: Time,
    /// What it changed in the one before it, each with what that means; empty: it was the first.
    pub changes: Vec<String>,
}

impl Judge<'_> {
    /// Every policy that has been in force up to a view, the first one first.
    pub fn policy_moments(&self, view: View) -> Vec<PolicyMoment> {
        let policies = self.ledger().policies(view);
        let mut moments: Vec<PolicyMoment> = Vec::new();
        let mut before = None;
        for (in_force, since) in &policies {
            let differences = before.map(|before| diff(before, &in_force.policy)).unwrap_or_default();
            let changes = differences
                .iter()
                .map(|found| format!("{}: {}; {}", found.meaning.as_str(), found.part, found.words));
            moments.push(PolicyMoment {
                serial: in_force.policy.serial,
                digest: in_force.digest,
                commit: in_force.commit,
                since: *since,
                changes: changes.collect(),
            });
            before = Some(&in_force.policy);
        }
        moments
    }
}
