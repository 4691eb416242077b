//! `git gate deploy`: check, then log the deployment; or log that one failed.
//!
//! The record is made of the very judging that allowed it: its date is the time of that judging, its last parent the
//! mainline commit that was judged, so that a replay asks the same question (design, section 10). Done only when the
//! remote has the record. Where another bot was faster, all of it is done again on what is there then.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::{Action, ClaimedBasis, Decision, Deploy, Reading, Seen, Target};
use crate::decision::{parse_message, render_message};
use crate::git::{Branch, Draft};
use crate::insight::{Judgement, Originals, Question};
use crate::ledger::Record;
use crate::model::{ArtifactDigest, ArtifactName, GateName, Name, ObjectId, Principal, Time, escape, limits};
use crate::policy::Policy;
use crate::render::{self, DeploymentShown, Logged};
use crate::signature::Verified;
use crate::verdict::{Basis, Given, Outcome};

use super::given::GivenArgs;
use super::hand::{Hand, SigningArgs, refuse_out_of_role};
use super::session::{Opening, Session, View};
use super::together::{self, Proposal, Reviewed};
use super::{Context, Exit, Failure, deploy_failed, environment, judging};

/// The arguments of `deploy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 logged (with --dry-run: it would be), 11 pending, 10 blocked or a rejection is not \
    recorded yet, 3 it could not be decided or logged, 2 wrong arguments. Run again after any failure: what is logged \
    already is not logged twice."
)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    #[arg(value_name = "GATE")]
    pub(super) gate: GateName,
    /// The environment it goes to.
    #[arg(long, value_name = "ENVIRONMENT", required = true)]
    pub(super) env: Name,
    /// What is deployed.
    #[command(flatten)]
    given: GivenArgs,
    /// Judge, and say what would be logged; log nothing.
    #[arg(long)]
    dry_run: bool,
    /// Log it also where it is not allowed; it must be covered afterwards, and blocks until then.
    #[arg(long, requires = "reason")]
    break_glass: bool,
    /// Why the glass is broken.
    #[arg(long, value_name = "TEXT", requires = "break_glass")]
    reason: Option<String>,
    /// Log that the deployment of this record failed: from then on it is not what runs.
    #[arg(long, value_name = "LOG COMMIT", conflicts_with_all = ["break_glass", "artifacts", "digests", "dry_run"])]
    failed: Option<ObjectId>,
    /// How to sign.
    #[command(flatten)]
    pub(super) signing: SigningArgs,
}

/// Why nothing was logged, which is no failure: what to print, and the exit status.
#[derive(Debug, thiserror::Error)]
#[error("nothing is to be logged")]
struct NotLogged {
    judgement: Box<Judgement>,
    /// The record that is there already.
    already: Option<Box<Logged>>,
    exit: Exit,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    if let Some(failed) = args.failed {
        return deploy_failed::run(context, args, failed);
    }
    let given = args.given.digests(context)?;
    if args.dry_run {
        let (session, _context) = open(context, &args.env)?;
        let judgement = judge(&session, args, &given)?;
        let exit = exit(&judgement);
        let would = claim(args, &judgement).filter(|_claimed| may_be_logged(&judgement));
        print(context, args, &judgement, None, would)?;
        return Ok(if would.is_some() { Exit::Done } else { exit });
    }
    refuse_to_keep_it_here(context, args)?;
    let written = together::write(context, &args.signing, |_before| deploy(context, args, &given));
    match written {
        Ok((signed, (judgement, basis))) => {
            if let Some(note) = &signed.written.note {
                context.warn(note);
            }
            let logged = Logged {
                record: signed.written.commit,
                branch: signed.written.branch,
                pushed: signed.written.pushed,
                basis,
                already: false,
            };
            print(context, args, &judgement, Some(&logged), None)?;
            Ok(Exit::Done)
        }
        Err(error) => {
            let NotLogged { judgement, already, exit } = error.downcast::<NotLogged>()?;
            print(context, args, &judgement, already.as_deref(), None)?;
            Ok(exit)
        }
    }
}

