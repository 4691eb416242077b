//! The policy under which something is written, and where the mainline is.

use crate::git::Repository;
use crate::model::{ContentDigest, ObjectId};
use crate::policy::Policy;

use super::gate_files::GateFiles;
use super::{Context, Failure};

/// The policy in force, as the one who signs sees it.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    /// Its content digest.
    pub(super) digest: ContentDigest,
    /// What it says.
    pub(super) policy: Policy,
    /// The mainline's tip.
    pub(super) mainline: ObjectId,
}

/// The name of the mainline, without `refs/heads/`.
pub(super) fn mainline_name(repository: &Repository) -> &str {
    repository.config("gate.mainline").map_or("main", |name| name.trim_start_matches("refs/heads/"))
}

/// The mainline's tip: as `origin` last showed it where there is a remote, else here.
pub(super) fn mainline_tip(repository: &Repository) -> anyhow::Result<ObjectId> {
    let name = mainline_name(repository);
    let remote = match repository.config("remote.origin.url") {
        Some(_) => repository.resolve(&format!("refs/remotes/origin/{name}"))?,
        None => None,
    };
    let tip = match remote {
        Some(tip) => Some(tip),
        None => repository.resolve(&format!("refs/heads/{name}"))?,
    };
    tip.ok_or_else(|| {
        Failure::new("no-mainline", format!("there is no mainline `{name}` here"))
            .help("fetch it, make a repository with `git gate init`, or name another: `git config gate.mainline <branch>`")
            .into()
    })
}

/// The policy in force at the mainline's tip.
pub(super) fn policy_in_force(_context: &Context, repository: &Repository) -> anyhow::Result<InForce> {
    let mainline = mainline_tip(repository)?;
    let missing = || {
        Failure::new("policy-missing", format!("the mainline at {} holds no `policy/`", mainline.short()))
            .help("make a governance repository with `git gate init`")
    };
    let files = GateFiles::read(repository, mainline, "policy")?.ok_or_else(missing)?;
    let policy = Policy::parse(
        files.get("policy.toml").ok_or_else(missing)?,
        files.get("allowed_signers").ok_or_else(missing)?,
    )?;
    Ok(InForce { digest: files.digest(), policy, mainline })
}
