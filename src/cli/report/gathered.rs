//! All that a report is made from, gate by gate: each gate's pages are written before the next one is read, and of each no more
//! is kept than the lists show.

use crate::insight::control::{Evidence, Finding};
use crate::insight::{Dossier, GateLine, LoggedRecord, Origin, PolicyMoment, Running};
use crate::render::report::{self, ExceptionRow, GateRow, Whole};

use super::super::session::{Reading, Session};
use super::super::{Context, Failure, gathering};
use super::site::Site;

/// What is kept for the pages about the whole.
#[derive(Debug)]
pub(super) struct Gathered {
    origin: Origin,
    policies: Vec<PolicyMoment>,
    gates: Vec<GateRow>,
    running: Vec<Running>,
    records: Vec<LoggedRecord>,
    evidence: Evidence,
    findings: Vec<Finding>,
}

impl Gathered {
    /// Begins with what the logs hold.
    fn begin(session: &Session, reading: &Reading<'_>) -> Result<Self, Failure> {
        let (mut records, mut running) = (Vec::new(), Vec::new());
        for environment in &reading.environments()? {
            records.extend(reading.log(environment)?);
            running.extend(reading.running(environment)?);
        }
        let mut evidence = Evidence::default();
        for logged in &records {
            evidence.add_record(logged);
        }
        Ok(Self {
            origin: session.origin()?,
            policies: reading.policy_moments(),
            gates: Vec::new(),
            running,
            records,
            evidence,
            findings: Vec::new(),
        })
    }

    /// Keeps what the lists show of a gate.
    fn keep(&mut self, dossier: Dossier) {
        self.evidence.add(&dossier);
        self.gates.push(row(dossier));
    }

    /// Ends with the gates that are on branches alone.
    fn end(&mut self, context: &Context, session: &Session) -> Result<(), Failure> {
        for line in gathering::unmerged(context, session)? {
            if self.gates.iter().all(|row| row.line.gate != line.gate) {
                self.gates.push(unjudged(line));
            }
        }
        self.findings = self.evidence.findings(session.policy());
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
            records: &self.records,
            evidence: &self.evidence,
            findings: &self.findings,
        }
    }
}

/// Writes the page of every gate and deployment, and keeps the rest.
pub(super) fn write(context: &Context, session: &Session, site: &mut Site) -> Result<Gathered, Failure> {
    let policy = session.policy();
    let reading = session.reading();
    let mut gathered = Gathered::begin(session, &reading)?;
    let (standing, _) = session.gates()?;
    for gate in &standing {
        match reading.dossier(gate) {
            Ok(dossier) => {
                for (path, text) in report::gate_files(&dossier, policy) {
                    site.put(&path, &text)?;
                }
                for logged in &dossier.records {
                    put_deployment(&reading, logged, session, site)?;
                }
                gathered.keep(dossier);
            }
            Err(failure) => {
                gathered.gates.push(unjudged(GateLine::unjudged(gate.clone(), failure.message)));
            }
        }
    }
    gathered.end(context, session)?;
    // Of a gate that does not stand, or that does not ask for this environment.
    for logged in &gathered.records {
        if !site.holds(&report::deployment_path(logged)) {
            put_deployment(&reading, logged, session, site)?;
        }
    }
    Ok(gathered)
}

fn put_deployment(
    reading: &Reading<'_>,
    logged: &LoggedRecord,
    session: &Session,
    site: &mut Site,
) -> Result<(), Failure> {
    let then = reading.checklist_then(logged)?;
    let (path, text) = report::deployment_file(logged, then.as_ref(), session.policy());
    site.put(&path, &text)
}

/// Prints everything as one object.
pub(super) fn print_json(context: &Context, session: &Session) -> anyhow::Result<()> {
    let reading = session.reading();
    let mut gathered = Gathered::begin(session, &reading)?;
    let (standing, _) = session.gates()?;
    context.print(report::json_before_gates())?;
    let mut first = true;
    for gate in &standing {
        match reading.dossier(gate) {
            Ok(dossier) => {
                let comma = if first { "" } else { "," };
                context.print(&format!("{comma}{}", report::gate_json(&dossier, &gathered.origin)))?;
                first = false;
                gathered.keep(dossier);
            }
            Err(failure) => {
                gathered.gates.push(unjudged(GateLine::unjudged(gate.clone(), failure.message)));
            }
        }
    }
    gathered.findings = gathered.evidence.findings(session.policy());
    context.print(&report::json_after_gates(&gathered.whole(session)))
}

fn row(dossier: Dossier) -> GateRow {
    let shown: Vec<_> = dossier.verdicts.iter().flat_map(|verdict| &verdict.exceptions).collect();
    let speaks = shown.iter().find(|exception| exception.in_force).or(shown.last());
    let in_force = speaks.is_some_and(|exception| exception.in_force);
    let reason = speaks.map(|exception| exception.reason.clone()).unwrap_or_default();
    GateRow {
        exception: dossier.exception.map(|fact| ExceptionRow { fact, in_force, reason }),
        line: dossier.line,
        incidents: dossier.incidents,
    }
}

fn unjudged(line: GateLine) -> GateRow {
    GateRow { line, exception: None, incidents: Vec::new() }
}
