//! Hardware keys, emulated: the same bytes that a token signs, by a key in memory. `ssh-keygen` cannot tell, and does
//! not look at the flags; we do.

use git_gate::model::Code;
use git_gate::signature::Hold;
use p256::ecdsa::signature::Signer as _;
use sha2::{Digest as _, Sha256, Sha512};

use crate::signature_bench::{ALICE, NOW, PAYLOAD, armor, attribute, bench, check, judge};

enum Token {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

fn tokens() -> [Token; 2] {
    [
        Token::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[7; 32])),
        Token::P256(p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()),
    ]
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut buffer = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    buffer.extend(bytes);
    buffer
}

impl Token {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "sk-ssh-ed25519@openssh.com",
            Self::P256(_) => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    fn blob(&self) -> Vec<u8> {
        let key = match self {
            Self::Ed25519(key) => string(key.verifying_key().as_bytes()),
            Self::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                [string(b"nistp256"), string(point.as_bytes())].concat()
            }
        };
        [string(self.kind().as_bytes()), key, string(b"ssh:")].concat()
    }

    fn line(&self) -> String {
        use ssh_key::encoding::base64::{Base64, Encoding as _};
        format!("{ALICE} {} {}\n", self.kind(), Base64::encode_string(&self.blob()))
    }

    fn sign(&self, flags: u8, trailing: &[u8]) -> String {
        self.sign_as(&self.blob(), flags, trailing)
    }

    /// A signature that bears `blob` as its key: the key's own, or a certificate.
    fn sign_as(&self, blob: &[u8], flags: u8, trailing: &[u8]) -> String {
        self.sign_payload(PAYLOAD.as_bytes(), blob, flags, trailing)
    }

    fn sign_payload(&self, payload: &[u8], blob: &[u8], flags: u8, trailing: &[u8]) -> String {
        let digest = Sha512::digest(payload);
        let parts = [string(b"git"), string(b""), string(b"sha512")].concat();
        let message = [b"SSHSIG", &parts[..], &string(&digest)].concat();
        let tail = [&[flags][..], &41u32.to_be_bytes()].concat();
        let signed = [&Sha256::digest("ssh:")[..], &tail, &Sha256::digest(&message)].concat();
        let raw = match self {
            Self::Ed25519(key) => key.sign(&signed).to_bytes().to_vec(),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(&signed);
                let (r, s) = signature.split_bytes();
                [string(&positive(&r)), string(&positive(&s))].concat()
            }
        };
        let signature = [string(self.kind().as_bytes()), string(&raw), tail, trailing.to_vec()].concat();
        let envelope = [b"SSHSIG", &1u32.to_be_bytes()[..], &string(blob), &parts, &string(&signature)];
        armor(&envelope.concat())
    }
}

/// The public key of a token, as `allowed_signers` takes it.
pub(crate) fn token_public_key() -> String {
    let [token, _other] = tokens();
    token.line().replacen(&format!("{ALICE} "), "", 1).trim_end().to_owned()
}

/// What that token signs, touched as `flags` say.
pub(crate) fn token_signature(payload: &[u8], flags: u8) -> String {
    let [token, _other] = tokens();
    token.sign_payload(payload, &token.blob(), flags, b"")
}

fn positive(number: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = number.iter().copied().skip_while(|digit| *digit == 0).collect();
    if digits[0] >= 0x80 { [&[0][..], &digits].concat() } else { digits }
}

#[test]
fn a_hardware_key_counts_when_it_was_touched() {
    for token in tokens() {
        for (flags, expected) in [
            (0x00, Err(Code::NoTouch)),
            (0x01, Ok(Hold::Hardware)),
            (0x04, Err(Code::NoTouch)),
            (0x05, Ok(Hold::HardwareVerified)),
        ] {
            let armored = token.sign(flags, b"");
            let case = format!("{} {flags:#04x}", token.kind());
            let outcome = expected.map(|_hold| ());
            check(&case, &token.line(), PAYLOAD.as_bytes(), armored.as_bytes(), NOW, outcome);
            let verified = judge(&token.line(), PAYLOAD.as_bytes(), armored.as_bytes(), NOW);
            assert_eq!(verified.map(|verified| verified.hold()), expected, "{case}");
        }
    }
}

