//! The SSH agent: whether it is there and holds the key, where the key is not in a file.

use std::ffi::OsStr;
use std::path::Path;

use crate::git::{Messages, Signer, Start};
use crate::render::{About, Finding};

use super::{Patient, key, shell};

const NAME: &str = "ssh-agent";

/// Nothing where no agent is needed: the private key is a file, or another program than `ssh-keygen` signs.
pub(super) fn look(patient: &Patient<'_>, signer: &Signer) -> Option<Finding> {
    if signer.program() != OsStr::new("ssh-keygen") {
        return None;
    }
    let public = signer.public_key()?;
    let private = match signer.key_file() {
        Some(file) if file.extension().is_some_and(|end| end == "pub") => {
            file.with_extension("").is_file().then(|| file.with_extension(""))
        }
        // A private key, which `ssh-keygen` reads by itself.
        Some(_private) => return None,
        None => key::private_of(&public),
    };
    if signer.key_file().is_some() && private.is_some() {
        return None;
    }
    let add = add(&public, private.as_deref());
    let Some(keys) = keys(patient) else {
        let found = "the key is to be found in an SSH agent, and none can be reached";
        let start = format!("eval \"$(ssh-agent -s)\" && {add}");
        return Some(Finding::broken(About::Signing, NAME, found).mend(start));
    };
    if keys.contains(&public) {
        return Some(Finding::ok(About::Signing, NAME, "it holds the key"));
    }
    let found = format!("the agent can be reached, and does not hold the key; it holds {}", keys.len());
    let finding = Finding::broken(About::Signing, NAME, found).mend(add);
    Some(if private.is_none() {
        finding.help("where its private half is not in `~/.ssh`, name the file: `ssh-add <path>`")
    } else {
        finding
    })
}

fn add(public: &str, private: Option<&Path>) -> String {
    match private {
        Some(private) => format!("ssh-add {}", shell::path(private)),
        // Keys that live on the token are loaded from it.
        None if public.starts_with("sk-") => "ssh-add -K".to_owned(),
        None => "ssh-add".to_owned(),
    }
}

/// The public keys that the agent holds, as `type base64`; nothing where no agent can be reached.
pub(super) fn keys(patient: &Patient<'_>) -> Option<Vec<String>> {
    let start = Start {
        program: OsStr::new("ssh-add"),
        arguments: vec!["-L".into()],
        directory: patient.git.directory(),
        variables: Vec::new(),
        input: None,
        messages: Messages::Caught,
    };
    let ran = start.run_within(patient.wait).ok().flatten()?;
    match ran.status {
        Some(0) => {
            let text = String::from_utf8_lossy(&ran.stdout).into_owned();
            let key = |line: &str| {
                let mut words = line.split_whitespace();
                Some(format!("{} {}", words.next()?, words.next()?))
            };
            Some(text.lines().filter_map(key).collect())
        }
        // It has no keys.
        Some(1) => Some(Vec::new()),
        Some(_) | None => None,
    }
}
