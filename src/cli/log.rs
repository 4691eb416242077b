//! `git gate log`: the deployments that were logged, each judged again.

use crate::model::Name;
use crate::render;

use super::session::{Opening, Session, View};
use super::{Context, Exit, judging};

/// The arguments of `log`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each record is judged again, and says how it stands. Exit status: 0 whatever that is."
)]
pub struct Args {
    /// Only this system.
    #[arg(value_name = "SYSTEM")]
    system: Option<Name>,
    /// Only this environment; repeatable.
    #[arg(long = "env", value_name = "ENVIRONMENT")]
    environments: Vec<Name>,
    /// At most so many records of each environment, the last ones.
    #[arg(long, short = 'n', value_name = "COUNT")]
    last: Option<usize>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let session = Session::open(context, &Opening { view: View::Recorded, ..Opening::default() })?;
    let environments = session.these_or_all_environments(&args.environments)?;
    let mut records = Vec::new();
    for environment in &environments {
        let mut logged = session.log(environment, args.system.as_ref())?;
        if let Some(most) = args.last {
            logged.drain(..logged.len().saturating_sub(most));
        }
        records.extend(logged);
    }
    context.print(&render::render_log(&records, &session.origin()?, judging::form(context)))?;
    Ok(Exit::Done)
}
