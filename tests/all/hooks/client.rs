//! The hooks of a clone: a message that would be malformed, a push that the other side would refuse.

use super::*;

fn with_hooks(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.run(&["hook", "install"]).expect(0);
    repo
}

#[test]
fn a_message_that_would_be_malformed_is_refused_with_what_would_be_right() {
    let world = World::new();
    let repo = with_hooks(&world);
    repo.open("j.doe", GATE);
    let before = repo.rev("HEAD");
    let whole = repo.message(&Decision::approve(GATE, "ml-lead"));
    for (message, says) in [
        (whole.replace("Gate-Role: ml-lead\n", ""), "`approve` needs `Gate-Role`"),
        (whole.replace("Gate-Role", "gate-role"), "`gate-role` is written `Gate-Role`"),
        (whole.replace("ml-lead\n", "ml-lead\nand a word\n"), "trailers stand alone"),
        ("Words\n\nGate-Rolle: x\n".to_owned(), "unknown trailer `Gate-Rolle`"),
    ] {
        let args = ["-c", "commit.gpgSign=false", "commit", "-q", "--allow-empty", "-m", &message];
        let run = world.try_git(&repo.path, &args);
        assert_ne!(run.status, 0, "{run}");
        assert!(run.stderr.contains(says) && run.stderr.contains("[malformed]"), "{says}\n{run}");
        assert_eq!(repo.rev("HEAD"), before);
    }
    let run = world
        .try_git(&repo.path, &["commit", "--allow-empty", "-m", &whole.replace("Gate-Role: ml-lead\n", "")]);
    assert!(
        run.stderr
            .contains("`approve` has `Gate`, `Gate-Action`, `Gate-Role`, `Gate-Content`, `Gate-Policy`")
            && run.stderr.contains(&format!("`git gate approve {GATE} --role <role>` writes all of it")),
        "{run}"
    );
    // What is right, what is none, and what stands elsewhere passes.
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.git(&["commit", "-q", "--allow-empty", "-m", "Words\n\nAbout gates: none\n"]);
    let run =
        world.try_git(&repo.path, &["commit", "--allow-empty", "-m", "Words\n\nGate: a/b\n\nMore words\n"]);
    assert!(run.status == 0 && run.stderr.contains("it decides nothing there"), "{run}");
}

#[test]
fn a_message_from_an_editor_is_read_without_its_comments() {
    let world = World::new();
    let repo = with_hooks(&world);
    repo.open("j.doe", GATE);
    let whole = repo.message(&Decision::approve(GATE, "ml-lead"));
    let message = repo.path.join("message");
    let editor = format!("cat {} >", message.display());
    let commit = |text: String, comment: &str| {
        std::fs::write(&message, text).unwrap();
        let comment = format!("core.commentChar={comment}");
        world.git_with(
            &repo.path,
            &["-c", &comment, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--allow-empty", "-v"],
            &[("GIT_EDITOR", &editor)],
        )
    };
    let run = commit(whole.replace("Gate-Role", "# a note\nGate-Role"), "#");
    assert_eq!(run.status, 0, "{run}");
    let scissors = "# ------------------------ >8 ------------------------\n";
    let run = commit(format!("{whole}\n{scissors}diff\n"), "#");
    assert_eq!(run.status, 0, "{run}");
    let run = commit(whole.replace("Gate-Role", "; a note\nGate-Role"), ";");
    assert_eq!(run.status, 0, "{run}");
    let run = commit(whole.replace("Gate-Role", "; a note\nGate-Role"), "#");
    assert!(run.status != 0 && run.stderr.contains("[malformed]"), "{run}");
}

#[test]
fn a_push_that_would_be_refused_is_stopped_before_it_is_sent() {
    let world = World::new();
    let repo = with_hooks(&world);
    repo.clone_to("server.git", true);
    repo.git(&["remote", "add", "origin", "../server.git"]);
    repo.git(&["fetch", "-q", "origin"]);
    repo.open("j.doe", GATE);
    repo.git(&["push", "-q", "origin", BRANCH]);
    repo.approve("mallory", GATE, "ml-lead");
    let run = world.try_git(&repo.path, &["push", "origin", BRANCH]);
    assert!(run.status != 0 && told(&run) == ["unknown-key"], "{run}");
    // To say so is to pass it over; the other side has a word too.
    repo.git(&["push", "-q", "--no-verify", "origin", BRANCH]);
    repo.switch("main").write_policy(&strict()).commit("a.ng", "Change the policy");
    let run = world.try_git(&repo.path, &["push", "../server.git", "main"]);
    assert!(run.status != 0 && told(&run) == ["policy-unapproved"], "{run}");
    let run = world.try_git(&repo.path, &["push", "origin", ":main"]);
    assert!(run.status != 0 && told(&run) == ["mainline-deleted"], "{run}");
}

#[test]
fn what_cannot_be_told_here_is_left_to_the_other_side() {
    let world = World::new();
    let repo = with_hooks(&world);
    let server = repo.clone_to("server.git", true);
    let other = repo.clone_to("other", false);
    other.switch("main").write("README", "x").commit("l.wu", "On");
    other.git(&["push", "-q", "../server.git", "main"]);
    // The other side stands where this clone has never been.
    repo.write("NOTES", "x").commit("l.wu", "On");
    let run = world.try_git(&repo.path, &["push", "../server.git", "+main"]);
    assert!(run.status == 0 && run.stderr.contains("which was not fetched"), "{run}");
    assert_eq!(server.rev("main"), repo.rev("main"));
    // Nothing is pinned here, or another root.
    repo.switch("main").write_policy(&strict()).commit("a.ng", "Change the policy");
    repo.git(&["config", "--unset", "gate.root"]);
    repo.git(&["push", "-q", "../server.git", "main"]);
    repo.pin(&repo.rev("main"));
    repo.switch("main").write("NOTES", "y").commit("l.wu", "On");
    repo.git(&["config", "gate.root", &"1".repeat(40)]);
    let run = world.try_git(&repo.path, &["push", "../server.git", "main"]);
    assert!(run.status == 0 && run.stderr.contains("[root-not-on-mainline]"), "{run}");
}
