//! What a push brings: the commits that nobody had before, and which governed directories each of them changed.
//!
//! For whoever receives a push. A commit that a governed branch held before was received then: it is not looked at again.
//! Nothing here judges.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{EntryKind, GitError, Tree, raw};
use crate::model::{GateName, IncidentId, ObjectId};

use super::history::{Index, place};
use super::provenance::Object;
use super::{Ledger, Undecided};

/// How many commits beside this history are followed to find out what was there before. Past that, what is there counts as
/// new, and is looked at again.
const MOST_BESIDE: usize = 10_000;

/// A name below a directory, what stands there, and what stands there in each parent.
type Differing = (String, Option<Object>, Vec<Option<Object>>);

/// The commits that are new.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// From this place on some are.
    first: Index,
    new: Vec<bool>,
}

/// What a commit changed, as far as it is governed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Governed {
    /// `policy/`.
    Policy,
    /// A gate directory.
    Gate(GateName),
    /// The exception of a gate, and its covers.
    Exception(GateName),
    /// An incident file.
    Incident(IncidentId),
    /// A tree on the way to them that is not canonical: which, and why.
    Unreadable(String),
}

impl Governed {
    /// Its path.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Policy => "policy".to_owned(),
            Self::Gate(gate) => gate.directory(),
            Self::Exception(gate) => gate.exception_directory(),
            Self::Incident(id) => format!("incidents/{id}.toml"),
            Self::Unreadable(reason) => reason.clone(),
        }
    }
}

impl Arrivals {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.new.iter().filter(|new| **new).count()
    }

    fn holds(&self, at: Index) -> bool {
        let behind = at.checked_sub(self.first);
        behind.and_then(|behind| self.new.get(place(behind))).copied().unwrap_or_default()
    }
}

impl Ledger {
    /// The commits since the trust root that none of the tips `before` reaches.
    pub(crate) fn arrivals(&self, before: &[ObjectId]) -> Arrivals {
        let mut open = Vec::new();
        let mut beside = before.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(id) = beside.pop() {
            if let Some(at) = self.history.find(id) {
                open.push(at);
            } else if seen.len() < MOST_BESIDE && seen.insert(id) {
                // What is damaged or gone was before nothing: then more is looked at.
                let links = self.repository.read_commit(id).ok().and_then(|bytes| raw::parse_links(&bytes));
                beside.extend(links.into_iter().flat_map(|links| links.parents));
            }
        }
        // A commit of the chain reaches all that its link and those before brought in; and the trust root was there before.
        let reached = open.iter().filter_map(|at| self.history.chain_link(*at)).max().unwrap_or_default();
        let first = self.history.chain_at(reached).map_or(0, |at| at + 1);
        let mut arrivals = Arrivals { first, new: vec![true; place(self.history.len() - first)] };
        while let Some(at) = open.pop() {
            let behind = at.checked_sub(first);
            let new = behind.and_then(|behind| arrivals.new.get_mut(place(behind)));
            if let Some(new) = new.filter(|new| **new) {
                *new = false;
                open.extend(&self.history.commit(at).parents);
            }
        }
        arrivals
    }

    /// Those that `tip` reaches, in recorded order.
    pub(crate) fn arrivals_of(&self, arrivals: &Arrivals, tip: ObjectId) -> Vec<Index> {
        let mut found = BTreeSet::new();
        let mut open: Vec<Index> = self.history.find(tip).into_iter().collect();
        while let Some(at) = open.pop() {
            // What is known has known parents.
            if arrivals.holds(at) && found.insert(at) {
                open.extend(&self.history.commit(at).parents);
            }
        }
        found.into_iter().collect()
    }

    /// The commits that mainline commits after `old`, up to and with `new`, recorded; all since the trust root where `old`
    /// is before it.
    pub(crate) fn recorded_between(&self, old: Option<ObjectId>, new: ObjectId) -> Vec<Index> {
        let end = |commit: Option<ObjectId>| {
            let link = commit.and_then(|commit| self.history.link_of(commit)).unwrap_or_default();
            self.history.chain_at(link).map_or(0, |at| at + 1)
        };
        (end(old)..end(Some(new))).collect()
    }

