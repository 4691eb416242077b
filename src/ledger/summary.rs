//! What is remembered of a deployment log: the records of each system, each with what judging it again gave.
//!
//! A record names all that it was judged from: the log before it, and the mainline commit. So judging it again gives the same
//! each time, but for what later commits can still change. A summary is made and used only where they change nothing: the
//! log is *plain* (one commit behind the other; every record judged a commit of the mainline, and none is out of chain), it
//! holds all of it that the mainline holds, the mainline asks nobody to sign it and is not dated ahead, the `[[revoked]]` of
//! now are those of then, the policies of then still lie in the past, and nobody withdrew since what a record rests on (design,
//! section 16). What does not fit is read and judged as if there were no summary.

mod going_on;
mod written;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::git::Pages;
use crate::model::{ContentDigest, Name, ObjectId, Time, limits};
use crate::verdict::{RecordFact, Replay};

use super::history::place;
use super::kept::{Circumstances, Text};
use super::records::Record;
use super::walk::{Log, Says};
use super::{Ledger, Undecided, View};

use written::{ItemRow, LogRow};

/// The row is written anew where the mainline went on by so many links, whatever else changed.
const FAR_BEHIND: u32 = 64;

/// The log of one environment.
#[derive(Debug)]
pub struct Summary {
    environment: Name,
    circumstances: Circumstances,
    first: ObjectId,
    tip: ObjectId,
    entries: u32,
    latest: Option<(u32, Time)>,
    last_word: Option<ObjectId>,
    /// Where the last record stands that counts.
    last_counting: Option<u32>,
    systems: RefCell<BTreeMap<Name, System>>,
    /// How many commits the log has up to and with these.
    ends: RefCell<HashMap<ObjectId, u32>>,
    /// Log commits that it certainly holds.
    held: BTreeSet<ObjectId>,
    as_read: Option<Vec<u8>>,
    changed: Cell<bool>,
}

/// One record of a system.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it stands in the log.
    pub place: u32,
    /// The log commit.
    pub commit: ObjectId,
    /// Where a later one stands that says that it failed, and counts.
    pub failed_at: Option<u32>,
    /// The record as most see it; nothing: it is still to be judged.
    pub fact: Option<Arc<RecordFact>>,
}

/// The records of one system.
#[derive(Debug, Default)]
struct System {
    /// The digest of what is kept of it.
    kept: Option<ContentDigest>,
    /// Nothing: that was not read yet.
    items: Option<Vec<Item>>,
    /// Where the last commit stands that logged a record of it, or said that one failed.
    newest: u32,
    changed: bool,
}

impl Summary {
    /// The last commit of the log that says something and counts.
    pub fn last_word(&self) -> Option<ObjectId> {
        self.last_word
    }

    /// Whether the log certainly holds a commit.
    pub fn holds(&self, commit: ObjectId) -> bool {
        self.held.contains(&commit)
    }

    /// How many commits the log has up to and with one; nothing: that is not known.
    pub fn end_of(&self, last: Option<ObjectId>) -> Option<u32> {
        match last {
            None => Some(0),
            Some(last) => self.ends.borrow().get(&last).copied(),
        }
    }

    /// How many commits the log has.
    pub fn entries(&self) -> u32 {
        self.entries
    }

    /// Where the last commit stands that logged a record of a system, or said that one failed; nothing: there is none.
    pub fn newest(&self, system: &Name) -> Option<u32> {
        self.systems.borrow().get(system).map(|own| own.newest)
    }

    /// The latest date of its records.
    pub fn latest(&self) -> Option<Time> {
        self.latest.map(|(_link, date)| date)
    }

    /// The systems that the log names.
    pub fn systems(&self) -> Vec<Name> {
        self.systems.borrow().keys().cloned().collect()
    }

    /// Whether another one says the same of the same log, whatever was judged of its records.
    pub fn is_as(&self, other: &Self) -> bool {
        let of = |summary: &Self| {
            let log = (
                summary.first,
                summary.tip,
                summary.entries,
                summary.latest,
                summary.last_word,
                summary.last_counting,
            );
            (log, summary.systems())
        };
        of(self) == of(other)
    }

    /// One record of a system that was read.
    pub fn item(&self, system: &Name, at: usize) -> Option<Item> {
        self.systems.borrow().get(system)?.items.as_ref()?.get(at).cloned()
    }

    /// Keeps what judging a record gave.
    pub fn judged(&self, system: &Name, at: usize, fact: Arc<RecordFact>) {
        if let Some(system) = self.systems.borrow_mut().get_mut(system)
            && let Some(item) = system.items.as_mut().and_then(|items| items.get_mut(at))
        {
            item.fact = Some(fact);
            system.changed = true;
            self.changed.set(true);
        }
    }

    fn row(&self) -> String {
        format!("log {}", self.environment)
    }

    fn row_of(&self, system: &Name) -> String {
        format!("log {} {system}", self.environment)
    }

