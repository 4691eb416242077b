//! Rules, their criteria, and freezes: what is asked of which change.
//!
//! Rules are held against each other by their names, several of one name in their order. One that bears another name and
//! says the same is no difference that matters.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::Bound;
use super::parts::written;
use super::people::asked;
use super::{Found, Meaning};
use crate::model::{Label, Name};
use crate::policy::{Compare, Criterion, Freeze, Policy, Rule, When};

pub(super) fn rules(found: &mut Found, old: &Policy, new: &Policy) {
    let (before, after) = (by_name(&old.rules), by_name(&new.rules));
    let mut gone: Vec<&Rule> = Vec::new();
    for (name, rule) in &before {
        match after.get(name) {
            Some(now) => one_rule(found, (old, rule), (new, now)),
            None => gone.push(rule),
        }
    }
    for rule in after.iter().filter(|(name, _)| !before.contains_key(*name)).map(|(_, rule)| rule) {
        let part = format!("rule `{}`", rule.name);
        let says_the_same = |other: &&Rule| {
            let renamed = Rule { name: rule.name.clone(), ..(**other).clone() };
            renamed == **rule && old.risks == new.risks
        };
        if let Some(at) = gone.iter().position(says_the_same) {
            let other = gone.remove(at);
            found.add(&part, Meaning::Neutral, format!("it was called `{}`", other.name));
        } else {
            let meaning = if asks_nothing(rule) { Meaning::Neutral } else { Meaning::Tighter };
            found.add(&part, meaning, format!("the rule is new: it asks for {}", asks(rule)));
        }
    }
    for rule in gone {
        let meaning = if asks_nothing(rule) { Meaning::Neutral } else { Meaning::Looser };
        found.add(
            &format!("rule `{}`", rule.name),
            meaning,
            format!("the rule is gone: it asked for {}", asks(rule)),
        );
    }
}

type Named<'a> = BTreeMap<(&'a Label, usize), &'a Rule>;

fn by_name(rules: &[Rule]) -> Named<'_> {
    let mut seen: BTreeMap<&Label, usize> = BTreeMap::new();
    let mut named = Named::new();
    for rule in rules {
        let nth = seen.entry(&rule.name).or_default();
        named.insert((&rule.name, *nth), rule);
        *nth += 1;
    }
    named
}

fn asks_nothing(rule: &Rule) -> bool {
    rule.evidence.is_empty() && rule.approvals.is_empty() && rule.criteria.is_empty()
}

