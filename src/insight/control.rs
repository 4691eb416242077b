//! The control that this program implements, CHM-002, held against the records: what shows each of its five evidence
//! requirements and five maturity levels, and what is missing.
//!
//! It counts what the verdicts, the audit, the metrics and the policy's own past found, and judges nothing anew (R14.7). Where
//! nothing was deployed there is nothing to show, and that is said: an empty record is no evidence of a gate.

mod findings;

use std::collections::BTreeMap;

use crate::decision::Verb;
use crate::ledger::Place;
use crate::model::{Code, Name, ObjectId};
use crate::policy::Policy;
use crate::verdict::{Basis, Replay};

use super::audit::{Audit, Deployment};
use super::dossier::Dossier;
use super::incidents::IncidentLine;
use super::metrics::Metrics;
use super::past::PolicyMoment;
use super::refinement::Refinement;

/// The control's id.
pub const CONTROL_ID: &str = "CHM-002";
/// Its title.
pub const CONTROL_TITLE: &str = "Model Deployment Gate Process";

/// What the records of a repository hold, counted.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Gates that were read.
    pub gates: u64,
    /// Records that judged again were allowed, by basis.
    pub allowed: BTreeMap<Basis, u64>,
    /// Records whose deployment was not allowed, that are covered.
    pub covered: u64,
    /// Those that are not covered.
    pub debts: Vec<ObjectId>,
    /// Records that cannot be judged again.
    pub not_replayable: u64,
    /// Records that count for nothing, and are no break-glass.
    pub not_counted: u64,
    /// Deployments on whose gate approvals or acceptances counted when they were judged.
    pub signed_off: u64,
    /// These approvals and acceptances.
    pub sign_offs: u64,
    /// Deployments of which nothing of that kind counted then, and that are no return of a version that ran before.
    pub not_signed_off: Vec<ObjectId>,
    /// Reports by kind: how many read, and how many do not.
    pub reports: BTreeMap<Name, (u64, u64)>,
    /// Approvals that count.
    pub approvals: u64,
    /// Rejections that count.
    pub rejections: u64,
    /// Decisions that do not count, by reason.
    pub not_counting: BTreeMap<Code, u64>,
    /// Exceptions in force somewhere.
    pub exceptions_in_force: u64,
    /// Exceptions that are in force nowhere.
    pub exceptions_not_in_force: u64,
}

/// What a control is held against, besides the gates' own records.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// Every policy that has been in force, the one in force last.
    pub policies: &'a [PolicyMoment],
    /// Every logged deployment, judged again.
    pub audit: &'a Audit,
    /// What was measured, of all time.
    pub metrics: &'a Metrics,
    /// Every incident.
    pub incidents: &'a [IncidentLine],
    /// How the policy in force lines up with them.
    pub refinement: &'a Refinement,
}

/// How far the records show something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// All of it.
    Whole,
    /// Some of it; the rest is named.
    Partly,
    /// Nothing of it.
    Not,
}

/// One requirement or level of the control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `evidence-1` to `evidence-5`, `level-1` to `level-5`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What the control asks for.
    pub asked: &'static str,
    /// How far the records show it.
    pub shown: Shown,
    /// What shows it.
    pub records: Vec<String>,
    /// What is missing.
    pub missing: Vec<String>,
    /// Where in the report the records stand: the page's path.
    pub page: &'static str,
}

impl Evidence {
    /// Adds what stands in one gate's dossier.
    pub fn add(&mut self, dossier: &Dossier) {
        self.gates += 1;
        for fact in &dossier.evidence {
            let (read, unread) = self.reports.entry(fact.kind.clone()).or_default();
            match &fact.report {
                Some(Ok(_)) => *read += 1,
                Some(Err(_)) | None => *unread += 1,
            }
        }
        // A decision may count in one environment and not in another: it is counted once, as counting.
        let mut decided: BTreeMap<ObjectId, (Option<Verb>, Option<Code>)> = BTreeMap::new();
        for shown in dossier.verdicts.iter().flat_map(|verdict| &verdict.decisions) {
            let known = decided.entry(shown.fact.commit).or_insert((shown.fact.verb, shown.code));
            if shown.code.is_none() {
                known.1 = None;
            }
        }
        for (verb, code) in decided.into_values() {
            match (verb, code) {
                (_, Some(code)) => *self.not_counting.entry(code).or_default() += 1,
                (Some(Verb::Approve), None) => self.approvals += 1,
                (Some(Verb::Reject), None) => self.rejections += 1,
                (_, None) => {}
            }
        }
        if dossier.exception.is_some() {
            let mut shown = dossier.verdicts.iter().flat_map(|verdict| &verdict.exceptions);
            if shown.any(|exception| exception.in_force) {
                self.exceptions_in_force += 1;
            } else {
                self.exceptions_not_in_force += 1;
            }
        }
    }

