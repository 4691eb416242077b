//! Steps, their recorded times, and the policy in force at each.
//!
//! One walk along the first-parent chain. A link is a step unless the policy in force before it asks for a signature that
//! it lacks. At each link the decisions on the policy that are known by then are tallied; a content that fills
//! `[governance]` comes into force there, whatever the mainline's tree holds (design, sections 9.3 and 9.4).

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::model::{ContentDigest, ObjectId, Time, limits};
use crate::policy::Policy;
use crate::verdict::Notice;

use super::changes::Changes;
use super::history::{About, History, Index, place};
use super::provenance::Provenance;
use super::signing::{Revocations, Signer, Signing};
use super::tally::{Ballot, Tally};
use super::trees::{Directory, Trees};
use super::{Undecided, policies};

/// A policy in force.
#[derive(Debug, Clone)]
pub(crate) struct Epoch {
    pub(crate) policy: Arc<Policy>,
    pub(crate) digest: ContentDigest,
    /// The link at whose end it came into force; 0: the trust root.
    pub(crate) link: u32,
    /// The mainline commit there.
    pub(crate) commit: ObjectId,
    /// Its files.
    pub(crate) directory: Rc<Directory>,
}

/// One link of the chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    /// Whether it is a step.
    pub(crate) is_step: bool,
    /// Its recorded time.
    pub(crate) recorded: Time,
}

/// What the walk along the chain found.
#[derive(Debug)]
pub(crate) struct Chronicle {
    pub(crate) links: Vec<Link>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) notices: Vec<Notice>,
    /// `policy/` on every side of history.
    pub(crate) provenance: Provenance,
}

/// What a chronicle is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) history: &'a History,
    pub(crate) trees: &'a Trees,
    pub(crate) changes: &'a Changes,
    pub(crate) signing: &'a Signing,
    /// The time of judging.
    pub(crate) time: Time,
    /// The tip is a merge that was not made: it is a step without a signature.
    pub(crate) preview: bool,
    /// The tip gathers branches and merges none: no policy comes into force at it.
    pub(crate) gathered: bool,
}

impl Chronicle {
    pub(crate) fn read(sources: Sources<'_>) -> Result<Self, Undecided> {
        let Sources { history, trees, changes, time, .. } = sources;
        let provenance = Provenance::follow(changes, trees, history, &["policy"])?;
        let root = history.commit(history.chain.first().copied().unwrap_or_default());
        let first = policies::at_trust_root(trees, root)?;
        let mut chronicle = Self {
            links: vec![Link { is_step: true, recorded: root.date.min(time) }],
            epochs: vec![first],
            notices: Vec::new(),
            provenance,
        };
        let mut open: BTreeSet<Index> = BTreeSet::new();
        let ballots: Vec<Index> = (0..)
            .zip(&history.commits)
            .filter(|(_, commit)| commit.about == About::Policy && commit.link > 0)
            .map(|(at, _)| at)
            .collect();
        let mut ballots = ballots.into_iter().peekable();
        for (link, at) in (0..).zip(&history.chain).skip(1) {
            chronicle.add_link(sources, link, *at)?;
            let before = open.len();
            while let Some(ballot) = ballots.next_if(|ballot| history.commit(*ballot).link <= link) {
                open.insert(ballot);
            }
            if sources.gathered && place(link) + 1 == history.chain.len() {
                break;
            }
            while open.len() > before || chronicle.epochs.last().is_some_and(|epoch| epoch.link == link) {
                if !chronicle.transition(sources, link, &open)? {
                    break;
                }
            }
        }
        Ok(chronicle)
    }

