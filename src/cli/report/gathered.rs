//! All that a report is made from, system by system: what each deployment and each gate is shown as is written before much
//! more is read, and of each no more is kept than the lists show.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::control::{Evidence, Finding, Grounds};
use crate::insight::metrics::{Asked, By, Metrics};
use crate::insight::{
    Audit, Deployment, Dossier, GateLine, IncidentLine, LoggedRecord, Origin, Place, PolicyMoment,
    Refinement, Running, Violation,
};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::render::report::{ExceptionRow, GateRow, Measured, Whole};

use super::super::session::{Reading, Session};
use super::super::{Context, Failure, gathering, measure, sharing};

/// Why a gate that a log or an incident names is not judged.
const NOT_THERE: &str = "it does not stand on the mainline";

/// What is kept for the pages about the whole.
#[derive(Debug)]
pub(super) struct Gathered {
    origin: Origin,
    policies: Vec<PolicyMoment>,
    gates: Vec<GateRow>,
    running: Vec<Running>,
    /// The audit; its deployments stand below.
    audit: Audit,
    records: Vec<LoggedRecord>,
    outside: Vec<(LoggedRecord, Place)>,
    dues: BTreeMap<ObjectId, Time>,
    incidents: Vec<IncidentLine>,
    measured: Measured,
    refinement: Refinement,
    evidence: Evidence,
    findings: Vec<Finding>,
}

/// What is done with a deployment, and with what is wrong with it.
type PutDeployment<'p> = &'p mut dyn FnMut(&Deployment, &[Violation]) -> Result<(), Failure>;

/// Fewer gates than this are not worth another thread.
const FEW: usize = 50;

/// What is read of one system: its gates, each with what is made of it, or why it is not judged; and what of it runs, by
/// environment.
struct SystemRead<T> {
    gates: Vec<Result<(Dossier, T), GateLine>>,
    running: BTreeMap<Name, Vec<Running>>,
}

impl Gathered {
    /// Begins with the logs.
    pub(super) fn begin(
        context: &Context,
        session: &Session,
        reading: &Reading<'_>,
        put: PutDeployment<'_>,
    ) -> Result<Self, Failure> {
        let (mut evidence, mut told) = (Evidence::default(), BTreeSet::new());
        let mut audit = session.audit_all(context, &mut |deployment, violations| {
            evidence.add_deployment(deployment);
            put(deployment, violations)?;
            deployment.then = None;
            told.insert((deployment.environment.clone(), deployment.record.commit));
            Ok(())
        })?;
        let (mut records, mut outside, mut dues) = (Vec::new(), Vec::new(), BTreeMap::new());
        for deployment in std::mem::take(&mut audit.deployments) {
            let commit = deployment.record.commit;
            if !told.contains(&(deployment.environment.clone(), commit)) {
                let about = |violation: &&Violation| violation.record == Some(commit);
                let violations: Vec<Violation> = audit.violations.iter().filter(about).cloned().collect();
                evidence.add_deployment(&deployment);
                put(&deployment, &violations)?;
            }
            dues.extend(deployment.cover_due.map(|due| (commit, due)));
            match deployment.place {
                Place::Log => records.push(deployment.into_logged()),
                Place::Fork | Place::Lacking | Place::Stray => {
                    let place = deployment.place;
                    outside.push((deployment.into_logged(), place));
                }
            }
        }
        Ok(Self {
            origin: session.origin()?,
            policies: reading.policy_moments(),
            gates: Vec::new(),
            running: Vec::new(),
            audit,
            records,
            outside,
            dues,
            incidents: session.incidents()?,
            measured: Measured::default(),
            refinement: Refinement::default(),
            evidence,
            findings: Vec::new(),
        })
    }

