//! Many gates at a glance: what `list` and `pending` have in common.
//!
//! The mainline is read once, and every gate on it judged with one memory. A gate whose branch holds more is judged as
//! `show` does it, as if that branch were merged: in a history of its own, let go before the next. One branch that
//! cannot be judged is named in its line, and takes no other down with it.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use clap::ValueEnum;

use crate::insight::{EnvironmentLine, GateLine};
use crate::model::{GateName, Name, ObjectId, Principal};
use crate::verdict::Outcome;

use super::session::{Opening, Session, View};
use super::{Context, Failure};

/// Which gates.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Filters {
    /// Only gates of this system.
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<Name>,
    /// Only changes of this kind.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<Name>,
    /// Only changes of this risk.
    #[arg(long, value_name = "RISK")]
    pub risk: Option<Name>,
    /// Only for this environment.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub environment: Option<Name>,
    /// Only gates with this verdict in some environment.
    #[arg(long, value_name = "VERDICT")]
    pub verdict: Option<Word>,
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Word {
    /// It may go.
    Allowed,
    /// People or reports are awaited.
    Pending,
    /// Something failed.
    Blocked,
}

impl Word {
    fn is(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Allowed(_) => self == Self::Allowed,
            Outcome::Pending => self == Self::Pending,
            Outcome::Blocked => self == Self::Blocked,
        }
    }
}

/// The gates that `filters` and `person` leave, by name; `session` reads the mainline.
pub(super) fn gather(
    context: &Context,
    session: &Session,
    filters: &Filters,
    person: Option<&Principal>,
) -> Result<Vec<GateLine>, Failure> {
    let of_system = |gate: &GateName| filters.system.as_ref().is_none_or(|system| gate.system == *system);
    let (mut standing, mut unmerged) = session.gates()?;
    standing.retain(of_system);
    unmerged.retain(of_system);
    let merged: Vec<&GateName> = standing.difference(&unmerged).collect();
    let unmerged: Vec<&GateName> = unmerged.iter().collect();
    let only = filters.environment.as_ref();
    let mainline = session.origin()?.mainline;
    let (own, others) = shares(&merged, &unmerged);
    let mut lines = thread::scope(|scope| -> Result<Vec<GateLine>, Failure> {
        let helpers: Vec<_> = others
            .iter()
            .map(|share| (share, scope.spawn(|| judge_apart(context, mainline, share, only))))
            .collect();
        let mut lines = judge_share(context, session, &own, only);
        for (share, helper) in helpers {
            // Who found another mainline, or failed, has its share judged here.
            match helper.join() {
                Ok(Ok(Some(found))) => lines.extend(found),
                Ok(Ok(None) | Err(_)) | Err(_) => lines.extend(judge_share(context, session, share, only)),
            }
        }
        Ok(lines)
    })?;
    lines.retain(|line| keeps(filters, person, line));
    lines.sort_by(|one, other| one.gate.cmp(&other.gate));
    Ok(lines)
}

/// The gates whose branch holds more than the mainline, each as if that were merged. On a thread of its own: the memory that
/// these histories leave behind is used by the threads that come after it, and would not be if it were this one's.
pub(super) fn unmerged(context: &Context, session: &Session) -> Result<Vec<GateLine>, Failure> {
    let (_, unmerged) = session.gates()?;
    let lines = || unmerged.iter().map(|gate| as_if_merged(context, gate, None)).collect::<Vec<_>>();
    let judged = thread::scope(|scope| scope.spawn(lines).join());
    Ok(judged.unwrap_or_else(|_panicked| lines()).into_iter().flatten().collect())
}

/// Gates that one thread judges: those of the mainline, and those that are not merged.
type Share<'a> = (Vec<&'a GateName>, Vec<&'a GateName>);

/// Fewer gates than this are not worth another thread.
const FEW: usize = 100;
/// A gate that is not merged takes a history of its own: as much work as so many that are.
const UNMERGED: usize = 50;
const MOST_THREADS: usize = 8;

/// The shares of this thread and of others, by system: what the records of one system rest on is worked out once.
fn shares<'a>(merged: &[&'a GateName], unmerged: &[&'a GateName]) -> (Share<'a>, Vec<Share<'a>>) {
    let work = merged.len() + UNMERGED * unmerged.len();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = (work / FEW).clamp(1, cores.min(MOST_THREADS));
    let mut shares: Vec<Share<'a>> = vec![(Vec::new(), Vec::new()); threads];
    let systems: BTreeSet<&Name> = merged.iter().map(|gate| &gate.system).collect();
    for (at, system) in systems.into_iter().enumerate() {
        if let Some((mine, _)) = shares.get_mut(at % threads) {
            mine.extend(merged.iter().filter(|gate| gate.system == *system));
        }
    }
    for (at, gate) in unmerged.iter().enumerate() {
        if let Some((_, mine)) = shares.get_mut(at % threads) {
            mine.push(gate);
        }
    }
    let own = shares.pop().unwrap_or_default();
    (own, shares)
}

/// A share judged on a history of its own; nothing where that is not the mainline as the others read it.
fn judge_apart(
    context: &Context,
    mainline: ObjectId,
    share: &Share<'_>,
    only: Option<&Name>,
) -> Result<Option<Vec<GateLine>>, Failure> {
    let session = Session::open(context, &Opening { view: View::Local, many: true, ..Opening::default() })?;
    if session.origin()?.mainline != mainline {
        return Ok(None);
    }
    Ok(Some(judge_share(context, &session, share, only)))
}

fn judge_share(
    context: &Context,
    session: &Session,
    (merged, unmerged): &Share<'_>,
    only: Option<&Name>,
) -> Vec<GateLine> {
    let mut lines = session.overview(merged.iter().copied(), only, false);
    lines.extend(unmerged.iter().flat_map(|gate| as_if_merged(context, gate, only)));
    lines
}

fn as_if_merged(context: &Context, gate: &GateName, only: Option<&Name>) -> Vec<GateLine> {
    let view = View::Merged(gate.clone());
    match Session::open(context, &Opening { view, many: true, ..Opening::default() }) {
        Ok(merged) => {
            let lines = merged.overview([gate], only, true);
            merged.close();
            lines
        }
        Err(failure) => vec![GateLine::unjudged(gate.clone(), failure.message)],
    }
}

/// What could not be judged is never left out: it might be anything.
fn keeps(filters: &Filters, person: Option<&Principal>, line: &GateLine) -> bool {
    if line.problem.is_some() {
        return true;
    }
    let change = line.change.as_ref();
    let kind = |kind: &Name| change.is_some_and(|change| change.kinds.contains(kind));
    let risk = |risk: &Name| change.is_some_and(|change| change.risk == *risk);
    let verdict =
        |word: &Word| line.environments.iter().any(|EnvironmentLine { outcome, .. }| word.is(*outcome));
    filters.kind.as_ref().is_none_or(kind)
        && filters.risk.as_ref().is_none_or(risk)
        && filters.verdict.as_ref().is_none_or(verdict)
        && (filters.environment.is_none() || !line.environments.is_empty())
        && person.is_none_or(|person| line.concerns(person))
}
