//! What a session measures: timelines of gates, and what cannot be measured.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::measured::{Measured, Measures, Share};
use crate::insight::timeline::Ground;
use crate::insight::{IncidentLine, Judge};
use crate::model::{GateName, Name};

use super::super::Failure;
use super::super::measure::OfGate;
use super::Session;

impl Session {
    /// All gates that stand on the mainline, or ever stood there.
    pub(crate) fn gates_ever(&self) -> Result<BTreeSet<GateName>, Failure> {
        Ok(self.ledger.gates_ever(self.view)?)
    }

    /// The systems to be measured, or those of `only` where it names some.
    pub(crate) fn measures(&self, only: &[Name]) -> Result<Measures, Failure> {
        let judge = self.judging();
        let measures = judge.measures(only)?;
        // What was worked out of logs is kept for who asks next; what cannot be kept is worked out again.
        let _kept = judge.keep_found();
        Ok(measures)
    }

    /// What is measured of one system.
    pub(crate) fn measure(&self, share: &Share) -> Result<Measured, Failure> {
        Ok(self.judging().measure(share)?)
    }

    /// Keeps what was measured.
    pub(crate) fn keep_measures(&self, measures: Measures) {
        self.judging().keep_measures(measures);
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
pub(super) fn measured(judge: &Judge<'_>, gate: &GateName, ground: &Ground) -> OfGate {
    let measured = judge.timeline(gate, ground).unwrap_or_else(|undecided| Err(undecided.code));
    (gate.clone(), measured)
}
