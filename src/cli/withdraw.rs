//! `git gate withdraw`: take back your own decisions on a gate.

use crate::decision::Action;

use super::deciding::{DecidingArgs, decide};
use super::{Context, Exit};

/// The arguments of `withdraw`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is decided on.
    #[command(flatten)]
    pub deciding: DecidingArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    decide(context, &args.deciding, "withdraw", |_deciding| Ok(Action::Withdraw))
}
