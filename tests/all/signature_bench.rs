//! Real keys, real `ssh-keygen` and real `git`, to hold our verdict on a signature against theirs.
//!
//! Everything happens in a directory of its own, with a home, a time zone and a git configuration of its own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use git_gate::model::{Code, Time};
use git_gate::signature::{AllowedSigners, Attribution, Verified, verify};
use ssh_key::encoding::base64::{Base64, Encoding as _};

pub(crate) const ALICE: &str = "alice@example.com";
pub(crate) const NOW: i64 = 1_780_000_000; // 2026-05-28T20:26:40Z

/// A commit without its signature: what is signed.
pub(crate) const PAYLOAD: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
    author Alice <alice@example.com> 1780000000 +0000\n\
    committer Alice <alice@example.com> 1780000000 +0000\n\nApprove\n\nGate: summarizer/v1.4\n";

pub(crate) struct Bench {
    directory: tempfile::TempDir,
    counter: AtomicUsize,
}

/// The bench that all tests share: keys are slow to make.
pub(crate) fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let bench = Bench { directory: tempfile::tempdir().unwrap(), counter: AtomicUsize::new(0) };
        let kinds = [
            ("ed25519", "ed25519", "256"),
            ("stranger", "ed25519", "256"),
            ("ca", "ed25519", "256"),
            ("ca-p384", "ecdsa", "384"),
            ("p256", "ecdsa", "256"),
            ("p384", "ecdsa", "384"),
            ("p521", "ecdsa", "521"),
            ("rsa2048", "rsa", "2048"),
            ("rsa3072", "rsa", "3072"),
            ("rsa3081", "rsa", "3081"),
            ("rsa4096", "rsa", "4096"),
        ];
        let children: Vec<_> = kinds
            .iter()
            .map(|(name, kind, bits)| {
                bench
                    .command("ssh-keygen")
                    .args(["-q", "-t", kind, "-b", bits, "-N", "", "-C", name, "-f", name])
                    .stdin(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        assert!(bench.command("git").args(["init", "-q", "."]).status().unwrap().success());
        let tree = bench.run("git", &["hash-object", "-t", "tree", "-w", "--stdin"], b"");
        assert!(tree.status.success());
        bench
    })
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "these tests ask other programs")]
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.directory.path())
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        command
    }

    fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that refuses early may close its end; that is its answer.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    fn fresh(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}-{}", self.counter.fetch_add(1, Ordering::Relaxed)))
    }

    /// What stands in the `.pub` file of a key, without its comment.
    pub(crate) fn public(&self, key: &str) -> String {
        let line = read(&self.directory.path().join(format!("{key}.pub")));
        line.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    /// `ssh-keygen -Y sign`, with a key or a certificate.
    pub(crate) fn sign(&self, key: &str, namespace: &str, hash: &str, payload: &[u8]) -> String {
        let output = self.run(
            "ssh-keygen",
            &["-Y", "sign", "-q", "-n", namespace, "-O", &format!("hashalg={hash}"), "-f", key],
            payload,
        );
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A certificate of `ca` on a copy of `key`; the name to sign with.
    pub(crate) fn certify(&self, ca: &str, key: &str, arguments: &[&str]) -> String {
        let copy = self.fresh("certified");
        let from = self.directory.path().join(key);
        std::fs::copy(&from, &copy).unwrap();
        std::fs::copy(from.with_extension("pub"), copy.with_extension("pub")).unwrap();
        let public = copy.with_extension("pub").display().to_string();
        let mut all = vec!["-q", "-s", ca, "-I", "someone"];
        all.extend(arguments);
        all.push(&public);
        let output = self.run("ssh-keygen", &all, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        format!("{}-cert.pub", copy.display())
    }

    /// The blob of a certificate of `ca` on a key given as in a `.pub` file.
    pub(crate) fn certify_public(&self, ca: &str, public: &str, arguments: &[&str]) -> Vec<u8> {
        let path = self.fresh("public");
        write(&path.with_extension("pub"), public.as_bytes());
        let file = path.with_extension("pub").display().to_string();
        let output =
            self.run("ssh-keygen", &[&["-q", "-s", ca, "-I", "someone"], arguments, &[&file]].concat(), b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let certificate = read(Path::new(&format!("{}-cert.pub", path.display())));
        Base64::decode_vec(certificate.split(' ').nth(1).unwrap()).unwrap()
    }

    /// Whether `ssh-keygen -Y verify` and `git verify-commit` both accept.
    pub(crate) fn others_accept(
        &self,
        signers: &str,
        principal: &str,
        payload: &[u8],
        armored: &[u8],
        at: i64,
    ) -> bool {
        let allowed = self.fresh("allowed");
        let signature = self.fresh("signature");
        write(&allowed, signers.as_bytes());
        write(&signature, armored);
        let time = time(at).to_string().replace(['-', ':', 'T'], "");
        let verified = self.run(
            "ssh-keygen",
            &[
                "-Y",
                "verify",
                "-n",
                "git",
                "-I",
                principal,
                "-f",
                allowed.to_str().unwrap(),
                "-s",
                signature.to_str().unwrap(),
                &format!("-Overify-time={}", time.trim_end_matches('Z')),
            ],
            payload,
        );
        verified.status.success() && self.git_accepts(&allowed, payload, armored)
    }

    fn git_accepts(&self, allowed: &Path, payload: &[u8], armored: &[u8]) -> bool {
        let split = payload.windows(2).position(|two| two == b"\n\n").unwrap_or(0);
        let mut commit = payload[..=split].to_vec();
        commit.extend(b"gpgsig");
        for line in armored.strip_suffix(b"\n").unwrap_or(armored).split(|byte| *byte == b'\n') {
            commit.push(b' ');
            commit.extend(line);
            commit.push(b'\n');
        }
        commit.extend(&payload[split + 1..]);
        let written =
            self.run("git", &["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], &commit);
        let id = String::from_utf8(written.stdout).unwrap();
        let setting = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
        self.run("git", &["-c", &setting, "verify-commit", id.trim()], b"").status.success()
    }
}

/// What we say of a signature at one time.
pub(crate) fn judge(signers: &str, payload: &[u8], armored: &[u8], at: i64) -> Result<Verified, Code> {
    let signature = verify(payload, armored).map_err(|defect| defect.code)?;
    attribute(signers, &signature, at).counts.map_err(|defects| defects[0].code)
}

pub(crate) fn attribute(signers: &str, signature: &git_gate::signature::Signature, at: i64) -> Attribution {
    AllowedSigners::parse(signers).unwrap().attribute(signature, &[time(at)])
}

/// We say what is expected, and where we say that it counts, so do `ssh-keygen` and `git`.
#[track_caller]
pub(crate) fn check(
    case: &str,
    signers: &str,
    payload: &[u8],
    armored: &[u8],
    at: i64,
    expected: Result<(), Code>,
) {
    let ours = judge(signers, payload, armored, at);
    assert_eq!(ours.as_ref().map(|_verified| ()).map_err(|code| *code), expected, "{case}");
    if let Ok(verified) = ours {
        assert!(
            bench().others_accept(signers, verified.principal().as_str(), payload, armored, at),
            "{case}: we are looser than ssh-keygen and git"
        );
    }
}

pub(crate) fn time(at: i64) -> Time {
    Time::from_unix(at).unwrap()
}

/// The bytes inside an armor.
pub(crate) fn unarmor(armored: &str) -> Vec<u8> {
    let inner: String = armored.lines().filter(|line| !line.starts_with("-----")).collect();
    Base64::decode_vec(&inner).unwrap()
}

/// The armor as `ssh-keygen` writes it.
pub(crate) fn armor(blob: &[u8]) -> String {
    let mut text = String::from("-----BEGIN SSH SIGNATURE-----\n");
    let base64 = Base64::encode_string(blob);
    for line in base64.as_bytes().chunks(70) {
        writeln!(text, "{}", str::from_utf8(line).unwrap()).unwrap();
    }
    text.push_str("-----END SSH SIGNATURE-----\n");
    text
}

#[expect(clippy::disallowed_methods, reason = "what the programs under comparison read")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
