//! `git gate review`: the approver's brief, and on a terminal the decision.
//!
//! What is shown is what is signed: the decision goes the way of `approve` and `reject`, with the content and policy
//! digests of the brief, and stops where something else stands there by then (design, section 12). Without a terminal
//! nothing is asked: the brief is for a pull request or a program.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use crate::decision::{Seen, Target};
use crate::git::{Git, Origin};
use crate::insight::{Assertion, Brief, GateDirectory, Originals, Question, Signing, changed_paths};
use crate::model::{GateName, Name, Principal};
use crate::policy::Policy;
use crate::render;
use crate::verdict::Given;

use super::borrowed::{Address, Borrowed};
use super::decided_on::CONTENT_MOVED;
use super::deciding::{DecidingArgs, asked_roles};
use super::hand::{Hand, SigningArgs};
use super::session::{Opening, Session, View};
use super::{Context, Exit, Failure, Format, approve, ask, judging, reject};

/// The arguments of `review`.
#[derive(Debug, clap::Args)]
#[command(
    allow_missing_positional = true,
    after_help = "On a terminal it asks what to decide; elsewhere, and with another --format than text, it only \
    prints. Exit status: 0 whatever the verdict."
)]
pub struct Args {
    /// The address of a repository that you have no clone of: it is fetched for this one review.
    #[arg(value_name = "URL")]
    address: Option<Address>,
    /// The gate, `<system>/<version>`.
    #[arg(value_name = "GATE", required = true)]
    gate: GateName,
    /// Only for this environment (repeatable); a decision is then for these too.
    #[arg(long, value_name = "ENVIRONMENT")]
    env: Vec<Name>,
    /// Leave the branch here; else it is pushed where there is a remote `origin`.
    #[arg(long)]
    no_push: bool,
    /// Neither fetch nor push: work on what was fetched last.
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let asks = context.asks && context.format == Format::Text && std::io::stdout().is_terminal();
    if let Some(address) = &args.address {
        let borrowed = Borrowed::fetch(context, address, &Target::Gate(args.gate.clone()))?;
        return review(borrowed.context(), args, asks);
    }
    if asks && !args.offline {
        bring_up_to_date(context)?;
    }
    review(context, args, asks)
}

/// Fetches before somebody reads what they may sign. Without a network they may read what was fetched last.
fn bring_up_to_date(context: &Context) -> anyhow::Result<()> {
    let Some(origin) = Origin::of(&context.repository()?, &[]) else { return Ok(()) };
    let fetched = {
        let _busy = context.waiting("fetching from `origin`");
        origin.fetch()
    };
    if let Err(error) = fetched {
        context.warn(&format!("this may be out of date: {error}"));
    }
    Ok(())
}

fn review(context: &Context, args: &Args, asks: bool) -> anyhow::Result<Exit> {
    let session = open(context, &args.gate)?;
    let brief = read(&session, args)?;
    let seen = brief
        .content()
        .map(|content| anyhow::Ok(Seen { content, policy: session.origin()?.policy.digest }))
        .transpose()?;
    let signing = signing(context, &session, &brief, seen, &args.env)?;
    context.print(&render::render_review(&brief, &signing, judging::form(context)))?;
    let (true, Some(seen)) = (asks, seen) else { return Ok(Exit::Done) };
    decide(context, args, &session, &brief, &signing, seen)
}

fn open(context: &Context, gate: &GateName) -> Result<Session, Failure> {
    let opening = Opening { view: View::Merged(gate.clone()), ..Opening::default() };
    Session::open(context, &opening)
}

fn read(session: &Session, args: &Args) -> Result<Brief, Failure> {
    let environments = judging::environments(session, &args.gate, &args.env)?;
    let question = |environment| Question {
        gate: args.gate.clone(),
        environment,
        given: Given::NotAsked,
        originals: Originals::new(),
    };
    session.brief(&args.gate, environments.into_iter().map(question).collect())
}

