//! One gate as a report shows it: every verdict, what stands behind it, and what was deployed of it.
//!
//! The same facts give the verdicts and what is shown beside them, so that a page cannot say of a report or a person what
//! the evaluator did not see. Nothing here decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ledger::{Undecided, View};
use crate::model::{GateName, Name, Principal};
use crate::request::GateRequest;
use crate::verdict::{self, EvidenceFact, ExceptionFact, Given, IncidentFact, RecordFact, Standing, Verdict};

use super::Judge;
use super::judge::Case;
use super::log::LoggedRecord;
use super::overview::GateLine;

/// All that a report says of one gate.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The gate.
    pub gate: GateName,
    /// Its request, where that reads.
    pub request: Option<GateRequest>,
    /// Who wrote it, and for whom.
    pub authors: BTreeSet<Principal>,
    /// The gate at a glance, with what it waits for.
    pub line: GateLine,
    /// Its reports, as listed.
    pub evidence: Vec<EvidenceFact>,
    /// One verdict for each environment that it asks for.
    pub verdicts: Vec<Verdict>,
    /// Its records in the logs of these environments, oldest first.
    pub records: Vec<LoggedRecord>,
    /// Its exception as it stands.
    pub exception: Option<ExceptionFact>,
    /// Incidents on it, in any of these environments.
    pub incidents: Vec<IncidentFact>,
}

impl Judge<'_> {
    /// What a report says of a gate, asked about these environments, as of `view`.
    pub fn dossier(
        &self,
        gate: &GateName,
        environments: &BTreeSet<Name>,
        view: View,
    ) -> Result<Dossier, Undecided> {
        let mut dossier = Dossier {
            gate: gate.clone(),
            request: None,
            authors: BTreeSet::new(),
            line: GateLine {
                unmerged: false,
                problem: None,
                ..GateLine::unjudged(gate.clone(), String::new())
            },
            evidence: Vec::new(),
            verdicts: Vec::new(),
            records: Vec::new(),
            exception: None,
            incidents: Vec::new(),
        };
        let mut waits = BTreeMap::new();
        for environment in environments {
            let log = self.log_tip(environment)?;
            let whole = view == self.ledger().now();
            let given = Given::NotAsked;
            let facts = self.facts(&Case { gate, environment, given, view, log, whole })?;
            let mut verdict = verdict::judge(&facts);
            verdict.notices.extend(self.unrecorded(gate)?);
            dossier.line.add(&facts, &verdict, &mut waits);
            dossier.verdicts.push(verdict);
            if let Standing::Recorded(content) = facts.standing {
                dossier.request = content.request.ok();
                dossier.authors = content.authors;
                dossier.evidence = content.evidence;
            }
            dossier.exception = facts.exception;
            dossier.incidents.extend(facts.incidents);
            let mine = facts.records.into_iter().filter(|record| record.gate == *gate);
            dossier.records.extend(mine.map(|record| logged(Arc::unwrap_or_clone(record), environment)));
        }
        dossier.line.waits = waits.into_values().collect();
        if let Some((first, last)) = self.ledger().first_and_last_change(gate, view)? {
            dossier.line.opened = Some(first.signed_at);
            dossier.line.since = Some(last.signed_at);
        }
        Ok(dossier)
    }
}

fn logged(record: RecordFact, environment: &Name) -> LoggedRecord {
    let (break_glass, debt) = verdict::break_glass(&record, environment);
    LoggedRecord { environment: environment.clone(), record, debt, break_glass }
}
