//! What an approver should have before them: the approver's brief (design, section 12, `review`).
//!
//! The checklist comes from the one evaluator; beside it stand the numbers and files of what is deployed, which is the
//! same deployment that a criterion with `compare = "deployed"` is held against. Nothing here decides.

use std::collections::BTreeSet;

use crate::decision::Seen;
use crate::evidence::{Format, Value, map_one};
use crate::ledger::{GateDirectory, Undecided, View};
use crate::model::{ContentDigest, GateName, Name, ObjectId, Principal, Time};
use crate::request::GateRequest;
use crate::verdict::{self, Facts, Number, Numbers, Outcome, RecordFact};

use super::comparison::{Comparison, compare};
use super::judge::{Case, Judge, is_running};
use super::{Judgement, Question};

/// All that there is to read before deciding on a gate.
#[derive(Debug, Clone)]
pub struct Brief {
    /// The gate.
    pub gate: GateName,
    /// Its directory, as it was read.
    pub directory: Option<GateDirectory>,
    /// One for each environment.
    pub environments: Vec<EnvironmentBrief>,
    /// What changes, against each version that is deployed somewhere; against nothing, where nothing is.
    pub changes: Vec<ChangeAgainst>,
}

/// What there is to know for one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentBrief {
    /// The verdict.
    pub judgement: Judgement,
    /// What runs there as far as the log says.
    pub deployed: Option<Deployed>,
    /// The numbers of the reports.
    pub numbers: Numbers,
    /// Those that the request maps itself: no criterion reads them.
    pub own: Vec<Number>,
}

/// A deployment to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// The version.
    pub gate: GateName,
    /// The log commit.
    pub record: ObjectId,
    /// The mainline commit that was judged then.
    pub judged: ObjectId,
    /// When.
    pub time: Time,
    /// By whom.
    pub principal: Option<Principal>,
}

/// What changes, against one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAgainst {
    /// The deployed version; nothing: none is deployed.
    pub deployed: Option<Deployed>,
    /// Where.
    pub environments: BTreeSet<Name>,
    /// What changes.
    pub comparison: Comparison,
}

/// What the reader could sign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signing {
    /// Whose signing key it is, where that is known.
    pub principal: Option<Principal>,
    /// Why an approval of theirs would not count; nothing: it would.
    pub refused: Option<String>,
    /// The reason codes that a rejection may have.
    pub reasons: BTreeSet<Name>,
    /// One for each role in which they could.
    pub assertions: Vec<Assertion>,
}

/// What a signature in one role will assert, and how to give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The role.
    pub role: Name,
    /// In plain words.
    pub sentence: String,
    /// The command that approves exactly this.
    pub approve: String,
    /// The command that rejects exactly this.
    pub reject: String,
}

impl Assertion {
    /// What approving `gate` in `role` asserts of what is before the signer.
    ///
    /// `only` are the environments that an approval would be limited to; none: it is not.
    pub fn of(
        gate: &GateName,
        role: &Name,
        environments: &BTreeSet<Name>,
        only: &[Name],
        seen: Seen,
    ) -> Self {
        let places: Vec<String> = environments.iter().map(|name| format!("`{name}`")).collect();
        let sentence = format!(
            "I approve `{gate}` as `{role}`, for {}: its files as they stand under the content digest {}, judged by \
             the policy with the digest {}",
            places.join(" and "),
            seen.content,
            seen.policy
        );
        let command = |verb: &str, more: &str| {
            format!("git gate {verb} {gate} --role {role}{more} --content {}", seen.content)
        };
        let scope: Vec<String> = only.iter().map(|name| format!(" --env {name}")).collect();
        let scope = scope.concat();
        Self {
            role: role.clone(),
            sentence,
            approve: command("approve", &scope),
            reject: command("reject", " --reason <code>"),
        }
    }
}

impl Brief {
    /// The content digest of what is to be decided on; nothing where it is invalid or not there.
    pub fn content(&self) -> Option<ContentDigest> {
        self.directory.as_ref().and_then(|directory| directory.digest)
    }

    /// The worst of the verdicts: blocked before pending before allowed.
    pub fn worst(&self) -> Option<Outcome> {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Allowed(_) => 0,
            Outcome::Pending => 1,
            Outcome::Blocked => 2,
        };
        self.environments.iter().map(|environment| environment.judgement.verdict.outcome).max_by_key(rank)
    }
}

