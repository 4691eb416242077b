//! Directories that git stores and that no honest person writes: the gate is blocked, others are not.

use super::{DIRECTORY, GATE, assert_says, line, point, verdict};
use crate::world::{Repo, World};

const OTHER: &str = "ranker/v2";
const CONTENT: &str = "integrity:content";

/// An entry of a tree: mode, name, object.
type Entry = (String, Vec<u8>, String);

/// A tree object of these entries, in the order given and sorted by nobody.
#[track_caller]
fn tree(repo: &Repo<'_>, entries: &[Entry]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend_from_slice(&[mode.as_bytes(), b" ", name, b"\0"].concat());
        bytes.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
    }
    let args = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    repo.world.git_with_input(&repo.path, &args, bytes)
}

/// The entries of a tree.
#[track_caller]
fn entries(repo: &Repo<'_>, of: &str) -> Vec<Entry> {
    let listed = repo.git(&["ls-tree", of]);
    let entry = |line: &str| {
        let (what, name) = line.split_once('\t').unwrap();
        let mut what = what.split(' ');
        let (mode, id) = (what.next().unwrap(), what.nth(1).unwrap());
        (mode.trim_start_matches('0').to_owned(), name.as_bytes().to_vec(), id.to_owned())
    };
    listed.lines().map(entry).collect()
}

fn entry(mode: &str, name: impl AsRef<[u8]>, id: &str) -> Entry {
    (mode.to_owned(), name.as_ref().to_vec(), id.to_owned())
}

#[track_caller]
fn blob(repo: &Repo<'_>, bytes: impl AsRef<[u8]>) -> String {
    repo.world.git_with_input(&repo.path, &["hash-object", "-w", "--stdin"], bytes)
}

/// The mainline with another tree at `path`, committed by `j.doe`, signed.
#[track_caller]
fn replace(repo: &Repo<'_>, path: &[&str], with: &str) {
    let mut new = with.to_owned();
    for depth in (0..path.len()).rev() {
        let above = path[..depth].join("/");
        let mut changed = entries(repo, &format!("main:{above}"));
        let slot = changed.iter_mut().find(|entry| entry.1 == path[depth].as_bytes()).unwrap();
        slot.2 = new;
        new = tree(repo, &changed);
    }
    let commit = repo.git_as("j.doe", &["commit-tree", "-S", &new, "-p", "main", "-m", "Change"]);
    point(repo, "main", &commit);
}

/// Two allowed gates.
#[track_caller]
fn two_gates(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    for gate in [GATE, OTHER] {
        repo.allowed_gate(gate);
        assert_eq!(repo.check_json(gate, "production")["verdict"], "allowed");
    }
    repo
}

/// Asserts that the attacked gate is blocked for its content, with that reason, and the other is allowed.
#[track_caller]
fn assert_blocks_its_own(repo: &Repo<'_>, reason: &str) {
    let judged = repo.check_json(GATE, "production");
    assert_eq!(verdict(&judged, CONTENT), "blocked failed", "{reason}: {judged:#}");
    assert_says(&line(&judged, CONTENT)["found"], reason);
    assert_eq!(repo.check_json(OTHER, "production")["verdict"], "allowed", "{reason}");
    assert_eq!(repo.run(&["ready", GATE, "--format", "json"]).status, 10, "{reason}");
}

/// The gate's directory with one more entry at the end of it.
#[track_caller]
fn add(repo: &Repo<'_>, added: Entry) {
    let mut with = entries(repo, &format!("main:{DIRECTORY}"));
    with.retain(|entry| entry.1 != added.1);
    let at = with.iter().position(|entry| entry.1 > added.1).unwrap_or(with.len());
    with.insert(at, added);
    replace(repo, &DIRECTORY.split('/').collect::<Vec<_>>(), &tree(repo, &with));
}

/// Takes the gate's directory back to what was approved.
#[track_caller]
fn mend(repo: &Repo<'_>, good: &str) {
    replace(repo, &DIRECTORY.split('/').collect::<Vec<_>>(), good);
}

