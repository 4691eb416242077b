//! Criteria: bounds on metrics, on each report that has the metric.
//!
//! At least one report must have it. A criterion is judged on the reports as they are: whether they are stale is the
//! evidence's own line. A report that is there and does not read might hold anything, so no criterion on its kind holds
//! (design, sections 6 and 7).

use super::bounds::{bounds_something, broken, expected, worse};
use super::case::{Case, notice};
use super::evidence::{behind, files, run_counts};
use super::measure::{Measured, Measurement, measure, slip};
use super::text::Words;
use super::{EvidenceFact, Notice, Requirement, RequirementId, Status};
use crate::evidence::{Report, Unreadable};
use crate::policy::{Compare, Criterion, Subject};

/// One line for each criterion of a matching rule.
pub(super) fn requirements(case: &Case<'_>) -> Vec<Requirement> {
    each(case).into_iter().map(|(criterion, rules)| line(case, criterion).rules(rules)).collect()
}

/// A notice for each bound that seems to face the wrong way, and for each metric of a run that was cut short.
pub(super) fn notices(case: &Case<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (criterion, _) in each(case) {
        for (file, _, found) in measured(case, criterion) {
            let Measured::Good(measurement) = found else { continue };
            let upwards = criterion.min.is_some() && criterion.max.is_none();
            let downwards = criterion.max.is_some() && criterion.min.is_none();
            let (name, file) = (criterion.name.quoted(), file.file.quoted());
            match measurement.higher_is_better {
                Some(true) if downwards => notices.push(notice(
                    "criterion-direction",
                    format!("criterion {name} sets a greatest value, and {file} says that higher is better"),
                )),
                Some(false) if upwards => notices.push(notice(
                    "criterion-direction",
                    format!("criterion {name} sets a least value, and {file} says that lower is better"),
                )),
                Some(_) | None => {}
            }
            if measurement.limited {
                let words = format!("criterion {name} rests on {file}, a run on a part of its data set");
                notices.push(notice("metric-limited", words));
            }
        }
    }
    notices
}

pub(super) fn each<'a>(case: &Case<'a>) -> Vec<(&'a Criterion, Vec<crate::model::Label>)> {
    let asked = case.asked(
        |rule| rule.criteria.iter().map(|criterion| (&criterion.name, criterion)).collect(),
        |first, _same| first,
    );
    asked.into_values().collect()
}

/// The reports of the criterion's kind that read, each with what it says.
pub(super) fn measured<'a>(
    case: &Case<'a>,
    criterion: &Criterion,
) -> Vec<(&'a EvidenceFact, &'a Report, Measured)> {
    let options = case.policy.evidence.get(&criterion.evidence);
    files(case, &criterion.evidence)
        .into_iter()
        .filter_map(|file| {
            let report = file.report.as_ref()?.as_ref().ok()?;
            let found = if run_counts(options, report) {
                measure(criterion, report)
            } else {
                Measured::Absent(Some("the run did not finish well, so it gives no metrics".into()))
            };
            Some((file, &**report, found))
        })
        .collect()
}

fn line(case: &Case<'_>, criterion: &Criterion) -> Requirement {
    let (status, found) = judge(case, criterion);
    let files = files(case, &criterion.evidence);
    let having = measured(case, criterion).into_iter().find_map(|(file, _, found)| match found {
        Measured::Absent(None) => None,
        Measured::Absent(Some(_)) | Measured::Bad(_) | Measured::Good(_) => Some(file),
    });
    let file = having.or(files.first().copied()).map_or("<file>", |file| file.file.as_str());
    let what = match &criterion.subject {
        Subject::Metric(name) => name.clone(),
        Subject::Spread(_) => "spread".into(),
        Subject::Ratio(_) => "ratio".into(),
    };
    let mend = if status == Status::Missing && lacks_a_base(case, criterion) {
        "the policy lets a first deployment pass with `first = \"pass\"`: by a policy change".to_owned()
    } else {
        format!("git gate attach {} {} {file}", case.facts.gate, criterion.evidence)
    };
    Requirement::new(
        RequirementId::Criterion(criterion.name.clone()),
        status,
        format!("{} {}", what.quoted(), expected(criterion)),
        found,
    )
    .by(files.iter().flat_map(|file| behind(file)).collect())
    .next(Vec::new(), mend)
}

/// Whether only a deployment to compare with is missing.
fn lacks_a_base(case: &Case<'_>, criterion: &Criterion) -> bool {
    let has_it = |found: &Measured| matches!(found, Measured::Good(_));
    criterion.compare.is_some()
        && case.facts.deployed.is_none()
        && measured(case, criterion).iter().any(|(_, _, found)| has_it(found))
}

