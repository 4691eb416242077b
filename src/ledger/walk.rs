//! Walking the deployment log of one environment: what each of its commits says, nothing judged.
//!
//! What the mainline holds was read with it; the rest is read from the log's tip back, every parent followed, so that
//! nobody hides a record behind another.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use crate::decision::{Action, Decision, Deploy, Target};
use crate::model::{GateName, Name, ObjectId, Time};

use super::history::{About, Index};
use super::records::Record;
use super::shape::Shape;
use super::{Ledger, Undecided};

/// The log of one environment, oldest first, with what was worked out of it.
#[derive(Debug, Default)]
pub struct Log {
    walked: Arc<Walked>,
    /// For whom nothing is found rewound.
    pub(super) unrewound: Cell<Option<Unrewound>>,
    /// Of the entries from each place on: the earliest date, and the earliest link of the chain that was judged.
    earliest: OnceCell<Vec<(Time, u32)>>,
    /// Log commits of this environment that the mainline holds and this log does not, once somebody asked.
    pub(super) missing: OnceCell<Vec<Index>>,
    /// Records that were judged already, by place: what a record is by itself does not depend on who asks.
    pub(super) judged: RefCell<HashMap<usize, Rc<Record>>>,
}

/// A log as it was walked: what each commit says, nothing judged. Nothing in it depends on who asks.
#[derive(Debug, Default)]
pub struct Walked {
    pub(super) entries: Vec<Entry>,
    pub(super) ids: BTreeSet<ObjectId>,
    /// Where each commit stands among the entries.
    places: BTreeMap<ObjectId, usize>,
    /// The records of each system, and where one of them is said to have failed: places, oldest first.
    by_system: BTreeMap<Name, Vec<usize>>,
}

/// Up to which log commit, for which link of the mainline, and in spite of what was accepted.
pub(super) type Unrewound = (Option<ObjectId>, u32, Option<ObjectId>);

/// One log commit as walked.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: ObjectId,
    pub(super) before: Option<ObjectId>,
    pub(super) judged: Option<ObjectId>,
    /// The link of the chain that was judged; nothing: it is not on the chain.
    pub(super) judged_link: Option<u32>,
    pub(super) date: Time,
    /// What it says; nothing where it is no record of this environment.
    pub(super) says: Option<Says>,
    /// Of all records before it in the log that judged a commit of the chain: the latest such commit, and the latest date.
    pub(super) latest_before: Option<(u32, Time)>,
}

#[derive(Debug, Clone)]
pub(super) enum Says {
    Deployed(GateName, Box<Deploy>),
    Failed(ObjectId),
}

/// What a log commit says, read for no environment.
struct Logged {
    parents: Vec<ObjectId>,
    date: Time,
    decision: Option<Decision>,
}

impl Deref for Log {
    type Target = Walked;

    fn deref(&self) -> &Walked {
        &self.walked
    }
}

impl Log {
    pub(super) fn of(walked: Arc<Walked>) -> Self {
        Self { walked, ..Self::default() }
    }

    /// As it was walked, for another thread.
    pub(super) fn walked(&self) -> Arc<Walked> {
        Arc::clone(&self.walked)
    }

    /// The gates that its records name.
    pub fn gates(&self) -> impl Iterator<Item = &GateName> {
        self.entries.iter().filter_map(|entry| match &entry.says {
            Some(Says::Deployed(gate, _)) => Some(gate),
            Some(Says::Failed(_)) | None => None,
        })
    }

    /// Whether a log commit is in it.
    pub fn holds(&self, commit: ObjectId) -> bool {
        self.ids.contains(&commit)
    }

    pub(super) fn up_to(&self, last: Option<ObjectId>) -> &[Entry] {
        let end = last.and_then(|last| self.places.get(&last)).map_or(0, |at| at + 1);
        self.entries.get(..end).unwrap_or_default()
    }

    /// Before which place all entries stand that are not dated after `time` and judged no later link than `link`.
    pub(super) fn end_of(&self, time: Time, link: u32) -> usize {
        let earliest = self.earliest.get_or_init(|| {
            let mut earliest = Vec::with_capacity(self.entries.len());
            let mut behind: Option<(Time, u32)> = None;
            for entry in self.entries.iter().rev() {
                let own = (entry.date, entry.judged_link.unwrap_or(u32::MAX));
                let here = behind.map_or(own, |behind| (behind.0.min(own.0), behind.1.min(own.1)));
                earliest.push(here);
                behind = Some(here);
            }
            earliest.reverse();
            earliest
        });
        earliest.partition_point(|(date, judged)| *date <= time && *judged <= link)
    }

    /// The places before `end` that say something of a system, or of all.
    pub(super) fn places_of(&self, system: Option<&Name>, end: usize) -> Vec<usize> {
        let Some(system) = system else { return (0..end).collect() };
        let own = self.by_system.get(system).map(Vec::as_slice).unwrap_or_default();
        own.iter().copied().take_while(|at| *at < end).collect()
    }
}

impl Walked {
    fn enter(&mut self, mut entry: Entry) {
        let at = self.entries.len();
        entry.latest_before = self.entries.last().and_then(|last| {
            let own = match (&last.says, last.judged_link) {
                (Some(Says::Deployed(..)), Some(link)) => Some((link, last.date)),
                (Some(Says::Deployed(..) | Says::Failed(_)) | None, _) => None,
            };
            match (own, last.latest_before) {
                (Some(own), Some(before)) => Some((own.0.max(before.0), own.1.max(before.1))),
                (own, before) => own.or(before),
            }
        });
        match &entry.says {
            Some(Says::Deployed(gate, _)) => self.by_system.entry(gate.system.clone()).or_default().push(at),
            // What failed is a record from before: of no other does a system hear.
            Some(Says::Failed(record)) => {
                let of = self.places.get(record).and_then(|at| self.entries.get(*at));
                if let Some(Says::Deployed(gate, _)) = of.and_then(|of| of.says.as_ref()) {
                    self.by_system.entry(gate.system.clone()).or_default().push(at);
                }
            }
            None => {}
        }
        self.places.insert(entry.id, at);
        self.entries.push(entry);
    }
}

