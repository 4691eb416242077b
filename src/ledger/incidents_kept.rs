//! What is kept of incidents: which versions they ever named, and which changes are not seen.
//!
//! Most versions have none, and then no incident file is read at all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{GateName, IncidentId, Name, ObjectId};

use super::kept::{Circumstances, Text};
use super::{Ledger, Undecided};

/// Under what name it is kept.
const ROW: &str = "incidents";

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    circumstances: Circumstances,
    /// The versions and environments that a file ever named.
    naming: BTreeSet<(Text<GateName>, Text<Name>)>,
    /// Changes that are not seen: of which file, by which commit.
    unseen: Vec<(Text<IncidentId>, Text<ObjectId>)>,
}

impl Kept {
    pub(super) fn names(&self, gate: &GateName, environment: &Name) -> bool {
        self.naming.contains(&(Text(gate.clone()), Text(environment.clone())))
    }

    pub(super) fn unseen(&self) -> impl Iterator<Item = (&IncidentId, ObjectId)> {
        self.unseen.iter().map(|(id, commit)| (&id.0, commit.0))
    }
}

impl Ledger {
    /// What is kept of incidents, where it still holds: nobody changed one since.
    pub(super) fn kept_incidents(&self) -> Result<Option<&Kept>, Undecided> {
        if let Some(known) = self.kept_incidents.get() {
            return Ok(known.as_ref());
        }
        let kept: Option<Kept> = self.kept(ROW).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let then = kept.as_ref().and_then(|kept| self.holds_up_to(&kept.circumstances));
        let up_to = then.and_then(|then| self.history.chain_at(then));
        let changes = self.changes.of(&self.trees, &["incidents"])?;
        let holds = up_to.is_some_and(|up_to| changes.last().is_none_or(|last| *last <= up_to));
        Ok(self.kept_incidents.get_or_init(|| kept.filter(|_kept| holds)).as_ref())
    }

    /// Whether what is kept of incidents is what the history says.
    pub(super) fn keeps_incidents_right(&self) -> Result<bool, Undecided> {
        let Some(kept) = self.kept_incidents()? else { return Ok(true) };
        let anew = self.worked_out_of_incidents(kept.circumstances.clone())?;
        Ok(anew.naming == kept.naming && anew.unseen == kept.unseen)
    }

    /// Keeps what was worked out of incidents, where all of them were read.
    pub(super) fn keep_incidents(&self) -> Result<(), Undecided> {
        let Some(circumstances) = self.circumstances() else { return Ok(()) };
        if self.incident_events.borrow().is_none() || self.kept_incidents()?.is_some() {
            return Ok(());
        }
        let worked_out = self.worked_out_of_incidents(circumstances)?;
        if let Ok(bytes) = serde_json::to_vec(&worked_out) {
            self.keep(ROW, self.kept(ROW).as_deref(), &[(ROW.to_owned(), bytes)]);
        }
        Ok(())
    }

    fn worked_out_of_incidents(&self, circumstances: Circumstances) -> Result<Kept, Undecided> {
        let unseen = self.unseen_incident_changes(self.now())?;
        let unseen = unseen.into_iter().map(|(id, at)| (Text(id), Text(self.history.commit(at).id)));
        let naming = self.named_by_incidents()?;
        Ok(Kept {
            circumstances,
            naming: naming.into_iter().map(|(gate, environment)| (Text(gate), Text(environment))).collect(),
            unseen: unseen.collect(),
        })
    }
}
