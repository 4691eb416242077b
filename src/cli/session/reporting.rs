//! What a session says to a report: one gate after the other, by one judge, with little kept of each.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::insight::{Dossier, Judge, LoggedRecord, PolicyMoment, Running};
use crate::model::{GateName, Name};
use crate::verdict::Verdict;

use super::super::Failure;
use super::Session;

/// A session that is asked about everything, one thing after the other.
#[derive(Debug)]
pub(crate) struct Reading<'s> {
    session: &'s Session,
    judge: Judge<'s>,
    system: RefCell<Option<Name>>,
}

impl Session {
    /// Begins to read everything.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { session: self, judge: self.judging(), system: RefCell::default() }
    }
}

impl Reading<'_> {
    /// What a report says of one gate. Who asks about many asks by system.
    pub(crate) fn dossier(&self, gate: &GateName) -> Result<Dossier, Failure> {
        // Replays of one system's records share what they rest on; another system's rest on other gates.
        let before = self.system.replace(Some(gate.system.clone()));
        if before.is_some_and(|before| before != gate.system) {
            self.judge.forget_gates();
        }
        let environments = self.session.environments(gate)?;
        Ok(self.judge.dossier(gate, &environments, self.session.view)?)
    }

    /// The checklist of a deployment as it was when it was logged.
    pub(crate) fn checklist_then(&self, logged: &LoggedRecord) -> Result<Option<Verdict>, Failure> {
        Ok(self.judge.checklist_then(logged)?)
    }

    /// Every policy that has been in force, the first one first.
    pub(crate) fn policy_moments(&self) -> Vec<PolicyMoment> {
        self.judge.policy_moments(self.session.view)
    }

    /// The environments of the policy in force, and those that have a log.
    pub(crate) fn environments(&self) -> Result<BTreeSet<Name>, Failure> {
        self.session.these_or_all_environments(&[])
    }

    /// Every record of an environment, oldest first.
    pub(crate) fn log(&self, environment: &Name) -> Result<Vec<LoggedRecord>, Failure> {
        Ok(self.judge.log(environment, None, self.session.view)?)
    }

    /// What runs in an environment.
    pub(crate) fn running(&self, environment: &Name) -> Result<Vec<Running>, Failure> {
        Ok(self.judge.running(environment, None, self.session.view)?.into_values().collect())
    }
}
