//! Renderers are pure and equal: what one form shows, the others show.

mod hostile;
mod json_fields;
mod policy;

use super::sample::{origin, rich};
use super::*;
use crate::insight::Origin;
use crate::model::Code;
use crate::verdict::{Basis, DecisionShown, ExceptionShown, Notice, Outcome, Requirement, Status, Verdict};

const FORMS: [Form; 4] = [Form::Text(Style::Plain), Form::Text(Style::Coloured), Form::Json, Form::Markdown];

/// What a form shows, without colours, marks and line breaks: words and blanks.
fn shown(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_code, behind)| behind);
    }
    plain.push_str(rest);
    plain.replace(['`', '*'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All that a reader must find in every form.
fn findings(judgement: &Judgement) -> Vec<String> {
    let Judgement { verdict, origin } = judgement;
    let mut wanted =
        vec![verdict.gate.to_string(), verdict.environment.to_string(), verdict.outcome.as_str().into()];
    for line in &verdict.requirements {
        wanted.extend([line.id.to_string(), line.found.clone()]);
        if line.status != Status::Met {
            wanted.push(line.expected.clone());
            wanted.extend(line.rules.iter().map(ToString::to_string));
        }
        wanted.extend(line.by.iter().filter_map(|by| Some(by.principal.as_ref()?.to_string())));
        if let Some(next) = &line.next {
            wanted.push(next.command.clone());
            wanted.extend(next.who.iter().map(ToString::to_string));
        }
    }
    for DecisionShown { fact, code, reason } in &verdict.decisions {
        wanted.extend([fact.commit.to_string(), fact.words.clone(), fact.signed_at.to_string()]);
        wanted.extend(code.map(|code| code.to_string()));
        wanted.extend(reason.clone());
        wanted.extend(fact.principal.as_ref().map(ToString::to_string));
        wanted.extend(fact.role.as_ref().map(ToString::to_string));
        wanted.extend(fact.reason.as_ref().map(ToString::to_string));
        wanted.extend(fact.key.clone());
        wanted.extend(fact.record.map(|record| record.to_string()));
        wanted.extend(fact.recorded_at.map(|time| time.to_string()));
        wanted.extend(fact.environments.iter().map(ToString::to_string));
    }
    for exception in &verdict.exceptions {
        wanted.extend([
            exception.commit.to_string(),
            exception.content.to_string(),
            exception.reason.clone(),
        ]);
        wanted.extend(exception.waives.clone());
        wanted.extend(exception.expires.map(|time| time.to_string()));
    }
    for notice in verdict.notices.iter().chain(&origin.notices) {
        wanted.extend([notice.code.to_owned(), notice.message.clone()]);
    }
    if let Some(change) = &verdict.change {
        wanted.extend([change.summary.clone(), change.risk.to_string()]);
        wanted.extend(change.kinds.iter().chain(&change.tags).map(ToString::to_string));
    }
    wanted.extend(origin_findings(origin));
    wanted.extend(verdict.content.map(|content| content.to_string()));
    wanted
}

fn origin_findings(origin: &Origin) -> Vec<String> {
    let mut wanted = vec![
        origin.mainline_ref.clone(),
        origin.mainline.to_string(),
        origin.step.to_string(),
        origin.root.to_string(),
        origin.root_from.as_str().to_owned(),
        origin.time.to_string(),
        origin.policy.digest.to_string(),
        origin.policy.serial.to_string(),
        origin.policy.commit.to_string(),
    ];
    wanted.extend(origin.log.map(|log| log.to_string()));
    wanted.extend(origin.relaxations.clone());
    if let Some(pending) = &origin.policy.pending {
        wanted.extend([pending.digest.unwrap().to_string(), pending.commit.to_string()]);
    }
    wanted
}

#[test]
fn every_form_shows_every_finding() {
    let judgement = rich();
    for form in FORMS {
        let text = render_check(&judgement, form);
        let shown = shown(&text);
        for wanted in findings(&judgement) {
            let wanted = self::shown(&wanted);
            assert!(shown.contains(&wanted), "{form:?} lacks {wanted:?}:\n{text}");
        }
        for status in ["met", "missing", "stale", "failed", "waived"] {
            assert!(shown.to_lowercase().contains(status), "{form:?} lacks {status}");
        }
        for code in Code::ALL {
            assert!(shown.contains(code.as_str()), "{form:?} lacks {code}");
        }
    }
}

#[test]
fn the_same_judgement_gives_the_same_bytes() {
    for form in FORMS {
        assert_eq!(render_check(&rich(), form), render_check(&rich(), form));
    }
}

#[test]
fn a_verdict_as_text() {
    let mut judgement = rich();
    judgement.verdict.decisions.truncate(5);
    insta::assert_snapshot!(render_check(&judgement, Form::Text(Style::Plain)));
}

#[test]
fn a_verdict_as_json() {
    let mut judgement = rich();
    judgement.verdict.decisions.truncate(5);
    insta::assert_snapshot!(render_check(&judgement, Form::Json));
}

#[test]
fn a_verdict_as_markdown() {
    let mut judgement = rich();
    judgement.verdict.decisions.truncate(5);
    insta::assert_snapshot!(render_check(&judgement, Form::Markdown));
}

fn lead(outcome: Outcome, statuses: &[Status]) -> String {
    let mut judgement = rich();
    judgement.origin.relaxations.clear();
    judgement.verdict.outcome = outcome;
    let with_status = |(line, status): (Requirement, &Status)| Requirement { status: *status, ..line };
    judgement.verdict.requirements =
        judgement.verdict.requirements.into_iter().skip(6).zip(statuses).map(with_status).collect();
    let text = render_check(&judgement, Form::Text(Style::Plain));
    text.split("\n\n").next().unwrap_or_default().to_owned()
}

#[test]
fn the_first_lines_say_why() {
    use Status::{Failed, Met, Missing, Stale, Waived};
    insta::assert_snapshot!(
        [
            lead(Outcome::Allowed(Basis::Requirements), &[Met; 3]),
            lead(Outcome::Allowed(Basis::Exception), &[Met, Waived, Waived]),
            lead(Outcome::Allowed(Basis::Rollback), &[Met, Missing, Failed]),
            lead(Outcome::Allowed(Basis::Rollback), &[Met]),
            lead(Outcome::Pending, &[Met, Missing, Stale]),
            lead(Outcome::Blocked, &[Met, Missing, Failed]),
            lead(Outcome::Blocked, &[Failed; 9]),
        ]
        .join("\n---\n")
    );
}

#[test]
fn lines_keep_to_80_columns_but_for_what_is_copied() {
    for line in render_check(&rich(), Form::Text(Style::Plain)).lines() {
        assert!(line.chars().count() <= 80 || line.contains("run ") || line.contains("content "), "{line}");
    }
}

#[test]
fn several_environments_name_their_origin_once() {
    let gate = "summarizer/v1.4".parse().unwrap();
    let text = render_show(&gate, &[rich(), rich()], Form::Text(Style::Plain));
    assert_eq!(text.matches("Judged from").count(), 1);
    assert_eq!(text.matches("Checklist").count(), 2);
    let json: serde_json::Value =
        serde_json::from_str(&render_ready(&gate, &[rich(), rich()], Form::Json)).unwrap();
    assert_eq!(json["schema"], "git-gate/ready/1");
    assert_eq!(json["environments"][1]["schema"], "git-gate/check/1");
}

#[test]
fn an_empty_verdict_renders_in_every_form() {
    let judgement = Judgement {
        verdict: Verdict {
            requirements: Vec::new(),
            decisions: Vec::<DecisionShown>::new(),
            exceptions: Vec::<ExceptionShown>::new(),
            notices: Vec::<Notice>::new(),
            content: None,
            change: None,
            ..rich().verdict
        },
        origin: Origin { notices: Vec::new(), log: None, ..origin() },
    };
    for form in FORMS {
        assert!(render_check(&judgement, form).contains("blocked"));
    }
}
