//! Why a session could not be opened as it was asked for.

use crate::ledger::Undecided;
use crate::model::ObjectId;

use super::super::Failure;

/// A branch that cannot be judged as if it were merged.
pub(super) fn conflict(branch: &str, paths: &[String]) -> Failure {
    Undecided {
        code: "merge-conflict",
        message: format!("`{branch}` and the mainline both changed {}", paths.join(", ")),
        help: format!("merge the mainline into the branch first: `git checkout {branch}; git merge main`"),
    }
    .into()
}

/// A commit that a flag names and the mainline does not hold.
pub(super) fn not_on_mainline(flag: &str, commit: ObjectId, tip: ObjectId) -> Failure {
    Undecided {
        code: "not-on-mainline",
        message: format!(
            "`{flag}` {commit} is not on the first-parent chain of the mainline {tip} since the trust root"
        ),
        help: "fetch the mainline: `git fetch origin`; its commits: `git log --first-parent`".into(),
    }
    .into()
}