fn asks(rule: &Rule) -> String {
    let evidence = rule.evidence.iter().map(|kind| format!("evidence `{kind}`"));
    let criteria = rule.criteria.iter().map(|criterion| format!("criterion `{}`", criterion.name));
    let approvals = rule.approvals.iter().map(|asked| format!("{} of `{}`", asked.count, asked.role));
    let all: Vec<String> = evidence.chain(criteria).chain(approvals).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn one_rule(found: &mut Found, (old_policy, old): (&Policy, &Rule), (new_policy, new): (&Policy, &Rule)) {
    let part = format!("rule `{}`", new.name);
    breadth(found, &part, "it is about", (old_policy, &old.when), (new_policy, &new.when));
    let kinds = |rule: &Rule| rule.evidence.iter().cloned().collect::<BTreeSet<Name>>();
    found.set(&part, "evidence", (&kinds(old), &kinds(new)), Meaning::Tighter);
    asked(found, &part, &old.approvals, &new.approvals);
    let criteria =
        |rule: &Rule| rule.criteria.iter().map(|one| one.name.clone()).collect::<BTreeSet<Label>>();
    found.set(&part, "criterion", (&criteria(old), &criteria(new)), Meaning::Tighter);
    for after in &new.criteria {
        if let Some(before) = old.criteria.iter().find(|before| before.name == after.name) {
            criterion(found, &part, before, after);
        }
    }
}

fn criterion(found: &mut Found, part: &str, old: &Criterion, new: &Criterion) {
    let part = format!("{part}, criterion `{}`", new.name);
    if old.evidence != new.evidence || old.subject != new.subject {
        found.add(&part, Meaning::Different, "it bounds something else");
    }
    found.bound(&part, "at most", (old.max.as_ref(), new.max.as_ref()), Bound::Most);
    found.bound(&part, "at least", (old.min.as_ref(), new.min.as_ref()), Bound::Least);
    match (&old.equals, &new.equals) {
        (None, Some(_)) => found.add(&part, Meaning::Tighter, "it asks for one value now"),
        (Some(_), None) => found.add(&part, Meaning::Looser, "it asked for one value"),
        (Some(old), Some(new)) if old != new => {
            found.add(&part, Meaning::Different, "it asks for another value");
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    found.bound(
        &part,
        "samples at least",
        (old.min_samples.as_ref(), new.min_samples.as_ref()),
        Bound::Least,
    );
    found.bound(&part, "errors at most", (old.max_errors.as_ref(), new.max_errors.as_ref()), Bound::Most);
    found.bound(&part, "confidence", (old.confidence.as_ref(), new.confidence.as_ref()), Bound::Least);
    match (&old.compare, &new.compare) {
        (None, None) => {}
        (None, Some(_)) => found.add(&part, Meaning::Tighter, "it compares with what is deployed now"),
        (Some(_), None) => found.add(&part, Meaning::Looser, "it compared with what is deployed"),
        (Some(old), Some(new)) => compare(found, &part, old, new),
    }
    let unrated = (old.unrated_allowed, new.unrated_allowed);
    found.switch(&part, "`unrated = \"allow\"`", unrated, Meaning::Looser);
    found.neutral(&part, "where it came from", &old.origin, &new.origin);
}

fn compare(found: &mut Found, part: &str, old: &Compare, new: &Compare) {
    found.bound(part, "lower by at most", (old.max_drop.as_ref(), new.max_drop.as_ref()), Bound::Most);
    found.bound(part, "higher by at most", (old.max_rise.as_ref(), new.max_rise.as_ref()), Bound::Most);
    found.switch(part, "`first = \"pass\"`", (old.first_passes, new.first_passes), Meaning::Looser);
}

pub(super) fn freezes(found: &mut Found, old: &Policy, new: &Policy) {
    let by_name = |freezes: &[Freeze]| -> BTreeMap<Label, Freeze> {
        freezes.iter().map(|freeze| (freeze.name.clone(), freeze.clone())).collect()
    };
    let (before, after) = (by_name(&old.freezes), by_name(&new.freezes));
    let names = |freezes: &BTreeMap<Label, Freeze>| freezes.keys().cloned().collect::<BTreeSet<Label>>();
    found.set("[[freeze]]", "freeze", (&names(&before), &names(&after)), Meaning::Tighter);
    for (name, now) in &after {
        let Some(then) = before.get(name) else { continue };
        let part = format!("freeze `{name}`");
        breadth(found, &part, "it holds for", (old, &then.when), (new, &now.when));
        found.bound(&part, "from", (Some(&then.from), Some(&now.from)), Bound::Most);
        found.bound(&part, "until", (Some(&then.until), Some(&now.until)), Bound::Least);
    }
}

/// What something is about: more changes, and it asks more.
fn breadth(found: &mut Found, part: &str, what: &str, old: (&Policy, &When), new: (&Policy, &When)) {
    let (before, after) = (lists(old.0, old.1), lists(new.0, new.1));
    if before == after {
        return;
    }
    let (meaning, words) = match (covers(&after, &before), covers(&before, &after)) {
        (true, true) => return,
        (true, false) => (Meaning::Tighter, "more changes"),
        (false, true) => (Meaning::Looser, "fewer changes"),
        (false, false) => (Meaning::Different, "other changes"),
    };
    found.add(part, meaning, format!("{what} {words}"));
}

/// The lists of a `when`, by key; one that is not there always matches.
type Lists = [Option<BTreeSet<String>>; 5];

fn lists(policy: &Policy, when: &When) -> Lists {
    let names = |names: &BTreeSet<Name>| names.iter().map(ToString::to_string).collect();
    let risk = |risk: &crate::policy::Risk| {
        policy.risk_name(*risk).map_or_else(|| risk.0.to_string(), ToString::to_string)
    };
    [
        when.kind.as_ref().map(names),
        when.environment.as_ref().map(names),
        when.tag.as_ref().map(names),
        when.risk.as_ref().map(|risks| risks.iter().map(risk).collect()),
        when.system.as_ref().map(|globs| written(globs)),
    ]
}

/// Whether whatever matches the one surely matches the other.
fn covers(wide: &Lists, narrow: &Lists) -> bool {
    wide.iter().zip(narrow).all(|(wide, narrow)| match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => wide.is_superset(narrow),
    })
}
