//! The key that `user.signingkey` names: whether it is there, can be used, and which one to take instead.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::git::Signer;
use crate::render::{About, Finding};
use crate::signature::Fingerprint;

use super::signing::key_directory;
use super::{Patient, agent, policy, shell};

const NAME: &str = "user.signingkey";

/// Most files of `~/.ssh` that are looked at.
const MOST_FILES: usize = 200;

/// A key of the user that could sign.
struct Candidate {
    /// As `user.signingkey` takes it.
    setting: String,
    public: String,
}

pub(super) fn look(patient: &Patient<'_>, signer: &Signer) -> Finding {
    let Some(file) = signer.key_file() else {
        return shown(signer, "in the configuration itself");
    };
    let beside = public_beside(&file);
    if !file.is_file() {
        let found = format!("`{}` is not there", file.display());
        return mended(patient, Finding::broken(About::Signing, NAME, found));
    }
    if let Some(finding) = open_to_others(&file) {
        return finding;
    }
    if signer.public_key().is_none() {
        let found =
            format!("`{}` has no public half beside it: nobody can be told whose it is", file.display());
        return Finding::warning(About::Signing, NAME, found).mend(format!(
            "ssh-keygen -y -f {} > {}",
            shell::path(&file),
            shell::path(&beside)
        ));
    }
    shown(signer, &format!("in `{}`", file.display()))
}

fn shown(signer: &Signer, place: &str) -> Finding {
    let public = signer.public_key().unwrap_or_default();
    let Some(fingerprint) = Fingerprint::of_public_key(&public) else {
        let found = format!(
            "the key {place} is none that counts: `{}`",
            public.split(' ').next().unwrap_or_default()
        );
        return Finding::broken(About::Signing, NAME, found)
            .help("keys that count: Ed25519, ECDSA, RSA of 3072 bits, and hardware keys of the first two");
    };
    let touch = if public.starts_with("sk-") { ", a hardware key that asks for a touch" } else { "" };
    Finding::ok(About::Signing, NAME, format!("`{fingerprint}`{touch}, {place}"))
}

/// `ssh-keygen` refuses a private key that others can read.
fn open_to_others(file: &Path) -> Option<Finding> {
    let is_public = file.extension().is_some_and(|end| end == "pub");
    let private = if is_public { file.with_extension("") } else { file.to_owned() };
    let mode = private.metadata().ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        let found = format!("`{}` can be read by others, and `ssh-keygen` refuses it", private.display());
        Finding::broken(About::Signing, NAME, found).mend(format!("chmod 600 {}", shell::path(&private)))
    })
}

/// The finding with the command that names a key to sign with: one that stands in the policy before any other, a new one
/// where there is none.
pub(super) fn mended(patient: &Patient<'_>, finding: Finding) -> Finding {
    let set = shell::config(&patient.git, NAME);
    let candidates = candidates(patient);
    let known = |candidate: &&Candidate| {
        Fingerprint::of_public_key(&candidate.public)
            .is_some_and(|fingerprint| policy::owner(patient, &fingerprint).is_some())
    };
    if let Some(candidate) = candidates.iter().find(known).or_else(|| candidates.first()) {
        return finding.mend(format!("{set} {NAME} {}", shell::word(&candidate.setting)));
    }
    finding.mend(format!(
        "mkdir -p -m 700 ~/.ssh && ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519 && {set} {NAME} ~/.ssh/id_ed25519.pub"
    ))
}

/// The key that stands in the policy under somebody, among those that the user has.
pub(super) fn in_policy(patient: &Patient<'_>) -> Option<String> {
    let set = shell::config(&patient.git, NAME);
    let found = candidates(patient).into_iter().find(|candidate| {
        Fingerprint::of_public_key(&candidate.public)
            .is_some_and(|fingerprint| policy::owner(patient, &fingerprint).is_some())
    })?;
    Some(format!("{set} {NAME} {}", shell::word(&found.setting)))
}

/// Public keys in `~/.ssh` whose private half lies beside them, then those that the agent holds.
fn candidates(patient: &Patient<'_>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = public_files()
        .into_iter()
        .filter(|(path, _public)| path.with_extension("").is_file())
        .map(|(path, public)| Candidate { setting: path.display().to_string(), public })
        .collect();
    for public in agent::keys(patient).unwrap_or_default() {
        found.push(Candidate { setting: format!("key::{public}"), public });
    }
    found.retain(|candidate| Fingerprint::of_public_key(&candidate.public).is_some());
    found
}

/// The private key file of a public key, where it lies in `~/.ssh`.
pub(super) fn private_of(public: &str) -> Option<PathBuf> {
    let found = public_files().into_iter().find(|(_path, other)| other == public)?;
    Some(found.0.with_extension("")).filter(|private| private.is_file())
}

/// The public keys in `~/.ssh`, as `type base64`, by path.
fn public_files() -> Vec<(PathBuf, String)> {
    let entries = key_directory().and_then(|directory| fs::read_dir(directory).ok());
    let mut paths: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "pub"))
        .take(MOST_FILES)
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| Some((public_line(&path)?, path)))
        .map(|(public, path)| (path, public))
        .collect()
}

fn public_line(path: &Path) -> Option<String> {
    use std::io::Read as _;
    #[expect(clippy::disallowed_methods, reason = "cli/ looks for the user's keys")]
    let file = fs::File::open(path).ok()?;
    let mut text = String::new();
    file.take(64 * 1024).read_to_string(&mut text).ok()?;
    let mut words = text.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

fn public_beside(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.pub", file.display()))
}
