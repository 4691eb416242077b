//! What is wrong with one deployment: one record and its replay → violations.
//!
//! Pure, and the only home of these rules. A cover settles what a replay found; what is wrong with a signature, or with the
//! order of the log, stays wrong whatever is covered.

use crate::decision::ClaimedBasis;
use crate::ledger::{AuditedRecord, ChainBreak, Place};
use crate::model::Code;
use crate::verdict::{Basis, Outcome, Replay};

use super::audit_codes::ViolationCode;

/// What a deployment is judged by.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    /// The record, and what is wrong with it as a commit.
    pub(super) audited: &'a AuditedRecord,
    /// What judging it again gave.
    pub(super) replay: &'a Replay,
    /// The verdict of then, where it can be judged again.
    pub(super) outcome: Option<Outcome>,
    /// Whether it is a break-glass.
    pub(super) break_glass: bool,
    /// Why it is not covered.
    pub(super) debt: Option<&'a str>,
}

impl Findings<'_> {
    /// Everything that is wrong, each with the reason for people.
    pub(super) fn violations(&self) -> Vec<(ViolationCode, String)> {
        if self.audited.before_root {
            return Vec::new();
        }
        let mut found = self.of_the_log();
        found.extend(self.of_the_signature());
        found.extend(self.of_the_replay());
        found
    }

    fn of_the_log(&self) -> Vec<(ViolationCode, String)> {
        let mut found = Vec::new();
        match self.audited.place {
            Place::Log | Place::Stray => {}
            Place::Lacking => {
                found.push((ViolationCode::LogRewound, "the mainline holds it, and the log lacks it".into()));
            }
            Place::Fork => {
                let words = "the mainline holds it, and the log goes another way".into();
                found.push((ViolationCode::LogForked, words));
            }
        }
        if let Some(broken) = self.audited.broken {
            let code = match broken {
                ChainBreak::NotOnMainline(_) => ViolationCode::MainlineRewound,
                ChainBreak::NamesNoCommit | ChainBreak::OlderCommit => ViolationCode::OutOfChain,
                ChainBreak::BeforeItsCommit | ChainBreak::BeforeEarlierRecord => ViolationCode::Backdated,
                ChainBreak::Ahead => ViolationCode::DatedAhead,
            };
            found.push((code, broken.to_string()));
        }
        if let Some(before) = self.audited.restart {
            let words =
                format!("it goes on after a rewind that was accepted; the log ended at {before} then");
            found.push((ViolationCode::LogRestarted, words));
        }
        found
    }

    fn of_the_signature(&self) -> Vec<(ViolationCode, String)> {
        let mut found = Vec::new();
        let record = &self.audited.record;
        if let Some((code, reason)) = &self.audited.unsigned {
            let misshapen = matches!(code, Code::Resigned | Code::ChangesFiles);
            let violation = if *code == Code::KeyRevoked {
                ViolationCode::RecordRevoked
            } else if *code == Code::NotInRole {
                ViolationCode::NotByDeployer
            } else if misshapen {
                ViolationCode::RecordMisshapen
            } else {
                ViolationCode::RecordUnsigned
            };
            found.push((violation, format!("{code}: {reason}")));
        }
        let told = found.iter().any(|(code, _)| *code == ViolationCode::NotByDeployer);
        if let (Some(who), false, false) = (&record.principal, record.by_deployer, told) {
            found.push((ViolationCode::NotByDeployer, format!("{who} holds no role that may deploy there")));
        }
        found
    }

    fn of_the_replay(&self) -> Vec<(ViolationCode, String)> {
        let mut found = Vec::new();
        let claimed = self.audited.record.claimed;
        let settled = self.break_glass && self.debt.is_none();
        if let (Replay::NotAllowed(open), false) = (self.replay, settled) {
            let open: Vec<String> = open.iter().map(ToString::to_string).collect();
            // Who says that it is a break-glass, and may, hides nothing.
            if claimed != ClaimedBasis::BreakGlass || !self.break_glass {
                found.push((ViolationCode::NotAllowed, format!("not met: {}", open.join(", "))));
            }
        }
        if let (Some(words), false) = (self.claims_another_basis(), settled) {
            found.push((ViolationCode::BasisDiffers, words));
        }
        if let Some(debt) = self.debt {
            found.push((ViolationCode::Uncovered, debt.to_owned()));
        }
        found
    }

    /// Whether the basis claimed is another one than the replay gives. `break-glass` claims nothing.
    fn claims_another_basis(&self) -> Option<String> {
        let claimed = self.audited.record.claimed;
        let given = match (self.replay, self.outcome) {
            (Replay::NotReplayable(_), _) | (_, None) => return None,
            (Replay::NotAllowed(_), Some(_)) | (_, Some(Outcome::Pending | Outcome::Blocked)) => None,
            (Replay::Allowed { .. }, Some(Outcome::Allowed(basis))) => Some(basis),
        };
        let same = match claimed {
            ClaimedBasis::BreakGlass => true,
            ClaimedBasis::Requirements => given == Some(Basis::Requirements),
            ClaimedBasis::Exception => given == Some(Basis::Exception),
            ClaimedBasis::Rollback => given == Some(Basis::Rollback),
        };
        if same {
            return None;
        }
        let given = given.map_or("not allowed".to_owned(), |basis| format!("allowed on {}", basis.as_str()));
        Some(format!("it claims `{claimed}`; judged again it is {given}"))
    }
}
