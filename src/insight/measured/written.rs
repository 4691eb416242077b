//! What was measured as it is kept: one row that says under what it holds, and one for each system.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ledger::{Circumstances, Text};
use crate::model::{ContentDigest, GateName, Name};

use super::super::timeline::{Rows, Timeline, UNMEASURED};
use super::{Logs, System};

/// Under what all of it holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) circumstances: Circumstances,
    pub(super) logs: Logs,
    /// Whether it has every system that there was.
    pub(super) whole: bool,
    pub(super) systems: BTreeMap<Text<Name>, Entry>,
}

/// What is kept of one system.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The digest of its row.
    pub(super) row: Text<ContentDigest>,
    /// When it was measured, and when it turns by the clock alone.
    pub(super) from: i64,
    pub(super) turns: Option<i64>,
    /// The systems that it rests on besides.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) on: BTreeSet<Text<Name>>,
    /// Versions that the mainline never held, and whether there was a branch of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) branches: BTreeMap<Text<GateName>, bool>,
    /// Whether a merge that changes nothing of it may give it another history.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) several: bool,
    /// The digest of the incidents on it.
    pub(super) incidents: Text<ContentDigest>,
}

/// What was measured of one system.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    timelines: Rows,
    /// Gates that are not measured, and why.
    left_out: Vec<(Text<GateName>, String)>,
    foreign: Vec<(String, String)>,
}

impl Row {
    /// Nothing: it would not read as what it is, or something could not be judged, which may be judged next time.
    pub(super) fn of(system: &System) -> Option<Self> {
        let lasting = |why: &&'static str| UNMEASURED.contains(why);
        let timelines = system.gates.iter().filter_map(|(_, measured)| measured.as_ref().ok());
        let left_out =
            system.gates.iter().filter_map(|(gate, measured)| Some((gate, measured.as_ref().err()?)));
        let left_out =
            left_out.map(|(gate, why)| lasting(why).then(|| (Text(gate.clone()), (*why).to_owned())));
        Some(Self {
            timelines: Rows::of(timelines)?,
            left_out: left_out.collect::<Option<_>>()?,
            foreign: system.foreign.iter().map(|(what, why)| (what.clone(), (*why).to_owned())).collect(),
        })
    }

    pub(super) fn read(self) -> Option<System> {
        let why = |text: &str| UNMEASURED.iter().copied().find(|why| *why == text);
        let mut gates: Vec<(GateName, Result<Timeline, &'static str>)> = self
            .timelines
            .read()?
            .into_iter()
            .map(|timeline| (timeline.gate.clone(), Ok(timeline)))
            .collect();
        for (gate, text) in self.left_out {
            gates.push((gate.0, Err(why(&text)?)));
        }
        gates.sort_by(|(one, _), (other, _)| one.cmp(other));
        let foreign = self.foreign.into_iter().map(|(what, text)| Some((what, why(&text)?)));
        Some(System { gates, foreign: foreign.collect::<Option<_>>()? })
    }
}
