//! Every parser against hostile bytes.
//!
//! A target is a plain function over bytes; it fails by panicking, and by taking too long. `cargo test` runs each over
//! its corpus in `tests/fuzz/corpus/<name>/` and over a fixed number of mutations of it, the same on every run. A
//! coverage-guided fuzzer can call the same functions; what it finds goes into the corpus.

mod evaluations;
mod findings;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A parser to attack.
struct Target {
    /// Its name, and the folder of its corpus.
    name: &'static str,
    /// Feeds bytes to it, and checks what must hold of the result.
    run: fn(&[u8]),
}

/// Every target. A parser that is added to the program is added here.
const TARGETS: &[Target] = &[
    Target { name: "evaluations", run: evaluations::reports },
    Target { name: "findings", run: findings::reports },
    Target { name: "findings-vex", run: findings::vex },
    Target { name: "raw-commit", run: raw_commit },
    Target { name: "tree", run: tree },
    Target { name: "names", run: names },
    Target { name: "times", run: times },
];

/// Mutations of each seed in one run of the tests.
const MUTATIONS: usize = 500;
/// What a target may take over one input of these sizes, by far.
const LONGEST: Duration = Duration::from_secs(2);

fn raw_commit(bytes: &[u8]) {
    let _ = git_gate::git::raw::parse(bytes);
}

fn tree(bytes: &[u8]) {
    let _ = git_gate::git::Tree::parse(bytes.to_vec());
}

/// A name that parses is written as it was read.
fn names(bytes: &[u8]) {
    use git_gate::model::{ArtifactName, GateName, Glob, Label, Name, Principal, escape};
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(text.parse::<Name>().map_or(true, |name| name.to_string() == text));
    assert!(text.parse::<GateName>().map_or(true, |name| name.to_string() == text));
    assert!(text.parse::<ArtifactName>().map_or(true, |name| name.to_string() == text));
    assert!(text.parse::<Label>().map_or(true, |name| name.to_string() == text));
    assert!(text.parse::<Principal>().map_or(true, |name| name.to_string() == text));
    let _ = Glob::new(text).matches(text);
    assert!(!escape(text).chars().any(char::is_control));
}

/// A time or duration that parses is the same when it is written and read again.
fn times(bytes: &[u8]) {
    use git_gate::model::{Duration, Time};
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(time) = text.parse::<Time>() {
        assert_eq!(time.to_string().parse::<Time>(), Ok(time));
    }
    if let Ok(duration) = text.parse::<Duration>() {
        assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
    }
}

/// The files of a target's corpus, by name.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target.name);
    let mut seeds: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// Numbers that look random and are the same on every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// Bytes that mean something to some parser.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\r",
    b"\n",
    b"\n\n",
    b" ",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b":",
    b"..",
    b"/",
    b"-",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"NaN",
    b"1e999",
    b"-0",
    b"9999999999999999999999",
    b"gpgsig",
    b"parent ",
    b"Gate",
    b"[[[[[[[[[[[[[[[[",
    b"null",
];

/// `seed` with one to four small changes.
fn mutate(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + numbers.below(16)).min(bytes.len());
        match numbers.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
            3 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, TOKENS[numbers.below(TOKENS.len())].iter().copied())),
        }
    }
    bytes
}

/// Runs one input, and says which it was where it fails.
fn attempt(target: &Target, seed: &str, bytes: &[u8]) {
    let began = Instant::now();
    let outcome = std::panic::catch_unwind(|| (target.run)(bytes));
    let shown = || String::from_utf8_lossy(bytes).escape_debug().to_string();
    assert!(outcome.is_ok(), "{}: a mutation of `{seed}` panics: {}", target.name, shown());
    assert!(began.elapsed() < LONGEST, "{}: a mutation of `{seed}` takes too long: {}", target.name, shown());
}

#[test]
fn no_parser_panics_on_hostile_bytes() {
    for target in TARGETS {
        let seeds = corpus(target);
        assert!(!seeds.is_empty(), "{} has no corpus", target.name);
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        attempt(target, "nothing", b"");
        for (name, seed) in &seeds {
            attempt(target, name, seed);
            for _ in 0..MUTATIONS {
                attempt(target, name, &mutate(seed, &mut numbers));
            }
        }
    }
}

#[test]
fn mutations_differ_and_are_the_same_on_every_run() {
    let run = || -> Vec<Vec<u8>> {
        let mut numbers = Numbers(1);
        (0..100).map(|_| mutate(b"tree 0123", &mut numbers)).collect()
    };
    assert_eq!(run(), run());
    assert!(run().iter().filter(|bytes| bytes.as_slice() != b"tree 0123").count() > 90);
}