#[test]
fn ssh_keygen_does_not_look_at_the_touch_and_so_we_must() {
    for token in tokens() {
        let armored = token.sign(0x00, b"");
        assert!(bench().others_accept(&token.line(), ALICE, PAYLOAD.as_bytes(), armored.as_bytes(), NOW));
    }
}

#[test]
fn an_untouched_key_still_has_its_owner() {
    for token in tokens() {
        let armored = token.sign(0x00, b"");
        let signature = git_gate::signature::verify(PAYLOAD.as_bytes(), armored.as_bytes()).unwrap();
        let owner = attribute(&token.line(), &signature, NOW).owner;
        assert_eq!(owner.unwrap().as_str(), ALICE);
    }
}

#[test]
fn bytes_after_the_counter_and_changed_flags_are_refused() {
    for token in tokens() {
        let armored = token.sign(0x01, b"x");
        let refused = Err(Code::BadSignature);
        check(token.kind(), &token.line(), PAYLOAD.as_bytes(), armored.as_bytes(), NOW, refused);
        let mut blob = crate::signature_bench::unarmor(&token.sign(0x00, b""));
        let flags = blob.len() - 5;
        blob[flags] = 0x01;
        check(token.kind(), &token.line(), PAYLOAD.as_bytes(), armor(&blob).as_bytes(), NOW, refused);
    }
}

#[test]
fn a_certificate_can_ask_for_user_verification() {
    let signers = format!("{ALICE} cert-authority {}\n", bench().public("ca"));
    for token in tokens() {
        let public = token.line().replacen(&format!("{ALICE} "), "", 1);
        let plain = bench().certify_public("ca", &public, &["-n", ALICE]);
        let strict = bench().certify_public("ca", &public, &["-n", ALICE, "-O", "verify-required"]);
        let lax = bench().certify_public("ca", &public, &["-n", ALICE, "-O", "no-touch-required"]);
        for (certificate, flags, expected) in [
            (&plain, 0x00, Err(Code::NoTouch)),
            (&plain, 0x01, Ok(())),
            (&strict, 0x00, Err(Code::NoTouch)),
            (&strict, 0x01, Err(Code::NoVerification)),
            (&strict, 0x05, Ok(())),
            (&lax, 0x00, Err(Code::NoTouch)),
            (&lax, 0x01, Ok(())),
        ] {
            let armored = token.sign_as(certificate, flags, b"");
            check(token.kind(), &signers, PAYLOAD.as_bytes(), armored.as_bytes(), NOW, expected);
        }
    }
}

/// `ssh-key` looks for flags and counter at the end of whatever signature it is given with a hardware key.
#[test]
fn a_hardware_keys_signature_under_another_name_is_refused() {
    for token in tokens() {
        let blob = crate::signature_bench::unarmor(&token.sign(0x05, b""));
        let kind = string(token.kind().as_bytes());
        let signature = blob.windows(kind.len()).rposition(|part| part == kind).unwrap();
        let (raw, tail) = blob[signature + kind.len() + 4..].split_last_chunk::<5>().map_or_else(
            || unreachable!("a token's signature ends with five bytes"),
            |(raw, tail)| (raw.to_vec(), *tail),
        );
        for name in ["rsa-sha2-512", "x@example.com", "ssh-ed25519", "ecdsa-sha2-nistp256"] {
            let other = [string(name.as_bytes()), string(&[&raw[..], &tail].concat())].concat();
            let armored = armor(&[&blob[..signature - 4], &string(&other)].concat());
            let refused = Err(Code::UnsupportedSignature);
            check(name, &token.line(), PAYLOAD.as_bytes(), armored.as_bytes(), NOW, refused);
        }
    }
}
