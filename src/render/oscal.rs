//! What the records show of the control as OSCAL 1.2: assessment results, and a plan of action for what is accepted or owed.
//!
//! For tools of compliance. Ids are UUIDs of version 5, made of what they name and the policy's `id`: the same finding has the
//! same id in every report, and so has the whole while it says the same.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::insight::LoggedRecord;
use crate::insight::control::{CONTROL_ID, CONTROL_TITLE, Finding, Shown};
use crate::model::escape;

use super::report::{GateRow, Whole};

const OSCAL_VERSION: &str = "1.2.3";
/// The space of names that our ids are made in: that of the DNS name `git-gate.invalid`, which nobody else uses.
const SPACE: &str = "git-gate.invalid";

/// The assessment results: an observation and a finding for each requirement and level of the control.
pub(super) fn assessment_results(whole: &Whole<'_>) -> String {
    let ids = Ids(&whole.policy.id);
    let observations: Vec<Value> =
        whole.findings.iter().map(|finding| observation(finding, whole, &ids)).collect();
    let findings: Vec<Value> = whole.findings.iter().map(|found| finding(found, &ids)).collect();
    let time = whole.origin.time.to_string();
    let title = format!("{CONTROL_ID} {CONTROL_TITLE}");
    let result = json!({
        "uuid": ids.of(&format!("result/{}/{time}", whole.origin.mainline)),
        "title": title,
        "description": format!(
            "Computed from signed git history: mainline {}, trust root {}, policy serial {}.",
            whole.origin.mainline, whole.origin.root, whole.origin.policy.serial
        ),
        "start": time,
        "end": time,
        "reviewed-controls": { "control-selections": [
            { "include-controls": [{ "control-id": control_id() }] }
        ] },
        "observations": observations,
        "findings": findings,
    });
    written(&json!({ "assessment-results": {
        "uuid": ids.of(&format!("assessment-results/{}/{time}", whole.origin.mainline)),
        "metadata": metadata(whole, "Assessment results"),
        // The plan is the policy: what is asked of each change, and how it is judged.
        "import-ap": { "href": "../policy.html" },
        "results": [result],
    } }))
}

/// The plan of action: accepted risks with their follow-ups, and deployments whose risk nobody has accepted. `None` where
/// there is nothing to act on, for the format has no empty plan.
pub(super) fn plan_of_action(whole: &Whole<'_>) -> Option<String> {
    let ids = Ids(&whole.policy.id);
    let excepted = whole.gates.iter().filter(|row| row.exception.is_some());
    let mut risks: Vec<Value> = excepted.clone().filter_map(|row| exception_risk(row, &ids)).collect();
    let mut items: Vec<Value> = excepted.filter_map(|row| exception_item(row, &ids)).collect();
    for logged in whole.debts() {
        risks.push(debt_risk(logged, &ids));
        items.push(debt_item(logged, &ids));
    }
    if items.is_empty() {
        return None;
    }
    Some(written(&json!({ "plan-of-action-and-milestones": {
        "uuid": ids.of(&format!("plan/{}/{}", whole.origin.mainline, whole.origin.time)),
        "metadata": metadata(whole, "Plan of action"),
        "system-id": { "identifier-type": "https://ietf.org/rfc/rfc4122", "id": ids.of("system") },
        "risks": risks,
        "poam-items": items,
    } })))
}

/// Makes ids of names, in one repository.
struct Ids<'a>(&'a str);

impl Ids<'_> {
    fn of(&self, name: &str) -> String {
        let space = Uuid::new_v5(&Uuid::NAMESPACE_DNS, SPACE.as_bytes());
        Uuid::new_v5(&space, format!("{}\n{name}", self.0).as_bytes()).to_string()
    }
}

fn control_id() -> String {
    CONTROL_ID.to_ascii_lowercase()
}

fn metadata(whole: &Whole<'_>, what: &str) -> Value {
    json!({
        "title": line(&format!("{what} of {}", whole.policy.id)),
        "last-modified": whole.origin.time.to_string(),
        "version": whole.origin.mainline.to_string(),
        "oscal-version": OSCAL_VERSION,
    })
}

fn observation(finding: &Finding, whole: &Whole<'_>, ids: &Ids<'_>) -> Value {
    let mut said: Vec<String> = finding.records.iter().map(|record| format!("shown: {record}")).collect();
    said.extend(finding.missing.iter().map(|missing| format!("missing: {missing}")));
    json!({
        "uuid": ids.of(&format!("observation/{}", finding.id)),
        "title": finding.title,
        "description": text(&said.join("\n")),
        "methods": ["EXAMINE"],
        "relevant-evidence": [{ "href": format!("../{}", finding.page), "description": finding.asked }],
        "collected": whole.origin.time.to_string(),
    })
}

