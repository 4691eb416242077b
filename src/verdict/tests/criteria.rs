//! Bounds on metrics.

use super::*;
use crate::evidence::{Scalar, Unreadable};
use crate::policy::{Compare, Group};

fn bounded(criterion: Criterion) -> Facts {
    gate().policy(|policy| policy.rules[0].criteria = vec![criterion]).approved()
}

#[track_caller]
fn check_bound(facts: &Facts, status: &str) {
    let outcome = match status {
        "met" => "allowed on requirements",
        "failed" => "blocked",
        _ => "pending",
    };
    let line = format!("criterion:bound {status}");
    check(facts, outcome, if status == "met" { vec![] } else { vec![line.as_str()] }.as_slice());
}

fn max(value: f64) -> Criterion {
    Criterion { max: Some(value), ..criterion("rate") }
}

fn min(value: f64) -> Criterion {
    Criterion { min: Some(value), ..criterion("rate") }
}

fn one(metric: Metric) -> Report {
    Report { metrics: [("rate".to_owned(), metric)].into(), ..report(&[]) }
}

#[test]
fn a_bound_holds_at_its_edge() {
    for (criterion, value, status) in [
        (max(0.05), 0.05, "met"),
        (max(0.05), 0.050_000_1, "failed"),
        (min(0.9), 0.9, "met"),
        (min(0.9), 0.899, "failed"),
        (Criterion { equals: Some(Scalar::Number(1.0)), ..criterion("rate") }, 1.0, "met"),
        (Criterion { equals: Some(Scalar::Number(1.0)), ..criterion("rate") }, 2.0, "failed"),
        (Criterion { equals: Some(Scalar::Bool(true)), ..criterion("rate") }, 1.0, "failed"),
        (Criterion { max: Some(0.9), ..min(0.1) }, 0.95, "failed"),
        (criterion("rate"), 0.0, "failed"),
    ] {
        check_bound(&bounded(criterion).report("e.json", report(&[("rate", value)])), status);
    }
}

#[test]
fn values_that_are_no_finite_number_keep_no_numeric_bound() {
    for value in
        [Value::Bool(true), Value::Text("0".into()), Value::NonFinite("NaN".into()), Value::Number(f64::NAN)]
    {
        check_bound(&bounded(max(1.0)).report("e.json", one(metric(value.clone()))), "failed");
        check_bound(&bounded(min(-1.0)).report("e.json", one(metric(value))), "failed");
    }
    let equals = |scalar| Criterion { equals: Some(scalar), ..criterion("rate") };
    let yes = one(metric(Value::Bool(true)));
    check_bound(&bounded(equals(Scalar::Bool(true))).report("e.json", yes.clone()), "met");
    check_bound(&bounded(equals(Scalar::Bool(false))).report("e.json", yes), "failed");
    let text = one(metric(Value::Text("pass".into())));
    check_bound(&bounded(equals(Scalar::Text("pass".into()))).report("e.json", text), "met");
}

#[test]
fn absent_evidence_is_missing_and_an_absent_metric_failed() {
    check_bound(&bounded(max(1.0)), "missing");
    let with = |fact: fn(&mut EvidenceFact)| {
        bounded(max(1.0))
            .report("e.json", report(&[("rate", 0.0)]))
            .content(|content| fact(&mut content.evidence[0]))
    };
    check_bound(&with(|_| {}), "met");
    check_bound(&with(|file| file.report = None), "missing");
    check_bound(&with(|file| file.report = Some(Err(Unreadable::Empty))), "missing");
    check_bound(&with(|file| file.report = Some(Err(Unreadable::Invalid("x".into())))), "failed");
    check_bound(&with(|file| file.report = Some(Ok(Arc::new(report(&[("other", 0.0)]))))), "failed");
    // Stale evidence is the evidence's own line.
    check_bound(&with(|file| file.sides[0].artifacts.clear()), "met");
}

