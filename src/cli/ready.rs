//! `git gate ready`.

use super::{Context, Exit, Failure};

/// The arguments of `ready`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`ready` is not built yet").into())
}
