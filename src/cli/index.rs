//! `git gate index`: what is remembered of the history, so that reading it again is fast.
//!
//! Nobody needs this to work: an index is made, extended and made anew by whoever reads. Here is for who wants to see it,
//! does not trust it, or is out of disk.

use std::rc::Rc;

use crate::git::Repository;
use crate::insight::{IndexStanding, IndexState, Judge};
use crate::ledger::{Branches, Ledger, snapshot};
use crate::render;

use super::{Context, Exit, judging};

/// The arguments of `index`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Command {
    /// Say what the index knows.
    Status,
    /// Throw it away and make it anew from the history.
    Rebuild,
    /// Read the history and compare.
    #[command(
        after_help = "Exit status: 0 the index says what the history says, or there is none; 10 it does not, and is best \
                            made anew: `git gate index rebuild`; 3 the history could not be read."
    )]
    Verify,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let _busy = context.busy("reading the history");
    let repository = Rc::new(context.repository()?);
    repository.refuse_cut_history()?;
    let found = snapshot(&repository, context.root, Branches::Shared)?;
    if matches!(args.command, Command::Rebuild) {
        repository.forget_index()?;
        Ledger::open(Rc::clone(&repository), found.root, found.tip, context.now, false)?;
    }
    let verify = matches!(args.command, Command::Verify);
    let mut state = IndexState::read(&repository, found.root, found.tip, verify)?;
    if state.verified == Some(true) {
        // What is used of it for a glance, too.
        let repository = Rc::new(Repository::discover(&context.directory)?.glancing());
        let ledger = Ledger::open(Rc::clone(&repository), found.root, found.tip, context.now, false)?;
        let kept = Judge::new(&repository, &found, &ledger).keeps_what_history_says()?;
        state.verified = Some(kept && !ledger.has_lost_its_index());
    }
    context.print(&render::render_index(&state, judging::form(context)))?;
    let bad = state.verified == Some(false) || (verify && matches!(state.standing, IndexStanding::Unfit(_)));
    Ok(if bad { Exit::Blocked } else { Exit::Done })
}
