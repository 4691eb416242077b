//! `allowed_signers`: whose a key is.
//!
//! The file as OpenSSH's `ssh-keygen -Y verify` reads it (ssh-keygen(1), ALLOWED SIGNERS), so that git can use it as
//! it stands; where OpenSSH skips a line that it does not understand, the whole file is refused here. A key that the
//! file gives to several principals, or to a pattern, is nobody's: that is no mistake of grammar but a finding.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{SignerEntry, parse_line};
use super::key::PublicKey;
use crate::model::Principal;
use crate::problem::{Place, Problem, Problems};

/// The file, as problems name it.
pub(super) const FILE: &str = "policy/allowed_signers";

/// Largest file that is read, in bytes: several thousand keys.
const LARGEST: usize = 1024 * 1024;

/// Most problems that are collected. A file of nothing but mistakes costs no more than this.
const MOST_PROBLEMS: usize = 1_000;

/// `policy/allowed_signers`, parsed.
#[derive(Debug, Clone)]
pub struct AllowedSigners {
    entries: Vec<SignerEntry>,
    /// Keys by their blob, with where they stand in `entries`.
    keys: BTreeMap<Vec<u8>, (Ownership, Vec<usize>)>,
    /// The same for the keys of authorities.
    authorities: BTreeMap<Vec<u8>, Vec<usize>>,
}

/// Whose the lines say that a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ownership {
    /// One principal's.
    One(Principal),
    /// These principals', and so nobody's.
    Several(BTreeSet<Principal>),
    /// A pattern's, and so nobody's.
    Wildcard,
}

/// What makes a line of the file count for nothing though its grammar is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerFinding {
    /// What.
    pub kind: SignerFindingKind,
    /// On which line, from 1.
    pub line: usize,
    /// What was found, for people.
    pub text: String,
    /// The line itself, for a caret.
    pub place: Place,
}

/// The kinds of [`SignerFinding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignerFindingKind {
    /// A key stands under several principals.
    KeyOfSeveralPrincipals,
    /// A key that is no authority's stands under a pattern.
    WildcardPrincipal,
    /// A key is too weak to count.
    WeakKey,
}

