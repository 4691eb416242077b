//! Public keys: how they are read, how they are named, and which are strong enough.
//!
//! `ssh-key` reads them; on top stands what it leaves open. The algorithms of section 8 of the design count and no
//! other, and a key is a point or number that its algorithm can use, in the one spelling that SSH gives it: else one
//! key could stand in a file or a signature under two fingerprints.

use std::fmt;

use ssh_key::encoding::{Decode as _, Encode};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};
use ssh_key::{Algorithm, EcdsaCurve};

use super::Fingerprint;
use crate::model::limits;

/// Largest RSA modulus that is used, in bits: that of `ssh-key`. It bounds what one verification can cost; OpenSSH would
/// take 16384, and a signature by such a key is `unsupported-signature` here.
const LARGEST_RSA_BITS: usize = 8_192;

/// Smallest RSA modulus that is calculated with, in bits: OpenSSH's own limit.
const SMALLEST_RSA_BITS: usize = 1_024;

/// Longest application name of a hardware key, in bytes. It is `ssh:` and a word, as a rule.
const LONGEST_APPLICATION: usize = 1_024;

/// A public key that its algorithm can use.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// In the wire format; two keys are the same when this is.
    pub(super) blob: Vec<u8>,
    pub(super) fingerprint: Fingerprint,
    /// What signatures are verified with. Only [`PublicKey::of`] lets a kind in.
    pub(super) data: KeyData,
    /// Of an Ed25519 key, in hardware or not: its point, worked out once.
    pub(super) point: Option<ed25519_dalek::VerifyingKey>,
}

/// Why bytes are no key, certificate or signature that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Of an algorithm or size that does not count.
    Unsupported(String),
    /// Not of the form that it should have, or of none that verifies.
    Bad(&'static str),
}

/// Whether a key of the type `name` can count.
pub(super) fn is_plain_type(name: &str) -> bool {
    Algorithm::new(name).is_ok_and(|algorithm| counts(&algorithm))
}

/// Whether `name` is the type of the certificates on keys that can count.
pub(super) fn is_certificate_type(name: &str) -> bool {
    Algorithm::new_certificate(name).is_ok_and(|algorithm| counts(&algorithm))
}

/// The name of a type, with which whatever is on the wire begins.
pub(super) fn read_type(blob: &[u8]) -> Result<String, Unfit> {
    Ok(String::decode(&mut &*blob).map_err(ssh_key::Error::from)?)
}

/// Refuses `blob` unless it is the one spelling of what was read from it. `ssh-key` looks over what is left over in
/// an inner part, and knows some types by several names.
pub(super) fn check_spelling(read: &impl Encode, blob: &[u8]) -> Result<(), Unfit> {
    if read.encode_vec().is_ok_and(|written| written == blob) {
        Ok(())
    } else {
        Err(Unfit::Bad("it is not written as SSH writes it"))
    }
}

impl PublicKey {
    /// The key of a whole blob in the wire format.
    pub(super) fn read(blob: &[u8]) -> Result<Self, Unfit> {
        let name = read_type(blob)?;
        if !is_plain_type(&name) {
            return Err(unsupported(&name));
        }
        let key = Self::of(KeyData::decode(&mut &*blob)?)?;
        check_spelling(&key.data, blob)?;
        Ok(key)
    }

    /// The key that was read, if it can be used.
    pub(super) fn of(data: KeyData) -> Result<Self, Unfit> {
        let mut ed25519 = None;
        match &data {
            KeyData::Ed25519(point) => ed25519 = Some(check_ed25519(point)?),
            KeyData::Ecdsa(point) => check_point(point)?,
            KeyData::Rsa(key) => check_rsa(key)?,
            KeyData::SkEd25519(key) => {
                ed25519 = Some(check_ed25519(key.public_key())?);
                check_application(key.application())?;
            }
            KeyData::SkEcdsaSha2NistP256(key) => {
                check_point(&EcdsaPublicKey::NistP256(*key.ec_point()))?;
                check_application(key.application())?;
            }
            KeyData::Certificate(_) => return Err(Unfit::Unsupported("a certificate".to_owned())),
            KeyData::Dsa(_) | KeyData::Other(_) | _ => return Err(unsupported(data.algorithm().as_str())),
        }
        let blob = data.encode_vec().map_err(ssh_key::Error::from)?;
        let fingerprint = Fingerprint::of(&data);
        Ok(Self { blob, fingerprint, data, point: ed25519 })
    }

