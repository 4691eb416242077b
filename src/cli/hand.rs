//! The hand that signs: whose key it is under the policy in force, told before anything is written.
//!
//! First by the public key, where it can be read, so that nobody touches a token for nothing; then, surely, by the
//! signature itself.

use crate::git::{Git, Repository, SignedCommit, Signer};
use crate::model::{Name, Principal, Time};
use crate::policy::{KeyRequirement, Policy};
use crate::signature::{Fingerprint, Hold, SignerEntry, Verified};

use super::{Context, Failure};

/// What commands that sign take.
#[derive(Debug, Clone, clap::Args)]
pub struct SigningArgs {
    /// Do not ask.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// What to say in the commit message.
    #[arg(long, short = 'm', value_name = "TEXT")]
    pub message: Option<String>,
    /// Leave the branch here; else it is pushed where there is a remote `origin`.
    #[arg(long)]
    pub no_push: bool,
    /// Neither fetch nor push: work on what was fetched last.
    #[arg(long)]
    pub offline: bool,
}

/// Who signs, with what.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) git: Git,
    pub(super) signer: Signer,
    /// Whose key it is, as far as can be told beforehand.
    pub(super) principal: Option<Principal>,
}

impl Hand {
    /// The user's own, in this repository; refused where its key is nobody's.
    pub(super) fn of(context: &Context, repository: &Repository, policy: &Policy) -> anyhow::Result<Self> {
        let git = Git::of(repository);
        let signer = Signer::of(&git, context.asks)?;
        let fingerprint = signer.public_key().as_deref().and_then(Fingerprint::of_public_key);
        let principal = match fingerprint {
            Some(fingerprint) => {
                let owners = owners(policy, fingerprint.as_str());
                if owners.is_empty() && !policy.signers.entries().any(SignerEntry::is_authority) {
                    return Err(nobodys(fingerprint.as_str()).into());
                }
                match owners.as_slice() {
                    [one] => Some((*one).clone()),
                    _ => None,
                }
            }
            None => None,
        };
        Ok(Self { git, signer, principal })
    }
}

/// Whose the signature is, and that it counts now: refused before anything is written where it does not.
pub(super) fn counting(policy: &Policy, commit: &SignedCommit, now: Time) -> Result<Verified, Failure> {
    let times = [commit.time(), now.max(commit.time())];
    let verified = policy.signers.attribute(commit.signature(), &times).counts.map_err(|defects| {
        let first = defects.into_iter().next();
        let (code, reason) = match first {
            Some(defect) => (defect.code.as_str(), defect.reason),
            None => ("unknown-key", "its key is nobody's".to_owned()),
        };
        Failure::new(code, format!("this signature would not count: {reason}"))
            .help("sign with the key that stands for you in `policy/allowed_signers`; nothing was written")
    })?;
    let key = verified.key().as_str();
    if policy.revoked.iter().any(|revocation| revocation.key == key) {
        return Err(Failure::new("key-revoked", format!("the policy revokes the key `{key}`"))
            .help("sign with another key; nothing was written"));
    }
    Ok(verified)
}

/// Refuses a signer who does not hold the role, or not with this key.
pub(super) fn refuse_out_of_role(policy: &Policy, signer: &Verified, role: &Name) -> Result<(), Failure> {
    refuse_not_in_role(policy, signer.principal(), role)?;
    let required = policy.roles.get(role).map_or(KeyRequirement::Any, |role| role.keys);
    let (enough, code, asked) = match required {
        KeyRequirement::Any => (true, "", ""),
        KeyRequirement::Hardware => (signer.hold() >= Hold::Hardware, "key-not-hardware", "a hardware key"),
        KeyRequirement::HardwareVerified => (
            signer.hold() >= Hold::HardwareVerified,
            if signer.hold() == Hold::Hardware { "no-verification" } else { "key-not-hardware" },
            "a hardware key that verifies its user",
        ),
    };
    if enough {
        return Ok(());
    }
    Err(Failure::new(code, format!("the role `{role}` asks for {asked}"))
        .help("sign with such a key: `git -c user.signingkey=<key> gate …`; nothing was written"))
}

/// Refuses who does not hold the role.
pub(super) fn refuse_not_in_role(policy: &Policy, principal: &Principal, role: &Name) -> Result<(), Failure> {
    if policy.holds(principal, role) {
        return Ok(());
    }
    let holders: Vec<String> = policy.role_holders(role).map(|holder| format!("`{holder}`")).collect();
    let help = if policy.roles.contains_key(role) {
        format!("it is held by {}", if holders.is_empty() { "nobody".to_owned() } else { holders.join(", ") })
    } else {
        let roles: Vec<String> = policy.roles.keys().map(|role| format!("`{role}`")).collect();
        format!("roles of the policy in force: {}", roles.join(", "))
    };
    Err(Failure::new("not-in-role", format!("`{principal}` does not hold the role `{role}`")).help(help))
}

/// All that the key of this fingerprint stands for.
fn owners<'a>(policy: &'a Policy, fingerprint: &str) -> Vec<&'a Principal> {
    let mut owners: Vec<&Principal> = policy
        .signers
        .entries()
        .filter(|entry| !entry.is_authority() && entry.fingerprint().as_str() == fingerprint)
        .flat_map(SignerEntry::principals)
        .collect();
    owners.sort();
    owners.dedup();
    owners
}

fn nobodys(fingerprint: &str) -> Failure {
    Failure::new("unknown-key", format!("your signing key `{fingerprint}` is nobody's in `policy/allowed_signers`"))
        .help("have it added by a policy change, or sign with the key that stands there: `git config user.signingkey <key>`")
}
