//! Incidents, each with the deployment that it hit.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::ledger::{Asked, Record, Undecided, View, mark};
use crate::model::{GateName, Name};
use crate::verdict::IncidentFact;

use super::judge::Judge;
use super::timeline::{Hit, hit};

/// An incident and what it hit.
#[derive(Debug, Clone)]
pub struct IncidentLine {
    /// What it says, and how it stands.
    pub fact: IncidentFact,
    /// What it hit.
    pub hit: Hit,
    /// That record.
    pub record: Option<Record>,
}

impl IncidentLine {
    /// The latest first.
    pub fn sort(lines: &mut [Self]) {
        lines.sort_by(|one, other| (other.hit.began, &one.hit.id).cmp(&(one.hit.began, &other.hit.id)));
    }
}

impl Judge<'_> {
    /// Every incident, open or not, the latest first; with `system`, those on that one.
    pub fn incidents(&self, system: Option<&Name>, view: View) -> Result<Vec<IncidentLine>, Undecided> {
        let mut facts = self.ledger().all_incidents(view)?;
        facts.retain(|fact| system.is_none_or(|system| fact.incident.gate.system == *system));
        let environments: BTreeSet<&Name> = facts.iter().map(|fact| &fact.incident.environment).collect();
        let mut records: BTreeMap<(&Name, GateName), Vec<Record>> = BTreeMap::new();
        for environment in environments {
            let (tip, log) = self.log_of(environment)?;
            let accepted = mark::accepted_log(self.repository, environment)?;
            let asked =
                Asked { environment, system, last: tip, whole: view == self.ledger().now(), accepted };
            for record in self.ledger().records(&log, asked, view)? {
                if record.defect.is_none() && !record.failed {
                    let key = (environment, record.gate.clone());
                    records.entry(key).or_default().push(Rc::unwrap_or_clone(record));
                }
            }
        }
        let line = |fact: &IncidentFact| {
            let key = (&fact.incident.environment, fact.incident.gate.clone());
            let ran = records.get(&key).map(Vec::as_slice).unwrap_or_default();
            let opened = self.ledger().earliest(fact.opened, view).unwrap_or(fact.incident.detected);
            let times: Vec<_> = ran.iter().map(|record| (record.commit, record.time)).collect();
            let hit = hit(&times, fact, opened);
            let record = ran.iter().find(|record| Some(record.commit) == hit.record).cloned();
            IncidentLine { fact: fact.clone(), hit, record }
        };
        let mut lines: Vec<IncidentLine> = facts.iter().map(line).collect();
        IncidentLine::sort(&mut lines);
        Ok(lines)
    }

    /// The gates that a record of a log names, and where.
    pub fn logged_gates(&self) -> Result<BTreeSet<(GateName, Name)>, Undecided> {
        let mut found = BTreeSet::new();
        for environment in self.logged_environments()? {
            let (_, log) = self.log_of(&environment)?;
            for gate in log.gates() {
                found.insert((gate.clone(), environment.clone()));
            }
        }
        Ok(found)
    }
}
