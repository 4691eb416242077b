//! Segments as they are written.

use super::{COMMIT, ENTRY, FAN, HEAD, Lists, MANY_PARENTS, NONE, hash_of};
use crate::ledger::history::{About, Commit, History, Index, place};

/// The segment of a history's commits from a place on, the first of a link, with the lists of what lies there.
pub(crate) fn encode(history: &History, first: Index, lists: &Lists) -> Vec<u8> {
    let first_link = history.link_that_begins_at(first);
    let all = history.len();
    let mut bodies = Vec::new();
    let mut commits = Vec::with_capacity(place(all - first) * COMMIT);
    let mut ids = Vec::with_capacity(place(all - first));
    for at in first..all {
        let commit = history.commit(at);
        let [hash @ .., _, _, _, _, _, _, _, _, _, _, _, _] = commit.id.0;
        ids.push((hash, at));
        encode_commit(commit, &mut commits, &mut bodies);
    }
    let mut chain = Vec::new();
    for link in (first_link..history.links()).filter_map(|link| history.chain_link_of(link)) {
        put(&mut chain, link.at);
        put(&mut chain, link.stray);
        chain.extend_from_slice(&link.latest.unix().to_le_bytes());
    }
    let mut by_hash = Vec::with_capacity(lists.len());
    for (key, places) in lists {
        by_hash.push((hash_of(key), number(bodies.len())));
        put_text(&mut bodies, key);
        put(&mut bodies, number(places.len()));
        for at in places {
            put(&mut bodies, *at);
        }
    }
    let ids_from = HEAD + commits.len() + chain.len();
    let lists_from = ids_from + FAN + ids.len() * ENTRY;
    let bodies_from = lists_from + FAN + by_hash.len() * ENTRY;
    let mut bytes = Vec::with_capacity(bodies_from + bodies.len());
    for value in [
        first,
        all - first,
        first_link,
        history.links() - first_link,
        number(ids_from),
        number(ids.len()),
        number(lists_from),
        number(by_hash.len()),
        number(bodies_from),
    ] {
        put(&mut bytes, value);
    }
    bytes.extend_from_slice(&history.before_root().to_le_bytes());
    bytes.resize(HEAD, 0);
    bytes.extend_from_slice(&commits);
    bytes.extend_from_slice(&chain);
    put_table(&mut bytes, ids);
    put_table(&mut bytes, by_hash);
    bytes.extend_from_slice(&bodies);
    bytes
}

fn encode_commit(commit: &Commit, commits: &mut Vec<u8>, bodies: &mut Vec<u8>) {
    commits.extend_from_slice(&commit.id.0);
    commits.extend_from_slice(&commit.tree.0);
    commits.extend_from_slice(&commit.date.unix().to_le_bytes());
    put(commits, commit.link);
    let mut flags = u8::from(commit.stray);
    let (one, two) = match commit.parents.as_slice() {
        [] => (NONE, NONE),
        [one] => (*one, NONE),
        [one, two] => (*one, *two),
        many => {
            flags |= MANY_PARENTS;
            let body = number(bodies.len());
            put(bodies, number(many.len()));
            for parent in many {
                put(bodies, *parent);
            }
            (body, NONE)
        }
    };
    put(commits, one);
    put(commits, two);
    let (about, text) = match &commit.about {
        About::Nothing => (0, None),
        About::Policy => (1, None),
        About::Gate(gate) => (2, Some(gate.to_string())),
        About::Log(message) => (3, message.as_ref().map(ToString::to_string)),
    };
    put(commits, text.as_ref().map_or(NONE, |_text| number(bodies.len())));
    if let Some(text) = text {
        put_text(bodies, text.as_bytes());
    }
    commits.extend_from_slice(&[about, flags, 0, 0]);
}

fn put_table(bytes: &mut Vec<u8>, mut entries: Vec<([u8; 8], u32)>) {
    entries.sort_unstable();
    for first in 0..=u8::MAX {
        let end = entries.partition_point(|([byte, ..], _)| *byte <= first);
        put(bytes, number(end));
    }
    for (hash, value) in entries {
        bytes.extend_from_slice(&hash);
        put(bytes, value);
    }
}

/// Segments are far from as large.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn put(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &[u8]) {
    put(bytes, number(text.len()));
    bytes.extend_from_slice(text);
}
