//! Public keys: how they are read, and which are strong enough.
//!
//! The algorithms of section 8 of the design and no other. A key is a point or number that its algorithm can use, in
//! the one spelling that SSH gives it; whatever else is refused here, so that what verifies need not ask again.

use std::fmt;

use super::fingerprint::Fingerprint;
use super::wire::{Reader, Unreadable, put_string};
use crate::model::limits;

/// Largest RSA modulus that is used, in bits: OpenSSH's own limit. It bounds what one verification can cost.
const LARGEST_RSA_BITS: usize = 16_384;

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
    pub(super) material: Material,
}

/// What signatures are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Material {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Rsa { exponent: Vec<u8>, modulus: Vec<u8> },
    SkEd25519 { key: ed25519_dalek::VerifyingKey, application: String },
    SkP256 { key: p256::ecdsa::VerifyingKey, application: String },
}

/// The algorithm of a key, from its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Ed25519,
    P256,
    P384,
    P521,
    Rsa,
    SkEd25519,
    SkP256,
}

/// Why bytes are not a key that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyError {
    /// An algorithm or size that does not count.
    Unsupported(String),
    /// Not a key of the algorithm that it names.
    Unreadable(&'static str),
}

impl Algorithm {
    const ALL: [Self; 7] =
        [Self::Ed25519, Self::P256, Self::P384, Self::P521, Self::Rsa, Self::SkEd25519, Self::SkP256];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::P256 => "ecdsa-sha2-nistp256",
            Self::P384 => "ecdsa-sha2-nistp384",
            Self::P521 => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// The name of the certificates on such keys.
    pub(super) fn certificate_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519-cert-v01@openssh.com",
            Self::P256 => "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            Self::P384 => "ecdsa-sha2-nistp384-cert-v01@openssh.com",
            Self::P521 => "ecdsa-sha2-nistp521-cert-v01@openssh.com",
            Self::Rsa => "ssh-rsa-cert-v01@openssh.com",
            Self::SkEd25519 => "sk-ssh-ed25519-cert-v01@openssh.com",
            Self::SkP256 => "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    pub(super) fn of_certificate(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.certificate_name() == name)
    }
}

impl PublicKey {
    /// The key of a whole blob in the wire format.
    pub(super) fn read(blob: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::new(blob);
        let name = reader.text()?;
        let algorithm = Algorithm::named(name).ok_or_else(|| unsupported(name))?;
        let key = Self::read_fields(algorithm, &mut reader)?;
        reader.end()?;
        Ok(key)
    }

    /// The key whose fields, without its algorithm's name, come next in `reader`.
    pub(super) fn read_fields(algorithm: Algorithm, reader: &mut Reader<'_>) -> Result<Self, KeyError> {
        let before = reader.rest();
        let material = Material::read(algorithm, reader)?;
        let fields = before.get(..before.len() - reader.rest().len()).unwrap_or_default();
        let mut blob = Vec::with_capacity(fields.len() + 64);
        put_string(&mut blob, algorithm.name().as_bytes());
        blob.extend(fields);
        Ok(Self { fingerprint: Fingerprint::of(&blob), blob, material })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match &self.material {
            Material::Ed25519(_) => Algorithm::Ed25519,
            Material::P256(_) => Algorithm::P256,
            Material::P384(_) => Algorithm::P384,
            Material::P521(_) => Algorithm::P521,
            Material::Rsa { .. } => Algorithm::Rsa,
            Material::SkEd25519 { .. } => Algorithm::SkEd25519,
            Material::SkP256 { .. } => Algorithm::SkP256,
        }
    }

    /// Why the key is too weak to count, if it is.
    pub(super) fn weakness(&self) -> Option<String> {
        let Material::Rsa { modulus, .. } = &self.material else { return None };
        let bits = bits(modulus);
        (bits < limits::RSA_BITS)
            .then(|| format!("an RSA key of {bits} bits: {} are the least that count", limits::RSA_BITS))
    }

    /// Whether the key is too small even to calculate with.
    pub(super) fn is_tiny(&self) -> bool {
        matches!(&self.material, Material::Rsa { modulus, .. } if bits(modulus) < SMALLEST_RSA_BITS)
    }

    /// The key's kind, for people: `ED25519`, `RSA 4096`.
    pub(super) fn description(&self) -> String {
        match &self.material {
            Material::Ed25519(_) => "ED25519".to_owned(),
            Material::P256(_) => "ECDSA P-256".to_owned(),
            Material::P384(_) => "ECDSA P-384".to_owned(),
            Material::P521(_) => "ECDSA P-521".to_owned(),
            Material::Rsa { modulus, .. } => format!("RSA {}", bits(modulus)),
            Material::SkEd25519 { .. } => "ED25519-SK".to_owned(),
            Material::SkP256 { .. } => "ECDSA-SK".to_owned(),
        }
    }
}

