//! Verifies one raw signature with one key: mathematics alone.
//!
//! What is signed is the caller's; whose the key is, and whether it is strong enough, is settled elsewhere. Hardware
//! keys sign a digest with flags and a counter, which `ssh-keygen -Y verify` reads and does not judge: they are handed
//! on here.

use ed25519_dalek::Verifier as _;
use sha2::{Digest as _, Sha256};
use ssh_key::Signature;
use ssh_key::public::{KeyData, RsaPublicKey};

use super::key::{PublicKey, Unfit, check_spelling, read_type};

/// User presence: the token was touched.
const TOUCHED: u8 = 0x01;
/// User verification: the token asked for a PIN or a fingerprint.
const VERIFIED: u8 = 0x04;

/// What a good signature says of how its key is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// The key is no hardware key.
    Software,
    /// The flags that a hardware key signed.
    Token { touched: bool, verified: bool },
}

/// Verifies `signature`, in the wire format, over `message`.
pub(super) fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<Presence, Unfit> {
    let name = read_type(signature)?;
    // `ssh-key` itself would take a hardware key's signature under any name.
    let fits = if key.data.is_rsa() {
        matches!(name.as_str(), "rsa-sha2-256" | "rsa-sha2-512")
    } else {
        name == key.type_name()
    };
    if !fits {
        return Err(other_algorithm(&name));
    }
    let read = Signature::try_from(signature).map_err(Unfit::from)?;
    check_spelling(&read, signature)?;
    // `ssh-key` verifies Ed25519 too, but leniently: see `verify_ed25519`.
    match &key.data {
        KeyData::Ed25519(_) => verify_ed25519(key, message, read.as_bytes())?,
        KeyData::SkEd25519(token) => {
            let (raw, trailer) = split(&read)?;
            let application = Sha256::digest(token.application());
            let signed = [&application[..], trailer, &Sha256::digest(message)].concat();
            verify_ed25519(key, &signed, raw)?;
        }
        KeyData::Rsa(rsa) => key.data.verify(message, &filled(rsa, &read)?).map_err(fails)?,
        KeyData::Ecdsa(_) | KeyData::SkEcdsaSha2NistP256(_) => {
            key.data.verify(message, &read).map_err(fails)?;
        }
        KeyData::Dsa(_) | KeyData::Certificate(_) | KeyData::Other(_) | _ => {
            return Err(other_algorithm(&name));
        }
    }
    if !(key.data.is_sk_ed25519() || key.data.is_sk_ecdsa_p256()) {
        return Ok(Presence::Software);
    }
    let (_, [flags, ..]) = split(&read)?;
    Ok(Presence::Token { touched: flags & TOUCHED != 0, verified: flags & VERIFIED != 0 })
}

/// `ssh-key` calls `verify`; `verify_strict` also refuses points of small order, under which one signature can be good
/// for many messages.
fn verify_ed25519(key: &PublicKey, message: &[u8], raw: &[u8]) -> Result<(), Unfit> {
    let point = key.point.as_ref().ok_or_else(|| fails(()))?;
    let signature = ed25519_dalek::Signature::from_slice(raw).map_err(fails)?;
    point.verify_strict(message, &signature).map_err(fails)
}

/// A hardware key's signature: that of the key itself, then flags and a counter.
fn split(signature: &Signature) -> Result<(&[u8], &[u8; 5]), Unfit> {
    signature.as_bytes().split_last_chunk().ok_or(Unfit::Bad("it ends too early"))
}

/// Some agents drop leading zeros of an RSA signature; OpenSSH fills them up, `ssh-key` does not, so this does.
fn filled(key: &RsaPublicKey, signature: &Signature) -> Result<Signature, Unfit> {
    let length = key.n().as_positive_bytes().unwrap_or_default().len();
    let raw = signature.as_bytes();
    let zeros = length
        .checked_sub(raw.len())
        .filter(|zeros| *zeros < length)
        .ok_or(Unfit::Bad("its length is not that of its RSA key"))?;
    Signature::new(signature.algorithm(), [&vec![0; zeros], raw].concat()).map_err(fails)
}

fn other_algorithm(name: &str) -> Unfit {
    Unfit::Unsupported(match name {
        "ssh-rsa" => {
            "an RSA signature with SHA-1 (`ssh-rsa`): `rsa-sha2-256` and `rsa-sha2-512` count".to_owned()
        }
        "ssh-dss" => "a DSA signature".to_owned(),
        _ => {
            let name: String = name.chars().take(64).collect();
            format!("a signature of type `{name}`, which does not count for its key")
        }
    })
}

/// Whatever a library says, there is one thing to tell: which check failed helps forgers only.
fn fails<E>(_error: E) -> Unfit {
    Unfit::Bad("the signature does not verify over what was signed")
}
