//! `git gate doctor`: each thing that can be wrong is made wrong, what `doctor` says to paste is pasted, and then it is
//! content.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::world::{KeyKind, Policy, Repo, Run, World};

/// Somebody at their desk, with a home and a clone.
struct Desk<'w> {
    world: &'w World,
    home: PathBuf,
    here: PathBuf,
}

impl<'w> Desk<'w> {
    /// `j.rivera` with a clone of `repo`, in which all is well.
    fn of(repo: &Repo<'w>) -> Self {
        let server = repo.clone_to("server.git", true);
        let clone = server.clone_to("desk", false);
        let desk = Self { world: repo.world, home: repo.world.home_of("j.rivera"), here: clone.path };
        desk.shell("git config gpg.ssh.allowedSignersFile \"$PWD/policy/allowed_signers\"").expect(0);
        desk
    }

    fn shell(&self, script: &str) -> Run {
        self.world.shell(&self.here, &self.home, &[], script)
    }

    /// What `doctor` says behind a script, in the same shell.
    #[track_caller]
    fn after(&self, script: &str, options: &str) -> (Run, Value) {
        let whole = format!(
            "{{ {script}\n}} >/dev/null 2>&1 </dev/null || exit 99\ngit-gate doctor {options} --format json 2>/dev/null"
        );
        let run = self.shell(&whole);
        assert_ne!(run.status, 99, "{run}");
        let value = run.json();
        (run, value)
    }

    /// `script` makes the finding `name` be so; the command that it names then makes it be well.
    #[track_caller]
    fn mended(&self, script: &str, name: &str, state: &str) -> Value {
        let (run, found) = self.after(script, "");
        let finding = finding(&found, name);
        assert_eq!(finding["state"], state, "{finding:#}\n{run}");
        assert_eq!(run.status, if found["state"] == "broken" { 3 } else { 0 });
        let mend = finding["mend"].as_str().unwrap_or_else(|| panic!("no mend: {finding:#}")).to_owned();
        let (run, after) = self.after(&mend, "");
        assert_eq!(finding_of(&after, name)["state"], "ok", "behind `{mend}`: {after:#}\n{run}");
        after
    }
}

#[track_caller]
fn finding<'a>(found: &'a Value, name: &str) -> &'a Value {
    let all = found["findings"].as_array().unwrap();
    // The worst of that name: a key may be known and yet not valid.
    let rank =
        |finding: &&Value| ["ok", "warning", "broken"].iter().position(|state| finding["state"] == *state);
    let named = all.iter().filter(|finding| finding["name"] == name).max_by_key(rank);
    named.unwrap_or_else(|| panic!("nothing of `{name}`: {found:#}"))
}

/// As [`finding`]; what is not told of at all is well.
fn finding_of(found: &Value, name: &str) -> Value {
    let told = found["findings"].as_array().unwrap().iter().any(|finding| finding["name"] == name);
    if told { finding(found, name).clone() } else { serde_json::json!({ "state": "ok" }) }
}

#[test]
fn where_all_is_well_it_says_so_in_every_form() {
    let world = World::new();
    let repo = world.governance_repo();
    let desk = Desk::of(&repo);
    let (run, found) = desk.after("true", "--sign");
    assert_eq!((run.status, &found["state"]), (0, &Value::from("ok")), "{found:#}");
    assert!(finding(&found, "roles")["found"].as_str().unwrap().ends_with("`j.rivera@example.com`: ml-lead"));
    let key = finding(&found, "user.signingkey")["found"].as_str().unwrap().to_owned();
    assert!(key.contains("SHA256:"), "{key}");
    assert!(finding(&found, "signs")["found"].as_str().unwrap().ends_with("verifies"));
    for format in ["text", "markdown"] {
        let shown = desk.shell(&format!("git gate doctor --sign --format {format}")).expect(0).stdout;
        for finding in found["findings"].as_array().unwrap() {
            let plain = shown.replace('\\', "");
            assert!(plain.contains(finding["name"].as_str().unwrap()), "{format}: {finding}\n{shown}");
        }
    }
}

