//! `git gate hook`: what git runs before it takes a commit message or a push, and putting that in its place.
//!
//! The hooks are short scripts (`hooks/`), held in this program; each calls back to it. They tell mistakes early, and keep
//! what could never count off a server. Nothing rests on them: readers verify everything again.

mod commit_msg;
mod directory;
mod install;
mod pre_push;
mod pre_receive;

use std::io::Read as _;
use std::rc::Rc;

use crate::git::Repository;
use crate::insight::{Push, Received, Receiver, Refs, receive};
use crate::model::ObjectId;
use crate::render;

use super::{Context, Exit, Failure, environment, judging};

/// How much of what git says of a push is read: some hundred thousand refs.
const MOST_INPUT: u64 = 64 * 1024 * 1024;

/// The arguments of `hook`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Install the hooks: those of a clone, or the one of a server.
    ///
    /// In a clone: `commit-msg` and `pre-push`. With `--server`, in the repository that pushes go to: `pre-receive`. A hook that
    /// stands there already is never overwritten: say `--chain`, and it runs first.
    Install(install::Args),
    /// Take the hooks away again; those that ran first are put back.
    Uninstall(install::Place),
    /// Judge a push where it is received; git runs this, with the push on standard input.
    #[command(
        after_help = "Exit status: 0 the push may be taken, 10 it is refused, 3 it could not be judged."
    )]
    PreReceive,
    /// Judge a push before it is sent, as far as that can be told here; git runs this.
    ///
    /// What cannot be told here is let pass with a warning: the other side judges it.
    #[command(after_help = "Exit status: 0 nothing is known against the push, 10 it would be refused.")]
    PrePush(pre_push::Args),
    /// Look at a commit message; git runs this with its file.
    #[command(after_help = "Exit status: 0 no decision, or a well-formed one, 10 a malformed one.")]
    CommitMsg(commit_msg::Args),
}

impl Args {
    /// Whether it is git that runs this: then its environment says which repository is meant.
    pub(super) fn is_run_by_git(&self) -> bool {
        match self.command {
            Command::PreReceive | Command::PrePush(_) | Command::CommitMsg(_) => true,
            Command::Install(_) | Command::Uninstall(_) => false,
        }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Install(args) => install::install(context, args),
        Command::Uninstall(place) => install::uninstall(context, place),
        Command::PreReceive => pre_receive::run(context),
        Command::PrePush(args) => pre_push::run(context, args),
        Command::CommitMsg(args) => commit_msg::run(context, args),
    }
}

/// Prints what a hook found, and with which status to end.
fn tell(context: &Context, hook: &str, received: &Received) -> anyhow::Result<Exit> {
    for warning in &received.warnings {
        context.warn(warning);
    }
    context.print(&render::render_refusals(hook, received, judging::form(context)))?;
    Ok(if received.refusals.is_empty() { Exit::Done } else { Exit::Blocked })
}

/// The repository that git runs a hook in, what is pushed included.
fn repository(context: &Context) -> Result<Repository, Failure> {
    let repository = Repository::open_in_hook(&environment::hook_place(), &context.directory)?;
    Ok(if context.no_index { repository.without_index() } else { repository.glancing() })
}

/// Judges a push, with what the index knows of what was there before; without it where that is in doubt. Nothing that is
/// pushed is kept in it.
fn judged(context: &Context, receiver: &Receiver, push: &Push) -> Result<Received, Failure> {
    let received = receive(receiver, push);
    let without = || -> Result<Received, Failure> {
        let repository = Rc::new(repository(context)?.without_index());
        Ok(receive(&Receiver { repository, ..receiver.clone() }, push)?)
    };
    if !receiver.repository.remembers() {
        return Ok(received?);
    }
    match received {
        Ok(received) if !received.doubtful => {
            debug_assert_eq!(Some(&received), without().ok().as_ref(), "the index changes no answer");
            Ok(received)
        }
        Ok(_) | Err(_) => without(),
    }
}

/// The trust root that is given or pinned, if one is.
fn pinned(context: &Context, repository: &Repository) -> Result<Option<ObjectId>, Failure> {
    if let Some(root) = context.root {
        return Ok(Some(root));
    }
    let Some(text) = repository.config("gate.root") else { return Ok(None) };
    let root = text.parse().map_err(|wrong| {
        Failure::new("no-trust-root", format!("`gate.root` is `{text}`: {wrong}"))
            .help("pin it: `git config gate.root <full commit id>`")
    })?;
    Ok(Some(root))
}

/// Where a push is judged.
fn receiver(context: &Context, repository: Repository, root: Option<ObjectId>, before: Refs) -> Receiver {
    Receiver {
        mainline: repository.config("gate.mainline").unwrap_or("main").to_owned(),
        root,
        before,
        time: context.now,
        repository: Rc::new(if repository.remembers() { repository.glancing_only() } else { repository }),
    }
}

/// What git says of a push.
fn pushed() -> Result<String, Failure> {
    let unreadable = |why: String| Failure::new("push-unreadable", why);
    let mut text = String::new();
    let read = std::io::stdin().take(MOST_INPUT).read_to_string(&mut text);
    let read =
        read.map_err(|error| unreadable(format!("what git says of the push cannot be read: {error}")))?;
    if u64::try_from(read).is_ok_and(|read| read == MOST_INPUT) {
        return Err(unreadable(format!("what git says of the push is longer than {MOST_INPUT} bytes")));
    }
    Ok(text)
}
