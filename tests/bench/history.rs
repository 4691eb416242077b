//! How fast a history is judged: `cargo bench --bench history -- 10000 100000`, each number a repository of about so many
//! commits, made here and the same each time.
//!
//! Our commands beside git doing what comes nearest, and beside the bare limit: the library alone, reading the same commits and
//! verifying the same signatures. Medians of five in one run, interleaved, so that a neighbour who takes the machine takes
//! it from all; seconds of the clock and of CPU, and peak memory of the process. Nothing here fails: figures are read.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it measures, says what it measured, and has nothing to save where it fails"
)]

#[path = "history/generate.rs"]
mod generate;
#[path = "history/pack.rs"]
mod pack;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use generate::{Made, generate};
use git2::Oid;
use ssh_key::{PublicKey, SshSig};
use wait4::Wait4 as _;

/// How often each is measured.
const ROUNDS: usize = 5;

/// So many mainline commits behind: some fifty commits in all.
const BEHIND: usize = 9;

/// The program that is measured.
const GIT_GATE: &str = env!("CARGO_BIN_EXE_git-gate");

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
    mib: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // What a process took is counted from where it was started: so who measures starts small, and what takes much memory
    // has a process of its own.
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "make", path, size] => make(Path::new(path), size.parse().unwrap()),
        [_, "bare", path] => bare(Path::new(path)),
        [_, rest @ ..] => {
            let sizes: Vec<u32> = rest.iter().filter_map(|argument| argument.parse().ok()).collect();
            for size in if sizes.is_empty() { vec![10_000] } else { sizes } {
                let folder = tempfile::tempdir().unwrap();
                measure(&folder.path().join("bench.git"), size);
            }
        }
        [] => {}
    }
}

fn make(path: &Path, size: u32) {
    let made = generate(path, size);
    fs::write(path.join("signers"), &made.signers).unwrap();
    fs::write(path.join("made"), serde_json::to_string(&made).unwrap()).unwrap();
}

fn measure(path: &Path, size: u32) {
    let text = path.to_str().unwrap();
    let took = own(&["make", text, &size.to_string()]);
    let made: Made = serde_json::from_slice(&fs::read(path.join("made")).unwrap()).unwrap();
    println!(
        "\n{} commits, {} gates, {} deployments, made in {:.1} s; medians of {ROUNDS}\n",
        made.commits, made.gates, made.deployments, took.wall
    );
    println!("| what | s | CPU s | MiB | ratio |\n|---|---|---|---|---|");
    let check = ["check", made.gate.as_str(), "--env", "production", "--quiet"];
    let no_index = [check.as_slice(), &["--no-index"]].concat();
    let index = path.join("gate/index-v1.sqlite");
    let remove = || drop(fs::remove_file(&index));

    table(&[
        ("`check --no-index`", &|| ours(path, &no_index)),
        ("`git log --format='%H %(trailers)'`", &|| git(path, &["log", "--format=%H %(trailers)"])),
    ]);
    table(&[
        ("`check` that makes the index", &|| {
            remove();
            ours(path, &check)
        }),
        ("the bare limit: all commits read, all signatures verified", &|| own(&["bare", text])),
    ]);
    let setting = format!("gpg.ssh.allowedSignersFile={text}/signers");
    let directory = format!("gates/{}", made.gate);
    table(&[
        ("`check`, index warm", &|| ours(path, &check)),
        ("`git log` of the gate's path, `git verify-commit` of its approvals", &|| {
            let log = git(path, &["log", "--format=%H", "--", &directory]);
            let mut arguments = vec!["-c", setting.as_str(), "verify-commit"];
            arguments.extend(made.approvals.iter().map(String::as_str));
            let verified = git(path, &arguments);
            Took {
                wall: log.wall + verified.wall,
                cpu: log.cpu + verified.cpu,
                mib: log.mib.max(verified.mib),
            }
        }),
    ]);
    let commits = f64::from(made.commits);
    let bytes = f64::from(u32::try_from(fs::metadata(&index).unwrap().len()).unwrap());
    println!("| the index, bytes a commit: {:.0} | | | | |", bytes / commits);

    // The index as it was some fifty commits ago.
    let point = |(commit, log): &(String, String)| {
        for (branch, id) in [("main", commit), ("deployments/production", log)] {
            git(path, &["update-ref", &format!("refs/heads/{branch}"), id]);
        }
    };
    // What was seen of the later ones must not be missed.
    fs::remove_dir_all(path.join("gate")).unwrap();
    point(&made.mainline[BEHIND]);
    ours(path, &check);
    let old = fs::read(&index).unwrap();
    point(&made.mainline[0]);
    table(&[("`check`, index nine mainline commits (some 50) behind", &|| {
        fs::write(&index, &old).unwrap();
        ours(path, &check)
    })]);
    table(&[("`audit`, index warm", &|| ours(path, &["audit", "--format", "json"]))]);
    table(&[("`metrics`, index warm", &|| ours(path, &["metrics", "--format", "json"]))]);
}