#[test]
fn what_is_no_regular_file_blocks_its_own_gate_only() {
    let world = World::new();
    let repo = two_gates(&world);
    let (file, commit) = (blob(&repo, "x"), repo.rev("main"));
    for (added, reason) in [
        (entry("120000", "link", &blob(&repo, "../../../policy/policy.toml")), "`link` is a symbolic link"),
        (entry("120000", "CHANGE.md", &blob(&repo, "../v1/CHANGE.md")), "`CHANGE.md` is a symbolic link"),
        (entry("160000", "module", &commit), "`module` is a symbolic link, a submodule"),
        (entry("100664", "group-writable", &file), "no regular file"),
        (entry("100600", "private", &file), "no regular file"),
        (entry("0100644", "zero", &file), "does not parse"),
        (entry("1", "one", &file), "no regular file"),
        (entry("40000", "tree", &file), "is a blob, not a tree"),
        (entry("100644", "blob", &repo.rev("main^{tree}")), "is a tree, not a blob"),
    ] {
        add(&repo, added);
        assert_blocks_its_own(&repo, reason);
    }
}

#[test]
fn odd_names_block_their_own_gate_only() {
    let world = World::new();
    let repo = two_gates(&world);
    let good = repo.rev(&format!("main:{DIRECTORY}"));
    let file = blob(&repo, "x");
    for name in [
        b".hidden".as_slice(),
        b"..",
        b".",
        b".git",
        b"a b",
        b"a\nb",
        b"\x1b[2J",
        "ü".as_bytes(),
        b"\xff",
        b"a\\b",
        b"a:b",
        b"-n%",
        b"",
    ] {
        add(&repo, entry("100644", name, &file));
        assert_blocks_its_own(&repo, if name.is_empty() { "does not parse" } else { "a name here is of" });
        mend(&repo, &good);
    }
    add(&repo, entry("100644", "change.md", &file));
    assert_blocks_its_own(&repo, "two letter cases");
}

#[test]
fn an_odd_tree_makes_its_gates_invalid() {
    let world = World::new();
    let repo = two_gates(&world);
    let file = blob(&repo, "x");
    let good = entries(&repo, &format!("main:{DIRECTORY}"));
    let mut reversed = good.clone();
    reversed.reverse();
    let twice: Vec<Entry> = good.iter().flat_map(|entry| [entry.clone(), entry.clone()]).collect();
    let mut shadowed = good.clone();
    shadowed.insert(1, entry("100644", "CHANGE.md", &file));
    let mut both = good.clone();
    both.insert(1, entry("100644", "evidence", &file));
    for (odd, reason) in [
        (&reversed, "not sorted"),
        (&twice, "not sorted"),
        (&shadowed, "not sorted"),
        (&both, "`evidence` twice"),
    ] {
        replace(&repo, &DIRECTORY.split('/').collect::<Vec<_>>(), &tree(&repo, odd));
        assert_blocks_its_own(&repo, reason);
    }
    // On the way to it: only what lies beneath.
    let version = repo.rev(&format!("main:{DIRECTORY}"));
    let system = [entry("40000", "v1.4", &version), entry("40000", "v1.4", &version)];
    replace(&repo, &["gates", "summarizer"], &tree(&repo, &system));
    assert_blocks_its_own(&repo, "not sorted");
    let system = [entry("40000", "V1.4", &version), entry("40000", "v1.4", &version)];
    replace(&repo, &["gates", "summarizer"], &tree(&repo, &system));
    assert_blocks_its_own(&repo, "two letter cases");
}

#[test]
fn an_odd_tree_of_gates_makes_all_of_them_invalid() {
    let world = World::new();
    let repo = two_gates(&world);
    let mut gates = entries(&repo, "main:gates");
    gates.reverse();
    replace(&repo, &["gates"], &tree(&repo, &gates));
    for gate in [GATE, OTHER] {
        assert_eq!(verdict(&repo.check_json(gate, "production"), CONTENT), "blocked failed");
    }
}

#[test]
fn an_odd_top_tree_is_not_judged() {
    for odd in ["unsorted", "Policy"] {
        let world = World::new();
        let repo = two_gates(&world);
        let mut top = entries(&repo, "main^{tree}");
        match odd {
            "unsorted" => top.reverse(),
            _ => top.insert(0, entry("40000", "Policy", &repo.rev("main:policy"))),
        }
        let commit =
            repo.git_as("j.doe", &["commit-tree", "-S", &tree(&repo, &top), "-p", "main", "-m", "Top"]);
        point(&repo, "main", &commit);
        let run = repo.run(&["check", GATE, "--env", "production", "--format", "json"]).expect(3);
        assert_eq!(run.json()["code"], "tree-not-canonical", "{odd}");
    }
}

