//! Incidents: from the first signed commit that adds one, until a person in a role changes it.
//!
//! Read from the changes in history, not from the tip's tree: a merge that drops the file hides nothing (design, section
//! 11). A change by anybody else, or one that does not read, is not seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use crate::model::{GateName, IncidentId, Name, ObjectId};
use crate::request::Incident;
use crate::verdict::{IncidentFact, Notice};

use super::history::Index;
use super::{Ledger, Undecided, View};

/// One change of one incident file, in recorded order.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four facts about one change, none following from another")]
pub(crate) struct Event {
    at: Index,
    id: IncidentId,
    /// The file's object.
    blob: Option<ObjectId>,
    /// What it says then; nothing: the file was removed, or does not even name a version and an environment.
    incident: Option<Incident>,
    /// It reads whole.
    whole: bool,
    removed: bool,
    /// Signed under a key of exactly one principal.
    signed: bool,
    /// Signed so that it counts, by a person who holds a role.
    by_person_in_role: bool,
}

/// All changes of incident files.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// In recorded order.
    all: Vec<Event>,
    /// The places of those of each file.
    by_file: BTreeMap<IncidentId, Vec<usize>>,
    /// The files that ever named a version and an environment.
    naming: HashMap<(GateName, Name), BTreeSet<IncidentId>>,
}

impl Events {
    fn of(all: Vec<Event>) -> Self {
        let mut events = Self { all, ..Self::default() };
        for (at, event) in events.all.iter().enumerate() {
            events.by_file.entry(event.id.clone()).or_default().push(at);
            if let Some(incident) = &event.incident {
                let hit = (incident.gate.clone(), incident.environment.clone());
                events.naming.entry(hit).or_default().insert(event.id.clone());
            }
        }
        events
    }

    fn of_file(&self, id: &IncidentId) -> impl Iterator<Item = (usize, &Event)> {
        let places = self.by_file.get(id).into_iter().flatten();
        places.filter_map(|at| Some((*at, self.all.get(*at)?)))
    }
}

/// Incidents by file and by what they hit.
pub(crate) type Incidents = BTreeMap<(IncidentId, GateName, Name), Standing>;

/// All incidents, and the changes of files that are not seen.
pub(crate) type Standings = (Incidents, Vec<(IncidentId, Index)>);

/// An incident as the changes so far leave it.
#[derive(Debug)]
pub(crate) struct Standing {
    fact: IncidentFact,
    opened: Index,
    /// The contents of its file with which it was open.
    open_as: BTreeSet<ObjectId>,
}

impl Standing {
    fn opened(event: &Event, incident: &Incident, commit: ObjectId) -> Self {
        let open = incident.resolved.is_none();
        let fact = IncidentFact { id: event.id.clone(), incident: incident.clone(), opened: commit, open };
        let open_as = event.blob.filter(|_| open).into_iter().collect();
        Self { fact, opened: event.at, open_as }
    }

    /// Applies a change by a person in a role; whether it is seen.
    fn change(&mut self, event: &Event, incident: &Incident, commit: ObjectId, resolves: bool) -> bool {
        let opens = incident.resolved.is_none();
        if !opens && !resolves {
            return false;
        }
        // What was resolved and is opened again stands anew.
        if opens && !self.fact.open {
            self.fact.opened = commit;
            self.opened = event.at;
        }
        self.open_as.extend(event.blob.filter(|_| opens));
        self.fact.open = opens;
        self.fact.incident = incident.clone();
        true
    }
}

impl Ledger {
    /// The incidents that name this version and environment, in a view.
    pub(crate) fn incidents(
        &self,
        gate: &GateName,
        environment: &Name,
        view: View,
    ) -> Result<Vec<IncidentFact>, Undecided> {
        if self.kept_incidents()?.is_some_and(|kept| !kept.names(gate, environment)) {
            debug_assert!(
                self.incidents_of_all(gate, environment, view)?.is_empty() || self.has_lost_its_index()
            );
            return Ok(Vec::new());
        }
        let events = self.incident_events()?;
        let Some(files) = events.naming.get(&(gate.clone(), environment.clone())) else {
            return Ok(Vec::new());
        };
        let mut mine = Vec::new();
        for id in files {
            // No file says anything of another.
            let mut standing = self.fold_file(&events, id, view, &mut Vec::new());
            self.reopen_what_the_tip_holds(view, &mut standing)?;
            let own = standing.into_iter().filter(|((_, of, place), _)| of == gate && place == environment);
            mine.extend(own.map(|(_, standing)| standing.fact));
        }
        debug_assert_eq!(
            format!("{mine:?}"),
            format!("{:?}", self.incidents_of_all(gate, environment, view)?)
        );
        Ok(mine)
    }

    /// Every incident that stands or stood in a view, by id and what it hit.
    pub fn all_incidents(&self, view: View) -> Result<Vec<IncidentFact>, Undecided> {
        let known = self.incidents_and_unseen(view)?;
        Ok(known.0.values().map(|standing| standing.fact.clone()).collect())
    }

