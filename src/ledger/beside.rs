//! What is read of a history once, for all who ask about it: on other threads, and under a policy that is only proposed.
//!
//! What is worked out when it is asked for (signatures, trees, provenance of gates) each works out for itself, so that nobody
//! waits for another.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::git::Repository;
use crate::model::Time;
use crate::verdict::PolicyInForce;

use super::Ledger;
use super::audited::WalkedLogs;
use super::changes::Changes;
use super::chronicle::{self, Chronicle};
use super::history::History;
use super::reports::Reports;
use super::signing::{Revocations, Signing};
use super::trees::Trees;

/// A history as it was read, to open other ledgers with.
#[derive(Debug, Clone)]
pub struct Beside {
    history: Arc<History>,
    changes: Arc<Changes>,
    chronicle: chronicle::Apart,
    walked: WalkedLogs,
    preview: bool,
    proposed: Option<PolicyInForce>,
    time: Time,
}

impl Ledger {
    /// What was read of its history.
    pub fn beside(&self) -> Beside {
        Beside {
            history: Arc::clone(&self.history),
            changes: Arc::clone(&self.changes),
            chronicle: self.chronicle.apart(),
            walked: self.logs.borrow().iter().map(|(key, log)| (key.clone(), log.walked())).collect(),
            preview: self.preview,
            proposed: self.proposed.clone(),
            time: self.time,
        }
    }

    /// A ledger of what was read, with those who read what is asked for.
    pub(super) fn of(
        (repository, trees, signing): (Rc<Repository>, Rc<Trees>, Signing),
        (history, changes, chronicle): (Arc<History>, Arc<Changes>, Chronicle),
        preview: bool,
        time: Time,
    ) -> Self {
        Self {
            repository,
            trees,
            changes,
            signing,
            revocations: Revocations::of(chronicle.epoch_at(u32::MAX).policy(), &history),
            history,
            chronicle,
            by_gate: RefCell::default(),
            logs_by_environment: RefCell::default(),
            logs: RefCell::default(),
            walked: WalkedLogs::default(),
            provenances: RefCell::default(),
            preview,
            incident_events: RefCell::default(),
            last_incidents: RefCell::default(),
            kept_incidents: OnceCell::new(),
            requests: RefCell::default(),
            requesters: RefCell::default(),
            reports: Reports::default(),
            unfit_index: None,
            proposed: None,
            time,
        }
    }
}

impl Beside {
    /// A ledger of the same history, by a reader of the same objects.
    pub fn open(self, repository: Rc<Repository>) -> Ledger {
        let trees = Rc::new(Trees::new(Rc::clone(&repository)));
        let signing = Signing::new(Rc::clone(&repository));
        let read = (self.history, self.changes, self.chronicle.open());
        let mut ledger = Ledger::of((repository, trees, signing), read, self.preview, self.time);
        ledger.walked = self.walked;
        if let Some(proposed) = self.proposed {
            ledger.propose(proposed, false);
        }
        ledger
    }
}
