//! Who signed a commit, and whether that counts.
//!
//! Mathematics once a commit, whoever asks; whose the key is under one policy, at given times; and what `[[revoked]]`
//! takes back. A commit that the strict reader refuses is never signed so that it counts; but whose it is can still be
//! told, for what restricts (design, sections 2.8, 8 and 9.5).

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::git::{GitError, Repository, raw};
use crate::model::{Code, ContentDigest, ObjectId, Principal, Time};
use crate::policy::{KeyRequirement, Policy, Since};
use crate::signature::{Hold, Keys, Signature};

use super::history::History;

/// What a commit's bytes say of its signature and shape; of no policy.
#[derive(Debug)]
pub(crate) struct Signed {
    /// Why the strict reader refuses the commit.
    pub(crate) malformed: Option<String>,
    armored: Option<Vec<u8>>,
    payload: Vec<u8>,
    keys: Rc<Keys>,
    /// Worked out when it is asked for: most commits are read for what they say alone.
    verified: OnceCell<Result<Signature, (Code, String)>>,
    /// Whether the author and committer lines are the same, time included.
    pub(crate) one_identity: bool,
    /// The message. Of a malformed commit: as far as it can be read.
    pub(crate) message: String,
    /// The parents, in order.
    pub(crate) parents: Vec<ObjectId>,
    /// The top tree.
    pub(crate) tree: ObjectId,
    /// The committer date.
    pub(crate) date: Time,
}

/// Who signed, under one policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signer {
    /// The one principal whose key it is, whatever else is wrong.
    pub(crate) owner: Option<Principal>,
    /// The key's fingerprint.
    pub(crate) key: Option<String>,
    /// How the key is held, where the signature counts.
    pub(crate) hold: Option<Hold>,
    /// Why it does not count; empty: it does.
    pub(crate) defects: BTreeMap<Code, String>,
    /// Whether a revocation takes away even what restricts.
    pub(crate) restricts_nothing: bool,
}

/// So many signatures may be kept when others are let go of.
const FEW: usize = 1024;

/// Signatures of one repository's commits, each verified once.
#[derive(Debug)]
pub(crate) struct Signing {
    repository: Rc<Repository>,
    known: RefCell<HashMap<ObjectId, Rc<Signed>>>,
    keys: Rc<Keys>,
}

impl Signing {
    pub(crate) fn new(repository: Rc<Repository>) -> Self {
        Self { repository, known: RefCell::default(), keys: Rc::default() }
    }

    /// Lets go of what was read and verified: who asks about thousands keeps no more than what is in hand.
    pub(crate) fn forget(&self) {
        let mut known = self.known.borrow_mut();
        if known.len() >= FEW {
            *known = HashMap::new();
        }
    }

    /// The commit's signature and shape.
    pub(crate) fn signed(&self, id: ObjectId) -> Result<Rc<Signed>, GitError> {
        if let Some(signed) = self.known.borrow().get(&id) {
            return Ok(Rc::clone(signed));
        }
        let bytes = self.repository.read_commit(id)?;
        let signed = Rc::new(Signed::read(id, &bytes, &self.keys)?);
        self.known.borrow_mut().insert(id, Rc::clone(&signed));
        Ok(signed)
    }
}

impl Signed {
    /// Reads a commit's bytes.
    pub(crate) fn read(id: ObjectId, bytes: &[u8], keys: &Rc<Keys>) -> Result<Self, GitError> {
        let keys = Rc::clone(keys);
        match raw::parse(bytes) {
            Ok(commit) => Ok(Self {
                malformed: None,
                armored: commit.signature().map(String::into_bytes),
                payload: commit.payload(),
                keys,
                verified: OnceCell::new(),
                one_identity: commit.same_author_and_committer(),
                message: commit.message().to_owned(),
                parents: commit.parents().to_vec(),
                tree: commit.tree(),
                date: commit.committer_time(),
            }),
            Err(defect) => {
                let unreadable = || GitError::Corrupt { id, reason: "git itself cannot read it".into() };
                let commit = raw::salvage(bytes).ok_or_else(unreadable)?;
                Ok(Self {
                    malformed: Some(defect.to_string()),
                    armored: commit.signature,
                    payload: commit.payload,
                    keys,
                    verified: OnceCell::new(),
                    one_identity: false,
                    message: commit.message.replace('\r', ""),
                    parents: commit.links.parents,
                    tree: commit.links.tree,
                    date: commit
                        .links
                        .committer_time
                        .or_else(|| Time::from_unix(0))
                        .ok_or_else(unreadable)?,
                })
            }
        }
    }

