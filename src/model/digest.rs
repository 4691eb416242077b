//! Digests: of commits and objects, of a directory's content, of artifacts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Malformed;

/// The id of a git object in a SHA-1 repository. SHA-256 repositories are refused when they are opened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub [u8; 20]);

/// A content digest, `sha256:<64 hex digits>` (design, section 5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(pub [u8; 32]);

/// What an artifact is compared by: `sha256:…`, `git:<oid>` or `oci:sha256:…` (design, section 7), as text in lower
/// case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactDigest(Arc<str>);

/// The content digest of a directory's files: what
/// `find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum | sha256sum` prints (design, section 5).
///
/// `files` may come in any order: pairs of relative path and the SHA-256 of the file's bytes.
pub fn content_digest<'a>(files: impl IntoIterator<Item = (&'a str, [u8; 32])>) -> ContentDigest {
    let sorted: std::collections::BTreeMap<&str, [u8; 32]> = files.into_iter().collect();
    let mut hasher = Sha256::new();
    for (path, digest) in sorted {
        hasher.update(hex(&digest));
        hasher.update("  ");
        hasher.update(path);
        hasher.update("\n");
    }
    ContentDigest(hasher.finalize().into())
}

impl ContentDigest {
    /// The SHA-256 of `bytes` themselves: of a file, not of a directory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl ObjectId {
    /// The first seven digits, for people; never for comparing.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(7);
        text
    }
}

impl ArtifactDigest {
    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<ContentDigest> for ArtifactDigest {
    fn from(digest: ContentDigest) -> Self {
        Self(digest.to_string().into())
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lower case hex only: one digest has one spelling.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0u8; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

fn digit(hex: u8) -> Option<u8> {
    match hex {
        b'0'..=b'9' => Some(hex - b'0'),
        b'a'..=b'f' => Some(hex - b'a' + 10),
        _ => None,
    }
}

impl FromStr for ObjectId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        unhex(text)
            .map(Self)
            .ok_or_else(|| Malformed("a commit id here is written in full: 40 digits of `0-9a-f`".into()))
    }
}

impl FromStr for ContentDigest {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        text.strip_prefix("sha256:")
            .and_then(unhex)
            .map(Self)
            .ok_or_else(|| Malformed("a digest is `sha256:` and 64 digits of `0-9a-f`".into()))
    }
}

impl FromStr for ArtifactDigest {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let sha256 = text.strip_prefix("oci:").unwrap_or(text).parse::<ContentDigest>().is_ok();
        let git = text
            .strip_prefix("git:")
            .is_some_and(|oid| unhex::<20>(oid).is_some() || unhex::<32>(oid).is_some());
        if sha256 || git {
            return Ok(Self(text.into()));
        }
        Err(Malformed("an artifact's digest is `sha256:<hex>`, `git:<oid>` or `oci:sha256:<hex>`".into()))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ArtifactDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_digest_is_what_sha256sum_prints() {
        // printf 'a\n' >b; mkdir d; printf '' >d/c; printf 'x' >B; find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum | sha256sum
        let files = [
            ("b", ContentDigest::of_bytes(b"a\n").0),
            ("d/c", ContentDigest::of_bytes(b"").0),
            ("B", ContentDigest::of_bytes(b"x").0),
        ];
        assert_eq!(
            content_digest(files).to_string(),
            "sha256:81b294b738bd060120aaf0237d89ba37dbcfe96f82273f9a37191f78885be1ff"
        );
    }

    #[test]
    fn one_digest_has_one_spelling() {
        let hex = "9b".repeat(32);
        assert!(format!("sha256:{hex}").parse::<ContentDigest>().is_ok());
        for bad in
            [hex.clone(), format!("SHA256:{hex}"), format!("sha256:{}", hex.to_uppercase()), "sha256:".into()]
        {
            assert!(bad.parse::<ContentDigest>().is_err(), "{bad}");
        }
        for good in [format!("oci:sha256:{hex}"), format!("git:{}", "0".repeat(40)), format!("sha256:{hex}")]
        {
            assert!(good.parse::<ArtifactDigest>().is_ok(), "{good}");
        }
        for bad in ["git:12", "oci:sha1:00", "md5:00"] {
            assert!(bad.parse::<ArtifactDigest>().is_err(), "{bad}");
        }
    }
}
