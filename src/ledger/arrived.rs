//! Decisions and log records that a push brings, and why one of them can never count.
//!
//! What restricts is never among them: a rejection, close or withdrawal that takes effect counts, whatever is wrong with it.
//! What only the policy stands against may count once another is in force; where a branch proposes such a policy, it is let
//! pass (design, section 13).

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::{self, Decision, Reading, Target, Verb};
use crate::model::{Code, ContentDigest, GateName, Name, ObjectId};
use crate::policy::Policy;
use crate::verdict::DecisionFact;

use super::history::{About, Index};
use super::shape::Shape;
use super::walk::{Entry, Says};
use super::{Ledger, Undecided, View, policies};

/// A policy that a branch proposes.
#[derive(Debug)]
pub(crate) struct Proposal {
    digest: ContentDigest,
    policy: Policy,
}

/// Why something does not count, for programs and for people.
type Defect = (Code, String);

/// A decision that cannot count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uncounted {
    pub(crate) commit: ObjectId,
    /// What it would be, for people.
    pub(crate) what: String,
    pub(crate) code: Code,
    pub(crate) reason: String,
}

/// A new commit of a deployment log, and why it does not count, if it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArrivedEntry {
    pub(crate) commit: ObjectId,
    pub(crate) defect: Option<(&'static str, String)>,
}

impl Ledger {
    /// The policy that a branch holds at its tip, where it reads and may still come into force.
    pub(crate) fn proposal(&self, tip: ObjectId) -> Result<Option<Proposal>, Undecided> {
        let tree = self.repository.tree_of(tip)?;
        let Some(directory) = self.trees.directory(tree, &["policy"])? else { return Ok(None) };
        let Some(digest) = directory.digest else { return Ok(None) };
        let in_force = self.policy(self.now()).policy;
        // What has been in force, and what was passed over, never comes back.
        let may_come = |policy: &Policy| policy.id == in_force.id && policy.serial > in_force.serial;
        let policy = policies::parse(&self.trees, &directory)?.ok().filter(may_come);
        Ok(policy.map(|policy| Proposal { digest, policy }))
    }

    /// Which of the commits at `places` are decisions that cannot count, `recorded` being the mainline's view.
    pub(crate) fn uncounted(
        &self,
        places: &[Index],
        proposals: &[Proposal],
        recorded: View,
    ) -> Result<Vec<Uncounted>, Undecided> {
        let mut of_gates: BTreeMap<&GateName, BTreeSet<Index>> = BTreeMap::new();
        let mut found: BTreeMap<Index, Uncounted> = BTreeMap::new();
        for at in places {
            let commit = self.history.commit(*at);
            let defect = match &commit.about {
                About::Gate(gate) => {
                    of_gates.entry(gate).or_default().insert(*at);
                    None
                }
                About::Policy => self.ballot_defect(*at, proposals)?.map(|defect| ("policy".into(), defect)),
                About::Nothing | About::Log(None) => self.malformed(commit.id)?,
                // Whether a record counts is told by its log.
                About::Log(Some(_)) => None,
            };
            if let Some((what, (code, reason))) = defect {
                found.insert(*at, Uncounted { commit: commit.id, what, code, reason });
            }
        }
        for (gate, places) in of_gates {
            self.uncounted_on(gate, &places, proposals, recorded, &mut found)?;
        }
        Ok(found.into_values().collect())
    }

    fn malformed(&self, commit: ObjectId) -> Result<Option<(String, Defect)>, Undecided> {
        let signed = self.signing.signed(commit)?;
        Ok(match decision::parse_message(&signed.message) {
            Reading::Malformed(malformed) => {
                let what =
                    malformed.target.map_or_else(|| "something".to_owned(), |target| target.to_string());
                Some((what, (Code::Malformed, malformed.reason)))
            }
            Reading::None { .. } | Reading::Decision { .. } => None,
        })
    }