    /// What it is made from.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Goes through every gate that stands, and every system that runs: `make` makes something of a gate, on whatever thread
    /// reads it, and `put` is given that, gate by gate in their order.
    pub(super) fn read_gates<T: Send>(
        &mut self,
        context: &Context,
        session: &Session,
        make: impl Fn(&Session, &Dossier) -> T + Sync,
        mut put: impl FnMut(T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        session.hold_logs()?;
        let environments = session.reading().environments()?;
        let (standing, _) = session.gates()?;
        let mut systems: BTreeMap<Name, Vec<GateName>> = BTreeMap::new();
        for gate in &standing {
            systems.entry(gate.system.clone()).or_default().push(gate.clone());
        }
        for gate in session.logged_gates()? {
            systems.entry(gate.system).or_default();
        }
        let shares: Vec<(Name, Vec<GateName>)> = systems.into_iter().collect();
        // A log that lacks all that it held is refused like any other that lacks something.
        for environment in environments.iter().filter(|_environment| shares.is_empty()) {
            session.log(environment, None)?;
        }
        let busy = context.counting("reading gates", standing.len());
        let work = |[session]: [&Session; 1], (system, gates): &(Name, Vec<GateName>)| {
            let read = read_system(session, system, gates, &environments, &make);
            busy.steps(gates.len());
            read
        };
        let mut running: BTreeMap<Name, Vec<Running>> = BTreeMap::new();
        let take = |read: Result<SystemRead<T>, Failure>| -> anyhow::Result<()> {
            let read = read?;
            for (environment, some) in read.running {
                running.entry(environment).or_default().extend(some);
            }
            for gate in read.gates {
                match gate {
                    Ok((dossier, made)) => {
                        put(made)?;
                        self.evidence.add(&dossier);
                        self.gates.push(row(dossier));
                    }
                    Err(line) => self.gates.push(unjudged(line)),
                }
            }
            Ok(())
        };
        sharing::in_order([session], &shares, standing.len() >= FEW, work, take)?;
        self.running = running.into_values().flatten().collect();
        Ok(())
    }

    /// Ends with what is read off all of it.
    pub(super) fn end(
        &mut self,
        context: &Context,
        session: &Session,
        reading: &Reading<'_>,
    ) -> Result<(), Failure> {
        for line in gathering::unmerged(context, session)? {
            match self.gates.iter_mut().find(|row| row.line.gate == line.gate) {
                Some(row) => row.ahead = Some(line),
                None => self.gates.push(unjudged(line)),
            }
        }
        let known: BTreeSet<GateName> = self.gates.iter().map(|row| row.line.gate.clone()).collect();
        let logged = self.records.iter().chain(self.outside.iter().map(|(logged, _)| logged));
        let named = logged.map(|logged| &logged.record.gate);
        let named: BTreeSet<&GateName> =
            named.chain(self.incidents.iter().map(|line| &line.fact.incident.gate)).collect();
        for gate in named.into_iter().filter(|gate| !known.contains(gate)) {
            self.gates.push(unjudged(GateLine::unjudged(gate.clone(), NOT_THERE.to_owned())));
        }
        let by = |by| Metrics::new(Asked { by: Some(by), ..Asked::default() });
        let mut all = [by(By::Month), by(By::System), by(By::Environment)];
        measure::measure(context, session, &mut all, &[])?;
        let [by_month, by_system, by_environment] = all;
        self.measured = Measured { by_month, by_system, by_environment };
        self.refinement = refinement(context, session, reading)?;
        self.findings = self.evidence.findings(&Grounds {
            policy: session.policy(),
            policies: &self.policies,
            audit: &self.audit,
            metrics: &self.measured.by_month,
            incidents: &self.incidents,
            refinement: &self.refinement,
        });
        Ok(())
    }

    /// All of it.
    pub(super) fn whole<'a>(&'a self, session: &'a Session) -> Whole<'a> {
        Whole {
            origin: &self.origin,
            policy: session.policy(),
            policies: &self.policies,
            gates: &self.gates,
            running: &self.running,
            audit: &self.audit,
            records: &self.records,
            outside: &self.outside,
            dues: &self.dues,
            incidents: &self.incidents,
            measured: &self.measured,
            refinement: &self.refinement,
            evidence: &self.evidence,
            findings: &self.findings,
        }
    }
}

/// How the policy in force lines up with incidents.
fn refinement(context: &Context, session: &Session, reading: &Reading<'_>) -> Result<Refinement, Failure> {
    let (past, gates) = reading.past()?;
    let several = gates.len() >= FEW;
    let busy = context.counting("holding the policy in force against the past", gates.len());
    let work = |[session]: [&Session; 1], system: &Vec<GateName>| {
        let found = session.refinement(&past, system);
        busy.steps(system.len());
        found
    };
    let mut all = Refinement::of(session.policy());
    let take = |found: Result<Refinement, Failure>| -> Result<(), Failure> {
        all.join(found?);
        Ok(())
    };
    sharing::in_order([session], &sharing::systems(gates), several, work, take)?;
    Ok(all)
}

fn read_system<T>(
    session: &Session,
    system: &Name,
    gates: &[GateName],
    environments: &BTreeSet<Name>,
    make: &impl Fn(&Session, &Dossier) -> T,
) -> Result<SystemRead<T>, Failure> {
    let reading = session.reading();
    let mut read = SystemRead { gates: Vec::with_capacity(gates.len()), running: BTreeMap::new() };
    for environment in environments {
        read.running.insert(environment.clone(), reading.running(environment, system)?);
    }
    for gate in gates {
        read.gates.push(match reading.dossier(gate) {
            Ok(dossier) => {
                let made = make(session, &dossier);
                Ok((dossier, made))
            }
            Err(failure) => Err(GateLine::unjudged(gate.clone(), failure.message)),
        });
    }
    Ok(read)
}

fn row(dossier: Dossier) -> GateRow {
    let shown: Vec<_> = dossier.verdicts.iter().flat_map(|verdict| &verdict.exceptions).collect();
    let speaks = shown.iter().find(|exception| exception.in_force).or(shown.last());
    let in_force = speaks.is_some_and(|exception| exception.in_force);
    let reason = speaks.map(|exception| exception.reason.clone()).unwrap_or_default();
    GateRow {
        exception: dossier.exception.map(|fact| ExceptionRow { fact, in_force, reason }),
        line: dossier.line,
        ahead: None,
    }
}

fn unjudged(line: GateLine) -> GateRow {
    GateRow { line, exception: None, ahead: None }
}
