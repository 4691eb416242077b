//! Deciding by the address of a repository: what is shown, what is signed, where the trust root comes from, what is left.

#![expect(clippy::disallowed_methods, reason = "the tests look for what is left behind")]

use std::path::{Path, PathBuf};

use crate::world::{Repo, Run, World};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

/// A server with an open gate, and somebody's desk without a clone.
struct Desk<'w> {
    world: &'w World,
    bare: Repo<'w>,
    address: String,
    here: PathBuf,
    temporary: PathBuf,
}

impl<'w> Desk<'w> {
    fn at(world: &'w World) -> Self {
        let origin = world.governance_repo();
        origin.open("j.doe", GATE);
        let bare = origin.switch("main").clone_to("server.git", true);
        let (here, temporary) = (world.dir().join("desk"), world.dir().join("temporary"));
        std::fs::create_dir(&here).unwrap();
        std::fs::create_dir(&temporary).unwrap();
        let address = format!("file://{}", bare.path.display());
        Self { world, bare, address, here, temporary }
    }

    /// Runs a command of `who`; nothing may be left of it on the desk or among the temporary files.
    #[track_caller]
    fn run(&self, who: &str, args: &[&str]) -> Run {
        let mut command = self.world.program_of(who, &self.here, args);
        command.env("TMPDIR", &self.temporary);
        let run = Run::of(command, b"");
        for place in [&self.temporary, &self.here] {
            assert_eq!(std::fs::read_dir(place).unwrap().count(), 0, "left in {}\n{run}", place.display());
        }
        run
    }

    fn remembered(&self) -> PathBuf {
        self.world.dir().join("home/.config/git-gate/roots.toml")
    }
}

fn tip(repo: &Repo<'_>) -> String {
    repo.git(&["log", "-1", "--format=%ae %s", BRANCH])
}

#[test]
fn people_decide_without_a_clone_and_leave_nothing_behind() {
    let world = World::new();
    let desk = Desk::at(&world);
    let root = desk.bare.root.clone();
    let approve = ["approve", &desk.address, GATE, "--yes", "--root", &root];
    let run = desk.run("s.chen", &approve).expect(0);
    assert_eq!(tip(&desk.bare), format!("s.chen@example.com Approve {GATE} as product-lead"));
    assert!(run.stderr.contains("approval:ml-lead"), "the checklist is shown first\n{run}");
    assert!(run.stdout.contains(", pushed"), "{run}");
    desk.bare.git_verifies(BRANCH).expect(0);
    // The trust root is remembered from now on.
    let reject = ["reject", &desk.address, GATE, "--reason", "safety", "--yes", "--format", "json"];
    let rejected = desk.run("m.okafor", &[&reject[..], &["--role", "compliance"]].concat()).expect(0);
    assert_eq!(rejected.json()["principal"], "m.okafor@example.com");
    desk.run("m.okafor", &["withdraw", &desk.address, GATE, "--yes"]).expect(0);
    desk.run("j.doe", &["close", &desk.address, GATE, "--yes", "--quiet"]).expect(0);
    assert_eq!(tip(&desk.bare), format!("j.doe@example.com Close {GATE}"));
    assert_eq!(
        desk.bare.git(&["for-each-ref", "--format=%(refname)"]),
        format!("refs/heads/{BRANCH}\nrefs/heads/main")
    );
}

