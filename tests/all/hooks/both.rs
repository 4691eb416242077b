//! Attacks on the mainline, the policy and the logs, pushed through the hook and past it: what can never count is refused, and
//! whatever comes in fools no reader.

use super::*;
use crate::attacks_history::{enact, keys::fingerprint};

const LOG: &str = "deployments/production";
const NEXT: &str = "summarizer/v1.5";

/// Prepares what honest people push first, then the attack; what is pushed of it.
type Attack = fn(&Served<'_>) -> Vec<String>;

/// What a reader says where nobody looked: the verdict, or the code of exit status 3, and a requirement that is not met.
type Says = (&'static str, Option<&'static str>);

fn refs(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Pushes both ways what everybody has.
fn taken(served: &Served<'_>, names: &[&str]) {
    served.taken(names);
    served.unguarded(names);
}

/// A gate that is allowed, whose `who` has lost a key since.
fn robbed(served: &Served<'_>, who: &str) {
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    taken(served, &["main", BRANCH]);
    let key = fingerprint(repo.world, who);
    let text = format!("\n[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n");
    enact(repo, &Policy::small().serial(2).with(&text));
    taken(served, &["main"]);
}

/// A commit of the maintainer's whose tree is `tree`.
fn with_tree(repo: &Repo<'_>, tree: &str) -> Vec<String> {
    let commit = repo.git_as("l.wu", &["commit-tree", "-S", tree, "-p", "main", "-m", "Odd"]);
    vec![format!("{commit}:main")]
}

/// A tree with every entry of another twice.
fn twice(repo: &Repo<'_>, tree: &str) -> String {
    let bytes = repo.object("tree", tree);
    let args = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    repo.world.git_with_input(&repo.path, &args, [bytes.clone(), bytes].concat())
}

const REFUSED: [(&str, Attack, &[&str], Says); 8] = [
    (
        "an approval by a key that the policy revokes",
        |served| {
            robbed(served, "j.rivera");
            served.repo.open("j.doe", NEXT);
            served.repo.approve("j.rivera", NEXT, "ml-lead");
            refs(&["gate/summarizer/v1.5"])
        },
        &["key-revoked"],
        ("pending", Some("approval:ml-lead")),
    ),
    (
        "a record by such a key",
        |served| {
            robbed(served, "bot");
            served.repo.deploy_record("bot", GATE, "production", "requirements");
            refs(&[LOG])
        },
        &["log-not-counted"],
        ("allowed", None),
    ),
    (
        "a policy that its own program could not read, with all its approvals",
        |served| {
            served.repo.allowed_gate(GATE);
            enact(&served.repo, &strict().with("[ministry]\nof = \"walks\"\n"));
            refs(&["main"])
        },
        &["policy-unreadable"],
        ("policy-unreadable", None),
    ),
    (
        "a policy that nobody signed, with all its approvals",
        |served| {
            let repo = &served.repo;
            repo.allowed_gate(GATE);
            repo.switch("policy/next")
                .write_policy(&strict())
                .commit_unsigned("mallory", "Change the policy");
            ballot(repo, "m.okafor");
            ballot(repo, "l.wu");
            repo.merge("l.wu", "policy/next");
            refs(&["main"])
        },
        &["policy-unapproved", "policy-invalid", "policy-invalid"],
        ("allowed", None),
    ),
    (
        "a mainline whose top tree names everything twice",
        |served| {
            let repo = &served.repo;
            repo.allowed_gate(GATE);
            taken(served, &["main"]);
            with_tree(repo, &twice(repo, &repo.rev("main^{tree}")))
        },
        &["tree-not-canonical"],
        ("tree-not-canonical", None),
    ),
    (
        "a gate whose tree names everything twice",
        |served| {
            let repo = &served.repo;
            repo.allowed_gate(GATE);
            taken(served, &["main"]);
            let make = |lines: String| repo.world.git_with_input(&repo.path, &["mktree"], lines);
            let odd = twice(repo, &repo.rev(&format!("main:gates/{GATE}")));
            let system = make(format!("040000 tree {odd}\tv1.4\n"));
            let gates = make(format!("040000 tree {system}\tsummarizer\n"));
            let policy = repo.rev("main:policy");
            let top = make(format!("040000 tree {gates}\tgates\n040000 tree {policy}\tpolicy\n"));
            with_tree(repo, &top)
        },
        &["directory-invalid"],
        ("blocked", Some("integrity:content")),
    ),
    (
        "a copy of a record in another wrapping, in place of it",
        |served| {
            let repo = &served.repo;
            repo.allowed_gate(GATE);
            let record = repo.deploy_record("bot", GATE, "production", "requirements");
            taken(served, &["main", LOG]);
            vec![format!("+{}:refs/heads/{LOG}", repo.rewrapped(&record))]
        },
        &["log-moved-back"],
        // To who saw the record.
        ("log-rewound", None),
    ),
    (
        "an incident that a bot resolves",
        |served| {
            let repo = &served.repo;
            repo.allowed_gate(GATE);
            repo.incident("s.chen", "2026-01", GATE, None);
            taken(served, &["main"]);
            repo.incident("bot", "2026-01", GATE, Some(&repo.world.time()));
            refs(&["main"])
        },
        &["incident-unseen"],
        ("blocked", Some("incident:2026-01")),
    ),
];

/// What is taken, since it may yet count or is the record of what was done.
const TAKEN: [(&str, Attack, Says); 5] = [
    (
        "an approval that was held back when it was withdrawn, recorded late",
        |served| {
            let repo = &served.repo;
            let opened = repo.open("j.doe", GATE);
            repo.approve("s.chen", GATE, "product-lead");
            repo.decide("j.rivera", &Decision::withdraw(GATE));
            repo.merge("l.wu", BRANCH);
            taken(served, &["main", BRANCH]);
            repo.git(&["switch", "-q", "-C", "held", &opened]);
            let message = repo.message(&Decision::approve(GATE, "ml-lead"));
            let args = ["commit", "-q", "-S", "--allow-empty", "--cleanup=verbatim", "-m", &message];
            repo.git_as("j.rivera", &args);
            repo.merge("l.wu", "held");
            refs(&["main"])
        },
        ("pending", Some("approval:ml-lead")),
    ),
    (
        "content that goes back to what was rejected",
        |served| {
            let repo = &served.repo;
            let change = format!("gates/{GATE}/CHANGE.md");
            repo.allowed_gate(GATE);
            repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
            repo.merge("l.wu", BRANCH);
            repo.switch(BRANCH).write(&change, "Other.\n").commit("j.doe", "Other");
            repo.merge("l.wu", BRANCH);
            taken(served, &["main", BRANCH]);
            let before = "Cut hallucinations in long documents.\n";
            repo.switch(BRANCH).write(&change, before).commit("j.doe", "Back");
            repo.approve("j.rivera", GATE, "ml-lead");
            repo.approve("s.chen", GATE, "product-lead");
            repo.merge("l.wu", BRANCH);
            refs(&["main"])
        },
        ("blocked", Some("rejection:k.berg@example.com")),
    ),
    (
        "a record that writes its own basis",
        |served| {
            let repo = &served.repo;
            repo.open("j.doe", GATE);
            repo.merge("l.wu", BRANCH);
            repo.deploy_record("bot", GATE, "production", "requirements");
            refs(&["main", LOG])
        },
        ("blocked", Some("integrity:break-glass")),
    ),
    (
        "a gate that is removed from the mainline, and its branch with it",
        |served| {
            let repo = &served.repo;
            repo.allowed_gate(GATE);
            taken(served, &["main", BRANCH]);
            repo.git(&["rm", "-q", "-r", &format!("gates/{GATE}")]);
            repo.commit("j.doe", "Away with it");
            refs(&["main", ":refs/heads/gate/summarizer/v1.4"])
        },
        ("blocked", Some("gate:recorded")),
    ),
    (
        "a merge that drops a policy change with all its approvals",
        |served| {
            let repo = &served.repo;
            repo.allowed_gate(GATE);
            propose(repo, "a.ng", &strict());
            ballot(repo, "m.okafor");
            ballot(repo, "l.wu");
            repo.switch("main");
            let args = ["merge", "-q", "-S", "--no-ff", "-s", "ours", "-m", "Merge", "policy/next"];
            repo.git_as("j.doe", &args);
            refs(&["main"])
        },
        // Under the stricter bound.
        ("blocked", Some("criterion:hallucination")),
    ),
];

/// A reader of where nobody looked.
#[track_caller]
fn says(served: &Served<'_>, name: &str, pushed: &[&str], (word, unmet): Says) {
    let answer = served.unguarded(pushed);
    let said = answer["verdict"].as_str().or(answer["code"].as_str());
    // The gate that the push is about.
    let answer = match said {
        Some("allowed") if word != "allowed" => served.open.check_json(NEXT, "production"),
        _ => answer,
    };
    let said = answer["verdict"].as_str().or(answer["code"].as_str());
    assert_eq!(said, Some(word), "{name}: {answer:#}");
    if let Some(id) = unmet {
        assert!(!["met", "none"].contains(&status(&answer, id)), "{name}: {id} {answer:#}");
    }
}

#[test]
fn what_can_never_count_is_refused_and_fools_no_reader_where_nobody_refuses_it() {
    for (name, attack, codes, reader) in REFUSED {
        let world = World::new();
        let served = Served::new(&world);
        let pushed = attack(&served);
        let pushed: Vec<&str> = pushed.iter().map(String::as_str).collect();
        let run = served.push(&pushed);
        assert!(run.status != 0 && told(&run) == codes, "{name}: {:?} {run}", told(&run));
        says(&served, name, &pushed, reader);
    }
}

#[test]
fn what_the_hook_takes_fools_no_reader() {
    for (name, attack, reader) in TAKEN {
        let world = World::new();
        let served = Served::new(&world);
        let pushed = attack(&served);
        let pushed: Vec<&str> = pushed.iter().map(String::as_str).collect();
        let run = served.push(&pushed);
        assert_eq!(run.status, 0, "{name}: {run}");
        says(&served, name, &pushed, reader);
        let (there, here) = (&served.guarded, &served.open);
        assert_eq!(
            there.check_json(GATE, "production")["verdict"],
            here.check_json(GATE, "production")["verdict"]
        );
    }
}

#[test]
fn a_history_that_was_cut_short_is_refused_from_either_side() {
    let world = World::new();
    let served = Served::new(&world);
    let repo = &served.repo;
    repo.allowed_gate(GATE);
    served.taken(&["main"]);
    let from = format!("file://{}", repo.path.display());
    world.git(&world.dir(), &["clone", "-q", "--depth", "1", &from, "shallow"]);
    let shallow = Repo { world: &world, path: world.dir().join("shallow"), root: repo.root.clone() };
    shallow.pin(&repo.root);
    shallow.write("notes.txt", "x").commit("l.wu", "Note");
    // One commit on what the server has whole is as good as from anywhere; a server that is cut itself judges nothing.
    let to = served.guarded.path.to_str().unwrap();
    world.try_git(&shallow.path, &["push", "-q", to, "main"]).expect(0);
    std::fs::write(served.guarded.path.join("shallow"), format!("{}\n", repo.root)).unwrap();
    shallow.write("notes.txt", "y").commit("l.wu", "Note");
    let run = world.try_git(&shallow.path, &["push", "-q", to, "main"]);
    assert!(run.status != 0 && run.stderr.contains("[shallow-clone]"), "{run}");
    // Who reads in such a clone is told so.
    assert_eq!(shallow.check_json(GATE, "production")["code"], "shallow-clone");
}
