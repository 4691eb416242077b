//! `git gate attach`.

use super::{Context, Exit, Failure};

/// The arguments of `attach`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`attach` is not built yet").into())
}
