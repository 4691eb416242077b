//! A mainline that was rewound, merged backwards, squashed, dated ahead, or read from the wrong root.

use super::*;
use crate::world::World;

#[test]
fn a_rewound_mainline_is_noticed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let rejected = repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(verdict(&check(&repo)), "blocked");
    repo.git(&["reset", "-q", "--hard", "main~1"]);
    refused(&repo, "mainline-rewound");
    repo.write("other", "x").commit("mallory", "Another future");
    let error = refused(&repo, "mainline-rewound");
    assert!(error["help"].as_str().unwrap().contains("trust --accept-rewind"), "{error:#}");
    assert!(!rejected.is_empty());
    repo.run(&["trust", "--accept-rewind"]).expect(0);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_caller_can_say_what_it_has_seen() {
    let world = World::new();
    let repo = world.governance_repo();
    let before = repo.rev("main");
    let seen = repo.allowed_gate(GATE);
    let clone = repo.clone_to("bot", false);
    assert_eq!(verdict(&check_with(&clone, &["--seen", &seen])), "allowed requirements");
    assert_eq!(verdict(&check_with(&clone, &["--seen", &before])), "allowed requirements");
    repo.git(&["reset", "-q", "--hard", &before]);
    let fresh = repo.clone_to("fresh", false);
    let run = ["check", GATE, "--env", "production", "--format", "json", "--seen", &seen];
    undecided(&fresh.run(&run), "not-on-mainline");
    let side = clone.rev(&format!("{seen}^2"));
    undecided(&clone.run(&[&run[..7], &[&side]].concat()), "not-on-mainline");
    clone.run(&[&run[..7], &["main"]].concat()).expect(2);
}

#[test]
fn a_foxtrot_merge_is_noticed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let good = repo.rev("main");
    check(&repo);
    repo.git(&["switch", "-q", "-c", "mine", &repo.root]);
    repo.write("mine", "x").commit("j.doe", "My own work");
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge main", "main"]);
    repo.git(&["branch", "-f", "main", "mine"]);
    let error = refused(&repo, "mainline-rewound");
    let help = error["help"].as_str().unwrap();
    assert!(help.contains(&format!("git checkout {good}; git merge --no-ff ")), "{help}");
    // The mend, as it is printed; the push is to where it is checked out here.
    let mend: Vec<&str> = help.split('`').nth(1).unwrap().split("; ").collect();
    for command in &mend[..2] {
        let mut words: Vec<&str> = command.split(' ').skip(1).collect();
        if words[0] == "merge" {
            words.push("--no-edit");
        }
        repo.git(&words);
    }
    assert_eq!(mend[2], "git push origin HEAD:main");
    repo.git(&["push", "-q", ".", "HEAD:main"]);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_squashed_gate_is_not_allowed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.switch("main").git(&["merge", "-q", "--squash", &format!("gate/{GATE}")]);
    repo.commit_unsigned("forge", "Squash");
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), status(&answer, "integrity:authors")), ("blocked", "failed"));
    assert_eq!(answer["decisions"].as_array().unwrap().len(), 0);
    // A true merge later mends it.
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_removed_gate_is_blocked() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git(&["rm", "-q", "-r", "gates"]);
    let removal = repo.commit("j.doe", "Away with it");
    for branch in [true, false] {
        let answer = check(&repo);
        assert_eq!(
            (verdict(&answer).as_str(), status(&answer, "gate:recorded")),
            ("blocked", "failed"),
            "{branch}"
        );
        assert!(
            found(&answer, "gate:recorded").contains(&removal[..7]),
            "{}",
            found(&answer, "gate:recorded")
        );
        if branch {
            repo.git(&["branch", "-D", &format!("gate/{GATE}")]);
        }
    }
}

#[test]
fn a_gate_from_before_the_trust_root_is_not_judged() {
    for standing in [true, false] {
        let world = World::new();
        let mut repo = world.governance_repo();
        repo.allowed_gate(GATE);
        if !standing {
            repo.git(&["rm", "-q", "-r", "gates"]);
            repo.commit("a.ng", "Clean");
        }
        repo.root = repo.write("note", "x").commit("a.ng", "A later root");
        repo.pin(&repo.root);
        repo.git(&["checkout", "-q", &format!("gate/{GATE}"), "--", "gates"]);
        repo.write("note", "y").commit("j.doe", "Back");
        let answer = check(&repo);
        assert_eq!(
            (verdict(&answer).as_str(), status(&answer, "gate:recorded")),
            ("blocked", "failed"),
            "{standing}"
        );
        assert!(found(&answer, "gate:recorded").contains("trust root"), "{answer:#}");
        assert!(notice(&answer, "decisions-before-root").unwrap().starts_with('2'), "{answer:#}");
    }
}

#[test]
fn without_a_trust_root_nothing_is_judged() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git(&["config", "--unset", "gate.root"]);
    let error = refused(&repo, "no-trust-root");
    assert!(error["help"].as_str().unwrap().contains("git gate trust <commit>"), "{error:#}");
    let answer = check_with(&repo, &["--root", &repo.root]);
    assert_eq!(
        (verdict(&answer).as_str(), &answer["root"]["from"]),
        ("allowed requirements", &"--root".into())
    );
    assert_eq!(answer["relaxations"].as_array().unwrap().len(), 0);
    repo.pin("main");
    refused(&repo, "no-trust-root");
}

#[test]
fn a_trust_root_off_the_mainline_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.pin(&repo.rev("main^2"));
    refused(&repo, "root-not-on-mainline");
    repo.pin("0123456789abcdef0123456789abcdef01234567");
    refused(&repo, "root-not-on-mainline");
}

