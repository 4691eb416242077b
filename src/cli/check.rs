//! `git gate check`.

use super::{Context, Exit, Failure};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`check` is not built yet").into())
}
