//! Rendering: what was found → text, JSON or markdown. Pure; nothing here decides.
//!
//! The forms are equal: what one shows, the others show. For people a finding becomes part of a page once
//! (`judgement.rs`, `policy.rs`, `problems.rs`), and `text.rs` and `markdown.rs` lay that page out; JSON has types of
//! its own (`json/`), since programs depend on them. Text from a repository is escaped in each form (design, section
//! 12): it steers no terminal and mentions nobody on a forge.

mod attestation;
mod audit;
mod backtest;
mod brief;
mod deployments;
mod doctor;
mod evidence;
mod history;
mod html;
mod incidents;
mod index;
mod json;
mod judgement;
mod keys;
mod markdown;
mod metrics;
mod origin;
mod oscal;
mod overview;
mod page;
mod policy;
mod policy_diff;
mod problems;
mod recording;
mod refusals;
pub mod report;
mod sheet;
mod sheet_markdown;
mod signatures;
mod tables;
mod text;
mod tune;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use attestation::{Attested, AttestedReport, render_envelope, render_statement, signed_bytes};
pub use backtest::BacktestShown;
pub use deployments::{DeploymentShown, Logged, deployment_words};
pub use doctor::{About, Examined, Finding, State};
pub use evidence::{AttachShown, ReportShown};
pub use overview::Awaited;
pub use policy_diff::{Flip, PolicyBranch, PolicyDiff};
pub use problems::LintShown;
pub use recording::{RecordedBranch, Recording};
pub use tune::TuneShown;

use crate::insight::metrics::Metrics;
use crate::insight::{
    Audit, Brief, GateLine, IncidentLine, IndexState, Judgement, LoggedRecord, Moment, Origin, Received,
    Running, SignatureCheck, Signing,
};
use crate::model::{GateName, Principal};
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

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Comma-separated values.
    Csv,
    /// What Prometheus and others read.
    OpenMetrics,
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

/// The approver's brief (`git-gate/review/1`).
pub fn render_review(brief: &Brief, signing: &Signing, form: Form) -> String {
    in_form(form, || json::review(brief, signing), || vec![brief::page(brief, signing)])
}

/// Many gates at a glance (`git-gate/list/1`); a table of text is `width` columns wide.
pub fn render_list(lines: &[GateLine], origin: &Origin, form: Form, width: usize) -> String {
    match form {
        Form::Json => json::list(lines, origin),
        Form::Text(_) => overview::table(lines, origin, width),
        Form::Markdown => markdown::render_pages(&[overview::page(lines, origin)]),
    }
}

/// What waits on one person (`git-gate/pending/1`), and the gates of which that could not be told.
pub fn render_pending(person: &Principal, awaited: &[Awaited], unjudged: &[&GateLine], form: Form) -> String {
    let json = || json::pending(person, awaited, unjudged);
    in_form(form, json, || vec![overview::pending_page(person, awaited, unjudged)])
}

/// What happened to a gate (`git-gate/history/1`).
pub fn render_history(gate: &GateName, moments: &[Moment], form: Form) -> String {
    in_form(form, || json::history(gate, moments), || vec![history::page(gate, moments)])
}

/// What the index knows (`git-gate/index/1`).
pub fn render_index(state: &IndexState, form: Form) -> String {
    in_form(form, || json::index(state), || vec![index::index_page(state)])
}

/// The policy in force (`git-gate/policy-show/1`).
pub fn render_policy(policy: &Policy, origin: &Origin, form: Form) -> String {
    in_form(form, || json::policy(policy, origin), || vec![policy::policy_page(policy, origin)])
}

/// The policy in force and the one that waits, with the decisions on it (`git-gate/policy-status/1`).
pub fn render_policy_status(
    origin: &Origin,
    decisions: &[DecisionShown],
    branches: &[PolicyBranch],
    form: Form,
) -> String {
    let json = || json::policy_status(origin, decisions, branches);
    in_form(form, json, || vec![policy::status_page(origin, decisions, branches)])
}

/// What a policy change means (`git-gate/policy-diff/1`).
pub fn render_policy_diff(diff: &PolicyDiff, form: Form) -> String {
    in_form(form, || json::policy_diff(diff), || vec![policy_diff::diff_page(diff)])
}

/// What a proposed policy would have done (`git-gate/backtest/1`).
pub fn render_backtest(shown: &BacktestShown<'_>, form: Form) -> String {
    in_form(form, || json::backtest(shown), || vec![backtest::backtest_page(shown)])
}

