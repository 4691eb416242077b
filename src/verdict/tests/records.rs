//! What the deployment log means: break-glass and rollback.

use super::exceptions::{accept, exception_fact};
use super::*;

const BREAK_GLASS: &[&str] = &["integrity:break-glass failed"];

fn not_allowed() -> RecordFact {
    RecordFact {
        replay: Replay::NotAllowed(
            [RequirementId::Approval(name("ml-lead")), RequirementId::RulesNone].into(),
        ),
        claimed: ClaimedBasis::BreakGlass,
        ..record(80, day(-1))
    }
}

fn with(records: Vec<RecordFact>) -> Facts {
    let mut facts = gate().approved();
    facts.records = records.into_iter().map(Arc::new).collect();
    facts
}

#[test]
fn a_break_glass_is_what_it_is_whatever_it_claims() {
    let bad = |change: fn(&mut RecordFact)| {
        let mut record = not_allowed();
        change(&mut record);
        with(vec![record])
    };
    check(&bad(|_| {}), "blocked", BREAK_GLASS);
    check(&bad(|it| it.claimed = ClaimedBasis::Requirements), "blocked", BREAK_GLASS);
    check(&bad(|it| it.defect = Some("its key was revoked".into())), "blocked", BREAK_GLASS);
    check(&bad(|it| it.failed = true), "blocked", BREAK_GLASS);
    check(&bad(|it| it.gate = "sum/v0".parse().unwrap()), "blocked", BREAK_GLASS);
    check(&bad(|it| it.by_deployer = false), "allowed on requirements", &[]);
    let allowed = |change: fn(&mut RecordFact)| {
        let mut record = record(80, day(-1));
        change(&mut record);
        with(vec![record])
    };
    check(&allowed(|_| {}), "allowed on requirements", &[]);
    check(&allowed(|it| it.out_of_chain = true), "blocked", BREAK_GLASS);
    check(&allowed(|it| it.claimed = ClaimedBasis::BreakGlass), "blocked", BREAK_GLASS);
    check(&allowed(|it| it.replay = Replay::NotReplayable("old".into())), "allowed on requirements", &[]);
}

#[test]
fn a_break_glass_blocks_once_its_review_is_overdue() {
    let review = |review| {
        with(vec![not_allowed()]).policy(|policy| policy.exceptions.break_glass_review = Some(days(review)))
    };
    check(&review(1), "allowed on requirements", &[]);
    assert_eq!(notice_codes(&review(1)), ["break-glass-uncovered"]);
    check(&review(0), "blocked", BREAK_GLASS);
}

fn moment() -> CoverMoment {
    let mut policy = policy();
    policy.exceptions.approvals = asks(&[("compliance", 1)]);
    CoverMoment {
        exception: exception_fact(&["approval:ml-lead", "rules:none"]),
        policy: Arc::new(policy),
        time: day(0),
        decisions: vec![DecisionFact { record: Some(oid(80)), ..accept("dan", "compliance") }],
        gate_authors: people(&["eve"]),
        gate_content: Some(content("gate")),
    }
}

fn covered_by(moments: Vec<CoverMoment>) -> Facts {
    with(vec![RecordFact { covers: moments, ..not_allowed() }])
}

#[test]
fn a_cover_that_was_in_force_at_some_step_covers_for_good() {
    check(&covered_by(vec![moment()]), "allowed on requirements", &[]);
    let gone = CoverMoment { decisions: vec![], ..moment() };
    check(&covered_by(vec![moment(), gone.clone()]), "allowed on requirements", &[]);
    check(&covered_by(vec![gone.clone(), moment()]), "allowed on requirements", &[]);
    check(&covered_by(vec![gone]), "blocked", BREAK_GLASS);
}

#[test]
fn a_cover_must_be_right_in_every_respect() {
    let bad = |change: &dyn Fn(&mut CoverMoment)| {
        let mut moment = moment();
        change(&mut moment);
        check(&covered_by(vec![moment]), "blocked", BREAK_GLASS);
    };
    bad(&|it| it.exception = exception_fact(&["approval:ml-lead"]));
    bad(&|it| it.exception.defect = Some("unsigned".into()));
    bad(&|it| it.exception.exception = Err("no TOML".into()));
    bad(&|it| it.exception.exception.as_mut().unwrap().gate = "sum/v0".parse().unwrap());
    bad(&|it| it.exception.exception.as_mut().unwrap().environments = names(&["staging"]));
    bad(&|it| it.exception.exception.as_mut().unwrap().expires = Some(day(-1)));
    bad(&|it| it.decisions[0].record = None);
    bad(&|it| it.decisions[0].record = Some(oid(81)));
    bad(&|it| it.decisions[0].content = Some(content("other")));
    bad(&|it| it.decisions[0].gate_content = Some(content("other")));
    bad(&|it| it.decisions[0].defects = [(Code::NotInRole, "why".into())].into());
    bad(&|it| it.decisions[0].principal = Some(who("eve")));
    bad(&|it| it.decisions[0].principal = Some(who("fay")));
    bad(&|it| it.decisions[0].principal = Some(who("bot")));
    bad(&|it| it.decisions[0].recorded_at = None);
    bad(&|it| it.decisions[0].verb = Some(Verb::Approve));
    bad(&|it| it.decisions.push(DecisionFact { ancestors: [0].into(), ..withdraw("dan") }));
    let mut open_ended = moment();
    open_ended.exception.exception.as_mut().unwrap().expires = None;
    check(&covered_by(vec![open_ended]), "allowed on requirements", &[]);
}

