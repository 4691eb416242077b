//! Approvals: people in the roles that the checklist asks for.
//!
//! One person fills at most one place, whatever roles and keys; a bot none. An approval in a role that is not asked for
//! counts, and fills no place (design, sections 8 and 9.7).

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::decisions::Judged;
use super::fill::{Asked, People, fill, filled_in};
use super::text::{Words, counted, list};
use super::{By, Requirement, RequirementId, Status};
use crate::decision::Verb;
use crate::model::{Code, Label, Name, Principal};

/// What makes an approval that was good stale (design, section 9.8).
const STALE: [Code; 3] = [Code::StaleContent, Code::Expired, Code::BeforeIncident];

/// One line for each role that a matching rule asks for; `rules:none` where none does.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    if case.request.is_none() {
        return Vec::new();
    }
    let rules = asked(case);
    if rules.is_empty() {
        return vec![no_rule(case)];
    }
    let asked: Asked = rules.iter().map(|(role, (count, _))| (role.clone(), *count)).collect();
    let approvals = Approvals::of(case, asked);
    rules.into_iter().map(|(role, (count, names))| approvals.line(case, &role, count, names)).collect()
}

/// How many people the matching rules ask for, by role, each with the names of the rules.
pub(super) fn asked(case: &Case<'_>) -> BTreeMap<Name, (u64, Vec<Label>)> {
    case.asked(
        |rule| rule.approvals.iter().map(|approval| (approval.role.clone(), approval.count.max(1))).collect(),
        |one: u64, other| one.max(other),
    )
}

/// No gate passes because nobody thought of it.
fn no_rule(case: &Case<'_>) -> Requirement {
    Requirement::new(
        RequirementId::RulesNone,
        Status::Failed,
        "a rule of the policy that asks for an approval",
        "no rule that matches this change asks for one",
    )
    .rules(case.rules.iter().map(|rule| rule.name.clone()).collect())
    .next(who_may_govern(case), "git gate policy lint")
}

/// The people who may change the policy.
fn who_may_govern(case: &Case<'_>) -> Vec<Principal> {
    let roles = case.policy.governance.iter().map(|approval| &approval.role);
    let people: BTreeSet<&Principal> = roles.flat_map(|role| case.policy.role_holders(role)).collect();
    people.into_iter().filter(|person| !case.policy.is_bot(person)).cloned().collect()
}

/// The approvals of a case, and the places that they fill.
struct Approvals<'a> {
    asked: Asked,
    good: BTreeMap<Name, BTreeMap<Principal, &'a Judged<'a>>>,
    stale: BTreeMap<Name, BTreeMap<Principal, &'a Judged<'a>>>,
    filled: People,
}

impl<'a> Approvals<'a> {
    fn of(case: &'a Case<'_>, asked: Asked) -> Self {
        let good = by_role(case, Judged::counts);
        let stale = by_role(case, |approval| approval.would_count_but_for(&STALE));
        let filled = fill(&asked, &people(&good));
        Self { asked, good, stale, filled }
    }

    fn line(&self, case: &Case<'_>, role: &Name, count: u64, rules: Vec<Label>) -> Requirement {
        let found = filled_in(&self.filled, role);
        let stale = if found < count { self.stale_that_would_fill(role) } else { Vec::new() };
        let status = match (found < count, stale.is_empty()) {
            (false, _) => Status::Met,
            (true, false) => Status::Stale,
            (true, true) => Status::Missing,
        };
        let filling = self.filled.get(role).into_iter().flatten();
        let behind = filling.filter_map(|person| Some((person, *self.good.get(role)?.get(person)?)));
        let by = behind
            .chain(stale.iter().copied())
            .map(|(person, approval)| By { commit: approval.fact.commit, principal: Some(person.clone()) });
        let who = self.who_could(case, role);
        let command = if who.is_empty() {
            format!(
                "add people to the role `{role}` by a policy change: its holders are authors, or fill other places"
            )
        } else {
            format!("git gate approve {} --role {role}", case.facts.gate)
        };
        Requirement::new(
            RequirementId::Approval(role.clone()),
            status,
            counted(count, "approval"),
            self.found_words(role, found, &stale),
        )
        .rules(rules)
        .by(by.collect())
        .next(who, command)
    }

    /// Those whose approval in `role` was good once, and of whom one would fill a place more were it still so.
    fn stale_that_would_fill(&self, role: &Name) -> Vec<(&Principal, &'a Judged<'a>)> {
        let size = |filled: &People| filled.values().map(BTreeSet::len).sum::<usize>();
        let good = people(&self.good);
        let would_fill = |person: &Principal| {
            let mut with = good.clone();
            with.entry(role.clone()).or_default().insert(person.clone());
            size(&fill(&self.asked, &with)) > size(&self.filled)
        };
        let stale = self.stale.get(role).into_iter().flatten();
        stale.filter(|(person, _)| would_fill(person)).map(|(person, approval)| (person, *approval)).collect()
    }

    fn found_words(&self, role: &Name, found: u64, stale: &[(&Principal, &Judged<'_>)]) -> String {
        let filling = match self.filled.get(role).filter(|people| !people.is_empty()) {
            Some(people) => format!(" ({})", list(people)),
            None => String::new(),
        };
        let stale = stale.iter().map(|(person, approval)| {
            format!("{person}: {}", list(approval.defects.keys().take(1).map(Words::quoted)))
        });
        let stale = list(stale);
        let stale = if stale.is_empty() { stale } else { format!(", stale: {stale}") };
        format!("{found}{filling}{stale}")
    }

    /// Holders of the role who are people, no authors, and fill no place yet.
    fn who_could(&self, case: &Case<'_>, role: &Name) -> Vec<Principal> {
        let used: BTreeSet<&Principal> = self.filled.values().flatten().collect();
        let is_author =
            |person: &Principal| case.content.is_some_and(|content| content.authors.contains(person));
        let members = case.policy.roles.get(role).into_iter().flat_map(|role| &role.members);
        members
            .filter(|person| {
                !case.policy.bots.contains(*person) && !is_author(person) && !used.contains(*person)
            })
            .cloned()
            .collect()
    }
}

/// Approvals that `wanted` picks, by role and person; of several by one person the one with the smallest commit id.
fn by_role<'a, 'f>(
    case: &'a Case<'f>,
    wanted: impl Fn(&Judged<'f>) -> bool,
) -> BTreeMap<Name, BTreeMap<Principal, &'a Judged<'a>>> {
    let mut found: BTreeMap<Name, BTreeMap<Principal, &'a Judged<'a>>> = BTreeMap::new();
    for approval in &case.decisions {
        let fact = approval.fact;
        let (Some(Verb::Approve), Some(role), Some(person)) = (fact.verb, &fact.role, &fact.principal) else {
            continue;
        };
        if !wanted(approval) {
            continue;
        }
        let first = found.entry(role.clone()).or_default().entry(person.clone()).or_insert(approval);
        if fact.commit < first.fact.commit {
            *first = approval;
        }
    }
    found
}

fn people(by_role: &BTreeMap<Name, BTreeMap<Principal, &Judged<'_>>>) -> People {
    by_role.iter().map(|(role, people)| (role.clone(), people.keys().cloned().collect())).collect()
}
