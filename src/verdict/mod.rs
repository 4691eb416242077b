//! The verdict: facts → whether this version may go to this environment, and why. Pure, total, deterministic.
//!
//! The table of contents of section 9 of the design, from the checklist on; each kind of requirement has its own file.
//! Nothing here sees git, disk, clock, environment or hash order. Rules only add up: every matching rule adds
//! requirements, none removes one; the only way past a requirement is an exception in force or a rollback.

mod acceptances;
mod ancestry;
mod approvals;
mod artifacts;
mod bounds;
mod break_glass;
mod case;
mod change;
mod clock;
mod criteria;
mod decisions;
mod evidence;
mod exceptions;
mod facts;
mod fill;
mod freezes;
mod incidents;
mod integrity;
mod interval;
mod line;
mod measure;
mod notices;
mod numbers;
mod printed;
mod readings;
mod rejections;
mod requires;
mod rollback;
mod standing;
#[cfg(test)]
mod tests;
mod text;
mod weigh;

pub use acceptances::{Acceptances, acceptances};
pub use break_glass::break_glass;
pub use facts::{
    Content, CoverMoment, DecisionFact, DeployedFact, EvidenceFact, ExceptionFact, Facts, Given,
    IncidentFact, PolicyInForce, RecordFact, Replay, RequiredFact, Side, Standing, UnsignedFile,
};

pub use exceptions::{not_expired, waivable};
pub use notices::NOTICE_CODES;
pub use numbers::{AskedNumber, Number, Numbers, numbers};
pub use readings::{Dial, approvals_asked, readings};
pub use weigh::{Weighed, Weight, weigh};

use case::Case;
use decisions::Judged;
use std::collections::BTreeSet;

use crate::model::{
    ArtifactName, Code, ContentDigest, GateName, IncidentId, Label, Name, ObjectId, Principal, Time,
};

/// What `check` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It may go, on this basis.
    Allowed(Basis),
    /// People or reports are awaited.
    Pending,
    /// Something failed.
    Blocked,
}

/// On what an `allowed` rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Every requirement is met.
    Requirements,
    /// Some are waived by an exception in force.
    Exception,
    /// It ran here before (design, section 10).
    Rollback,
}

/// The verdict with all that it rests on, in the order in which it is shown.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The gate.
    pub gate: GateName,
    /// The environment.
    pub environment: Name,
    /// What it says.
    pub outcome: Outcome,
    /// The gate directory's digest, where it stands and is valid.
    pub content: Option<ContentDigest>,
    /// What is asked for, as the policy sees it; nothing where the request cannot be read.
    pub change: Option<ChangeShown>,
    /// The checklist.
    pub requirements: Vec<Requirement>,
    /// Every decision on the gate, counted or not.
    pub decisions: Vec<DecisionShown>,
    /// Exceptions of the gate, in force or not.
    pub exceptions: Vec<ExceptionShown>,
    /// What a reader should know besides.
    pub notices: Vec<Notice>,
    /// The first moment after the time of judging at which it may be another for that alone; nothing: there is none.
    pub turns: Option<Time>,
}

/// The change as the policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeShown {
    /// Declared and inferred.
    pub kinds: BTreeSet<Name>,
    /// The effective risk, by name.
    pub risk: Name,
    /// The request's and the system's.
    pub tags: BTreeSet<Name>,
    /// The request's words.
    pub summary: String,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Which.
    pub id: RequirementId,
    /// How it stands.
    pub status: Status,
    /// The policy rules it comes from.
    pub rules: Vec<Label>,
    /// What was expected, in a few words.
    pub expected: String,
    /// What was found, in a few words.
    pub found: String,
    /// The commits and people behind it.
    pub by: Vec<By>,
    /// What to do next, for one that is open.
    pub next: Option<Next>,
}

/// A commit, and the person behind it where one is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct By {
    /// The commit.
    pub commit: ObjectId,
    /// The person.
    pub principal: Option<Principal>,
}

/// What to do next: who, and the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Who can; empty: whoever works on the gate.
    pub who: Vec<Principal>,
    /// The command, ready to paste, or the mend in words where no command does it.
    pub command: String,
}

/// How a requirement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It is proven.
    Met,
    /// It is awaited.
    Missing,
    /// It was there, and is no longer good.
    Stale,
    /// It is there and bad, or cannot be read.
    Failed,
    /// It is not met, and an exception in force takes its place. Never shown as met.
    Waived,
}

