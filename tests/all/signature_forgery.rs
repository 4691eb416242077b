//! Signatures that somebody tampered with: no single change of a good one counts, and no bytes make the readers panic.

use git_gate::signature::{AllowedSigners, verify};
use proptest::prelude::*;

use crate::signature_bench::{ALICE, NOW, PAYLOAD, armor, bench, judge, unarmor};

/// Where we count a changed signature, the others must too; no case is known in which they do.
#[track_caller]
fn never_looser(case: &str, signers: &str, payload: &[u8], armored: &[u8]) {
    if judge(signers, payload, armored, NOW).is_ok() {
        assert!(
            bench().others_accept(signers, ALICE, payload, armored, NOW),
            "{case}: looser than the others"
        );
    }
}

#[test]
fn no_flipped_byte_of_an_armor_is_accepted_unless_by_the_others_too() {
    for key in ["ed25519", "p256", "p384", "p521", "rsa3072"] {
        let signers = format!("{ALICE} {}\n", bench().public(key));
        let good = bench().sign(key, "git", "sha512", PAYLOAD.as_bytes()).into_bytes();
        assert!(judge(&signers, PAYLOAD.as_bytes(), &good, NOW).is_ok());
        for at in (0..good.len()).step_by(if key.starts_with("rsa") { 29 } else { 7 }) {
            for bit in [0x01, 0x20] {
                let mut bad = good.clone();
                bad[at] ^= bit;
                never_looser(&format!("{key} armor byte {at}"), &signers, PAYLOAD.as_bytes(), &bad);
            }
        }
    }
}

#[test]
fn no_flipped_byte_of_a_signature_or_payload_counts() {
    let certificate = bench().certify("ca", "ed25519", &["-n", ALICE]);
    let authority = format!("{ALICE} cert-authority {}\n", bench().public("ca"));
    let plain = |key: &str| format!("{ALICE} {}\n", bench().public(key));
    for (key, signers, step) in [
        ("ed25519", plain("ed25519"), 1),
        ("p256", plain("p256"), 1),
        ("p521", plain("p521"), 5),
        ("rsa4096", plain("rsa4096"), 23),
        (certificate.as_str(), authority, 2),
    ] {
        let good = bench().sign(key, "git", "sha256", PAYLOAD.as_bytes());
        let blob = unarmor(&good);
        assert!(judge(&signers, PAYLOAD.as_bytes(), armor(&blob).as_bytes(), NOW).is_ok());
        for at in (0..blob.len()).step_by(step) {
            let mut bad = blob.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(
                judge(&signers, PAYLOAD.as_bytes(), armor(&bad).as_bytes(), NOW).is_err(),
                "{key} byte {at}"
            );
        }
        for at in (0..PAYLOAD.len()).step_by(step * 4) {
            let mut payload = PAYLOAD.as_bytes().to_vec();
            payload[at] ^= 1;
            assert!(judge(&signers, &payload, good.as_bytes(), NOW).is_err(), "{key} payload byte {at}");
        }
    }
}

#[test]
fn a_signature_cut_short_anywhere_is_refused() {
    let blob = unarmor(&bench().sign("ed25519", "git", "sha512", PAYLOAD.as_bytes()));
    for length in 0..blob.len() {
        assert!(verify(PAYLOAD.as_bytes(), armor(&blob[..length]).as_bytes()).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_of_signatures_panic(
        payload in proptest::collection::vec(any::<u8>(), 0..64),
        armored in proptest::collection::vec(any::<u8>(), 0..512),
    ) {
        prop_assert!(verify(&payload, &armored).is_err());
        prop_assert!(verify(&payload, armor(&armored).as_bytes()).is_err());
    }

    #[test]
    fn no_changes_of_a_certificate_make_the_reader_panic_or_err(
        changes in proptest::collection::vec((0usize..4096, any::<u8>()), 1..8),
    ) {
        static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let good = GOOD.get_or_init(|| {
            let certificate = bench().certify("rsa3072", "p256", &["-n", ALICE]);
            unarmor(&bench().sign(&certificate, "git", "sha512", PAYLOAD.as_bytes()))
        });
        let mut blob = good.clone();
        for (at, byte) in changes {
            let at = at % blob.len();
            blob[at] = byte;
        }
        prop_assert!(blob == *good || verify(PAYLOAD.as_bytes(), armor(&blob).as_bytes()).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_of_signers_panic(text in any::<String>()) {
        let _ = AllowedSigners::parse(&text);
    }

    #[test]
    fn no_text_like_a_line_makes_the_reader_of_signers_panic(
        text in "([a-z@.*!?,\" \t#=-]|valid-after|namespaces=|cert-authority|ssh-ed25519|AAAA|\n|ü|2026){0,40}",
    ) {
        if let Err(problems) = AllowedSigners::parse(&text) {
            prop_assert!(!problems.to_string().is_empty());
        }
    }
}
