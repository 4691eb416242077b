//! The same session for another thread: the same history, logs and policy, with a reader of objects of its own.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;

use crate::git::Repository;
use crate::ledger::{self, Beside, Snapshot};
use crate::model::{Name, ObjectId};

use super::super::Failure;
use super::Session;

/// What another thread opens a session from.
#[derive(Debug)]
pub(crate) struct Apart {
    repository: Repository,
    snapshot: Snapshot,
    logs: Arc<BTreeMap<Name, ObjectId>>,
    history: Beside,
    view: ledger::View,
    log: Option<ObjectId>,
    named_time: bool,
    follows: bool,
}

impl Session {
    /// From now on the logs end where they end now, for this session and those apart from it.
    pub(crate) fn hold_logs(&self) -> Result<Arc<BTreeMap<Name, ObjectId>>, Failure> {
        if let Some(held) = self.logs.get() {
            return Ok(Arc::clone(held));
        }
        let found = Arc::new(self.snapshot.logs(&self.repository)?);
        Ok(Arc::clone(self.logs.get_or_init(|| found)))
    }

    /// From now on the logs end where they end for another session.
    pub(crate) fn hold_logs_of(&self, other: &Self) {
        if let Some(logs) = other.logs.get() {
            self.logs.get_or_init(|| Arc::clone(logs));
        }
    }

    /// The same for another thread, the `number`th; nothing where its objects are not on disk.
    pub(crate) fn apart(&self, number: usize) -> Result<Option<Apart>, Failure> {
        let Some(repository) = self.repository.twin(number)? else { return Ok(None) };
        Ok(Some(Apart {
            repository,
            snapshot: self.snapshot.clone(),
            logs: self.hold_logs()?,
            history: self.ledger.beside(),
            view: self.view,
            log: self.log,
            named_time: self.named_time,
            follows: self.follows,
        }))
    }
}

impl Apart {
    /// The session.
    pub(crate) fn open(self) -> Session {
        let repository = Rc::new(self.repository);
        let ledger = self.history.open(Rc::clone(&repository));
        let policy = ledger.policy(self.view).policy;
        Session {
            repository,
            snapshot: self.snapshot,
            ledger: ManuallyDrop::new(Box::new(ledger)),
            view: self.view,
            log: self.log,
            named_time: self.named_time,
            follows: self.follows,
            policy,
            rewound: None,
            logs: self.logs.into(),
        }
    }
}
