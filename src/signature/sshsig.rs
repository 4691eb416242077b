//! SSHSIG, the envelope of an SSH signature (PROTOCOL.sshsig in OpenSSH): reads it and verifies it.

use ssh_key::encoding::{self, Decode as _, Reader as _};
use ssh_key::{HashAlg, SshSig};

use super::certificate::Certificate;
use super::key::{Unfit, is_certificate_type, read_type};
use super::maths;
use super::{Defect, Keys, NAMESPACE, Signature, Signer};
use crate::model::Code;

const MAGIC: &[u8; 6] = b"SSHSIG";

/// An envelope's parts, as they stand in it. `ssh-key` reads them one by one; its own [`SshSig`] would refuse every
/// fault with the same words, where here an algorithm that does not count has another code than bytes gone wrong.
struct Envelope {
    magic: [u8; 6],
    version: u32,
    key: Vec<u8>,
    namespace: String,
    reserved: Vec<u8>,
    hash: String,
    signature: Vec<u8>,
}

/// Verifies the envelope `blob` over `payload`. Its defects are looked for in the order of [`Code`].
pub(super) fn verify(keys: &Keys, payload: &[u8], blob: &[u8]) -> Result<Signature, Defect> {
    let envelope = Envelope::read(blob).map_err(|_error| bad("the signature", "it is not whole"))?;
    if envelope.magic != *MAGIC {
        return Err(bad("the signature", "it does not begin with `SSHSIG`"));
    }
    if envelope.version != SshSig::VERSION {
        return Err(unsupported(&format!("an SSH signature of version {}", envelope.version)));
    }
    if !envelope.reserved.is_empty() {
        return Err(unsupported("an SSH signature with something in its reserved field"));
    }
    let hash = HashAlg::new(&envelope.hash)
        .map_err(|_other| unsupported(&format!("a signature over a `{}` digest", short(&envelope.hash))))?;
    let signer = read_signer(keys, &envelope.key)?;
    if let Some(weak) = signer.key().weakness().filter(|_weak| signer.key().is_tiny()) {
        return Err(Defect::new(Code::WeakKey, weak));
    }
    if envelope.namespace.contains('\0') {
        return Err(bad("the signature", "its namespace holds a NUL"));
    }
    let message = SshSig::signed_data(&envelope.namespace, hash, payload).map_err(|_empty| {
        Defect::new(Code::WrongNamespace, "the signature was made for nothing".to_owned())
    })?;
    let presence = maths::verify(signer.key(), &message, &envelope.signature)
        .map_err(|found| unfit("the signature", found))?;
    if envelope.namespace != NAMESPACE {
        return Err(Defect::new(
            Code::WrongNamespace,
            format!("the signature was made for `{}`: it must be `{NAMESPACE}`", short(&envelope.namespace)),
        ));
    }
    for key in [Some(signer.key()), signer.authority()].into_iter().flatten() {
        if let Some(weak) = key.weakness() {
            return Err(Defect::new(Code::WeakKey, weak));
        }
    }
    Ok(Signature { signer, presence })
}

impl Envelope {
    fn read(mut blob: &[u8]) -> encoding::Result<Self> {
        let reader = &mut blob;
        let envelope = Self {
            magic: <[u8; 6]>::decode(reader)?,
            version: u32::decode(reader)?,
            key: Vec::decode(reader)?,
            namespace: String::decode(reader)?,
            reserved: Vec::decode(reader)?,
            hash: String::decode(reader)?,
            signature: Vec::decode(reader)?,
        };
        reader.finish(envelope)
    }
}

fn read_signer(keys: &Keys, blob: &[u8]) -> Result<Signer, Defect> {
    let of_key = |found| unfit("the signature's key", found);
    if is_certificate_type(&read_type(blob).map_err(of_key)?) {
        Certificate::read(blob)
            .map(|certificate| Signer::Certified(Box::new(certificate)))
            .map_err(|found| unfit("the signature's certificate", found))
    } else {
        keys.read(blob).map(Signer::Plain).map_err(of_key)
    }
}

/// As much of a text from outside as a message may hold.
fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

fn unfit(what: &str, unfit: Unfit) -> Defect {
    match unfit {
        Unfit::Unsupported(kind) => unsupported(&format!("{what} is {kind}")),
        Unfit::Bad(reason) => bad(what, reason),
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
    use super::super::testing::{Made, armor, blob, strings};
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

    /// A certificate with its numbers all zero, by `authority`.
    fn certificate(kind: &str, authority: &[u8]) -> Vec<u8> {
        let key = strings(&[kind.as_bytes(), b"nonce", &[1; 32]]);
        let user = [&[0; 8][..], &1u32.to_be_bytes()].concat();
        let texts = strings(&[b"id", b""]);
        [&key[..], &user, &texts, &[0; 16], &strings(&[b"", b"", b"", authority])].concat()
    }

    #[test]
    fn a_certified_authority_is_refused_however_deep() {
        for kind in ["ssh-ed25519-cert-v01@openssh.com", "x-cert-v01@y"] {
            for depth in [1, 30, 32, 300] {
                let key = (0..depth).fold(blob(1), |authority, _| certificate(kind, &authority));
                let key = certificate("ssh-ed25519-cert-v01@openssh.com", &key);
                let rest = strings(&[&key, b"git", b"", b"sha512", b""]);
                let envelope = [b"SSHSIG", &1u32.to_be_bytes()[..], &rest].concat();
                let defect = verify(b"", armor(&envelope).as_bytes()).unwrap_err();
                assert_eq!(defect.code, Code::BadSignature);
                assert_eq!(defect.reason.contains("too often"), depth >= 32, "{}", defect.reason);
            }
        }
    }
}
