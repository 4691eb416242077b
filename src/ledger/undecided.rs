//! Why nothing can be decided from this repository: exit status 3, with a code and the mend.

use crate::git::GitError;

/// The history cannot be judged. Never "bad": whoever reads it must not take it for a verdict (design, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Undecided {
    /// A stable code of [`CODES`] or of [`crate::git::CODES`].
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What mends it.
    pub help: String,
}

/// Every code that the ledger itself gives, with what it means.
pub const CODES: &[(&str, &str)] = &[
    ("no-trust-root", "no trust root is pinned and none was given"),
    ("branches-not-fetched", "the clone fetches some branches of `origin` only"),
    ("no-mainline", "the mainline's ref does not exist"),
    ("root-not-on-mainline", "the trust root is not on the mainline's first-parent chain"),
    ("not-on-mainline", "a commit that was named is not on the mainline's first-parent chain"),
    ("tree-not-canonical", "the top tree of the tip or of the trust root is not canonical"),
    ("commit-unreadable", "git itself cannot read a commit of the history"),
    ("policy-missing", "the trust root holds no valid directory `policy/`"),
    ("policy-unreadable", "an approved policy holds what this version cannot read"),
    ("governance-empty", "the policy at the trust root lets nobody change it"),
    ("mainline-rewound", "the mainline is not a descendant of what was seen or logged before"),
    ("log-rewound", "the deployment log lacks a record that the mainline holds"),
    ("log-not-found", "the log commit that was named is not in the log"),
    ("merge-conflict", "the branch cannot be merged into the mainline without deciding between two changes"),
];

impl Undecided {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

impl From<GitError> for Undecided {
    fn from(error: GitError) -> Self {
        Self { code: error.code(), message: error.to_string(), help: error.help().to_owned() }
    }
}
