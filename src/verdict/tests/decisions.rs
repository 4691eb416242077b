//! Which decisions count, and the code of each that does not.

use super::*;

#[test]
fn an_approval_of_what_stands_counts() {
    check(&gate(), "pending", &["approval:ml-lead missing"]);
    check(&gate().approved(), "allowed on requirements", &[]);
}

#[test]
fn each_defect_of_an_approval_has_its_code() {
    let bad = |change: fn(&mut DecisionFact)| {
        let mut decision = approve("ann", "ml-lead");
        change(&mut decision);
        gate().and(decision)
    };
    check_codes(&bad(|it| it.content = Some(content("old"))), &["stale-content"]);
    check_codes(&bad(|it| it.content = None), &["stale-content"]);
    check_codes(&bad(|it| it.environments = names(&["staging"])), &["out-of-scope"]);
    check_codes(&bad(|it| it.environments = names(&["staging", "production"])), &["counts"]);
    check_codes(&bad(|it| it.since = day(-91)), &["expired"]);
    check_codes(&bad(|it| it.since = day(-90)), &["counts"]);
    check_codes(&bad(|it| it.principal = Some(who("eve"))), &["self-approval"]);
    check_codes(&bad(|it| it.principal = Some(who("bot"))), &["bot-in-role"]);
    check_codes(&bad(|it| it.recorded_at = None), &["waits"]);
    check_codes(&bad(|it| it.verb = None), &["malformed"]);
    check_codes(&bad(|it| it.role = None), &["malformed"]);
    check_codes(&bad(|it| it.principal = None), &["unknown-key"]);
    for code in Code::ALL {
        let mut decision = approve("ann", "ml-lead");
        decision.defects = [(code, "why".to_owned())].into();
        check_codes(&gate().and(decision), &[code.as_str()]);
    }
}

#[test]
fn of_several_codes_the_first_is_reported() {
    let decision = approve("eve", "ml-lead").of("old").made(day(-100)).with(Code::NotInRole);
    check_codes(&gate().and(decision), &["not-in-role"]);
    check_codes(&gate().and(approve("eve", "ml-lead").of("old").made(day(-100))), &["self-approval"]);
    check_codes(&gate().and(approve("ann", "ml-lead").of("old").made(day(-100))), &["stale-content"]);
}

#[test]
fn nobody_approves_what_does_not_stand() {
    let mut facts = gate().approved();
    facts.standing = Standing::Absent;
    check_codes(&facts, &["stale-content"]);
    let invalid = gate().approved().content(|content| {
        content.digest = None;
        content.request = Err(vec!["`gate.toml`: no TOML".into()]);
    });
    check_codes(&invalid, &["stale-content"]);
    check(&invalid, "blocked", &["integrity:content failed"]);
    check_codes(
        &invalid.and(DecisionFact { content: None, ..reject("bob", "ml-lead") }),
        &["stale-content"; 2],
    );
}

#[test]
fn a_withdrawal_takes_back_what_it_descends_from_and_what_stands_beside_it() {
    check_codes(&gate().approved().and(withdraw("ann")), &["superseded", "counts"]);
    check_codes(&gate().approved().beside(withdraw("ann")), &["superseded", "counts"]);
    check_codes(&gate().and(withdraw("ann")).approved(), &["counts", "counts"]);
    check_codes(&gate().approved().and(withdraw("bob")), &["counts", "counts"]);
    check_codes(&gate().approved().and(withdraw("ann").unrecorded()), &["superseded", "counts"]);
}

#[test]
fn a_withdrawal_with_a_defect_takes_back_approvals_once_its_signature_is_good() {
    let defective = withdraw("ann").with(Code::Malformed);
    check_codes(&gate().approved().and(defective.clone()), &["superseded", "counts"]);
    let unsigned = DecisionFact { restricts: false, ..defective };
    check_codes(&gate().approved().and(unsigned), &["counts", "malformed"]);
}

#[test]
fn a_rejection_takes_back_its_signers_approvals_in_every_role() {
    let facts = gate().approved().and(approve("ann", "product-lead"));
    check_codes(&facts.clone().and(reject("ann", "ml-lead")), &["superseded", "superseded", "counts"]);
    check_codes(
        &facts.beside(reject("ann", "ml-lead").of("old")),
        &["superseded", "superseded", "stale-content"],
    );
}

#[test]
fn a_rejection_with_a_defect_takes_back_approvals_once_its_signature_is_good() {
    let defective = reject("ann", "product-lead").of("old").with(Code::Malformed);
    check_codes(&gate().approved().and(defective.clone()), &["superseded", "stale-content"]);
    let unsigned = DecisionFact { restricts: false, ..defective };
    check_codes(&gate().approved().and(unsigned), &["counts", "malformed"]);
}

#[test]
fn a_later_approval_in_the_same_role_replaces_for_its_environments() {
    let first = || gate().approved();
    check_codes(&first().and(approve("ann", "ml-lead").of("new")), &["superseded", "stale-content"]);
    check_codes(&first().and(approve("ann", "product-lead").of("new")), &["counts", "stale-content"]);
    let scoped = approve("ann", "ml-lead").of("new").only_for(&["staging"]);
    check_codes(&first().and(scoped), &["counts", "stale-content"]);
    check_codes(&first().beside(approve("ann", "ml-lead").of("new")), &["counts", "stale-content"]);
    check_codes(&first().and(approve("bob", "ml-lead").of("new")), &["counts", "stale-content"]);
}

