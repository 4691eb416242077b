//! What history tells of a gate → its timeline. Pure.
//!
//! One clock: what a person did is dated by the earlier of their commit's own date and the time at which it was recorded,
//! as ages are (rules, R9.6); what the gate came to is dated by the recorded time of the step at which the evaluator said so.
//! Which of two came first is a matter of recorded order, never of dates.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::ledger::ContentChange;
use crate::model::{Code, GateName, Name, ObjectId, Principal, Time};
use crate::verdict::{Basis, DecisionShown, IncidentFact, Outcome, Replay, RequirementId, Status, Verdict};

use super::super::LoggedRecord;
use super::{AskedFor, Cycle, Deployment, Effect, End, Fate, Hit, Ruling, Timeline};

/// All that is told of one gate.
#[derive(Debug, Clone)]
pub struct Told {
    /// The gate.
    pub gate: GateName,
    /// The commits that changed its files, in recorded order.
    pub changes: Vec<ContentChange>,
    /// The places of its decisions in recorded order.
    pub order: BTreeMap<ObjectId, u32>,
    /// Its authors.
    pub authors: BTreeSet<Principal>,
    /// Whether it was removed from the mainline.
    pub removed: bool,
    /// One for each environment.
    pub places: Vec<Place>,
}

/// What is told of it in one environment.
#[derive(Debug, Clone)]
pub struct Place {
    /// The environment.
    pub environment: Name,
    /// The first verdict that allowed it, not as a rollback.
    pub approved: Option<Judged>,
    /// A verdict that knows every decision: the same, a later one, or that of now.
    pub last: Judged,
    /// Its records.
    pub records: Vec<LoggedRecord>,
    /// Incidents on it, each with when it was opened.
    pub incidents: Vec<(IncidentFact, Time)>,
}

/// A verdict, and when.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The recorded time of the step; of now: the time of judging.
    pub at: Time,
    /// The place of the step in recorded order.
    pub order: u32,
    /// Whether it is that of now rather than of a step.
    pub of_now: bool,
    /// What the evaluator said.
    pub verdict: Verdict,
}

/// The timeline; nothing of a gate whose files never stood.
pub fn fold(told: &Told) -> Option<Timeline> {
    let first = told.changes.first()?;
    let rulings = rulings(told);
    let asked = told.places.iter().find_map(|place| {
        let judged = place.approved.as_ref().unwrap_or(&place.last);
        let change = judged.verdict.change.as_ref()?;
        Some(AskedFor { kinds: change.kinds.clone(), risk: change.risk.clone() })
    });
    Some(Timeline {
        gate: told.gate.clone(),
        asked,
        opened: first.at,
        changes: told.changes.iter().map(|change| change.at).collect(),
        cycles: told.places.iter().map(|place| cycle(told, place, &rulings)).collect(),
        rulings: rulings.into_values().map(|(_, ruling)| ruling).collect(),
    })
}

/// Every decision by its place in recorded order, with its commit.
type Rulings = BTreeMap<(u32, ObjectId), (u32, Ruling)>;

fn rulings(told: &Told) -> Rulings {
    let mut rulings = Rulings::new();
    for place in &told.places {
        // What it came to when the gate was decided is what it came to; what is later is read off the last verdict.
        let mut seen = BTreeSet::new();
        for judged in place.approved.iter().chain([&place.last]) {
            for shown in &judged.verdict.decisions {
                let commit = shown.fact.commit;
                if !seen.insert(commit) {
                    continue;
                }
                let order = told.order.get(&commit).copied().unwrap_or(u32::MAX);
                let effect = effect(shown);
                let entry = rulings.entry((order, commit));
                let (_, ruling) = entry.or_insert_with(|| (order, ruling(told, shown, order, effect)));
                ruling.effect = ruling.effect.min(effect);
            }
        }
    }
    rulings
}

fn ruling(told: &Told, shown: &DecisionShown, order: u32, effect: Effect) -> Ruling {
    let fact = &shown.fact;
    let before = told.changes.iter().rev().find(|change| change.order < order);
    Ruling {
        commit: fact.commit,
        verb: fact.verb,
        principal: fact.principal.clone(),
        role: fact.role.clone(),
        environments: fact.environments.clone(),
        reason: fact.reason.clone(),
        at: fact.since,
        after_change: before.map(|change| fact.since.seconds_since(change.at)),
        effect,
    }
}

