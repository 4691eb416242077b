//! One result of a run: how bad it is, and whether it is open.

use super::super::findings::{Severity, Standing};
use super::super::json::Json;
use super::super::number;
use super::overrides::Overrides;
use super::rules::Tool;

/// A result.
#[derive(Debug)]
pub(super) struct Finding<'a> {
    pub(super) severity: Severity,
    pub(super) level: Level,
    pub(super) standing: Standing,
    /// Whether it says that something is wrong, rather than that it was looked at.
    pub(super) kind_fails: bool,
    /// How it stands against the run before; nothing where it does not say.
    pub(super) baseline: Option<Baseline>,
    /// The id of its rule.
    pub(super) rule: Option<&'a str>,
}

/// SARIF's own scale, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
    None,
}

/// How a result stands against the run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Baseline {
    New,
    /// It was there before.
    Old,
    /// It was there before and is gone.
    Absent,
}

impl Level {
    pub(super) const ALL: [Self; 4] = [Self::Error, Self::Warning, Self::Note, Self::None];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::None => "none",
        }
    }

    /// The level that a value is; a word that SARIF does not know is an error.
    pub(super) fn of(value: &Json) -> Self {
        match value.as_text() {
            Some("warning") => Self::Warning,
            Some("note") => Self::Note,
            Some("none") => Self::None,
            Some(_) | None => Self::Error,
        }
    }
}

/// Reads one result with the rules that it names.
pub(super) fn read_result<'a>(
    result: &'a Json,
    tool: &Tool<'a>,
    overrides: &Overrides<'a>,
) -> Result<Finding<'a>, String> {
    if result.as_object().is_none() {
        return Err(format!("it is {}, no result", result.kind()));
    }
    let named = tool.named(result);
    let property = |key: &str| result.get("properties").and_then(|properties| properties.get(key));
    let by_rule = || named.rules.iter().filter_map(|rule| rule.severity).min();
    let by_bandit = || property("issue_severity").and_then(Json::as_text).and_then(Severity::from_word);
    let severity = property("security-severity")
        .and_then(rated)
        .or_else(by_rule)
        .or_else(|| if tool.is_bandit() { by_bandit() } else { None })
        .unwrap_or(Severity::Unrated);
    let kind_fails = match result.get("kind").and_then(Json::as_text) {
        Some("pass" | "open" | "informational" | "notApplicable" | "review") => false,
        Some(_) | None => true,
    };
    let by_rule = || named.rules.iter().filter_map(|rule| rule.level).min();
    // A rule that cannot be found may be any.
    let unsaid = if named.dangling { Level::Error } else { Level::Warning };
    let own = [result.get("ruleId"), result.get("rule").and_then(|rule| rule.get("id"))];
    let id = own.into_iter().flatten().find_map(Json::as_text);
    let level = match result.get("level") {
        Some(level) => Level::of(level),
        None if kind_fails => overrides.level(result, id, &named, by_rule().unwrap_or(unsaid)),
        None => Level::None,
    };
    Ok(Finding {
        severity,
        level,
        standing: standing(result.get("suppressions")),
        kind_fails,
        baseline: baseline(result.get("baselineState")),
        rule: id.or_else(|| named.rules.first()?.id),
    })
}

/// The severity that a `security-severity` is: a number, as SARIF writes one, in a text; or one of the words for it.
pub(super) fn rated(value: &Json) -> Option<Severity> {
    match value {
        Json::Number(score) => Severity::from_score(*score),
        Json::Text(text) => {
            let text = text.trim();
            if number::json_length(text) == Some(text.len()) {
                number::held(text).and_then(Severity::from_score)
            } else {
                Severity::from_word(text)
            }
        }
        Json::Null | Json::Bool(_) | Json::Unheld(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A result is suppressed where it has suppressions and each of them is accepted. Where only those in the source are
/// it is they that close it.
fn standing(suppressions: Option<&Json>) -> Standing {
    let suppressions = suppressions.and_then(Json::as_array).unwrap_or_default();
    let accepted = |suppression: &Json| match suppression.get("status") {
        None => suppression.as_object().is_some(),
        Some(status) => status.as_text() == Some("accepted"),
    };
    if suppressions.is_empty() || !suppressions.iter().all(accepted) {
        return Standing::Open;
    }
    let external = |suppression: &Json| suppression.get("kind").and_then(Json::as_text) == Some("external");
    if suppressions.iter().any(external) { Standing::Accepted } else { Standing::InSource }
}

fn baseline(state: Option<&Json>) -> Option<Baseline> {
    match state?.as_text() {
        Some("absent") => Some(Baseline::Absent),
        Some("unchanged" | "updated") => Some(Baseline::Old),
        Some(_) | None => Some(Baseline::New),
    }
}
