//! People who approve their own work, or more than once, and bots that pass for people.

use super::{BRANCH, DIRECTORY, GATE, LEAD, PRODUCT, REPORT, check, code, merged, opened, status, verdict};
use crate::world::{Decision, KeyKind, Policy, Repo, World};

/// Asserts that `k.berg`, by any key, cannot approve what stands.
#[track_caller]
fn assert_self_approval(repo: &Repo<'_>, who: &str) {
    let commit = repo.approve(who, GATE, "ml-lead");
    let judged = merged(repo);
    assert_eq!(code(&judged, &commit), "self-approval", "{judged:#}");
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    repo.git_verifies(&commit).expect(0);
}

fn request(repo: &Repo<'_>) -> String {
    std::fs::read_to_string(repo.path.join(DIRECTORY).join("gate.toml")).unwrap()
}

#[test]
fn an_author_cannot_approve() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("k.berg", GATE);
    assert_self_approval(&repo, "k.berg");
    let judged = {
        repo.approve("j.rivera", GATE, "ml-lead");
        merged(&repo)
    };
    assert_eq!(status(&judged, LEAD), "met", "somebody else can");
}

#[test]
fn an_author_of_what_was_changed_since_cannot_approve() {
    let world = World::new();
    let repo = opened(&world);
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.03, \"n\": 9}}\n").commit("k.berg", "Run");
    repo.write(REPORT, "{\"summary\": {\"hallucination_rate\": 0.02, \"n\": 9}}\n").commit("j.doe", "Run");
    assert_self_approval(&repo, "k.berg");
}

#[test]
fn whom_the_request_names_cannot_approve() {
    let world = World::new();
    let repo = opened(&world);
    let named = format!("requested_by = [\"k.berg@example.com\"]\n{}", request(&repo));
    repo.write(&format!("{DIRECTORY}/gate.toml"), named).commit("j.doe", "For k.berg");
    assert_self_approval(&repo, "k.berg");
}

#[test]
fn whom_the_request_ever_named_cannot_approve() {
    // Also where it did not read as a request then.
    for also in ["", "no-such-key = 1\n"] {
        let world = World::new();
        let repo = opened(&world);
        let plain = request(&repo);
        let named = format!("{also}requested_by = [\"k.berg@example.com\"]\n{plain}");
        repo.write(&format!("{DIRECTORY}/gate.toml"), named).commit("j.doe", "For k.berg");
        repo.write(&format!("{DIRECTORY}/gate.toml"), plain).commit("j.doe", "For nobody");
        assert_self_approval(&repo, "k.berg");
    }
}

#[test]
fn who_changed_it_in_a_merge_cannot_approve() {
    let world = World::new();
    let repo = opened(&world);
    repo.switch("main").write("README.md", "x").commit("l.wu", "Read me");
    repo.switch(BRANCH);
    repo.git_as("k.berg", &["merge", "-q", "--no-ff", "--no-commit", "main"]);
    repo.write(&format!("{DIRECTORY}/CHANGE.md"), "Nothing to see.\n").commit("k.berg", "Merge main");
    assert_eq!(repo.git(&["log", "-1", "--format=%P"]).split(' ').count(), 2);
    assert_self_approval(&repo, "k.berg");
}

#[test]
fn an_author_stays_one_when_their_key_is_revoked() {
    let world = World::new();
    let key = world.key("k.berg");
    let shown = world.ssh_keygen(&["-lf", key.to_str().unwrap()], b"").expect(0).stdout;
    let fingerprint = shown.split(' ').nth(1).unwrap();
    let revoked =
        format!("\n[[revoked]]\nkey = \"{fingerprint}\"\nsince = \"never-trusted\"\nreason = \"lost\"\n");
    let policy = Policy::small().signer("k.berg", KeyKind::SecondEd25519, "").with(&revoked);
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let report = std::fs::read(repo.path.join(REPORT)).unwrap();
    repo.write(REPORT, "{}").commit("k.berg", "Run");
    repo.write(REPORT, report).commit("j.doe", "Take it back");
    let by_the_revoked = repo.approve("k.berg", GATE, "ml-lead");
    assert_self_approval(&repo, "k.berg#SecondEd25519");
    assert_eq!(code(&check(&repo), &by_the_revoked), "key-revoked");
}

#[test]
fn one_person_in_two_roles_fills_one_place() {
    let world = World::new();
    let policy = Policy::small()
        .replacing("product-lead = { members = [", "product-lead = { members = [\"j.rivera@example.com\", ");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let (lead, product) =
        (repo.approve("j.rivera", GATE, "ml-lead"), repo.approve("j.rivera", GATE, "product-lead"));
    let judged = merged(&repo);
    assert_eq!((code(&judged, &lead), code(&judged, &product)), ("counts", "counts"));
    assert_eq!((verdict(&judged, LEAD), status(&judged, PRODUCT)), ("pending met".into(), "missing"));
    // With another in one of the roles both are filled, whichever was matched before.
    repo.approve("k.berg", GATE, "ml-lead");
    assert_eq!(merged(&repo)["verdict"], "allowed");
}

