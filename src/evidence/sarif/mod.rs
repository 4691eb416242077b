//! Format `sarif`: results of static analysis and scanners, SARIF 2.1.0.
//!
//! Much of what a result means stands in the rule that it names, and rules stand in the driver or in an extension. A run
//! that failed, that has no results, or whose results or rules lie in other files is never a clean one. A result
//! whose tool rates nothing keeps its level beside `unrated`: an unrated error counts against every bound on critical
//! findings, unless the policy says otherwise.

mod overrides;
mod result;
mod rules;

use std::collections::BTreeMap;

use super::content::Content;
use super::findings::{Severity, Standing, Tally, counted};
use super::json::Json;
use super::names::{Names, Native};
use super::{Reading, RunStatus, quote};
use overrides::Overrides;
use result::{Baseline, Finding, Level, read_result};
use rules::Tool;

const VERSION: &str = "2.1.0";

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/$schema",
    "/runs/*/baselineGuid",
    "/runs/*/externalPropertyFileReferences/*",
    "/runs/*/invocations/*/executionSuccessful",
    "/runs/*/invocations/*/ruleConfigurationOverrides/*/configuration/level",
    "/runs/*/invocations/*/ruleConfigurationOverrides/*/descriptor/id",
    "/runs/*/invocations/*/ruleConfigurationOverrides/*/descriptor/index",
    "/runs/*/invocations/*/ruleConfigurationOverrides/*/descriptor/toolComponent/guid",
    "/runs/*/invocations/*/ruleConfigurationOverrides/*/descriptor/toolComponent/index",
    "/runs/*/invocations/*/ruleConfigurationOverrides/*/descriptor/toolComponent/name",
    "/runs/*/invocations/*/toolConfigurationNotifications/*/level",
    "/runs/*/invocations/*/toolExecutionNotifications/*/level",
    "/runs/*/results/*/baselineState",
    "/runs/*/results/*/kind",
    "/runs/*/results/*/level",
    "/runs/*/results/*/properties/issue_severity",
    "/runs/*/results/*/properties/security-severity",
    "/runs/*/results/*/provenance/invocationIndex",
    "/runs/*/results/*/rule/id",
    "/runs/*/results/*/rule/index",
    "/runs/*/results/*/rule/toolComponent/guid",
    "/runs/*/results/*/rule/toolComponent/index",
    "/runs/*/results/*/rule/toolComponent/name",
    "/runs/*/results/*/ruleId",
    "/runs/*/results/*/ruleIndex",
    "/runs/*/results/*/suppressions/*/kind",
    "/runs/*/results/*/suppressions/*/status",
    "/runs/*/tool/driver/guid",
    "/runs/*/tool/driver/name",
    "/runs/*/tool/driver/rules/*/defaultConfiguration/level",
    "/runs/*/tool/driver/rules/*/id",
    "/runs/*/tool/driver/rules/*/properties/security-severity",
    "/runs/*/tool/driver/rules/*/properties/tags/*",
    "/runs/*/tool/extensions/*/guid",
    "/runs/*/tool/extensions/*/name",
    "/runs/*/tool/extensions/*/rules/*/defaultConfiguration/level",
    "/runs/*/tool/extensions/*/rules/*/id",
    "/runs/*/tool/extensions/*/rules/*/properties/security-severity",
    "/runs/*/tool/extensions/*/rules/*/properties/tags/*",
    "/version",
];

/// Whether the file is a SARIF log, of whatever version.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().is_some_and(|document| {
        let text = |key: &str| document.get(key).and_then(Json::as_text);
        let named = text("version") == Some(VERSION)
            || text("$schema").is_some_and(|schema| schema.contains("sarif"));
        named && document.get("runs").is_some()
    })
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(_: &Content<'_>) -> String {
    "a SARIF log is JSON with `version` 2.1.0 and `runs`".to_owned()
}

/// Findings by severity, level, tool and rule.
pub(crate) fn read(content: &Content<'_>, reading: &Reading<'_>) -> Result<Native, String> {
    let document = content.document().ok_or("it is no JSON document")?;
    match document.get("version").and_then(Json::as_text) {
        Some(VERSION) => {}
        Some(other) => return Err(format!("`/version` is {}; {VERSION} is known here", quote(other))),
        None => return Err(format!("`/version` is missing; {VERSION} is known here")),
    }
    let runs = document.get("runs").and_then(Json::as_array).ok_or("`/runs` is no array")?;
    if runs.is_empty() {
        return Err("`/runs` is empty: nothing was scanned".to_owned());
    }
    let mut log = Log { in_source_ignored: reading.in_source_ignored, ..Log::default() };
    log.all.count_unrated_errors(0);
    log.new.count_unrated_errors(0);
    for (index, run) in runs.iter().enumerate() {
        log.run(run, &format!("/runs/{index}"))?;
    }
    Ok(log.native(runs.len()))
}

/// All runs of a file, counted.
#[derive(Debug, Default)]
struct Log {
    in_source_ignored: bool,
    all: Tally,
    new: Tally,
    /// Whether some run does not say what is new.
    without_baseline: bool,
    levels: BTreeMap<Level, u64>,
    tools: BTreeMap<String, Tally>,
    rules: BTreeMap<String, u64>,
    /// Errors that the tools noted of their own run; nothing where one tells nothing of it.
    errors: Option<u64>,
    failed: Option<String>,
}