    fn uncounted_on(
        &self,
        gate: &GateName,
        places: &BTreeSet<Index>,
        proposals: &[Proposal],
        recorded: View,
        found: &mut BTreeMap<Index, Uncounted>,
    ) -> Result<(), Undecided> {
        let view = self.now();
        let authors = self.gate_authors(gate, view)?;
        let facts = self.decisions(gate, view, &BTreeMap::new(), &authors)?;
        for fact in &facts {
            let Some(at) = self.history.find(fact.commit).filter(|at| places.contains(at)) else { continue };
            if fact.restricts {
                continue;
            }
            let mut defects = fact.defects.clone();
            let first = fact.duplicate_of.and_then(|first| facts.get(first));
            // A copy that arrives before what it is a copy of must not keep that out.
            if !first.is_some_and(|first| self.is_recorded(first.commit, recorded)) {
                defects.remove(&Code::Duplicate);
            }
            let approves = matches!(fact.verb, Some(Verb::Approve | Verb::AcceptRisk));
            if let Some(author) = fact.principal.as_ref().filter(|who| approves && authors.contains(*who)) {
                let reason = format!("{author} is an author of this gate");
                defects.insert(Code::SelfApproval, reason);
            }
            let Some((code, reason)) = defects.first_key_value() else { continue };
            if self.another_policy_would_do(gate, at, &defects, proposals)? {
                continue;
            }
            let what = what(fact, gate);
            let reason = reason.clone();
            found.insert(at, Uncounted { commit: fact.commit, what, code: *code, reason });
        }
        Ok(())
    }

