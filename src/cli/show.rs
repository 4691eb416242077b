//! `git gate show`: the checklist of a gate, for people who work on it.
//!
//! It ends in 0 whatever the verdict, and reads the local branch where that is ahead, which the output says: what stands
//! here is not what `check` would say to a release bot.

use crate::insight::{Originals, Question};
use crate::model::{GateName, Name};
use crate::render;
use crate::verdict::Given;

use super::session::{Opening, Session, View};
use super::{Context, Exit, judging};

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 whatever the verdict. To decide on it, ask `git gate check`.")]
pub struct Args {
    /// The gate, `<system>/<version>`.
    #[arg(value_name = "GATE")]
    gate: GateName,
    /// Only for this environment (repeatable); else for all that the request names.
    #[arg(long, value_name = "ENVIRONMENT")]
    env: Vec<Name>,
    /// Show all that happened to the gate, in recorded order, in place of the checklist.
    #[arg(long)]
    history: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let view = View::Merged(args.gate.clone());
    let session = Session::open(context, &Opening { view, ..Opening::default() })?;
    if args.history {
        let environments = judging::environments(&session, &args.gate, &args.env)?;
        let question = |environment| Question {
            gate: args.gate.clone(),
            environment,
            given: Given::NotAsked,
            originals: Originals::new(),
        };
        let moments = session.history(&args.gate, environments.into_iter().map(question).collect())?;
        context.print(&render::render_history(&args.gate, &moments, judging::form(context)))?;
        return Ok(Exit::Done);
    }
    let judgements = judging::judge_each(&session, &args.gate, &args.env)?;
    context.print(&render::render_show(&args.gate, &judgements, judging::form(context)))?;
    Ok(Exit::Done)
}
