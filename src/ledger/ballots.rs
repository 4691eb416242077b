//! The decisions on the policy, as they are shown.

use std::collections::BTreeSet;

use crate::verdict::{DecisionFact, DecisionShown};

use super::{Ledger, Undecided, View, shape, tally};

impl Ledger {
    /// The decisions on the policy that were recorded since the one in force came into it, counted or not.
    pub fn policy_decisions(&self, view: View) -> Result<Vec<DecisionShown>, Undecided> {
        let epoch = self.chronicle.epoch_at(view.link);
        let ballots = self.policy_ballots(epoch.link, view.link);
        let tally = self.chronicle.tally(self.sources(), epoch, view.link, &ballots)?;
        tally.ballots.into_iter().map(|ballot| self.ballot_shown(ballot, view)).collect()
    }

    fn ballot_shown(&self, ballot: tally::Ballot, view: View) -> Result<DecisionShown, Undecided> {
        let commit = self.history.commit(ballot.at);
        let (step, _, recorded) = self.recording(commit.link, view.step);
        let signed = self.signing.signed(commit.id)?;
        let first = ballot.defects.iter().next().map(|(code, reason)| (*code, reason.clone()));
        let fact = DecisionFact {
            commit: commit.id,
            verb: ballot.verb,
            principal: ballot.principal,
            key: ballot.key,
            role: ballot.role,
            environments: BTreeSet::new(),
            content: ballot.content,
            reason: None,
            words: shape::words(&signed.message),
            record: None,
            gate_content: None,
            signed_at: commit.date,
            recorded_at: step.map(|_| recorded),
            since: recorded.min(commit.date),
            defects: ballot.defects,
            duplicate_of: None,
            restricts: false,
            ancestors: BTreeSet::new(),
            after_incidents: BTreeSet::new(),
        };
        let (code, reason) = first.map_or((None, None), |(code, reason)| (Some(code), Some(reason)));
        Ok(DecisionShown { fact, code, reason })
    }
}
