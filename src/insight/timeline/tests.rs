//! Tables of what is folded to what: dates, ends, and which incident hit which deployment.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::decision::ClaimedBasis;
use crate::insight::LoggedRecord;
use crate::ledger::ContentChange;
use crate::model::ContentDigest;
use crate::request::Incident;
use crate::verdict::{
    By, DecisionFact, DecisionShown, IncidentFact, Outcome, RecordFact, Replay, Requirement, Verdict,
};

fn time(minute: i64) -> Time {
    Time::from_unix(1_700_000_000 + minute * 60).unwrap()
}

fn oid(number: u8) -> ObjectId {
    format!("{number:040x}").parse().unwrap()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn mail(text: &str) -> Principal {
    format!("{text}@example.com").parse().unwrap()
}

fn decision(number: u8, verb: Verb, who: &str, role: &str, minute: i64, code: Option<Code>) -> DecisionShown {
    let fact = DecisionFact {
        commit: oid(number),
        verb: Some(verb),
        principal: Some(mail(who)),
        key: None,
        role: Some(name(role)),
        environments: BTreeSet::new(),
        content: None,
        reason: None,
        words: String::new(),
        record: None,
        gate_content: None,
        signed_at: time(minute),
        recorded_at: Some(time(1000)),
        since: time(minute),
        defects: BTreeMap::new(),
        duplicate_of: None,
        restricts: false,
        ancestors: BTreeSet::new(),
        after_incidents: BTreeSet::new(),
    };
    DecisionShown { fact, code, reason: None }
}

fn line(id: RequirementId, status: Status, by: &[u8]) -> Requirement {
    Requirement {
        id,
        status,
        rules: Vec::new(),
        expected: String::new(),
        found: String::new(),
        by: by.iter().map(|number| By { commit: oid(*number), principal: None }).collect(),
        next: None,
    }
}

fn verdict(outcome: Outcome, requirements: Vec<Requirement>, decisions: Vec<DecisionShown>) -> Verdict {
    Verdict {
        gate: "summarizer/v1".parse().unwrap(),
        environment: name("production"),
        outcome,
        content: None,
        change: None,
        requirements,
        decisions,
        exceptions: Vec::new(),
        notices: Vec::new(),
        turns: None,
    }
}

const ALLOWED: Outcome = Outcome::Allowed(Basis::Requirements);

fn record(number: u8, minute: i64, failed: bool) -> LoggedRecord {
    let record = RecordFact {
        commit: oid(number),
        gate: "summarizer/v1".parse().unwrap(),
        content: ContentDigest::of_bytes(b""),
        artifacts: std::sync::Arc::default(),
        claimed: ClaimedBasis::Requirements,
        judged: oid(0),
        time: time(minute),
        principal: Some(mail("bot")),
        defect: None,
        by_deployer: true,
        out_of_chain: false,
        failed,
        replay: Replay::Allowed { basis: Basis::Requirements, exception_expires: None, supports: true },
        unseen_incidents: BTreeSet::new(),
        covers: Vec::new(),
    };
    LoggedRecord { environment: name("production"), record, debt: None, break_glass: false }
}

/// Files changed at these places and minutes; the mainline merge has place 90 and minute 100.
fn told(changes: &[(u32, i64)], order: &[(u8, u32)], judged: Judged) -> Told {
    let change = |(order, minute): &(u32, i64)| ContentChange {
        order: *order,
        commit: oid(200),
        at: time(*minute),
        recorded: true,
    };
    let approved = matches!(judged.verdict.outcome, Outcome::Allowed(_)).then(|| judged.clone());
    Told {
        gate: "summarizer/v1".parse().unwrap(),
        changes: changes.iter().map(change).collect(),
        order: order.iter().map(|(commit, order)| (oid(*commit), *order)).collect(),
        authors: BTreeSet::from([mail("author")]),
        removed: false,
        places: vec![Place {
            environment: name("production"),
            approved,
            last: judged,
            records: Vec::new(),
            incidents: Vec::new(),
        }],
    }
}

fn at_step(verdict: Verdict) -> Judged {
    Judged { at: time(100), order: 90, of_now: false, verdict }
}

#[test]
fn an_approved_gate_waits_for_evidence_then_for_each_role_then_for_its_record() {
    let lead = line(RequirementId::Approval(name("lead")), Status::Met, &[3]);
    let owners = line(RequirementId::Approval(name("owner")), Status::Met, &[4, 5]);
    let decisions = vec![
        decision(3, Verb::Approve, "a", "lead", 30, None),
        decision(4, Verb::Approve, "b", "owner", 40, None),
        decision(5, Verb::Approve, "c", "owner", 50, None),
        decision(6, Verb::Approve, "d", "owner", 60, None),
    ];
    let judged = at_step(verdict(ALLOWED, vec![lead, owners], decisions));
    let told = told(&[(1, 0), (2, 20)], &[(3, 3), (4, 4), (5, 5), (6, 6)], judged);
    let timeline = fold(&told).unwrap();
    let cycle = &timeline.cycles[0];
    assert_eq!((timeline.opened, cycle.complete), (time(0), Some(time(20))));
    // Two places: filled by the second that counts, whoever it is that the matching names.
    assert_eq!(cycle.roles, BTreeMap::from([(name("lead"), time(30)), (name("owner"), time(50))]));
    assert_eq!((cycle.end, cycle.decided), (End::Approved, Some(time(100))));
    assert!(timeline.passed_first(cycle));
    assert_eq!(timeline.rulings[0].after_change, Some(600));
}

#[test]
fn files_that_change_after_a_decision_are_a_second_pass() {
    let stale = decision(3, Verb::Approve, "a", "lead", 30, Some(Code::StaleContent));
    let fresh = decision(5, Verb::Approve, "a", "lead", 50, None);
    let lead = line(RequirementId::Approval(name("lead")), Status::Met, &[5]);
    let judged = at_step(verdict(ALLOWED, vec![lead], vec![stale, fresh]));
    let timeline = fold(&told(&[(1, 0), (4, 40)], &[(3, 3), (5, 5)], judged)).unwrap();
    let cycle = &timeline.cycles[0];
    assert_eq!((cycle.first_ready, cycle.complete), (Some(time(0)), Some(time(40))));
    assert!(!timeline.passed_first(cycle));
    assert_eq!(timeline.rulings[0].effect, Effect::Stale(Code::StaleContent));
    assert_eq!(timeline.rulings[1].after_change, Some(600));
}

#[test]
fn a_rejection_that_counted_is_a_second_pass_and_one_that_never_did_is_not() {
    for (code, first) in [(Code::Superseded, false), (Code::StaleContent, false), (Code::NotInRole, true)] {
        let rejection = decision(3, Verb::Reject, "a", "lead", 30, Some(code));
        let judged = at_step(verdict(ALLOWED, vec![], vec![rejection]));
        let timeline = fold(&told(&[(1, 0)], &[(3, 3)], judged)).unwrap();
        assert_eq!(timeline.passed_first(&timeline.cycles[0]), first, "{code}");
    }
}

#[test]
fn what_was_never_allowed_ends_as_its_last_verdict_says() {
    let rejection = RequirementId::Rejection(mail("a"));
    let closed = |who: &str| {
        let close = decision(3, Verb::Close, who, "lead", 30, None);
        verdict(Outcome::Blocked, vec![line(RequirementId::GateOpen, Status::Failed, &[])], vec![close])
    };
    let rejected = decision(3, Verb::Reject, "a", "lead", 30, None);
    let approval = line(RequirementId::Approval(name("lead")), Status::Missing, &[]);
    let criterion = RequirementId::Criterion("c".parse().unwrap());
    for (verdict, end, decided) in [
        (
            verdict(Outcome::Blocked, vec![line(rejection, Status::Failed, &[])], vec![rejected]),
            End::Rejected,
            Some(time(30)),
        ),
        (closed("stranger"), End::Closed, Some(time(30))),
        (closed("author"), End::Withdrawn, Some(time(30))),
        (verdict(Outcome::Blocked, vec![line(criterion, Status::Failed, &[])], vec![]), End::Blocked, None),
        (verdict(Outcome::Pending, vec![approval], vec![]), End::Pending, None),
    ] {
        let timeline = fold(&told(&[(1, 0)], &[(3, 3)], at_step(verdict))).unwrap();
        let cycle = &timeline.cycles[0];
        assert_eq!((cycle.end, cycle.decided), (end, decided));
        // What lacks evidence is not complete.
        assert_eq!(cycle.complete, (end != End::Blocked).then(|| time(0)), "{end:?}");
    }
}

#[test]
fn a_gate_that_only_a_clock_allowed_was_decided_at_no_known_moment() {
    let judged = Judged { of_now: true, ..at_step(verdict(ALLOWED, vec![], vec![])) };
    let timeline = fold(&told(&[(1, 0)], &[], judged)).unwrap();
    assert_eq!((timeline.cycles[0].end, timeline.cycles[0].decided), (End::Approved, None));
}

#[test]
fn an_incident_hits_what_ran_when_it_began() {
    let incident = |detected: i64, resolved: Option<i64>, open: bool| IncidentFact {
        id: name("INC-1"),
        incident: Incident {
            gate: "summarizer/v1".parse().unwrap(),
            environment: name("production"),
            severity: name("high"),
            detected: time(detected),
            resolved: resolved.map(time),
            summary: String::new(),
            cause: None,
            metrics: BTreeMap::new(),
        },
        opened: oid(9),
        open,
    };
    let opened = 350;
    for (fact, began, ended, hits) in [
        (incident(250, Some(400), false), 250, Some(400), Some(11)),
        // Open again, whatever its file says.
        (incident(250, Some(400), true), 250, None, Some(11)),
        // Not after it was opened, whatever it claims.
        (incident(900, None, true), 350, None, Some(11)),
        // Said to have begun before anything ran: what ran when it was opened.
        (incident(50, Some(60), false), 50, Some(60), Some(11)),
        (incident(150, None, true), 150, None, Some(10)),
    ] {
        let mut told = told(&[(1, 0)], &[], at_step(verdict(ALLOWED, vec![], vec![])));
        told.places[0].records = vec![record(10, 110, false), record(11, 200, false), record(12, 220, true)];
        told.places[0].incidents = vec![(fact, time(opened))];
        let hit = fold(&told).unwrap().cycles[0].incidents[0].clone();
        assert_eq!((hit.began, hit.ended), (time(began), ended.map(time)));
        assert_eq!(hit.record, hits.map(oid));
    }
}

#[test]
fn a_gate_whose_files_never_stood_has_no_timeline() {
    assert_eq!(fold(&told(&[], &[], at_step(verdict(ALLOWED, vec![], vec![])))), None);
}
