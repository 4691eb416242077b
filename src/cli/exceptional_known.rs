//! What the history says about an exception that is to be written: the lines that are open, or that a record lacked.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::LoggedRecord;
use crate::model::{GateName, Name, ObjectId};
use crate::verdict::{self, Replay, RequirementId, Status};

use super::deciding::listed;
use super::session::{Opening, Session, View};
use super::{Context, Failure, judging};

/// What can be filled in.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Where.
    pub(super) environments: BTreeSet<Name>,
    /// What is open, with what was found.
    pub(super) waives: BTreeMap<String, String>,
    /// Approvals that are open: people can still give them.
    pub(super) offered: BTreeMap<String, String>,
}

/// What is open and can be waived, as if the gate's branch were merged now.
pub(super) fn open_lines(context: &Context, gate: &GateName, named: &[Name]) -> anyhow::Result<Known> {
    let session =
        Session::open(context, &Opening { view: View::Merged(gate.clone()), ..Opening::default() })?;
    let requested = session.environments(gate)?;
    if let Some(other) = named.iter().find(|name| !requested.contains(*name)) {
        let known: Vec<&Name> = requested.iter().collect();
        let message = format!("`{gate}` does not ask for the environment `{other}`: {}", listed(&known));
        return Err(Failure::usage(message).into());
    }
    let mut known = Known { environments: named.iter().cloned().collect(), ..Known::default() };
    for judgement in judging::judge_each(&session, gate, named)? {
        let verdict = judgement.verdict;
        for line in verdict.requirements {
            let id = line.id.to_string();
            if line.status == Status::Met || !verdict::waivable(&id) {
                continue;
            }
            if matches!(line.id, RequirementId::Approval(_)) {
                known.offered.insert(id, line.found);
            } else {
                known.waives.insert(id, line.found);
                known.environments.insert(verdict.environment.clone());
            }
        }
    }
    if known.environments.is_empty() {
        known.environments = requested;
    }
    Ok(known)
}

/// What the replay of a record finds unmet.
pub(super) fn unmet_then(context: &Context, gate: &GateName, record: ObjectId) -> anyhow::Result<Known> {
    let session = Session::open(context, &Opening::default())?;
    let Some(LoggedRecord { environment, record: fact, debt, break_glass }) = session.record(record)? else {
        return Err(Failure::new("record-unknown", format!("no deployment log holds {record}"))
            .help("fetch the logs: `git fetch origin`; what they hold: `git gate log`")
            .into());
    };
    if fact.gate != *gate {
        let message = format!("{} is a deployment of `{}`, not of `{gate}`", record.short(), fact.gate);
        return Err(Failure::usage(message).into());
    }
    if debt.is_none() {
        let why = if break_glass { "it is covered already" } else { "it is no break-glass" };
        return Err(
            Failure::new("no-break-glass", format!("{} needs no cover: {why}", record.short())).into()
        );
    }
    let unmet = match fact.replay {
        Replay::NotAllowed(unmet) => unmet.into_iter().map(|id| (id.to_string(), String::new())).collect(),
        Replay::Allowed { .. } | Replay::NotReplayable(_) => BTreeMap::new(),
    };
    let waives = if unmet.is_empty() {
        // Allowed, but out of chain or said to be a break-glass: that is what is covered.
        BTreeMap::from([(RequirementId::IntegrityBreakGlass.to_string(), String::new())])
    } else {
        unmet
    };
    Ok(Known { environments: BTreeSet::from([environment]), waives, offered: BTreeMap::new() })
}