    /// The name of its type, as in a `.pub` file.
    pub(super) fn type_name(&self) -> String {
        self.data.algorithm().as_str().to_owned()
    }

    /// Why the key is too weak to count, if it is.
    pub(super) fn weakness(&self) -> Option<String> {
        let bits = bits(self.data.rsa()?);
        (bits < limits::RSA_BITS)
            .then(|| format!("an RSA key of {bits} bits: {} are the least that count", limits::RSA_BITS))
    }

    /// Whether the key is too small even to calculate with.
    pub(super) fn is_tiny(&self) -> bool {
        self.data.rsa().is_some_and(|key| bits(key) < SMALLEST_RSA_BITS)
    }

    /// The key's kind, for people: `ED25519`, `RSA 4096`.
    pub(super) fn description(&self) -> String {
        match &self.data {
            KeyData::Ed25519(_) => "ED25519".to_owned(),
            KeyData::Ecdsa(key) => match key.curve() {
                EcdsaCurve::NistP256 => "ECDSA P-256".to_owned(),
                EcdsaCurve::NistP384 => "ECDSA P-384".to_owned(),
                EcdsaCurve::NistP521 => "ECDSA P-521".to_owned(),
            },
            KeyData::Rsa(key) => format!("RSA {}", bits(key)),
            KeyData::SkEd25519(_) => "ED25519-SK".to_owned(),
            KeyData::SkEcdsaSha2NistP256(_) => "ECDSA-SK".to_owned(),
            KeyData::Dsa(_) | KeyData::Certificate(_) | KeyData::Other(_) | _ => self.type_name(),
        }
    }
}

fn counts(algorithm: &Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::Ed25519
            | Algorithm::Ecdsa { .. }
            | Algorithm::Rsa { hash: None }
            | Algorithm::SkEd25519
            | Algorithm::SkEcdsaSha2NistP256
    )
}

/// `ssh-key` takes any 32 bytes. Under a weak key any signature is good; a coordinate that is not reduced is a second
/// spelling of another.
fn check_ed25519(point: &Ed25519PublicKey) -> Result<ed25519_dalek::VerifyingKey, Unfit> {
    let key = ed25519_dalek::VerifyingKey::try_from(point).map_err(off_curve)?;
    if key.is_weak() {
        return Err(Unfit::Bad("it is a point of small order, under which anything is signed"));
    }
    if ed25519_dalek::VerifyingKey::from(key.to_edwards()).as_bytes() != point.as_ref() {
        return Err(Unfit::Bad("its coordinate is not reduced"));
    }
    Ok(key)
}

/// `ssh-key` takes compressed points, which OpenSSH does not and which are second spellings, and points off the curve.
fn check_point(point: &EcdsaPublicKey) -> Result<(), Unfit> {
    if point.as_sec1_bytes().first() != Some(&4) {
        return Err(Unfit::Bad("it is no uncompressed point of its curve"));
    }
    match point.curve() {
        EcdsaCurve::NistP256 => p256::ecdsa::VerifyingKey::try_from(point).map(|_key| ()),
        EcdsaCurve::NistP384 => p384::ecdsa::VerifyingKey::try_from(point).map(|_key| ()),
        EcdsaCurve::NistP521 => p521::ecdsa::VerifyingKey::try_from(point).map(|_key| ()),
    }
    .map_err(off_curve)
}

/// `ssh-key` takes any two positive numbers.
fn check_rsa(key: &RsaPublicKey) -> Result<(), Unfit> {
    let exponent = key.e().as_positive_bytes().unwrap_or_default();
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !is_odd(exponent) || !is_odd(key.n().as_bytes()) || exponent == [1] {
        return Err(Unfit::Bad("its numbers are no RSA key"));
    }
    if exponent.len() > 4 {
        return Err(Unfit::Unsupported("an RSA key with an exponent of more than 32 bits".to_owned()));
    }
    if bits(key) > LARGEST_RSA_BITS {
        return Err(Unfit::Unsupported(format!("an RSA key of more than {LARGEST_RSA_BITS} bits")));
    }
    Ok(())
}

