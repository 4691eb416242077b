//! Fills a list of asked approvals with people: each at most once over the whole list (design, section 8).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Name, Principal, matching};
use crate::policy::Approval;

/// How many people are asked for in each role. A count of 0 asks for one: nothing is filled by nobody.
pub(super) type Asked = BTreeMap<Name, u64>;

/// Who may fill a place in each role.
pub(super) type People = BTreeMap<Name, BTreeSet<Principal>>;

/// The list as numbers a role; of several for one role the highest.
pub(super) fn asked(approvals: &[Approval]) -> Asked {
    let mut asked = Asked::new();
    for approval in approvals {
        let count = asked.entry(approval.role.clone()).or_insert(1);
        *count = approval.count.max(*count);
    }
    asked
}

/// Who fills the places of each role that is asked for, roles in bytewise order.
pub(super) fn fill(asked: &Asked, people: &People) -> People {
    let mut roles = Vec::new();
    let mut places: Vec<BTreeSet<&Principal>> = Vec::new();
    for (role, count) in asked {
        let Some(candidates) = people.get(role) else { continue };
        // No more places than people who could fill them: which are filled stays the same, and time is bounded.
        let count = usize::try_from(*count).unwrap_or(usize::MAX).min(candidates.len());
        for _ in 0..count {
            roles.push(role);
            places.push(candidates.iter().collect());
        }
    }
    let mut filled: People = asked.keys().map(|role| (role.clone(), BTreeSet::new())).collect();
    for (role, person) in roles.into_iter().zip(matching::fill_places(&places)) {
        filled.entry(role.clone()).or_default().extend(person.cloned());
    }
    filled
}

/// How many places of `role` are filled.
pub(super) fn filled_in(filled: &People, role: &Name) -> u64 {
    filled.get(role).map_or(0, |people| u64::try_from(people.len()).unwrap_or(u64::MAX))
}

/// The roles of which places are open, with how many. A list that asks for nobody is never filled: see the callers.
pub(super) fn open(asked: &Asked, filled: &People) -> BTreeMap<Name, u64> {
    let left = |(role, count): (&Name, &u64)| {
        let open = count.saturating_sub(filled_in(filled, role));
        (open > 0).then(|| (role.clone(), open))
    };
    asked.iter().filter_map(left).collect()
}
