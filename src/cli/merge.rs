//! `git gate merge`: bring a gate branch, or a policy change, to the mainline, with its commits.
//!
//! Always a true merge, the mainline first: a squash or a rebase would lose the signatures, and a merge the other way
//! round would rewrite the order of everything (design, section 9). A policy change is merged when it comes into force by
//! that, as the one reader of histories judges it: one that does not would wait on the mainline, in everybody's output.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::git::{Branch, Draft, Git, Repository, merge_trees};
use crate::model::{GateName, Malformed, Name};
use crate::policy::Policy;
use crate::signature::Verified;

use super::gate_files::GateFiles;
use super::hand::{Hand, SigningArgs};
use super::in_force::{mainline_name, policy_in_force};
use super::requesting::{message, print_written};
use super::session::{Opening, Session, View};
use super::together::{self, Proposal, Reviewed};
use super::{Context, Exit, Failure, policy_branches};

/// The arguments of `merge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, `<system>/<version>`; or the branch of a policy change, `policy/<slug>`.
    #[arg(value_name = "GATE|policy/SLUG")]
    pub target: Merged,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

/// What is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// A gate.
    Gate(GateName),
    /// What is a policy change's branch, and a gate's name too, where a system is called `policy`.
    Policy(Name, GateName),
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let target = told_apart(&context.repository()?, &args.target)?;
    let (signed, ()) =
        together::write(context, &args.signing, |_before| Ok((proposal(context, args, &target)?, ())))?;
    let more = match &target {
        Merged::Gate(gate) => serde_json::json!({ "gate": gate.to_string(), "policy_branch": null }),
        Merged::Policy(slug, _) => {
            serde_json::json!({ "gate": null, "policy_branch": format!("policy/{slug}") })
        }
    };
    print_written(context, "merge", &format!("merged {target}"), &signed.written, &more)?;
    Ok(Exit::Done)
}

/// A system may be called `policy`: then its gates are named as policy changes are. The branch that is there says which.
fn told_apart(repository: &Repository, target: &Merged) -> anyhow::Result<Merged> {
    let Merged::Policy(slug, gate) = target else { return Ok(target.clone()) };
    let stands = |name: &str| -> anyhow::Result<bool> { Ok(Branch::find(repository, name)?.tip().is_some()) };
    match (stands(&format!("policy/{slug}"))?, stands(&gate.branch())?) {
        (true, true) => Err(Failure::usage(format!(
            "`policy/{slug}` is a policy change, and a gate too: `gate/policy/{slug}`"
        ))
        .help("merge the one that you mean with git: `git merge --no-ff -S <branch>`")
        .into()),
        (false, true) => Ok(Merged::Gate(gate.clone())),
        (true | false, false) => Ok(target.clone()),
    }
}

fn proposal(context: &Context, args: &Args, target: &Merged) -> anyhow::Result<Proposal> {
    let repository = context.repository()?;
    let in_force = policy_in_force(context)?;
    let (name, directory) = match target {
        Merged::Gate(gate) => (gate.branch(), gate.directory()),
        Merged::Policy(slug, _) => (format!("policy/{slug}"), "policy".to_owned()),
    };
    let merged = Branch::find(&repository, &name)?;
    let branch = Branch::find(&repository, mainline_name(&repository))?;
    let (Some(tip), Some(base)) = (merged.tip(), branch.tip()) else {
        let (code, kind) = match target {
            Merged::Gate(_) => ("gate-unknown", "gate"),
            Merged::Policy(..) => ("no-branch", "policy"),
        };
        return Err(Failure::new(code, format!("there is no branch `{name}`"))
            .help(format!("which are there: `git branch -a --list '*{kind}/*'`"))
            .into());
    };
    let git = Git::of(&repository);
    if git.attempt(&["merge-base", "--is-ancestor", &tip.to_string(), &base.to_string()], b"")?.success {
        let message = format!("the mainline has all of `{name}` already");
        return Err(Failure::new("nothing-changed", message).into());
    }
    if let Merged::Policy(..) = target {
        refuse_unauthorized(context, &name)?;
    }
    let files = GateFiles::read(&repository, tip, &directory)?.unwrap_or_default();
    // A rejection that came in meanwhile is what a merge is to record.
    let reviewed = Reviewed { like: files.named(&directory), ..Reviewed::default() };
    let hand = Hand::of(context, &repository, &in_force.policy)?;
    let tree = merge_trees(&git, base, tip)?;
    let draft = Draft::merge(base, tip, tree, &message(&format!("Merge {target}"), &args.signing)?);
    let policy = Arc::clone(&in_force.policy);
    let fits = Box::new(move |signer: &Verified| Ok(may_sign_mainline(&policy, signer)?));
    Ok(Proposal { repository, policy: in_force.policy, branch, draft, hand, reviewed, question: None, fits })
}

/// Refuses a policy change that would not come into force by being merged.
fn refuse_unauthorized(context: &Context, name: &str) -> anyhow::Result<()> {
    let session = Session::open(context, &Opening { view: View::Local, ..Opening::default() })?;
    let open = policy_branches::open_changes(context, &session)?;
    let Some(change) = open.into_iter().find(|change| change.branch == name) else {
        return Err(
            Failure::new("nothing-changed", format!("`{name}` changes nothing of the mainline")).into()
        );
    };
    if let Some(problem) = change.problems.first() {
        return Err(Failure::new(
            "policy-unauthorized",
            format!("`{name}` cannot come into force: {problem}"),
        )
        .help(format!("what it means: `git gate policy diff {name}`"))
        .into());
    }
    if change.complete {
        return Ok(());
    }
    let awaited: Vec<String> = change.awaited.iter().map(ToString::to_string).collect();
    let message = format!(
        "`{name}` would not come into force: {} of {} approvals count so far",
        change.approvals, change.needed
    );
    Err(Failure::new("policy-unauthorized", message)
        .help(format!("`git gate approve policy --branch {name}`, by {}", awaited.join(" or ")))
        .into())
}

impl FromStr for Merged {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let gate: GateName = text.parse()?;
        Ok(match text.strip_prefix("policy/") {
            Some(slug) => Self::Policy(slug.parse()?, gate),
            None => Self::Gate(gate),
        })
    }
}

impl fmt::Display for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gate(gate) => write!(f, "{gate}"),
            Self::Policy(slug, _) => write!(f, "policy/{slug}"),
        }
    }
}

pub(super) fn may_sign_mainline(policy: &Policy, signer: &Verified) -> Result<(), Failure> {
    let Some(roles) = &policy.mainline_signed_by else { return Ok(()) };
    if roles.iter().any(|role| policy.holds(signer.principal(), role)) {
        return Ok(());
    }
    let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
    Err(Failure::new(
        "not-in-role",
        format!("`{}` may not sign the mainline: that takes {}", signer.principal(), roles.join(" or ")),
    ))
}
