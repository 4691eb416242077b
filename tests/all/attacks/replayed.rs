//! Genuine approvals, used where or when they were not given.

use super::{
    BRANCH, GATE, LEAD, PRODUCT, check, code, decision, line, merged, opened, point, sign, split, verdict,
    with_header,
};
use crate::world::{Decision, KeyKind, Policy, Repo, World};

/// A copy of a signed commit as the same decision in another commit, and the branch that holds it.
#[track_caller]
fn copy_to_branch(repo: &Repo<'_>, object: &str, branch: &str) -> String {
    let copy = repo.store_commit(object);
    point(repo, branch, &copy);
    copy
}

#[test]
fn a_replayed_approval_counts_once() {
    let world = World::new();
    let policy = Policy::small()
        .signer("j.rivera", KeyKind::Ecdsa256, "")
        .replacing("approvals = [{ role = \"ml-lead\" }]", "approvals = [{ role = \"ml-lead\", count = 2 }]");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let first = repo.approve("j.rivera#Ecdsa256", GATE, "ml-lead");
    repo.merge("l.wu", BRANCH);
    let (payload, _) = split(&repo.object("commit", &first));
    let again = copy_to_branch(&repo, &sign(&repo, "j.rivera#Ecdsa256", "git", &payload), "again");
    assert_ne!(first, again, "an ECDSA signature is another one each time");
    repo.git_verifies(&again).expect(0);
    repo.merge("l.wu", "again");
    let judged = check(&repo);
    assert_eq!((code(&judged, &first), code(&judged, &again)), ("counts", "duplicate"));
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}

#[test]
fn a_replayed_approval_does_not_come_back_after_its_withdrawal() {
    let world = World::new();
    let repo = world.governance_repo_with(&Policy::small().signer("j.rivera", KeyKind::Ecdsa256, ""));
    repo.open("j.doe", GATE);
    let first = repo.approve("j.rivera#Ecdsa256", GATE, "ml-lead");
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    repo.merge("l.wu", BRANCH);
    let (payload, _) = split(&repo.object("commit", &first));
    let again = copy_to_branch(&repo, &sign(&repo, "j.rivera#Ecdsa256", "git", &payload), "again");
    repo.merge("l.wu", "again");
    let judged = check(&repo);
    assert_eq!((code(&judged, &first), code(&judged, &again)), ("superseded", "superseded"));
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}

#[test]
fn a_broken_copy_takes_no_approval_away() {
    let world = World::new();
    let repo = opened(&world);
    let genuine = repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    // Git drops a `gpgsig-sha256` header from what is signed, so the same signature verifies in a copy that we refuse.
    let object = String::from_utf8(repo.object("commit", &genuine)).unwrap();
    let copy =
        copy_to_branch(&repo, &with_header(&object, "gpgsig-sha256 x\n").replace("x\n\n\n", "x\n\n"), "copy");
    repo.merge("l.wu", "copy");
    let judged = merged(&repo);
    assert_eq!(code(&judged, &copy), "malformed-commit");
    assert_eq!(code(&judged, &genuine), "counts");
    assert_eq!(verdict(&judged, LEAD), "allowed met");
}

#[test]
fn an_approval_moved_to_another_gate_does_not_count() {
    let other = "summarizer/v1.5";
    let world = World::new();
    let repo = opened(&world);
    let genuine = repo.approve("j.rivera", GATE, "ml-lead");
    repo.open("j.doe", other);
    // Its commit, brought to the other gate's branch: it still names its own.
    repo.git_as("j.doe", &["merge", "-q", "-S", "--no-ff", "-m", "Take over", BRANCH]);
    // Its words and digest, said of the other gate by the same person: not what stands there.
    let digest = repo.content(BRANCH, super::DIRECTORY);
    let said = repo.decide("j.rivera", &Decision::approve(other, "ml-lead").setting("Gate-Content", &digest));
    repo.merge("l.wu", &format!("gate/{other}"));
    let judged = repo.check_json(other, "production");
    assert_eq!(code(&judged, &said), "content-mismatch");
    assert_eq!(judged["decisions"].as_array().unwrap().len(), 1, "{genuine} is listed with its own gate");
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    assert_eq!(code(&check(&repo), &genuine), "counts");
}

