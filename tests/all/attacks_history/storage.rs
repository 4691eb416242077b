//! Repositories of every form: which are read, which are refused, and that reading changes nothing.

use std::path::Path;

use super::*;
use crate::world::World;

/// A clone made with other arguments, its root pinned.
fn clone_with<'w>(repo: &Repo<'w>, name: &str, args: &[&str]) -> Repo<'w> {
    let from = format!("file://{}", repo.path.display());
    let all = [&["-c", "protocol.file.allow=always", "clone", "-q"], args, &[&from, name]].concat();
    repo.world.git(&repo.world.dir(), &all);
    let clone = Repo { world: repo.world, path: repo.world.dir().join(name), root: repo.root.clone() };
    clone.pin(&repo.root);
    clone
}

#[test]
fn a_shallow_clone_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let clone = clone_with(&repo, "shallow", &["--depth", "2"]);
    let error = refused(&clone, "shallow-clone");
    assert!(error["help"].as_str().unwrap().contains("git fetch --unshallow"), "{error:#}");
    undecided(&clone.run(&["policy", "show", "--format", "json"]), "shallow-clone");
    clone.git(&["-c", "protocol.file.allow=always", "fetch", "-q", "--unshallow"]);
    // Such a clone follows one branch only: a log or a rejection elsewhere would not be seen.
    refused(&clone, "branches-not-fetched");
    let all = "+refs/heads/*:refs/remotes/origin/*";
    clone.git(&["config", "--replace-all", "remote.origin.fetch", all]);
    clone.git(&["-c", "protocol.file.allow=always", "fetch", "-q", "origin"]);
    assert_eq!(verdict(&check(&clone)), "allowed requirements");
}

#[test]
fn grafts_are_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    let merged = repo.allowed_gate(GATE);
    repo.write(".git/info/grafts", format!("{merged} {}\n", repo.root));
    refused(&repo, "grafted-history");
}

#[test]
fn replaced_objects_are_ignored() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    let blocked = repo.merge("l.wu", &format!("gate/{GATE}"));
    let before = repo.rev("main~1");
    for packed in [false, true] {
        if packed {
            repo.git(&["pack-refs", "--all"]);
        } else {
            repo.git(&["replace", &blocked, &before]);
        }
        assert_eq!(repo.git(&["log", "-1", "--format=%s", "main"]), format!("Merge gate/{GATE}"));
        let answer = check(&repo);
        assert_eq!(verdict(&answer), "blocked");
        assert!(notice(&answer, "replace-refs").is_some(), "{answer:#}");
    }
}

#[test]
fn a_partial_clone_that_lacks_an_object_is_refused_and_fetches_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.allowed_gate(GATE);
    let clone = clone_with(&repo, "partial", &["--bare", "--filter=blob:none"]);
    let objects = || clone.git(&["count-objects", "-v"]);
    let before = objects();
    let error = refused(&clone, "missing-object");
    assert!(error["help"].as_str().unwrap().contains("git fetch"), "{error:#}");
    assert_eq!(objects(), before);
}

#[test]
fn other_formats_are_refused_by_name() {
    for (option, code) in
        [("--object-format=sha256", "object-format"), ("--ref-format=reftable", "ref-format")]
    {
        let world = World::new();
        world.git(&world.dir(), &["init", "-q", "-b", "main", option, "governance"]);
        let repo = Repo { world: &world, path: world.dir().join("governance"), root: String::new() };
        repo.write_policy(&Policy::small());
        let root = repo.commit("a.ng", "Begin");
        repo.pin(&root[..40]);
        refused(&repo, code);
    }
}

#[test]
fn an_unknown_extension_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.timeTravel", "true"]);
    refused(&repo, "unknown-extension");
}

