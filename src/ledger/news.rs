//! What the mainline brought in since something was worked out: which systems it is about.
//!
//! A branch that was begun before others were merged lacks what those brought in, and its own merge takes that over as it
//! stands. Such a merge says nothing of what it takes over, where that has one history (`provenance.rs`).

use std::collections::BTreeSet;

use super::changes::CHANGES;
use super::history::{About, DECISIONS, Index};
use super::provenance::object_at;
use super::shape::Shape;
use super::trees::Found;
use super::{Circumstances, Ledger, Undecided};
use crate::decision::Action;
use crate::model::{GateName, Name, ObjectId};

/// What the mainline brought in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// How many links.
    pub links: u32,
    /// The systems with a gate that was decided on, or whose files or exceptions changed.
    pub systems: BTreeSet<Name>,
    /// Whether a file of an incident may have changed.
    pub incidents: bool,
    /// The environments of whose deployment logs it took something in.
    pub environments: BTreeSet<Name>,
}

/// A log that went on for longer than this is another.
const MOST_NEW: u32 = 4096;

/// The environment that a word of a deployment log names.
fn environment_of(message: &str) -> Option<Name> {
    match Shape::of_message(message).decision?.action {
        Action::Deploy(deploy) => Some(deploy.environment),
        Action::DeployFailed { environment, .. } => Some(environment),
        Action::Approve { .. }
        | Action::Reject { .. }
        | Action::Withdraw
        | Action::Close
        | Action::AcceptRisk { .. } => None,
    }
}

/// What a list of places is about, by its key.
#[derive(Debug, PartialEq, Eq)]
enum Listed {
    /// Decisions on a gate.
    Decisions(GateName),
    /// Changes of what stands at a path of a gate or its exceptions: the gate, and the directory that holds it.
    Changes(&'static str, GateName),
    /// Changes of what stands beside the gates of a system, and is none: by its name it may make them unreadable.
    Beside(Name),
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
        for directory in ["gates", "exceptions"] {
            let below = path.strip_prefix(directory.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
            let Some(name) = below else { continue };
            let system = || {
                let system = name.split(|byte| *byte == b'/').next()?;
                std::str::from_utf8(system).ok()?.parse().ok()
            };
            return match gate(name) {
                Some(gate) => Some(Self::Changes(directory, gate)),
                None => system().map(Self::Beside),
            };
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
                Some(Listed::Beside(system)) => drop(news.systems.insert(system)),
                Some(Listed::Incidents) => news.incidents = true,
                None => {}
            }
        }
        let logged = self.history.logged();
        for at in logged.get(logged.partition_point(|at| *at <= end)..).unwrap_or_default() {
            if let About::Log(Some(message)) = &self.history.commit(*at).about {
                news.environments.extend(environment_of(message));
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

    /// Whether a log that ends `now` goes on from where it ended `then` (a commit, and how many it has with it), and nothing that
    /// came since is seen at a moment of then: what was logged late, or is dated back.
    pub fn log_goes_on(
        &self,
        environment: &Name,
        circumstances: &Circumstances,
        then: Option<(ObjectId, u32)>,
        now: (ObjectId, u32),
    ) -> Result<bool, Undecided> {
        let last = self.holds_up_to(circumstances).and_then(|link| self.history.chain_link_of(link));
        let Some(last) = last else { return Ok(false) };
        let first_link = self.history.commit(last.at).link;
        let (mut next, mut many) = (Some(now.0), now.1);
        let (end, entries) = then.map_or((None, 0), |(tip, entries)| (Some(tip), entries));
        while many > entries && now.1 - entries <= MOST_NEW {
            let Some(id) = next else { return Ok(false) };
            let entry = self.entry(environment, id)?;
            let seen = entry.date <= last.latest && entry.judged_link.is_some_and(|link| link <= first_link);
            if seen && entry.says.is_some() {
                return Ok(false);
            }
            next = entry.before;
            many -= 1;
        }
        Ok(many == entries && next == end)
    }

    /// Whether no two names beside those of systems differ in letter case alone: then nothing below them is read.
    pub fn is_well_named(&self) -> Result<bool, Undecided> {
        let tree = self.history.commit(self.history.chain_at(self.now().step).unwrap_or_default()).tree;
        for directory in ["gates", "exceptions"] {
            // What no system is named.
            if let Found::Defective(_) = self.trees.find(tree, &[directory, "-"])? {
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
            ("cgates/router/v 1", Some(Listed::Beside("router".parse().unwrap()))),
            ("cexceptions/router/\u{212a}1", Some(Listed::Beside("router".parse().unwrap()))),
            ("cgates/\u{212a}/v1", None),
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
