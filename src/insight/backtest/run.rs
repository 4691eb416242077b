//! Tries one gate: its moments, both verdicts at each, the incidents after it, and how long people took.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::insight::decided::{Deployments, Moment, Turn};
use crate::insight::judge::Judge;
use crate::ledger::Undecided;
use crate::model::{GateName, IncidentId, Name, ObjectId, Time};
use crate::verdict::{self, Facts, Verdict, approvals_asked};

use super::{Backtest, Side, Tried};

/// What holds for every gate: the log, the incidents, and the time that is asked about.
#[derive(Debug)]
pub struct Past {
    deployments: Deployments,
    /// Incidents by what they hit, each with the commit that opened it.
    incidents: BTreeMap<(GateName, Name), Vec<(IncidentId, ObjectId)>>,
    /// From when.
    pub since: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
}

impl Past {
    /// Reads it.
    pub fn read(judge: &Judge<'_>, since: Option<Time>, until: Option<Time>) -> Result<Self, Undecided> {
        Ok(Self { since, until, ..Self::of(judge, None)? })
    }

    /// Reads that of one system, at any time.
    pub fn of_system(judge: &Judge<'_>, system: &Name) -> Result<Self, Undecided> {
        Self::of(judge, Some(system))
    }

    fn of(judge: &Judge<'_>, system: Option<&Name>) -> Result<Self, Undecided> {
        let mut incidents: BTreeMap<(GateName, Name), Vec<(IncidentId, ObjectId)>> = BTreeMap::new();
        for fact in judge.ledger().all_incidents(judge.ledger().now())? {
            let key = (fact.incident.gate.clone(), fact.incident.environment.clone());
            incidents.entry(key).or_default().push((fact.id, fact.opened));
        }
        Ok(Self { deployments: judge.deployments(system)?, incidents, since: None, until: None })
    }

    /// The gates that were deployed.
    pub fn deployed(&self) -> impl Iterator<Item = &GateName> {
        self.deployments.gates()
    }

    /// Every gate that there is or was, by system.
    pub fn gates(&self, judge: &Judge<'_>) -> Result<BTreeSet<GateName>, Undecided> {
        judge.decided_gates(&self.deployments)
    }

    /// The ids of all incidents.
    pub fn incidents(&self) -> BTreeSet<IncidentId> {
        self.incidents.values().flatten().map(|(id, _opened)| id.clone()).collect()
    }

    /// The moments of a gate that lie in the time asked about; `left` is told of the others.
    pub fn moments(
        &self,
        judge: &Judge<'_>,
        gate: &GateName,
        left: &mut dyn FnMut(Left<'_>),
    ) -> Result<Vec<Moment>, Undecided> {
        let mut moments = Vec::new();
        for (environment, turn) in judge.turns(gate, &self.deployments)? {
            match turn {
                Turn::Undecided => left(Left::Undecided),
                Turn::LeftOut(why) => left(Left::Out(environment.as_ref(), why)),
                Turn::Decided(moment) if !self.covers(moment.time) => left(Left::OutOfTime),
                Turn::Decided(moment) => moments.push(*moment),
            }
        }
        Ok(moments)
    }

    /// The incidents that a gate led to in an environment: opened by a commit that the judged one does not contain.
    pub fn after(&self, judge: &Judge<'_>, moment: &Moment) -> BTreeSet<IncidentId> {
        let key = (moment.gate.clone(), moment.environment.clone());
        let known = self.incidents.get(&key).into_iter().flatten();
        let after = known.filter(|(_, opened)| !judge.ledger().contains(moment.commit, *opened));
        after.map(|(id, _)| id.clone()).collect()
    }

    fn covers(&self, time: Time) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

/// What is not tried.
#[derive(Debug, Clone, Copy)]
pub enum Left<'a> {
    /// It is not decided yet.
    Undecided,
    /// It was decided at another time than is asked about.
    OutOfTime,
    /// It cannot be judged again: in which environment, and why.
    Out(Option<&'a Name>, &'static str),
}

impl Backtest {
    /// Tries one gate. `proposed` reads the same history, with the proposed policy in the place of that in force.
    pub fn try_gate(
        &mut self,
        past: &Past,
        in_force: &Judge<'_>,
        proposed: &Judge<'_>,
        gate: &GateName,
    ) -> Result<(), Undecided> {
        let moments = past.moments(in_force, gate, &mut |left| match left {
            Left::Undecided => self.undecided += 1,
            Left::OutOfTime => self.out_of_time += 1,
            Left::Out(environment, why) => {
                let name = environment.map_or_else(|| gate.to_string(), |name| format!("{gate} → {name}"));
                self.left_out.entry(why.to_owned()).or_default().insert(name);
            }
        })?;
        let mut tried = Vec::new();
        let mut observed: BTreeSet<ObjectId> = BTreeSet::new();
        for moment in moments {
            let facts = in_force.facts_then(&moment, true)?;
            let mine = Side::of(&facts);
            self.observe(in_force, &mine.verdict, &mut observed)?;
            let theirs = Side::of(&proposed.facts_then(&moment, true)?);
            let incidents = past.after(in_force, &moment);
            tried.push(Tried { moment, in_force: mine, proposed: theirs, incidents });
        }
        self.add(&tried);
        Ok(())
    }

    /// Notes how long each approval that counted took, once.
    fn observe(
        &mut self,
        judge: &Judge<'_>,
        verdict: &Verdict,
        observed: &mut BTreeSet<ObjectId>,
    ) -> Result<(), Undecided> {
        let changes = judge.ledger().content_changes(&verdict.gate, judge.ledger().now())?;
        for shown in &verdict.decisions {
            let fact = &shown.fact;
            let (Some(Verb::Approve), Some(role), None) = (fact.verb, &fact.role, shown.code) else {
                continue;
            };
            let order = judge.ledger().order_of(fact.commit).filter(|_order| observed.insert(fact.commit));
            let changed = changes.iter().rev().find(|change| order.is_some_and(|order| change.order < order));
            if let Some(changed) = changed {
                self.cost.observe(role, fact.since.seconds_since(changed.at));
            }
        }
        Ok(())
    }
}

impl Side {
    /// What the policy of the facts says.
    pub fn of(facts: &Facts) -> Self {
        Self { verdict: verdict::judge(facts), asked: approvals_asked(facts) }
    }
}
