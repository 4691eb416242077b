//! A change of the policy on a branch `policy/<slug>`: one signed commit, linted before it is made.
//!
//! The serial is one more than that of the policy in force, however many commits the branch has: only the whole branch
//! comes into force. Nothing is written that could not.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::git::{Branch, FileChange, Git, Repository};
use crate::model::{Name, ObjectId, Principal};
use crate::policy::edit::PolicyEdit;
use crate::policy::{Policy, lint};
use crate::problem::{Problem, Problems};

use super::gate_files::GateFiles;
use super::hand::SigningArgs;
use super::in_force::{InForce, mainline_name, policy_in_force};
use super::requesting::{Files, Ground, message};
use super::together::{self, Proposal, Reviewed, Signed};
use super::{Context, Failure};

/// The two files while they are changed, and what they said before.
pub(super) struct Change {
    /// The policy in force.
    pub(super) in_force: InForce,
    /// What the branch holds before the change.
    pub(super) before: Policy,
    pub(super) toml: PolicyEdit,
    pub(super) signers: String,
    /// Who signs, as far as can be told beforehand.
    pub(super) signer: Option<Principal>,
}

/// What was written.
pub(super) struct Changed<T> {
    pub(super) signed: Signed,
    pub(super) told: T,
    pub(super) serial: u64,
    /// Who approves, and how.
    pub(super) next: Next,
}

/// The step after a policy change.
pub(super) struct Next {
    pub(super) who: Vec<Principal>,
    pub(super) command: String,
    words: String,
}

/// Writes what `change` does, which also says how the commit is called.
pub(super) fn write<T>(
    context: &Context,
    signing: &SigningArgs,
    slug: &Name,
    change: impl Fn(&mut Change) -> anyhow::Result<(String, T)>,
) -> anyhow::Result<Changed<T>> {
    let name = format!("policy/{slug}");
    let mut warned = Vec::new();
    let (signed, (told, serial, next)) = together::write(context, signing, |_before| {
        let (proposal, told, warnings) = propose(context, signing, &name, &change)?;
        warned = warnings;
        Ok((proposal, told))
    })?;
    for problem in warned {
        context.warn(&format!("{} [{}]", problem.message, problem.code));
    }
    Ok(Changed { signed, told, serial, next })
}

type Proposed<T> = (Proposal, (T, u64, Next), Vec<Problem>);

fn propose<T>(
    context: &Context,
    signing: &SigningArgs,
    name: &str,
    change: &impl Fn(&mut Change) -> anyhow::Result<(String, T)>,
) -> anyhow::Result<Proposed<T>> {
    let repository = context.repository()?;
    let in_force = policy_in_force(context)?;
    let branch = Branch::find(&repository, name)?.onto(&repository, in_force.mainline)?;
    let tip = branch.tip().unwrap_or(in_force.mainline);
    refuse_behind(&repository, name, tip, in_force.mainline)?;
    let files = GateFiles::read(&repository, tip, "policy")?.unwrap_or_default();
    let (toml, signers) =
        (files.get("policy.toml").unwrap_or_default(), files.get("allowed_signers").unwrap_or_default());
    let before = Policy::parse(toml, signers)?;
    if tip == in_force.mainline && files.digest() != in_force.digest {
        context.warn("another policy waits on the mainline: this change goes on top of it");
    }
    let unreadable = || Failure::new("policy-not-found", "`policy/policy.toml` could not be read again");
    let edit = PolicyEdit::open(toml).ok_or_else(unreadable)?;
    let signers = String::from_utf8_lossy(signers).into_owned();
    let signer = super::hand::Hand::of(context, &repository, &in_force.policy)?.principal;
    let mut changed = Change { in_force, before, toml: edit, signers, signer };
    let (subject, told) = change(&mut changed)?;
    let serial = changed.in_force.policy.serial.saturating_add(1);
    changed.toml.set_serial(serial);
    let toml = changed.toml.text();
    let after = Policy::parse(toml.as_bytes(), changed.signers.as_bytes())?;
    if !after.findings.is_empty() {
        return Err(Problems(after.findings).into());
    }
    let known: Vec<String> = lint(&changed.before).into_iter().map(|problem| problem.message).collect();
    let warnings = lint(&after).into_iter().filter(|problem| !known.contains(&problem.message)).collect();
    let files = Files {
        changes: BTreeMap::from([
            ("policy/policy.toml".to_owned(), FileChange::Put(toml.into_bytes())),
            ("policy/allowed_signers".to_owned(), FileChange::Put(changed.signers.into_bytes())),
        ]),
        message: message(&subject, signing)?,
    };
    let policy = Arc::clone(&changed.in_force.policy);
    let next = next_step(&policy, name);
    let proposal = files.proposal(context, Ground { repository, policy, branch }, Reviewed::default())?;
    Ok((proposal, (told, serial, next), warnings))
}

/// A branch that began before the mainline's policy changed would take that change back.
fn refuse_behind(
    repository: &Repository,
    name: &str,
    tip: ObjectId,
    mainline: ObjectId,
) -> anyhow::Result<()> {
    let base = Git::of(repository).run(&["merge-base", &tip.to_string(), &mainline.to_string()])?;
    let digest = |commit: ObjectId| -> anyhow::Result<_> {
        Ok(GateFiles::read(repository, commit, "policy")?.map(|files| files.digest()))
    };
    if let Ok(base) = base.parse()
        && digest(base)? == digest(mainline)?
    {
        return Ok(());
    }
    let main = mainline_name(repository);
    Err(Failure::new("policy-behind", format!("the mainline's policy has changed since `{name}` began"))
        .help(format!(
            "bring it in first: `git switch {name} && git merge -S {main}`, or name another branch: `--slug`"
        ))
        .into())
}

/// Who approves a change of this policy, and what comes then.
fn next_step(policy: &Policy, branch: &str) -> Next {
    let command = format!("git gate approve policy --branch {branch}");
    let mut who: Vec<Principal> = Vec::new();
    let mut places = Vec::new();
    for asked in &policy.governance {
        let holders: Vec<&Principal> = policy.role_holders(&asked.role).collect();
        let names: Vec<&str> = holders.iter().map(|holder| holder.as_str()).collect();
        places.push(format!("{} of `{}`: {}", asked.count, asked.role, names.join(", ")));
        who.extend(holders.into_iter().cloned());
    }
    who.sort();
    who.dedup();
    // While one person alone can, that person's own change counts.
    let another = if who.len() > 1 { "\n      one of them at least wrote none of it" } else { "" };
    let words = format!(
        "what it means: git gate policy diff {branch}\n\
         next: {command}\n      by {}{another}\n\
         then: git gate merge {branch}",
        places.join("; ")
    );
    Next { who, command, words }
}

impl Next {
    /// Tells it.
    pub(super) fn say(&self, context: &Context) {
        context.say(&self.words);
    }

    /// The same for programs.
    pub(super) fn json(&self) -> serde_json::Value {
        let who: Vec<&str> = self.who.iter().map(Principal::as_str).collect();
        serde_json::json!({ "who": who, "command": self.command })
    }
}
