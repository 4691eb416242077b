//! Reads what a push brings, all refs as they would be after it.
//!
//! One history: the mainline's, and where gate or policy branches move, theirs gathered behind it, merged with nothing. So
//! what they hold is judged under the policy in force once the push is taken, by the same reader as any other. Work is
//! bounded by what is pushed, and that by limits.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::git::Repository;
use crate::ledger::{Arrivals, Governed, Ledger, Proposal, Undecided, View};
use crate::model::{GateName, Name, ObjectId, Time};

use super::refs::{after, movement};
use super::{
    Arrived, ArrivedDecision, ArrivedDirectory, ArrivedRef, Kind, Movement, Push, Received, Refs, Update,
    rules,
};

/// How many governed refs one push may move.
const MOST_REFS: usize = 1_000;

/// How many commits that nobody had before one push may bring.
const MOST_COMMITS: usize = 50_000;

/// How many proposed policies are looked at.
const MOST_PROPOSALS: usize = 64;

/// Where a push is received.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The repository, what is pushed included.
    pub repository: Rc<Repository>,
    /// The mainline's name, without `refs/heads/`.
    pub mainline: String,
    /// The trust root, where one is pinned.
    pub root: Option<ObjectId>,
    /// The branches as they stand.
    pub before: Refs,
    /// The time of judging.
    pub time: Time,
}

/// Judges a push. What is read of an index is compared as it is read: where that is in doubt, or where it fails, it is to be
/// judged again without one.
pub fn receive(receiver: &Receiver, push: &Push) -> Result<Received, Undecided> {
    let mut gathering = Gathering::begin(receiver, push)?;
    gathering.read()?;
    let Gathering { arrived, doubtful, .. } = gathering;
    Ok(Received { refusals: rules::refusals(&arrived), warnings: arrived.warnings, doubtful })
}

struct Gathering<'a> {
    receiver: &'a Receiver,
    after: Refs,
    mainline_ref: String,
    arrived: Arrived,
    doubtful: bool,
}

/// What is asked of one history.
struct Reading {
    ledger: Ledger,
    /// The mainline as it would be.
    view: View,
    arrivals: Arrivals,
    proposals: Vec<Proposal>,
    /// Where each log would end.
    logs: BTreeMap<Name, ObjectId>,
    mainline_before: Option<ObjectId>,
    mainline_after: ObjectId,
}

impl<'a> Gathering<'a> {
    fn begin(receiver: &'a Receiver, push: &Push) -> Result<Self, Undecided> {
        let mut refs = Vec::new();
        let mut moved = Vec::new();
        for update in &push.updates {
            // A ref that stands for another moves that one.
            let target = receiver.repository.target_of(&update.name)?;
            let kind = Kind::of(&target, &receiver.mainline);
            moved.push(Update { name: target, ..update.clone() });
            let mut arrived = ArrivedRef::new(update.clone(), kind);
            arrived.movement =
                match &arrived.kind {
                    Kind::Mainline | Kind::Log(_) => movement(&receiver.repository, update)?,
                    Kind::Gate(_) | Kind::Policy | Kind::Replacement | Kind::Other => {
                        if update.new.is_none() { Movement::Deleted } else { Movement::Forward }
                    }
                };
            refs.push(arrived);
        }
        Ok(Self {
            receiver,
            after: after(&receiver.before, &moved),
            mainline_ref: format!("refs/heads/{}", receiver.mainline),
            arrived: Arrived { mainline: receiver.mainline.clone(), refs, warnings: Vec::new() },
            doubtful: false,
        })
    }

