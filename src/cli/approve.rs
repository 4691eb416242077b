//! `git gate approve`: approve a gate, or a policy change.

use std::collections::BTreeSet;

use crate::decision::{Action, Target};
use crate::git::raw;
use crate::model::{Name, Principal, escape};
use crate::policy::Policy;
use crate::policy::diff::diff;
use crate::signature;

use super::deciding::{Deciding, DecidingArgs, asked_roles, decide_on, listed};
use super::policy_branches::why_not;
use super::subject::Subject;
use super::{Context, Exit, Failure};

/// The arguments of `approve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is decided on.
    #[command(flatten)]
    pub deciding: DecidingArgs,
    /// The role to approve in; needed where you hold several that are asked for.
    #[arg(long, value_name = "ROLE")]
    pub role: Option<Name>,
    /// Only for this environment; repeatable. All when not given.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub env: Vec<Name>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    decide_on(context, &args.deciding, "approve", Subject::Target, |deciding| {
        let brief = match &deciding.target {
            Target::Policy => policy_brief(context, deciding)?,
            Target::Gate(_) => String::new(),
        };
        Ok((approval(deciding, args)?, brief))
    })
}

/// Refuses a policy that could not come into force; what it would change, else.
fn policy_brief(context: &Context, deciding: &Deciding) -> anyhow::Result<String> {
    let file = |name| deciding.file(name).unwrap_or_default();
    let proposed = Policy::parse(file("policy.toml"), file("allowed_signers"))?;
    let in_force = &deciding.in_force.policy;
    if deciding.seen().content == deciding.in_force.digest {
        return Err(Failure::new("nothing-changed", "that policy is in force already").into());
    }
    if let Some(why) = why_not(in_force, &proposed).first() {
        return Err(Failure::new("policy-invalid", format!("this policy could not come into force: {why}"))
            .help("what is wrong with it: `git gate policy lint <branch>`; nothing was signed")
            .into());
    }
    let governors: BTreeSet<&Principal> =
        in_force.governance.iter().flat_map(|asked| in_force.role_holders(&asked.role)).collect();
    if let Some(principal) = &deciding.hand.principal
        && governors.len() > 1
        && signed_a_change(deciding, principal, &["policy".to_owned()])?
    {
        context.say("note: you wrote some of this change: one who wrote none of it must approve it too");
    }
    let lines = diff(in_force, &proposed);
    let lines =
        lines.iter().map(|one| escape(&format!("{:<9}  {}: {}", one.meaning.as_str(), one.part, one.words)));
    let lines: Vec<String> = lines.map(|line| format!("  {line}\n")).collect();
    Ok(format!("What it changes:\n\n{}\n", lines.concat()))
}

fn approval(deciding: &Deciding, args: &Args) -> anyhow::Result<Action> {
    let policy = &deciding.in_force.policy;
    let request = deciding.request()?;
    let environments: BTreeSet<Name> = args.env.iter().cloned().collect();
    match &request {
        Some(request) => {
            if let Some(other) = environments.iter().find(|name| !request.environments.contains(name)) {
                let message = format!("`{}` does not ask for the environment `{other}`", request.gate);
                return Err(Failure::usage(message).into());
            }
        }
        None if environments.is_empty() => {}
        None => return Err(Failure::usage("`--env` is for gates: a policy holds everywhere").into()),
    }
    let asked = asked_roles(policy, request.as_ref());
    let role = deciding.role(args.role.as_ref(), &asked)?;
    if deciding.target == Target::Policy && !asked.contains(&role) {
        let asked: Vec<&Name> = asked.iter().collect();
        let message = format!("`[governance]` asks no approval by `{role}`: `--role`, of {}", listed(&asked));
        return Err(Failure::usage(message).into());
    }
    if let (Target::Gate(gate), Some(principal)) = (&deciding.target, &deciding.hand.principal) {
        let asked_for_it = request.as_ref().is_some_and(|request| request.requested_by.contains(principal));
        let recorded = deciding.in_force.is_author(gate, principal)?;
        if asked_for_it || recorded || signed_a_change(deciding, principal, &[gate.directory()])? {
            return Err(Failure::new(
                "self-approval",
                format!("`{principal}` is an author of `{gate}`: this approval would not count"),
            )
            .help(format!("it is for somebody else in the role `{role}`"))
            .into());
        }
    }
    Ok(Action::Approve { role, environments, seen: deciding.seen() })
}

/// Whether the principal signed a change below `paths` that the mainline does not have yet. What was recorded before is
/// found by whoever reads the history; this only saves a signature that would not count.
pub(super) fn signed_a_change(
    deciding: &Deciding,
    principal: &Principal,
    paths: &[String],
) -> anyhow::Result<bool> {
    let (base, mainline) = (deciding.base().to_string(), format!("^{}", deciding.in_force.mainline));
    let mut arguments = vec!["rev-list", "--full-history", &base, &mainline, "--"];
    arguments.extend(paths.iter().map(String::as_str));
    let listed = deciding.hand.git.run(&arguments)?;
    for id in listed.lines().filter_map(|line| line.parse().ok()) {
        let bytes = deciding.repository.read_commit(id)?;
        let Ok(commit) = raw::parse(&bytes) else { continue };
        let Some(armored) = commit.signature() else { continue };
        let Ok(signature) = signature::verify(&commit.payload(), armored.as_bytes()) else { continue };
        let times = [commit.committer_time()];
        if deciding.in_force.policy.signers.attribute(&signature, &times).owner.as_ref() == Some(principal) {
            return Ok(true);
        }
    }
    Ok(false)
}
