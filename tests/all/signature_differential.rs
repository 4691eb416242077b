//! Signatures by real keys, judged by us, by `ssh-keygen -Y verify` and by `git verify-commit`: we are never looser.

use git_gate::model::Code;
use git_gate::signature::{AllowedSigners, verify};

use crate::signature_bench::{ALICE, NOW, PAYLOAD, armor, bench, check, time, unarmor};

const KEYS: [&str; 8] = ["ed25519", "p256", "p384", "p521", "rsa2048", "rsa3072", "rsa3081", "rsa4096"];

fn signers(key: &str) -> String {
    format!("{ALICE} namespaces=\"git\" {} laptop\n", bench().public(key))
}

#[test]
fn every_key_and_hash_that_counts_does_and_no_other() {
    for key in KEYS {
        for hash in ["sha256", "sha512"] {
            let armored = bench().sign(key, "git", hash, PAYLOAD.as_bytes());
            let expected = if key == "rsa2048" { Err(Code::WeakKey) } else { Ok(()) };
            check(
                &format!("{key} {hash}"),
                &signers(key),
                PAYLOAD.as_bytes(),
                armored.as_bytes(),
                NOW,
                expected,
            );
        }
    }
}

#[test]
fn every_spoilt_signature_is_refused_by_its_own_code() {
    let other_payload = PAYLOAD.replace("v1.4", "v1.5");
    for key in KEYS {
        let good = bench().sign(key, "git", "sha512", PAYLOAD.as_bytes());
        let for_files = bench().sign(key, "file", "sha512", PAYLOAD.as_bytes());
        for (fault, payload, armored, code) in [
            ("other payload", other_payload.as_str(), good.clone(), Code::BadSignature),
            ("other namespace", PAYLOAD, for_files, Code::WrongNamespace),
            ("flipped", PAYLOAD, flipped(&good, 3), Code::BadSignature),
            ("trailing garbage", PAYLOAD, format!("{good}x\n"), Code::BadSignature),
            ("trailing line end", PAYLOAD, format!("{good}\n"), Code::BadSignature),
            ("doubled", PAYLOAD, format!("{good}{good}"), Code::BadSignature),
            ("leading blank", PAYLOAD, format!(" {good}"), Code::UnsupportedSignature),
            ("blank within", PAYLOAD, good.replacen("\nU", "\n U", 1), Code::BadSignature),
            ("carriage returns", PAYLOAD, good.replace('\n', "\r\n"), Code::BadSignature),
            ("trailing bytes", PAYLOAD, longer(&good), Code::BadSignature),
        ] {
            let case = format!("{key}: {fault}");
            check(&case, &signers(key), payload.as_bytes(), armored.as_bytes(), NOW, Err(code));
        }
    }
}

#[test]
fn every_key_that_may_not_sign_is_refused_by_its_own_code() {
    for key in KEYS {
        let armored = bench().sign(key, "git", "sha512", PAYLOAD.as_bytes());
        let public = bench().public(key);
        let known = signers(key);
        for (fault, signers, code) in [
            ("stranger", signers("stranger"), Code::UnknownKey),
            ("nobody", String::new(), Code::UnknownKey),
            ("two principals", format!("{known}bob@example.com {public}\n"), Code::UnknownKey),
            ("wildcard", format!("*@example.com {public}\n"), Code::UnknownKey),
            ("wildcard too", format!("{known}*@example.com {public}\n"), Code::UnknownKey),
            ("authority", format!("{ALICE} cert-authority {public}\n"), Code::UnknownKey),
            ("for files", format!("{ALICE} namespaces=\"file\" {public}\n"), Code::WrongNamespace),
            ("not for git", format!("{ALICE} namespaces=\"*,!git\" {public}\n"), Code::WrongNamespace),
            ("expired", format!("{ALICE} valid-before=\"20260101\" {public}\n"), Code::KeyNotValid),
            ("not yet", format!("{ALICE} valid-after=\"20270101\" {public}\n"), Code::KeyNotValid),
        ] {
            let code = if key == "rsa2048" { Code::WeakKey } else { code };
            let case = format!("{key}: {fault}");
            check(&case, &signers, PAYLOAD.as_bytes(), armored.as_bytes(), NOW, Err(code));
        }
    }
}

