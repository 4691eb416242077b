//! What the mainline and the log do to each other: recorded, forked, rewound, gone another way.

use super::*;

/// The mainline takes the log by fast-forward: its records are mainline commits then, and no log's.
#[test]
fn a_log_that_becomes_the_mainline_is_no_log() {
    for goes_on in [false, true] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let record = repo.deploy_record("bot", GATE, "production", "requirements");
        let later = world.day(60);
        assert_eq!(said(&check_with(&repo, &["--time", &later])), "allowed rollback");
        assert_eq!(judged(&repo, "summarizer"), [record]);
        repo.switch("main").git(&["merge", "-q", "--ff-only", LOG]);
        if goes_on {
            let words = words(&repo, GATE, "requirements");
            append(&repo, "bot", "main", &[LOG, "main"], &words, true);
        }
        let answer = check_with(&repo, &["--time", &later]);
        let says = if goes_on { "allowed rollback" } else { "pending" };
        assert_eq!(said(&answer), says, "{answer:#}");
        repo.run(&["check", GATE, "--env", "production", "--format", "json"]);
        verify(&repo, "fast-forward");
    }
}

/// What the mainline records of the log: what it lacks, what it holds, and what is dated after that.
#[test]
fn what_the_mainline_records_is_held_against_the_log() {
    let fork = |repo: &Repo<'_>, gate: &str| {
        let words = words(repo, gate, "requirements");
        make(repo, "bot", "main", &["deployments/production~1", "main"], &words, true)
    };
    let recorded = |repo: &Repo<'_>, record: &str| {
        repo.git(&["branch", "-f", "recorded", record]);
        repo.merge("l.wu", "recorded");
    };
    let cases: [(&str, &str, Doing<'_>); 6] = [
        ("the log", "allowed rollback", &|repo| drop(repo.merge("l.wu", LOG))),
        ("a fork", "allowed rollback", &|repo| {
            repo.open("j.doe", NEXT);
            repo.merge("l.wu", &format!("gate/{NEXT}"));
            recorded(repo, &fork(repo, NEXT));
        }),
        ("a stranger's fork", "allowed rollback", &|repo| {
            let words = words(repo, GATE, "requirements");
            let fork = make(repo, "mallory", "main", &["deployments/production~1", "main"], &words, true);
            recorded(repo, &fork);
        }),
        ("what stands behind the log", "log-rewound", &|repo| {
            let words = words(repo, GATE, "rollback");
            recorded(repo, &make(repo, "bot", "main", &[LOG, "main"], &words, true));
        }),
        ("a failure that the log lacks", "log-rewound", &|repo| {
            let words = repo.message(&failure(&repo.rev(LOG)));
            recorded(repo, &make(repo, "bot", "main", &[LOG, "main"], &words, true));
        }),
        ("what failed and the log, which lacks that", "log-rewound", &|repo| {
            let words = repo.message(&failure(&repo.rev(LOG)));
            let failed = make(repo, "bot", "main", &[LOG, "main"], &words, true);
            repo.deploy_record("bot", GATE, "production", "rollback");
            recorded(repo, LOG);
            repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &format!("{LOG}~1")]);
            repo.git(&["branch", "-f", "recorded", &failed]);
        }),
    ];
    for (what, says, then) in cases {
        let world = World::new();
        let repo = ran(&world);
        repo.deploy_record("bot", GATE, "production", "rollback");
        assert_eq!(said(&keep(&repo)), "allowed rollback", "{what}");
        world.later(60);
        then(&repo);
        let answer = check(&repo);
        assert_eq!(said(&answer), says, "{what}: {answer:#}");
        if what == "a fork" {
            assert_eq!(status(&answer, "integrity:break-glass"), "failed", "{answer:#}");
        }
        check(&repo);
        verify(&repo, what);
    }
}

#[test]
fn a_log_that_is_recorded_as_it_stands_leaves_rows_in_use() {
    let world = World::new();
    let repo = ran(&world);
    keep(&repo);
    assert!(stays_in_use(&repo, &|repo| {
        repo.merge("l.wu", LOG);
        assert_eq!(said(&check(repo)), "allowed rollback");
    }));
    verify(&repo, "recorded");
}

/// A mainline that records a log dates it: a record that is dated later was dated ahead, and counts for nothing.
#[test]
fn a_record_that_was_recorded_before_its_date_counts_for_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    enact(&repo, &strict().replacing("max = 0.01", "max = 0.04"));
    world.days(-2);
    repo.deploy_record("bot", GATE, "production", "requirements");
    world.days(-4);
    enact(&repo, &after_strict());
    assert_eq!(said(&keep(&repo)), "allowed rollback");
    repo.merge("l.wu", LOG);
    assert_eq!(said(&check(&repo)), "blocked");
    verify(&repo, "dated ahead");
}

