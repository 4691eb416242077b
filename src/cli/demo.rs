//! `git gate demo`.

use std::path::PathBuf;

use super::{Context, Exit, Failure};

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make the repository in this directory; else in a temporary one.
    #[arg(long, value_name = "DIRECTORY")]
    pub dir: Option<PathBuf>,
    /// Leave the directory behind.
    #[arg(long)]
    pub keep: bool,
}

pub(super) fn run(_context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    Err(Failure::new("not-built", "`demo` is not built yet").into())
}
