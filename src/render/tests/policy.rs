//! The policy in force, and the one that waits.

use super::super::sample::{digest, fact, id, origin};
use super::super::*;
use super::{FORMS, shown};
use crate::decision::Verb;
use crate::model::Code;

#[test]
fn a_policy_that_waits_shows_who_decided_on_it() {
    let decisions = [
        DecisionShown { fact: fact(1, Some(Verb::Approve), "a.ng@example.com"), code: None, reason: None },
        DecisionShown {
            fact: fact(2, Some(Verb::Approve), "l.wu@example.com"),
            code: Some(Code::StalePolicy),
            reason: Some("it names another policy".into()),
        },
    ];
    for form in FORMS {
        let text = shown(&render_policy_status(&origin(), &decisions, &[], form));
        for wanted in ["a.ng@example.com", "l.wu@example.com", "stale-policy", "it names another policy"] {
            assert!(text.contains(wanted), "{form:?} lacks {wanted}: {text}");
        }
        for wanted in [digest(0x77).to_string(), digest(0x78).to_string(), id(0xa6).to_string()] {
            assert!(text.contains(&wanted), "{form:?} lacks {wanted}: {text}");
        }
    }
    insta::assert_snapshot!(render_policy_status(&origin(), &decisions, &[], Form::Text(Style::Plain)));
}

pub(super) fn design_policy() -> Policy {
    let policy = include_bytes!("../../policy/examples/design.toml");
    let signers = include_bytes!("../../policy/examples/allowed_signers");
    Policy::parse(policy, signers).unwrap()
}

#[test]
fn a_policy_as_text() {
    insta::assert_snapshot!(render_policy(&design_policy(), &origin(), Form::Text(Style::Plain)));
}

#[test]
fn a_policy_as_json() {
    insta::assert_snapshot!(render_policy(&design_policy(), &origin(), Form::Json));
}

#[test]
fn every_form_shows_who_holds_what_and_whose_keys_count() {
    let policy = design_policy();
    for form in FORMS {
        let text = shown(&render_policy(&policy, &origin(), form));
        let mut wanted = vec![policy.id.clone()];
        for (name, role) in &policy.roles {
            wanted.push(name.to_string());
            wanted.extend(role.members.iter().map(ToString::to_string));
        }
        for rule in &policy.rules {
            wanted.push(rule.name.to_string());
            wanted.extend(rule.criteria.iter().map(|criterion| criterion.name.to_string()));
        }
        wanted.extend(policy.signers.entries().map(|entry| entry.fingerprint().to_string()));
        wanted.extend(policy.environments.keys().chain(policy.systems.keys()).map(ToString::to_string));
        for wanted in wanted {
            assert!(text.contains(&wanted), "{form:?} lacks {wanted}: {text}");
        }
    }
}
