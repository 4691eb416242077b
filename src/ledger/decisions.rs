//! Decisions on one gate, as recording judges them.
//!
//! Under the policy in force at the end of the step that recorded each; only `[[revoked]]` of today takes back what a key
//! signed (design, sections 8 and 9.5). What a checklist makes of them is not settled here.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::{Action, Target, Verb};
use crate::model::{Code, ContentDigest, GateName, IncidentId, Name, ObjectId, Principal};
use crate::policy::Policy;
use crate::verdict::DecisionFact;

use super::history::{Commit, Index};
use super::shape::{Shape, words};
use super::signing::Signer;
use super::{Ledger, Undecided, View};

/// How many commits of a branch are looked at for decisions that nobody has recorded: a bound on a hostile branch.
const MOST_UNRECORDED: usize = 10_000;

impl Ledger {
    /// Every decision on the gate that a view holds, in recorded order. `incidents` are those whose opening commits
    /// matter; `authors` are the gate's, who may close it.
    pub(crate) fn decisions(
        &self,
        gate: &GateName,
        view: View,
        incidents: &BTreeMap<IncidentId, ObjectId>,
        authors: &BTreeSet<Principal>,
    ) -> Result<Vec<DecisionFact>, Undecided> {
        let mut places = Vec::new();
        for at in self.decisions_on(gate).iter() {
            if self.history.commit(*at).link <= view.link
                || (view.later_withdrawals && self.is_withdrawal(*at)?)
            {
                places.push(*at);
            }
        }
        let opened: BTreeSet<(Index, &IncidentId)> =
            incidents.iter().filter_map(|(id, commit)| Some((self.history.find(*commit)?, id))).collect();
        let mut facts = Vec::with_capacity(places.len());
        for at in &places {
            facts.push(self.decision(gate, *at, view, authors, None)?);
        }
        self.relate(&places, &opened, &mut facts);
        self.find_duplicates(&mut facts)?;
        Ok(facts)
    }

    /// Fills in which decisions of the same signer, and which openings of incidents, are ancestors of each. What nobody
    /// signed has no effect on others, and costs no walk.
    fn relate(&self, places: &[Index], opened: &BTreeSet<(Index, &IncidentId)>, facts: &mut [DecisionFact]) {
        let mut of_signer: BTreeMap<Principal, BTreeSet<Index>> = BTreeMap::new();
        for (at, fact) in places.iter().zip(facts.iter()) {
            if let Some(principal) = &fact.principal {
                of_signer.entry(principal.clone()).or_default().insert(*at);
            }
        }
        for (at, fact) in places.iter().zip(facts.iter_mut()) {
            let Some(own) = fact.principal.as_ref().and_then(|principal| of_signer.get(principal)) else {
                continue;
            };
            let wanted = own.iter().copied().chain(opened.iter().map(|(opening, _)| *opening)).collect();
            let ancestors = self.history.ancestors_among(*at, &wanted);
            fact.ancestors = (0..places.len())
                .filter(|place| {
                    places.get(*place).is_some_and(|at| own.contains(at) && ancestors.contains(at))
                })
                .collect();
            fact.after_incidents = opened
                .iter()
                .filter(|(opening, _)| ancestors.contains(opening))
                .map(|(_, id)| (*id).clone())
                .collect();
        }
    }

    /// Marks the copies: the same payload and key again, whatever was added around it. The first is the first that reads
    /// as a commit, where one does: a copy that counts for nothing must not stand in the way of what it is a copy of.
    fn find_duplicates(&self, facts: &mut [DecisionFact]) -> Result<(), Undecided> {
        let mut copies: BTreeMap<(ContentDigest, String), Vec<(bool, usize)>> = BTreeMap::new();
        for (index, fact) in facts.iter().enumerate() {
            let signed = self.signing.signed(fact.commit)?;
            if let Some(identity) = signed.identity() {
                copies.entry(identity).or_default().push((signed.malformed.is_some(), index));
            }
        }
        for places in copies.into_values() {
            let Some((_, first)) = places.iter().min().copied() else { continue };
            for (_, index) in places.into_iter().filter(|(_, index)| *index != first) {
                if let Some(fact) = facts.get_mut(index) {
                    fact.duplicate_of = Some(first);
                    fact.defects
                        .insert(Code::Duplicate, "the same payload and key were recorded before".into());
                }
            }
        }
        Ok(())
    }

