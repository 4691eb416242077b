//! Rules and freezes: when they apply, and what a rule asks.

use std::collections::{BTreeMap, BTreeSet};

use super::{Risks, approvals, criteria, globs};
use crate::model::Name;
use crate::policy::{Criterion, Freeze, Rule, When};
use crate::problem::document::{Kind, Step, Value};
use crate::problem::section::{Reader, Section};

pub(super) fn rule<'r>(reader: &'r Reader<'r>, value: &'r Value, risks: &Risks<'_>) -> Option<Rule> {
    let section = reader.section(value)?;
    let name = section.required("name", Reader::word);
    let when = section.optional("when", |reader, value| {
        let section = reader.section(value)?;
        let when = when(&section, risks);
        section.finish();
        Some(when)
    });
    let evidence = section.optional("evidence", Reader::words).unwrap_or_default();
    let approvals = section.optional("approvals", approvals).unwrap_or_default();
    let criteria = section
        .optional("criteria", |reader, value| reader.list(value, criteria::criterion))
        .unwrap_or_default();
    section.finish();
    Some(Rule { name: name?, when: when.unwrap_or_default(), evidence, approvals, criteria })
}

/// The keys of a `when`, which a freeze has beside its own.
fn when(section: &Section<'_>, risks: &Risks<'_>) -> When {
    let risk = section.optional("risk", |reader, value| {
        // Checked as names first, so that one listed twice is told like any other.
        let _names: BTreeSet<Name> = reader.set(value)?;
        let Kind::Array(values) = &value.kind else { return None };
        let known = values.iter().filter_map(|value| {
            let Kind::Text(text) = &value.kind else { return None };
            risks.find(&text.parse().ok()?, value.span.clone())
        });
        Some(known.collect())
    });
    When {
        kind: section.optional("kind", Reader::set),
        risk,
        environment: section.optional("environment", Reader::set),
        system: section.optional("system", globs),
        tag: section.optional("tag", Reader::set),
    }
}

pub(super) fn freeze<'r>(reader: &'r Reader<'r>, value: &'r Value, risks: &Risks<'_>) -> Option<Freeze> {
    let section = reader.section(value)?;
    let name = section.required("name", Reader::word);
    let when = when(&section, risks);
    let from = section.required("from", Reader::moment);
    let until = section.required("until", Reader::moment);
    let span = section.span_of("until");
    section.finish();
    let (from, until) = (from?, until?);
    if from >= until {
        return reader.bad(&span, "a freeze that ends before it begins", format!("later than `{from}`"));
    }
    Some(Freeze { name: name?, when, from, until })
}

/// One criterion name in two rules is an error unless both say the same: else the checklist would have two lines of
/// one id.
pub(super) fn same_name_says_the_same(reader: &Reader<'_>, rules: &[Rule]) {
    let mut first: BTreeMap<&str, (&Rule, &Criterion)> = BTreeMap::new();
    for (at, rule) in rules.iter().enumerate() {
        for (index, criterion) in rule.criteria.iter().enumerate() {
            let (before, said) = first.entry(criterion.name.as_str()).or_insert((rule, criterion));
            if *said == criterion {
                continue;
            }
            let path =
                [Step::Key("rule"), Step::At(at), Step::Key("criteria"), Step::At(index), Step::Key("name")];
            let message =
                format!("criterion `{}` says something else in rule `{}`", criterion.name, before.name);
            reader.problem_at(
                "policy-criterion-differs",
                &path,
                message,
                "say the same, or give it another name",
            );
        }
    }
}

/// Two freezes of one name would be two lines of one id.
pub(super) fn freezes_have_names_of_their_own(reader: &Reader<'_>, freezes: &[Freeze]) {
    let mut seen = BTreeSet::new();
    for (at, freeze) in freezes.iter().enumerate() {
        if !seen.insert(freeze.name.as_str()) {
            let path = [Step::Key("freeze"), Step::At(at), Step::Key("name")];
            let message = format!("two freezes are named `{}`", freeze.name);
            reader.problem_at("policy-repeated", &path, message, "give each a name of its own");
        }
    }
}
