//! The raw commit reader beside git itself, on real and on crafted objects.

use git_gate::git::raw;

use crate::world::{Repo, World};

const GATE: &str = "summarizer/v1.4";

/// Tree and parents as `git` and as we read them, whether or not we take the rest.
#[track_caller]
fn same_links_as_git(repo: &Repo<'_>, object: &[u8], commit: &str) {
    let ours = raw::parse_links(object).map(|links| {
        let parents: Vec<String> = links.parents.iter().map(ToString::to_string).collect();
        format!("{}\n{}", links.tree, parents.join(" "))
    });
    let gits = repo.world.try_git(&repo.path, &["rev-list", "--max-count=1", "--format=%T%n%P", commit]);
    let gits = (gits.status == 0).then(|| gits.stdout.lines().skip(1).collect::<Vec<_>>().join("\n"));
    assert_eq!(ours, gits, "{}", String::from_utf8_lossy(object));
    if let Ok(read) = raw::parse(object) {
        let links = raw::parse_links(object).unwrap();
        assert_eq!((read.tree(), read.parents()), (links.tree, links.parents.as_slice()));
        assert_eq!(Some(read.committer_time()), links.committer_time);
    }
}

#[test]
fn we_read_what_git_writes() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git_as("l.wu", &["tag", "-s", "-m", "Tag\n\ngpgsig no", "v1", "main"]);
    repo.switch("main").write("x", "x").commit("l.wu", "x");
    repo.git_as("l.wu", &["switch", "-q", "-c", "side", "HEAD~1"]);
    repo.write("y", "y").commit("l.wu", "y");
    repo.git_as("l.wu", &["tag", "-s", "-m", "Side", "side-tag"]);
    let merged = repo.merge("l.wu", "side-tag");
    repo.git_as(
        "l.wu",
        &["-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-S", "-q", "--allow-empty", "-m", "ascii"],
    );
    assert!(String::from_utf8(repo.object("commit", &merged)).unwrap().contains("\nmergetag object "));
    let all = repo.git(&["rev-list", "--all"]);
    assert!(all.lines().count() > 7);
    for commit in all.lines() {
        let object = repo.object("commit", commit);
        let read = raw::parse(&object).unwrap_or_else(|error| panic!("{error}: {commit}"));
        same_links_as_git(&repo, &object, commit);
        assert_eq!(repo.git(&["log", "-1", "--format=%B", commit]).trim_end(), read.message().trim_end());
        assert_eq!(
            repo.git(&["log", "-1", "--format=%ct", commit]),
            read.committer_time().unix().to_string()
        );
        repo.git_verifies(commit).expect(0);
        verifies_by_ssh_keygen(&repo, &read.signature().unwrap(), &read.payload());
    }
}

/// `ssh-keygen -Y verify` takes the signature and payload that we extract: they are those that git made.
#[track_caller]
fn verifies_by_ssh_keygen(repo: &Repo<'_>, signature: &str, payload: &[u8]) {
    repo.write(".git/signature", signature);
    let signers = repo.path.join("policy/allowed_signers");
    let signature = repo.path.join(".git/signature");
    let principal = repo.world.ssh_keygen(
        &["-Y", "find-principals", "-f", signers.to_str().unwrap(), "-s", signature.to_str().unwrap()],
        b"",
    );
    let verified = repo.world.ssh_keygen(
        &[
            "-Y",
            "verify",
            "-n",
            "git",
            "-f",
            signers.to_str().unwrap(),
            "-s",
            signature.to_str().unwrap(),
            "-I",
            principal.stdout.trim(),
        ],
        payload,
    );
    verified.expect(0);
}

