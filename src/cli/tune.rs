//! `git gate tune`: what each threshold of a criterion would have caught, and the change that the numbers speak for.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::backtest::Past;
use crate::insight::origins;
use crate::insight::tune::{Suggested, Suggestion, Tuned, Tuning, names};
use crate::ledger::Undecided;
use crate::model::{GateName, IncidentId};
use crate::policy::Policy;
use crate::policy::edit::PolicyEdit;
use crate::render::{self, TuneShown};
use crate::verdict::judge;

use super::period::Period;
use super::session::{Opening, Session};
use super::{Context, Exit, Failure, judging, sharing};

/// Fewer gates than this are not worth another thread.
const FEW: usize = 50;

/// How many incidents are named as where a criterion came from.
const MOST_ORIGINS: usize = 8;

/// The arguments of `tune`.
///
/// Every gate that ran is read once more at the moment at which it was first deployed: the number of each criterion, and
/// whether the gate led to an incident. A tighter bound is proposed only where the numbers speak for it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 whatever is found.")]
pub struct Args {
    /// Only criteria on this metric, or the criterion of this name.
    #[arg(value_name = "METRIC")]
    metric: Option<String>,
    /// Print only the policy change that is proposed, all of it, as `git apply` takes it; nothing where none is.
    #[arg(long)]
    patch: bool,
    /// Which time.
    #[command(flatten)]
    period: Period,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let session = Session::open(context, &Opening { many: true, ..Opening::default() })?;
    let mut tuning = Tuning::of(session.policy(), args.metric.as_deref());
    if let Some(name) = args.metric.as_deref().filter(|_name| tuning.is_empty()) {
        return Err(unknown(session.policy(), name).into());
    }
    session.hold_logs()?;
    let past = Past::read(&session.judging(), args.period.since, args.period.until)?;
    measure(context, &session, &past, &mut tuning)?;
    let policy_toml = session.policy_toml()?;
    let proposed: Vec<(&Tuned, Suggestion)> = tuning
        .bounds()
        .filter_map(|tuned| match tuned.suggestion() {
            Suggested::Bound(suggestion) => Some((tuned, suggestion)),
            Suggested::NoIncidents
            | Suggested::TooFew(_)
            | Suggested::Chance(_)
            | Suggested::TooDear
            | Suggested::Present => None,
        })
        .collect();
    let serial = session.policy().serial;
    if args.patch {
        if proposed.is_empty() {
            context.say("nothing is proposed: `git gate tune` says why");
        }
        context.print(&change(&policy_toml, serial, &proposed).unwrap_or_default())?;
        return Ok(Exit::Done);
    }
    let changes: BTreeMap<_, _> = proposed
        .iter()
        .filter_map(|one| {
            let change = change(&policy_toml, serial, std::slice::from_ref(one))?;
            Some(((one.0.criterion.clone(), one.0.dial), change))
        })
        .collect();
    let incidents = past.incidents();
    let shown = TuneShown {
        tuning: &tuning,
        changes: &changes,
        origins: &origins(session.policy(), &incidents),
        since: args.period.since,
        until: args.period.until,
        origin: &session.origin()?,
    };
    context.print(&render::render_tune(&shown, judging::form(context)))?;
    Ok(Exit::Done)
}

/// Reads every gate that ran into `tuning`, which holds its bounds and nothing else yet.
fn measure(context: &Context, session: &Session, past: &Past, tuning: &mut Tuning) -> Result<(), Failure> {
    let gates = past.gates(&session.judging())?;
    let (several, bounds) = (gates.len() >= FEW, tuning.clone());
    let busy = context.counting("reading gates that ran", gates.len());
    let work = |[session]: [&Session; 1], system: &Vec<GateName>| {
        let judging = session.judging();
        judging.forget_gates();
        let mut found = bounds.clone();
        for gate in system {
            for moment in past.moments(&judging, gate, &mut |_left| ())?.iter().filter(|moment| moment.ran) {
                let facts = judging.facts_then(moment, true)?;
                found.add_gate(&facts, &judge(&facts), &past.after(&judging, moment));
            }
            busy.step();
        }
        Ok(found)
    };
    let take = |found: Result<Tuning, Undecided>| -> Result<(), Failure> {
        tuning.join(found?);
        Ok(())
    };
    sharing::in_order([session], &sharing::systems(gates), several, work, take)
}

/// The policy change that sets these bounds, as a difference; nothing where there is none, or the file does not take one.
fn change(policy_toml: &[u8], serial: u64, proposed: &[(&Tuned, Suggestion)]) -> Option<String> {
    let before = std::str::from_utf8(policy_toml).ok()?;
    let mut edit = PolicyEdit::open(policy_toml)?;
    edit.set_serial(serial.checked_add(1).filter(|_next| !proposed.is_empty())?);
    for (tuned, suggestion) in proposed {
        let origin = origin(tuned, &suggestion.origin);
        if !edit.set_bound(tuned.criterion.as_str(), tuned.dial.as_str(), suggestion.cut.bound, &origin) {
            return None;
        }
    }
    Some(edit.difference(before))
}

/// Where the criterion comes from now: what it says, and the incidents that the new bound would have caught.
fn origin(tuned: &Tuned, incidents: &BTreeSet<IncidentId>) -> String {
    let known = tuned.origin.clone().unwrap_or_default();
    let new = incidents.iter().map(IncidentId::as_str).filter(|id| !known.contains(id)).take(MOST_ORIGINS);
    let said = Some(known.as_str()).filter(|known| !known.is_empty());
    said.into_iter().chain(new).collect::<Vec<_>>().join(", ")
}

fn unknown(policy: &Policy, name: &str) -> Failure {
    let known = names(policy);
    let near = known.iter().filter(|known| known.contains(name) || name.contains(known.as_str()));
    let near: Vec<String> = near.take(5).map(|name| format!("`{name}`")).collect();
    let near =
        if near.is_empty() { known.iter().take(8).map(|name| format!("`{name}`")).collect() } else { near };
    Failure::new(
        "metric-unknown",
        format!("no criterion of the policy in force bounds `{name}` with a number"),
    )
    .help(if near.is_empty() {
        "the policy in force has no criteria".to_owned()
    } else {
        format!("such are: {}", near.join(", "))
    })
}
