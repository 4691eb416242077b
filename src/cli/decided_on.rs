//! What a decision is about: the branch that it goes onto, the directory that it names, and whether that is what was shown.

use std::collections::BTreeSet;

use crate::decision::Target;
use crate::git::{Branch, Repository};
use crate::model::{ContentDigest, ObjectId, escape};

use super::Failure;
use super::deciding::DecidingArgs;
use super::gate_files::GateFiles;

/// The branch as it is written on, and what stands there: on the mainline's tip where that holds the branch whole and the
/// directory still.
pub(super) fn standing(
    repository: &Repository,
    branch: Branch,
    mainline: ObjectId,
    read: impl Fn(ObjectId) -> anyhow::Result<Option<GateFiles>>,
) -> anyhow::Result<(Branch, Option<GateFiles>)> {
    let own = branch.tip();
    let onto = branch.clone().onto(repository, mainline)?;
    match (read(onto.tip().unwrap_or(mainline)), own) {
        (Ok(None), Some(own)) => Ok((branch, read(own)?)),
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

/// The code of a refusal to sign what was not shown.
pub(super) const CONTENT_MOVED: &str = "content-moved";

/// Refuses to sign what the signer has not seen (design, section 12).
pub(super) fn refuse_moved(
    args: &DecidingArgs,
    content: ContentDigest,
    policy: ContentDigest,
) -> Result<(), Failure> {
    let moved = |what: &str, shown: ContentDigest, now: ContentDigest| {
        Failure::new(CONTENT_MOVED, format!("{what} is not what was shown: that was {shown}, this is {now}"))
            .help(format!("read it again: `git gate review {}`; nothing was signed", args.target))
    };
    match (args.content, args.policy) {
        (Some(shown), _) if shown != content => Err(moved(&format!("`{}`", args.target), shown, content)),
        (_, Some(shown)) if shown != policy => Err(moved("the policy in force", shown, policy)),
        (_, _) => Ok(()),
    }
}

/// The refusal to sign by `--yes` what this clone never showed.
pub(super) fn unseen(target: &Target, changes: &[String]) -> Failure {
    let look = match target {
        Target::Gate(gate) => format!("git gate show {gate}"),
        Target::Policy => "git gate policy status".to_owned(),
    };
    Failure::new(
        "unseen-changes",
        format!("since this clone last fetched: {}; nothing was signed", escape(&changes.join(", "))),
    )
    .help(format!("it is fetched now: look at it, `{look}`, then run the command again"))
}
