//! A summary as it is kept: JSON, one row for the log and one for each system. Of records there are many: their names are
//! short.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decision::ClaimedBasis;
use crate::model::{ArtifactDigest, ArtifactName, ContentDigest, GateName, Name, ObjectId, Principal, Time};
use crate::verdict::{Basis, RecordFact, Replay, RequirementId};

use super::super::kept::{Circumstances, Text};
use super::Item;

/// The row of a log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogRow {
    pub(super) circumstances: Circumstances,
    /// Where it ended, and how many commits it had.
    pub(super) tip: Text<ObjectId>,
    pub(super) entries: u32,
    /// The latest mainline commit that was judged, and the latest date.
    pub(super) latest: Option<(u32, i64)>,
    pub(super) last_word: Option<Text<ObjectId>>,
    pub(super) last_counting: Option<u32>,
    /// The digest of each system's row.
    pub(super) systems: BTreeMap<Text<Name>, Text<ContentDigest>>,
}

/// One record in the row of its system.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemRow {
    #[serde(rename = "n")]
    place: u32,
    #[serde(rename = "c")]
    commit: Text<ObjectId>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    failed_at: Option<u32>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    fact: Option<FactRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactRow {
    #[serde(rename = "g")]
    gate: Text<GateName>,
    #[serde(rename = "c")]
    content: Text<ContentDigest>,
    #[serde(rename = "a", default, skip_serializing_if = "BTreeMap::is_empty")]
    artifacts: BTreeMap<Text<ArtifactName>, Text<ArtifactDigest>>,
    #[serde(rename = "b")]
    claimed: Text<ClaimedBasis>,
    #[serde(rename = "j")]
    judged: Text<ObjectId>,
    #[serde(rename = "t")]
    time: i64,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    principal: Option<Text<Principal>>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    defect: Option<String>,
    #[serde(rename = "d")]
    by_deployer: bool,
    #[serde(rename = "r")]
    replay: ReplayRow,
}

#[derive(Debug, Serialize, Deserialize)]
enum ReplayRow {
    Requirements(Option<i64>, bool),
    Exception(Option<i64>, bool),
    Rollback(Option<i64>, bool),
    NotAllowed(BTreeSet<String>),
}

impl ItemRow {
    pub(super) fn of(item: &Item) -> Self {
        Self {
            place: item.place,
            commit: Text(item.commit),
            failed_at: item.failed_at,
            fact: item.fact.as_deref().and_then(FactRow::of),
        }
    }

    /// Nothing: it makes no sense.
    pub(super) fn read(self) -> Option<Item> {
        let commit = self.commit.0;
        let fact = match self.fact {
            Some(fact) => Some(Arc::new(fact.read(commit)?)),
            None => None,
        };
        Some(Item { place: self.place, commit, failed_at: self.failed_at, fact })
    }
}

impl FactRow {
    /// Nothing: it cannot be written so that it reads as what it is.
    fn of(fact: &RecordFact) -> Option<Self> {
        let row = Self {
            gate: Text(fact.gate.clone()),
            content: Text(fact.content),
            artifacts: texts(&fact.artifacts),
            claimed: Text(fact.claimed),
            judged: Text(fact.judged),
            time: fact.time.unix(),
            principal: fact.principal.clone().map(Text),
            defect: fact.defect.clone(),
            by_deployer: fact.by_deployer,
            replay: ReplayRow::of(&fact.replay)?,
        };
        let plain = !fact.out_of_chain && !fact.failed;
        (plain && fact.unseen_incidents.is_empty() && fact.covers.is_empty()).then_some(row)
    }

    fn read(self, commit: ObjectId) -> Option<RecordFact> {
        Some(RecordFact {
            commit,
            gate: self.gate.0,
            content: self.content.0,
            artifacts: self.artifacts.into_iter().map(|(name, digest)| (name.0, digest.0)).collect(),
            claimed: self.claimed.0,
            judged: self.judged.0,
            time: Time::from_unix(self.time)?,
            principal: self.principal.map(|principal| principal.0),
            defect: self.defect,
            by_deployer: self.by_deployer,
            out_of_chain: false,
            failed: false,
            replay: self.replay.read()?,
            unseen_incidents: BTreeSet::new(),
            covers: Vec::new(),
        })
    }
}

impl ReplayRow {
    fn of(replay: &Replay) -> Option<Self> {
        Some(match replay {
            Replay::Allowed { basis, exception_expires, supports } => {
                let expires = exception_expires.map(Time::unix);
                match basis {
                    Basis::Requirements => Self::Requirements(expires, *supports),
                    Basis::Exception => Self::Exception(expires, *supports),
                    Basis::Rollback => Self::Rollback(expires, *supports),
                }
            }
            Replay::NotAllowed(unmet) => {
                let same = |id: &RequirementId| RequirementId::parse(&id.to_string()).as_ref() == Some(id);
                if !unmet.iter().all(same) {
                    return None;
                }
                Self::NotAllowed(unmet.iter().map(ToString::to_string).collect())
            }
            Replay::NotReplayable(_) => return None,
        })
    }

    fn read(self) -> Option<Replay> {
        let allowed = |basis, expires: Option<i64>, supports| {
            let exception_expires = match expires {
                Some(seconds) => Some(Time::from_unix(seconds)?),
                None => None,
            };
            Some(Replay::Allowed { basis, exception_expires, supports })
        };
        match self {
            Self::Requirements(expires, supports) => allowed(Basis::Requirements, expires, supports),
            Self::Exception(expires, supports) => allowed(Basis::Exception, expires, supports),
            Self::Rollback(expires, supports) => allowed(Basis::Rollback, expires, supports),
            Self::NotAllowed(unmet) => {
                let ids = unmet.iter().map(|id| RequirementId::parse(id));
                Some(Replay::NotAllowed(ids.collect::<Option<_>>()?))
            }
        }
    }
}

fn texts<K: Clone + Ord, V: Clone>(map: &BTreeMap<K, V>) -> BTreeMap<Text<K>, Text<V>> {
    map.iter().map(|(key, value)| (Text(key.clone()), Text(value.clone()))).collect()
}