#[test]
fn one_person_with_two_keys_fills_one_place() {
    let world = World::new();
    let policy = Policy::small()
        .signer("j.rivera", KeyKind::SecondEd25519, "")
        .replacing("approvals = [{ role = \"ml-lead\" }]", "approvals = [{ role = \"ml-lead\", count = 2 }]");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    // Side by side, so that neither replaces the other.
    repo.git(&["branch", "beside"]);
    let one = repo.approve("j.rivera", GATE, "ml-lead");
    repo.git(&["switch", "-q", "beside"]);
    let message = repo.message(&crate::world::Decision::approve(GATE, "ml-lead"));
    repo.git_as("j.rivera#SecondEd25519", &["commit", "-q", "-S", "--allow-empty", "-m", &message]);
    let two = repo.rev("HEAD");
    repo.merge("l.wu", "beside");
    let judged = merged(&repo);
    assert_eq!((code(&judged, &one), code(&judged, &two)), ("counts", "counts"));
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    super::assert_says(&super::line(&judged, LEAD)["found"], "1");
}

#[test]
fn a_bot_fills_no_place() {
    let world = World::new();
    let policy =
        Policy::small().replacing("ml-lead = { members = [", "ml-lead = { members = [\"bot@example.com\", ");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let commit = repo.approve("bot", GATE, "ml-lead");
    let closed = repo.decide("bot", &crate::world::Decision::close(GATE));
    let judged = merged(&repo);
    assert_eq!((code(&judged, &commit), code(&judged, &closed)), ("bot-in-role", "bot-in-role"));
    assert_eq!(
        (verdict(&judged, LEAD), status(&judged, "gate:open")),
        ("pending missing".into(), "not listed")
    );
    repo.git_verifies(&commit).expect(0);
}

#[test]
fn a_gate_by_bots_alone_is_nobodys() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("eval-ci", GATE);
    assert_eq!(verdict(&merged(&repo), "integrity:authors"), "blocked failed");
}

/// A key in a file exercises no role that asks for a hardware key, whatever the role is for; what restricts needs less.
#[test]
fn a_key_in_a_file_exercises_no_role_that_asks_for_hardware() {
    let asking = |role: &str, kind: &str| {
        let policy = Policy::small();
        let line = policy.toml.lines().find(|line| line.starts_with(&format!("{role} = {{"))).unwrap();
        let hard = line.replace("] }", &format!("], keys = \"{kind}\" }}"));
        let line = line.to_owned();
        policy.replacing(&line, &hard)
    };
    for kind in ["hardware", "hardware-verified"] {
        let world = World::new();
        let repo = world.governance_repo_with(&asking("ml-lead", kind));
        repo.open("j.doe", GATE);
        let approval = repo.approve("j.rivera", GATE, "ml-lead");
        repo.approve("s.chen", GATE, "product-lead");
        let judged = merged(&repo);
        assert_eq!(code(&judged, &approval), "key-not-hardware", "{judged:#}");
        assert_eq!((verdict(&judged, LEAD), status(&judged, PRODUCT)), ("pending missing".into(), "met"));
        repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
        assert_eq!(verdict(&merged(&repo), "rejection:k.berg@example.com"), "blocked failed");
    }

    let world = World::new();
    let repo = world.governance_repo_with(&asking("governance", "hardware"));
    repo.switch("policy/next").write_policy(&Policy::small().serial(2)).commit("j.doe", "Weaken it");
    for who in ["a.ng", "m.okafor", "l.wu"] {
        repo.decide(who, &Decision::approve("policy", "governance"));
    }
    repo.merge("l.wu", "policy/next");
    let answer = repo.run(&["policy", "status", "--format", "json"]).expect(0).json();
    assert_eq!(answer["policy"]["serial"], 1, "{answer:#}");

    for (policy, expected) in [(Policy::small(), "met"), (asking("eval-ci", "hardware"), "failed")] {
        let attested = "max_age = \"30d\"\nattested_by = [\"eval-ci\"]\n";
        let world = World::new();
        let repo = world.governance_repo_with(&policy.replacing("max_age = \"30d\"\n", attested));
        repo.open("j.doe", GATE);
        let report = "{\"summary\": {\"hallucination_rate\": 0.03, \"n\": 400}}\n";
        repo.write(REPORT, report).commit("eval-ci", "Run");
        assert_eq!(status(&merged(&repo), "evidence:evaluation"), expected);
    }

    let world = World::new();
    let repo = world.governance_repo_with(&asking("release-bot", "hardware"));
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    let log = repo.run(&["log", "--format", "json"]).expect(0).json();
    assert_eq!(
        (log["records"][0]["record"].as_str(), &log["records"][0]["counts"]),
        (Some(&record[..]), &false.into()),
        "{log:#}"
    );
}
