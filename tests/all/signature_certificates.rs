//! OpenSSH certificates made by `ssh-keygen -s`, judged by us, by `ssh-keygen -Y verify` and by `git verify-commit`.

use git_gate::model::Code;

use crate::signature_bench::{ALICE, NOW, PAYLOAD, attribute, bench, check};

/// A name, what `ssh-keygen -s` is told, what is expected, and whether the owner is known all the same.
type Case<'a> = (&'a str, Vec<&'a str>, Result<(), Code>, bool);

#[test]
fn certificates_count_when_one_line_trusts_their_authority_with_one_principal() {
    let window = ["-V", "20200101000000:20300101000000"];
    let user = ["-n", ALICE];
    let cases: [Case; 17] = [
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
