//! Where a decision stands: the branch that it goes onto, and the directory that it is about.

use std::collections::BTreeSet;

use crate::git::{Branch, Repository};
use crate::model::ObjectId;

use super::Failure;
use super::gate_files::GateFiles;

/// The branch as it is written on, and what stands there: on the mainline's tip where that holds the branch whole and the
/// directory still.
pub(super) fn standing(
    repository: &Repository,
    branch: Branch,
    mainline: ObjectId,
    directory: &str,
) -> anyhow::Result<(Branch, Option<GateFiles>)> {
    let own = branch.tip();
    let onto = branch.clone().onto(repository, mainline)?;
    let on_mainline = GateFiles::read(repository, onto.tip().unwrap_or(mainline), directory);
    match (on_mainline, own) {
        (Ok(None), Some(own)) => Ok((branch, GateFiles::read(repository, own, directory)?)),
        (files, _) => Ok((onto, files?)),
    }
}

/// The branch of a policy change: the one named, the one checked out, or the only one.
pub(super) fn policy_branch(repository: &Repository, named: Option<&str>) -> anyhow::Result<Branch> {
    if let Some(name) = named {
        let name = name.trim_start_matches("refs/heads/");
        let branch = Branch::find(repository, name)?;
        if branch.tip().is_none() || !name.starts_with("policy/") {
            return Err(Failure::new(
                "no-branch",
                format!("there is no branch `{name}` with a policy change"),
            )
            .help("policy changes are on branches `policy/<slug>`")
            .into());
        }
        return Ok(branch);
    }
    let mut found: BTreeSet<String> = BTreeSet::new();
    for prefix in ["refs/heads/", "refs/remotes/origin/"] {
        let refs = repository.refs_under(&format!("{prefix}policy/"))?;
        found.extend(refs.into_keys().filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)));
    }
    let checked_out = repository.checked_out()?;
    let here = checked_out.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    let chosen = match here {
        Some(here) if found.contains(here) => Some(here.to_owned()),
        Some(_) | None if found.len() == 1 => found.first().cloned(),
        Some(_) | None => None,
    };
    match chosen {
        Some(name) => Ok(Branch::find(repository, &name)?),
        None if found.is_empty() => Err(Failure::new("no-branch", "there is no policy change to decide on")
            .help("make it on a branch `policy/<slug>`, signed")
            .into()),
        None => {
            let listed: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
            Err(Failure::usage(format!("say which change: `--branch`, of {}", listed.join(", "))).into())
        }
    }
}
