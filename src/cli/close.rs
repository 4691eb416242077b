//! `git gate close`: close a gate for good.

use crate::decision::{Action, Target};

use super::deciding::{DecidingArgs, decide};
use super::{Context, Exit, Failure};

/// The arguments of `close`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is decided on.
    #[command(flatten)]
    pub deciding: DecidingArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    if args.deciding.target == Target::Policy {
        return Err(Failure::usage("a policy is not closed; take back your approval: `reject policy`").into());
    }
    decide(context, &args.deciding, "close", |deciding| {
        if let Some(principal) = &deciding.hand.principal
            && deciding.in_force.policy.roles_of(principal).next().is_none()
        {
            context
                .warn(&format!("`{principal}` holds no role: this counts only from an author of the gate"));
        }
        Ok(Action::Close)
    })
}