/// A requirement's id, `<kind>:<what>` (design, section 9.8). The order is that of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequirementId {
    /// `gate:recorded`
    GateRecorded,
    /// `gate:open`
    GateOpen,
    /// `integrity:content`
    IntegrityContent,
    /// `integrity:authors`
    IntegrityAuthors,
    /// `integrity:break-glass`
    IntegrityBreakGlass,
    /// `environment:<name>`
    Environment(Name),
    /// `rules:none`
    RulesNone,
    /// `evidence:<kind>`
    Evidence(Name),
    /// `criterion:<name>`
    Criterion(Label),
    /// `approval:<role>`
    Approval(Name),
    /// `artifact:<name>`; nothing: the gate lists none where they are required.
    Artifact(Option<ArtifactName>),
    /// `requires:<gate>`
    Requires(GateName),
    /// `rejection:<principal>`
    Rejection(Principal),
    /// `incident:<id>`
    Incident(IncidentId),
    /// `freeze:<name>`
    Freeze(Label),
}

/// A decision as it is shown.
#[derive(Debug, Clone)]
pub struct DecisionShown {
    /// What was found of it.
    pub fact: DecisionFact,
    /// Why it does not count, with the reason for people; nothing: it counts. A rejection that counts in spite of a defect
    /// has no code here and names the defect in `reason`.
    pub code: Option<Code>,
    /// The reason.
    pub reason: Option<String>,
}

/// An exception as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionShown {
    /// The commit that last changed it.
    pub commit: ObjectId,
    /// Its content.
    pub content: ContentDigest,
    /// What it waives, as written.
    pub waives: BTreeSet<String>,
    /// Until when.
    pub expires: Option<Time>,
    /// Whether it is in force.
    pub in_force: bool,
    /// Why it is not; for one in force, who accepted it.
    pub reason: String,
}

/// Something a reader should know besides the checklist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// A stable code.
    pub code: &'static str,
    /// What.
    pub message: String,
}

/// Judges `facts`: every requirement, every decision, and what follows.
///
/// Total and deterministic: any facts give a verdict, the same facts the same one.
pub fn judge(facts: &Facts) -> Verdict {
    let case = Case::of(facts);
    let mut requirements = checklist(&case);
    let mut notices = notices::of_case(&case);

    let exception = exceptions::judge(&case);
    if let Some(exception) = &exception {
        exception.waive(&mut requirements);
        notices.extend(exception.notices(&requirements));
    }
    let outcome = conclude(&case, &requirements, &mut notices);
    notices.sort();
    notices.dedup();
    Verdict {
        gate: facts.gate.clone(),
        environment: facts.environment.clone(),
        outcome,
        content: case.digest(),
        change: case.change_shown(),
        requirements,
        decisions: case.decisions.iter().map(Judged::shown).collect(),
        exceptions: exception.iter().map(exceptions::Standing::shown).collect(),
        notices,
        turns: case.clock.turns(),
    }
}

/// Section 9.7: every requirement, each judged, in the order of their ids.
fn checklist(case: &Case<'_>) -> Vec<Requirement> {
    let mut requirements = vec![standing::recorded(case)];
    requirements.extend(standing::open(case));
    requirements.extend(integrity::content(case));
    requirements.extend(integrity::authors(case));
    requirements.push(break_glass::requirement(case));
    requirements.extend(standing::environment(case));
    requirements.extend(evidence::requirements(case));
    requirements.extend(criteria::requirements(case));
    requirements.extend(approvals::requirements(case));
    requirements.extend(artifacts::requirements(case));
    requirements.extend(requires::requirements(case));
    requirements.extend(rejections::requirements(case));
    requirements.extend(incidents::requirements(case));
    requirements.extend(freezes::requirements(case));
    requirements.sort_by(|one, other| one.id.cmp(&other.id));
    requirements
}

/// Section 9.8: allowed when all is met, waived or passed over by a rollback; else blocked if anything failed.
fn conclude(case: &Case<'_>, requirements: &[Requirement], notices: &mut Vec<Notice>) -> Outcome {
    let has = |status: Status| requirements.iter().any(|requirement| requirement.status == status);
    let failed = has(Status::Failed);
    if !failed && !has(Status::Missing) && !has(Status::Stale) {
        return Outcome::Allowed(if has(Status::Waived) { Basis::Exception } else { Basis::Requirements });
    }
    if rollback::passes_over(requirements) {
        match rollback::support(case) {
            Ok(record) => {
                let words =
                    format!("record {} of {} supports its return", record.commit.short(), record.time);
                notices.push(case::notice("rollback", words));
                return Outcome::Allowed(Basis::Rollback);
            }
            Err(Some(reason)) => notices.push(case::notice("rollback-refused", reason)),
            Err(None) => {}
        }
    }
    if failed { Outcome::Blocked } else { Outcome::Pending }
}