#[test]
fn another_signing_format_is_mended_where_it_is_set() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    desk.mended("git config --global gpg.format openpgp", "gpg.format", "broken");
    desk.mended("git config --global --unset gpg.format", "gpg.format", "broken");
    desk.mended("git config gpg.format x509", "gpg.format", "broken");
    let global = desk.shell("git config --global gpg.format").expect(0).stdout;
    assert_eq!(global, "ssh\n", "what was right is left alone");
}

#[test]
fn a_key_that_is_not_set_or_not_there_is_found_again() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let key = world.key("j.rivera");
    let key = key.display();
    // Two keys lie there: the one in the policy is taken, though the other comes first.
    let other = world.key("mallory");
    let lay = format!(
        "mkdir -p ~/.ssh; cp -p {key} ~/.ssh/id_work; cp {key}.pub ~/.ssh/id_work.pub; cp -p {o} ~/.ssh/id_a; cp {o}.pub ~/.ssh/id_a.pub",
        o = other.display()
    );
    desk.shell(&lay).expect(0);
    let after = desk.mended("git config --global --unset user.signingkey", "user.signingkey", "broken");
    assert_eq!(finding(&after, "roles")["state"], "ok");
    desk.mended("git config --global user.signingkey '~/.ssh/gone'", "user.signingkey", "broken");
    desk.mended("git config user.signingkey \"$HOME/.ssh/id_a\"", "your-key", "broken");
}

#[test]
fn who_has_no_key_is_told_how_to_make_one() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let (_run, found) = desk.after("git config --global --unset user.signingkey", "");
    let mend = finding(&found, "user.signingkey")["mend"].as_str().unwrap().to_owned();
    // Its passphrase is asked for: nobody should be told to have none.
    let (_run, after) = desk.after(&mend.replace("ssh-keygen -t", "ssh-keygen -N '' -t"), "");
    assert_eq!(finding(&after, "user.signingkey")["state"], "ok", "{mend}: {after:#}");
    let help = finding(&after, "your-key")["help"].as_str().unwrap();
    assert!(help.contains("namespaces=\"git\" ssh-ed25519 AAAA"), "{help}");
}

#[test]
fn a_private_key_that_others_can_read_is_closed() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    desk.mended("chmod 644 \"$(git config user.signingkey)\"", "user.signingkey", "broken");
}

#[test]
fn a_public_half_that_is_gone_is_written_again() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let old = "ssh-keygen -q -t ecdsa -N '' -m PEM -f \"$HOME/old\" && rm \"$HOME/old.pub\" && \
        git config user.signingkey \"$HOME/old\"";
    desk.mended(old, "user.signingkey", "warning");
}

#[test]
fn a_private_key_in_the_format_of_openssh_says_its_public_half_itself() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let (_, found) = desk.after("rm \"$(git config user.signingkey).pub\"", "");
    assert_eq!(finding(&found, "user.signingkey")["state"], "ok", "{found:#}");
    assert_eq!(finding(&found, "roles")["state"], "ok", "{found:#}");
}

#[test]
fn an_identity_is_taken_from_the_policy() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let script = "git config --global --unset user.email; git config --global --unset user.name";
    let after = desk.mended(script, "identity", "broken");
    assert!(finding(&after, "identity")["found"].as_str().unwrap().contains("j.rivera@example.com"));
}

