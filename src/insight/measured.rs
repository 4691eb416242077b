//! What was measured of each system, kept beside the history in the index, and when it still holds (rules, R15.6, R15.7).
//!
//! Measuring a gate judges it at every step that recorded something of it. Of most gates nothing happens any more: what was
//! measured of their system is used again. Nothing here is used by who asks whether something may go.

mod written;

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Circumstances, Summary, Text, Undecided};
use crate::model::{ContentDigest, GateName, Name, ObjectId, Time};
use crate::verdict::IncidentFact;

use super::judge::Judge;
use super::timeline::Timeline;
use written::{Entry, Head, Row};

/// What was measured of one system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct System {
    /// Its gates that ever stood, each with its timeline, or why it is not measured.
    pub gates: Vec<(GateName, Result<Timeline, &'static str>)>,
    /// What a log or an incident names that never stood, and why it is not measured.
    pub foreign: Vec<(String, &'static str)>,
}

/// What the verdicts of one system rest on, other than itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Rests {
    /// Systems of gates that its gates require.
    pub(super) on: BTreeSet<Name>,
    /// When one of the verdicts of now turns.
    pub(super) turns: Option<Time>,
    /// Versions that the mainline never held, and whether there is a branch of each.
    pub(super) branches: BTreeMap<GateName, bool>,
    /// Something of it has several histories: a merge that changes nothing may give it another.
    several: bool,
}

/// A system, and how to come by what is measured of it.
#[derive(Debug, Clone)]
pub struct Share {
    /// The system.
    pub system: Name,
    /// Its gates that ever stood; of what is kept: nothing.
    gates: BTreeSet<GateName>,
    /// What is kept of it, and holds.
    kept: Option<Entry>,
    /// Whether what is measured may be kept.
    keeps: bool,
}

/// What came of a share.
#[derive(Debug)]
pub struct Measured {
    /// The system.
    pub name: Name,
    /// What was measured.
    pub system: System,
    /// Nothing: it may not be kept.
    kept: Option<Kept>,
}

/// All systems, and under what they are measured.
#[derive(Debug)]
pub struct Measures {
    /// Each system, in their order.
    pub shares: Vec<Share>,
    as_read: Option<Vec<u8>>,
    /// Nothing: nothing may be kept.
    under: Option<(Circumstances, Logs)>,
    /// All systems that there are, whether they are measured or not.
    systems: BTreeSet<Name>,
    /// What is to be kept, and whether it is new.
    entries: BTreeMap<Text<Name>, Entry>,
    rows: Vec<(String, Vec<u8>)>,
    changed: bool,
}

/// Where each log ends, and how many commits it has.
type Logs = BTreeMap<Text<Name>, (Text<ObjectId>, u32)>;

/// The row under which everything is found.
const ROW: &str = "measured";

/// It is written anew where the mainline went on by so many links, whatever else changed.
const FAR_BEHIND: u32 = 64;

/// What is to be kept of a system, and its row where that is new.
#[derive(Debug)]
struct Kept {
    entry: Entry,
    row: Option<Vec<u8>>,
}

/// What of a head still holds.
struct Held {
    systems: BTreeMap<Text<Name>, Entry>,
    /// Whether that is all that there is.
    whole: bool,
    /// How far the mainline went on.
    links: u32,
}

