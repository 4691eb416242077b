//! Everything that is neither people nor rules.

use std::collections::BTreeSet;

use super::bounds::Bound;
use super::people::{approvals, one_of};
use super::{Found, Meaning};
use crate::model::{Glob, Name};
use crate::policy::{Environment, EvidenceKind, Policy};

pub(super) fn head(found: &mut Found, old: &Policy, new: &Policy) {
    if old.id != new.id {
        found.add("id", Meaning::Different, format!("`{}` → `{}`", old.id, new.id));
    }
    if old.serial != new.serial {
        found.add("serial", Meaning::Neutral, format!("{} → {}", old.serial, new.serial));
    }
}

pub(super) fn changes(found: &mut Found, old: &Policy, new: &Policy) {
    let kinds = |policy: &Policy| policy.kinds.iter().cloned().collect::<BTreeSet<Name>>();
    found.set("[changes]", "kind", (&kinds(old), &kinds(new)), Meaning::Looser);
    if old.risks != new.risks {
        found.add("[changes]", Meaning::Different, "the risks are others, or in another order");
    }
    let globs = |policy: &Policy| -> BTreeSet<String> {
        let all = policy.infer.iter();
        all.flat_map(|(kind, globs)| globs.iter().map(move |glob| format!("{kind}: {}", glob.as_str())))
            .collect()
    };
    found.set("[changes.infer]", "artifacts named", (&globs(old), &globs(new)), Meaning::Tighter);
}

/// A system that is not listed has the highest risk and every tag.
pub(super) fn systems(found: &mut Found, old: &Policy, new: &Policy) {
    let names: BTreeSet<&Name> = old.systems.keys().chain(new.systems.keys()).collect();
    for name in names {
        let part = format!("system `{name}`");
        if old.risks == new.risks {
            let (before, after) = (old.least_risk(name), new.least_risk(name));
            let word = |risk| new.risk_name(risk).map_or("?", Name::as_str);
            if before != after {
                let meaning = if after > before { Meaning::Tighter } else { Meaning::Looser };
                found.add(&part, meaning, format!("least risk {} → {}", word(before), word(after)));
            }
        }
        match (old.systems.get(name), new.systems.get(name)) {
            (Some(before), Some(after)) => {
                found.set(&part, "tag", (&before.tags, &after.tags), Meaning::Tighter);
                found.neutral(&part, "its title", &before.title, &after.title);
                found.neutral(&part, "its owner", &before.owner, &after.owner);
            }
            (None, Some(_)) => found.add(&part, Meaning::Looser, "it is listed now: it had every tag"),
            (Some(_), None) => found.add(&part, Meaning::Tighter, "it is no longer listed: it has every tag"),
            (None, None) => {}
        }
    }
}

pub(super) fn environments(found: &mut Found, old: &Policy, new: &Policy) {
    let names = |policy: &Policy| policy.environments.keys().cloned().collect::<BTreeSet<Name>>();
    found.set("[environments]", "environment", (&names(old), &names(new)), Meaning::Looser);
    for (name, after) in &new.environments {
        let Some(before) = old.environments.get(name) else { continue };
        environment(found, &format!("environment `{name}`"), before, after);
    }
}

fn environment(found: &mut Found, part: &str, old: &Environment, new: &Environment) {
    found.set(part, "deployer", (&old.deployers, &new.deployers), Meaning::Looser);
    let required = (old.artifacts_required, new.artifacts_required);
    found.switch(part, "`artifacts = \"required\"`", required, Meaning::Tighter);
    let windows = (old.rollback_window.as_ref(), new.rollback_window.as_ref());
    found.bound(part, "rollback window", windows, Bound::Grace);
}

pub(super) fn evidence(found: &mut Found, old: &Policy, new: &Policy) {
    let kinds: BTreeSet<&Name> = old.evidence.keys().chain(new.evidence.keys()).collect();
    for kind in kinds {
        let part = format!("evidence `{kind}`");
        evidence_kind(found, &part, old.evidence_kind(kind), new.evidence_kind(kind));
    }
}

fn evidence_kind(found: &mut Found, part: &str, old: &EvidenceKind, new: &EvidenceKind) {
    found.neutral(part, "its title", &old.title, &new.title);
    found.switch(part, "`about = \"change\"`", (old.about_change, new.about_change), Meaning::Looser);
    found.bound(part, "greatest age", (old.max_age.as_ref(), new.max_age.as_ref()), Bound::Most);
    one_of(found, part, "signer", old.attested_by.as_ref(), new.attested_by.as_ref());
    let formats = |kind: &EvidenceKind| -> Option<BTreeSet<&'static str>> {
        kind.formats.as_ref().map(|formats| formats.iter().map(|format| format.as_str()).collect())
    };
    match (formats(old), formats(new)) {
        (None, None) => {}
        (None, Some(_)) => found.add(part, Meaning::Tighter, "only some formats are taken now"),
        (Some(_), None) => found.add(part, Meaning::Looser, "only some formats were taken"),
        (Some(old), Some(new)) => found.set(part, "format", (&old, &new), Meaning::Looser),
    }
    let unfinished = (old.unfinished_allowed, new.unfinished_allowed);
    found.switch(part, "`unfinished = \"allow\"`", unfinished, Meaning::Looser);
    found.switch(
        part,
        "`external = \"allow\"`",
        (old.external_allowed, new.external_allowed),
        Meaning::Looser,
    );
    let in_source = (old.in_source_ignored, new.in_source_ignored);
    found.switch(part, "`in_source = \"ignore\"`", in_source, Meaning::Tighter);
    found.bound(part, "least passed", (old.min_passed.as_ref(), new.min_passed.as_ref()), Bound::Least);
    let metrics: BTreeSet<&String> = old.metrics.keys().chain(new.metrics.keys()).collect();
    for metric in metrics.into_iter().filter(|metric| old.metrics.get(*metric) != new.metrics.get(*metric)) {
        found.add(part, Meaning::Different, format!("metric `{metric}` is read otherwise"));
    }
}

pub(super) fn decisions(found: &mut Found, old: &Policy, new: &Policy) {
    let ages = (old.approvals_max_age.as_ref(), new.approvals_max_age.as_ref());
    found.bound("[approvals]", "greatest age", ages, Bound::Most);
    let reasons = (&old.rejection_reasons, &new.rejection_reasons);
    found.set("[rejections]", "reason", reasons, Meaning::Neutral);
}

pub(super) fn exceptions(found: &mut Found, old: &Policy, new: &Policy) {
    let part = "[exceptions]";
    approvals(found, part, &old.exceptions.approvals, &new.exceptions.approvals);
    let longest = (old.exceptions.max_duration.as_ref(), new.exceptions.max_duration.as_ref());
    found.bound(part, "longest", longest, Bound::Most);
    let review = (old.exceptions.break_glass_review.as_ref(), new.exceptions.break_glass_review.as_ref());
    found.bound(part, "break-glass review", review, Bound::Grace);
}

/// Globs as they are written.
pub(super) fn written(globs: &[Glob]) -> BTreeSet<String> {
    globs.iter().map(|glob| glob.as_str().to_owned()).collect()
}