    /// The changes of incidents on the gate, whatever the environment, in recorded order: what each does.
    pub(super) fn incident_changes(
        &self,
        gate: &GateName,
        view: View,
    ) -> Result<Vec<(Index, IncidentId, &'static str)>, Undecided> {
        let mut known: BTreeMap<IncidentId, bool> = BTreeMap::new();
        let mut changes = Vec::new();
        for event in &self.incident_events()?.all {
            if self.history.commit(event.at).link > view.link {
                continue;
            }
            let names_it = event.incident.as_ref().is_some_and(|incident| incident.gate == *gate);
            let resolved = event.incident.as_ref().is_some_and(|incident| incident.resolved.is_some());
            let what = match (known.get(&event.id), names_it) {
                (None, false) => continue,
                (None, true) => "opened",
                (Some(_), false) => "removed",
                (Some(false), true) if resolved => "resolved",
                (Some(true), true) if !resolved => "opened again",
                (Some(_), true) => "changed",
            };
            known.insert(event.id.clone(), resolved || !names_it);
            changes.push((event.at, event.id.clone(), what));
        }
        Ok(changes)
    }

    /// Notices of incident files whose changes are not seen.
    pub(crate) fn incident_notices(&self, view: View) -> Result<Vec<Notice>, Undecided> {
        let notice = |(id, commit): (&IncidentId, ObjectId)| Notice {
            code: "incident-not-seen",
            message: format!(
                "the change of `incidents/{id}.toml` by {commit} is not seen: it is not signed as it must be, or does not read"
            ),
        };
        let work_out = || -> Result<Vec<Notice>, Undecided> {
            let (_, unseen) = &*self.incidents_and_unseen(view)?;
            Ok(unseen.iter().map(|(id, at)| notice((id, self.history.commit(*at).id))).collect())
        };
        if view == self.now()
            && let Some(kept) = self.kept_incidents()?
        {
            let notices: Vec<Notice> = kept.unseen().map(notice).collect();
            debug_assert!(
                format!("{notices:?}") == format!("{:?}", work_out()?) || self.has_lost_its_index()
            );
            return Ok(notices);
        }
        work_out()
    }

    /// The versions and environments that incident files ever named.
    pub(super) fn named_by_incidents(&self) -> Result<BTreeSet<(GateName, Name)>, Undecided> {
        Ok(self.incident_events()?.naming.keys().cloned().collect())
    }

    /// The changes of incident files that are not seen: which file, and by which commit.
    pub(super) fn unseen_incident_changes(&self, view: View) -> Result<Vec<(IncidentId, Index)>, Undecided> {
        let known = self.incidents_and_unseen(view)?;
        Ok(known.1.clone())
    }

    /// All incidents in a view, by id and what they hit; and the changes that are not seen.
    ///
    /// One file may have named several versions over time: each stays an incident of its own, so that naming another
    /// version makes no approval fresh again.
    fn incidents_and_unseen(&self, view: View) -> Result<Rc<Standings>, Undecided> {
        if let Some((last, known)) = self.last_incidents.borrow().as_ref()
            && *last == view
        {
            return Ok(Rc::clone(known));
        }
        let known = Rc::new(self.work_out_incidents(view)?);
        *self.last_incidents.borrow_mut() = Some((view, Rc::clone(&known)));
        Ok(known)
    }

    /// The same, of all files: tests, which are built to check it, compare.
    fn incidents_of_all(
        &self,
        gate: &GateName,
        environment: &Name,
        view: View,
    ) -> Result<Vec<IncidentFact>, Undecided> {
        let (standing, _) = self.work_out_incidents(view)?;
        let mine = standing.into_iter().filter(|((_, of, place), _)| of == gate && place == environment);
        Ok(mine.map(|(_, standing)| standing.fact).collect())
    }

    fn work_out_incidents(&self, view: View) -> Result<Standings, Undecided> {
        let events = self.incident_events()?;
        let mut standing = Incidents::new();
        let mut unseen = Vec::new();
        for id in events.by_file.keys() {
            standing.extend(self.fold_file(&events, id, view, &mut unseen));
        }
        unseen.sort_unstable();
        let unseen = unseen.into_iter().filter_map(|at| events.all.get(at));
        let unseen = unseen.map(|event| (event.id.clone(), event.at)).collect();
        self.reopen_what_the_tip_holds(view, &mut standing)?;
        Ok((standing, unseen))
    }

