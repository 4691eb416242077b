//! Files of the object store that are cut short, swollen, or no files: reading them ends, and ends in exit status 3.

use std::path::{Path, PathBuf};

use super::*;
use crate::world::World;

const CHECK: [&str; 6] = ["check", GATE, "--env", "production", "--format", "json"];

/// Where an object is loose.
fn loose(repo: &Repo<'_>, revision: &str) -> PathBuf {
    let id = repo.rev(revision);
    repo.path.join(".git/objects").join(&id[..2]).join(&id[2..])
}

/// Puts something else in the place of a file.
fn put(path: &Path, bytes: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[track_caller]
fn ends_undecided(repo: &Repo<'_>, args: &[&str], code: &str, how: &str) {
    let run = repo.world.run_in_time(&repo.path, args);
    assert_eq!((run.status, run.json()["code"].as_str()), (3, Some(code)), "{how}\n{run}");
}

/// `bytes` as zlib stores them, uncompressed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let (mut low, mut high) = (1u32, 0u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let frame = [&[0x78, 0x01, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    [&frame[..], bytes, &((high << 16) | low).to_be_bytes()].concat()
}

#[test]
fn a_loose_object_that_is_cut_short_is_refused_at_once() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    for object in ["main", "main^{tree}", "main:gates/summarizer/v1.4/gate.toml", "main:policy/policy.toml"] {
        let (id, path) = (repo.rev(object), loose(&repo, object));
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 1, 2, 20, whole.len() - 5, whole.len() - 1] {
            put(&path, &whole[..length.min(whole.len() - 1)]);
            assert_ne!(world.try_git(&repo.path, &["cat-file", "-p", &id]).status, 0);
            ends_undecided(&repo, &CHECK, "corrupt-object", &format!("{object} cut to {length}"));
        }
        put(&path, &whole);
    }
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_loose_object_that_says_something_else_of_itself_is_refused() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let path = loose(&repo, "main");
    let whole = std::fs::read(&path).unwrap();
    let content = repo.object("commit", "main");
    let object = |header: &str, content: &[u8]| stored(&[header.as_bytes(), b"\0", content].concat());
    let size = content.len();
    let mut longer = whole.clone();
    longer.extend_from_slice(b"more");
    let mut other_check = object(&format!("commit {size}"), &content);
    *other_check.last_mut().unwrap() ^= 1;
    for (how, code, bytes) in [
        ("ten gibibytes", "object-too-large", object("commit 10737418240", &content)),
        ("beyond every number", "corrupt-object", object("commit 99999999999999999999", &content)),
        ("less than it holds", "corrupt-object", object(&format!("commit {}", size - 1), &content)),
        ("more than it holds", "corrupt-object", object(&format!("commit {}", size + 1), &content)),
        ("a needless zero", "corrupt-object", object(&format!("commit 0{size}"), &content)),
        ("no kind of object", "corrupt-object", object(&format!("comit {size}"), &content)),
        ("no end of the header", "corrupt-object", stored(&[b'9'; 2000])),
        ("another kind", "corrupt-object", object(&format!("blob {size}"), &content)),
        ("more behind its end", "corrupt-object", longer),
        ("another checksum", "corrupt-object", other_check),
        ("not deflated", "corrupt-object", [format!("commit {size}\0").as_bytes(), &content].concat()),
    ] {
        put(&path, &bytes);
        ends_undecided(&repo, &CHECK, code, how);
    }
    put(&path, &object(&format!("commit {size}"), &content));
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let path = loose(&repo, "main^{tree}");
    let whole = std::fs::read(&path).unwrap();
    let fifo = |path: &Path| {
        std::fs::remove_file(path).unwrap();
        world.shell(&world.dir(), &world.dir(), &[], &format!("mkfifo {}", path.display())).expect(0);
    };
    fifo(&path);
    ends_undecided(&repo, &CHECK, "corrupt-object", "a FIFO");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    ends_undecided(&repo, &CHECK, "corrupt-object", "a directory");
    std::fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    ends_undecided(&repo, &CHECK, "corrupt-object", "a link to a device");
    put(&path, &whole);
    for name in ["pack/pack-1.idx", "pack/multi-pack-index", "info/alternates"] {
        let path = repo.path.join(".git/objects").join(name);
        std::fs::write(&path, "").unwrap();
        fifo(&path);
        ends_undecided(&repo, &CHECK, "unreadable-file", name);
        std::fs::remove_file(&path).unwrap();
    }
    let elsewhere = world.dir().join("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert_eq!(verdict(&check(&repo)), "allowed requirements", "git follows links to files");
}