    /// The signature, or why there is none that could count.
    pub(crate) fn signature(&self) -> &Result<Signature, (Code, String)> {
        self.verified.get_or_init(|| {
            let Some(armored) = &self.armored else {
                return Err((Code::Unsigned, "the commit is not signed".into()));
            };
            self.keys.verify(&self.payload, armored).map_err(|defect| (defect.code, defect.reason))
        })
    }

    /// What makes two commits one decision: the payload's digest and the key.
    pub(crate) fn identity(&self) -> Option<(ContentDigest, String)> {
        let signature = self.signature().as_ref().ok()?;
        Some((ContentDigest::of_bytes(&self.payload), signature.key().as_str().to_owned()))
    }

    /// Who signed this, under `policy`, at `times`; revocations are another question ([`Revocations`]).
    pub(crate) fn signer(&self, policy: &Policy, times: &[Time]) -> Signer {
        let mut signer = Signer::default();
        if let Some(reason) = &self.malformed {
            signer.defects.insert(Code::MalformedCommit, reason.clone());
        }
        let signature = match self.signature() {
            Ok(signature) => signature,
            Err((code, reason)) => {
                signer.defects.insert(*code, reason.clone());
                return signer;
            }
        };
        signer.key = Some(signature.key().as_str().to_owned());
        let attribution = policy.signers.attribute(signature, times);
        signer.owner = attribution.owner;
        match attribution.counts {
            Ok(verified) => signer.hold = Some(verified.hold()),
            Err(defects) => {
                for defect in defects {
                    signer.defects.entry(defect.code).or_insert(defect.reason);
                }
            }
        }
        signer
    }

    /// The fingerprints by which the key may be revoked: its own, and of a certificate its authority's.
    pub(crate) fn revocable(&self) -> Vec<String> {
        let Ok(signature) = self.signature() else { return Vec::new() };
        let authority = signature.ca_key().map(|key| key.as_str().to_owned());
        std::iter::once(signature.key().as_str().to_owned()).chain(authority).collect()
    }
}

impl Signer {
    /// The signer, where the signature counts; else why not.
    pub(crate) fn counting(&self) -> Result<&Principal, (Code, String)> {
        match (self.defects.iter().next(), &self.owner) {
            (Some((code, reason)), _) => Err((*code, reason.clone())),
            (None, Some(owner)) => Ok(owner),
            (None, None) => Err((Code::UnknownKey, "nobody's key".into())),
        }
    }

    /// Adds what is wrong with acting in `role` under `policy` with this key.
    pub(crate) fn act_in(&mut self, policy: &Policy, role: &crate::model::Name) {
        let Some(known) = policy.roles.get(role) else {
            self.defects.insert(Code::NotInRole, format!("the policy has no role `{role}`"));
            return;
        };
        let holds = self.owner.as_ref().is_some_and(|owner| known.members.contains(owner));
        if !holds && self.owner.is_some() {
            self.defects.insert(Code::NotInRole, format!("the signer does not hold the role `{role}`"));
        }
        if let Some((code, reason)) = self.hold.and_then(|hold| unfit(hold, known.keys)) {
            self.defects.insert(code, format!("the role `{role}` {reason}"));
        }
    }

