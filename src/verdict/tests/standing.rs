//! Whether the gate stands, is whole, and may go there now.

use super::*;
use crate::policy::Freeze;
use crate::request::Incident;

#[test]
fn each_way_not_to_stand_has_its_status() {
    for (standing, outcome, line) in [
        (Standing::OnBranch(oid(9)), "pending", "gate:recorded missing"),
        (Standing::Absent, "blocked", "gate:recorded failed"),
        (Standing::Removed(oid(9)), "blocked", "gate:recorded failed"),
        (Standing::BeforeRoot, "blocked", "gate:recorded failed"),
    ] {
        let mut facts = gate().approved();
        facts.standing = standing;
        check(&facts, outcome, &[line]);
    }
}

#[test]
fn what_is_wrong_inside_the_directory_blocks() {
    let bad = |change: fn(&mut GateRequest)| gate().approved().request(change);
    let failed = &["integrity:content failed"][..];
    check(&bad(|request| request.kinds = names(&["prompt", "weights"])), "blocked", failed);
    check(&bad(|request| request.gate = "sum/v2".parse().unwrap()), "blocked", failed);
    let verdict = check(&bad(|request| request.risk = name("none")), "blocked", failed);
    assert_eq!(verdict.change.unwrap().risk, name("high"), "an unknown risk is the highest");
    let no_digest = gate().content(|content| content.digest = None).approved();
    check(&no_digest, "blocked", &["integrity:content failed", "approval:ml-lead stale"]);
    let silent = gate().approved().content(|content| content.request = Err(vec![]));
    check(&silent, "blocked", failed);
}

#[test]
fn people_must_stand_behind_every_file() {
    let by = |authors: &[&str]| {
        let authors = people(authors);
        gate().approved().content(|content| content.authors = authors)
    };
    let failed = &["integrity:authors failed"][..];
    check(&by(&[]), "blocked", failed);
    check(&by(&["bot"]), "blocked", failed);
    check(&by(&["bot", "eve"]), "allowed on requirements", &[]);
    let unsigned = gate().approved().content(|content| {
        content.unsigned_files.push(UnsignedFile {
            path: "a.json".into(),
            commit: oid(7),
            code: Code::Unsigned,
            reason: "no signature".into(),
        });
    });
    check(&unsigned, "blocked", failed);
}

#[test]
fn the_environment_must_be_named_by_policy_and_request() {
    let mut facts = gate().approved();
    facts.environment = name("nowhere");
    check(&facts, "blocked", &["environment:nowhere failed"]);
    let facts = gate().approved().request(|request| request.environments = names(&["staging"]));
    check(&facts, "blocked", &["environment:production failed"]);
}

#[test]
fn required_gates_are_allowed_or_running() {
    let base: GateName = "base/v7".parse().unwrap();
    let with = |known: Option<RequiredFact>| {
        let mut facts = gate().approved().request(|request| request.requires = [base.clone()].into());
        facts.required = known.map(|known| (base.clone(), known)).into_iter().collect();
        facts
    };
    for (known, outcome, status) in [
        (Some(RequiredFact::Pending), "pending", "requires:base/v7 missing"),
        (Some(RequiredFact::Blocked), "blocked", "requires:base/v7 failed"),
        (Some(RequiredFact::Cycle), "blocked", "requires:base/v7 failed"),
        (None, "pending", "requires:base/v7 missing"),
    ] {
        check(&with(known), outcome, &[status]);
    }
    check(&with(Some(RequiredFact::Allowed)), "allowed on requirements", &[]);
    check(&with(Some(RequiredFact::Running)), "allowed on requirements", &[]);
    let itself = gate().approved().request(|request| request.requires = ["sum/v1".parse().unwrap()].into());
    check(&itself, "blocked", &["requires:sum/v1 failed"]);
}

#[test]
fn a_freeze_holds_from_its_first_second_to_before_its_last() {
    let with = |from: i64, until: i64, when: When| {
        gate().approved().policy(|policy| {
            policy.freezes =
                vec![Freeze { name: label("holiday"), when, from: day(from), until: day(until) }];
        })
    };
    check(&with(0, 1, When::default()), "blocked", &["freeze:holiday failed"]);
    check(&with(-1, 0, When::default()), "allowed on requirements", &[]);
    check(&with(1, 2, When::default()), "allowed on requirements", &[]);
    let elsewhere = When { environment: Some(names(&["staging"])), ..When::default() };
    check(&with(0, 1, elsewhere), "allowed on requirements", &[]);
}

pub(super) fn incident(open: bool) -> IncidentFact {
    IncidentFact {
        id: name("i1"),
        incident: Incident {
            gate: "sum/v1".parse().unwrap(),
            environment: name("production"),
            severity: name("high"),
            detected: day(-3),
            resolved: (!open).then(|| day(-2)),
            summary: "it lied".into(),
            cause: None,
            metrics: BTreeMap::new(),
        },
        opened: oid(50),
        open,
    }
}

#[test]
fn an_incident_blocks_while_it_is_open_and_makes_earlier_approvals_stale_for_good() {
    let mut facts = gate().approved();
    facts.incidents = vec![incident(true)];
    check(&facts, "blocked", &["approval:ml-lead stale", "incident:i1 failed"]);
    check_codes(&facts, &["before-incident"]);
    facts.incidents = vec![incident(false)];
    check(&facts, "pending", &["approval:ml-lead stale"]);
    facts.decisions[0].after_incidents = names(&["i1"]);
    check(&facts, "allowed on requirements", &[]);
}

#[test]
fn an_approval_from_before_an_incident_still_ends_the_rejection() {
    let mut facts = gate().and(reject("bob", "ml-lead")).and(approve("bob", "ml-lead"));
    facts.incidents = vec![incident(false)];
    check(&facts, "pending", &["approval:ml-lead stale"]);
}

#[test]
fn artifacts_are_compared_by_digest() {
    let given = |pairs: &[(&str, &str)], required: bool| {
        let mut facts = gate().approved().policy(|policy| {
            policy.environments.get_mut(&name("production")).unwrap().artifacts_required = required;
        });
        facts.given = Given::Artifacts(Arc::new(
            pairs.iter().map(|(name, text)| (name.parse().unwrap(), digest(text))).collect(),
        ));
        facts
    };
    let allowed = "allowed on requirements";
    for required in [true, false] {
        check(&given(&[("m", "m1")], required), allowed, &[]);
        check(&given(&[("m", "m2")], required), "blocked", &["artifact:m failed"]);
        check(&given(&[("m", "m1"), ("x", "x1")], required), "blocked", &["artifact:x failed"]);
    }
    check(&given(&[], false), allowed, &[]);
    check(&given(&[], true), "pending", &["artifact:m missing"]);
    let none = given(&[], true).request(|request| request.artifacts.clear());
    check(&none, "blocked", &["artifact:none failed"]);
    let mut ready = given(&[], true);
    ready.given = Given::NotAsked;
    check(&ready, allowed, &[]);
    let none = ready.request(|request| request.artifacts.clear());
    check(&none, "blocked", &["artifact:none failed"]);
}

#[test]
fn a_gate_that_nobody_knows_is_still_closed_or_rejected() {
    let mut facts = gate().and(close("bob"));
    facts.standing = Standing::OnBranch(oid(9));
    check(&facts, "blocked", &["gate:recorded missing", "gate:open failed"]);
}