impl AllowedSigners {
    /// Reads the file. All problems are collected, up to a thousand.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        if text.len() > LARGEST {
            return Err(Problems(vec![Problem {
                code: "signers-too-large",
                place: None,
                message: format!("`{FILE}` is larger than 1 MiB"),
                help: Some("remove keys that are no longer in use".to_owned()),
            }]));
        }
        let mut entries = Vec::new();
        let mut problems = Vec::new();
        for (number, line) in (1..).zip(text.split('\n')) {
            match parse_line(number, line) {
                Ok(entry) => entries.extend(entry),
                Err(found) => problems.extend(found),
            }
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
        }
        if problems.is_empty() { Ok(Self::of(entries)) } else { Err(Problems(problems)) }
    }

    fn of(entries: Vec<SignerEntry>) -> Self {
        let mut keys: BTreeMap<Vec<u8>, (Ownership, Vec<usize>)> = BTreeMap::new();
        let mut authorities: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            if entry.is_authority() {
                authorities.entry(entry.key().blob.clone()).or_default().push(at);
                continue;
            }
            let here = Ownership::of(entry);
            keys.entry(entry.key().blob.clone())
                .and_modify(|(ownership, lines)| {
                    *ownership = ownership.and(&here);
                    lines.push(at);
                })
                .or_insert_with(|| (here.clone(), vec![at]));
        }
        Self { entries, keys, authorities }
    }

    /// Every line with a key, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &SignerEntry> {
        self.entries.iter()
    }

    /// Every principal that a line names, patterns aside.
    pub fn principals(&self) -> BTreeSet<&Principal> {
        self.entries.iter().flat_map(SignerEntry::principals).collect()
    }

    /// The lines that give a key, no authority's, to `principal`, whether or not that key can count.
    pub fn keys_of(&self, principal: &Principal) -> impl Iterator<Item = &SignerEntry> {
        self.entries
            .iter()
            .filter(move |entry| !entry.is_authority() && entry.principals().contains(principal))
    }

    /// Whether some line, now or at another time, lets `principal` sign: one with a key that is theirs alone and
    /// strong, or an authority's that covers them.
    pub fn can_sign(&self, principal: &Principal) -> bool {
        self.entries.iter().filter(|entry| entry.key().weakness().is_none()).any(|entry| {
            if entry.is_authority() {
                entry.covers(principal.as_str())
            } else {
                matches!(self.ownership(entry.key()), Some(Ownership::One(owner)) if owner == principal)
            }
        })
    }

    /// What counts for nothing, in the order of the file.
    pub fn findings(&self) -> Vec<SignerFinding> {
        let mut findings = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let key = &entry.key().fingerprint;
            let mut add = |kind, text| {
                findings.push(SignerFinding { kind, line: entry.line(), text, place: entry.place().clone() });
            };
            if let Some(weakness) = entry.key().weakness() {
                add(SignerFindingKind::WeakKey, format!("`{key}` counts for nothing: it is {weakness}"));
            }
            if entry.is_authority() {
                continue;
            }
            if entry.is_pattern() {
                add(
                    SignerFindingKind::WildcardPrincipal,
                    format!("`{key}` counts for nobody: only a `cert-authority` line may have a pattern"),
                );
            }
            let Some((Ownership::Several(owners), lines)) = self.keys.get(&entry.key().blob) else {
                continue;
            };
            // Once for a key, where it first stands.
            if lines.first() == Some(&at) {
                let owners: Vec<String> = owners.iter().map(|owner| format!("`{owner}`")).collect();
                add(
                    SignerFindingKind::KeyOfSeveralPrincipals,
                    format!("`{key}` counts for nobody: it stands under {}", owners.join(", ")),
                );
            }
        }
        findings
    }

    pub(super) fn ownership(&self, key: &PublicKey) -> Option<&Ownership> {
        self.keys.get(&key.blob).map(|(ownership, _)| ownership)
    }

    /// The lines that have `key`, authorities' lines aside.
    pub(super) fn lines_of(&self, key: &PublicKey) -> impl Iterator<Item = &SignerEntry> {
        let lines = self.keys.get(&key.blob).map(|(_, lines)| lines.as_slice()).unwrap_or_default();
        lines.iter().filter_map(|at| self.entries.get(*at))
    }

    /// The `cert-authority` lines that have `key`.
    pub(super) fn authority_lines_of(&self, key: &PublicKey) -> impl Iterator<Item = &SignerEntry> {
        let lines = self.authorities.get(&key.blob).map(Vec::as_slice).unwrap_or_default();
        lines.iter().filter_map(|at| self.entries.get(*at))
    }
}

impl Ownership {
    fn of(entry: &SignerEntry) -> Self {
        let owners: BTreeSet<Principal> = entry.principals().iter().cloned().collect();
        let mut rest = owners.iter();
        match (entry.is_pattern(), rest.next(), rest.next()) {
            (true, _, _) | (false, None, _) => Self::Wildcard,
            (false, Some(owner), None) => Self::One(owner.clone()),
            (false, Some(_), Some(_)) => Self::Several(owners),
        }
    }

