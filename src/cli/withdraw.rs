//! `git gate withdraw`: take back your own decisions on a gate.

use crate::decision::Action;

use super::deciding::{Deciding, DecidingArgs};
use super::{Context, Exit};

/// The arguments of `withdraw`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is decided on.
    #[command(flatten)]
    pub deciding: DecidingArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    Deciding::begin(context, &args.deciding)?.sign(
        context,
        &args.deciding.signing,
        "withdraw",
        Action::Withdraw,
    )
}