#[test]
fn a_bound_holds_on_every_report_that_has_the_metric() {
    let two = |second: Report| {
        bounded(max(0.5)).report("e.json", report(&[("rate", 0.1)])).report("f.json", second)
    };
    check_bound(&two(report(&[("rate", 0.2)])), "met");
    check_bound(&two(report(&[("other", 9.0)])), "met");
    check_bound(&two(report(&[("rate", 0.6)])), "failed");
    let absent = two(report(&[])).content(|content| content.evidence[1].report = None);
    check_bound(&absent, "missing");
    let bad = two(report(&[])).content(|content| {
        content.evidence[1].report = Some(Err(Unreadable::Invalid("x".into())));
    });
    check_bound(&bad, "failed");
}

#[test]
fn one_report_that_fails_is_not_made_good_by_a_later_one() {
    let compared = Criterion {
        compare: Some(Compare { max_drop: Some(0.1), max_rise: None, first_passes: false }),
        ..min(0.5)
    };
    let two = |first, second| {
        bounded(compared.clone())
            .report("e.json", report(&[("rate", first)]))
            .report("f.json", report(&[("rate", second)]))
    };
    check_bound(&two(0.1, 0.6), "failed");
    check_bound(&two(0.6, 0.1), "failed");
    check_bound(&two(0.6, 0.6), "missing");
    let deployed = |mut facts: Facts| {
        facts.deployed = Some(DeployedFact {
            gate: "sum/v0".parse().unwrap(),
            record: oid(60),
            reports: [(name("evaluation"), vec![Arc::new(report(&[("rate", 0.6)]))])].into(),
        });
        facts
    };
    check_bound(&deployed(two(0.1, 0.6)), "failed");
    check_bound(&deployed(two(0.6, 0.1)), "failed");
    check_bound(&deployed(two(0.6, 0.6)), "met");
}

#[test]
fn the_policys_mapping_shadows_the_formats_name_and_ambiguity_fails() {
    let mapped = |mapped: Result<Metric, String>| Report {
        mapped: [("rate".to_owned(), mapped)].into(),
        ..report(&[("rate", 0.0)])
    };
    check_bound(&bounded(max(0.5)).report("e.json", mapped(Ok(metric(Value::Number(0.9))))), "failed");
    check_bound(&bounded(max(0.5)).report("e.json", mapped(Err("no such pointer".into()))), "failed");
    let ambiguous = Report {
        ambiguous: [("rate".to_owned(), vec!["a/rate".to_owned(), "b/rate".into()])].into(),
        ..report(&[])
    };
    check_bound(
        &bounded(max(0.5)).report("e.json", ambiguous).report("f.json", report(&[("rate", 0.1)])),
        "failed",
    );
}

#[test]
fn a_run_that_did_not_finish_well_gives_no_metrics_unless_the_policy_says_so() {
    let unfinished =
        Report { status: RunStatus::Unfinished("interrupted".into()), ..report(&[("rate", 0.0)]) };
    let facts = bounded(max(0.5)).report("e.json", unfinished);
    check_bound(&facts, "failed");
    let allowed = facts.policy(|policy| policy.evidence = options(|kind| kind.unfinished_allowed = true));
    check_bound(&allowed, "met");
}

#[test]
fn counts_that_are_asked_for_must_be_there() {
    let with = |samples, errors| one(Metric { samples, errors, ..metric(Value::Number(0.0)) });
    let samples = Criterion { min_samples: Some(50), ..max(1.0) };
    for (count, status) in [(None, "failed"), (Some(49), "failed"), (Some(50), "met")] {
        check_bound(&bounded(samples.clone()).report("e.json", with(count, None)), status);
    }
    let errors = Criterion { max_errors: Some(2), ..max(1.0) };
    for (count, status) in [(None, "failed"), (Some(3), "failed"), (Some(2), "met")] {
        check_bound(&bounded(errors.clone()).report("e.json", with(None, count)), status);
    }
}

