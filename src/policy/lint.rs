//! Warnings about a policy that reads: what its authors most likely did not mean (design, section 6, "Linted").
//!
//! Nothing here keeps a policy from coming into force; what does is in [`super::findings`]. So warnings may be added
//! and reworded freely.

use std::collections::{BTreeMap, BTreeSet};

use super::{Approval, Change, Policy, Risk, Rule};
use crate::model::{Name, Principal, matching};
use crate::problem::Problem;
use crate::problem::document::Step;
use crate::problem::section::{MOST_PROBLEMS, listed};
use crate::signature::SignerFindingKind;

/// Most combinations of system, kind, risk and environment that are tried.
const MOST_COMBINATIONS: usize = 5_000;

/// Most warnings of one kind about combinations.
const MOST_SHOWN: usize = 10;

/// Every warning about the policy, in the order of the file, those about keys last.
pub fn lint(policy: &Policy) -> Vec<Problem> {
    let mut lint = Lint { policy, found: Vec::new() };
    lint.roles();
    lint.rules();
    lint.mainline();
    lint.governance();
    lint.combinations();
    let mut found = lint.found;
    found.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
    found.extend(weak_and_wild_keys(policy));
    found
}

#[derive(Debug)]
struct Lint<'p> {
    policy: &'p Policy,
    found: Vec<Problem>,
}

impl Lint<'_> {
    fn add(&mut self, code: &'static str, path: &[Step<'_>], message: String, help: &str) {
        if self.found.len() >= MOST_PROBLEMS {
            return;
        }
        let place = self.policy.places.find(path);
        self.found.push(Problem { code, place, message, help: Some(help.to_owned()) });
    }

    fn roles(&mut self) {
        let policy = self.policy;
        let known = policy.signers.principals();
        for (name, role) in &policy.roles {
            let path = [Step::Key("roles"), Step::Key(name.as_str())];
            if role.members.is_empty() {
                self.add("policy-role-empty", &path, format!("nobody holds role `{name}`"), "add members");
            }
            for member in role.members.iter().filter(|member| known.contains(member)) {
                if !policy.signers.can_sign(member) {
                    let message = format!("no key of `{member}` in role `{name}` counts");
                    self.add("policy-cannot-sign", &path, message, "give them a strong key of their own");
                }
            }
        }
    }

    fn rules(&mut self) {
        let policy = self.policy;
        let required: BTreeSet<&Name> = policy.rules.iter().flat_map(|rule| &rule.evidence).collect();
        let mut names = BTreeSet::new();
        for (at, rule) in policy.rules.iter().enumerate() {
            let path = [Step::Key("rule"), Step::At(at), Step::Key("name")];
            if !names.insert(&rule.name) {
                let message = format!("two rules are named `{}`", rule.name);
                self.add("policy-rule-name-twice", &path, message, "give each a name of its own");
            }
            if !self.reachable(rule) {
                let message = format!("no gate can match rule `{}`", rule.name);
                self.add("policy-rule-unreachable", &path, message, "see the lists of its `when`");
            }
            for (index, criterion) in rule.criteria.iter().enumerate() {
                if required.contains(&criterion.evidence) {
                    continue;
                }
                let path = [
                    Step::Key("rule"),
                    Step::At(at),
                    Step::Key("criteria"),
                    Step::At(index),
                    Step::Key("evidence"),
                ];
                let message =
                    format!("no rule requires evidence `{}`, which this bounds", criterion.evidence);
                let help = "name it in the `evidence` of a rule";
                self.add("policy-criterion-without-evidence", &path, message, help);
            }
        }
    }

    /// Whether some change matches the rule: of a system that the policy lists, or of another.
    fn reachable(&self, rule: &Rule) -> bool {
        let policy = self.policy;
        let when = &rule.when;
        let any = |list: &Option<BTreeSet<Name>>, known: &dyn Fn(&Name) -> bool| {
            list.as_ref().is_none_or(|list| list.iter().any(known))
        };
        if !any(&when.kind, &|kind| policy.kinds.contains(kind))
            || !any(&when.environment, &|name| policy.environments.contains_key(name))
            || !any(&when.tag, &|_| true)
        {
            return false;
        }
        let risky_enough =
            |least: Risk| when.risk.as_ref().is_none_or(|risks| risks.iter().any(|risk| *risk >= least));
        let Some(globs) = &when.system else { return risky_enough(Risk(0)) };
        globs.iter().any(|glob| {
            let exact = glob.as_str().parse::<Name>().is_ok_and(|name| policy.systems.contains_key(&name));
            let listed = policy.systems.keys().filter(|system| glob.matches(system.as_str()));
            let mut least = listed.map(|system| policy.least_risk(system));
            least.any(risky_enough) || (!exact && risky_enough(policy.highest_risk()))
        })
    }

    fn mainline(&mut self) {
        let Some(roles) = &self.policy.mainline_signed_by else { return };
        let anybody =
            roles.iter().any(|role| self.policy.roles.get(role).is_some_and(|role| !role.members.is_empty()));
        if !anybody {
            let path = [Step::Key("mainline"), Step::Key("signed_by")];
            let message = "nobody can sign a step of the mainline".to_owned();
            self.add("policy-mainline-nobody", &path, message, "name a role that somebody holds");
        }
    }

    /// Whether the loss of one person would leave nobody to change the policy.
    fn governance(&mut self) {
        let policy = self.policy;
        let Some(places) = policy.fillable_places(&policy.governance) else { return };
        // A role of more people than there are places loses nobody that it needs.
        let tight: Vec<&BTreeSet<&Principal>> =
            places.iter().filter(|place| place.len() <= places.len()).collect();
        let people: BTreeSet<&Principal> = tight.iter().copied().flatten().copied().collect();
        let needed = |person: &&&Principal| {
            let without: Vec<BTreeSet<&Principal>> = tight
                .iter()
                .map(|place| place.iter().copied().filter(|one| one != *person).collect())
                .collect();
            matching::fillable(&without) < tight.len()
        };
        let needed: Vec<&str> = people.iter().take(64).filter(needed).map(|one| one.as_str()).collect();
        if !needed.is_empty() {
            let path = [Step::Key("governance"), Step::Key("approvals")];
            let message = format!(
                "without any one of {}, nobody can change this policy",
                listed(needed.iter().copied())
            );
            self.add("policy-governance-lockout", &path, message, "let one more person hold the role");
        }
    }

    /// Changes of which no approval is asked, or more than the people there are can give.
    fn combinations(&mut self) {
        let mut unapproved = BTreeSet::new();
        let mut unfillable = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let key = |asked: &[Approval]| -> Vec<(Name, u64)> {
            asked.iter().map(|approval| (approval.role.clone(), approval.count)).collect()
        };
        for change in combinations(self.policy).take(MOST_COMBINATIONS) {
            let asked = self.policy.approvals_of(&change);
            let roles: Vec<Name> = asked.iter().map(|approval| approval.role.clone()).collect();
            if asked.is_empty() {
                unapproved.insert(described(self.policy, &change));
            } else if asked.len() > 1 && seen.insert(key(&asked)) && !self.policy.can_fill(&asked) {
                unfillable
                    .entry(roles)
                    .or_insert_with(|| (described(self.policy, &change), self.policy.why_unfillable(&asked)));
            }
        }
        for change in unapproved.iter().take(MOST_SHOWN) {
            let help = "a gate whose checklist asks no approval is never allowed: add a rule";
            self.add("policy-change-unapproved", &[], format!("no rule asks an approval of {change}"), help);
        }
        for (change, why) in unfillable.values().take(MOST_SHOWN) {
            let help = "these rules hold together: give their roles to more people";
            self.add("policy-places-shared", &[], format!("{why}: {change}"), help);
        }
    }
}

