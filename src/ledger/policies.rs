//! `policy/` as content: at the trust root, in an approval's own tree, on the mainline's tip.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::git::GitError;
use crate::model::{ContentDigest, ObjectId, Principal, Time};
use crate::policy::{self, Policy};
use crate::problem::{Problem, Problems};
use crate::verdict::{Notice, PolicyInForce};

use super::chronicle::{Chronicle, Sources, signer_under};
use super::epoch::Epoch;
use super::history::{Commit, History, Index};
use super::tally::{Tally, governance_of_one};
use super::trees::{Directory, Trees};
use super::{Ledger, Undecided, View};

const PATH: [&str; 1] = ["policy"];

/// Whether a content could come into force after one epoch.
#[derive(Debug)]
pub(crate) enum Candidate {
    /// It could; with the authors of the change.
    Fit { authors: BTreeSet<Principal> },
    /// It has the right id and serial, and holds what this version cannot read.
    Unreadable { authors: BTreeSet<Principal> },
    /// It cannot.
    Invalid(String),
}

impl Ledger {
    /// The policy that is only proposed, where one is.
    pub fn proposed(&self) -> Option<&PolicyInForce> {
        self.proposed.as_ref()
    }

    /// Every policy that has been in force up to a view, the first one first, with when it came into force.
    pub fn policies(&self, view: View) -> Vec<(PolicyInForce, Time)> {
        let epochs = self.chronicle.epochs.iter().filter(|epoch| epoch.link <= view.link);
        let in_force = |epoch: &Epoch| PolicyInForce {
            policy: Arc::clone(epoch.policy()),
            digest: epoch.digest,
            commit: epoch.commit,
        };
        epochs.map(|epoch| (in_force(epoch), self.recorded_at_link(epoch.link))).collect()
    }
}

/// The policy of the trust root, trusted as it stands.
pub(crate) fn at_trust_root(trees: &Trees, root: &Commit) -> Result<Epoch, Undecided> {
    let missing = |reason: String| {
        Undecided::new(
            "policy-missing",
            format!("the trust root {} holds no valid `policy/`: {reason}", root.id),
            "pin a mainline commit whose policy is trusted as it stands: `git gate trust <commit>`",
        )
    };
    let directory = trees.directory(root.tree, &PATH)?.ok_or_else(|| missing("there is none".into()))?;
    let Some(digest) = directory.digest else { return Err(missing(directory.defects.join("; "))) };
    let policy = parse(trees, &directory)?.map_err(|problems| missing(problems.to_string()))?;
    if policy.governance.is_empty() || policy.governance.iter().any(|approval| approval.count == 0) {
        return Err(Undecided::new(
            "governance-empty",
            "the policy at the trust root has no `[governance]` approvals, or one with a count of 0",
            "say who may change the policy: `[governance] approvals = [{ role = \"…\", count = 2 }]`, and pin that commit",
        ));
    }
    Ok(Epoch::new(Arc::new(policy), digest, 0, root.id, (root.tree, directory)))
}

/// What a reader should know of the policy in force: findings, which only that of a trust root can have; that one person
/// alone can change it.
pub(crate) fn notices(epoch: &Epoch) -> Vec<Notice> {
    let finding = |finding: &Problem| Notice {
        code: "policy-finding",
        message: format!("{} ({})", finding.message, finding.code),
    };
    let mut notices: Vec<Notice> = epoch.policy().findings.iter().map(finding).collect();
    if governance_of_one(epoch.policy()) {
        notices.push(Notice {
            code: "governance-of-one",
            message: "exactly one person can fill `[governance]`: that person's own policy changes count"
                .into(),
        });
    }
    notices
}

/// Whether the content that `approval` approves could follow `epoch`, and who authored the change.
pub(crate) fn candidate(
    chronicle: &Chronicle,
    sources: Sources<'_>,
    epoch: &Epoch,
    approval: Index,
    content: ContentDigest,
) -> Result<Candidate, Undecided> {
    let commit = sources.history.commit(approval);
    let Some(directory) = sources.trees.directory(commit.tree, &PATH)? else {
        return Ok(Candidate::Invalid("it holds no `policy/`".into()));
    };
    debug_assert_eq!(directory.digest, Some(content), "a ballot's content is that of its own tree");
    let identity = match directory.files.get("policy.toml") {
        Some(blob) => policy::read_identity(&sources.trees.blob(*blob)?),
        None => None,
    };
    let Some((id, serial)) = identity else {
        return Ok(Candidate::Invalid("its `policy.toml` is no TOML with an `id` and a `serial`".into()));
    };
    if let Err(reason) = epoch.policy().may_be_followed_by(&id, serial) {
        return Ok(Candidate::Invalid(reason));
    }
    let authors = match authors(chronicle, sources, epoch, approval)? {
        Ok(authors) => authors,
        Err(reason) => return Ok(Candidate::Invalid(reason)),
    };
    Ok(match parse(sources.trees, &directory)? {
        Ok(policy) => match policy.findings.first() {
            Some(finding) => Candidate::Invalid(format!("{} ({})", finding.message, finding.code)),
            None => Candidate::Fit { authors },
        },
        Err(_unreadable) => Candidate::Unreadable { authors },
    })
}

