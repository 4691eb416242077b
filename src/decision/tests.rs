//! Properties of reading and writing. The grammar's table of cases is in `tests/cases/decisions`.

use proptest::prelude::*;

use super::*;

fn parsed<T: FromStr<Err = Malformed> + std::fmt::Debug>(pattern: &'static str) -> impl Strategy<Value = T> {
    pattern.prop_filter_map("a valid value", |text| text.parse::<T>().ok())
}

fn name() -> impl Strategy<Value = Name> {
    parsed("[A-Za-z0-9][A-Za-z0-9._+-]{0,8}")
}

fn target() -> impl Strategy<Value = Target> {
    let gate = (name(), name()).prop_map(|(system, version)| GateName { system, version });
    prop_oneof![gate.prop_map(Target::Gate), Just(Target::Policy)]
}

fn seen() -> impl Strategy<Value = Seen> {
    (any::<[u8; 32]>(), any::<[u8; 32]>())
        .prop_map(|(content, policy)| Seen { content: ContentDigest(content), policy: ContentDigest(policy) })
}

fn object_id() -> impl Strategy<Value = ObjectId> {
    any::<[u8; 20]>().prop_map(ObjectId)
}

fn deploy() -> impl Strategy<Value = Deploy> {
    let artifacts = prop::collection::btree_map(
        parsed("[a-z]{1,3}(/[a-z.+]{1,3}){0,2}"),
        any::<[u8; 32]>().prop_map(|bytes| ArtifactDigest::from(ContentDigest(bytes))),
        0..4,
    );
    let basis = prop::sample::select(&ClaimedBasis::ALL[..]);
    (seen(), name(), basis, artifacts, "[!-~é][ -~]{0,9}[!-~]", object_id(), prop::option::of(object_id()))
        .prop_map(|(seen, environment, basis, artifacts, reason, root, restart)| Deploy {
            seen,
            environment,
            basis,
            artifacts: artifacts.into(),
            reason: (basis == ClaimedBasis::BreakGlass).then_some(reason),
            root,
            restart,
        })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (name(), prop::collection::btree_set(name(), 0..3), seen())
            .prop_map(|(role, environments, seen)| Action::Approve { role, environments, seen }),
        (name(), name(), seen()).prop_map(|(role, reason, seen)| Action::Reject { role, reason, seen }),
        Just(Action::Withdraw),
        Just(Action::Close),
        (name(), prop::option::of(object_id()), seen()).prop_map(|(role, record, seen)| Action::AcceptRisk {
            role,
            record,
            seen
        }),
        deploy().prop_map(Action::Deploy),
        (name(), object_id()).prop_map(|(environment, record)| Action::DeployFailed { environment, record }),
    ]
}

/// Text that tries to break the grammar.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("Gate: a/b".to_owned()),
        Just("gate-action: approve".to_owned()),
        Just("Gate-Role: x\r\n".to_owned()),
        Just(" ".to_owned()),
        Just("\t\u{a0}".to_owned()),
        Just("\0".to_owned()),
        Just("# ------------------------ >8 ------------------------".to_owned()),
        Just("---".to_owned()),
        "\\PC{0,5}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Whether the grammar knows it: [`Target::Policy`] takes few actions.