fn judge(case: &Case<'_>, criterion: &Criterion) -> (Status, String) {
    let mut unread = Vec::new();
    let mut absent = Vec::new();
    for file in files(case, &criterion.evidence) {
        match &file.report {
            None => absent.push(format!("{} is not there", file.file.quoted())),
            Some(Err(Unreadable::Empty)) => absent.push(format!("{} is empty", file.file.quoted())),
            Some(Err(Unreadable::Invalid(reason) | Unreadable::FormatRefused(reason))) => {
                unread.push(format!("{} does not read: {reason}", file.file.quoted()));
            }
            Some(Ok(_)) => {}
        }
    }
    if !unread.is_empty() {
        return (Status::Failed, unread.join("; "));
    }
    let measured = measured(case, criterion);
    if measured.is_empty() {
        absent.insert(0, format!("no {} evidence", criterion.evidence));
        return (Status::Missing, absent.join("; "));
    }
    let (status, words) = judge_measured(case, criterion, &measured);
    match (status, absent.is_empty()) {
        (Status::Met, false) => (Status::Missing, absent.join("; ")),
        (Status::Met | Status::Missing | Status::Stale | Status::Failed | Status::Waived, _) => {
            (status, words)
        }
    }
}

/// Each report that has the metric must keep every bound, and one must have it.
fn judge_measured(
    case: &Case<'_>,
    criterion: &Criterion,
    measured: &[(&EvidenceFact, &Report, Measured)],
) -> (Status, String) {
    let mut status = None;
    let mut words = Vec::new();
    let mut without = Vec::new();
    for (file, report, found) in measured {
        let name = file.file.quoted();
        let (found, line) = match found {
            Measured::Absent(None) => {
                without.push(format!("{name} does not have it{}", slip(criterion, report)));
                continue;
            }
            Measured::Absent(Some(reason)) => {
                without.push(format!("{name} does not have it: {reason}"));
                continue;
            }
            Measured::Bad(reason) => (Status::Failed, format!("{reason} in {name}")),
            Measured::Good(measurement) => {
                let (found, why) = judge_one(case, criterion, measurement);
                let why = if why.is_empty() { why } else { format!(": {why}") };
                (found, format!("{} in {name}{why}", measurement.words))
            }
        };
        words.push(line);
        status = Some(if status == Some(Status::Failed) || found == Status::Met {
            status.unwrap_or(found)
        } else {
            found
        });
    }
    match status {
        Some(status) => (status, words.join("; ")),
        None => (Status::Failed, without.join("; ")),
    }
}

/// How one value stands, and why it does not hold.
fn judge_one(case: &Case<'_>, criterion: &Criterion, measurement: &Measurement) -> (Status, String) {
    if !bounds_something(criterion) {
        return (Status::Failed, "the criterion bounds nothing".into());
    }
    let broken = broken(criterion, measurement);
    if !broken.is_empty() {
        return (Status::Failed, broken.join(", "));
    }
    criterion
        .compare
        .as_ref()
        .map_or((Status::Met, String::new()), |compare| judge_compared(case, criterion, compare, measurement))
}

/// Against the same metric of what is deployed: every report of it that has the metric.
fn judge_compared(
    case: &Case<'_>,
    criterion: &Criterion,
    compare: &Compare,
    measurement: &Measurement,
) -> (Status, String) {
    let Some(deployed) = &case.facts.deployed else {
        let words = "nothing was deployed there to compare with".to_owned();
        return (if compare.first_passes { Status::Met } else { Status::Missing }, words);
    };
    let options = case.policy.evidence.get(&criterion.evidence);
    let reports = deployed.reports.get(&criterion.evidence).into_iter().flatten();
    let mut bases = 0;
    for report in reports.filter(|report| run_counts(options, report)) {
        match measure(criterion, report) {
            Measured::Absent(_) => {}
            Measured::Bad(reason) => return (Status::Failed, format!("in {}: {reason}", deployed.gate)),
            Measured::Good(base) => {
                bases += 1;
                if let Some(reason) = worse(criterion, compare, measurement, &base) {
                    return (Status::Failed, format!("{reason} in {}", deployed.gate));
                }
            }
        }
    }
    if bases == 0 {
        return (Status::Missing, format!("{}, which is deployed, does not have it", deployed.gate));
    }
    (Status::Met, String::new())
}