#[test]
fn a_trust_root_is_given_once_and_never_guessed() {
    let world = World::new();
    let desk = Desk::at(&world);
    let (root, tip) = (desk.bare.root.clone(), desk.bare.rev(BRANCH));
    let approve = ["approve", &desk.address, GATE, "--yes"];
    let unknown = desk.run("s.chen", &approve).expect(3);
    assert!(
        unknown.stderr.contains("[no-trust-root]") && unknown.stderr.contains("`--root <commit>`"),
        "{unknown}"
    );
    // Git's global configuration pins nothing: there it would hold for every repository.
    let config = world.home_of("s.chen").join(".gitconfig");
    let text = std::fs::read_to_string(&config).unwrap();
    let mut command = world.program_of("s.chen", &desk.here, &approve);
    std::fs::write(&config, format!("{text}[gate]\n\troot = {root}\n")).unwrap();
    command.env("TMPDIR", &desk.temporary);
    let global = Run::of(command, b"").expect(3);
    assert!(global.stderr.contains("[no-trust-root]"), "{global}");
    // One that is not on the mainline is neither used nor remembered.
    let wrong = desk.run("s.chen", &[&approve[..], &["--root", &tip]].concat()).expect(3);
    assert!(wrong.stderr.contains("[root-not-on-mainline]"), "{wrong}");
    assert!(!desk.remembered().exists());
    // What cannot be fetched is remembered neither.
    let nowhere = format!("file://{}", desk.here.join("nowhere").display());
    let gone = desk.run("s.chen", &["approve", &nowhere, GATE, "--yes", "--root", &root]).expect(3);
    assert!(gone.stderr.contains("[fetch-failed]"), "{gone}");
    assert!(!desk.remembered().exists());
    assert_eq!(desk.bare.rev(BRANCH), tip);
    desk.run("s.chen", &[&approve[..], &["--root", &root]].concat()).expect(0);
    let kept = std::fs::read_to_string(desk.remembered()).unwrap();
    assert!(kept.contains(&root) && kept.contains(&desk.address), "{kept}");
    let again = desk.run("j.rivera", &approve).expect(0);
    assert!(again.stderr.contains("roots.toml"), "it says where the root comes from\n{again}");
    assert_eq!(std::fs::read_to_string(desk.remembered()).unwrap(), kept);
    std::fs::write(desk.remembered(), "[[repository]]\nurl = 7\n").unwrap();
    let broken = desk.run("j.rivera", &approve).expect(3);
    assert!(broken.stderr.contains("[roots-unreadable]"), "{broken}");
}

#[test]
fn what_goes_wrong_without_a_clone_leaves_nothing_either() {
    let world = World::new();
    let desk = Desk::at(&world);
    let root = desk.bare.root.clone();
    let with_root = |args: Vec<&'static str>| -> Vec<String> {
        let words = args.into_iter().map(|word| word.replace("<address>", &desk.address));
        words.chain(["--root".to_owned(), root.clone()]).collect()
    };
    let before = desk.bare.git(&["for-each-ref"]);
    for (who, args, status, said) in [
        ("s.chen", vec!["approve", "<address>", GATE], 2, "`--yes`"),
        ("mallory", vec!["approve", "<address>", GATE, "--yes"], 3, "[unknown-key]"),
        ("s.chen", vec!["approve", "<address>", "summarizer/v9", "--yes"], 3, "[gate-unknown]"),
        ("s.chen", vec!["approve", "<address>", GATE, "--yes", "--no-push"], 2, "--no-push"),
        ("s.chen", vec!["approve", "<address>", GATE, "--yes", "--offline"], 2, "--offline"),
        ("s.chen", vec!["approve", "-u", GATE, "--yes"], 2, "error:"),
        ("s.chen", vec!["approve", "--yes", "--", "--upload-pack=x", GATE], 2, "error:"),
        ("s.chen", vec!["approve", "<address>", "<address>", "--yes"], 2, "error:"),
    ] {
        let args = if args.contains(&"--") {
            args.into_iter().map(str::to_owned).collect()
        } else {
            with_root(args)
        };
        let run = desk.run(who, &args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.status, status, "{args:?}\n{run}");
        assert!(run.stderr.contains(said), "{args:?}\n{run}");
        assert_eq!(desk.bare.git(&["for-each-ref"]), before, "{args:?}");
    }
    let hook = desk.bare.path.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let args = with_root(vec!["approve", "<address>", GATE, "--yes"]);
    let refused = desk.run("s.chen", &args.iter().map(String::as_str).collect::<Vec<_>>()).expect(3);
    assert!(refused.stderr.contains("[push-failed]"), "{refused}");
    assert_eq!(desk.bare.git(&["for-each-ref"]), before);
}

#[test]
fn a_path_is_an_address_wherever_it_is_typed() {
    let world = World::new();
    let desk = Desk::at(&world);
    let root = desk.bare.root.clone();
    desk.run("s.chen", &["approve", "../server.git", GATE, "--yes", "--root", &root]).expect(0);
    assert_eq!(tip(&desk.bare), format!("s.chen@example.com Approve {GATE} as product-lead"));
    let kept = std::fs::read_to_string(desk.remembered()).unwrap();
    assert!(!kept.contains("../server.git") && kept.contains("server.git"), "{kept}");
    // The same repository, from elsewhere.
    let path: &Path = &desk.bare.path;
    desk.run("j.rivera", &["approve", path.to_str().unwrap(), GATE, "--yes"]).expect(0);
}