/// What became of a decision, by what its verdict says of it.
fn effect(shown: &DecisionShown) -> Effect {
    let restricts = matches!(shown.fact.verb, Some(Verb::Reject | Verb::Close | Verb::Withdraw));
    match shown.code {
        None => Effect::Counted,
        // A rejection of other content blocked that content: it counted.
        Some(Code::StaleContent) if restricts => Effect::Counted,
        Some(code @ (Code::StaleContent | Code::Expired | Code::BeforeIncident)) => Effect::Stale(code),
        Some(Code::Superseded) => Effect::TakenBack,
        Some(code) => Effect::Void(code),
    }
}

fn cycle(told: &Told, place: &Place, rulings: &Rulings) -> Cycle {
    let end = end(told, place);
    let mine: Vec<(u32, &Ruling)> = rulings
        .values()
        .map(|(order, ruling)| (*order, ruling))
        .filter(|(_, ruling)| covers(ruling, &place.environment))
        .collect();
    let (decided, until) = decision(told, place, end, &mine);
    let last_before = |order: u32| told.changes.iter().rev().find(|change| change.order < order);
    let first_decision = mine
        .iter()
        .find(|(_, ruling)| {
            matches!(ruling.verb, Some(Verb::Approve | Verb::Reject)) && ruling.effect.was_good()
        })
        .map(|(order, _)| *order);
    let complete = match (until, lacks_evidence(&place.last.verdict)) {
        (Some(order), _) => last_before(order).map(|change| change.at),
        (None, true) => None,
        (None, false) => told.changes.last().map(|change| change.at),
    };
    let first_ready = match first_decision.filter(|order| until.is_none_or(|until| *order < until)) {
        Some(order) => last_before(order).map(|change| change.at),
        None => complete,
    };
    let allowed = place.approved.as_ref();
    Cycle {
        environment: place.environment.clone(),
        end,
        first_ready,
        complete,
        roles: roles(allowed.unwrap_or(&place.last), rulings),
        decided,
        basis: allowed.and_then(|judged| basis(&judged.verdict)),
        waived: allowed.map(|judged| with_status(&judged.verdict, Status::Waived)).unwrap_or_default(),
        open: if allowed.is_some() { Vec::new() } else { open(&place.last.verdict) },
        overturned: allowed.is_some() && is_stopped(&place.last.verdict),
        deployments: place.records.iter().map(deployment).collect(),
        incidents: hits(place),
    }
}

fn covers(ruling: &Ruling, environment: &Name) -> bool {
    ruling.environments.is_empty() || ruling.environments.contains(environment)
}

fn end(told: &Told, place: &Place) -> End {
    if place.approved.is_some() {
        return End::Approved;
    }
    if told.removed {
        return End::Withdrawn;
    }
    let verdict = &place.last.verdict;
    let failed = with_status(verdict, Status::Failed);
    if failed.contains(&RequirementId::GateOpen) {
        let closers = counting(verdict, Verb::Close).filter_map(|shown| shown.fact.principal.as_ref());
        let by_author = closers.into_iter().any(|closer| told.authors.contains(closer));
        return if by_author { End::Withdrawn } else { End::Closed };
    }
    if failed.iter().any(|id| matches!(id, RequirementId::Rejection(_))) {
        return End::Rejected;
    }
    match verdict.outcome {
        Outcome::Blocked => End::Blocked,
        Outcome::Pending | Outcome::Allowed(_) => End::Pending,
    }
}

/// When a cycle was decided, and the place in recorded order up to which its files count as decided on.
fn decision(told: &Told, place: &Place, end: End, mine: &[(u32, &Ruling)]) -> (Option<Time>, Option<u32>) {
    if let Some(judged) = &place.approved {
        return (Some(judged.at).filter(|_| !judged.of_now), Some(judged.order.saturating_add(1)));
    }
    let stands = |verb: Verb| {
        let standing: BTreeSet<ObjectId> =
            counting(&place.last.verdict, verb).map(|shown| shown.fact.commit).collect();
        let first = mine.iter().find(|(_, ruling)| standing.contains(&ruling.commit));
        (first.map(|(_, ruling)| ruling.at), first.map(|(order, _)| *order))
    };
    match end {
        End::Rejected => stands(Verb::Reject),
        End::Closed => stands(Verb::Close),
        End::Withdrawn if !told.removed => stands(Verb::Close),
        End::Withdrawn => {
            let removal = told.changes.last();
            (removal.map(|change| change.at), removal.map(|change| change.order))
        }
        End::Approved | End::Blocked | End::Pending => (None, None),
    }
}

fn counting(verdict: &Verdict, verb: Verb) -> impl Iterator<Item = &DecisionShown> {
    verdict.decisions.iter().filter(move |shown| shown.code.is_none() && shown.fact.verb == Some(verb))
}

