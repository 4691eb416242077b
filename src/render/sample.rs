//! A judgement in which everything is there that a renderer can be given: for the tests of this folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::insight::{Judgement, Origin, PendingPolicy, PolicyOrigin, RootFrom};
use crate::model::{Code, ContentDigest, ObjectId, Time};
use crate::verdict::{
    By, ChangeShown, DecisionFact, DecisionShown, ExceptionShown, Next, Notice, Outcome, Requirement,
    RequirementId, Status, Verdict,
};

pub(super) fn id(byte: u8) -> ObjectId {
    ObjectId([byte; 20])
}

pub(super) fn digest(byte: u8) -> ContentDigest {
    ContentDigest([byte; 32])
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// One requirement of every kind, all statuses, and a decision for every code.
pub(super) fn rich() -> Judgement {
    Judgement {
        verdict: Verdict {
            gate: "summarizer/v1.4".parse().unwrap(),
            environment: "production".parse().unwrap(),
            outcome: Outcome::Blocked,
            content: Some(digest(0x9b)),
            change: Some(ChangeShown {
                kinds: BTreeSet::from(["prompt".parse().unwrap()]),
                risk: "high".parse().unwrap(),
                tags: BTreeSet::from(["user-facing".parse().unwrap()]),
                summary: "Cut hallucinations in long-document summaries".into(),
            }),
            requirements: requirements(),
            decisions: decisions(),
            exceptions: exceptions(),
            notices: vec![Notice {
                code: "stray-trailer",
                message: "`Gate: x` stands outside the trailers of 5555555".into(),
            }],
            turns: None,
        },
        origin: origin(),
    }
}

pub(super) fn origin() -> Origin {
    Origin {
        mainline_ref: "refs/remotes/origin/main".into(),
        mainline: id(0xa1),
        step: id(0xa2),
        log: Some(id(0xa3)),
        root: id(0xa4),
        root_from: RootFrom::Flag,
        time: time("2026-11-22T16:00:00Z"),
        policy: PolicyOrigin {
            digest: digest(0x77),
            serial: 7,
            commit: id(0xa5),
            pending: Some(PendingPolicy {
                digest: Some(digest(0x78)),
                defect: None,
                serial: Some(8),
                commit: id(0xa6),
                approvals: 1,
                needed: 2,
            }),
        },
        notices: vec![Notice {
            code: "policy-pending",
            message: "a policy with serial 8 waits on the mainline".into(),
        }],
        relaxations: vec!["--at".into(), "--time".into()],
    }
}

fn line(id: RequirementId, status: Status, expected: &str, found: &str) -> Requirement {
    Requirement {
        id,
        status,
        rules: vec!["every change".parse().unwrap()],
        expected: expected.into(),
        found: found.into(),
        by: Vec::new(),
        next: None,
    }
}

fn next(mut line: Requirement, who: &[&str], command: &str) -> Requirement {
    line.next =
        Some(Next { who: who.iter().map(|who| who.parse().unwrap()).collect(), command: command.into() });
    line
}

fn by(mut line: Requirement, commit: u8, principal: Option<&str>) -> Requirement {
    line.by.push(By { commit: id(commit), principal: principal.map(|who| who.parse().unwrap()) });
    line
}

fn requirements() -> Vec<Requirement> {
    let mut lines = lines_of_the_gate();
    lines.extend(lines_of_the_rules());
    lines.extend(lines_at_work());
    lines
}

fn lines_of_the_gate() -> Vec<Requirement> {
    use RequirementId as Id;
    use Status::{Failed, Met};
    let unsigned = "`CHANGE.md` was last changed by 0303030: unsigned (no signature)";
    let closed = line(Id::GateOpen, Failed, "a gate that nobody closed", "it is closed for good");
    let environment = Id::Environment("production".parse().unwrap());
    vec![
        by(
            line(Id::GateRecorded, Met, "the gate directory", "`gates/summarizer/v1.4` stands there"),
            1,
            None,
        ),
        next(by(closed, 2, Some("closer@example.com")), &[], "open a new version: `git gate open <gate>`"),
        line(Id::IntegrityContent, Met, "a valid directory", "sha256:9b9b"),
        line(Id::IntegrityAuthors, Failed, "every file signed", unsigned),
        line(Id::IntegrityBreakGlass, Failed, "no uncovered break-glass", "0404040 is 4d old"),
        line(
            environment,
            Failed,
            "an environment that policy and request name",
            "the request does not name it",
        ),
        line(Id::RulesNone, Failed, "a rule that asks for an approval", "none"),
    ]
}

fn lines_of_the_rules() -> Vec<Requirement> {
    use RequirementId as Id;
    use Status::{Failed, Met, Missing, Stale, Waived};
    let attach = |kind: &str| format!("git gate attach summarizer/v1.4 {kind} <file>");
    let approve = "git gate approve summarizer/v1.4 --role product-lead";
    let bias = line(Id::Evidence("bias".parse().unwrap()), Waived, "a report", "not listed");
    let evaluation = Id::Evidence("evaluation".parse().unwrap());
    let evaluation =
        line(evaluation, Stale, "a report, at most 30d old", "`evidence/evaluation.json` is 41d old");
    let critical = Id::Criterion("no open critical finding".parse().unwrap());
    let rate = Id::Criterion("hallucination".parse().unwrap());
    let rate = line(rate, Failed, "at most 0.05, at least 50 samples", "0.061 (n = 50)");
    let lead = line(Id::Approval("ml-lead".parse().unwrap()), Met, "1 approval", "1 (j.rivera@example.com)");
    let product = line(Id::Approval("product-lead".parse().unwrap()), Missing, "1 approval", "0");
    let artifact = Id::Artifact(Some("prompts/summarize.txt".parse().unwrap()));
    vec![
        next(bias, &[], &attach("bias")),
        next(evaluation, &[], &attach("evaluation")),
        by(line(critical, Met, "at most 0", "0"), 5, None),
        next(rate, &[], &attach("evaluation")),
        by(lead, 6, Some("j.rivera@example.com")),
        next(product, &["s.chen@example.com"], approve),
        line(artifact, Missing, "given, and as listed", "not given"),
        line(Id::Artifact(None), Failed, "an artifact", "the gate lists none"),
    ]
}

fn lines_at_work() -> Vec<Requirement> {
    use RequirementId as Id;
    use Status::{Failed, Missing};
    let okafor = "m.okafor@example.com";
    let words = "rejected for `safety` as `compliance`";
    let rejection =
        line(Id::Rejection(okafor.parse().unwrap()), Failed, "nobody rejects this content", words);
    let incident = Id::Incident("2026-11-leak".parse().unwrap());
    vec![
        line(Id::Requires("base-llm/v7".parse().unwrap()), Missing, "allowed in production", "pending"),
        next(by(rejection, 7, Some(okafor)), &[okafor], "git gate withdraw summarizer/v1.4"),
        line(incident, Failed, "no open incident", "open since 2026-11-20T00:00:00Z"),
        line(Id::Freeze("year end".parse().unwrap()), Failed, "no freeze", "until 2027-01-03T00:00:00Z"),
    ]
}

pub(super) fn fact(commit: u8, verb: Option<Verb>, principal: &str) -> DecisionFact {
    DecisionFact {
        commit: id(commit),
        verb,
        principal: Some(principal.parse().unwrap()),
        key: Some("SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s".into()),
        role: Some("ml-lead".parse().unwrap()),
        environments: BTreeSet::new(),
        content: Some(digest(0x9b)),
        reason: None,
        words: String::new(),
        record: None,
        gate_content: None,
        signed_at: time("2026-11-20T10:00:00Z"),
        recorded_at: Some(time("2026-11-20T11:00:00Z")),
        since: time("2026-11-20T10:00:00Z"),
        defects: BTreeMap::new(),
        restricts: false,
        ancestors: BTreeSet::new(),
        duplicate_of: None,
        after_incidents: BTreeSet::new(),
    }
}

fn decisions() -> Vec<DecisionShown> {
    let approval = DecisionFact {
        environments: BTreeSet::from(["production".parse().unwrap(), "staging".parse().unwrap()]),
        words: "Hallucination down to 2.1 % on the held-out set; injection suite clean.".into(),
        ..fact(6, Some(Verb::Approve), "j.rivera@example.com")
    };
    let rejection = DecisionFact {
        role: Some("compliance".parse().unwrap()),
        reason: Some("safety".parse().unwrap()),
        recorded_at: None,
        ..fact(7, Some(Verb::Reject), "m.okafor@example.com")
    };
    let acceptance =
        DecisionFact { record: Some(id(8)), ..fact(9, Some(Verb::AcceptRisk), "s.chen@example.com") };
    let mut decisions = vec![
        DecisionShown { fact: approval, code: None, reason: None },
        DecisionShown {
            fact: rejection,
            code: None,
            reason: Some("stale-policy: it names no policy that was in force".into()),
        },
        DecisionShown { fact: acceptance, code: None, reason: None },
    ];
    for (at, code) in (0x20u8..).zip(Code::ALL) {
        let fact = fact(at, (at % 2 == 0).then_some(Verb::Approve), &format!("who{at}@example.com"));
        decisions.push(DecisionShown { fact, code: Some(code), reason: Some(format!("this is why {at}")) });
    }
    decisions
}

fn exceptions() -> Vec<ExceptionShown> {
    vec![
        ExceptionShown {
            commit: id(0x60),
            content: digest(0x61),
            waives: BTreeSet::from(["evidence:bias".into()]),
            expires: Some(time("2026-12-05T00:00:00Z")),
            in_force: true,
            reason: "accepted by m.okafor@example.com".into(),
        },
        ExceptionShown {
            commit: id(0x62),
            content: digest(0x63),
            waives: BTreeSet::from([
                "criterion:no open critical finding".into(),
                "evidence:evaluation".into(),
            ]),
            expires: None,
            in_force: false,
            reason: "awaits accept-risk by compliance".into(),
        },
    ]
}
