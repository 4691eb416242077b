//! Tests of the evaluator: facts in, verdict out, through [`check`].
//!
//! [`gate`] is a gate to which nothing is wanting but one approval as `ml-lead`; each test changes what it is about.

mod approvals;
mod criteria;
mod decisions;
mod evidence;
mod exceptions;
mod properties;
mod readings;
mod records;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::decision::{ClaimedBasis, Verb};
use crate::evidence::{Format, Metric, Report, RunStatus, Value};
use crate::model::{ArtifactDigest, Duration, Glob};
use crate::policy::{
    Approval, Criterion, Environment, EvidenceKind, Exceptions, KeyRequirement, Policy, Risk, Role, Rule,
    Subject, System, When,
};
use crate::problem::document::Document;
use crate::request::{Artifact, EvidenceEntry, GateRequest};
use crate::signature::AllowedSigners;

/// The one place that makes key facts: the evaluator looks at none.
fn no_signers() -> AllowedSigners {
    AllowedSigners::parse("").unwrap()
}

/// The outcome, and every line that is not met, as `<id> <status>` in order.
#[track_caller]
fn check(facts: &Facts, outcome: &str, open: &[&str]) -> Verdict {
    let verdict = judge(facts);
    for line in &verdict.requirements {
        let told = line.next.as_ref().is_some_and(|next| !next.command.is_empty());
        let open = !matches!(line.status, Status::Met | Status::Waived);
        assert_eq!(told, open, "whoever can mend `{}` is told how", line.id);
    }
    let found = match verdict.outcome {
        Outcome::Allowed(basis) => format!("allowed on {}", basis.as_str()),
        Outcome::Pending | Outcome::Blocked => verdict.outcome.as_str().to_owned(),
    };
    let lines: Vec<String> = verdict
        .requirements
        .iter()
        .filter(|line| line.status != Status::Met)
        .map(|line| format!("{} {}", line.id, line.status.as_str()))
        .collect();
    assert_eq!(
        (found.as_str(), lines.iter().map(String::as_str).collect::<Vec<_>>()),
        (outcome, open.to_vec())
    );
    verdict
}

/// The code of every decision, `counts` for one that does, `waits` for one that has no code and does not.
#[track_caller]
fn check_codes(facts: &Facts, codes: &[&str]) {
    let verdict = judge(facts);
    let found: Vec<&str> = verdict
        .decisions
        .iter()
        .map(|decision| match (decision.code, decision.counts()) {
            (Some(code), false) => code.as_str(),
            (None, true) => "counts",
            (None, false) => "waits",
            (Some(_), true) => "counts with a code",
        })
        .collect();
    assert_eq!(found, codes);
}

#[track_caller]
fn line(verdict: &Verdict, id: &str) -> Requirement {
    verdict.requirements.iter().find(|line| line.id.to_string() == id).cloned().expect(id)
}

fn notice_codes(facts: &Facts) -> Vec<&'static str> {
    judge(facts).notices.iter().map(|notice| notice.code).collect()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn names(texts: &[&str]) -> BTreeSet<Name> {
    texts.iter().map(|text| name(text)).collect()
}

fn who(text: &str) -> Principal {
    text.parse().unwrap()
}

