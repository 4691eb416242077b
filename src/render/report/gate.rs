//! The page of one gate: its checklist in the shape of the control's example.
//!
//! What was to be attached, who signs off in which role and when they did, what blocks, and the log entry; then, for who
//! looks closer, every line of every checklist and every decision.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Report, Value};
use crate::insight::Dossier;
use crate::model::{Name, ObjectId, Time};
use crate::policy::Policy;
use crate::verdict::{DecisionShown, EvidenceFact, Requirement, RequirementId, Status, Verdict};

use super::super::judgement;
use super::super::page::{Tone, Word, list};
use super::super::sheet::{Block, Cell, Part, Sheet, Table, joined};
use super::super::tune::exact;
use super::parts;

/// So many metrics of one report stand in its row; `git gate evidence` shows all.
const MOST_METRICS: usize = 12;

/// Of a gate whose request is not there.
const NO_REQUEST: &str =
    "Its request does not stand where it is judged, or cannot be read: what it asks for is not known.";

pub(super) fn sheet(dossier: &Dossier, policy: &Policy) -> Sheet {
    let words = dossier.verdicts.iter().map(|verdict| {
        let Word { text, tone } = parts::outcome_word(verdict.outcome);
        Word::new(format!("{}: {text}", verdict.environment), tone)
    });
    let mut words: Vec<Word> = words.collect();
    if dossier.line.unmerged {
        words.push(Word::new("as if its branch were merged", Tone::Open));
    }
    let change = dossier.verdicts.iter().find_map(|verdict| verdict.change.as_ref());
    let lead = change.map_or(NO_REQUEST, |change| &change.summary);
    let mut all = Vec::new();
    // Of what is not known to be asked for, nothing is said to be in order.
    if change.is_some() {
        all.push(change_part(dossier));
        all.push(artifacts_part(dossier, policy));
        all.push(approvals_part(dossier, policy));
        all.push(criteria_part(dossier));
    }
    all.push(log_part(dossier));
    all.push(risks_part(dossier));
    all.extend(checklists(dossier));
    all.push(Part::table("Decisions", parts::decisions(&decisions(dossier))));
    all.extend(notices_part(dossier));
    Sheet {
        path: parts::gate_path(&dossier.gate),
        kind: "Deployment gate checklist",
        title: dossier.gate.to_string(),
        words,
        lead: Cell::words(lead),
        parts: all,
    }
}

