//! `policy.toml` as written → [`Policy`] as meant, with every problem.
//!
//! One file a part of the policy. References to roles, kinds and environments stay names here: one that names what is
//! not there is a finding, not a problem ([`super::findings`]), because a policy that reads but must not come into
//! force and one that does not read are different things (design, sections 6 and 9.4).

mod criteria;
mod environments;
mod evidence;
mod people;
mod rules;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::{Exceptions, Policy, Risk};
use crate::model::{Duration, Glob, Name};
use crate::problem::document::{Document, Kind, Value};
use crate::problem::section::{Codes, MOST_PROBLEMS, Reader, Section, listed};
use crate::problem::{Problem, Problems};
use crate::signature::AllowedSigners;

pub(super) use people::approvals;

/// The `schema` that this program reads.
pub(super) const SCHEMA: i64 = 1;

const GENERAL: Codes = Codes {
    unknown_key: "policy-unknown-key",
    missing_key: "policy-missing-key",
    wrong_type: "policy-wrong-type",
    bad_value: "policy-bad-value",
    repeated: "policy-repeated",
    schema: "policy-schema",
};

/// The risks of the policy while the rest is read, and what named another.
#[derive(Debug)]
struct Risks<'d> {
    document: &'d Document,
    names: Vec<Name>,
    unknown: RefCell<Vec<Problem>>,
}

/// The kinds and risks of `[changes]`.
#[derive(Debug)]
struct Changes {
    kinds: Vec<Name>,
    risks: Vec<Name>,
    infer: BTreeMap<Name, Vec<Glob>>,
}

/// Reads a whole policy; its findings are those that only reading can see.
pub(super) fn check_policy(document: &Document, signers: AllowedSigners) -> Result<Policy, Problems> {
    let reader = Reader::new(document, GENERAL);
    let policy = reader.root(SCHEMA).and_then(|root| policy(document, root, signers));
    reader.end(policy)
}

/// What is wrong with the file alone, where its signers do not read.
pub(super) fn problems(document: &Document) -> Result<(), Problems> {
    let reader = Reader::new(document, GENERAL);
    let nobody = AllowedSigners::parse("");
    let read = reader.root(SCHEMA).and_then(|root| policy(document, root, nobody.ok()?));
    reader.end(read.map(|_whole| ()))
}

/// The `id` and `serial`, whatever the rest says.
pub(super) fn identity_of(document: &Document) -> Option<(String, u64)> {
    let reader = Reader::new(document, GENERAL);
    let entry = |key: &str| document.root().get(key).map(|entry| &entry.value);
    Some((identity(&reader, entry("id")?)?, reader.count(entry("serial")?)?))
}

