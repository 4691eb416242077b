//! `git gate withdraw`.

use super::{Context, Exit, Failure};

/// The arguments of `withdraw`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`withdraw` is not built yet").into())
}
