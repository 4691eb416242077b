//! What each ref is for, and how it moves: told from names and first parents alone.

use std::collections::BTreeSet;

use crate::git::{GitError, Repository, raw};
use crate::model::ObjectId;

use super::{Kind, Movement, Refs, Update};

impl Kind {
    /// What a ref of that full name is for, where the mainline is called `mainline`.
    pub(super) fn of(name: &str, mainline: &str) -> Self {
        if name.starts_with("refs/replace/") {
            return Self::Replacement;
        }
        let Some(branch) = name.strip_prefix("refs/heads/") else { return Self::Other };
        if branch == mainline {
            return Self::Mainline;
        }
        match branch.split_once('/') {
            Some(("gate", gate)) => gate.parse().map_or(Self::Other, Self::Gate),
            Some(("policy", _slug)) => Self::Policy,
            Some(("deployments", environment)) => environment.parse().map_or(Self::Other, Self::Log),
            Some(_) | None => Self::Other,
        }
    }

    /// Whether what it holds is judged.
    pub(super) fn is_governed(&self) -> bool {
        match self {
            Self::Mainline | Self::Gate(_) | Self::Policy | Self::Log(_) => true,
            Self::Replacement | Self::Other => false,
        }
    }
}

/// The refs as they would be.
pub(super) fn after(before: &Refs, updates: &[Update]) -> Refs {
    let mut after = before.clone();
    for update in updates {
        match update.new {
            Some(new) => drop(after.insert(update.name.clone(), new)),
            None => drop(after.remove(&update.name)),
        }
    }
    after
}

/// How a ref moves along first parents; what is not there any more cannot be followed.
pub(super) fn movement(repository: &Repository, update: &Update) -> Result<Movement, GitError> {
    let (old, new) = match (update.old, update.new) {
        (_, None) => return Ok(Movement::Deleted),
        (None, Some(_)) => return Ok(Movement::Created),
        (Some(old), Some(new)) => (old, new),
    };
    let mut at = Some(new);
    let mut passed = BTreeSet::new();
    while let Some(id) = at.filter(|id| passed.insert(*id)) {
        if id == old {
            return Ok(Movement::Forward);
        }
        at = parents(repository, id)?.first().copied();
    }
    Ok(if reaches(repository, new, old)? { Movement::Sideways } else { Movement::Back })
}

fn reaches(repository: &Repository, from: ObjectId, wanted: ObjectId) -> Result<bool, GitError> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if id == wanted {
            return Ok(true);
        }
        if seen.insert(id) {
            open.extend(parents(repository, id)?);
        }
    }
    Ok(false)
}

fn parents(repository: &Repository, commit: ObjectId) -> Result<Vec<ObjectId>, GitError> {
    Ok(raw::parse_links(&repository.read_commit(commit)?).map(|links| links.parents).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_is_what_its_name_says() {
        for (name, kind) in [
            ("refs/heads/main", Kind::Mainline),
            ("refs/heads/gate/a/v1", Kind::Gate("a/v1".parse().unwrap())),
            ("refs/heads/gate/a", Kind::Other),
            ("refs/heads/gate/a/b/c", Kind::Other),
            ("refs/heads/policy/x", Kind::Policy),
            ("refs/heads/policy/x/y", Kind::Policy),
            ("refs/heads/policy", Kind::Other),
            ("refs/heads/deployments/production", Kind::Log("production".parse().unwrap())),
            ("refs/heads/deployments/a/b", Kind::Other),
            ("refs/heads/Main", Kind::Other),
            ("refs/tags/main", Kind::Other),
            ("refs/replace/1111111111111111111111111111111111111111", Kind::Replacement),
        ] {
            assert_eq!(Kind::of(name, "main"), kind, "{name}");
        }
        assert_eq!(Kind::of("refs/heads/gate/a/v1", "gate/a/v1"), Kind::Mainline);
    }
}
