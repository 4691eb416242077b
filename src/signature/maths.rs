//! Verifies one raw signature with one key: mathematics alone.
//!
//! What is signed is the caller's; whose the key is, and whether it is strong enough, is settled elsewhere. Hardware
//! keys sign a digest with flags and a counter, which `ssh-keygen -Y verify` reads and does not judge: they are handed
//! on here.

use rsa::signature::Verifier as _;
use sha2::{Digest as _, Sha256, Sha512};

use super::key::{Material, PublicKey};
use super::wire::{Reader, Unreadable};

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

/// Why a raw signature is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An algorithm that does not count.
    Unsupported(String),
    /// It is unreadable or does not verify.
    Bad(&'static str),
}

/// Verifies `signature`, in the wire format, over `message`.
pub(super) fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<Presence, Refusal> {
    let mut reader = Reader::new(signature);
    let name = reader.text()?;
    let raw = reader.string()?;
    let wanted = |expected: &str| if name == expected { Ok(()) } else { Err(other_algorithm(name)) };
    match &key.material {
        Material::Ed25519(key) => {
            wanted("ssh-ed25519")?;
            reader.end()?;
            verify_ed25519(key, message, raw)?;
        }
        Material::P256(key) => {
            wanted("ecdsa-sha2-nistp256")?;
            reader.end()?;
            verify_p256(key, message, raw)?;
        }
        Material::P384(key) => {
            wanted("ecdsa-sha2-nistp384")?;
            reader.end()?;
            let (r, s) = read_pair::<48>(raw)?;
            let signature = p384::ecdsa::Signature::from_scalars(r, s).map_err(fails)?;
            key.verify(message, &signature).map_err(fails)?;
        }
        Material::P521(key) => {
            wanted("ecdsa-sha2-nistp521")?;
            reader.end()?;
            let (r, s) = read_pair::<66>(raw)?;
            let signature = p521::ecdsa::Signature::from_scalars(r, s).map_err(fails)?;
            key.verify(message, &signature).map_err(fails)?;
        }
        Material::Rsa { exponent, modulus } => {
            reader.end()?;
            verify_rsa(exponent, modulus, name, message, raw)?;
        }
        Material::SkEd25519 { key, application } => {
            wanted("sk-ssh-ed25519@openssh.com")?;
            let (message, presence) = read_token(&mut reader, application, message)?;
            verify_ed25519(key, &message, raw)?;
            return Ok(presence);
        }
        Material::SkP256 { key, application } => {
            wanted("sk-ecdsa-sha2-nistp256@openssh.com")?;
            let (message, presence) = read_token(&mut reader, application, message)?;
            verify_p256(key, &message, raw)?;
            return Ok(presence);
        }
    }
    Ok(Presence::Software)
}

fn verify_ed25519(key: &ed25519_dalek::VerifyingKey, message: &[u8], raw: &[u8]) -> Result<(), Refusal> {
    let signature = ed25519_dalek::Signature::from_slice(raw).map_err(fails)?;
    key.verify_strict(message, &signature).map_err(fails)
}

fn verify_p256(key: &p256::ecdsa::VerifyingKey, message: &[u8], raw: &[u8]) -> Result<(), Refusal> {
    let (r, s) = read_pair::<32>(raw)?;
    let signature = p256::ecdsa::Signature::from_scalars(r, s).map_err(fails)?;
    key.verify(message, &signature).map_err(fails)
}

/// The two numbers of an ECDSA signature, each filled up to `N` bytes.
fn read_pair<const N: usize>(raw: &[u8]) -> Result<([u8; N], [u8; N]), Refusal> {
    let mut reader = Reader::new(raw);
    let pair = (fill(reader.positive()?)?, fill(reader.positive()?)?);
    reader.end()?;
    Ok(pair)
}

fn fill<const N: usize>(digits: &[u8]) -> Result<[u8; N], Refusal> {
    let mut filled = [0; N];
    filled
        .len()
        .checked_sub(digits.len())
        .and_then(|zeros| filled.get_mut(zeros..))
        .ok_or(Refusal::Bad("a number in it is too large"))?
        .copy_from_slice(digits);
    Ok(filled)
}

enum RsaHash {
    Sha256,
    Sha512,
}

fn verify_rsa(
    exponent: &[u8],
    modulus: &[u8],
    name: &str,
    message: &[u8],
    raw: &[u8],
) -> Result<(), Refusal> {
    let hash = match name {
        "rsa-sha2-256" => RsaHash::Sha256,
        "rsa-sha2-512" => RsaHash::Sha512,
        _ => return Err(other_algorithm(name)),
    };
    let number = rsa::BoxedUint::from_be_slice_vartime;
    let key = rsa::RsaPublicKey::new_with_max_size(number(modulus), number(exponent), modulus.len() * 8)
        .map_err(|_error| Refusal::Bad("its RSA key cannot be used"))?;
    // Some agents drop leading zeros; OpenSSH fills them up, so this does.
    let zeros = modulus
        .len()
        .checked_sub(raw.len())
        .filter(|zeros| *zeros < modulus.len())
        .ok_or(Refusal::Bad("its length is not that of its RSA key"))?;
    let mut filled = vec![0; zeros];
    filled.extend(raw);
    let signature = rsa::pkcs1v15::Signature::try_from(filled.as_slice()).map_err(fails)?;
    match hash {
        RsaHash::Sha256 => rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(message, &signature),
        RsaHash::Sha512 => rsa::pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(message, &signature),
    }
    .map_err(fails)
}

/// The flags and counter that end a hardware key's signature, and what such a key signs.
fn read_token(
    reader: &mut Reader<'_>,
    application: &str,
    message: &[u8],
) -> Result<(Vec<u8>, Presence), Refusal> {
    let flags = reader.u8()?;
    let counter = reader.u32()?;
    reader.end()?;
    let mut signed = Sha256::digest(application).to_vec();
    signed.push(flags);
    signed.extend(counter.to_be_bytes());
    signed.extend(Sha256::digest(message));
    Ok((signed, Presence::Token { touched: flags & TOUCHED != 0, verified: flags & VERIFIED != 0 }))
}

fn other_algorithm(name: &str) -> Refusal {
    Refusal::Unsupported(match name {
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
fn fails<E>(_error: E) -> Refusal {
    Refusal::Bad("the signature does not verify over what was signed")
}

impl From<Unreadable> for Refusal {
    fn from(error: Unreadable) -> Self {
        Self::Bad(error.0)
    }
}
