//! `git gate detach`.

use super::{Context, Exit, Failure};

/// The arguments of `detach`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`detach` is not built yet").into())
}
