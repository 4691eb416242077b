//! `git gate close`.

use super::{Context, Exit, Failure};

/// The arguments of `close`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`close` is not built yet").into())
}
