//! Notices: what a reader should know besides the checklist.

use super::case::{Case, notice};
use super::text::Words;
use super::{Notice, break_glass, criteria, evidence, integrity};
use crate::decision::Verb;

/// Every code of a verdict's notices, with what it says.
pub const NOTICE_CODES: &[(&str, &str)] = &[
    ("break-glass-uncovered", "a deployment that was not allowed is not covered, and not overdue yet"),
    ("criterion-direction", "a criterion seems to bound a metric the wrong way round"),
    ("decision-unrecorded", "a decision lies beyond the last step: what permits does not count yet"),
    ("evidence-kind-unknown", "the request lists evidence of a kind that the policy does not name"),
    ("exception-waives-nothing", "an exception names a requirement that is not on the checklist"),
    ("metric-limited", "a criterion rests on a run on a part of its data set"),
    ("rollback", "the version is allowed because it ran here before"),
    ("rollback-refused", "the version was logged here before, and yet that does not support a return"),
    (
        "run-unfinished",
        "a report is of a run that did not finish well: it gives no metrics unless the policy says so",
    ),
];

/// The notices that follow from the case alone; those on exceptions and rollbacks come from where these are judged.
pub(super) fn of_case(case: &Case<'_>) -> Vec<Notice> {
    let mut notices = integrity::notices(case);
    notices.extend(evidence::notices(case));
    notices.extend(criteria::notices(case));
    notices.extend(break_glass::notices(case));
    notices.extend(unrecorded(case));
    notices
}

fn unrecorded(case: &Case<'_>) -> impl Iterator<Item = Notice> {
    case.decisions.iter().filter(|decision| decision.fact.recorded_at.is_none()).map(|decision| {
        let what = decision.fact.verb.map_or("decision", Verb::as_str);
        let by =
            decision.fact.principal.as_ref().map(|who| format!(" by {}", who.quoted())).unwrap_or_default();
        let words = format!("{what} {}{by} lies beyond the last step", decision.fact.commit.short());
        notice("decision-unrecorded", words)
    })
}
