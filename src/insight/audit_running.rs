//! What really runs, held against what the log says runs.
//!
//! Somebody who looked at production names its artifacts by digest; nothing here looks. Bad and unknown are told apart:
//! what cannot be compared is said to be so.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ArtifactDigest, Name, ObjectId, Time};
use crate::verdict::{Basis, Replay};

use super::audit::{Audit, Deployment, Violation};
use super::audit_codes::ViolationCode;

/// What runs, as somebody saw it: environment → digests of artifacts.
pub type Observed = BTreeMap<Name, BTreeSet<ArtifactDigest>>;

/// How what runs compares with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// What was seen.
    pub observed: Observed,
    /// Records whose artifacts all run.
    pub agree: Vec<ObjectId>,
    /// Every difference.
    pub differences: Vec<Violation>,
}

impl Audit {
    /// Holds what runs against the log, and adds the differences to the violations.
    pub fn reconcile(&mut self, observed: Observed) {
        let mut differences = Vec::new();
        let mut agree = Vec::new();
        let runs: Vec<&Deployment> = self.runs();
        for deployment in &runs {
            match compare(deployment, observed.get(&deployment.environment)) {
                Ok(()) => agree.push(deployment.record.commit),
                Err(found) => differences.extend(found),
            }
        }
        for (environment, digests) in &observed {
            if !self.population.contains_key(environment) {
                continue;
            }
            let logged = |digest: &ArtifactDigest| {
                let here = runs.iter().filter(|run| run.environment == *environment);
                here.flat_map(|run| run.record.artifacts.values()).any(|known| known == digest)
            };
            for digest in digests.iter().filter(|digest| !logged(digest)) {
                differences.push(self.not_logged(environment, digest));
            }
        }
        self.add(differences.clone());
        self.running = Some(Reconciliation { observed, agree, differences });
    }

    /// Adds what runs, as the log or `--running` says, under an exception that has ended.
    pub fn find_ended_exceptions(&mut self) {
        let now = self.origin.time;
        let mut found = Vec::new();
        for deployment in self.runs() {
            let Some((record, ended)) = self.rests_on(deployment).filter(|(_, ended)| *ended <= now) else {
                continue;
            };
            let really = self.running.as_ref().is_none_or(|running| {
                let seen = running.observed.get(&deployment.environment);
                seen.is_none_or(|seen| {
                    deployment.record.artifacts.values().any(|digest| seen.contains(digest))
                })
            });
            if !really {
                continue;
            }
            let by = if record == deployment.record.commit {
                String::new()
            } else {
                format!(", by way of record {record}")
            };
            let message = format!("it runs on an exception that ended on {ended}{by}");
            found.push(of(deployment, ViolationCode::ExceptionEnded, message));
        }
        self.add(found);
    }

    /// Adds violations, each to the deployment that it is about as well.
    fn add(&mut self, found: Vec<Violation>) {
        for violation in &found {
            let of_it = |deployment: &&mut Deployment| Some(deployment.record.commit) == violation.record;
            if let Some(deployment) = self.deployments.iter_mut().find(of_it) {
                deployment.violations.insert(violation.code);
            }
        }
        self.violations.extend(found);
    }

    /// What the log says runs, by environment and system.
    pub fn runs(&self) -> Vec<&Deployment> {
        let mut last: BTreeMap<(&Name, &Name), &Deployment> = BTreeMap::new();
        for deployment in &self.deployments {
            if deployment.record.defect.is_none() && !deployment.record.failed {
                last.insert((&deployment.environment, &deployment.record.gate.system), deployment);
            }
        }
        last.into_values().collect()
    }

    /// The record whose exception a deployment rests on, and when that ends: its own, or that of the record that supports its
    /// return.
    fn rests_on(&self, deployment: &Deployment) -> Option<(ObjectId, Time)> {
        let end = |of: &Deployment| match of.record.replay {
            Replay::Allowed { basis: Basis::Exception, exception_expires, .. } => {
                exception_expires.map(|ends| (of.record.commit, ends))
            }
            Replay::Allowed { .. } | Replay::NotAllowed(_) | Replay::NotReplayable(_) => None,
        };
        if !matches!(deployment.record.replay, Replay::Allowed { basis: Basis::Rollback, .. }) {
            return end(deployment);
        }
        let earlier =
            self.deployments.iter().take_while(|other| other.record.commit != deployment.record.commit);
        let supports = |other: &&Deployment| {
            other.environment == deployment.environment
                && other.record.gate == deployment.record.gate
                && other.record.content == deployment.record.content
                && matches!(other.record.replay, Replay::Allowed { supports: true, .. })
        };
        earlier.filter(supports).last().and_then(end)
    }

    fn not_logged(&self, environment: &Name, digest: &ArtifactDigest) -> Violation {
        let before = self.deployments.iter().rev().find(|deployment| {
            deployment.environment == *environment
                && deployment.record.artifacts.values().any(|known| known == digest)
        });
        let message = match before {
            None => format!("{digest} runs, and no record of `{environment}` names it"),
            Some(deployment) => format!(
                "{digest} runs; {} of {} named it, which is not what runs by the log",
                deployment.record.gate, deployment.record.time
            ),
        };
        Violation {
            environment: Some(environment.clone()),
            code: ViolationCode::RunningNotLogged,
            record: before.map(|deployment| deployment.record.commit),
            gate: before.map(|deployment| deployment.record.gate.clone()),
            message,
        }
    }
}

fn compare(deployment: &Deployment, seen: Option<&BTreeSet<ArtifactDigest>>) -> Result<(), Vec<Violation>> {
    let unknown =
        |message: &str| Err(vec![of(deployment, ViolationCode::RunningUnknown, message.to_owned())]);
    let Some(seen) = seen else { return unknown("what runs there was not told") };
    if deployment.record.artifacts.is_empty() {
        return unknown("its record names no artifact");
    }
    let lacks = deployment.record.artifacts.iter().filter(|(_, digest)| !seen.contains(*digest));
    let found: Vec<Violation> = lacks
        .map(|(name, digest)| {
            of(deployment, ViolationCode::LoggedNotRunning, format!("`{name}` {digest} does not run"))
        })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

fn of(deployment: &Deployment, code: ViolationCode, message: String) -> Violation {
    Violation {
        environment: Some(deployment.environment.clone()),
        code,
        record: Some(deployment.record.commit),
        gate: Some(deployment.record.gate.clone()),
        message,
    }
}
