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
    /// Where it began and ended, and how many commits it had.
    pub(super) first: Text<ObjectId>,
    pub(super) tip: Text<ObjectId>,
    pub(super) entries: u32,
    /// The latest mainline commit that was judged, and the latest date.
    pub(super) latest: Option<(u32, i64)>,
    pub(super) last_word: Option<Text<ObjectId>>,
    pub(super) last_counting: Option<u32>,
    /// The digest of each system's row, and where the last commit stands that said something of it.
    pub(super) systems: BTreeMap<Text<Name>, (Text<ContentDigest>, u32)>,
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
            artifacts: Arc::new(
                self.artifacts.into_iter().map(|(name, digest)| (name.0, digest.0)).collect(),
            ),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::verdict::CoverMoment;

    fn id(digit: &str) -> ObjectId {
        digit.repeat(40).parse().unwrap()
    }

    fn time(seconds: i64) -> Time {
        Time::from_unix(seconds).unwrap()
    }

    /// A record of which everything is said that can be written.
    fn fact(replay: Replay) -> RecordFact {
        let artifact =
            ("prompts/a_b.txt".parse().unwrap(), format!("sha256:{}", "5".repeat(64)).parse().unwrap());
        RecordFact {
            commit: id("1"),
            gate: "summarizer/v1.4".parse().unwrap(),
            content: ContentDigest::of_bytes(b"content"),
            artifacts: BTreeMap::from([artifact]).into(),
            claimed: ClaimedBasis::BreakGlass,
            judged: id("2"),
            time: time(1_795_000_000),
            principal: Some("bot@example.com".parse().unwrap()),
            defect: Some("not-in-role: \"quoted\"\nand \u{1b} more".into()),
            by_deployer: true,
            out_of_chain: false,
            failed: false,
            replay,
            unseen_incidents: BTreeSet::new(),
            covers: Vec::new(),
        }
    }

    fn allowed(basis: Basis, exception_expires: Option<i64>, supports: bool) -> Replay {
        Replay::Allowed { basis, exception_expires: exception_expires.map(time), supports }
    }

    fn unmet(ids: &[&str]) -> Replay {
        Replay::NotAllowed(ids.iter().map(|id| RequirementId::parse(id).unwrap()).collect())
    }

    fn item(fact: RecordFact) -> Item {
        Item { place: 7, commit: fact.commit, failed_at: Some(9), fact: Some(Arc::new(fact)) }
    }

    /// What is read of what was written.
    #[track_caller]
    fn again(item: &Item) -> Item {
        let bytes = serde_json::to_vec(&ItemRow::of(item)).unwrap();
        serde_json::from_slice::<ItemRow>(&bytes).unwrap().read().unwrap()
    }

    #[test]
    fn what_is_written_reads_as_what_it_was() {
        let mut replays = vec![unmet(&[])];
        for basis in [Basis::Requirements, Basis::Exception, Basis::Rollback] {
            for expires in [None, Some(0), Some(1_800_000_000)] {
                replays.extend([true, false].map(|supports| allowed(basis, expires, supports)));
            }
        }
        replays.push(unmet(&[
            "gate:recorded",
            "gate:open",
            "integrity:content",
            "integrity:authors",
            "integrity:break-glass",
            "environment:production",
            "rules:none",
            "evidence:evaluation",
            "criterion:hallucination rate",
            "approval:ml-lead",
            "artifact:prompts/a_b.txt",
            "requires:router/v1",
            "rejection:s.chen@example.com",
            "incident:INC-1",
            "freeze:year end",
        ]));
        for replay in replays {
            let item = item(fact(replay));
            assert_eq!(format!("{:?}", again(&item)), format!("{item:?}"));
        }
    }

    #[test]
    fn every_word_of_a_record_is_written() {
        let same = |fact: RecordFact| {
            let item = item(fact);
            assert_eq!(format!("{:?}", again(&item)), format!("{item:?}"));
        };
        let plain = || fact(allowed(Basis::Requirements, None, true));
        for claimed in [ClaimedBasis::Requirements, ClaimedBasis::Exception, ClaimedBasis::Rollback] {
            same(RecordFact { claimed, ..plain() });
        }
        same(RecordFact { principal: None, ..plain() });
        same(RecordFact { defect: None, by_deployer: false, artifacts: Arc::default(), ..plain() });
        same(RecordFact { time: time(-1), ..plain() });
        let unjudged = Item { place: 0, commit: id("3"), failed_at: None, fact: None };
        assert_eq!(format!("{:?}", again(&unjudged)), format!("{unjudged:?}"));
    }

    /// Where it could not be read as what it is, the record stands there without it, still to be judged.
    #[test]
    fn what_cannot_be_written_is_not() {
        let plain = || fact(allowed(Basis::Requirements, None, true));
        let text = "schema = 1\nid = \"acme-models-3f9c\"\nserial = 1\n\n[governance]\napprovals = [{ role = \"lead\" }]\n\n\
                    [roles]\nlead = { members = [\"a.ng@example.com\"] }\n\n[changes]\nkinds = [\"prompt\"]\nrisks = [\"low\"]\n";
        let policy = Policy::parse(text.as_bytes(), b"").unwrap_or_else(|why| panic!("{why}"));
        let cover = CoverMoment {
            exception: crate::verdict::ExceptionFact {
                commit: id("4"),
                content: ContentDigest::of_bytes(b"cover"),
                exception: Err("it does not read".into()),
                since: time(0),
                authors: BTreeSet::new(),
                defect: None,
            },
            policy: Arc::new(policy),
            time: time(0),
            decisions: Vec::new(),
            gate_authors: BTreeSet::new(),
            gate_content: None,
        };
        for fact in [
            fact(Replay::NotReplayable("why".into())),
            fact(Replay::NotAllowed(BTreeSet::from([RequirementId::Artifact(None)]))),
            RecordFact { out_of_chain: true, ..plain() },
            RecordFact { failed: true, ..plain() },
            RecordFact { unseen_incidents: BTreeSet::from(["INC-1".parse().unwrap()]), ..plain() },
            RecordFact { covers: vec![cover], ..plain() },
        ] {
            let item = item(fact);
            let read = again(&item);
            assert!(read.fact.is_none(), "{read:?}");
            assert_eq!((read.place, read.commit, read.failed_at), (item.place, item.commit, item.failed_at));
        }
    }

    #[test]
    fn what_makes_no_sense_is_not_read() {
        let good = serde_json::to_string(&ItemRow::of(&item(fact(unmet(&["rules:none"]))))).unwrap();
        for (old, new) in [
            ("\"rules:none\"", "\"rules:some\""),
            ("\"t\":1795000000", "\"t\":9223372036854775807"),
            ("\"break-glass\"", "\"breakglass\""),
            ("\"summarizer/v1.4\"", "\"summarizer\""),
            ("\"bot@example.com\"", "\"\""),
            ("\"d\":true", "\"d\":true,\"more\":1"),
            ("{\"NotAllowed\":[", "{\"Allowed\":["),
            ("\"n\":7", "\"n\":-7"),
        ] {
            assert!(good.contains(old), "{old} in {good}");
            let bad = good.replacen(old, new, 1);
            let read = serde_json::from_str::<ItemRow>(&bad).ok().and_then(ItemRow::read);
            assert!(read.is_none(), "{bad}");
        }
    }
}
