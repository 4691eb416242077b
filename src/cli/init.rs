//! `git gate init`.

use super::{Context, Exit, Failure};

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`init` is not built yet").into())
}
