//! Format `trivy`: what `trivy … --format json` writes, schema version 2.
//!
//! Every class that was scanned counts: vulnerabilities, failed misconfiguration checks, secrets and licences. A file
//! without `Results` is of a scan that looked at nothing. What `--severity` left out does not show in the file.

use std::collections::BTreeMap;

use super::super::Reading;
use super::super::content::Content;
use super::super::json::Json;
use super::super::names::{Names, Native};
use super::vex::{Found, Statements};
use super::{Severity, Standing, Tally};

const AT: &str = "/Results";

/// What is scanned for: the key of its findings, its name in metrics, its name among modified findings.
const CLASSES: [(&str, &str, &str); 4] = [
    ("Vulnerabilities", "vulnerabilities", "vulnerability"),
    ("Misconfigurations", "misconfigurations", "misconfiguration"),
    ("Secrets", "secrets", "secret"),
    ("Licenses", "licenses", "license"),
];

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/ArtifactName",
    "/ArtifactType",
    "/Results/*/ExperimentalModifiedFindings/*/Finding/ID",
    "/Results/*/ExperimentalModifiedFindings/*/Finding/RuleID",
    "/Results/*/ExperimentalModifiedFindings/*/Finding/Severity",
    "/Results/*/ExperimentalModifiedFindings/*/Finding/VulnerabilityID",
    "/Results/*/ExperimentalModifiedFindings/*/Status",
    "/Results/*/ExperimentalModifiedFindings/*/Type",
    "/Results/*/Licenses/*/Severity",
    "/Results/*/MisconfSummary/Failures",
    "/Results/*/Misconfigurations/*/ID",
    "/Results/*/Misconfigurations/*/Severity",
    "/Results/*/Misconfigurations/*/Status",
    "/Results/*/Secrets/*/RuleID",
    "/Results/*/Secrets/*/Severity",
    "/Results/*/Vulnerabilities/*/PkgIdentifier/PURL",
    "/Results/*/Vulnerabilities/*/Severity",
    "/Results/*/Vulnerabilities/*/VulnerabilityID",
    "/SchemaVersion",
];

/// Whether the file has the head of a Trivy report, of whatever version.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().is_some_and(|document| {
        let has = |key: &str| document.get(key).is_some();
        has("SchemaVersion") && (has("ArtifactType") || has("ArtifactName"))
    })
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(content: &Content<'_>) -> String {
    if content.document().is_some_and(|document| document.as_array().is_some()) {
        return "it is an array, as Trivy wrote before 0.19; scan again with a newer one".to_owned();
    }
    "Trivy's JSON has `SchemaVersion`, and `ArtifactName` or `ArtifactType`".to_owned()
}

/// Open and suppressed findings by severity.
pub(crate) fn read(content: &Content<'_>, reading: &Reading<'_>) -> Result<Native, String> {
    let document = content.document().ok_or("it is no JSON document")?;
    match document.get("SchemaVersion").and_then(Json::as_count) {
        Some(2) => {}
        Some(other) => return Err(format!("`/SchemaVersion` is {other}; 2 is known here")),
        None => return Err("`/SchemaVersion` is no count; 2 is known here".to_owned()),
    }
    let results = match document.get("Results") {
        None | Some(Json::Null) => &[],
        Some(results) => results.as_array().ok_or("`/Results` is no array")?,
    };
    if results.is_empty() {
        return Err("it has no `Results`: Trivy found nothing to scan, which is not the same as no finding"
            .to_owned());
    }
    let statements = Statements::beside(reading);
    let mut scan = Scan {
        statements: &statements,
        in_source_ignored: reading.in_source_ignored,
        all: Tally::default(),
        classes: BTreeMap::new(),
    };
    for (index, result) in results.iter().enumerate() {
        scan.target(result, &format!("{AT}/{index}"))?;
    }
    let mut names = Names::default();
    scan.all.add_open(&mut names, "", AT, None);
    scan.all.add_distinct(&mut names, AT);
    scan.all.add_suppressed(&mut names, AT, None);
    for (class, tally) in &scan.classes {
        tally.add_open(&mut names, &format!("{class}/"), AT, None);
    }
    Ok(Native::finished(names))
}

struct Scan<'a> {
    statements: &'a Statements,
    in_source_ignored: bool,
    all: Tally,
    classes: BTreeMap<&'static str, Tally>,
}

