//! Many gates at a glance: how each stands, what it waits for, on whom, and since when.
//!
//! Each verdict is that of the one evaluator. A gate whose branch holds more than the mainline is judged as `show`
//! judges it: as if that branch were merged now; that it is not is then one of the things that it waits for.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Undecided, View};
use crate::model::{ContentDigest, GateName, Name, Principal, Time};
use crate::policy::Policy;
use crate::verdict::{
    self, Acceptances, ChangeShown, Facts, Outcome, Requirement, RequirementId, Standing, Status, Verdict,
};

use super::Question;
use super::judge::{Case, Judge};

/// One gate at a glance.
#[derive(Debug, Clone)]
pub struct GateLine {
    /// The gate.
    pub gate: GateName,
    /// Whether its branch holds what the mainline does not: then it is judged as if that were merged.
    pub unmerged: bool,
    /// What could not be judged, and why; then nothing below is known.
    pub problem: Option<String>,
    /// What is asked for.
    pub change: Option<ChangeShown>,
    /// Its content digest.
    pub content: Option<ContentDigest>,
    /// The date of the commit that opened it.
    pub opened: Option<Time>,
    /// The date of the last change of its directory: what it waits for, it waits for since then.
    pub since: Option<Time>,
    /// Its authors, and who decided on it.
    pub people: BTreeSet<Principal>,
    /// How it stands in each environment.
    pub environments: Vec<EnvironmentLine>,
    /// What it waits for.
    pub waits: Vec<Wait>,
    /// Its exception and its covers that await acceptances, with the environments that each is for.
    pub acceptances: Vec<(Acceptances, BTreeSet<Name>)>,
}

/// How a gate stands in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentLine {
    /// The environment.
    pub environment: Name,
    /// The verdict.
    pub outcome: Outcome,
    /// What is open.
    pub open: Vec<(RequirementId, Status)>,
}

/// Something that a gate waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The requirement.
    pub requirement: RequirementId,
    /// In which environments.
    pub environments: BTreeSet<Name>,
    /// On whom; empty: on nobody in particular.
    pub who: BTreeSet<Principal>,
    /// What they run, or the mend in words.
    pub command: String,
}

impl GateLine {
    /// A gate that could not be judged.
    pub fn unjudged(gate: GateName, problem: String) -> Self {
        Self {
            gate,
            unmerged: true,
            problem: Some(problem),
            change: None,
            content: None,
            opened: None,
            since: None,
            people: BTreeSet::new(),
            environments: Vec::new(),
            waits: Vec::new(),
            acceptances: Vec::new(),
        }
    }

    /// The worst of its verdicts: blocked before pending before allowed; nothing: it could not be judged.
    pub fn worst(&self) -> Option<Outcome> {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Allowed(_) => 0,
            Outcome::Pending => 1,
            Outcome::Blocked => 2,
        };
        self.environments.iter().map(|line| line.outcome).max_by_key(rank)
    }

    /// Whether it is anything of this person's: written, decided or awaited.
    pub fn concerns(&self, person: &Principal) -> bool {
        let accepts =
            |(asked, _): &(Acceptances, BTreeSet<Name>)| asked.roles.values().any(|who| who.contains(person));
        self.people.contains(person)
            || self.waits.iter().any(|wait| wait.who.contains(person))
            || self.acceptances.iter().any(accepts)
    }
}

impl Judge<'_> {
    /// A gate at a glance, in these environments, as of the ledger's tip.
    pub fn overview(
        &self,
        gate: &GateName,
        environments: &BTreeSet<Name>,
        unmerged: bool,
    ) -> Result<GateLine, Undecided> {
        let view = self.ledger().now();
        let mut line =
            GateLine { unmerged, problem: None, ..GateLine::unjudged(gate.clone(), String::new()) };
        let mut waits: BTreeMap<(RequirementId, String), Wait> = BTreeMap::new();
        for environment in environments {
            let log = self.log_tip(environment)?;
            let question = Question {
                gate: gate.clone(),
                environment: environment.clone(),
                given: verdict::Given::NotAsked,
                originals: super::Originals::new(),
            };
            let case = Case {
                gate,
                environment,
                given: question.given.clone(),
                view,
                log,
                whole: self.is_whole(&question, view, log)?,
            };
            let facts = self.facts(&case)?;
            let verdict = verdict::judge(&facts);
            line.add(&facts, &verdict, &mut waits);
        }
        if unmerged && line.environments.iter().all(|line| matches!(line.outcome, Outcome::Allowed(_))) {
            let wait = self.merge_wait(gate, environments, &line, view);
            waits.insert((wait.requirement.clone(), wait.command.clone()), wait);
        }
        line.waits = waits.into_values().collect();
        if let Some((first, last)) = self.ledger().first_and_last_change(gate, view)? {
            line.opened = Some(first.signed_at);
            line.since = Some(last.signed_at);
        }
        Ok(line)
    }

    /// Lets go of what was worked out of gates so far: who asks about thousands does so one system at a time.
    pub fn forget_gates(&self) {
        self.ledger().forget_gates();
        self.forget_records();
        self.alike.borrow_mut().clear();
        self.many_moments.set(true);
    }

    /// All that is left is to record it.
    fn merge_wait(
        &self,
        gate: &GateName,
        environments: &BTreeSet<Name>,
        line: &GateLine,
        view: View,
    ) -> Wait {
        let policy = self.ledger().policy(view).policy;
        let who = match &policy.mainline_signed_by {
            Some(roles) => roles.iter().flat_map(|role| policy.role_holders(role)).cloned().collect(),
            None => people(&policy, &line.people),
        };
        Wait {
            requirement: RequirementId::GateRecorded,
            environments: environments.clone(),
            who,
            command: format!("git gate merge {gate}"),
        }
    }
}

