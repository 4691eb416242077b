//! What a session says to a report: all of one system by one judge, so that nothing of it is worked out twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::backtest::Past;
use crate::insight::control::Evidence;
use crate::insight::{
    AuditPart, AuditShare, Auditing, Dossier, GateLine, IncidentLine, PolicyMoment, Refinement, Running,
};
use crate::model::{GateName, Name};

use super::super::Failure;
use super::super::measure::OfGate;
use super::Session;
use super::measuring::measured;

/// What of one system a report is made from.
#[derive(Debug, Default)]
pub(crate) struct SystemAsked {
    /// Its records.
    pub(crate) audit: AuditShare,
    /// Its gates that stand on the mainline.
    pub(crate) standing: BTreeSet<GateName>,
    /// Those that stand there or ever stood.
    pub(crate) ever: BTreeSet<GateName>,
}

/// What a report is told of one system.
#[derive(Debug)]
pub(crate) struct SystemRead<T> {
    /// Its records, judged again.
    pub(crate) audited: Vec<AuditPart>,
    /// What of it runs, by environment.
    pub(crate) running: BTreeMap<Name, Vec<Running>>,
    /// What is made of each of its gates that stand, or why it is not judged.
    pub(crate) gates: Vec<Result<T, GateLine>>,
    /// What these gates show of the control.
    pub(crate) evidence: Evidence,
    /// The timelines of those that ever stood.
    pub(crate) measured: Vec<OfGate>,
    /// How the policy in force lines up with its past.
    pub(crate) refinement: Refinement,
    /// Incidents on it.
    pub(crate) incidents: Vec<IncidentLine>,
}

impl Session {
    /// The gates that a record of a log names.
    pub(crate) fn logged_gates(&self) -> Result<BTreeSet<GateName>, Failure> {
        Ok(self.judging().logged_gates()?.into_iter().map(|(gate, _environment)| gate).collect())
    }

    /// What a report says of one gate.
    pub(crate) fn dossier(&self, gate: &GateName) -> Result<Dossier, Failure> {
        Ok(self.judging().dossier(gate, &self.environments(gate)?, self.view)?)
    }

    /// Every policy that has been in force, the first one first.
    pub(crate) fn policy_moments(&self) -> Vec<PolicyMoment> {
        self.judging().policy_moments(self.view)
    }

    /// Reads all of one system in these environments; `make` makes something of each gate that stands.
    pub(crate) fn read_system<T>(
        &self,
        (system, asked): &(Name, SystemAsked),
        auditing: &Auditing,
        environments: &BTreeSet<Name>,
        make: &impl Fn(&Self, Dossier) -> T,
    ) -> Result<SystemRead<T>, Failure> {
        let judge = self.judging();
        // Replays of one system's records share what they rest on; another system's rest on other gates.
        judge.forget_gates();
        let mut read = SystemRead {
            audited: judge.audit_share(auditing, &asked.audit),
            running: BTreeMap::new(),
            gates: Vec::with_capacity(asked.standing.len()),
            evidence: Evidence::default(),
            measured: Vec::with_capacity(asked.ever.len()),
            refinement: Refinement::of(self.policy()),
            incidents: judge.incidents(Some(system), self.view)?,
        };
        for environment in environments {
            let running = judge.running(environment, Some(system), self.view)?;
            read.running.insert(environment.clone(), running.into_values().collect());
        }
        let (past, ground) = (Past::of_system(&judge, system)?, judge.ground(system)?);
        // Those that stand are among those that ever stood.
        for gate in asked.ever.iter().chain(past.deployed()).collect::<BTreeSet<_>>() {
            if asked.standing.contains(gate) {
                let environments = self.environments(gate);
                let dossier = environments.and_then(|all| Ok(judge.dossier(gate, &all, self.view)?));
                read.gates.push(match dossier {
                    Ok(dossier) => {
                        read.evidence.add(&dossier);
                        Ok(make(self, dossier))
                    }
                    Err(failure) => Err(GateLine::unjudged(gate.clone(), failure.message)),
                });
            }
            if asked.ever.contains(gate) {
                read.measured.push(measured(&judge, gate, &ground));
            }
            read.refinement.add(&past, &judge, gate)?;
        }
        Ok(read)
    }
}
