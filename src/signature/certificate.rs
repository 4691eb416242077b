//! OpenSSH certificates: who says of a key that it is whose, and until when.
//!
//! Reading one verifies the authority's own signature. Whether that authority is trusted, and for whom, is asked of
//! `allowed_signers`; whether the certificate is fit to sign with at some times is [`Certificate::faults`].

use ssh_key::encoding::Encode as _;

use super::Defect;
use super::key::{PublicKey, Unfit, check_spelling};
use super::maths::{self, Presence};
use crate::model::{Code, Time};

/// Most principals in one certificate: OpenSSH's own limit.
const MOST_PRINCIPALS: usize = 256;
/// Longest name of a principal or an option, in bytes. It bounds messages and the cost of patterns.
const LONGEST_NAME: usize = 255;
/// What the type of every certificate has in it, and how often it may stand in one. `ssh-key` reads an authority that
/// is itself certified, and so on: this bounds how deep, whatever the stack.
const TYPE: &[u8] = b"-cert-v01@";
const MOST_TYPES: usize = 32;
/// The one critical option that means something for a signature, and that is asked for here.
const VERIFY_REQUIRED: &str = "verify-required";

/// A certificate that its authority signed.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    /// The certified key.
    pub(super) key: PublicKey,
    /// The key that certifies.
    pub(super) authority: PublicKey,
    /// Whether the authority, where its key is a hardware key, was touched.
    authority_touched: bool,
    /// What it says.
    content: ssh_key::Certificate,
}

impl Certificate {
    /// Reads a certificate in the wire format and verifies its authority's signature.
    pub(super) fn read(blob: &[u8]) -> Result<Self, Unfit> {
        if blob.windows(TYPE.len()).filter(|part| *part == TYPE).count() > MOST_TYPES {
            return Err(Unfit::Bad("it names types of certificates too often"));
        }
        let content = ssh_key::Certificate::from_bytes(blob).map_err(Unfit::from)?;
        let key = PublicKey::of(content.public_key().clone())?;
        let authority = PublicKey::of(content.signature_key().clone())?;
        check_spelling(&content, blob)?;
        check_names(&content)?;
        if authority.is_tiny() {
            return Err(Unfit::Bad("its authority's key is too small to calculate with"));
        }
        let signature = content.signature().encode_vec().unwrap_or_default();
        let signed = blob.get(..blob.len().saturating_sub(signature.len() + 4)).unwrap_or_default();
        let presence = maths::verify(&authority, signed, &signature).map_err(by_authority)?;
        let authority_touched = match presence {
            Presence::Software => true,
            Presence::Token { touched, .. } => touched,
        };
        Ok(Self { key, authority, authority_touched, content })
    }

    /// Whom it names, as written.
    pub(super) fn principals(&self) -> impl Iterator<Item = &str> {
        self.content.valid_principals().iter().map(String::as_str)
    }

    /// Why the certificate is nobody's at all: a host's, or without a principal.
    pub(super) fn names_nobody(&self) -> Option<Defect> {
        let unfit = |reason: &str| Some(Defect::new(Code::KeyNotValid, reason.to_owned()));
        if !self.content.cert_type().is_user() {
            return unfit("the certificate is a host's, not a user's");
        }
        if self.content.valid_principals().is_empty() {
            return unfit("the certificate names no principal");
        }
        None
    }

    /// Why a signature with this certificate does not count, whoever trusts its authority.
    pub(super) fn faults(&self, presence: Presence, times: &[Time]) -> Vec<Defect> {
        let unfit = |reason: String| Defect::new(Code::KeyNotValid, reason);
        let mut faults = Vec::new();
        if !self.authority_touched {
            faults.push(Defect::new(
                Code::NoTouch,
                "the hardware key of the certificate's authority signed without a touch".to_owned(),
            ));
        }
        faults.extend(self.names_nobody());
        for option in self.content.critical_options().keys() {
            if option != VERIFY_REQUIRED {
                faults.push(unfit(format!(
                    "the certificate's critical option `{option}` cannot be honoured for a signature"
                )));
            } else if !matches!(presence, Presence::Token { verified: true, .. }) {
                faults.push(Defect::new(
                    Code::NoVerification,
                    "the certificate asks for user verification (`verify-required`), and the key signed without"
                        .to_owned(),
                ));
            }
        }
        faults.extend(times.iter().find_map(|time| self.invalid_at(*time)).map(unfit));
        faults
    }

    fn invalid_at(&self, time: Time) -> Option<String> {
        let Ok(seconds) = u64::try_from(time.unix()) else {
            return Some(format!("the certificate was not yet valid at {time}"));
        };
        if seconds < self.content.valid_after() {
            return Some(format!("the certificate was not yet valid at {time}"));
        }
        (seconds >= self.content.valid_before()).then(|| format!("the certificate had expired at {time}"))
    }
}

