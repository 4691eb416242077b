//! What holds of every case: any decisions of a few people, in any roles, on any content, in any order of ancestry.

use proptest::prelude::*;
use proptest::sample::select;

use super::exceptions::{accept, exception_fact};
use super::*;
use crate::policy::Freeze;

/// A decision of the few that there are, with a mask of ancestors among those before it.
fn any_decision() -> impl Strategy<Value = (DecisionFact, u16)> {
    let verb = select(vec![
        Verb::Approve,
        Verb::Approve,
        Verb::Approve,
        Verb::Reject,
        Verb::Withdraw,
        Verb::Close,
        Verb::AcceptRisk,
    ]);
    let person = select(vec!["ann", "bob", "cat", "dan", "eve", "bot"]);
    let role = select(vec!["ml-lead", "product-lead", "compliance"]);
    let text = prop_oneof![4 => Just("gate"), 1 => Just("old"), 1 => Just("exception")];
    let scope = prop_oneof![4 => Just(&[][..]), 1 => Just(&["staging"][..]), 1 => Just(&["production"][..])];
    let code = prop_oneof![4 => Just(None), 1 => select(Code::ALL.to_vec()).prop_map(Some)];
    let rest =
        (prop::bool::weighted(0.8), any::<bool>(), prop_oneof![4 => Just(-5), 1 => Just(-100)], any::<u16>());
    (verb, person, role, text, scope, code, rest).prop_map(
        |(verb, person, role, text, scope, code, (recorded, restricts, since, ancestors))| {
            let mut fact = decision(verb, person, Some(role)).of(text).only_for(scope).made(day(since));
            fact.recorded_at = fact.recorded_at.filter(|_| recorded);
            fact.restricts = fact.restricts && restricts;
            fact.defects = code.into_iter().map(|code| (code, "why".to_owned())).collect();
            (fact, ancestors)
        },
    )
}

/// A gate that asks for two roles and an exception, with up to eight decisions, ancestry closed.
fn any_facts() -> impl Strategy<Value = Facts> {
    let asked = prop_oneof![
        Just(vec![("ml-lead", 1)]),
        Just(vec![("ml-lead", 2)]),
        Just(vec![("ml-lead", 1), ("product-lead", 1)]),
    ];
    let extras = (any::<bool>(), any::<bool>(), any::<bool>());
    (asked, prop::collection::vec(any_decision(), 0..8), extras).prop_map(
        |(asked, decisions, (record_there, evidence, incident))| {
            let mut facts = gate().policy(|policy| {
                policy.rules[0].approvals = asks(&asked);
                policy.rules[0].evidence = if evidence { vec![name("evaluation")] } else { vec![] };
                policy.exceptions.approvals = asks(&[("compliance", 1)]);
                policy.environments.get_mut(&name("production")).unwrap().rollback_window = Some(days(1));
            });
            facts.exception = Some(exception_fact(&["evidence:evaluation"]));
            if record_there {
                facts.records = vec![Arc::new(record(80, day(-10)))];
            }
            if incident {
                facts.incidents = vec![super::standing::incident(false)];
            }
            for (place, (fact, mask)) in decisions.into_iter().enumerate() {
                let mut ancestors: BTreeSet<usize> =
                    (0..place).filter(|bit| mask & (1 << bit) != 0).collect();
                for parent in ancestors.clone() {
                    ancestors.extend(facts.decisions[parent].ancestors.iter().copied());
                }
                let after_incidents = if mask & 0x8000 == 0 { names(&["i1"]) } else { names(&[]) };
                facts.decisions.push(DecisionFact {
                    commit: oid(100 + place),
                    ancestors,
                    after_incidents,
                    ..fact
                });
            }
            facts
        },
    )
}

/// The same without the decision at `gone`.
fn without(mut facts: Facts, gone: usize) -> Facts {
    facts.decisions.remove(gone);
    for fact in &mut facts.decisions {
        fact.ancestors.remove(&gone);
        fact.ancestors =
            fact.ancestors.iter().map(|place| if *place > gone { place - 1 } else { *place }).collect();
    }
    facts
}

/// How open the gate is.
fn openness(facts: &Facts) -> u8 {
    match judge(facts).outcome {
        Outcome::Blocked => 0,
        Outcome::Pending => 1,
        Outcome::Allowed(_) => 2,
    }
}

