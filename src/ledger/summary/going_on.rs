//! A summary that is brought up to date: what came behind it in the log, and on the mainline since.

use std::collections::BTreeSet;

use crate::git::Pages;
use crate::model::{Name, ObjectId, Time};

use super::super::history::{About, Index};
use super::super::walk::{Entry, Log, Says};
use super::super::{Ledger, Undecided};
use super::{Item, Summary, count};

/// A log that goes on for longer than this behind its summary is walked, and so is a mainline.
const MOST_ENTRIES: usize = 4_096;
const MOST_COMMITS: u32 = 16_384;

impl Ledger {
    /// Whether a commit may stand behind a plain log: it judged a commit of the mainline, and if it is a record, one that is
    /// not out of chain, whatever it is worth, and that accepts no rewind.
    pub(super) fn follows(&self, summary: &Summary, entry: &Entry) -> Result<bool, Undecided> {
        Ok(match (&entry.says, entry.judged_link) {
            (Some(_), None) => false,
            (None, _) | (Some(Says::Failed(_)), Some(_)) => true,
            (Some(Says::Deployed(_, deploy)), Some(link)) => {
                let behind = |(latest, date): (u32, Time)| latest <= link && date <= entry.date;
                deploy.restart.is_none()
                    && summary.latest.is_none_or(behind)
                    && self.out_of_chain(&summary.environment, entry, &[], false, self.now())?.is_none()
            }
        })
    }

    pub(super) fn last_counting(&self, environment: &Name, log: &Log) -> Result<Option<u32>, Undecided> {
        for (at, entry) in log.entries.iter().enumerate().rev() {
            if let Some(Says::Deployed(gate, deploy)) = &entry.says
                && self.record(environment, entry, gate, deploy, &[], self.now())?.defect.is_none()
            {
                return Ok(Some(count(at)));
            }
        }
        Ok(None)
    }

    /// Brings a summary up to date, from the link `then` and the log as it ended; whether it still is one.
    pub(super) fn go_on(&self, summary: &mut Summary, then: u32, tip: ObjectId) -> Result<bool, Undecided> {
        let Some(first) = self.history.chain_at(then).map(|at| at + 1) else { return Ok(false) };
        let Some(tail) = self.tail(summary, tip)? else { return Ok(false) };
        let on_mainline = self.history.logged();
        let on_mainline =
            on_mainline.get(on_mainline.partition_point(|at| *at < first)..).unwrap_or_default();
        if !self.holds_all(summary, tip, on_mainline)? {
            return Ok(false);
        }
        let pages = self.history.known().map(|known| known.pages());
        for entry in tail.iter().rev() {
            if !self.take_in(summary, pages, entry)? {
                return Ok(false);
            }
        }
        if self.history.len() - first > MOST_COMMITS {
            return Ok(false);
        }
        for at in first..self.history.len() {
            if let About::Gate(gate) = &self.history.commit(at).about
                && summary.systems.get_mut().contains_key(&gate.system)
                && self.is_withdrawal(at)?
            {
                if !summary.read(pages, &gate.system) {
                    return Ok(false);
                }
                // One record's return may rest on another's, and what was deployed later on that: it was a break-glass, or none.
                summary.forget(&gate.system);
            }
        }
        Ok(true)
    }

    /// What came behind a summary, latest first; nothing where it is not one commit behind the other.
    fn tail(&self, summary: &Summary, tip: ObjectId) -> Result<Option<Vec<Entry>>, Undecided> {
        let mut tail = Vec::new();
        let mut next = Some(tip);
        while next != Some(summary.tip) {
            let Some(id) = next.filter(|_id| tail.len() < MOST_ENTRIES) else { return Ok(None) };
            let entry = self.entry(&summary.environment, id)?;
            next = entry.before;
            let others = self.log_parents(id)?.into_iter().filter(|parent| Some(*parent) != next);
            if others.into_iter().any(|parent| self.history.link_of(parent).is_none()) {
                return Ok(None);
            }
            tail.push(entry);
        }
        Ok(Some(tail))
    }

    /// Whether the log holds these commits of the mainline, as far as they are of its environment and not far down, and none
    /// of them is dated after it was recorded.
    fn holds_all(&self, summary: &Summary, tip: ObjectId, on_mainline: &[Index]) -> Result<bool, Undecided> {
        let mut wanted = BTreeSet::new();
        for at in on_mainline {
            let entry = self.entry(&summary.environment, self.history.commit(*at).id)?;
            if entry.says.is_some() {
                if self.is_dated_ahead(&entry, self.now()) {
                    return Ok(false);
                }
                wanted.insert(entry.id);
            }
        }
        let mut next = Some(tip);
        for _ in 0..MOST_ENTRIES {
            let Some(id) = next.filter(|_id| !wanted.is_empty()) else { break };
            wanted.remove(&id);
            next = self.entry(&summary.environment, id)?.before;
        }
        Ok(wanted.is_empty())
    }

    fn take_in(
        &self,
        summary: &mut Summary,
        pages: Option<&Pages>,
        entry: &Entry,
    ) -> Result<bool, Undecided> {
        if !self.follows(summary, entry)? {
            return Ok(false);
        }
        let environment = summary.environment.clone();
        let place = summary.entries;
        match &entry.says {
            Some(Says::Deployed(gate, deploy)) => {
                if !summary.read(pages, &gate.system) {
                    return Ok(false);
                }
                summary.latest = entry.judged_link.map(|link| (link, entry.date));
                summary.enter(&gate.system, Item { place, commit: entry.id, failed_at: None, fact: None });
                if self.record(&environment, entry, gate, deploy, &[], self.now())?.defect.is_none() {
                    summary.last_counting = Some(place);
                    summary.last_word = Some(entry.id);
                }
            }
            Some(Says::Failed(record))
                if self.deployer(&environment, entry, self.now())?.defect.is_none() =>
            {
                summary.last_word = Some(entry.id);
                if let Some(Says::Deployed(gate, _)) = self.entry(&environment, *record)?.says {
                    if !summary.read(pages, &gate.system) {
                        return Ok(false);
                    }
                    if summary.is_last(&gate.system, *record) {
                        summary.fail(&gate.system, *record, place);
                    }
                }
            }
            Some(Says::Failed(_)) | None => {}
        }
        summary.held.insert(entry.id);
        summary.tip = entry.id;
        summary.entries += 1;
        summary.changed.set(true);
        Ok(true)
    }
}
