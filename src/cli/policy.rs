//! `git gate policy`.

use super::{Context, Exit, Failure};

/// The arguments of `policy`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`policy` is not built yet").into())
}
