//! What somebody may do to have `metrics` say what is no longer so: each thing changes what is told of a system that nothing
//! seems to have been done to.

use std::process::Stdio;

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

/// Opens a version that requires another.
pub(super) fn open_requiring(repo: &Repo<'_>, gate: &str, required: &str) {
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

/// Whether what is required leads back is told by the requests of all on the way.
#[test]
fn a_requirement_that_led_back_and_does_no_more_counts() {
    let world = World::new();
    let repo = told(&world);
    for (gate, required) in
        [("planner/v1", "scorer/v1"), ("scorer/v1", "tagger/v1"), ("tagger/v1", "planner/v1")]
    {
        open_requiring(&repo, gate, required);
        repo.merge("l.wu", &format!("gate/{gate}"));
    }
    then_tells(&repo, "no more", &|repo| {
        let path = "gates/tagger/v1/gate.toml";
        repo.switch("main");
        let text = std::fs::read_to_string(repo.path.join(path)).unwrap();
        repo.write(path, text.replace("requires = [\"planner/v1\"]\n", "")).commit("j.doe", "No more");
    });
    metrics(&repo);
    put_back(&repo);
    repo.decide("k.berg", &Decision::reject("tagger/v1", "ml-lead", "safety"));
    repo.merge("l.wu", "gate/tagger/v1");
    tells(&repo, "those that it is required by", "router summarizer");
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
    let shatter = Decision::deploy("summarizer/v1.5", "production", "break-glass", &repo.root);
    repo.log("bot", "production", &shatter.line("Gate-Reason", "Down"));
    then_tells(&repo, "a failure", &|repo| {
        let failed = Decision::new("deploy-failed", OTHER).line("Gate-Environment", "production");
        let message = repo.message(&failed.line("Gate-Record", &judged));
        let now = world.time();
        world.at(&then).later(-60);
        let tree = repo.rev(&format!("{judged}^{{tree}}"));
        let word =
            repo.git_as("bot", &["commit-tree", &tree, "-S", "-p", LOG, "-p", &judged, "-m", &message]);
        world.at(&now);
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &word]);
    });
}

/// A cover of a break-glass under this policy, accepted; then `before` is done, it is merged and is not in force, `then`
/// brings it into force, it expires, and the mainline goes on.
#[track_caller]
fn in_force_late(policy: &Policy, before: &dyn Fn(&Repo<'_>, &str), then: &dyn Fn(&Repo<'_>, &str)) {
    let world = World::new();
    let repo = world.governance_repo_with(policy);
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.allowed_gate(OTHER);
    let shatter = Decision::deploy(GATE, "production", "break-glass", &repo.root).line("Gate-Reason", "Down");
    let record = repo.log("bot", "production", &shatter);
    let cover = format!("exceptions/{GATE}/covers/{record}");
    repo.switch(&format!("gate/{GATE}"));
    repo.write(
        &format!("{cover}/exception.toml"),
        format!(
            "schema = 1\nsystem = \"summarizer\"\nversion = \"v1.4\"\nenvironments = [\"production\"]\n\
             waives = [\"approval:ml-lead\", \"approval:product-lead\"]\nreason = \"The service was down\"\n\
             risk = \"Nobody had looked\"\nowner = \"s.chen@example.com\"\ncontrols = [\"review\"]\n\
             follow_ups = [{{ what = \"Look\", who = \"j.rivera@example.com\", due = {0} }}]\nexpires = {0}\n",
            world.day(-3)
        ),
    );
    repo.commit("j.doe", "Cover");
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance").line("Gate-Record", &record));
    before(&repo, &cover);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let uncovered = |repo: &Repo<'_>| metrics(repo)["total"]["break_glass"]["uncovered"].as_u64().unwrap();
    assert_eq!(uncovered(&repo), 1);
    then(&repo, &cover);
    assert_eq!(uncovered(&repo), 0);
    then_tells(&repo, "a note behind its end", &|repo| {
        world.days(-2);
        repo.switch("main").write("notes", "a note").commit("l.wu", "Note");
    });
    assert_eq!(uncovered(&repo), 0, "covered once is covered");
}

