//! When and how a gate was decided for an environment: the moment at which another policy is tried on it.
//!
//! The first of these that there is (R12.1): it was deployed there; it was allowed there; it was closed; it was
//! rejected; it was blocked when last something of it was recorded. A gate of which none is true is undecided. History
//! order decides, not dates; each moment is judged by the one evaluator, under the policy of then.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::ledger::{Asked, Record, Undecided, View, mark};
use crate::model::{GateName, Name, ObjectId, Time};
use crate::verdict::{self, Facts, Given, Outcome, RequirementId, Standing, Status, Verdict};

use super::judge::{Case, Judge};

/// How a gate was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decided {
    /// A record that counts logged its deployment.
    Deployed,
    /// It was allowed, and never deployed.
    Allowed,
    /// Somebody closed it.
    Closed,
    /// Somebody rejected it.
    Rejected,
    /// It was blocked by something else when last something of it was recorded.
    Blocked,
}

impl Decided {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Self; 5] = [Self::Deployed, Self::Allowed, Self::Closed, Self::Rejected, Self::Blocked];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Allowed => "allowed",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Blocked => "blocked",
        }
    }
}

/// The moment at which a gate was decided for an environment.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The gate.
    pub gate: GateName,
    /// The environment.
    pub environment: Name,
    /// How.
    pub how: Decided,
    /// The mainline commit that was judged.
    pub commit: ObjectId,
    /// The time of judging.
    pub time: Time,
    /// What the evaluator said, under the policy of then.
    pub then: Outcome,
    /// Whether it ran there: a record that counts logged it, and did not fail.
    pub ran: bool,
    view: View,
    log: Option<ObjectId>,
    given: Given,
}

/// What is found of a gate and an environment.
#[derive(Debug, Clone)]
pub enum Turn {
    /// It was decided.
    Decided(Box<Moment>),
    /// It is not decided yet.
    Undecided,
    /// It cannot be judged again: why.
    LeftOut(&'static str),
}

/// The records that count, by gate and environment, oldest first.
#[derive(Debug, Default)]
pub struct Deployments(BTreeMap<GateName, BTreeMap<Name, Vec<Record>>>);

impl Deployments {
    /// The gates that were deployed somewhere.
    pub fn gates(&self) -> impl Iterator<Item = &GateName> {
        self.0.keys()
    }

    /// The environments in which a gate was deployed.
    pub fn environments(&self, gate: &GateName) -> impl Iterator<Item = &Name> {
        self.0.get(gate).into_iter().flat_map(BTreeMap::keys)
    }

    fn of(&self, gate: &GateName, environment: &Name) -> &[Record] {
        self.0.get(gate).and_then(|places| places.get(environment)).map(Vec::as_slice).unwrap_or_default()
    }
}

const BEFORE_ROOT: &str = "it was opened before the trust root";
const NO_REQUEST: &str = "its request cannot be read";
const NEVER_THERE: &str = "it never stood on the mainline";

impl Judge<'_> {
    /// All records that count, of every environment's log; with `system`, of that one.
    pub fn deployments(&self, system: Option<&Name>) -> Result<Deployments, Undecided> {
        let mut found = Deployments::default();
        let now = self.ledger.now();
        for environment in self.logged_environments()? {
            let (tip, log) = self.log_of(&environment)?;
            let accepted = mark::accepted_log(self.repository, &environment)?;
            let asked = Asked { environment: &environment, system, last: tip, whole: true, accepted };
            for record in self.ledger.records(&log, asked, now)? {
                if record.defect.is_none() {
                    let places = found.0.entry(record.gate.clone()).or_default();
                    places.entry(environment.clone()).or_default().push(Rc::unwrap_or_clone(record));
                }
            }
        }
        Ok(found)
    }

    /// Every gate that stands or stood on the mainline, or was deployed.
    pub fn decided_gates(&self, deployments: &Deployments) -> Result<BTreeSet<GateName>, Undecided> {
        let mut gates = self.ledger.gates_ever(self.ledger.now())?;
        gates.extend(deployments.gates().cloned());
        Ok(gates)
    }

