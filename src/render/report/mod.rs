//! A report for people and auditors: what was found of each gate, deployment, exception and incident, as sheets.
//!
//! Sheets hold nothing that is not in the findings that they are made from, and nothing that changes when the findings do
//! not: a page that says the same as before has the same bytes.

mod audit;
mod control;
mod criteria;
mod deployments;
mod gate;
mod gates;
mod metrics;
mod overview;
mod parts;
mod policy;
mod risks;

use std::collections::BTreeMap;
use std::iter;

use crate::insight::control::{Evidence, Finding};
use crate::insight::metrics::Metrics;
use crate::insight::{
    Audit, Deployment, Dossier, GateLine, IncidentLine, LoggedRecord, Origin, Place, PolicyMoment,
    Refinement, Running, Violation,
};
use crate::model::{ObjectId, Time};
use crate::policy::Policy;

use super::sheet::Sheet;
use super::{html, json, oscal, sheet_markdown};

/// What is kept of each gate once its own pages are written: what the lists show.
#[derive(Debug, Clone)]
pub struct GateRow {
    /// The gate at a glance.
    pub line: GateLine,
    /// Its exception, as lists show it; nothing: it has none.
    pub exception: Option<Box<ExceptionRow>>,
    /// The same as if its branch were merged, where that holds more than the mainline.
    pub ahead: Option<Box<GateLine>>,
}

/// An exception as lists show it.
#[derive(Debug, Clone)]
pub struct ExceptionRow {
    /// What it says, or why it does not read.
    pub fact: crate::verdict::ExceptionFact,
    /// Whether it is in force somewhere.
    pub in_force: bool,
    /// Why it is not; for one in force, who accepted it.
    pub reason: String,
}

/// All that the pages about the whole repository are made from.
#[derive(Debug)]
pub struct Whole<'a> {
    /// What it was made from.
    pub origin: &'a Origin,
    /// The policy in force.
    pub policy: &'a Policy,
    /// Every policy that has been in force, the one in force last.
    pub policies: &'a [PolicyMoment],
    /// Every gate.
    pub gates: &'a [GateRow],
    /// What runs where.
    pub running: &'a [Running],
    /// The audit; its deployments stand in `records` and `outside`.
    pub audit: &'a Audit,
    /// Every record of the logs, by environment, oldest first.
    pub records: &'a [LoggedRecord],
    /// Records that the mainline holds and the log does not.
    pub outside: &'a [(LoggedRecord, Place)],
    /// Until when what is not covered may stay so.
    pub dues: &'a BTreeMap<ObjectId, Time>,
    /// Every incident, the latest first.
    pub incidents: &'a [IncidentLine],
    /// What was measured.
    pub measured: &'a Measured,
    /// How the policy in force lines up with incidents.
    pub refinement: &'a Refinement,
    /// The records counted.
    pub evidence: &'a Evidence,
    /// The control held against them.
    pub findings: &'a [Finding],
}

impl<'a> Whole<'a> {
    /// Deployments that were not allowed and are not covered.
    pub(super) fn debts(&self) -> impl Iterator<Item = &'a LoggedRecord> + use<'a> {
        let outside = self.outside.iter().map(|(logged, _)| logged);
        self.records.iter().chain(outside).filter(|logged| logged.debt.is_some())
    }

    /// Gates whose branch holds what the mainline does not, as if it were merged.
    pub(super) fn unmerged(&self) -> impl Iterator<Item = &'a GateLine> + use<'a> {
        self.gates.iter().filter_map(|row| {
            let itself = (row.line.unmerged && row.line.problem.is_none()).then_some(&row.line);
            row.ahead.as_deref().or(itself)
        })
    }
}

/// The metrics of a repository, of all time, in the groups that a report shows; the totals are the same.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// By month.
    pub by_month: Metrics,
    /// By system.
    pub by_system: Metrics,
    /// By environment.
    pub by_environment: Metrics,
}

/// A file of a report: its path below the directory, and what stands in it.
pub type File = (String, String);

/// The style sheet that all pages share.
pub fn style() -> File {
    (html::STYLE_PATH.to_owned(), html::STYLE.to_owned())
}

/// The pages about one gate: its own, its exception's and its incidents'.
pub fn gate_files(dossier: &Dossier, policy: &Policy) -> Vec<File> {
    let mut sheets = vec![gate::sheet(dossier, policy)];
    sheets.extend(risks::exception_sheet(dossier));
    sheets.iter().map(|sheet| file(sheet, policy)).collect()
}

/// The page about one deployment, with what is wrong with it, and with its checklist as it was when it was logged, where that can
/// be judged again.
pub fn deployment_file(deployment: &Deployment, violations: &[Violation], policy: &Policy) -> File {
    file(&deployments::sheet(deployment, violations), policy)
}

/// The pages about the whole, each made when it is taken: together they would be larger than all that they are made from.
pub fn whole_files(whole: &Whole<'_>) -> impl Iterator<Item = File> {
    let single: [fn(&Whole<'_>) -> Sheet; 9] = [
        overview::sheet,
        deployments::all,
        audit::sheet,
        risks::exceptions,
        risks::incidents,
        criteria::sheet,
        policy::sheet,
        metrics::sheet,
        control::sheet,
    ];
    let sheets = single.into_iter().map(move |make| make(whole));
    let sheets = sheets.chain(iter::once_with(move || gates::sheets(whole)).flatten());
    let sheets = sheets.chain(gates::others(whole));
    let sheets = sheets.chain(iter::once_with(move || deployments::by_environment(whole)).flatten());
    let sheets = sheets.chain(iter::once_with(move || risks::incident_sheets(whole)).flatten());
    sheets.map(move |sheet| file(&sheet, whole.policy))
}

/// What the records show of the control, for tools of compliance: OSCAL assessment results, and the plan of action where
/// there is something to act on.
pub fn oscal_files(whole: &Whole<'_>) -> Vec<File> {
    let mut files = vec![("oscal/assessment-results.json".to_owned(), oscal::assessment_results(whole))];
    let plan = oscal::plan_of_action(whole);
    files.extend(plan.map(|plan| ("oscal/plan-of-action.json".to_owned(), plan)));
    files
}

/// One gate within `git-gate/report/1`.
pub fn gate_json(dossier: &Dossier, origin: &Origin) -> String {
    json::gate_of_report(dossier, origin)
}

/// What stands before the gates in `git-gate/report/1`.
pub fn json_before_gates() -> &'static str {
    json::BEFORE_GATES
}

/// What stands behind them; `put` is given it piece by piece.
pub fn json_after_gates<E>(whole: &Whole<'_>, put: &mut dyn FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    json::after_gates(whole, put)
}

/// One gate as one file to attach to a ticket: HTML.
pub fn gate_html(dossier: &Dossier, policy: &Policy, origin: &Origin) -> String {
    html::page_alone(&alone(dossier, policy, origin), &policy.id)
}

/// The same as markdown.
pub fn gate_markdown(dossier: &Dossier, policy: &Policy, origin: &Origin) -> String {
    sheet_markdown::render(&alone(dossier, policy, origin))
}

/// A page that leaves the report says itself what it was made from.
fn alone(dossier: &Dossier, policy: &Policy, origin: &Origin) -> Sheet {
    let mut sheet = gate::sheet(dossier, policy);
    sheet.parts.push(parts::made_from(origin));
    sheet
}

fn file(sheet: &Sheet, policy: &Policy) -> File {
    (sheet.path.clone(), html::page_of_site(sheet, &policy.id))
}
