//! Nothing from a repository gets out raw.

use std::collections::BTreeSet;

use super::super::sample::rich;
use super::super::*;

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
