//! Merging a branch into the mainline without a work tree.

use crate::model::ObjectId;

use super::{Git, Unwritten};

/// The tree of the three-way merge, stored; or what both sides changed.
///
/// Renames are not followed: a file of one gate must never be taken for the file of another that resembles it.
pub fn merge_trees(git: &Git, mainline: ObjectId, branch: ObjectId) -> Result<ObjectId, Unwritten> {
    let ran = git.attempt(
        &[
            "-c",
            "merge.renames=false",
            "-c",
            "merge.directoryRenames=false",
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
            &mainline.to_string(),
            &branch.to_string(),
        ],
        b"",
    )?;
    let printed = String::from_utf8_lossy(&ran.stdout);
    let mut fields = printed.split('\0').filter(|field| !field.is_empty());
    match ran.status {
        Some(0) => {
            let tree = fields.next().and_then(|id| id.parse().ok());
            tree.ok_or_else(|| Unwritten::new("git-failed", "`git merge-tree` printed no tree"))
        }
        Some(1) => {
            let files: Vec<String> = fields.skip(1).map(|file| format!("`{file}`")).collect();
            Err(Unwritten::new("merge-conflict", format!("both sides changed {}", files.join(", "))).help(
                "merge the mainline into the gate branch first, with a signed commit, and have it approved anew",
            ))
        }
        Some(_) | None => {
            let said = ran.stderr.trim_end();
            Err(Unwritten::new("git-failed", format!("`git merge-tree --write-tree` failed: {said}"))
                .help("it needs git 2.38 or later"))
        }
    }
}
