//! Says whose a signature is, and whether it counts.
//!
//! Two answers, apart: the owner stands as soon as the key belongs to one principal, so that a rejection cannot be
//! made to disappear by a closed window or a missing touch; that it counts needs all the rest too (design, sections
//! 2.8 and 8). An entry is as `ssh-keygen -Y verify` reads it; what counts here, it accepts.

use std::collections::BTreeSet;

use super::certificate::Certificate;
use super::entry::SignerEntry;
use super::key::PublicKey;
use super::maths::Presence;
use super::signers::Ownership;
use super::{AllowedSigners, Attribution, Defect, Hold, NAMESPACE, Signature, Signer, Verified};
use crate::model::{Code, Principal, Time};

/// Whose a key is, and the lines that say so.
type Owned<'a> = (Principal, Vec<&'a SignerEntry>);

impl AllowedSigners {
    /// Whose `signature` is, and whether it counts at every one of `times`: the recorded time and the commit's own
    /// committer date. Without any time it never counts.
    ///
    /// That it touches no revocation is on purpose: those are by fingerprint and by place in history.
    pub fn attribute(&self, signature: &Signature, times: &[Time]) -> Attribution {
        let found = match &signature.signer {
            Signer::Plain(key) => self.owner_of_key(key).map_err(unknown),
            Signer::Certified(certificate) => self.owner_of_certificate(certificate),
        };
        let (owner, entries) = match found {
            Ok(owned) => owned,
            Err(defect) => return Attribution { owner: None, counts: Err(vec![defect]) },
        };
        let mut defects = judge_entries(&entries, times);
        if let Signer::Certified(certificate) = &signature.signer {
            defects.extend(certificate.faults(signature.presence, times));
        }
        let counts = match hold(signature.presence) {
            Ok(hold) if defects.is_empty() => Ok(Verified {
                principal: owner.clone(),
                key: signature.key().clone(),
                authority: signature.ca_key().cloned(),
                hold,
            }),
            Ok(_) => Err(defects),
            Err(no_touch) => {
                defects.push(no_touch);
                Err(defects)
            }
        };
        let counts = counts.map_err(|mut defects| {
            defects.sort_by_key(|defect| defect.code);
            defects
        });
        Attribution { owner: Some(owner), counts }
    }

    fn owner_of_key(&self, key: &PublicKey) -> Result<Owned<'_>, String> {
        let name = format!("{} key `{}`", key.description(), key.fingerprint);
        match self.ownership(key) {
            None => Err(format!("the {name} is nobody's in `policy/allowed_signers`")),
            Some(Ownership::One(owner)) => Ok((owner.clone(), self.lines_of(key).collect())),
            Some(Ownership::Several(_)) => {
                Err(format!("the {name} stands under several principals, and so counts for none"))
            }
            Some(Ownership::Wildcard) => {
                Err(format!("the {name} stands under a wildcard, and so counts for none"))
            }
        }
    }

    /// The one principal of the certificate that a line trusts its authority with. The certified key itself must not
    /// stand in the file as somebody else's: one key is one person's.
    fn owner_of_certificate(&self, certificate: &Certificate) -> Result<Owned<'_>, Defect> {
        let authority = &certificate.authority.fingerprint;
        let lines: Vec<&SignerEntry> = self.authority_lines_of(&certificate.authority).collect();
        if lines.is_empty() {
            return Err(unknown(format!(
                "no `cert-authority` line of `policy/allowed_signers` has the certificate's authority `{authority}`"
            )));
        }
        if let Some(fault) = certificate.names_nobody() {
            return Err(fault);
        }
        let matching: BTreeSet<&str> = certificate
            .principals()
            .filter(|principal| lines.iter().any(|line| line.covers(principal)))
            .collect();
        let mut matching = matching.into_iter();
        let (Some(first), None) = (matching.next(), matching.next()) else {
            return Err(unknown(format!(
                "not exactly one principal of the certificate matches a `cert-authority` line with `{authority}`"
            )));
        };
        let owner: Principal = first.parse().map_err(|malformed: crate::model::Malformed| {
            unknown(format!("the certificate's principal `{first}` is none: {malformed}"))
        })?;
        match self.ownership(&certificate.key) {
            None => {}
            Some(Ownership::One(other)) if *other == owner => {}
            Some(Ownership::One(_) | Ownership::Several(_) | Ownership::Wildcard) => {
                return Err(unknown(format!(
                    "the certified key `{}` also stands under another principal, and so counts for none",
                    certificate.key.fingerprint
                )));
            }
        }
        let covering = lines.into_iter().filter(|line| line.covers(first)).collect();
        Ok((owner, covering))
    }
}

/// What the lines of one owner's key say against a signature at `times`. At each time one line must allow it, as
/// when keys overlap; it need not be the same.
fn judge_entries(entries: &[&SignerEntry], times: &[Time]) -> Vec<Defect> {
    let mut defects = Vec::new();
    let for_git: Vec<&SignerEntry> =
        entries.iter().copied().filter(|entry| entry.allows_namespace(NAMESPACE)).collect();
    if for_git.is_empty() {
        defects.push(Defect::new(
            Code::WrongNamespace,
            format!("`namespaces=` in `policy/allowed_signers` does not allow the key `{NAMESPACE}`"),
        ));
    }
    let judged = if for_git.is_empty() { entries } else { for_git.as_slice() };
    let invalid = times.iter().find_map(|time| {
        let faults: Vec<String> = judged.iter().map_while(|entry| entry.invalid_at(*time)).collect();
        (faults.len() == judged.len()).then(|| faults.into_iter().next().unwrap_or_default())
    });
    let invalid =
        if times.is_empty() { Some("there is no time to judge the key at".to_owned()) } else { invalid };
    defects.extend(invalid.map(|reason| Defect::new(Code::KeyNotValid, reason)));
    defects
}

