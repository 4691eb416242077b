//! Rendering: what was found → text, JSON or markdown. Pure; nothing here decides.
//!
//! The forms are equal: what one shows, the others show. For people a finding becomes part of a page once
//! (`judgement.rs`, `policy.rs`, `problems.rs`), and `text.rs` and `markdown.rs` lay that page out; JSON has types of
//! its own (`json/`), since programs depend on them. Text from a repository is escaped in each form (design, section
//! 12): it steers no terminal and mentions nobody on a forge.

mod doctor;
mod json;
mod judgement;
mod markdown;
mod origin;
mod page;
mod policy;
mod problems;
mod text;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use doctor::{About, Examined, Finding, State};
pub use problems::{ErrorShown, LintShown};

use crate::insight::{Judgement, PolicyOrigin};
use crate::model::GateName;
use crate::policy::Policy;
use crate::verdict::DecisionShown;

use page::Page;

/// The form of what is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people, on a terminal.
    Text(Style),
    /// For programs: one object on one line.
    Json,
    /// For merge requests and issues.
    Markdown,
}

/// Whether text has colours. Who asks knows whether a terminal reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Characters alone.
    Plain,
    /// With escape sequences of our own.
    Coloured,
}

/// One verdict (`git-gate/check/1`).
pub fn render_check(judgement: &Judgement, form: Form) -> String {
    let pages = || judgement::pages(std::slice::from_ref(judgement));
    in_form(form, || json::check(judgement), pages)
}

/// The checklists of a gate, one for each environment (`git-gate/show/1`).
pub fn render_show(gate: &GateName, environments: &[Judgement], form: Form) -> String {
    let json = || json::environments("git-gate/show/1", gate, environments);
    in_form(form, json, || judgement::pages(environments))
}

/// The same, judged as if the gate's branch were merged (`git-gate/ready/1`).
pub fn render_ready(gate: &GateName, environments: &[Judgement], form: Form) -> String {
    let json = || json::environments("git-gate/ready/1", gate, environments);
    in_form(form, json, || judgement::pages(environments))
}

/// The policy in force (`git-gate/policy-show/1`).
pub fn render_policy(policy: &Policy, origin: &PolicyOrigin, form: Form) -> String {
    in_form(form, || json::policy(policy, origin), || vec![policy::policy_page(policy, origin)])
}

/// The policy in force and the one that waits, with the decisions on it (`git-gate/policy-status/1`).
pub fn render_policy_status(origin: &PolicyOrigin, decisions: &[DecisionShown], form: Form) -> String {
    let json = || json::policy_status(origin, decisions);
    in_form(form, json, || vec![policy::status_page(origin, decisions)])
}

/// What is wrong with a policy (`git-gate/policy-lint/1`).
pub fn render_lint(lint: &LintShown, form: Form) -> String {
    match form {
        Form::Json => json::lint(lint),
        Form::Text(style) => problems::lint_text(lint, style),
        Form::Markdown => problems::lint_markdown(lint),
    }
}

/// Why signing or verifying does not work here (`git-gate/doctor/1`).
pub fn render_doctor(examined: &Examined, form: Form) -> String {
    in_form(form, || json::doctor(examined), || vec![doctor::page(examined)])
}

/// Why nothing could be decided or done (`git-gate/error/1`).
pub fn render_error(error: &ErrorShown<'_>, form: Form) -> String {
    match form {
        Form::Json => json::error(error),
        Form::Text(style) => problems::error_text(error, style),
        Form::Markdown => problems::error_markdown(error),
    }
}

fn in_form(form: Form, json: impl FnOnce() -> String, pages: impl FnOnce() -> Vec<Page>) -> String {
    match form {
        Form::Json => json(),
        Form::Text(style) => text::render_pages(&pages(), style),
        Form::Markdown => markdown::render_pages(&pages()),
    }
}
