//! What a session says of deployment logs, for the commands that write and show them.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::{LoggedRecord, Running};
use crate::ledger::{Record, mark};
use crate::model::{Name, ObjectId, Time};

use super::super::Failure;
use super::Session;

impl Session {
    /// All records of an environment's log, or those of one system, oldest first, each judged again.
    pub(crate) fn log(
        &self,
        environment: &Name,
        system: Option<&Name>,
    ) -> Result<Vec<LoggedRecord>, Failure> {
        Ok(self.judging().log(environment, system, self.view)?)
    }

    /// What runs in an environment, by system.
    pub(crate) fn running(
        &self,
        environment: &Name,
        system: Option<&Name>,
    ) -> Result<BTreeMap<Name, Running>, Failure> {
        Ok(self.judging().running(environment, system, self.view)?)
    }

    /// The environments that were named; none named: those of the policy in force, and those that have a log.
    pub(crate) fn these_or_all_environments(&self, named: &[Name]) -> Result<BTreeSet<Name>, Failure> {
        if !named.is_empty() {
            return Ok(named.iter().cloned().collect());
        }
        let mut all = self.judging().logged_environments()?;
        all.extend(self.policy.environments.keys().cloned());
        Ok(all)
    }

    /// The latest date in an environment's log that lies in the future, of a record that a deployer signed.
    pub(crate) fn dated_ahead(&self, environment: &Name) -> Result<Option<Time>, Failure> {
        Ok(self.judging().dated_ahead(environment, self.view)?)
    }

    /// Where an environment's log ends.
    pub(crate) fn log_tip(&self, environment: &Name) -> Result<Option<ObjectId>, Failure> {
        Ok(self.judging().log_tip(environment)?)
    }

    /// The last record of an environment's log that counts, of that system or of any.
    pub(crate) fn last_record(
        &self,
        environment: &Name,
        system: Option<&Name>,
    ) -> Result<Option<Record>, Failure> {
        Ok(self.judging().last_records(environment, system, self.view, &|_| true)?.pop())
    }

    /// The last records of a system in an environment's log that count, as far back as all of them hold to `is_such`.
    pub(crate) fn last_records_such(
        &self,
        environment: &Name,
        system: &Name,
        is_such: &dyn Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, Failure> {
        let ends = |record: &Record| !is_such(record);
        let mut last = self.judging().last_records(environment, Some(system), self.view, &ends)?;
        last.retain(is_such);
        Ok(last)
    }

    /// Where an environment's log ended when a rewound mainline was accepted here, if one was.
    pub(crate) fn accepted_log(&self, environment: &Name) -> Result<Option<ObjectId>, Failure> {
        Ok(mark::accepted_log(&self.repository, environment)?)
    }

    /// The date of the mainline commit that is judged: nothing about it is dated before.
    pub(crate) fn mainline_date(&self) -> Time {
        self.ledger.mainline_date(self.view)
    }
}