#[test]
fn an_acceptance_of_a_cover_waives_nothing_to_come() {
    let mut facts =
        covered_by(vec![moment()]).and(DecisionFact { record: Some(oid(80)), ..accept("dan", "compliance") });
    facts.exception = Some(exception_fact(&["approval:ml-lead"]));
    facts =
        facts.policy(|policy| policy.exceptions.approvals = asks(&[("compliance", 1)])).and(withdraw("ann"));
    check(&facts, "pending", &["approval:ml-lead missing"]);
    check_codes(&facts, &["superseded", "counts", "counts"]);
}

#[test]
fn an_acceptance_of_a_cover_is_of_a_record_here_and_of_the_cover_and_the_gate_as_they_stood() {
    let with = |change: fn(&mut DecisionFact)| {
        let mut accepts = DecisionFact { record: Some(oid(80)), ..accept("dan", "compliance") };
        change(&mut accepts);
        covered_by(vec![moment()]).and(accepts)
    };
    check_codes(&with(|_| {}), &["counts", "counts"]);
    check_codes(&with(|it| it.record = Some(oid(81))), &["counts", "out-of-scope"]);
    check_codes(&with(|it| it.content = Some(content("other"))), &["counts", "stale-content"]);
    check_codes(&with(|it| it.gate_content = Some(content("other"))), &["counts", "stale-content"]);
    check_codes(&with(|it| it.principal = Some(who("fay"))), &["counts", "self-approval"]);
}

/// Nothing approved, a window of 30 days, and these records.
fn returning(records: Vec<RecordFact>) -> Facts {
    let mut facts = gate().policy(|policy| {
        policy.environments.get_mut(&name("production")).unwrap().rollback_window = Some(days(30));
    });
    facts.records = records.into_iter().map(Arc::new).collect();
    facts
}

const MISSING: &[&str] = &["approval:ml-lead missing"];

fn other(commit: usize, at: i64) -> RecordFact {
    RecordFact { gate: "sum/v2".parse().unwrap(), ..record(commit, day(at)) }
}

#[test]
fn a_version_that_ran_here_returns_within_the_window() {
    check(&returning(vec![record(80, day(-400))]), "allowed on rollback", MISSING);
    check(&returning(vec![record(80, day(-400)), other(81, -30)]), "allowed on rollback", MISSING);
    check(&returning(vec![record(80, day(-400)), other(81, -31)]), "pending", MISSING);
    check(&returning(vec![other(81, -1)]), "pending", MISSING);
    let no_window = returning(vec![record(80, day(-1))])
        .policy(|policy| policy.environments.get_mut(&name("production")).unwrap().rollback_window = None);
    check(&no_window, "pending", MISSING);
    assert_eq!(notice_codes(&no_window), ["rollback-refused"]);
}

#[test]
fn a_failed_successor_makes_no_older_version_fresher_and_a_bad_record_ends_no_run() {
    let failed = RecordFact { failed: true, ..other(81, -31) };
    check(&returning(vec![record(80, day(-400)), failed]), "pending", MISSING);
    let own_failed = RecordFact { failed: true, ..record(82, day(-1)) };
    check(&returning(vec![record(80, day(-400)), other(81, -31), own_failed]), "pending", MISSING);
    let void = RecordFact { defect: Some("unsigned".into()), ..other(81, -31) };
    check(&returning(vec![record(80, day(-400)), void]), "allowed on rollback", MISSING);
    // What it ran by a break-glass makes it no fresher; what it ran by an allowed rollback does.
    let again =
        |replay| vec![record(80, day(-400)), other(81, -40), RecordFact { replay, ..record(82, day(-1)) }];
    let open = ["integrity:break-glass failed", "approval:ml-lead missing"];
    let facts = returning(again(Replay::NotAllowed(BTreeSet::new())));
    check(&facts, "blocked", &open);
    let rollback = Replay::Allowed { basis: Basis::Rollback, exception_expires: None, supports: true };
    check(&returning(again(rollback)), "allowed on rollback", MISSING);
}

