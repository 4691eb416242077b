//! Records of the log as facts: each with its replay, most of them shared among all who ask about their system.
//!
//! Whoever judges a moment looks at every record of its system before it. What differs from one who asks to the other is
//! little: incidents that a record did not see, covers, and that it failed. Everything else is worked out once.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::decision::ClaimedBasis;
use crate::ledger::{Asked, Record, Summary, Undecided, View, mark};
use crate::model::{IncidentId, Name};
use crate::verdict::{IncidentFact, RecordFact, Replay};

use super::judge::{Case, Judge};

/// A record as most who ask see it, and whether it is said to have failed.
type Plain = (Arc<RecordFact>, bool);

impl Judge<'_> {
    /// The records of the case's system that it sees.
    pub(super) fn records(
        &self,
        case: &Case<'_>,
        incidents: &[IncidentFact],
    ) -> Result<Vec<Arc<RecordFact>>, Undecided> {
        let records = match self.summarized(case)? {
            Some(records) => {
                debug_assert!(
                    self.are_as_walked(case, &records),
                    "what is remembered of a log is what it says"
                );
                records
            }
            None => self.walked(case)?,
        };
        let mut facts = Vec::with_capacity(records.len());
        for (plain, failed) in records {
            let unseen = incidents.iter().filter(|incident| {
                plain.gate == *case.gate && !self.ledger.contains(plain.judged, incident.opened)
            });
            let unseen = unseen.map(|incident| incident.id.clone()).collect();
            facts.push(self.record_fact(plain, failed, case.view, unseen)?);
        }
        Ok(facts)
    }

    /// Whether walking the log gives these records, and no error; what an index says that is damaged is thrown away.
    fn are_as_walked(&self, case: &Case<'_>, records: &[Plain]) -> bool {
        let walked = self.walked(case).map(|walked| format!("{walked:?}"));
        self.ledger.has_lost_its_index() || walked.is_ok_and(|walked| walked == format!("{records:?}"))
    }

    /// The records of the case's system that it sees, each as most see it, and whether it is said to have failed.
    fn walked(&self, case: &Case<'_>) -> Result<Vec<Plain>, Undecided> {
        let (_, mut log) = self.log_of(case.environment)?;
        // What a fork, or a record that the log lacks, was judged with is not in this log, but below that record.
        if let Some(last) = case.log.filter(|last| !log.holds(*last)) {
            log = Rc::new(self.ledger.read_log(case.environment, Some(last))?);
        }
        let asked = Asked {
            environment: case.environment,
            system: Some(&case.gate.system),
            last: case.log,
            whole: case.whole,
            // What was accepted matters to who asks about the present.
            accepted: if case.whole { mark::accepted_log(self.repository, case.environment)? } else { None },
        };
        let records = self.ledger.records(&log, asked, case.view)?;
        let plain = |record: &Rc<Record>| -> Result<Plain, Undecided> {
            Ok((self.plain_record(record, case.environment)?, record.failed))
        };
        records.iter().map(plain).collect()
    }

    /// The records of the case's system that it sees, by what is remembered of the log; nothing: its log must be walked.
    fn summarized(&self, case: &Case<'_>) -> Result<Option<Vec<Plain>>, Undecided> {
        let system = &case.gate.system;
        let Some(mut summary) = self.summary_of(case.environment)? else { return Ok(None) };
        if self.ledger.summarized(&summary, system).is_none() {
            // What is kept of this system is not what it should be: all is made anew.
            self.summaries.borrow_mut().remove(case.environment);
            let Some(anew) = self.summarize(case.environment)? else { return Ok(None) };
            summary = anew;
        }
        let Some(end) = summary.end_of(case.log) else { return Ok(None) };
        let mut records = Vec::new();
        // What is judged of a record rests on those before it.
        let mut alone = true;
        for at in 0..self.ledger.summarized(&summary, system).unwrap_or_default() {
            let Some(item) = summary.item(system, at).filter(|item| item.place < end) else { break };
            let failed = item.failed_at.is_some_and(|failed_at| failed_at < end);
            if let Some(fact) = item.fact {
                records.push((fact, failed));
                continue;
            }
            let Some(record) = self.ledger.summarized_record(&summary, &item, case.view)? else {
                return Ok(None);
            };
            let fact = self.plain_record(&record, case.environment)?;
            alone = alone && self.ledger.stands_alone(&fact)?;
            if alone && self.ledger.is_lasting(&fact)? {
                summary.judged(system, at, Arc::clone(&fact));
            }
            records.push((fact, failed));
        }
        Ok(Some(records))
    }

    /// What is remembered of an environment's log; where nothing is, what a walk of it gave.
    pub(super) fn summary_of(&self, environment: &Name) -> Result<Option<Rc<Summary>>, Undecided> {
        if let Some(known) = self.summaries.borrow().get(environment) {
            return Ok(known.clone());
        }
        let Some(tip) = self.log_tip(environment)? else { return Ok(None) };
        match self.ledger.summary(environment, tip) {
            Some(summary) => Ok(self.remember(environment, Some(summary))),
            None => self.summarize(environment),
        }
    }

    fn summarize(&self, environment: &Name) -> Result<Option<Rc<Summary>>, Undecided> {
        let summary = if self.ledger.summarizes() {
            self.ledger.summarize(environment, &self.log_of(environment)?.1)?
        } else {
            None
        };
        Ok(self.remember(environment, summary))
    }

    fn remember(&self, environment: &Name, summary: Option<Summary>) -> Option<Rc<Summary>> {
        let summary = summary.map(Rc::new);
        self.summaries.borrow_mut().insert(environment.clone(), summary.clone());
        summary
    }

    /// Keeps what was worked out and holds for who asks next.
    pub fn keep_found(&self) -> Result<(), Undecided> {
        for summary in self.summaries.borrow().values().flatten() {
            self.ledger.keep_summary(summary);
        }
        self.ledger.keep_found()
    }

    /// A record with what differs from one who asks to the other. Most are the same for whoever asks, and are shared.
    pub(super) fn record_fact(
        &self,
        plain: Arc<RecordFact>,
        failed: bool,
        view: View,
        unseen_incidents: BTreeSet<IncidentId>,
    ) -> Result<Arc<RecordFact>, Undecided> {
        let covers = match &plain.replay {
            // What claims to be a break-glass is one, and can be covered, though it would have been allowed.
            Replay::Allowed { .. } if !plain.out_of_chain && plain.claimed != ClaimedBasis::BreakGlass => {
                Vec::new()
            }
            Replay::Allowed { .. } | Replay::NotAllowed(_) | Replay::NotReplayable(_) => {
                self.ledger.covers(&plain.gate, plain.commit, view)?
            }
        };
        if covers.is_empty() && unseen_incidents.is_empty() && !failed {
            return Ok(plain);
        }
        Ok(Arc::new(RecordFact { failed, unseen_incidents, covers, ..(*plain).clone() }))
    }

    /// A record with its replay: not said to have failed, with no covers and nothing unseen.
    pub(super) fn plain_record(
        &self,
        record: &Record,
        environment: &Name,
    ) -> Result<Arc<RecordFact>, Undecided> {
        // Who forks a log, or looks from a later time, sees another defect of the same commit.
        let same = |known: &RecordFact| {
            known.defect == record.defect
                && known.principal == record.principal
                && known.by_deployer == record.by_deployer
                && known.out_of_chain == record.out_of_chain
        };
        if let Some(known) = self.plain_records.borrow().get(&record.commit)
            && same(known)
        {
            debug_assert_eq!(
                format!("{known:?}"),
                format!("{:?}", plain(record, self.replay(record, environment)?)),
                "what is shared is what each would find"
            );
            return Ok(Arc::clone(known));
        }
        let plain = Arc::new(plain(record, self.replay(record, environment)?));
        self.plain_records.borrow_mut().insert(record.commit, Arc::clone(&plain));
        Ok(plain)
    }

    /// Lets go of records and of required gates: others ask about others.
    pub(super) fn forget_records(&self) {
        self.plain_records.borrow_mut().clear();
        self.required.borrow_mut().clear();
        self.reached.borrow_mut().clear();
    }
}

/// A record as most who ask see it.
fn plain(record: &Record, replay: Replay) -> RecordFact {
    RecordFact {
        unseen_incidents: BTreeSet::new(),
        commit: record.commit,
        gate: record.gate.clone(),
        content: record.content,
        artifacts: record.artifacts.clone(),
        claimed: record.claimed,
        judged: record.judged,
        time: record.time,
        principal: record.principal.clone(),
        defect: record.defect.clone(),
        by_deployer: record.by_deployer,
        out_of_chain: record.out_of_chain,
        failed: false,
        replay,
        covers: Vec::new(),
    }
}