#[test]
fn an_agent_that_is_not_there_or_lacks_the_key_is_mended() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let key = world.key("j.rivera");
    let public = World::public_key("j.rivera", KeyKind::Ed25519);
    let lay = format!(
        "mkdir -p ~/.ssh; cp -p {k} ~/.ssh/id_work; cp {k}.pub ~/.ssh/id_work.pub; git config --global user.signingkey 'key::{public}'",
        k = key.display()
    );
    let (_run, found) = desk.after(&lay, "");
    let mend = finding(&found, "ssh-agent")["mend"].as_str().unwrap().to_owned();
    let end = "trap 'ssh-agent -k >/dev/null' EXIT";
    // An agent without keys first.
    let (_run, empty) = desk.after(&format!("eval \"$(ssh-agent -s)\"; {end}"), "");
    let add = finding(&empty, "ssh-agent")["mend"].as_str().unwrap().to_owned();
    assert!(add.starts_with("ssh-add "), "{add}");
    for script in [format!("{mend}; {end}"), format!("eval \"$(ssh-agent -s)\"; {end}; {add}")] {
        let (run, after) = desk.after(&script, "--sign");
        assert_eq!(finding(&after, "ssh-agent")["state"], "ok", "{after:#}");
        assert_eq!((run.status, finding(&after, "signs")["state"].as_str()), (0, Some("ok")), "{after:#}");
    }
}

#[test]
fn a_program_that_signs_and_is_not_there_is_named() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    desk.mended("git config --global gpg.ssh.program /opt/none/op-ssh-sign", "gpg.ssh.program", "broken");
}

#[test]
fn what_rewrites_history_is_taken_away() {
    let world = World::new();
    let repo = world.governance_repo();
    let desk = Desk::of(&repo);
    let after = desk.mended(&format!("echo {} > .git/info/grafts", repo.root), "grafts", "broken");
    assert_eq!(finding(&after, "history")["state"], "ok");
    desk.mended("git replace HEAD $(git commit-tree HEAD^{tree} -m x)", "replacements", "warning");
}

#[test]
fn a_clone_that_lacks_history_branches_or_objects_is_completed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate("summarizer/v1");
    let desk = Desk::of(&repo);
    let server = world.dir().join("server.git");
    world.git(&server, &["config", "uploadpack.allowFilter", "true"]);
    for (how, name) in [
        ("--depth 1 --no-single-branch", "shallow"),
        ("--single-branch", "fetched-branches"),
        ("--filter=blob:none --no-checkout", "partial-clone"),
    ] {
        let clone = format!("clone-{name}");
        let script = format!(
            "git clone -q {how} file://{} ../{clone} && git -C ../{clone} config gate.root {}",
            server.display(),
            repo.root
        );
        desk.shell(&script).expect(0);
        let there = Desk { world: &world, home: desk.home.clone(), here: world.dir().join(&clone) };
        let after = there.mended("true", name, "broken");
        assert_eq!(finding(&after, "history")["state"], "ok", "{after:#}");
    }
}

#[test]
fn a_clone_that_is_behind_is_brought_up_to_date() {
    let world = World::new();
    let repo = world.governance_repo();
    let desk = Desk::of(&repo);
    repo.open("j.doe", "summarizer/v1");
    repo.git(&["push", "-q", world.dir().join("server.git").to_str().unwrap(), "gate/summarizer/v1"]);
    desk.mended("true", "origin", "warning");
    desk.mended("git config core.logAllRefUpdates false", "reflogs", "warning");
    desk.mended("git config gate.mainline master", "history", "broken");
    desk.mended("git config --unset gpg.ssh.allowedSignersFile", "git-verifies", "warning");
    desk.mended("git config gpg.ssh.allowedSignersFile /nowhere", "git-verifies", "warning");
    desk.mended(
        "echo > other; git config gpg.ssh.allowedSignersFile \"$PWD/other\"",
        "git-verifies",
        "warning",
    );
}

#[test]
fn a_hook_that_git_passes_over_is_named() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let script = "mkdir -p 'my hooks'; echo 'exec git gate hook commit-msg' > 'my hooks/commit-msg'; git config core.hooksPath 'my hooks'";
    let after = desk.mended(script, "hooks", "warning");
    assert!(finding(&after, "hooks")["found"].as_str().unwrap().starts_with("commit-msg in "));
}

