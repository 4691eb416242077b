//! What a branch would bring to the mainline: which files its new commits change, and the tree that a merge would have.
//!
//! The commits in between are looked at too: what one of them changes and the next takes back is brought in all the same.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::ObjectId;

use super::{Git, GitError, Repository, Unwritten, merge_trees};

/// Most new commits that a branch may have to be looked at; more are for a person.
const MOST_COMMITS: usize = 1_000;
/// How long git may compare: a tree that names its own directories again and again has no end.
const LONGEST: Duration = Duration::from_secs(60);

/// What a branch would bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The tree of the merge, stored.
    pub tree: ObjectId,
    /// Every file that the merge changes on the mainline, or that one of the new commits has changed. A merge among them
    /// changes a file where it is that of none of its parents.
    pub files: BTreeSet<String>,
}

impl Brought {
    /// Merges `branch` into `mainline`, in the object database alone.
    pub fn of(repository: &Repository, mainline: ObjectId, branch: ObjectId) -> Result<Self, Unwritten> {
        let git = Git::of(repository);
        let mut files = BTreeSet::new();
        let changing = changing_commits(repository, &git, mainline, branch)?;
        if !changing.is_empty() {
            let each = ["-r", "-c", "--root", "--no-commit-id"];
            files.extend(compared(&git, &each, &changing)?);
        }
        let tree = merge_trees(&git, mainline, branch)?;
        let before = repository.tree_of(mainline)?;
        if tree != before {
            files.extend(compared(&git, &["-r"], &[before, tree])?);
        }
        Ok(Self { tree, files })
    }
}

/// The new commits whose tree is that of none of their parents.
fn changing_commits(
    repository: &Repository,
    git: &Git,
    mainline: ObjectId,
    branch: ObjectId,
) -> Result<Vec<ObjectId>, Unwritten> {
    let most = format!("--max-count={}", MOST_COMMITS + 1);
    let listed = git.run(&["rev-list", &most, &branch.to_string(), &format!("^{mainline}")])?;
    let new: Vec<&str> = listed.lines().collect();
    if new.len() > MOST_COMMITS {
        let message = format!("the branch has more than {MOST_COMMITS} new commits");
        return Err(Unwritten::new("branch-too-long", message).help("look at it, and merge it by hand"));
    }
    let mut changing = Vec::new();
    for id in new {
        let id: ObjectId = id.parse().map_err(|_odd| {
            Unwritten::new("git-failed", format!("`git rev-list` printed `{id}`"))
                .help("check it: `git fsck`")
        })?;
        let links = repository.links(id)?;
        let trees = links.parents.iter().map(|parent| repository.tree_of(*parent));
        if !trees.collect::<Result<Vec<_>, GitError>>()?.contains(&links.tree) {
            changing.push(id);
        }
    }
    Ok(changing)
}

/// The files that differ: between two trees, or in each of several commits.
fn compared(git: &Git, how: &[&str], ids: &[ObjectId]) -> Result<BTreeSet<String>, Unwritten> {
    let mut files = BTreeSet::new();
    let trees = !how.contains(&"-c");
    // So many fit on a command line everywhere.
    for some in ids.chunks(if trees { 2 } else { 1 }) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let mut arguments = vec!["diff-tree", "-z", "--name-only", "--no-renames"];
        arguments.extend(how);
        arguments.extend(some.iter().map(String::as_str));
        let too_long = || Unwritten::new("git-failed", "`git diff-tree` did not end in time");
        let ran = git.attempt_in_time(&arguments, LONGEST)?.ok_or_else(too_long)?;
        if !ran.success {
            let message = format!("`git diff-tree` failed: {}", ran.stderr.trim_end());
            return Err(Unwritten::new("git-failed", message).help("check the repository: `git fsck`"));
        }
        let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
        files.extend(printed.split('\0').filter(|file| !file.is_empty()).map(str::to_owned));
    }
    Ok(files)
}