    /// Reads the records of a system, if that was not done; whether they can be read.
    fn read(&self, pages: Option<&Pages>, system: &Name) -> bool {
        let mut systems = self.systems.borrow_mut();
        // Of a system that the log does not name there are none.
        let Some(own) = systems.get_mut(system) else { return true };
        if own.items.is_none() {
            own.items = own.kept.and_then(|kept| {
                let bytes = pages?.found(&self.row_of(system))?;
                let rows: Option<Vec<ItemRow>> =
                    (ContentDigest::of_bytes(&bytes) == kept).then(|| serde_json::from_slice(&bytes).ok())?;
                rows?.into_iter().map(ItemRow::read).collect()
            });
        }
        own.items.is_some()
    }

    fn enter(&mut self, system: &Name, item: Item) {
        self.held.insert(item.commit);
        let own = self.systems.get_mut().entry(system.clone()).or_default();
        own.newest = own.newest.max(item.place);
        own.items.get_or_insert_default().push(item);
        own.changed = true;
    }

    /// Says of a record that it failed, unless that was said before.
    fn fail(&mut self, system: &Name, record: ObjectId, place: u32) {
        if let Some(own) = self.systems.get_mut().get_mut(system)
            && let Some(item) = own.items.iter_mut().flatten().rev().find(|item| item.commit == record)
        {
            item.failed_at = item.failed_at.or(Some(place));
            own.newest = own.newest.max(place);
            own.changed = true;
        }
    }

    /// Whether no record that counts stands behind one.
    fn is_last(&self, system: &Name, record: ObjectId) -> bool {
        let systems = self.systems.borrow();
        let mut items = systems.get(system).into_iter().flat_map(|own| &own.items).flatten();
        let item = items.find(|item| item.commit == record);
        item.is_some_and(|item| self.last_counting.is_none_or(|last| last <= item.place))
    }

    /// Forgets what judging the records of a system gave.
    fn forget(&mut self, system: &Name) {
        let Some(own) = self.systems.get_mut().get_mut(system) else { return };
        for item in own.items.iter_mut().flatten().filter(|item| item.fact.is_some()) {
            item.fact = None;
            own.changed = true;
            self.changed.set(true);
        }
    }
}

impl Ledger {
    /// The summary of an environment's log that ends at `tip`, as it was kept and with what came since; nothing where there
    /// is none that may be used.
    pub fn summary(&self, environment: &Name, tip: ObjectId) -> Option<Summary> {
        let bytes = self.kept(&format!("log {environment}"))?;
        let row: LogRow = serde_json::from_slice(&bytes).ok()?;
        let then = self.holds_up_to(&row.circumstances)?;
        // What the mainline took by fast-forward is its own, and no log any more; then the first commit is, too.
        if self.history.link_of(row.first.0).is_some() {
            return None;
        }
        let latest = match row.latest {
            Some((link, date)) => Some((link, Time::from_unix(date)?)),
            None => None,
        };
        let kept = |(digest, newest): (Text<ContentDigest>, u32)| System {
            kept: Some(digest.0),
            newest,
            ..System::default()
        };
        let mut summary = Summary {
            environment: environment.clone(),
            circumstances: self.circumstances()?,
            first: row.first.0,
            tip: row.tip.0,
            entries: row.entries,
            latest,
            last_word: row.last_word.as_ref().map(|id| id.0),
            held: row.last_word.into_iter().chain([row.tip]).map(|id| id.0).collect(),
            last_counting: row.last_counting,
            systems: RefCell::new(row.systems.into_iter().map(|(system, of)| (system.0, kept(of))).collect()),
            ends: RefCell::default(),
            as_read: Some(bytes),
            changed: Cell::new(false),
        };
        // What cannot be read here is told by who reads all.
        let up_to_date = summary.is_of_now(self) && self.go_on(&mut summary, then, tip).unwrap_or_default();
        if !up_to_date {
            return None;
        }
        let far = self.now().link - then >= FAR_BEHIND;
        summary.changed.set(summary.changed.get() || far);
        summary.ends.get_mut().insert(tip, summary.entries);
        Some(summary)
    }