#[test]
fn with_a_confidence_the_worse_limit_must_hold() {
    let sure = Criterion { confidence: Some(0.95), ..max(0.05) };
    let rate = |value, samples| Metric { samples: Some(samples), rate: true, ..metric(Value::Number(value)) };
    for (found, status) in [
        (rate(0.02, 1_000), "met"),
        (rate(0.02, 50), "failed"),
        (rate(0.0, 10), "failed"),
        (rate(2.0, 1_000), "failed"),
        (Metric { rate: false, ..rate(0.02, 1_000) }, "failed"),
        (Metric { stderr: Some(0.01), ..metric(Value::Number(0.03)) }, "met"),
        (Metric { stderr: Some(0.02), ..metric(Value::Number(0.03)) }, "failed"),
        (metric(Value::Number(0.0)), "failed"),
    ] {
        check_bound(&bounded(sure.clone()).report("e.json", one(found)), status);
    }
    let floor = Criterion { confidence: Some(0.95), ..min(0.9) };
    check_bound(&bounded(floor.clone()).report("e.json", one(rate(0.92, 1_000))), "met");
    check_bound(&bounded(floor).report("e.json", one(rate(0.92, 100))), "failed");
}

#[test]
fn a_comparison_is_with_what_is_deployed() {
    let compare = |first_passes| Criterion {
        compare: Some(Compare { max_drop: Some(0.02), max_rise: None, first_passes }),
        ..criterion("rate")
    };
    let against = |base: &[f64], value: f64| {
        let mut facts = bounded(compare(true)).report("e.json", report(&[("rate", value)]));
        facts.deployed = Some(DeployedFact {
            gate: "sum/v0".parse().unwrap(),
            record: oid(60),
            reports: [(
                name("evaluation"),
                base.iter().map(|base| Arc::new(report(&[("rate", *base)]))).collect(),
            )]
            .into(),
        });
        facts
    };
    check_bound(&against(&[0.9], 0.88), "met");
    check_bound(&against(&[0.9], 0.87), "failed");
    check_bound(&against(&[0.5, 0.9], 0.87), "failed");
    check_bound(&against(&[], 0.87), "missing");
    check_bound(&bounded(compare(true)).report("e.json", report(&[("rate", 0.1)])), "met");
    check_bound(&bounded(compare(false)).report("e.json", report(&[("rate", 0.1)])), "missing");
    let mend = |facts: &Facts| line(&judge(facts), "criterion:bound").next.unwrap().command;
    let first_passes = "the policy lets a first deployment pass with `first = \"pass\"`: by a policy change";
    let attach = "git gate attach sum/v1 evaluation";
    assert_eq!(mend(&bounded(compare(false)).report("e.json", report(&[("rate", 0.1)]))), first_passes);
    assert_eq!(
        mend(&bounded(compare(false)).report("e.json", report(&[]))),
        format!("{attach} e.json"),
        "the metric is wanting, not the deployment"
    );
    assert_eq!(mend(&bounded(compare(false))), format!("{attach} <file>"));
    assert_eq!(mend(&against(&[], 0.87)), format!("{attach} e.json"), "what is deployed does not have it");
    assert_eq!(mend(&bounded(max(0.05))), format!("{attach} <file>"));
    let rise = Criterion {
        compare: Some(Compare { max_drop: None, max_rise: Some(0.1), first_passes: false }),
        ..criterion("rate")
    };
    for (value, status) in [(1.0, "met"), (1.01, "failed"), (0.0, "met")] {
        let facts = against(&[0.9], value).policy(|policy| policy.rules[0].criteria = vec![rise.clone()]);
        check_bound(&facts, status);
    }
}

#[test]
fn findings_that_nobody_rated_count_as_critical_unless_the_policy_says_otherwise() {
    let critical = |unrated_allowed| Criterion {
        subject: Subject::Metric("findings.open.critical".into()),
        unrated_allowed,
        ..max(0.0)
    };
    let found = |unrated| report(&[("findings.open.critical", 0.0), ("findings.open.unrated", unrated)]);
    check_bound(&bounded(critical(false)).report("e.json", found(0.0)), "met");
    check_bound(&bounded(critical(false)).report("e.json", found(1.0)), "failed");
    check_bound(&bounded(critical(true)).report("e.json", found(1.0)), "met");
    check_bound(
        &bounded(critical(false)).report("e.json", report(&[("findings.open.critical", 0.0)])),
        "met",
    );
    // A number of findings that cannot be takes none away.
    check_bound(&bounded(critical(false)).report("e.json", found(-1.0)), "failed");
}

