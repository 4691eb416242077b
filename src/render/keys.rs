//! Every key of a policy: whose it is, in which roles, how long it is valid, since when it is revoked.

use crate::insight::Origin;
use crate::policy::{Policy, Revocation};
use crate::signature::SignerEntry;

use super::origin::policy_facts;
use super::page::{Entry, Page, Section, Tone, Word, counted, list};
use super::policy::{key_principals, since_words};

/// The keys of the policy in force.
pub(super) fn keys_page(policy: &Policy, origin: &Origin) -> Page {
    let entries: Vec<Entry> = policy.signers.entries().map(|entry| key_entry(policy, entry)).collect();
    let gone = gone(policy).map(|revocation| {
        Entry::named(revocation.key.as_str(), "no line of `allowed_signers` has it any more")
            .word("revoked", Tone::Bad)
            .prose("since", since_words(revocation.since))
            .prose("reason", revocation.reason.clone())
    });
    let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let sections = [
        Section::entries("Keys", entries),
        Section::entries("Revoked, and taken out", gone.collect()),
        Section::facts("In force", policy_facts(&origin.policy)),
    ];
    Page {
        word: Word::new("keys", Tone::Plain),
        about: format!("{}, {}", policy.id, counted(count, "key")),
        lead: Vec::new(),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn key_entry(policy: &Policy, entry: &SignerEntry) -> Entry {
    let what = if entry.is_authority() {
        format!("{} (certificate authority)", entry.key_description())
    } else if is_hardware(entry) {
        format!("{} (hardware)", entry.key_description())
    } else {
        entry.key_description()
    };
    let shown = Entry::named(list(key_principals(entry)), what);
    let shown = match revocation(policy, entry) {
        Some(revocation) => shown
            .word("revoked", Tone::Bad)
            .prose("since", since_words(revocation.since))
            .prose("reason", revocation.reason.clone()),
        None => shown,
    };
    let moment = |time: Option<crate::model::Time>| time.map(|time| time.to_string()).unwrap_or_default();
    let roles = roles(policy, entry);
    shown
        .exact("key", entry.fingerprint().as_str())
        .prose("roles", if roles.is_empty() { "none".to_owned() } else { list(roles) })
        .prose("from", moment(entry.valid_after()))
        .prose("until", moment(entry.valid_before()))
        .prose("comment", entry.comment())
}

/// The roles of those whose key it is.
pub(super) fn roles(policy: &Policy, entry: &SignerEntry) -> Vec<String> {
    let held = entry.principals().iter().flat_map(|principal| policy.roles_of(principal));
    let mut roles: Vec<String> = held.map(|(name, _role)| name.to_string()).collect();
    roles.sort();
    roles.dedup();
    roles
}

/// Whether the key lives in a token.
pub(super) fn is_hardware(entry: &SignerEntry) -> bool {
    entry.key_description().ends_with("-SK")
}

/// What the policy says against the key.
pub(super) fn revocation<'p>(policy: &'p Policy, entry: &SignerEntry) -> Option<&'p Revocation> {
    policy.revoked.iter().find(|revocation| revocation.key == entry.fingerprint().as_str())
}

/// Revocations of keys that no line has.
pub(super) fn gone(policy: &Policy) -> impl Iterator<Item = &Revocation> {
    policy.revoked.iter().filter(|revocation| {
        !policy.signers.entries().any(|entry| entry.fingerprint().as_str() == revocation.key)
    })
}