fn shown(verdict: &Verdict) -> String {
    format!("{:?} {:#?} {:#?}", verdict.outcome, verdict.requirements, verdict.exceptions)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_same_facts_give_the_same_verdict(facts in any_facts()) {
        prop_assert_eq!(format!("{:?}", judge(&facts)), format!("{:?}", judge(&facts.clone())));
    }

    /// An approval that does not count may close: it can be a newer word of the same person, on other content.
    #[test]
    fn an_approval_that_counts_never_closes_a_gate_and_its_absence_never_opens_one(facts in any_facts()) {
        let verdict = judge(&facts);
        for (place, it) in verdict.decisions.iter().enumerate() {
            if it.fact.verb == Some(Verb::Approve) && it.counts() {
                prop_assert!(openness(&without(facts.clone(), place)) <= openness(&facts));
            }
        }
    }

    #[test]
    fn a_rejection_or_close_never_opens_a_gate(facts in any_facts()) {
        for (place, fact) in facts.decisions.iter().enumerate() {
            if matches!(fact.verb, Some(Verb::Reject | Verb::Close)) {
                prop_assert!(openness(&without(facts.clone(), place)) >= openness(&facts));
            }
        }
    }

    #[test]
    fn the_order_of_decisions_does_not_matter(facts in any_facts()) {
        let last = facts.decisions.len();
        let mut turned = facts.clone();
        turned.decisions.reverse();
        for fact in &mut turned.decisions {
            fact.ancestors = fact.ancestors.iter().map(|place| last - 1 - place).collect();
        }
        let (straight, turned) = (judge(&facts), judge(&turned));
        prop_assert_eq!(shown(&straight), shown(&turned));
        let codes = |verdict: &Verdict| -> BTreeMap<ObjectId, (Option<Code>, Option<String>)> {
            verdict.decisions.iter().map(|it| (it.fact.commit, (it.code, it.reason.clone()))).collect()
        };
        prop_assert_eq!(codes(&straight), codes(&turned));
    }

    #[test]
    fn the_order_of_reports_changes_no_status(facts in any_facts(), values in prop::collection::vec(0.0..1.0f64, 0..4)) {
        let mut facts = facts.policy(|policy| {
            policy.rules[0].criteria = vec![Criterion { max: Some(0.5), ..criterion("rate") }];
        });
        for (n, value) in values.iter().enumerate() {
            facts = facts.report(&format!("{n}.json"), report(&[("rate", *value)]));
        }
        let turned = facts.clone().content(|content| content.evidence.reverse());
        let statuses = |facts: &Facts| -> Vec<_> {
            judge(facts).requirements.into_iter().map(|line| (line.id, line.status)).collect()
        };
        prop_assert_eq!(statuses(&facts), statuses(&turned));
    }

    #[test]
    fn a_strangers_decisions_change_nothing(facts in any_facts(), (fact, _) in any_decision()) {
        let stranger = DecisionFact { principal: Some(who("mallory")), restricts: false, ..fact }.with(Code::NotInRole);
        prop_assert_eq!(shown(&judge(&facts)), shown(&judge(&facts.and(stranger))));
    }

    #[test]
    fn a_second_key_of_the_same_person_changes_nothing(facts in any_facts()) {
        for (place, fact) in facts.decisions.iter().enumerate().filter(|(_, fact)| fact.verb == Some(Verb::Approve)) {
            let mut again = facts.clone();
            // It is signed where the first one is: what descends from that descends from both.
            for later in again.decisions.iter_mut().filter(|later| later.ancestors.contains(&place)) {
                later.ancestors.insert(facts.decisions.len());
            }
            again.decisions.push(DecisionFact {
                key: Some("SHA256:other".into()),
                commit: oid(999),
                ..fact.clone()
            });
            prop_assert_eq!(openness(&facts), openness(&again));
        }
    }

    #[test]
    fn allowed_means_that_every_line_is_met_waived_or_passed_over(facts in any_facts()) {
        let verdict = judge(&facts);
        let open = |line: &&Requirement| line.status != Status::Met;
        let people = verdict.decisions.iter().filter(|it| it.fact.verb == Some(Verb::Approve) && it.counts()).count();
        match verdict.outcome {
            Outcome::Allowed(Basis::Requirements) => {
                prop_assert!(verdict.requirements.iter().find(open).is_none() && people > 0);
            }
            Outcome::Allowed(Basis::Exception) => {
                prop_assert!(verdict.requirements.iter().filter(open).all(|line| line.status == Status::Waived));
                prop_assert!(people > 0 && verdict.exceptions[0].in_force);
            }
            Outcome::Allowed(Basis::Rollback) => prop_assert!(!facts.records.is_empty()),
            Outcome::Pending => {
                prop_assert!(verdict.requirements.iter().all(|line| line.status != Status::Failed));
            }
            Outcome::Blocked => {
                prop_assert!(verdict.requirements.iter().any(|line| line.status == Status::Failed));
            }
        }
        let mut ids: Vec<_> = verdict.requirements.iter().map(|line| line.id.clone()).collect();
        prop_assert!(ids.is_sorted());
        ids.dedup();
        prop_assert_eq!(ids.len(), verdict.requirements.len(), "one line an id");
        prop_assert!(verdict.notices.iter().all(|it| NOTICE_CODES.iter().any(|(code, _)| *code == it.code)));
    }

    /// Whatever may grow old, expire, begin or end: before the moment at which a verdict turns it is the one given.
    #[test]
    fn until_it_turns_a_verdict_is_the_same(
        facts in any_facts(),
        (approvals, reports, review, window) in (1i64..150, 1i64..60, 1i64..5, 1i64..20),
        (from, expires, later) in (-2i64..9, -1i64..9, 1i64..4_000_000),
        (not_allowed, older, accepted) in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let mut facts = facts.report("r.json", report(&[])).policy(|policy| {
            policy.approvals_max_age = Some(days(approvals));
            policy.evidence.insert(name("evaluation"), EvidenceKind { max_age: Some(days(reports)), ..EvidenceKind::default() });
            policy.exceptions.break_glass_review = Some(days(review));
            policy.environments.get_mut(&name("production")).unwrap().rollback_window = Some(days(window));
            policy.freezes =
                vec![Freeze { name: label("f"), when: When::default(), from: day(from), until: day(from + 2) }];
        });
        if let Some(Ok(exception)) = facts.exception.as_mut().map(|it| &mut it.exception) {
            exception.expires = Some(day(expires));
        }
        if accepted {
            facts = facts.and(accept("cat", "compliance"));
        }
        let mut records = vec![record(80, day(-10))];
        if let Replay::Allowed { basis, exception_expires, .. } = &mut records[0].replay && older {
            (*basis, *exception_expires) = (Basis::Exception, Some(day(expires)));
        }
        if not_allowed {
            let gate = "sum/v0".parse().unwrap();
            records.push(RecordFact { replay: Replay::NotAllowed([RequirementId::RulesNone].into()), gate, ..record(81, day(-2)) });
        }
        facts.records = records.into_iter().map(Arc::new).collect();
        let shape = |facts: &Facts| {
            let verdict = judge(facts);
            let lines: Vec<_> = verdict.requirements.iter().map(|line| (line.id.clone(), line.status)).collect();
            let codes: Vec<_> = verdict.decisions.iter().map(|it| (it.fact.commit, it.code)).collect();
            let in_force: Vec<_> = verdict.exceptions.iter().map(|it| it.in_force).collect();
            (format!("{:?} {lines:?} {codes:?} {in_force:?}", verdict.outcome), verdict.turns)
        };
        let (first, turns) = shape(&facts);
        prop_assert!(turns.is_none_or(|turns| turns > facts.time));
        // Just before it turns, and at some moment before that.
        let last = turns.map_or(later, |turns| turns.seconds_since(facts.time) - 1);
        for seconds in [last, later.min(last)] {
            let mut then = facts.clone();
            then.time = Time::from_unix(facts.time.unix() + seconds).unwrap();
            prop_assert_eq!(&shape(&then).0, &first);
        }
    }

    #[test]
    fn ancestors_that_make_no_sense_are_no_panic(facts in any_facts(), wild in prop::collection::vec(0usize..20, 0..8)) {
        let mut facts = facts;
        for (fact, place) in facts.decisions.iter_mut().zip(wild) {
            fact.ancestors.insert(place);
            fact.duplicate_of = Some(place);
        }
        judge(&facts);
    }
}
