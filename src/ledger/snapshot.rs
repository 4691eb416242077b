//! One snapshot: refs resolved once, by full name, and the trust root (design, sections 9.1 and 9.2).

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{GitError, Repository, raw};
use crate::model::{ContentDigest, GateName, Name, ObjectId};
use crate::verdict::Notice;

use super::Undecided;

/// Which branches a command reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branches {
    /// The remote-tracking ones where a remote `origin` exists: what everybody else sees.
    Shared,
    /// The local mainline where it is ahead of that, and say so.
    LocalWhereAhead,
}

/// Where the trust root came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootFrom {
    /// `--root`.
    Flag,
    /// `gate.root` in the repository's own configuration file.
    Config,
}

/// The refs that a question rests on.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The mainline's full ref name.
    pub mainline_ref: String,
    /// Where it points.
    pub tip: ObjectId,
    /// The trust root.
    pub root: ObjectId,
    /// Where it came from.
    pub root_from: RootFrom,
    /// What was narrowed or replaced, named.
    pub relaxations: Vec<String>,
    /// What a reader should know of it.
    pub notices: Vec<Notice>,
    /// `refs/remotes/origin/` or `refs/heads/`.
    prefix: String,
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOrigin {
    /// Its content digest.
    pub digest: ContentDigest,
    /// Its serial.
    pub serial: u64,
    /// The mainline commit at which it came into force.
    pub commit: ObjectId,
    /// The policy that waits on the mainline, if another one does.
    pub pending: Option<PendingPolicy>,
}

/// A `policy/` on the mainline that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingPolicy {
    /// Its content digest; nothing where it is not there or invalid.
    pub digest: Option<ContentDigest>,
    /// Why it has none.
    pub defect: Option<String>,
    /// Its serial, where it can be read.
    pub serial: Option<u64>,
    /// The mainline commit whose tree holds it.
    pub commit: ObjectId,
    /// How many approvals of it count so far.
    pub approvals: u64,
    /// How many are needed.
    pub needed: u64,
}

impl PolicyOrigin {
    /// The notice that `policy/` on the mainline is not the policy in force.
    pub(crate) fn pending_notice(&self) -> Option<Notice> {
        let pending = self.pending.as_ref()?;
        let what = match (&pending.defect, pending.serial) {
            (Some(defect), _) => defect.clone(),
            (None, Some(serial)) => {
                format!("serial {serial} has {} of {} approvals", pending.approvals, pending.needed)
            }
            (None, None) => "it has no serial that can be read".to_owned(),
        };
        Some(Notice {
            code: "policy-pending",
            message: format!(
                "`policy/` on the mainline is not the policy in force: {what}; judged under serial {}",
                self.serial
            ),
        })
    }
}

impl RootFrom {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "--root",
            Self::Config => "gate.root",
        }
    }
}

/// Resolves the mainline and the trust root. `root` is the one given by `--root`.
pub fn snapshot(
    repository: &Repository,
    root: Option<ObjectId>,
    branches: Branches,
) -> Result<Snapshot, Undecided> {
    let mainline = repository.config("gate.mainline").unwrap_or("main");
    let prefix = if tracks_origin(repository) { "refs/remotes/origin/" } else { "refs/heads/" };
    let shared_ref = format!("{prefix}{mainline}");
    let shared = repository.resolve(&shared_ref)?;
    let local_ref = format!("refs/heads/{mainline}");
    let local = if prefix == "refs/heads/" { None } else { repository.resolve(&local_ref)? };
    if tracks_origin(repository) && !tracks_all_branches(repository) {
        return Err(Undecided::new(
            "branches-not-fetched",
            "this clone fetches some branches of `origin` only: deployment logs and rejections may be on others",
            "fetch all: `git config --replace-all remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'; git fetch \
             origin`",
        ));
    }
    let mut notices = Vec::new();
    let (mainline_ref, tip) = match (shared, local, branches) {
        (Some(shared), Some(local), Branches::LocalWhereAhead) if is_ahead(repository, local, shared)? => {
            notices.push(Notice {
                code: "local-ahead",
                message: format!("the local `{mainline}` is ahead of `origin`; this reads the local one"),
            });
            (local_ref, local)
        }
        (Some(shared), _, Branches::Shared | Branches::LocalWhereAhead) => (shared_ref, shared),
        (None, _, Branches::Shared | Branches::LocalWhereAhead) => {
            return Err(Undecided::new(
                "no-mainline",
                format!("there is no `{shared_ref}`"),
                "fetch it: `git fetch origin`; or name the mainline: `git config gate.mainline <branch>`",
            ));
        }
    };
    let (root, root_from, relaxations) = trust_root(repository, root)?;
    Ok(Snapshot { mainline_ref, tip, root, root_from, relaxations, notices, prefix: prefix.to_owned() })
}