fn finding(finding: &Finding, ids: &Ids<'_>) -> Value {
    let state = match finding.shown {
        Shown::Whole => "satisfied",
        Shown::Partly | Shown::Not => "not-satisfied",
    };
    let remarks = match finding.shown {
        Shown::Whole => "shown",
        Shown::Partly => "shown in part",
        Shown::Not => "not shown",
    };
    json!({
        "uuid": ids.of(&format!("finding/{}", finding.id)),
        "title": finding.title,
        "description": finding.asked,
        "target": {
            "type": "objective-id",
            "target-id": format!("{}.{}", control_id(), finding.id),
            "status": { "state": state, "remarks": remarks },
        },
        "related-observations": [{ "observation-uuid": ids.of(&format!("observation/{}", finding.id)) }],
    })
}

fn exception_risk(row: &GateRow, ids: &Ids<'_>) -> Option<Value> {
    let shown = row.exception.as_ref()?;
    let exception = shown.fact.exception.as_ref().ok()?;
    let gate = &row.line.gate;
    let mut risk = json!({
        "uuid": ids.of(&format!("exception-risk/{gate}")),
        "title": line(&format!("Exception for {gate}")),
        "description": text(&exception.reason),
        "statement": text(&exception.risk),
        "status": if shown.in_force { "deviation-approved" } else { "deviation-requested" },
    });
    let factors = exception.controls.iter().enumerate().map(|(at, control)| {
        json!({ "uuid": ids.of(&format!("exception-control/{gate}/{at}")), "description": text(control) })
    });
    let tasks = exception.follow_ups.iter().enumerate().map(|(at, follow_up)| {
        json!({
            "uuid": ids.of(&format!("follow-up/{gate}/{at}")),
            "type": "milestone",
            "title": line(&follow_up.what),
            "description": line(&format!("by {}", follow_up.who)),
            "timing": { "on-date": { "date": follow_up.due.to_string() } },
        })
    });
    let (factors, tasks): (Vec<Value>, Vec<Value>) = (factors.collect(), tasks.collect());
    let fields = risk.as_object_mut()?;
    if !factors.is_empty() {
        fields.insert("mitigating-factors".to_owned(), Value::Array(factors));
    }
    if let Some(expires) = exception.expires {
        fields.insert("deadline".to_owned(), json!(expires.to_string()));
    }
    fields.insert(
        "remediations".to_owned(),
        json!([{
            "uuid": ids.of(&format!("follow-ups/{gate}")),
            "lifecycle": "planned",
            "title": "Follow-ups",
            "description": line(&format!("owned by {}", exception.owner)),
            "tasks": tasks,
        }]),
    );
    Some(risk)
}

fn exception_item(row: &GateRow, ids: &Ids<'_>) -> Option<Value> {
    let shown = row.exception.as_ref()?;
    let exception = shown.fact.exception.as_ref().ok()?;
    let gate = &row.line.gate;
    let waives: Vec<&str> = exception.waives.iter().map(String::as_str).collect();
    Some(json!({
        "uuid": ids.of(&format!("exception/{gate}")),
        "title": line(&format!("Exception for {gate}")),
        "description": text(&format!("waives {}; {}", waives.join(", "), shown.reason)),
        "related-risks": [{ "risk-uuid": ids.of(&format!("exception-risk/{gate}")) }],
    }))
}

fn debt_risk(logged: &LoggedRecord, ids: &Ids<'_>) -> Value {
    let record = &logged.record;
    json!({
        "uuid": ids.of(&format!("debt-risk/{}", record.commit)),
        "title": line(&format!("{} went to {} past the gate", record.gate, logged.environment)),
        "description": line(&format!("record {} of {}", record.commit, record.time)),
        "statement": text(logged.debt.as_deref().unwrap_or_default()),
        "status": "open",
    })
}

fn debt_item(logged: &LoggedRecord, ids: &Ids<'_>) -> Value {
    let record = &logged.record;
    json!({
        "uuid": ids.of(&format!("debt/{}", record.commit)),
        "title": line(&format!("Accept the risk of {} in {}, or take it back", record.gate, logged.environment)),
        "description": text(logged.debt.as_deref().unwrap_or_default()),
        "related-risks": [{ "risk-uuid": ids.of(&format!("debt-risk/{}", record.commit)) }],
    })
}

/// Text of a repository on one line; the format takes no empty one.
fn line(words: &str) -> String {
    let safe = escape(words.trim());
    if safe.is_empty() { "not said".to_owned() } else { safe }
}

/// The same over several lines.
fn text(words: &str) -> String {
    let lines: Vec<String> = words.trim().lines().map(escape).collect();
    if lines.is_empty() { "not said".to_owned() } else { lines.join("\n") }
}

/// As it is written: for people to read, too.
fn written(value: &Value) -> String {
    format!("{value:#}\n")
}
