//! Keys that a later policy revokes: the deployer's and an approver's.

use super::*;
use crate::attacks_history::keys::fingerprint;

/// The next policy, which revokes a key.
fn revoke(repo: &Repo<'_>, serial: u64, who: &str, since: &str) {
    let key = fingerprint(repo.world, who);
    let revoked = format!("[[revoked]]\nkey = \"{key}\"\nsince = \"{since}\"\nreason = \"stolen\"\n");
    enact(repo, &strict().serial(serial).with(&revoked));
}

/// Whose key, since when, whether the mainline recorded the log before, and what is said then.
#[test]
fn a_key_that_is_revoked_takes_back_what_was_kept() {
    for (who, since, recorded, says) in [
        ("bot", "never-trusted", false, "blocked"),
        ("bot", "the root", false, "blocked"),
        ("bot", "the tip", false, "blocked"),
        ("bot", "the tip", true, "allowed rollback"),
        ("bot", "the root", true, "blocked"),
        ("j.rivera", "never-trusted", false, "blocked"),
        ("j.rivera", "the root", false, "blocked"),
        ("j.rivera", "the tip", false, "allowed rollback"),
        ("s.chen", "nowhere", false, "blocked"),
        ("k.berg", "never-trusted", false, "allowed rollback"),
    ] {
        let world = World::new();
        let repo = ran(&world);
        if recorded {
            repo.merge("l.wu", LOG);
        }
        keep(&repo);
        let since = match since {
            "the root" => repo.root.clone(),
            "the tip" => repo.rev("main"),
            "nowhere" => "1".repeat(40),
            other => other.to_owned(),
        };
        revoke(&repo, 3, who, &since);
        let answer = check(&repo);
        assert_eq!(said(&answer), says, "{who} {since} {recorded}: {answer:#}");
        verify(&repo, who);
        // And what is taken back stands again where the next policy says nothing of it.
        enact(&repo, &strict().serial(4));
        assert_eq!(said(&check(&repo)), "allowed rollback", "{who} {since}");
        verify(&repo, who);
    }
}

/// A log that is recorded after rows were kept counts no more for that: the revocation came before.
#[test]
fn a_record_of_a_revoked_key_gains_nothing_by_being_recorded() {
    let world = World::new();
    let repo = ran(&world);
    revoke(&repo, 3, "bot", &repo.rev("main"));
    assert_eq!(said(&keep(&repo)), "blocked");
    repo.merge("l.wu", LOG);
    assert_eq!(said(&keep(&repo)), "blocked");
    verify(&repo, "recorded");
}
