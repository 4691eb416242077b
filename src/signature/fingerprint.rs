//! How a key is named where people and policies speak of it.
//!
//! One key has one fingerprint, since keys have one spelling ([`super::wire`]): a revocation by fingerprint cannot be
//! slipped by writing the key otherwise.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64Unpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

use crate::model::Malformed;

/// A key's name, `SHA256:…`, as `ssh-keygen -l` prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The name of a key in the wire format.
    pub(super) fn of(blob: &[u8]) -> Self {
        Self(format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(blob))))
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        text.strip_prefix("SHA256:")
            .and_then(|digest| Base64Unpadded::decode_vec(digest).ok())
            .filter(|digest| digest.len() == 32)
            .map(|_digest| Self(text.to_owned()))
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
    use super::super::testing::blob;
    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_written() {
        let fingerprint = Fingerprint::of(&blob(1));
        assert_eq!(fingerprint.as_str().parse::<Fingerprint>().unwrap(), fingerprint);
        assert_eq!(fingerprint.as_str().len(), 50);
        for bad in
            ["", "SHA256:", "MD5:00", "SHA256:abc", &format!("{fingerprint}="), &format!(" {fingerprint}")]
        {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