fn people(texts: &[&str]) -> BTreeSet<Principal> {
    texts.iter().map(|text| who(text)).collect()
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn oid(n: usize) -> ObjectId {
    let mut bytes = [0; 20];
    bytes[12..].copy_from_slice(&u64::try_from(n).unwrap().to_be_bytes());
    ObjectId(bytes)
}

fn content(text: &str) -> ContentDigest {
    ContentDigest::of_bytes(text.as_bytes())
}

fn digest(text: &str) -> ArtifactDigest {
    content(text).into()
}

/// `day(0)` is the time of judging; days before it are negative.
fn day(n: i64) -> Time {
    Time::from_unix(1_800_000_000 + n * 86_400).unwrap()
}

fn days(n: i64) -> Duration {
    Duration::from_seconds(n * 86_400).unwrap()
}

fn policy() -> Policy {
    let role = |members: &[&str]| Role { title: None, members: people(members), keys: KeyRequirement::Any };
    Policy {
        id: "test".into(),
        places: Document::parse("policy/policy.toml", b"").unwrap(),
        serial: 1,
        bots: people(&["bot"]),
        governance: asks(&[("compliance", 1)]),
        mainline_signed_by: None,
        roles: [
            ("ml-lead", role(&["ann", "bob", "bot", "eve"])),
            ("product-lead", role(&["cat", "ann"])),
            ("compliance", role(&["dan"])),
        ]
        .into_iter()
        .map(|(role_name, role)| (name(role_name), role))
        .collect(),
        kinds: vec![name("model"), name("prompt")],
        risks: vec![name("low"), name("high")],
        infer: BTreeMap::new(),
        systems: [(name("sum"), System { title: None, risk: None, tags: BTreeSet::new(), owner: None })]
            .into(),
        environments: [
            (name("production"), Environment::default()),
            (name("staging"), Environment::default()),
        ]
        .into(),
        evidence: BTreeMap::new(),
        approvals_max_age: Some(days(90)),
        rejection_reasons: names(&["safety", "other"]),
        rules: vec![rule("every change", |rule| rule.approvals = asks(&[("ml-lead", 1)]))],
        exceptions: Exceptions::default(),
        freezes: vec![],
        revoked: vec![],
        signers: no_signers(),
        findings: vec![],
    }
}

fn rule(rule_name: &str, change: impl FnOnce(&mut Rule)) -> Rule {
    let mut rule = Rule {
        name: label(rule_name),
        when: When::default(),
        evidence: vec![],
        approvals: vec![],
        criteria: vec![],
    };
    change(&mut rule);
    rule
}

fn asks(roles: &[(&str, u64)]) -> Vec<Approval> {
    roles.iter().map(|(role, count)| Approval { role: name(role), count: *count }).collect()
}

/// Gate `sum/v1`, opened by `eve`, of artifact `m`, for production, without evidence.
fn gate() -> Facts {
    let request = GateRequest {
        gate: "sum/v1".parse().unwrap(),
        kinds: names(&["prompt"]),
        risk: name("low"),
        environments: names(&["production", "staging"]),
        tags: BTreeSet::new(),
        summary: "a change".into(),
        requires: BTreeSet::new(),
        requested_by: BTreeSet::new(),
        artifacts: [("m".parse().unwrap(), Artifact { digest: digest("m1"), uri: None })].into(),
        evidence: vec![],
    };
    Facts {
        gate: "sum/v1".parse().unwrap(),
        environment: name("production"),
        time: day(0),
        policy: PolicyInForce { policy: Arc::new(policy()), digest: content("policy"), commit: oid(1) },
        standing: Standing::Recorded(Box::new(Content {
            digest: Some(content("gate")),
            request: Ok(request),
            unsigned_files: vec![],
            authors: people(&["eve"]),
            changed_by: vec![oid(2)],
            evidence: vec![],
        })),
        given: Given::NotAsked,
        decisions: vec![],
        exception: None,
        incidents: vec![],
        records: vec![],
        required: BTreeMap::new(),
        deployed: None,
    }
}

impl Facts {
    /// The same with a change of the policy.
    fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(Arc::make_mut(&mut self.policy.policy));
        self
    }

    /// The same with a change of what stands.
    fn content(mut self, change: impl FnOnce(&mut Content)) -> Self {
        let Standing::Recorded(content) = &mut self.standing else { panic!("nothing stands") };
        change(content);
        self
    }

    /// The same with a change of the request.
    fn request(self, change: impl FnOnce(&mut GateRequest)) -> Self {
        self.content(|content| change(content.request.as_mut().unwrap()))
    }

    /// The same with one more decision, which descends from all before it.
    fn and(mut self, decision: DecisionFact) -> Self {
        let place = self.decisions.len();
        let decision = DecisionFact { commit: oid(100 + place), ancestors: (0..place).collect(), ..decision };
        self.decisions.push(decision);
        self
    }

    /// The same with one more decision, beside all before it.
    fn beside(self, decision: DecisionFact) -> Self {
        let mut facts = self.and(decision);
        facts.decisions.last_mut().unwrap().ancestors.clear();
        facts
    }

    /// The same with a report of kind `evaluation` in `file`, ten days old, signed by `eve` in the pipeline's role.
    fn report(self, file: &str, report: Report) -> Self {
        let fact = evidence_fact(file, report);
        self.content(|content| content.evidence.push(fact)).request(|request| {
            request.evidence.push(EvidenceEntry {
                kind: name("evaluation"),
                file: file.to_owned(),
                format: None,
                artifact: None,
                metrics: BTreeMap::new(),
            });
        })
    }

    /// The same with an approval by `ann` as `ml-lead`: nothing is wanting.
    fn approved(self) -> Self {
        self.and(approve("ann", "ml-lead"))
    }
}

