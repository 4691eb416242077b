//! The deployment log as it stands: every record, judged again, and what runs where.
//!
//! What a record claims is shown beside what its replay gives, and believed in neither case more than that (design,
//! section 10). Break-glass is told as the verdict tells it, so that `log`, `status` and `check` never differ.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::ledger::{Asked, Record, Undecided, View, mark};
use crate::model::{Name, ObjectId, Time};
use crate::verdict::{self, RecordFact};

use super::judge::Judge;

/// A record of the log, with what a reader must know of it.
#[derive(Debug, Clone)]
pub struct LoggedRecord {
    /// Where.
    pub environment: Name,
    /// What it says and what judging it again gave.
    pub record: RecordFact,
    /// Of a break-glass: why it is not covered; nothing where it is, or where it is none.
    pub debt: Option<String>,
    /// Whether it is a break-glass, whatever it claims.
    pub break_glass: bool,
}

/// What runs in one environment of one system: the last record that counts and did not fail.
#[derive(Debug, Clone)]
pub struct Running {
    /// Its record.
    pub logged: LoggedRecord,
    /// Other records of that system there that were not allowed and are not covered, oldest first.
    pub debts: Vec<ObjectId>,
}

impl Judge<'_> {
    /// All records of an environment's log, or those of one system, oldest first.
    pub fn log(
        &self,
        environment: &Name,
        system: Option<&Name>,
        view: View,
    ) -> Result<Vec<LoggedRecord>, Undecided> {
        let (tip, log) = self.log_of(environment)?;
        let accepted = mark::accepted_log(self.repository, environment)?;
        let asked = Asked { environment, system, last: tip, whole: view == self.ledger.now(), accepted };
        let logged = |record: Rc<Record>| -> Result<LoggedRecord, Undecided> {
            let plain = self.plain_record(&record, environment)?;
            let record = self.record_fact(plain, record.failed, view, BTreeSet::new())?;
            let record = Arc::unwrap_or_clone(record);
            let (break_glass, debt) = verdict::break_glass(&record, environment);
            Ok(LoggedRecord { environment: environment.clone(), record, debt, break_glass })
        };
        self.ledger.records(&log, asked, view)?.into_iter().map(logged).collect()
    }

    /// What runs in an environment, by system.
    pub fn running(
        &self,
        environment: &Name,
        system: Option<&Name>,
        view: View,
    ) -> Result<BTreeMap<Name, Running>, Undecided> {
        let mut running: BTreeMap<Name, Running> = BTreeMap::new();
        let mut debts: BTreeMap<Name, Vec<ObjectId>> = BTreeMap::new();
        for logged in self.log(environment, system, view)? {
            let system = logged.record.gate.system.clone();
            if logged.debt.is_some() {
                debts.entry(system.clone()).or_default().push(logged.record.commit);
            }
            if logged.record.defect.is_none() && !logged.record.failed {
                running.insert(system, Running { logged, debts: Vec::new() });
            }
        }
        for (system, one) in &mut running {
            one.debts = debts.remove(system).unwrap_or_default();
            one.debts.retain(|debt| *debt != one.logged.record.commit);
        }
        Ok(running)
    }

    /// The commits that an environment's log is made of, oldest first.
    pub fn log_commits(&self, environment: &Name) -> Result<Vec<ObjectId>, Undecided> {
        Ok(self.log_of(environment)?.1.spine())
    }

    /// The latest date in an environment's log that lies in the future of the view, of a record that a deployer signed.
    pub fn dated_ahead(&self, environment: &Name, view: View) -> Result<Option<Time>, Undecided> {
        let (_, log) = self.log_of(environment)?;
        self.ledger.dated_ahead(environment, &log, view)
    }

    /// The last records of an environment's log that count, of that system or of any, the latest first, up to the first that
    /// `ends` them.
    pub fn last_records(
        &self,
        environment: &Name,
        system: Option<&Name>,
        view: View,
        ends: &dyn Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, Undecided> {
        let (_, log) = self.log_of(environment)?;
        self.ledger.last_records(environment, &log, system, view, ends)
    }

    /// The last commit of an environment's log that says something and counts.
    pub fn last_word(&self, environment: &Name, view: View) -> Result<Option<ObjectId>, Undecided> {
        if view == self.ledger.now()
            && let Some(summary) = self.summary_of(environment)?
        {
            return Ok(summary.last_word());
        }
        self.ledger.last_word(environment, &self.log_of(environment)?.1, view)
    }
}
