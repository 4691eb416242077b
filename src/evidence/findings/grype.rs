//! Format `grype`: what `grype -o json` writes.
//!
//! A match is one vulnerability in one package: the same one in six packages is six open findings, and one distinct one.

use super::super::Reading;
use super::super::content::Content;
use super::super::json::Json;
use super::super::names::{Names, Native};
use super::vex::{Found, Statements};
use super::{Severity, Standing, Tally};

const AT: &str = "/matches";

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/descriptor/name",
    "/ignoredMatches/*/appliedIgnoreRules/*/namespace",
    "/ignoredMatches/*/appliedIgnoreRules/*/vex-status",
    "/ignoredMatches/*/artifact",
    "/ignoredMatches/*/vulnerability/id",
    "/ignoredMatches/*/vulnerability/severity",
    "/matches/*/artifact/purl",
    "/matches/*/relatedVulnerabilities/*/id",
    "/matches/*/vulnerability/id",
    "/matches/*/vulnerability/severity",
];

/// Whether the file has the parts of a Grype report.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().is_some_and(|document| {
        let name = document.get("descriptor").and_then(|descriptor| descriptor.get("name"));
        let shaped = |found: &Json| found.get("vulnerability").is_some() && found.get("artifact").is_some();
        match document.get("matches") {
            Some(Json::Array(matches)) => {
                name.is_some()
                    && matches.first().map_or(name.and_then(Json::as_text) == Some("grype"), shaped)
            }
            Some(_) => name.and_then(Json::as_text) == Some("grype"),
            None => false,
        }
    })
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(_: &Content<'_>) -> String {
    "Grype's JSON has `matches`, each with `vulnerability` and `artifact`, and `descriptor`".to_owned()
}

/// Open and suppressed findings by severity.
pub(crate) fn read(content: &Content<'_>, reading: &Reading<'_>) -> Result<Native, String> {
    let document = content.document().ok_or("it is no JSON document")?;
    let matches = document.get("matches").and_then(Json::as_array);
    let matches = matches.ok_or("`/matches` is no array: the scan gave no result")?;
    let ignored = match document.get("ignoredMatches") {
        None | Some(Json::Null) => &[],
        Some(ignored) => ignored.as_array().ok_or("`/ignoredMatches` is no array")?,
    };
    let statements = Statements::beside(reading);
    let mut tally = Tally::default();
    for (index, found) in matches.iter().enumerate() {
        let standing = if closed(found, &statements) { Standing::Vex } else { Standing::Open };
        count(&mut tally, found, standing, &format!("{AT}/{index}"))?;
    }
    for (index, found) in ignored.iter().enumerate() {
        let standing = ignored_by(found).under(reading.in_source_ignored);
        count(&mut tally, found, standing, &format!("/ignoredMatches/{index}"))?;
    }
    let mut names = Names::default();
    tally.add_open(&mut names, "", AT, None);
    tally.add_distinct(&mut names, AT);
    tally.add_suppressed(&mut names, "/ignoredMatches", None);
    Ok(Native::finished(names))
}

fn count(tally: &mut Tally, found: &Json, standing: Standing, at: &str) -> Result<(), String> {
    let (Some(vulnerability), Some(_)) = (found.get("vulnerability"), found.get("artifact")) else {
        return Err(format!("`{at}` lacks `vulnerability` or `artifact`"));
    };
    let severity = match vulnerability.get("severity") {
        None => Severity::Unrated,
        Some(Json::Text(word)) => Severity::from_word(word).unwrap_or(Severity::Unrated),
        Some(other) => return Err(format!("`{at}/vulnerability/severity` is {}", other.kind())),
    };
    tally.count(severity, standing, vulnerability.get("id").and_then(Json::as_text), 1);
    Ok(())
}

fn closed(found: &Json, statements: &Statements) -> bool {
    let id =
        found.get("vulnerability").and_then(|vulnerability| vulnerability.get("id")).and_then(Json::as_text);
    let purl = found.get("artifact").and_then(|artifact| artifact.get("purl")).and_then(Json::as_text);
    let related = found.get("relatedVulnerabilities").and_then(Json::as_array).unwrap_or_default();
    // An advisory with several vulnerabilities behind it is not closed by a statement on one of them.
    let alias = match related {
        [one] => one.get("id").and_then(Json::as_text),
        _ => None,
    };
    match (id, purl) {
        (Some(id), Some(purl)) => statements.close(Found { id, alias, purl }),
        (None, _) | (_, None) => false,
    }
}

/// Who had a match ignored: a VEX document that Grype read, where every rule says so; else a rule beside the source.
fn ignored_by(found: &Json) -> Standing {
    let rules = found.get("appliedIgnoreRules").and_then(Json::as_array).unwrap_or_default();
    let vex = |rule: &Json| {
        rule.get("vex-status").and_then(Json::as_text).is_some_and(|status| !status.is_empty())
            || rule.get("namespace").and_then(Json::as_text) == Some("vex")
    };
    if !rules.is_empty() && rules.iter().all(vex) { Standing::Vex } else { Standing::InSource }
}

#[cfg(test)]
mod tests;
