//! Packs as git writes them are read to the byte as the library reads them; damaged ones never otherwise.
#![expect(clippy::disallowed_methods, reason = "git itself writes what is read here")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::git::objects::oid;

/// A repository in which a large directory changes file by file, with a large file and a small one that changes.
struct Packed {
    folder: tempfile::TempDir,
}

impl Packed {
    fn new() -> Self {
        let packed = Self { folder: tempfile::tempdir().unwrap() };
        packed.git(&["init", "-q", "--bare", "."], b"");
        let mut stream = String::new();
        for number in 0..120_u32 {
            let file = number % 40;
            let lines: Vec<String> = (0..60).map(|line| format!("{line} of {file}\n")).collect();
            let text = format!("{}{number}\n", lines.concat());
            write!(
                stream,
                "commit refs/heads/main\ncommitter A <a@example.com> {} +0000\ndata 4\nstep\n\
                 M 100644 inline directory/file-{file:03}\ndata {}\n{text}\n",
                1_700_000_000 + number,
                text.len()
            )
            .unwrap();
        }
        let noise: Vec<u8> =
            (0..1_500_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let mut stream = stream.into_bytes();
        stream.extend(b"commit refs/heads/main\ncommitter A <a@example.com> 1700001000 +0000\ndata 0\n");
        stream.extend(format!("M 100644 inline large\ndata {}\n", noise.len()).bytes());
        stream.extend(noise);
        stream.extend(b"\nM 100644 inline empty\ndata 0\n\n");
        packed.git(&["fast-import", "--quiet"], &stream);
        packed
    }

    fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(self.folder.path())
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    fn ids(&self) -> Vec<ObjectId> {
        let listed = self.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"], b"");
        listed.lines().map(|id| id.parse().unwrap()).collect()
    }

    fn file(&self, extension: &str) -> PathBuf {
        let entries = fs::read_dir(self.objects().join("pack")).unwrap().flatten().map(|entry| entry.path());
        entries.filter(|path| path.extension().is_some_and(|known| known == extension)).max().unwrap()
    }
}

fn library(objects: &Path) -> git2::Odb<'static> {
    let odb = git2::Odb::new().unwrap();
    odb.add_disk_alternate(objects.to_str().unwrap()).unwrap();
    odb
}

/// How many of all objects are read, each as the library reads it.
#[track_caller]
fn compared(packed: &Packed) -> (usize, usize) {
    let packs = Packs::open(std::iter::once(packed.objects().as_path()));
    let library = library(&packed.objects());
    let ids = packed.ids();
    let mut read = 0;
    // Twice, since what was read is remembered; the second time by another reader and backwards.
    let twin = packs.twin();
    for (id, packs) in ids.iter().map(|id| (id, &packs)).chain(ids.iter().rev().map(|id| (id, &twin))) {
        let expected = library.read(oid(*id)).unwrap();
        match packs.read(*id) {
            Some((kind, bytes)) => {
                assert_eq!((kind, bytes.as_slice()), (expected.kind(), expected.data()), "{id}");
                read += 1;
            }
            None => assert!(expected.data().len() > MOST_BYTES, "{id}"),
        }
    }
    (read, ids.len() * 2)
}

#[test]
fn every_form_that_git_writes_is_read_to_the_byte() {
    let packed = Packed::new();
    let forms: [&[&str]; 4] = [
        &["repack", "-q", "-adf", "--window=50", "--depth=50"],
        &["-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-adf", "--depth=200"],
        &["repack", "-q", "-adf", "--depth=0"],
        &["repack", "-q", "-adf", "--write-midx", "--write-bitmap-index"],
    ];
    for form in forms {
        packed.git(form, b"");
        let (read, all) = compared(&packed);
        // All but the large file.
        assert_eq!(read, all - 2, "{form:?}");
    }
}