    fn read(&mut self) -> Result<(), Undecided> {
        let governed = self.arrived.refs.iter().filter(|moved| moved.kind.is_governed()).count();
        if governed == 0 {
            return Ok(());
        }
        if governed > MOST_REFS {
            self.refuse_all(
                |_| true,
                &too_large(&format!("it moves {governed} governed refs, at most {MOST_REFS} can be")),
            );
            return Ok(());
        }
        let Some(root) = self.receiver.root else {
            let unpinned =
                Undecided::new("no-trust-root", "no trust root is pinned where this is received", "");
            self.refuse_all(|kind| *kind == Kind::Mainline, &unpinned);
            return Ok(());
        };
        let broken = |moved: &ArrivedRef| {
            moved.kind == Kind::Mainline
                && matches!(moved.movement, Movement::Deleted | Movement::Back | Movement::Sideways)
        };
        let Some(mainline) = self.after.get(&self.mainline_ref).copied() else { return Ok(()) };
        if self.arrived.refs.iter().any(broken) {
            return Ok(());
        }
        let Some(ledger) = self.open(root, mainline)? else { return Ok(()) };
        let reading = self.reading(ledger, mainline)?;
        let brought = reading.brought();
        if brought > MOST_COMMITS {
            let reason = format!("it brings {brought} commits, at most {MOST_COMMITS} are looked at");
            self.refuse_all(|_| true, &too_large(&reason));
            return Ok(());
        }
        for moved in &mut self.arrived.refs {
            if moved.kind.is_governed() && moved.unjudged.is_none() {
                reading.look(moved)?;
            }
        }
        self.doubtful |= reading.ledger.has_lost_its_index();
        // Freeing a history piece by piece takes longer than the process has left.
        std::mem::forget(reading.ledger);
        Ok(())
    }

    fn refuse_all(&mut self, which: impl Fn(&Kind) -> bool, why: &Undecided) {
        for moved in
            self.arrived.refs.iter_mut().filter(|moved| moved.kind.is_governed() && which(&moved.kind))
        {
            moved.unjudged = Some(why.clone());
        }
    }

    /// The history of all that is judged. Where what is pushed cannot be read it is marked; where it is the mainline that
    /// stands there already, that is told, and what is pushed beside it is not judged.
    fn open(&mut self, root: ObjectId, mainline: ObjectId) -> Result<Option<Ledger>, Undecided> {
        let beside = |moved: &ArrivedRef| matches!(moved.kind, Kind::Gate(_) | Kind::Policy);
        let tips: BTreeSet<ObjectId> = self
            .arrived
            .refs
            .iter()
            .filter(|moved| beside(moved))
            .filter_map(|moved| moved.update.new)
            .collect();
        let tips: Vec<ObjectId> = tips.into_iter().filter(|tip| *tip != mainline).collect();
        let time = self.receiver.time;
        let repository = &self.receiver.repository;
        let alone = || Ledger::open(Rc::clone(repository), root, mainline, time, false);
        let opened = if tips.is_empty() {
            alone()
        } else {
            repository.refuse_cut_history()?;
            let (gathered, tip) = repository.gather(mainline, &tips, time)?;
            Ledger::open_gathered(Rc::from(gathered), root, tip, time)
        };
        let undecided = match opened {
            Ok(ledger) => return Ok(Some(ledger)),
            Err(undecided) => undecided,
        };
        self.doubtful = repository.remembers();
        if !tips.is_empty()
            && let Ok(ledger) = alone()
        {
            self.refuse_all(|kind| matches!(kind, Kind::Gate(_) | Kind::Policy), &undecided);
            return Ok(Some(ledger));
        }
        if self.arrived.refs.iter().any(|moved| moved.kind == Kind::Mainline) {
            self.refuse_all(|kind| *kind == Kind::Mainline, &undecided);
        } else {
            self.arrived.warnings.push(format!(
                "the mainline cannot be judged, so nothing that is pushed was looked at: {} [{}]; {}",
                undecided.message, undecided.code, undecided.help
            ));
        }
        Ok(None)
    }