impl Scan<'_> {
    /// One target of the scan.
    fn target(&mut self, result: &Json, at: &str) -> Result<(), String> {
        if result.as_object().is_none() {
            return Err(format!("`{at}` is no object"));
        }
        let mut failures = 0_u64;
        for (key, class, _) in CLASSES {
            for (index, finding) in list(result, key, at)?.iter().enumerate() {
                let place = format!("{at}/{key}/{index}");
                let standing = match key {
                    "Vulnerabilities" => Some(self.vulnerability(finding)),
                    "Misconfigurations" => misconfiguration(finding),
                    _ => Some(Standing::Open),
                };
                failures += u64::from(key == "Misconfigurations" && standing == Some(Standing::Open));
                if let Some(standing) = standing {
                    self.count(class, finding, standing, &place)?;
                }
            }
        }
        if let Some(summary) = result.get("MisconfSummary").and_then(|summary| summary.get("Failures"))
            && summary.as_count().is_none_or(|stated| stated > failures)
        {
            return Err(format!(
                "`{at}/MisconfSummary` states more failures than the {failures} that are listed: it was cut or edited"
            ));
        }
        self.modified(result, at)
    }

    /// What Trivy lists as suppressed (`--show-suppressed`).
    fn modified(&mut self, result: &Json, at: &str) -> Result<(), String> {
        let key = "ExperimentalModifiedFindings";
        for (index, modified) in list(result, key, at)?.iter().enumerate() {
            let place = format!("{at}/{key}/{index}");
            let kind = modified.get("Type").and_then(Json::as_text);
            let class = CLASSES.iter().find(|(_, _, name)| Some(*name) == kind).map(|(_, class, _)| *class);
            let (Some(class), Some(finding)) = (class, modified.get("Finding")) else {
                return Err(format!("`{place}` is of a type that is not known here"));
            };
            // `ignored` is a `.trivyignore` or a rule beside the source; all else is a VEX statement that Trivy read.
            let standing = match modified.get("Status").and_then(Json::as_text) {
                Some("not_affected" | "fixed" | "false_positive") => Standing::Vex,
                Some(_) | None => Standing::InSource,
            };
            self.count(class, finding, standing, &place)?;
        }
        Ok(())
    }

    fn vulnerability(&self, finding: &Json) -> Standing {
        let text = |key: &str| finding.get(key).and_then(Json::as_text);
        let purl =
            finding.get("PkgIdentifier").and_then(|package| package.get("PURL")).and_then(Json::as_text);
        let closed = match (text("VulnerabilityID"), purl) {
            (Some(id), Some(purl)) => self.statements.close(Found { id, alias: None, purl }),
            (None, _) | (_, None) => false,
        };
        if closed { Standing::Vex } else { Standing::Open }
    }

    fn count(
        &mut self,
        class: &'static str,
        finding: &Json,
        standing: Standing,
        at: &str,
    ) -> Result<(), String> {
        let severity = match finding.get("Severity") {
            None => Severity::Unrated,
            Some(Json::Text(word)) => Severity::from_word(word).unwrap_or(Severity::Unrated),
            Some(other) => return Err(format!("`{at}/Severity` is {}", other.kind())),
        };
        let standing = standing.under(self.in_source_ignored);
        let id = ["VulnerabilityID", "ID", "RuleID"].into_iter().find_map(|key| finding.get(key)?.as_text());
        self.all.count(severity, standing, id, 1);
        self.classes.entry(class).or_default().count(severity, standing, id, 1);
        Ok(())
    }
}

/// How a check stands; nothing where it passed. A status that is not known here is a failure.
fn misconfiguration(finding: &Json) -> Option<Standing> {
    match finding.get("Status").and_then(Json::as_text) {
        Some("PASS") => None,
        Some("EXCEPTION") => Some(Standing::InSource),
        Some(_) | None => Some(Standing::Open),
    }
}

/// The array at a key; none there, or `null`, as Go writes an empty one: empty.
fn list<'a>(result: &'a Json, key: &str, at: &str) -> Result<&'a [Json], String> {
    match result.get(key) {
        None | Some(Json::Null) => Ok(&[]),
        Some(found) => found.as_array().ok_or_else(|| format!("`{at}/{key}` is no array")),
    }
}

#[cfg(test)]
mod tests;
