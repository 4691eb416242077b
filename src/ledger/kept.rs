//! What is kept of what was worked out, beside the history in the index: under which circumstances it still holds.
//!
//! It is used for a glance alone ([`Ledger::summarizes`]): every other command works it out.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::git::Repository;
use crate::model::{ContentDigest, ObjectId, Time};

use super::remembered::key;
use super::{Ledger, Undecided, chronicle, epoch};

/// What is printed and read again as what it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<T>(pub T);

/// What something was worked out under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// The mainline commit.
    mainline: Text<ObjectId>,
    /// `[[revoked]]` of the policy in force there.
    revoked: Text<ContentDigest>,
    /// How many policies had been in force by then, and which.
    epochs: usize,
    policies: Text<ContentDigest>,
}

/// Brings the index up to a mainline commit that was taken, with the policies and incidents; nothing is done where nothing
/// can be kept.
pub fn remember(repository: Repository, root: ObjectId, tip: ObjectId, time: Time) -> Result<(), Undecided> {
    if !repository.keeps() || !repository.can_keep() {
        return Ok(());
    }
    let ledger = ManuallyDrop::new(Ledger::open(Rc::new(repository), root, tip, time, false)?);
    ledger.incident_notices(ledger.now())?;
    ledger.keep_found()
}

impl Ledger {
    /// Why the index that stood there was not used, and was written anew where it could be.
    pub fn unfit_index(&self) -> Option<&'static str> {
        self.unfit_index
    }

    /// Whether the index turned out to be damaged or changed while it was read: then nothing that was answered may be used.
    pub fn has_lost_its_index(&self) -> bool {
        self.history.known().is_some_and(|known| known.is_lost())
    }

    /// Whether what was worked out is kept and used again.
    pub fn summarizes(&self) -> bool {
        self.circumstances().is_some()
    }

    /// What is worked out now, and may be kept, is worked out under; nothing where nothing is kept: later links of a mainline
    /// that somebody has to sign, or that is dated ahead, change what earlier ones say.
    pub fn circumstances(&self) -> Option<Circumstances> {
        let used = self.repository.remembers() && self.repository.glances();
        if !used || self.preview || self.proposed.is_some() || !self.chronicle.is_plain() {
            return None;
        }
        let epochs = self.chronicle.epochs.len();
        Some(Circumstances {
            mainline: Text(self.mainline(self.now())),
            revoked: Text(self.revocations.digest()),
            epochs,
            policies: Text(self.chronicle.policies_digest(epochs)?),
        })
    }

    /// Whether what was worked out then was worked out under the policy that is in force now, and no other came between.
    pub(super) fn same_policy_as(&self, then: &Circumstances) -> bool {
        self.chronicle.epochs.len() == then.epochs
    }

    /// The link up to which what was worked out then holds still: the mainline goes on from there, the same is revoked, and
    /// what was in force then was in force; nothing where it does not.
    pub(super) fn holds_up_to(&self, then: &Circumstances) -> Option<u32> {
        let now = self.circumstances()?;
        let policies = self.chronicle.policies_digest(then.epochs)?;
        let same = then.revoked == now.revoked && then.policies.0 == policies;
        self.history.link_of(then.mainline.0).filter(|_link| same)
    }

    /// A row of what is kept.
    pub fn kept(&self, name: &str) -> Option<Vec<u8>> {
        self.history.known()?.pages().found(name)
    }

    /// Whether the policies and what is kept of incidents are what the history says.
    pub fn keeps_policies_and_incidents_right(&self) -> Result<bool, Undecided> {
        let many = self.chronicle.epochs.len();
        let sources = chronicle::Sources { time: self.time, ..self.sources() };
        let anew = chronicle::Chronicle::read(sources)?;
        let same =
            anew.epochs.len() == many && anew.policies_digest(many) == self.chronicle.policies_digest(many);
        Ok(same && self.keeps_incidents_right()?)
    }

    /// Keeps the policies and what is known of incidents, where what is kept of them does not hold.
    pub fn keep_found(&self) -> Result<(), Undecided> {
        if self.chronicle.outdated && self.summarizes() {
            let row = epoch::Row::of(&self.history, self.mainline(self.now()), &self.chronicle.epochs);
            if let Ok(bytes) = serde_json::to_vec(&row) {
                self.keep(epoch::ROW, self.kept(epoch::ROW).as_deref(), &[(epoch::ROW.to_owned(), bytes)]);
            }
        }
        self.keep_incidents()
    }

    /// Keeps rows where the first is what it was when it was read. Nothing is lost where they cannot be kept, and nothing is
    /// kept of what an index said that turned out to be damaged.
    pub fn keep(&self, first: &str, as_read: Option<&[u8]>, rows: &[(String, Vec<u8>)]) {
        let Some(root) = self.history.chain_at(0).map(|at| self.history.commit(at).id) else { return };
        if self.repository.keeps() && !self.has_lost_its_index() {
            let _kept = self.repository.keep_found(&key(root), first, as_read, rows);
        }
    }
}

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OfText(PhantomData))
    }
}

struct OfText<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for OfText<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<T>, E> {
        text.parse().map(Text).map_err(E::custom)
    }
}
