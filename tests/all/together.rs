//! People who write at the same time, from their own clones of one server, with real pushes.
//!
//! Who is faster is not left to chance: the signing program of the slower one does what the faster one does, in the moment
//! between reading and pushing. Only the eight people of the first test race in earnest.

#![expect(clippy::disallowed_methods, reason = "the tests write files and programs")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::world::{KeyKind, Policy, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

/// A server that holds an open gate, and two clones of it.
struct Server<'w> {
    bare: Repo<'w>,
    mine: Repo<'w>,
    theirs: Repo<'w>,
}

impl<'w> Server<'w> {
    fn with_an_open_gate(world: &'w World) -> Self {
        let origin = world.governance_repo();
        origin.open("j.doe", GATE);
        Self::of(&origin)
    }

    fn of(origin: &Repo<'w>) -> Self {
        origin.switch("main");
        let bare = origin.clone_to("server.git", true);
        let (mine, theirs) = (bare.clone_to("mine", false), bare.clone_to("theirs", false));
        Self { bare, mine, theirs }
    }
}

#[track_caller]
fn runs(repo: &Repo<'_>, who: &str, args: &[&str]) -> Run {
    repo.world.run_as(who, &repo.path, args).expect(0)
}

/// Runs a command of `who` in whose signing `meanwhile`, a shell script, happens once, in the directory of `there`.
fn outrun_by(repo: &Repo<'_>, who: &str, args: &[&str], there: &Repo<'_>, meanwhile: &str) -> Run {
    let world = repo.world;
    let (program, done) = (world.dir().join("slow-signer"), world.dir().join("was-faster"));
    let _ = std::fs::remove_file(&done);
    let script = format!(
        "#!/bin/sh\nif [ ! -e '{done}' ]; then\n: >'{done}'\n( cd '{there}' && {meanwhile} ) >'{done}.log' 2>&1 || exit 1\nfi\n\
         exec ssh-keygen \"$@\"\n",
        done = done.display(),
        there = there.path.display(),
    );
    write_program(&program, &script);
    let mut command = world.program_of(who, &repo.path, args);
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "gpg.ssh.program");
    command.env("GIT_CONFIG_VALUE_0", &program);
    Run::of(command, b"")
}

fn write_program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// What somebody types in a script: the program, signing as `who`.
fn gate_as(world: &World, who: &str, args: &str) -> String {
    format!(
        "env -u GIT_CONFIG_COUNT GIT_CONFIG_GLOBAL='{}' '{}' {args}",
        world.home_of(who).join(".gitconfig").display(),
        env!("CARGO_BIN_EXE_git-gate"),
    )
}

/// All that a clone's user could see of it.
fn state(repo: &Repo<'_>) -> String {
    [
        repo.git(&["for-each-ref", "refs/heads"]),
        repo.git(&["status", "--porcelain", "--ignored"]),
        repo.git(&["config", "--list", "--local"]),
    ]
    .join("\n")
}

/// The approvals on a branch, as plain git finds them: who signed each.
fn approvals(repo: &Repo<'_>, branch: &str) -> Vec<String> {
    let listed = repo.git(&["log", "--format=%ae", "--grep=^Gate-Action: approve$", branch]);
    let mut people: Vec<String> = listed.lines().map(str::to_owned).collect();
    people.sort();
    people
}