#[test]
fn a_gate_that_a_forge_squashed_is_brought_in_by_a_true_merge() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", "summarizer/v1");
    repo.approve("j.rivera", "summarizer/v1", "ml-lead");
    repo.switch("main");
    repo.git(&["merge", "-q", "--squash", "gate/summarizer/v1"]);
    repo.commit("l.wu", "summarizer/v1 (#1)");
    let desk = Desk::of(&repo);
    let after = desk.mended("true", "squashed", "broken");
    assert_eq!(after["state"], "ok", "{after:#}");
}

#[test]
fn what_keeps_a_key_from_counting_is_said() {
    let world = World::new();
    let fingerprint = world.ssh_keygen(&["-lf", world.key("j.rivera").to_str().unwrap()], b"").stdout;
    let fingerprint = fingerprint.split(' ').nth(1).unwrap().to_owned();
    let revoked = format!("[[revoked]]\nkey = \"{fingerprint}\"\nsince = \"never-trusted\"\n");
    let line = format!(
        "j.rivera@example.com namespaces=\"git\" {}",
        World::public_key("j.rivera", KeyKind::Ed25519)
    );
    let with = |change: &dyn Fn(&str) -> String| {
        let mut policy = Policy::small();
        policy.signers = change(&policy.signers);
        policy
    };
    let cases = [
        (Policy::small().with(&revoked), "your-key", "revokes"),
        (
            with(&|text| text.replace(&line, &line.replace("\"git\"", "\"git\",valid-before=\"20200101Z\""))),
            "your-key",
            "was valid until",
        ),
        (
            with(&|text| text.replace(&line, &line.replace("\"git\"", "\"git\",valid-after=\"20990101Z\""))),
            "your-key",
            "is valid from",
        ),
        (with(&|text| text.replace(&line, "")), "your-key", "is nobody's"),
        (
            with(&|text| {
                format!("{text}mallory@example.com{}\n", line.strip_prefix("j.rivera@example.com").unwrap())
            }),
            "your-key",
            "stands under",
        ),
        (
            Policy::small()
                .replacing("\"k.berg@example.com\"] }", "\"k.berg@example.com\"], keys = \"hardware\" }"),
            "roles",
            "ml-lead",
        ),
    ];
    for (number, (policy, name, said)) in cases.into_iter().enumerate() {
        let world = World::new();
        let repo = world.governance_repo_with(&policy);
        repo.sign_in("j.rivera");
        let found = repo.run(&["doctor", "--format", "json"]).expect(3).json();
        let finding = finding(&found, name);
        assert_eq!(finding["state"], "broken", "{number}: {found:#}");
        assert!(finding["found"].as_str().unwrap().contains(said), "{finding:#}");
        assert!(finding["help"].is_string() || finding["mend"].is_string(), "{finding:#}");
    }
}

#[test]
fn in_the_worst_of_places_it_says_what_it_can() {
    let world = World::new();
    let home = world.home_of("j.rivera");
    let at = |place: &Path, name: &str| {
        std::fs::create_dir_all(place).unwrap();
        let desk = Desk { world: &world, home: home.clone(), here: place.to_owned() };
        let (run, found) = desk.after("true", "");
        assert_eq!(run.status, 3, "{run}");
        assert_eq!(finding(&found, name)["state"], "broken", "{found:#}");
        assert_eq!(finding(&found, "gpg.format")["state"], "ok", "{found:#}");
    };
    at(&world.dir().join("nowhere"), "repository");
    let empty = world.dir().join("empty");
    world.git(&world.dir(), &["init", "-q", "-b", "main", "empty"]);
    at(&empty, "trust-root");
    // A repository that holds no policy, with its only commit pinned.
    world.git(&empty, &["commit", "-q", "--allow-empty", "-m", "x"]);
    let head = world.git(&empty, &["rev-parse", "HEAD"]);
    world.git(&empty, &["config", "gate.root", &head]);
    at(&empty, "history");
    world.git(&empty, &["config", "gate.root", &"12".repeat(20)]);
    at(&empty, "trust-root");
    world.git(&empty, &["config", "gate.root", "main"]);
    at(&empty, "trust-root");
    std::fs::write(empty.join(".git/objects/info/alternates"), "/nowhere\n").unwrap();
    at(&empty, "trust-root");
    std::fs::write(empty.join(".git/config"), "[").unwrap();
    let desk = Desk { world: &world, home: home.clone(), here: empty };
    assert_eq!(desk.after("true", "").0.status, 3);
}

