//! Files that are pushed: requests that read, directories within their limits, gates that are closed or deployed.

use super::*;

#[test]
fn a_request_that_does_not_read_is_refused_with_line_and_caret() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    let text = String::from_utf8(repo.object("blob", &format!("HEAD:gates/{GATE}/gate.toml"))).unwrap();
    repo.write(&format!("gates/{GATE}/gate.toml"), text.replace("risk = ", "riks = "));
    let commit = repo.commit("j.doe", "A slip");
    let run = served.refused(&[BRANCH], &["request-invalid"]);
    for part in [
        format!(
            "refs/heads/{BRANCH} {commit}: `gates/{GATE}` holds a file that cannot be read [request-invalid]"
        ),
        format!("--> gates/{GATE}/gate.toml@{}:5:1", &commit[..7]),
        "riks = \"medium\"".to_owned(),
        "^^^^".to_owned(),
    ] {
        assert!(run.stderr.contains(&part), "{part}\n{run}");
    }
    assert_ne!(served.unguarded(&[BRANCH, "main"])["verdict"], "allowed");
    repo.write(&format!("gates/{GATE}/gate.toml"), text);
    repo.commit("j.doe", "Mended");
    served.taken(&[BRANCH]);
}

#[test]
fn exceptions_and_incidents_that_do_not_read_are_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    let base = repo.except("j.doe", GATE, "evidence:evaluation", &world.day(5));
    served.taken(&[BRANCH]);
    repo.except("j.doe", GATE, "integrity:content", &world.day(5));
    served.refused(&[BRANCH], &["request-invalid"]);
    repo.git(&["reset", "-q", "--hard", &base]);
    repo.write(&format!("exceptions/{GATE}/covers/{base}/exception.toml"), "schema = 1\n");
    repo.commit("j.doe", "Cover");
    served.refused(&[BRANCH], &["request-invalid"]);
    // An incident that names what it hit stands, whatever else is wrong with it.
    repo.incident("s.chen", "2026-001", GATE, None);
    let text = String::from_utf8(repo.object("blob", "HEAD:incidents/2026-001.toml")).unwrap();
    repo.write("incidents/2026-002.toml", text.replace("severity", "sevrity"));
    repo.commit("s.chen", "Incident 2026-002");
    served.taken(&["main"]);
    repo.write("incidents/2026-003.toml", "schema = 1\n");
    repo.commit("s.chen", "Incident 2026-003");
    served.refused(&["main"], &["request-invalid", "incident-unseen"]);
    repo.git(&["reset", "-q", "--hard", "HEAD^"]);
    repo.write("incidents/2026-003.toml", text);
    repo.commit_unsigned("mallory", "Incident 2026-003");
    served.refused(&["main"], &["incident-unseen"]);
}

#[test]
fn a_directory_that_is_invalid_is_refused() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    let base = repo.open("j.doe", GATE);
    let directory = repo.path.join(format!("gates/{GATE}"));
    let link = || std::os::unix::fs::symlink("/etc/passwd", directory.join("link")).unwrap();
    let odd_name = || std::fs::write(directory.join("odd name"), "x").unwrap();
    let large = || std::fs::write(directory.join("large"), vec![0; 9 << 20]).unwrap();
    let no_request = || std::fs::remove_file(directory.join("gate.toml")).unwrap();
    let ways: [(&str, &dyn Fn()); 4] = [
        ("a symbolic link", &link),
        ("an odd name", &odd_name),
        ("too large a file", &large),
        ("no request", &no_request),
    ];
    for (what, make) in ways {
        repo.switch(BRANCH).git(&["reset", "-q", "--hard", &base]);
        make();
        repo.commit("j.doe", what);
        served.refused(&[BRANCH], &["directory-invalid"]);
        repo.switch("main").git(&["reset", "-q", "--hard", &repo.root]);
        repo.merge("l.wu", BRANCH);
        let answer = served.unguarded(&["main", BRANCH]);
        assert_eq!(
            (answer["verdict"].as_str(), status(&answer, "integrity:content")),
            (Some("blocked"), "failed"),
            "{what}"
        );
        served.forget();
    }
}

#[test]
fn files_of_a_closed_gate_stay() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.open("j.doe", GATE);
    let close = repo.decide("j.doe", &Decision::close(GATE));
    repo.merge("l.wu", BRANCH);
    served.taken(&["main", BRANCH]);
    let change = format!("gates/{GATE}/CHANGE.md");
    repo.switch(BRANCH).write(&change, "Better.\n").commit("j.doe", "Better");
    let run = served.refused(&[BRANCH], &["gate-closed"]);
    assert!(run.stderr.contains(&close), "{run}");
    repo.merge("l.wu", BRANCH);
    served.refused(&["main"], &["gate-closed"]);
    assert_eq!(status(&served.unguarded(&["main", BRANCH]), "gate:open"), "failed");
    // Nor are they removed; a change that is taken back is none.
    repo.switch("main").git(&["reset", "-q", "--hard", "HEAD^"]);
    repo.git(&["rm", "-q", "-r", &format!("gates/{GATE}")]);
    repo.commit("j.doe", "Away with it");
    served.refused(&["main"], &["gate-closed"]);
    repo.git(&["reset", "-q", "--hard", "HEAD^"]);
    repo.switch(BRANCH)
        .write(&change, "Cut hallucinations in long documents.\n")
        .commit("j.doe", "As it was");
    served.taken(&[BRANCH]);
    // Closed on its branch alone it is closed too.
    repo.open("j.doe", "summarizer/v2");
    repo.decide("j.doe", &Decision::close("summarizer/v2"));
    served.taken(&["gate/summarizer/v2"]);
    repo.write("gates/summarizer/v2/CHANGE.md", "Better.\n").commit("j.doe", "Better");
    served.refused(&["gate/summarizer/v2"], &["gate-closed"]);
}

#[test]
fn files_of_a_deployed_gate_stay() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    served.taken(&["main", "deployments/production"]);
    let change = format!("gates/{GATE}/CHANGE.md");
    repo.switch(BRANCH).write(&change, "Better.\n").commit("j.doe", "Better");
    let run = served.refused(&[BRANCH], &["gate-deployed"]);
    assert!(run.stderr.contains(&record) && run.stderr.contains("production"), "{run}");
    let merged = repo.merge("l.wu", BRANCH);
    served.refused(&["main"], &["gate-deployed"]);
    assert_ne!(served.unguarded(&["main", "deployments/production"])["verdict"], "allowed");
    // A version whose deployment failed never ran: it may be mended.
    let failed = Decision::new("deploy-failed", GATE).line("Gate-Environment", "production");
    repo.git(&["reset", "-q", "--hard", "HEAD^"]);
    repo.log("bot", "production", &failed.line("Gate-Record", &record));
    served.taken(&["deployments/production"]);
    served.taken(&[&format!("{merged}:main")]);
}
