//! SSHSIG, the envelope of an SSH signature (PROTOCOL.sshsig in OpenSSH): reads it and verifies it.

use sha2::{Digest as _, Sha256, Sha512};

use super::certificate::{Certificate, Unfit};
use super::key::{Algorithm, KeyError, PublicKey};
use super::maths::{self, Refusal};
use super::wire::{Reader, Unreadable, put_string};
use super::{Defect, NAMESPACE, Signature, Signer};
use crate::model::Code;

const MAGIC: &[u8] = b"SSHSIG";

/// An envelope's parts, as they stand in it.
struct Envelope<'a> {
    version: u32,
    key: &'a [u8],
    namespace: &'a str,
    reserved: &'a [u8],
    hash: &'a str,
    signature: &'a [u8],
}

/// Verifies the envelope `blob` over `payload`. Its defects are looked for in the order of [`Code`].
pub(super) fn verify(payload: &[u8], blob: &[u8]) -> Result<Signature, Defect> {
    let envelope = Envelope::read(blob).map_err(|error| bad("the signature", error.0))?;
    if envelope.version != 1 {
        return Err(unsupported(&format!("an SSH signature of version {}", envelope.version)));
    }
    if !envelope.reserved.is_empty() {
        return Err(unsupported("an SSH signature with something in its reserved field"));
    }
    let digest = match envelope.hash {
        "sha256" => Sha256::digest(payload).to_vec(),
        "sha512" => Sha512::digest(payload).to_vec(),
        other => {
            let other: String = other.chars().take(64).collect();
            return Err(unsupported(&format!("a signature over a `{other}` digest")));
        }
    };
    let signer = read_signer(envelope.key)?;
    if let Some(weak) = signer.key().weakness().filter(|_weak| signer.key().is_tiny()) {
        return Err(Defect::new(Code::WeakKey, weak));
    }
    let presence = maths::verify(signer.key(), &envelope.signed(&digest), envelope.signature)
        .map_err(|refusal| refused("the signature", refusal))?;
    if envelope.namespace != NAMESPACE {
        let namespace: String = envelope.namespace.chars().take(64).collect();
        return Err(Defect::new(
            Code::WrongNamespace,
            format!("the signature was made for `{namespace}`: it must be `{NAMESPACE}`"),
        ));
    }
    for key in [Some(signer.key()), signer.authority()].into_iter().flatten() {
        if let Some(weak) = key.weakness() {
            return Err(Defect::new(Code::WeakKey, weak));
        }
    }
    Ok(Signature { signer, presence })
}

impl<'a> Envelope<'a> {
    fn read(blob: &'a [u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(blob);
        if reader.bytes(MAGIC.len())? != MAGIC {
            return Err(Unreadable("it does not begin with `SSHSIG`"));
        }
        let envelope = Self {
            version: reader.u32()?,
            key: reader.string()?,
            namespace: reader.text()?,
            reserved: reader.string()?,
            hash: reader.text()?,
            signature: reader.string()?,
        };
        reader.end()?;
        Ok(envelope)
    }

    /// What the key signs.
    fn signed(&self, digest: &[u8]) -> Vec<u8> {
        let mut signed = MAGIC.to_vec();
        put_string(&mut signed, self.namespace.as_bytes());
        put_string(&mut signed, self.reserved);
        put_string(&mut signed, self.hash.as_bytes());
        put_string(&mut signed, digest);
        signed
    }
}

fn read_signer(blob: &[u8]) -> Result<Signer, Defect> {
    let name = Reader::new(blob).text().map_err(|error| bad("the signature's key", error.0))?;
    let Some(algorithm) = Algorithm::of_certificate(name) else {
        return PublicKey::read(blob)
            .map(|key| Signer::Plain(Box::new(key)))
            .map_err(|error| unusable("the signature's key", error));
    };
    let what = "the signature's certificate";
    Certificate::read(algorithm, blob).map(|certificate| Signer::Certified(Box::new(certificate))).map_err(
        |unfit| match unfit {
            Unfit::Key(error) => unusable(what, error),
            Unfit::Signature(refusal) => refused("the authority's signature of the certificate", refusal),
        },
    )
}

