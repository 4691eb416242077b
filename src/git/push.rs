//! Pushing one branch to `origin`, with the user's own transport and credentials.

use super::{Git, Unwritten};

/// Pushes the branch of that name.
pub(super) fn push(git: &Git, name: &str) -> Result<(), Unwritten> {
    let branch = format!("refs/heads/{name}:refs/heads/{name}");
    let ran = git.attempt(&["push", "--quiet", "--no-follow-tags", "origin", &branch], b"")?;
    if ran.success {
        return Ok(());
    }
    let said = ran.stderr.trim_end();
    let behind = said.contains("non-fast-forward") || said.contains("fetch first");
    let help = if behind {
        "somebody pushed meanwhile: `git fetch origin`, then run the command again"
    } else {
        "nothing was written; run the command again, or with `--no-push` and push later"
    };
    Err(Unwritten::new("push-failed", format!("`origin` did not take `{name}`: {said}")).help(help))
}
