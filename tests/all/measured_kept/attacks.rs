//! What somebody may do to have `metrics` say what is no longer so: each thing changes what is told of a system that nothing
//! seems to have been done to.

use super::*;

/// All is measured and kept, then this is done, and what is told afterwards is what the history says.
#[track_caller]
fn then_tells(repo: &Repo<'_>, what: &str, then: Doing<'_>) {
    metrics(repo);
    assert_eq!(head(repo)["whole"], true, "{what}");
    then(repo);
    metrics(repo);
    verify(repo, what);
}

/// Opens a version that requires others, with this more in its request.
fn open_requiring(repo: &Repo<'_>, gate: &str, required: &str) {
    repo.open("j.doe", gate);
    let path = format!("gates/{gate}/gate.toml");
    let text = std::fs::read_to_string(repo.path.join(&path)).unwrap();
    repo.write(&path, text.replace("summary = ", &format!("requires = [\"{required}\"]\nsummary = ")));
    repo.commit("j.doe", "Require");
}

/// As many commits as before, and others.
#[test]
fn a_log_that_was_rewound_and_went_on_elsewhere_is_another() {
    let world = World::new();
    let repo = told(&world);
    then_tells(&repo, "as long as before", &|repo| {
        let before = repo.rev(&format!("{LOG}~1"));
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &before]);
        repo.deploy_record("bot", GATE, "production", "requirements");
        repo.run(&["trust", "--accept-rewind", "--yes"]);
    });
}

#[test]
fn a_branch_of_what_is_required_counts() {
    let world = World::new();
    let repo = told(&world);
    open_requiring(&repo, "planner/v1", "router/v9");
    repo.merge("l.wu", "gate/planner/v1");
    then_tells(&repo, "a branch", &|repo| drop(repo.git(&["branch", "gate/router/v9", "main"])));
    then_tells(&repo, "no branch", &|repo| drop(repo.git(&["branch", "-D", "gate/router/v9"])));
}

#[test]
fn a_name_in_another_letter_case_hits_all_that_stand_beside_it() {
    for directory in ["gates", "exceptions"] {
        let world = World::new();
        let repo = told(&world);
        if directory == "exceptions" {
            repo.except("s.chen", "summarizer/v1.5", "approval:ml-lead", &world.day(9));
            repo.merge("l.wu", "gate/summarizer/v1.5");
            repo.switch("main").write("exceptions/router/v1/note", "x").commit("l.wu", "Note");
        }
        then_tells(&repo, "a twin", &|repo| {
            repo.switch("main").write(&format!("{directory}/Router/v1/note"), "x").commit("l.wu", "Note");
        });
        then_tells(&repo, "no twin", &|repo| {
            repo.git(&["rm", "-rq", &format!("{directory}/Router")]);
            repo.commit("l.wu", "Take it away");
        });
    }
}

/// The mainline holds a log that nobody fetched: who asks about its environment is told that it was rewound.
#[test]
fn a_log_that_the_mainline_holds_alone_counts() {
    let world = World::new();
    let repo = told(&world);
    let record = repo.deploy_record("bot", OTHER, "staging", "requirements");
    repo.git(&["update-ref", "-d", "refs/heads/deployments/staging"]);
    then_tells(&repo, "merged", &|repo| drop(repo.merge("l.wu", &record)));
}

/// A word of a failure dated long ago: at the moments since, all before it in the log is seen.
#[test]
fn a_failure_that_is_dated_back_shows_the_log_at_earlier_moments() {
    let world = World::new();
    let repo = world.governance_repo_with(&Policy::small().replacing("break_glass_review = \"72h\"\n", ""));
    let judged = repo.allowed_gate(GATE);
    let then = world.time();
    repo.allowed_gate(OTHER);
    repo.open("j.doe", "summarizer/v1.5");
    repo.merge("l.wu", "gate/summarizer/v1.5");
    repo.deploy_record("bot", "summarizer/v1.5", "production", "break-glass");
    then_tells(&repo, "a failure", &|repo| {
        let failed = Decision::new("deploy-failed", OTHER).line("Gate-Environment", "production");
        let message = repo.message(&failed.line("Gate-Record", &judged));
        let now = world.time();
        world.at(&then).later(-60);
        let tree = repo.rev(&format!("{judged}^{{tree}}"));
        let word = repo.git_as("bot", &["commit-tree", &tree, "-S", "-p", LOG, "-p", &judged, "-m", &message]);
        world.at(&now);
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &word]);
    });
}
