//! What a session says to a report: one gate after the other, by one judge, with little kept of each.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::insight::backtest::Past;
use crate::insight::{Audit, Dossier, Judge, PolicyMoment, Refinement, Running, Scope, Seen};
use crate::model::{GateName, Name};

use super::super::{Context, Failure};
use super::Session;

/// A session that is asked about everything, one thing after the other.
#[derive(Debug)]
pub(crate) struct Reading<'s> {
    session: &'s Session,
    judge: Judge<'s>,
    system: RefCell<Option<Name>>,
}

impl Session {
    /// The gates that a record of a log names.
    pub(crate) fn logged_gates(&self) -> Result<BTreeSet<GateName>, Failure> {
        Ok(self.judging().logged_gates()?.into_iter().map(|(gate, _environment)| gate).collect())
    }

    /// Every logged deployment, judged again, with what runs on an exception that has ended; `seen` is shown each of which nothing
    /// more will be found.
    pub(crate) fn audit_all(&self, context: &Context, seen: Seen<'_, Failure>) -> Result<Audit, Failure> {
        let mut audit = self.audit_each(context, &Scope::default(), seen)?;
        audit.find_ended_exceptions();
        Ok(audit)
    }

    /// How the policy in force lines up with incidents, over the gates of one system.
    pub(crate) fn refinement(&self, past: &Past, gates: &[GateName]) -> Result<Refinement, Failure> {
        let judge = self.judging();
        judge.forget_gates();
        let mut found = Refinement::of(self.policy());
        for gate in gates {
            found.add(past, &judge, gate)?;
        }
        Ok(found)
    }

    /// Begins to read everything.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { session: self, judge: self.judging(), system: RefCell::default() }
    }
}

impl Reading<'_> {
    /// What a report says of one gate. Who asks about many asks by system.
    pub(crate) fn dossier(&self, gate: &GateName) -> Result<Dossier, Failure> {
        self.begin(&gate.system);
        let environments = self.session.environments(gate)?;
        Ok(self.judge.dossier(gate, &environments, self.session.view)?)
    }

    /// What was decided, and the gates that were.
    pub(crate) fn past(&self) -> Result<(Past, BTreeSet<GateName>), Failure> {
        let past = Past::read(&self.judge, None, None)?;
        let gates = past.gates(&self.judge)?;
        Ok((past, gates))
    }

    /// Every policy that has been in force, the first one first.
    pub(crate) fn policy_moments(&self) -> Vec<PolicyMoment> {
        self.judge.policy_moments(self.session.view)
    }

    /// The environments of the policy in force, and those that have a log.
    pub(crate) fn environments(&self) -> Result<BTreeSet<Name>, Failure> {
        self.session.these_or_all_environments(&[])
    }

    /// What of a system runs in an environment.
    pub(crate) fn running(&self, environment: &Name, system: &Name) -> Result<Vec<Running>, Failure> {
        self.begin(system);
        Ok(self.judge.running(environment, Some(system), self.session.view)?.into_values().collect())
    }

    /// Replays of one system's records share what they rest on; another system's rest on other gates.
    fn begin(&self, system: &Name) {
        let before = self.system.replace(Some(system.clone()));
        if before.is_some_and(|before| before != *system) {
            self.judge.forget_gates();
        }
    }
}
