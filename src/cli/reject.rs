//! `git gate reject`: reject a gate, or take back your approval of a policy change.

use std::collections::BTreeSet;

use crate::decision::{Action, Target};
use crate::model::Name;

use super::deciding::{Deciding, DecidingArgs, asked_roles, decide};
use super::{Context, Exit, Failure};

/// The arguments of `reject`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is decided on.
    #[command(flatten)]
    pub deciding: DecidingArgs,
    /// The role to reject in; needed where you hold several.
    #[arg(long, value_name = "ROLE")]
    pub role: Option<Name>,
    /// Why: a reason code of the policy, such as `quality` or `safety`.
    #[arg(long, value_name = "CODE")]
    pub reason: Name,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    if args.deciding.target == Target::Policy {
        context.say("note: on a policy change it takes back your own approval, and is no veto");
    }
    decide(context, &args.deciding, "reject", |deciding| rejection(deciding, args))
}

fn rejection(deciding: &Deciding, args: &Args) -> anyhow::Result<Action> {
    let policy = &deciding.in_force.policy;
    if !policy.rejection_reasons.contains(&args.reason) {
        let known: Vec<String> = policy.rejection_reasons.iter().map(|code| format!("`{code}`")).collect();
        let message = format!("`{}` is no reason of the policy: {}", args.reason, known.join(", "));
        return Err(Failure::usage(message).into());
    }
    // A request that cannot be read can be rejected all the same.
    let asked = deciding.request().map(|request| asked_roles(policy, request.as_ref())).unwrap_or_default();
    let role = deciding
        .role(args.role.as_ref(), &asked)
        .or_else(|failure| only_role(deciding).filter(|_| args.role.is_none()).ok_or(failure))?;
    Ok(Action::Reject { role, reason: args.reason.clone(), seen: deciding.seen() })
}

/// The one role that the signer holds at all: whoever holds any may reject.
fn only_role(deciding: &Deciding) -> Option<Name> {
    let principal = deciding.hand.principal.as_ref()?;
    let held: BTreeSet<&Name> =
        deciding.in_force.policy.roles_of(principal).map(|(name, _role)| name).collect();
    match held.iter().collect::<Vec<_>>().as_slice() {
        [one] => Some((**one).clone()),
        _ => None,
    }
}
