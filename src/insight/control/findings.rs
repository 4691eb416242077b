//! The ten findings: what shows each evidence requirement and each level of the control, and what is missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::ViolationCode;
use crate::insight::metrics::{METHOD, Span, Tally, in_words};
use crate::insight::timeline::End;
use crate::insight::tune::Suggested;
use crate::model::{IncidentId, Label, Name};
use crate::policy::Policy;
use crate::verdict::Basis;

use super::{Evidence, Finding, Grounds, counted, listed};

impl Evidence {
    /// The ten findings: the five evidence requirements, then the five levels.
    pub fn findings(&self, grounds: &Grounds<'_>) -> Vec<Finding> {
        let policy = grounds.policy;
        vec![
            self.checklists(grounds),
            self.test_results(policy),
            self.approval_records(),
            self.exception_records(grounds),
            self.deployment_log(grounds),
            self.initial(grounds),
            developing(policy),
            self.defined(grounds),
            managed(grounds),
            optimizing(grounds),
        ]
    }

    fn checklists(&self, grounds: &Grounds<'_>) -> Finding {
        let mut finding = Finding::new(
            "evidence-1",
            "Gate checklists",
            "Deployment gate checklist showing all required tests passed and approvals obtained before each production deployment",
            "deployments.html",
        );
        let on = |basis| self.allowed.get(&basis).copied().unwrap_or_default();
        finding.show(
            on(Basis::Requirements),
            "deployment",
            " with the whole checklist met at the time of the log entry",
        );
        finding.show(on(Basis::Exception), "deployment", " on an accepted exception");
        finding.show(on(Basis::Rollback), "return", " of a version that ran before");
        finding.show(self.covered, "deployment", " past the gate, covered since by an accepted risk");
        self.miss_what_was_not_allowed(&mut finding, grounds);
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
            "deployments.html",
        );
        finding.show(
            self.signed_off,
            "deployment",
            &format!(
                " with the approvals that counted then, {} in all: who, in which role, when, for which content and where",
            self.sign_offs
        ));
        finding.show(self.approvals, "approval", " now in force, signed by a known key");
        finding.show(self.rejections, "rejection", " now in force");
        let not: u64 = self.not_counting.values().sum();
        finding.show(not, "decision", " without effect, listed on its gate's page with the reason");
        if !self.not_signed_off.is_empty() {
            let records: Vec<String> = self.not_signed_off.iter().map(ToString::to_string).collect();
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            finding
                .missing
                .push(format!("no approval counted when these were deployed: {}", listed(&records)));
        }
        if self.approvals == 0 && self.sign_offs == 0 {
            finding.missing.push("no approval counts".to_owned());
        }
        finding.settle("no approval has been recorded")
    }

    fn exception_records(&self, grounds: &Grounds<'_>) -> Finding {
        let mut finding = Finding::new(
            "evidence-4",
            "Exception records",
            "Gate exception records for any deployment that bypassed standard criteria, with risk acceptance sign-off",
            "exceptions.html",
        );
        finding.show(
            self.exceptions_in_force,
            "exception",
            " in force, accepted by the roles that the policy names",
        );
        finding.show(self.exceptions_not_in_force, "exception", " not in force");
        let on = self.allowed.get(&Basis::Exception).copied().unwrap_or_default();
        finding.show(on, "deployment", " on an exception that was in force then");
        finding.show(self.covered, "deployment", " past the gate, covered since by an accepted risk");
        for record in &self.debts {
            finding.missing.push(format!("{record} was not allowed and nobody has accepted its risk"));
        }
        miss(&mut finding, grounds, &[ViolationCode::ExceptionEnded]);
        if finding.records.is_empty() && finding.missing.is_empty() {
            finding.records.push(if self.deployments() == 0 {
                "nothing was deployed, and nothing bypassed".to_owned()
            } else {
                format!("none of {} bypassed a criterion", counted(self.deployments(), "deployment"))
            });
        }
        finding.settle("")
    }

    fn deployment_log(&self, grounds: &Grounds<'_>) -> Finding {
        let mut finding = Finding::new(
            "evidence-5",
            "Deployment log",
            "Deployment log showing version promoted, timestamp, deployer identity, and target environment",
            "audit.html",
        );
        finding.show(
            self.deployments(),
            "deployment",
            " logged and signed: version, artifacts, time, deployer, environment",
        );
        if self.not_counted > 0 {
            finding
                .missing
                .push(format!("{} in the log that count for nothing", counted(self.not_counted, "record")));
        }
        miss(&mut finding, grounds, OF_THE_LOG);
        finding.settle("no deployment has been logged")
    }

    fn initial(&self, grounds: &Grounds<'_>) -> Finding {
        let mut finding = Finding::new(
            "level-1",
            "Initial",
            "Model changes are deployed without formal review or approval.",
            "deployments.html",
        );
        finding.show(self.deployments(), "deployment", " of a version with a gate, judged again");
        self.miss_what_was_not_allowed(&mut finding, grounds);
        finding.settle("no deployment has been logged")
    }

    fn defined(&self, grounds: &Grounds<'_>) -> Finding {
        let mut finding = Finding::new(
            "level-3",
            "Defined",
            "All production changes require documented testing results and sign-off before deployment.",
            "deployments.html",
        );
        let rules = &grounds.policy.rules;
        let with_tests = rules.iter().filter(|rule| !rule.evidence.is_empty()).count();
        let with_people = rules.iter().filter(|rule| !rule.approvals.is_empty()).count();
        finding.show(u64::try_from(with_tests).unwrap_or(u64::MAX), "rule", " with required reports");
        finding.show(u64::try_from(with_people).unwrap_or(u64::MAX), "rule", " with required approvals");
        finding.show(self.allowed.values().sum(), "deployment", " allowed at the time of the log entry");
        if with_tests == 0 {
            finding.missing.push("no rule asks for a report".to_owned());
        }
        if with_people == 0 {
            finding.missing.push("no rule asks for an approval".to_owned());
        }
        if self.deployments() == 0 {
            finding.missing.push("no deployment has been logged yet".to_owned());
        }
        self.miss_what_was_not_allowed(&mut finding, grounds);
        finding.settle("")
    }

    fn miss_what_was_not_allowed(&self, finding: &mut Finding, grounds: &Grounds<'_>) {
        if !self.debts.is_empty() {
            let debts = u64::try_from(self.debts.len()).unwrap_or(u64::MAX);
            finding.missing.push(format!("not allowed and not covered: {}", counted(debts, "deployment")));
        }
        if self.not_replayable > 0 {
            let words = counted(self.not_replayable, "deployment");
            finding.missing.push(format!("not to be judged again: {words}"));
        }
        miss(finding, grounds, &[ViolationCode::NotAllowed, ViolationCode::BasisDiffers]);
    }
}

