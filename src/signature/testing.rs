//! Keys and signatures made in memory, for the tests of this module alone.

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256, Sha512};
use ssh_key::encoding::Encode as _;
use ssh_key::encoding::base64::{Base64, Encoding as _};

/// The parts of an envelope, each of which a test may spoil before it is signed.
pub(super) struct Made<'a> {
    pub(super) version: u32,
    pub(super) namespace: &'a str,
    pub(super) reserved: &'a [u8],
    pub(super) hash: &'a str,
    pub(super) algorithm: &'a str,
}

impl Default for Made<'_> {
    fn default() -> Self {
        Self { version: 1, namespace: "git", reserved: b"", hash: "sha512", algorithm: "ssh-ed25519" }
    }
}

impl Made<'_> {
    /// The armored signature of `payload` by the key of `seed`.
    pub(super) fn sign(&self, seed: u8, payload: &[u8]) -> String {
        let digest = match self.hash {
            "sha256" => Sha256::digest(payload).to_vec(),
            _ => Sha512::digest(payload).to_vec(),
        };
        let parts = strings(&[self.namespace.as_bytes(), self.reserved, self.hash.as_bytes()]);
        let signed = [b"SSHSIG", &parts[..], &strings(&[&digest])].concat();
        let raw = SigningKey::from_bytes(&[seed; 32]).sign(&signed).to_bytes();
        let signature = strings(&[self.algorithm.as_bytes(), &raw]);
        let key = strings(&[&blob(seed)]);
        armor(&[b"SSHSIG", &self.version.to_be_bytes()[..], &key, &parts, &strings(&[&signature])].concat())
    }
}

/// A key in the wire format.
pub(super) fn blob(seed: u8) -> Vec<u8> {
    strings(&[b"ssh-ed25519", SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes()])
}

/// A key as in a `.pub` file.
pub(super) fn public(seed: u8) -> String {
    format!("ssh-ed25519 {}", Base64::encode_string(&blob(seed)))
}

/// Strings in the wire format, one behind the other.
pub(super) fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let mut buffer = Vec::new();
    for part in parts {
        part.encode(&mut buffer).unwrap();
    }
    buffer
}

pub(super) fn armor(blob: &[u8]) -> String {
    let base64 = Base64::encode_string(blob);
    format!("-----BEGIN SSH SIGNATURE-----\n{base64}\n-----END SSH SIGNATURE-----\n")
}