impl Policy {
    /// The approvals that the rules ask of a change, by role; of several counts the highest.
    fn approvals_of(&self, change: &Change) -> Vec<Approval> {
        let mut asked: BTreeMap<&Name, u64> = BTreeMap::new();
        for approval in self.rules_on(change).flat_map(|rule| &rule.approvals) {
            let count = asked.entry(&approval.role).or_default();
            *count = approval.count.max(*count);
        }
        asked.into_iter().map(|(role, count)| Approval { role: role.clone(), count }).collect()
    }
}

/// Every combination of system, kind, risk and environment with the fewest tags, so that the fewest rules match. The
/// systems that the policy does not list are one, under a name that is none of theirs.
fn combinations(policy: &Policy) -> impl Iterator<Item = Change> {
    let unlisted = "any-other-system".parse::<Name>().ok();
    let systems = policy.systems.keys().cloned().chain(unlisted);
    systems.flat_map(move |system| {
        let least = policy.least_risk(&system);
        let tags: BTreeSet<Name> = policy.least_tags(&system).cloned().collect();
        let risks = (least.0..policy.risks.len()).map(Risk);
        risks.flat_map(move |risk| {
            let (system, tags) = (system.clone(), tags.clone());
            policy.kinds.iter().flat_map(move |kind| {
                let (system, tags) = (system.clone(), tags.clone());
                policy.environments.keys().map(move |environment| Change {
                    kinds: BTreeSet::from([kind.clone()]),
                    risk,
                    environment: environment.clone(),
                    system: system.clone(),
                    tags: tags.clone(),
                })
            })
        })
    })
}

fn described(policy: &Policy, change: &Change) -> String {
    let risk = policy.risk_name(change.risk).map_or("", Name::as_str);
    let kinds = listed(change.kinds.iter().map(Name::as_str));
    format!("kind {kinds}, risk `{risk}` in `{}`", change.environment)
}

fn weak_and_wild_keys(policy: &Policy) -> impl Iterator<Item = Problem> {
    policy.signers.findings().into_iter().filter_map(|finding| {
        let (code, help) = match finding.kind {
            SignerFindingKind::WildcardPrincipal => {
                ("policy-wildcard-principal", "name one principal, or mark the line `cert-authority`")
            }
            SignerFindingKind::WeakKey => ("policy-weak-key", "make a new key: `ssh-keygen -t ed25519`"),
            // On the closed list, and told there.
            SignerFindingKind::KeyOfSeveralPrincipals => return None,
        };
        Some(Problem { code, place: Some(finding.place), message: finding.text, help: Some(help.to_owned()) })
    })
}
