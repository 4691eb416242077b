//! Who holds which role, and which kinds of evidence there are.

use std::collections::{BTreeMap, BTreeSet};

use super::{Approval, EvidenceKind, Policy, Role};
use crate::model::{Name, Principal, matching};

/// What holds for a kind of evidence that has no table.
static PLAIN: EvidenceKind = EvidenceKind {
    title: None,
    about_change: false,
    max_age: None,
    attested_by: None,
    formats: None,
    unfinished_allowed: false,
    external_allowed: false,
    in_source_ignored: false,
    min_passed: None,
    metrics: BTreeMap::new(),
};

/// Most places that one list of approvals may ask to be filled: far more than any board has members.
pub const MOST_PLACES: u64 = 256;

impl Policy {
    /// Whether the principal is no person.
    pub fn is_bot(&self, principal: &Principal) -> bool {
        self.bots.contains(principal)
    }

    /// The people in a role, bytewise; bots are none.
    pub fn role_holders(&self, role: &Name) -> impl Iterator<Item = &Principal> {
        let members = self.roles.get(role).into_iter().flat_map(|role| &role.members);
        members.filter(|member| !self.is_bot(member))
    }

    /// Whether the principal, person or bot, is a member of the role.
    pub fn holds(&self, principal: &Principal, role: &Name) -> bool {
        self.roles.get(role).is_some_and(|role| role.members.contains(principal))
    }

    /// The roles of which the principal, person or bot, is a member.
    pub fn roles_of(&self, principal: &Principal) -> impl Iterator<Item = (&Name, &Role)> {
        self.roles.iter().filter(|(_, role)| role.members.contains(principal))
    }

    /// What holds for a kind of evidence: the plain rules where it has no table.
    pub fn evidence_kind(&self, kind: &Name) -> &EvidenceKind {
        self.evidence.get(kind).unwrap_or(&PLAIN)
    }

    /// Whether any criterion compares with what was deployed before.
    pub fn compares(&self) -> bool {
        self.rules.iter().flat_map(|rule| &rule.criteria).any(|criterion| criterion.compare.is_some())
    }

    /// Whether the policy names that kind of evidence, in a table or a rule.
    pub fn names_evidence(&self, kind: &Name) -> bool {
        let in_rule = |rule: &super::Rule| {
            rule.evidence.contains(kind) || rule.criteria.iter().any(|criterion| criterion.evidence == *kind)
        };
        self.evidence.contains_key(kind) || self.rules.iter().any(in_rule)
    }

    /// The places that a list of approvals asks to be filled, in its order, each with who may fill it. Nothing where
    /// they cannot all be filled even if everybody came: an empty list, a count of 0, one that its role cannot reach,
    /// people who would have to stand on two places, or more than [`MOST_PLACES`].
    pub fn fillable_places(&self, approvals: &[Approval]) -> Option<Vec<BTreeSet<&Principal>>> {
        if !self.can_fill(approvals) {
            return None;
        }
        let mut places = Vec::new();
        for approval in approvals {
            let holders: BTreeSet<&Principal> = self.role_holders(&approval.role).collect();
            places.extend((0..approval.count).map(|_| holders.clone()));
        }
        Some(places)
    }

    /// Whether [`Policy::fillable_places`] gives any.
    pub fn can_fill(&self, approvals: &[Approval]) -> bool {
        let total = approvals.iter().try_fold(0u64, |total, approval| total.checked_add(approval.count));
        let Some(total) = total.filter(|total| (1..=MOST_PLACES).contains(total)) else { return false };
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let mut scarce: Vec<BTreeSet<&Principal>> = Vec::new();
        for approval in approvals {
            let holders: BTreeSet<&Principal> = self.role_holders(&approval.role).take(total).collect();
            if approval.count == 0 {
                return false;
            }
            // A role of as many people as there are places can be left to the last, and then has somebody to spare.
            if holders.len() < total {
                scarce.extend((0..approval.count).map(|_| holders.clone()));
            }
        }
        matching::fillable(&scarce) == scarce.len()
    }
}