impl Snapshot {
    /// The tip of a gate's branch: the shared one, else the local one.
    pub fn gate_branch(
        &self,
        repository: &Repository,
        gate: &GateName,
    ) -> Result<Option<ObjectId>, Undecided> {
        self.branch(repository, &gate.branch())
    }

    /// The tip of an environment's deployment log.
    pub fn log(&self, repository: &Repository, environment: &Name) -> Result<Option<ObjectId>, Undecided> {
        Ok(repository.resolve(&format!("{}deployments/{environment}", self.prefix))?)
    }

    /// The environments that have a deployment log, and where each ends.
    pub fn logs(&self, repository: &Repository) -> Result<BTreeMap<Name, ObjectId>, Undecided> {
        let prefix = format!("{}deployments/", self.prefix);
        let refs = repository.refs_under(&prefix)?;
        // What is no environment's name is no log.
        let logs =
            refs.into_iter().filter_map(|(name, tip)| Some((name.strip_prefix(&prefix)?.parse().ok()?, tip)));
        Ok(logs.collect())
    }

    /// The gates that have a branch, here or at the remote.
    pub fn gate_branches(&self, repository: &Repository) -> Result<BTreeSet<GateName>, Undecided> {
        let mut gates = BTreeSet::new();
        for prefix in [self.prefix.as_str(), "refs/heads/"] {
            let prefix = format!("{prefix}gate/");
            let refs = repository.refs_under(&prefix)?;
            // What is no gate's name is no gate.
            let names = refs.keys().filter_map(|name| name.strip_prefix(&prefix)?.parse().ok());
            gates.extend(names);
        }
        Ok(gates)
    }

    fn branch(&self, repository: &Repository, branch: &str) -> Result<Option<ObjectId>, Undecided> {
        match repository.resolve(&format!("{}{branch}", self.prefix))? {
            Some(tip) => Ok(Some(tip)),
            None => Ok(repository.resolve(&format!("refs/heads/{branch}"))?),
        }
    }

    /// The tip of a branch (without `refs/heads/`) that `ready` and `show` read: the local one where it is ahead of the
    /// shared one.
    pub fn branch_to_show(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Option<ObjectId>, Undecided> {
        let local = repository.resolve(&format!("refs/heads/{branch}"))?;
        let shared = self.branch(repository, branch)?;
        Ok(match (local, shared) {
            (Some(local), Some(shared)) if is_ahead(repository, local, shared)? => Some(local),
            (_, Some(shared)) => Some(shared),
            (local, None) => local,
        })
    }
}

fn trust_root(
    repository: &Repository,
    given: Option<ObjectId>,
) -> Result<(ObjectId, RootFrom, Vec<String>), Undecided> {
    let pinned = match repository.config("gate.root") {
        None => None,
        Some(text) => Some(text.parse::<ObjectId>().map_err(|wrong| {
            Undecided::new("no-trust-root", format!("`gate.root` is `{text}`: {wrong}"), PIN)
        })?),
    };
    match (given, pinned) {
        (Some(given), Some(pinned)) if given != pinned => {
            Ok((given, RootFrom::Flag, vec![format!("--root {given}, not the pinned {pinned}")]))
        }
        (Some(given), _) => Ok((given, RootFrom::Flag, Vec::new())),
        (None, Some(pinned)) => Ok((pinned, RootFrom::Config, Vec::new())),
        (None, None) => {
            Err(Undecided::new("no-trust-root", "no trust root is pinned here, and none was given", PIN))
        }
    }
}

const PIN: &str = "ask the policy owners for the full id of the trust root, then pin it: `git gate trust <commit>`, or \
                   pass `--root <commit>`";

fn tracks_origin(repository: &Repository) -> bool {
    repository
        .config_all("remote.origin.fetch")
        .iter()
        .any(|refspec| refspec.contains(":refs/remotes/origin/"))
}

/// Whether all branches of `origin` are fetched: of a branch that is not, nobody here knows whether it is there.
fn tracks_all_branches(repository: &Repository) -> bool {
    let all = |refspec: &String| refspec.trim_start_matches('+') == "refs/heads/*:refs/remotes/origin/*";
    repository.config_all("remote.origin.fetch").iter().any(all)
}

/// Whether `local` descends from `shared` and is another commit.
fn is_ahead(repository: &Repository, local: ObjectId, shared: ObjectId) -> Result<bool, GitError> {
    let mut seen = BTreeSet::new();
    let mut open = vec![local];
    while let Some(id) = open.pop() {
        if id == shared {
            return Ok(local != shared);
        }
        if seen.insert(id)
            && let Some(links) = raw::parse_links(&repository.read_commit(id)?)
        {
            open.extend(links.parents);
        }
    }
    Ok(false)
}