#[test]
fn a_repository_of_another_user_is_read() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    if std::process::Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(&repo.path)
        .status()
        .unwrap()
        .success()
    {
        let git = world.try_git(&repo.path, &["log", "-1"]);
        assert!(git.stderr.contains("dubious ownership"), "{git}");
    }
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn one_history_gives_one_answer_however_it_is_stored() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.switch("main");
    let time = world.day(0);
    let at = |repo: &Repo<'_>, dir: &Path| {
        let args = ["check", GATE, "--env", "production", "--format", "json", "--time", &time];
        repo.world.run(dir, &args).expect(0).stdout
    };
    let expected = at(&repo, &repo.path);
    let same = |how: &str, dir: &Path| assert_eq!(at(&repo, dir), expected, "{how}");
    let worktree = world.dir().join("linked");
    repo.git(&["worktree", "add", "-q", "--detach", worktree.to_str().unwrap(), &repo.root]);
    same("a linked work tree on another commit", &worktree);
    same("a directory below", &repo.path.join("policy"));
    same("inside the git directory", &repo.path.join(".git/refs"));
    let bare = repo.clone_to("bare.git", true);
    same("a bare clone", &bare.path);
    repo.git(&["gc", "-q"]);
    same("everything packed", &repo.path);
    repo.git(&["repack", "-q", "-a", "-d", "-f", "--window=50", "--depth=50"]);
    repo.git(&["multi-pack-index", "write"]);
    repo.git(&["commit-graph", "write", "--reachable"]);
    same("with a pack index over all and a commit graph", &repo.path);
    repo.git(&["checkout", "-q", "--detach", &repo.root]);
    same("HEAD detached elsewhere", &repo.path);
    repo.git(&["branch", "-m", "main", "trunk"]);
    repo.git(&["symbolic-ref", "refs/heads/main", "refs/heads/trunk"]);
    same("a symbolic ref", &repo.path);
    repo.write("gates/summarizer/v1.4/gate.toml", "not what is recorded").write(".git/index", "broken");
    same("another work tree and a broken index", &repo.path);
}

#[test]
fn objects_of_another_repository_are_read_where_git_reads_them() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let clone = clone_with(&repo, "shared", &["--no-local"]);
    std::fs::remove_dir_all(clone.path.join(".git/objects/pack")).unwrap();
    std::fs::create_dir(clone.path.join(".git/objects/pack")).unwrap();
    refused(&clone, "missing-object");
    clone.write(".git/objects/info/alternates", format!("{}\n", repo.path.join(".git/objects").display()));
    assert_eq!(verdict(&check(&clone)), "allowed requirements");
}

#[test]
fn reading_leaves_nothing_behind_but_the_mark() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let files = || {
        let mut listing = files_below(&repo.path);
        listing.retain(|line| !line.contains(".git/gate"));
        listing
    };
    let before = files();
    for args in [
        &["check", GATE, "--env", "production"][..],
        &["show", GATE],
        &["ready", GATE],
        &["policy", "show"],
        &["policy", "status"],
        &["policy", "lint"],
    ] {
        repo.run(args).expect(0);
    }
    assert_eq!(files(), before);
}

#[test]
fn a_mark_that_cannot_be_kept_stops_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.write(".git/gate", "a file where the directory would be");
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_ref_that_holds_no_id_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.write(".git/refs/heads/main", "HEAD is elsewhere\n");
    refused(&repo, "bad-ref");
    repo.write(".git/refs/heads/main", "ref: refs/heads/main\n");
    refused(&repo, "bad-ref");
    repo.write(".git/refs/heads/main", "ref: ../../elsewhere\n");
    refused(&repo, "bad-ref");
    repo.remove(".git/refs/heads/main");
    refused(&repo, "no-mainline");
}

/// Every file below a directory with its size.
fn files_below(dir: &Path) -> Vec<String> {
    let mut open = vec![dir.to_owned()];
    let mut files = Vec::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
            }
            let size = path.symlink_metadata().unwrap().len();
            files.push(format!("{} {size}", path.display()));
        }
    }
    files.sort();
    files
}
