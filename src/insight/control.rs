//! The control that this program implements, CHM-002, held against the records: what shows each of its five evidence
//! requirements and five maturity levels, and what is missing.
//!
//! It counts what the verdicts and replays found, and judges nothing anew. Where nothing was deployed there is nothing to
//! show, and that is said: an empty record is no evidence of a gate.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::model::{Code, IncidentId, Label, Name, ObjectId};
use crate::policy::Policy;
use crate::verdict::{Basis, Replay};

use super::dossier::Dossier;
use super::log::LoggedRecord;

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
    /// Incidents by id, with whether one is open.
    pub incidents: BTreeMap<IncidentId, bool>,
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
        for incident in &dossier.incidents {
            *self.incidents.entry(incident.id.clone()).or_default() |= incident.open;
        }
    }

    /// Adds one record of a log.
    pub fn add_record(&mut self, logged: &LoggedRecord) {
        if logged.break_glass {
            match &logged.debt {
                Some(_) => self.debts.push(logged.record.commit),
                None => self.covered += 1,
            }
            return;
        }
        match &logged.record.replay {
            _ if logged.record.defect.is_some() => self.not_counted += 1,
            Replay::Allowed { basis, .. } => *self.allowed.entry(*basis).or_default() += 1,
            Replay::NotAllowed(_) | Replay::NotReplayable(_) => self.not_replayable += 1,
        }
    }

    fn deployments(&self) -> u64 {
        let debts = u64::try_from(self.debts.len()).unwrap_or(u64::MAX);
        self.allowed.values().sum::<u64>() + self.covered + debts + self.not_replayable
    }

    /// The ten findings: the five evidence requirements, then the five levels.
    pub fn findings(&self, policy: &Policy) -> Vec<Finding> {
        vec![
            self.checklists(),
            self.test_results(policy),
            self.approval_records(),
            self.exception_records(),
            self.deployment_log(),
            self.initial(),
            developing(policy),
            self.defined(policy),
            self.managed(),
            self.optimizing(policy),
        ]
    }

    fn checklists(&self) -> Finding {
        let mut finding = Finding::new(
            "evidence-1",
            "Gate checklists",
            "Deployment gate checklist showing all required tests passed and approvals obtained before each production deployment",
            "deployments.html",
        );
        let on = |basis| self.allowed.get(&basis).copied().unwrap_or_default();
        finding
            .show(on(Basis::Requirements), "deployments whose whole checklist was met when they were logged");
        finding.show(on(Basis::Exception), "deployments on an accepted exception");
        finding.show(on(Basis::Rollback), "returns of a version that ran before");
        finding.show(self.covered, "deployments past the gate, covered since by an accepted risk");
        self.miss_what_was_not_allowed(&mut finding);
        finding.settle("no deployment has been logged")
    }

    fn test_results(&self, policy: &Policy) -> Finding {
        let mut finding = Finding::new(
            "evidence-2",
            "Test results",
            "Test result reports for evaluation, bias assessment, and security tests executed as gate conditions",
            "policy.html",
        );
        let required: BTreeSet<&Name> = policy.rules.iter().flat_map(|rule| &rule.evidence).collect();
        let bounded: BTreeSet<&Name> = policy
            .rules
            .iter()
            .flat_map(|rule| &rule.criteria)
            .map(|criterion| &criterion.evidence)
            .collect();
        for (kind, (read, unread)) in &self.reports {
            let condition = match (required.contains(kind), bounded.contains(kind)) {
                (true, true) => "a rule asks for it and a criterion reads it",
                (true, false) => "a rule asks for it",
                (false, true) => "a criterion reads it",
                (false, false) => "no rule asks for it",
            };
            if *read > 0 {
                finding.records.push(format!("{kind}: {}; {condition}", counted(*read, "report")));
            }
            if *unread > 0 {
                finding
                    .missing
                    .push(format!("{kind}: {} absent or not readable", counted(*unread, "report")));
            }
        }
        for kind in required.iter().filter(|kind| !self.reports.contains_key(**kind)) {
            finding.missing.push(format!("{kind}: a rule asks for it, and no gate holds one"));
        }
        if required.is_empty() {
            finding.missing.push("no rule of the policy in force asks for a test report".to_owned());
        }
        if bounded.is_empty() {
            finding.missing.push("no criterion of the policy in force sets a bound on a result".to_owned());
        }
        finding.settle("no gate holds a report")
    }

    fn approval_records(&self) -> Finding {
        let mut finding = Finding::new(
            "evidence-3",
            "Approval records",
            "Approval records with approver identity, timestamp, and scope for each deployment event",
            "gates.html",
        );
        finding.show(self.approvals, "approvals that count, each signed by a known key: who, in which role, when, for what content and where");
        finding.show(self.rejections, "rejections that count");
        let not: u64 = self.not_counting.values().sum();
        finding.show(not, "decisions that do not count, each listed on its gate's page with the reason");
        if self.approvals == 0 {
            finding.missing.push("no approval counts".to_owned());
        }
        finding.settle("no approval has been recorded")
    }

    fn exception_records(&self) -> Finding {
        let mut finding = Finding::new(
            "evidence-4",
            "Exception records",
            "Gate exception records for any deployment that bypassed standard criteria, with risk acceptance sign-off",
            "exceptions.html",
        );
        finding.show(
            self.exceptions_in_force,
            "exceptions in force, accepted by the roles that the policy names",
        );
        finding.show(self.exceptions_not_in_force, "exceptions not in force");
        let on = self.allowed.get(&Basis::Exception).copied().unwrap_or_default();
        finding.show(on, "deployments on an exception that was in force then");
        finding.show(self.covered, "deployments past the gate, covered since by an accepted risk");
        for record in &self.debts {
            finding.missing.push(format!("{record} was not allowed and nobody has accepted its risk"));
        }
        if finding.records.is_empty() && finding.missing.is_empty() {
            finding.records.push(if self.deployments() == 0 {
                "nothing was deployed, and nothing bypassed".to_owned()
            } else {
                format!("none of {} bypassed a criterion", counted(self.deployments(), "deployment"))
            });
        }
        finding.settle("")
    }

    fn deployment_log(&self) -> Finding {
        let mut finding = Finding::new(
            "evidence-5",
            "Deployment log",
            "Deployment log showing version promoted, timestamp, deployer identity, and target environment",
            "deployments.html",
        );
        finding.show(
            self.deployments(),
            "deployments logged, each signed: version, artifacts, time, deployer, environment",
        );
        if self.not_counted > 0 {
            let words = counted(self.not_counted, "record");
            finding.missing.push(format!(
                "{words} in the log count for nothing (not signed by a deployer, or out of chain)"
            ));
        }
        finding.settle("no deployment has been logged")
    }

    fn initial(&self) -> Finding {
        let mut finding = Finding::new(
            "level-1",
            "Initial",
            "Model changes are deployed without formal review or approval.",
            "deployments.html",
        );
        finding.records.push(
            "left behind: every change has a gate, and every deployment in the log is judged again"
                .to_owned(),
        );
        self.miss_what_was_not_allowed(&mut finding);
        finding.settle("")
    }

    fn defined(&self, policy: &Policy) -> Finding {
        let mut finding = Finding::new(
            "level-3",
            "Defined",
            "All production changes require documented testing results and sign-off before deployment.",
            "deployments.html",
        );
        let with_tests = policy.rules.iter().filter(|rule| !rule.evidence.is_empty()).count();
        let with_people = policy.rules.iter().filter(|rule| !rule.approvals.is_empty()).count();
        finding.show(u64::try_from(with_tests).unwrap_or(u64::MAX), "rules that ask for reports");
        finding.show(u64::try_from(with_people).unwrap_or(u64::MAX), "rules that ask for approvals");
        finding.show(self.allowed.values().sum(), "deployments that were allowed when they were logged");
        if with_tests == 0 {
            finding.missing.push("no rule asks for a report".to_owned());
        }
        if with_people == 0 {
            finding.missing.push("no rule asks for an approval".to_owned());
        }
        if self.deployments() == 0 {
            finding.missing.push("no deployment has been logged yet".to_owned());
        }
        self.miss_what_was_not_allowed(&mut finding);
        finding.settle("")
    }

    fn managed(&self) -> Finding {
        let mut finding = Finding::new(
            "level-4",
            "Managed",
            "Deployment gate metrics (approval rate, rejection reasons, cycle time) are tracked and reported.",
            "metrics.html",
        );
        finding.show(self.gates, "gates whose history gives the metrics of this report");
        finding.show(self.approvals + self.rejections, "decisions behind them");
        finding.settle("there is no gate to measure")
    }

    fn optimizing(&self, policy: &Policy) -> Finding {
        let mut finding = Finding::new(
            "level-5",
            "Optimizing",
            "Gate criteria are continuously refined based on post-deployment incident data.",
            "incidents.html",
        );
        let origins = super::origins(policy, self.incidents.keys());
        let named = origins.criteria.iter().filter(|(_, origin)| !origin.incidents.is_empty());
        for (criterion, origin) in named {
            let from: Vec<&str> = origin.incidents.iter().map(IncidentId::as_str).collect();
            finding.records.push(format!("criterion `{criterion}` came from {}", from.join(", ")));
        }
        if !origins.unanswered.is_empty() {
            let ids: Vec<&str> = origins.unanswered.iter().map(IncidentId::as_str).collect();
            finding
                .missing
                .push(format!("incidents that no criterion names as its origin: {}", listed(&ids)));
        }
        let without: Vec<&str> = origins.without_origin().map(Label::as_str).collect();
        if !without.is_empty() {
            finding
                .missing
                .push(format!("criteria that do not say where they came from: {}", listed(&without)));
        }
        if self.incidents.is_empty() {
            finding
                .missing
                .push("no incident has been recorded, so none could refine a criterion".to_owned());
        }
        finding.settle("")
    }

    fn miss_what_was_not_allowed(&self, finding: &mut Finding) {
        if !self.debts.is_empty() {
            let debts = u64::try_from(self.debts.len()).unwrap_or(u64::MAX);
            finding
                .missing
                .push(format!("{} that were not allowed and are not covered", counted(debts, "deployment")));
        }
        if self.not_replayable > 0 {
            let words = counted(self.not_replayable, "deployment");
            finding.missing.push(format!("{words} that cannot be judged again"));
        }
    }
}

fn developing(policy: &Policy) -> Finding {
    let mut finding = Finding::new(
        "level-2",
        "Developing",
        "Informal review exists for major changes but minor changes (prompts, configs) are deployed without gates.",
        "policy.html",
    );
    let kinds: Vec<&str> = policy.kinds.iter().map(Name::as_str).collect();
    finding.records.push(format!(
        "left behind: the policy names these kinds of change, and a gate of any of them is judged: {}",
        kinds.join(", ")
    ));
    for problem in crate::policy::lint(policy) {
        if problem.code == "policy-change-unapproved" {
            finding.missing.push(problem.message);
        }
    }
    finding.settle("")
}

impl Finding {
    fn new(id: &'static str, title: &'static str, asked: &'static str, page: &'static str) -> Self {
        Self { id, title, asked, shown: Shown::Whole, records: Vec::new(), missing: Vec::new(), page }
    }

    fn show(&mut self, count: u64, what: &str) {
        if count > 0 {
            self.records.push(format!("{count} {what}"));
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