    /// The summary of a log that was walked, with its records yet to be judged; nothing where it is not plain.
    pub fn summarize(&self, environment: &Name, log: &Log) -> Result<Option<Summary>, Undecided> {
        let Some(circumstances) = self.circumstances() else { return Ok(None) };
        let (Some(first), Some(tip)) = (log.entries.first(), log.entries.last()) else { return Ok(None) };
        let (first, tip) = (first.id, tip.id);
        if !self.off_log(log, environment)?.is_empty() {
            return Ok(None);
        }
        let mut summary = Summary {
            environment: environment.clone(),
            circumstances,
            first,
            tip,
            entries: 0,
            latest: None,
            last_word: self.last_word(environment, log, self.now())?,
            last_counting: self.last_counting(environment, log)?,
            systems: RefCell::default(),
            ends: RefCell::new(HashMap::from([(tip, count(log.entries.len()))])),
            held: BTreeSet::new(),
            as_read: self.kept(&format!("log {environment}")),
            changed: Cell::new(true),
        };
        let mut before = None;
        let mut failures = Vec::new();
        for (at, entry) in log.entries.iter().enumerate() {
            if entry.before != before || !self.follows(&summary, entry)? {
                return Ok(None);
            }
            before = Some(entry.id);
            let place = count(at);
            match &entry.says {
                Some(Says::Deployed(gate, _)) => {
                    summary.latest = entry.judged_link.map(|link| (link, entry.date));
                    let item = Item { place, commit: entry.id, failed_at: None, fact: None };
                    summary.enter(&gate.system, item);
                }
                Some(Says::Failed(record)) => failures.push((*record, place)),
                None => {}
            }
            summary.entries += 1;
        }
        for (record, at) in failures {
            let of =
                log.entries.iter().find(|entry| entry.id == record).and_then(|entry| entry.says.as_ref());
            if let Some(Says::Deployed(gate, _)) = of
                && self.failure_counts(environment, &log.entries, record, place(at), self.now())?
            {
                summary.fail(&gate.system, record, at);
            }
        }
        Ok(summary.is_of_now(self).then_some(summary))
    }
}

impl Summary {
    /// Whether no record is dated later than it can be now.
    fn is_of_now(&self, ledger: &Ledger) -> bool {
        self.latest.is_none_or(|(_, date)| date.seconds_since(ledger.time) <= limits::CLOCK_SKEW_SECONDS)
    }
}

impl Ledger {
    /// Reads the records of one system; how many there are. Nothing: what is kept of them is not what it should be.
    pub fn summarized(&self, summary: &Summary, system: &Name) -> Option<usize> {
        let pages = self.history.known().map(|known| known.pages());
        let read = summary.read(pages, system);
        let systems = summary.systems.borrow();
        read.then(|| systems.get(system).and_then(|own| own.items.as_ref()).map_or(0, Vec::len))
    }

    /// A record of a plain log, yet to be judged again.
    pub fn summarized_record(
        &self,
        summary: &Summary,
        item: &Item,
        view: View,
    ) -> Result<Option<Record>, Undecided> {
        let entry = self.entry(&summary.environment, item.commit)?;
        let Some(Says::Deployed(gate, deploy)) = &entry.says else { return Ok(None) };
        summary.ends.borrow_mut().extend(entry.before.map(|before| (before, item.place)));
        Ok(Some(self.record(&summary.environment, &entry, gate, deploy, &[], view)?))
    }

    /// Whether a record was judged with no other system's: a gate that is required may rest on its own records, and then so
    /// does this one, also when somebody withdraws from that gate.
    pub fn stands_alone(&self, fact: &RecordFact) -> Result<bool, Undecided> {
        let Some(view) = self.at(fact.judged, fact.time) else { return Ok(false) };
        Ok(self.requires(&fact.gate, view)?.is_empty())
    }

    /// Whether what judging a record again gave stays what it is until somebody withdraws from a gate of its system, where all
    /// of its records stand alone.
    pub fn is_lasting(&self, fact: &RecordFact) -> Result<bool, Undecided> {
        let Some(view) = self.at(fact.judged, fact.time) else { return Ok(false) };
        Ok(match &fact.replay {
            Replay::Allowed { .. } => !self.has_later_withdrawals(&fact.gate, view)?,
            Replay::NotAllowed(_) => true,
            Replay::NotReplayable(_) => false,
        })
    }

    /// Keeps a summary, where something of it is new. Nothing is lost where it cannot be kept.
    pub fn keep_summary(&self, summary: &Summary) {
        if !summary.changed.get() {
            return;
        }
        let mut rows = Vec::new();
        let mut digests = BTreeMap::new();
        for (system, own) in summary.systems.borrow().iter() {
            let digest = match (own.kept, &own.items) {
                (Some(kept), _) if !own.changed => kept,
                (_, Some(items)) => {
                    let items: Vec<ItemRow> = items.iter().map(ItemRow::of).collect();
                    let Ok(bytes) = serde_json::to_vec(&items) else { return };
                    let digest = ContentDigest::of_bytes(&bytes);
                    rows.push((summary.row_of(system), bytes));
                    digest
                }
                (_, None) => return,
            };
            digests.insert(Text(system.clone()), (Text(digest), own.newest));
        }
        let row = LogRow {
            circumstances: summary.circumstances.clone(),
            first: Text(summary.first),
            tip: Text(summary.tip),
            entries: summary.entries,
            latest: summary.latest.map(|(link, date)| (link, date.unix())),
            last_word: summary.last_word.map(Text),
            last_counting: summary.last_counting,
            systems: digests,
        };
        let Ok(bytes) = serde_json::to_vec(&row) else { return };
        rows.push((summary.row(), bytes));
        self.keep(&summary.row(), summary.as_read.as_deref(), &rows);
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
