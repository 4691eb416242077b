//! Steps, their recorded times, and the policy in force at each.
//!
//! One walk along the first-parent chain. A link is a step unless the policy in force before it asks for a signature that
//! it lacks. At each link the decisions on the policy that are known by then are tallied; a content that fills
//! `[governance]` comes into force there, whatever the mainline's tree holds (design, sections 9.3 and 9.4).

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use crate::model::{ContentDigest, Time, limits};
use crate::verdict::Notice;

use super::changes::Changes;
use super::epoch::{self, Epoch};
use super::history::{History, Index, place};
use super::provenance::Provenance;
use super::signing::{Revocations, Signer, Signing};
use super::tally::{Ballot, Tally};
use super::trees::Trees;
use super::{Undecided, policies};

/// When links were recorded.
#[derive(Debug, Clone)]
enum Recorded {
    /// None is dated after the time of judging: each at the latest date by then, which the history holds.
    AsDated,
    /// Some are: worked out for each.
    Each(Vec<Time>),
}

/// Which links are steps.
#[derive(Debug, Clone)]
enum Steps {
    /// No policy asks who signed the mainline.
    All,
    /// Each as it was judged.
    Each(Vec<bool>),
}

/// What the walk along the chain found.
#[derive(Debug)]
pub(crate) struct Chronicle {
    recorded: Recorded,
    steps: Steps,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) notices: Vec<Notice>,
    /// `policy/` on every side of history, once that was asked for.
    provenance: OnceCell<Provenance>,
    /// What is kept of policies is not what is in force.
    pub(super) outdated: bool,
}

/// What was found, for another thread.
#[derive(Debug, Clone)]
pub(super) struct Apart {
    recorded: Recorded,
    steps: Steps,
    epochs: Vec<epoch::Apart>,
    notices: Vec<Notice>,
}

impl Apart {
    pub(super) fn open(self) -> Chronicle {
        Chronicle {
            recorded: self.recorded,
            steps: self.steps,
            epochs: self.epochs.into_iter().map(epoch::Apart::open).collect(),
            notices: self.notices,
            provenance: OnceCell::new(),
            outdated: false,
        }
    }
}

/// What a chronicle is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) history: &'a History,
    pub(crate) trees: &'a Rc<Trees>,
    pub(crate) changes: &'a Changes,
    pub(crate) signing: &'a Signing,
    /// The time of judging.
    pub(crate) time: Time,
    /// The tip is a merge that was not made: it is a step without a signature.
    pub(crate) preview: bool,
    /// The tip gathers branches and merges none: no policy comes into force at it.
    pub(crate) gathered: bool,
    /// What is kept of policies may be used.
    pub(crate) glances: bool,
}

impl Chronicle {
    pub(crate) fn read(sources: Sources<'_>) -> Result<Self, Undecided> {
        let (recorded, notices) = Recorded::read(sources.history, sources.time);
        let mut chronicle = Self {
            recorded,
            steps: Steps::All,
            epochs: Vec::new(),
            notices,
            provenance: OnceCell::new(),
            outdated: false,
        };
        if sources.glances && chronicle.is_plain() {
            let kept = sources.history.known().and_then(|known| known.pages().found(epoch::ROW));
            let row: Option<epoch::Row> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
            if let Some(epochs) = row.and_then(|row| row.epochs(sources.history, sources.trees)) {
                chronicle.epochs = epochs;
                debug_assert!(
                    chronicle.is_what_history_says(sources),
                    "the policies that are kept are those that came into force"
                );
                return Ok(chronicle);
            }
            chronicle.outdated = true;
        }
        chronicle.follow(sources)?;
        Ok(chronicle)
    }

    /// Whether following the policies gives the same; what an index says that is damaged is thrown away.
    fn is_what_history_says(&self, sources: Sources<'_>) -> bool {
        let followed = Self::read(Sources { glances: false, ..sources }).ok();
        let followed = followed.and_then(|anew| anew.policies_digest(anew.epochs.len()));
        let lost = sources.history.known().is_some_and(|known| known.is_lost());
        lost || followed == self.policies_digest(self.epochs.len())
    }

    /// What was found, for another thread.
    pub(super) fn apart(&self) -> Apart {
        Apart {
            recorded: self.recorded.clone(),
            steps: self.steps.clone(),
            epochs: self.epochs.iter().map(Epoch::apart).collect(),
            notices: self.notices.clone(),
        }
    }

    /// Follows the policies along the chain.
    fn follow(&mut self, sources: Sources<'_>) -> Result<(), Undecided> {
        let history = sources.history;
        let root = history.commit(history.chain_at(0).unwrap_or_default());
        self.epochs.push(policies::at_trust_root(sources.trees, root)?);
        let mut open: BTreeSet<Index> = BTreeSet::new();
        let mut ballots = history.decisions_on_the_policy().into_iter().peekable();
        // Only links that bring in decisions on the policy can change it.
        while let Some(next) = ballots.peek() {
            let link = history.commit(*next).link;
            let before = open.len();
            while let Some(ballot) = ballots.next_if(|ballot| history.commit(*ballot).link <= link) {
                open.insert(ballot);
            }
            if sources.gathered && link + 1 == history.links() {
                break;
            }
            while open.len() > before || self.epochs.last().is_some_and(|epoch| epoch.link == link) {
                if !self.transition(sources, link, &open)? {
                    break;
                }
            }
        }
        self.steps = self.read_steps(sources)?;
        Ok(())
    }

