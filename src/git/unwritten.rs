//! Why something was not written: a code, what is wrong, and the mend. The repository is as it was before.

use super::GitError;

/// Why something was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unwritten {
    /// A stable code.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What mends it.
    pub help: Option<String>,
}

/// Every code of [`Unwritten`], with what it means.
pub const WRITE_CODES: &[(&str, &str)] = &[
    ("program-not-found", "a program that is needed is not installed"),
    ("program-failed", "a program could not be run, or ended badly"),
    ("git-failed", "git refused what it was asked"),
    ("editor-failed", "the editor did not run, or ended badly"),
    ("no-identity", "git does not know who you are"),
    ("signing-format", "git is not set to sign with SSH keys"),
    ("signing-key", "there is no key to sign with, or it cannot be read"),
    ("signing-failed", "the signing program did not sign"),
    ("signing-bad", "what the signing program returned does not sign this commit"),
    ("no-agent", "there is no SSH agent to sign an attestation"),
    ("agent-key", "the signing key is none that the SSH agent can sign an attestation with"),
    ("agent-failed", "the SSH agent did not sign"),
    ("unwritable-commit", "the commit would count for nothing"),
    ("checkout-dirty", "the branch is checked out, with changes that would be lost"),
    ("diverged", "the branch and its remote-tracking branch have both moved on"),
    ("branch-moved", "the branch moved on meanwhile"),
    ("fetch-failed", "the remote could not be fetched"),
    ("push-failed", "the remote did not take the branch"),
    ("locked", "a lock file of git's lies in the way"),
    ("merge-conflict", "both sides changed the same file"),
    ("branch-too-long", "the branch has more new commits than are looked at"),
    ("scratch", "a temporary file could not be written"),
];

impl Unwritten {
    /// Without help.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    /// With what mends it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With what mends it, where nothing better is known.
    #[must_use]
    pub(super) fn or_help(self, help: impl Into<String>) -> Self {
        if self.help.is_some() { self } else { self.help(help) }
    }
}

impl From<GitError> for Unwritten {
    fn from(error: GitError) -> Self {
        Self::new(error.code(), error.to_string()).help(error.help())
    }
}