/// `ssh-key` takes texts of any form and length.
fn check_names(content: &ssh_key::Certificate) -> Result<(), Unfit> {
    let principals = content.valid_principals();
    if principals.len() > MOST_PRINCIPALS {
        return Err(Unfit::Bad("it names more than 256 principals"));
    }
    let options = content.critical_options().keys().chain(content.extensions().keys());
    let mut names = principals.iter().chain(options);
    if names.clone().any(|name| name.len() > LONGEST_NAME) {
        return Err(Unfit::Bad("it has a principal or an option with a name of more than 255 bytes"));
    }
    if names.any(|name| name.contains('\0')) || content.key_id().contains('\0') {
        return Err(Unfit::Bad("a text in it holds a NUL"));
    }
    Ok(())
}

/// What is said of the authority's signature, as said of the certificate.
fn by_authority(unfit: Unfit) -> Unfit {
    match unfit {
        Unfit::Unsupported(what) => Unfit::Unsupported(format!("signed by its authority with {what}")),
        Unfit::Bad(_) => Unfit::Bad("its authority's signature does not verify"),
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::super::testing::{blob, public, strings};
    use super::super::{AllowedSigners, Signature, Signer};
    use super::*;

    /// A certificate on the key of seed 1, signed with that of seed 2.
    struct Made<'a> {
        kind: u32,
        id: &'a [u8],
        principals: &'a [&'a [u8]],
        options: &'a [&'a [u8]],
        extensions: &'a [&'a [u8]],
        authority: Vec<u8>,
        behind_signature: &'a [u8],
    }

    impl Default for Made<'_> {
        fn default() -> Self {
            Self {
                kind: 1,
                id: b"someone",
                principals: &[b"a@x"],
                options: &[],
                extensions: &[],
                authority: blob(2),
                behind_signature: b"",
            }
        }
    }

    impl Made<'_> {
        #[track_caller]
        fn reads(&self, expected: bool) {
            let read = self.read();
            assert_eq!(read.is_ok(), expected, "{read:?}");
        }

        fn read(&self) -> Result<Certificate, Unfit> {
            let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
            let signed = [
                &strings(&[b"ssh-ed25519-cert-v01@openssh.com", b"nonce", key.as_bytes()])[..],
                &[0; 8],
                &self.kind.to_be_bytes(),
                &strings(&[self.id, &strings(self.principals)]),
                &[0; 8],
                &[0x7f; 8],
                &strings(&[&strings(self.options), &strings(self.extensions), b"reserved", &self.authority]),
            ]
            .concat();
            let raw = SigningKey::from_bytes(&[2; 32]).sign(&signed).to_bytes();
            let signature = [&strings(&[b"ssh-ed25519", &raw])[..], self.behind_signature].concat();
            Certificate::read(&[&signed[..], &strings(&[&signature])].concat())
        }
    }

    /// Whoever asks whether a key is revoked must hear of both.
    #[test]
    fn a_signature_by_a_certificate_names_the_certified_key_and_its_authority() {
        let certificate = Made::default().read().unwrap();
        let signer = Signer::Certified(Box::new(certificate));
        let signature = Signature { signer, presence: Presence::Software };
        let fingerprint = |seed| PublicKey::read(&blob(seed)).unwrap().fingerprint;
        assert_eq!(signature.key(), &fingerprint(1));
        assert_eq!(signature.ca_key(), Some(&fingerprint(2)));
        assert_eq!(signature.key_description(), "ED25519 certificate");
        let signers = AllowedSigners::parse(&format!("a@x cert-authority {}", public(2))).unwrap();
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let verified = signers.attribute(&signature, &[now]).counts.unwrap();
        assert_eq!(verified.key(), &fingerprint(1));
        assert_eq!(verified.ca_key(), Some(&fingerprint(2)));
    }

    #[test]
    fn a_certificate_has_one_spelling() {
        Made::default().reads(true);
        Made { kind: 2, ..Made::default() }.reads(true);
        Made { kind: 3, ..Made::default() }.reads(false);
        Made { authority: blob(3), ..Made::default() }.reads(false);
        Made { authority: [blob(2), vec![0]].concat(), ..Made::default() }.reads(false);
        Made { behind_signature: b"x", ..Made::default() }.reads(false);
    }

    #[test]
    fn texts_are_bounded_and_hold_no_nul() {
        let long = [b'x'; 256];
        Made { principals: &[&b"a@x"[..]; 256], ..Made::default() }.reads(true);
        Made { principals: &[&b"a@x"[..]; 257], ..Made::default() }.reads(false);
        Made { principals: &[&long[1..]], ..Made::default() }.reads(true);
        for bad in [&b"a\0"[..], b"\xff", &long] {
            Made { principals: &[bad], ..Made::default() }.reads(false);
            Made { options: &[bad, b""], ..Made::default() }.reads(false);
            Made { extensions: &[bad, b""], ..Made::default() }.reads(false);
        }
        Made { id: b"a\0", ..Made::default() }.reads(false);
    }

    #[test]
    fn options_are_in_order_and_each_once() {
        let value = &strings(&[b"value"])[..];
        Made { options: &[b"a", b"", b"b", value], extensions: &[b"a", value], ..Made::default() }
            .reads(true);
        for options in [&[&b"b"[..], b"", b"a", b""][..], &[b"a", b"", b"a", value], &[b"a"]] {
            Made { options, ..Made::default() }.reads(false);
            Made { extensions: options, ..Made::default() }.reads(false);
        }
    }
}
