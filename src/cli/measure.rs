//! What `metrics` and `report` measure: every gate once, counted as often as is asked for.
//!
//! Systems are shared out among threads (`sharing.rs`); what is counted does not depend on how.

use std::collections::BTreeSet;

use crate::insight::metrics::Metrics;
use crate::insight::timeline::Timeline;
use crate::model::{GateName, Name};

use super::session::Session;
use super::{Context, Failure, sharing};

/// Counts all gates of these systems, in each of `all`; none named: of all systems.
pub(super) fn measure(
    context: &Context,
    session: &Session,
    all: &mut [Metrics],
    only: &[Name],
) -> Result<(), Failure> {
    session.hold_logs()?;
    let ever = session.gates_ever()?;
    let wanted = |gate: &&GateName| only.is_empty() || only.contains(&gate.system);
    let gates: Vec<GateName> = ever.iter().filter(wanted).cloned().collect();
    let several = gates.len() >= FEW;
    let busy = context.counting("measuring gates", gates.len());
    let work = |[session]: [&Session; 1], system: &Vec<GateName>| {
        let found = session.timelines(system);
        busy.steps(system.len());
        found
    };
    let take = |found: Result<Vec<Measured>, Failure>| -> Result<(), Failure> {
        add(all, found?);
        Ok(())
    };
    sharing::in_order([session], &sharing::systems(gates), several, work, take)?;
    end(session, all, &ever, only)
}

/// Ends with what is not measured; `ever` are all gates that stand or stood on the mainline.
pub(super) fn end(
    session: &Session,
    all: &mut [Metrics],
    ever: &BTreeSet<GateName>,
    only: &[Name],
) -> Result<(), Failure> {
    let (_, unmerged) = session.gates()?;
    let wanted = |gate: &GateName| only.is_empty() || only.contains(&gate.system);
    let unrecorded: BTreeSet<GateName> =
        unmerged.into_iter().filter(|gate| !ever.contains(gate) && wanted(gate)).collect();
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

/// Counts what was measured.
pub(super) fn add(all: &mut [Metrics], found: Vec<Measured>) {
    for (gate, measured) in found {
        for metrics in &mut *all {
            match &measured {
                Ok(timeline) => metrics.add(timeline),
                Err(why) => metrics.leave_out(gate.to_string(), why),
            }
        }
    }
}

/// Fewer gates than this are not worth another thread.
const FEW: usize = 100;