#[test]
fn what_nobody_rated_counts_under_whatever_name_the_policy_gives_to_critical() {
    let named =
        |unrated_allowed| Criterion { subject: Subject::Metric("ours".into()), unrated_allowed, ..max(0.0) };
    let mut found = report(&[("ours", 0.0)]);
    for (unrated, status) in [(0, "met"), (1, "failed")] {
        found.metrics.get_mut("ours").unwrap().unrated = unrated;
        check_bound(&bounded(named(false)).report("e.json", found.clone()), status);
        check_bound(&bounded(named(true)).report("e.json", found.clone()), "met");
    }
}

#[test]
fn spread_and_ratio_are_over_all_groups_of_two_or_more() {
    let group = |min_group| Group { metrics: vec![Glob::new("acc/*")], min_group };
    let spread = |min_group| Criterion { subject: Subject::Spread(group(min_group)), ..max(0.1) };
    let ratio = Criterion { subject: Subject::Ratio(group(None)), ..min(0.8) };
    let groups = |values: &[f64]| {
        let named: Vec<(String, f64)> =
            values.iter().enumerate().map(|(n, value)| (format!("acc/{n}"), *value)).collect();
        report(&named.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>())
    };
    for (values, of_spread, of_ratio) in [
        (&[0.9, 0.85, 0.95][..], "met", "met"),
        (&[0.9, 0.7], "failed", "failed"),
        (&[0.9], "failed", "failed"),
        (&[0.5, 0.5], "met", "met"),
        (&[0.5, 0.45, 0.4], "met", "met"),
        (&[0.5, 0.39], "failed", "failed"),
        (&[0.0, 0.0], "met", "failed"),
        (&[-0.02, 0.02], "met", "failed"),
    ] {
        check_bound(&bounded(spread(None)).report("e.json", groups(values)), of_spread);
        check_bound(&bounded(ratio.clone()).report("e.json", groups(values)), of_ratio);
    }
    let none = judge(&bounded(ratio.clone()).report("e.json", groups(&[0.0, 0.0])));
    assert!(line(&none, "criterion:bound").found.contains("have no ratio"));
    let wide = Criterion { min: Some(0.0), max: None, ..spread(None) };
    check_bound(&bounded(wide).report("e.json", groups(&[-1.7e308, 1.7e308])), "failed");
    let capped = Criterion { max: Some(1.0), min: None, ..ratio };
    check_bound(&bounded(capped).report("e.json", groups(&[-0.02, 0.02])), "failed");
    let mut sampled = groups(&[0.9, 0.9]);
    sampled.metrics.values_mut().for_each(|metric| metric.samples = Some(30));
    check_bound(&bounded(spread(Some(30))).report("e.json", sampled.clone()), "met");
    check_bound(&bounded(spread(Some(31))).report("e.json", sampled.clone()), "failed");
    sampled.metrics.get_mut("acc/0").unwrap().samples = None;
    check_bound(&bounded(spread(Some(1))).report("e.json", sampled.clone()), "failed");
    sampled.mapped.insert("acc/x".into(), Err("no such pointer".into()));
    check_bound(&bounded(spread(None)).report("e.json", sampled), "failed");
    check_bound(&bounded(spread(None)).report("e.json", report(&[("other", 1.0)])), "failed");
}

#[test]
fn a_group_that_names_several_values_is_no_group_to_leave_out() {
    let spread = Criterion {
        subject: Subject::Spread(Group { metrics: vec![Glob::new("acc/*")], min_group: None }),
        ..max(0.1)
    };
    let mut groups = report(&[("acc/a", 0.9), ("acc/b", 0.9)]);
    groups.ambiguous.insert("acc/c".into(), vec!["line 1".into(), "line 2".into()]);
    check_bound(&bounded(spread.clone()).report("e.json", groups.clone()), "failed");
    // Nor does one that is no part of the set.
    let mut apart = report(&[("acc/a", 0.9), ("acc/b", 0.9)]);
    apart.ambiguous.insert("other".into(), vec!["line 1".into(), "line 2".into()]);
    check_bound(&bounded(spread.clone()).report("e.json", apart), "met");
    // One that stands for metrics which are there takes nothing away.
    groups.ambiguous = [("acc/c".to_owned(), vec!["acc/a".to_owned(), "acc/b".to_owned()])].into();
    check_bound(&bounded(spread).report("e.json", groups), "met");
}

