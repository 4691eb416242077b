//! What bounds are held against is what the criteria are judged by.

use proptest::prelude::*;

use super::*;
use crate::policy::Compare;
use crate::verdict::readings::{Dial, approvals_asked, readings};

/// One criterion with one bound, on up to three reports; a rate or a value with a standard error, or neither.
fn any_bound() -> impl Strategy<Value = Facts> {
    let share = || (0_u32..=20).prop_map(|value| f64::from(value) / 20.0);
    let dial = prop::sample::select(Dial::ALL.to_vec());
    let confidence = prop_oneof![Just(None), Just(Some(0.95))];
    let one = (share(), prop::option::of(1_u64..200), prop::option::of(share()), any::<bool>());
    let base = prop::option::of(share());
    (dial, share(), confidence, prop::collection::vec(one, 0..3), base).prop_map(
        |(dial, bound, confidence, metrics, base)| {
            let compare = |max_drop, max_rise| Some(Compare { max_drop, max_rise, first_passes: true });
            let bare = Criterion { confidence, ..criterion("rate") };
            let bare = match dial {
                Dial::Max => Criterion { max: Some(bound), ..bare },
                Dial::Min => Criterion { min: Some(bound), ..bare },
                Dial::MaxDrop => Criterion { compare: compare(Some(bound), None), ..bare },
                Dial::MaxRise => Criterion { compare: compare(None, Some(bound)), ..bare },
                Dial::MinSamples => Criterion { min_samples: Some(100), ..bare },
            };
            let mut facts = gate().policy(|policy| policy.rules[0].criteria = vec![bare]).approved();
            for (place, (value, samples, stderr, rate)) in metrics.into_iter().enumerate() {
                let one = Metric { samples, stderr, rate, ..metric(Value::Number(value)) };
                let metrics = [("rate".to_owned(), one)].into();
                facts = facts.report(&format!("{place}.json"), Report { metrics, ..report(&[]) });
            }
            if let Some(base) = base {
                let reports = BTreeMap::from([(
                    name("evaluation"),
                    vec![Arc::new(Report {
                        metrics: [("rate".to_owned(), metric(Value::Number(base)))].into(),
                        ..report(&[])
                    })],
                )]);
                facts.deployed =
                    Some(DeployedFact { gate: "summarizer/v1.0".parse().unwrap(), record: oid(9), reports });
            }
            facts
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Where there is a number, the criterion is met exactly where the number keeps the bound; where there is none, it is not
    /// met, but for a first deployment with nothing to compare with.
    #[test]
    fn a_number_keeps_its_bound_exactly_where_the_criterion_is_met(facts in any_bound()) {
        let criterion = &facts.policy.policy.rules[0].criteria[0];
        let dial = Dial::ALL.into_iter().find(|dial| dial.of(criterion).is_some()).unwrap();
        let bound = dial.of(criterion).unwrap();
        let met = line(&judge(&facts), "criterion:bound").status == Status::Met;
        match readings(&facts).get(&(criterion.name.clone(), dial)) {
            // What is compared is added to the bound there and subtracted here: a hair's breadth apart.
            Some(value) if criterion.compare.is_some() && (value - bound).abs() < 1e-9 => {}
            Some(value) => prop_assert_eq!(dial.keeps(*value, bound), met, "{} {:?} {}", value, dial, bound),
            None => prop_assert!(!met || criterion.compare.is_some() && facts.deployed.is_none()),
        }
    }
}

#[test]
fn of_several_reports_the_worst_is_read_and_of_one_that_does_not_read_nothing() {
    let max = Criterion { max: Some(0.5), ..criterion("rate") };
    let facts = gate()
        .policy(|policy| policy.rules[0].criteria = vec![max])
        .approved()
        .report("e.json", report(&[("rate", 0.1)]))
        .report("f.json", report(&[("rate", 0.3)]))
        .report("g.json", report(&[("other", 0.9)]));
    let label: crate::model::Label = "bound".parse().unwrap();
    assert_eq!(readings(&facts), BTreeMap::from([((label, Dial::Max), 0.3)]));
    let bad = facts.report(
        "h.json",
        Report {
            metrics: [("rate".to_owned(), metric(Value::NonFinite("NaN".into())))].into(),
            ..report(&[])
        },
    );
    assert_eq!(readings(&bad), BTreeMap::new());
}

#[test]
fn the_highest_count_of_a_role_is_asked_for() {
    let facts = gate().policy(|policy| {
        let mut second = policy.rules[0].clone();
        policy.rules[0].approvals = asks(&[("ml-lead", 1), ("compliance", 1)]);
        second.approvals = asks(&[("ml-lead", 2)]);
        policy.rules.push(second);
    });
    assert_eq!(approvals_asked(&facts), BTreeMap::from([(name("compliance"), 1), (name("ml-lead"), 2)]));
}
