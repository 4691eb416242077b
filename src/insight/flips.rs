//! Two verdicts on the same gate, under two policies: whether the word is another, and which lines of the checklist are.

use std::collections::{BTreeMap, BTreeSet};

use crate::verdict::{Status, Verdict};

/// A line of the checklist under both policies; nothing: it is not on that checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// The requirement.
    pub id: String,
    /// Under the policy in force.
    pub before: Option<Status>,
    /// Under the other.
    pub after: Option<Status>,
}

/// Whether a verdict becomes another word. That it rests on another basis is no flip.
pub fn flips(before: &Verdict, after: &Verdict) -> bool {
    before.outcome.as_str() != after.outcome.as_str()
}

/// The lines of the checklist that differ.
pub fn status_changes(before: &Verdict, after: &Verdict) -> Vec<StatusChange> {
    let statuses = |verdict: &Verdict| -> BTreeMap<String, Status> {
        verdict.requirements.iter().map(|line| (line.id.to_string(), line.status)).collect()
    };
    let (before, after) = (statuses(before), statuses(after));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = ids.into_iter().filter(|id| before.get(*id) != after.get(*id));
    changed
        .map(|id| StatusChange {
            id: id.clone(),
            before: before.get(id).copied(),
            after: after.get(id).copied(),
        })
        .collect()
}
