//! How fast a history is judged: `cargo bench --bench history -- 10000 100000`, each number a repository of about so many
//! commits, made here and the same each time.
//!
//! Our commands beside git doing what comes nearest, and beside the bare limit: the library alone, reading the same commits and
//! verifying the same signatures. Medians of five in one run, interleaved, so that a neighbour who takes the machine takes
//! it from all; seconds of the clock and of CPU, and peak memory of the process. Last, where `valgrind` is, what a small
//! repository costs in instructions, which no neighbour changes. Nothing here fails: figures are read.
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
use std::io::Write as _;
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

/// So many signatures are verified by git, which starts two programs for each.
const BY_GIT: u32 = 1000;

/// So many commits has the repository of which instructions are counted.
const SMALL: u32 = 1000;

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
            count_instructions();
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
    let setting = format!("gpg.ssh.allowedSignersFile={text}/signers");
    let signatures = ["audit", "--signatures", "--no-index"];
    table(&[
        ("`audit --signatures --no-index`", &|| ours(path, &signatures)),
        ("the bare limit: all commits read, all signatures verified", &|| own(&["bare", text])),
    ]);
    let some = format!("-{BY_GIT}");
    let by_git = git(path, &["-c", &setting, "log", &some, "--format=%G?"]);
    let times = f64::from(made.commits) / f64::from(BY_GIT.min(made.commits));
    println!(
        "| `git log --format='%G?'` of {BY_GIT} commits, times {times:.0} | {:.0} | {:.0} | {:.0} | |",
        by_git.wall * times,
        by_git.cpu * times,
        by_git.mib
    );
    table(&[("`check` that makes the index", &|| {
        remove();
        ours(path, &check)
    })]);
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

    // What was measured some fifty commits ago, and now.
    let metrics = ["metrics", "--format", "json"];
    fs::remove_dir_all(path.join("gate")).unwrap();
    point(&made.mainline[BEHIND]);
    ours(path, &metrics);
    let old = fs::read(&index).unwrap();
    point(&made.mainline[0]);
    ours(path, &metrics);
    let new = fs::read(&index).unwrap();
    table(&[
        ("`metrics --no-index`", &|| ours(path, &[&metrics[..], &["--no-index"]].concat())),
        ("`metrics`, all measured before", &|| {
            fs::write(&index, &new).unwrap();
            ours(path, &metrics)
        }),
        ("`metrics`, measured nine mainline commits before", &|| {
            fs::write(&index, &old).unwrap();
            ours(path, &metrics)
        }),
    ]);
    table(&[("`report --format json`, index warm", &|| ours(path, &["report", "--format", "json"]))]);

    // What the index knows beyond the mainline as it was then is not used.
    let (before, pushed) = push_of_a_gate(path, &made);
    point(&before);
    table(&[("`hook pre-receive` of one gate", &|| {
        let mut command = program(path, &["hook", "pre-receive"]);
        run_with(&mut command, &pushed)
    })]);
    point(&made.mainline[0]);
}

/// The mainline and the log before the last gate was merged, and what git tells a hook of the push of that gate's branch.
fn push_of_a_gate(path: &Path, made: &Made) -> ((String, String), String) {
    let said = |format: &str, commit: &str| {
        let format = format!("--format={format}");
        let output =
            Command::new("git").arg("-C").arg(path).args(["log", "-1", &format, commit]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let merges = made.mainline.iter().zip(&made.mainline[1..]);
    let found = merges.into_iter().find_map(|((merge, _), before)| {
        let subject = said("%s", merge);
        let branch = subject.strip_prefix("Merge branch '")?.strip_suffix('\'')?;
        let tip = said("%P", merge).split(' ').nth(1)?.to_owned();
        let new = "0".repeat(40);
        branch.starts_with("gate/").then(|| (before.clone(), format!("{new} {tip} refs/heads/{branch}\n")))
    });
    found.unwrap()
}

/// What a small repository costs in instructions, on one core.
fn count_instructions() {
    println!("\n{SMALL} commits, millions of instructions (`valgrind --tool=callgrind`, one core)\n");
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("not run: there is no `valgrind`");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.git");
    own(&["make", path.to_str().unwrap(), &SMALL.to_string()]);
    let made: Made = serde_json::from_slice(&fs::read(path.join("made")).unwrap()).unwrap();
    println!("| what | millions |\n|---|---|");
    let check = ["check", made.gate.as_str(), "--env", "production", "--quiet"];
    for (name, more) in [
        ("`check --no-index`", [&check[..], &["--no-index"]].concat()),
        ("`check` that makes the index", check.to_vec()),
        ("`check`, index warm", check.to_vec()),
        ("`audit --signatures --no-index`", vec!["audit", "--signatures", "--no-index"]),
    ] {
        let counted = Command::new("taskset")
            .args([
                "-c",
                "0",
                "valgrind",
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
                GIT_GATE,
                "-C",
            ])
            .arg(&path)
            .args(more)
            .stdout(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&counted.stderr).into_owned();
        let total = said.lines().find_map(|line| line.split_once("Collected : "));
        match total.and_then(|(_, count)| count.trim().parse::<u64>().ok()) {
            Some(count) => println!("| {name} | {} |", count / 1_000_000),
            None => println!("| {name} | not counted: {} |", said.lines().last().unwrap_or_default()),
        }
    }
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
    run(&mut program(path, arguments))
}

fn program(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(GIT_GATE);
    command.arg("-C").arg(path).args(arguments);
    command
}

fn git(path: &Path, arguments: &[&str]) -> Took {
    run(Command::new("git").arg("-C").arg(path).args(arguments))
}

fn run(command: &mut Command) -> Took {
    run_with(command, "")
}

fn run_with(command: &mut Command, input: &str) -> Took {
    let began = Instant::now();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
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
