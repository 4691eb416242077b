//! `git gate ready`: would `check` allow this gate if its branch were merged now? For merge checks.
//!
//! Artifacts are not asked for: they are given when something is deployed.

use crate::model::{GateName, Name};
use crate::render;

use super::session::{Opening, Session, View};
use super::{Context, Exit, judging};

/// The arguments of `ready`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: that of the worst environment: 10 blocked, 11 pending, 0 all would be allowed; 3 it could \
    not be decided."
)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    #[arg(value_name = "GATE")]
    gate: GateName,
    /// Only for this environment (repeatable); else for all that the request names.
    #[arg(long, value_name = "ENVIRONMENT")]
    env: Vec<Name>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let view = View::Merged(args.gate.clone());
    let session = Session::open(context, &Opening { view, ..Opening::default() })?;
    let judgements = judging::judge_each(&session, &args.gate, &args.env)?;
    context.print(&render::render_ready(&args.gate, &judgements, judging::form(context)))?;
    Ok(judging::worst(judgements.iter().map(|judgement| judgement.verdict.outcome)))
}