#[test]
fn a_hostile_directory_blocks_its_own_gate_only() {
    let world = World::new();
    let repo = two_gates(&world);
    let good = repo.rev(&format!("main:{DIRECTORY}"));
    let file = blob(&repo, "x");
    let mut deep = tree(&repo, &[entry("100644", "x", &file)]);
    for _ in 0..8 {
        deep = tree(&repo, &[entry("40000", "d", &deep)]);
    }
    let many: Vec<Entry> = (0..257).map(|at| entry("100644", format!("f{at:04}"), &file)).collect();
    let large = blob(&repo, vec![b' '; 8 * 1024 * 1024 + 1]);
    let eight = blob(&repo, vec![b' '; 8 * 1024 * 1024]);
    let heavy: Vec<Entry> = (0..5).map(|at| entry("100644", format!("f{at}"), &eight)).collect();
    let empty = tree(&repo, &[]);
    for (added, reason) in [
        (entry("40000", "d", &deep), "deeper than 8 levels"),
        (entry("40000", "d", &tree(&repo, &many)), "more than 256 files"),
        (entry("100644", "large", &large), "more than 8388608"),
        (entry("40000", "d", &tree(&repo, &heavy)), "more than 33554432"),
    ] {
        add(&repo, added);
        assert_blocks_its_own(&repo, reason);
        mend(&repo, &good);
    }
    replace(&repo, &DIRECTORY.split('/').collect::<Vec<_>>(), &empty);
    assert_blocks_its_own(&repo, "no file");
}

/// A tree of so many levels, each two hundred times the one below it: `200^levels` leaves, were they all to be read.
#[track_caller]
fn repeated(repo: &Repo<'_>, leaf: String, levels: usize) -> String {
    (0..levels).fold(leaf, |below, _| {
        let level: Vec<Entry> = (0..200).map(|at| entry("40000", format!("d{at:03}"), &below)).collect();
        tree(repo, &level)
    })
}

#[test]
fn a_tree_that_repeats_itself_costs_no_time() {
    let world = World::new();
    let repo = two_gates(&world);
    let leaf = tree(&repo, &[entry("100644", "x", &blob(&repo, "x"))]);
    let empty = tree(&repo, &[]);
    for (leaf, levels, reason) in [
        (&leaf, 10, "deeper than 8 levels"),
        (&leaf, 6, "more than 2"),
        (&empty, 6, "more than 2048 files and directories"),
        (&empty, 20, "deeper than 8 levels"),
    ] {
        add(&repo, entry("40000", "d", &repeated(&repo, leaf.clone(), levels)));
        assert_blocks_its_own(&repo, reason);
    }
}

#[test]
fn the_executable_bit_changes_nothing() {
    let world = World::new();
    let repo = two_gates(&world);
    let before = repo.check_json(GATE, "production")["content"].clone();
    add(&repo, entry("100755", "CHANGE.md", &repo.rev(&format!("main:{DIRECTORY}/CHANGE.md"))));
    let judged = repo.check_json(GATE, "production");
    assert_eq!((&judged["verdict"], &judged["content"]), (&"allowed".into(), &before));
}

#[test]
fn a_file_where_a_directory_should_be_blocks() {
    for path in [&["gates", "summarizer", "v1.4"][..], &["gates", "summarizer"]] {
        let world = World::new();
        let repo = two_gates(&world);
        let name = path[path.len() - 1];
        let above = &path[..path.len() - 1];
        let mut changed = entries(&repo, &format!("main:{}", above.join("/")));
        changed.retain(|entry| entry.1 != name.as_bytes());
        changed.push(entry("100644", name, &blob(&repo, "x")));
        replace(&repo, above, &tree(&repo, &changed));
        assert_eq!(repo.check_json(GATE, "production")["verdict"], "blocked");
        assert_eq!(repo.check_json(OTHER, "production")["verdict"], "allowed");
    }
}

#[test]
fn a_hostile_branch_costs_ready_no_time() {
    let world = World::new();
    let repo = two_gates(&world);
    let wide = repeated(&repo, tree(&repo, &[entry("100644", "x", &blob(&repo, "x"))]), 10);
    let before = repo.rev("main");
    add(&repo, entry("40000", "d", &wide));
    repo.git(&["update-ref", &format!("refs/heads/gate/{GATE}"), "main"]);
    point(&repo, "main", &before);
    let args = ["commit-tree", "-S", "main^{tree}", "-p", "main", "-m", "Go on"];
    let on = repo.git_as("l.wu", &args);
    point(&repo, "main", &on);
    let run = repo.run(&["ready", GATE, "--format", "json"]);
    assert_eq!((run.status, run.json()["code"].as_str()), (3, Some("merge-too-large")), "{run}");
    assert_eq!(repo.check_json(GATE, "production")["verdict"], "allowed");
}
