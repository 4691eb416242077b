//! Where the commits of a gate may lie that a forge squashed or rebased, and what is said about it.

use crate::git::{GitError, Repository};
use crate::ledger::{Squashed, Undecided};
use crate::model::{GateName, ObjectId};
use crate::verdict::Notice;

use super::Judge;

/// Where forges keep the heads of what they merged.
const FORGES: [&str; 2] = ["refs/pull/", "refs/merge-requests/"];
/// How many refs and reflog entries are looked at.
const MOST_TIPS: usize = 2000;

impl Judge<'_> {
    /// Whether the gate's content is on the mainline while its commits are on a branch, behind a pull request or in a
    /// reflog only.
    pub fn squashed(&self, gate: &GateName) -> Result<Option<Squashed>, Undecided> {
        let refs = named_tips(self.repository, gate)?;
        let found = self.ledger.squashed(gate, self.snapshot.tip, &refs)?;
        if found.is_some() {
            return Ok(found);
        }
        self.ledger.squashed(gate, self.snapshot.tip, &logged_tips(self.repository, gate)?)
    }

    /// The same, as it is told.
    pub(super) fn squash_notice(&self, gate: &GateName) -> Result<Option<Notice>, Undecided> {
        let Some(squashed) = self.squashed(gate)? else { return Ok(None) };
        let approvals = match squashed.approvals {
            0 => "no approval among them".to_owned(),
            1 => "an approval among them".to_owned(),
            many => format!("{many} approvals among them"),
        };
        let mend = squash_mend(gate, &squashed);
        Ok(Some(Notice {
            code: "squashed",
            message: format!(
                "the mainline holds `{gate}` without its commits, as after a squash or a rebase: `{}` holds them, {approvals}; \
                 bring them in by a true merge: `{mend}`",
                squashed.held_by
            ),
        }))
    }
}

/// The commands that bring the commits of a squashed gate to the mainline.
pub fn squash_mend(gate: &GateName, squashed: &Squashed) -> String {
    let branch = gate.branch();
    let named = [format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")];
    if named.contains(&squashed.held_by) {
        format!("git gate merge {gate}")
    } else {
        format!("git branch -f {branch} {}; git gate merge {gate}", squashed.tip)
    }
}

/// Branches of that gate, here and at any remote, and the heads that a forge keeps.
fn named_tips(repository: &Repository, gate: &GateName) -> Result<Vec<(String, ObjectId)>, GitError> {
    let branch = format!("/{}", gate.branch());
    let mut tips: Vec<(String, ObjectId)> = Vec::new();
    for prefix in ["refs/heads/", "refs/remotes/"] {
        let refs = repository.refs_under(prefix)?;
        tips.extend(refs.into_iter().filter(|(name, _tip)| name.ends_with(&branch)));
    }
    for prefix in FORGES {
        tips.extend(repository.refs_under(prefix)?);
    }
    tips.truncate(MOST_TIPS);
    Ok(tips)
}

/// What the reflogs of those branches and of `HEAD` name, latest first.
fn logged_tips(repository: &Repository, gate: &GateName) -> Result<Vec<(String, ObjectId)>, GitError> {
    let branch = gate.branch();
    let mut tips = Vec::new();
    for name in [format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}"), "HEAD".to_owned()] {
        let logged = repository.reflog(&name)?;
        tips.extend(logged.into_iter().rev().map(|tip| (format!("reflog of {name}"), tip)));
    }
    tips.truncate(MOST_TIPS);
    Ok(tips)
}
