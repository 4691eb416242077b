//! Revoked keys, keys outside their windows, and keys that were replaced.

use super::*;
use crate::world::{KeyKind, World};

/// The fingerprint of a person's key, as `ssh-keygen -l` prints it.
pub(crate) fn fingerprint(world: &World, who: &str) -> String {
    let public = format!("{}.pub", world.key(who).display());
    let printed = world.ssh_keygen(&["-lf", &public], b"").expect(0).stdout;
    printed.split_whitespace().nth(1).unwrap().to_owned()
}

/// The small policy that revokes a key.
fn revoking(world: &World, who: &str, since: &str) -> Policy {
    let key = fingerprint(world, who);
    Policy::small()
        .serial(2)
        .with(&format!("[[revoked]]\nkey = \"{key}\"\nsince = \"{since}\"\nreason = \"laptop stolen\"\n"))
}

#[test]
fn a_revoked_key_does_not_count() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let approval = repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let before = repo.rev("main");
    let merged = repo.merge("l.wu", &format!("gate/{GATE}"));
    for (since, expected, outcome) in [
        (before.as_str(), "key-revoked", "pending"),
        (merged.as_str(), "counts", "allowed requirements"),
        ("never-trusted", "key-revoked", "pending"),
        ("0123456789abcdef0123456789abcdef01234567", "key-revoked", "pending"),
    ] {
        repo.git(&["branch", "-f", "keep", "main"]);
        enact(&repo, &revoking(&world, "j.rivera", since));
        let answer = check(&repo);
        assert_eq!((code(&answer, &approval), verdict(&answer).as_str()), (expected, outcome), "{since}");
        repo.git(&["reset", "-q", "--hard", "keep"]);
        std::fs::remove_dir_all(repo.path.join(".git/gate")).unwrap();
    }
}

#[test]
fn a_revocation_holds_for_a_replay_too() {
    let world = World::new();
    let repo = world.governance_repo();
    let merged = repo.allowed_gate(GATE);
    enact(&repo, &revoking(&world, "j.rivera", "never-trusted"));
    assert_eq!(verdict(&check_with(&repo, &["--at", &merged])), "pending");
}

#[test]
fn the_file_of_a_revoked_key_fails_integrity_and_its_owner_stays_an_author() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("k.berg", GATE);
    let own = repo.approve("k.berg#Ed25519", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    let root = repo.root.clone();
    repo.merge("l.wu", &format!("gate/{GATE}"));
    enact(&repo, &revoking(&world, "k.berg", &root));
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), status(&answer, "integrity:authors")), ("blocked", "failed"));
    assert!(found(&answer, "integrity:authors").contains("key-revoked"), "{answer:#}");
    assert_eq!(code(&answer, &own), "key-revoked");
}

#[test]
fn a_revoked_author_cannot_approve_with_another_key() {
    let world = World::new();
    let policy = Policy::small().signer("k.berg", KeyKind::SecondEd25519, "");
    let repo = world.governance_repo_with(&policy);
    repo.open("k.berg", GATE);
    repo.write(&format!("gates/{GATE}/CHANGE.md"), "Mine now\n");
    for file in ["gate.toml", "CHANGE.md", "evidence/evaluation.json"] {
        let path = format!("gates/{GATE}/{file}");
        let text = std::fs::read_to_string(repo.path.join(&path)).unwrap();
        repo.write(
            &path,
            if file == "evidence/evaluation.json" { format!("{text}\n") } else { format!("{text}#\n") },
        );
    }
    repo.commit("j.doe", "All of it");
    let own = repo.approve("k.berg#SecondEd25519", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let key = fingerprint(&world, "k.berg");
    let policy = policy
        .serial(2)
        .with(&format!("[[revoked]]\nkey = \"{key}\"\nsince = \"{}\"\nreason = \"lost\"\n", repo.root));
    enact(&repo, &policy);
    let answer = check(&repo);
    assert_eq!((status(&answer, "integrity:authors"), code(&answer, &own)), ("met", "self-approval"));
}

#[test]
fn what_restricts_survives_a_revocation_unless_it_came_after_it() {
    for (since, blocks) in [
        ("root", false),
        ("tip", true),
        ("never-trusted", false),
        ("0123456789abcdef0123456789abcdef01234567", true),
    ] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.open("j.doe", GATE);
        repo.approve("j.rivera", GATE, "ml-lead");
        repo.approve("s.chen", GATE, "product-lead");
        repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
        let merged = repo.merge("l.wu", &format!("gate/{GATE}"));
        let since = match since {
            "root" => repo.root.clone(),
            "tip" => merged,
            other => other.to_owned(),
        };
        enact(&repo, &revoking(&world, "k.berg", &since));
        let answer = check(&repo);
        let expected = if blocks { "blocked" } else { "allowed requirements" };
        assert_eq!(verdict(&answer), expected, "{since}");
    }
}

