//! The evidence that rules require.

use super::*;
use crate::evidence::Unreadable;

/// A gate whose rule requires `evaluation`, which has these options, and that lists one good report.
fn with(change: impl FnOnce(&mut EvidenceKind)) -> Facts {
    gate()
        .policy(|policy| {
            policy.rules[0].evidence = vec![name("evaluation")];
            policy.evidence = options(change);
        })
        .approved()
        .report("e.json", report(&[("tests.passed", 3.0)]))
}

fn plain() -> Facts {
    with(|_| {})
}

#[track_caller]
fn check_file(facts: Facts, change: impl FnOnce(&mut EvidenceFact), status: &str) {
    let facts = facts.content(|content| change(&mut content.evidence[0]));
    let outcome = match status {
        "met" => "allowed on requirements",
        "failed" => "blocked",
        _ => "pending",
    };
    let line = format!("evidence:evaluation {status}");
    check(
        &facts,
        outcome,
        if status == "met" { &[] } else { std::slice::from_ref(&line) }
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice(),
    );
}

#[test]
fn absent_is_missing_and_bad_is_failed() {
    check_file(plain(), |_| {}, "met");
    check_file(plain(), |file| file.report = None, "missing");
    check_file(plain(), |file| file.report = Some(Err(Unreadable::Empty)), "missing");
    check_file(plain(), |file| file.report = Some(Err(Unreadable::Invalid("no JSON".into()))), "failed");
    check_file(plain(), |file| file.report = Some(Err(Unreadable::FormatRefused("text".into()))), "failed");
    check_file(plain(), |file| file.kind = name("bias"), "missing");
    check_file(with(|kind| kind.formats = Some(vec![Format::LmEval])), |_| {}, "failed");
    check_file(with(|kind| kind.formats = Some(vec![Format::Json])), |_| {}, "met");
}

#[test]
fn age_counts_from_the_earlier_of_the_commit_and_the_test() {
    check_file(with(|kind| kind.max_age = Some(days(10))), |_| {}, "met");
    check_file(with(|kind| kind.max_age = Some(days(9))), |_| {}, "stale");
    check_file(with(|kind| kind.max_age = Some(days(10))), |file| file.since = None, "stale");
    for (tested, status) in [(-11, "stale"), (-9, "met"), (5, "met")] {
        let tested = Report { tested: Some(day(tested)), ..report(&[]) };
        check_file(
            with(|kind| kind.max_age = Some(days(10))),
            |file| file.report = Some(Ok(Arc::new(tested))),
            status,
        );
    }
}

#[test]
fn the_number_of_passed_tests_must_be_there_and_enough() {
    check_file(with(|kind| kind.min_passed = Some(3)), |_| {}, "met");
    check_file(with(|kind| kind.min_passed = Some(4)), |_| {}, "failed");
    let silent = report(&[]);
    check_file(
        with(|kind| kind.min_passed = Some(0)),
        |file| file.report = Some(Ok(Arc::new(silent))),
        "failed",
    );
}

#[test]
fn only_attested_reports_serve_where_attestation_is_asked_for() {
    check_file(with(|kind| kind.attested_by = Some(names(&["eval-ci", "x"]))), |_| {}, "met");
    check_file(with(|kind| kind.attested_by = Some(names(&["x"]))), |_| {}, "failed");
    check_file(with(|kind| kind.attested_by = Some(names(&[]))), |_| {}, "failed");
    check_file(plain(), |file| file.sides.clear(), "failed");
    check_file(plain(), |file| file.sides[0].signer = Err((Code::Unsigned, "none".into())), "failed");
}

#[test]
fn a_report_is_about_the_artifacts_listed_when_it_came() {
    let moved = |artifacts: &[(&str, &str)]| {
        let artifacts: BTreeMap<_, _> =
            artifacts.iter().map(|(name, text)| (name.parse().unwrap(), digest(text))).collect();
        move |file: &mut EvidenceFact| file.sides[0].artifacts = artifacts
    };
    check_file(plain(), moved(&[("m", "m0")]), "stale");
    check_file(plain(), moved(&[]), "stale");
    check_file(plain(), moved(&[("m", "m1"), ("gone", "g")]), "met");
    check_file(with(|kind| kind.about_change = true), moved(&[]), "met");
}

#[test]
fn a_report_about_one_artifact_stays_when_another_changes() {
    let two = || {
        plain().request(|request| {
            request.artifacts.insert("n".parse().unwrap(), Artifact { digest: digest("n1"), uri: None });
        })
    };
    let about = |now: Option<&'static str>, then: Option<&'static str>| {
        move |file: &mut EvidenceFact| {
            file.artifact = now.map(|name| name.parse().unwrap());
            file.sides[0].artifact = then.map(|name| name.parse().unwrap());
        }
    };
    check_file(two(), about(None, None), "stale");
    check_file(two(), about(Some("m"), Some("m")), "met");
    check_file(two(), about(Some("n"), Some("n")), "stale");
    check_file(two(), about(Some("m"), None), "stale");
    check_file(two(), about(None, Some("m")), "stale");
    // To name an artifact that is none dodges nothing.
    check_file(two(), about(Some("zzz"), Some("zzz")), "stale");
}

#[test]
fn one_side_of_history_must_hold_in_every_respect() {
    let attested = || with(|kind| kind.attested_by = Some(names(&["eval-ci"])));
    let unattested = Side { roles: names(&[]), ..side(8) };
    let moved = Side { artifacts: BTreeMap::new(), ..side(9) };
    let (one, other) = (unattested.clone(), moved.clone());
    check_file(attested(), move |file| file.sides = vec![one, other], "stale");
    check_file(attested(), |file| file.sides = vec![unattested.clone()], "failed");
    let (one, other) = (unattested, moved);
    check_file(attested(), move |file| file.sides = vec![one, side(3), other], "met");
}

#[test]
fn every_report_of_a_kind_must_be_good() {
    let second = |change: fn(&mut EvidenceFact)| {
        let facts = plain().report("f.json", report(&[]));
        facts.content(|content| change(&mut content.evidence[1]))
    };
    check(&second(|_| {}), "allowed on requirements", &[]);
    check(&second(|file| file.report = None), "pending", &["evidence:evaluation missing"]);
    check(&second(|file| file.sides.clear()), "blocked", &["evidence:evaluation failed"]);
}

#[test]
fn what_the_policy_does_not_name_is_noticed() {
    let facts = gate().approved().report("e.json", report(&[]));
    assert_eq!(notice_codes(&facts), ["evidence-kind-unknown"]);
    check(&facts, "allowed on requirements", &[]);
    let unfinished = Report { status: RunStatus::Unfinished("interrupted".into()), ..report(&[]) };
    assert_eq!(notice_codes(&plain().report("f.json", unfinished)), ["run-unfinished"]);
}