/// A cover that a later policy lets be in force, until it expires: what is told of it then hangs on when the mainline goes on.
#[test]
fn a_cover_that_only_another_policy_took_expires_with_the_mainline() {
    let strict = Policy::small().replacing(
        "approvals = [{ role = \"compliance\" }]\nmax_duration",
        "approvals = [{ role = \"compliance\" }, { role = \"product-lead\" }]\nmax_duration",
    );
    in_force_late(&strict, &|_, _| {}, &|repo, _| drop(enact(repo, &Policy::small().serial(2))));
}

/// It was accepted where the gate was what it is again.
#[test]
fn a_cover_that_a_change_of_its_gate_brought_into_force_covers_once_and_for_all() {
    let file = format!("gates/{GATE}/CHANGE.md");
    let change = |repo: &Repo<'_>, text: &str| {
        repo.switch("main").write(&file, text).commit("j.doe", "Say it otherwise");
    };
    let said = std::cell::RefCell::new(String::new());
    in_force_late(
        &Policy::small(),
        &|repo, _| {
            repo.switch("main");
            *said.borrow_mut() = std::fs::read_to_string(repo.path.join(&file)).unwrap();
            change(repo, "Otherwise.\n");
        },
        &|repo, _| change(repo, &said.borrow()),
    );
}

/// It was accepted without the file that stood beside it for a while: nothing is new when that is gone.
#[test]
fn a_cover_that_a_file_taken_away_brought_into_force_covers_once_and_for_all() {
    in_force_late(
        &Policy::small(),
        &|repo, cover| {
            repo.write(&format!("{cover}/more.md"), "More.\n").commit("j.doe", "Say more");
        },
        &|repo, cover| {
            repo.switch("main").remove(&format!("{cover}/more.md")).commit("j.doe", "Say no more");
        },
    );
}

/// A record that came late, dated before what is recorded since: a word that does not count on its own is seen before it.
#[test]
fn a_record_that_comes_late_shows_the_log_at_earlier_moments() {
    let world = World::new();
    let repo = world.governance_repo_with(&Policy::small().replacing("break_glass_review = \"72h\"\n", ""));
    repo.open("j.doe", "summarizer/v1.5");
    repo.merge("l.wu", "gate/summarizer/v1.5");
    repo.allowed_gate(OTHER);
    // By a deployer, dated otherwise by its author: it does not count, and is a break-glass all the same.
    let shatter = Decision::deploy("summarizer/v1.5", "production", "break-glass", &repo.root);
    let message = repo.switch("main").message(&shatter.line("Gate-Reason", "Down"));
    let args = ["commit-tree", "-S", "main~1^{tree}", "-p", "main", "-m", &message];
    let record = repo.git_as("bot", &args);
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &record]);
    let late = repo.deploy_record("bot", OTHER, "production", "requirements");
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &record]);
    repo.allowed_gate(GATE);
    then_tells(&repo, "a record", &|repo| {
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &late]);
    });
}

/// Beside a version, no version itself, and the same but for letter case: the Kelvin sign.
#[test]
fn what_is_no_version_may_hit_one_by_its_name() {
    let world = World::new();
    let repo = told(&world);
    repo.allowed_gate("router/k1");
    then_tells(&repo, "a twin", &|repo| {
        repo.switch("main").write("gates/router/\u{212a}1/note", "x").commit("l.wu", "Note");
    });
}

