//! What keeps a policy that reads from coming into force: a closed list for `schema = 1` (design, section 6).
//!
//! An approvals list that its roles cannot fill with different people; an approval `count` of 0; a key under two
//! principals; a name of what is not there. And a policy without `[governance].approvals`. Nothing is ever added to
//! this list: two versions of this program must agree on which policy is in force. All else is a warning, in
//! [`super::lint`].

use crate::model::Name;
use crate::problem::Problem;
use crate::problem::document::Step;
use crate::problem::section::{MOST_PROBLEMS, closest, listed};
use crate::signature::SignerFindingKind;

use super::{Approval, Policy};

/// The closed list, as far as a whole policy shows it; unknown risks were found while it was read.
pub(super) fn findings(policy: &Policy) -> Vec<Problem> {
    let mut findings = Findings { policy, found: policy.findings.clone() };
    findings.governance();
    findings.approvals();
    findings.roles_named();
    findings.words_named();
    findings.members();
    let mut found = findings.found;
    found.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
    found.extend(keys_of_several(policy));
    found
}

#[derive(Debug)]
struct Findings<'p> {
    policy: &'p Policy,
    found: Vec<Problem>,
}

/// The path of an approvals list in the file.
type Path<'p> = Vec<Step<'p>>;

impl<'p> Findings<'p> {
    /// Whether enough was found: one finding is as good as many, and a hostile file shall not cost more.
    fn full(&self) -> bool {
        self.found.len() >= MOST_PROBLEMS
    }

