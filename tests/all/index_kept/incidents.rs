//! Incidents that are opened, changed, resolved and removed after rows were kept.

use super::*;

fn answer_of(repo: &Repo<'_>) -> (String, String, bool) {
    let answer = check(repo);
    let unseen = answer["notices"].to_string().contains("incident-not-seen");
    (said(&answer), status(&answer, "incident:INC-1").to_owned(), unseen)
}

/// Who changes an incident of which gate, and what is said after each change.
#[test]
fn an_incident_is_seen_from_the_commit_that_changes_it_on() {
    let opened = ("blocked", "failed", false);
    let resolved = ("blocked", "none", false);
    let elsewhere = ("allowed rollback", "none", false);
    for (opens, gate, resolves, after_opening, after_resolving) in [
        ("s.chen", GATE, "s.chen", opened, resolved),
        ("eval-ci", GATE, "s.chen", opened, resolved),
        ("mallory", GATE, "mallory", ("allowed rollback", "none", true), ("allowed rollback", "none", true)),
        ("s.chen", GATE, "mallory", opened, ("blocked", "failed", true)),
        ("s.chen", GATE, "eval-ci", opened, ("blocked", "failed", true)),
        ("s.chen", NEXT, "s.chen", elsewhere, elsewhere),
        ("s.chen", OTHER, "j.doe", elsewhere, ("allowed rollback", "none", true)),
    ] {
        for removes in [false, true] {
            let world = World::new();
            let repo = ran(&world);
            keep(&repo);
            repo.incident(opens, "INC-1", gate, None);
            let what = format!("{opens} {gate} {resolves} {removes}");
            let (says, line, unseen) = answer_of(&repo);
            assert_eq!((says.as_str(), line.as_str(), unseen), after_opening, "{what}");
            assert_eq!(row(&repo, "incidents")["naming"].as_array().unwrap().len(), 1, "{what}");
            if removes {
                repo.remove("incidents/INC-1.toml").commit(resolves, "Remove");
            } else {
                repo.incident(resolves, "INC-1", gate, Some(&world.time()));
            }
            let (says, line, unseen) = answer_of(&repo);
            assert_eq!((says.as_str(), line.as_str(), unseen), after_resolving, "{what}");
            verify(&repo, &what);
        }
    }
}

/// One that names another version from then on stays what it was of the one before.
#[test]
fn an_incident_that_names_another_version_reaches_that_one_too() {
    let world = World::new();
    let repo = ran(&world);
    repo.incident("s.chen", "INC-1", NEXT, None);
    assert_eq!(said(&keep(&repo)), "allowed rollback");
    repo.incident("s.chen", "INC-1", GATE, None);
    assert_eq!(said(&check(&repo)), "blocked");
    verify(&repo, "names another");
}

/// What brings nothing of an incident leaves the row in use; a merge that drops its file does not hide it.
#[test]
fn what_is_no_change_of_incidents_leaves_the_row_in_use() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    let before = rows(&repo)["incidents"].clone();
    repo.switch("main").write("notes", "x\n").commit("l.wu", "Note");
    assert_eq!(said(&check(&repo)), "allowed rollback");
    assert_eq!(rows(&repo)["incidents"], before);
    repo.git(&["branch", "-q", "side", "main"]);
    repo.incident("s.chen", "INC-1", GATE, None);
    repo.git(&["branch", "-q", "hidden", "main"]);
    repo.git(&["reset", "-q", "--hard", "side"]);
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge", "hidden"]);
    let (says, line, _) = answer_of(&repo);
    assert_eq!((says.as_str(), line.as_str()), ("blocked", "failed"));
    verify(&repo, "hidden");
}