fn check_application(application: &str) -> Result<(), Unfit> {
    if application.len() > LONGEST_APPLICATION || application.contains('\0') {
        return Err(Unfit::Bad("its application name is too long, or holds a NUL"));
    }
    Ok(())
}

/// How many bits the modulus has; `ssh-key` says it in whole bytes.
fn bits(key: &RsaPublicKey) -> usize {
    let modulus = key.n().as_positive_bytes().unwrap_or_default();
    let spare = modulus.first().map_or(0, |first| first.leading_zeros());
    (modulus.len() * 8).saturating_sub(usize::try_from(spare).unwrap_or(usize::MAX))
}

/// Names an algorithm that does not count.
fn unsupported(name: &str) -> Unfit {
    Unfit::Unsupported(match name {
        "ssh-dss" | "ssh-dss-cert-v01@openssh.com" => "a DSA key".to_owned(),
        _ if is_certificate_type(name) => "a certificate".to_owned(),
        _ => {
            let name: String = name.chars().take(64).collect();
            format!("a key of type `{name}`")
        }
    })
}

fn off_curve(_error: ssh_key::Error) -> Unfit {
    Unfit::Bad("it is no point of its curve")
}

impl From<ssh_key::Error> for Unfit {
    fn from(error: ssh_key::Error) -> Self {
        if let ssh_key::Error::Encoding(ssh_key::encoding::Error::Label(unknown)) = error {
            unsupported(unknown.label())
        } else {
            Self::Bad("it is not of the form that its type has")
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.description(), self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{blob, strings};
    use super::*;

    fn ed25519(bytes: [u8; 32]) -> Result<PublicKey, Unfit> {
        PublicKey::read(&strings(&[b"ssh-ed25519", &bytes]))
    }

    fn rsa(exponent: &[u8], modulus: &[u8]) -> Result<PublicKey, Unfit> {
        PublicKey::read(&strings(&[b"ssh-rsa", exponent, modulus]))
    }

    /// An odd number of so many bits, with the zero that keeps it positive.
    fn number(bits: usize) -> Vec<u8> {
        let mut number = vec![0xff; bits.div_ceil(8)];
        number[0] >>= (8 - bits % 8) % 8;
        if bits.is_multiple_of(8) {
            number.insert(0, 0);
        }
        number
    }

    #[test]
    fn points_under_which_anything_is_signed_are_no_keys() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut of_order_two = [0xff; 32];
        (of_order_two[0], of_order_two[31]) = (0xec, 0x7f);
        for point in [[0; 32], identity, of_order_two] {
            assert!(matches!(ed25519(point), Err(Unfit::Bad(_))), "{point:?}");
        }
    }

    #[test]
    fn a_point_has_one_spelling() {
        let points = (0xed..=0xff_u8).flat_map(|low| [0x7f, 0xff].map(|high| (low, high)));
        for (low, high) in points {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (low, high);
            assert!(ed25519(point).is_err(), "{low:#x} {high:#x}");
        }
        let good = blob(1);
        assert!(PublicKey::read(&good).is_ok());
        assert!(PublicKey::read(&[&good[..], &[0]].concat()).is_err());
        assert!(PublicKey::read(&good[..good.len() - 1]).is_err());
    }

    #[test]
    fn points_of_other_curves_and_forms_are_no_keys() {
        let point = |first: u8, length: usize| {
            let mut point = vec![1; length];
            point[0] = first;
            point
        };
        for (curve, bytes) in [
            ("nistp256", point(4, 65)),
            ("nistp256", point(2, 33)),
            ("nistp256", point(4, 97)),
            ("nistp384", point(4, 65)),
            ("nistp256", vec![0]),
            ("nistp256", vec![]),
        ] {
            let key = strings(&[b"ecdsa-sha2-nistp256", curve.as_bytes(), &bytes]);
            assert!(PublicKey::read(&key).is_err(), "{curve} {}", bytes.len());
        }
    }

    #[test]
    fn a_compressed_point_is_no_second_spelling_of_a_key() {
        let point =
            p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap().verifying_key().to_sec1_point(false);
        let kinds: [(&[u8], &[&[u8]]); 2] =
            [(b"ecdsa-sha2-nistp256", &[]), (b"sk-ecdsa-sha2-nistp256@openssh.com", &[b"ssh:"])];
        for (kind, rest) in kinds {
            let key =
                |point: &[u8]| PublicKey::read(&strings(&[&[kind, b"nistp256", point][..], rest].concat()));
            assert!(key(point.as_bytes()).is_ok());
            assert!(key(point.compress().as_bytes()).is_err());
        }
    }

    #[test]
    fn a_number_has_one_spelling() {
        for modulus in [&[][..], &[0], &[0, 0], &[0, 1], &[0, 0, 0x81], &[0x81], &[0xff, 1]] {
            assert!(matches!(rsa(&[3], modulus), Err(Unfit::Bad(_))), "{modulus:?}");
        }
        for modulus in [&[7][..], &[0, 0x81], &[0x7f, 1]] {
            assert!(rsa(&[3], modulus).is_ok(), "{modulus:?}");
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_refused() {
        for bad in [&[][..], &[0, 0, 0], &[0, 0, 0, 1], &[0xff, 0xff, 0xff, 0xff, 1], &[0, 0, 0, 2, 65]] {
            assert!(matches!(PublicKey::read(bad), Err(Unfit::Bad(_))), "{bad:?}");
        }
        assert!(matches!(PublicKey::read(&[0, 0, 0, 1, 65]), Err(Unfit::Unsupported(_))));
        assert!(PublicKey::read(&[0, 0, 0, 1, 0xff]).is_err());
        for (application, fine) in [
            (&b"ssh:"[..], true),
            (&[b'x'; 1_024], true),
            (&[b'x'; 1_025], false),
            (b"ssh\0", false),
            (b"\xff", false),
        ] {
            let key = [&blob(1)[15..], &strings(&[application])].concat();
            let key = PublicKey::read(&[strings(&[b"sk-ssh-ed25519@openssh.com"]), key].concat());
            assert_eq!(key.is_ok(), fine, "{application:?}");
        }
    }

    #[test]
    fn a_name_of_a_signature_is_none_of_a_key() {
        let modulus = number(3072);
        for name in ["rsa-sha2-256", "rsa-sha2-512", "ssh-rsa-cert-v01@openssh.com", "ssh-rsa\0", "SSH-RSA"] {
            let key = PublicKey::read(&strings(&[name.as_bytes(), &[3], &modulus]));
            assert!(matches!(key, Err(Unfit::Unsupported(_))), "{name}");
        }
    }

    #[test]
    fn rsa_keys_count_from_3072_bits_to_8192() {
        for (bits, weak) in
            [(1023, true), (1024, true), (2048, true), (3071, true), (3072, false), (8_192, false)]
        {
            let key = rsa(&[1, 0, 1], &number(bits)).unwrap();
            assert_eq!(key.weakness().is_some(), weak, "{bits}");
            assert_eq!(key.is_tiny(), bits < 1024, "{bits}");
            assert_eq!(key.description(), format!("RSA {bits}"));
        }
        for bits in [8_193, 16_384, 16_385] {
            assert!(matches!(rsa(&[1, 0, 1], &number(bits)), Err(Unfit::Unsupported(_))), "{bits}");
        }
    }

    #[test]
    fn rsa_keys_that_anyone_can_forge_or_that_cost_too_much_are_refused() {
        let good = number(3072);
        let mut even = good.clone();
        *even.last_mut().unwrap() = 2;
        for exponent in [&[3][..], &[1, 0, 1], &[1, 0, 0, 1], &[0x7f, 0xff, 0xff, 0xff]] {
            assert!(rsa(exponent, &good).is_ok(), "{exponent:?}");
        }
        for (exponent, modulus) in [
            (&[1][..], &good),
            (&[2], &good),
            (&[], &good),
            (&[0, 3], &good),
            (&[0x83], &good),
            (&[1, 0, 0, 0, 1], &good),
            (&[3], &even),
        ] {
            assert!(rsa(exponent, modulus).is_err(), "{exponent:?}");
        }
    }
}