fn evidence_fact(file: &str, report: Report) -> EvidenceFact {
    EvidenceFact {
        original_at_hand: false,
        kind: name("evaluation"),
        file: file.to_owned(),
        artifact: None,
        report: Some(Ok(Arc::new(report))),
        since: Some(day(-10)),
        sides: vec![side(3)],
    }
}

fn side(commit: usize) -> Side {
    Side {
        commit: oid(commit),
        signer: Ok(who("eve")),
        roles: names(&["eval-ci"]),
        artifacts: [("m".parse().unwrap(), digest("m1"))].into(),
        artifact: None,
    }
}

/// A JSON report with these numbers.
fn report(metrics: &[(&str, f64)]) -> Report {
    Report {
        format: Format::Json,
        status: RunStatus::Finished,
        metrics: metrics
            .iter()
            .map(|(name, value)| ((*name).to_owned(), metric(Value::Number(*value))))
            .collect(),
        ambiguous: BTreeMap::new(),
        mapped: BTreeMap::new(),
        tested: None,
        external: None,
    }
}

fn metric(value: Value) -> Metric {
    Metric {
        value,
        samples: None,
        stderr: None,
        interval: None,
        errors: None,
        unrated: 0,
        rate: false,
        higher_is_better: None,
        limited: false,
        at: "/x".into(),
    }
}

fn criterion(metric: &str) -> Criterion {
    Criterion {
        name: label("bound"),
        evidence: name("evaluation"),
        subject: Subject::Metric(metric.to_owned()),
        max: None,
        min: None,
        equals: None,
        min_samples: None,
        max_errors: None,
        confidence: None,
        compare: None,
        unrated_allowed: false,
        origin: None,
    }
}

fn decision(verb: Verb, person: &str, role: Option<&str>) -> DecisionFact {
    DecisionFact {
        commit: oid(0),
        verb: Some(verb),
        principal: Some(who(person)),
        key: None,
        role: role.map(name),
        environments: BTreeSet::new(),
        content: Some(content("gate")),
        reason: None,
        words: String::new(),
        record: None,
        gate_content: Some(content("gate")),
        signed_at: day(-5),
        recorded_at: Some(day(-5)),
        since: day(-5),
        defects: BTreeMap::new(),
        restricts: matches!(verb, Verb::Reject | Verb::Withdraw | Verb::Close),
        ancestors: BTreeSet::new(),
        duplicate_of: None,
        after_incidents: BTreeSet::new(),
    }
}

fn approve(person: &str, role: &str) -> DecisionFact {
    decision(Verb::Approve, person, Some(role))
}

fn reject(person: &str, role: &str) -> DecisionFact {
    DecisionFact { reason: Some(name("safety")), ..decision(Verb::Reject, person, Some(role)) }
}

fn withdraw(person: &str) -> DecisionFact {
    decision(Verb::Withdraw, person, None)
}

fn close(person: &str) -> DecisionFact {
    decision(Verb::Close, person, None)
}

impl DecisionFact {
    fn of(self, text: &str) -> Self {
        Self { content: Some(content(text)), ..self }
    }

    fn only_for(self, environments: &[&str]) -> Self {
        Self { environments: names(environments), ..self }
    }

    fn with(self, code: Code) -> Self {
        Self { defects: [(code, "why".to_owned())].into(), ..self }
    }

    fn made(self, at: Time) -> Self {
        Self { since: at, signed_at: at, ..self }
    }

    fn unrecorded(self) -> Self {
        Self { recorded_at: None, ..self }
    }
}

/// A record of what stands, a day old, allowed when judged again.
fn record(commit: usize, at: Time) -> RecordFact {
    RecordFact {
        commit: oid(commit),
        gate: "sum/v1".parse().unwrap(),
        content: content("gate"),
        artifacts: Arc::default(),
        claimed: ClaimedBasis::Requirements,
        judged: oid(5),
        time: at,
        principal: Some(who("bot")),
        defect: None,
        by_deployer: true,
        out_of_chain: false,
        failed: false,
        replay: Replay::Allowed { basis: Basis::Requirements, exception_expires: None, supports: true },
        unseen_incidents: BTreeSet::new(),
        covers: vec![],
    }
}

fn options(change: impl FnOnce(&mut EvidenceKind)) -> BTreeMap<Name, EvidenceKind> {
    let mut options = EvidenceKind::default();
    change(&mut options);
    [(name("evaluation"), options)].into()
}

fn risk(n: usize) -> Risk {
    Risk(n)
}
