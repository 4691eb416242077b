//! The history of one gate: all that happened to it, in recorded order.
//!
//! Files, exceptions and incidents come from the ledger's timeline, decisions from the verdicts, each with whether it
//! counts, deployments from the logs. Nothing is left out because it does not count (design, section 2.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ledger::{Happening, Undecided, View};
use crate::model::{Code, GateName, Name, ObjectId, Principal, Time};
use crate::verdict::{DecisionShown, RecordFact, Replay};

use super::Question;
use super::judge::{Case, Judge};

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The commit.
    pub commit: ObjectId,
    /// Who, where that is known.
    pub principal: Option<Principal>,
    /// The date that its commit claims.
    pub signed_at: Time,
    /// When it was recorded; nothing: it is not, or in a log.
    pub recorded_at: Option<Time>,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A commit changed files, an exception or an incident; with why its signature does not count, if it does not.
    Changed(Happening),
    /// A decision, with the environments for which it counts.
    Decided(Box<DecisionShown>, BTreeSet<Name>),
    /// A log record.
    Deployed(Box<RecordFact>, Name),
}

impl Event {
    /// Why it does not count; nothing: it does, or the question does not arise.
    pub fn defect(&self) -> Option<(Option<Code>, String)> {
        match self {
            Self::Changed(happening) => happening.defect.clone().map(|(code, reason)| (Some(code), reason)),
            Self::Decided(decision, counts) if counts.is_empty() => {
                Some((decision.code, decision.reason.clone().unwrap_or_default()))
            }
            Self::Decided(..) => None,
            Self::Deployed(record, _) => {
                let replay = match &record.replay {
                    Replay::Allowed { .. } => None,
                    Replay::NotAllowed(open) => {
                        let open: Vec<String> = open.iter().map(ToString::to_string).collect();
                        Some(format!("judged again it was not allowed: {}", open.join(", ")))
                    }
                    Replay::NotReplayable(reason) => Some(reason.clone()),
                };
                record.defect.clone().or(replay).map(|reason| (None, reason))
            }
        }
    }
}

impl Judge<'_> {
    /// All that happened to a gate, asked about these environments, oldest first.
    pub fn history(
        &self,
        gate: &GateName,
        questions: &[(Question, Option<ObjectId>)],
        view: View,
    ) -> Result<Vec<Moment>, Undecided> {
        let mut moments: Vec<((u32, u8, Time), Moment)> = Vec::new();
        for happening in self.ledger().timeline(gate, view)? {
            let key = (happening.order, 0, happening.signed_at);
            moments.push((key, changed(happening)));
        }
        let mut decided: BTreeMap<ObjectId, (DecisionShown, BTreeSet<Name>)> = BTreeMap::new();
        for (question, log) in questions {
            let environment = &question.environment;
            let case = Case {
                gate,
                environment,
                given: question.given.clone(),
                view,
                log: *log,
                whole: self.is_whole(question, view, *log)?,
            };
            let facts = self.facts(&case)?;
            for shown in crate::verdict::judge(&facts).decisions {
                let counts = shown.code.is_none();
                let (known, places) =
                    decided.entry(shown.fact.commit).or_insert_with(|| (shown.clone(), BTreeSet::new()));
                if counts {
                    places.insert(environment.clone());
                    *known = shown;
                }
            }
            for record in facts.records.into_iter().filter(|record| record.gate == *gate) {
                let record = Arc::unwrap_or_clone(record);
                let order = self.ledger().order_of(record.judged).unwrap_or_default();
                moments.push(((order, 2, record.time), deployed(record, environment.clone())));
            }
        }
        for (commit, (shown, places)) in decided {
            let order = self.ledger().order_of(commit).unwrap_or(u32::MAX);
            let key = (order, 1, shown.fact.signed_at);
            let recorded_at = self.ledger().recorded_at(commit, view);
            moments.push((key, decision(shown, places, recorded_at)));
        }
        moments.sort_by(|(one, first), (other, second)| {
            one.cmp(other).then_with(|| first.commit.cmp(&second.commit))
        });
        Ok(moments.into_iter().map(|(_, moment)| moment).collect())
    }
}

fn changed(happening: Happening) -> Moment {
    Moment {
        commit: happening.commit,
        principal: happening.principal.clone(),
        signed_at: happening.signed_at,
        recorded_at: happening.recorded_at,
        event: Event::Changed(happening),
    }
}

fn decision(shown: DecisionShown, places: BTreeSet<Name>, recorded_at: Option<Time>) -> Moment {
    Moment {
        commit: shown.fact.commit,
        principal: shown.fact.principal.clone(),
        signed_at: shown.fact.signed_at,
        recorded_at,
        event: Event::Decided(Box::new(shown), places),
    }
}

fn deployed(record: RecordFact, environment: Name) -> Moment {
    Moment {
        commit: record.commit,
        principal: record.principal.clone(),
        signed_at: record.time,
        recorded_at: None,
        event: Event::Deployed(Box::new(record), environment),
    }
}
