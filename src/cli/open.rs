//! `git gate open`.

use super::{Context, Exit, Failure};

/// The arguments of `open`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`open` is not built yet").into())
}