    /// The id of the commit at a place.
    pub(crate) fn id_at(&self, at: Index) -> ObjectId {
        self.history.commit(at).id
    }

    /// What of the governed directories a commit holds otherwise than every one of its parents.
    pub(crate) fn touched(&self, at: Index) -> Result<BTreeSet<Governed>, Undecided> {
        let commit = self.history.commit(at);
        let mut parents: Vec<Option<Object>> = Vec::new();
        for parent in &commit.parents {
            parents.push(Some((EntryKind::Directory, self.history.commit(*parent).tree)));
        }
        if parents.is_empty() {
            parents.push(None);
        }
        let mut touched = BTreeSet::new();
        let top = Some((EntryKind::Directory, commit.tree));
        for (name, mine, theirs) in self.differing("", top, &parents, &mut touched)? {
            match name.as_str() {
                "policy" => drop(touched.insert(Governed::Policy)),
                "incidents" => {
                    for (file, _, _) in self.differing(&name, mine, &theirs, &mut touched)? {
                        let id = file.strip_suffix(".toml").and_then(|id| id.parse().ok());
                        touched.extend(id.map(Governed::Incident));
                    }
                }
                "gates" | "exceptions" => {
                    for (system, mine, theirs) in self.differing(&name, mine, &theirs, &mut touched)? {
                        let path = format!("{name}/{system}");
                        for (version, _, _) in self.differing(&path, mine, &theirs, &mut touched)? {
                            // What is no gate's name is no gate, and nobody can ask for it.
                            let Ok(gate) = format!("{system}/{version}").parse() else { continue };
                            touched.insert(match name.as_str() {
                                "gates" => Governed::Gate(gate),
                                _ => Governed::Exception(gate),
                            });
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(touched)
    }

    /// The names below a directory whose entries differ from those of every parent, with what stands there.
    fn differing(
        &self,
        path: &str,
        mine: Option<Object>,
        parents: &[Option<Object>],
        odd: &mut BTreeSet<Governed>,
    ) -> Result<Vec<Differing>, Undecided> {
        if parents.contains(&mine) {
            return Ok(Vec::new());
        }
        let own = self.entries(mine)?;
        if let Err(reason) = &own {
            let shown = if path.is_empty() { "the top directory" } else { path };
            odd.insert(Governed::Unreadable(format!("`{shown}`: {reason}")));
        }
        let own = own.unwrap_or_default();
        let mut theirs = Vec::new();
        for parent in parents {
            theirs.push(self.entries(*parent)?.unwrap_or_default());
        }
        let mut names: BTreeSet<&String> = own.keys().collect();
        names.extend(theirs.first().into_iter().flat_map(BTreeMap::keys));
        let mut found = Vec::new();
        for name in names {
            let mine = own.get(name).copied();
            let theirs: Vec<Option<Object>> = theirs.iter().map(|other| other.get(name).copied()).collect();
            if !theirs.contains(&mine) {
                found.push((name.clone(), mine, theirs));
            }
        }
        Ok(found)
    }

    /// The entries of a directory by name; of what is none, or nothing, none; of what is not canonical, why.
    fn entries(&self, object: Option<Object>) -> Result<Result<BTreeMap<String, Object>, String>, Undecided> {
        let Some((EntryKind::Directory, id)) = object else { return Ok(Ok(BTreeMap::new())) };
        let read = match self.trees.tree(id) {
            Ok(read) => read,
            Err(error @ GitError::OtherKind { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let named = |tree: &Tree| {
            let entries = tree.entries();
            entries
                .map(|entry| (String::from_utf8_lossy(entry.name).into_owned(), (entry.kind, entry.id)))
                .collect()
        };
        Ok(read.as_ref().as_ref().map(named).map_err(ToString::to_string))
    }
}
