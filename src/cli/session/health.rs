//! What `doctor` asks of an open repository, and nobody else.

use crate::git::raw;
use crate::ledger::Squashed;
use crate::model::{GateName, Time};

use super::super::Failure;
use super::Session;

impl Session {
    /// When the mainline's tip says that it was committed.
    pub(crate) fn tip_time(&self) -> Option<Time> {
        let bytes = self.repository.read_commit(self.snapshot.tip).ok()?;
        raw::parse(&bytes).ok().map(|commit| commit.committer_time())
    }

    /// Gates on the mainline whose commits are elsewhere: squashed or rebased by a forge.
    pub(crate) fn squashed(&self) -> Result<Vec<(GateName, Squashed)>, Failure> {
        let judge = self.judging();
        let mut found = Vec::new();
        for gate in self.ledger.gates(self.view)? {
            if let Some(squashed) = judge.squashed(&gate)? {
                found.push((gate, squashed));
            }
        }
        Ok(found)
    }
}
