//! What a session measures: timelines of gates, and what cannot be measured.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::IncidentLine;
use crate::insight::timeline::Ground;
use crate::model::{GateName, Name};

use super::super::Failure;
use super::super::measure::Measured;
use super::Session;

impl Session {
    /// All gates that stand on the mainline, or ever stood there.
    pub(crate) fn gates_ever(&self) -> Result<BTreeSet<GateName>, Failure> {
        Ok(self.ledger.gates_ever(self.view)?)
    }

    /// The timelines of gates, those of one system together. What could not be judged says why.
    pub(crate) fn timelines(&self, gates: &[GateName]) -> Result<Vec<Measured>, Failure> {
        let judge = self.judging();
        let mut ground: Option<(&Name, Ground)> = None;
        let mut found = Vec::with_capacity(gates.len());
        for gate in gates {
            if ground.as_ref().is_none_or(|(system, _)| **system != gate.system) {
                // What the records of one system rest on is of no use to another.
                judge.forget_gates();
                ground = Some((&gate.system, judge.ground(&gate.system)?));
            }
            let Some((_, ground)) = &ground else { continue };
            let measured = match judge.timeline(gate, ground) {
                Ok(measured) => measured,
                Err(undecided) => Err(undecided.code),
            };
            found.push((gate.clone(), measured));
        }
        Ok(found)
    }

    /// Every incident, with what it hit.
    pub(crate) fn incidents(&self) -> Result<Vec<IncidentLine>, Failure> {
        Ok(self.judging().incidents(self.view)?)
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
