//! Asks the ledger and the evaluator what a timeline is folded from; judges no more often than it must.
//!
//! A gate is judged at each step that recorded something of it, until one allows it. A verdict of now is only asked for of
//! what no step allowed. One system at a time: what the records of one system rest on is worked out once.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Undecided, View};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::verdict::{Basis, Facts, Given, IncidentFact, Outcome, Standing, Verdict};

use super::super::judge::Case;
use super::super::{Judge, LoggedRecord};
use super::{Judged, Place, Timeline, Told, fold};

/// What was logged and reported of one system.
#[derive(Debug, Default)]
pub struct Ground {
    records: BTreeMap<(GateName, Name), Vec<LoggedRecord>>,
    incidents: BTreeMap<(GateName, Name), Vec<(IncidentFact, Time)>>,
}

impl Ground {
    /// The gates that the log or an incident names, and where.
    pub fn named(&self) -> BTreeSet<&(GateName, Name)> {
        self.records.keys().chain(self.incidents.keys()).collect()
    }

    /// What the log or an incident names and no gate that ever stood is, and why it is not measured, by name.
    pub fn foreign(&self, stood: impl Fn(&GateName) -> bool) -> Vec<(String, &'static str)> {
        let mut found: BTreeMap<String, &'static str> = BTreeMap::new();
        for ((gate, _), incidents) in self.incidents.iter().filter(|((gate, _), _)| !stood(gate)) {
            found.extend(incidents.iter().map(|(fact, _)| (format!("{} on {gate}", fact.id), NEVER_HIT)));
        }
        for (gate, environment) in self.records.keys().filter(|(gate, _)| !stood(gate)) {
            found.insert(format!("{gate} in {environment}"), NEVER_LOGGED);
        }
        found.into_iter().collect()
    }

    fn environments(&self, gate: &GateName) -> impl Iterator<Item = &Name> {
        self.records.keys().filter(move |(of, _)| of == gate).map(|(_, environment)| environment)
    }
}

/// Why a gate is not measured: it was opened before the trust root.
pub(super) const BEFORE_ROOT: &str = "opened before the trust root";
/// Why a gate is not measured: no request of it reads, and it was never deployed.
pub(super) const NO_REQUEST: &str = "its request cannot be read";
/// Why a record is not measured, and why an incident is not: there never was a gate of that name.
const NEVER_LOGGED: &str = "logged, and never stood there";
const NEVER_HIT: &str = "incidents on what never stood there";

/// Why something is not measured, where that does not end with a mend of the repository.
pub(in super::super) const UNMEASURED: [&str; 4] = [BEFORE_ROOT, NO_REQUEST, NEVER_LOGGED, NEVER_HIT];