/// What is wrong with a log itself, not with what it says was deployed.
const OF_THE_LOG: &[ViolationCode] = &[
    ViolationCode::MainlineRewound,
    ViolationCode::LogRewound,
    ViolationCode::LogForked,
    ViolationCode::LogRestarted,
    ViolationCode::LogForeign,
    ViolationCode::FailureIdle,
    ViolationCode::RecordUnsigned,
    ViolationCode::RecordRevoked,
    ViolationCode::NotByDeployer,
    ViolationCode::RecordMisshapen,
    ViolationCode::OutOfChain,
    ViolationCode::Backdated,
    ViolationCode::DatedAhead,
];

/// Names the violations of these kinds as what is missing, each kind once.
fn miss(finding: &mut Finding, grounds: &Grounds<'_>, kinds: &[ViolationCode]) {
    let mut found: BTreeMap<ViolationCode, u64> = BTreeMap::new();
    for violation in grounds.audit.violations.iter().filter(|violation| kinds.contains(&violation.code)) {
        *found.entry(violation.code).or_default() += 1;
    }
    let said = found.into_iter().map(|(code, count)| format!("{count} × `{code}`: {}", code.meaning()));
    finding.missing.extend(said);
}

fn managed(grounds: &Grounds<'_>) -> Finding {
    let mut finding = Finding::new(
        "level-4",
        "Managed",
        "Deployment gate metrics (approval rate, rejection reasons, cycle time) are tracked and reported.",
        "metrics.html",
    );
    let tally = &grounds.metrics.total;
    let decided = decided(tally);
    if decided > 0 {
        let approved = tally.ends.get(&End::Approved).copied().unwrap_or_default();
        finding.records.push(format!("approval rate: {approved} of {}", counted(decided, "decided cycle")));
    } else {
        finding
            .missing
            .push("no cycle has been decided, so there is no approval rate and no cycle time".to_owned());
    }
    let reasons: Vec<String> =
        tally.rejections.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    if !reasons.is_empty() {
        finding.records.push(format!("rejection reasons: {}", reasons.join(", ")));
    } else if decided > 0 {
        finding.records.push("rejection reasons: nobody has rejected anything".to_owned());
    }
    let spread = tally.spans.get(&Span::OpenedToDecided);
    if let Some((spread, half, most)) =
        spread.and_then(|spread| Some((spread, spread.percentile(50)?, spread.percentile(90)?)))
    {
        finding.records.push(format!(
            "cycle time: half decided within {}, nine in ten within {}, of {} ({METHOD})",
            in_words(half),
            in_words(most),
            counted(spread.count(), "cycle")
        ));
    }
    for (why, what) in &grounds.metrics.left_out {
        finding.missing.push(format!("not measured: {}, {why}", what.len()));
    }
    finding.settle("")
}

