//! Objects that are not what their ids say: each is exit status 3, never read as something else or nothing.

use std::io::Read as _;

use super::*;
use crate::world::World;

/// Flips a bit of the content of a loose object, in a file that still inflates.
fn corrupt(repo: &Repo<'_>, revision: &str) {
    let id = repo.rev(revision);
    let kind = repo.git(&["cat-file", "-t", &id]);
    let mut bytes = repo.object(&kind, &id);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    store_as(repo, &id, &kind, &bytes);
}

/// Stores content under an id that is another's.
fn store_as(repo: &Repo<'_>, id: &str, kind: &str, content: &[u8]) {
    let other = repo.world.git_with_input(
        &repo.path,
        &["hash-object", "-t", kind, "-w", "--stdin", "--literally"],
        content,
    );
    let path = |id: &str| repo.path.join(".git/objects").join(&id[..2]).join(&id[2..]);
    let mut stored = Vec::new();
    std::fs::File::open(path(&other)).unwrap().read_to_end(&mut stored).unwrap();
    std::fs::remove_file(path(id)).unwrap();
    std::fs::write(path(id), stored).unwrap();
}

#[test]
fn an_object_that_does_not_hash_to_its_id_is_refused() {
    for object in [
        "main",
        "main^2",
        "main^{tree}",
        "main:policy",
        "main:gates",
        "main:gates/summarizer/v1.4",
        "main:gates/summarizer/v1.4/gate.toml",
        "main:gates/summarizer/v1.4/evidence/evaluation.json",
        "main:policy/policy.toml",
        "main:policy/allowed_signers",
    ] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        corrupt(&repo, object);
        refused(&repo, "corrupt-object");
    }
}

#[test]
fn a_damaged_incident_does_not_disappear() {
    for object in ["main:incidents/2026-01.toml", "main:incidents"] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        repo.incident("s.chen", "2026-01", GATE, None);
        assert_eq!(verdict(&check(&repo)), "blocked");
        corrupt(&repo, object);
        refused(&repo, "corrupt-object");
    }
}

#[test]
fn an_incident_under_the_header_of_another_kind_does_not_disappear() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.incident("s.chen", "2026-01", GATE, None);
    let blob = repo.rev("main:incidents/2026-01.toml");
    store_as(&repo, &blob, "tree", b"");
    refused(&repo, "corrupt-object");
}

#[test]
fn a_damaged_request_hides_no_author() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let path = format!("gates/{GATE}/gate.toml");
    let text = std::fs::read_to_string(repo.path.join(&path)).unwrap();
    let named = text.replace("schema = 1\n", "schema = 1\nrequested_by = [\"j.rivera@example.com\"]\n");
    repo.write(&path, named).commit("j.doe", "Who asked");
    let naming = repo.rev(&format!("HEAD:{path}"));
    repo.write(&path, text).commit("j.doe", "Or not");
    let own = repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(code(&check(&repo), &own), "self-approval");
    corrupt(&repo, &naming);
    refused(&repo, "corrupt-object");
}

#[test]
fn a_blob_under_the_id_of_a_tree_or_a_commit_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    let merged = repo.allowed_gate(GATE);
    store_as(&repo, &repo.rev("main:gates"), "blob", b"not a tree");
    refused(&repo, "corrupt-object");
    store_as(&repo, &merged, "blob", b"not a commit");
    refused(&repo, "corrupt-object");
}

#[test]
fn a_missing_object_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let id = repo.rev("main:policy/policy.toml");
    std::fs::remove_file(repo.path.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    refused(&repo, "missing-object");
}