    /// Whether withdrawals on the gate were recorded after a view.
    pub(crate) fn has_later_withdrawals(&self, gate: &GateName, view: View) -> Result<bool, Undecided> {
        for at in self.decisions_on(gate).iter() {
            if self.history.commit(*at).link > view.link && self.is_withdrawal(*at)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Rejections and closes of the gate on the mainline by somebody whom the policy knows, whether they count or not.
    pub(crate) fn recorded_rejections(&self, gate: &GateName) -> Result<BTreeSet<ObjectId>, Undecided> {
        let mut found = BTreeSet::new();
        let policy = self.policy(self.now()).policy;
        for at in self.decisions_on(gate).iter() {
            let id = self.history.commit(*at).id;
            let signed = self.signing.signed(id)?;
            let verb = Shape::of_message(&signed.message).verb;
            if matches!(verb, Some(Verb::Reject | Verb::Close))
                && signed.signer(&policy, &[signed.date]).owner.is_some()
            {
                found.insert(id);
            }
        }
        Ok(found)
    }

    /// Rejections and closes of the gate between `tip` and what the mainline holds, whoever made them; and whether all
    /// commits there were searched.
    pub(crate) fn unrecorded_rejections(
        &self,
        gate: &GateName,
        tip: ObjectId,
    ) -> Result<(Vec<ObjectId>, bool), Undecided> {
        self.rejections_from(gate, tip, |_link| true)
    }

    /// The same down to commits that links for which `recorded` holds brought in.
    pub(super) fn rejections_from(
        &self,
        gate: &GateName,
        tip: ObjectId,
        recorded: impl Fn(u32) -> bool,
    ) -> Result<(Vec<ObjectId>, bool), Undecided> {
        let policy = self.policy(self.now()).policy;
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![tip];
        while let Some(id) = open.pop() {
            let link = self.history.find(id).map(|at| self.history.commit(at).link);
            if link.is_some_and(&recorded) || !seen.insert(id) {
                continue;
            }
            if seen.len() > MOST_UNRECORDED {
                return Ok((found.into_iter().collect(), false));
            }
            let signed = self.signing.signed(id)?;
            let shape = Shape::of_message(&signed.message);
            let forbids = shape.target == Some(Target::Gate(gate.clone()))
                && matches!(shape.verb, Some(Verb::Reject | Verb::Close));
            if forbids && signed.signer(&policy, &[signed.date]).owner.is_some() {
                found.insert(id);
            }
            open.extend(&signed.parents);
        }
        Ok((found.into_iter().collect(), true))
    }

    pub(super) fn is_withdrawal(&self, at: Index) -> Result<bool, Undecided> {
        let signed = self.signing.signed(self.history.commit(at).id)?;
        Ok(Shape::of_message(&signed.message).verb == Some(Verb::Withdraw))
    }

    /// One decision, judged under the policy in force where it is recorded, or under another one.
    pub(super) fn decision(
        &self,
        gate: &GateName,
        at: Index,
        view: View,
        authors: &BTreeSet<Principal>,
        under: Option<&Policy>,
    ) -> Result<DecisionFact, Undecided> {
        let commit = self.history.commit(at);
        let last = if commit.link > view.link { self.now().step } else { view.step };
        let (step, in_force, recorded) = self.recording(commit.link, last);
        let policy = under.unwrap_or(in_force);
        let signed = self.signing.signed(commit.id)?;
        let mut signer = signed.signer(policy, &[recorded, commit.date]);
        self.revocations.apply(&signed, step, &mut signer);
        let mut shape = Shape::read(&self.history, &signed);
        let restricts = restricts(policy, &shape, &signer, authors);
        judge_actor(policy, &mut shape, &mut signer, authors);
        let own_gate = self.gate_digest(commit, gate)?;
        let own = match (shape.verb, shape.record()) {
            (Some(Verb::AcceptRisk), record) => self.exception_digest(commit, gate, record)?,
            _ => own_gate,
        };
        self.judge_seen(&mut shape, own, step.unwrap_or(commit.link));
        let content = match shape.verb {
            Some(Verb::Reject) => own,
            _ => shape.seen().map(|seen| seen.content),
        };
        let mut defects = shape.defects.clone();
        defects.extend(signer.defects);
        Ok(DecisionFact {
            commit: commit.id,
            verb: shape.verb,
            principal: signer.owner,
            key: signer.key,
            role: shape.role.clone(),
            environments: environments(&shape),
            content,
            reason: reason(policy, &shape),
            words: words(&signed.message),
            record: shape.record(),
            gate_content: (shape.verb == Some(Verb::AcceptRisk)).then_some(own_gate).flatten(),
            signed_at: commit.date,
            recorded_at: step.map(|_| recorded),
            since: recorded.min(commit.date),
            defects,
            duplicate_of: None,
            restricts,
            ancestors: BTreeSet::new(),
            after_incidents: BTreeSet::new(),
        })
    }

    /// Whether the signer had before them what they say.
    fn judge_seen(&self, shape: &mut Shape, own: Option<ContentDigest>, step: u32) {
        let Some(seen) = shape.seen() else { return };
        if own != Some(seen.content) {
            let found =
                own.map_or_else(|| "there is none that is valid".to_owned(), |own| format!("that is {own}"));
            shape.defects.insert(
                Code::ContentMismatch,
                format!("`Gate-Content` is not the digest of what stands in its own tree: {found}"),
            );
        }
        if !self.chronicle.was_in_force(seen.policy, step) {
            shape.defects.insert(
                Code::StalePolicy,
                format!("`Gate-Policy` {} was not in force when it was recorded, nor before", seen.policy),
            );
        }
    }

    fn gate_digest(&self, commit: &Commit, gate: &GateName) -> Result<Option<ContentDigest>, Undecided> {
        let path = ["gates", gate.system.as_str(), gate.version.as_str()];
        Ok(self.trees.directory(commit.tree, &path)?.and_then(|directory| directory.digest))
    }

    fn exception_digest(
        &self,
        commit: &Commit,
        gate: &GateName,
        record: Option<ObjectId>,
    ) -> Result<Option<ContentDigest>, Undecided> {
        let path = ["exceptions", gate.system.as_str(), gate.version.as_str()];
        let directory = match record {
            None => self.trees.directory_without_covers(commit.tree, &path)?,
            Some(record) => {
                let record = record.to_string();
                let path: Vec<&str> = path.into_iter().chain(["covers", record.as_str()]).collect();
                self.trees.directory(commit.tree, &path)?
            }
        };
        Ok(directory.and_then(|directory| directory.digest))
    }
}

/// Whether the signer may do this at all.
fn judge_actor(policy: &Policy, shape: &mut Shape, signer: &mut Signer, authors: &BTreeSet<Principal>) {
    let is_bot = signer.owner.as_ref().is_some_and(|owner| policy.bots.contains(owner));
    let bot_may = matches!(shape.verb, Some(Verb::Reject | Verb::Withdraw) | None);
    if is_bot && !bot_may {
        shape.defects.insert(Code::BotInRole, "a bot may only reject, and withdraw that".into());
    }
    match (shape.verb, &shape.role) {
        (Some(Verb::Approve | Verb::Reject | Verb::AcceptRisk), Some(role)) => {
            signer.act_in(policy, role);
        }
        (Some(Verb::Close), _) => {
            let author = signer.owner.as_ref().is_some_and(|owner| authors.contains(owner));
            if !author && !signer.holds_any_role(policy) && signer.owner.is_some() {
                shape
                    .defects
                    .insert(Code::NotInRole, "closing takes a role, or being an author of the gate".into());
            }
        }
        (Some(_) | None, _) => {}
    }
}

/// Whether a decision restricts whatever its defects (design, section 8).
fn restricts(policy: &Policy, shape: &Shape, signer: &Signer, authors: &BTreeSet<Principal>) -> bool {
    let Some(owner) = signer.owner.as_ref().filter(|_| !signer.restricts_nothing) else { return false };
    match (shape.verb, &shape.role) {
        (Some(Verb::Reject), Some(role)) => policy.holds(owner, role),
        (Some(Verb::Close), _) => {
            !policy.bots.contains(owner) && (signer.holds_any_role(policy) || authors.contains(owner))
        }
        (Some(Verb::Withdraw), _) => true,
        (
            Some(Verb::Reject | Verb::Approve | Verb::AcceptRisk | Verb::Deploy | Verb::DeployFailed) | None,
            _,
        ) => false,
    }
}

fn environments(shape: &Shape) -> BTreeSet<Name> {
    match shape.decision.as_ref().map(|decision| &decision.action) {
        Some(Action::Approve { environments, .. }) => environments.clone(),
        Some(
            Action::Reject { .. }
            | Action::Withdraw
            | Action::Close
            | Action::AcceptRisk { .. }
            | Action::Deploy(_)
            | Action::DeployFailed { .. },
        )
        | None => BTreeSet::new(),
    }
}

/// The reason code of a rejection; one that the policy does not know, or that cannot be read, reads `other`.
fn reason(policy: &Policy, shape: &Shape) -> Option<Name> {
    if shape.verb != Some(Verb::Reject) {
        return None;
    }
    if let Some(Action::Reject { reason, .. }) = shape.decision.as_ref().map(|decision| &decision.action)
        && policy.rejection_reasons.contains(reason)
    {
        return Some(reason.clone());
    }
    "other".parse().ok()
}
