use super::*;

const EXAMPLE: &str = include_str!("examples/design.toml");

const SIGNERS: &str = include_str!("examples/allowed_signers");

#[track_caller]
pub(super) fn parsed(text: &str) -> Policy {
    Policy::parse(text.as_bytes(), SIGNERS.as_bytes()).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn the_designs_example_parses_and_could_come_into_force() {
    let policy = parsed(EXAMPLE);
    assert_eq!(policy.rules.len(), 4);
    assert_eq!(policy.serial, 7);
    let found: Vec<String> = policy.findings.iter().map(ToString::to_string).collect();
    assert_eq!(found, [] as [String; 0]);
}
