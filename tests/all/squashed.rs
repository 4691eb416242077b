//! Gates that a forge squashed or rebased: recognized wherever their commits still lie, named, and mended.

use crate::world::{Repo, World};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

/// The notice that names a squash, of `check`.
fn notice(repo: &Repo<'_>) -> Option<String> {
    let answer = repo.check_json(GATE, "production");
    let notices = answer["notices"].as_array().unwrap();
    let found = notices.iter().find(|notice| notice["code"] == "squashed");
    found.map(|notice| notice["message"].as_str().unwrap().to_owned())
}

#[track_caller]
fn recognized(repo: &Repo<'_>) -> String {
    notice(repo).unwrap_or_else(|| panic!("{:#}", repo.check_json(GATE, "production")))
}

/// A gate with both approvals on its branch, and the mainline checked out.
fn approved(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.switch("main");
    repo
}

fn squash(repo: &Repo<'_>) {
    repo.switch("main").git(&["merge", "-q", "--squash", BRANCH]);
    repo.commit_unsigned("forge", "Squash (#7)");
}

#[test]
fn a_squash_is_recognized_and_mended_by_the_command_that_is_named() {
    let world = World::new();
    let repo = approved(&world);
    squash(&repo);
    let said = recognized(&repo);
    assert!(said.contains("2 approvals") && said.contains(&format!("`refs/heads/{BRANCH}`")), "{said}");
    assert!(said.ends_with(&format!("`git gate merge {GATE}`")), "{said}");
    let shown = repo.run(&["show", GATE]).expect(0);
    assert!(shown.stdout.contains("[squashed]") || shown.stdout.contains("squash or a rebase"), "{shown}");
    repo.sign_in("l.wu").run(&["merge", GATE]).expect(0);
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "allowed");
    assert_eq!(notice(&repo), None);
}

#[test]
fn a_rebase_is_recognized() {
    let world = World::new();
    let repo = approved(&world);
    repo.write("elsewhere.txt", "x").commit("l.wu", "Go on");
    // As "rebase and merge" of a forge.
    let picked = repo.git(&["rev-list", "--reverse", &format!("main..{BRANCH}")]);
    let args: Vec<&str> = ["cherry-pick", "--allow-empty"].into_iter().chain(picked.lines()).collect();
    repo.git_as("forge", &args);
    assert!(recognized(&repo).contains("2 approvals"));
}

#[test]
fn a_squash_under_a_merge_is_recognized() {
    let world = World::new();
    let repo = approved(&world);
    // As "squash and merge commit" of a forge.
    repo.switch("squashed").git(&["merge", "-q", "--squash", BRANCH]);
    repo.commit_unsigned("forge", "Squash");
    repo.switch("main").git_as("forge", &["merge", "-q", "--no-ff", "-m", "Merge request 7", "squashed"]);
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "blocked");
    assert!(recognized(&repo).contains("2 approvals"));
}

#[test]
fn the_lost_commits_are_found_wherever_they_lie() {
    let world = World::new();
    let repo = approved(&world);
    squash(&repo);
    let tip = repo.rev(BRANCH);
    for held_by in [
        format!("refs/remotes/origin/{BRANCH}"),
        format!("refs/remotes/fork/{BRANCH}"),
        "refs/pull/7/head".into(),
    ] {
        repo.git(&["update-ref", &held_by, &tip]);
        let _ = world.try_git(&repo.path, &["branch", "-q", "-D", BRANCH]);
        let said = recognized(&repo);
        assert!(said.contains(&format!("`{held_by}`")), "{said}");
        repo.git(&["update-ref", "-d", &held_by]);
    }
    // Nowhere but in the reflog of who had it checked out.
    let said = recognized(&repo);
    assert!(
        said.contains("reflog of HEAD") && said.contains(&format!("git branch -f {BRANCH} {tip}")),
        "{said}"
    );
    repo.git(&["branch", "-f", BRANCH, &tip]);
    repo.sign_in("l.wu").run(&["merge", GATE]).expect(0);
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "allowed");
    // A clone that never saw them has nothing to say.
    let world = World::new();
    let repo = approved(&world);
    squash(&repo);
    repo.git(&["branch", "-q", "-D", BRANCH]);
    assert_eq!(notice(&repo.clone_to("fresh", false)), None);
}

#[test]
fn what_was_truly_merged_is_not_taken_for_a_squash() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.merge("l.wu", BRANCH);
    assert_eq!(notice(&repo), None, "pending, and nothing is lost");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.switch("main");
    assert_eq!(notice(&repo), None, "an approval that comes late");
    repo.switch(BRANCH).write(&format!("gates/{GATE}/CHANGE.md"), "More\n");
    repo.commit("j.doe", "More");
    assert_eq!(notice(&repo), None, "a change that is not merged yet");
    // A reflog that names what is gone stops nothing.
    squash(&repo);
    let gone = "3f".repeat(20);
    let log = repo.path.join(".git/logs/refs/heads").join(BRANCH);
    repo.git(&["update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the test writes a reflog")]
    std::fs::write(&log, format!("{gone} {gone} x <x> 0 +0000\tcommit: x\nrubbish\n")).unwrap();
    assert!(notice(&repo).is_some_and(|said| said.contains("reflog of HEAD")));
}