/// What would be logged of what stands there now; or why nothing is.
fn deploy(
    context: &Context,
    args: &Args,
    given: &BTreeMap<ArtifactName, ArtifactDigest>,
) -> anyhow::Result<(Proposal, (Judgement, ClaimedBasis))> {
    let (session, context) = open(context, &args.env)?;
    let judgement = judge(&session, args, given)?;
    let log = log_branch(&session, &args.env, judgement.origin.log)?;
    let claimed = claim(args, &judgement).filter(|_claimed| may_be_logged(&judgement));
    let Some(basis) = claimed else {
        let exit = exit(&judgement);
        return Err(NotLogged { judgement: Box::new(judgement), already: None, exit }.into());
    };
    let same = |record: &Record| says_the_same(record, &judgement, basis, given);
    let same = session.last_records_such(&args.env, &args.gate.system, &same)?;
    let again = Again { same, branch: log.name().to_owned(), judgement: judgement.clone() };
    if let Some(me) = Hand::of(&context, session.repository(), session.policy())?.principal {
        again.refuse(&me)?;
    }
    let message = message(&session, args, given, &judgement, basis, log.tip())?;
    let origin = &judgement.origin;
    let draft = Draft::record(session.repository(), log.tip(), origin.mainline, origin.time, &message)?;
    let question = (basis == ClaimedBasis::BreakGlass).then(|| {
        format!(
            "`{}` is not allowed in `{}`: you are about to log that it is deployed all the same.\n\n{}\n\nSign it?",
            args.gate,
            args.env,
            indented(&message)
        )
    });
    let mut proposal = proposal(&context, args, &session, log, draft, question)?;
    // Whose key it is may be known only once it has signed.
    let may_deploy = proposal.fits;
    proposal.fits =
        Box::new(move |signer| may_deploy(signer).and_then(|()| again.refuse(signer.principal())));
    Ok((proposal, (judgement, basis)))
}

/// The last records that say what would be logged now: of a run that was cut off, or of other bots.
struct Again {
    same: Vec<Record>,
    branch: String,
    judgement: Judgement,
}

impl Again {
    /// Nothing is logged twice by the same bot.
    fn refuse(&self, bot: &Principal) -> anyhow::Result<()> {
        let Some(record) = self.same.iter().find(|record| record.principal.as_ref() == Some(bot)) else {
            return Ok(());
        };
        let already = Logged {
            record: record.commit,
            branch: self.branch.clone(),
            pushed: true,
            basis: record.claimed,
            already: true,
        };
        let judgement = Box::new(self.judgement.clone());
        Err(NotLogged { judgement, already: Some(Box::new(already)), exit: Exit::Done }.into())
    }
}

/// Opens the repository at the time at which a record may be dated: now, or a little later where the log or the mainline
/// is dated ahead of this clock.
pub(super) fn open(context: &Context, environment: &Name) -> anyhow::Result<(Session, Context)> {
    let now = environment::now()?.max(context.now);
    let at = |time: Time| -> anyhow::Result<(Session, Context)> {
        let context = Context { now: time, ..context.clone() };
        let opening = Opening { view: View::Recorded, ..Opening::default() };
        Ok((Session::open(&context, &opening)?, context))
    };
    let (session, context) = at(now)?;
    refuse_a_clock_that_is_behind(&session, environment, now)?;
    let last = session.last_record(environment, None)?.map(|record| record.time);
    let earliest = last.into_iter().chain([session.mainline_date()]).max().unwrap_or(now);
    if earliest <= now {
        return Ok((session, context));
    }
    session.close();
    at(earliest)
}

