//! Keys of every kind at work: what the signing program is told is what git tells it, and what comes back counts.

#![expect(clippy::disallowed_methods, reason = "the tests write programs and read what they left")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::commands_signing::Agent;
use crate::signature_hardware::{token_public_key, token_signature};
use crate::world::{KeyKind, Policy, Repo, World, mail};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

fn write_program(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// An open gate under a policy with one more line of `allowed_signers`.
fn about_to_approve<'w>(world: &'w World, policy: &Policy, line: &str) -> Repo<'w> {
    let mut policy = policy.clone();
    policy.signers.push_str(line);
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    repo.switch("main");
    repo.sign_in("j.rivera");
    repo
}

#[track_caller]
fn approves(repo: &Repo<'_>, variables: &[(&str, &str)]) {
    let args = ["approve", GATE, "--yes", "--role", "ml-lead"];
    let run = repo.world.run_with(&repo.path, &args, variables).expect(0);
    assert!(run.stdout.contains("signed by j.rivera@example.com"), "{run}");
    repo.git_verifies(BRANCH).expect(0);
    repo.world.git(&repo.path, &["switch", "-q", "main"]);
    repo.merge("l.wu", BRANCH);
    let answer = repo.check_json(GATE, "staging");
    assert_eq!(answer["verdict"], "allowed", "{answer:#}");
}

#[test]
fn the_signing_program_is_told_what_git_tells_it() {
    let world = World::new();
    let repo = about_to_approve(&world, &Policy::small(), "");
    let agent = Agent::with_key_of(&world, "s.chen");
    let key = world.key("j.rivera");
    let chen = World::public_key("s.chen", KeyKind::Ed25519);
    let (program, log) = (world.dir().join("signer"), world.dir().join("told"));
    // Each word on its own line; of a key that is no file of ours, what the file holds, too.
    write_program(
        &program,
        &format!("printf '%s\\n' \"$@\" >'{0}'\ncat \"$6\" >>'{0}'\nexec ssh-keygen \"$@\"", log.display()),
    );
    repo.git(&["config", "gpg.ssh.program", program.to_str().unwrap()]);
    let socket = [("SSH_AUTH_SOCK", agent.socket())];
    for (setting, who) in [
        (key.to_str().unwrap().to_owned(), "j.rivera"),
        (format!("{}.pub", key.display()), "j.rivera"),
        (format!("key::{chen}"), "s.chen"),
        (chen.clone(), "s.chen"),
    ] {
        repo.git(&["config", "user.signingkey", &setting]);
        let told = || {
            let text = std::fs::read_to_string(&log).unwrap();
            let temporary = |line: &str| line.contains(".git_signing_");
            let lines = text.lines().map(|line| if temporary(line) { "<temporary>" } else { line });
            lines.collect::<Vec<_>>().join("\n")
        };
        repo.switch("main");
        let commit = ["commit", "-q", "-S", "--allow-empty", "-m", "x"];
        let mut git = vec!["-c", "user.name=x", "-c", "user.email=x@x"];
        git.extend(commit);
        world.git_with(&repo.path, &git, &socket).expect(0);
        let gits = told();
        repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
        let role = if who == "s.chen" { "product-lead" } else { "ml-lead" };
        world.run_with(&repo.path, &["approve", GATE, "--yes", "--role", role], &socket).expect(0);
        assert_eq!(told(), gits, "{setting}");
        assert!(gits.starts_with("-Y\nsign\n-n\ngit\n-f\n"), "{gits}");
    }
}

#[test]
fn a_certificate_signs_from_its_file_and_from_the_agent() {
    for from_agent in [false, true] {
        let world = World::new();
        let authority = World::public_key("the-ca", KeyKind::Ed25519);
        let line = format!("*@example.com cert-authority,namespaces=\"git\" {authority}\n");
        let repo = about_to_approve(&world, &Policy::small(), &line);
        let key = world.key("j.rivera#SecondEd25519");
        let public = format!("{}.pub", key.display());
        let (ca, principal) = (world.key("the-ca"), mail("j.rivera"));
        let certify = ["-q", "-s", ca.to_str().unwrap(), "-I", "id", "-n", &principal, public.as_str()];
        world.ssh_keygen(&certify, b"").expect(0);
        let certificate = PathBuf::from(format!("{}-cert.pub", key.display()));
        if from_agent {
            let text = std::fs::read_to_string(&certificate).unwrap();
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            repo.git(&["config", "user.signingkey", &format!("key::{}", words.join(" "))]);
            let agent = Agent::with_key_of(&world, "j.rivera#SecondEd25519");
            approves(&repo, &[("SSH_AUTH_SOCK", agent.socket())]);
        } else {
            repo.git(&["config", "user.signingkey", certificate.to_str().unwrap()]);
            approves(&repo, &[]);
        }
    }
}