fn policy(document: &Document, root: Section<'_>, signers: AllowedSigners) -> Option<Policy> {
    let changes = root.required("changes", changes);
    let names = changes.as_ref().map(|changes| changes.risks.clone()).unwrap_or_default();
    let risks = Risks { document, names, unknown: RefCell::default() };
    let id = root.required("id", identity);
    let serial = root.required("serial", Reader::count);
    let bots = root.optional("bots", Reader::set).unwrap_or_default();
    let governance = root.optional("governance", people::governance).unwrap_or_default();
    let mainline_signed_by = root.optional("mainline", people::mainline);
    let roles = root.required("roles", |reader, value| reader.entries(value, people::role));
    let systems = root.optional("systems", |reader, value| {
        reader.entries(value, |reader, value| environments::system(reader, value, &risks))
    });
    let environments =
        root.optional("environments", |reader, value| reader.entries(value, environments::environment));
    let evidence = root.optional("evidence", |reader, value| reader.entries(value, evidence::kind));
    let approvals_max_age = root.optional("approvals", approval_age);
    let rejection_reasons = root.optional("rejections", people::rejection_reasons).unwrap_or_default();
    let written = root
        .optional("rule", |reader, value| {
            reader.list(value, |reader, value| rules::rule(reader, value, &risks))
        })
        .unwrap_or_default();
    let exceptions = root.optional("exceptions", exceptions).unwrap_or_default();
    let freezes = root.optional("freeze", |reader, value| {
        reader.list(value, |reader, value| rules::freeze(reader, value, &risks))
    });
    let revoked = root.optional("revoked", |reader, value| reader.list(value, people::revocation));
    let reader = root.reader();
    root.finish();

    let freezes = freezes.unwrap_or_default();
    if reader.is_clean() {
        rules::same_name_says_the_same(reader, &written);
        rules::freezes_have_names_of_their_own(reader, &freezes);
    }
    let changes = changes?;
    Some(Policy {
        id: id?,
        serial: serial?,
        bots,
        governance,
        mainline_signed_by,
        roles: roles?,
        kinds: changes.kinds,
        risks: changes.risks,
        infer: changes.infer,
        systems: systems.unwrap_or_default(),
        environments: environments.unwrap_or_default(),
        evidence: evidence.unwrap_or_default(),
        approvals_max_age,
        rejection_reasons,
        rules: written,
        exceptions,
        freezes,
        revoked: revoked.unwrap_or_default(),
        signers,
        findings: risks.unknown.into_inner(),
        places: document.clone(),
    })
}

/// An `id`: a line of printable ASCII, so that it reads and compares the same everywhere.
fn identity<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<String> {
    let text = reader.text(value)?;
    let fine = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fine {
        return Some(text.to_owned());
    }
    reader.bad(&value.span, "this cannot be an id", "1 to 128 printable ASCII characters, no blanks")
}

fn changes<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Changes> {
    let section = reader.section(value)?;
    let kinds = section.required("kinds", at_least_one);
    let risks = section.required("risks", at_least_one);
    let infer = section.optional("infer", |reader, value| reader.entries(value, globs));
    section.finish();
    Some(Changes { kinds: kinds?, risks: risks?, infer: infer.unwrap_or_default() })
}

fn at_least_one<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Vec<Name>> {
    if matches!(&value.kind, Kind::Array(values) if values.is_empty()) {
        return reader.bad(&value.span, "an empty list", "name at least one");
    }
    reader.words(value)
}

/// A list of globs, none empty.
fn globs<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Vec<Glob>> {
    reader.list(value, |reader, value| {
        let text = reader.text(value)?;
        if text.is_empty() || text.len() > 256 {
            return reader.bad(&value.span, "this cannot be a pattern", "1 to 256 bytes; `*` is any run");
        }
        Some(Glob::new(text))
    })
}

/// `[approvals] max_age`. Without one, approvals do not age.
fn approval_age<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Duration> {
    let section = reader.section(value)?;
    let max_age = section.optional("max_age", Reader::word);
    section.finish();
    max_age
}

fn exceptions<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Exceptions> {
    let section = reader.section(value)?;
    let approvals = section.optional("approvals", approvals).unwrap_or_default();
    let max_duration = section.optional("max_duration", Reader::word);
    let break_glass_review = section.optional("break_glass_review", Reader::word);
    section.finish();
    Some(Exceptions { approvals, max_duration, break_glass_review })
}

impl Risks<'_> {
    /// The risk of that name. One that the policy does not have is a finding, and nothing here.
    fn find(&self, name: &Name, span: Range<usize>) -> Option<Risk> {
        let found = self.names.iter().position(|known| known == name).map(Risk);
        let full = self.unknown.borrow().len() >= MOST_PROBLEMS;
        if found.is_none() && !full {
            self.unknown.borrow_mut().push(Problem {
                code: "policy-unknown-risk",
                place: Some(self.document.place(span)),
                message: format!("unknown risk `{name}`"),
                help: Some(format!("risks in this file: {}", listed(self.names.iter().map(Name::as_str)))),
            });
        }
        found
    }
}