impl Judge<'_> {
    /// The brief on a gate for these environments, as of `view`, with the log of each up to the commit beside it.
    pub fn brief(
        &self,
        gate: &GateName,
        questions: &[(Question, Option<ObjectId>)],
        view: View,
    ) -> Result<Brief, Undecided> {
        let directory = self.ledger().gate_directory(gate, view)?;
        let request = directory.as_ref().and_then(|directory| directory.request(gate));
        let mut environments = Vec::new();
        let mut changes: Vec<ChangeAgainst> = Vec::new();
        for (question, log) in questions {
            let brief = self.environment_brief(question, view, *log, directory.as_ref(), request.as_ref())?;
            let same = |change: &&mut ChangeAgainst| match (&change.deployed, &brief.deployed) {
                (Some(one), Some(other)) => one.gate == other.gate && one.judged == other.judged,
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            match (changes.iter_mut().find(same), &directory) {
                (Some(change), _) => {
                    change.environments.insert(question.environment.clone());
                }
                (None, Some(now)) => changes.push(ChangeAgainst {
                    deployed: brief.deployed.clone(),
                    environments: BTreeSet::from([question.environment.clone()]),
                    comparison: self.comparison(brief.deployed.as_ref(), now, request.as_ref())?,
                }),
                (None, None) => {}
            }
            environments.push(brief);
        }
        // What runs somewhere first: that is what most of the change is against.
        changes.sort_by_key(|change| change.deployed.is_none());
        Ok(Brief { gate: gate.clone(), directory, environments, changes })
    }

    /// What changes against a version that was deployed, or against nothing.
    fn comparison(
        &self,
        deployed: Option<&Deployed>,
        now: &GateDirectory,
        request: Option<&GateRequest>,
    ) -> Result<Comparison, Undecided> {
        let before = deployed.map(|deployed| self.directory_then(deployed)).transpose()?.flatten();
        let old_request = match (&before, deployed) {
            (Some(before), Some(deployed)) => before.request(&deployed.gate),
            (_, _) => None,
        };
        let mut reports = numeric_reports(now, request);
        if let Some(before) = &before {
            reports.extend(numeric_reports(before, old_request.as_ref()));
        }
        let before = before.as_ref().map(|before| (before, old_request.as_ref()));
        Ok(compare(before, (now, request), &reports))
    }

    fn environment_brief(
        &self,
        question: &Question,
        view: View,
        log: Option<ObjectId>,
        directory: Option<&GateDirectory>,
        request: Option<&GateRequest>,
    ) -> Result<EnvironmentBrief, Undecided> {
        let case = Case {
            gate: &question.gate,
            environment: &question.environment,
            given: question.given.clone(),
            view,
            log,
            whole: self.is_whole(question, view, log)?,
        };
        let facts = self.facts(&case)?;
        let judgement = self.judgement_of(&facts, question, view, log)?;
        let record = facts.records.iter().rev().find(|record| is_running(record));
        let reports = match (&facts.deployed, record) {
            (Some(deployed), _) => Some(deployed.clone()),
            (None, Some(record)) => self.deployed(record, &case)?,
            (None, None) => None,
        };
        let numbers = verdict::numbers(&facts, reports.as_ref());
        let own = own_numbers(&facts, directory, request);
        Ok(EnvironmentBrief { judgement, deployed: record.map(|record| deployed(record)), numbers, own })
    }

    fn directory_then(&self, deployed: &Deployed) -> Result<Option<GateDirectory>, Undecided> {
        match self.ledger().at(deployed.judged, deployed.time) {
            Some(view) => self.ledger().gate_directory(&deployed.gate, view),
            None => Ok(None),
        }
    }
}

fn deployed(record: &RecordFact) -> Deployed {
    Deployed {
        gate: record.gate.clone(),
        record: record.commit,
        judged: record.judged,
        time: record.time,
        principal: record.principal.clone(),
    }
}

/// The reports of a request that hold numbers.
fn numeric_reports(directory: &GateDirectory, request: Option<&GateRequest>) -> BTreeSet<String> {
    let listed = request.into_iter().flat_map(|request| &request.evidence);
    listed.filter(|entry| reads_as_numbers(directory, &entry.file)).map(|entry| entry.file.clone()).collect()
}

/// Whether a file is a report of numbers rather than text that people read line by line.
fn reads_as_numbers(directory: &GateDirectory, file: &str) -> bool {
    let format = directory.files.get(file).map(|bytes| crate::evidence::detect(bytes));
    matches!(format, Some(Ok(format)) if format != Format::Text)
}

/// What the request says of its own reports (design, section 7): shown, and read by no criterion.
fn own_numbers(
    facts: &Facts,
    directory: Option<&GateDirectory>,
    request: Option<&GateRequest>,
) -> Vec<Number> {
    let mut own = Vec::new();
    let verdict::Standing::Recorded(content) = &facts.standing else { return own };
    for entry in request.iter().flat_map(|request| &request.evidence) {
        let bytes = directory.and_then(|directory| directory.files.get(&entry.file));
        let fact = content.evidence.iter().find(|fact| fact.file == entry.file && fact.kind == entry.kind);
        let report = fact.and_then(|fact| fact.report.as_ref()).and_then(|report| report.as_ref().ok());
        let (Some(bytes), Some(report)) = (bytes, report) else { continue };
        for (name, mapping) in &entry.metrics {
            let format = mapping.format.unwrap_or(report.format);
            let read = map_one(bytes, format, mapping);
            let samples = read.as_ref().ok().and_then(|metric| metric.samples);
            own.push(Number {
                kind: entry.kind.clone(),
                file: entry.file.clone(),
                metric: name.clone(),
                value: read.map(|metric| -> Value { metric.value }),
                samples,
                deployed: Vec::new(),
                delta: None,
            });
        }
    }
    own
}
