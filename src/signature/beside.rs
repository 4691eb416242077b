//! The public key that stands in the clear in a file of OpenSSH's own form of private keys, encrypted or not.
//!
//! Only that is decoded. It tells whose key will sign where no `.pub` lies beside it; what a signature proves is verified
//! like any other.

use ssh_key::encoding::base64::{Base64, Encoding as _};

const HEADER: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const FOOTER: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The public half, as `type base64`; nothing where the text is in another form, or holds several keys.
pub fn public_half(private: &str) -> Option<String> {
    let inner = private.trim().strip_prefix(HEADER)?.strip_suffix(FOOTER)?;
    let base64: String = inner.split_whitespace().collect();
    let bytes = Base64::decode_vec(&base64).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?;
    let (_cipher, rest) = text(rest)?;
    let (_derivation, rest) = text(rest)?;
    let (_options, rest) = text(rest)?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_be_bytes(*count) != 1 {
        return None;
    }
    let (public, _private) = text(rest)?;
    let (kind, _key) = text(public)?;
    let kind = std::str::from_utf8(kind).ok()?;
    Some(format!("{kind} {}", Base64::encode_string(public)))
}

/// A length and so many bytes, and what comes after.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{blob, public, strings};
    use super::*;

    fn armored(bytes: &[u8]) -> String {
        format!("{HEADER}\n{}\n{FOOTER}\n", Base64::encode_string(bytes))
    }

    #[test]
    fn the_public_half_of_one_key_is_read_in_the_clear() {
        let file = |count: u32, options: &[u8]| {
            let head = strings(&[b"aes256-ctr", b"bcrypt", options]);
            let keys = strings(&[&blob(1), b"what is encrypted"]);
            armored(&[MAGIC, &head, &count.to_be_bytes(), &keys].concat())
        };
        for options in [&b""[..], &[7; 24], &[1; 300]] {
            assert_eq!(public_half(&file(1, options)), Some(public(1)));
        }
        for count in [0, 2] {
            assert_eq!(public_half(&file(count, b"")), None, "{count} keys");
        }
    }

    #[test]
    fn what_is_no_private_key_has_no_public_half() {
        let mut long = MAGIC.to_vec();
        long.extend(u32::MAX.to_be_bytes());
        for text in [String::new(), "ssh-ed25519 AAAA".into(), armored(b""), armored(MAGIC), armored(&long)] {
            assert_eq!(public_half(&text), None, "{text}");
        }
    }
}
