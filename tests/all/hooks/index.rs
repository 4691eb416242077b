//! A server keeps an index of what it took: nothing that is pushed is in it before, and a damaged one changes no answer.

use rusqlite::Connection;

use super::*;

fn index(served: &Served<'_>) -> std::path::PathBuf {
    served.guarded.path.join("gate/index-v1.sqlite")
}

/// What `index status` says of the mainline that the server has.
fn known(served: &Served<'_>) -> serde_json::Value {
    served.guarded.run_once(&["index", "status", "--format", "json"]).expect(0).json()
}

#[test]
fn what_was_taken_is_kept_and_what_was_refused_is_not() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    let before = served.guarded.rev("main");
    served.taken(&["main"]);
    // The hook saw the mainline as it was: that alone is known.
    let state = known(&served);
    assert_eq!((&state["mainline"], &state["state"]), (&before.into(), &"behind".into()));
    let taken = repo.rev("main");
    repo.git(&["reset", "-q", "--hard", &repo.root]);
    repo.write("README", "x").commit("l.wu", "Another history");
    served.refused(&["+main"], &["mainline-rewound"]);
    let state = known(&served);
    assert_eq!((&state["mainline"], &state["state"]), (&taken.into(), &"current".into()));
    served.guarded.run_once(&["index", "verify"]).expect(0);
    let kept = std::fs::read(index(&served)).unwrap();
    served.refused(&["+main"], &["mainline-rewound"]);
    assert_eq!(std::fs::read(index(&served)).unwrap(), kept, "what is refused leaves nothing");
}

#[test]
fn an_index_that_is_damaged_lets_nothing_through_and_keeps_nothing_out() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    served.taken(&["main", BRANCH]);
    // So many commits that they fill several pages.
    repo.switch("main");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let mut tip = repo.rev("HEAD");
    for number in 0..400 {
        tip = repo.git(&["commit-tree", &tree, "-p", &tip, "-m", &format!("Nothing {number}")]);
    }
    repo.git(&["reset", "-q", "--hard", &tip]);
    served.taken(&["main"]);
    repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "safety"));
    let rejected = repo.rev(BRANCH);
    served.taken(&[BRANCH]);
    let known = std::fs::read(index(&served)).unwrap();
    let numbers: Vec<i64> = {
        let connection = Connection::open(index(&served)).unwrap();
        let mut statement = connection.prepare("SELECT number FROM pages").unwrap();
        let numbers = statement.query_map([], |row| row.get(0)).unwrap();
        numbers.map(Result::unwrap).collect()
    };
    assert!(numbers.len() > 4, "{numbers:?}");
    repo.git(&["branch", "-q", "-f", "back", &format!("{rejected}~1")]);
    repo.switch("main").write("README", "on").commit("l.wu", "On");
    for sql in numbers
        .iter()
        .map(|page| format!("UPDATE pages SET bytes = zeroblob(length(bytes)) WHERE number = {page}"))
        .chain(["DELETE FROM pages".to_owned(), "DROP TABLE segments".to_owned(), String::new()])
    {
        let damage = || {
            std::fs::write(index(&served), &known).unwrap();
            Connection::open(index(&served)).unwrap().execute_batch(&sql).unwrap();
        };
        damage();
        let run = served.refused(&[&format!("+back:{BRANCH}")], &["rejection-dropped"]);
        assert!(run.stderr.contains(&rejected[..7]), "{sql}: {run}");
        damage();
        served.taken(&["main"]);
        served.guarded.git(&["update-ref", "refs/heads/main", "refs/heads/main~1"]);
    }
}
