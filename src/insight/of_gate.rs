//! What is the same of a gate in every environment: asked of the ledger once, where a gate is judged in several.
//!
//! Only the last gate is remembered: who asks about thousands asks about each in all its environments, then goes on.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::ledger::{Undecided, View};
use crate::model::{GateName, IncidentId, ObjectId};
use crate::verdict::{DecisionFact, ExceptionFact, PolicyInForce, Standing};

use super::Judge;

/// What the ledger says of a gate in a view, whatever the environment; decisions with the incidents that it has there.
#[derive(Debug)]
pub(super) struct OfGate {
    gate: GateName,
    view: View,
    opened: BTreeMap<IncidentId, ObjectId>,
    pub(super) standing: Standing,
    pub(super) decisions: Vec<DecisionFact>,
    pub(super) exception: Option<ExceptionFact>,
}

impl Judge<'_> {
    /// What is the same of a gate in every environment: remembered of the last, since most are asked about in several.
    pub(super) fn of_gate(
        &self,
        gate: &GateName,
        view: View,
        opened: &BTreeMap<IncidentId, ObjectId>,
        policy: &PolicyInForce,
    ) -> Result<Rc<OfGate>, Undecided> {
        if let Some(known) = self.last_gate.borrow().as_ref()
            && known.gate == *gate
            && known.view == view
            && known.opened == *opened
        {
            return Ok(Rc::clone(known));
        }
        let mut standing = self.ledger.standing(gate, view, None, &policy.policy)?;
        // What the mainline holds or held does not depend on where a branch stands.
        if let Standing::Absent = standing {
            let branch = self.snapshot.gate_branch(self.repository, gate)?;
            self.rests.borrow_mut().branches.insert(gate.clone(), branch.is_some());
            standing = branch.map_or(Standing::Absent, Standing::OnBranch);
        }
        let authors = match &standing {
            Standing::Recorded(content) => content.authors.clone(),
            Standing::OnBranch(_) | Standing::Absent | Standing::Removed(_) | Standing::BeforeRoot => {
                self.ledger.gate_authors(gate, view)?
            }
        };
        let found = Rc::new(OfGate {
            gate: gate.clone(),
            view,
            opened: opened.clone(),
            standing,
            decisions: self.ledger.decisions(gate, view, opened, &authors)?,
            exception: self.ledger.exception(gate, view)?,
        });
        *self.last_gate.borrow_mut() = Some(Rc::clone(&found));
        Ok(found)
    }
}