impl Logged {
    fn is_record(&self) -> bool {
        let action = self.decision.as_ref().map(|decision| &decision.action);
        matches!(action, Some(Action::Deploy(_) | Action::DeployFailed { .. }))
    }
}

impl Ledger {
    /// Walks the log of `environment` back from its commit `tip`.
    pub fn read_log(&self, environment: &Name, tip: Option<ObjectId>) -> Result<Log, Undecided> {
        let mut log = Walked::default();
        // Each commit twice: to open its parents, and behind them to enter it. So the oldest is entered first, and no
        // parent is passed over: a commit on top that names the log second hides nothing.
        let mut open: Vec<(ObjectId, bool)> = tip.into_iter().map(|tip| (tip, false)).collect();
        while let Some((id, parents_are_in)) = open.pop() {
            if parents_are_in {
                log.enter(self.entry(environment, id)?);
                continue;
            }
            if self.history.link_of(id).is_some() || self.is_other_past(id) || !log.ids.insert(id) {
                continue;
            }
            open.push((id, true));
            open.extend(self.logged(id)?.parents.into_iter().rev().map(|parent| (parent, false)));
        }
        Ok(Log::of(Arc::new(log)))
    }

    pub(super) fn entry(&self, environment: &Name, id: ObjectId) -> Result<Entry, Undecided> {
        let logged = self.logged(id)?;
        let (before, judged) = match logged.parents.as_slice() {
            [] => (None, None),
            [only] if self.history.link_of(*only).is_some() || self.is_first_record(&logged, *only) => {
                (None, Some(*only))
            }
            [only] => (Some(*only), None),
            [before, .., judged] => (Some(*before), Some(*judged)),
        };
        let says = logged.decision.and_then(|decision| match (decision.target, decision.action) {
            (Target::Gate(gate), Action::Deploy(deploy)) if deploy.environment == *environment => {
                Some(Says::Deployed(gate, Box::new(deploy)))
            }
            (_, Action::DeployFailed { environment: named, record }) if named == *environment => {
                Some(Says::Failed(record))
            }
            (_, _) => None,
        });
        let judged_link = judged.and_then(|judged| self.history.link_of(judged));
        Ok(Entry { id, before, judged, judged_link, date: logged.date, says, latest_before: None })
    }

    /// The parents of a log commit.
    pub(super) fn log_parents(&self, id: ObjectId) -> Result<Vec<ObjectId>, Undecided> {
        Ok(self.logged(id)?.parents)
    }

    /// What a log commit says. What the mainline holds was read before.
    fn logged(&self, id: ObjectId) -> Result<Logged, Undecided> {
        if let Some(commit) = self.history.find(id).map(|at| self.history.commit(at)) {
            let decision = match &commit.about {
                About::Log(message) => {
                    message.as_deref().and_then(|message| Shape::of_message(message).decision)
                }
                About::Nothing | About::Policy | About::Gate(_) => None,
            };
            let parents = commit.parents.iter().map(|at| self.history.commit(*at).id).collect();
            return Ok(Logged { parents, date: commit.date, decision });
        }
        let signed = self.signing.signed(id)?;
        let decision = Shape::of_message(&signed.message).decision;
        Ok(Logged { parents: signed.parents.clone(), date: signed.date, decision })
    }

    /// A record with one parent is the first of its log, also where the mainline it was judged at is not ours.
    fn is_first_record(&self, record: &Logged, parent: ObjectId) -> bool {
        record.is_record() && !self.logged(parent).is_ok_and(|parent| parent.is_record())
    }

    /// Whether a commit is the past of the trust root, and no record.
    fn is_other_past(&self, id: ObjectId) -> bool {
        let commit = self.history.find(id).map(|at| self.history.commit(at));
        commit.is_some_and(|commit| commit.link == 0 && !matches!(commit.about, About::Log(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries by their date and the link that was judged.
    fn log(entries: &[(i64, Option<u32>)]) -> Log {
        let mut log = Walked::default();
        for (number, (date, judged_link)) in (0..).zip(entries) {
            log.enter(Entry {
                id: ObjectId([number; 20]),
                before: None,
                judged: None,
                judged_link: *judged_link,
                date: Time::from_unix(*date).unwrap(),
                says: None,
                latest_before: None,
            });
        }
        Log::of(Arc::new(log))
    }

    #[test]
    fn no_entry_of_a_moment_stands_behind_its_end() {
        let entries = [
            (10, Some(1)),
            (30, Some(3)),
            (20, Some(2)),
            (40, None),
            (25, Some(9)),
            (50, Some(5)),
            (60, None),
        ];
        let log = log(&entries);
        for time in 0..70 {
            for link in 0..10 {
                let fits = |(date, judged): &(i64, Option<u32>)| {
                    *date <= time && judged.is_some_and(|judged| judged <= link)
                };
                let last = entries.iter().rposition(fits).map_or(0, |last| last + 1);
                let end = log.end_of(Time::from_unix(time).unwrap(), link);
                assert!(end >= last, "{time} {link}: {end} {last}");
            }
        }
        assert_eq!(log.end_of(Time::from_unix(24).unwrap(), 9), 3);
        assert_eq!(log.end_of(Time::from_unix(70).unwrap(), 2), 3);
        assert_eq!(Log::default().end_of(Time::from_unix(1).unwrap(), 1), 0);
    }
}
