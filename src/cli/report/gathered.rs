//! All that a report is made from, system by system: each gate's pages are written before those of the next system are read,
//! and of each no more is kept than the lists show.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::control::{Evidence, Finding};
use crate::insight::{Dossier, GateLine, LoggedRecord, Origin, PolicyMoment, Running};
use crate::model::{GateName, Name};
use crate::render::report::{self, ExceptionRow, GateRow, Whole};

use super::super::session::{Reading, Session};
use super::super::{Context, Failure, gathering, sharing};
use super::site::Site;

/// Fewer gates than this are not worth another thread, which reads the history for itself.
const FEW: usize = 50;

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

/// What is read of one system.
struct SystemRead {
    /// Its records, by environment.
    records: BTreeMap<Name, Vec<LoggedRecord>>,
    /// What of it runs, by environment.
    running: BTreeMap<Name, Vec<Running>>,
    /// Its gates, and what was made of each.
    gates: Vec<GateRead>,
    /// Pages of deployments that belong to none of these gates.
    others: Vec<report::File>,
}

/// What is read of one gate: its dossier, or why there is none; and what was made of it.
struct GateRead {
    dossier: Result<Dossier, GateLine>,
    files: Vec<report::File>,
    json: String,
}

/// What is made of gates while they are at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Making {
    Pages,
    Json,
}

impl Gathered {
    /// Reads all gates that stand, system by system; `take` is told of each gate in its order, and of pages of its system's
    /// other deployments.
    fn read(
        context: &Context,
        session: &Session,
        making: Making,
        mut take: impl FnMut(&[report::File], &str) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        session.hold_logs()?;
        let origin = session.origin()?;
        let reading = session.reading();
        let environments = reading.environments()?;
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
        let mut gathered = Self {
            origin,
            policies: reading.policy_moments(),
            gates: Vec::new(),
            running: Vec::new(),
            records: Vec::new(),
            evidence: Evidence::default(),
            findings: Vec::new(),
        };
        let mut records: BTreeMap<Name, Vec<LoggedRecord>> = BTreeMap::new();
        let mut running: BTreeMap<Name, Vec<Running>> = BTreeMap::new();
        let busy = context.counting("reading the gates", standing.len());
        let origin = gathered.origin.clone();
        let work = |[session]: [&Session; 1], (system, gates): &(Name, Vec<GateName>)| {
            let read = read_system(session, system, gates, &environments, &origin, making);
            busy.steps(gates.len());
            read
        };
        let keep = |read: Result<SystemRead, Failure>| -> anyhow::Result<()> {
            let read = read?;
            for (environment, some) in read.records {
                records.entry(environment).or_default().extend(some);
            }
            for (environment, some) in read.running {
                running.entry(environment).or_default().extend(some);
            }
            for gate in read.gates {
                take(&gate.files, &gate.json)?;
                match gate.dossier {
                    Ok(dossier) => gathered.keep(dossier),
                    Err(line) => gathered.gates.push(unjudged(line)),
                }
            }
            take(&read.others, "")
        };
        sharing::in_order([session], &shares, standing.len() >= FEW, work, keep)?;
        drop(busy);
        for environment in &environments {
            let mut some = records.remove(environment).unwrap_or_default();
            reading.sort_log(environment, &mut some)?;
            for logged in &some {
                gathered.evidence.add_record(logged);
            }
            gathered.records.extend(some);
            gathered.running.extend(running.remove(environment).unwrap_or_default());
        }
        Ok(gathered)
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

fn read_system(
    session: &Session,
    system: &Name,
    gates: &[GateName],
    environments: &BTreeSet<Name>,
    origin: &Origin,
    making: Making,
) -> Result<SystemRead, Failure> {
    let reading = session.reading();
    reading.begin();
    let mut read = SystemRead {
        records: BTreeMap::new(),
        running: BTreeMap::new(),
        gates: Vec::new(),
        others: Vec::new(),
    };
    for environment in environments {
        read.records.insert(environment.clone(), reading.log(environment, system)?);
        read.running.insert(environment.clone(), reading.running(environment, system)?);
    }
    let mut made: BTreeSet<String> = BTreeSet::new();
    for gate in gates {
        let dossier = reading.dossier(gate);
        let mut found = GateRead {
            dossier: dossier.map_err(|failure| GateLine::unjudged(gate.clone(), failure.message)),
            files: Vec::new(),
            json: String::new(),
        };
        if let Ok(dossier) = &found.dossier {
            match making {
                Making::Json => found.json = report::gate_json(dossier, origin),
                Making::Pages => {
                    found.files = report::gate_files(dossier, session.policy());
                    for logged in &dossier.records {
                        made.insert(report::deployment_path(logged));
                        found.files.push(deployment(&reading, logged, session)?);
                    }
                }
            }
        }
        read.gates.push(found);
    }
    // Of a gate that does not stand, or that does not ask for this environment.
    for logged in read.records.values().flatten().filter(|_logged| making == Making::Pages) {
        if made.insert(report::deployment_path(logged)) {
            read.others.push(deployment(&reading, logged, session)?);
        }
    }
    Ok(read)
}

fn deployment(
    reading: &Reading<'_>,
    logged: &LoggedRecord,
    session: &Session,
) -> Result<report::File, Failure> {
    let then = reading.checklist_then(logged)?;
    Ok(report::deployment_file(logged, then.as_ref(), session.policy()))
}

/// Writes the page of every gate and deployment, and keeps the rest.
pub(super) fn write(context: &Context, session: &Session, site: &mut Site) -> anyhow::Result<Gathered> {
    let put = |files: &[report::File], _json: &str| {
        Ok(files.iter().try_for_each(|(path, text)| site.put(path, text))?)
    };
    let mut gathered = Gathered::read(context, session, Making::Pages, put)?;
    gathered.end(context, session)?;
    Ok(gathered)
}

/// Prints everything as one object.
pub(super) fn print_json(context: &Context, session: &Session) -> anyhow::Result<()> {
    context.print(report::json_before_gates())?;
    let mut first = true;
    let print = |_files: &[report::File], json: &str| {
        if !json.is_empty() {
            context.print(&format!("{}{json}", if first { "" } else { "," }))?;
            first = false;
        }
        Ok(())
    };
    let mut gathered = Gathered::read(context, session, Making::Json, print)?;
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
