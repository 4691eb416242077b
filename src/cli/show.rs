//! `git gate show`.

use super::{Context, Exit, Failure};

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`show` is not built yet").into())
}