#[test]
fn only_what_is_wholly_good_and_recorded_replaces() {
    let later = approve("ann", "ml-lead").of("new");
    check_codes(&gate().approved().and(later.clone().with(Code::StalePolicy)), &["counts", "stale-policy"]);
    check_codes(&gate().approved().and(later.unrecorded()), &["counts", "stale-content"]);
}

#[test]
fn a_rejection_blocks_its_content_and_only_that() {
    check(&gate().approved().and(reject("bob", "ml-lead")), "blocked", &["rejection:bob failed"]);
    check(&gate().approved().and(reject("bob", "ml-lead").of("old")), "allowed on requirements", &[]);
    check(
        &gate().approved().and(reject("bob", "ml-lead").unrecorded()),
        "blocked",
        &["rejection:bob failed"],
    );
}

#[test]
fn a_rejection_blocks_in_spite_of_any_defect_once_it_restricts() {
    for code in Code::ALL.into_iter().filter(|code| *code != Code::Duplicate) {
        let rejection = reject("bob", "ml-lead").with(code);
        let facts = gate().approved().and(rejection.clone());
        let verdict = check(&facts, "blocked", &["rejection:bob failed"]);
        assert_eq!(verdict.decisions[1].reason, Some(format!("counts in spite of {code}: why")));
        let void = DecisionFact { restricts: false, ..rejection };
        check(&gate().approved().and(void.clone()), "allowed on requirements", &[]);
        check_codes(&gate().and(void), &[code.as_str()]);
    }
}

#[test]
fn only_its_signer_ends_a_rejection_and_only_in_a_descendant() {
    let rejected = || gate().approved().and(reject("bob", "ml-lead"));
    let blocked = &["rejection:bob failed"][..];
    check(&rejected().and(withdraw("bob")), "allowed on requirements", &[]);
    check(&rejected().and(withdraw("ann")), "blocked", &["approval:ml-lead missing", "rejection:bob failed"]);
    check(&rejected().beside(withdraw("bob")), "blocked", blocked);
    check(&rejected().and(withdraw("bob").with(Code::StalePolicy)), "blocked", blocked);
    check(&rejected().and(approve("bob", "ml-lead")), "allowed on requirements", &[]);
    check(&rejected().and(approve("bob", "product-lead")), "blocked", blocked);
    check(&rejected().and(approve("bob", "ml-lead").of("other")), "blocked", blocked);
    check(&rejected().and(approve("bob", "ml-lead").only_for(&["staging"])), "blocked", blocked);
    check(&rejected().and(approve("bob", "ml-lead").unrecorded()), "blocked", blocked);
    check(&rejected().and(approve("bob", "ml-lead").with(Code::StalePolicy)), "blocked", blocked);
    check(&rejected().and(approve("bob", "ml-lead").made(day(-100))), "allowed on requirements", &[]);
    check_codes(&rejected().and(withdraw("bob")), &["counts", "superseded", "counts"]);
    let twice = rejected().and(approve("bob", "ml-lead")).and(withdraw("bob"));
    check(&twice, "allowed on requirements", &[]);
}

#[test]
fn content_that_goes_back_to_what_was_rejected_is_blocked_again() {
    let facts = gate().and(reject("bob", "ml-lead")).and(approve("bob", "ml-lead").of("better")).approved();
    check(&facts, "blocked", &["rejection:bob failed"]);
}

#[test]
fn one_line_tells_of_all_rejections_of_a_person() {
    let facts = gate().approved().and(reject("bob", "ml-lead")).and(reject("bob", "product-lead"));
    let verdict = check(&facts, "blocked", &["rejection:bob failed"]);
    assert_eq!(line(&verdict, "rejection:bob").by.len(), 2);
    check(&facts.and(approve("bob", "ml-lead")), "blocked", &["rejection:bob failed"]);
}

#[test]
fn a_close_is_final() {
    let closed = || gate().approved().and(close("bob"));
    check(&closed(), "blocked", &["gate:open failed"]);
    check(&closed().and(withdraw("bob")), "blocked", &["gate:open failed"]);
    check(&gate().approved().and(close("bob").unrecorded().of("old")), "blocked", &["gate:open failed"]);
    check(&gate().approved().and(close("bob").with(Code::ChangesFiles)), "blocked", &["gate:open failed"]);
    let stranger = DecisionFact { restricts: false, ..close("mallory") }.with(Code::UnknownKey);
    check(&gate().approved().and(stranger), "allowed on requirements", &[]);
}

#[test]
fn a_copy_of_a_decision_does_nothing_and_is_the_first_one_seen() {
    // The copy of a withdrawn rejection, recorded late: the withdrawal does not descend from the copy.
    let copy = DecisionFact { duplicate_of: Some(1), ..reject("bob", "ml-lead").with(Code::Duplicate) };
    let facts = gate().approved().and(reject("bob", "ml-lead")).and(withdraw("bob")).beside(copy);
    check(&facts, "allowed on requirements", &[]);
    // The copy recorded first: the withdrawal descends from the honest commit, and so from both.
    let mut facts = gate()
        .beside(reject("bob", "ml-lead"))
        .beside(DecisionFact { duplicate_of: Some(0), ..reject("bob", "ml-lead").with(Code::Duplicate) })
        .approved()
        .beside(withdraw("bob"));
    facts.decisions[3].ancestors = [1].into();
    check(&facts, "allowed on requirements", &[]);
}

#[test]
fn decisions_beyond_the_last_step_are_noticed() {
    let facts = gate().approved().and(approve("bob", "ml-lead").unrecorded());
    assert_eq!(notice_codes(&facts), ["decision-unrecorded"]);
}