/// What is logged is dated after what it follows and what it judges, and not ahead of everybody else's clock. Where one of
/// them is far ahead of this clock, no date is both; and one that seems so now is seen through once that time has come.
fn refuse_a_clock_that_is_behind(session: &Session, environment: &Name, now: Time) -> Result<(), Failure> {
    let behind = |what: &str, ahead: Time, mend: &str| {
        let minutes = ahead.seconds_since(now) / 60;
        let message = format!("{what} is dated {ahead}, {minutes} minutes after this clock");
        Failure::new("clock-behind", message).help(format!(
            "set the clock of this machine: what it logs now would be out of chain by everybody else's; if the other's clock \
             was wrong, wait until then{mend}"
        ))
    };
    if let Some(ahead) = session.dated_ahead(environment)? {
        return Err(behind("a deployer's record", ahead, ""));
    }
    let mainline = session.mainline_date();
    if mainline.seconds_since(now) > limits::CLOCK_SKEW_SECONDS {
        let mend = ", or have somebody whose clock is right put a commit onto the mainline";
        return Err(behind("the mainline's last commit", mainline, mend));
    }
    Ok(())
}

fn judge(
    session: &Session,
    args: &Args,
    given: &BTreeMap<ArtifactName, ArtifactDigest>,
) -> anyhow::Result<Judgement> {
    let given = Given::Artifacts(given.clone().into());
    // A record is judged again from the repository alone: no report is brought along.
    let originals = Originals::new();
    let question = Question { gate: args.gate.clone(), environment: args.env.clone(), given, originals };
    let judgement = session.judge(&question)?;
    refuse_relaxations("deploy", &judgement.origin.relaxations)?;
    Ok(judgement)
}

/// What replays or narrows is no ground to deploy on, nor to vouch for (design, section 2.7).
pub(super) fn refuse_relaxations(command: &str, relaxations: &[String]) -> Result<(), Failure> {
    if relaxations.is_empty() {
        return Ok(());
    }
    let message =
        format!("`{command}` does not take {}: it judges under the pinned root", relaxations.join(", "));
    Err(Failure::usage(message).help("pin the root that you trust: `git gate trust <commit>`"))
}

/// A record that only one clone has is none.
pub(super) fn refuse_to_keep_it_here(context: &Context, args: &Args) -> anyhow::Result<()> {
    let keeps = args.signing.no_push || args.signing.offline;
    if keeps && context.repository()?.config("remote.origin.url").is_some() {
        let message =
            "`deploy` is done when the remote has the record: it takes neither `--no-push` nor `--offline`";
        return Err(Failure::usage(message).help("what would be logged: `--dry-run`").into());
    }
    Ok(())
}

/// The branch of the log, which must stand where it was judged.
pub(super) fn log_branch(
    session: &Session,
    environment: &Name,
    judged: Option<ObjectId>,
) -> anyhow::Result<Branch> {
    let branch = Branch::find(session.repository(), &format!("deployments/{environment}"))?;
    if branch.tip() != judged {
        let name = branch.name().to_owned();
        return Err(Failure::new("log-unpushed", format!("`{name}` holds records here that `origin` lacks"))
            .help(format!("push them first: `git push origin {name}`; or look at them: `git log {name}`"))
            .into());
    }
    Ok(branch)
}

/// On what the record will say that it rests; nothing where it may not be logged.
fn claim(args: &Args, judgement: &Judgement) -> Option<ClaimedBasis> {
    match judgement.verdict.outcome {
        Outcome::Allowed(Basis::Requirements) => Some(ClaimedBasis::Requirements),
        Outcome::Allowed(Basis::Exception) => Some(ClaimedBasis::Exception),
        Outcome::Allowed(Basis::Rollback) => Some(ClaimedBasis::Rollback),
        Outcome::Pending | Outcome::Blocked => args.break_glass.then_some(ClaimedBasis::BreakGlass),
    }
}

/// A rejection that waits to be recorded stops a deployment, though it is no part of the verdict (design, section 9.7).
pub(super) fn may_be_logged(judgement: &Judgement) -> bool {
    !judgement.verdict.notices.iter().any(|notice| notice.code == "rejection-unrecorded")
}

fn exit(judgement: &Judgement) -> Exit {
    if may_be_logged(judgement) { judging::exit(judgement.verdict.outcome) } else { Exit::Blocked }
}