#[test]
fn eight_people_who_approve_at_once_lose_nothing() {
    let world = World::new();
    let people: Vec<String> = (1..=8).map(|number| format!("p{number}")).collect();
    let members: Vec<String> = people.iter().map(|who| format!("\"{who}@example.com\"")).collect();
    let old = "ml-lead = { members = [\"j.rivera@example.com\", \"k.berg@example.com\"] }";
    let policy =
        Policy::small().replacing(old, &format!("ml-lead = {{ members = [{}] }}", members.join(", ")));
    let policy =
        people.iter().fold(policy, |policy, who| policy.signer(who, KeyKind::Ed25519, "namespaces=\"git\""));
    let origin = world.governance_repo_with(&policy);
    let own: Vec<String> = (1..=8).map(|number| format!("summarizer/v{number}")).collect();
    for gate in own.iter().map(String::as_str).chain([GATE]) {
        origin.open("j.doe", gate);
    }
    let bare = origin.clone_to("server.git", true);
    let running: Vec<_> = people
        .iter()
        .zip(&own)
        .flat_map(|(who, gate)| {
            let clone = bare.clone_to(who, false);
            [gate.as_str(), GATE].map(|gate| {
                let args = ["approve", gate, "--yes", "--role", "ml-lead"];
                (who, world.program_of(who, &clone.path, &args).spawn().unwrap())
            })
        })
        .collect();
    for (who, child) in running {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{who}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    let everybody: Vec<String> = people.iter().map(|who| format!("{who}@example.com")).collect();
    assert_eq!(approvals(&bare, BRANCH), everybody);
    for (mail, gate) in everybody.iter().zip(&own) {
        assert_eq!(approvals(&bare, &format!("gate/{gate}")), [mail.as_str()]);
    }
    bare.git(&["fsck", "--strict"]);
    let decisions = bare.git(&["rev-list", "--first-parent", &format!("main..{BRANCH}")]);
    assert_eq!(decisions.lines().count(), 9, "one on top of the other, none twice");
    for commit in decisions.lines() {
        bare.git_verifies(commit).expect(0);
    }
}

#[test]
fn who_was_outrun_signs_anew_on_the_new_tip() {
    let world = World::new();
    let Server { bare, mine, theirs } = Server::with_an_open_gate(&world);
    let faster = gate_as(&world, "s.chen", &format!("approve {GATE} --yes"));
    let run = outrun_by(&mine, "j.rivera", &["approve", GATE, "--yes"], &theirs, &faster).expect(0);
    assert!(run.stderr.contains("somebody was faster"), "{run}");
    assert_eq!(
        bare.git(&["log", "-2", "--format=%ae %s", BRANCH]),
        format!(
            "j.rivera@example.com Approve {GATE} as ml-lead\ns.chen@example.com Approve {GATE} as product-lead"
        )
    );
    for commit in bare.git(&["rev-list", "-2", BRANCH]).lines() {
        bare.git_verifies(commit).expect(0);
        assert_eq!(
            bare.git(&["log", "-1", "--format=%an%ae%at", commit]),
            bare.git(&["log", "-1", "--format=%cn%ce%ct", commit]),
            "signed anew, not rebased"
        );
    }
    assert_eq!(mine.rev(BRANCH), bare.rev(BRANCH));
}

#[test]
fn what_changed_before_it_was_signed_is_named_and_not_signed() {
    let report = format!("gates/{GATE}/evidence/evaluation.json");
    let attach = format!("attach {GATE} evaluation ../new.json");
    let note = format!("attach {GATE} change-description ../new.json --name note.json");
    let reject = format!("reject {GATE} --reason quality --yes");
    for (who, args, named) in [
        ("j.doe", attach.as_str(), format!("`{report}` has changed")),
        ("j.doe", &note, format!("`gates/{GATE}/note.json` is new")),
        ("s.chen", &reject, "somebody rejected or closed it".to_owned()),
    ] {
        let world = World::new();
        let Server { bare, mine, theirs } = Server::with_an_open_gate(&world);
        mine.write("../new.json", "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 9}}");
        let before = state(&mine);
        let faster = gate_as(&world, who, args);
        let run = outrun_by(&mine, "j.rivera", &["approve", GATE, "--yes"], &theirs, &faster).expect(3);
        assert!(run.stderr.contains("[changed-meanwhile]") && run.stderr.contains(&named), "{run}");
        assert_eq!(state(&mine), before);
        assert!(approvals(&bare, BRANCH).is_empty());
        // Who looks again may sign again.
        runs(&mine, "j.rivera", &["approve", GATE, "--yes"]);
        assert_eq!(approvals(&bare, BRANCH), ["j.rivera@example.com"]);
    }
}

#[test]
fn another_policy_in_force_is_named_and_nothing_is_signed_under_it_unseen() {
    let world = World::new();
    let Server { bare, mine, theirs } = Server::with_an_open_gate(&world);
    theirs.switch("policy/next");
    theirs.write_policy(&Policy::small().serial(2).replacing("max = 0.05", "max = 0.04"));
    theirs.commit("l.wu", "Ask for less");
    for who in ["a.ng", "m.okafor"] {
        theirs.decide(who, &crate::world::Decision::approve("policy", "governance"));
    }
    theirs.merge("l.wu", "policy/next");
    // With another decision on the gate, so that the slower one is outrun on its branch.
    let faster =
        format!("git push -q origin main && {}", gate_as(&world, "s.chen", &format!("approve {GATE} --yes")));
    let run = outrun_by(&mine, "j.rivera", &["approve", GATE, "--yes"], &theirs, &faster).expect(3);
    assert!(run.stderr.contains("the policy in force has changed"), "{run}");
    assert_eq!(approvals(&bare, BRANCH), ["s.chen@example.com"]);
}

#[test]
fn nobody_signs_by_yes_what_their_clone_never_showed() {
    let world = World::new();
    let Server { bare, mine, theirs } = Server::with_an_open_gate(&world);
    theirs.write("../new.json", "{\"summary\": {\"hallucination_rate\": 0.04, \"n\": 9}}");
    runs(&theirs, "j.doe", &["attach", GATE, "evaluation", "../new.json"]);
    let before = state(&mine);
    let run = world.run_as("j.rivera", &mine.path, &["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[unseen-changes]") && run.stderr.contains("evaluation.json"), "{run}");
    assert_eq!(state(&mine), before);
    assert!(approvals(&bare, BRANCH).is_empty());
    // Others' approvals are no such change, and what was shown once may be signed.
    runs(&theirs, "s.chen", &["approve", GATE, "--yes"]);
    runs(&mine, "j.rivera", &["approve", GATE, "--yes"]);
    // A policy that came into force unseen is named, too, and a rejection that is on the mainline already.
    let elsewhere = bare.clone_to("elsewhere", false);
    elsewhere.git(&["switch", "-q", "-c", BRANCH, &format!("origin/{BRANCH}")]);
    elsewhere.decide("k.berg", &crate::world::Decision::reject(GATE, "ml-lead", "quality"));
    elsewhere.merge("l.wu", BRANCH);
    elsewhere.git(&["push", "-q", "origin", "main", BRANCH]);
    let run = world.run_as("s.chen", &mine.path, &["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[unseen-changes]") && run.stderr.contains("rejected or closed"), "{run}");
    elsewhere.switch("policy/next");
    elsewhere.write_policy(&Policy::small().serial(2).replacing("max = 0.05", "max = 0.06"));
    elsewhere.commit("l.wu", "Ask for more");
    for who in ["a.ng", "m.okafor"] {
        elsewhere.decide(who, &crate::world::Decision::approve("policy", "governance"));
    }
    elsewhere.merge("l.wu", "policy/next");
    elsewhere.git(&["push", "-q", "origin", "main"]);
    let run = world.run_as("s.chen", &mine.path, &["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("the policy in force has changed"), "{run}");
    runs(&mine, "s.chen", &["approve", GATE, "--yes"]);
    // To take back asks for nothing.
    runs(&theirs, "j.doe", &["attach", GATE, "change-description", "../new.json"]);
    runs(&mine, "j.rivera", &["withdraw", GATE, "--yes"]);
}

#[test]
fn what_was_only_written_here_was_seen_here() {
    let world = World::new();
    let Server { bare, mine, .. } = Server::with_an_open_gate(&world);
    mine.write("../new.json", "{\"summary\": {\"hallucination_rate\": 0.04, \"n\": 9}}");
    runs(&mine, "j.doe", &["attach", GATE, "evaluation", "../new.json", "--no-push"]);
    runs(&mine, "j.rivera", &["approve", GATE, "--yes"]);
    assert_eq!(mine.rev(BRANCH), bare.rev(BRANCH), "both are pushed");
}

#[test]
fn a_bare_clone_that_tracks_nothing_merges_and_pushes() {
    let world = World::new();
    let Server { bare, .. } = Server::with_an_open_gate(&world);
    let plain = bare.clone_to("plain.git", true);
    assert_eq!(world.try_git(&plain.path, &["config", "remote.origin.fetch"]).status, 1);
    runs(&plain, "l.wu", &["merge", GATE]);
    assert_eq!(plain.rev("main"), bare.rev("main"));
}

#[test]
fn two_who_attach_at_once_both_get_through() {
    let world = World::new();
    let Server { bare, mine, theirs } = Server::with_an_open_gate(&world);
    mine.write("../a.txt", "one\n").write("../b.txt", "two\n");
    let faster =
        gate_as(&world, "k.berg", &format!("attach {GATE} change-description ../b.txt --name b.txt"));
    let args = ["attach", GATE, "change-description", "../a.txt", "--name", "a.txt"];
    outrun_by(&mine, "j.doe", &args, &theirs, &faster).expect(0);
    let files = bare.git(&["ls-tree", "-r", "--name-only", BRANCH, "gates/"]);
    assert!(files.contains("/a.txt") && files.contains("/b.txt"), "{files}");
    let request = bare.git(&["show", &format!("{BRANCH}:gates/{GATE}/gate.toml")]);
    assert!(request.contains("\"a.txt\"") && request.contains("\"b.txt\""), "{request}");
    // But what somebody else has just replaced is not replaced unseen.
    mine.write("../a.txt", "three\n").write("../b.txt", "four\n");
    let faster =
        gate_as(&world, "k.berg", &format!("attach {GATE} change-description ../b.txt --name a.txt"));
    let run = outrun_by(&mine, "j.doe", &args, &theirs, &faster).expect(3);
    assert!(run.stderr.contains("`a.txt` has changed"), "{run}");
}

#[test]
fn two_who_open_one_gate_at_once_open_it_once() {
    let world = World::new();
    let Server { bare, mine, theirs } = Server::with_an_open_gate(&world);
    let open = ["open", "summarizer/v2", "--kind", "prompt", "--summary", "mine"];
    let faster = gate_as(&world, "k.berg", "open summarizer/v2 --kind prompt --summary theirs");
    let run = outrun_by(&mine, "j.doe", &open, &theirs, &faster).expect(3);
    assert!(run.stderr.contains("[gate-exists]"), "{run}");
    assert_eq!(bare.git(&["log", "-1", "--format=%ae", "gate/summarizer/v2"]), "k.berg@example.com");
}

#[test]
fn two_merges_at_once_are_both_on_the_mainline_in_order() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    origin.open("j.doe", "summarizer/v2");
    let Server { bare, mine, theirs } = Server::of(&origin);
    let before = bare.rev("main");
    let faster = gate_as(&world, "a.ng", "merge summarizer/v2");
    outrun_by(&mine, "l.wu", &["merge", GATE], &theirs, &faster).expect(0);
    assert_eq!(
        bare.git(&["log", "--first-parent", "--format=%s", "main"]),
        format!("Merge {GATE}\nMerge summarizer/v2\nBegin")
    );
    assert_eq!(bare.rev("main~2"), before);
    assert_eq!(mine.rev("main"), bare.rev("main"));
    assert_eq!(mine.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_merge_never_goes_onto_its_second_parent() {
    let world = World::new();
    let Server { bare, mine, theirs } = Server::with_an_open_gate(&world);
    // Fast-forwarded to the branch: a plain push would take the merge, and the old mainline would be a side of it.
    let faster = format!("git push -q origin origin/{BRANCH}:main");
    let run = outrun_by(&mine, "l.wu", &["merge", GATE], &theirs, &faster).expect(3);
    assert!(run.stderr.contains("[nothing-changed]"), "{run}");
    assert_eq!(bare.rev("main"), bare.rev(BRANCH));
}

#[test]
fn offline_touches_no_remote_and_says_how_to_go_on_without_it() {
    let world = World::new();
    let Server { mine, .. } = Server::with_an_open_gate(&world);
    mine.git(&["config", "remote.origin.url", "/nowhere/at/all"]);
    let before = state(&mine);
    let run = world.run_as("j.rivera", &mine.path, &["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[fetch-failed]") && run.stderr.contains("`--offline`"), "{run}");
    assert_eq!(state(&mine), before);
    let run = runs(&mine, "j.rivera", &["approve", GATE, "--yes", "--offline", "--format", "json"]);
    assert_eq!(run.json()["pushed"], false);
    assert_eq!(mine.rev(&format!("{BRANCH}^")), mine.rev(&format!("origin/{BRANCH}")));
}

#[test]
fn a_recorded_gate_is_decided_on_where_the_mainline_is() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    origin.switch("main").write("unrelated.txt", "more\n");
    origin.commit("l.wu", "Go on");
    let Server { bare, mine, .. } = Server::of(&origin);
    runs(&mine, "s.chen", &["reject", GATE, "--reason", "quality", "--yes"]);
    assert_eq!(bare.rev(&format!("{BRANCH}^")), bare.rev("main"));
    // Of branches that have both moved on, the mainline is brought together the remote first.
    mine.git(&["commit", "--allow-empty", "-q", "-m", "mine"]);
    origin.git(&["push", "-q", bare.path.to_str().unwrap(), "main"]);
    bare.git(&[
        "update-ref",
        "refs/heads/main",
        &bare.git(&["commit-tree", "-p", "main", "-m", "x", "main^{tree}"]),
    ]);
    let run = world.run_as("l.wu", &mine.path, &["merge", GATE]).expect(3);
    assert!(run.stderr.contains("[diverged]") && run.stderr.contains("--detach origin/main"), "{run}");
}

#[test]
fn two_commands_in_one_clone_lose_nothing_with_a_remote_and_without() {
    for remote in [false, true] {
        let world = World::new();
        let origin = world.governance_repo();
        origin.open("j.doe", GATE);
        origin.switch("main");
        let repo = if remote { Server::of(&origin).mine } else { origin };
        // Checked out, so that files would have to follow.
        repo.git(&["switch", "-q", BRANCH]);
        repo.write("../a.txt", "one\n").write("../b.txt", "two\n");
        let faster =
            gate_as(&world, "k.berg", &format!("attach {GATE} change-description ../b.txt --name b.txt"));
        let args = ["attach", GATE, "change-description", "../a.txt", "--name", "a.txt"];
        let run = outrun_by(&repo, "j.doe", &args, &repo, &faster).expect(0);
        assert!(run.stderr.contains("somebody was faster") && !run.stderr.contains("warning"), "{run}");
        let files = repo.git(&["ls-tree", "-r", "--name-only", BRANCH, "gates/"]);
        assert!(files.contains("/a.txt") && files.contains("/b.txt"), "{files}");
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
        assert_eq!(repo.git(&["log", "-2", "--format=%ae", BRANCH]), "j.doe@example.com\nk.berg@example.com");
    }
}

#[test]
fn nobody_signs_under_a_past_that_is_served_as_the_present() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.switch("main").write("more.txt", "x").commit("l.wu", "Go on");
    origin.open("j.doe", GATE);
    let Server { bare, mine, .. } = Server::of(&origin);
    runs(&mine, "s.chen", &["approve", GATE, "--yes"]);
    // With a `main` of their own, people go on from that.
    mine.git(&["switch", "-q", "--detach"]);
    mine.git(&["branch", "-q", "-D", "main"]);
    bare.git(&["update-ref", "refs/heads/main", &bare.rev("main~1")]);
    let before = state(&mine);
    let run = world.run_as("j.rivera", &mine.path, &["approve", GATE, "--yes"]).expect(3);
    assert!(run.stderr.contains("[mainline-rewound]"), "{run}");
    assert_eq!((state(&mine), approvals(&bare, BRANCH)), (before, vec!["s.chen@example.com".to_owned()]));
}
