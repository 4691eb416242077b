//! The ten findings: what shows each evidence requirement and each level of the control, and what is missing.

use std::collections::BTreeSet;

use crate::model::{IncidentId, Label, Name};
use crate::policy::Policy;
use crate::verdict::Basis;

use super::{Evidence, Finding, counted, listed};

impl Evidence {
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
        let origins = super::super::origins(policy, self.incidents.keys());
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
            finding.missing.push(format!("not allowed and not covered: {}", counted(debts, "deployment")));
        }
        if self.not_replayable > 0 {
            let words = counted(self.not_replayable, "deployment");
            finding.missing.push(format!("not to be judged again: {words}"));
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