    /// Adds what was found of other gates.
    pub fn join(&mut self, other: Self) {
        fn add<K: Ord>(all: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
            for (key, count) in more {
                *all.entry(key).or_default() += count;
            }
        }
        let Self {
            gates,
            allowed,
            covered,
            debts,
            not_replayable,
            not_counted,
            signed_off,
            sign_offs,
            not_signed_off,
            reports,
            approvals,
            rejections,
            not_counting,
            exceptions_in_force,
            exceptions_not_in_force,
        } = other;
        self.gates += gates;
        add(&mut self.allowed, allowed);
        self.covered += covered;
        self.debts.extend(debts);
        self.not_replayable += not_replayable;
        self.not_counted += not_counted;
        self.signed_off += signed_off;
        self.sign_offs += sign_offs;
        self.not_signed_off.extend(not_signed_off);
        for (kind, (read, unread)) in reports {
            let known = self.reports.entry(kind).or_default();
            known.0 += read;
            known.1 += unread;
        }
        self.approvals += approvals;
        self.rejections += rejections;
        add(&mut self.not_counting, not_counting);
        self.exceptions_in_force += exceptions_in_force;
        self.exceptions_not_in_force += exceptions_not_in_force;
    }

    /// Adds one deployment, with how its gate stood then. What the log does not hold is not counted: the audit tells of it.
    pub fn add_deployment(&mut self, deployment: &Deployment) {
        if deployment.place != Place::Log {
            return;
        }
        let record = &deployment.record;
        if !deployment.break_glass && record.defect.is_some() && !deployment.before_root {
            self.not_counted += 1;
            return;
        }
        if let Some(then) = &deployment.then {
            let sign_offs = u64::try_from(then.approvals().count()).unwrap_or(u64::MAX);
            self.sign_offs += sign_offs;
            if sign_offs > 0 {
                self.signed_off += 1;
            } else if !matches!(record.replay, Replay::Allowed { basis: Basis::Rollback, .. }) {
                self.not_signed_off.push(record.commit);
            }
        }
        if deployment.break_glass {
            match &deployment.debt {
                Some(_) => self.debts.push(record.commit),
                None => self.covered += 1,
            }
            return;
        }
        match &record.replay {
            Replay::Allowed { basis, .. } => *self.allowed.entry(*basis).or_default() += 1,
            Replay::NotAllowed(_) | Replay::NotReplayable(_) => self.not_replayable += 1,
        }
    }

    fn deployments(&self) -> u64 {
        let debts = u64::try_from(self.debts.len()).unwrap_or(u64::MAX);
        self.allowed.values().sum::<u64>() + self.covered + debts + self.not_replayable
    }
}

impl Finding {
    fn new(id: &'static str, title: &'static str, asked: &'static str, page: &'static str) -> Self {
        Self { id, title, asked, shown: Shown::Whole, records: Vec::new(), missing: Vec::new(), page }
    }

    /// Says how many of something show it, where there is one.
    fn show(&mut self, count: u64, noun: &str, more: &str) {
        if count > 0 {
            self.records.push(format!("{}{more}", counted(count, noun)));
        }
    }

    /// Says how far it is shown; `nothing` is what is missing where no record was found.
    fn settle(mut self, nothing: &str) -> Self {
        if self.records.is_empty() && self.missing.is_empty() {
            self.missing.push(nothing.to_owned());
        }
        self.shown = match (self.records.is_empty(), self.missing.is_empty()) {
            (_, true) => Shown::Whole,
            (false, false) => Shown::Partly,
            (true, false) => Shown::Not,
        };
        self
    }
}

/// `1 report`, `2 reports`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first of them, and how many more there are.
fn listed(all: &[&str]) -> String {
    const MOST: usize = 20;
    let first = all.get(..MOST.min(all.len())).unwrap_or_default().join(", ");
    match all.len().saturating_sub(MOST) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
