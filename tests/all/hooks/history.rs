//! The mainline only ever goes on, by true merges of signed changes.

use super::*;

#[test]
fn a_rewound_mainline_is_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    served.taken(&["main"]);
    let seen = served.unguarded(&["main"]);
    assert_eq!(seen["verdict"], "allowed");
    repo.git(&["reset", "-q", "--hard", &repo.root]);
    repo.write("README", "x").commit("l.wu", "Another history");
    let run = served.refused(&["+main"], &["mainline-rewound"]);
    assert!(run.stderr.contains("git merge --no-ff"), "{run}");
    assert_eq!(served.unguarded(&["main"])["code"], "mainline-rewound");
}

#[test]
fn a_foxtrot_merge_is_refused_and_its_mend_needs_no_force() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let old = repo.rev("main");
    repo.write("README", "theirs").commit("l.wu", "Theirs");
    served.taken(&["main"]);
    served.unguarded(&["main"]);
    repo.git(&["branch", "theirs"]);
    repo.git(&["reset", "-q", "--hard", &old]);
    repo.write("NOTES", "mine").commit("l.wu", "Mine");
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-m", "Pull", "theirs"]);
    let foxtrot = repo.rev("HEAD");
    served.refused(&["main"], &["mainline-rewound"]);
    assert_eq!(served.unguarded(&["main"])["code"], "mainline-rewound");
    repo.git(&["checkout", "-q", &repo.rev("theirs")]);
    repo.git_as("l.wu", &["merge", "-q", "-S", "--no-ff", "-m", "Merge", &foxtrot]);
    served.taken(&["HEAD:main"]);
}

#[test]
fn the_mainline_is_not_deleted_nor_by_another_name() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    served.guarded.git(&["config", "receive.denyDeleteCurrent", "ignore"]);
    served.refused(&[":main"], &["mainline-deleted"]);
    repo.write("README", "x").commit("l.wu", "On");
    served.taken(&["main"]);
    served.guarded.git(&["symbolic-ref", "refs/heads/trunk", "refs/heads/main"]);
    repo.git(&["reset", "-q", "--hard", &repo.root]);
    repo.write("README", "y").commit("l.wu", "Another history");
    served.refused(&["+main:trunk"], &["mainline-rewound"]);
}

#[test]
fn without_a_trust_root_nothing_goes_to_the_mainline() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    served.guarded.git(&["config", "--unset", "gate.root"]);
    repo.allowed_gate(GATE);
    let run = served.refused(&["main", BRANCH], &["no-trust-root"]);
    assert!(run.stderr.contains("git config gate.root"), "{run}");
    served.taken(&[BRANCH]);
    // Global configuration pins nothing.
    let home = world.dir().join("home/.gitconfig");
    std::fs::write(&home, format!("[gate]\n\troot = {}\n", repo.root)).unwrap();
    served.refused(&["main"], &["no-trust-root"]);
    served.guarded.pin(&repo.root);
    served.taken(&["main"]);
    served.guarded.pin(&repo.rev(BRANCH));
    repo.switch("main").write("README", "x").commit("l.wu", "On");
    served.refused(&["main"], &["root-not-on-mainline"]);
    served.guarded.git(&["config", "gate.root", "main"]);
    let run = served.push(&["main"]);
    assert!(run.status != 0 && run.stderr.contains("no-trust-root"), "{run}");
}

#[test]
fn an_evil_merge_is_refused_signed_or_not_as_far_as_it_never_counts() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    served.taken(&[BRANCH]);
    repo.switch("main");
    repo.git_as("mallory", &["merge", "-q", "--no-ff", "--no-commit", BRANCH]);
    repo.write(
        &format!("gates/{GATE}/evidence/evaluation.json"),
        "{\"summary\": {\"hallucination_rate\": 0.01, \"n\": 9}}\n",
    );
    repo.commit_unsigned("mallory", "Merge");
    served.refused(&["main"], &["unsigned-files"]);
    let answer = served.unguarded(&["main", BRANCH]);
    assert_eq!(
        (answer["verdict"].as_str(), status(&answer, "integrity:authors")),
        (Some("blocked"), "failed")
    );
    // A true merge that nobody signed changes nothing, and is taken.
    repo.git(&["reset", "-q", "--hard", "HEAD^"]);
    repo.git_as("mallory", &["merge", "-q", "--no-ff", "-m", "Merge", BRANCH]);
    served.taken(&["main"]);
    assert_eq!(served.guarded.check_json(GATE, "production")["verdict"], "allowed");
}

