//! What the mainline brought in since something was worked out: which systems it is about.
//!
//! A branch that was begun before others were merged lacks what those brought in, and its own merge takes that over as it
//! stands. Such a merge says nothing of what it takes over, where that has one history (`provenance.rs`).

use std::collections::BTreeSet;

use super::changes::CHANGES;
use super::history::{DECISIONS, Index};
use super::provenance::object_at;
use super::{Circumstances, Ledger, Undecided};
use crate::model::{GateName, Name};

/// What the mainline brought in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// How many links.
    pub links: u32,
    /// The systems with a gate that was decided on, or whose files or exceptions changed.
    pub systems: BTreeSet<Name>,
    /// Whether a file of an incident may have changed.
    pub incidents: bool,
}

/// What a list of places is about, by its key.
#[derive(Debug, PartialEq, Eq)]
enum Listed {
    /// Decisions on a gate.
    Decisions(GateName),
    /// Changes of what stands at a path of a gate or its exceptions: the gate, and the directory that holds it.
    Changes(&'static str, GateName),
    /// Changes of incidents.
    Incidents,
}

impl Listed {
    /// Nothing: it says nothing of any system.
    fn of(key: &[u8]) -> Option<Self> {
        let gate = |name: &[u8]| std::str::from_utf8(name).ok()?.parse().ok();
        if let Some(name) = key.strip_prefix(DECISIONS) {
            return Some(Self::Decisions(gate(name)?));
        }
        let path = key.strip_prefix(CHANGES)?;
        if let Some(name) = path.strip_prefix(b"gates/") {
            return Some(Self::Changes("gates", gate(name)?));
        }
        if let Some(name) = path.strip_prefix(b"exceptions/") {
            return Some(Self::Changes("exceptions", gate(name)?));
        }
        (path == b"incidents").then_some(Self::Incidents)
    }
}

impl Ledger {
    /// What the mainline brought in since something was worked out that may still hold; nothing where it does not, or another
    /// policy came into force.
    pub fn news_since(&self, then: &Circumstances) -> Result<Option<News>, Undecided> {
        let link = self.holds_up_to(then).filter(|_link| self.same_policy_as(then));
        let Some((link, end)) = link.and_then(|link| Some((link, self.history.chain_at(link)?))) else {
            return Ok(None);
        };
        let mut news = News { links: self.now().link - link, ..News::default() };
        if end + 1 >= self.history.len() {
            return Ok(Some(news));
        }
        for (key, places) in self.history.lists(end + 1).into_iter().chain(self.changes.lists(end + 1)) {
            match Listed::of(&key) {
                Some(Listed::Decisions(gate)) => drop(news.systems.insert(gate.system)),
                // One that is known to be new has the rest of its system looked at no more.
                Some(Listed::Changes(_, gate)) if news.systems.contains(&gate.system) => {}
                Some(Listed::Changes(directory, gate)) => {
                    let same = self.is_taken_over(directory, &gate, end, &places)?;
                    news.systems.extend((!same).then_some(gate.system));
                }
                Some(Listed::Incidents) => news.incidents = true,
                None => {}
            }
        }
        Ok(Some(news))
    }

    /// Whether what stands at a path of a gate is what stood there at the place `end` of the chain, with the same history:
    /// `places` are the commits behind that which differ there from one of their parents.
    fn is_taken_over(
        &self,
        directory: &str,
        gate: &GateName,
        end: Index,
        places: &[Index],
    ) -> Result<bool, Undecided> {
        let path = [directory, gate.system.as_str(), gate.version.as_str()];
        let provenance = self.provenance(&path)?;
        if !provenance.has_one_history() || provenance.changed.last().is_some_and(|last| *last > end) {
            return Ok(false);
        }
        let object = |at: Index| object_at(&self.trees, self.history.commit(at).tree, &path);
        let then = object(end)?;
        for at in places.iter().copied().filter(|at| self.history.chain_link(*at).is_some()) {
            if object(at)? != then {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether what stands and stood of a gate and of its exceptions has one history, so that merges that change nothing of it
    /// give it no other.
    pub fn has_one_history(&self, gate: &GateName) -> Result<bool, Undecided> {
        for directory in ["gates", "exceptions"] {
            let path = [directory, gate.system.as_str(), gate.version.as_str()];
            if !self.provenance(&path)?.has_one_history() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether no commit of the mainline is dated later than the time of judging, by no second.
    pub fn is_of_the_past(&self) -> bool {
        let last = self.history.chain_link_of(self.now().link);
        last.is_some_and(|last| last.latest <= self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_told_by_what_it_is_listed_under() {
        let gate = || "router/v1".parse::<GateName>().unwrap();
        for (key, what) in [
            ("drouter/v1", Some(Listed::Decisions(gate()))),
            ("cgates/router/v1", Some(Listed::Changes("gates", gate()))),
            ("cexceptions/router/v1", Some(Listed::Changes("exceptions", gate()))),
            ("cincidents", Some(Listed::Incidents)),
            // Of a gate that cannot be, of all of a kind, of the policy, of the log.
            ("dpolicy", None),
            ("cgates/router/v 1", None),
            ("cgates", None),
            ("cexceptions", None),
            ("cpolicy", None),
            ("p", None),
            ("l", None),
        ] {
            assert_eq!(Listed::of(key.as_bytes()), what, "{key}");
        }
    }
}
