//! A raw Ed25519 signature over bytes that are no commit: what an envelope of an attestation holds.
//!
//! SSHSIG wraps what it signs; readers of attestations expect the plain signature of the key. Only Ed25519 has one form
//! that an SSH agent gives and they take.

use ssh_key::public::KeyData;

use super::key::{PublicKey, Unfit};
use super::{Fingerprint, maths};

/// How long an Ed25519 signature is.
const LENGTH: usize = 64;

/// An Ed25519 key whose plain signatures can be checked.
#[derive(Debug, Clone)]
pub struct PlainKey(PublicKey);

impl PlainKey {
    /// The key of a line such as `ssh-ed25519 AAAA…`; else what it is instead, for people.
    pub fn of_public_key(line: &str) -> Result<Self, String> {
        let read = ssh_key::PublicKey::from_openssh(line).map_err(|error| format!("unreadable: {error}"))?;
        let key = PublicKey::of(read.key_data().clone()).map_err(|unfit| match unfit {
            Unfit::Bad(reason) => format!("no key: {reason}"),
            Unfit::Unsupported(what) => what,
        })?;
        if matches!(key.data, KeyData::Ed25519(_)) { Ok(Self(key)) } else { Err(key.description()) }
    }

    /// The key in the wire format, as an agent names it.
    pub fn blob(&self) -> &[u8] {
        &self.0.blob
    }

    /// The key's name.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.0.fingerprint
    }

    /// The plain signature in what an agent returned (the wire format), if this key made it over `message`.
    pub fn verified(&self, message: &[u8], wire: &[u8]) -> Option<[u8; LENGTH]> {
        maths::verify(&self.0, message, wire).ok()?;
        wire.last_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::super::testing::strings;
    use super::*;

    #[test]
    fn only_what_this_key_signed_over_these_bytes_is_a_signature() {
        let secret = SigningKey::from_bytes(&[7; 32]);
        let blob = strings(&[b"ssh-ed25519", secret.verifying_key().as_bytes()]);
        let key = PlainKey(PublicKey::read(&blob).unwrap());
        let raw = secret.sign(b"message").to_bytes();
        let wire = strings(&[b"ssh-ed25519", &raw]);
        assert_eq!(key.verified(b"message", &wire), Some(raw));
        let by_another = SigningKey::from_bytes(&[8; 32]).sign(b"message").to_bytes();
        for (message, wire) in [
            (&b"other"[..], wire.clone()),
            (b"message", strings(&[b"ssh-ed25519", &by_another])),
            (b"message", strings(&[b"ssh-rsa", &raw])),
            (b"message", [&wire[..], &[0]].concat()),
            (b"message", wire[..wire.len() - 1].to_vec()),
            (b"message", Vec::new()),
        ] {
            assert_eq!(key.verified(message, &wire), None, "{wire:?}");
        }
    }

    #[test]
    fn a_key_of_another_type_is_named() {
        for (line, named) in [
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA", "unreadable"),
            (
                "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKStCQRZH+30NbcvLMr6b9qRN53IPqYtwzDfKhzeM8tQiii8iIMEEHM29F5zxpxSZomC/ar7A9gewfE4TtABO4M=",
                "ECDSA P-256",
            ),
        ] {
            let what = PlainKey::of_public_key(line).unwrap_err();
            assert!(what.starts_with(named), "{what}");
        }
    }
}