#[test]
fn a_group_that_is_named_is_never_left_out() {
    let named = |names: &[&str]| Criterion {
        subject: Subject::Spread(Group {
            metrics: names.iter().map(|name| Glob::new(*name)).collect(),
            min_group: None,
        }),
        ..max(0.1)
    };
    let mut groups = report(&[("acc/a", 0.9), ("acc/b", 0.9), ("acc/c@1", 0.1), ("acc/c@2", 0.1)]);
    check_bound(&bounded(named(&["acc/a", "acc/b"])).report("e.json", groups.clone()), "met");
    check_bound(&bounded(named(&["acc/a", "acc/b", "acc/c"])).report("e.json", groups.clone()), "failed");
    // What it stands for is there, and no part of the set.
    groups.ambiguous.insert("acc/c".into(), vec!["acc/c@1".into(), "acc/c@2".into()]);
    check_bound(&bounded(named(&["acc/a", "acc/b", "acc/c"])).report("e.json", groups.clone()), "failed");
    check_bound(&bounded(named(&["acc/a", "acc/b", "*c"])).report("e.json", groups), "failed");
}

#[test]
fn a_metric_that_is_not_there_or_stands_for_several_says_what_is_meant() {
    let verdict = judge(&bounded(max(1.0)).report("e.json", report(&[("task/rate", 0.5)])));
    let found = &line(&verdict, "criterion:bound").found;
    assert_eq!(found, "`e.json` does not have it; did you mean `task/rate`?");
    let mut several = report(&[]);
    several.ambiguous.insert("rate".into(), vec!["a/rate".into(), "b/rate".into()]);
    let verdict = judge(&bounded(max(1.0)).report("e.json", several));
    let found = &line(&verdict, "criterion:bound").found;
    assert_eq!(found, "`rate` names several values: `a/rate`, `b/rate` in `e.json`");
}

#[test]
fn the_tools_own_interval_is_shown_and_bounds_nothing() {
    let interval = Some(crate::evidence::Interval { low: 0.01, high: 0.9, confidence: None });
    let facts = bounded(max(0.05)).report("e.json", one(Metric { interval, ..metric(Value::Number(0.02)) }));
    check_bound(&facts, "met");
    let verdict = judge(&facts);
    assert_eq!(
        line(&verdict, "criterion:bound").found,
        "`rate` is 0.02, 0.01 to 0.9 by its tool, at `/x` in `e.json`"
    );
}

#[test]
fn a_bound_that_faces_the_wrong_way_is_noticed() {
    let better = |higher| one(Metric { higher_is_better: Some(higher), ..metric(Value::Number(0.5)) });
    assert_eq!(notice_codes(&bounded(max(1.0)).report("e.json", better(true))), ["criterion-direction"]);
    assert_eq!(notice_codes(&bounded(min(0.0)).report("e.json", better(false))), ["criterion-direction"]);
    assert!(notice_codes(&bounded(max(1.0)).report("e.json", better(false))).is_empty());
    assert!(notice_codes(&bounded(min(0.0)).report("e.json", better(true))).is_empty());
    let both = Criterion { min: Some(0.0), ..max(1.0) };
    for higher in [true, false] {
        assert!(notice_codes(&bounded(both.clone()).report("e.json", better(higher))).is_empty());
    }
    let cut = one(Metric { limited: true, ..metric(Value::Number(0.5)) });
    assert_eq!(notice_codes(&bounded(max(1.0)).report("e.json", cut)), ["metric-limited"]);
}

#[test]
fn one_line_says_value_samples_and_where() {
    let found = one(Metric { samples: Some(500), ..metric(Value::Number(0.021)) });
    let verdict = judge(&bounded(Criterion { min_samples: Some(50), ..max(0.05) }).report("e.json", found));
    let line = line(&verdict, "criterion:bound");
    assert_eq!(line.expected, "`rate` at most 0.05, from at least 50 samples");
    assert_eq!(line.found, "`rate` is 0.021, 500 samples, at `/x` in `e.json`");
}