/// What each threshold would have caught (`git-gate/tune/1`).
pub fn render_tune(shown: &TuneShown<'_>, form: Form) -> String {
    in_form(form, || json::tune(shown), || vec![tune::tune_page(shown)])
}

/// Every key of the policy in force (`git-gate/key-list/1`).
pub fn render_keys(policy: &Policy, origin: &Origin, form: Form) -> String {
    in_form(form, || json::keys(policy, origin), || vec![keys::keys_page(policy, origin)])
}

/// What is wrong with a policy (`git-gate/policy-lint/1`).
pub fn render_lint(lint: &LintShown, form: Form) -> String {
    match form {
        Form::Json => json::lint(lint),
        Form::Text(style) => problems::lint_text(lint, style),
        Form::Markdown => problems::lint_markdown(lint),
    }
}

/// Why a hook refuses a push or a message (`git-gate/hook/1`).
pub fn render_refusals(hook: &str, received: &Received, form: Form) -> String {
    match form {
        Form::Json => json::refusals(hook, received),
        Form::Text(style) => refusals::text(received, style),
        Form::Markdown => refusals::markdown(received),
    }
}

/// Why signing or verifying does not work here (`git-gate/doctor/1`).
pub fn render_doctor(examined: &Examined, form: Form) -> String {
    in_form(form, || json::doctor(examined), || vec![doctor::page(examined)])
}

/// What `deploy` judged and logged (`git-gate/deploy/1`).
pub fn render_deploy(shown: &DeploymentShown<'_>, form: Form) -> String {
    in_form(form, || json::deploy(shown), || deployments::deploy_pages(shown))
}

/// The deployment log (`git-gate/log/1`).
pub fn render_log(records: &[LoggedRecord], origin: &Origin, form: Form) -> String {
    in_form(form, || json::log(records, origin), || vec![deployments::log_page(records, origin)])
}

/// What runs where (`git-gate/status/1`).
pub fn render_status(running: &[Running], origin: &Origin, form: Form) -> String {
    in_form(form, || json::status(running, origin), || vec![deployments::status_page(running, origin)])
}

/// Every logged deployment, judged again (`git-gate/audit/1`); `put` is given it piece by piece.
pub fn render_audit<E>(
    audit: &Audit,
    form: Form,
    put: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    match form {
        Form::Json => json::audit(audit, put),
        Form::Text(_) | Form::Markdown => put(&in_form(form, String::new, || vec![audit::page(audit)])),
    }
}

/// Every signature since the trust root (`git-gate/audit-signatures/1`).
pub fn render_signatures(check: &SignatureCheck, origin: &Origin, form: Form) -> String {
    in_form(form, || json::signatures(check, origin), || vec![signatures::page(check, origin)])
}

/// What the recorder brought to the mainline (`git-gate/record/1`).
pub fn render_recording(shown: &Recording, form: Form) -> String {
    in_form(form, || json::recording(shown), || vec![recording::page(shown)])
}

/// Gate metrics (`git-gate/metrics/1`).
pub fn render_metrics(metrics: &Metrics, origin: &Origin, form: Form) -> String {
    in_form(form, || json::metrics(metrics, origin), || vec![metrics::metrics_page(metrics, origin)])
}

/// Gate metrics as a table for other programs.
pub fn render_metrics_table(metrics: &Metrics, origin: &Origin, table: Table) -> String {
    match table {
        Table::Csv => tables::csv(metrics),
        Table::OpenMetrics => tables::openmetrics(metrics, origin),
    }
}

/// Incidents, and what they hit (`git-gate/incident-list/1`).
pub fn render_incidents(lines: &[IncidentLine], origin: &Origin, form: Form) -> String {
    in_form(form, || json::incidents(lines, origin), || vec![incidents::incidents_page(lines, origin)])
}

/// A report as it reads (`git-gate/evidence/1`).
pub fn render_report(report: &ReportShown<'_>, form: Form) -> String {
    in_form(form, || json::report(report), || vec![evidence::report_page(report)])
}

/// What a report means for the gate that it is attached to: for people.
pub fn render_attach(attach: &AttachShown<'_>, style: Style) -> String {
    text::render_pages(&[evidence::attach_page(attach)], style)
}

fn in_form(form: Form, json: impl FnOnce() -> String, pages: impl FnOnce() -> Vec<Page>) -> String {
    match form {
        Form::Json => json(),
        Form::Text(style) => text::render_pages(&pages(), style),
        Form::Markdown => markdown::render_pages(&pages()),
    }
}
