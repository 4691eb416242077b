//! `git-gate/policy-lint/1`.

use serde::Serialize;

use crate::problem::Problem;
use crate::render::LintShown;

use super::object;

/// What is wrong with a policy.
pub(in crate::render) fn lint(lint: &LintShown) -> String {
    object(&LintJson {
        schema: "git-gate/policy-lint/1",
        policy: &lint.policy,
        violations: lint.violations.iter().map(ProblemJson::new).collect(),
        warnings: lint.warnings.iter().map(ProblemJson::new).collect(),
    })
}

#[derive(Serialize)]
struct LintJson<'a> {
    schema: &'static str,
    policy: &'a str,
    violations: Vec<ProblemJson<'a>>,
    warnings: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct ProblemJson<'a> {
    code: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    length: Option<usize>,
    text: Option<&'a str>,
}

impl<'a> ProblemJson<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        let place = problem.place.as_ref();
        Self {
            code: problem.code,
            message: &problem.message,
            help: problem.help.as_deref(),
            file: place.map(|place| place.file.as_str()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            length: place.map(|place| place.length),
            text: place.map(|place| place.text.as_str()),
        }
    }
}
