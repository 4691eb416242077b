//! Evidence: reports of the kinds that rules require, readable, recent, about what is deployed, from who may attest.
//!
//! A kind is met when every report listed for it is good: one bad report among several is not outvoted. A report's
//! signature, attestation and artifacts must hold on the same side of history (design, sections 7 and 9.6).

use std::collections::BTreeSet;

use super::case::{Case, notice};
use super::text::{Words, list, number, quoted_list};
use super::{By, EvidenceFact, Notice, Requirement, RequirementId, Side, Status};
use crate::evidence::{Report, RunStatus, Unreadable, Value};
use crate::model::Name;
use crate::policy::EvidenceKind;

/// One line for each kind that a matching rule requires.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    let kinds = case.asked(|rule| rule.evidence.iter().map(|kind| (kind.clone(), ())).collect(), |(), ()| ());
    kinds.into_iter().map(|(kind, ((), rules))| line(case, &kind).rules(rules)).collect()
}

/// The reports that the request lists for `kind`.
pub(super) fn files<'a>(case: &Case<'a>, kind: &Name) -> Vec<&'a EvidenceFact> {
    case.content.into_iter().flat_map(|content| &content.evidence).filter(|file| file.kind == *kind).collect()
}

/// The commits that last changed `file`, with their signers.
pub(super) fn behind(file: &EvidenceFact) -> impl Iterator<Item = By> {
    file.sides.iter().map(|side| By { commit: side.commit, principal: side.signer.as_ref().ok().cloned() })
}

/// How a report stands, and why.
type Finding = (Status, String);

fn line(case: &Case<'_>, kind: &Name) -> Requirement {
    let options = case.policy.evidence.get(kind);
    let files = files(case, kind);
    let findings: Vec<(&EvidenceFact, Finding)> =
        files.iter().map(|file| (*file, judge_file(case, options, file))).collect();
    let worst = [Status::Failed, Status::Missing, Status::Stale]
        .into_iter()
        .find(|status| findings.iter().any(|(_, (found, _))| found == status));
    let (status, found) = if findings.is_empty() {
        (Status::Missing, "the request lists none".to_owned())
    } else {
        let words = findings.iter().map(|(file, (_, words))| format!("{}: {words}", file.file.quoted()));
        (worst.unwrap_or(Status::Met), words.collect::<Vec<_>>().join("; "))
    };
    let file = files.first().map_or("<file>", |file| file.file.as_str());
    Requirement::new(RequirementId::Evidence(kind.clone()), status, expected(options), found)
        .by(files.iter().flat_map(|file| behind(file)).collect())
        .next(Vec::new(), format!("git gate attach {} {kind} {file}", case.facts.gate))
}

fn expected(options: Option<&EvidenceKind>) -> String {
    let mut words = vec!["a report that reads".to_owned()];
    let Some(options) = options else { return words.concat() };
    if let Some(formats) = &options.formats {
        words.push(format!("as {}", list(formats.iter().map(|format| format.as_str()))));
    }
    if let Some(age) = options.max_age {
        words.push(format!("at most {age} old"));
    }
    if let Some(roles) = &options.attested_by {
        words.push(format!("signed by {}", list(roles)));
    }
    if let Some(least) = options.min_passed {
        words.push(format!("with at least {least} passed tests"));
    }
    words.join(", ")
}

fn judge_file(case: &Case<'_>, options: Option<&EvidenceKind>, file: &EvidenceFact) -> Finding {
    let report = match &file.report {
        None => return (Status::Missing, "the file is not there".into()),
        Some(Err(Unreadable::Empty)) => return (Status::Missing, "the file is empty".into()),
        Some(Err(Unreadable::Invalid(reason) | Unreadable::FormatRefused(reason))) => {
            return (Status::Failed, reason.clone());
        }
        Some(Ok(report)) => report,
    };
    if let Some(finding) = options.and_then(|options| bad_report(options, report)) {
        return finding;
    }
    judge_sides(case, options, file).or_else(|| too_old(case, options, file, report)).unwrap_or_else(|| {
        (Status::Met, format!("{}{}{}", read_as(file, report), dated(case, file), unfinished(report)))
    })
}

/// What was read: the file, the report elsewhere that it stands for, or what was recorded of that.
fn read_as(file: &EvidenceFact, report: &Report) -> String {
    let format = report.format.as_str();
    match &report.external {
        None if file.original_at_hand => format!("reads as {format}, the report itself, which is at hand"),
        None => format!("reads as {format}"),
        Some(external) => format!(
            "reads as {format}, of a report in {} that lies at {} and is not at hand",
            external.format.as_str(),
            external.uri.quoted()
        ),
    }
}

