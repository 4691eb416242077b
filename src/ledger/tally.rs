//! Counting decisions on the policy: which content, if any, fills `[governance]`.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::Verb;
use crate::model::{Code, ContentDigest, Name, Principal, matching};
use crate::policy::Policy;

use super::Undecided;
use super::chronicle::Sources;
use super::epoch::Epoch;
use super::history::{History, Index};
use super::shape::Shape;
use super::signing::Signer;

/// One decision on the policy, judged under the policy that it would change.
#[derive(Debug, Clone)]
pub(crate) struct Ballot {
    pub(crate) at: Index,
    pub(crate) verb: Option<Verb>,
    pub(crate) principal: Option<Principal>,
    pub(crate) key: Option<String>,
    pub(crate) role: Option<Name>,
    /// What is approved: `policy/` in its own tree, which is what it says.
    pub(crate) content: Option<ContentDigest>,
    /// Why it does not count; empty: it does.
    pub(crate) defects: BTreeMap<Code, String>,
    /// Whether it takes back whatever else is wrong with it: a withdrawal, or a rejection in a role that its signer holds.
    pub(crate) takes_back: bool,
    /// Who authored the change that it approves.
    pub(crate) authors: BTreeSet<Principal>,
}

/// The decisions on the policy under one policy in force.
#[derive(Debug)]
pub(crate) struct Tally {
    /// In recorded order.
    pub(crate) ballots: Vec<Ballot>,
}

impl Ballot {
    pub(crate) fn read(
        sources: Sources<'_>,
        at: Index,
        signer: Signer,
        epoch: &Epoch,
    ) -> Result<Self, Undecided> {
        let commit = sources.history.commit(at);
        let signed = sources.signing.signed(commit.id)?;
        let mut shape = Shape::read(sources.history, &signed);
        let mut signer = signer;
        let takes_back = signer.owner.is_some() && !signer.restricts_nothing;
        if let Some(role) = &shape.role {
            signer.act_in(epoch.policy(), role);
        }
        let is_bot = signer.owner.as_ref().is_some_and(|owner| epoch.policy().bots.contains(owner));
        if is_bot && shape.verb != Some(Verb::Withdraw) {
            shape.defects.insert(Code::BotInRole, "bots do not change the policy".into());
        }
        let mut content = None;
        if let Some(seen) = shape.seen() {
            let own =
                sources.trees.directory(commit.tree, &["policy"])?.and_then(|directory| directory.digest);
            if own == Some(seen.content) {
                content = own;
            } else {
                let reason = "`Gate-Content` is not the digest of `policy/` in its own tree".to_owned();
                shape.defects.insert(Code::ContentMismatch, reason);
            }
            if seen.policy != epoch.digest {
                let reason = "`Gate-Policy` is not the policy in force".to_owned();
                shape.defects.insert(Code::StalePolicy, reason);
            }
        }
        let mut defects = shape.defects;
        defects.extend(signer.defects);
        let holds =
            |role: &Name| signer.owner.as_ref().is_some_and(|owner| epoch.policy().holds(owner, role));
        let takes_back = takes_back
            && match shape.verb {
                Some(Verb::Withdraw) => true,
                Some(Verb::Reject) => shape.role.as_ref().is_some_and(holds),
                Some(Verb::Approve | Verb::Close | Verb::AcceptRisk | Verb::Deploy | Verb::DeployFailed)
                | None => false,
            };
        Ok(Self {
            at,
            verb: shape.verb,
            principal: signer.owner,
            key: signer.key,
            role: shape.role,
            content,
            defects,
            takes_back,
            authors: BTreeSet::new(),
        })
    }

    /// Whether it is an approval without a defect so far.
    pub(crate) fn is_open_approval(&self) -> bool {
        self.verb == Some(Verb::Approve) && self.defects.is_empty()
    }

    /// The policy that it approves cannot come into force.
    pub(crate) fn invalid(&mut self, reason: String) {
        self.defects.insert(Code::PolicyInvalid, reason);
    }

    /// Whether it takes back or replaces approvals of its signer: a withdrawal, a rejection that counts, or a later
    /// approval in the same role.
    fn takes_back(&self, approval: &Self) -> bool {
        match self.verb {
            Some(Verb::Withdraw | Verb::Reject) => self.takes_back,
            Some(Verb::Approve) => self.defects.is_empty() && self.role == approval.role,
            Some(Verb::Close | Verb::AcceptRisk | Verb::Deploy | Verb::DeployFailed) | None => false,
        }
    }
}

