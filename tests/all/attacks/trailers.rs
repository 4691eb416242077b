//! `Gate` trailers that are written so that one reader sees them and another does not.

use super::{BRANCH, GATE, LEAD, assert_says, code, decision, merged, notices, opened, status, verdict};
use crate::world::{Decision, Repo, World};

/// Signs a message as it is given.
#[track_caller]
fn say(repo: &Repo<'_>, who: &str, message: &str) -> String {
    repo.switch(BRANCH);
    repo.git_as(who, &["commit", "-q", "-S", "--allow-empty", "--cleanup=verbatim", "-m", message]);
    repo.rev("HEAD")
}

#[track_caller]
fn approval(repo: &Repo<'_>) -> String {
    repo.switch(BRANCH).message(&Decision::approve(GATE, "ml-lead"))
}

#[test]
fn odd_trailers_count_for_nothing() {
    let world = World::new();
    let repo = opened(&world);
    let good = approval(&repo);
    let odd = [
        good.replace("Gate-Role: ml-lead", "Gate-Role:\n ml-lead"),
        good.replace("Gate-Role: ml-lead", "Gate-Role: ml-lead\n and-more"),
        good.replace("Gate-Role: ml-lead", "Gate-Role: product-lead\nGate-Role: ml-lead"),
        good.replace("Gate-Role", "gate-role"),
        good.replace("Gate-Role", "Gate-role"),
        good.replace("Gate-Role: ", "Gate-Role : "),
        good.replace("Gate-Role: ", "Gate-Role:"),
        good.replace("Gate-Role: ml-lead", "Gate-Role: ml-lead "),
        good.replace("Gate-Role: ml-lead", "Gate-Role: ML-LEAD x"),
        good.replace("Gate-Content: sha256", "Gate-Content: SHA256"),
        format!("{good}Gate-Action: approve\n"),
        format!("{good}Gate-Environment: staging\nGate-Environment: staging\n"),
        format!("{good}Gate-Environment: production, staging\n"),
        format!("{good}Gate-Unknown: x\n"),
        format!("{good}GATE-Scope: x\n"),
        format!("{good}this is no trailer\n"),
        format!("{good} \nSigned-off-by: x <x@example.com>\n"),
        good.replace("\n\nGate: ", "\n \nGate: "),
        good.replace("\n\nGate: ", "\n\n# ------------------------ >8 ------------------------\n\nGate: "),
    ];
    let said: Vec<String> = odd.iter().map(|message| say(&repo, "j.rivera", message)).collect();
    let judged = merged(&repo);
    for (commit, message) in said.iter().zip(&odd) {
        assert_eq!(code(&judged, commit), "malformed", "{message}");
        repo.git_verifies(commit).expect(0);
    }
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}

#[test]
fn trailers_out_of_place_are_no_decision_and_are_noticed() {
    let world = World::new();
    let repo = opened(&world);
    let good = approval(&repo);
    for message in [
        format!("{good}\nSigned-off-by: x <x@example.com>\n"),
        format!("{good}\nThat is all.\n"),
        good.replace("\nGate", "\n Gate"),
        good.replace("\nGate", "\n> Gate"),
        good.replace("\nGate", "\n\u{200b}Gate"),
    ] {
        let commit = say(&repo, "j.rivera", &message);
        repo.git_verifies(&commit).expect(0);
    }
    let judged = merged(&repo);
    assert_eq!(judged["decisions"].as_array().unwrap().len(), 0, "{judged:#}");
    assert_eq!(notices(&judged), ["stray-trailers"]);
    assert_eq!(verdict(&judged, LEAD), "pending missing");
}

#[test]
fn other_trailers_do_no_harm() {
    let world = World::new();
    let repo = opened(&world);
    let good = approval(&repo);
    let said = say(&repo, "j.rivera", &format!("{good}Signed-off-by: j.rivera <j.rivera@example.com>\n\n\n"));
    assert_eq!(code(&merged(&repo), &said), "counts");
}

#[test]
fn a_malformed_decision_does_not_take_the_place_of_a_good_one() {
    let world = World::new();
    let repo = opened(&world);
    let good = say(&repo, "j.rivera", &approval(&repo));
    let odd = say(&repo, "j.rivera", &format!("{}Gate-Unknown: x\n", approval(&repo)));
    let judged = merged(&repo);
    assert_eq!((code(&judged, &good), code(&judged, &odd)), ("counts", "malformed"));
    assert_says(&decision(&judged, &odd)["reason"], "Gate-Unknown");
    assert_eq!(status(&judged, LEAD), "met");
}

#[test]
fn an_approval_for_two_gates_counts_for_neither() {
    let world = World::new();
    let repo = opened(&world);
    let both =
        approval(&repo).replace("Gate: summarizer/v1.4\n", "Gate: summarizer/v1.4\nGate: summarizer/v1.5\n");
    say(&repo, "j.rivera", &both);
    assert_eq!(verdict(&merged(&repo), LEAD), "pending missing");
}