#[test]
fn another_root_than_the_pinned_one_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let other = repo.rev("main");
    let answer = check_with(&repo, &["--root", &other]);
    let named = answer["relaxations"][0].as_str().unwrap();
    assert!(named.contains(&other) && named.contains(&repo.root), "{named}");
    assert_eq!(verdict(&answer), "blocked", "the gate is older than that root");
}

#[test]
fn a_root_by_an_include_is_not_honoured() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git(&["config", "--unset", "gate.root"]);
    let included = world.dir().join("included");
    std::fs::write(&included, format!("[gate]\n\troot = {}\n\tmainline = other\n", repo.root)).unwrap();
    repo.git(&["config", "include.path", included.to_str().unwrap()]);
    repo.git(&["config", "includeIf.gitdir:/.path", included.to_str().unwrap()]);
    assert_eq!(repo.git(&["config", "gate.root"]), repo.root, "git itself would");
    refused(&repo, "no-trust-root");
    repo.pin(&repo.root);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_step_in_the_future_takes_the_time_of_the_step_before() {
    let world = World::new();
    let repo = world.governance_repo();
    let time = world.time();
    repo.allowed_gate(GATE);
    world.days(400);
    repo.write("note", "x").commit("l.wu", "From the future");
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "allowed requirements", "{answer:#}");
    assert!(notice(&answer, "step-in-the-future").is_some());
    assert!(time < world.time());
}

#[test]
fn a_clock_that_runs_a_little_ahead_is_no_future() {
    let world = World::new();
    let repo = world.governance_repo();
    world.days(0).later(600);
    repo.allowed_gate(GATE);
    let answer = check(&repo);
    assert_eq!(
        (verdict(&answer).as_str(), notice(&answer, "step-in-the-future")),
        ("allowed requirements", None)
    );
}

/// The time of judging is the latest at which the trust root was recorded: what follows it is not recorded later than that.
#[test]
fn a_root_dated_a_little_ahead_makes_nothing_later_than_it_is() {
    let world = World::new();
    let end: String = world.days(0).later(300).time().chars().filter(char::is_ascii_digit).collect();
    let mut policy = Policy::small();
    let lines = policy.signers.lines().map(|line| match line.strip_prefix("j.rivera@example.com ") {
        Some(rest) => format!("j.rivera@example.com valid-before=\"{end}Z\",{rest}\n"),
        None => format!("{line}\n"),
    });
    policy.signers = lines.collect();
    world.later(300);
    let repo = world.governance_repo_with(&policy);
    world.days(0);
    repo.allowed_gate(GATE);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn windows_do_not_restart() {
    let world = World::new();
    let repo = world.governance_repo();
    world.days(-40);
    repo.allowed_gate(GATE);
    let path = format!("gates/{GATE}/evidence/evaluation.json");
    let text = std::fs::read(repo.path.join(&path)).unwrap();
    world.days(-2);
    repo.git(&["branch", "-D", &format!("gate/{GATE}")]);
    repo.switch(&format!("gate/{GATE}")).remove(&path).commit("j.doe", "Remove");
    repo.write(&path, &text).commit("j.doe", "Add it again");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), status(&answer, "evidence:evaluation")), ("pending", "stale"));
    repo.switch(&format!("gate/{GATE}"));
    repo.write(&path, [&text[..], b"\n"].concat()).commit("j.doe", "A new run");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_commit_dated_back_makes_its_evidence_only_older() {
    let world = World::new();
    let repo = world.governance_repo();
    world.days(-35);
    repo.open("j.doe", GATE);
    world.days(-2);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(status(&check(&repo), "evidence:evaluation"), "stale");
}

#[test]
fn a_root_moved_past_an_honest_record_makes_no_break_glass_of_it() {
    let world = World::new();
    let repo = world.governance_repo();
    let before = "summarizer/v1.3";
    repo.allowed_gate(before);
    repo.deploy_record("bot", before, "production", "requirements");
    repo.switch("main");
    repo.pin(&repo.write("note", "x").commit("a.ng", "Begin anew"));
    repo.allowed_gate(GATE);
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "allowed requirements", "{answer:#}");
    // It is history that nobody can judge again: no return rests on it.
    assert_eq!(status(&repo.check_json(before, "production"), "gate:recorded"), "failed");
}

#[test]
fn a_root_moved_past_what_was_seen_is_no_rewound_mainline() {
    let world = World::new();
    let repo = world.governance_repo();
    let before = "summarizer/v1.3";
    repo.allowed_gate(before);
    repo.run(&["check", before, "--env", "production"]).expect(0);
    repo.switch("main").write("note", "x").commit("a.ng", "Go on");
    repo.pin(&repo.write("note", "y").commit("a.ng", "Begin anew"));
    repo.allowed_gate(GATE);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_mark_that_cannot_be_read_hides_no_rewound_mainline() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let before = repo.rev("main");
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(verdict(&check(&repo)), "blocked");
    repo.git(&["reset", "-q", "--hard", &before]);
    repo.git(&["branch", "-q", "-D", &format!("gate/{GATE}")]);
    refused(&repo, "mainline-rewound");
    let mark = repo.path.join(".git/gate/seen/refs.heads.main");
    for content in ["", "no id\n"] {
        std::fs::write(&mark, content).unwrap();
        refused(&repo, "unreadable-file");
    }
    std::fs::remove_file(&mark).unwrap();
    std::fs::create_dir(&mark).unwrap();
    refused(&repo, "unreadable-file");
}