/// What is measured, and how.
type Row<'a> = (&'a str, &'a dyn Fn() -> Took);

/// Measures each in turn, again and again, and prints a row of medians for each; ratios are to the last.
fn table(rows: &[Row<'_>]) {
    let mut took: Vec<Vec<Took>> = vec![Vec::new(); rows.len()];
    for _round in 0..ROUNDS {
        for ((_, measured), took) in rows.iter().zip(&mut took) {
            took.push(measured());
        }
    }
    let median = |at: usize, of: fn(&Took) -> f64| {
        let mut values: Vec<f64> = took[at].iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    let last = rows.len() - 1;
    for (at, (name, _)) in rows.iter().enumerate() {
        let [wall, cpu, mib]: [fn(&Took) -> f64; 3] = [|took| took.wall, |took| took.cpu, |took| took.mib];
        println!(
            "| {name} | {:.4} | {:.4} | {:.0} | {:.2} |",
            median(at, wall),
            median(at, cpu),
            median(at, mib),
            median(at, wall) / median(last, wall)
        );
    }
}

fn ours(path: &Path, arguments: &[&str]) -> Took {
    run(Command::new(GIT_GATE).arg("-C").arg(path).args(arguments))
}

fn git(path: &Path, arguments: &[&str]) -> Took {
    run(Command::new("git").arg("-C").arg(path).args(arguments))
}

fn run(command: &mut Command) -> Took {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let used = child.wait4().unwrap();
    let wall = began.elapsed().as_secs_f64();
    assert!(used.status.success(), "{command:?}");
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    let kib = u32::try_from(used.rusage.maxrss / 1024).unwrap();
    Took { wall, cpu, mib: f64::from(kib) / 1024.0 }
}

/// This program again, for a part of it.
fn own(arguments: &[&str]) -> Took {
    run(Command::new(std::env::current_exe().unwrap()).args(arguments))
}

/// Reads every commit and verifies every signature with the libraries alone, on all cores.
fn bare(path: &Path) {
    let repository = git2::Repository::open(path).unwrap();
    let mut walk = repository.revwalk().unwrap();
    walk.push_glob("refs/heads/*").unwrap();
    let ids: Vec<Oid> = walk.map(Result::unwrap).collect();
    let signers = fs::read_to_string(path.join("signers")).unwrap();
    let keys: Vec<PublicKey> =
        signers.lines().map(|line| line.split_once("\" ").unwrap().1.parse().unwrap()).collect();
    let cores = thread::available_parallelism().unwrap().get();
    let keys = &keys;
    thread::scope(|scope| {
        for ids in ids.chunks(ids.len().div_ceil(cores)) {
            scope.spawn(move || {
                let repository = git2::Repository::open(path).unwrap();
                for id in ids {
                    let (signature, payload) = repository.extract_signature(id, None).unwrap();
                    let signature = SshSig::from_pem(&*signature).unwrap();
                    let key = keys.iter().find(|key| key.key_data() == signature.public_key()).unwrap();
                    key.verify("git", &payload, &signature).unwrap();
                }
            });
        }
    });
}