fn hold(presence: Presence) -> Result<Hold, Defect> {
    match presence {
        Presence::Software => Ok(Hold::Software),
        Presence::Token { touched: true, verified: true } => Ok(Hold::HardwareVerified),
        Presence::Token { touched: true, verified: false } => Ok(Hold::Hardware),
        Presence::Token { touched: false, verified: _ } => {
            Err(Defect::new(Code::NoTouch, "the hardware key signed without a touch".to_owned()))
        }
    }
}

fn unknown(reason: String) -> Defect {
    Defect::new(Code::UnknownKey, reason)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Made, public};
    use super::super::verify;
    use super::*;

    const JUNE: &str = "2026-06-01T00:00:00Z";
    const JULY: &str = "2026-07-01T00:00:00Z";

    #[track_caller]
    fn attribute(signers: &str, times: &[&str]) -> Attribution {
        let armored = Made::default().sign(1, b"payload");
        let signature = verify(b"payload", armored.as_bytes()).unwrap();
        let times: Vec<Time> = times.iter().map(|time| time.parse().unwrap()).collect();
        AllowedSigners::parse(signers).unwrap().attribute(&signature, &times)
    }

    #[track_caller]
    fn codes(signers: &str, times: &[&str], owner: Option<&str>) -> Vec<Code> {
        let attribution = attribute(signers, times);
        assert_eq!(attribution.owner.as_ref().map(Principal::as_str), owner, "{signers}");
        match attribution.counts {
            Ok(verified) => {
                assert_eq!(Some(verified.principal()), attribution.owner.as_ref());
                vec![]
            }
            Err(defects) => {
                assert!(!defects.is_empty());
                defects.into_iter().map(|defect| defect.code).collect()
            }
        }
    }

    #[test]
    fn a_key_must_be_valid_at_every_time() {
        let key = public(1);
        let line = format!("a@x valid-after=\"20260601\",valid-before=\"20260630\" {key}");
        assert_eq!(codes(&line, &[JUNE], Some("a@x")), []);
        assert_eq!(codes(&line, &[JUNE, JUNE], Some("a@x")), []);
        for times in [&[JUNE, JULY][..], &[JULY, JUNE], &[JULY], &[]] {
            assert_eq!(codes(&line, times, Some("a@x")), [Code::KeyNotValid], "{times:?}");
        }
        let end = format!("a@x valid-before=\"20260601\" {key}");
        assert_eq!(codes(&end, &["2026-05-31T23:59:59Z"], Some("a@x")), []);
        assert_eq!(codes(&end, &[JUNE], Some("a@x")), [Code::KeyNotValid], "the end is exclusive");
        assert_eq!(codes(&format!("a@x {key}"), &["1970-01-01T00:00:00Z"], Some("a@x")), []);
        assert_eq!(codes(&format!("a@x {key}"), &["1969-01-01T00:00:00Z"], Some("a@x")), [Code::KeyNotValid]);
    }

    #[test]
    fn lines_with_windows_that_follow_each_other_cover_both_times() {
        let key = public(1);
        let first = format!("a@x valid-before=\"20260615\" {key}\n");
        let then = format!("a@x valid-after=\"20260615\" {key}\n");
        assert_eq!(codes(&format!("{first}{then}"), &[JUNE, JULY], Some("a@x")), []);
        assert_eq!(codes(&first, &[JUNE, JULY], Some("a@x")), [Code::KeyNotValid]);
        // A line for another purpose does not lend its window.
        let for_files = format!("a@x namespaces=\"file\" {key}\n");
        assert_eq!(codes(&format!("{first}{for_files}"), &[JUNE, JULY], Some("a@x")), [Code::KeyNotValid]);
        assert_eq!(codes(&format!("{for_files}{first}"), &[JUNE], Some("a@x")), []);
    }

    #[test]
    fn all_defects_are_told_in_the_order_of_the_codes() {
        let line = format!("a@x valid-before=\"20200101\",namespaces=\"file\" {}", public(1));
        assert_eq!(codes(&line, &[JUNE], Some("a@x")), [Code::WrongNamespace, Code::KeyNotValid]);
    }

    #[test]
    fn a_key_that_is_not_one_persons_is_nobodys() {
        let (key, other) = (public(1), public(2));
        for signers in [
            String::new(),
            format!("a@x {other}"),
            format!("a@x,b@x {key}"),
            format!("a@x {key}\nb@x {key}"),
            format!("a@x {key}\nb@x valid-before=\"20200101\" {key}"),
            format!("a@x {key}\n*@x {key}"),
            format!("*@x {key}\na@x {key}"),
            format!("!b@x,a@x {key}"),
            format!("a@x cert-authority {key}"),
        ] {
            assert_eq!(codes(&signers, &[JUNE], None), [Code::UnknownKey], "{signers}");
        }
        for signers in
            [format!("a@x {key}\na@x {key}"), format!("a@x,a@x {key}"), format!("a@x {key}\nb@x {other}")]
        {
            assert_eq!(codes(&signers, &[JUNE], Some("a@x")), [], "{signers}");
        }
    }

    #[test]
    fn a_proof_says_who_and_with_what() {
        let verified = attribute(&format!("a@x {}", public(1)), &[JUNE]).counts.unwrap();
        assert_eq!(verified.hold(), Hold::Software);
        assert_eq!(verified.ca_key(), None);
        assert!(verified.key().as_str().starts_with("SHA256:"));
    }
}
