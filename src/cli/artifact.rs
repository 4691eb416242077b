//! `git gate artifact`.

use super::{Context, Exit, Failure};

/// The arguments of `artifact`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`artifact` is not built yet").into())
}
