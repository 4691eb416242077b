//! `git gate close`: close a gate for good.

use std::fmt::Write as _;

use crate::decision::{Action, Target};
use crate::model::{GateName, escape};

use super::approve::signed_a_change;
use super::deciding::{Deciding, DecidingArgs, decide_on};
use super::session::{Opening, Session, View};
use super::subject::Subject;
use super::{Context, Exit, Failure, judging};

/// The arguments of `close`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is decided on.
    #[command(flatten)]
    pub deciding: DecidingArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let Target::Gate(gate) = &args.deciding.target else {
        return Err(Failure::usage("a policy is not closed; take back your approval: `reject policy`").into());
    };
    decide_on(context, &args.deciding, "close", Subject::Target, |deciding| {
        if let Some(close) = deciding.in_force.closed_by(gate)? {
            return Err(Failure::new("nothing-changed", format!("`{gate}` was closed by {close}"))
                .help(format!("a new version is needed: `git gate open {}/<version>`", gate.system))
                .into());
        }
        refuse_stranger(deciding, gate)?;
        let asks = context.asks && !args.deciding.signing.yes && args.deciding.address.is_none();
        let brief = if asks { brief(context, deciding, gate) } else { String::new() };
        Ok((Action::Close, brief))
    })
}

/// A close counts from whoever holds a role, or is an author of the gate.
fn refuse_stranger(deciding: &Deciding, gate: &GateName) -> anyhow::Result<()> {
    let Some(principal) = &deciding.hand.principal else { return Ok(()) };
    // A request that cannot be read can be closed all the same.
    let request = deciding.request().ok().flatten();
    let fits = deciding.in_force.policy.roles_of(principal).next().is_some()
        || request.is_some_and(|request| request.requested_by.contains(principal))
        || deciding.in_force.is_author(gate, principal)?
        || signed_a_change(deciding, principal, &[gate.directory()])?;
    if fits {
        return Ok(());
    }
    Err(Failure::new(
        "not-in-role",
        format!("`{principal}` holds no role and is no author of `{gate}`: this close would not count"),
    )
    .help("ask an author of the gate, or anybody who holds a role; nothing was written")
    .into())
}

/// What is about to end.
fn brief(context: &Context, deciding: &Deciding, gate: &GateName) -> String {
    let summary = deciding.request().ok().flatten().map(|request| request.summary).unwrap_or_default();
    let mut text = format!("{gate}: {}\n", escape(&summary));
    let opening = Opening { view: View::Merged(gate.clone()), ..Opening::default() };
    // What cannot be judged can be closed.
    let judged =
        Session::open(context, &opening).and_then(|session| judging::judge_each(&session, gate, &[]));
    for judgement in judged.into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {}", judgement.verdict.environment, judgement.verdict.outcome.as_str());
    }
    text.push_str("Nobody can open it again; what runs goes on running.\n\n");
    text
}