#[test]
fn an_approval_for_another_environment_does_not_count() {
    let world = World::new();
    let repo = opened(&world);
    let scoped = |role| Decision::approve(GATE, role).line("Gate-Environment", "staging");
    let lead = repo.decide("j.rivera", &scoped("ml-lead"));
    let product = repo.decide("s.chen", &scoped("product-lead"));
    let judged = merged(&repo);
    assert_eq!((code(&judged, &lead), code(&judged, &product)), ("out-of-scope", "out-of-scope"));
    assert_eq!(
        (verdict(&judged, LEAD), verdict(&judged, PRODUCT)),
        ("pending missing".into(), "pending missing".into())
    );
    assert_eq!(decision(&judged, &lead)["environments"][0], "staging");
    assert_eq!(verdict(&repo.check_json(GATE, "staging"), LEAD), "allowed met");
}

#[test]
fn a_scoped_approval_replaces_an_older_one_only_there() {
    let world = World::new();
    let repo = opened(&world);
    let all = repo.approve("j.rivera", GATE, "ml-lead");
    let staging =
        repo.decide("j.rivera", &Decision::approve(GATE, "ml-lead").line("Gate-Environment", "staging"));
    repo.approve("s.chen", GATE, "product-lead");
    let production = merged(&repo);
    assert_eq!((code(&production, &all), code(&production, &staging)), ("counts", "out-of-scope"));
    assert_eq!(production["verdict"], "allowed");
    let there = repo.check_json(GATE, "staging");
    assert_eq!((code(&there, &all), code(&there, &staging)), ("superseded", "counts"));
}

#[test]
fn an_approval_under_a_policy_never_in_force_does_not_count() {
    let world = World::new();
    let repo = opened(&world);
    let loose = Policy::small().replacing("max = 0.05", "max = 0.9").serial(2);
    repo.write_policy(&loose).commit("j.rivera", "Loosen");
    let digest = repo.content("HEAD", "policy");
    let commit = repo.decide("j.rivera", &Decision::approve(GATE, "ml-lead").setting("Gate-Policy", &digest));
    let judged = merged(&repo);
    assert_eq!(code(&judged, &commit), "stale-policy");
    assert_eq!(verdict(&judged, LEAD), "pending missing");
    assert_eq!(judged["policy"]["serial"], 1, "the gate's branch changed no policy");
}

#[test]
fn an_approval_of_another_repository_does_not_count() {
    let (here, there) = (World::new(), World::new());
    let repo = opened(&here);
    let other =
        there.governance_repo_with(&Policy::small().replacing("acme-models-3f9c", "acme-models-0000"));
    let digest = other.content("main", "policy");
    let commit = repo.decide("j.rivera", &Decision::approve(GATE, "ml-lead").setting("Gate-Policy", &digest));
    let judged = merged(&repo);
    assert_eq!(code(&judged, &commit), "stale-policy");
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}

#[test]
fn a_backdated_approval_gains_nothing() {
    let day = |world: &World, days| world.day(days)[..10].replace('-', "");
    let world = World::new();
    let ended = format!("valid-before=\"{}\"", day(&world, -10));
    let begins = format!("valid-after=\"{}\"", day(&world, -1));
    let policy = Policy::small().signer("j.rivera", KeyKind::SecondEd25519, &ended).signer(
        "j.rivera",
        KeyKind::Ecdsa256,
        &begins,
    );
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    // Dated into the window of a key that has ended: git believes the date.
    world.days(-20);
    let into = repo.approve("j.rivera#SecondEd25519", GATE, "ml-lead");
    repo.git_verifies(&into).expect(0);
    // Dated before its key began, recorded after.
    let before = repo.approve("j.rivera#Ecdsa256", GATE, "ml-lead");
    assert_ne!(repo.git_verifies(&before).status, 0);
    world.days(0).later(-600);
    let judged = merged(&repo);
    assert_eq!((code(&judged, &into), code(&judged, &before)), ("key-not-valid", "key-not-valid"));
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}

#[test]
fn an_approval_over_its_age_is_stale_however_it_is_dated() {
    let world = World::new();
    let repo = opened(&world);
    world.days(-100);
    let old = repo.approve("j.rivera", GATE, "ml-lead");
    world.days(400);
    let ahead = repo.approve("s.chen", GATE, "product-lead");
    world.days(-4);
    let judged = merged(&repo);
    assert_eq!((code(&judged, &old), code(&judged, &ahead)), ("expired", "counts"));
    assert_eq!(verdict(&judged, LEAD), "pending stale");
    // A date ahead makes it no younger than its recording.
    let later = ["--time", &world.day(87), "--format", "json"];
    let run = |args: &[&str]| repo.run(&[&["check", GATE, "--env", "production"], args].concat()).json();
    assert_eq!(code(&run(&later), &ahead), "expired");
    assert_eq!(line(&run(&later), PRODUCT)["status"], "stale");
}
