//! SSH signatures: whether one is good, and whose it is.
//!
//! Two questions, apart. [`verify`] asks mathematics alone: do these armored bytes sign this payload, with a key and
//! hash that may count? [`AllowedSigners::attribute`] asks the policy: whose key is that, and may it sign at these
//! times? Pure over bytes, keys and times; nothing here knows of commits or roles. The only place that makes a
//! [`Signature`] or a [`Verified`]: holding one is the proof (design, section 8).

mod key;
mod signers;

pub use key::Fingerprint;
pub use signers::AllowedSigners;

use crate::model::{Code, Principal};

/// A signature that verifies over its payload in namespace `git`, by a key strong enough to count.
#[derive(Debug, Clone)]
pub struct Signature {
    // Private: only `verify` makes one. The helper who owns this module completes the fields.
}

/// Why a signature is none that could count, whoever's key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// One of `unsupported-signature`, `bad-signature`, `wrong-namespace`, `weak-key`, `unknown-key`, `no-touch`,
    /// `no-verification`, `key-not-valid`.
    pub code: Code,
    /// What was found, for people.
    pub reason: String,
}

/// A signature that counts: its signer, and with what kind of key. Only [`AllowedSigners::attribute`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    principal: Principal,
    key: Fingerprint,
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

impl Verified {
    /// Who signed.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// With which key: for a certificate, the certified key.
    pub fn key(&self) -> &Fingerprint {
        &self.key
    }

    /// How that key is held.
    pub fn hold(&self) -> Hold {
        self.hold
    }
}
