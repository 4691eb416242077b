//! The grammar of decisions: a table of cases, and git's own reading beside ours.
//!
//! Each file of `tests/cases/decisions` is a commit message, to the byte; the snapshot beside it is what we read.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use git_gate::decision::{Reading, parse_message, render_message};
use insta::{assert_snapshot, glob, with_settings};
use proptest::prop_assert_eq;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::world::World;

#[test]
fn each_message_reads_as_its_snapshot_says() {
    with_settings!({snapshot_path => "../cases/decisions", prepend_module_to_snapshot => false, omit_expression => true}, {
        glob!("../cases/decisions", "*.txt", |path| {
            let message = std::fs::read_to_string(path).unwrap();
            assert_snapshot!("read", describe(&parse_message(&message)));
        });
    });
}

#[test]
fn we_find_no_trailer_that_git_does_not_find() {
    let world = World::new();
    let mut decisions = 0;
    glob!("../cases/decisions", "*.txt", |path| {
        let message = std::fs::read_to_string(path).unwrap();
        let gits =
            world.git_with_input(&world.dir(), &["interpret-trailers", "--parse", "--no-divider"], &message);
        match parse_message(&message) {
            Reading::Decision { decision, .. } => {
                decisions += 1;
                let ours = render_message(&decision, "s", "");
                assert_eq!(gate_lines(&gits), gate_lines(&ours), "{}", path.display());
            }
            Reading::None { .. } | Reading::Malformed(_) => {}
        }
    });
    assert!(decisions > 10);
}

#[test]
fn nor_in_messages_that_try_to_be_read_in_two_ways() {
    const DIGEST: &str = "sha256:9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b";
    let block = format!(
        "Gate: a/b\nGate-Action: approve\nGate-Role: lead\nGate-Content: {DIGEST}\nGate-Policy: {DIGEST}\n"
    );
    let piece = proptest::sample::select(vec![
        "\n",
        "\n\n",
        " \n",
        "\t",
        "Text\n",
        "---\n",
        "# note\n",
        "; note\n",
        "Conflicts:\n",
        "\tfile\n",
        "Ticket: 1\n",
        "(cherry picked from commit 12)\n",
        "# ------------------------ >8 ------------------------\n",
        "diff --git\n",
        "Gate-Environment: x\n",
        " folded\n",
        "\u{b}\n",
        "\u{a0}\n",
        "a b: c\n",
        "Signed-off-by: A <a@b>\n",
    ]);
    let pieces = |most| proptest::collection::vec(piece.clone(), 0..most);
    let world = World::new();
    let decisions = Cell::new(0);
    let mut runner =
        TestRunner::new_with_rng(Config::with_cases(300), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&(pieces(5), pieces(3)), |(before, behind)| {
        let message = format!("s\n\n{}\n{block}{}", before.concat(), behind.concat());
        if let Reading::Decision { decision, .. } = parse_message(&message) {
            decisions.set(decisions.get() + 1);
            let gits = world.git_with_input(
                &world.dir(),
                &["interpret-trailers", "--parse", "--no-divider"],
                &message,
            );
            let ours = render_message(&decision, "s", "");
            prop_assert_eq!(gate_lines(&gits), gate_lines(&ours), "{}", message);
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(decisions.get() > 30, "{}", decisions.get());
}

/// The `Gate` lines, sorted.
fn gate_lines(text: &str) -> BTreeMap<&str, usize> {
    let mut lines = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("Gate")) {
        *lines.entry(line).or_insert(0) += 1;
    }
    lines
}

fn describe(reading: &Reading) -> String {
    match reading {
        Reading::None { stray } => format!("none, stray: {stray}"),
        Reading::Decision { decision, stray } => {
            let message = render_message(decision, "subject", "");
            format!("decision, stray: {stray}\n{}", message.trim_start_matches("subject\n\n"))
        }
        Reading::Malformed(malformed) => {
            let mut text = format!("malformed: {}\n", malformed.reason);
            let target = malformed.target.as_ref().map(ToString::to_string);
            let role = malformed.role.as_ref().map(ToString::to_string);
            let verb = malformed.verb.map(|verb| verb.to_string());
            for (what, value) in [("target", target), ("verb", verb), ("role", role)] {
                writeln!(text, "{what}: {}", value.as_deref().unwrap_or("cannot be read")).unwrap();
            }
            for (token, values) in &malformed.trailers {
                writeln!(text, "  {token}: {values:?}").unwrap();
            }
            text
        }
    }
}
