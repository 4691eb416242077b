//! What `metrics` and `report` measure: every gate once, counted as often as is asked for.
//!
//! Systems are shared out among threads (`sharing.rs`); what is counted does not depend on how.

use std::collections::BTreeSet;

use crate::insight::measured::{Measured, Share};
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
    let mut measures = session.measures(only)?;
    let shares = std::mem::take(&mut measures.shares);
    let to_measure = shares.iter().map(Share::to_measure).sum();
    if to_measure >= FEW {
        session.repository().expect_many();
    }
    let busy = context.counting("measuring gates", to_measure);
    let work = |[session]: [&Session; 1], share: &Share| {
        let measured = session.measure(share);
        busy.steps(share.to_measure());
        measured
    };
    let mut ever = BTreeSet::new();
    let take = |measured: Result<Measured, Failure>| -> Result<(), Failure> {
        let mut measured = measured?;
        measures.take(&mut measured);
        ever.extend(measured.system.gates.iter().map(|(gate, _)| gate.clone()));
        add(all, measured.system.gates);
        for (what, why) in measured.system.foreign {
            leave_out(all, &what, why);
        }
        Ok(())
    };
    sharing::in_order([session], &shares, to_measure >= FEW, work, take)?;
    session.keep_measures(measures);
    add_unrecorded(session, all, &ever, only)
}

/// Ends with what is not measured; `ever` are all gates that stand or stood on the mainline.
pub(super) fn end(session: &Session, all: &mut [Metrics], ever: &BTreeSet<GateName>) -> Result<(), Failure> {
    for (what, why) in session.unmeasured(&[])? {
        leave_out(all, &what, why);
    }
    add_unrecorded(session, all, ever, &[])
}

/// Adds the gates that stand on a branch alone.
fn add_unrecorded(
    session: &Session,
    all: &mut [Metrics],
    ever: &BTreeSet<GateName>,
    only: &[Name],
) -> Result<(), Failure> {
    let (_, unmerged) = session.gates()?;
    let wanted = |gate: &GateName| only.is_empty() || only.contains(&gate.system);
    let unrecorded: BTreeSet<GateName> =
        unmerged.into_iter().filter(|gate| !ever.contains(gate) && wanted(gate)).collect();
    for metrics in all {
        metrics.unrecorded.clone_from(&unrecorded);
    }
    Ok(())
}

fn leave_out(all: &mut [Metrics], what: &str, why: &str) {
    for metrics in all {
        metrics.leave_out(what.to_owned(), why);
    }
}

/// What was measured of a gate, or why it was not.
pub(super) type OfGate = (GateName, Result<Timeline, &'static str>);

/// Counts what was measured.
pub(super) fn add(all: &mut [Metrics], found: Vec<OfGate>) {
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