/// A policy that is known to have been in force, from a top tree that holds it; nothing where that does not read so.
pub(crate) fn remembered(
    trees: &Trees,
    top: ObjectId,
    digest: ContentDigest,
) -> Option<(Arc<Policy>, Rc<Directory>)> {
    let directory = trees.directory(top, &PATH).ok()??;
    let policy = parse(trees, &directory).ok()?.ok()?;
    (directory.digest == Some(digest)).then(|| (Arc::new(policy), directory))
}

/// The policy of a content that filled `[governance]`, its files, and a top tree that holds it.
pub(crate) fn approved(
    trees: &Trees,
    history: &History,
    tally: &Tally,
    content: ContentDigest,
) -> Result<(Policy, ObjectId, Rc<Directory>), Undecided> {
    let ballot =
        tally.ballots.iter().find(|ballot| ballot.is_open_approval() && ballot.content == Some(content));
    let commit = ballot.map(|ballot| history.commit(ballot.at));
    let top = commit.map_or(history.commit(0).tree, |commit| commit.tree);
    let directory = match commit {
        Some(_) => trees.directory(top, &PATH)?.unwrap_or_default(),
        None => Rc::default(),
    };
    let policy = parse(trees, &directory)?.map_err(|problems| {
        Undecided::new(
            "policy-unreadable",
            format!("the approved policy {content} holds what this version of git-gate cannot read:\n{problems}"),
            "update git-gate; if the policy itself is wrong, the way out is a new trust root: `git gate trust <commit>`",
        )
    })?;
    Ok((policy, top, directory))
}

/// Parses the two files of a policy.
pub(crate) fn parse(trees: &Trees, directory: &Directory) -> Result<Result<Policy, Problems>, GitError> {
    let read = |name: &str| match directory.files.get(name) {
        Some(blob) => trees.blob(*blob),
        None => Ok(Vec::new()),
    };
    let (policy_toml, allowed_signers) = (read("policy.toml")?, read("allowed_signers")?);
    Ok(Policy::parse(&policy_toml, &allowed_signers))
}

/// Who authored the change: signers of changes of `policy/` among the ancestors of the approval that are not ancestors of
/// the transition before, and whoever last changed a file that differs from the policy in force. Nothing where a file
/// that differs was last changed by a commit whose signature does not count: that policy is invalid.
fn authors(
    chronicle: &Chronicle,
    sources: Sources<'_>,
    epoch: &Epoch,
    approval: Index,
) -> Result<Result<BTreeSet<Principal>, String>, Undecided> {
    let Sources { history, .. } = sources;
    let mut authors = BTreeSet::new();
    let signer_of = |at: Index| {
        let link = history.commit(at).link;
        let recorded = chronicle.recorded(sources.history, link);
        let judged_under = if link > epoch.link { epoch } else { chronicle.epoch_at(link) };
        signer_under(sources, judged_under, at, recorded, link)
    };
    let provenance = chronicle.provenance(sources)?;
    let changed: BTreeSet<Index> =
        provenance.changed.iter().copied().filter(|at| history.commit(*at).link > epoch.link).collect();
    for at in history.ancestors_among(approval, &changed) {
        authors.extend(signer_of(at)?.owner);
    }
    let Some(state) = provenance.state(sources.trees, history, approval)? else {
        return Ok(Err("it holds no `policy/`".into()));
    };
    for (path, file) in &state.files {
        let mut counted = false;
        let mut reason = String::new();
        for side in &file.sides {
            if history.commit(*side).link == 0 {
                counted = true;
                continue;
            }
            let signer = signer_of(*side)?;
            if epoch.directory().files.get(&**path) != Some(&file.blob) {
                authors.extend(signer.owner.clone());
            }
            match signer.counting() {
                Ok(_) => counted = true,
                Err((code, why)) => {
                    reason = format!(
                        "`policy/{path}` was last changed by {}, whose signature does not count: {why} ({code})",
                        history.commit(*side).id.short()
                    );
                }
            }
        }
        if !counted {
            return Ok(Err(reason));
        }
    }
    Ok(Ok(authors))
}