    /// Whether a policy that a branch proposes would leave none of these defects.
    fn another_policy_would_do(
        &self,
        gate: &GateName,
        at: Index,
        defects: &BTreeMap<Code, String>,
        proposals: &[Proposal],
    ) -> Result<bool, Undecided> {
        if !defects.keys().all(|code| rests_on_policy(*code)) {
            return Ok(false);
        }
        for proposal in proposals {
            let authors = self.gate_authors(gate, self.now())?;
            let fact = self.decision(gate, at, self.now(), &authors, Some(&proposal.policy))?;
            if fact.defects.keys().all(|code| *code == Code::StalePolicy)
                && (!fact.defects.contains_key(&Code::StalePolicy) || self.saw(at, proposals)?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a decision names one of the proposed policies as the one in force.
    fn saw(&self, at: Index, proposals: &[Proposal]) -> Result<bool, Undecided> {
        let signed = self.signing.signed(self.id_at(at))?;
        let seen = Shape::of_message(&signed.message).seen();
        Ok(seen.is_some_and(|seen| proposals.iter().any(|proposal| proposal.digest == seen.policy)))
    }

    fn is_recorded(&self, commit: ObjectId, view: View) -> bool {
        self.history.find(commit).is_some_and(|at| self.history.commit(at).link <= view.link)
    }

    /// Why a decision on the policy cannot count, if it cannot: under the policy before it was recorded and under every one
    /// since.
    fn ballot_defect(&self, at: Index, proposals: &[Proposal]) -> Result<Option<Defect>, Undecided> {
        let link = self.history.commit(at).link;
        let before = self.chronicle.epoch_at(link.saturating_sub(1)).link;
        let mut first = None;
        for epoch in self.chronicle.epochs.iter().filter(|epoch| epoch.link >= before) {
            let by_then = link.max(epoch.link);
            let tally = self.chronicle.tally(self.sources(), epoch, by_then, &BTreeSet::from([at]))?;
            let Some(ballot) = tally.ballots.into_iter().next() else { return Ok(None) };
            if ballot.takes_back || ballot.defects.is_empty() {
                return Ok(None);
            }
            let stale = ballot.defects.contains_key(&Code::StalePolicy);
            if stale && self.saw(at, proposals)? {
                return Ok(None);
            }
            let defect = ballot.defects.into_iter().next();
            // That it is stale under a later policy says less than what is wrong under its own.
            if first.is_none() || !stale {
                first = defect;
            }
        }
        Ok(first)
    }

    /// The rejections and closes of a gate that `old` reaches, the mainline does not, and `new` does not either: those that
    /// a push would take away. With whether all commits there were searched.
    pub(crate) fn dropped_rejections(
        &self,
        gate: &GateName,
        old: ObjectId,
        new: Option<ObjectId>,
        recorded: View,
    ) -> Result<(Vec<ObjectId>, bool), Undecided> {
        let kept = |commit: ObjectId| match (
            self.history.find(commit),
            new.and_then(|new| self.history.find(new)),
        ) {
            (Some(at), Some(tip)) => {
                at == tip || !self.history.ancestors_among(tip, &BTreeSet::from([at])).is_empty()
            }
            (_, _) => false,
        };
        if kept(old) {
            return Ok((Vec::new(), true));
        }
        let (mut dropped, searched) = self.rejections_from(gate, old, |link| link <= recorded.link)?;
        dropped.retain(|rejection| !kept(*rejection));
        Ok((dropped, searched))
    }

    /// What a log says behind `old`, each commit with why it does not count.
    pub(crate) fn arrived_entries(
        &self,
        environment: &Name,
        old: Option<ObjectId>,
        new: ObjectId,
        view: View,
    ) -> Result<Vec<ArrivedEntry>, Undecided> {
        let log = self.read_log(environment, Some(new))?;
        let known = &self.read_log(environment, old)?.ids;
        let mut chain = BTreeSet::new();
        let mut at = Some(new);
        while let Some(id) = at.filter(|id| log.ids.contains(id) && chain.insert(*id)) {
            at = self.signing.signed(id)?.parents.first().copied();
        }
        let mut arrived = Vec::new();
        for (place, entry) in log.entries.iter().enumerate() {
            if known.contains(&entry.id) {
                continue;
            }
            let before = log.entries.get(..place).unwrap_or_default();
            let defect = if chain.contains(&entry.id) {
                self.entry_defect(environment, entry, before, view)?
            } else {
                Some(("log-forked", "it stands beside the chain of first parents".to_owned()))
            };
            arrived.push(ArrivedEntry { commit: entry.id, defect });
        }
        Ok(arrived)
    }

    fn entry_defect(
        &self,
        environment: &Name,
        entry: &Entry,
        before: &[Entry],
        view: View,
    ) -> Result<Option<(&'static str, String)>, Undecided> {
        Ok(match &entry.says {
            None => {
                let signed = self.signing.signed(entry.id)?;
                let reason = match decision::parse_message(&signed.message) {
                    Reading::Malformed(malformed) => malformed.reason,
                    Reading::None { .. } => "it is no record of a deployment".to_owned(),
                    Reading::Decision { .. } => format!("it is no record of `{environment}`"),
                };
                Some(("log-no-record", reason))
            }
            Some(Says::Deployed(gate, deploy)) => {
                let record = self.record(environment, entry, gate, deploy, before, view)?;
                let code = if record.out_of_chain { "log-out-of-chain" } else { "log-not-counted" };
                record.defect.map(|reason| (code, reason))
            }
            Some(Says::Failed(failed)) => {
                let last = before.iter().rev().find(|entry| matches!(entry.says, Some(Says::Deployed(..))));
                let signer = self.deployer(environment, entry, view)?;
                match (signer.defect, last) {
                    (Some((code, reason)), _) => Some(("log-not-counted", format!("{code}: {reason}"))),
                    (None, Some(last)) if last.id == *failed => None,
                    (None, _) => {
                        let reason = format!("{failed} is not the last record before it");
                        Some(("log-not-counted", reason))
                    }
                }
            }
        })
    }

    /// The log commits among `places`, with the environment that each names.
    pub(crate) fn log_commits_among(&self, places: &[Index]) -> Vec<(ObjectId, Name)> {
        let mut found = Vec::new();
        for at in places {
            let commit = self.history.commit(*at);
            if let About::Log(Some(message)) = &commit.about
                && let Some(decision) = Shape::of_message(message).decision
                && let Some(environment) = environment_of(&decision)
            {
                found.push((commit.id, environment));
            }
        }
        found
    }
}

/// Whether another policy could take a defect away.
fn rests_on_policy(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownKey
            | Code::KeyNotValid
            | Code::KeyNotHardware
            | Code::NoVerification
            | Code::BotInRole
            | Code::NotInRole
            | Code::StalePolicy
    )
}

fn what(fact: &DecisionFact, gate: &GateName) -> String {
    match fact.verb {
        Some(verb) => format!("`{verb}` of {gate}"),
        None => Target::Gate(gate.clone()).to_string(),
    }
}

fn environment_of(decision: &Decision) -> Option<Name> {
    use crate::decision::Action;
    match &decision.action {
        Action::Deploy(deploy) => Some(deploy.environment.clone()),
        Action::DeployFailed { environment, .. } => Some(environment.clone()),
        Action::Approve { .. }
        | Action::Reject { .. }
        | Action::Withdraw
        | Action::Close
        | Action::AcceptRisk { .. } => None,
    }
}
