//! What may stand behind the last record of a log when rows are kept: each is taken in, or the log is walked again.

use super::*;

/// A version that nobody approved, recorded.
fn unapproved(repo: &Repo<'_>) -> String {
    repo.open("j.doe", NEXT);
    repo.merge("l.wu", &format!("gate/{NEXT}"));
    words(repo, NEXT, "requirements")
}

fn record(repo: &Repo<'_>, who: &str, tree: &str, judged: &str, signed: bool) -> String {
    let words = unapproved(repo);
    append(repo, who, tree, &[LOG, judged], &words, signed)
}

/// What stands behind, whether it is a break-glass, and how it is made.
#[test]
fn whatever_stands_behind_is_what_the_log_says() {
    let cases: [(&str, &str, Doing<'_>); 17] = [
        ("allowed", "met", &|repo| {
            better(repo, NEXT);
            repo.deploy_record("bot", NEXT, "production", "requirements");
        }),
        ("break-glass", "failed", &|repo| drop(record(repo, "bot", "main", "main", true))),
        ("by a stranger", "met", &|repo| drop(record(repo, "mallory", "main", "main", true))),
        ("by somebody who deploys nothing", "met", &|repo| drop(record(repo, "l.wu", "main", "main", true))),
        ("unsigned", "met", &|repo| drop(record(repo, "bot", "main", "main", false))),
        ("with another tree", "failed", &|repo| drop(record(repo, "bot", &repo.root, "main", true))),
        ("that judged an older commit", "failed", &|repo| {
            drop(record(repo, "bot", &repo.root, &repo.root, true));
        }),
        ("dated before the one before", "failed", &|repo| {
            let words = words(repo, GATE, "rollback");
            repo.world.later(-3600);
            append(repo, "bot", "main", &[LOG, "main"], &words, true);
            repo.world.later(3600);
        }),
        ("dated before the commit that it judged", "failed", &|repo| {
            let words = words(repo, GATE, "rollback");
            repo.world.later(-120);
            append(repo, "bot", "main", &[LOG, "main"], &words, true);
            repo.world.later(120);
        }),
        ("that names no commit", "no answer", &|repo| {
            let words = words(repo, GATE, "rollback");
            append(repo, "bot", "main", &[LOG], &words, true);
        }),
        ("dated ahead, not overdue yet", "met", &|repo| {
            let words = words(repo, GATE, "rollback");
            repo.world.days(1);
            append(repo, "bot", "main", &[LOG, "main"], &words, true);
            repo.world.days(-2);
        }),
        ("that accepts a rewind", "met", &|repo| {
            let old = repo.rev(LOG);
            let restart = Decision::deploy(GATE, "production", "rollback", &repo.root);
            repo.log("bot", "production", &restart.line("Gate-Restart", &old));
        }),
        ("that hides a record behind its second parent", "failed", &|repo| {
            let words = unapproved(repo);
            let hidden = make(repo, "bot", "main", &[LOG, "main"], &words, true);
            let words = self::words(repo, GATE, "rollback");
            append(repo, "bot", "main", &[LOG, &hidden, "main"], &words, true);
        }),
        ("that merges two logs", "failed", &|repo| {
            let words = unapproved(repo);
            let one = make(repo, "bot", "main", &[LOG, "main"], &words, true);
            let words = self::words(repo, GATE, "rollback");
            let other = make(repo, "bot", "main", &[LOG, "main"], &words, true);
            append(repo, "bot", "main", &[&other, &one], "Merge", true);
        }),
        ("a commit that is no record", "met", &|repo| {
            append(repo, "bot", "main", &[LOG, "main"], "Words", true);
        }),
        ("a record of another environment", "met", &|repo| {
            let words = unapproved(repo).replace("production", "staging");
            append(repo, "bot", "main", &[LOG, "main"], &words, true);
        }),
        ("a record whose commit the mainline lacks", "no answer", &|repo| {
            let words = words(repo, GATE, "rollback");
            let elsewhere = make(repo, "l.wu", "main", &["main"], "Elsewhere", true);
            append(repo, "bot", "main", &[LOG, &elsewhere], &words, true);
        }),
    ];
    for (what, break_glass, then) in cases {
        if break_glass == "no answer" {
            tell(what, "mainline-rewound", then);
        } else {
            let answer = tell(what, "allowed rollback", then);
            assert_eq!(status(&answer, "integrity:break-glass"), break_glass, "{what}: {answer:#}");
        }
    }
}

/// The same once more, where that stood there when rows were kept first: no row is kept of a log that is not plain.
#[test]
fn no_row_is_kept_of_a_log_that_is_not_plain() {
    let cases: [(&str, bool, Doing<'_>); 6] = [
        ("plain", true, &|_| {}),
        ("a commit that is no record", true, &|repo| {
            append(repo, "bot", "main", &[LOG, "main"], "Words", true);
        }),
        ("a break-glass", true, &|repo| drop(record(repo, "bot", "main", "main", true))),
        ("a record that judged an older commit", false, &|repo| {
            drop(record(repo, "bot", &repo.root, &repo.root, true));
        }),
        ("a restart", false, &|repo| {
            let restart = Decision::deploy(GATE, "production", "rollback", &repo.root);
            repo.log("bot", "production", &restart.line("Gate-Restart", &repo.rev(LOG)));
        }),
        ("a merge of two logs", false, &|repo| {
            let words = words(repo, GATE, "rollback");
            let one = make(repo, "bot", "main", &[LOG, "main"], &words, true);
            repo.world.later(60);
            let other = make(repo, "bot", "main", &[LOG, "main"], &words, true);
            repo.world.later(60);
            append(repo, "bot", "main", &[&one, &other, "main"], &words, true);
        }),
    ];
    for (what, kept, before) in cases {
        let world = World::new();
        let repo = ran(&world);
        before(&repo);
        for _ in 0..2 {
            check(&repo);
            assert_eq!(rows(&repo).contains_key("log production"), kept, "{what}");
        }
        repo.deploy_record("bot", GATE, "production", "rollback");
        check(&repo);
        assert_eq!(rows(&repo).contains_key("log production"), kept, "{what}");
        verify(&repo, what);
    }
}
