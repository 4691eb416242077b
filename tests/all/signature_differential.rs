//! Signatures by real keys, judged by us, by `ssh-keygen -Y verify` and by `git verify-commit`: we are never looser.

use git_gate::model::Code;
use git_gate::signature::{AllowedSigners, verify};

use crate::signature_bench::{ALICE, NOW, PAYLOAD, armor, attribute, bench, check, time, unarmor};

/// A case, the arguments for its certificate, whether it counts, and whether it has an owner.
type Case<'a> = (&'a str, Vec<&'a str>, Result<(), Code>, bool);

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
fn every_fault_is_refused_by_its_own_code() {
    for key in KEYS {
        let good = bench().sign(key, "git", "sha512", PAYLOAD.as_bytes());
        let for_files = bench().sign(key, "file", "sha512", PAYLOAD.as_bytes());
        let other_payload = PAYLOAD.replace("v1.4", "v1.5");
        let public = bench().public(key);
        let weak = key == "rsa2048";
        let known = signers(key);
        let faults: Vec<(&str, String, &str, String, Code)> = vec![
            ("other payload", known.clone(), &other_payload, good.clone(), Code::BadSignature),
            ("other namespace", known.clone(), PAYLOAD, for_files, Code::WrongNamespace),
            ("flipped", known.clone(), PAYLOAD, flipped(&good, 3), Code::BadSignature),
            ("trailing garbage", known.clone(), PAYLOAD, format!("{good}x\n"), Code::BadSignature),
            ("trailing line end", known.clone(), PAYLOAD, format!("{good}\n"), Code::BadSignature),
            ("doubled", known.clone(), PAYLOAD, format!("{good}{good}"), Code::BadSignature),
            ("leading blank", known.clone(), PAYLOAD, format!(" {good}"), Code::UnsupportedSignature),
            ("blank within", known.clone(), PAYLOAD, good.replacen("\nU", "\n U", 1), Code::BadSignature),
            ("carriage returns", known.clone(), PAYLOAD, good.replace('\n', "\r\n"), Code::BadSignature),
            ("trailing bytes", known.clone(), PAYLOAD, longer(&good), Code::BadSignature),
            ("stranger", signers("stranger"), PAYLOAD, good.clone(), Code::UnknownKey),
            ("nobody", String::new(), PAYLOAD, good.clone(), Code::UnknownKey),
            (
                "two principals",
                format!("{known}bob@example.com {public}\n"),
                PAYLOAD,
                good.clone(),
                Code::UnknownKey,
            ),
            ("wildcard", format!("*@example.com {public}\n"), PAYLOAD, good.clone(), Code::UnknownKey),
            (
                "wildcard too",
                format!("{known}*@example.com {public}\n"),
                PAYLOAD,
                good.clone(),
                Code::UnknownKey,
            ),
            (
                "authority",
                format!("{ALICE} cert-authority {public}\n"),
                PAYLOAD,
                good.clone(),
                Code::UnknownKey,
            ),
            (
                "for files",
                format!("{ALICE} namespaces=\"file\" {public}\n"),
                PAYLOAD,
                good.clone(),
                Code::WrongNamespace,
            ),
            (
                "not for git",
                format!("{ALICE} namespaces=\"*,!git\" {public}\n"),
                PAYLOAD,
                good.clone(),
                Code::WrongNamespace,
            ),
            (
                "expired",
                format!("{ALICE} valid-before=\"20260101\" {public}\n"),
                PAYLOAD,
                good.clone(),
                Code::KeyNotValid,
            ),
            (
                "not yet",
                format!("{ALICE} valid-after=\"20270101\" {public}\n"),
                PAYLOAD,
                good.clone(),
                Code::KeyNotValid,
            ),
        ];
        for (fault, signers, payload, armored, code) in faults {
            let by_policy = matches!(code, Code::UnknownKey | Code::KeyNotValid)
                || (code == Code::WrongNamespace && fault.contains("for "));
            let expected = if weak && by_policy { Code::WeakKey } else { code };
            let case = format!("{key}: {fault}");
            check(&case, &signers, payload.as_bytes(), armored.as_bytes(), NOW, Err(expected));
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

#[test]
fn certificates_count_when_one_line_trusts_their_authority_with_one_principal() {
    let window = ["-V", "20200101000000:20300101000000"];
    let user = ["-n", ALICE];
    let cases: Vec<Case<'_>> = vec![
        ("valid", [&user[..], &window].concat(), Ok(()), true),
        ("forever", user.to_vec(), Ok(()), true),
        ("also named otherwise", vec!["-n", "alice@example.com,root"], Ok(()), true),
        (
            "expired",
            [&user[..], &["-V", "20200101000000:20210101000000"]].concat(),
            Err(Code::KeyNotValid),
            true,
        ),
        (
            "to come",
            [&user[..], &["-V", "20290101000000:20300101000000"]].concat(),
            Err(Code::KeyNotValid),
            true,
        ),
        (
            "expires now",
            [&user[..], &["-V", "20200101000000:20260528202640"]].concat(),
            Err(Code::KeyNotValid),
            true,
        ),
        ("begins now", [&user[..], &["-V", "20260528202640:20300101000000"]].concat(), Ok(()), true),
        ("other principal", vec!["-n", "alice@evil.example"], Err(Code::UnknownKey), false),
        ("two principals", vec!["-n", "alice@example.com,bob@example.com"], Err(Code::UnknownKey), false),
        ("odd principal", vec!["-n", "alice b@example.com"], Err(Code::UnknownKey), false),
        ("no principal", vec![], Err(Code::KeyNotValid), false),
        ("host", vec!["-h", "-n", ALICE], Err(Code::KeyNotValid), false),
        ("unknown option", vec!["-n", ALICE, "-O", "critical:x@example.com=1"], Err(Code::KeyNotValid), true),
        ("forced command", vec!["-n", ALICE, "-O", "force-command=true"], Err(Code::KeyNotValid), true),
        (
            "source address",
            vec!["-n", ALICE, "-O", "source-address=10.0.0.0/8"],
            Err(Code::KeyNotValid),
            true,
        ),
        ("verified user", vec!["-n", ALICE, "-O", "verify-required"], Err(Code::NoVerification), true),
        ("extension", vec!["-n", ALICE, "-O", "extension:x@example.com=1"], Ok(()), true),
    ];
    let signers = format!("*@example.com cert-authority,namespaces=\"git\" {}\n", bench().public("ca"));
    for (case, arguments, expected, owned) in cases {
        let certificate = bench().certify("ca", "ed25519", &arguments);
        let armored = bench().sign(&certificate, "git", "sha512", PAYLOAD.as_bytes());
        check(case, &signers, PAYLOAD.as_bytes(), armored.as_bytes(), NOW, expected);
        let signature = git_gate::signature::verify(PAYLOAD.as_bytes(), armored.as_bytes()).unwrap();
        let owner = attribute(&signers, &signature, NOW).owner;
        assert_eq!(owner.as_ref().map(git_gate::model::Principal::as_str), owned.then_some(ALICE), "{case}");
    }
}

#[test]
fn certificates_on_every_kind_of_key_by_several_authorities() {
    for (ca, key, expected) in [
        ("ca", "p256", Ok(())),
        ("ca-p384", "p384", Ok(())),
        ("p521", "p521", Ok(())),
        ("rsa3072", "rsa4096", Ok(())),
        ("ca", "rsa2048", Err(Code::WeakKey)),
        ("rsa2048", "ed25519", Err(Code::WeakKey)),
    ] {
        let certificate = bench().certify(ca, key, &["-n", ALICE]);
        let armored = bench().sign(&certificate, "git", "sha256", PAYLOAD.as_bytes());
        let signers = format!("{ALICE} cert-authority {}\n", bench().public(ca));
        let case = format!("{ca} on {key}");
        check(&case, &signers, PAYLOAD.as_bytes(), armored.as_bytes(), NOW, expected);
        let plain = format!("{ALICE} {}\n", bench().public(key));
        let expected = expected.map_or_else(Err, |()| Err(Code::UnknownKey));
        check(&case, &plain, PAYLOAD.as_bytes(), armored.as_bytes(), NOW, expected);
    }
    // SHA-1 by the authority.
    let certificate = bench().certify("rsa3072", "ed25519", &["-n", ALICE, "-t", "ssh-rsa"]);
    let armored = bench().sign(&certificate, "git", "sha256", PAYLOAD.as_bytes());
    let signers = format!("{ALICE} cert-authority {}\n", bench().public("rsa3072"));
    check("SHA-1", &signers, PAYLOAD.as_bytes(), armored.as_bytes(), NOW, Err(Code::UnsupportedSignature));
}

#[test]
fn a_certified_key_that_is_also_somebody_elses_counts_for_nobody() {
    let certificate = bench().certify("ca", "p256", &["-n", ALICE]);
    let armored = bench().sign(&certificate, "git", "sha512", PAYLOAD.as_bytes());
    let authority = format!("*@example.com cert-authority {}\n", bench().public("ca"));
    for (line, expected) in
        [("bob@example.com", Err(Code::UnknownKey)), ("*", Err(Code::UnknownKey)), (ALICE, Ok(()))]
    {
        let signers = format!("{authority}{line} {}\n", bench().public("p256"));
        check(line, &signers, PAYLOAD.as_bytes(), armored.as_bytes(), NOW, expected);
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
