//! `git gate record`: bring to the mainline what waits on branches and may go there without anybody's judgement.
//!
//! A late rejection counts once the mainline holds it, and a protected mainline is written by few. This command is run by a
//! job with a key of its own: it merges branches that bring decisions alone, gates that are ready, and the ends of the
//! deployment logs (design, section 13). Each is one merge, judged on what stands there at that moment; whoever was
//! faster is followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::git::{Branch, Brought, Draft, Origin, Repository, Unwritten};
use crate::model::ObjectId;
use crate::render::{self, RecordedBranch, Recording};
use crate::signature::Verified;
use crate::verdict::{Outcome, Status};

use super::hand::{Hand, SigningArgs};
use super::in_force::mainline_name;
use super::merge::may_sign_mainline;
use super::recordable::{Need, Source, need};
use super::requesting::message;
use super::session::{Opening, Session, View};
use super::together::{self, Proposal, Reviewed};
use super::{Context, Exit, Failure, environment, failure, fresh, judging};

/// The arguments of `record`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Merged are branches of gates that bring nothing but decisions or are ready in every environment that \
    they ask for, and the ends of the deployment logs; never a file of anything else. Exit status: 0 whatever was left, \
    3 something that was to be recorded could not be. Run it as often as you like, from several places at once."
)]
pub struct Args {
    /// Say what would be recorded; write nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to sign.
    #[command(flatten)]
    signing: SigningArgs,
}

/// A branch that may be merged as it stands now.
struct Recordable {
    repository: Repository,
    mainline: Branch,
    base: ObjectId,
    tip: ObjectId,
    tree: ObjectId,
    need: Need,
}