    /// When and how a gate was decided, for each environment that its last request names or where it was deployed.
    pub fn turns(
        &self,
        gate: &GateName,
        deployments: &Deployments,
    ) -> Result<BTreeMap<Option<Name>, Turn>, Undecided> {
        let moments = self.ledger.moments(gate)?;
        let mut environments: BTreeSet<Name> = deployments.environments(gate).cloned().collect();
        // A gate that was removed asks for what it asked for last.
        let mut readable = false;
        for view in [self.ledger.now()].into_iter().chain(moments.iter().rev().copied()) {
            if let Some(requested) = self.ledger.requested_environments(gate, view)? {
                environments.extend(requested);
                readable = true;
                break;
            }
        }
        if environments.is_empty() {
            let why = if readable || moments.is_empty() { NEVER_THERE } else { NO_REQUEST };
            return Ok(BTreeMap::from([(None, Turn::LeftOut(why))]));
        }
        let turn = |environment: Name| {
            let records = deployments.of(gate, &environment);
            let turn = match records.first() {
                Some(first) => self.deployed_then(gate, &environment, first, records),
                None => self.decided_then(gate, &environment, &moments),
            };
            Ok((Some(environment), turn?))
        };
        environments.into_iter().map(turn).collect()
    }

    /// The facts of a moment; `of_now`: under the policy in force now, or the one proposed in its place, as if it had been in
    /// force then.
    pub fn facts_then(&self, moment: &Moment, of_now: bool) -> Result<Facts, Undecided> {
        let view = if of_now { self.ledger.under_policy_of_now(moment.view) } else { moment.view };
        self.facts(&Case {
            gate: &moment.gate,
            environment: &moment.environment,
            given: moment.given.clone(),
            view,
            log: moment.log,
            whole: false,
        })
    }

    fn deployed_then(
        &self,
        gate: &GateName,
        environment: &Name,
        first: &Record,
        records: &[Record],
    ) -> Result<Turn, Undecided> {
        let Some(view) = self.ledger.at(first.judged, first.time) else {
            return Ok(Turn::LeftOut(BEFORE_ROOT));
        };
        let mut moment = Moment {
            gate: gate.clone(),
            environment: environment.clone(),
            how: Decided::Deployed,
            commit: first.judged,
            time: first.time,
            then: Outcome::Pending,
            ran: records.iter().any(|record| !record.failed),
            view,
            log: first.before,
            given: Given::Artifacts(first.artifacts.clone()),
        };
        let facts = self.facts_then(&moment, false)?;
        if let Standing::BeforeRoot = facts.standing {
            return Ok(Turn::LeftOut(BEFORE_ROOT));
        }
        moment.then = verdict::judge(&facts).outcome;
        Ok(Turn::Decided(Box::new(moment)))
    }

    /// The first moment at which it was allowed; else closed; else rejected; else blocked at the last.
    fn decided_then(&self, gate: &GateName, environment: &Name, moments: &[View]) -> Result<Turn, Undecided> {
        let mut found: BTreeMap<Decided, Moment> = BTreeMap::new();
        for view in moments {
            let mut moment = Moment {
                gate: gate.clone(),
                environment: environment.clone(),
                how: Decided::Blocked,
                commit: self.ledger.mainline(*view),
                time: view.time,
                then: Outcome::Pending,
                ran: false,
                view: *view,
                log: self.log_then(environment, *view)?,
                given: Given::NotAsked,
            };
            let facts = self.facts_then(&moment, false)?;
            match facts.standing {
                Standing::BeforeRoot => return Ok(Turn::LeftOut(BEFORE_ROOT)),
                // It was taken away, or is not there yet: that is no decision.
                Standing::Removed(_) | Standing::Absent | Standing::OnBranch(_) => continue,
                Standing::Recorded(_) => {}
            }
            let verdict = verdict::judge(&facts);
            moment.then = verdict.outcome;
            // It is blocked in the end only if it is at the last.
            found.remove(&Decided::Blocked);
            let Some(how) = how(&verdict) else { continue };
            moment.how = how;
            let allowed = how == Decided::Allowed;
            found.entry(how).or_insert(moment);
            if allowed {
                break;
            }
        }
        // The kinds are in the order in which they count.
        Ok(found.into_values().next().map_or(Turn::Undecided, |moment| Turn::Decided(Box::new(moment))))
    }
}

/// What a verdict decides; nothing: people or reports are awaited.
fn how(verdict: &Verdict) -> Option<Decided> {
    let failed = |wanted: fn(&RequirementId) -> bool| {
        verdict.requirements.iter().any(|line| line.status == Status::Failed && wanted(&line.id))
    };
    match verdict.outcome {
        Outcome::Allowed(_) => Some(Decided::Allowed),
        Outcome::Pending => None,
        Outcome::Blocked if failed(|id| *id == RequirementId::GateOpen) => Some(Decided::Closed),
        Outcome::Blocked if failed(|id| matches!(id, RequirementId::Rejection(_))) => Some(Decided::Rejected),
        Outcome::Blocked => Some(Decided::Blocked),
    }
}
