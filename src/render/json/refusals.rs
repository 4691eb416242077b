//! `git-gate/hook/1`.

use serde::Serialize;

use crate::insight::Received;

use super::object;
use super::problems::ProblemJson;

/// What a hook found.
pub(in crate::render) fn refusals(hook: &str, received: &Received) -> String {
    let refusals = received.refusals.iter().map(|refusal| RefusalJson {
        reference: &refusal.reference,
        commit: refusal.commit.map(|commit| commit.to_string()),
        code: refusal.code,
        message: &refusal.message,
        help: &refusal.help,
        problems: refusal.problems.iter().map(ProblemJson::new).collect(),
    });
    object(&HookJson {
        schema: "git-gate/hook/1",
        hook,
        refusals: refusals.collect(),
        warnings: &received.warnings,
    })
}

#[derive(Serialize)]
struct HookJson<'a> {
    schema: &'static str,
    hook: &'a str,
    refusals: Vec<RefusalJson<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct RefusalJson<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    commit: Option<String>,
    code: &'static str,
    message: &'a str,
    help: &'a str,
    problems: Vec<ProblemJson<'a>>,
}