#[test]
fn merging_for_a_look_meets_damage_as_judging_does() {
    let world = World::new();
    let repo = world.governance_repo();
    let begun = repo.open("j.doe", GATE);
    repo.switch("main").write("README", "moved on").commit("l.wu", "Move on");
    let file = format!("{begun}:gates/{GATE}/gate.toml");
    for object in [begun.as_str(), "main", "main^", "main^{tree}", "main:policy", "main:README", &file] {
        let path = loose(&repo, object);
        let whole = std::fs::read(&path).unwrap();
        put(&path, &whole[..whole.len() / 2]);
        ends_undecided(&repo, &["ready", GATE, "--format", "json"], "corrupt-object", object);
        put(&path, &whole);
    }
    repo.run(&["ready", GATE]).expect(11);
}

#[test]
fn a_good_copy_elsewhere_will_do_as_it_does_for_git() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let path = loose(&repo, "main");
    let whole = std::fs::read(&path).unwrap();
    let shared = repo.path.parent().unwrap().join("shared/objects");
    world.git(&world.dir(), &["init", "-q", "--bare", "shared"]);
    let copy = shared.join(path.strip_prefix(repo.path.join(".git/objects")).unwrap());
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::write(&copy, &whole).unwrap();
    put(&path, &whole[..20]);
    ends_undecided(&repo, &CHECK, "corrupt-object", "no other copy is known");
    repo.write(".git/objects/info/alternates", "# elsewhere\n../../../shared/objects\n");
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
    repo.remove(".git/objects/info/alternates");
    put(&path, &whole);
    repo.git(&["repack", "-q", "-a"]);
    put(&path, &whole[..20]);
    assert_eq!(repo.git(&["cat-file", "-t", "main"]), "commit");
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn damaged_packs_are_refused_at_once() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.git(&["gc", "-q"]);
    let packs = repo.path.join(".git/objects/pack");
    let file = |end: &str| {
        let mut files = std::fs::read_dir(&packs).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|extension| extension == end)).unwrap()
    };
    for path in [file("pack"), file("idx")] {
        let whole = std::fs::read(&path).unwrap();
        for part in 0..12 {
            let at = whole.len() * part / 12 + 1;
            put(&path, &whole[..at]);
            let run = world.run_in_time(&repo.path, &CHECK);
            assert_eq!(run.status, 3, "{} cut to {at}\n{run}", path.display());
            let mut other = whole.clone();
            other[at] ^= 0x55;
            put(&path, &other);
            let run = world.run_in_time(&repo.path, &CHECK);
            // A part that nothing here rests on may be anything.
            assert!([0, 3].contains(&run.status), "{} changed at {at}\n{run}", path.display());
        }
        put(&path, &whole);
    }
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}

#[test]
fn a_table_of_a_pack_that_leads_to_another_object_is_seen_through() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let [one, other] = ["main^2", "main^2^"].map(|approval| repo.rev(approval));
    repo.git(&["repack", "-q", "-adf"]);
    let packs = std::fs::read_dir(repo.path.join(".git/objects/pack")).unwrap();
    let mut files = packs.map(|entry| entry.unwrap().path());
    let path = files.find(|path| path.extension().is_some_and(|extension| extension == "idx")).unwrap();
    let table = std::fs::read(&path).unwrap();
    let objects = usize::try_from(u32::from_be_bytes(table[1028..1032].try_into().unwrap())).unwrap();
    let offset = |id: &str| {
        let ids = table[1032..1032 + 20 * objects].chunks(20);
        let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        1032 + 24 * objects + 4 * ids.map(hex).position(|found| found == id).unwrap()
    };
    let (at, from) = (offset(&one), offset(&other));
    let mut led = table.clone();
    led[at..at + 4].copy_from_slice(&table[from..from + 4]);
    put(&path, &led);
    ends_undecided(&repo, &CHECK, "corrupt-object", "not what its id says");
    ends_undecided(&repo, &[&CHECK[..], &["--no-index"]].concat(), "corrupt-object", "not what its id says");
    put(&path, &table);
    assert_eq!(verdict(&check(&repo)), "allowed requirements");
}