/// Why a branch is not merged, which is no failure.
#[derive(Debug, thiserror::Error)]
enum Stays {
    /// The mainline has all of it.
    #[error("the mainline has all of it")]
    Held,
    /// It is for people.
    #[error("{0}")]
    Left(String),
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let context = &Context { now: environment::now()?.max(context.now), ..context.clone() };
    let repository = context.repository()?;
    if !args.signing.offline
        && let Some(origin) = fresh::origin(&repository)?
    {
        fresh::fetch(context, &repository, &origin, None)?;
    }
    // What stops every branch stops at once.
    Session::open(context, &Opening { view: View::Recorded, ..Opening::default() })?.close();
    let mut recording = Recording { dry_run: args.dry_run, recorded: vec![], left: vec![], failed: vec![] };
    for name in branches(&repository)?.into_keys() {
        let Some(source) = Source::of(&name) else { continue };
        match record(context, args, &name, &source) {
            Ok(recorded) => recording.recorded.push(recorded),
            Err(error) => match error.downcast_ref::<Stays>() {
                Some(Stays::Held) => {}
                Some(Stays::Left(why)) => recording.left.push((name, why.clone())),
                None => {
                    let failure = failure::meaning(&error);
                    recording.failed.push((name, failure.code, failure.message));
                }
            },
        }
    }
    context.print(&render::render_recording(&recording, judging::form(context)))?;
    Ok(if recording.failed.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Merges one branch, or says why not.
fn record(context: &Context, args: &Args, name: &str, source: &Source) -> anyhow::Result<RecordedBranch> {
    let found = examine(context, name, source)?;
    let mut recorded = RecordedBranch {
        branch: name.to_owned(),
        tip: found.tip,
        content: found.need == Need::Ready,
        commit: None,
        pushed: false,
    };
    if args.dry_run {
        return Ok(recorded);
    }
    let (signed, (tip, need)) = together::write(context, &args.signing, |_before| {
        let found = examine(context, name, source)?;
        let told = (found.tip, found.need);
        Ok((proposal(context, args, source, found)?, told))
    })?;
    if let Some(note) = &signed.written.note {
        context.warn(note);
    }
    recorded.tip = tip;
    recorded.content = need == Need::Ready;
    recorded.commit = Some(signed.written.commit);
    recorded.pushed = signed.written.pushed;
    Ok(recorded)
}

/// Looks at a branch as it stands now, by the reader and the evaluator of everybody.
fn examine(context: &Context, name: &str, source: &Source) -> anyhow::Result<Recordable> {
    let repository = context.repository()?;
    let shared = branches(&repository)?;
    let Some(tip) = shared.get(name).copied() else { return Err(Stays::Held.into()) };
    let mainline = Branch::find(&repository, mainline_name(&repository))?;
    let view = match source {
        Source::Gate(gate) => View::Merged(gate.clone()),
        Source::Log(environment) => View::MergedLog(environment.clone()),
    };
    // Without the branch the history was read a moment ago: what cannot be judged is the branch.
    let session = Session::open(context, &Opening { view, ..Opening::default() })
        .map_err(|failure| Stays::Left(format!("it cannot be judged: {failure} [{}]", failure.code)))?;
    let base = session.mainline_tip();
    let moved = [shared.get(mainline.name()).copied(), mainline.tip()] != [Some(base); 2];
    if moved || session.branch_tip(name)? != Some(tip) {
        let message = format!("`{name}` or the mainline holds commits here that `origin` lacks");
        return Err(Failure::new("branch-unpushed", message)
            .help("push them first, or record in a fresh clone")
            .into());
    }
    if !session.is_as_if_merged() {
        session.close();
        return Err(Stays::Held.into());
    }
    let brought = Brought::of(&repository, base, tip).map_err(left_where_git_says_so)?;
    if brought.tree != session.judged_tree()? {
        let message = format!("git merges `{name}` to another tree than the one that was judged");
        return Err(Failure::new("git-failed", message).help("look at it, and merge it by hand").into());
    }
    let need = need(source, &brought.files).map_err(Stays::Left)?;
    match (need, source) {
        (Need::Ready, Source::Gate(gate)) => refuse_unready(&session, gate)?,
        (Need::Nothing | Need::Ready, _) => {}
    }
    session.close();
    Ok(Recordable { repository, mainline, base, tip, tree: brought.tree, need })
}

/// Content goes to the mainline where it would be allowed in every environment that it asks for.
fn refuse_unready(session: &Session, gate: &crate::model::GateName) -> anyhow::Result<()> {
    for judgement in judging::judge_each(session, gate, &[])? {
        let verdict = &judgement.verdict;
        if matches!(verdict.outcome, Outcome::Allowed(_)) {
            continue;
        }
        let is_open = |status| match status {
            Status::Missing | Status::Stale | Status::Failed => true,
            Status::Met | Status::Waived => false,
        };
        let open = verdict.requirements.iter().filter(|requirement| is_open(requirement.status));
        let open: Vec<String> = open.map(|requirement| format!("`{}`", requirement.id)).collect();
        return Err(
            Stays::Left(format!("not ready for `{}`: {}", verdict.environment, open.join(", "))).into()
        );
    }
    Ok(())
}

fn proposal(context: &Context, args: &Args, source: &Source, found: Recordable) -> anyhow::Result<Proposal> {
    let Recordable { repository, mainline: branch, base, tip, tree, need } = found;
    let policy = super::in_force::policy_in_force(context)?.policy;
    let hand = Hand::of(context, &repository, &policy)?;
    let subject = match (source, need) {
        (Source::Gate(gate), Need::Ready) => format!("Merge {gate}"),
        (Source::Gate(gate), Need::Nothing) => format!("Record decisions on {gate}"),
        (Source::Log(environment), _) => format!("Record deployments to {environment}"),
    };
    let draft = Draft::merge(base, tip, tree, &message(&subject, &args.signing)?);
    let judged_under = Arc::clone(&policy);
    let fits = Box::new(move |signer: &Verified| Ok(may_sign_mainline(&judged_under, signer)?));
    let reviewed = Reviewed::default();
    Ok(Proposal { repository, policy, branch, draft, hand, reviewed, question: None, fits })
}

/// The branches as everybody has them, without `refs/heads/`.
fn branches(repository: &Repository) -> anyhow::Result<BTreeMap<String, ObjectId>> {
    let shared = Origin::of(repository, &[]).is_some_and(|origin| origin.is_tracked());
    let prefix = if shared { "refs/remotes/origin/" } else { "refs/heads/" };
    let refs = repository.refs_under(prefix)?;
    Ok(refs
        .into_iter()
        .filter_map(|(name, tip)| Some((name.strip_prefix(prefix)?.to_owned(), tip)))
        .collect())
}

/// What both sides changed, and a branch that is too long, is for people.
fn left_where_git_says_so(unwritten: Unwritten) -> anyhow::Error {
    match unwritten.code {
        "merge-conflict" | "branch-too-long" => Stays::Left(unwritten.message).into(),
        _ => unwritten.into(),
    }
}
