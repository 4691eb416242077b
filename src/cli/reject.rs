//! `git gate reject`.

use super::{Context, Exit, Failure};

/// The arguments of `reject`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`reject` is not built yet").into())
}