#[test]
fn a_squash_or_a_rebase_of_a_gate_is_refused_with_the_mend() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    served.taken(&[BRANCH]);
    repo.switch("main").git(&["merge", "-q", "--squash", BRANCH]);
    repo.commit_unsigned("forge", "Squashed");
    let run = served.refused(&["main"], &["unsigned-files"]);
    assert!(run.stderr.contains("no squash, no rebase"), "{run}");
    assert_eq!(served.unguarded(&["main"])["verdict"], "blocked");
    repo.git(&["reset", "-q", "--hard", &repo.root]);
    repo.write("README", "x").commit("l.wu", "Meanwhile");
    served.taken(&["main"]);
    repo.git(&["cherry-pick", "--allow-empty", &format!("{}..{BRANCH}", repo.root)]);
    served.refused(&["main"], &["unsigned-files", "resigned", "resigned"]);
    served.forget();
    let answer = served.unguarded(&["main"]);
    assert_eq!(
        (answer["verdict"].as_str(), status(&answer, "integrity:authors")),
        (Some("blocked"), "failed")
    );
}

#[test]
fn replacements_and_cut_histories_are_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    let commit = repo.rev("main");
    served.refused(&[&format!("{}:refs/replace/{commit}", repo.root)], &["replacement"]);
    // A repository whose own history was cut judges nothing, so that nothing reaches its mainline.
    let graft = served.guarded.path.join("info/grafts");
    std::fs::create_dir_all(graft.parent().unwrap()).unwrap();
    std::fs::write(&graft, format!("{}\n", repo.root)).unwrap();
    let run = served.push(&["main"]);
    assert!(run.status != 0 && run.stderr.contains("grafted-history"), "{run}");
    std::fs::remove_file(&graft).unwrap();
    served.taken(&["main"]);
}

#[test]
fn all_of_a_push_is_judged_and_one_bad_ref_stops_it() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    repo.open("j.doe", "summarizer/v2");
    let forged = repo.approve("mallory", "summarizer/v2", "ml-lead");
    let run = served.refused(&["main", BRANCH, "gate/summarizer/v2", ":refs/heads/none"], &["unknown-key"]);
    assert!(run.stderr.contains(&format!("refs/heads/gate/summarizer/v2 {forged}")), "{run}");
    // What was refused is gone: its objects lay in quarantine.
    let there = world.try_git(&served.guarded.path, &["cat-file", "-e", &forged]);
    assert_ne!(there.status, 0, "{there}");
    served.taken(&["main", BRANCH]);
}

#[test]
fn a_push_of_more_than_can_be_looked_at_is_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let refs: Vec<String> = (0..=1000).map(|number| format!("HEAD:refs/heads/gate/a/v{number}")).collect();
    let refs: Vec<&str> = refs.iter().map(String::as_str).collect();
    let run = served.push(&refs);
    assert!(run.status != 0 && run.stderr.contains("push-too-large"), "{run}");
    assert!(run.stderr.contains("and 981 more"), "{run}");
    served.taken(&refs[..900]);
    assert_eq!(
        repo.git(&["ls-remote", served.guarded.path.to_str().unwrap(), "refs/heads/gate/*"]).lines().count(),
        900
    );
}

#[test]
fn a_push_of_more_commits_than_are_looked_at_is_refused_and_may_come_in_parts() {
    const MOST: usize = 50_000;
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    // Behind the first, as many as are looked at in one push, that change nothing.
    let date = repo.git(&["log", "-1", "--format=%ct", BRANCH]);
    let one =
        format!("commit refs/heads/{BRANCH}\ncommitter j.doe <j.doe@example.com> {date} +0000\ndata 1\nx\n");
    let stream = format!("reset refs/heads/{BRANCH}\nfrom {}\n\n{}", repo.rev(BRANCH), one.repeat(MOST));
    world.git_with_input(&repo.path, &["fast-import", "--quiet", "--force"], stream);
    let run = served.push(&[BRANCH]);
    assert!(run.status != 0 && run.stderr.contains("[push-too-large]"), "{run}");
    assert!(run.stderr.contains("it brings 50001 commits, at most 50000 are looked at"), "{run}");
    assert!(run.stderr.contains("in parts"), "{run}");
    served.taken(&[&format!("{BRANCH}~1:refs/heads/{BRANCH}")]);
    served.taken(&[BRANCH]);
}