/// A cover of a record of what never stood on the mainline came by two ways, the first unsigned: the merge that joins them
/// changes nothing that stands there.
#[test]
fn a_cover_of_what_never_stood_there_may_come_twice() {
    let world = World::new();
    let repo = told(&world);
    repo.open("j.doe", "router/v9");
    let shatter =
        Decision::deploy("router/v9", "production", "break-glass", &repo.root).line("Gate-Reason", "Down");
    let message = repo.message(&shatter);
    let tree = repo.rev("main^{tree}");
    let record = repo.git_as("bot", &["commit-tree", &tree, "-S", "-p", LOG, "-p", "main", "-m", &message]);
    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &record]);
    let cover = |repo: &Repo<'_>| {
        repo.write(
            &format!("exceptions/router/v9/covers/{record}/exception.toml"),
            format!(
                "schema = 1\nsystem = \"router\"\nversion = \"v9\"\nenvironments = [\"production\"]\n\
                 waives = [\"gate:recorded\", \"rules:none\", \"integrity:content\"]\nreason = \"The service was down\"\n\
                 risk = \"Nobody had looked\"\nowner = \"s.chen@example.com\"\ncontrols = [\"review\"]\n\
                 follow_ups = [{{ what = \"Look\", who = \"j.rivera@example.com\", due = {} }}]\n",
                world.day(7)
            ),
        );
    };
    cover(repo.switch("cover"));
    repo.commit("j.doe", "Cover");
    let accept = Decision::accept_risk("router/v9", "compliance").line("Gate-Record", &record);
    let message = repo.message(&accept);
    repo.git_as("m.okafor", &["commit", "-q", "-S", "--allow-empty", "--cleanup=verbatim", "-m", &message]);
    repo.switch("main")
        .git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Not yet", "cover"]);
    cover(&repo);
    repo.commit_unsigned("mallory", "Squash");
    repo.switch("cover").write("notes", "x").commit("j.doe", "Note");
    then_tells(&repo, "joined", &|repo| {
        repo.merge("l.wu", "cover");
    });
}

/// In a clone: what is fetched, and where it is fetched from.
#[test]
fn a_clone_measures_what_it_fetched() {
    let world = World::new();
    let repo = told(&world);
    open_requiring(&repo, "planner/v1", "router/v9");
    repo.merge("l.wu", "gate/planner/v1");
    repo.git(&["switch", "-q", "main"]);
    let clone = repo.clone_to("clone", false);
    let fetch = |clone: &Repo<'_>| drop(clone.git(&["fetch", "-q", "--prune", "origin"]));
    then_tells(&clone, "a branch of what is required", &|clone| {
        repo.git(&["branch", "gate/router/v9", "main"]);
        fetch(clone);
    });
    then_tells(&clone, "no branch, and a log that went on elsewhere", &|clone| {
        repo.git(&["branch", "-q", "-D", "gate/router/v9"]);
        let before = repo.rev(&format!("{LOG}~1"));
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &before]);
        repo.deploy_record("bot", GATE, "production", "requirements");
        fetch(clone);
        clone.run(&["trust", "--accept-rewind", "--yes"]);
    });
    then_tells(&clone, "its own branch", &|clone| drop(clone.git(&["branch", "gate/router/v9"])));
    then_tells(&clone, "nothing to fetch from", &|clone| {
        clone.git(&["remote", "remove", "origin"]);
    });
}

/// Several at a time, each of its systems, while the mainline and the log go on.
#[test]
fn many_measure_at_once_while_much_happens() {
    let world = World::new();
    let repo = told(&world);
    for round in 0..4 {
        let others = [&[][..], &["--system", "router"], &[], &["--system", "summarizer"]].map(|only| {
            let args = [&["metrics", "--format", "json"], only].concat();
            repo.world.program_of("l.wu", &repo.path, &args).stdout(Stdio::null()).spawn().unwrap()
        });
        repo.deploy_record("bot", if round % 2 == 0 { GATE } else { OTHER }, "production", "requirements");
        repo.approve("j.rivera", "router/v2", "ml-lead");
        repo.merge("l.wu", "gate/router/v2");
        for mut other in others {
            assert!(other.wait().unwrap().success());
        }
        metrics(&repo);
        verify(&repo, "in the end");
    }
}
