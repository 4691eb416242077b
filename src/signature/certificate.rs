//! OpenSSH certificates: who says of a key that it is whose, and until when.
//!
//! Reading one verifies the authority's own signature. Whether that authority is trusted, and for whom, is asked of
//! `allowed_signers`; whether the certificate is fit to sign with at some times is [`Certificate::faults`].

use std::collections::BTreeSet;

use super::Defect;
use super::key::{Algorithm, KeyError, PublicKey};
use super::maths::{self, Presence, Refusal};
use super::wire::{Reader, Unreadable};
use crate::model::{Code, Time};

/// Most principals in one certificate: OpenSSH's own limit.
const MOST_PRINCIPALS: usize = 256;
/// Longest name of a principal or an option, in bytes. It bounds messages and the cost of patterns.
const LONGEST_NAME: usize = 255;
/// The types of certificate in PROTOCOL.certkeys.
const USER: u32 = 1;
const HOST: u32 = 2;
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
    /// Whether it is a user's certificate, not a host's.
    for_user: bool,
    /// Whom it names, as written.
    pub(super) principals: BTreeSet<String>,
    valid_after: u64,
    valid_before: u64,
    critical_options: Vec<String>,
}

/// Why a blob is no certificate.
pub(super) enum Unfit {
    /// The certified key or the authority's.
    Key(KeyError),
    /// The authority's signature.
    Signature(Refusal),
}

impl Certificate {
    /// Reads a certificate in the wire format and verifies its authority's signature.
    pub(super) fn read(algorithm: Algorithm, blob: &[u8]) -> Result<Self, Unfit> {
        let mut reader = Reader::new(blob);
        reader.text()?; // the type, which gave `algorithm`
        reader.string()?; // the nonce
        let key = PublicKey::read_fields(algorithm, &mut reader)?;
        reader.u64()?; // the serial number
        let kind = reader.u32()?;
        reader.text()?; // the key id, which is for people
        let principals = read_principals(reader.string()?)?;
        let valid_after = reader.u64()?;
        let valid_before = reader.u64()?;
        let critical_options = read_options(reader.string()?)?;
        read_options(reader.string()?)?; // extensions only permit, and here is nothing to permit
        reader.string()?; // reserved
        let authority = PublicKey::read(reader.string()?)?;
        let signed = blob.get(..blob.len() - reader.rest().len()).unwrap_or_default();
        let signature = reader.string()?;
        reader.end()?;
        if kind != USER && kind != HOST {
            return Err(Unreadable("it is neither a user's nor a host's").into());
        }
        if authority.is_tiny() {
            return Err(Unreadable("its authority's key is too small to calculate with").into());
        }
        let presence = maths::verify(&authority, signed, signature).map_err(Unfit::Signature)?;
        let authority_touched = match presence {
            Presence::Software => true,
            Presence::Token { touched, .. } => touched,
        };
        Ok(Self {
            key,
            authority,
            authority_touched,
            for_user: kind == USER,
            principals,
            valid_after,
            valid_before,
            critical_options,
        })
    }

