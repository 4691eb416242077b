//! Percentiles, and where events belong.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::insight::timeline::{AskedFor, Cycle, Deployment, Effect, Fate, Hit, Ruling, Timeline};
use crate::verdict::Basis;

fn time(text: &str) -> Time {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn oid(number: u8) -> ObjectId {
    format!("{number:040x}").parse().unwrap()
}

#[test]
fn a_percentile_is_the_observed_number_at_the_nearest_rank() {
    let spread = |numbers: &[i64]| {
        let mut spread = Spread::default();
        for number in numbers {
            spread.add(*number);
        }
        spread
    };
    // The example of the method's usual description.
    let five = spread(&[35, 20, 15, 50, 40]);
    for (percent, number) in [(5, 15), (30, 20), (40, 20), (50, 35), (90, 50), (100, 50)] {
        assert_eq!(five.percentile(percent), Some(number), "{percent}");
    }
    assert_eq!(spread(&[]).percentile(50), None);
    assert_eq!(spread(&[7]).percentile(90), Some(7));
    // A clock that went back waited for nothing.
    assert_eq!((spread(&[-5, 3]).sum(), spread(&[-5, 3]).percentile(50)), (3, Some(0)));
}

/// Opened in January, decided in February, deployed in March; in April an incident that lasted a day.
fn timeline() -> Timeline {
    let name = |text: &str| -> Name { text.parse().unwrap() };
    Timeline {
        gate: "summarizer/v1".parse().unwrap(),
        asked: Some(AskedFor { kinds: BTreeSet::from([name("model"), name("prompt")]), risk: name("high") }),
        opened: time("2026-01-10"),
        changes: vec![time("2026-01-10")],
        rulings: vec![Ruling {
            commit: oid(1),
            verb: Some(crate::decision::Verb::Approve),
            principal: Some("a@example.com".parse().unwrap()),
            role: Some(name("lead")),
            environments: BTreeSet::new(),
            reason: None,
            at: time("2026-01-20"),
            after_change: Some(60),
            effect: Effect::Counted,
        }],
        cycles: vec![Cycle {
            environment: name("production"),
            end: End::Approved,
            first_ready: Some(time("2026-01-10")),
            complete: Some(time("2026-01-10")),
            roles: BTreeMap::from([(name("lead"), time("2026-01-20"))]),
            decided: Some(time("2026-02-01")),
            basis: Some(Basis::Exception),
            waived: BTreeSet::from(
                ["evidence:bias"].map(|_| crate::verdict::RequirementId::Evidence(name("bias"))),
            ),
            open: Vec::new(),
            overturned: false,
            deployments: vec![Deployment {
                record: oid(2),
                at: time("2026-03-01"),
                principal: None,
                fate: Fate::Ran,
                basis: None,
                break_glass: true,
                debt: true,
            }],
            incidents: vec![Hit {
                id: name("INC-1"),
                severity: name("high"),
                began: time("2026-04-01"),
                ended: Some(time("2026-04-02")),
                open: false,
                record: Some(oid(2)),
            }],
        }],
    }
}

fn measured(asked: Asked) -> Metrics {
    let mut metrics = Metrics::new(asked);
    metrics.add(&timeline());
    metrics
}

#[test]
fn an_event_belongs_to_the_month_in_which_it_happened() {
    let metrics = measured(Asked { by: Some(By::Month), ..Asked::default() });
    let of = |month: &str| &metrics.groups[month];
    assert_eq!((of("2026-01").opened, of("2026-01").approvals, of("2026-01").ends.len()), (1, 1, 0));
    assert_eq!(
        (of("2026-02").opened, of("2026-02").ends[&End::Approved], of("2026-02").first_pass),
        (0, 1, 1)
    );
    assert_eq!((of("2026-03").deployments, of("2026-03").changes, of("2026-03").failed_changes), (1, 1, 1));
    assert_eq!((of("2026-04").incidents, of("2026-04").spans[&Span::Restore].sum()), (1, 86_400));
    assert_eq!(metrics.total.exceptions["evidence:bias"].len(), 1);
    assert_eq!((metrics.total.break_glass.len(), metrics.total.debts.len()), (1, 1));
}

#[test]
fn time_cuts_each_event_by_itself() {
    let since = Some(time("2026-02-01"));
    let until = Some(time("2026-03-01"));
    let metrics = measured(Asked { since, until, ..Asked::default() });
    let total = &metrics.total;
    // From its beginning on, and before its end.
    assert_eq!((total.opened, total.ends[&End::Approved], total.deployments, total.incidents), (0, 1, 0, 0));
    assert_eq!((total.approvals, total.reviewers.len()), (0, 0));
}

#[test]
fn a_gate_of_two_kinds_is_in_both_groups_and_once_in_the_total() {
    let metrics = measured(Asked { by: Some(By::Kind), ..Asked::default() });
    assert_eq!(metrics.groups.len(), 2);
    assert!(metrics.groups.values().all(|group| group.opened == 1));
    assert_eq!(metrics.total.opened, 1);
    let roles = measured(Asked { by: Some(By::Role), ..Asked::default() });
    let lead = &roles.groups["lead"];
    assert_eq!((lead.approvals, lead.opened, roles.groups.len()), (1, 0, 1));
    assert_eq!(lead.spans[&Span::Role("lead".parse().unwrap())].sum(), 10 * 86_400);
    let elsewhere = measured(Asked { environment: Some("staging".parse().unwrap()), ..Asked::default() });
    assert_eq!(elsewhere.total, Tally::default());
}

#[test]
fn every_figure_has_the_labels_that_its_meaning_names() {
    let metrics = measured(Asked::default());
    let mut names = BTreeSet::new();
    for meaning in FIGURES {
        assert!(names.insert(meaning.name), "{} twice", meaning.name);
    }
    for figure in figures(&metrics.total) {
        assert_eq!(figure.labels.len(), figure.meaning.labels.len(), "{}", figure.meaning.name);
        assert!(names.contains(figure.meaning.name));
    }
}

#[test]
fn what_was_approved_at_no_known_moment_counts_as_approved_and_is_in_no_wait() {
    let mut timeline = timeline();
    timeline.cycles[0].decided = None;
    let mut metrics = Metrics::new(Asked::default());
    metrics.add(&timeline);
    let total = &metrics.total;
    assert_eq!((total.ends[&End::Approved], total.undated, total.first_pass), (1, 1, 1));
    let spans: Vec<&Span> = total.spans.keys().collect();
    assert_eq!(spans, [&Span::OpenedToDeployed, &Span::Restore]);
}
