//! Incidents: from the first signed commit that adds one, until a person in a role changes it.
//!
//! Read from the changes in history, not from the tip's tree: a merge that drops the file hides nothing (design, section
//! 11). A change by anybody else, or one that does not read, is not seen.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::{GateName, IncidentId, Name, ObjectId};
use crate::request::Incident;
use crate::verdict::{IncidentFact, Notice};

use super::history::Index;
use super::{Ledger, Undecided, View};

/// One change of one incident file, in recorded order.
#[derive(Debug)]
pub(crate) struct Event {
    at: Index,
    id: IncidentId,
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

impl Ledger {
    /// The incidents that name this version and environment, in a view.
    pub(crate) fn incidents(
        &self,
        gate: &GateName,
        environment: &Name,
        view: View,
    ) -> Result<Vec<IncidentFact>, Undecided> {
        let mut standing: BTreeMap<IncidentId, IncidentFact> = BTreeMap::new();
        let recorded = |link: u32| self.chronicle.recording_step(link, view.step).is_some();
        for event in self.incident_events()?.iter() {
            let commit = self.history.commit(event.at);
            if commit.link > view.link {
                continue;
            }
            match (standing.get_mut(&event.id), &event.incident) {
                (None, Some(incident)) if event.signed => {
                    let open = incident.resolved.is_none();
                    let fact = IncidentFact {
                        id: event.id.clone(),
                        incident: incident.clone(),
                        opened: commit.id,
                        open,
                    };
                    standing.insert(event.id.clone(), fact);
                }
                // Beyond the last step an incident is opened again, and nothing else of it changes.
                (Some(fact), change) if !recorded(commit.link) => {
                    let reopens = change.as_ref().is_some_and(|incident| {
                        incident.resolved.is_none()
                            && incident.gate == fact.incident.gate
                            && incident.environment == fact.incident.environment
                    });
                    if reopens && !fact.open && event.by_person_in_role {
                        fact.open = true;
                        fact.opened = commit.id;
                    }
                }
                (Some(fact), Some(incident)) if event.by_person_in_role && event.whole => {
                    // What was resolved and is opened again stands anew.
                    if !fact.open && incident.resolved.is_none() {
                        fact.opened = commit.id;
                    }
                    fact.open = incident.resolved.is_none();
                    fact.incident = incident.clone();
                }
                (Some(fact), None) if event.by_person_in_role && event.removed => fact.open = false,
                (None | Some(_), _) => {}
            }
        }
        let mut facts: Vec<IncidentFact> = standing.into_values().collect();
        facts.retain(|fact| fact.incident.gate == *gate && fact.incident.environment == *environment);
        Ok(facts)
    }

    /// Notices of incident files whose changes are not seen.
    pub(crate) fn incident_notices(&self, view: View) -> Result<Vec<Notice>, Undecided> {
        let mut notices = Vec::new();
        let mut known: std::collections::BTreeSet<&IncidentId> = std::collections::BTreeSet::new();
        let events = self.incident_events()?;
        for event in events.iter().filter(|event| self.history.commit(event.at).link <= view.link) {
            let seen = if known.contains(&event.id) {
                event.by_person_in_role && (event.removed || event.whole)
            } else {
                event.signed && event.incident.is_some()
            };
            if seen {
                known.insert(&event.id);
            } else {
                let commit = self.history.commit(event.at).id;
                notices.push(Notice {
                    code: "incident-not-seen",
                    message: format!(
                        "the change of `incidents/{}.toml` by {commit} is not seen: it is not signed as it must be, or \
                         does not read",
                        event.id
                    ),
                });
            }
        }
        Ok(notices)
    }

    fn incident_events(&self) -> Result<Rc<Vec<Event>>, Undecided> {
        if let Some(events) = self.incident_events.borrow().as_ref() {
            return Ok(Rc::clone(events));
        }
        let provenance = self.provenance(&["incidents"])?;
        let mut events = Vec::new();
        for at in &provenance.changed {
            self.changes(*at, &provenance, &mut events)?;
        }
        let events = Rc::new(events);
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
        let mine = provenance.state(at).map(|state| &state.files);
        let parents: Vec<_> =
            commit.parents.iter().map(|parent| provenance.state(*parent).map(|state| &state.files)).collect();
        let blob = |files: Option<&BTreeMap<String, super::provenance::FileState>>, path: &str| {
            files.and_then(|files| files.get(path)).map(|file| file.blob)
        };
        let mut paths: std::collections::BTreeSet<&str> =
            mine.into_iter().flatten().map(|(path, _)| path.as_str()).collect();
        paths.extend(parents.iter().flatten().flat_map(|files| files.keys().map(String::as_str)));
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
        Ok(Event { at, id, incident, whole, removed: blob.is_none(), signed, by_person_in_role })
    }
}