fn bad_report(options: &EvidenceKind, report: &Report) -> Option<Finding> {
    let failed = |words: String| Some((Status::Failed, words));
    let format = report.external.as_ref().map_or(report.format, |external| external.format);
    if let Some(formats) = &options.formats
        && !formats.contains(&format)
        && !formats.contains(&report.format)
    {
        return failed(format!("its format is {}, which the policy does not take", format.as_str()));
    }
    let least = options.min_passed?;
    let passed = match report.mapped.get("tests.passed") {
        Some(mapped) => mapped.as_ref().ok(),
        None => report.metrics.get("tests.passed"),
    };
    match passed.map(|metric| &metric.value) {
        Some(Value::Number(passed)) if *passed >= super::bounds::real(least) => None,
        Some(Value::Number(passed)) => failed(format!("{} tests passed", number(*passed))),
        Some(Value::Bool(_) | Value::Text(_) | Value::NonFinite(_)) | None => {
            failed("it does not say how many tests passed".into())
        }
    }
}

/// Whether the run that wrote `report` ended well, or the policy does not mind for this kind.
pub(super) fn run_counts(options: Option<&EvidenceKind>, report: &Report) -> bool {
    match &report.status {
        RunStatus::Finished => true,
        RunStatus::Unfinished(_) => options.is_some_and(|options| options.unfinished_allowed),
    }
}

/// What is wrong on every side of history that has the file as it stands; nothing: one side is good.
fn judge_sides(case: &Case<'_>, options: Option<&EvidenceKind>, file: &EvidenceFact) -> Option<Finding> {
    let mut findings = Vec::new();
    for side in &file.sides {
        findings.push(judge_side(case, options, file, side)?);
    }
    let unknown = || (Status::Failed, "nobody is known to have signed it".to_owned());
    // The side that lacks least: artifacts that moved on are mended by a new report, a bad signature is not.
    findings.into_iter().max_by_key(|(status, _)| *status == Status::Stale).or_else(|| Some(unknown()))
}

fn judge_side(
    case: &Case<'_>,
    options: Option<&EvidenceKind>,
    file: &EvidenceFact,
    side: &Side,
) -> Option<Finding> {
    let commit = side.commit.short();
    let signer = match &side.signer {
        Ok(signer) => signer,
        Err((code, reason)) => {
            return Some((
                Status::Failed,
                format!("the signature of {commit} does not count: {code} ({reason})"),
            ));
        }
    };
    if let Some(attesters) = options.and_then(|options| options.attested_by.as_ref())
        && attesters.is_disjoint(&side.roles)
    {
        let wanted = list(attesters);
        return Some((Status::Failed, format!("{} signed {commit}, not one of {wanted}", signer.quoted())));
    }
    if options.is_some_and(|options| options.about_change) {
        return None;
    }
    let moved = artifacts_moved(case, file, side);
    (!moved.is_empty()).then(|| {
        (Status::Stale, format!("{} changed since {commit} brought the report", quoted_list(&moved)))
    })
}

/// The artifacts that the report is about and that were others, or not listed, when it came. An artifact that is gone
/// now does not matter; but a report whose one artifact is gone is about all the others.
fn artifacts_moved<'a>(
    case: &Case<'a>,
    file: &EvidenceFact,
    side: &Side,
) -> BTreeSet<&'a crate::model::ArtifactName> {
    let Some(request) = case.request else { return BTreeSet::new() };
    let about = file.artifact.as_ref().filter(|named| side.artifact.as_ref() == Some(*named));
    let about = about.filter(|named| request.artifacts.contains_key(named));
    request
        .artifacts
        .iter()
        .filter(|(name, _)| about.is_none_or(|about| about == *name))
        .filter(|(name, artifact)| side.artifacts.get(*name) != Some(&artifact.digest))
        .map(|(name, _)| name)
        .collect()
}

fn too_old(
    case: &Case<'_>,
    options: Option<&EvidenceKind>,
    file: &EvidenceFact,
    report: &Report,
) -> Option<Finding> {
    let most = options?.max_age?;
    let Some(since) = file.since else {
        return Some((Status::Stale, "nothing says how old it is".into()));
    };
    let since = report.tested.map_or(since, |tested| tested.min(since));
    let old = || format!("{} old, at most {most} counts", case.clock.ago(since));
    case.clock.is_longer_ago(since, most).then(|| (Status::Stale, old()))
}

/// Such a run leaves its kind met and gives no metrics, so that no criterion holds on it (design, section 7).
fn unfinished(report: &Report) -> String {
    match &report.status {
        RunStatus::Finished => String::new(),
        RunStatus::Unfinished(status) => format!(", a run that did not finish well ({})", status.quoted()),
    }
}

/// A notice for each report of a run that did not finish well.
pub(super) fn notices(case: &Case<'_>) -> Vec<Notice> {
    let files = case.content.into_iter().flat_map(|content| &content.evidence);
    let mut notices = Vec::new();
    for file in files {
        if let Some(Ok(report)) = &file.report
            && let RunStatus::Unfinished(status) = &report.status
        {
            let words = format!("{}: the run did not finish well ({})", file.file.quoted(), status.quoted());
            notices.push(notice("run-unfinished", words));
        }
    }
    notices
}

fn dated(case: &Case<'_>, file: &EvidenceFact) -> String {
    file.since.map_or(String::new(), |since| format!(", {} old", case.clock.ago(since)))
}
