//! `git gate check`: may this version go to this environment, and why.

use crate::insight::Question;
use crate::model::{GateName, Name, ObjectId, Time};
use crate::render;
use crate::verdict::Given;

use super::given::GivenArgs;
use super::originals::{GivenOriginal, originals};
use super::session::{Opening, Session, View};
use super::{Context, Exit, judging};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 allowed, 11 pending, 10 blocked, 3 it could not be decided, 2 wrong arguments.\n\
    What replays (--at, --time, --log) is named in the output, and `deploy` and `attest` refuse it."
)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    #[arg(value_name = "GATE")]
    gate: GateName,
    /// The environment it is to go to.
    #[arg(long, value_name = "ENVIRONMENT", required = true)]
    env: Name,
    /// What is to be deployed.
    #[command(flatten)]
    given: GivenArgs,
    /// A report that lies elsewhere: the file of the gate that stands for it, and the report itself, which is held against
    /// the digest recorded there and read in its place.
    #[arg(long = "evidence-file", value_name = "NAME=PATH")]
    evidence_files: Vec<GivenOriginal>,
    /// Judge at this mainline commit, as a full commit id, instead of the tip.
    #[arg(long, value_name = "COMMIT")]
    at: Option<ObjectId>,
    /// Judge at this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// Judge with the deployment log up to this commit.
    #[arg(long, value_name = "COMMIT")]
    log: Option<ObjectId>,
    /// Fail unless this commit is on the mainline: what a caller has seen before cannot be taken away.
    #[arg(long, value_name = "COMMIT")]
    seen: Option<ObjectId>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let given = Given::Artifacts(args.given.digests(context)?);
    let opening = Opening {
        view: View::Recorded,
        at: args.at,
        time: args.time,
        log: args.log,
        seen: args.seen,
        proposed: None,
        tell_rewound: false,
    };
    let session = Session::open(context, &opening)?;
    let originals = originals(context, &session, &args.gate, &args.evidence_files)?;
    let question = Question { gate: args.gate.clone(), environment: args.env.clone(), given, originals };
    let judgement = session.judge(&question)?;
    context.print(&render::render_check(&judgement, judging::form(context)))?;
    Ok(judging::exit(judgement.verdict.outcome))
}
