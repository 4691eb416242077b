//! SSH signatures: whether one is good, and whose it is.
//!
//! Two questions, apart. [`verify`] asks mathematics alone: do these armored bytes sign this payload, with a key and
//! hash that may count? [`AllowedSigners::attribute`] asks the policy: whose key is that, and may it sign at these
//! times? Pure over bytes, keys and times; nothing here knows of commits or roles. The only place that makes a
//! [`Signature`] or a [`Verified`]: holding one is the proof (design, section 8).

mod armor;
mod attribute;
mod beside;
mod certificate;
mod entry;
mod fingerprint;
mod key;
mod line;
mod maths;
mod options;
mod pattern;
mod plain;
mod signers;
mod sshsig;
#[cfg(test)]
mod testing;

pub use beside::public_half;
pub use entry::SignerEntry;
pub use fingerprint::Fingerprint;
pub use plain::PlainKey;
pub use signers::{AllowedSigners, SignerFinding, SignerFindingKind};

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Code, Principal};
use certificate::Certificate;
use key::{PublicKey, Unfit};
use maths::Presence;

/// What signatures are made for: `git` signs commits with `ssh-keygen -Y sign -n git`.
const NAMESPACE: &str = "git";

/// A signature that verifies over its payload in namespace `git`, by a key strong enough to count.
///
/// Only [`verify`] makes one:
///
/// ```compile_fail,E0451
/// fn forge(real: git_gate::signature::Signature) -> git_gate::signature::Signature {
///     git_gate::signature::Signature { ..real }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Signature {
    signer: Signer,
    presence: Presence,
}

/// With what a signature was made.
#[derive(Debug, Clone)]
enum Signer {
    Plain(Arc<PublicKey>),
    Certified(Box<Certificate>),
}

/// Why a signature is none that could count, whosever key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// One of `unsupported-signature`, `bad-signature`, `wrong-namespace`, `weak-key`, `unknown-key`, `no-touch`,
    /// `no-verification`, `key-not-valid`.
    pub code: Code,
    /// What was found, for people.
    pub reason: String,
}

/// A signature that counts: its signer, and with what kind of key. Only [`AllowedSigners::attribute`] makes one:
///
/// ```compile_fail,E0451
/// use git_gate::signature::{Hold, Verified};
/// fn forge(real: Verified) -> Verified {
///     Verified { hold: Hold::HardwareVerified, ..real }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    principal: Principal,
    key: Fingerprint,
    authority: Option<Fingerprint>,
    hold: Hold,
}

/// How a key is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// In a file or an agent.
    Software,
    /// In a hardware token that was touched.
    Hardware,
    /// In a hardware token that was touched and verified its user (PIN or biometrics).
    HardwareVerified,
}

/// Whose a [`Signature`] is under one policy's `allowed_signers`, at given times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The one principal to whom the key belongs, whatever else is wrong (validity window, touch): what restricts needs
    /// no more (design, sections 2.8 and 8). Nothing for an unknown key, a key under several principals or a wildcard.
    pub owner: Option<Principal>,
    /// The proof that the signature counts, or all the defects for which it does not, in the order of [`Code`].
    pub counts: Result<Verified, Vec<Defect>>,
}

/// Verifies that `armored`, as it stands in a commit, signs `payload` in namespace `git`.
///
/// Mathematics alone: one public-key operation, two for a certificate. Whose key it is, [`AllowedSigners::attribute`]
/// says. The one defect returned is the first that applies, in the order of [`Code`].
pub fn verify(payload: &[u8], armored: &[u8]) -> Result<Signature, Defect> {
    Keys::default().verify(payload, armored)
}

/// Keys that were read, for who verifies many signatures: most are by a few keys.
#[derive(Debug, Default)]
pub struct Keys(RefCell<HashMap<Vec<u8>, Arc<PublicKey>>>);

/// More keys than this are not kept: no history has them but a hostile one.
const MOST_KEYS: usize = 1024;

impl Keys {
    /// As [`verify`].
    pub fn verify(&self, payload: &[u8], armored: &[u8]) -> Result<Signature, Defect> {
        sshsig::verify(self, payload, &armor::remove(armored)?)
    }

    /// The key of a whole blob in the wire format; what is none that can be used is refused anew each time.
    fn read(&self, blob: &[u8]) -> Result<Arc<PublicKey>, Unfit> {
        let mut known = self.0.borrow_mut();
        if let Some(key) = known.get(blob) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(PublicKey::read(blob)?);
        if known.len() >= MOST_KEYS {
            known.clear();
        }
        known.insert(blob.to_vec(), Arc::clone(&key));
        Ok(key)
    }
}

impl Defect {
    fn new(code: Code, reason: String) -> Self {
        Self { code, reason }
    }
}

impl Signer {
    /// The key that signed.
    fn key(&self) -> &PublicKey {
        match self {
            Self::Plain(key) => key,
            Self::Certified(certificate) => &certificate.key,
        }
    }

    /// The key that certified it.
    fn authority(&self) -> Option<&PublicKey> {
        match self {
            Self::Plain(_) => None,
            Self::Certified(certificate) => Some(&certificate.authority),
        }
    }
}

impl Signature {
    /// With which key: for a certificate, the certified key.
    pub fn key(&self) -> &Fingerprint {
        &self.signer.key().fingerprint
    }

    /// For a certificate, the key of the authority that signed it. Whoever asks whether a key is revoked asks for
    /// both.
    pub fn ca_key(&self) -> Option<&Fingerprint> {
        self.signer.authority().map(|key| &key.fingerprint)
    }

    /// The kind of key, for people: `ED25519`, `RSA 4096`, `ED25519 certificate`.
    pub fn key_description(&self) -> String {
        let kind = self.signer.key().description();
        match self.signer {
            Signer::Plain(_) => kind,
            Signer::Certified(_) => format!("{kind} certificate"),
        }
    }

    /// What the signature was made for: always `git`.
    pub fn namespace(&self) -> &'static str {
        NAMESPACE
    }
}

impl Verified {
    /// Who signed.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// With which key: for a certificate, the certified key.
    pub fn key(&self) -> &Fingerprint {
        &self.key
    }

    /// For a certificate, the key of the authority that signed it.
    pub fn ca_key(&self) -> Option<&Fingerprint> {
        self.authority.as_ref()
    }

    /// How that key is held.
    pub fn hold(&self) -> Hold {
        self.hold
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Made;
    use super::*;

    #[test]
    fn a_key_that_was_read_before_verifies_what_it_signed_and_nothing_else() {
        let keys = Keys::default();
        let made: Vec<(String, &[u8])> =
            [b"one".as_slice(), b"two"].map(|payload| (Made::default().sign(1, payload), payload)).into();
        let other = Made::default().sign(2, b"one");
        for _ in 0..2 {
            for (armored, payload) in &made {
                let signature = keys.verify(payload, armored.as_bytes()).unwrap();
                assert_eq!(signature.key(), verify(payload, armored.as_bytes()).unwrap().key());
                assert_eq!(keys.verify(b"three", armored.as_bytes()).unwrap_err().code, Code::BadSignature);
            }
            let signature = keys.verify(b"one", other.as_bytes()).unwrap();
            assert_ne!(signature.key(), keys.verify(b"one", made[0].0.as_bytes()).unwrap().key());
        }
        assert_eq!(keys.0.borrow().len(), 2);
    }
}