fn is_sound(decision: &Decision) -> bool {
    match (&decision.target, &decision.action) {
        (Target::Gate(_), _) | (Target::Policy, Action::Reject { .. } | Action::Withdraw) => true,
        (Target::Policy, Action::Approve { environments, .. }) => environments.is_empty(),
        (
            Target::Policy,
            Action::Close | Action::AcceptRisk { .. } | Action::Deploy(_) | Action::DeployFailed { .. },
        ) => false,
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(target in target(), action in action(), subject in hostile_text(), body in hostile_text()) {
        let decision = Decision { target, action };
        let message = render_message(&decision, &subject, &body);
        prop_assert!(!message.contains(['\r', '\0']));
        match parse_message(&message) {
            Reading::Decision { decision: read, .. } => prop_assert_eq!(read, decision),
            Reading::Malformed(malformed) => {
                prop_assert!(!is_sound(&decision), "{}\n{message}", malformed.reason);
                prop_assert_eq!(malformed.verb, Some(decision.verb()));
                prop_assert_eq!(malformed.target, Some(decision.target));
            }
            Reading::None { .. } => prop_assert!(false, "vanished:\n{message}"),
        }
    }

    #[test]
    fn no_text_panics(text in hostile_text()) {
        let _reading = parse_message(&text);
    }

    /// What restricts needs less than what permits: whatever is added behind the trailers of a rejection, or taken from
    /// the values it needs least, it is still one, unless the text begins a new paragraph.
    #[test]
    fn a_rejection_survives_what_is_added_to_it(line in "[ -~\t\u{e4}]{0,20}") {
        let text = "s\n\nGate: a/b\nGate-Action: reject\nGate-Role: lead\nGate-Reason: quality\n";
        let other = ["gate:", "gate-action:", "gate-role:"];
        prop_assume!(!other.iter().any(|start| line.trim().to_ascii_lowercase().starts_with(start)));
        match parse_message(&format!("{text}{line}\n")) {
            Reading::Malformed(malformed) => {
                prop_assert_eq!(malformed.verb, Some(Verb::Reject));
                prop_assert_eq!(malformed.target, "a/b".parse().ok());
                prop_assert_eq!(malformed.role, "lead".parse().ok());
            }
            other @ (Reading::None { .. } | Reading::Decision { .. }) => prop_assert!(false, "{other:?}"),
        }
    }
}

#[test]
fn a_subject_is_made_where_none_is_given() {
    let decision = Decision { target: Target::Policy, action: Action::Withdraw };
    assert_eq!(
        render_message(&decision, " \n", "\n\n"),
        "Withdraw from policy\n\nGate: policy\nGate-Action: withdraw\n"
    );
    assert_eq!(
        render_message(&decision, "Subject \nmore", "Body \n\n \nmore\n"),
        "Subject\n\nBody\n\n\nmore\n\nGate: policy\nGate-Action: withdraw\n"
    );
}

/// What stands in the only paragraph is no trailer; yet what is plainly meant as a decision does not vanish.
#[test]
fn an_only_paragraph_is_malformed_where_it_says_what_was_decided_about_what() {
    for (text, expected) in [
        ("Gate: a/b\nGate-Action: reject\nGate-Role: lead\n", Some(Verb::Reject)),
        ("s\ngate: policy\nGATE-ACTION: Close", Some(Verb::Close)),
        ("Gate: a/b\n", None),
        ("Gate-Action: reject\n", None),
        ("Gate: a/b\nGate-Action: open\n", None),
        ("Gate: a b\nGate-Action: reject\n", None),
    ] {
        match (parse_message(text), expected) {
            (Reading::Malformed(malformed), Some(verb)) => assert_eq!(malformed.verb, Some(verb), "{text}"),
            (Reading::None { stray }, None) => assert!(stray, "{text}"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}

/// Scissors in a subject cut nothing: neither does the line become another's subject.
#[test]
fn a_subject_of_scissors_is_one_that_cuts_nothing() {
    let decision = Decision { target: Target::Policy, action: Action::Withdraw };
    let message = render_message(&decision, "# ------------------------ >8 ------------------------", "");
    assert!(message.starts_with("# ------------------------ > 8 ---"), "{message}");
    assert!(matches!(parse_message(&message), Reading::Decision { decision: read, .. } if read == decision));
}

#[test]
fn a_long_line_is_not_quoted_whole() {
    let long = "ä".repeat(5_000);
    let Reading::Malformed(malformed) = parse_message(&format!("s\n\nGate: x\n{long}\n")) else { panic!() };
    assert!(malformed.reason.len() < 1_000);
}