#[test]
fn a_key_counts_in_its_window_alone() {
    for (options, expected) in [
        ("valid-before=\"{-6}\"", "key-not-valid"),
        ("valid-after=\"{-1}\"", "key-not-valid"),
        ("valid-after=\"{-6}\",valid-before=\"{-1}\"", "counts"),
    ] {
        let world = World::new();
        let day = |days: i64| world.day(days).replace(['-', ':', 'T'], "");
        let options = options.replace("{-6}", &day(-6)).replace("{-1}", &day(-1));
        let mut policy = Policy::small();
        let line =
            format!("j.rivera@example.com {options} {}\n", World::public_key("j.rivera", KeyKind::Ed25519));
        policy.signers = policy
            .signers
            .lines()
            .map(|old| if old.starts_with("j.rivera@") { line.clone() } else { format!("{old}\n") })
            .collect();
        let repo = world.governance_repo_with(&policy);
        repo.open("j.doe", GATE);
        let approval = repo.approve("j.rivera", GATE, "ml-lead");
        repo.approve("s.chen", GATE, "product-lead");
        repo.merge("l.wu", &format!("gate/{GATE}"));
        assert_eq!(code(&check(&repo), &approval), expected, "{options}");
    }
}

#[test]
fn a_date_inside_the_window_does_not_help_an_approval_recorded_after_it() {
    let world = World::new();
    let before = world.day(-3).replace(['-', ':', 'T'], "");
    let mut policy = Policy::small();
    policy.signers = policy.signers.replace(
        "k.berg@example.com namespaces=\"git\"",
        &format!("k.berg@example.com namespaces=\"git\",valid-before=\"{before}\""),
    );
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    world.days(-4);
    let approval = repo.approve("k.berg", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    world.days(-2);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(code(&check(&repo), &approval), "key-not-valid");
}

#[test]
fn a_rotated_key_keeps_the_old_approvals_and_signs_no_new_ones() {
    let world = World::new();
    let repo = world.governance_repo();
    let merged = repo.allowed_gate(GATE);
    let mut next = Policy::small().serial(2);
    let old = World::public_key("j.rivera", KeyKind::Ed25519);
    next.signers = next.signers.replace(&old, &World::public_key("j.rivera", KeyKind::SecondEd25519));
    enact(&repo, &next);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
    repo.git(&["branch", "-D", &format!("gate/{GATE}")]);
    let late = repo.approve("j.rivera", GATE, "ml-lead");
    let new = repo.approve("j.rivera#SecondEd25519", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let answer = check(&repo);
    assert_eq!((code(&answer, &late), code(&answer, &new)), ("unknown-key", "counts"));
    assert!(!merged.is_empty());
}

#[test]
fn an_approval_stays_when_its_signer_leaves() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let next = Policy::small().serial(2).replacing(r#""j.rivera@example.com", "#, "");
    enact(&repo, &next);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}
