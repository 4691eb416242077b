//! Work trees that have the branch checked out that is written: they follow, or nothing is written.
//!
//! Moving a branch under a work tree leaves its files and index behind, and the next `git commit` there would undo what
//! was written. So each such work tree is brought up to date for the files that changed; one that holds other changes
//! to them is a reason to write nothing. The files come first and the branch after them: cut off between the two, the work
//! tree holds changes that are not committed yet, and a pull goes on from there.

use std::path::{Path, PathBuf};

use git2::ObjectType;

use crate::model::ObjectId;

use super::draft::hash;
use super::{Git, Unwritten, lock};

/// The work trees to bring up to date, and the files that change.
#[derive(Debug)]
pub(super) struct Checkouts {
    trees: Vec<PathBuf>,
    paths: Vec<String>,
    after: ObjectId,
}

impl Checkouts {
    /// Finds the work trees in which `branch` is checked out, and makes sure that each can follow from `before` to
    /// `after`, which is stored.
    pub(super) fn of(
        git: &Git,
        before: Option<ObjectId>,
        branch: &str,
        after: ObjectId,
    ) -> Result<Self, Unwritten> {
        let trees = work_trees_on(git, branch)?;
        if trees.is_empty() {
            return Ok(Self { trees, paths: vec![], after });
        }
        let paths = changed_paths(git, before, after)?;
        for tree in &trees {
            refuse_lost_changes(&Git::at(tree), branch, after, &paths)?;
        }
        Ok(Self { trees, paths, after })
    }

    /// Brings them up to date; the branch moves next.
    pub(super) fn follow(&self) -> Result<(), Unwritten> {
        if self.paths.is_empty() {
            return Ok(());
        }
        let source = format!("--source={}", self.after);
        for tree in &self.trees {
            let mut arguments =
                vec!["--literal-pathspecs", "restore", &source, "--staged", "--worktree", "--"];
            arguments.extend(self.paths.iter().map(String::as_str));
            Git::at(tree).run(&arguments).map_err(|error| {
                lock::failure(
                    "git-failed",
                    format!("the work tree `{}` could not follow: {}", tree.display(), error.message),
                )
                .or_help(
                    "bring it up to date: `git restore --staged --worktree .`, then run the command again",
                )
            })?;
        }
        Ok(())
    }
}

fn work_trees_on(git: &Git, branch: &str) -> Result<Vec<PathBuf>, Unwritten> {
    let wanted = format!("branch refs/heads/{branch}");
    let listed = git.run(&["worktree", "list", "--porcelain", "-z"])?;
    let mut trees = Vec::new();
    for tree in listed.split("\0\0") {
        let mut lines = tree.split('\0');
        let path = lines.next().and_then(|line| line.strip_prefix("worktree "));
        let Some(path) = path else { continue };
        let lines: Vec<&str> = lines.collect();
        if lines.contains(&wanted.as_str()) && !lines.contains(&"bare") && Path::new(path).is_dir() {
            trees.push(PathBuf::from(path));
        }
    }
    Ok(trees)
}

fn changed_paths(git: &Git, before: Option<ObjectId>, after: ObjectId) -> Result<Vec<String>, Unwritten> {
    let after = after.to_string();
    let listed = match before {
        Some(before) => {
            git.run(&["diff-tree", "-r", "-z", "--no-renames", "--name-only", &before.to_string(), &after])?
        }
        None => git.run(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", &after])?,
    };
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Refuses where a file that changes holds something that is neither committed nor what it will hold.
fn refuse_lost_changes(git: &Git, branch: &str, after: ObjectId, paths: &[String]) -> Result<(), Unwritten> {
    if paths.is_empty() {
        return Ok(());
    }
    let mut arguments = vec![
        "--literal-pathspecs",
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignored=matching",
        "--",
    ];
    arguments.extend(paths.iter().map(String::as_str));
    let status = git.run(&arguments)?;
    let changed = status.split('\0').filter_map(|line| line.get(3..)).filter(|path| !path.is_empty());
    for path in changed {
        if !holds(git, after, path)? {
            return Err(Unwritten::new(
                "checkout-dirty",
                format!(
                    "`{branch}` is checked out in `{}`, with changes of `{path}`",
                    git.directory().display()
                ),
            )
            .help("commit them, or put them away: `git stash -u`"));
        }
    }
    Ok(())
}

/// Whether the file in the work tree is what the commit holds there.
fn holds(git: &Git, commit: ObjectId, path: &str) -> Result<bool, Unwritten> {
    let ran = git.attempt(&["rev-parse", "--verify", "--quiet", &format!("{commit}:{path}")], b"")?;
    let wanted = String::from_utf8_lossy(&ran.stdout).trim_end().to_owned();
    #[expect(clippy::disallowed_methods, reason = "git/ owns the work tree that it brings up to date")]
    let Ok(bytes) = std::fs::read(git.directory().join(path)) else {
        return Ok(false);
    };
    Ok(hash(ObjectType::Blob, &bytes)?.to_string() == wanted)
}
