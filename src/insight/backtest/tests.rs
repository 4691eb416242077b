//! How verdicts are counted against incidents, and what waiting is expected.

use super::cost::Cost;
use super::score::Cells;
use super::*;
use crate::model::Label;
use crate::verdict::{Basis, Requirement, RequirementId, Status};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn line(id: RequirementId, status: Status, rule: &str) -> Requirement {
    let rules: Vec<Label> = vec![rule.parse().unwrap()];
    Requirement {
        id,
        status,
        rules,
        expected: String::new(),
        found: String::new(),
        by: Vec::new(),
        next: None,
    }
}

fn verdict(outcome: Outcome, requirements: Vec<Requirement>) -> Verdict {
    Verdict {
        gate: "s/v".parse().unwrap(),
        environment: name("production"),
        outcome,
        content: None,
        change: None,
        requirements,
        decisions: Vec::new(),
        exceptions: Vec::new(),
        notices: Vec::new(),
        turns: None,
    }
}

#[test]
fn what_is_held_up_is_neither_caught_nor_missed_and_waived_passes() {
    let criterion = || RequirementId::Criterion("c".parse().unwrap());
    let approval = || RequirementId::Approval(name("lead"));
    let mut score = Score::default();
    for (outcome, one, other, incident) in [
        (Outcome::Blocked, Status::Failed, Status::Missing, true),
        (Outcome::Pending, Status::Met, Status::Missing, true),
        (Outcome::Allowed(Basis::Exception), Status::Waived, Status::Met, true),
        (Outcome::Blocked, Status::Failed, Status::Met, false),
        (Outcome::Pending, Status::Met, Status::Stale, false),
        (Outcome::Allowed(Basis::Requirements), Status::Met, Status::Met, false),
    ] {
        let lines = vec![line(criterion(), one, "r"), line(approval(), other, "r")];
        score.add(&verdict(outcome, lines), incident);
    }
    let one = Cells { caught: 1, held_incidents: 1, missed: 1, false_alarms: 1, held_others: 1, passed: 1 };
    assert_eq!(score.all, one);
    assert_eq!(score.rules.values().copied().collect::<Vec<_>>(), [one]);
    let criterion = score.requirements[&criterion()];
    assert_eq!(criterion, Cells { caught: 1, missed: 2, false_alarms: 1, passed: 2, ..Cells::default() });
    let approval = score.requirements[&approval()];
    assert_eq!(
        approval,
        Cells { held_incidents: 2, missed: 1, held_others: 1, passed: 2, ..Cells::default() }
    );
    // Held up is not stopped, and rejections are nobody's rule.
    assert_eq!((one.fourfold().stopped(), one.fourfold().missed), (2, 2));
    let rejection = RequirementId::Rejection("a@x".parse().unwrap());
    score.add(&verdict(Outcome::Blocked, vec![line(rejection, Status::Failed, "r")]), true);
    assert_eq!((score.all.caught, score.rules.len(), score.requirements.len()), (2, 1, 2));
    assert_eq!(score.rules.values().next().copied(), Some(one));
}

#[test]
fn a_gate_waits_for_its_slowest_role_as_long_as_people_took_until_now() {
    let mut cost = Cost::default();
    for seconds in [10, 20, 30, 40, 50] {
        cost.observe(&name("lead"), seconds);
    }
    cost.observe(&name("owner"), 1_000);
    cost.observe(&name("owner"), -5);
    let asked = |roles: &[(&str, u64)]| roles.iter().map(|(role, count)| (name(role), *count)).collect();
    for (now, then, gates) in [
        (asked(&[("lead", 1)]), asked(&[("lead", 2)]), 3),
        (asked(&[("lead", 1)]), asked(&[("lead", 1), ("owner", 1)]), 1),
        (asked(&[("lead", 2)]), asked(&[("lead", 1)]), 2),
        (asked(&[("lead", 1)]), asked(&[("lead", 1)]), 9),
    ] {
        cost.ask(now, then, gates);
    }
    let found = cost.waiting();
    // One lead: the median, 30; two: the 2/3 quantile, 40. Of all seven the median is 30 too: side by side, no longer.
    assert_eq!((found.longer, found.shorter, found.unknown), (3, 2, 0));
    assert_eq!(found.added, 3 * 10 - 2 * 10);
    assert_eq!(found.roles[&name("lead")], (Some(30), 5));
    assert_eq!(found.roles[&name("owner")], (Some(30), 2));
    assert_eq!(found.by_all_roles, BTreeSet::from([name("owner")]));
    let mut none = Cost::default();
    none.ask(asked(&[("lead", 1)]), asked(&[("lead", 2)]), 4);
    assert_eq!((none.waiting().unknown, none.waiting().added), (4, 0));
}
