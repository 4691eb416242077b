//! Records of the log as facts: each with its replay, most of them shared among all who ask about their system.
//!
//! Whoever judges a moment looks at every record of its system before it. What differs from one who asks to the other is
//! little: incidents that a record did not see, covers, and that it failed. Everything else is worked out once.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::decision::ClaimedBasis;
use crate::ledger::{Asked, Record, Undecided, View, mark};
use crate::model::{IncidentId, Name};
use crate::verdict::{IncidentFact, RecordFact, Replay};

use super::judge::{Case, Judge};

impl Judge<'_> {
    /// The records of the case's system that it sees.
    pub(super) fn records(
        &self,
        case: &Case<'_>,
        incidents: &[IncidentFact],
    ) -> Result<Vec<Arc<RecordFact>>, Undecided> {
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
        let mut facts = Vec::new();
        for record in self.ledger.records(&log, asked, case.view)? {
            let unseen = incidents.iter().filter(|incident| {
                record.gate == *case.gate && !self.ledger.contains(record.judged, incident.opened)
            });
            let unseen = unseen.map(|incident| incident.id.clone()).collect();
            facts.push(self.record_fact(&record, case.environment, case.view, unseen)?);
        }
        Ok(facts)
    }

    /// A record with its replay and its covers. Most are the same for whoever asks, and are shared.
    pub(super) fn record_fact(
        &self,
        record: &Rc<Record>,
        environment: &Name,
        view: View,
        unseen_incidents: BTreeSet<IncidentId>,
    ) -> Result<Arc<RecordFact>, Undecided> {
        let plain = self.plain_record(record, environment)?;
        let covers = match &plain.replay {
            // What claims to be a break-glass is one, and can be covered, though it would have been allowed.
            Replay::Allowed { .. } if !record.out_of_chain && record.claimed != ClaimedBasis::BreakGlass => {
                Vec::new()
            }
            Replay::Allowed { .. } | Replay::NotAllowed(_) | Replay::NotReplayable(_) => {
                self.ledger.covers(&record.gate, record.commit, view)?
            }
        };
        if covers.is_empty() && unseen_incidents.is_empty() && !record.failed {
            return Ok(plain);
        }
        let failed = record.failed;
        Ok(Arc::new(RecordFact { failed, unseen_incidents, covers, ..(*plain).clone() }))
    }

    /// A record with its replay: not said to have failed, with no covers and nothing unseen.
    fn plain_record(&self, record: &Record, environment: &Name) -> Result<Arc<RecordFact>, Undecided> {
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