impl Material {
    fn read(algorithm: Algorithm, reader: &mut Reader<'_>) -> Result<Self, KeyError> {
        let off_curve = |_error| KeyError::Unreadable("it is no point of its curve");
        Ok(match algorithm {
            Algorithm::Ed25519 => Self::Ed25519(read_ed25519(reader)?),
            Algorithm::P256 => Self::P256(read_p256(reader)?),
            Algorithm::P384 => Self::P384(
                p384::ecdsa::VerifyingKey::from_sec1_bytes(read_point(reader, "nistp384", 97)?)
                    .map_err(off_curve)?,
            ),
            Algorithm::P521 => Self::P521(
                p521::ecdsa::VerifyingKey::from_sec1_bytes(read_point(reader, "nistp521", 133)?)
                    .map_err(off_curve)?,
            ),
            Algorithm::Rsa => read_rsa(reader)?,
            Algorithm::SkEd25519 => {
                Self::SkEd25519 { key: read_ed25519(reader)?, application: read_application(reader)? }
            }
            Algorithm::SkP256 => {
                Self::SkP256 { key: read_p256(reader)?, application: read_application(reader)? }
            }
        })
    }
}

fn read_ed25519(reader: &mut Reader<'_>) -> Result<ed25519_dalek::VerifyingKey, KeyError> {
    let bytes: &[u8; 32] = reader
        .string()?
        .try_into()
        .map_err(|_other_length| KeyError::Unreadable("it does not have 32 bytes"))?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes)
        .map_err(|_error| KeyError::Unreadable("it is no point of its curve"))?;
    // A coordinate of 2^255 - 19 or more is a second spelling of a small one; under a weak key any signature is good.
    if let [0xed..=0xff, middle @ .., 0x7f | 0xff] = bytes
        && middle.iter().all(|byte| *byte == 0xff)
    {
        return Err(KeyError::Unreadable("its coordinate is not reduced"));
    }
    if key.is_weak() {
        return Err(KeyError::Unreadable("it is a point of small order, under which anything is signed"));
    }
    Ok(key)
}

fn read_p256(reader: &mut Reader<'_>) -> Result<p256::ecdsa::VerifyingKey, KeyError> {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(read_point(reader, "nistp256", 65)?)
        .map_err(|_error| KeyError::Unreadable("it is no point of its curve"))
}

/// An uncompressed point: OpenSSH knows no other, and so one point has one spelling.
fn read_point<'a>(reader: &mut Reader<'a>, curve: &str, length: usize) -> Result<&'a [u8], KeyError> {
    if reader.text()? != curve {
        return Err(KeyError::Unreadable("its curve is not that of its algorithm"));
    }
    let point = reader.string()?;
    if point.len() != length || point.first() != Some(&4) {
        return Err(KeyError::Unreadable("it is no uncompressed point of its curve"));
    }
    Ok(point)
}

fn read_rsa(reader: &mut Reader<'_>) -> Result<Material, KeyError> {
    let exponent = reader.positive()?;
    let modulus = reader.positive()?;
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !odd(exponent) || !odd(modulus) || exponent == [1] {
        return Err(KeyError::Unreadable("its numbers are no RSA key"));
    }
    if exponent.len() > 4 {
        return Err(KeyError::Unsupported("an RSA key with an exponent of more than 32 bits".to_owned()));
    }
    if bits(modulus) > LARGEST_RSA_BITS {
        return Err(KeyError::Unsupported(format!("an RSA key of more than {LARGEST_RSA_BITS} bits")));
    }
    Ok(Material::Rsa { exponent: exponent.to_vec(), modulus: modulus.to_vec() })
}

fn read_application(reader: &mut Reader<'_>) -> Result<String, KeyError> {
    let application = reader.text()?;
    if application.len() > LONGEST_APPLICATION {
        return Err(KeyError::Unreadable("its application name is too long"));
    }
    Ok(application.to_owned())
}

/// How many bits a number without leading zeros has.
fn bits(number: &[u8]) -> usize {
    let spare = number.first().map_or(0, |first| first.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(spare).unwrap_or(usize::MAX))
}

/// Names an algorithm that does not count.
fn unsupported(name: &str) -> KeyError {
    KeyError::Unsupported(match name {
        "ssh-dss" | "ssh-dss-cert-v01@openssh.com" => "a DSA key".to_owned(),
        _ if Algorithm::of_certificate(name).is_some() => "a certificate".to_owned(),
        _ => {
            let name: String = name.chars().take(64).collect();
            format!("a key of type `{name}`")
        }
    })
}

impl From<Unreadable> for KeyError {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error.0)
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

    fn ed25519(bytes: [u8; 32]) -> Result<PublicKey, KeyError> {
        PublicKey::read(&strings(&[b"ssh-ed25519", &bytes]))
    }

    fn rsa(exponent: &[u8], modulus: &[u8]) -> Result<PublicKey, KeyError> {
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
            assert!(matches!(ed25519(point), Err(KeyError::Unreadable(_))), "{point:?}");
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
    fn rsa_keys_count_from_3072_bits_to_16384() {
        for (bits, weak) in [(1023, true), (2048, true), (3071, true), (3072, false), (16_384, false)] {
            let key = rsa(&[1, 0, 1], &number(bits)).unwrap();
            assert_eq!(key.weakness().is_some(), weak, "{bits}");
            assert_eq!(key.is_tiny(), bits < 1024, "{bits}");
            assert_eq!(key.description(), format!("RSA {bits}"));
        }
        assert!(matches!(rsa(&[1, 0, 1], &number(16_385)), Err(KeyError::Unsupported(_))));
    }

    #[test]
    fn rsa_keys_that_anyone_can_forge_or_that_cost_too_much_are_refused() {
        let good = number(3072);
        let mut even = good.clone();
        *even.last_mut().unwrap() = 2;
        assert!(rsa(&[3], &good).is_ok());
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
