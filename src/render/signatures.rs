//! Every signature of a history: how many count, and which do not.

use crate::insight::{Origin, SignatureCheck, Unverified};

use super::judgement;
use super::origin::origin_facts;
use super::page::{Entry, Fact, Page, Section, Tone, Word, counted};

/// The whole of it.
pub(super) fn page(check: &SignatureCheck, origin: &Origin) -> Page {
    let all = check.failing() == 0 && check.unsigned == 0;
    let word = if all { Word::new("verified", Tone::Good) } else { Word::new("in part", Tone::Open) };
    let total = check.verified + check.unsigned + check.failing();
    let mut facts = vec![
        Fact::prose("verified", check.verified.to_string()),
        Fact::prose("unsigned", check.unsigned.to_string()),
    ];
    if !check.codes.is_empty() {
        let codes = check.codes.iter().map(|(code, count)| format!("{} {count}", code.as_str()));
        facts.push(Fact::prose("not", super::page::list(codes)));
    }
    let before = counted(check.before_root, "commit");
    facts.push(Fact::prose("before", format!("{before} up to the trust root, not looked at")));
    let mut told: Vec<Entry> = check.told.iter().map(unverified).collect();
    if left_out(check) > 0 {
        told.push(Entry::sentence(format!("{} more, later ones", left_out(check))));
    }
    let sections = [
        Section::facts("Signatures", facts),
        Section::entries("Do not count", told),
        Section::entries("Notices", judgement::notices(&origin.notices)),
        Section::facts("Judged from", origin_facts(origin)),
    ];
    Page {
        word,
        about: format!("{} of {}", check.verified, counted(total, "commit")),
        lead: Vec::new(),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// How many that do not count are not told one by one.
pub(super) fn left_out(check: &SignatureCheck) -> u64 {
    check.failing().saturating_sub(u64::try_from(check.told.len()).unwrap_or(u64::MAX))
}

fn unverified(one: &Unverified) -> Entry {
    let who = one.principal.as_ref().map(ToString::to_string).unwrap_or_default();
    let entry = Entry::named(one.code.as_str(), one.reason.clone()).prose("key of", who);
    let entry = match &one.key {
        Some(key) => entry.exact("key", key.clone()),
        None => entry,
    };
    entry.prose("signed", one.date.to_string()).exact("commit", one.commit.to_string())
}
