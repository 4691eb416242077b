//! `git gate merge`: bring a gate branch to the mainline, with its commits.
//!
//! Always a true merge, the mainline first: a squash or a rebase would lose the signatures, and a merge the other way
//! round would rewrite the order of everything (design, section 9).

use crate::git::{Branch, Draft, Git, merge_trees};
use crate::model::GateName;

use super::hand::{Hand, SigningArgs, counting};
use super::in_force::{mainline_name, policy_in_force};
use super::requesting::{message, print_written};
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
    let repository = context.repository()?;
    let in_force = policy_in_force(context)?;
    let gate = &args.gate;
    let branch = Branch::find(&repository, &gate.branch())?;
    let mainline = Branch::find(&repository, mainline_name(&repository))?;
    let (Some(tip), Some(base)) = (branch.tip(), mainline.tip()) else {
        return Err(Failure::new("gate-unknown", format!("there is no branch `{}`", branch.name()))
            .help("is it fetched? `git fetch origin`")
            .into());
    };
    let git = Git::of(&repository);
    if git.attempt(&["merge-base", "--is-ancestor", &tip.to_string(), &base.to_string()], b"")?.success {
        return Err(Failure::new(
            "nothing-changed",
            format!("the mainline has all of `{}` already", branch.name()),
        )
        .into());
    }
    let hand = Hand::of(context, &repository, &in_force.policy)?;
    let tree = merge_trees(&git, base, tip)?;
    let text = message(&format!("Merge {gate}"), &args.signing)?;
    let commit = Draft::merge(base, tip, tree, &text).sign(&hand.git, &hand.signer)?;
    let signer = counting(&in_force.policy, &commit, context.now)?;
    if let Some(roles) = &in_force.policy.mainline_signed_by
        && !roles.iter().any(|role| in_force.policy.holds(signer.principal(), role))
    {
        let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
        return Err(Failure::new(
            "not-in-role",
            format!("`{}` may not sign the mainline: that takes {}", signer.principal(), roles.join(" or ")),
        )
        .into());
    }
    let written = mainline.advance(&repository, &commit, !args.signing.no_push)?;
    let more = serde_json::json!({ "gate": gate.to_string() });
    print_written(context, "merge", &format!("merged {gate}"), &written, &more)?;
    Ok(Exit::Done)
}
