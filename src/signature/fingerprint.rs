//! The name of a key.
//!
//! SHA-256 alone: `ssh-key` also reads names by SHA-512, which nobody writes in a policy, and one key has one name.

use std::fmt;
use std::str::FromStr;

use ssh_key::HashAlg;
use ssh_key::public::KeyData;

use crate::model::Malformed;

/// A key's name, `SHA256:…`, as `ssh-keygen -l` prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    pub(super) fn of(key: &KeyData) -> Self {
        Self(key.fingerprint(HashAlg::Sha256).to_string())
    }

    /// The fingerprint of a public key as OpenSSH writes it in a line of text; nothing of a certificate, whose line in
    /// `allowed_signers` is its authority's.
    pub fn of_public_key(line: &str) -> Option<Self> {
        let key = ssh_key::PublicKey::from_openssh(line).ok()?;
        Some(Self::of(key.key_data()))
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        text.parse()
            .ok()
            .filter(|read: &ssh_key::Fingerprint| read.is_sha256() && read.to_string() == text)
            .map(|_read| Self(text.to_owned()))
            .ok_or_else(|| {
                Malformed("a fingerprint is `SHA256:` and 43 characters, as `ssh-keygen -l` prints it".into())
            })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::PublicKey;
    use super::super::testing::blob;
    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_written() {
        let fingerprint = PublicKey::read(&blob(1)).unwrap().fingerprint;
        assert_eq!(fingerprint.as_str().parse::<Fingerprint>().unwrap(), fingerprint);
        assert_eq!(fingerprint.as_str().len(), 50);
        for bad in [
            "",
            "SHA256:",
            "MD5:00",
            &format!("SHA512:{}", "A".repeat(86)),
            "SHA256:abc",
            &format!("{fingerprint}="),
            &format!(" {fingerprint}"),
        ] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
