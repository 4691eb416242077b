//! `git gate merge`.

use super::{Context, Exit, Failure};

/// The arguments of `merge`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`merge` is not built yet").into())
}