    fn and(&self, other: &Self) -> Self {
        let named = |ownership: &Self| match ownership {
            Self::One(owner) => Some(BTreeSet::from([owner.clone()])),
            Self::Several(owners) => Some(owners.clone()),
            Self::Wildcard => None,
        };
        let (Some(mut owners), Some(more)) = (named(self), named(other)) else { return Self::Wildcard };
        if self == other {
            return self.clone();
        }
        owners.extend(more);
        Self::Several(owners)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::public;
    use super::*;

    fn parse(text: &str) -> AllowedSigners {
        AllowedSigners::parse(text).unwrap()
    }

    fn kinds(text: &str) -> Vec<(usize, SignerFindingKind)> {
        parse(text).findings().into_iter().map(|finding| (finding.line, finding.kind)).collect()
    }

    #[test]
    fn findings_name_what_counts_for_nothing_once() {
        use SignerFindingKind::{KeyOfSeveralPrincipals, WeakKey, WildcardPrincipal};
        let (one, two) = (public(1), public(2));
        assert_eq!(kinds(&format!("a@x {one}\nb@x {two}\n*@x cert-authority {one}\n")), []);
        assert_eq!(kinds(&format!("a@x {one}\n\nb@x {one}\nc@x {one}\n")), [(1, KeyOfSeveralPrincipals)]);
        assert_eq!(kinds(&format!("a@x,b@x {one}\n")), [(1, KeyOfSeveralPrincipals)]);
        assert_eq!(kinds(&format!("a@x {two}\na* {one}\n")), [(2, WildcardPrincipal)]);
        let small = "a@x ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAABQD/////\n";
        assert_eq!(kinds(small), [(1, WeakKey)]);
        let finding = parse(small).findings().remove(0);
        assert!(finding.text.contains("32 bits"), "{}", finding.text);
        assert_eq!((finding.place.line, finding.place.column, finding.place.length), (1, 1, 3));
    }

    #[test]
    fn principals_and_their_keys_are_listed() {
        let (one, two, three) = (public(1), public(2), public(3));
        let signers = parse(&format!(
            "b@x,a@x {one} both\na@x {two} hers\n*@y,c@x cert-authority {three}\nd@x {one}\n"
        ));
        let principals: Vec<&str> = signers.principals().into_iter().map(Principal::as_str).collect();
        assert_eq!(principals, ["a@x", "b@x", "d@x"]);
        let a: Principal = "a@x".parse().unwrap();
        assert_eq!(signers.keys_of(&a).map(SignerEntry::comment).collect::<Vec<_>>(), ["both", "hers"]);
        for (principal, can) in [("a@x", true), ("b@x", false), ("c@x", true), ("z@y", true), ("z@z", false)]
        {
            assert_eq!(signers.can_sign(&principal.parse().unwrap()), can, "{principal}");
        }
    }

    #[test]
    fn all_problems_are_told_up_to_a_bound() {
        let problems = AllowedSigners::parse("x\n# fine\ny\n").unwrap_err().0;
        let lines: Vec<usize> = problems.iter().map(|problem| problem.place.as_ref().unwrap().line).collect();
        assert_eq!(lines, [1, 3]);
        assert_eq!(AllowedSigners::parse(&"x\n".repeat(5_000)).unwrap_err().0.len(), MOST_PROBLEMS);
        assert_eq!(
            AllowedSigners::parse(&"\n".repeat(LARGEST + 1)).unwrap_err().0[0].code,
            "signers-too-large"
        );
        assert!(AllowedSigners::parse(&"\n".repeat(LARGEST)).is_ok());
    }

    #[test]
    fn a_line_is_read_up_to_its_bound() {
        let line = format!("a@x {} ", public(1));
        let of_length = |length: usize| format!("{line}{}", "c".repeat(length - line.len()));
        assert!(AllowedSigners::parse(&of_length(16 * 1024)).is_ok());
        let problems = AllowedSigners::parse(&of_length(16 * 1024 + 1)).unwrap_err().0;
        assert_eq!(problems[0].code, "signers-line-too-long");
    }

    #[test]
    fn a_list_that_cannot_be_matched_is_a_problem_and_not_nothing() {
        for list in ["?".repeat(1_000), format!("a@x,{}", "*".repeat(1_000)), "a@x,,b@x".into(), "!".into()] {
            let problems = AllowedSigners::parse(&format!("{list} {}", public(1))).unwrap_err().0;
            assert_eq!(problems[0].code, "signers-principal", "{list}");
        }
    }

    #[test]
    fn a_problem_stands_where_it_is() {
        let key = public(1);
        for (text, column, length) in [
            (format!("a@x,\u{e4}@x,c@x {key}"), 5, 3),
            (format!("\"a@x,\u{e4}@x,c@x\" {key}"), 6, 3),
            (format!("a@x,b@x,\u{e4}@x {key}"), 9, 3),
            (format!("a@x {key} \u{1}"), 5 + key.len() + 1, 1),
            (format!("a@x {key} x\u{85}y"), 5 + key.len() + 2, 1),
        ] {
            let place = AllowedSigners::parse(&text).unwrap_err().0[0].place.clone().unwrap();
            assert_eq!((place.column, place.length), (column, length), "{text}");
        }
    }

    #[test]
    fn times_are_those_of_openssh_and_no_other() {
        let reads = |time: &str| AllowedSigners::parse(&format!("a@x valid-after=\"{time}\" {}", public(1)));
        for good in ["20260601", "20260601Z", "202606011230", "202606011230Z", "20260601123059z", "19700102"]
        {
            assert!(reads(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Z",
            "2026",
            "2026060",
            "202606011",
            "2026060112",
            "20260601123",
            "2026060112305",
            "202606011230591",
            "2026+6+1",
            "2026-6-1",
            "2026 6 1",
            "2026060112+5",
            "20261301",
            "20260631",
            "202606012460",
            "20260601T",
            "20260601ZZ",
            "19700101",
            "00000101",
        ] {
            assert!(reads(bad).is_err(), "{bad}");
        }
    }
}