/// When each role that the checklist asks for had given its last approval: that of the k-th that counts, where k places are
/// filled.
fn roles(judged: &Judged, rulings: &Rulings) -> BTreeMap<Name, Time> {
    let by_commit: BTreeMap<ObjectId, Time> =
        rulings.values().map(|(_, ruling)| (ruling.commit, ruling.at)).collect();
    let mut found = BTreeMap::new();
    for line in &judged.verdict.requirements {
        let (RequirementId::Approval(role), Status::Met) = (&line.id, line.status) else { continue };
        let mut times: BTreeMap<&Principal, Time> = BTreeMap::new();
        for shown in counting(&judged.verdict, Verb::Approve).filter(|shown| shown.counts()) {
            let time = by_commit.get(&shown.fact.commit);
            if let (Some(principal), Some(time), true) =
                (&shown.fact.principal, time, shown.fact.role.as_ref() == Some(role))
            {
                let known = times.entry(principal).or_insert(*time);
                *known = (*known).min(*time);
            }
        }
        let mut times: Vec<Time> = times.into_values().collect();
        times.sort_unstable();
        if let Some(time) = line.by.len().checked_sub(1).and_then(|last| times.get(last)) {
            found.insert(role.clone(), *time);
        }
    }
    found
}

fn basis(verdict: &Verdict) -> Option<Basis> {
    match verdict.outcome {
        Outcome::Allowed(basis) => Some(basis),
        Outcome::Pending | Outcome::Blocked => None,
    }
}

fn with_status(verdict: &Verdict, status: Status) -> BTreeSet<RequirementId> {
    let lines = verdict.requirements.iter().filter(|line| line.status == status);
    lines.map(|line| line.id.clone()).collect()
}

fn is_stopped(verdict: &Verdict) -> bool {
    let failed = with_status(verdict, Status::Failed);
    failed.iter().any(|id| matches!(id, RequirementId::GateOpen | RequirementId::Rejection(_)))
}

fn open(verdict: &Verdict) -> Vec<(RequirementId, Status)> {
    let open = verdict.requirements.iter().filter(|line| match line.status {
        Status::Missing | Status::Stale | Status::Failed => true,
        Status::Met | Status::Waived => false,
    });
    open.map(|line| (line.id.clone(), line.status)).collect()
}

/// Whether something is open that only other files would mend.
fn lacks_evidence(verdict: &Verdict) -> bool {
    open(verdict).iter().any(|(id, _)| match id {
        RequirementId::IntegrityContent
        | RequirementId::IntegrityAuthors
        | RequirementId::Environment(_)
        | RequirementId::Evidence(_)
        | RequirementId::Criterion(_)
        | RequirementId::Artifact(_) => true,
        RequirementId::GateRecorded
        | RequirementId::GateOpen
        | RequirementId::IntegrityBreakGlass
        | RequirementId::RulesNone
        | RequirementId::Approval(_)
        | RequirementId::Requires(_)
        | RequirementId::Rejection(_)
        | RequirementId::Incident(_)
        | RequirementId::Freeze(_) => false,
    })
}

fn deployment(logged: &LoggedRecord) -> Deployment {
    let record = &logged.record;
    let basis = match &record.replay {
        Replay::Allowed { basis, .. } => Some(*basis),
        Replay::NotAllowed(_) | Replay::NotReplayable(_) => None,
    };
    Deployment {
        record: record.commit,
        at: record.time,
        principal: record.principal.clone(),
        fate: match record.defect {
            Some(_) => Fate::Void,
            None if record.failed => Fate::Failed,
            None => Fate::Ran,
        },
        basis,
        break_glass: logged.break_glass,
        debt: logged.debt.is_some(),
    }
}

fn hits(place: &Place) -> Vec<Hit> {
    let records = place.records.iter().map(deployment).filter(|record| record.fate == Fate::Ran);
    let ran: Vec<(ObjectId, Time)> = records.map(|record| (record.record, record.at)).collect();
    place.incidents.iter().map(|(fact, opened)| hit(&ran, fact, *opened)).collect()
}

/// An incident, and the record that ran when it began: the last that is not dated later. What its file says of when it began
/// is a claim: where nothing ran then, what ran when it was opened.
///
/// `ran`: the records of that version there that ran, oldest first.
pub fn hit(ran: &[(ObjectId, Time)], fact: &IncidentFact, opened: Time) -> Hit {
    let began = fact.incident.detected.min(opened);
    let ran_at = |moment: Time| ran.iter().rev().find(|(_, at)| *at <= moment);
    Hit {
        id: fact.id.clone(),
        severity: fact.incident.severity.clone(),
        began,
        ended: fact.incident.resolved.filter(|_| !fact.open).map(|ended| ended.max(began)),
        open: fact.open,
        record: ran_at(began).or_else(|| ran_at(opened)).map(|(record, _)| *record),
    }
}
