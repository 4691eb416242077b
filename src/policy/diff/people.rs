//! Who may do what, and with which keys.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::Bound;
use super::{Found, Meaning};
use crate::model::{Name, Principal, Time};
use crate::policy::{Approval, KeyRequirement, Policy, Since};
use crate::signature::SignerEntry;

pub(super) fn people(found: &mut Found, old: &Policy, new: &Policy) {
    found.set("bots", "bot", (&old.bots, &new.bots), Meaning::Tighter);
    approvals(found, "[governance]", &old.governance, &new.governance);
    mainline(found, old, new);
    for (name, role) in &new.roles {
        let part = format!("role `{name}`");
        let Some(before) = old.roles.get(name) else {
            // By itself it permits nothing: what names it is a difference of its own.
            found.add(&part, Meaning::Neutral, "the role is new");
            continue;
        };
        found.set(&part, "member", (&before.members, &role.members), Meaning::Looser);
        if before.keys != role.keys {
            let meaning = if role.keys > before.keys { Meaning::Tighter } else { Meaning::Looser };
            found.add(&part, meaning, format!("keys {} → {}", keys_word(before.keys), keys_word(role.keys)));
        }
        found.neutral(&part, "its title", &before.title, &role.title);
    }
    for name in old.roles.keys().filter(|name| !new.roles.contains_key(*name)) {
        found.add(&format!("role `{name}`"), Meaning::Neutral, "the role is gone");
    }
}

/// Lists of approvals, of which an empty one is never filled.
pub(super) fn approvals(found: &mut Found, part: &str, old: &[Approval], new: &[Approval]) {
    match (old.is_empty(), new.is_empty()) {
        (true, true) => return,
        (true, false) => return found.add(part, Meaning::Looser, "the list was empty: nobody could fill it"),
        (false, true) => {
            return found.add(part, Meaning::Tighter, "the list is empty now: nobody can fill it");
        }
        (false, false) => {}
    }
    asked(found, part, old, new);
}

/// Approvals that are asked for: more of them, or by more people, is tighter.
pub(super) fn asked(found: &mut Found, part: &str, old: &[Approval], new: &[Approval]) {
    let (old, new) = (counts(old), counts(new));
    let roles: BTreeSet<&Name> = old.keys().chain(new.keys()).copied().collect();
    for role in roles {
        let what = format!("approvals by `{role}`:");
        found.bound(part, &what, (old.get(role), new.get(role)), Bound::Least);
    }
}

/// Of one role named twice, the highest count holds.
fn counts(approvals: &[Approval]) -> BTreeMap<&Name, u64> {
    let mut counts = BTreeMap::new();
    for Approval { role, count } in approvals {
        let most: &mut u64 = counts.entry(role).or_default();
        *most = (*most).max(*count);
    }
    counts
}

fn mainline(found: &mut Found, old: &Policy, new: &Policy) {
    one_of(found, "[mainline]", "signer", old.mainline_signed_by.as_ref(), new.mainline_signed_by.as_ref());
}

/// Any one of a list must be; without a list nothing must.
pub(super) fn one_of(
    found: &mut Found,
    part: &str,
    what: &str,
    old: Option<&BTreeSet<Name>>,
    new: Option<&BTreeSet<Name>>,
) {
    match (old, new) {
        (None, None) => {}
        (None, Some(_)) => found.add(part, Meaning::Tighter, format!("a {what} is asked for now")),
        (Some(_), None) => found.add(part, Meaning::Looser, format!("a {what} was asked for")),
        (Some(old), Some(new)) => found.set(part, what, (old, new), Meaning::Looser),
    }
}

pub(super) fn revoked(found: &mut Found, old: &Policy, new: &Policy) {
    let since = |policy: &Policy| -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for revocation in &policy.revoked {
            let since = match revocation.since {
                Since::Commit(commit) => commit.to_string(),
                Since::NeverTrusted => NEVER.to_owned(),
            };
            keys.entry(revocation.key.clone()).or_default().insert(since);
        }
        keys
    };
    let (before, after) = (since(old), since(new));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let part = format!("revoked `{key}`");
        let never = |since: &BTreeSet<String>| since.contains(NEVER);
        match (before.get(key), after.get(key)) {
            (None, Some(_)) => found.add(&part, Meaning::Tighter, "the key is revoked now"),
            (Some(_), None) => found.add(&part, Meaning::Looser, "the key was revoked"),
            (Some(old), Some(new)) if old != new => match (never(old), never(new)) {
                (false, true) => found.add(&part, Meaning::Tighter, "never trusted now"),
                (true, false) => found.add(&part, Meaning::Looser, "never trusted before"),
                (true, true) => {}
                // Which of two commits is the earlier is for the history to say.
                (false, false) => found.add(&part, Meaning::Different, "since another commit"),
            },
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

const NEVER: &str = "never-trusted";

pub(super) fn keys(found: &mut Found, old: &Policy, new: &Policy) {
    let (before, after) = (lines(old), lines(new));
    let all: BTreeSet<&Line> = before.keys().chain(after.keys()).collect();
    for line in all {
        let (key, whose, authority) = line;
        let what = if *authority { "authority" } else { "key" };
        let part = format!("{what} `{key}`");
        match (before.get(line), after.get(line)) {
            (None, Some(_)) => found.add(&part, Meaning::Looser, format!("it counts for {whose} now")),
            (Some(_), None) => found.add(&part, Meaning::Tighter, format!("it counted for {whose}")),
            (Some(old), Some(new)) => window(found, &part, old, new),
            (None, None) => {}
        }
    }
}

type Line = (String, String, bool);

fn lines(policy: &Policy) -> BTreeMap<Line, &SignerEntry> {
    let line = |entry: &SignerEntry| {
        let place = entry.place();
        let whose: String = if entry.principals().is_empty() {
            place.text.chars().skip(place.column.saturating_sub(1)).take(place.length).collect()
        } else {
            entry.principals().iter().map(Principal::as_str).collect::<Vec<_>>().join(", ")
        };
        (entry.fingerprint().to_string(), whose, entry.is_authority())
    };
    policy.signers.entries().map(|entry| (line(entry), entry)).collect()
}

fn window(found: &mut Found, part: &str, old: &SignerEntry, new: &SignerEntry) {
    let after: (Option<Time>, Option<Time>) = (old.valid_after(), new.valid_after());
    let before: (Option<Time>, Option<Time>) = (old.valid_before(), new.valid_before());
    found.bound(part, "valid from", (after.0.as_ref(), after.1.as_ref()), Bound::Least);
    found.bound(part, "valid until", (before.0.as_ref(), before.1.as_ref()), Bound::Most);
    let same_window = after.0 == after.1 && before.0 == before.1;
    let text = |entry: &SignerEntry| entry.place().text.trim_end_matches(entry.comment()).trim().to_owned();
    if same_window && text(old) != text(new) {
        found.add(part, Meaning::Different, "its options have changed");
    } else {
        found.neutral(part, "its comment", &old.comment(), &new.comment());
    }
}

fn keys_word(keys: KeyRequirement) -> &'static str {
    match keys {
        KeyRequirement::Any => "any",
        KeyRequirement::Hardware => "hardware",
        KeyRequirement::HardwareVerified => "hardware-verified",
    }
}
