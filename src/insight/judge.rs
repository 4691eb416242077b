//! The one evaluator: a question → a judgement.
//!
//! A verdict may rest on others: on the replay of a record that was logged before, on a required gate. Each of these is
//! judged once, in log order, and remembered. A replay uses the reader's root and today's revocations, never what the
//! record claims (design, section 10).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::ledger::{Ledger, Log, Record, Snapshot, Undecided, View};
use crate::model::{GateName, IncidentId, Name, ObjectId};
use crate::verdict::{
    self, Basis, DeployedFact, Facts, Given, IncidentFact, Outcome, RecordFact, Replay, RequiredFact, RequirementId,
    Standing, Verdict,
};

use super::{Judgement, Origin, Question};

/// Judges questions against one ledger.
#[derive(Debug)]
pub struct Judge<'a> {
    ledger: &'a Ledger,
    /// The tips of deployment logs, and the branches of gates.
    refs: &'a dyn Refs,
    replays: RefCell<HashMap<(ObjectId, bool), Rc<Verdict>>>,
    logs: RefCell<HashMap<(Name, Option<ObjectId>), Rc<Log>>>,
}

/// The refs besides the mainline that a verdict may rest on, as one snapshot saw them.
pub trait Refs: std::fmt::Debug {
    /// The tip of an environment's deployment log.
    fn log(&self, environment: &Name) -> Result<Option<ObjectId>, Undecided>;
    /// The tip of a gate's branch.
    fn gate_branch(&self, gate: &GateName) -> Result<Option<ObjectId>, Undecided>;
}
