//! Renderers are pure and equal, and nothing from a repository gets out raw.

use std::collections::BTreeSet;

use super::sample::{digest, fact, id, origin, rich};
use super::*;
use crate::decision::Verb;
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
        wanted.extend([pending.digest.to_string(), pending.commit.to_string()]);
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

/// The design's own example of `check` JSON: these fields, in this order.
#[test]
fn json_has_the_fields_of_the_documentation_in_its_order() {
    let json: serde_json::Value = serde_json::from_str(&render_check(&rich(), Form::Json)).unwrap();
    let fields = |value: &serde_json::Value| -> String {
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        fields(&json),
        "schema gate environment verdict basis mainline log root time policy content change requirements decisions \
         exceptions notices relaxations"
    );
    assert_eq!(fields(&json["mainline"]), "ref commit step");
    assert_eq!(fields(&json["root"]), "commit from");
    assert_eq!(fields(&json["policy"]), "digest serial commit pending");
    assert_eq!(fields(&json["policy"]["pending"]), "digest serial commit approvals needed");
    assert_eq!(fields(&json["change"]), "kinds risk tags summary");
    assert_eq!(fields(&json["requirements"][7]), "id status rules expected found by next");
    assert_eq!(fields(&json["requirements"][7]["next"]), "who command");
    assert_eq!(
        fields(&json["decisions"][3]),
        "commit action principal role key signed_at recorded_at counts code reason"
    );
    assert_eq!(fields(&json["exceptions"][0]), "commit content waives expires in_force reason");
    assert_eq!(fields(&json["notices"][0]), "code message");
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

const HOSTILE: &str =
    "\u{1b}[2J\u{202e}evil\u{200b}\r\n## @team | <img src=x> [a](http://b) `` ` *c* #1 \u{9b}31m\u{7f}";

/// Hostile text in every field that holds free text.
fn hostile() -> Judgement {
    let mut judgement = rich();
    let text = || HOSTILE.to_owned();
    let Judgement { verdict, origin } = &mut judgement;
    for line in &mut verdict.requirements {
        line.expected = text();
        line.found = text();
        if let Some(next) = &mut line.next {
            next.command = format!("git {HOSTILE}");
        }
    }
    for decision in &mut verdict.decisions {
        decision.reason = Some(text());
        decision.fact.words = text();
        decision.fact.key = Some(text());
    }
    for exception in &mut verdict.exceptions {
        exception.reason = text();
        exception.waives = BTreeSet::from([text()]);
    }
    for notice in verdict.notices.iter_mut().chain(&mut origin.notices) {
        notice.message = text();
    }
    if let Some(change) = &mut verdict.change {
        change.summary = text();
    }
    origin.mainline_ref = text();
    origin.relaxations = vec![text()];
    judgement
}

#[test]
fn hostile_text_never_gets_out_raw() {
    let judgement = hostile();
    for form in [Form::Text(Style::Plain), Form::Json, Form::Markdown] {
        let text = render_check(&judgement, form);
        let raw = |c: char| c != '\n' && crate::model::escape(&c.to_string()) != c.to_string();
        assert!(!text.contains(raw), "{form:?}: {:?}", text.chars().find(|c| raw(*c)));
        assert!(text.contains("evil"), "{form:?} shows it all the same");
    }
    let text = render_check(&judgement, Form::Text(Style::Plain));
    assert!(text.lines().all(|line| !line.starts_with("##")));
}

#[test]
fn hostile_text_is_code_in_markdown() {
    let text = render_check(&hostile(), Form::Markdown);
    for line in text.lines().filter(|line| line.contains("evil")) {
        let outside = super::markdown::tests::without_code(line);
        let harmless = |c: char| c.is_alphanumeric() || " -*:,;.()→#".contains(c);
        assert!(outside.chars().all(harmless), "{outside:?} in {line:?}");
        assert!(!outside.trim_start_matches('#').contains('#'), "{outside:?}");
    }
}

#[test]
fn a_policy_that_waits_shows_who_decided_on_it() {
    let decisions = [
        DecisionShown { fact: fact(1, Some(Verb::Approve), "a.ng@example.com"), code: None, reason: None },
        DecisionShown {
            fact: fact(2, Some(Verb::Approve), "l.wu@example.com"),
            code: Some(Code::StalePolicy),
            reason: Some("it names another policy".into()),
        },
    ];
    for form in FORMS {
        let text = shown(&render_policy_status(&origin().policy, &decisions, form));
        for wanted in ["a.ng@example.com", "l.wu@example.com", "stale-policy", "it names another policy"] {
            assert!(text.contains(wanted), "{form:?} lacks {wanted}: {text}");
        }
        for wanted in [digest(0x77).to_string(), digest(0x78).to_string(), id(0xa6).to_string()] {
            assert!(text.contains(&wanted), "{form:?} lacks {wanted}: {text}");
        }
    }
    insta::assert_snapshot!(render_policy_status(&origin().policy, &decisions, Form::Text(Style::Plain)));
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

fn design_policy() -> Policy {
    let policy = include_bytes!("../policy/examples/design.toml");
    let signers = include_bytes!("../policy/examples/allowed_signers");
    Policy::parse(policy, signers).unwrap()
}

#[test]
fn a_policy_as_text() {
    insta::assert_snapshot!(render_policy(&design_policy(), &origin().policy, Form::Text(Style::Plain)));
}

#[test]
fn a_policy_as_json() {
    insta::assert_snapshot!(render_policy(&design_policy(), &origin().policy, Form::Json));
}

#[test]
fn every_form_shows_who_holds_what_and_whose_keys_count() {
    let policy = design_policy();
    for form in FORMS {
        let text = shown(&render_policy(&policy, &origin().policy, form));
        let mut wanted = vec![policy.id.clone()];
        for (name, role) in &policy.roles {
            wanted.push(name.to_string());
            wanted.extend(role.members.iter().map(ToString::to_string));
        }
        for rule in &policy.rules {
            wanted.push(rule.name.to_string());
            wanted.extend(rule.criteria.iter().map(|criterion| criterion.name.to_string()));
        }
        wanted.extend(policy.signers.entries().map(|entry| entry.fingerprint().to_string()));
        wanted.extend(policy.environments.keys().chain(policy.systems.keys()).map(ToString::to_string));
        for wanted in wanted {
            assert!(text.contains(&wanted), "{form:?} lacks {wanted}: {text}");
        }
    }
}

/// Every name of a field below `value`; names that the policy gives are no fields.
fn field_names(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, inner) in fields {
                let by_name = ["roles", "systems", "environments", "evidence"].contains(&name.as_str());
                names.insert(name.clone());
                match inner {
                    serde_json::Value::Object(named) if by_name => {
                        named.values().for_each(|inner| field_names(inner, names));
                    }
                    _ => field_names(inner, names),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| field_names(item, names)),
        _ => {}
    }
}

#[test]
fn every_json_field_stands_in_the_documentation() {
    let gate = "summarizer/v1.4".parse().unwrap();
    let mut names = BTreeSet::new();
    for text in [
        render_show(&gate, &[rich()], Form::Json),
        render_policy(&design_policy(), &origin().policy, Form::Json),
        render_policy_status(&origin().policy, &[], Form::Json),
        render_lint(&LintShown { policy: String::new(), violations: vec![], warnings: vec![] }, Form::Json),
        render_error(&ErrorShown { code: "", message: "", help: None, problems: &[] }, Form::Json),
    ] {
        field_names(&serde_json::from_str(&text).unwrap(), &mut names);
    }
    let documentation = include_str!("../../docs/output.md");
    let missing: Vec<&String> =
        names.iter().filter(|name| !documentation.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
