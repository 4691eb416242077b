//! All that a site is made from, gate by gate: each gate's pages are written before the next one is read, and of each no more
//! is kept than the lists show.

use crate::insight::control::Evidence;
use crate::insight::{Dossier, GateLine};
use crate::render::report::{self, ExceptionRow, GateRow, Whole};

use super::super::session::Session;
use super::super::{Context, Failure, gathering};
use super::site::Site;

/// Writes every page.
pub(super) fn write(context: &Context, session: &Session, site: &mut Site) -> Result<(), Failure> {
    let policy = session.policy();
    let mut evidence = Evidence::default();
    let mut rows = Vec::new();
    let (standing, _) = session.gates()?;
    let reading = session.reading();
    for gate in &standing {
        match reading.dossier(gate) {
            Ok(dossier) => {
                evidence.add(&dossier);
                for (path, text) in report::gate_files(&dossier, policy) {
                    site.put(&path, &text)?;
                }
                for logged in &dossier.records {
                    let then = reading.checklist_then(logged)?;
                    let (path, text) = report::deployment_file(logged, then.as_ref(), policy);
                    site.put(&path, &text)?;
                }
                rows.push(row(dossier));
            }
            Err(failure) => rows.push(unjudged(GateLine::unjudged(gate.clone(), failure.message))),
        }
    }
    for line in gathering::unmerged(context, session)? {
        if !standing.contains(&line.gate) {
            rows.push(unjudged(line));
        }
    }
    let (mut records, mut running) = (Vec::new(), Vec::new());
    for environment in &reading.environments()? {
        records.extend(reading.log(environment)?);
        running.extend(reading.running(environment)?);
    }
    for logged in &records {
        evidence.add_record(logged);
        // Of a gate that does not stand, or that does not ask for this environment.
        let path = report::deployment_path(logged);
        if !site.holds(&path) {
            let then = reading.checklist_then(logged)?;
            let (path, text) = report::deployment_file(logged, then.as_ref(), policy);
            site.put(&path, &text)?;
        }
    }
    let origin = session.origin()?;
    let findings = evidence.findings(policy);
    let policies = reading.policy_moments();
    let whole = Whole {
        origin: &origin,
        policy,
        policies: &policies,
        gates: &rows,
        running: &running,
        records: &records,
        evidence: &evidence,
        findings: &findings,
    };
    for (path, text) in report::whole_files(&whole) {
        site.put(&path, &text)?;
    }
    let (path, text) = report::style();
    site.put(&path, &text)
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
