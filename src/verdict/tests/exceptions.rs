//! Exceptions: in force or not, and what they waive.

use super::*;
use crate::request::Exception;

/// A gate whose `evaluation` is missing, with an exception for it, and a policy in which `dan` accepts risks.
fn excepted() -> Facts {
    let mut facts = gate().approved().policy(|policy| {
        policy.rules[0].evidence = vec![name("evaluation")];
        policy.exceptions = Exceptions {
            approvals: asks(&[("compliance", 1)]),
            max_duration: Some(days(14)),
            break_glass_review: None,
        };
    });
    facts.exception = Some(exception_fact(&["evidence:evaluation"]));
    facts
}

pub(super) fn exception_fact(waives: &[&str]) -> ExceptionFact {
    ExceptionFact {
        commit: oid(70),
        content: content("exception"),
        exception: Ok(Exception {
            gate: "sum/v1".parse().unwrap(),
            environments: names(&["production"]),
            waives: waives.iter().map(|id| (*id).to_owned()).collect(),
            reason: "why".into(),
            risk: "what".into(),
            owner: who("cat"),
            controls: vec![],
            follow_ups: vec![],
            expires: Some(day(7)),
        }),
        since: day(-7),
        authors: people(&["fay"]),
        defect: None,
    }
}

pub(super) fn accept(person: &str, role: &str) -> DecisionFact {
    decision(Verb::AcceptRisk, person, Some(role)).of("exception")
}

const OPEN: &[&str] = &["evidence:evaluation missing"];
const WAIVED: &[&str] = &["evidence:evaluation waived"];

#[track_caller]
fn check_not_in_force(facts: &Facts, reason: &str) {
    let verdict = check(facts, "pending", OPEN);
    assert!(!verdict.exceptions[0].in_force);
    assert_eq!(verdict.exceptions[0].reason, reason);
}

#[test]
fn an_accepted_exception_waives_and_never_says_met() {
    check_not_in_force(&excepted(), "awaits accept-risk by compliance");
    let verdict = check(&excepted().and(accept("dan", "compliance")), "allowed on exception", WAIVED);
    assert!(verdict.exceptions[0].in_force);
    assert_eq!(verdict.exceptions[0].reason, "accepted by dan");
}

#[test]
fn what_is_not_wholly_right_is_not_in_force() {
    let with = |change: &dyn Fn(&mut Exception)| {
        let mut facts = excepted().and(accept("dan", "compliance"));
        change(facts.exception.as_mut().unwrap().exception.as_mut().unwrap());
        facts
    };
    check_not_in_force(&with(&|it| it.gate = "sum/v2".parse().unwrap()), "it names gate `sum/v2`");
    check_not_in_force(&with(&|it| it.environments = names(&["staging"])), "it is not for `production`");
    check_not_in_force(&with(&|it| it.expires = None), "it does not say when it expires");
    check_not_in_force(&with(&|it| it.expires = Some(day(0))), "it expired at 2027-01-15T08:00:00Z");
    check_not_in_force(
        &with(&|it| it.expires = Some(day(8))),
        "it expires more than 14d after 2027-01-08T08:00:00Z, when it was made: it is invalid",
    );
    for id in [
        "integrity:content",
        "environment:production",
        "rejection:bob",
        "freeze:x",
        "incident:i",
        "artifact:m",
        "rules:none",
        "gate:open",
        "nonsense",
    ] {
        let reason = format!("it names `{id}`, which cannot be waived: it is invalid");
        check_not_in_force(&with(&|it| it.waives.extend([id.to_owned()])), &reason);
    }
    let mut unreadable = excepted().and(accept("dan", "compliance"));
    unreadable.exception.as_mut().unwrap().exception = Err("no TOML".into());
    check_not_in_force(&unreadable, "it does not read: no TOML");
    let mut unsigned = excepted().and(accept("dan", "compliance"));
    unsigned.exception.as_mut().unwrap().defect = Some("it is not signed".into());
    check_not_in_force(&unsigned, "it is not signed");
    let nobody =
        excepted().and(accept("dan", "compliance")).policy(|policy| policy.exceptions.approvals.clear());
    check_not_in_force(&nobody, "the policy says nobody who may accept a risk");
    let none_of_them = excepted().policy(|policy| policy.exceptions.approvals = asks(&[("compliance", 0)]));
    check_not_in_force(&none_of_them, "awaits accept-risk by compliance");
}

