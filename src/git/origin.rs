//! The remote `origin`: fetching from it and pushing one commit to it, with the user's own transport and credentials.
//!
//! A commit is pushed by its id, before any branch here moves: whatever the remote answers, and whenever this program is
//! killed, the local branch stands where it stood or at what the remote has taken.

use std::time::Duration;

use crate::model::ObjectId;

use super::{Git, Repository, Unwritten, lock};

/// The refspecs by which a clone keeps all branches of its remote where they are read: beside its own, or as its own.
const WHOLE: [&str; 3] = ["refs/heads/*:refs/remotes/origin/*", "refs/heads/*:refs/heads/*", "refs/*:refs/*"];

/// Words by which a server says that it could not look at the branch, because another push held it at that moment.
const CONTENDED: &[&str] = &[
    "cannot lock ref",
    "failed to update ref",
    "Unable to create",
    "incorrect old value",
    "reference already exists",
];

/// The remote `origin` of a clone.
#[derive(Debug, Clone)]
pub struct Origin {
    git: Git,
    refspecs: Vec<String>,
    tracked: bool,
}

/// What the remote said to a push.
#[derive(Debug)]
pub(super) enum Answer {
    /// It has the commit.
    Taken,
    /// Another push held the branch.
    Contended(Unwritten),
    /// It did not take it; perhaps because the branch has moved.
    Refused(Unwritten),
}

impl Origin {
    /// The remote of that name, where there is one. `refspecs`: what to fetch; none: what the clone is set to.
    pub fn of(repository: &Repository, refspecs: &[String]) -> Option<Self> {
        repository.config("remote.origin.url")?;
        let tracked = repository
            .config_all("remote.origin.fetch")
            .iter()
            .any(|refspec| refspec.contains(":refs/remotes/origin/"));
        Some(Self { git: Git::of(repository), refspecs: refspecs.to_vec(), tracked })
    }

    /// Whether the clone keeps where the remote's branches are; a bare one may not.
    pub fn is_tracked(&self) -> bool {
        self.tracked
    }

    /// Whether a fetch brings all branches of the remote to where they are read. A bare clone that keeps none of them
    /// fetches without an error, and knows no more than before.
    pub fn is_whole(repository: &Repository) -> bool {
        let refspecs = repository.config_all("remote.origin.fetch");
        // One that leaves something out (`^refs/heads/…`) holds for all.
        refspecs.iter().all(|refspec| !refspec.starts_with('^'))
            && refspecs.iter().any(|refspec| WHOLE.contains(&refspec.trim_start_matches('+')))
    }

    /// Brings the remote-tracking branches up to date.
    pub fn fetch(&self) -> Result<(), Unwritten> {
        self.fetch_with(|arguments| self.git.attempt(arguments, b"").map(Some))
    }

    /// The same, for no longer than that.
    pub fn fetch_within(&self, limit: Duration) -> Result<(), Unwritten> {
        self.fetch_with(|arguments| self.git.attempt_in_time(arguments, limit))
    }

    fn fetch_with(
        &self,
        run: impl Fn(&[&str]) -> Result<Option<super::Ran>, Unwritten>,
    ) -> Result<(), Unwritten> {
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "origin",
        ];
        arguments.extend(self.refspecs.iter().map(String::as_str));
        // Two commands in one clone may fetch at once: what one of them could not write, the other has written.
        let ran = match run(&arguments)? {
            Some(ran) if !ran.success && is_contended(&ran.stderr) => run(&arguments)?,
            ran => ran,
        };
        let failure = match ran {
            Some(ran) if ran.success => return Ok(()),
            Some(ran) => {
                let said = ran.stderr.trim_end();
                lock::failure("fetch-failed", format!("`origin` could not be fetched: {said}"))
            }
            None => {
                Unwritten::new("fetch-failed", "`origin` could not be fetched: it did not answer in time")
            }
        };
        Err(failure
            .or_help("nothing was written; work on what was fetched last: `--offline`, and push later"))
    }

    /// Pushes `commit` to the branch of that name. A commit with several parents goes only onto `expected`, the tip that it
    /// was made on: one that a server would take as well onto its second parent would rewrite the order of history.
    pub(super) fn push(&self, commit: ObjectId, name: &str, expected: Exactly) -> Result<Answer, Unwritten> {
        let refspec = format!("{commit}:refs/heads/{name}");
        let lease = match expected {
            Exactly::Tip(tip) => Some(format!("--force-with-lease=refs/heads/{name}:{tip}")),
            Exactly::Nothing => Some(format!("--force-with-lease=refs/heads/{name}:")),
            Exactly::Any => None,
        };
        let mut arguments = vec!["push", "--quiet", "--no-follow-tags"];
        arguments.extend(lease.as_deref());
        arguments.extend(["origin", refspec.as_str()]);
        let ran = self.git.attempt(&arguments, b"")?;
        if ran.success {
            return Ok(Answer::Taken);
        }
        let message = format!("`origin` did not take `{name}`: {}", ran.stderr.trim_end());
        let refused = lock::failure("push-failed", message).or_help(format!(
            "nothing was written; run the command again, or with `--no-push` and later `git push origin {name}`"
        ));
        Ok(if is_contended(&ran.stderr) { Answer::Contended(refused) } else { Answer::Refused(refused) })
    }
}

/// Onto what a push may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exactly {
    /// Onto this tip.
    Tip(ObjectId),
    /// Where there is no such branch yet.
    Nothing,
    /// Onto whatever the commit descends from.
    Any,
}

fn is_contended(said: &str) -> bool {
    CONTENDED.iter().any(|words| said.contains(words))
}