impl GateLine {
    pub(super) fn add(
        &mut self,
        facts: &Facts,
        verdict: &Verdict,
        waits: &mut BTreeMap<(RequirementId, String), Wait>,
    ) {
        let authors = match &facts.standing {
            Standing::Recorded(content) => content.authors.clone(),
            Standing::OnBranch(_) | Standing::Absent | Standing::Removed(_) | Standing::BeforeRoot => {
                BTreeSet::new()
            }
        };
        self.people.extend(authors.iter().cloned());
        self.people.extend(verdict.decisions.iter().filter_map(|shown| shown.fact.principal.clone()));
        self.change.clone_from(&verdict.change);
        self.content = verdict.content;
        let open: Vec<&Requirement> =
            verdict.requirements.iter().filter(|line| is_open(line.status)).collect();
        self.environments.push(EnvironmentLine {
            environment: verdict.environment.clone(),
            outcome: verdict.outcome,
            open: open.iter().map(|line| (line.id.clone(), line.status)).collect(),
        });
        // What runs on a rollback, or is closed for good, waits for nothing; a debt stays one.
        let closed = open.iter().any(|line| line.id == RequirementId::GateOpen);
        let done = closed || matches!(verdict.outcome, Outcome::Allowed(_));
        self.accept(facts, done);
        if done {
            return;
        }
        // What changes the content makes an approval stale: none is waited for before that is done.
        let unfinished = open.iter().any(|line| changes_content(&line.id));
        for line in open {
            if unfinished && matches!(line.id, RequirementId::Approval(_)) {
                continue;
            }
            let Some(next) = &line.next else { continue };
            let named: BTreeSet<Principal> = next.who.iter().cloned().collect();
            let who = if named.is_empty() && is_for_authors(&line.id) {
                people(&facts.policy.policy, &authors)
            } else {
                named
            };
            let key = (line.id.clone(), next.command.clone());
            let wait = waits.entry(key).or_insert_with(|| Wait {
                requirement: line.id.clone(),
                environments: BTreeSet::new(),
                who: BTreeSet::new(),
                command: next.command.clone(),
            });
            wait.environments.insert(verdict.environment.clone());
            wait.who.extend(who);
        }
    }

    fn accept(&mut self, facts: &Facts, done: bool) {
        for asked in verdict::acceptances(facts) {
            if done && asked.record.is_none() {
                continue;
            }
            match self.acceptances.iter_mut().find(|(known, _)| *known == asked) {
                Some((_, environments)) => drop(environments.insert(facts.environment.clone())),
                None => self.acceptances.push((asked, BTreeSet::from([facts.environment.clone()]))),
            }
        }
    }
}

fn people(policy: &Policy, all: &BTreeSet<Principal>) -> BTreeSet<Principal> {
    all.iter().filter(|who| !policy.is_bot(who)).cloned().collect()
}

fn is_open(status: Status) -> bool {
    match status {
        Status::Missing | Status::Stale | Status::Failed => true,
        Status::Met | Status::Waived => false,
    }
}

/// Whether meeting a requirement changes the gate's content, or waits for whoever rejected it.
fn changes_content(id: &RequirementId) -> bool {
    match id {
        RequirementId::IntegrityContent
        | RequirementId::IntegrityAuthors
        | RequirementId::Environment(_)
        | RequirementId::Evidence(_)
        | RequirementId::Criterion(_)
        | RequirementId::Artifact(_)
        | RequirementId::Rejection(_) => true,
        RequirementId::GateRecorded
        | RequirementId::GateOpen
        | RequirementId::IntegrityBreakGlass
        | RequirementId::RulesNone
        | RequirementId::Approval(_)
        | RequirementId::Requires(_)
        | RequirementId::Incident(_)
        | RequirementId::Freeze(_) => false,
    }
}

/// Whether it is the authors who mend what is open, where the requirement itself names nobody.
fn is_for_authors(id: &RequirementId) -> bool {
    match id {
        RequirementId::GateRecorded
        | RequirementId::IntegrityContent
        | RequirementId::IntegrityAuthors
        | RequirementId::Environment(_)
        | RequirementId::Evidence(_)
        | RequirementId::Criterion(_)
        | RequirementId::Artifact(_)
        | RequirementId::Requires(_) => true,
        RequirementId::GateOpen
        | RequirementId::IntegrityBreakGlass
        | RequirementId::RulesNone
        | RequirementId::Approval(_)
        | RequirementId::Rejection(_)
        | RequirementId::Incident(_)
        | RequirementId::Freeze(_) => false,
    }
}
