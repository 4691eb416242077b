//! What `metrics` and `report` measure: every gate once, counted as often as is asked for.
//!
//! Systems are shared out among threads, each with a history of its own; what is counted does not depend on how.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use crate::insight::metrics::Metrics;
use crate::insight::timeline::Timeline;
use crate::model::{GateName, Name, ObjectId};

use super::session::{Opening, Session, View};
use super::{Context, Failure};

/// Counts all gates of these systems, in each of `all`; none named: of all systems.
pub(super) fn measure(
    context: &Context,
    session: &Session,
    all: &mut [Metrics],
    only: &[Name],
) -> Result<(), Failure> {
    let _busy = context.busy("measuring");
    let gates = session.gates_ever()?;
    let (_, unmerged) = session.gates()?;
    let wanted = |gate: &GateName| only.is_empty() || only.contains(&gate.system);
    let unrecorded: BTreeSet<GateName> =
        unmerged.into_iter().filter(|gate| !gates.contains(gate) && wanted(gate)).collect();
    let shares = shares(gates.into_iter().filter(wanted).collect());
    let mainline = session.origin()?.mainline;
    let (own, others) = shares.split_first().map_or((&[][..], &[][..]), |(own, others)| (own, others));
    thread::scope(|scope| -> Result<(), Failure> {
        let helpers: Vec<_> = others
            .iter()
            .map(|share| (share, scope.spawn(|| measure_apart(context, mainline, share))))
            .collect();
        add(all, session.timelines(own)?);
        for (share, helper) in helpers {
            // Who found another mainline has its share measured here.
            match helper.join() {
                Ok(Ok(Some(found))) => add(all, found),
                Ok(Ok(None) | Err(_)) | Err(_) => add(all, session.timelines(share)?),
            }
        }
        Ok(())
    })?;
    let unmeasured = session.unmeasured(only)?;
    for metrics in all {
        metrics.unrecorded.clone_from(&unrecorded);
        for (what, why) in &unmeasured {
            metrics.leave_out(what.clone(), why);
        }
    }
    Ok(())
}

/// What was measured of a gate, or why it was not.
pub(super) type Measured = (GateName, Result<Timeline, &'static str>);

fn add(all: &mut [Metrics], found: Vec<Measured>) {
    for (gate, measured) in found {
        for metrics in &mut *all {
            match &measured {
                Ok(timeline) => metrics.add(timeline),
                Err(why) => metrics.leave_out(gate.to_string(), why),
            }
        }
    }
}

/// Fewer gates than this are not worth another thread, which reads the history for itself.
const FEW: usize = 100;
const MOST_THREADS: usize = 8;

/// The gates by thread: all of one system in one share.
fn shares(gates: BTreeSet<GateName>) -> Vec<Vec<GateName>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = (gates.len() / FEW).clamp(1, cores.min(MOST_THREADS));
    let mut systems: Vec<Vec<GateName>> = Vec::new();
    for gate in gates {
        match systems.last_mut() {
            Some(system) if system.first().is_some_and(|first| first.system == gate.system) => {
                system.push(gate);
            }
            Some(_) | None => systems.push(vec![gate]),
        }
    }
    // The largest first, each to whom has least.
    systems.sort_by_key(|system| std::cmp::Reverse(system.len()));
    let mut shares: Vec<Vec<GateName>> = vec![Vec::new(); threads];
    for system in systems {
        if let Some(least) = shares.iter_mut().min_by_key(|share| share.len()) {
            least.extend(system);
        }
    }
    shares
}

/// A share measured on a history of its own; nothing where that is not the mainline as the others read it.
fn measure_apart(
    context: &Context,
    mainline: ObjectId,
    share: &[GateName],
) -> Result<Option<Vec<Measured>>, Failure> {
    let session = Session::open(context, &Opening { view: View::Recorded, ..Opening::default() })?;
    if session.origin()?.mainline != mainline {
        return Ok(None);
    }
    session.timelines(share).map(Some)
}