/// The log goes back, as the mark notices; and where nobody saw more, or it was accepted, without what was kept of its end.
#[test]
fn a_log_that_was_rewound_says_no_more_than_it_holds() {
    for accepts in [true, false] {
        let world = World::new();
        let repo = ran(&world);
        let first = repo.rev(LOG);
        let second = repo.deploy_record("bot", GATE, "production", "rollback");
        repo.log("bot", "production", &failure(&second));
        keep_any(&repo);
        repo.git(&["update-ref", &format!("refs/heads/{LOG}"), &first]);
        assert_eq!(said(&check(&repo)), "log-rewound");
        if accepts {
            repo.run(&["trust", "--accept-rewind", "--yes"]).expect(0);
        } else {
            forget_marks(&repo);
        }
        assert_eq!(said(&check(&repo)), "allowed rollback");
        assert_eq!(judged(&repo, "summarizer"), [first.as_str()]);
        // And it goes on another way.
        repo.log("bot", "production", &failure(&first));
        assert_eq!(said(&check(&repo)), "blocked");
        verify(&repo, "rewound");
    }
}

fn keep_any(repo: &Repo<'_>) {
    check(repo);
    assert!(rows(repo).contains_key("log production summarizer"));
}

/// As in a clone that saw nothing, with the same index.
fn forget_marks(repo: &Repo<'_>) {
    for entry in std::fs::read_dir(repo.path.join(".git/gate")).unwrap() {
        let path = entry.unwrap().path();
        if path != index(repo) && path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else if path != index(repo) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// The mainline goes back, or another way from before or from behind the commit at which rows were kept.
#[test]
fn a_mainline_that_was_rewound_says_no_more_than_it_holds() {
    let withdrawn = |repo: &Repo<'_>| {
        repo.decide("j.rivera", &Decision::withdraw(GATE));
        repo.merge("l.wu", &format!("gate/{GATE}"));
    };
    for (what, from, elsewhere, says) in [
        ("back", "strict", false, "allowed rollback"),
        ("back to before the stricter policy", "lenient", false, "allowed requirements"),
        ("another way from the policy on", "strict", true, "allowed rollback"),
        ("another way from before it", "lenient", true, "allowed requirements"),
    ] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        repo.deploy_record("bot", GATE, "production", "requirements");
        let lenient = repo.rev("main");
        enact(&repo, &strict());
        let strict = repo.rev("main");
        withdrawn(&repo);
        assert_eq!(said(&check(&repo)), "blocked");
        repo.incident("s.chen", "INC-1", GATE, None);
        assert_eq!(said(&check(&repo)), "blocked");
        let from = if from == "strict" { &strict } else { &lenient };
        repo.switch("main").git(&["reset", "-q", "--hard", from]);
        if elsewhere {
            repo.write("notes", "another way\n").commit("l.wu", "Another way");
        }
        assert_eq!(said(&check(&repo)), "mainline-rewound", "{what}");
        repo.run(&["trust", "--accept-rewind", "--yes"]).expect(0);
        assert_eq!(said(&check(&repo)), says, "{what}");
        assert_eq!(judged(&repo, "summarizer").len(), 1, "{what}");
        verify(&repo, what);
    }
}

/// Another way may hold another policy at a link that was counted before: what is kept is of commits, and not of how many.
#[test]
fn a_policy_that_came_another_way_is_in_force_there() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let from = repo.rev("main");
    for number in 0..3 {
        repo.write("notes", format!("{number}\n")).commit("l.wu", "Note");
    }
    assert_eq!(said(&keep(&repo)), "allowed requirements");
    repo.git(&["reset", "-q", "--hard", &from]);
    enact(&repo, &strict());
    assert_eq!(said(&check(&repo)), "mainline-rewound");
    repo.run(&["trust", "--accept-rewind", "--yes"]).expect(0);
    assert_eq!(said(&check(&repo)), "allowed rollback");
    verify(&repo, "another way");
}

/// Also where the log begins with words that are no record, and the mainline takes those alone.
#[test]
fn a_log_whose_first_words_become_the_mainline_goes_on_behind_them() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let first = append(&repo, "l.wu", "main", &["main"], "A log begins", true);
    repo.deploy_record("bot", GATE, "production", "requirements");
    keep(&repo);
    repo.git(&["merge", "-q", "--ff-only", &first]);
    assert_eq!(said(&check(&repo)), "allowed requirements");
    verify(&repo, "first words");
}
