//! `git gate trust`.

use super::{Context, Exit, Failure};

/// The arguments of `trust`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`trust` is not built yet").into())
}