#[test]
fn odd_commits_have_the_ancestry_that_git_gives_them() {
    let world = World::new();
    let repo = world.governance_repo();
    let signed = repo.open("j.doe", GATE);
    let text = String::from_utf8(repo.object("commit", &signed)).unwrap();
    let tree = text.lines().next().unwrap().to_owned();
    let parent = text.lines().nth(1).unwrap().to_owned();
    let committer = text.lines().nth(3).unwrap().to_owned();
    let replaced = |old: &str, new: &str| text.replacen(old, new, 1).into_bytes();
    let odd: Vec<Vec<u8>> = vec![
        replaced("Open", "Op\0en"),
        replaced("Open", "Open\r"),
        replaced("Open", "gpgsig -----BEGIN SSH SIGNATURE-----\n\nOpen"),
        replaced(&parent, &format!("{parent}\n{parent}")),
        replaced(&parent, &parent.to_uppercase().replace("PARENT", "parent")),
        replaced(&tree, &tree.to_uppercase().replace("TREE", "tree")),
        replaced(&parent, &format!("{parent}0")),
        replaced(&parent, "parent 12"),
        replaced(&parent, &format!("x\n{parent}")),
        replaced(&parent, &format!("gpgsig x\n{parent}")),
        replaced(&format!("{committer}\n"), &format!("{committer}\n{parent}\n")),
        replaced(&format!("{committer}\n"), &format!("{committer}\n{committer}\n")),
        replaced(&format!("{committer}\n"), ""),
        replaced("gpgsig", "gpgsig-sha256"),
        replaced("gpgsig ", "gpgsig x\ngpgsig "),
        replaced("gpgsig ", "HG:extra x\ngpgsig "),
        replaced("gpgsig ", "encoding UTF-7\nencoding latin1\ngpgsig "),
        format!("{tree}\n{parent}\n\nno author\n").into_bytes(),
        format!("{tree}\n").into_bytes(),
        format!("{tree}\n\n").into_bytes(),
        format!("{tree}\nparent {}\n", "1".repeat(39)).into_bytes(),
        format!("{}\n{parent}\n\n", tree.replace("tree ", "tree  ")).into_bytes(),
    ];
    for object in odd {
        let id = repo.store_commit(&object);
        same_links_as_git(&repo, &object, &id);
    }
}

#[test]
fn odd_dates_are_read_as_git_reads_them() {
    let world = World::new();
    let repo = world.governance_repo();
    let text = String::from_utf8(repo.object("commit", &repo.root)).unwrap();
    let line = text.lines().find(|line| line.starts_with("committer ")).unwrap().to_owned();
    for date in [
        "x <y> 12 +0000",
        "x <y> 012 +0000",
        "x <y>12 +0000",
        "x <y>  12",
        "x <y> z> 12 +0000",
        "x <y> 12abc",
    ] {
        let object = text.replacen(&line, &format!("committer {date}"), 1);
        let id = repo.store_commit(&object);
        // `--date-order` and `--since` use this date; `%ct` is read by other code, so ask for what walks use.
        let within = |since: &str| repo.git(&["rev-list", "--count", &format!("--min-age={since}"), &id]);
        let ours = raw::parse_links(object.as_bytes())
            .unwrap()
            .committer_time
            .map_or(0, git_gate::model::Time::unix);
        assert_eq!((within("12"), within("11")), ("1".into(), "0".into()), "{date}");
        assert_eq!(ours, 12, "{date}");
    }
}

#[test]
fn what_git_verifies_in_odd_commits_we_salvage() {
    let world = World::new();
    let repo = world.governance_repo();
    for (what, object) in [
        ("carriage return", "m\r\n"),
        ("two lines of header", "m\n"),
        ("NUL", "m\0n\n"),
        ("latin1", "m\u{e4}\n"),
    ] {
        let tree = repo.rev("HEAD^{tree}");
        let who = "A <a@example.com> 1700000000 +0000";
        let header = if what == "two lines of header" { "HG:a b\n" } else { "" };
        let payload = format!("tree {tree}\nauthor {who}\ncommitter {who}\n{header}\n{object}").into_bytes();
        let payload =
            if what == "latin1" { [&payload[..payload.len() - 3], b"\xe4\n"].concat() } else { payload };
        repo.write(".git/payload", &payload);
        let path = repo.path.join(".git/payload");
        let key = world.key("j.rivera");
        let _ = std::fs::remove_file(repo.path.join(".git/payload.sig"));
        world
            .ssh_keygen(
                &["-q", "-Y", "sign", "-n", "git", "-f", key.to_str().unwrap(), path.to_str().unwrap()],
                b"",
            )
            .expect(0);
        let armor = std::fs::read_to_string(repo.path.join(".git/payload.sig")).unwrap();
        let folded = format!("gpgsig {}\n", armor.trim_end().replace('\n', "\n "));
        let split = payload.windows(2).position(|two| two == b"\n\n").unwrap() + 1;
        let signed = [&payload[..split], folded.as_bytes(), &payload[split..]].concat();
        let id = repo.store_commit(&signed);
        repo.git_verifies(&id).expect(0);
        assert!(raw::parse(&signed).is_err(), "{what}");
        let salvaged = raw::salvage(&signed).unwrap();
        assert_eq!(salvaged.payload, payload, "{what}");
        verifies_by_ssh_keygen(
            &repo,
            &String::from_utf8(salvaged.signature.unwrap()).unwrap(),
            &salvaged.payload,
        );
    }
}
