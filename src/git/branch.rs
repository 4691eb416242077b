//! A branch to write on: where it stands here and at the remote, and moving it on by one commit.
//!
//! A branch is moved only from where it was read, never over somebody's work; a push that fails moves it back.

use crate::model::ObjectId;

use super::checkout::Checkouts;
use super::{Git, Repository, SignedCommit, Unwritten, Written, push};

/// A branch: its name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    name: String,
    local: Option<ObjectId>,
    tip: Option<ObjectId>,
}

impl Branch {
    /// Finds the branch of that name (without `refs/heads/`): here, or as `origin` last showed it, whichever is ahead.
    pub fn find(repository: &Repository, name: &str) -> Result<Self, Unwritten> {
        let local = repository.resolve(&format!("refs/heads/{name}"))?;
        let remote = repository.resolve(&format!("refs/remotes/origin/{name}"))?;
        let git = Git::of(repository);
        let tip = match (local, remote) {
            (Some(here), Some(there)) if here != there => {
                if is_ancestor(&git, there, here)? {
                    Some(here)
                } else if is_ancestor(&git, here, there)? {
                    Some(there)
                } else {
                    return Err(Unwritten::new(
                        "diverged",
                        format!("`{name}` and `origin/{name}` have both moved on"),
                    )
                    .help(format!(
                        "bring them together: `git switch {name} && git merge --no-ff -S origin/{name}`"
                    )));
                }
            }
            (Some(one), _) | (None, Some(one)) => Some(one),
            (None, None) => None,
        };
        Ok(Self { name: name.to_owned(), local, tip })
    }

    /// Its name, without `refs/heads/`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The commit it stands at; nothing where there is no such branch.
    pub fn tip(&self) -> Option<ObjectId> {
        self.tip
    }

    /// Moves the branch on to `commit`, and pushes it where there is a remote and `push` says so. On any failure the
    /// branch stands where it stood.
    pub fn advance(
        &self,
        repository: &Repository,
        commit: &SignedCommit,
        push: bool,
    ) -> Result<Written, Unwritten> {
        let git = Git::of(repository);
        commit.store(&git)?;
        let checkouts = Checkouts::of(&git, self.local, &self.name, commit.id())?;
        self.move_to(&git, commit.id())?;
        let pushed = push && repository.config("remote.origin.url").is_some();
        if pushed && let Err(error) = push::push(&git, &self.name) {
            return Err(self.move_back(&git, commit.id(), error));
        }
        checkouts.follow()?;
        Ok(Written { commit: commit.id(), branch: self.name.clone(), pushed })
    }

    fn full_name(&self) -> String {
        format!("refs/heads/{}", self.name)
    }

    fn move_to(&self, git: &Git, commit: ObjectId) -> Result<(), Unwritten> {
        let before = self.local.map_or_else(|| "0".repeat(40), |id| id.to_string());
        git.run(&["update-ref", "-m", "git gate", &self.full_name(), &commit.to_string(), &before])
            .map(|_nothing_printed| ())
            .map_err(|error| {
                let message = format!("the branch `{}` was not moved: {}", self.name, error.message);
                Unwritten::new("branch-moved", message).help("run the command again")
            })
    }

    fn move_back(&self, git: &Git, from: ObjectId, error: Unwritten) -> Unwritten {
        let (name, from) = (self.full_name(), from.to_string());
        let back = match self.local {
            Some(before) => {
                git.run(&["update-ref", "-m", "git gate: not pushed", &name, &before.to_string(), &from])
            }
            None => git.run(&["update-ref", "-d", &name, &from]),
        };
        match back {
            Ok(_moved) => error,
            Err(stuck) => Unwritten {
                message: format!(
                    "{}; and the branch could not be moved back: {}",
                    error.message, stuck.message
                ),
                ..error
            },
        }
    }
}

/// Whether one commit is an ancestor of the other, or is it.
fn is_ancestor(git: &Git, ancestor: ObjectId, descendant: ObjectId) -> Result<bool, Unwritten> {
    let arguments = ["merge-base", "--is-ancestor", &ancestor.to_string(), &descendant.to_string()];
    match git.attempt(&arguments, b"")?.status {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        Some(_) | None => Err(Unwritten::new("git-failed", "`git merge-base --is-ancestor` failed")
            .help("check the repository: `git fsck`")),
    }
}