#[test]
fn large_offsets_and_several_packs_are_read_and_other_versions_are_left() {
    let packed = Packed::new();
    packed.git(&["repack", "-q", "-adf"], b"");
    let (pack, table) = (packed.file("pack"), packed.file("idx"));
    let index = |version: &str| {
        fs::remove_file(&table).unwrap();
        packed.git(&["index-pack", version, "-o", table.to_str().unwrap(), pack.to_str().unwrap()], b"");
    };
    index("--index-version=1");
    let packs = Packs::open(std::iter::once(packed.objects().as_path()));
    assert!(packed.ids().into_iter().all(|id| packs.read(id).is_none()));
    for version in ["--index-version=2,0x40", "--index-version=2"] {
        index(version);
        let (read, all) = compared(&packed);
        assert_eq!(read, all - 2, "{version}");
    }
    // Another pack, of a few objects of the first and a new one.
    let new = packed.git(&["hash-object", "-w", "--stdin"], b"new\n");
    let some: Vec<String> = packed.ids().into_iter().step_by(7).map(|id| format!("{id}\n")).collect();
    let some = some.concat();
    packed.git(&["pack-objects", "-q", "objects/pack/pack"], format!("{some}{new}").as_bytes());
    packed.git(&["prune-packed", "-q"], b"");
    let (read, all) = compared(&packed);
    assert_eq!(read, all - 2);
}

#[test]
fn what_is_damaged_is_left_or_is_not_what_its_id_says() {
    let packed = Packed::new();
    packed.git(&["repack", "-q", "-adf", "--depth=50"], b"");
    let ids = packed.ids();
    let whole: Vec<(ObjectType, Vec<u8>)> = {
        let library = library(&packed.objects());
        let read = |id| library.read(oid(id)).map(|object| (object.kind(), object.data().to_vec())).unwrap();
        ids.iter().copied().map(read).collect()
    };
    for extension in ["pack", "idx"] {
        let path = packed.file(extension);
        let good = fs::read(&path).unwrap();
        let mut told = 0;
        let places = (0..good.len().min(20_000)).step_by(211);
        for (at, cut) in places.map(|at| (at, false)).chain([(good.len() / 3, true), (100, true), (3, true)])
        {
            let mut damaged = good.clone();
            if cut {
                damaged.truncate(at);
            } else {
                damaged[at] ^= 0x15;
            }
            fs::remove_file(&path).unwrap();
            fs::write(&path, damaged).unwrap();
            let packs = Packs::open(std::iter::once(packed.objects().as_path()));
            for (id, expected) in ids.iter().zip(&whole) {
                match packs.read(*id) {
                    Some(read) if read == *expected => {}
                    Some((kind, bytes)) => {
                        told += 1;
                        assert_ne!(git2::Oid::hash_object(kind, &bytes).unwrap(), oid(*id));
                    }
                    None => told += 1,
                }
            }
        }
        assert!(told > 100, "{extension}: {told}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, good).unwrap();
    }
}

#[test]
fn a_delta_says_what_it_makes_to_the_byte() {
    let base = b"0123456789";
    assert_eq!(applied(base, b"\x0a\x05\x90\x05").unwrap(), b"01234", "copies from the start");
    assert_eq!(applied(base, b"\x0a\x05\x91\x03\x05").unwrap(), b"34567");
    assert_eq!(applied(base, b"\x0a\x05\x02ab\x91\x07\x03").unwrap(), b"ab789");
    assert_eq!(applied(base, b"\x0a\x00").unwrap(), b"");
    for (bad, why) in [
        (&b"\x0b\x05\x90\x05"[..], "another base"),
        (b"\x0a\x05\x90\x04", "too little"),
        (b"\x0a\x05\x90\x06", "too much"),
        (b"\x0a\x05\x91\x08\x05", "beyond the base"),
        (b"\x0a\x05\x05abc", "cut short"),
        (b"\x0a\x05\x00\x90\x05", "an instruction that is none"),
        (b"\x0a\x05\x80", "64 KiB of ten bytes"),
        (b"\x0a", "no length"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff", "a length without end"),
    ] {
        assert_eq!(applied(base, bad), None, "{why}");
    }
}

proptest! {
    #[test]
    fn no_delta_panics(base in proptest::collection::vec(any::<u8>(), 0..64), delta in proptest::collection::vec(any::<u8>(), 0..64)) {
        let length = u8::try_from(base.len()).unwrap();
        let _made = applied(&base, &delta);
        let _made = applied(&base, &[&[length, 40], delta.as_slice()].concat());
    }
}
