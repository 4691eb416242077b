//! Approvals that somebody else wrote, or that no key of theirs signed as it must be.

use super::{
    BRANCH, GATE, LEAD, assert_says, check, code, decision, gpgsig, line, merged, opened, plant, point, sign,
    split, status, verdict, with_header,
};
use crate::world::{Decision, KeyKind, Policy, Repo, World, mail};

/// An approval in the name of `j.rivera`, unsigned: what forgers begin with.
#[track_caller]
fn unsigned_payload(repo: &Repo<'_>) -> String {
    repo.switch(BRANCH);
    let message = repo.message(&Decision::approve(GATE, "ml-lead"));
    repo.git_as("j.rivera", &["commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", &message]);
    let payload = String::from_utf8(repo.object("commit", "HEAD")).unwrap();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    payload
}

/// Plants an approval object, merges, and asserts the code and that it fills no place; whether git takes the signature.
#[track_caller]
fn assert_forged(repo: &Repo<'_>, object: &str, expected: &str) -> bool {
    let commit = plant(repo, object.as_bytes());
    let judged = merged(repo);
    assert_eq!(code(&judged, &commit), expected, "{judged:#}");
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    repo.git_verifies(&commit).status == 0
}

#[test]
fn a_forged_approval_does_not_count() {
    let world = World::new();
    let repo = opened(&world);
    let payload = unsigned_payload(&repo);
    assert!(!assert_forged(&repo, &payload, "unsigned"));
    for who in ["mallory", "j.rivera#SecondEd25519"] {
        point(&repo, BRANCH, "main");
        let payload = unsigned_payload(&repo);
        assert!(!assert_forged(&repo, &sign(&repo, who, "git", &payload), "unknown-key"), "{who}");
    }
    // Another one's good key signs in another one's name: it is an approval of who signed, and they have no such role.
    point(&repo, BRANCH, "main");
    let payload = unsigned_payload(&repo);
    let commit = plant(&repo, sign(&repo, "s.chen", "git", &payload).as_bytes());
    let judged = merged(&repo);
    assert_eq!(code(&judged, &commit), "not-in-role");
    assert_eq!(decision(&judged, &commit)["principal"], mail("s.chen"));
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}

#[test]
fn a_changed_or_moved_signature_is_bad() {
    let world = World::new();
    let repo = opened(&world);
    let genuine = sign(&repo, "j.rivera", "git", &unsigned_payload(&repo));
    let (payload, signature) = split(genuine.as_bytes());
    let changed = genuine.replace("approve summarizer", "Approve summarizer");
    assert!(!assert_forged(&repo, &changed, "bad-signature"));
    point(&repo, BRANCH, "main");
    world.later(3600);
    let other = unsigned_payload(&repo);
    assert_ne!(other, payload);
    assert!(!assert_forged(&repo, &with_header(&other, &signature), "bad-signature"));
    // The same bytes in their own place are good.
    let commit = plant(&repo, genuine.as_bytes());
    assert_eq!(code(&merged(&repo), &commit), "counts");
    repo.git_verifies(&commit).expect(0);
}

#[test]
fn a_signature_for_another_namespace_does_not_count() {
    let world = World::new();
    let repo = opened(&world);
    for namespace in ["file", "Git", "git2", "email@git"] {
        let object = sign(&repo, "j.rivera", namespace, &unsigned_payload(&repo));
        assert!(!assert_forged(&repo, &object, "wrong-namespace"), "{namespace}");
    }
}

#[test]
fn a_foreign_signature_does_not_count() {
    let world = World::new();
    let repo = opened(&world);
    for kind in ["PGP SIGNATURE", "PGP MESSAGE", "SIGNED MESSAGE"] {
        let payload = unsigned_payload(&repo);
        let armored = format!("-----BEGIN {kind}-----\n\niHUEABYKAB0=\n-----END {kind}-----");
        let object = with_header(&payload, &gpgsig(&armored));
        assert!(!assert_forged(&repo, &object, "unsupported-signature"), "{kind}");
    }
}

#[test]
fn a_weak_or_foreign_key_does_not_count() {
    let world = World::new();
    let policy = Policy::small().signer("j.rivera", KeyKind::Rsa2048, "");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let object = sign(&repo, "j.rivera#Rsa2048", "git", &unsigned_payload(&repo));
    assert!(assert_forged(&repo, &object, "weak-key"), "git takes it, we do not");
}

#[test]
fn one_key_under_two_principals_counts_for_nobody() {
    let world = World::new();
    let key = World::public_key("j.rivera", KeyKind::Ed25519);
    let mut policy = Policy::small();
    policy.signers = format!("{}k.berg@example.com namespaces=\"git\" {key}\n", policy.signers);
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let commit = repo.approve("j.rivera", GATE, "ml-lead");
    let judged = merged(&repo);
    assert_eq!(code(&judged, &commit), "unknown-key");
    assert!(decision(&judged, &commit)["principal"].is_null());
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    repo.git_verifies(&commit).expect(0);
}

