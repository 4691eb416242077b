//! What is the same of a gate in every environment: asked of the ledger once, where a gate is judged in several.
//!
//! The last gate is remembered: who asks about thousands asks about each in all its environments, then goes on. Who asks about
//! many moments ([`Judge::forget_gates`]) has all gates of a system remembered, by what moments are alike.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::ledger::{Alike, Undecided, View};
use crate::model::{ContentDigest, GateName, IncidentId, ObjectId};
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

/// A gate, by what its views are alike, under which policy, with which incidents.
pub(super) type AlikeKey = (GateName, Alike, ContentDigest, BTreeMap<IncidentId, ObjectId>);

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
        let alike = if self.many_moments.get() { self.ledger.alike(gate, view)? } else { None };
        let key = alike.map(|alike| (gate.clone(), alike, policy.digest, opened.clone()));
        let known = key.as_ref().and_then(|key| self.alike.borrow().get(key).cloned());
        let found = match &known {
            Some(known) => {
                debug_assert!(
                    self.sees(known, gate, view, opened, policy),
                    "views that are alike see the same"
                );
                Rc::clone(known)
            }
            None => Rc::new(self.look_at(gate, view, opened, policy)?),
        };
        if let (None, Some(key)) = (known, key) {
            self.alike.borrow_mut().insert(key, Rc::clone(&found));
        }
        *self.last_gate.borrow_mut() = Some(Rc::clone(&found));
        Ok(found)
    }

    /// Whether what was seen of a gate is what is seen now; what an index says that is damaged is thrown away.
    fn sees(
        &self,
        known: &OfGate,
        gate: &GateName,
        view: View,
        opened: &BTreeMap<IncidentId, ObjectId>,
        policy: &PolicyInForce,
    ) -> bool {
        let facts = |of: &OfGate| format!("{:?} {:?} {:?}", of.standing, of.decisions, of.exception);
        let anew = self.look_at(gate, view, opened, policy);
        self.ledger.has_lost_its_index() || anew.is_ok_and(|anew| facts(&anew) == facts(known))
    }

    fn look_at(
        &self,
        gate: &GateName,
        view: View,
        opened: &BTreeMap<IncidentId, ObjectId>,
        policy: &PolicyInForce,
    ) -> Result<OfGate, Undecided> {
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
        Ok(OfGate {
            gate: gate.clone(),
            view,
            opened: opened.clone(),
            standing,
            decisions: self.ledger.decisions(gate, view, opened, &authors)?,
            exception: self.ledger.exception(gate, view)?,
        })
    }
}