    /// `policy/` on every side of history.
    pub(crate) fn provenance(&self, sources: Sources<'_>) -> Result<&Provenance, Undecided> {
        if let Some(known) = self.provenance.get() {
            return Ok(known);
        }
        let Sources { history, trees, changes, .. } = sources;
        let found = Provenance::follow(changes, trees, history, &["policy"])?;
        Ok(self.provenance.get_or_init(|| found))
    }

    /// Which links are steps: those that who may sign the mainline under the policy in force before them signed.
    fn read_steps(&self, sources: Sources<'_>) -> Result<Steps, Undecided> {
        if self.epochs.iter().all(|epoch| epoch.policy().mainline_signed_by.is_none()) {
            return Ok(Steps::All);
        }
        let mut steps = vec![true];
        for link in 1..sources.history.links() {
            let epoch = self.epoch_at(link - 1);
            steps.push(match &epoch.policy().mainline_signed_by {
                None => true,
                Some(_) if sources.preview && link + 1 == sources.history.links() => true,
                Some(roles) => {
                    let at = sources.history.chain_at(link).unwrap_or_default();
                    let recorded = self.recorded(sources.history, link);
                    let signer = signer_under(sources, epoch, at, recorded, link)?;
                    signer.counting().is_ok()
                        && signer.roles(epoch.policy()).iter().any(|role| roles.contains(role))
                }
            });
        }
        Ok(Steps::Each(steps))
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

    /// Whether every link is a step and none is dated ahead: then later ones change nothing of what earlier ones say.
    pub(crate) fn is_plain(&self) -> bool {
        matches!((&self.recorded, &self.steps), (Recorded::AsDated, Steps::All))
    }

    /// Which policies were the first to be in force, so many of them, and from when on; nothing: there are fewer.
    pub(crate) fn policies_digest(&self, many: usize) -> Option<ContentDigest> {
        let mut text = String::new();
        for epoch in self.epochs.get(..many)? {
            let _ = writeln!(text, "{} {} {}", epoch.link, epoch.commit, epoch.digest);
        }
        Some(ContentDigest::of_bytes(text.as_bytes()))
    }

    /// When a link was recorded.
    pub(crate) fn recorded(&self, history: &History, link: u32) -> Time {
        let each = match &self.recorded {
            Recorded::AsDated => history.chain_link_of(link).map(|link| link.latest),
            Recorded::Each(times) => times.get(place(link)).copied(),
        };
        each.unwrap_or_else(|| history.commit(0).date)
    }

    /// Whether a link is a step.
    pub(crate) fn is_step(&self, link: u32) -> bool {
        match &self.steps {
            Steps::All => true,
            Steps::Each(steps) => steps.get(place(link)).copied().unwrap_or_default(),
        }
    }

    /// The last step at or before `link`.
    pub(crate) fn last_step(&self, link: u32) -> u32 {
        (0..=link).rev().find(|at| self.is_step(*at)).unwrap_or_default()
    }

    /// The step that records what `link` brought in, at the latest `last`; nothing: it lies beyond the last step.
    pub(crate) fn recording_step(&self, link: u32, last: u32) -> Option<u32> {
        (link..=last).find(|at| self.is_step(*at))
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
        let Some(content) = tally.first_filled(epoch.policy()) else { return Ok(false) };
        let (policy, top, directory) = policies::approved(sources.trees, sources.history, &tally, content)?;
        let at = sources.history.chain_at(link).unwrap_or_default();
        let commit = sources.history.commit(at).id;
        self.epochs.push(Epoch::new(Arc::new(policy), content, link, commit, (top, directory)));
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
            let recorded = self.recorded(sources.history, sources.history.commit(*at).link);
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

impl Recorded {
    /// When each link was recorded: at its date, or that of one before it that is later. One that is dated after the time
    /// of judging takes the time of the one before it, and is told.
    fn read(history: &History, time: Time) -> (Self, Vec<Notice>) {
        let ahead = |date: Time| date.seconds_since(time) > limits::CLOCK_SKEW_SECONDS;
        let date_of = |link: u32| history.chain_at(link).map(|at| history.commit(at).date);
        let root = date_of(0).unwrap_or(time);
        let latest = history.links().checked_sub(1).and_then(|last| history.chain_link_of(last));
        if root <= time && latest.is_none_or(|link| !ahead(link.latest)) {
            return (Self::AsDated, Vec::new());
        }
        let mut times = vec![root.min(time)];
        let mut notices = Vec::new();
        let mut before = root.min(time);
        for commit in (1..history.links()).filter_map(|link| Some(history.commit(history.chain_at(link)?))) {
            if ahead(commit.date) {
                notices.push(Notice {
                    code: "step-in-the-future",
                    message: format!(
                        "mainline commit {} is dated {}, after the time of judging: it takes the time of the step before",
                        commit.id, commit.date
                    ),
                });
            } else {
                before = before.max(commit.date);
            }
            times.push(before);
        }
        (Self::Each(times), notices)
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
    let mut signer = signed.signer(epoch.policy(), &[recorded, commit.date]);
    let revocations = Revocations::of(epoch.policy(), sources.history);
    let brought_in = (commit.link <= link).then_some(commit.link);
    revocations.apply(&signed, brought_in, &mut signer);
    Ok(signer)
}