#[test]
fn a_key_under_a_wildcard_counts_for_nobody() {
    for principals in ["*@example.com", "j.river?@example.com"] {
        let world = World::new();
        let key = World::public_key("j.rivera", KeyKind::SecondEd25519);
        let mut policy = Policy::small();
        policy.signers = format!("{}{principals} {key}\n", policy.signers);
        let repo = world.governance_repo_with(&policy);
        repo.open("j.doe", GATE);
        let commit = repo.approve("j.rivera#SecondEd25519", GATE, "ml-lead");
        let judged = merged(&repo);
        assert_eq!(code(&judged, &commit), "unknown-key", "{principals}");
        assert_eq!(verdict(&judged, LEAD), "pending missing");
        repo.git_verifies(&commit).expect(0);
    }
}

#[test]
fn a_key_for_another_purpose_does_not_count() {
    let world = World::new();
    let policy = Policy::small().signer("j.rivera", KeyKind::SecondEd25519, "namespaces=\"file\"");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let object = sign(&repo, "j.rivera#SecondEd25519", "git", &unsigned_payload(&repo));
    let commit = plant(&repo, object.as_bytes());
    let judged = merged(&repo);
    assert_ne!(code(&judged, &commit), "counts");
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    assert_ne!(repo.git_verifies(&commit).status, 0);
}

#[test]
fn a_re_encoded_commit_does_not_count() {
    let world = World::new();
    let repo = opened(&world);
    let (payload, signature) = split(sign(&repo, "j.rivera", "git", &unsigned_payload(&repo)).as_bytes());
    let signed = with_header(&payload, &signature);
    let message_at = payload.find("\n\n").unwrap() + 2;
    let (headers, message) = payload.split_at(message_at);
    for (what, object) in [
        ("CR", signed.replace("\nGate-Role", "\r\nGate-Role")),
        ("NUL", format!("{signed}\0hidden")),
        ("two signatures", with_header(&signed, &signature)),
        ("another signature", with_header(&signed, "gpgsig-sha256 x\n")),
        ("repeated author", signed.replacen("\ncommitter ", "\nauthor x <x> 1 +0000\ncommitter ", 1)),
        ("header order", headers.replacen("author ", "encoding UTF-8\nauthor ", 1) + message),
        ("encoding", with_header(&signed, "Encoding latin1\n")),
        ("signature in the message", format!("{headers}{signature}\n{message}")),
    ] {
        let commit = plant(&repo, object.as_bytes());
        let tree = repo.rev(&format!("{commit}^{{tree}}"));
        super::merge_as_tree(&repo, &tree, &commit);
        let judged = check(&repo);
        let found = code(&judged, &commit);
        let expected = if what.contains("message") { "unsigned" } else { "malformed-commit" };
        assert_eq!(found, expected, "{what}");
        assert_eq!(status(&judged, LEAD), "missing", "{what}");
    }
}

#[test]
fn a_rebase_that_signs_planted_decisions_signs_nothing() {
    let world = World::new();
    let repo = opened(&world);
    // Planted unsigned in the name of s.chen; then s.chen rebases the branch with signing on.
    let message = repo.message(&Decision::approve(GATE, "product-lead"));
    let mallory =
        ["-c", "user.name=s.chen", "commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", &message];
    repo.git_as("s.chen", &mallory);
    world.later(60);
    repo.git_as("s.chen", &["commit", "-q", "--amend", "--no-edit", "-S", "--allow-empty"]);
    let commit = repo.rev("HEAD");
    repo.git_verifies(&commit).expect(0);
    let judged = merged(&repo);
    assert_eq!(code(&judged, &commit), "resigned");
    assert_says(&decision(&judged, &commit)["reason"], "rebase");
    assert_eq!(line(&judged, super::PRODUCT)["status"], "missing");
}

#[test]
fn a_decision_that_changes_files_does_not_count() {
    let world = World::new();
    let repo = opened(&world);
    let message = repo.message(&Decision::approve(GATE, "ml-lead"));
    repo.write("notes.txt", "x").git(&["add", "-A"]);
    repo.git_as("j.rivera", &["commit", "-q", "-S", "--cleanup=verbatim", "-m", &message]);
    let with_a_file = repo.rev("HEAD");
    // Two parents are no better, though the tree is that of the first.
    let args = ["commit-tree", "-S", "HEAD^{tree}", "-p", "HEAD", "-p", "main", "-m", &message];
    let with_two_parents = repo.git_as("j.rivera", &args);
    point(&repo, BRANCH, &with_two_parents);
    let judged = merged(&repo);
    for commit in [with_a_file, with_two_parents] {
        repo.git_verifies(&commit).expect(0);
        assert_eq!(code(&judged, &commit), "changes-files");
    }
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}
