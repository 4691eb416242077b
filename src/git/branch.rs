//! A branch to write on: where it stands here and at the remote, and moving it on by one commit.
//!
//! A branch is moved only from where it was read, never over somebody's work. The remote comes first, the local branch
//! last, and a work tree between them: whoever is cut off on the way leaves a clone that is behind its remote, which
//! the next fetch mends, and never one that stands half way.

use std::thread;
use std::time::Duration;

use crate::model::ObjectId;

use super::checkout::Checkouts;
use super::origin::{Answer, Exactly};
use super::{Git, Origin, Repository, SignedCommit, Unwritten, Written, lock};

/// How often a branch that others hold at the remote is tried, and how long to wait between.
const KNOCKS: u32 = 5;
const BETWEEN_KNOCKS: Duration = Duration::from_millis(100);

/// A branch: its name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    name: String,
    local: Option<ObjectId>,
    remote: Option<ObjectId>,
    tip: Option<ObjectId>,
}

/// What became of a commit that was to go onto a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// The branch holds it.
    Written(Written),
    /// Nothing was written: the remote's branch has moved on meanwhile, and what is there now has been fetched.
    Outrun,
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
                    return Err(diverged(repository, name));
                }
            }
            (Some(one), _) | (None, Some(one)) => Some(one),
            (None, None) => None,
        };
        Ok(Self { name: name.to_owned(), local, remote, tip })
    }

    /// Its name, without `refs/heads/`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The commit it stands at; nothing where there is no such branch.
    pub fn tip(&self) -> Option<ObjectId> {
        self.tip
    }

    /// The branch as it is written on next: one that the mainline holds whole goes on from the mainline's tip, `mainline`,
    /// as one that is gone is made anew from it. What is signed there is signed on what stands now.
    pub fn onto(mut self, repository: &Repository, mainline: ObjectId) -> Result<Self, Unwritten> {
        let whole = match self.tip {
            Some(tip) => is_ancestor(&Git::of(repository), tip, mainline)?,
            None => true,
        };
        if whole {
            self.tip = Some(mainline);
        }
        Ok(self)
    }

    /// Moves the branch on to `commit`, at `origin` first where one is given. On any failure the branch stands where it
    /// stood.
    pub fn advance(
        &self,
        repository: &Repository,
        commit: &SignedCommit,
        origin: Option<&Origin>,
    ) -> Result<Advance, Unwritten> {
        let git = Git::of(repository);
        commit.store(&git)?;
        let checkouts = Checkouts::of(&git, self.local, &self.name, commit.id())?;
        let mut written =
            Written { commit: commit.id(), branch: self.name.clone(), pushed: origin.is_some(), note: None };
        let Some(origin) = origin else {
            // Another command in this clone may have been faster.
            if !self.leads_to(repository, &git, commit.id())? {
                return Ok(Advance::Outrun);
            }
            checkouts.follow()?;
            self.move_to(repository, &git, commit.id())?;
            return Ok(Advance::Written(written));
        };
        if !self.push(repository, commit, origin)? {
            return Ok(Advance::Outrun);
        }
        // The remote has it: what does not follow here is behind, and the next pull brings it.
        let followed = checkouts.follow().and_then(|()| self.move_to(repository, &git, commit.id()));
        written.note = followed.err().map(|stuck| {
            let mend = lock::mend(&stuck.message).unwrap_or_else(|| "`git pull` brings it".to_owned());
            format!("it is pushed, but your clone did not follow: {}; {mend}", stuck.message)
        });
        Ok(Advance::Written(written))
    }

    /// Whether the remote took the commit; not: somebody was faster.
    fn push(
        &self,
        repository: &Repository,
        commit: &SignedCommit,
        origin: &Origin,
    ) -> Result<bool, Unwritten> {
        let expected = match self.remote {
            _ if !commit.is_merge() || !origin.is_tracked() => Exactly::Any,
            Some(tip) => Exactly::Tip(tip),
            None => Exactly::Nothing,
        };
        let mut refusal = None;
        for knock in 0..KNOCKS {
            thread::sleep(BETWEEN_KNOCKS * knock);
            let (contended, refused) = match origin.push(commit.id(), &self.name, expected)? {
                Answer::Taken => return Ok(true),
                Answer::Contended(refused) => (true, refused),
                Answer::Refused(refused) => (false, refused),
            };
            // What a server says is in its own words; whether the branch has moved, it shows.
            let moved = origin.fetch().is_ok()
                && repository.resolve(&format!("refs/remotes/origin/{}", self.name))? != self.remote;
            if moved {
                return Ok(false);
            }
            refusal = Some(refused);
            if !contended {
                break;
            }
        }
        Err(refusal.unwrap_or_else(|| Unwritten::new("push-failed", "nothing was pushed")))
    }

    /// Where the branch stands here now.
    fn here(&self, repository: &Repository) -> Result<Option<ObjectId>, Unwritten> {
        Ok(repository.resolve(&format!("refs/heads/{}", self.name))?)
    }

    /// Whether the branch can move on to `commit` from where it stands here now, without losing anything.
    fn leads_to(&self, repository: &Repository, git: &Git, commit: ObjectId) -> Result<bool, Unwritten> {
        match self.here(repository)? {
            Some(here) if Some(here) != self.local => is_ancestor(git, here, commit),
            Some(_) => Ok(true),
            None => Ok(self.local.is_none()),
        }
    }

    /// Moves the branch here, from wherever it stands below `commit`.
    fn move_to(&self, repository: &Repository, git: &Git, commit: ObjectId) -> Result<(), Unwritten> {
        let here = self.here(repository)?;
        if let Some(here) = here
            && is_ancestor(git, commit, here)?
        {
            return Ok(());
        }
        let moved = |reason: &str| {
            let message = format!("the branch `{}` was not moved: {reason}", self.name);
            lock::failure("branch-moved", message).or_help("run the command again")
        };
        if !self.leads_to(repository, git, commit)? {
            return Err(moved("it has moved on meanwhile"));
        }
        let before = here.map_or_else(|| "0".repeat(40), |id| id.to_string());
        let name = format!("refs/heads/{}", self.name);
        git.run(&["update-ref", "-m", "git gate", &name, &commit.to_string(), &before])
            .map(|_nothing_printed| ())
            .map_err(|error| moved(&error.message))
    }
}

/// Both moved on. The mend for the mainline keeps its order: the remote's side stays the first parent.
fn diverged(repository: &Repository, name: &str) -> Unwritten {
    let help = if name == repository.config("gate.mainline").unwrap_or("main") {
        format!(
            "bring them together, the remote first: `git switch --detach origin/{name} && git merge --no-ff -S {name} && \
             git push origin HEAD:{name} && git branch -f {name} HEAD`"
        )
    } else {
        format!("bring them together: `git switch {name} && git merge --no-ff -S origin/{name}`")
    };
    Unwritten::new("diverged", format!("`{name}` and `origin/{name}` have both moved on")).help(help)
}

/// Whether one commit is an ancestor of the other, or is it.
pub fn is_ancestor(git: &Git, ancestor: ObjectId, descendant: ObjectId) -> Result<bool, Unwritten> {
    let arguments = ["merge-base", "--is-ancestor", &ancestor.to_string(), &descendant.to_string()];
    match git.attempt(&arguments, b"")?.status {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        Some(_) | None => Err(Unwritten::new("git-failed", "`git merge-base --is-ancestor` failed")
            .help("check the repository: `git fsck`")),
    }
}