#[test]
fn options_that_allow_are_honoured() {
    let public = bench().public("ed25519");
    let armored = bench().sign("ed25519", "git", "sha512", PAYLOAD.as_bytes());
    for (options, at, expected) in [
        ("namespaces=\"git\"", NOW, Ok(())),
        ("NameSpaces=\"file,g?t\"", NOW, Ok(())),
        ("namespaces=\"*\",valid-after=\"20200101Z\",valid-before=\"20300101\"", NOW, Ok(())),
        ("valid-after=\"20260528202640Z\"", NOW, Ok(())),
        ("valid-after=\"20260528202641Z\"", NOW, Err(Code::KeyNotValid)),
        ("valid-before=\"20260528202641\"", NOW, Ok(())),
        ("valid-before=\"20260528202640\"", NOW, Err(Code::KeyNotValid)),
        ("valid-before=\"202605282026\"", NOW, Err(Code::KeyNotValid)),
        ("valid-before=\"202605282027\"", NOW, Ok(())),
    ] {
        let signers = format!("\"{ALICE}\"\t{options}  {public} a \"comment\n");
        check(options, &signers, PAYLOAD.as_bytes(), armored.as_bytes(), at, expected);
    }
}

/// The armor of the same blob with one bit of its `from_end`-th last byte flipped.
fn flipped(armored: &str, from_end: usize) -> String {
    let mut blob = unarmor(armored);
    let at = blob.len() - from_end;
    blob[at] ^= 1;
    armor(&blob)
}

fn longer(armored: &str) -> String {
    let mut blob = unarmor(armored);
    blob.push(0);
    armor(&blob)
}

/// Lines at the edge of the grammar. Whatever we make of them, we never count what the others do not.
#[test]
fn no_line_that_we_read_is_read_otherwise_by_the_others() {
    let public = bench().public("ed25519");
    let armored = bench().sign("ed25519", "git", "sha512", PAYLOAD.as_bytes());
    let mut counted = Vec::new();
    for line in [
        "\t alice@example.com\t \tKEY",
        "\"alice@example.com\" KEY \"comment",
        "\"alice@example.com\"KEY",
        "alice@\"example.com\" KEY",
        "alice@example.com,alice@example.com KEY",
        "!bob@example.com,alice@example.com KEY",
        "alice@example.com , KEY",
        "alice@example.com namespaces=\"git\" , KEY",
        "alice@example.com namespaces=\"git\"\t KEY",
        "alice@example.com namespaces=\"git\",NAMESPACES=\"file\" KEY",
        "alice@example.com namespaces=\"!file\" KEY",
        "alice@example.com namespaces=\" git\" KEY",
        "alice@example.com namespaces=\"a b,git\" KEY",
        "alice@example.com namespaces=\"gi\\\"t,git\" KEY",
        "alice@example.com valid-after=\"20200101z\" KEY",
        "alice@example.com valid-after=\"20200101UTC\" KEY",
        "alice@example.com valid-after=\"20200101\",valid-after=\"20210101\" KEY",
        "alice@example.com unknown,namespaces=\"git\" KEY",
        "alice@example.com no-touch-required KEY",
        "alice@example.com cert-authority KEY",
        "alice@example.com KEY\r",
        "\u{feff}alice@example.com KEY",
        "ALICE@example.com KEY",
        "# alice@example.com KEY",
        "x\nalice@example.com KEY",
        "# x\n\n \nalice@example.com KEY",
    ] {
        let signers = line.replace("KEY", &public);
        let Ok(parsed) = AllowedSigners::parse(&signers) else { continue };
        let signature = verify(PAYLOAD.as_bytes(), armored.as_bytes()).unwrap();
        if let Ok(verified) = parsed.attribute(&signature, &[time(NOW)]).counts {
            counted.push(line);
            let principal = verified.principal().as_str();
            let others =
                bench().others_accept(&signers, principal, PAYLOAD.as_bytes(), armored.as_bytes(), NOW);
            assert!(others, "{line}: we are looser than ssh-keygen and git");
        }
    }
    assert_eq!(counted.len(), 8, "{counted:#?}");
}
