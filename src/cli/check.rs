//! `git gate check`: may this version go to this environment, and why.

use std::collections::BTreeMap;

use crate::insight::Judgement;
use crate::model::{ArtifactDigest, ArtifactName, Duration, ObjectId, Time};
use crate::render;
use crate::verdict::Outcome;

use super::fresh::FreshArgs;
use super::given::QuestionArgs;
use super::originals::{GivenOriginal, originals};
use super::session::{Opening, Session, View};
use super::wait::{self, Answer};
use super::{Context, Exit, judging};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 allowed, 11 pending, 10 blocked, 3 it could not be decided, 2 wrong arguments.\n\
    What replays (--at, --time, --log) is named in the output, and `deploy` and `attest` refuse it."
)]
pub struct Args {
    /// What is asked.
    #[command(flatten)]
    asked: QuestionArgs,
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
    /// How fresh the clone must be.
    #[command(flatten)]
    fresh: FreshArgs,
    /// While it is pending, fetch and judge again, for no longer than this, such as `2h`.
    #[arg(long, value_name = "DURATION")]
    wait: Option<Duration>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    if args.wait.is_some() {
        wait::refuse_the_past(args.at.is_some() || args.time.is_some() || args.log.is_some())?;
    }
    let given = args.asked.given.digests(context)?;
    let judgement = match args.wait {
        None => {
            args.fresh.bring_up_to_date(context)?;
            judge(context, args, &given)?
        }
        Some(limit) => wait_and_judge(context, args, limit, &given)?,
    };
    context.print(&render::render_check(&judgement, judging::form(context)))?;
    Ok(judging::exit(judgement.verdict.outcome))
}

/// The answer once it is decided. What was waited for for hours is said of the artifacts as they are then.
fn wait_and_judge(
    context: &Context,
    args: &Args,
    limit: Duration,
    given: &BTreeMap<ArtifactName, ArtifactDigest>,
) -> anyhow::Result<Judgement> {
    let ask = |context: &Context| judge(context, args, given);
    let Answer { judgement, waited, context } = wait::until_decided(context, &args.fresh, limit, ask)?;
    if waited && matches!(judgement.verdict.outcome, Outcome::Allowed(_)) {
        let now = args.asked.given.digests(&context)?;
        if now != *given {
            return judge(&context, args, &now);
        }
    }
    Ok(judgement)
}

fn judge(
    context: &Context,
    args: &Args,
    given: &BTreeMap<ArtifactName, ArtifactDigest>,
) -> anyhow::Result<Judgement> {
    let opening = Opening {
        view: View::Recorded,
        at: args.at,
        time: args.time,
        log: args.log,
        seen: args.seen,
        asked_again: args.wait.is_some(),
        ..Opening::default()
    };
    Session::glance(context, &opening, |session| {
        let originals = originals(context, session, &args.asked.gate, &args.evidence_files)?;
        Ok(session.judge(&args.asked.question(given, originals))?)
    })
}
