//! `git gate policy`: the policy in force, its problems, what waits.

use crate::policy::{Policy, lint};
use crate::problem::Problems;
use crate::render::{self, LintShown};

use super::policy_files::{self, PolicyFiles};
use super::session::{Opening, Session};
use super::{Context, Exit, judging, policy_branches, policy_diff};

/// The arguments of `policy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the policy in force: roles, rules, keys.
    Show,
    /// Look for what is wrong with a policy.
    ///
    /// Errors keep a policy from coming into force; warnings are what is most likely not meant.
    #[command(
        after_help = "Exit status: 0 nothing found or warnings alone, 10 errors, 3 it could not be read."
    )]
    Lint(LintArgs),
    /// Say what a policy change means, and which gates it flips.
    ///
    /// Part by part: tighter asks more in some case and less in none, looser the other way round, different asks something
    /// else. Every gate is judged under the policy in force and as if the other one were.
    Diff(DiffArgs),
    /// Show the policy in force, the one that waits, and who has decided on it.
    Status,
}

#[derive(Debug, clap::Args)]
struct LintArgs {
    /// A directory that holds the policy, a branch, `HEAD`, a tag, or a full commit id; else `policy/` of the work tree, and in a bare
    /// repository that of the mainline.
    #[arg(value_name = "PATH|BRANCH|COMMIT")]
    policy: Option<String>,
    /// The policy as it is staged: what the next commit would hold.
    #[arg(long, conflicts_with = "policy")]
    index: bool,
}

#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// A directory that holds the policy, a branch, `HEAD`, a tag, or a full commit id; else `policy/` of the work tree, and
    /// in a bare repository that of the mainline.
    #[arg(value_name = "PATH|BRANCH|COMMIT")]
    policy: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let form = judging::form(context);
    let text = match &args.command {
        Command::Show => {
            let session = Session::open(context, &Opening::default())?;
            render::render_policy(session.policy(), &session.origin()?, form)
        }
        Command::Status => {
            let session = Session::open(context, &Opening::default())?;
            let branches = policy_branches::open_changes(context, &session)?;
            let (origin, decisions) = (session.origin()?, session.policy_decisions()?);
            render::render_policy_status(&origin, &decisions, &branches, form)
        }
        Command::Diff(args) => {
            let files = policy_files::read(context, args.policy.as_deref())?;
            render::render_policy_diff(&policy_diff::compare(context, &files)?, form)
        }
        Command::Lint(args) => {
            let files = if args.index {
                policy_files::from_index(context)?
            } else {
                policy_files::read(context, args.policy.as_deref())?
            };
            let found = look(files);
            context.print(&render::render_lint(&found, form))?;
            return Ok(if found.violations.is_empty() { Exit::Done } else { Exit::Blocked });
        }
    };
    context.print(&text)?;
    Ok(Exit::Done)
}

/// Everything that is found. Of a policy that does not read, all that is wrong keeps it from coming into force.
fn look(files: PolicyFiles) -> LintShown {
    let (mut violations, mut warnings) = match Policy::parse(&files.policy_toml, &files.allowed_signers) {
        Ok(policy) => (policy.findings.clone(), lint(&policy)),
        Err(Problems(problems)) => (problems, Vec::new()),
    };
    for place in violations.iter_mut().chain(&mut warnings).filter_map(|problem| problem.place.as_mut()) {
        place.file = files.shown(&place.file);
    }
    LintShown { policy: files.origin, violations, warnings }
}
