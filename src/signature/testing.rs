//! Keys and signatures made in memory, for the tests of this module alone.

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256, Sha512};

use super::wire::put_string;

/// The parts of an envelope, each of which a test may spoil before it is signed.
pub(super) struct Made<'a> {
    pub(super) version: u32,
    pub(super) namespace: &'a str,
    pub(super) reserved: &'a [u8],
    pub(super) hash: &'a str,
    pub(super) algorithm: &'a str,
    /// What stands there as the key, where it is not the key itself: a certificate.
    pub(super) key: Option<&'a [u8]>,
}

impl Default for Made<'_> {
    fn default() -> Self {
        Self {
            version: 1,
            namespace: "git",
            reserved: b"",
            hash: "sha512",
            algorithm: "ssh-ed25519",
            key: None,
        }
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
        let key = strings(&[self.key.unwrap_or(&blob(seed))]);
        armor(&[b"SSHSIG", &self.version.to_be_bytes()[..], &key, &parts, &strings(&[&signature])].concat())
    }
}

/// A certificate on the key of seed 1 by the hardware key of seed 9, which was touched or not.
pub(super) fn certificate(kind: u32, principals: &[&str], critical: &[&str], flags: u8) -> Vec<u8> {
    let certified = SigningKey::from_bytes(&[1; 32]);
    let principals: Vec<&[u8]> = principals.iter().map(|name| name.as_bytes()).collect();
    let critical: Vec<&[u8]> = critical.iter().flat_map(|name| [name.as_bytes(), b""]).collect();
    let mut signed =
        strings(&[b"ssh-ed25519-cert-v01@openssh.com", b"nonce", certified.verifying_key().as_bytes()]);
    signed.extend(7u64.to_be_bytes());
    signed.extend(kind.to_be_bytes());
    signed.extend(strings(&[b"id", &strings(&principals)]));
    signed.extend(0u64.to_be_bytes());
    signed.extend(u64::MAX.to_be_bytes());
    signed.extend(strings(&[&strings(&critical), b"", b"", &token_blob()]));
    let tail = [flags, 0, 0, 0, 1];
    let message = [&Sha256::digest("ssh:")[..], &tail, &Sha256::digest(&signed)].concat();
    let raw = SigningKey::from_bytes(&[9; 32]).sign(&message).to_bytes();
    let signature = [strings(&[b"sk-ssh-ed25519@openssh.com", &raw]), tail.to_vec()].concat();
    [signed, strings(&[&signature])].concat()
}

/// The hardware key of seed 9, in the wire format.
fn token_blob() -> Vec<u8> {
    let key = SigningKey::from_bytes(&[9; 32]).verifying_key();
    strings(&[b"sk-ssh-ed25519@openssh.com", key.as_bytes(), b"ssh:"])
}

/// The hardware key of seed 9, as in a `.pub` file.
pub(super) fn token_public() -> String {
    format!("sk-ssh-ed25519@openssh.com {}", Base64::encode_string(&token_blob()))
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
        put_string(&mut buffer, part);
    }
    buffer
}

pub(super) fn armor(blob: &[u8]) -> String {
    let base64 = Base64::encode_string(blob);
    format!("-----BEGIN SSH SIGNATURE-----\n{base64}\n-----END SSH SIGNATURE-----\n")
}
