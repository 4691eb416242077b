//! The policy in force as a page: who may do what, what is asked of which change, whose keys count.
//!
//! For people: a summary in the order of the questions they ask. The policy itself is the file; what it means for one
//! change is shown by `show`.

use std::collections::BTreeSet;

use crate::evidence::Scalar;
use crate::insight::{Origin, PendingPolicy, PolicyOrigin};
use crate::model::{Glob, Name, Time};
use crate::policy::{
    Approval, Criterion, EvidenceKind, Group, KeyRequirement, Policy, Revocation, Risk, Role, Rule, Since,
    Subject, When,
};
use crate::signature::SignerEntry;
use crate::verdict::DecisionShown;

use super::judgement;
use super::origin::policy_facts;
use super::page::{Entry, Fact, Page, Section, Tone, Word, counted, list};
use super::policy_diff::{PolicyBranch, branch_entry};

/// The policy in force.
pub(super) fn policy_page(policy: &Policy, origin: &Origin) -> Page {
    let sections = [
        Section::entries(
            "Roles",
            policy.roles.iter().map(|(name, role)| role_entry(policy, name, role)).collect(),
        ),
        Section::entries("Rules", policy.rules.iter().map(|rule| rule_entry(policy, rule)).collect()),
        Section::entries("Evidence", evidence(policy)),
        Section::entries("Environments", environments(policy)),
        Section::entries("Systems", systems(policy)),
        Section::facts("Changes and exceptions", governance(policy)),
        Section::entries("Freezes", freezes(policy)),
        Section::entries("Keys", policy.signers.entries().map(key_entry).collect()),
        Section::entries("Revoked keys", policy.revoked.iter().map(revocation_entry).collect()),
        Section::entries("Notices", judgement::notices(&origin.notices)),
        Section::facts("In force", policy_facts(&origin.policy)),
    ];
    Page {
        word: Word::new("policy", Tone::Plain),
        about: format!("{}, serial {}", policy.id, policy.serial),
        lead: pending_lead(&origin.policy),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// The policy in force and the one that waits, with the decisions on it.
pub(super) fn status_page(origin: &Origin, decisions: &[DecisionShown], branches: &[PolicyBranch]) -> Page {
    let (word, tone) =
        if origin.policy.pending.is_some() { ("pending", Tone::Open) } else { ("in force", Tone::Good) };
    let sections = [
        Section::entries("Changes on branches", branches.iter().map(branch_entry).collect()),
        Section::entries("Decisions on the policy", decisions.iter().map(judgement::decision).collect()),
        Section::entries("Notices", judgement::notices(&origin.notices)),
        Section::facts("In force", policy_facts(&origin.policy)),
    ];
    Page {
        word: Word::new(word, tone),
        about: "policy".to_owned(),
        lead: pending_lead(&origin.policy),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn pending_lead(origin: &PolicyOrigin) -> Vec<Entry> {
    match &origin.pending {
        Some(PendingPolicy { defect: Some(defect), .. }) => vec![Entry::sentence(format!(
            "`policy/` on the mainline is not the policy in force: {defect}; until it is put right the one in force holds"
        ))],
        Some(pending) => vec![Entry::sentence(format!(
            "another policy waits on the mainline: {} of {} needed; until then the one in force holds",
            counted(pending.approvals, "approval"),
            pending.needed
        ))],
        None => Vec::new(),
    }
}

fn role_entry(policy: &Policy, name: &Name, role: &Role) -> Entry {
    let members = role.members.iter().map(|member| {
        if policy.bots.contains(member) { format!("{member} (bot)") } else { member.to_string() }
    });
    let members = list(members);
    let members = if members.is_empty() { "nobody".to_owned() } else { members };
    let keys = match role.keys {
        KeyRequirement::Any => "",
        KeyRequirement::Hardware | KeyRequirement::HardwareVerified => keys_word(role.keys),
    };
    Entry::named(name.to_string(), members)
        .prose("title", role.title.clone().unwrap_or_default())
        .prose("keys", keys)
}

fn rule_entry(policy: &Policy, rule: &Rule) -> Entry {
    let criteria = rule.criteria.iter().fold(
        Entry::named(rule.name.to_string(), when_words(policy, &rule.when)),
        |entry, criterion| {
            entry.prose("criterion", format!("{}: {}", criterion.name, criterion_words(criterion)))
        },
    );
    criteria.prose("evidence", list(&rule.evidence)).prose("approvals", approvals_words(&rule.approvals))
}

fn evidence(policy: &Policy) -> Vec<Entry> {
    let entries = policy.evidence.iter().map(|(name, kind)| {
        let age = kind.max_age.map(|age| format!("at most {age} old")).unwrap_or_default();
        let about = if kind.about_change { "the change" } else { "" };
        let formats = kind.formats.iter().flatten().map(|format| format.as_str());
        Entry::named(name.to_string(), kind.title.clone().unwrap_or_default())
            .prose("about", about)
            .prose("age", age)
            .prose("signed by", list(kind.attested_by.iter().flatten()))
            .prose("formats", list(formats))
            .prose("passed", kind.min_passed.map(|least| format!("at least {least}")).unwrap_or_default())
            .prose("options", list(options(kind).iter().map(|option| format!("`{option}`"))))
            .prose("metrics", list(kind.metrics.keys()))
    });
    entries.collect()
}

/// Options of a kind of evidence that are set, as the policy writes them.
pub(super) fn options(kind: &EvidenceKind) -> Vec<&'static str> {
    let all = [
        (kind.unfinished_allowed, "unfinished=allow"),
        (kind.external_allowed, "external=allow"),
        (kind.in_source_ignored, "in_source=ignore"),
    ];
    all.into_iter().filter_map(|(set, name)| set.then_some(name)).collect()
}

fn environments(policy: &Policy) -> Vec<Entry> {
    let entries = policy.environments.iter().map(|(name, environment)| {
        let artifacts = if environment.artifacts_required { "required" } else { "not asked for" };
        let rollback = match environment.rollback_window {
            Some(window) => format!("within {window}"),
            None => "never".to_owned(),
        };
        Entry::named(name.to_string(), "")
            .prose("deployers", list(&environment.deployers))
            .prose("artifacts", artifacts)
            .prose("rollback", rollback)
    });
    entries.collect()
}

fn systems(policy: &Policy) -> Vec<Entry> {
    let entries = policy.systems.iter().map(|(name, system)| {
        let risk = system.risk.map(|risk| format!("at least {}", held(policy, risk))).unwrap_or_default();
        Entry::named(name.to_string(), system.title.clone().unwrap_or_default())
            .prose("risk", risk)
            .prose("tags", list(&system.tags))
            .prose("owner", system.owner.as_ref().map(ToString::to_string).unwrap_or_default())
    });
    entries.collect()
}

fn governance(policy: &Policy) -> Vec<Fact> {
    let nobody_or = |words: String| if words.is_empty() { "nobody".to_owned() } else { words };
    let mut facts = vec![
        Fact::prose("policy changes", nobody_or(approvals_words(&policy.governance))),
        Fact::prose("exceptions", nobody_or(approvals_words(&policy.exceptions.approvals))),
    ];
    if let Some(longest) = policy.exceptions.max_duration {
        facts.push(Fact::prose("longest", longest.to_string()));
    }
    let review =
        policy.exceptions.break_glass_review.map_or("at once".to_owned(), |review| format!("after {review}"));
    facts.push(Fact::prose("break-glass", format!("blocks {review} until it is covered")));
    if let Some(age) = policy.approvals_max_age {
        facts.push(Fact::prose("approvals", format!("at most {age} old")));
    }
    facts.push(Fact::prose("rejections", format!("for {}", list(&policy.rejection_reasons))));
    if let Some(roles) = &policy.mainline_signed_by {
        facts.push(Fact::prose("mainline", format!("signed by {}", list(roles))));
    }
    facts
}

fn freezes(policy: &Policy) -> Vec<Entry> {
    let entries = policy.freezes.iter().map(|freeze| {
        Entry::named(freeze.name.to_string(), format!("from {} until {}", freeze.from, freeze.until))
            .prose("holds", when_words(policy, &freeze.when))
    });
    entries.collect()
}

fn key_entry(entry: &SignerEntry) -> Entry {
    let authority = if entry.is_authority() { " (certificate authority)" } else { "" };
    let moment = |time: Option<Time>| time.map(|time| time.to_string()).unwrap_or_default();
    Entry::sentence(format!("{} {}{authority}", list(key_principals(entry)), entry.key_description()))
        .exact("key", entry.fingerprint().as_str())
        .prose("from", moment(entry.valid_after()))
        .prose("until", moment(entry.valid_before()))
}

fn revocation_entry(revocation: &Revocation) -> Entry {
    Entry::sentence(revocation.reason.as_str())
        .exact("key", revocation.key.as_str())
        .prose("since", since_words(revocation.since))
}

/// Whose key it is, or whom the certificates of an authority may name: as written where that is a pattern.
pub(super) fn key_principals(entry: &SignerEntry) -> Vec<String> {
    if !entry.principals().is_empty() {
        return entry.principals().iter().map(ToString::to_string).collect();
    }
    let place = entry.place();
    vec![place.text.chars().skip(place.column.saturating_sub(1)).take(place.length).collect()]
}

/// As the policy writes it.
pub(super) fn keys_word(keys: KeyRequirement) -> &'static str {
    match keys {
        KeyRequirement::Any => "any",
        KeyRequirement::Hardware => "hardware",
        KeyRequirement::HardwareVerified => "hardware-verified",
    }
}

/// As the policy writes it.
pub(super) fn since_words(since: Since) -> String {
    match since {
        Since::Commit(commit) => commit.to_string(),
        Since::NeverTrusted => "never-trusted".to_owned(),
    }
}

/// A risk by its name; its number where the policy has no such name.
pub(super) fn held(policy: &Policy, risk: Risk) -> String {
    policy.risks.get(risk.0).map_or_else(|| risk.0.to_string(), ToString::to_string)
}

/// What a `when` asks, by key as written; empty: it always matches.
pub(super) fn conditions(policy: &Policy, when: &When) -> Vec<(&'static str, Vec<String>)> {
    let names = |names: &BTreeSet<Name>| names.iter().map(ToString::to_string).collect();
    let all = [
        ("kind", when.kind.as_ref().map(names)),
        ("risk", when.risk.as_ref().map(|risks| risks.iter().map(|risk| held(policy, *risk)).collect())),
        ("environment", when.environment.as_ref().map(names)),
        (
            "system",
            when.system.as_ref().map(|globs| globs.iter().map(|glob| glob.as_str().to_owned()).collect()),
        ),
        ("tag", when.tag.as_ref().map(names)),
    ];
    all.into_iter().filter_map(|(key, values)| Some((key, values?))).collect()
}

fn when_words(policy: &Policy, when: &When) -> String {
    let conditions = conditions(policy, when);
    if conditions.is_empty() {
        return "always".to_owned();
    }
    let each = conditions.into_iter().map(|(key, values)| format!("{key} is {}", values.join(" or ")));
    format!("when {}", each.collect::<Vec<_>>().join(", and "))
}

fn approvals_words(approvals: &[Approval]) -> String {
    list(approvals.iter().map(|Approval { role, count }| format!("{count} {role}")))
}

/// What a criterion asks, in words.
pub(super) fn criterion_words(criterion: &Criterion) -> String {
    let subject = match &criterion.subject {
        Subject::Metric(metric) => metric.clone(),
        Subject::Spread(group) => format!("spread of {}", group_words(group)),
        Subject::Ratio(group) => format!("ratio of {}", group_words(group)),
    };
    let mut asks = Vec::new();
    let mut ask = |words: &str, value: Option<String>| {
        if let Some(value) = value {
            asks.push(format!("{words} {value}"));
        }
    };
    let number = |value: f64| value.to_string();
    ask("at most", criterion.max.map(number));
    ask("at least", criterion.min.map(number));
    ask("equal to", criterion.equals.as_ref().map(scalar_words));
    ask("samples at least", criterion.min_samples.map(|count| count.to_string()));
    ask("errors at most", criterion.max_errors.map(|count| count.to_string()));
    ask("with confidence", criterion.confidence.map(number));
    if let Some(compare) = &criterion.compare {
        ask("lower than what is deployed by at most", compare.max_drop.map(number));
        ask("higher than what is deployed by at most", compare.max_rise.map(number));
        ask("where nothing is deployed:", compare.first_passes.then(|| "passes".to_owned()));
    }
    ask("unrated findings", criterion.unrated_allowed.then(|| "allowed".to_owned()));
    format!("{subject} in {} {}", criterion.evidence, asks.join(", "))
}

fn group_words(group: &Group) -> String {
    let metrics = list(group.metrics.iter().map(Glob::as_str));
    match group.min_group {
        Some(least) => format!("{metrics} (groups of {least} and more)"),
        None => metrics,
    }
}

fn scalar_words(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Bool(value) => value.to_string(),
    }
}