/// What the reader could sign: in each role that the gate asks for and their key holds; in all of them where it is not
/// known whose key it is.
fn signing(
    context: &Context,
    session: &Session,
    brief: &Brief,
    seen: Option<Seen>,
    only: &[Name],
) -> anyhow::Result<Signing> {
    let policy = session.policy();
    let request = brief.directory.as_ref().and_then(|directory| directory.request(&brief.gate));
    let (Some(seen), Some(request)) = (seen, request) else { return Ok(Signing::default()) };
    let principal = reader(context, session, policy)?;
    let asked = asked_roles(policy, Some(&request));
    let held: BTreeSet<&Name> = match &principal {
        Some(principal) => asked.iter().filter(|role| policy.holds(principal, role)).collect(),
        None => asked.iter().collect(),
    };
    let environments: BTreeSet<Name> =
        if only.is_empty() { request.environments.clone() } else { only.iter().cloned().collect() };
    let refused = match &principal {
        Some(who) if policy.is_bot(who) => Some(format!("{who} is a bot: only people approve")),
        Some(who) if session.authors(&brief.gate)?.contains(who) => {
            Some(format!("{who} is an author of this gate: an approval by them would not count"))
        }
        Some(who) if held.is_empty() => {
            let roles: Vec<String> = asked.iter().map(ToString::to_string).collect();
            Some(format!("{who} holds none of the roles that are asked for: {}", roles.join(", ")))
        }
        Some(_) | None => None,
    };
    let scope: Vec<Name> = only.to_vec();
    let assertions =
        held.into_iter().map(|role| Assertion::of(&brief.gate, role, &environments, &scope, seen)).collect();
    Ok(Signing { principal, refused, reasons: policy.rejection_reasons.clone(), assertions })
}

/// Whose signing key it is, where that can be told. Who cannot sign here may read all the same; and where nobody will be
/// asked, no program is started but git, that tells its configuration.
fn reader(context: &Context, session: &Session, policy: &Policy) -> anyhow::Result<Option<Principal>> {
    let named = Git::of(session.repository()).config("user.signingkey")?.is_some();
    if !named && !context.asks {
        return Ok(None);
    }
    Ok(Hand::of(context, session.repository(), policy).ok().and_then(|hand| hand.principal))
}

/// Asks what to decide, and goes the way of the command that does it.
fn decide(
    context: &Context,
    args: &Args,
    session: &Session,
    brief: &Brief,
    signing: &Signing,
    seen: Seen,
) -> anyhow::Result<Exit> {
    let policy = session.policy();
    let roles: Vec<Name> = signing.assertions.iter().map(|assertion| assertion.role.clone()).collect();
    let may_approve = signing.refused.is_none() && !roles.is_empty();
    let held: Vec<Name> = match &signing.principal {
        Some(who) => policy.roles_of(who).map(|(name, _role)| name.clone()).collect(),
        None => roles.clone(),
    };
    let choices: &[&str] = if may_approve { &["approve", "reject", "leave"] } else { &["reject", "leave"] };
    let choice = if held.is_empty() { "leave".to_owned() } else { ask::one_of("decide", choices, "leave")? };
    let roles = if choice == "approve" { roles } else { held };
    let result = match choice.as_str() {
        "approve" => {
            let role = ask::name("as", &roles)?;
            let deciding = deciding(args, seen, ask::words("say why, for the record (may be empty)")?);
            approve::run(context, &approve::Args { deciding, role: Some(role), env: args.env.clone() })
        }
        "reject" => {
            let role = ask::name("as", &roles)?;
            let reasons: Vec<Name> = policy.rejection_reasons.iter().cloned().collect();
            let reason = ask::name("reason", &reasons)?;
            let deciding = deciding(args, seen, ask::words("say why, for the record (may be empty)")?);
            reject::run(context, &reject::Args { deciding, role: Some(role), reason })
        }
        _ => {
            context.say("nothing was signed");
            return Ok(Exit::Done);
        }
    };
    match (result, &brief.directory) {
        (Err(error), Some(shown)) => Err(what_moved(context, &args.gate, shown, error)),
        (result, _) => result,
    }
}

fn deciding(args: &Args, seen: Seen, words: String) -> DecidingArgs {
    DecidingArgs {
        address: None,
        target: Target::Gate(args.gate.clone()),
        branch: None,
        content: Some(seen.content),
        policy: Some(seen.policy),
        signing: SigningArgs {
            yes: false,
            message: Some(words).filter(|words| !words.is_empty()),
            no_push: args.no_push,
            offline: args.offline,
        },
    }
}

/// Names the files that changed while somebody read, where that is why nothing was signed.
fn what_moved(
    context: &Context,
    gate: &GateName,
    shown: &GateDirectory,
    error: anyhow::Error,
) -> anyhow::Error {
    let moved = error.downcast_ref::<Failure>().filter(|failure| failure.code == CONTENT_MOVED).cloned();
    let Some(mut failure) = moved else { return error };
    let now = open(context, gate).and_then(|session| session.directory(gate));
    if let Ok(Some(now)) = now {
        let paths: Vec<String> =
            changed_paths(shown, &now).into_iter().map(|path| format!("`{path}`")).collect();
        if !paths.is_empty() {
            failure.message = format!("{}; changed since: {}", failure.message, paths.join(", "));
        }
    }
    failure.into()
}
