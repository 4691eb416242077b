//! `git gate merge`: bring a gate branch to the mainline, with its commits.
//!
//! Always a true merge, the mainline first: a squash or a rebase would lose the signatures, and a merge the other way
//! round would rewrite the order of everything (design, section 9).

use std::sync::Arc;

use crate::git::{Branch, Draft, Git, merge_trees};
use crate::model::GateName;
use crate::policy::Policy;
use crate::signature::Verified;

use super::gate_files::GateFiles;
use super::hand::{Hand, SigningArgs};
use super::in_force::{mainline_name, policy_in_force};
use super::requesting::{message, print_written};
use super::together::{self, Proposal, Reviewed};
use super::{Context, Exit, Failure};

/// The arguments of `merge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    pub gate: GateName,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let (signed, ()) = together::write(context, &args.signing, |_before| Ok((proposal(context, args)?, ())))?;
    let gate = &args.gate;
    let more = serde_json::json!({ "gate": gate.to_string() });
    print_written(context, "merge", &format!("merged {gate}"), &signed.written, &more)?;
    Ok(Exit::Done)
}

fn proposal(context: &Context, args: &Args) -> anyhow::Result<Proposal> {
    let repository = context.repository()?;
    let in_force = policy_in_force(context)?;
    let gate = &args.gate;
    let gate_branch = Branch::find(&repository, &gate.branch())?;
    let branch = Branch::find(&repository, mainline_name(&repository))?;
    let (Some(tip), Some(base)) = (gate_branch.tip(), branch.tip()) else {
        return Err(Failure::new("gate-unknown", format!("there is no branch `{}`", gate_branch.name()))
            .help("which are there: `git branch -a --list '*gate/*'`")
            .into());
    };
    let git = Git::of(&repository);
    if git.attempt(&["merge-base", "--is-ancestor", &tip.to_string(), &base.to_string()], b"")?.success {
        return Err(Failure::new(
            "nothing-changed",
            format!("the mainline has all of `{}` already", gate_branch.name()),
        )
        .into());
    }
    let files = GateFiles::read(&repository, tip, &gate.directory())?.unwrap_or_default();
    // A rejection that came in meanwhile is what a merge is to record.
    let reviewed = Reviewed { like: files.named(&gate.directory()), ..Reviewed::default() };
    let hand = Hand::of(context, &repository, &in_force.policy)?;
    let tree = merge_trees(&git, base, tip)?;
    let draft = Draft::merge(base, tip, tree, &message(&format!("Merge {gate}"), &args.signing)?);
    let policy = Arc::clone(&in_force.policy);
    let fits = Box::new(move |signer: &Verified| may_sign_mainline(&policy, signer));
    Ok(Proposal { repository, policy: in_force.policy, branch, draft, hand, reviewed, question: None, fits })
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