    fn reading(&self, ledger: Ledger, mainline_after: ObjectId) -> Result<Reading, Undecided> {
        let receiver = self.receiver;
        let mainline_before = receiver.before.get(&self.mainline_ref).copied();
        let governed = |name: &String| Kind::of(name, &receiver.mainline).is_governed();
        // Where there was no mainline nothing was ever judged.
        let known: Vec<ObjectId> = match mainline_before {
            Some(_) => {
                receiver.before.iter().filter(|(name, _)| governed(name)).map(|(_, tip)| *tip).collect()
            }
            None => Vec::new(),
        };
        let mut proposals = Vec::new();
        let mut logs = BTreeMap::new();
        for (name, tip) in &self.after {
            match Kind::of(name, &receiver.mainline) {
                Kind::Policy if proposals.len() < MOST_PROPOSALS => proposals.extend(ledger.proposal(*tip)?),
                Kind::Log(environment) => drop(logs.insert(environment, *tip)),
                Kind::Policy | Kind::Mainline | Kind::Gate(_) | Kind::Replacement | Kind::Other => {}
            }
        }
        let view = ledger.at(mainline_after, receiver.time).unwrap_or_else(|| ledger.now());
        let arrivals = ledger.arrivals(&known);
        Ok(Reading { ledger, view, arrivals, proposals, logs, mainline_before, mainline_after })
    }
}

impl Reading {
    /// How many commits the push brings. The one that gathers its branches was not made.
    fn brought(&self) -> usize {
        let gathered = self.ledger.mainline(self.ledger.now()) != self.mainline_after;
        self.arrivals.count().saturating_sub(usize::from(gathered))
    }

    fn look(&self, moved: &mut ArrivedRef) -> Result<(), Undecided> {
        match (moved.kind.clone(), moved.update.new) {
            (Kind::Mainline, Some(new)) => self.look_at_mainline(moved, new),
            (Kind::Gate(gate), new) => {
                if let Some(old) = moved.update.old {
                    let (dropped, searched) = self.ledger.dropped_rejections(&gate, old, new, self.view)?;
                    moved.dropped = dropped;
                    if !searched {
                        moved.dropped.push(old);
                    }
                }
                new.map_or(Ok(()), |new| self.look_at_branch(moved, new))
            }
            (Kind::Policy, Some(new)) => self.look_at_branch(moved, new),
            (Kind::Log(environment), Some(new))
                if matches!(moved.movement, Movement::Created | Movement::Forward) =>
            {
                let entries = self.ledger.arrived_entries(&environment, moved.update.old, new, self.view)?;
                moved.records = entries
                    .into_iter()
                    .filter_map(|entry| entry.defect.map(|(code, reason)| (entry.commit, code, reason)))
                    .collect();
                Ok(())
            }
            (Kind::Mainline | Kind::Policy | Kind::Log(_) | Kind::Replacement | Kind::Other, _) => Ok(()),
        }
    }

    fn look_at_mainline(&self, moved: &mut ArrivedRef, new: ObjectId) -> Result<(), Undecided> {
        let old = moved.update.old;
        let places = self.ledger.recorded_between(old, new);
        let touched = self.touched(&places)?;
        let before = match old {
            Some(old) => self.ledger.policy_object(old)?,
            None => None,
        };
        if self.ledger.policy_origin(self.view)?.pending.is_some()
            && before != self.ledger.policy_object(new)?
        {
            moved.policy = Some(touched.get(&Governed::Policy).copied().unwrap_or(new));
        }
        for (what, commit) in &touched {
            let mut directory = self.examine(what, *commit, new, old)?;
            directory.unsigned = self.ledger.unsigned_there(what, self.view)?;
            moved.directories.push(directory);
        }
        for (path, commit) in self.ledger.unseen_incidents_among(&places, self.view)? {
            moved.directories.push(ArrivedDirectory {
                path,
                unseen: Some(commit),
                ..ArrivedDirectory::default()
            });
        }
        let mut known: BTreeMap<&Name, _> = BTreeMap::new();
        let recorded = self.ledger.log_commits_among(&places);
        for (commit, environment) in &recorded {
            if !known.contains_key(environment) {
                let log = self.ledger.read_log(environment, self.logs.get(environment).copied())?;
                known.insert(environment, log);
            }
            if !known.get(environment).is_some_and(|log| log.holds(*commit)) {
                let reason = format!("`deployments/{environment}` does not hold it");
                moved.records.push((*commit, "log-forked", reason));
            }
        }
        self.look_at_decisions(moved, new)
    }

