//! `git gate approve`.

use super::{Context, Exit, Failure};

/// The arguments of `approve`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`approve` is not built yet").into())
}