    /// The epoch in force at the end of `link`.
    pub(crate) fn epoch_at(&self, link: u32) -> &Epoch {
        let at = self.epochs.iter().rposition(|epoch| epoch.link <= link).unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "there always is the epoch of the trust root")]
        &self.epochs[at]
    }

    /// Whether a policy of that digest was in force at the end of `link` or of an earlier one.
    pub(crate) fn was_in_force(&self, digest: ContentDigest, link: u32) -> bool {
        self.epochs.iter().any(|epoch| epoch.link <= link && epoch.digest == digest)
    }

    /// The link itself.
    pub(crate) fn link(&self, link: u32) -> Link {
        #[expect(clippy::indexing_slicing, reason = "links are handed out by the chain alone")]
        self.links[place(link)]
    }

    /// The last step at or before `link`.
    pub(crate) fn last_step(&self, link: u32) -> u32 {
        (0..=link).rev().find(|at| self.link(*at).is_step).unwrap_or_default()
    }

    /// The step that records what `link` brought in, at the latest `last`; nothing: it lies beyond the last step.
    pub(crate) fn recording_step(&self, link: u32, last: u32) -> Option<u32> {
        (link..=last).find(|at| self.link(*at).is_step)
    }

    fn add_link(&mut self, sources: Sources<'_>, link: u32, at: Index) -> Result<(), Undecided> {
        let commit = sources.history.commit(at);
        let before = self.links.last().map_or(commit.date, |link| link.recorded);
        let ahead = commit.date.seconds_since(sources.time) > limits::CLOCK_SKEW_SECONDS;
        if ahead {
            self.notices.push(Notice {
                code: "step-in-the-future",
                message: format!(
                    "mainline commit {} is dated {}, after the time of judging: it takes the time of the step before",
                    commit.id, commit.date
                ),
            });
        }
        let recorded = if ahead { before } else { before.max(commit.date) };
        let epoch = self.epoch_at(link);
        let is_step = match &epoch.policy.mainline_signed_by {
            None => true,
            Some(_) if sources.preview && place(link) + 1 == sources.history.chain.len() => true,
            Some(roles) => {
                let signer = signer_under(sources, epoch, at, recorded, link)?;
                signer.counting().is_ok()
                    && signer.roles(&epoch.policy).iter().any(|role| roles.contains(role))
            }
        };
        self.links.push(Link { is_step, recorded });
        Ok(())
    }

    /// Tallies the decisions on the policy; true where another one came into force.
    fn transition(
        &mut self,
        sources: Sources<'_>,
        link: u32,
        open: &BTreeSet<Index>,
    ) -> Result<bool, Undecided> {
        let Some(epoch) = self.epochs.last() else { return Ok(false) };
        let tally = self.tally(sources, epoch, link, open)?;
        let Some(content) = tally.first_filled(&epoch.policy) else { return Ok(false) };
        let (policy, directory) = policies::approved(sources.trees, sources.history, &tally, content)?;
        let at = sources.history.chain.get(place(link)).copied().unwrap_or_default();
        let commit = sources.history.commit(at).id;
        self.epochs.push(Epoch { policy: Arc::new(policy), digest: content, link, commit, directory });
        Ok(true)
    }

    /// The decisions among `open`, judged under `epoch` as of `link`.
    pub(crate) fn tally(
        &self,
        sources: Sources<'_>,
        epoch: &Epoch,
        link: u32,
        open: &BTreeSet<Index>,
    ) -> Result<Tally, Undecided> {
        let mut ballots = Vec::new();
        let mut seen = BTreeSet::new();
        for at in open {
            let signed = sources.signing.signed(sources.history.commit(*at).id)?;
            // The same payload and key again is the first one seen, whatever was added around it.
            if signed.malformed.is_none() && signed.identity().is_some_and(|identity| !seen.insert(identity))
            {
                continue;
            }
            let recorded = self.link(sources.history.commit(*at).link).recorded;
            let signer = signer_under(sources, epoch, *at, recorded, link)?;
            let mut ballot = Ballot::read(sources, *at, signer, epoch)?;
            if let Some(content) = ballot.content.filter(|_| ballot.is_open_approval()) {
                match policies::candidate(self, sources, epoch, *at, content)? {
                    policies::Candidate::Fit { authors } | policies::Candidate::Unreadable { authors } => {
                        ballot.authors = authors;
                    }
                    policies::Candidate::Invalid(reason) => ballot.invalid(reason),
                }
            }
            ballots.push(ballot);
        }
        Ok(Tally::of(sources.history, ballots))
    }
}

/// Who signed a commit, under one epoch's policy and its revocations as of `link`.
pub(crate) fn signer_under(
    sources: Sources<'_>,
    epoch: &Epoch,
    at: Index,
    recorded: Time,
    link: u32,
) -> Result<Signer, Undecided> {
    let commit = sources.history.commit(at);
    let signed = sources.signing.signed(commit.id)?;
    let mut signer = signed.signer(&epoch.policy, &[recorded, commit.date]);
    let revocations = Revocations::of(&epoch.policy, sources.history);
    let brought_in = (commit.link <= link).then_some(commit.link);
    revocations.apply(&signed, brought_in, &mut signer);
    Ok(signer)
}