    fn look_at_branch(&self, moved: &mut ArrivedRef, new: ObjectId) -> Result<(), Undecided> {
        let places = self.ledger.arrivals_of(&self.arrivals, new);
        for (what, commit) in &self.touched(&places)? {
            if *what == Governed::Policy {
                let here = self.ledger.policy_object(new)?;
                let known = here == self.ledger.policy_object(self.mainline_after)?
                    || self.ledger.holds_policy_in_force(new, self.view)?;
                if moved.kind != Kind::Policy && !known {
                    moved.policy = Some(*commit);
                }
            }
            moved.directories.push(self.examine(what, *commit, new, moved.update.old)?);
        }
        self.look_at_decisions(moved, new)
    }

    fn look_at_decisions(&self, moved: &mut ArrivedRef, new: ObjectId) -> Result<(), Undecided> {
        let places = self.ledger.arrivals_of(&self.arrivals, new);
        for uncounted in self.ledger.uncounted(&places, &self.proposals, self.view)? {
            let (commit, what) = (uncounted.commit, uncounted.what);
            moved.decisions.push(ArrivedDecision {
                commit,
                what,
                code: uncounted.code,
                reason: uncounted.reason,
            });
        }
        Ok(())
    }

    /// What the commits at `places` changed, each with the last that did.
    fn touched(&self, places: &[u32]) -> Result<BTreeMap<Governed, ObjectId>, Undecided> {
        let mut touched = BTreeMap::new();
        for at in places {
            for what in self.ledger.touched(*at)? {
                touched.insert(what, self.ledger.id_at(*at));
            }
        }
        Ok(touched)
    }

    fn examine(
        &self,
        what: &Governed,
        commit: ObjectId,
        tip: ObjectId,
        old: Option<ObjectId>,
    ) -> Result<ArrivedDirectory, Undecided> {
        let examined = self.ledger.examine(what, tip)?;
        let mut directory = ArrivedDirectory {
            path: what.path(),
            commit: Some(commit),
            defects: examined.defects,
            problems: examined.problems,
            ..ArrivedDirectory::default()
        };
        if let (Governed::Gate(gate), Some(before)) = (what, self.mainline_before) {
            self.look_for_seals(gate, tip, old, before, &mut directory)?;
        }
        Ok(directory)
    }

    /// Whether a gate directory that changes was closed or deployed as another content.
    fn look_for_seals(
        &self,
        gate: &GateName,
        tip: ObjectId,
        old: Option<ObjectId>,
        before: ObjectId,
        directory: &mut ArrivedDirectory,
    ) -> Result<(), Undecided> {
        let now = self.ledger.gate_object(gate, tip)?;
        let old = old.filter(|old| self.ledger.holds(*old)).unwrap_or(before);
        if now == self.ledger.gate_object(gate, old)?
            || (tip != self.mainline_after && now == self.ledger.gate_object(gate, self.mainline_after)?)
        {
            return Ok(());
        }
        let closed = self.ledger.closed_by(gate)?;
        if closed.iter().all(|(_, object)| *object != now) {
            directory.closed = closed.first().map(|(commit, _)| *commit);
        }
        for (environment, end) in &self.logs {
            let log = self.ledger.read_log(environment, Some(*end))?;
            let deployed = self.ledger.deployed_by(gate, environment, &log, *end, self.view)?;
            if let Some((record, _)) = deployed.last()
                && deployed.iter().all(|(_, object)| *object != now)
            {
                directory.deployed = Some((environment.clone(), *record));
            }
        }
        Ok(())
    }
}

fn too_large(reason: &str) -> Undecided {
    Undecided::new("push-too-large", reason, "push it in parts, the mainline first")
}
