//! `git gate doctor`: why signing or verifying does not work here, and the command that mends it.
//!
//! It works in the worst of places: without a repository, a policy or a key, each question is asked by itself, and what
//! cannot be asked is said. It runs the user's own programs, since they are what is examined; it changes nothing.

mod agent;
mod clone;
mod hooks;
mod key;
mod policy;
mod programs;
mod remote;
mod shell;
mod signing;

use std::time::Duration;

use crate::git::{Git, GitError, Repository};
use crate::render::{self, Examined, Finding, State};

use super::session::{Opening, Session};
use super::{Context, Exit, Failure, judging};

/// The arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 nothing is broken, 3 something is.")]
pub struct Args {
    /// Look only at what reading and verifying need: for bots that sign nothing.
    #[arg(long, conflicts_with = "sign")]
    reading: bool,
    /// Also sign something that is no commit, which may ask for a passphrase or a touch.
    #[arg(long)]
    sign: bool,
    /// How many seconds the remote may take to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    wait: u32,
}

/// What is examined: everything is there or it is known why not.
struct Patient<'a> {
    context: &'a Context,
    git: Git,
    repository: Result<Repository, GitError>,
    session: Result<Session, Failure>,
    wait: Duration,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let examined = {
        let _busy = context.busy("examining");
        examine(context, args)
    };
    context.print(&render::render_doctor(&examined, judging::form(context)))?;
    Ok(match examined.state() {
        State::Ok | State::Warning => Exit::Done,
        State::Broken => Exit::Failed,
    })
}

fn examine(context: &Context, args: &Args) -> Examined {
    let repository = Repository::discover(&context.directory);
    let git = match &repository {
        Ok(repository) => Git::of(repository),
        Err(_nowhere) => Git::at(&context.directory),
    };
    let patient = Patient {
        context,
        git,
        repository,
        session: Session::open(context, &Opening::default()),
        wait: Duration::from_secs(u64::from(args.wait)),
    };
    let mut findings: Vec<Finding> = programs::look(&patient);
    let has_git = findings.iter().all(|finding| finding.name != "git" || finding.state != State::Broken);
    let mut key = None;
    if has_git && !args.reading {
        let (found, signing) = signing::look(&patient, args.sign);
        key = found;
        findings.extend(signing);
    }
    findings.extend(clone::look(&patient));
    findings.extend(policy::look(&patient, key.as_deref()));
    if has_git {
        findings.extend(hooks::look(&patient));
        findings.extend(remote::look(&patient));
    }
    Examined { findings }
}
