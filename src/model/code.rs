//! Why a decision did not count: the closed list of codes of section 9 of the design, in its order.

use std::fmt;

/// One reason for which a decision, a log record or a file's signature does not count. The order of the variants is
/// the order in which they are reported: of several that apply, the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The commit object itself is not one that the strict reader accepts.
    MalformedCommit,
    /// Its `Gate` trailers do not parse.
    Malformed,
    /// It has not exactly one parent, or not its parent's tree.
    ChangesFiles,
    /// Its author and committer lines differ.
    Resigned,
    /// It has no signature.
    Unsigned,
    /// It is signed, but not with an SSH key and hash that count.
    UnsupportedSignature,
    /// The signature does not verify over the payload.
    BadSignature,
    /// The signature was made for another purpose than `git`.
    WrongNamespace,
    /// The key is too short.
    WeakKey,
    /// The key is nobody's in `policy/allowed_signers`, or of more than one principal.
    UnknownKey,
    /// A hardware key signed without a touch.
    NoTouch,
    /// A hardware key signed without verifying its user, where the role asks for it.
    NoVerification,
    /// The key or certificate was not valid at the recorded time or at the commit's own date.
    KeyNotValid,
    /// The policy in force revokes the key.
    KeyRevoked,
    /// The role asks for a hardware key.
    KeyNotHardware,
    /// A bot did what only a person may do.
    BotInRole,
    /// The signer does not hold the role.
    NotInRole,
    /// The signer is an author of what is approved.
    SelfApproval,
    /// `Gate-Content` is not the digest of the decision's own tree.
    ContentMismatch,
    /// The policy that was approved cannot come into force.
    PolicyInvalid,
    /// `Gate-Policy` never was in force up to then.
    StalePolicy,
    /// The content has changed since.
    StaleContent,
    /// It is limited to other environments.
    OutOfScope,
    /// It is older than the policy allows.
    Expired,
    /// It was made before an incident with this version.
    BeforeIncident,
    /// Its signer took it back or replaced it.
    Superseded,
    /// The same payload by the same key was seen before.
    Duplicate,
}

impl Code {
    /// Every code, in the order in which they are reported.
    pub const ALL: [Self; 27] = [
        Self::MalformedCommit,
        Self::Malformed,
        Self::ChangesFiles,
        Self::Resigned,
        Self::Unsigned,
        Self::UnsupportedSignature,
        Self::BadSignature,
        Self::WrongNamespace,
        Self::WeakKey,
        Self::UnknownKey,
        Self::NoTouch,
        Self::NoVerification,
        Self::KeyNotValid,
        Self::KeyRevoked,
        Self::KeyNotHardware,
        Self::BotInRole,
        Self::NotInRole,
        Self::SelfApproval,
        Self::ContentMismatch,
        Self::PolicyInvalid,
        Self::StalePolicy,
        Self::StaleContent,
        Self::OutOfScope,
        Self::Expired,
        Self::BeforeIncident,
        Self::Superseded,
        Self::Duplicate,
    ];

    /// The code as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedCommit => "malformed-commit",
            Self::Malformed => "malformed",
            Self::ChangesFiles => "changes-files",
            Self::Resigned => "resigned",
            Self::Unsigned => "unsigned",
            Self::UnsupportedSignature => "unsupported-signature",
            Self::BadSignature => "bad-signature",
            Self::WrongNamespace => "wrong-namespace",
            Self::WeakKey => "weak-key",
            Self::UnknownKey => "unknown-key",
            Self::NoTouch => "no-touch",
            Self::NoVerification => "no-verification",
            Self::KeyNotValid => "key-not-valid",
            Self::KeyRevoked => "key-revoked",
            Self::KeyNotHardware => "key-not-hardware",
            Self::BotInRole => "bot-in-role",
            Self::NotInRole => "not-in-role",
            Self::SelfApproval => "self-approval",
            Self::ContentMismatch => "content-mismatch",
            Self::PolicyInvalid => "policy-invalid",
            Self::StalePolicy => "stale-policy",
            Self::StaleContent => "stale-content",
            Self::OutOfScope => "out-of-scope",
            Self::Expired => "expired",
            Self::BeforeIncident => "before-incident",
            Self::Superseded => "superseded",
            Self::Duplicate => "duplicate",
        }
    }
}

impl Code {
    /// What to do about it, in a few words with the command; nothing: nothing is to be done.
    pub fn mend(self) -> Option<&'static str> {
        Some(match self {
            Self::MalformedCommit => "decide anew with git itself: `git gate review <gate>`",
            Self::Malformed | Self::ContentMismatch => {
                "decide anew: `git gate review <gate>` writes the trailers"
            }
            Self::ChangesFiles => "commit files first, then decide: `git gate review <gate>`",
            Self::Resigned => "decide anew, and never rebase or amend a decision: `git gate review <gate>`",
            Self::Unsigned => {
                "set `git config user.signingkey <key>`, then decide anew: `git gate review <gate>`"
            }
            Self::UnsupportedSignature => {
                "set `git config gpg.format ssh` and an SSH key, then decide anew: `git gate review <gate>`"
            }
            Self::BadSignature => "somebody changed the commit after it was signed: find out who",
            Self::WrongNamespace => "decide anew with git's own signing: `git gate review <gate>`",
            Self::WeakKey => {
                "make a new key, and have it added to `policy/allowed_signers` by a policy change"
            }
            Self::UnknownKey => {
                "have the key added to `policy/allowed_signers` by a policy change, then decide anew"
            }
            Self::NoTouch => "make a key that asks for a touch: `ssh-keygen -t ed25519-sk`",
            Self::NoVerification => {
                "make a key that verifies its user: `ssh-keygen -t ed25519-sk -O verify-required`"
            }
            Self::KeyNotValid => {
                "have the key renewed by a policy change, then decide anew: `git gate review <gate>`"
            }
            Self::KeyRevoked => "decide anew with another key: `git gate review <gate>`",
            Self::KeyNotHardware => "decide anew with a hardware key: `git gate review <gate>`",
            Self::BotInRole => "a person decides: `git gate pending` lists what waits on them",
            Self::NotInRole => "somebody who holds the role decides: `git gate policy show` names them",
            Self::SelfApproval => {
                "somebody who is no author decides: `git gate pending` lists what waits on them"
            }
            Self::PolicyInvalid => "see what keeps it from coming into force: `git gate policy lint`",
            Self::StalePolicy => "decide anew under the policy in force: `git gate review <gate>`",
            Self::StaleContent => "read what changed, then decide anew: `git gate review <gate>`",
            Self::OutOfScope => "decide for this environment too: `git gate review <gate>`",
            Self::Expired => "decide anew: `git gate review <gate>`",
            Self::BeforeIncident => {
                "merge the mainline into the branch, then decide anew: `git gate review <gate>`"
            }
            Self::Superseded | Self::Duplicate => return None,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_mend_but_those_that_need_none() {
        for code in Code::ALL {
            let needs_none = matches!(code, Code::Superseded | Code::Duplicate);
            assert_eq!(code.mend().is_none(), needs_none, "{code}");
        }
    }
}
