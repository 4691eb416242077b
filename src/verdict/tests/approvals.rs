//! Filling the places of a checklist.

use super::*;

fn asking(roles: &[(&str, u64)]) -> Facts {
    gate().policy(|policy| policy.rules[0].approvals = asks(roles))
}

#[test]
fn one_person_fills_one_place_whatever_roles_and_keys() {
    let both = asking(&[("ml-lead", 1), ("product-lead", 1)]);
    let ann_twice = both.and(approve("ann", "ml-lead")).beside(approve("ann", "product-lead"));
    let verdict = check(&ann_twice, "pending", &["approval:product-lead missing"]);
    assert_eq!(line(&verdict, "approval:ml-lead").found, "1 (ann)");
    check(&ann_twice.and(approve("bob", "ml-lead")), "allowed on requirements", &[]);

    let other_key = DecisionFact { key: Some("SHA256:other".into()), ..approve("ann", "ml-lead") };
    let two = asking(&[("ml-lead", 2)]).approved().beside(other_key);
    let verdict = check(&two, "pending", &["approval:ml-lead missing"]);
    assert_eq!(line(&verdict, "approval:ml-lead").by[0].commit, oid(100));
}

#[test]
fn of_several_approvals_by_one_person_the_smallest_commit_stands_for_them_in_any_order() {
    for (first, second) in [(200, 100), (100, 200)] {
        let mut facts = gate().approved().beside(approve("ann", "ml-lead"));
        facts.decisions[0].commit = oid(first);
        facts.decisions[1].commit = oid(second);
        let verdict = check(&facts, "allowed on requirements", &[]);
        let by: Vec<ObjectId> = line(&verdict, "approval:ml-lead").by.iter().map(|by| by.commit).collect();
        assert_eq!(by, [oid(100)]);
    }
}

#[test]
fn the_highest_count_over_the_matching_rules_holds_and_all_are_named() {
    let facts = gate().policy(|policy| {
        policy.rules.push(rule("two", |rule| rule.approvals = asks(&[("ml-lead", 2)])));
        policy.rules.push(rule("never", |rule| {
            rule.approvals = asks(&[("ml-lead", 9)]);
            rule.when.environment = Some(names(&["elsewhere"]));
        }));
    });
    let verdict = check(&facts.approved(), "pending", &["approval:ml-lead missing"]);
    let line = line(&verdict, "approval:ml-lead");
    assert_eq!((line.expected.as_str(), line.found.as_str()), ("2 approvals", "1 (ann)"));
    assert_eq!(line.rules, [label("every change"), label("two")]);
    let next = line.next.unwrap();
    assert_eq!(next.who, [who("bob")], "not the author, the bot, nor who is used");
    assert_eq!(next.command, "git gate approve sum/v1 --role ml-lead");
}

#[test]
fn a_place_that_was_filled_is_stale() {
    for decision in [approve("ann", "ml-lead").of("old"), approve("ann", "ml-lead").made(day(-91)).of("old")]
    {
        check(&gate().and(decision), "pending", &["approval:ml-lead stale"]);
    }
    for decision in [
        approve("eve", "ml-lead").of("old"),
        approve("ann", "product-lead").of("old"),
        approve("ann", "ml-lead").of("old").only_for(&["staging"]),
        approve("ann", "ml-lead").of("old").unrecorded(),
    ] {
        check(&gate().and(decision), "pending", &["approval:ml-lead missing"]);
    }
    // A stale approval by one who fills another place would fill nothing.
    let facts = asking(&[("ml-lead", 1), ("product-lead", 1)])
        .and(approve("ann", "product-lead"))
        .and(approve("ann", "ml-lead").of("old"));
    check(&facts, "pending", &["approval:ml-lead missing"]);
}

#[test]
fn an_approval_in_a_role_not_asked_for_counts_and_fills_nothing() {
    let facts = gate().and(approve("cat", "product-lead"));
    check_codes(&facts, &["counts"]);
    check(&facts, "pending", &["approval:ml-lead missing"]);
}

#[test]
fn a_checklist_that_asks_nobody_fails() {
    let facts = gate().policy(|policy| policy.rules[0].approvals.clear());
    let verdict = check(&facts.approved(), "blocked", &["rules:none failed"]);
    assert_eq!(line(&verdict, "rules:none").next.unwrap().who, [who("dan")], "who governs can mend it");
    let facts = gate().policy(|policy| policy.rules[0].when.risk = Some([risk(1)].into()));
    check(&facts.clone().approved(), "blocked", &["rules:none failed"]);
    let facts = facts.policy(|policy| policy.systems.get_mut(&name("sum")).unwrap().risk = Some(risk(1)));
    check(&facts.approved(), "allowed on requirements", &[]);
}

#[test]
fn a_count_of_none_asks_for_one_and_a_huge_one_takes_no_time() {
    check(&asking(&[("ml-lead", 0)]), "pending", &["approval:ml-lead missing"]);
    check(&asking(&[("ml-lead", u64::MAX)]).approved(), "pending", &["approval:ml-lead missing"]);
}

#[test]
fn rules_match_what_the_requester_cannot_talk_down() {
    let with = |change: fn(&mut When)| {
        gate()
            .policy(|policy| {
                policy.rules.push(rule("more", |rule| {
                    rule.approvals = asks(&[("compliance", 1)]);
                    change(&mut rule.when);
                }));
                policy.infer = [(name("model"), vec![Glob::new("*.ONNX")])].into();
            })
            .approved()
    };
    let asked = |facts: Facts| judge(&facts).outcome == Outcome::Pending;
    assert!(!asked(with(|when| when.kind = Some(names(&["model"])))));
    assert!(asked(with(|when| when.kind = Some(names(&["prompt", "model"])))));
    let onnx = |request: &mut GateRequest| {
        let artifact = Artifact { digest: digest("m1"), uri: None };
        request.artifacts.insert("deep/Net.OnnX".parse().unwrap(), artifact);
    };
    assert!(asked(with(|when| when.kind = Some(names(&["model"]))).request(onnx)));
    assert!(!asked(with(|when| when.tag = Some(names(&["public"])))));
    let unlisted = |policy: &mut Policy| policy.systems.clear();
    assert!(asked(with(|when| when.tag = Some(names(&["public"]))).policy(unlisted)));
    assert!(!asked(with(|when| when.risk = Some([risk(1)].into()))));
    assert!(asked(with(|when| when.risk = Some([risk(1)].into())).policy(unlisted)));
    assert!(asked(with(|when| when.system = Some(vec![Glob::new("s*")]))));
    assert!(!asked(with(|when| when.system = Some(vec![Glob::new("t*")]))));
    assert!(!asked(with(|when| {
        when.system = Some(vec![Glob::new("s*")]);
        when.environment = Some(names(&["staging"]));
    })));
}