fn decided(tally: &Tally) -> u64 {
    tally.ends.iter().filter(|(end, _)| end.is_decided()).map(|(_, count)| count).sum()
}

fn optimizing(grounds: &Grounds<'_>) -> Finding {
    let mut finding = Finding::new(
        "level-5",
        "Optimizing",
        "Gate criteria are continuously refined based on post-deployment incident data.",
        "criteria.html",
    );
    let origins = crate::insight::origins(grounds.policy, grounds.incidents.iter().map(|line| &line.fact.id));
    let named = origins.criteria.iter().filter(|(_, origin)| !origin.incidents.is_empty());
    for (criterion, origin) in named {
        let from: Vec<&str> = origin.incidents.iter().map(IncidentId::as_str).collect();
        finding.records.push(format!("criterion `{criterion}` came from {}", listed(&from)));
    }
    let all = &grounds.refinement.score.all;
    if all.incidents() > 0 {
        finding.records.push(format!(
            "the policy in force, held against the gates that ran: it would have stopped {} of {} that led to incidents, and {} of {} others",
            all.caught,
            all.incidents(),
            all.false_alarms,
            all.others()
        ));
    }
    let first = grounds.incidents.iter().map(|line| line.hit.began).min();
    let after = grounds.policies.iter().filter(|moment| first.is_some_and(|first| moment.since > first));
    finding.show(
        u64::try_from(after.count()).unwrap_or(u64::MAX),
        "policy change",
        " since the first incident",
    );
    if !origins.unanswered.is_empty() {
        let ids: Vec<&str> = origins.unanswered.iter().map(IncidentId::as_str).collect();
        finding.missing.push(format!("incidents that no criterion names as its origin: {}", listed(&ids)));
    }
    let without: Vec<&str> = origins.without_origin().map(Label::as_str).collect();
    if !without.is_empty() {
        finding.missing.push(format!("criteria that do not say where they came from: {}", listed(&without)));
    }
    for tuned in grounds.refinement.tuning.bounds() {
        if let Suggested::Bound(suggestion) = tuned.suggestion() {
            finding.missing.push(format!(
                "the numbers speak for `{}` = {} in criterion `{}`, and the policy in force has {}",
                tuned.dial.as_str(),
                suggestion.cut.bound,
                tuned.criterion,
                tuned.present
            ));
        }
    }
    if grounds.incidents.is_empty() {
        finding.missing.push("no incident has been recorded, so none could refine a criterion".to_owned());
    }
    finding.settle("")
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
        "the policy names these kinds of change, and a gate of any of them is judged: {}",
        kinds.join(", ")
    ));
    for problem in crate::policy::lint(policy) {
        if problem.code == "policy-change-unapproved" {
            finding.missing.push(problem.message);
        }
    }
    finding.settle("")
}
