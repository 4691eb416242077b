//! What a session measures: timelines of gates, and what cannot be measured.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::timeline::Ground;
use crate::insight::{IncidentLine, Judge};
use crate::model::{GateName, Name};

use super::super::Failure;
use super::super::measure::Measured;
use super::Session;

impl Session {
    /// All gates that stand on the mainline, or ever stood there.
    pub(crate) fn gates_ever(&self) -> Result<BTreeSet<GateName>, Failure> {
        Ok(self.ledger.gates_ever(self.view)?)
    }

    /// The timelines of gates of one system. What could not be judged says why.
    pub(crate) fn timelines(&self, gates: &[GateName]) -> Result<Vec<Measured>, Failure> {
        let judge = self.judging();
        // What the records of one system rest on is of no use to another.
        judge.forget_gates();
        let Some(first) = gates.first() else { return Ok(Vec::new()) };
        let ground = judge.ground(&first.system)?;
        Ok(gates.iter().map(|gate| measured(&judge, gate, &ground)).collect())
    }

    /// Every incident, with what it hit.
    pub(crate) fn incidents(&self) -> Result<Vec<IncidentLine>, Failure> {
        Ok(self.judging().incidents(None, self.view)?)
    }

    /// What the log or an incident names and no gate that is measured is, by name, with why.
    pub(crate) fn unmeasured(&self, only: &[Name]) -> Result<BTreeMap<String, &'static str>, Failure> {
        let gates = self.gates_ever()?;
        let mut found = BTreeMap::new();
        let foreign =
            |gate: &GateName| !gates.contains(gate) && (only.is_empty() || only.contains(&gate.system));
        for fact in self.ledger.all_incidents(self.view)? {
            if foreign(&fact.incident.gate) {
                found.insert(
                    format!("{} on {}", fact.id, fact.incident.gate),
                    "incidents on what never stood there",
                );
            }
        }
        let judge = self.judging();
        for (gate, environment) in judge.logged_gates()? {
            if foreign(&gate) {
                found.insert(format!("{gate} in {environment}"), "logged, and never stood there");
            }
        }
        Ok(found)
    }
}

/// The timeline of one gate; what could not be judged says why.
pub(super) fn measured(judge: &Judge<'_>, gate: &GateName, ground: &Ground) -> Measured {
    let measured = judge.timeline(gate, ground).unwrap_or_else(|undecided| Err(undecided.code));
    (gate.clone(), measured)
}