impl Judge<'_> {
    /// What was logged and reported of one system, up to now.
    pub fn ground(&self, system: &Name) -> Result<Ground, Undecided> {
        let now = self.ledger().now();
        let mut ground = Ground::default();
        for environment in self.logged_environments()? {
            for logged in self.log(&environment, Some(system), now)? {
                let key = (logged.record.gate.clone(), environment.clone());
                ground.records.entry(key).or_default().push(logged);
            }
        }
        for fact in self.ledger().all_incidents(now)? {
            if fact.incident.gate.system == *system {
                let opened = self.ledger().earliest(fact.opened, now).unwrap_or(fact.incident.detected);
                let key = (fact.incident.gate.clone(), fact.incident.environment.clone());
                ground.incidents.entry(key).or_default().push((fact, opened));
            }
        }
        Ok(ground)
    }

    /// The timeline of one gate; why it is left out, where it is.
    pub fn timeline(
        &self,
        gate: &GateName,
        ground: &Ground,
    ) -> Result<Result<Timeline, &'static str>, Undecided> {
        let now = self.ledger().now();
        let moments = self.ledger().moments(gate)?;
        let environments = self.asked_environments(gate, &moments, ground)?;
        if environments.is_empty() {
            return Ok(Err(NO_REQUEST));
        }
        let mut told = Told {
            gate: gate.clone(),
            changes: self.ledger().content_changes(gate, now)?,
            order: BTreeMap::new(),
            authors: BTreeSet::new(),
            removed: false,
            places: Vec::new(),
        };
        for environment in environments {
            let Some((place, standing)) = self.place(gate, &environment, &moments, ground)? else {
                return Ok(Err(BEFORE_ROOT));
            };
            match standing {
                Standing::Recorded(content) => told.authors.extend(content.authors),
                Standing::Removed(_) => told.removed = true,
                Standing::OnBranch(_) | Standing::Absent | Standing::BeforeRoot => {}
            }
            let order = |verdict: &Verdict| -> Vec<(ObjectId, u32)> {
                let commits = verdict.decisions.iter().map(|shown| shown.fact.commit);
                commits.filter_map(|commit| Some((commit, self.ledger().order_of(commit)?))).collect()
            };
            told.order.extend(order(&place.last.verdict));
            told.order.extend(place.approved.iter().flat_map(|judged| order(&judged.verdict)));
            told.places.push(place);
        }
        Ok(fold(&told).ok_or(NO_REQUEST))
    }

    /// The environments that its last readable request names, and those in which it was logged.
    fn asked_environments(
        &self,
        gate: &GateName,
        moments: &[View],
        ground: &Ground,
    ) -> Result<BTreeSet<Name>, Undecided> {
        let mut environments: BTreeSet<Name> = ground.environments(gate).cloned().collect();
        for view in [self.ledger().now()].into_iter().chain(moments.iter().rev().copied()) {
            if let Some(requested) = self.ledger().requested_environments(gate, view)? {
                environments.extend(requested);
                break;
            }
        }
        Ok(environments)
    }

    /// What is told of a gate in one environment; nothing: it was opened before the trust root.
    fn place(
        &self,
        gate: &GateName,
        environment: &Name,
        moments: &[View],
        ground: &Ground,
    ) -> Result<Option<(Place, Standing)>, Undecided> {
        let now = self.ledger().now();
        let mut approved = None;
        let mut last = None;
        for view in moments {
            let log = self.log_then(environment, *view)?;
            let (judged, facts) = self.judged(gate, environment, *view, log)?;
            if is_approved(&judged.verdict) {
                approved = Some(judged);
                last = Some((facts.standing, *view));
                break;
            }
        }
        let (last, standing) = match (&approved, last, moments.last()) {
            // Nothing of it was recorded since.
            (Some(judged), Some((standing, view)), Some(end)) if view == *end => (judged.clone(), standing),
            (_, _, _) => {
                let (judged, facts) = self.judged(gate, environment, now, self.log_tip(environment)?)?;
                (Judged { of_now: true, ..judged }, facts.standing)
            }
        };
        if matches!(standing, Standing::BeforeRoot) {
            return Ok(None);
        }
        // A clock may allow it, or a policy change: a freeze that ended, a bound that was raised.
        if approved.is_none() && is_approved(&last.verdict) {
            approved = Some(last.clone());
        }
        let key = (gate.clone(), environment.clone());
        let place = Place {
            environment: environment.clone(),
            approved,
            last,
            records: ground.records.get(&key).cloned().unwrap_or_default(),
            incidents: ground.incidents.get(&key).cloned().unwrap_or_default(),
        };
        Ok(Some((place, standing)))
    }

    fn judged(
        &self,
        gate: &GateName,
        environment: &Name,
        view: View,
        log: Option<ObjectId>,
    ) -> Result<(Judged, Facts), Undecided> {
        let whole = view == self.ledger().now();
        let facts = self.facts(&Case { gate, environment, given: Given::NotAsked, view, log, whole })?;
        let order = self.ledger().order_of(self.ledger().mainline(view)).unwrap_or(u32::MAX);
        let verdict = self.evaluated(&facts);
        Ok((Judged { at: view.time, order, of_now: false, verdict }, facts))
    }
}

/// Whether a verdict allows it for what it is, and not because it ran before.
fn is_approved(verdict: &Verdict) -> bool {
    match verdict.outcome {
        Outcome::Allowed(Basis::Requirements | Basis::Exception) => true,
        Outcome::Allowed(Basis::Rollback) | Outcome::Pending | Outcome::Blocked => false,
    }
}