fn change_part(dossier: &Dossier) -> Part {
    let mut facts: Vec<(&'static str, Vec<Cell>)> = Vec::new();
    if let Some(change) = dossier.verdicts.iter().find_map(|verdict| verdict.change.as_ref()) {
        facts.push(("What changes", Cell::words(list(&change.kinds))));
        facts.push(("Risk", Cell::words(change.risk.to_string())));
        if !change.tags.is_empty() {
            facts.push(("Tags", Cell::words(list(&change.tags))));
        }
    }
    if let Some(request) = &dossier.request {
        if !request.requested_by.is_empty() {
            facts.push(("Requested by", Cell::words(list(&request.requested_by))));
        }
        if !request.requires.is_empty() {
            facts.push(("Requires", joined(request.requires.iter().map(parts::gate_link))));
        }
        for (name, artifact) in &request.artifacts {
            let mut cells = Cell::words(format!("{name} "));
            cells.extend(Cell::exact(&artifact.digest));
            if let Some(uri) = &artifact.uri {
                cells.push(Cell::Words(format!(" at {uri}")));
            }
            facts.push(("Artifact", cells));
        }
    }
    facts.push(("Authors", Cell::words(list(&dossier.authors))));
    facts.push(("Opened", Cell::maybe_time(dossier.line.opened)));
    if let Some(content) = dossier.verdicts.iter().find_map(|verdict| verdict.content) {
        facts.push(("Content digest", Cell::exact(content)));
    }
    Part::new("The change", vec![Block::Facts(facts)])
}

/// Required artifacts: what must be attached before anybody decides.
fn artifacts_part(dossier: &Dossier, policy: &Policy) -> Part {
    let mut statuses: BTreeMap<&Name, BTreeSet<Status>> = BTreeMap::new();
    for line in dossier.verdicts.iter().flat_map(|verdict| &verdict.requirements) {
        if let RequirementId::Evidence(kind) = &line.id {
            statuses.entry(kind).or_default().insert(line.status);
        }
    }
    let mut rows = Vec::new();
    for (kind, status) in &statuses {
        let facts: Vec<&EvidenceFact> = dossier.evidence.iter().filter(|fact| fact.kind == **kind).collect();
        let worst = status.iter().next_back().copied();
        let mark = worst.map(parts::status_mark).unwrap_or_default();
        if facts.is_empty() {
            rows.push(vec![kind_cell(policy, kind), mark.clone(), Cell::words("not attached")]);
        }
        rows.extend(facts.into_iter().map(|fact| evidence_row(policy, fact, mark.clone())));
    }
    for fact in dossier.evidence.iter().filter(|fact| !statuses.contains_key(&fact.kind)) {
        rows.push(evidence_row(policy, fact, Cell::mark("not asked for", Tone::Plain)));
    }
    let width = 6;
    for row in &mut rows {
        row.resize(width, Vec::new());
    }
    Part::table(
        "Required artifacts",
        Table {
            caption: "Reports that the policy asks for, and those attached".to_owned(),
            columns: vec!["Kind", "Status", "File", "Since", "Signed by", "Results"],
            rows,
            empty: "The policy asks for no report.",
        },
    )
}

fn kind_cell(policy: &Policy, kind: &Name) -> Vec<Cell> {
    let title = policy.evidence.get(kind).and_then(|kind| kind.title.as_deref());
    Cell::words(title.map_or_else(|| kind.to_string(), |title| format!("{title} ({kind})")))
}

fn evidence_row(policy: &Policy, fact: &EvidenceFact, mark: Vec<Cell>) -> Vec<Vec<Cell>> {
    let signers = fact.sides.iter().filter_map(|side| side.signer.as_ref().ok());
    let signers: BTreeSet<_> = signers.collect();
    let results = match &fact.report {
        None => "the file is not there".to_owned(),
        Some(Err(unreadable)) => format!("does not read: {unreadable}"),
        Some(Ok(report)) => results(report),
    };
    vec![
        kind_cell(policy, &fact.kind),
        mark,
        Cell::exact(&fact.file),
        Cell::maybe_time(fact.since),
        Cell::words(list(signers)),
        Cell::words(results),
    ]
}

fn results(report: &Report) -> String {
    let mapped = report.mapped.iter().filter_map(|(name, metric)| Some((name, metric.as_ref().ok()?)));
    let native = report.metrics.iter().filter(|(name, _)| !report.mapped.contains_key(*name));
    let all: Vec<String> =
        mapped.chain(native).map(|(name, metric)| format!("{name} = {}", value(&metric.value))).collect();
    let first = all.get(..MOST_METRICS.min(all.len())).unwrap_or_default();
    let more = all.len().saturating_sub(MOST_METRICS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let format = report.format.as_str();
    if first.is_empty() { format.to_owned() } else { format!("{format}: {}{more}", first.join(", ")) }
}

fn value(value: &Value) -> String {
    match value {
        Value::Number(found) => exact(*found),
        Value::Bool(said) => said.to_string(),
        Value::Text(text) | Value::NonFinite(text) => text.clone(),
    }
}

/// Gate approvals required: approver, role, date of sign-off.
fn approvals_part(dossier: &Dossier, policy: &Policy) -> Part {
    let signed: BTreeMap<ObjectId, Time> =
        decisions(dossier).iter().map(|shown| (shown.fact.commit, shown.fact.signed_at)).collect();
    let mut rows = Vec::new();
    for verdict in &dossier.verdicts {
        for line in &verdict.requirements {
            if let RequirementId::Approval(role) = &line.id {
                rows.extend(approval_rows(verdict, line, role, &signed, policy));
            }
        }
    }
    Part::table(
        "Approvals required",
        Table {
            caption: "Who signs off in which role, and when they did".to_owned(),
            columns: vec!["Role", "Approver", "Sign-off date", "Environment", "Status", "Why"],
            rows,
            empty: "The policy asks for no approval of this change.",
        },
    )
}

fn approval_rows(
    verdict: &Verdict,
    line: &Requirement,
    role: &Name,
    signed: &BTreeMap<ObjectId, Time>,
    policy: &Policy,
) -> Vec<Vec<Vec<Cell>>> {
    let title = policy.roles.get(role).and_then(|known| known.title.clone());
    let title = title.map_or_else(|| role.to_string(), |title| format!("{title} ({role})"));
    let environment = || Cell::words(verdict.environment.to_string());
    let mut rows: Vec<Vec<Vec<Cell>>> = line
        .by
        .iter()
        .map(|by| {
            let at = signed.get(&by.commit).copied();
            let status = parts::status_mark(line.status);
            vec![
                Cell::words(title.as_str()),
                Cell::person(by.principal.as_ref()),
                Cell::maybe_time(at),
                environment(),
                status,
                Vec::new(),
            ]
        })
        .collect();
    if line.status != Status::Met {
        let who = line.next.iter().flat_map(|next| &next.who);
        let waiting = format!("awaited: {}", list(who));
        let found = if line.by.is_empty() && line.status == Status::Missing {
            String::new()
        } else {
            line.found.clone()
        };
        rows.push(vec![
            Cell::words(title),
            Cell::words(waiting),
            Cell::words("—"),
            environment(),
            parts::status_mark(line.status),
            Cell::words(found),
        ]);
    }
    rows
}

/// Blocking criteria: each bound, what was found, and what else blocks.
fn criteria_part(dossier: &Dossier) -> Part {
    let mut rows: BTreeMap<(&RequirementId, Status, &str, String), Vec<&Name>> = BTreeMap::new();
    for verdict in &dossier.verdicts {
        for line in &verdict.requirements {
            let found = parts::without_age(&line.found);
            let is_criterion = matches!(line.id, RequirementId::Criterion(_));
            if is_criterion || line.status == Status::Failed {
                let key = (&line.id, line.status, line.expected.as_str(), found);
                rows.entry(key).or_default().push(&verdict.environment);
            }
        }
    }
    let rows = rows.into_iter().map(|((id, status, expected, found), places)| {
        vec![
            Cell::words(id.to_string()),
            parts::status_mark(status),
            Cell::words(expected),
            Cell::words(found),
            Cell::words(list(places)),
        ]
    });
    Part::table(
        "Blocking criteria",
        Table {
            caption: "Bounds that a result must keep, and whatever else blocks".to_owned(),
            columns: vec!["Criterion", "Status", "Must be", "Found", "Environment"],
            rows: rows.collect(),
            empty: "The policy sets no bound for this change, and nothing blocks it.",
        },
    )
}

/// The log entries.
fn log_part(dossier: &Dossier) -> Part {
    Part::table(
        "Log entries",
        parts::records("Deployments of this version, each judged again".to_owned(), &dossier.records),
    )
}

fn risks_part(dossier: &Dossier) -> Part {
    let mut points: Vec<Vec<Cell>> = Vec::new();
    if let Some(fact) = &dossier.exception {
        let shown = dossier.verdicts.iter().flat_map(|verdict| &verdict.exceptions);
        let in_force = shown.clone().any(|exception| exception.in_force);
        let (word, tone) =
            if in_force { ("in force", Tone::Accepted) } else { ("not in force", Tone::Plain) };
        let mut cells = Cell::link("Exception", parts::exception_path(&dossier.gate));
        cells.push(Cell::Words(" ".to_owned()));
        cells.extend(Cell::mark(word, tone));
        if let Some(exception) = shown.last() {
            cells.push(Cell::Words(format!(": waives {}; {}", list(&exception.waives), exception.reason)));
        } else if let Err(reason) = &fact.exception {
            cells.push(Cell::Words(format!(": {reason}")));
        }
        points.push(cells);
    }
    for incident in &dossier.incidents {
        let (word, tone) = if incident.open { ("open", Tone::Bad) } else { ("resolved", Tone::Good) };
        let mut cells = Cell::link(format!("Incident {}", incident.id), parts::incident_path(&incident.id));
        cells.push(Cell::Words(" ".to_owned()));
        cells.extend(Cell::mark(word, tone));
        cells.push(Cell::Words(format!(": {}", incident.incident.summary)));
        points.push(cells);
    }
    let block = if points.is_empty() {
        Block::Words(Cell::words("There is no exception for this version and no incident on it."))
    } else {
        Block::Points(points)
    };
    Part::new("Exceptions and incidents", vec![block])
}

/// The checklists, once where environments ask for the same and found the same.
fn checklists(dossier: &Dossier) -> Vec<Part> {
    let mut different: Vec<(&Verdict, Vec<&Name>)> = Vec::new();
    for verdict in &dossier.verdicts {
        let same = |(known, _): &&mut (&Verdict, Vec<&Name>)| {
            known.outcome == verdict.outcome && known.requirements == verdict.requirements
        };
        match different.iter_mut().find(same) {
            Some((_, places)) => places.push(&verdict.environment),
            None => different.push((verdict, vec![&verdict.environment])),
        }
    }
    different.into_iter().map(|(verdict, places)| checklist_part(verdict, &places)).collect()
}

fn checklist_part(verdict: &Verdict, places: &[&Name]) -> Part {
    let caption = format!("Every requirement for {}, and what was found", list(places));
    Part::new(
        format!("Checklist for {}", list(places)),
        vec![
            Block::Words(vec![Cell::Mark(parts::outcome_word(verdict.outcome))]),
            Block::Table(parts::checklist(caption, &verdict.requirements)),
        ],
    )
}

/// Every decision once: as it counts, where it counts in one environment and not in another.
fn decisions(dossier: &Dossier) -> Vec<DecisionShown> {
    let mut all: Vec<DecisionShown> = Vec::new();
    for shown in dossier.verdicts.iter().flat_map(|verdict| &verdict.decisions) {
        match all.iter_mut().find(|known| known.fact.commit == shown.fact.commit) {
            None => all.push(shown.clone()),
            Some(known) if known.code.is_some() && shown.code.is_none() => *known = shown.clone(),
            Some(_) => {}
        }
    }
    all
}

fn notices_part(dossier: &Dossier) -> Option<Part> {
    let notices: BTreeSet<_> = dossier.verdicts.iter().flat_map(|verdict| &verdict.notices).collect();
    let points: Vec<Vec<Cell>> = notices
        .into_iter()
        .map(|notice| {
            let entry = judgement::notice(notice);
            vec![Cell::Exact(entry.name), Cell::Words(format!(" {}", entry.text))]
        })
        .collect();
    (!points.is_empty()).then(|| Part::new("Notices", vec![Block::Points(points)]))
}