#[test]
fn programs_that_are_missing_or_old_are_named() {
    let world = World::new();
    let repo = world.governance_repo();
    let bin = world.dir().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = bin.display().to_string();
    let variables = [("PATH", path.as_str())];
    let none = world.run_with(&repo.path, &["doctor", "--format", "json"], &variables).expect(3).json();
    for name in ["git", "openssh"] {
        assert_eq!(finding(&none, name)["state"], "broken", "{none:#}");
    }
    assert_eq!(finding(&none, "history")["state"], "ok", "reading starts no program: {none:#}");
    let script = |name: &str, text: &str| {
        let file = bin.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    script("git", "echo git version 2.25.1");
    script("ssh", "echo OpenSSH_7.9p1, OpenSSL 1.1.1 >&2");
    script("ssh-keygen", "exit 1");
    let old = world.run_with(&repo.path, &["doctor", "--format", "json"], &variables).expect(3).json();
    for (name, said) in [("git", "git version 2.25.1"), ("openssh", "OpenSSH_7.9p1, OpenSSL 1.1.1")] {
        assert_eq!(finding(&old, name)["state"], "broken", "{old:#}");
        assert_eq!(finding(&old, name)["found"], said);
    }
}

#[test]
fn a_remote_that_fails_or_never_answers_holds_nobody_up() {
    let world = World::new();
    let desk = Desk::of(&world.governance_repo());
    let began = std::time::Instant::now();
    let script = "git remote set-url origin ssh://me:secret@host/x; git config core.sshCommand 'sleep 30;:'";
    let (run, found) = desk.after(script, "--wait 1");
    assert!(began.elapsed().as_secs() < 20);
    let told = finding(&found, "origin");
    assert_eq!((run.status, &told["state"]), (3, &Value::from("broken")), "{told:#}");
    assert!(told["found"].as_str().unwrap().contains("did not answer within 1 s"), "{told:#}");
    assert!(!run.stdout.contains("secret"));
    let (_run, found) = desk.after("git remote set-url origin /nowhere/x.git", "");
    assert!(finding(&found, "origin")["found"].as_str().unwrap().contains("cannot be reached"), "{found:#}");
}

#[test]
fn who_only_reads_needs_no_key() {
    let world = World::new();
    let repo = world.governance_repo();
    let bot = repo.clone_to("bot.git", true);
    let script = ["doctor", "--format", "json"];
    assert_eq!(finding(&bot.run(&script).expect(3).json(), "gpg.format")["state"], "broken");
    let read = bot.run(&["doctor", "--reading", "--format", "json"]).expect(0).json();
    assert!(
        read["findings"].as_array().unwrap().iter().all(|finding| finding["about"] != "signing"),
        "{read:#}"
    );
}

#[test]
fn a_clock_that_is_behind_is_named() {
    let world = World::new();
    let repo = world.governance_repo();
    world.days(2);
    repo.write("notes.txt", "x").commit("l.wu", "Notes");
    let found = repo.run(&["doctor", "--reading", "--format", "json"]).expect(0).json();
    assert_eq!(finding(&found, "clock")["state"], "warning", "{found:#}");
}