fn unusable(what: &str, error: KeyError) -> Defect {
    match error {
        KeyError::Unsupported(kind) => unsupported(&format!("{what} is {kind}")),
        KeyError::Unreadable(reason) => bad(what, reason),
    }
}

fn refused(what: &str, refusal: Refusal) -> Defect {
    match refusal {
        Refusal::Unsupported(kind) => unsupported(&format!("{what} is {kind}")),
        Refusal::Bad(reason) => bad(what, reason),
    }
}

fn unsupported(what: &str) -> Defect {
    Defect::new(Code::UnsupportedSignature, format!("{what}, which does not count"))
}

fn bad(what: &str, reason: &str) -> Defect {
    Defect::new(Code::BadSignature, format!("{what} is not good: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Made, armor, strings};
    use super::super::verify;
    use crate::model::Code;

    #[track_caller]
    fn refused(made: &Made<'_>, code: Code) {
        assert_eq!(verify(b"payload", made.sign(1, b"payload").as_bytes()).unwrap_err().code, code);
    }

    #[test]
    fn a_good_envelope_is_read() {
        for hash in ["sha256", "sha512"] {
            let armored = Made { hash, ..Made::default() }.sign(1, b"payload");
            let signature = verify(b"payload", armored.as_bytes()).unwrap();
            assert_eq!(signature.key_description(), "ED25519");
            assert_eq!(signature.namespace(), "git");
            assert!(signature.ca_key().is_none());
        }
    }

    #[test]
    fn only_version_one_without_reserved_bytes_over_the_two_digests_counts() {
        refused(&Made { version: 0, ..Made::default() }, Code::UnsupportedSignature);
        refused(&Made { version: 2, ..Made::default() }, Code::UnsupportedSignature);
        refused(&Made { reserved: b"x", ..Made::default() }, Code::UnsupportedSignature);
        for hash in ["sha1", "sha384", "SHA512", "md5", ""] {
            refused(&Made { hash, ..Made::default() }, Code::UnsupportedSignature);
        }
        for algorithm in ["ssh-rsa", "ssh-dss", "rsa-sha2-512", "sk-ssh-ed25519@openssh.com", ""] {
            refused(&Made { algorithm, ..Made::default() }, Code::UnsupportedSignature);
        }
    }

    #[test]
    fn the_namespace_is_git_to_the_letter() {
        for namespace in ["file", "Git", "git ", "gi", "gitx", "", "*"] {
            refused(&Made { namespace, ..Made::default() }, Code::WrongNamespace);
        }
        refused(&Made { namespace: "git\0", ..Made::default() }, Code::BadSignature);
    }

    #[test]
    fn a_bad_signature_for_another_purpose_is_bad_first() {
        let armored = Made { namespace: "file", ..Made::default() }.sign(1, b"other");
        assert_eq!(verify(b"payload", armored.as_bytes()).unwrap_err().code, Code::BadSignature);
    }

    #[test]
    fn kinds_of_key_that_do_not_count_are_named() {
        for (kind, code, name) in [
            ("ssh-dss", Code::UnsupportedSignature, "a DSA key"),
            ("ssh-ed448", Code::UnsupportedSignature, "`ssh-ed448`"),
            ("ssh-dss-cert-v01@openssh.com", Code::UnsupportedSignature, "a DSA key"),
            ("ssh-ed25519", Code::BadSignature, "key"),
            ("ssh-ed25519-cert-v01@openssh.com", Code::BadSignature, "certificate"),
        ] {
            let key = strings(&[kind.as_bytes()]);
            let rest = strings(&[&key, b"git", b"", b"sha512", b""]);
            let blob = [b"SSHSIG", &1u32.to_be_bytes()[..], &rest].concat();
            let defect = verify(b"", armor(&blob).as_bytes()).unwrap_err();
            assert_eq!(defect.code, code, "{kind}");
            assert!(defect.reason.contains(name), "{}", defect.reason);
        }
    }
}