    /// How the incidents of one file stand in a view, as its changes leave them; places of changes that are not seen are added
    /// to `unseen`.
    fn fold_file(&self, events: &Events, id: &IncidentId, view: View, unseen: &mut Vec<usize>) -> Incidents {
        let mut standing = Incidents::new();
        for (place, event) in events.of_file(id) {
            let commit = self.history.commit(event.at);
            if commit.link > view.link {
                continue;
            }
            // What lies beyond the last step permits nothing: it opens incidents, and resolves none.
            let resolves = event.by_person_in_role && commit.link <= view.step;
            let mut seen = false;
            let target = event.incident.as_ref().map(|incident| (&incident.gate, &incident.environment));
            for ((_, gate, environment), known) in &mut standing {
                // A resolution of an earlier time resolves nothing that was opened since.
                if Some((gate, environment)) == target || !resolves {
                    continue;
                }
                let read = event.removed || event.whole;
                if read && self.descends(event.at, known.opened) {
                    known.fact.open = false;
                    seen = true;
                }
            }
            if let Some(incident) = &event.incident {
                let key = (event.id.clone(), incident.gate.clone(), incident.environment.clone());
                match standing.get_mut(&key) {
                    None if event.signed => {
                        standing.insert(key, Standing::opened(event, incident, commit.id));
                        seen = true;
                    }
                    Some(known) if event.by_person_in_role && event.whole => {
                        seen = known.change(
                            event,
                            incident,
                            commit.id,
                            resolves && self.descends(event.at, known.opened),
                        );
                    }
                    None | Some(_) => {}
                }
            }
            if !seen {
                unseen.push(place);
            }
        }
        standing
    }

    /// An incident that was resolved on a side of history whose file the mainline did not take is open.
    fn reopen_what_the_tip_holds(&self, view: View, standing: &mut Incidents) -> Result<(), Undecided> {
        let provenance = self.provenance(&["incidents"])?;
        let tip = self.history.chain_at(view.step).unwrap_or_default();
        let Some(state) = self.state(&provenance, tip)? else { return Ok(()) };
        for ((id, _, _), known) in standing {
            let blob = state.files.get(format!("{id}.toml").as_str()).map(|file| file.blob);
            known.fact.open |= blob.is_some_and(|blob| known.open_as.contains(&blob));
        }
        Ok(())
    }

    fn descends(&self, at: Index, from: Index) -> bool {
        !self.history.ancestors_among(at, &BTreeSet::from([from])).is_empty()
    }

    fn incident_events(&self) -> Result<Rc<Events>, Undecided> {
        if let Some(events) = self.incident_events.borrow().as_ref() {
            return Ok(Rc::clone(events));
        }
        let provenance = self.provenance(&["incidents"])?;
        let mut events = Vec::new();
        let mut seen = BTreeSet::new();
        for at in &provenance.changed {
            // The same payload and key again is the first one seen: an old resolution resolves nothing anew.
            let signed = self.signing.signed(self.history.commit(*at).id)?;
            if signed.identity().is_none_or(|identity| seen.insert(identity)) {
                self.changes(*at, &provenance, &mut events)?;
            }
        }
        let events = Rc::new(Events::of(events));
        *self.incident_events.borrow_mut() = Some(Rc::clone(&events));
        Ok(events)
    }

    /// The incident files that the commit at `at` changed: that differ from those of every parent.
    fn changes(
        &self,
        at: Index,
        provenance: &super::provenance::Provenance,
        events: &mut Vec<Event>,
    ) -> Result<(), Undecided> {
        let commit = self.history.commit(at);
        let mine = self.state(provenance, at)?;
        let mine = mine.as_ref().map(|state| &state.files);
        let states = commit.parents.iter().map(|parent| self.state(provenance, *parent));
        let states = states.collect::<Result<Vec<_>, Undecided>>()?;
        let parents: Vec<_> = states.iter().map(|state| state.as_ref().map(|state| &state.files)).collect();
        let blob = |files: Option<&super::provenance::Files>, path: &str| {
            files.and_then(|files| files.get(path)).map(|file| file.blob)
        };
        let mut paths: std::collections::BTreeSet<&str> =
            mine.into_iter().flatten().map(|(path, _)| &**path).collect();
        paths.extend(parents.iter().flatten().flat_map(|files| files.keys().map(|path| &**path)));
        for path in paths {
            let now = blob(mine, path);
            if !parents.is_empty() && parents.iter().any(|parent| blob(*parent, path) == now) {
                continue;
            }
            let Some(id) = path.strip_suffix(".toml").and_then(|id| id.parse::<Name>().ok()) else {
                continue;
            };
            events.push(self.event(at, id, now)?);
        }
        Ok(())
    }

    fn event(&self, at: Index, id: IncidentId, blob: Option<ObjectId>) -> Result<Event, Undecided> {
        let commit = self.history.commit(at);
        let step = self.now().step;
        let (_, policy, _) = self.recording(commit.link, step);
        let signer = self.signer(at, step)?;
        // What stands at the trust root is trusted as it stands.
        let trusted = commit.link == 0;
        let person = signer.owner.as_ref().is_some_and(|owner| !policy.bots.contains(owner));
        let by_person_in_role =
            trusted || (signer.counting().is_ok() && person && !signer.roles(policy).is_empty());
        let (incident, whole) = match blob {
            Some(blob) => {
                let bytes = self.readable_blob(blob)?;
                match Incident::parse(&format!("incidents/{id}.toml"), &bytes) {
                    Ok(incident) => (Some(incident), true),
                    Err(_problems) => (Incident::salvage(&bytes, commit.date), false),
                }
            }
            None => (None, false),
        };
        let signed = trusted || (signer.owner.is_some() && !signer.restricts_nothing);
        Ok(Event { at, id, blob, incident, whole, removed: blob.is_none(), signed, by_person_in_role })
    }
}