impl Log {
    fn run(&mut self, run: &Json, at: &str) -> Result<(), String> {
        let tool = Tool::of(run, at)?;
        let invocations = match run.get("invocations") {
            None | Some(Json::Null) => &[],
            Some(found) => found.as_array().ok_or_else(|| format!("`{at}/invocations` is no array"))?,
        };
        let failed = self.health(run, invocations, at)?;
        let overrides = Overrides::of(invocations, &tool, at)?;
        let results = match (run.get("results"), failed) {
            (Some(Json::Array(results)), _) => results,
            (None | Some(Json::Null), true) => {
                return Err(format!(
                    "the run of {} failed, and `{at}/results` is not there",
                    quote(tool.name)
                ));
            }
            (None | Some(Json::Null), false) => {
                return Err(format!(
                    "`{at}/results` is not there: the scan gave no result, which is not the same as no finding"
                ));
            }
            (Some(other), _) => return Err(format!("`{at}/results` is {}", other.kind())),
        };
        for id in tool.rule_ids() {
            self.rules.entry(id.to_owned()).or_default();
        }
        self.tools.entry(tool.name.to_owned()).or_default().count_unrated_errors(0);
        let mut stated = run.get("baselineGuid").is_some() || !results.is_empty();
        for (index, result) in results.iter().enumerate() {
            let finding = read_result(result, &tool, &overrides)
                .map_err(|why| format!("`{at}/results/{index}`: {why}"))?;
            stated &= finding.baseline.is_some() || run.get("baselineGuid").is_some();
            self.count(&tool, &finding);
        }
        self.without_baseline |= !stated;
        Ok(())
    }

    /// Whether the run says that it failed; an error where what it says lies elsewhere.
    fn health(&mut self, run: &Json, invocations: &[Json], at: &str) -> Result<bool, String> {
        let elsewhere = run.get("externalPropertyFileReferences");
        for part in ["results", "driver", "extensions", "invocations"] {
            if elsewhere.and_then(|references| references.get(part)).is_some() {
                return Err(format!("`{at}` keeps its {part} in another file; write one file"));
            }
        }
        let mut failed = false;
        for (index, invocation) in invocations.iter().enumerate() {
            match invocation.get("executionSuccessful") {
                None | Some(Json::Bool(true)) => {}
                Some(_) => {
                    failed = true;
                    self.failed = Some(format!("`{at}/invocations/{index}/executionSuccessful` is not true"));
                }
            }
            let errors = self.errors.get_or_insert(0);
            for key in ["toolExecutionNotifications", "toolConfigurationNotifications"] {
                let noted = invocation.get(key).and_then(Json::as_array).unwrap_or_default();
                let level = |noted: &&Json| noted.get("level").and_then(Json::as_text) == Some("error");
                *errors += u64::try_from(noted.iter().filter(level).count()).unwrap_or(u64::MAX);
            }
        }
        Ok(failed)
    }

    fn count(&mut self, tool: &Tool<'_>, finding: &Finding<'_>) {
        if !finding.kind_fails || finding.baseline == Some(Baseline::Absent) {
            return;
        }
        let standing = finding.standing.under(self.in_source_ignored);
        self.all.count(finding.severity, standing, finding.rule, 1);
        let own = self.tools.entry(tool.name.to_owned()).or_default();
        own.count(finding.severity, standing, finding.rule, 1);
        if standing != Standing::Open {
            return;
        }
        *self.levels.entry(finding.level).or_default() += 1;
        let grave = finding.severity == Severity::Unrated && finding.level == Level::Error;
        own.count_unrated_errors(u64::from(grave));
        self.all.count_unrated_errors(u64::from(grave));
        if let Some(rule) = finding.rule {
            *self.rules.entry(rule.to_owned()).or_default() += 1;
        }
        if finding.baseline.is_none_or(|baseline| baseline == Baseline::New) {
            self.new.count(finding.severity, standing, finding.rule, 1);
            self.new.count_unrated_errors(u64::from(grave));
        }
    }

    fn native(self, runs: usize) -> Native {
        let at = if runs == 1 { "/runs/0/results" } else { "/runs" };
        let errors = self.errors;
        let mut names = Names::default();
        self.all.add_open(&mut names, "", at, errors);
        self.all.add_suppressed(&mut names, at, errors);
        for level in Level::ALL {
            let count = self.levels.get(&level).copied().unwrap_or_default();
            names.add(format!("findings.open.level.{}", level.as_str()), counted(count, at, errors));
        }
        if !self.without_baseline {
            self.new.add_new(&mut names, at, errors);
        }
        for (tool, tally) in &self.tools {
            tally.add_open(&mut names, &format!("tool/{tool}/"), at, errors);
        }
        for (rule, open) in &self.rules {
            names.add(format!("rule/{rule}/findings.open"), counted(*open, at, errors));
        }
        let status = self.failed.map_or(RunStatus::Finished, RunStatus::Unfinished);
        Native { status, ..Native::finished(names) }
    }
}

#[cfg(test)]
mod tests;
