//! All that a report is made from, system by system: what each deployment and each gate is shown as is written before much
//! more is read, and of each no more is kept than the lists show.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::control::{Evidence, Finding, Grounds};
use crate::insight::metrics::{Asked, By, Metrics};
use crate::insight::{
    Audit, AuditPart, Auditing, Deployment, Dossier, GateLine, IncidentLine, LoggedRecord, Origin, Place,
    PolicyMoment, Refinement, Running, Scope, Violation,
};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::render::report::{ExceptionRow, GateRow, Measured, Whole};

use super::super::session::{Session, SystemAsked, SystemRead};
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

/// What is put somewhere before the next is read.
pub(super) enum Put<'p, T> {
    /// A deployment, with what is wrong with it.
    Deployment(&'p Deployment, &'p [Violation]),
    /// What was made of a gate.
    Gate(T),
}

/// Fewer gates or records than this are not worth another thread.
const FEW: usize = 50;

impl Gathered {
    /// Goes through every system: `make` makes something of a gate that stands, on whatever thread reads it, and `put` is given
    /// that, gate by gate in their order, and deployments as soon as nothing more will be found of them.
    pub(super) fn read<T: Send>(
        context: &Context,
        session: &Session,
        make: impl Fn(&Session, &Dossier) -> T + Sync,
        put: &mut dyn FnMut(Put<'_, T>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let auditing = session.begin_audit(&Scope::default())?;
        let environments = session.these_or_all_environments(&[])?;
        let ever = session.gates_ever()?;
        let systems = systems(session, &auditing, &ever)?;
        // A log that lacks all that it held is refused like any other that lacks something.
        for environment in environments.iter().filter(|_environment| systems.is_empty()) {
            session.log(environment, None)?;
        }
        // Each as if its branch were merged, in a history of its own: while little else is kept.
        let unmerged = gathering::unmerged(context, session)?;
        let (gates, records) = systems.iter().fold((0, 0), |(gates, records), (_, asked)| {
            (gates + asked.ever.len(), records + asked.audit.len())
        });
        let mut found = Found::of(session, gates);
        let make = |session: &Session, dossier: Dossier| (make(session, &dossier), row(dossier));
        let busy = context.counting("reading gates", gates);
        let work = |[session]: [&Session; 1], share: &(Name, SystemAsked)| {
            let read = session.read_system(share, &auditing, &environments, &make);
            busy.steps(share.1.ever.len());
            read
        };
        let take = |read: Result<SystemRead<(T, GateRow)>, Failure>| found.take(read?, &auditing, put);
        sharing::in_order([session], &systems, gates.max(records) >= FEW, work, take)?;
        let Found { parts, told, rows, running, mut all, refinement, mut incidents, mut evidence } = found;
        let mut audit = session.end_audit(auditing, parts)?;
        audit.find_ended_exceptions();
        let mut logged = Vec::with_capacity(audit.deployments.len());
        let (mut outside, mut dues) = (Vec::new(), BTreeMap::new());
        for deployment in std::mem::take(&mut audit.deployments) {
            let commit = deployment.record.commit;
            if !told.contains(&(deployment.environment.clone(), commit)) {
                let about = |violation: &&Violation| violation.record == Some(commit);
                let violations: Vec<Violation> = audit.violations.iter().filter(about).cloned().collect();
                evidence.add_deployment(&deployment);
                put(Put::Deployment(&deployment, &violations))?;
            }
            dues.extend(deployment.cover_due.map(|due| (commit, due)));
            match deployment.place {
                Place::Log => logged.push(deployment.into_logged()),
                Place::Fork | Place::Lacking | Place::Stray => {
                    let place = deployment.place;
                    outside.push((deployment.into_logged(), place));
                }
            }
        }
        IncidentLine::sort(&mut incidents);
        measure::end(session, &mut all, &ever)?;
        let [by_month, by_system, by_environment] = all;
        let mut gathered = Self {
            origin: session.origin()?,
            policies: session.policy_moments(),
            gates: rows,
            running: running.into_values().flatten().collect(),
            audit,
            records: logged,
            outside,
            dues,
            incidents,
            measured: Measured { by_month, by_system, by_environment },
            refinement,
            evidence,
            findings: Vec::new(),
        };
        gathered.add_rows(unmerged);
        gathered.findings = gathered.evidence.findings(&Grounds {
            policy: session.policy(),
            policies: &gathered.policies,
            audit: &gathered.audit,
            metrics: &gathered.measured.by_month,
            incidents: &gathered.incidents,
            refinement: &gathered.refinement,
        });
        Ok(gathered)
    }

    /// Adds gates that branches hold, and those that are named and do not stand.
    fn add_rows(&mut self, unmerged: Vec<GateLine>) {
        for line in unmerged {
            match self.gates.iter_mut().find(|row| row.line.gate == line.gate) {
                Some(row) => row.ahead = Some(Box::new(line)),
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

/// What was found of the systems so far.
struct Found {
    parts: Vec<AuditPart>,
    /// Deployments that were put somewhere.
    told: BTreeSet<(Name, ObjectId)>,
    rows: Vec<GateRow>,
    running: BTreeMap<Name, Vec<Running>>,
    /// By month, by system, by environment.
    all: [Metrics; 3],
    refinement: Refinement,
    incidents: Vec<IncidentLine>,
    evidence: Evidence,
}

impl Found {
    fn of(session: &Session, gates: usize) -> Self {
        let by = |by| Metrics::new(Asked { by: Some(by), ..Asked::default() });
        Self {
            parts: Vec::new(),
            told: BTreeSet::new(),
            rows: Vec::with_capacity(gates),
            running: BTreeMap::new(),
            all: [by(By::Month), by(By::System), by(By::Environment)],
            refinement: Refinement::of(session.policy()),
            incidents: Vec::new(),
            evidence: Evidence::default(),
        }
    }

    fn take<T>(
        &mut self,
        mut read: SystemRead<(T, GateRow)>,
        auditing: &Auditing,
        put: &mut dyn FnMut(Put<'_, T>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        auditing.show(&mut read.audited, &mut |deployment, violations| {
            self.evidence.add_deployment(deployment);
            put(Put::Deployment(deployment, violations))?;
            deployment.then = None;
            self.told.insert((deployment.environment.clone(), deployment.record.commit));
            anyhow::Ok(())
        })?;
        self.parts.extend(read.audited);
        for (environment, some) in read.running {
            self.running.entry(environment).or_default().extend(some);
        }
        for gate in read.gates {
            match gate {
                Ok((made, row)) => {
                    put(Put::Gate(made))?;
                    self.rows.push(row);
                }
                Err(line) => self.rows.push(unjudged(line)),
            }
        }
        self.evidence.join(read.evidence);
        measure::add(&mut self.all, read.measured);
        self.refinement.join(read.refinement);
        self.incidents.extend(read.incidents);
        Ok(())
    }
}

/// What is asked of each system of which there is a gate or a record.
fn systems(
    session: &Session,
    auditing: &Auditing,
    ever: &BTreeSet<GateName>,
) -> Result<Vec<(Name, SystemAsked)>, Failure> {
    let mut systems: BTreeMap<Name, SystemAsked> = BTreeMap::new();
    for (system, audit) in auditing.shares() {
        systems.entry(system).or_default().audit = audit;
    }
    for gate in ever {
        systems.entry(gate.system.clone()).or_default().ever.insert(gate.clone());
    }
    let (standing, _) = session.gates()?;
    for gate in standing {
        systems.entry(gate.system.clone()).or_default().standing.insert(gate);
    }
    for gate in session.logged_gates()? {
        systems.entry(gate.system).or_default();
    }
    Ok(systems.into_iter().collect())
}

fn row(dossier: Dossier) -> GateRow {
    let shown: Vec<_> = dossier.verdicts.iter().flat_map(|verdict| &verdict.exceptions).collect();
    let speaks = shown.iter().find(|exception| exception.in_force).or(shown.last());
    let in_force = speaks.is_some_and(|exception| exception.in_force);
    let reason = speaks.map(|exception| exception.reason.clone()).unwrap_or_default();
    GateRow {
        exception: dossier.exception.map(|fact| Box::new(ExceptionRow { fact, in_force, reason })),
        line: dossier.line,
        ahead: None,
    }
}

fn unjudged(line: GateLine) -> GateRow {
    GateRow { line, exception: None, ahead: None }
}