impl Tally {
    /// Takes back what was taken back. Ancestry alone orders one person's decisions; of an approval and a withdrawal or
    /// rejection that are not ancestors of each other, the approval does not count.
    pub(crate) fn of(history: &History, mut ballots: Vec<Ballot>) -> Self {
        // Only a signer's own decisions order each other: what nobody signed costs no walk.
        let mut of_signer: BTreeMap<Principal, BTreeSet<Index>> = BTreeMap::new();
        for ballot in &ballots {
            if let Some(principal) = &ballot.principal {
                of_signer.entry(principal.clone()).or_default().insert(ballot.at);
            }
        }
        let ancestors: Vec<BTreeSet<Index>> = ballots
            .iter()
            .map(|ballot| match ballot.principal.as_ref().and_then(|principal| of_signer.get(principal)) {
                Some(own) => history.ancestors_among(ballot.at, own),
                None => BTreeSet::new(),
            })
            .collect();
        let mut superseded: Vec<(usize, String)> = Vec::new();
        for (mine, approval) in ballots.iter().enumerate() {
            if !approval.is_open_approval() {
                continue;
            }
            for (theirs, other) in ballots.iter().enumerate() {
                if mine == theirs || other.principal != approval.principal || !other.takes_back(approval) {
                    continue;
                }
                let earlier = ancestors.get(mine).is_some_and(|before| before.contains(&other.at));
                let later = ancestors.get(theirs).is_some_and(|before| before.contains(&approval.at));
                let replaces = other.verb == Some(Verb::Approve);
                if later || (!earlier && !replaces) {
                    let id = history.commit(other.at).id.short();
                    superseded.push((mine, format!("its signer took it back or replaced it in {id}")));
                    break;
                }
            }
        }
        for (at, reason) in superseded {
            if let Some(ballot) = ballots.get_mut(at) {
                ballot.defects.insert(Code::Superseded, reason);
            }
        }
        Self { ballots }
    }

    /// The first content whose counted approvals, in recorded order, fill `[governance]`.
    pub(crate) fn first_filled(&self, policy: &Policy) -> Option<ContentDigest> {
        let mut so_far: BTreeMap<ContentDigest, Vec<&Ballot>> = BTreeMap::new();
        for ballot in self.ballots.iter().filter(|ballot| ballot.is_open_approval()) {
            let Some(content) = ballot.content else { continue };
            let approvals = so_far.entry(content).or_default();
            approvals.push(ballot);
            if fills(policy, approvals) {
                return Some(content);
            }
        }
        None
    }

    /// How many places of `[governance]` the approvals of `content` fill.
    pub(crate) fn filled(&self, policy: &Policy, content: ContentDigest) -> u64 {
        let approvals: Vec<&Ballot> = self
            .ballots
            .iter()
            .filter(|ballot| ballot.is_open_approval() && ballot.content == Some(content))
            .collect();
        u64::try_from(matching::fillable(&places(policy, &approvals))).unwrap_or(u64::MAX)
    }
}

/// Whether these approvals of one content fill `[governance]`, with one among them by somebody who authored nothing of it
/// (unless exactly one person could fill it at all).
fn fills(policy: &Policy, approvals: &[&Ballot]) -> bool {
    let places = places(policy, approvals);
    if places.is_empty() || matching::fillable(&places) < places.len() {
        return false;
    }
    let authors: BTreeSet<&Principal> = approvals.iter().flat_map(|ballot| &ballot.authors).collect();
    // Whoever approves in a role that `[governance]` does not ask for helps no author.
    let governs =
        |ballot: &Ballot| policy.governance.iter().any(|asked| ballot.role.as_ref() == Some(&asked.role));
    let governing = approvals.iter().filter(|ballot| governs(ballot));
    let by_another =
        governing.filter_map(|ballot| ballot.principal.as_ref()).any(|who| !authors.contains(who));
    by_another || governance_of_one(policy)
}

/// Whether exactly one person exists who could fill `[governance]`.
pub(crate) fn governance_of_one(policy: &Policy) -> bool {
    let people: BTreeSet<&Principal> =
        policy.governance.iter().flat_map(|approval| policy.role_holders(&approval.role)).collect();
    people.len() == 1
}

/// The places of `[governance]`, each with the people whose approval is in its role. A list that can never be filled
/// (empty, a count of 0, more places than people) has one place that nobody fills.
fn places<'a>(policy: &Policy, approvals: &[&'a Ballot]) -> Vec<BTreeSet<&'a Principal>> {
    let mut places = Vec::new();
    for asked in &policy.governance {
        let people: BTreeSet<&Principal> = approvals
            .iter()
            .filter(|ballot| ballot.role.as_ref() == Some(&asked.role))
            .filter_map(|ballot| ballot.principal.as_ref())
            .collect();
        let holders = u64::try_from(policy.role_holders(&asked.role).count()).unwrap_or(u64::MAX);
        if asked.count == 0 || asked.count > holders {
            return vec![BTreeSet::new()];
        }
        places.extend((0..asked.count).map(|_| people.clone()));
    }
    if places.is_empty() { vec![BTreeSet::new()] } else { places }
}