#[test]
fn a_literal_key_of_another_kind_signs_through_the_agent() {
    let world = World::new();
    let policy = Policy::small().signer("j.rivera", KeyKind::Ecdsa256, "namespaces=\"git\"");
    let repo = about_to_approve(&world, &policy, "");
    let public = World::public_key("j.rivera", KeyKind::Ecdsa256);
    repo.git(&["config", "user.signingkey", &format!("key::{public}")]);
    let agent = Agent::with_key_of(&world, "j.rivera#Ecdsa256");
    approves(&repo, &[("SSH_AUTH_SOCK", agent.socket())]);
}

#[test]
fn a_token_signs_once_it_was_touched_as_the_role_asks() {
    for (flags, code) in [(0x05, None), (0x01, Some("[no-verification]")), (0x00, Some("[no-touch]"))] {
        let world = World::new();
        let old = "ml-lead = { members = [\"j.rivera@example.com\", \"k.berg@example.com\"] }";
        let new = old.replace("] }", "], keys = \"hardware-verified\" }");
        let line = format!("{} namespaces=\"git\" {}\n", mail("j.rivera"), token_public_key());
        let repo = about_to_approve(&world, &Policy::small().replacing(old, &new), &line);
        // The stand-in gives what is to be signed to the token, and waits for the touch.
        let (program, payload, touched) =
            (world.dir().join("token"), world.dir().join("payload"), world.dir().join("touched"));
        write_program(
            &program,
            &format!(
                "[ \"$2\" = sign ] || exec ssh-keygen \"$@\"\nfor last; do :; done\ncp \"$last\" '{0}.new' && mv '{0}.new' '{0}'\n\
                 while [ ! -e '{1}' ]; do sleep 0.01; done\ncp '{1}' \"$last.sig\"",
                payload.display(),
                touched.display()
            ),
        );
        repo.git(&["config", "gpg.ssh.program", program.to_str().unwrap()]);
        repo.git(&["config", "user.signingkey", &format!("key::{}", token_public_key())]);
        let before = repo.git(&["for-each-ref"]);
        std::thread::scope(|scope| {
            let touching = scope.spawn(|| {
                while !payload.exists() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                let signature = token_signature(&std::fs::read(&payload).unwrap(), flags);
                let new = touched.with_extension("new");
                std::fs::write(&new, signature).unwrap();
                std::fs::rename(new, &touched).unwrap();
            });
            match code {
                None => approves(&repo, &[]),
                Some(code) => {
                    let run = repo.run(&["approve", GATE, "--yes", "--role", "ml-lead"]).expect(3);
                    assert!(run.stderr.contains(code), "{run}");
                    assert_eq!(repo.git(&["for-each-ref"]), before);
                }
            }
            touching.join().unwrap();
        });
    }
}

#[test]
fn a_default_key_command_that_gives_no_key_writes_nothing() {
    let world = World::new();
    let repo = about_to_approve(&world, &Policy::small(), "");
    repo.git(&["config", "--unset", "user.signingkey"]);
    let before = [repo.git(&["for-each-ref"]), repo.git(&["count-objects", "-v"])];
    for command in ["true", "false", "echo rubbish", "sh -c 'echo key", "/nowhere/at/all", "echo key::"] {
        repo.git(&["config", "gpg.ssh.defaultKeyCommand", command]);
        let run = repo.run(&["approve", GATE, "--yes", "--role", "ml-lead"]).expect(3);
        let named = ["[signing-key]", "[program-not-found]", "[signing-failed]"];
        assert!(named.iter().any(|code| run.stderr.contains(code)), "{command}\n{run}");
        assert_eq!([repo.git(&["for-each-ref"]), repo.git(&["count-objects", "-v"])], before, "{command}");
    }
}

#[test]
fn the_public_half_of_a_private_key_is_the_one_that_ssh_keygen_tells() {
    let world = World::new();
    for kind in ["Ed25519", "Ecdsa256", "Rsa3072"] {
        let file = world.key(&format!("j.doe#{kind}"));
        let public = std::fs::read_to_string(file.with_file_name(format!("j.doe-{kind}.pub"))).unwrap();
        let expected = public.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let half = || git_gate::signature::public_half(&std::fs::read_to_string(&file).unwrap());
        assert_eq!(half().as_deref(), Some(expected.as_str()), "{kind}");
        // Encrypted, it is the same; in another form nothing is read.
        let path = file.to_str().unwrap();
        assert_eq!(world.ssh_keygen(&["-q", "-p", "-P", "", "-N", "a secret", "-f", path], b"").status, 0);
        assert_eq!(half().as_deref(), Some(expected.as_str()), "{kind}");
        if kind != "Ed25519" {
            let args = ["-q", "-p", "-P", "a secret", "-N", "", "-m", "PEM", "-f", path];
            assert_eq!(world.ssh_keygen(&args, b"").status, 0);
            assert_eq!(half(), None, "{kind}");
        }
    }
}
