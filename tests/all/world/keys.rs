//! People's keys, made by `ssh-keygen` once a process: who has which key does not change between tests.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use super::World;

/// Which key of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyKind {
    /// The one they sign with by default.
    Ed25519,
    /// Another one of theirs.
    SecondEd25519,
    Ecdsa256,
    Rsa3072,
    /// Too short to count.
    Rsa2048,
}

impl KeyKind {
    fn named(name: &str) -> Self {
        let all = [Self::Ed25519, Self::SecondEd25519, Self::Ecdsa256, Self::Rsa3072, Self::Rsa2048];
        all.into_iter().find(|kind| format!("{kind:?}") == name).unwrap()
    }
}

#[derive(Clone)]
struct Pair {
    private: String,
    public: String,
}

impl World {
    /// The private key file that `who` signs with; its public half lies beside it as `.pub`. Wherever a person signs,
    /// `j.rivera#Rsa3072` is `j.rivera` with that key of theirs.
    pub(crate) fn key(&self, who: &str) -> PathBuf {
        let (who, kind) = match who.split_once('#') {
            Some((who, kind)) => (who, KeyKind::named(kind)),
            None => (who, KeyKind::Ed25519),
        };
        let path = self.dir().join("home").join(format!("{who}-{kind:?}"));
        if !path.exists() {
            let pair = pair(who, kind);
            std::fs::write(&path, &pair.private).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            std::fs::write(path.with_file_name(format!("{who}-{kind:?}.pub")), &pair.public).unwrap();
        }
        path
    }

    /// The public key as `allowed_signers` takes it: type and base64.
    pub(crate) fn public_key(who: &str, kind: KeyKind) -> String {
        let public = pair(who, kind).public;
        public.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }
}

fn pair(who: &str, kind: KeyKind) -> Pair {
    static PAIRS: OnceLock<Mutex<BTreeMap<(String, KeyKind), Pair>>> = OnceLock::new();
    let mut pairs = PAIRS.get_or_init(Mutex::default).lock().unwrap();
    pairs.entry((who.to_owned(), kind)).or_insert_with(|| generate(who, kind)).clone()
}

fn generate(who: &str, kind: KeyKind) -> Pair {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("key");
    let (algorithm, bits) = match kind {
        KeyKind::Ed25519 | KeyKind::SecondEd25519 => ("ed25519", "256"),
        KeyKind::Ecdsa256 => ("ecdsa", "256"),
        KeyKind::Rsa3072 => ("rsa", "3072"),
        KeyKind::Rsa2048 => ("rsa", "2048"),
    };
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", algorithm, "-b", bits, "-N", "", "-C", who, "-f"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |path| std::fs::read_to_string(path).unwrap();
    Pair { private: read(path.clone()), public: read(path.with_extension("pub")) }
}