#[test]
fn only_acceptances_of_this_content_where_the_gate_was_as_it_is_count() {
    let with = |decision: DecisionFact, code: &str| {
        let facts = excepted().and(decision);
        check_not_in_force(&facts, "awaits accept-risk by compliance");
        check_codes(&facts, &["counts", code]);
    };
    let dan = || accept("dan", "compliance");
    with(dan().of("other"), "stale-content");
    with(DecisionFact { gate_content: Some(content("old")), ..dan() }, "stale-content");
    with(DecisionFact { gate_content: None, ..dan() }, "stale-content");
    with(accept("eve", "compliance"), "self-approval");
    with(accept("fay", "compliance"), "self-approval");
    with(accept("bot", "compliance"), "bot-in-role");
    with(dan().unrecorded(), "waits");
    with(dan().with(Code::StalePolicy), "stale-policy");
    with(accept("dan", "ml-lead"), "counts");
    with(DecisionFact { record: Some(oid(80)), ..dan() }, "out-of-scope");
    let none = DecisionFact { record: None, ..dan() };
    let mut facts = excepted().and(none);
    facts.exception = None;
    check_codes(&facts, &["counts", "stale-content"]);
}

#[test]
fn acceptances_are_taken_back_like_approvals_and_stand_apart_from_them() {
    let accepted = || excepted().and(accept("dan", "compliance"));
    check(&accepted().and(withdraw("dan")), "pending", OPEN);
    check(&accepted().beside(withdraw("dan")), "pending", OPEN);
    check(&accepted().beside(reject("dan", "compliance").of("old")), "pending", OPEN);
    check(&accepted().and(approve("dan", "compliance")), "allowed on exception", WAIVED);
    check(
        &accepted().and(withdraw("ann")),
        "pending",
        &["evidence:evaluation waived", "approval:ml-lead missing"],
    );
}

#[test]
fn acceptors_are_distinct_people() {
    let two = excepted().policy(|policy| {
        policy.exceptions.approvals = asks(&[("compliance", 1), ("product-lead", 1)]);
    });
    let one = two.and(accept("dan", "compliance")).beside(accept("dan", "product-lead"));
    check_not_in_force(&one, "awaits accept-risk by product-lead");
    check(&one.and(accept("cat", "product-lead")), "allowed on exception", WAIVED);
}

#[test]
fn it_waives_what_it_names_and_nothing_else() {
    let with = |waives: &[&str]| {
        let mut facts = excepted().and(accept("dan", "compliance"));
        facts.exception = Some(exception_fact(waives));
        facts
    };
    check(&with(&["evidence:bias"]), "pending", OPEN);
    assert_eq!(notice_codes(&with(&["evidence:bias"])), ["exception-waives-nothing"]);
    let both = with(&["evidence:evaluation", "approval:ml-lead"]);
    let verdict = check(&both, "allowed on exception", WAIVED);
    assert_eq!(line(&verdict, "approval:ml-lead").status, Status::Met, "what is met is not waived");
    let rejected = both.and(reject("bob", "ml-lead"));
    check(&rejected, "blocked", &["evidence:evaluation waived", "rejection:bob failed"]);
}

#[test]
fn an_incident_makes_earlier_acceptances_stale() {
    let mut facts = excepted().and(accept("dan", "compliance"));
    facts.decisions[0].after_incidents = names(&["i1"]);
    facts.incidents = vec![super::standing::incident(false)];
    check(&facts, "pending", OPEN);
    check_codes(&facts, &["counts", "before-incident"]);
}
