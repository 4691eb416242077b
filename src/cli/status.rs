//! `git gate status`: what runs where, since when, by whom, on what basis.

use crate::model::Name;
use crate::render;

use super::session::{Opening, Session, View};
use super::{Context, Exit, judging};

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "As the deployment log tells it. Exit status: 0 whatever runs.")]
pub struct Args {
    /// Only this system.
    #[arg(value_name = "SYSTEM")]
    system: Option<Name>,
    /// Only this environment; repeatable.
    #[arg(long = "env", value_name = "ENVIRONMENT")]
    environments: Vec<Name>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let session = Session::open(context, &Opening { view: View::Recorded, ..Opening::default() })?;
    let environments = session.these_or_all_environments(&args.environments)?;
    let mut running = Vec::new();
    for environment in &environments {
        running.extend(session.running(environment, args.system.as_ref())?.into_values());
    }
    context.print(&render::render_status(&running, &session.origin()?, judging::form(context)))?;
    Ok(Exit::Done)
}