impl Judge<'_> {
    /// The systems, or those of `only` where it names some, each with what is kept of it where that holds.
    pub fn measures(&self, only: &[Name]) -> Result<Measures, Undecided> {
        let wanted = |system: &Name| only.is_empty() || only.contains(system);
        let as_read = self.ledger.kept(ROW);
        let fit = self.ledger.is_of_the_past() && self.ledger.is_well_named()?;
        let under = match self.ledger.circumstances().filter(|_now| fit) {
            Some(circumstances) => self.plain_logs()?.map(|logs| (circumstances, logs)),
            None => None,
        };
        let head = as_read.as_ref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let held = match head.filter(|_head| under.is_some()) {
            Some(head) => self.still_held(&head)?,
            None => None,
        };
        let whole = held.as_ref().is_some_and(|held| held.whole);
        let changed = !whole || held.as_ref().is_some_and(|held| held.links >= FAR_BEHIND);
        let entries = held.map(|held| held.systems).unwrap_or_default();
        let mut systems: BTreeMap<Name, BTreeSet<GateName>> =
            entries.keys().map(|system| (system.0.clone(), BTreeSet::new())).collect();
        if !whole {
            systems.extend(self.systems_ever()?);
        }
        let share = |(system, gates): (&Name, &BTreeSet<GateName>)| Share {
            system: system.clone(),
            gates: gates.clone(),
            kept: entries.get(&Text(system.clone())).cloned(),
            keeps: under.is_some(),
        };
        Ok(Measures {
            shares: systems.iter().filter(|(system, _)| wanted(system)).map(share).collect(),
            as_read,
            under,
            systems: systems.into_keys().collect(),
            entries,
            rows: Vec::new(),
            changed,
        })
    }

    /// Where each log ends, where all of them are plain and no record is dated after now.
    fn plain_logs(&self) -> Result<Option<Logs>, Undecided> {
        let mut logs = Logs::new();
        for environment in self.logged_environments()? {
            let summary = self.summary_of(&environment)?;
            let past =
                |summary: &&Summary| summary.latest().is_none_or(|latest| latest <= self.ledger.now().time);
            let (Some(summary), Some(tip)) = (summary.as_deref().filter(past), self.log_tip(&environment)?)
            else {
                return Ok(None);
            };
            logs.insert(Text(environment), (Text(tip), summary.entries()));
        }
        Ok(Some(logs))
    }

    /// What still holds of what was kept; nothing: none of it.
    fn still_held(&self, head: &Head) -> Result<Option<Held>, Undecided> {
        let Some(news) = self.ledger.news_since(&head.circumstances)? else { return Ok(None) };
        // Who asks about an environment whose log is not here is told what the mainline holds of it.
        if !news.environments.is_subset(&self.logged_environments()?) {
            return Ok(None);
        }
        let Some(mut touched) = self.logged_since(head)? else { return Ok(None) };
        touched.extend(news.systems);
        for (system, entry) in &head.systems {
            for (gate, there) in &entry.branches {
                if self.snapshot.gate_branch(self.repository, &gate.0)?.is_some() != *there {
                    touched.insert(system.0.clone());
                }
            }
        }
        if news.links > 0 {
            let several = head.systems.iter().filter(|(_, entry)| entry.several);
            touched.extend(several.map(|(system, _)| system.0.clone()));
        }
        if news.incidents {
            let mut incidents = self.incidents_by_system()?;
            for (system, entry) in &head.systems {
                if incidents.remove(&system.0).unwrap_or_else(no_incidents) != entry.incidents.0 {
                    touched.insert(system.0.clone());
                }
            }
            touched.extend(incidents.into_keys());
        }
        let now = self.ledger.now().time.unix();
        let holds = |system: &Text<Name>, entry: &Entry| {
            let of_then = (entry.from..entry.turns.unwrap_or(i64::MAX)).contains(&now);
            let known = |other: &Text<Name>| head.systems.contains_key(other) && !touched.contains(&other.0);
            of_then && known(system) && entry.on.iter().all(known)
        };
        let held = head.systems.iter().filter(|(system, entry)| holds(system, entry));
        let systems: BTreeMap<_, _> = held.map(|(system, entry)| (system.clone(), entry.clone())).collect();
        let whole = head.whole && systems.len() == head.systems.len() && touched.is_empty();
        Ok(Some(Held { systems, whole, links: news.links }))
    }

    /// The systems that plain logs said something of since; nothing where one is not what it was, or may be seen to say more at
    /// a moment of before.
    fn logged_since(&self, head: &Head) -> Result<Option<BTreeSet<Name>>, Undecided> {
        let Some(now) = self.plain_logs()? else { return Ok(None) };
        if !head.logs.keys().all(|environment| now.contains_key(environment)) {
            return Ok(None);
        }
        let mut touched = BTreeSet::new();
        for (environment, (tip, entries)) in &now {
            let then = head.logs.get(environment).map(|(tip, entries)| (tip.0, *entries));
            if !self.ledger.log_goes_on(&environment.0, &head.circumstances, then, (tip.0, *entries))? {
                return Ok(None);
            }
            let many = then.map_or(0, |(_tip, entries)| entries);
            let Some(summary) = self.summary_of(&environment.0)? else { return Ok(None) };
            let said = |system: &Name| summary.newest(system).is_some_and(|newest| newest >= many);
            touched.extend(summary.systems().into_iter().filter(said));
        }
        Ok(Some(touched))
    }

    /// All systems of which a gate ever stood, a log has a record or an incident tells, with the gates that ever stood.
    fn systems_ever(&self) -> Result<BTreeMap<Name, BTreeSet<GateName>>, Undecided> {
        let now = self.ledger.now();
        let mut systems: BTreeMap<Name, BTreeSet<GateName>> = BTreeMap::new();
        for gate in self.ledger.gates_ever(now)? {
            systems.entry(gate.system.clone()).or_default().insert(gate);
        }
        for (gate, _environment) in self.logged_gates()? {
            systems.entry(gate.system).or_default();
        }
        for fact in self.ledger.all_incidents(now)? {
            systems.entry(fact.incident.gate.system).or_default();
        }
        Ok(systems)
    }

    /// The digest of the incidents on each system that has some.
    fn incidents_by_system(&self) -> Result<BTreeMap<Name, ContentDigest>, Undecided> {
        let mut by_system: BTreeMap<Name, Vec<IncidentFact>> = BTreeMap::new();
        for fact in self.ledger.all_incidents(self.ledger.now())? {
            by_system.entry(fact.incident.gate.system.clone()).or_default().push(fact);
        }
        Ok(by_system.into_iter().map(|(system, facts)| (system, digest_of(&facts))).collect())
    }

    /// What is measured of a system: what is kept of it, where that can be read, or else anew.
    pub fn measure(&self, share: &Share) -> Result<Measured, Undecided> {
        let name = share.system.clone();
        if let Some(entry) = &share.kept
            && let Some(system) = self.read_kept(&name, entry)
        {
            debug_assert!(
                self.is_as_measured_anew(&name, &system),
                "what is kept of `{name}` is what is measured"
            );
            return Ok(Measured { name, system, kept: Some(Kept { entry: entry.clone(), row: None }) });
        }
        let mut gates = share.gates.clone();
        if share.kept.is_some() {
            gates.extend(self.systems_ever()?.remove(&name).unwrap_or_default());
        }
        let (system, rests) = self.measure_anew(&name, &gates)?;
        let kept = if share.keeps { self.to_keep(&name, &system, rests)? } else { None };
        Ok(Measured { name, system, kept })
    }

    /// Measures a system, with logs that are walked: what is kept of them is read by each thread, and made by each anew.
    fn measure_anew(&self, name: &Name, gates: &BTreeSet<GateName>) -> Result<(System, Rests), Undecided> {
        self.forget_gates();
        self.rests.take();
        for environment in self.logged_environments()? {
            self.summaries.borrow_mut().insert(environment, None);
        }
        let ground = self.ground(name)?;
        let timeline = |gate: &GateName| {
            let measured = self.timeline(gate, &ground).unwrap_or_else(|undecided| Err(undecided.code));
            (gate.clone(), measured)
        };
        let gates: Vec<_> = gates.iter().map(timeline).collect();
        let foreign = ground.foreign(|gate| gates.iter().any(|(known, _)| known == gate));
        let mut rests = self.rests.take();
        // Of what was logged and never stood there, covers may.
        let named = ground.named().into_iter().map(|(gate, _)| gate);
        for gate in gates.iter().map(|(gate, _)| gate).chain(named) {
            rests.several |= !self.ledger.has_one_history(gate)?;
        }
        Ok((System { gates, foreign }, rests))
    }

    /// Whether what is kept of systems, and holds, is what is measured anew.
    pub(super) fn measures_are_right(&self) -> Result<bool, Undecided> {
        let mut systems = self.systems_ever()?;
        for share in self.measures(&[])?.shares {
            let Some(entry) = &share.kept else { continue };
            let gates = systems.remove(&share.system).unwrap_or_default();
            let (anew, _) = self.measure_anew(&share.system, &gates)?;
            if self.read_kept(&share.system, entry) != Some(anew) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_as_measured_anew(&self, name: &Name, kept: &System) -> bool {
        let gates = self.systems_ever().map(|mut all| all.remove(name).unwrap_or_default());
        let anew = gates.and_then(|gates| self.measure_anew(name, &gates));
        self.ledger.has_lost_its_index() || anew.is_ok_and(|(anew, _)| anew == *kept)
    }

    /// What is to be kept of a system that was measured; nothing: something of it could not be judged, or not be written.
    fn to_keep(&self, name: &Name, system: &System, rests: Rests) -> Result<Option<Kept>, Undecided> {
        let Some(row) = Row::of(system) else { return Ok(None) };
        let Ok(bytes) = serde_json::to_vec(&row) else { return Ok(None) };
        let entry = Entry {
            row: Text(ContentDigest::of_bytes(&bytes)),
            from: self.ledger.now().time.unix(),
            turns: rests.turns.map(Time::unix),
            branches: rests.branches.into_iter().map(|(gate, there)| (Text(gate), there)).collect(),
            on: rests.on.into_iter().filter(|other| other != name).map(Text).collect(),
            several: rests.several,
            incidents: Text(self.incidents_by_system()?.remove(name).unwrap_or_else(no_incidents)),
        };
        Ok(Some(Kept { entry, row: Some(bytes) }))
    }

    fn read_kept(&self, name: &Name, entry: &Entry) -> Option<System> {
        let bytes = self.ledger.kept(&row_of(name))?;
        let row: Option<Row> =
            (ContentDigest::of_bytes(&bytes) == entry.row.0).then(|| serde_json::from_slice(&bytes).ok())?;
        row?.read()
    }

    /// Keeps what was measured, where something of it is new. Nothing is lost where it cannot be kept.
    pub fn keep_measures(&self, measures: Measures) {
        let Some((circumstances, logs)) = measures.under.filter(|_now| measures.changed) else { return };
        let whole =
            measures.systems.iter().all(|system| measures.entries.contains_key(&Text(system.clone())));
        let head = Head { circumstances, logs, whole, systems: measures.entries };
        let Ok(bytes) = serde_json::to_vec(&head) else { return };
        let mut rows = measures.rows;
        rows.push((ROW.to_owned(), bytes));
        self.ledger.keep(ROW, measures.as_read.as_deref(), &rows);
    }
}

impl Measures {
    /// Takes in what came of a share.
    pub fn take(&mut self, measured: &mut Measured) {
        let name = Text(measured.name.clone());
        let Some(Kept { entry, row }) = measured.kept.take() else {
            self.changed |= self.entries.remove(&name).is_some();
            return;
        };
        if let Some(row) = row {
            self.rows.push((row_of(&measured.name), row));
            self.entries.insert(name, entry);
            self.changed = true;
        }
    }
}

impl Share {
    /// Whether it is to be measured, and how many gates that are; what is kept is only read.
    pub fn to_measure(&self) -> usize {
        if self.kept.is_some() { 0 } else { self.gates.len().max(1) }
    }
}

fn row_of(system: &Name) -> String {
    format!("{ROW} {system}")
}

fn digest_of(facts: &[IncidentFact]) -> ContentDigest {
    ContentDigest::of_bytes(format!("{facts:?}").as_bytes())
}

fn no_incidents() -> ContentDigest {
    digest_of(&[])
}
