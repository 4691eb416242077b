//! What is wrong with a policy: each problem with its line and a caret.
//!
//! How a problem looks is settled in [`crate::problem`], which escapes all that comes from a file; here it is only set
//! into a form. In markdown it stands in a block indented by four blanks, which nothing in it can end.

use crate::model::escape;
use crate::problem::Problem;

use super::Style;
use super::page::counted;

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintShown {
    /// Which one: a path, or a commit.
    pub policy: String,
    /// What keeps it from coming into force.
    pub violations: Vec<Problem>,
    /// What is most likely not meant.
    pub warnings: Vec<Problem>,
}

const RED: &str = "1;31";
const YELLOW: &str = "1;33";

pub(super) fn lint_text(lint: &LintShown, style: Style) -> String {
    let violations = lint.violations.iter().map(|problem| labelled("error", RED, problem, style));
    let warnings = lint.warnings.iter().map(|problem| labelled("warning", YELLOW, problem, style));
    let mut text: String = violations.chain(warnings).collect();
    text.push_str(&escape(&summary(lint)));
    text.push('\n');
    text
}

pub(super) fn lint_markdown(lint: &LintShown) -> String {
    format!("## policy lint\n\n{}", block(&lint_text(lint, Style::Plain)))
}

fn summary(lint: &LintShown) -> String {
    let many =
        |problems: &[Problem], noun: &str| counted(u64::try_from(problems.len()).unwrap_or(u64::MAX), noun);
    if lint.violations.is_empty() && lint.warnings.is_empty() {
        return format!("{}: nothing found", lint.policy);
    }
    let verb =
        if lint.violations.is_empty() { "it can come into force" } else { "it cannot come into force" };
    format!(
        "{}: {}, {}: {verb}",
        lint.policy,
        many(&lint.violations, "error"),
        many(&lint.warnings, "warning")
    )
}

fn labelled(label: &str, colour: &str, problem: &Problem, style: Style) -> String {
    format!("{}: {problem}\n", painted(label, colour, style))
}

fn painted(safe: &str, colour: &str, style: Style) -> String {
    match style {
        Style::Coloured => format!("\u{1b}[{colour}m{safe}\u{1b}[0m"),
        Style::Plain => safe.to_owned(),
    }
}

/// Lines that markdown shows as they are.
fn block(text: &str) -> String {
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Place;

    fn problem(text: &str) -> Problem {
        let at = text.find('"').unwrap_or_default();
        Problem {
            code: "policy-unknown-role",
            place: Some(Place::in_text("policy/policy.toml", text, at..text.len())),
            message: "unknown role `ml-laed`".into(),
            help: Some("roles in this file: `ml-lead`".into()),
        }
    }

    #[test]
    fn a_policy_with_problems_shows_each_and_counts_them() {
        let lint = LintShown {
            policy: "policy/".into(),
            violations: vec![problem("role = \"ml-laed\"")],
            warnings: vec![Problem {
                code: "policy-weak-key",
                place: None,
                message: "a key of 1024 bits".into(),
                help: None,
            }],
        };
        insta::assert_snapshot!(lint_text(&lint, Style::Plain));
        insta::assert_snapshot!(lint_markdown(&lint));
        insta::assert_snapshot!(super::super::json::lint(&lint));
    }

    #[test]
    fn a_policy_without_problems_says_so() {
        let lint = LintShown { policy: "policy/".into(), violations: vec![], warnings: vec![] };
        assert_eq!(lint_text(&lint, Style::Plain), "policy/: nothing found\n");
    }

    #[test]
    fn a_hostile_file_does_not_steer_the_terminal_nor_leave_its_block() {
        let hostile = problem("x = \"\u{1b}]0;\u{202e}\r``` </pre>\"");
        let lint = LintShown { policy: "policy/".into(), violations: vec![hostile], warnings: vec![] };
        let text = lint_text(&lint, Style::Plain);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
        let markdown = lint_markdown(&lint);
        assert!(markdown.lines().skip(2).all(|line| line.starts_with("    ")), "{markdown}");
    }
}