/// Whether a record says what would be logged now.
fn says_the_same(
    record: &Record,
    judgement: &Judgement,
    basis: ClaimedBasis,
    given: &BTreeMap<ArtifactName, ArtifactDigest>,
) -> bool {
    record.gate == judgement.verdict.gate
        && Some(record.content) == judgement.verdict.content
        && *record.artifacts == *given
        && record.judged == judgement.origin.mainline
        && !record.failed
        && (record.claimed == ClaimedBasis::BreakGlass) == (basis == ClaimedBasis::BreakGlass)
}

fn message(
    session: &Session,
    args: &Args,
    given: &BTreeMap<ArtifactName, ArtifactDigest>,
    judgement: &Judgement,
    basis: ClaimedBasis,
    log: Option<ObjectId>,
) -> anyhow::Result<String> {
    let Some(content) = judgement.verdict.content else {
        let message =
            format!("`{}` does not stand on the mainline in a form that can be named by a digest", args.gate);
        return Err(Failure::new("gate-unrecorded", message)
            .help(format!("record it first: `git gate merge {}`", args.gate))
            .into());
    };
    let accepted = session.accepted_log(&args.env)?;
    let deploy = Deploy {
        seen: Seen { content, policy: judgement.origin.policy.digest },
        environment: args.env.clone(),
        basis,
        artifacts: given.clone().into(),
        reason: args.reason.clone().filter(|_reason| basis == ClaimedBasis::BreakGlass),
        root: judgement.origin.root,
        restart: accepted.filter(|accepted| log == Some(*accepted)),
    };
    let decision = Decision { target: Target::Gate(args.gate.clone()), action: Action::Deploy(deploy) };
    let body = render::deployment_words(judgement, basis, given, args.signing.message.as_deref());
    Ok(checked(&decision, render_message(&decision, "", &body))?)
}

/// What is signed must read back as what was meant.
pub(super) fn checked(decision: &Decision, message: String) -> Result<String, Failure> {
    match parse_message(&message) {
        Reading::Decision { decision: read, stray: false } if read == *decision => Ok(message),
        Reading::Decision { .. } | Reading::None { .. } | Reading::Malformed(_) => Err(Failure::usage(
            "this record cannot be written: it would not read back; look at `--message` and `--reason`",
        )),
    }
}

pub(super) fn proposal(
    context: &Context,
    args: &Args,
    session: &Session,
    branch: Branch,
    draft: Draft,
    question: Option<String>,
) -> anyhow::Result<Proposal> {
    let repository = context.repository()?;
    let policy = session.policy_in_force();
    let hand = Hand::of(context, &repository, &policy)?;
    let environment = args.env.clone();
    let roles =
        policy.environments.get(&environment).map(|known| known.deployers.clone()).unwrap_or_default();
    let judged_under = session.policy_in_force();
    let fits = Box::new(move |signer: &Verified| {
        Ok(refuse_no_deployer(&judged_under, signer, &roles, &environment)?)
    });
    Ok(Proposal { repository, policy, branch, draft, hand, reviewed: Reviewed::default(), question, fits })
}

fn refuse_no_deployer(
    policy: &Policy,
    signer: &Verified,
    roles: &BTreeSet<Name>,
    environment: &Name,
) -> Result<(), Failure> {
    let mut refusal = None;
    for role in roles {
        match refuse_out_of_role(policy, signer, role) {
            Ok(()) => return Ok(()),
            Err(failure) => refusal = Some(failure),
        }
    }
    match refusal {
        Some(failure) if roles.len() == 1 => Err(failure),
        Some(_) | None => {
            let listed: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
            let listed = if listed.is_empty() { "nobody".to_owned() } else { listed.join(" or ") };
            let message = format!("`{}` may not log deployments to `{environment}`", signer.principal());
            Err(Failure::new("not-in-role", message).help(format!("the policy lets {listed} do it")))
        }
    }
}

fn print(
    context: &Context,
    args: &Args,
    judgement: &Judgement,
    logged: Option<&Logged>,
    would: Option<ClaimedBasis>,
) -> anyhow::Result<()> {
    let shown = DeploymentShown { judgement, logged, would, dry_run: args.dry_run };
    context.print(&render::render_deploy(&shown, judging::form(context)))
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().split('\n').map(|line| format!("  {}", escape(line))).collect();
    lines.join("\n")
}
