//! A table of what a push may do and may not, over facts alone.

use crate::ledger::Undecided;
use crate::model::{Code, ObjectId};
use crate::problem::Problem;

use super::super::{ArrivedDecision, ArrivedDirectory, ArrivedRef, Kind, Movement, Update};
use super::{Arrived, refusals};

fn id(digit: u8) -> ObjectId {
    ObjectId([digit; 20])
}

fn moved(name: &str, movement: Movement) -> ArrivedRef {
    let update = Update { name: name.into(), old: Some(id(1)), new: Some(id(2)) };
    let mut moved = ArrivedRef::new(update, Kind::of(name, "main"));
    moved.movement = movement;
    if movement == Movement::Deleted {
        moved.update.new = None;
    }
    moved
}

#[track_caller]
fn check(moved: ArrivedRef, codes: &[&str]) {
    let name = moved.update.name.clone();
    let arrived = Arrived { mainline: "main".into(), refs: vec![moved], warnings: Vec::new() };
    let found = refusals(&arrived);
    let found_codes: Vec<&str> = found.iter().map(|refusal| refusal.code).collect();
    assert_eq!(found_codes, codes, "{found:#?}");
    for refusal in found {
        assert_eq!(refusal.reference, name);
        assert!(
            refusal.commit.is_some() && !refusal.message.is_empty() && !refusal.help.is_empty(),
            "{refusal:?}"
        );
    }
}

const MAIN: &str = "refs/heads/main";
const GATE: &str = "refs/heads/gate/a/v1";
const POLICY: &str = "refs/heads/policy/next";
const LOG: &str = "refs/heads/deployments/production";
const OTHER: &str = "refs/heads/wip";
const REPLACE: &str = "refs/replace/1111111111111111111111111111111111111111";

#[test]
fn only_the_mainline_and_logs_are_held_where_they_are() {
    use Movement::{Back, Created, Deleted, Forward, Sideways};
    for (name, movement, codes) in [
        (MAIN, Created, &[][..]),
        (MAIN, Forward, &[]),
        (MAIN, Deleted, &["mainline-deleted"]),
        (MAIN, Back, &["mainline-rewound"]),
        (MAIN, Sideways, &["mainline-rewound"]),
        (LOG, Created, &[]),
        (LOG, Forward, &[]),
        (LOG, Deleted, &["log-deleted"]),
        (LOG, Back, &["log-moved-back"]),
        (LOG, Sideways, &["log-moved-back"]),
        (GATE, Deleted, &[]),
        (GATE, Back, &[]),
        (POLICY, Deleted, &[]),
        (POLICY, Back, &[]),
        (OTHER, Deleted, &[]),
        (OTHER, Back, &[]),
        (REPLACE, Created, &["replacement"]),
        (REPLACE, Deleted, &[]),
    ] {
        check(moved(name, movement), codes);
    }
}

#[test]
fn what_cannot_be_judged_is_refused_by_its_own_code() {
    for code in ["no-trust-root", "policy-unreadable", "push-too-large"] {
        let mut main = moved(MAIN, Movement::Forward);
        main.unjudged = Some(Undecided { code, message: "why".into(), help: "what".into() });
        check(main, &[code]);
    }
}

#[test]
fn a_change_of_the_policy_passes_on_policy_branches_alone() {
    for (name, codes) in [(MAIN, &["policy-unapproved"][..]), (GATE, &["policy-on-gate-branch"])] {
        let mut moved = moved(name, Movement::Forward);
        moved.policy = Some(id(3));
        check(moved, codes);
    }
}

#[test]
fn each_thing_against_a_directory_is_told() {
    let plain = || ArrivedDirectory { path: "gates/a/v1".into(), commit: Some(id(3)), ..Default::default() };
    let problem = Problem { code: "gate-x", place: None, message: "wrong".into(), help: None };
    for (directory, codes) in [
        (plain(), &[][..]),
        (ArrivedDirectory { closed: Some(id(4)), ..plain() }, &["gate-closed"]),
        (
            ArrivedDirectory { deployed: Some(("production".parse().unwrap(), id(4))), ..plain() },
            &["gate-deployed"],
        ),
        (
            ArrivedDirectory { defects: vec!["`x` is a symbolic link".into()], ..plain() },
            &["directory-invalid"],
        ),
        (ArrivedDirectory { problems: vec![problem], ..plain() }, &["request-invalid"]),
        (
            ArrivedDirectory { unsigned: vec![("x".into(), id(4), Code::Unsigned, "no".into())], ..plain() },
            &["unsigned-files"],
        ),
        (ArrivedDirectory { commit: None, unseen: Some(id(4)), ..plain() }, &["incident-unseen"]),
    ] {
        let mut moved = moved(MAIN, Movement::Forward);
        moved.directories = vec![directory];
        check(moved, codes);
    }
}

#[test]
fn decisions_and_records_are_refused_by_what_is_wrong_with_them() {
    for code in Code::ALL {
        let mut gate = moved(GATE, Movement::Forward);
        let (commit, what, reason) = (id(3), "`approve` of a/v1".into(), "why".into());
        gate.decisions = vec![ArrivedDecision { commit, what, code, reason }];
        check(gate, &[code.as_str()]);
    }
    for name in [LOG, MAIN] {
        let mut moved = moved(name, Movement::Forward);
        moved.records = vec![(id(3), "log-forked", "why".into())];
        check(moved, &["log-forked"]);
    }
    let mut gate = moved(GATE, Movement::Deleted);
    gate.dropped = vec![id(3)];
    check(gate, &["rejection-dropped"]);
}