    /// The roles under `policy` that this signer holds and may exercise with this key.
    pub(crate) fn roles(&self, policy: &Policy) -> std::collections::BTreeSet<crate::model::Name> {
        let (Some(owner), Some(hold)) = (&self.owner, self.hold) else {
            return std::collections::BTreeSet::new();
        };
        policy
            .roles
            .iter()
            .filter(|(_, role)| role.members.contains(owner) && unfit(hold, role.keys).is_none())
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Whether the owner holds any role, whatever the key.
    pub(crate) fn holds_any_role(&self, policy: &Policy) -> bool {
        self.owner
            .as_ref()
            .is_some_and(|owner| policy.roles.values().any(|role| role.members.contains(owner)))
    }
}

fn unfit(hold: Hold, asked: KeyRequirement) -> Option<(Code, &'static str)> {
    match (asked, hold) {
        (KeyRequirement::Any, _)
        | (KeyRequirement::Hardware, Hold::Hardware | Hold::HardwareVerified)
        | (KeyRequirement::HardwareVerified, Hold::HardwareVerified) => None,
        (KeyRequirement::Hardware | KeyRequirement::HardwareVerified, Hold::Software) => {
            Some((Code::KeyNotHardware, "asks for a hardware key"))
        }
        (KeyRequirement::HardwareVerified, Hold::Hardware) => {
            Some((Code::NoVerification, "asks for a hardware key that verified its user (PIN or biometrics)"))
        }
    }
}

/// `[[revoked]]` of one policy, on one chain.
#[derive(Debug, Default)]
pub(crate) struct Revocations {
    keys: BTreeMap<String, Vec<Revoked>>,
}

#[derive(Debug, Clone)]
struct Revoked {
    since: From,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// Nothing by the key ever counted.
    Always,
    /// What a later link brought in, or none yet, does not count.
    After(u32),
    /// The commit is not on the chain: nothing that permits counts, all that restricts does.
    Unknown,
}

impl Revocations {
    pub(crate) fn of(policy: &Policy, history: &History) -> Self {
        let mut keys: BTreeMap<String, Vec<Revoked>> = BTreeMap::new();
        for revocation in &policy.revoked {
            let since = match revocation.since {
                Since::NeverTrusted => From::Always,
                Since::Commit(id) => match (history.link_of(id), history.find(id)) {
                    (Some(link), _) => From::After(link),
                    (None, Some(at))
                        if history.commit(at).link == 0 && history.is_first_parent_of_root(at) =>
                    {
                        From::After(0)
                    }
                    (None, _) => From::Unknown,
                },
            };
            let revoked = Revoked { since, reason: revocation.reason.clone() };
            keys.entry(revocation.key.clone()).or_default().push(revoked);
        }
        Self { keys }
    }

    /// The digest of all that they take back.
    pub(crate) fn digest(&self) -> ContentDigest {
        ContentDigest::of_bytes(format!("{:?}", self.keys).as_bytes())
    }

    /// Adds to `signer` what a revocation takes back of a signature that `link` recorded (nothing: not recorded yet).
    pub(crate) fn apply(&self, signed: &Signed, link: Option<u32>, signer: &mut Signer) {
        for fingerprint in signed.revocable() {
            for revoked in self.keys.get(&fingerprint).map(Vec::as_slice).unwrap_or_default() {
                let (permits, restricts) = match revoked.since {
                    From::Always => (false, false),
                    From::After(since) => {
                        let before = link.is_some_and(|link| link <= since);
                        (before, before)
                    }
                    From::Unknown => (false, true),
                };
                if !permits {
                    let reason = format!("the policy revokes {fingerprint}: {}", revoked.reason);
                    signer.defects.insert(Code::KeyRevoked, reason);
                }
                signer.restricts_nothing |= !restricts;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_exercised_with_a_key_held_as_it_asks_or_better() {
        use Hold::{Hardware, HardwareVerified, Software};
        use KeyRequirement as Asks;
        for (asked, held, expected) in [
            (Asks::Any, Software, None),
            (Asks::Any, Hardware, None),
            (Asks::Any, HardwareVerified, None),
            (Asks::Hardware, Software, Some(Code::KeyNotHardware)),
            (Asks::Hardware, Hardware, None),
            (Asks::Hardware, HardwareVerified, None),
            (Asks::HardwareVerified, Software, Some(Code::KeyNotHardware)),
            (Asks::HardwareVerified, Hardware, Some(Code::NoVerification)),
            (Asks::HardwareVerified, HardwareVerified, None),
        ] {
            assert_eq!(unfit(held, asked).map(|(code, _)| code), expected, "{asked:?} {held:?}");
        }
    }
}