#[test]
fn only_a_record_that_is_good_in_every_respect_supports() {
    let bad = |change: fn(&mut RecordFact)| {
        let mut record = record(80, day(-1));
        change(&mut record);
        check(&returning(vec![record]), "pending", MISSING);
    };
    bad(|it| it.content = content("other"));
    bad(|it| it.gate = "sum/v2".parse().unwrap());
    bad(|it| it.defect = Some("out of chain".into()));
    bad(|it| it.failed = true);
    bad(|it| it.unseen_incidents.extend([name("i1")]));
    bad(|it| it.replay = Replay::NotReplayable("before the root".into()));
    bad(|it| it.artifacts = BTreeMap::from([("m".parse().unwrap(), digest("m0"))]).into());
    let replay = |basis, exception_expires, supports| Replay::Allowed { basis, exception_expires, supports };
    for (replay, outcome) in [
        (replay(Basis::Requirements, None, true), "allowed on rollback"),
        (replay(Basis::Requirements, None, false), "pending"),
        (replay(Basis::Rollback, None, true), "pending"),
        (replay(Basis::Exception, None, true), "pending"),
        (replay(Basis::Exception, Some(day(0)), true), "pending"),
        (replay(Basis::Exception, Some(day(1)), true), "allowed on rollback"),
        (replay(Basis::Exception, Some(day(1)), false), "pending"),
    ] {
        check(&returning(vec![RecordFact { replay, ..record(80, day(-1)) }]), outcome, MISSING);
    }
    let expiring = RecordFact { replay: replay(Basis::Exception, Some(day(1)), true), ..record(80, day(-1)) };
    assert_eq!(judge(&returning(vec![expiring])).turns, Some(day(1)));
    assert_eq!(judge(&returning(vec![record(80, day(-1))])).turns, None);
}

#[test]
fn a_rollback_is_of_the_same_artifacts() {
    let with = |logged: &[(&str, &str)], given: &[(&str, &str)], required: bool| {
        let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<_, _> {
            pairs.iter().map(|(name, text)| (name.parse().unwrap(), digest(text))).collect()
        };
        let mut facts =
            returning(vec![RecordFact { artifacts: pairs(logged).into(), ..record(80, day(-1)) }]);
        facts.given = Given::Artifacts(pairs(given).into());
        facts.policy(|policy| {
            policy.environments.get_mut(&name("production")).unwrap().artifacts_required = required;
        })
    };
    check(&with(&[("m", "m1")], &[("m", "m1")], true), "allowed on rollback", MISSING);
    check(&with(&[], &[("m", "m1")], true), "pending", MISSING);
    check(&with(&[], &[("m", "m1")], false), "allowed on rollback", MISSING);
    check(&with(&[("m", "m0")], &[("m", "m1")], false), "pending", MISSING);
    check(&with(&[("m", "m1")], &[], false), "allowed on rollback", MISSING);
}

#[test]
fn a_rollback_passes_over_people_and_reports_and_nothing_else() {
    let record = || vec![record(80, day(-1))];
    let required =
        returning(record()).request(|request| request.requires = ["base/v7".parse().unwrap()].into());
    check(&required, "allowed on rollback", &["approval:ml-lead missing", "requires:base/v7 missing"]);
    let overdue = returning(vec![
        record().remove(0),
        RecordFact { commit: oid(81), ..not_allowed() },
        record().remove(0),
    ]);
    check(&overdue, "allowed on rollback", &["integrity:break-glass failed", "approval:ml-lead missing"]);
    for (facts, line) in [
        (returning(record()).and(reject("bob", "ml-lead")), "rejection:bob failed"),
        (returning(record()).and(close("bob")), "gate:open failed"),
        (returning(record()).content(|content| content.authors.clear()), "integrity:authors failed"),
        (
            returning(record()).request(|request| request.environments = names(&["staging"])),
            "environment:production failed",
        ),
    ] {
        let verdict = judge(&facts);
        assert_eq!(verdict.outcome, Outcome::Blocked, "{line}");
        assert!(
            verdict
                .requirements
                .iter()
                .any(|found| format!("{} {}", found.id, found.status.as_str()) == line)
        );
    }
    let nobody_asked = returning(record()).policy(|policy| policy.rules[0].approvals.clear());
    check(&nobody_asked, "blocked", &["rules:none failed"]);
    let mut incident = returning(record());
    incident.incidents = vec![super::standing::incident(true)];
    check(&incident, "blocked", &["approval:ml-lead missing", "incident:i1 failed"]);
}