    fn add(&mut self, code: &'static str, path: &[Step<'_>], message: String, help: String) {
        if self.full() {
            return;
        }
        let place = self.policy.places.find(path);
        self.found.push(Problem { code, place, message, help: Some(help) });
    }

    fn governance(&mut self) {
        if self.policy.governance.is_empty() {
            let message = "nobody may change this policy: `[governance]` asks no approvals".to_owned();
            let help = "add `approvals = [{ role = \"governance\" }]` under `[governance]`".to_owned();
            self.add("policy-no-governance", &[Step::Key("governance")], message, help);
        }
    }

    /// Every list of approvals, with where it stands.
    fn lists(&self) -> Vec<(Path<'p>, &'p [Approval])> {
        let policy = self.policy;
        let named = |table| vec![Step::Key(table), Step::Key("approvals")];
        let mut lists = vec![
            (named("governance"), policy.governance.as_slice()),
            (named("exceptions"), policy.exceptions.approvals.as_slice()),
        ];
        for (at, rule) in policy.rules.iter().enumerate() {
            let path = vec![Step::Key("rule"), Step::At(at), Step::Key("approvals")];
            lists.push((path, rule.approvals.as_slice()));
        }
        lists
    }

    fn approvals(&mut self) {
        for (path, list) in self.lists() {
            let mut fine = true;
            for (at, approval) in list.iter().enumerate() {
                let entry = [path.as_slice(), &[Step::At(at)]].concat();
                let role = [entry.as_slice(), &[Step::Key("role")]].concat();
                fine &= self.role_is_there(&approval.role, &role);
                if approval.count == 0 {
                    fine = false;
                    let message = format!("role `{}` is asked for 0 approvals", approval.role);
                    let count = [entry.as_slice(), &[Step::Key("count")]].concat();
                    self.add("policy-count-zero", &count, message, "1 or more".to_owned());
                }
            }
            if fine && !list.is_empty() && !self.policy.can_fill(list) {
                self.add(
                    "policy-approvals-unfillable",
                    &path,
                    self.policy.why_unfillable(list),
                    UNFILLABLE.to_owned(),
                );
            }
        }
    }

    /// Every other name of a role.
    fn roles_named(&mut self) {
        let policy = self.policy;
        for role in policy.mainline_signed_by.iter().flatten() {
            self.role_in_list(role, &[Step::Key("mainline"), Step::Key("signed_by")]);
        }
        for (name, environment) in &policy.environments {
            for role in &environment.deployers {
                let path = [Step::Key("environments"), Step::Key(name.as_str()), Step::Key("deployers")];
                self.role_in_list(role, &path);
            }
        }
        for (name, kind) in &policy.evidence {
            for role in kind.attested_by.iter().flatten() {
                let path = [Step::Key("evidence"), Step::Key(name.as_str()), Step::Key("attested_by")];
                self.role_in_list(role, &path);
            }
        }
    }

    fn role_in_list(&mut self, role: &Name, list: &[Step<'_>]) {
        if !self.full() && !self.policy.roles.contains_key(role) {
            let path = self.element(list, role.as_str());
            self.role_is_there(role, &path);
        }
    }

    fn role_is_there(&mut self, role: &Name, path: &[Step<'_>]) -> bool {
        let known = self.policy.roles.contains_key(role);
        if !known {
            let names: Vec<&str> = self.policy.roles.keys().map(Name::as_str).collect();
            self.unknown("policy-unknown-role", "role", role.as_str(), &names, path);
        }
        known
    }

    /// Kinds and environments that a rule, a freeze or `[changes.infer]` names.
    fn words_named(&mut self) {
        let policy = self.policy;
        let kinds: Vec<&str> = policy.kinds.iter().map(Name::as_str).collect();
        let environments: Vec<&str> = policy.environments.keys().map(Name::as_str).collect();
        for kind in policy.infer.keys().filter(|kind| !policy.kinds.contains(kind)) {
            let path = [Step::Key("changes"), Step::Key("infer"), Step::Key(kind.as_str())];
            self.unknown("policy-unknown-kind", "kind", kind.as_str(), &kinds, &path);
        }
        let rules = policy
            .rules
            .iter()
            .enumerate()
            .map(|(at, rule)| (vec![Step::Key("rule"), Step::At(at), Step::Key("when")], &rule.when));
        let freezes = policy
            .freezes
            .iter()
            .enumerate()
            .map(|(at, freeze)| (vec![Step::Key("freeze"), Step::At(at)], &freeze.when));
        for (path, when) in rules.chain(freezes).collect::<Vec<_>>() {
            for kind in when.kind.iter().flatten().filter(|kind| !policy.kinds.contains(kind)) {
                let list = [path.as_slice(), &[Step::Key("kind")]].concat();
                let element = self.element(&list, kind.as_str());
                self.unknown("policy-unknown-kind", "kind", kind.as_str(), &kinds, &element);
            }
            for name in
                when.environment.iter().flatten().filter(|name| !policy.environments.contains_key(name))
            {
                let list = [path.as_slice(), &[Step::Key("environment")]].concat();
                let element = self.element(&list, name.as_str());
                self.unknown(
                    "policy-unknown-environment",
                    "environment",
                    name.as_str(),
                    &environments,
                    &element,
                );
            }
        }
    }

    /// Members of roles of whom `allowed_signers` knows nothing.
    fn members(&mut self) {
        let policy = self.policy;
        let named = policy.signers.principals();
        for (name, role) in &policy.roles {
            for member in &role.members {
                if self.full() || named.contains(member) || policy.signers.can_sign(member) {
                    continue;
                }
                let list = [Step::Key("roles"), Step::Key(name.as_str()), Step::Key("members")];
                let path = self.element(&list, member.as_str());
                let message = format!("`{member}` of role `{name}` has no key in `policy/allowed_signers`");
                let near = closest(member.as_str(), named.iter().map(|principal| principal.as_str()));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "add their key there, or take them out here".to_owned(),
                };
                self.add("policy-unknown-member", &path, message, help);
            }
        }
    }

    fn unknown(&mut self, code: &'static str, what: &str, name: &str, known: &[&str], path: &[Step<'_>]) {
        if self.full() {
            return;
        }
        let names = listed(known.iter().copied());
        let help = match closest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? {what}s in this file: {names}"),
            None => format!("{what}s in this file: {names}"),
        };
        self.add(code, path, format!("unknown {what} `{name}`"), help);
    }

    /// The path of the element `text` of the list at `path`.
    fn element<'s>(&self, path: &[Step<'s>], text: &str) -> Vec<Step<'s>> {
        let at = self.policy.places.position(path, text);
        path.iter().copied().chain(at.map(Step::At)).collect()
    }
}

const UNFILLABLE: &str = "add members to these roles, or ask for fewer";

impl Policy {
    /// In words, why a list of approvals cannot be filled.
    pub(super) fn why_unfillable(&self, list: &[Approval]) -> String {
        for approval in list {
            let people = self.role_holders(&approval.role).count();
            if u64::try_from(people).is_ok_and(|people| people < approval.count) {
                let (role, count) = (&approval.role, approval.count);
                return format!("role `{role}` is asked for {count} approvals and has {people} people");
            }
        }
        let roles = listed(list.iter().map(|approval| approval.role.as_str()));
        format!("{roles} cannot be filled with different people: one person fills one place")
    }
}

/// Keys that stand under several principals, and so are nobody's.
fn keys_of_several(policy: &Policy) -> impl Iterator<Item = Problem> {
    policy.signers.findings().into_iter().filter_map(|finding| match finding.kind {
        SignerFindingKind::KeyOfSeveralPrincipals => Some(Problem {
            code: "policy-key-of-several",
            place: Some(finding.place),
            message: finding.text,
            help: Some("one key, one principal: remove the others".to_owned()),
        }),
        SignerFindingKind::WildcardPrincipal | SignerFindingKind::WeakKey => None,
    })
}
