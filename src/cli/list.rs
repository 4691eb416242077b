//! `git gate list`: all gates, how each stands, on whom it waits and since when.

use crate::model::Principal;
use crate::render;

use super::gathering::{Filters, gather};
use super::session::{Opening, Session, View};
use super::{Context, Exit, environment, judging};

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A gate that is not merged is judged as if it were. Exit status: 0 whatever the verdicts."
)]
pub struct Args {
    /// Which gates.
    #[command(flatten)]
    filters: Filters,
    /// Only gates that this person wrote, decided on, or is waited for by.
    #[arg(long, value_name = "PRINCIPAL")]
    person: Option<Principal>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let session = Session::open(context, &Opening { view: View::Local, many: true, ..Opening::default() })?;
    let lines = gather(context, &session, &args.filters, args.person.as_ref())?;
    let width = environment::terminal_width();
    context.print(&render::render_list(&lines, &session.origin()?, judging::form(context), width))?;
    Ok(Exit::Done)
}
