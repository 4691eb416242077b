//! What a session says to a report: one gate after the other, by one judge, with little kept of each.

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
}

impl Session {
    /// The gates that a record of a log names.
    pub(crate) fn logged_gates(&self) -> Result<BTreeSet<GateName>, Failure> {
        Ok(self.judging().logged_gates()?.into_iter().map(|(gate, _environment)| gate).collect())
    }

    /// Begins to read everything.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { session: self, judge: self.judging() }
    }
}

impl Reading<'_> {
    /// What a report says of one gate. Who asks about many asks by system.
    pub(crate) fn dossier(&self, gate: &GateName) -> Result<Dossier, Failure> {
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

    /// Begins with another system: what was worked out of the one before is of no use to it.
    pub(crate) fn begin(&self) {
        self.judge.forget_gates();
    }

    /// The records of a system in an environment, oldest first.
    pub(crate) fn log(&self, environment: &Name, system: &Name) -> Result<Vec<LoggedRecord>, Failure> {
        Ok(self.judge.log(environment, Some(system), self.session.view)?)
    }

    /// What of a system runs in an environment.
    pub(crate) fn running(&self, environment: &Name, system: &Name) -> Result<Vec<Running>, Failure> {
        Ok(self.judge.running(environment, Some(system), self.session.view)?.into_values().collect())
    }

    /// Puts records of several systems in the order of the log.
    pub(crate) fn sort_log(&self, environment: &Name, records: &mut [LoggedRecord]) -> Result<(), Failure> {
        Ok(self.judge.sort_log(environment, records)?)
    }
}
