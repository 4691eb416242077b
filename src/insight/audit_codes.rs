//! The codes of what an audit finds, each with what it means: `docs/codes.md` tells the same.

use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationCode {
    /// The mainline lacks what was seen or judged before.
    MainlineRewound,
    /// The log lacks what the mainline holds.
    LogRewound,
    /// A record goes another way than the log.
    LogForked,
    /// Somebody accepted a rewind.
    LogRestarted,
    /// The log holds what is no record.
    LogForeign,
    /// A failure that counts for nothing.
    FailureIdle,
    /// A record whose signature does not count.
    RecordUnsigned,
    /// A record by a revoked key.
    RecordRevoked,
    /// A record by somebody who may not deploy.
    NotByDeployer,
    /// A record that changes files, or was signed again.
    RecordMisshapen,
    /// A record out of order.
    OutOfChain,
    /// A record dated too early.
    Backdated,
    /// A record dated too late.
    DatedAhead,
    /// Deployed, not allowed, and not said so.
    NotAllowed,
    /// A claim that the replay does not bear out.
    BasisDiffers,
    /// A break-glass that nobody covered.
    Uncovered,
    /// What runs rests on an exception that ended.
    ExceptionEnded,
    /// It runs, and the log does not say so.
    RunningNotLogged,
    /// The log says that it runs, and it does not.
    LoggedNotRunning,
    /// Whether it runs cannot be told.
    RunningUnknown,
}

/// Every code, with what it means.
pub const VIOLATIONS: &[(&str, &str)] = &[
    ("mainline-rewound", "the mainline lacks a commit that was seen before, or that a record judged"),
    ("log-rewound", "the log lacks a record that the mainline holds"),
    ("log-forked", "the mainline holds a record that goes another way than the log"),
    ("log-restarted", "the log goes on after a rewind of the mainline that somebody accepted"),
    ("log-foreign", "the log holds commits that are no records of its environment"),
    ("failure-idle", "a word that a deployment failed counts for nothing"),
    ("record-unsigned", "a record has no signature that counts"),
    ("record-revoked", "a record was signed by a key that the policy revokes"),
    ("not-by-deployer", "a record was not signed by a deployer of its environment"),
    ("record-misshapen", "a record changes files, or its author and committer differ"),
    ("out-of-chain", "a record judged an older commit than a record before it, or none"),
    ("backdated", "a record is dated before what it follows"),
    ("dated-ahead", "a record is dated later than it can be"),
    ("not-allowed", "a deployment was not allowed, and its record does not say so"),
    ("basis-differs", "a record claims another basis than judging it again gives"),
    ("break-glass-uncovered", "a deployment that was not allowed is not covered"),
    ("exception-ended", "what runs rests on an exception that has ended since"),
    ("running-not-logged", "an artifact runs that is of no version that the log says runs"),
    ("logged-not-running", "the log says that an artifact runs, and it does not"),
    ("running-unknown", "whether what the log says runs cannot be compared"),
];

impl ViolationCode {
    /// Every code, in the order of [`VIOLATIONS`].
    pub const ALL: [Self; 20] = [
        Self::MainlineRewound,
        Self::LogRewound,
        Self::LogForked,
        Self::LogRestarted,
        Self::LogForeign,
        Self::FailureIdle,
        Self::RecordUnsigned,
        Self::RecordRevoked,
        Self::NotByDeployer,
        Self::RecordMisshapen,
        Self::OutOfChain,
        Self::Backdated,
        Self::DatedAhead,
        Self::NotAllowed,
        Self::BasisDiffers,
        Self::Uncovered,
        Self::ExceptionEnded,
        Self::RunningNotLogged,
        Self::LoggedNotRunning,
        Self::RunningUnknown,
    ];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MainlineRewound => "mainline-rewound",
            Self::LogRewound => "log-rewound",
            Self::LogForked => "log-forked",
            Self::LogRestarted => "log-restarted",
            Self::LogForeign => "log-foreign",
            Self::FailureIdle => "failure-idle",
            Self::RecordUnsigned => "record-unsigned",
            Self::RecordRevoked => "record-revoked",
            Self::NotByDeployer => "not-by-deployer",
            Self::RecordMisshapen => "record-misshapen",
            Self::OutOfChain => "out-of-chain",
            Self::Backdated => "backdated",
            Self::DatedAhead => "dated-ahead",
            Self::NotAllowed => "not-allowed",
            Self::BasisDiffers => "basis-differs",
            Self::Uncovered => "break-glass-uncovered",
            Self::ExceptionEnded => "exception-ended",
            Self::RunningNotLogged => "running-not-logged",
            Self::LoggedNotRunning => "logged-not-running",
            Self::RunningUnknown => "running-unknown",
        }
    }
}

impl ViolationCode {
    /// What it means.
    pub fn meaning(self) -> &'static str {
        let known = VIOLATIONS.iter().find(|(code, _)| *code == self.as_str());
        known.map(|(_, meaning)| *meaning).unwrap_or_default()
    }
}

impl fmt::Display for ViolationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_list_once_and_in_its_order() {
        let all: Vec<&str> = ViolationCode::ALL.iter().map(|code| code.as_str()).collect();
        let listed: Vec<&str> = VIOLATIONS.iter().map(|(code, _)| *code).collect();
        assert_eq!(all, listed);
        for (code, (_, meaning)) in ViolationCode::ALL.iter().zip(VIOLATIONS) {
            assert_eq!(code.meaning(), *meaning);
        }
    }
}