    /// Why the certificate is nobody's at all: a host's, or without a principal.
    pub(super) fn names_nobody(&self) -> Option<Defect> {
        let unfit = |reason: &str| Some(Defect::new(Code::KeyNotValid, reason.to_owned()));
        if !self.for_user {
            return unfit("the certificate is a host's, not a user's");
        }
        if self.principals.is_empty() {
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
        for option in &self.critical_options {
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
        if seconds < self.valid_after {
            return Some(format!("the certificate was not yet valid at {time}"));
        }
        (seconds >= self.valid_before).then(|| format!("the certificate had expired at {time}"))
    }
}

fn read_principals(bytes: &[u8]) -> Result<BTreeSet<String>, Unreadable> {
    let mut reader = Reader::new(bytes);
    let mut principals = BTreeSet::new();
    for _ in 0..MOST_PRINCIPALS {
        if reader.rest().is_empty() {
            break;
        }
        let principal = reader.text()?;
        if principal.len() > LONGEST_NAME {
            return Err(Unreadable("it names a principal of more than 255 bytes"));
        }
        principals.insert(principal.to_owned());
    }
    reader.end().map_err(|_more| Unreadable("it names more than 256 principals"))?;
    Ok(principals)
}

/// The names of a list of options.
fn read_options(bytes: &[u8]) -> Result<Vec<String>, Unreadable> {
    let mut reader = Reader::new(bytes);
    let mut names: Vec<String> = Vec::new();
    while !reader.rest().is_empty() {
        let name = reader.text()?;
        reader.string()?;
        if name.len() > LONGEST_NAME {
            return Err(Unreadable("it has an option with a name of more than 255 bytes"));
        }
        // PROTOCOL.certkeys: in lexical order, each once.
        if names.last().is_some_and(|last| last.as_str() >= name) {
            return Err(Unreadable("its options are not in order, each once"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

impl From<Unreadable> for Unfit {
    fn from(error: Unreadable) -> Self {
        Self::Key(error.into())
    }
}

impl From<KeyError> for Unfit {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Made, certificate, token_public};
    use super::super::{AllowedSigners, verify};
    use super::*;

    #[track_caller]
    fn check(certificate: &[u8], expected: &[Code]) {
        let armored = Made { key: Some(certificate), ..Made::default() }.sign(1, b"payload");
        let found = match verify(b"payload", armored.as_bytes()) {
            Err(defect) => vec![defect.code],
            Ok(signature) => {
                assert!(signature.ca_key().is_some());
                assert_eq!(signature.key_description(), "ED25519 certificate");
                let line = format!("*@x cert-authority {}", token_public());
                let now = Time::from_unix(1_780_000_000).unwrap();
                match AllowedSigners::parse(&line).unwrap().attribute(&signature, &[now]).counts {
                    Ok(verified) => {
                        assert_eq!(verified.ca_key(), signature.ca_key());
                        assert_eq!(verified.key(), signature.key());
                        vec![]
                    }
                    Err(defects) => defects.into_iter().map(|defect| defect.code).collect(),
                }
            }
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_certificate_counts_for_its_one_principal() {
        check(&certificate(USER, &["a@x"], &[], 1), &[]);
        check(&certificate(USER, &["a@x", "a@x", "root"], &[], 1), &[]);
        check(&certificate(USER, &["a@x", "b@x"], &[], 1), &[Code::UnknownKey]);
        check(&certificate(USER, &["a@y"], &[], 1), &[Code::UnknownKey]);
        check(&certificate(USER, &["a b@x"], &[], 1), &[Code::UnknownKey]);
        check(&certificate(USER, &["*@x"], &[], 1), &[Code::UnknownKey]);
        check(&certificate(USER, &[], &[], 1), &[Code::KeyNotValid]);
        check(&certificate(HOST, &["a@x"], &[], 1), &[Code::KeyNotValid]);
    }

    #[test]
    fn an_authority_that_was_not_touched_certifies_nothing() {
        check(&certificate(USER, &["a@x"], &[], 0), &[Code::NoTouch]);
        check(&certificate(USER, &["a@x"], &[], 4), &[Code::NoTouch]);
    }

    #[test]
    fn critical_options_are_honoured_or_refused() {
        check(&certificate(USER, &["a@x"], &["verify-required"], 1), &[Code::NoVerification]);
        check(&certificate(USER, &["a@x"], &["a", "b"], 1), &[Code::KeyNotValid, Code::KeyNotValid]);
        for unreadable in [&["b", "a"], &["a", "a"]] {
            check(&certificate(USER, &["a@x"], unreadable, 1), &[Code::BadSignature]);
        }
    }

    #[test]
    fn odd_certificates_are_refused() {
        let long = "x".repeat(LONGEST_NAME + 1);
        let many: Vec<String> = (0..=MOST_PRINCIPALS).map(|number| format!("{number}@x")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let good = certificate(USER, &["a@x"], &[], 1);
        for bad in [
            certificate(0, &["a@x"], &[], 1),
            certificate(3, &["a@x"], &[], 1),
            certificate(USER, &[&long], &[], 1),
            certificate(USER, &["a@x\0"], &[], 1),
            certificate(USER, &many, &[], 1),
            [&good[..], b"x"].concat(),
            good[..good.len() - 1].to_vec(),
        ] {
            check(&bad, &[Code::BadSignature]);
        }
        check(&certificate(USER, &many[..MOST_PRINCIPALS], &[], 1), &[Code::UnknownKey]);
    }
}
